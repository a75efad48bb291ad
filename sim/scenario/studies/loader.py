"""From a study file to a study of its kind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, overload

from sim.errors import Problem, ScenarioError
from sim.scenario.document import parse
from sim.scenario.messages import nearest, problem
from sim.scenario.source import shown
from sim.scenario.studies.calibration import Study
from sim.scenario.studies.file import StudyFile
from sim.scenario.studies.optimisation import OptimisationStudy
from sim.scenario.studies.sweep import SweepStudy

__all__ = ["KINDS", "is_study", "load_study"]

KINDS: Mapping[str, type[StudyFile]] = {
    "calibration": Study,
    "optimisation": OptimisationStudy,
    "sweep": SweepStudy,
}
"""The kinds of study, by what their files call them."""

S = TypeVar("S", bound=StudyFile)
Further = Callable[[StudyFile], Iterable[Problem]]


def is_study(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it is a study, of whatever kind; False if it cannot be read."""
    try:
        return "kind" in parse(path).root.value
    except ScenarioError:
        return False


@overload
def load_study(
    path: str | os.PathLike[str], overrides: Mapping[str, object] | None = None, *, further: Further | None = None
) -> StudyFile: ...


@overload
def load_study(
    path: str | os.PathLike[str],
    overrides: Mapping[str, object] | None = None,
    *,
    only: type[S],
    further: Further | None = None,
) -> S: ...


def load_study(
    path: str | os.PathLike[str],
    overrides: Mapping[str, object] | None = None,
    *,
    only: type[S] | None = None,
    further: Further | None = None,
) -> StudyFile | S:
    """Read a study file and the scenario that it is about.

    Parameters
    ----------
    path
        The YAML file. The scenario may lie in the folder above, and below it.
    overrides
        Values by dotted path: of the study if it has such a key, else of the scenario that it runs (`set`).
    only
        The kind that is wanted: a study of another is refused.
    further
        Tells what else is wrong, so that all is told at once: `sim.experiments.outcomes.unknown_outcomes`, say.

    Raises
    ------
    ScenarioError
        Anything is wrong with the study, its scenario or the overrides: all problems.
    """
    document = parse(path)
    wanted = {kind: model for kind, model in KINDS.items() if only in (None, model)}
    named = document.root.value.get("kind")
    if named is None:
        raise ScenarioError([*document.problems, problem(document.root.place, "kind", "missing", {"near": ""})])
    if not isinstance(named.value, str) or named.value not in wanted:
        said = {"choices": " / ".join(wanted), "found": shown(named.value), "near": nearest(named.value, wanted)}
        raise ScenarioError([*document.problems, problem(named.place, "kind", "one_of", said)])
    return wanted[named.value].read(path, document, overrides or {}, further)
