"""A calibration study: which numbers of a scenario are unknown, what they are fitted to, and what is kept apart.

A study file is read as a scenario file is (same YAML, same limits, all mistakes at once with their places). It names
the scenario that it is about, and sets the values with which that is run while searching: a smaller city, say.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from sim.errors import Problem, ScenarioError
from sim.evidence import ledger
from sim.evidence.audit import Origin
from sim.evidence.quantity import Label, Parameters
from sim.scenario.complaints import complaints
from sim.scenario.document import Node, parse
from sim.scenario.loader import load
from sim.scenario.merge import beside, follow, merge, node_of
from sim.scenario.messages import nearest, problem
from sim.scenario.overlay import OVERRIDE
from sim.scenario.schema import Regime, Scenario
from sim.scenario.settle import Settled, place_of, settle
from sim.scenario.shape import fields
from sim.scenario.source import Place, name_of, read, shown

__all__ = [
    "Decisions",
    "Holdout",
    "Parameter",
    "Reform",
    "Search",
    "Study",
    "Target",
    "is_study",
    "load_study",
    "pinned",
]

Bound = Literal["exact", "about", "more_than", "at_most", "less_than"]

Outcome = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


def _a_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Text(Parameters):
    """A sentence or two in Chinese and English."""

    zh: str = Field(default="", max_length=500)
    en: str = Field(default="", max_length=500)


class Target(Parameters):
    """What an outcome should be, and how sure that is."""

    outcome: Outcome
    value: float = Field(description="in the outcome's unit")
    sd: float = Field(gt=0, description="standard deviation, in the outcome's unit; relative with `log`")
    bound: Bound | None = Field(default=None, description="by default that of the figure, else about")
    log: bool = Field(default=False, description="compared in logs, so that `sd` is relative")
    source: Annotated[tuple[str, ...], BeforeValidator(_a_list)] = Field(default=(), description="ids of sources")
    why: Text = Text()
    fact: str | None = Field(default=None, description="id of the fact of `sim facts` that this fits, if it is one")


class Parameter(Parameters):
    """A number of the scenario that is not known."""

    path: Annotated[str, Field(max_length=200)]
    prior: Literal["uniform", "log_uniform"] = "uniform"
    range: Annotated[tuple[float, float] | None, BeforeValidator(_a_list)] = Field(
        default=None, description="by default the plausible range that the scenario states"
    )


class Search(Parameters):
    """How many points are run for what."""

    start: int = Field(default=512, ge=8, le=1 << 16, description="points that fill the prior (Sobol)")
    optimise: int = Field(default=96, ge=0, le=10_000, description="points by optuna, towards the likelihood")
    waves: int = Field(default=2, ge=0, le=10, description="times that points are drawn from the emulated posterior")
    wave: int = Field(default=192, ge=8, le=10_000, description="points of a wave")
    check: int = Field(default=128, ge=8, le=10_000, description="posterior points that test the emulator")
    reference: int = Field(default=48, ge=2, le=10_000, description="replicates of the scenario as it is")
    finalists: int = Field(default=6, ge=1, le=100, description="points that are run again with fresh seeds")
    replicates: int = Field(default=8, ge=2, le=10_000, description="fresh replicates of each finalist")
    whole: int = Field(default=3, ge=0, le=1000, description="replicates of the whole scenario, for the best point")


class Holdout(Parameters):
    """An outcome that is predicted and compared, and never fitted."""

    outcome: Outcome
    band: Annotated[tuple[float, float] | None, BeforeValidator(_a_list)] = None
    why: Text = Text()


class Reform(Parameters):
    """A change whose effect is looked at along the ridge."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
    name: Label = Label()
    set: dict[str, Any]


class Decisions(Parameters):
    """Whether decisions hold along what the targets leave open."""

    outcome: Outcome = "survival_36m"
    points: int = Field(default=5, ge=2, le=50)
    replicates: int = Field(default=8, ge=2, le=10_000)
    reforms: Annotated[tuple[Reform, ...], BeforeValidator(_a_list), Field(max_length=20)] = ()


class Study(Parameters):
    """A calibration study, all defaults filled in, every number checked."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    kind: Literal["calibration"]
    name: Label = Label()
    description: Text = Text()
    scenario: str
    seed: int = Field(default=1, ge=0, lt=2**63)
    replicates: int = Field(default=2, ge=1, le=1000, description="runs at each point, the same luck at each")
    scale: float = Field(default=1.0, gt=0, description="people that one of the smaller runs stands for")
    set: dict[str, Any] = Field(default_factory=dict, description="values by path with which the search runs")
    targets: Annotated[tuple[Target, ...], BeforeValidator(_a_list), Field(min_length=1, max_length=100)]
    parameters: Annotated[tuple[Parameter, ...], BeforeValidator(_a_list), Field(min_length=1, max_length=60)]
    search: Search = Search()
    scored: Annotated[tuple[str, ...], BeforeValidator(_a_list), Field(max_length=100)] = Field(
        default=(), description="ids of the facts that `sim facts` scores, none of which is fitted"
    )
    holdout: Annotated[tuple[Holdout, ...], BeforeValidator(_a_list), Field(max_length=100)] = ()
    decisions: Decisions = Decisions()

    _file: str = PrivateAttr("")
    _text: str = PrivateAttr("")
    _whole: Scenario = PrivateAttr()
    _small: Scenario = PrivateAttr()
    _origins: Mapping[str, Origin] = PrivateAttr(default_factory=dict)
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> str:
        """The file that it was read from."""
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
        """The same with the study's `set`: what the search runs."""
        return self._small

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The prior range of each parameter, by path."""
        return {p.path: p.range or _plausible(self._small, p.path) or (math.nan, math.nan) for p in self.parameters}

    def about(self, path: str) -> Origin:
        """What a parameter is: its value now, unit, names and source."""
        return self._whole.why(path)

    def evidence(self, number: int) -> str | None:
        """The figure that the value of a target cites, if it cites one."""
        origin = self._origins.get(f"targets.{number}.value")
        return origin.evidence if origin else None

    def bound(self, number: int) -> str:
        """How the value of a target bounds its outcome."""
        figure = self.evidence(number)
        return self.targets[number].bound or (ledger.figure(figure).bound if figure else "about")

    def place(self, path: str) -> Place:
        """Where a key stands; the file if that is not known."""
        return self._places.get(path, Place(self._file))


def pinned(scenario: Scenario) -> Scenario:
    """The scenario with its burn-in written out, so that a reform of it starts from the same city."""
    if scenario.initial.kind != "burn_in":
        return scenario
    before = scenario.burn_in
    initial = scenario.initial.model_copy(update={"under": Regime(chain=before.chain, policy=before.policy)})
    return scenario.model_copy(update={"initial": initial})


def is_study(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it is a study, of whatever kind; False if it cannot be read."""
    try:
        return "kind" in parse(path).root.value
    except ScenarioError:
        return False


def load_study(path: str | os.PathLike[str], overrides: Mapping[str, object] | None = None) -> Study:
    """Read a study file and the scenario that it is about.

    Parameters
    ----------
    path
        The YAML file. The scenario may lie in the folder above, and below it.
    overrides
        Values by dotted path: of the study if it has such a key, else of the scenario while searching (`set`).

    Raises
    ------
    ScenarioError
        Anything is wrong with the study, its scenario or the overrides: all problems.
    """
    document = parse(path)
    problems = list(document.problems)
    root = merge(document.root, _overlay(overrides or {}), problems)
    settled = settle(root, Study)
    problems += settled.problems
    study = None
    try:
        study = Study.model_validate(settled.plain)
    except ValidationError as error:
        problems += complaints(error, settled)
    whole, small = _scenarios(document.file, path, root, problems)
    if study is not None:
        study._file, study._origins = document.file, settled.origins
        study._places = {p: place_of(settled.nodes[loc]) for loc, p in settled.paths.items()}
        problems += _slips(study, settled, small)
    if problems or study is None or whole is None or small is None:
        raise ScenarioError(_in_order(problems, document.file))
    study._whole, study._small, study._text = whole, small, read(path).content
    return study


def _overlay(overrides: Mapping[str, object]) -> Node:
    """Overrides as nodes over the study: a path that starts with none of its keys belongs to `set`."""
    place = Place(OVERRIDE)
    top = Node({}, place)
    known = fields(Study)
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
    """The scenario as it stands, and with the study's `set`; None, and problems more, where it cannot be."""
    named, changes = root.value.get("scenario"), root.value.get("set")
    if named is None:
        return None, None  # said by the schema
    try:
        target = beside(os.fspath(path), named, "scenario", follow(Path(path).parent.parent))
        whole = load(target)
    except ScenarioError as error:
        at = name_of(path)
        problems += [_moved(p, named.place) if not p.line and p.file != at else p for p in error.problems]
        return None, None
    values = changes.value if changes and isinstance(changes.value, dict) else {}
    try:
        return whole, load(target, values) if values else whole
    except ScenarioError as error:
        problems += [_moved(p, _said(values, p), "set.") for p in error.problems]
        return whole, None


def _said(values: Mapping[str, Node], found: Problem) -> Place:
    """Where the value stands that a problem is about."""
    if found.line:
        return Place(found.file, found.line, found.column)
    node = values.get(found.path)
    if node is None:
        node = next((n for p, n in values.items() if found.path.startswith(p) or p.startswith(found.path)), None)
    return (node.key or node.place) if node else Place(found.file)


def _moved(found: Problem, place: Place, prefix: str = "") -> Problem:
    return replace(found, file=place.file, line=place.line, column=place.column, path=prefix + found.path)


def _slips(study: Study, settled: Settled, small: Scenario | None) -> Iterator[Problem]:
    """What cannot be, though each value by itself can."""
    seen: dict[str, str] = {}
    for number, target in enumerate(study.targets):
        here = f"targets.{number}"
        if target.outcome in seen:
            yield problem(settled.place(f"{here}.outcome"), here, "given_twice", {"found": shown(target.outcome)})
        seen.setdefault(target.outcome, here)
        if not (study.evidence(number) or target.source or target.why.zh or target.why.en):
            yield problem(settled.place(here), here, "target_source")
        if target.log and target.value <= 0:
            yield problem(settled.place(f"{here}.value"), f"{here}.value", "above_zero", {"unit": "", "found": "0"})
        for i, id in enumerate(target.source):
            if id not in ledger.sources():
                said = {"found": shown(id), "near": nearest(id, ledger.sources())}
                yield problem(settled.place(f"{here}.source"), f"{here}.source.{i}", "no_source", said)
        if target.fact in study.scored:
            yield problem(settled.place(f"{here}.fact"), f"{here}.fact", "fitted_and_scored", {"found": target.fact})
    for number, held in enumerate(study.holdout):
        here = f"holdout.{number}"
        if held.outcome in seen:
            key = "fitted_and_held" if seen[held.outcome].startswith("targets") else "given_twice"
            yield problem(settled.place(f"{here}.outcome"), here, key, {"found": shown(held.outcome)})
        seen.setdefault(held.outcome, here)
    paths: set[str] = set()
    for number, parameter in enumerate(study.parameters):
        here = f"parameters.{number}"
        if parameter.path in paths:
            yield problem(settled.place(f"{here}.path"), here, "given_twice", {"found": shown(parameter.path)})
        paths.add(parameter.path)
        if small is not None:
            yield from _prior(parameter, small, settled, here)
    if small is not None:
        for number, reform in enumerate(study.decisions.reforms):
            here = f"decisions.reforms.{number}.set"
            try:
                small.replace(reform.set)
            except ScenarioError as error:
                place = settled.place(here)
                yield from (_moved(p, place, f"{here}.") for p in error.problems)


def _prior(parameter: Parameter, small: Scenario, settled: Settled, here: str) -> Iterator[Problem]:
    """What is wrong with a parameter and the range of its prior."""
    place = settled.place(f"{here}.path")
    try:
        origin = small.why(parameter.path)
    except ScenarioError as error:
        yield from (_moved(p, place) for p in error.problems)
        return
    if isinstance(origin.value, bool) or not isinstance(origin.value, int | float):
        yield problem(place, parameter.path, "number", {"unit": "", "found": shown(origin.value), "hint": ""})
        return
    limits = parameter.range or _plausible(small, parameter.path)
    if limits is None:
        yield problem(place, parameter.path, "needs_range")
        return
    low, high = limits
    if not low < high:
        yield problem(place, parameter.path, "range_form", {"unit": f" ({origin.unit})" if origin.unit else ""})
    elif parameter.prior == "log_uniform" and low <= 0:
        yield problem(place, parameter.path, "above_zero", {"unit": "", "found": f"{low:g}"})
    else:
        for end in (low, high):
            try:
                small.replace({parameter.path: type(origin.value)(end)})
            except ScenarioError as error:
                yield from (_moved(p, place) for p in error.problems)


def _plausible(scenario: Scenario, path: str) -> tuple[float, float] | None:
    limits = scenario.why(path).range
    return (float(limits[0]), float(limits[1])) if limits else None


def _in_order(problems: list[Problem], file: str) -> list[Problem]:
    """Each problem once; the study's own first, by place."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file != file, p.file, p.line == 0, p.line, p.column))


assert set(get_args(Bound)) == set(ledger.BOUNDS)
