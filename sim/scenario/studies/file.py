"""What all study files share: how they are read, the scenario that they are about, and where each key stands.

A study file is read as a scenario file is (same YAML, same limits, all mistakes at once with their places). It names
the scenario that it is about, and sets the values with which that is run: a smaller city, say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from sim.errors import Problem, ScenarioError
from sim.evidence.audit import Origin
from sim.evidence.quantity import Label, Parameters
from sim.scenario.complaints import complaints, loc_of
from sim.scenario.document import MAX_DEPTH, Document, Node
from sim.scenario.loader import load
from sim.scenario.merge import beside, follow, merge, node_of
from sim.scenario.messages import problem
from sim.scenario.overlay import OVERRIDE
from sim.scenario.schema import Regime, Scenario
from sim.scenario.settle import Loc, Settled, place_of, settle
from sim.scenario.shape import fields
from sim.scenario.source import Place, name_of, read, shown

__all__ = ["Outcome", "Range", "StudyFile", "Text", "a_list", "moved", "pinned", "plausible", "study_wide"]

_STUDY_WIDE = {"seed": "seed: ...", "replicates": "replicates: ...", "engine": "set: {engine: ...}"}
"""What all that a study runs has in common, and how it is written."""


def a_list(value: Any) -> Any:
    """Lists are tuples in a frozen model."""
    return tuple(value) if isinstance(value, list) else value


Outcome = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
"""The name of an outcome."""

Range = Annotated[tuple[float, float] | None, BeforeValidator(a_list)]
"""Lower and upper end."""


class Text(Parameters):
    """A sentence or two in Chinese and English."""

    zh: str = Field(default="", max_length=500)
    en: str = Field(default="", max_length=500)


class StudyFile(Parameters):
    """What every kind of study says, all defaults filled in, every number checked."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    kind: str
    name: Label = Label()
    description: Text = Text()
    scenario: str = Field(description="the scenario file that it is about")
    seed: int = Field(default=1, ge=0, lt=2**63)
    set: dict[str, Any] = Field(default_factory=dict, description="values by path with which everything is run")

    _path: str = PrivateAttr("")
    _file: str = PrivateAttr("")
    _text: str = PrivateAttr("")
    _whole: Scenario = PrivateAttr()
    _small: Scenario = PrivateAttr()
    _origins: Mapping[str, Origin] = PrivateAttr(default_factory=dict)
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)

    @property
    def path(self) -> str:
        """Where the file is that it was read from."""
        return self._path

    @property
    def file(self) -> str:
        """That file's name, as messages show it."""
        return self._file

    @property
    def text(self) -> str:
        """The file as it stands; overrides are not in it."""
        return self._text

    @property
    def whole(self) -> Scenario:
        """The scenario that the study is about."""
        return self._whole

    @property
    def small(self) -> Scenario:
        """The same with the study's `set`: what is run."""
        return self._small

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All that is run where nothing varies: `small`, unless a study has several blocks."""
        return (self._small,)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed and yet probably not meant."""
        return ()

    @property
    def named_outcomes(self) -> Iterator[tuple[str, str]]:
        """Path in the study, and name, of each outcome that it speaks of; whether any run has it is not known here."""
        yield from ()

    def about(self, path: str) -> Origin:
        """What a number of the scenario is: its value now, unit, names and source."""
        return self._whole.why(path)

    def place(self, path: str) -> Place:
        """Where a key stands; the file if that is not known."""
        return self._places.get(path, Place(self._file))

    def slips(self, settled: Settled, small: Scenario | None) -> Iterator[Problem]:
        """What cannot be, though each value by itself can; `small` is None if the scenario could not be read."""
        yield from ()

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        document: Document,
        overrides: Mapping[str, object],
        further: Callable[[StudyFile], Iterable[Problem]] | None = None,
    ) -> Self:
        """A study of this kind; see `sim.scenario.studies.load_study`."""
        problems = list(document.problems)
        root = merge(document.root, _overlay(cls, overrides), problems)
        root.place = document.root.place
        settled = settle(root, cls)
        problems += settled.problems
        study, gone = None, frozenset[str]()
        try:
            study = cls.model_validate(settled.plain)
        except ValidationError as error:
            problems += complaints(error, settled)
            study, gone = _mended(cls, settled, error)
        said = {(p.file, p.line) for p in problems}
        whole, small = _scenarios(document.file, path, root, problems)
        if study is not None:
            study._path, study._file, study._origins = os.fspath(path), document.file, settled.origins
            study._places = {p: place_of(settled.nodes[loc]) for loc, p in settled.paths.items()}
            slips = [*study_wide(study.set, settled, "set", ("seed", "replicates")), *study.slips(settled, small)]
            if whole is not None and small is not None:
                study._whole, study._small, study._text = whole, small, read(path).content
                slips += further(study) if further else ()
            problems += (p for p in slips if (p.file, p.line) not in said and not _below(p.path, gone))
        if problems or study is None or whole is None or small is None:
            raise ScenarioError(_in_order(problems, document.file))
        return study


S = TypeVar("S", bound=StudyFile)


def _mended(kind: type[S], settled: Settled, error: ValidationError) -> tuple[S | None, frozenset[str]]:
    """The study without the keys that are wrong in form, so that the rest can be looked at too; and their paths.

    An entry of a list is never left out, since the others would be miscounted: then the list is. None if something is
    needed that cannot be left out.
    """
    plain, gone = settled.plain, set[str]()
    for _ in range(MAX_DEPTH):
        for detail in error.errors(include_url=False, include_context=False):
            loc = loc_of(detail)[: -1 if detail["type"] == "missing" else None]
            while loc and not isinstance(loc[-1], str):
                loc = loc[:-1]
            if not loc:
                return None, frozenset()
            plain = _without(plain, loc)
            gone |= {settled.paths[loc]} if loc in settled.paths else set()
        try:
            return kind.model_validate(plain), frozenset(gone)
        except ValidationError as again:
            error = again
    return None, frozenset()


def _without(value: Any, loc: Loc) -> Any:
    """Plain data without what stands at a location."""
    if isinstance(value, tuple) and isinstance(loc[0], int) and loc[0] < len(value):
        return (*value[: loc[0]], _without(value[loc[0]], loc[1:]), *value[loc[0] + 1 :])
    if not isinstance(value, dict) or loc[0] not in value:
        return value
    if len(loc) == 1:
        return {key: below for key, below in value.items() if key != loc[0]}
    return {key: _without(below, loc[1:]) if key == loc[0] else below for key, below in value.items()}


def _below(path: str, gone: frozenset[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in gone)


def pinned(scenario: Scenario) -> Scenario:
    """The scenario with its burn-in written out, so that a reform of it starts from the same city."""
    if scenario.initial.kind != "burn_in":
        return scenario
    before = scenario.burn_in
    initial = scenario.initial.model_copy(update={"under": Regime(chain=before.chain, policy=before.policy)})
    return scenario.model_copy(update={"initial": initial})


def plausible(scenario: Scenario, path: str) -> tuple[float, float] | None:
    """The plausible range that a scenario states of a number."""
    limits = scenario.why(path).range
    return (float(limits[0]), float(limits[1])) if limits else None


def study_wide(values: Iterable[str], settled: Settled, here: str, keys: Iterable[str]) -> Iterator[Problem]:
    """What is `set`, below one of some keys, and is said elsewhere for the whole study."""
    for path in values:
        if (key := path.split(".")[0]) in keys:
            at = f"{here}.{path}"
            yield problem(settled.place(at), at, "study_wide", {"found": shown(path), "write": _STUDY_WIDE[key]})


def moved(found: Problem, place: Place, prefix: str = "") -> Problem:
    """A problem of the scenario, told where the study causes it."""
    return replace(found, file=place.file, line=place.line, column=place.column, path=prefix + found.path)


def _overlay(kind: type[StudyFile], overrides: Mapping[str, object]) -> Node:
    """Overrides as nodes over the study: a path that starts with none of its keys belongs to `set`."""
    place = Place(OVERRIDE)
    top = Node({}, place)
    known = fields(kind)
    for path, value in overrides.items():
        first, *rest = path.split(".")
        parts = [first, *rest] if first in known and first != "set" else ["set", path.removeprefix("set.")]
        over = top
        for part in parts[:-1]:
            over = over.value.setdefault(part, Node({}, place))
        over.value[parts[-1]] = node_of(value, place)
    return top


def _scenarios(
    file: str, path: str | os.PathLike[str], root: Node, problems: list[Problem]
) -> tuple[Scenario | None, Scenario | None]:
    """The scenario as it stands, and with what is sound of the study's `set`; None where it cannot be.

    `problems` is told.
    """
    named, changes = root.value.get("scenario"), root.value.get("set")
    if named is None:
        return None, None  # said by the schema
    try:
        target = beside(os.fspath(path), named, "scenario", follow(Path(path).parent.parent))
        whole = load(target)
    except ScenarioError as error:
        at = name_of(path)
        problems += [moved(p, named.place) if not p.line and p.file != at else p for p in error.problems]
        return None, None
    values = changes.value if changes and isinstance(changes.value, dict) else {}
    try:
        return whole, load(target, values) if values else whole
    except ScenarioError as error:
        problems += [moved(p, _said(values, p), "set.") for p in error.problems]
        sound = {path: node for path, node in values.items() if not any(_meet(path, p.path) for p in error.problems)}
    try:  # with what nothing is wrong with, so that the rest of the study can be looked at too
        return whole, load(target, sound) if sound else whole
    except ScenarioError:
        return whole, None


def _meet(path: str, other: str) -> bool:
    """Whether one path is the other, or lies below it."""
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")


def _said(values: Mapping[str, Node], found: Problem) -> Place:
    """Where the value stands that a problem is about."""
    if found.line:
        return Place(found.file, found.line, found.column)
    node = values.get(found.path)
    if node is None:
        node = next((n for p, n in values.items() if found.path.startswith(p) or p.startswith(found.path)), None)
    return (node.key or node.place) if node else Place(found.file)


def _in_order(problems: list[Problem], file: str) -> list[Problem]:
    """Each problem once; the study's own first, by place."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file != file, p.file, p.line == 0, p.line, p.column))
