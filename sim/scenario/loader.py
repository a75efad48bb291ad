"""From a file, or a path and a value, to a frozen scenario."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.errors import Problem, ScenarioError
from sim.scenario.checks import combinations
from sim.scenario.complaints import complaints
from sim.scenario.components import Components, by_type, clashes, components, unclear
from sim.scenario.document import Document, Node, parse_value
from sim.scenario.merge import beside, follow, layers, merge
from sim.scenario.messages import problem
from sim.scenario.overlay import OVERRIDE, overlay
from sim.scenario.schema import Scenario
from sim.scenario.settle import settle
from sim.scenario.source import Place, shown

__all__ = ["load", "override", "under_file"]


def load(path: str | os.PathLike[str], overrides: Mapping[str, object] | None = None) -> Scenario:
    """Read a scenario file, with all that it extends.

    Parameters
    ----------
    path
        The YAML file.
    overrides
        Values by dotted path, list items by id, as for `Scenario.replace`; `override` reads them from text.

    Raises
    ------
    ScenarioError
        Anything is wrong with the file or the overrides: all problems, in the order of the files.
    """
    if not isinstance(path, str | os.PathLike):
        raise ScenarioError([problem(Place(""), "", "needs_path", {"found": type(path).__name__})])
    read: dict[Path, Document] = {}
    stack = layers(path, read)
    problems = stack.problems
    root = stack.merged()
    home = follow(Path(path).parent)
    own = components(root, home, stack.files[0], problems)
    if overrides:
        root = merge(root, overlay(root, overrides, problems, by_type(own)), problems)
        own = components(root, home, stack.files[0], problems) if "components" in overrides else own
    under, burn_in = _node_at(root, "initial", "under"), None
    if under and isinstance(under.value, str):
        try:
            burn_in = under_file(path, under, stack.files[0], read)
            problems += clashes(burn_in.own, own, under.place, "initial.under")
            own = {**burn_in.own, **own}
        except ScenarioError as error:
            problems += error.problems
    scenario = _validated(root, own, problems, [*stack.files, OVERRIDE], stack.whole)
    scenario._file = stack.files[0]
    scenario._burn_in = burn_in
    return scenario


_NEEDS_BASE = ("missing", "unknown_stage", "unknown_lever", "nothing_to_remove", "no_neighbour", "unknown_path")
"""What nobody can tell while a file that is extended cannot be read."""

_NEEDS_TYPES = ("unknown_type",)
"""What nobody can tell while an entry of `components` cannot be used."""


def override(assignment: str) -> tuple[str, Node]:
    """Read ``path=value``, the value in YAML: what ``--set`` takes.

    Raises
    ------
    ScenarioError
        There is no ``=``, or the value is not sound YAML.
    """
    path, equals, text = assignment.partition("=")
    if not equals or not path.strip():
        raise ScenarioError([problem(Place(OVERRIDE), "", "not_an_assignment", {"found": shown(assignment)})])
    try:
        return path.strip(), parse_value(text, OVERRIDE)
    except ScenarioError as error:
        raise ScenarioError(replace(p, path=shown(path.strip())[1:-1]) for p in error.problems) from None


def under_file(
    path: str | os.PathLike[str], under: Node, first: str, read: dict[Path, Document] | None = None
) -> Scenario:
    """The scenario that `initial.under` names, as its file stands; its own `under` is not followed."""
    file = under.place.file if under.place.file not in (OVERRIDE, "") else first
    home = follow(Path(path).parent)
    named = beside(file, under, "initial.under", home)
    stack = layers(named, read, under.place)
    root = stack.merged()
    initial = _node_at(root, "initial")
    if initial and isinstance(initial.value, dict):
        initial.value = {k: v for k, v in initial.value.items() if k != "under"}
    own = components(root, home, stack.files[0], stack.problems)
    scenario = _validated(root, own, stack.problems, stack.files)
    scenario._file = stack.files[0]
    return scenario


def _validated(root: Node, own: Components, problems: list[Problem], files: list[str], whole: bool = True) -> Scenario:
    settled = settle(root, Scenario, by_type(own))
    problems = problems + settled.problems
    if own and isinstance(settled.plain.get("components", ()), tuple):
        settled.plain["components"] = tuple(own)
    scenario = None
    try:
        scenario = Scenario.model_validate(settled.plain, context=own)
    except ValidationError as error:
        problems += complaints(error, settled)
    for path, key, arguments in combinations(settled.plain, settled.origins, by_type(own)):
        problems.append(problem(settled.place(path), path, key, arguments))
    if problems or scenario is None:
        known = [p if p.path else replace(p, path=settled.path_at(Place(p.file, p.line, p.column))) for p in problems]
        moot = _NEEDS_TYPES * unclear(root) + _NEEDS_BASE * (not whole)
        raise ScenarioError(_in_order((p for p in known if p.key not in moot), files))
    scenario._origins = settled.origins
    return scenario


def _node_at(root: Node, *keys: str) -> Node | None:
    node: Node | None = root
    for key in keys:
        node = node.value.get(key) if node and isinstance(node.value, dict) else None
    return node


def _in_order(problems: Iterable[Problem], files: list[str]) -> list[Problem]:
    """Each problem once, by file and place; what has no place comes last."""
    rank = {file: i for i, file in enumerate(files)}

    def key(p: Problem) -> tuple[Any, ...]:
        return rank.get(p.file, len(files)), p.line == 0, p.line, p.column

    return sorted(dict.fromkeys(problems), key=key)
