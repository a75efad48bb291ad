"""A calibration study: which numbers of a scenario are unknown, what they are fitted to, and what is kept apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from sim.errors import Problem, ScenarioError
from sim.evidence import ledger
from sim.evidence.quantity import Label, Parameters
from sim.scenario.messages import nearest, problem
from sim.scenario.schema import Scenario
from sim.scenario.settle import Settled
from sim.scenario.source import shown
from sim.scenario.studies.file import Outcome, Range, StudyFile, Text, a_list, moved, plausible

__all__ = ["Decisions", "Holdout", "Parameter", "Reform", "Search", "Study", "Target"]

Bound = Literal["exact", "about", "more_than", "at_most", "less_than"]


class Target(Parameters):
    """What an outcome should be, and how sure that is."""

    outcome: Outcome
    value: float = Field(description="in the outcome's unit")
    sd: float = Field(gt=0, description="standard deviation, in the outcome's unit; relative with `log`")
    bound: Bound | None = Field(default=None, description="by default that of the figure, else about")
    log: bool = Field(default=False, description="compared in logs, so that `sd` is relative")
    source: Annotated[tuple[str, ...], BeforeValidator(a_list)] = Field(default=(), description="ids of sources")
    why: Text = Text()
    fact: str | None = Field(default=None, description="id of the fact of `sim facts` that this fits, if it is one")


class Parameter(Parameters):
    """A number of the scenario that is not known."""

    path: Annotated[str, Field(max_length=200)]
    prior: Literal["uniform", "log_uniform"] = "uniform"
    range: Range = Field(default=None, description="by default the plausible range that the scenario states")


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
    band: Range = None
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
    reforms: Annotated[tuple[Reform, ...], BeforeValidator(a_list), Field(max_length=20)] = ()


class Study(StudyFile):
    """A calibration study, all defaults filled in, every number checked."""

    kind: Literal["calibration"]
    replicates: int = Field(default=2, ge=1, le=1000, description="runs at each point, the same luck at each")
    scale: float = Field(default=1.0, gt=0, description="people that one of the smaller runs stands for")
    targets: Annotated[tuple[Target, ...], BeforeValidator(a_list), Field(min_length=1, max_length=100)]
    parameters: Annotated[tuple[Parameter, ...], BeforeValidator(a_list), Field(min_length=1, max_length=60)]
    search: Search = Search()
    scored: Annotated[tuple[str, ...], BeforeValidator(a_list), Field(max_length=100)] = Field(
        default=(), description="ids of the facts that `sim facts` scores, none of which is fitted"
    )
    holdout: Annotated[tuple[Holdout, ...], BeforeValidator(a_list), Field(max_length=100)] = ()
    decisions: Decisions = Decisions()

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The prior range of each parameter, by path."""
        return {p.path: p.range or plausible(self._small, p.path) or (math.nan, math.nan) for p in self.parameters}

    @property
    def named_outcomes(self) -> Iterator[tuple[str, str]]:
        """Path in the study, and name, of each outcome that it speaks of."""
        yield from ((f"targets.{i}.outcome", t.outcome) for i, t in enumerate(self.targets))
        yield from ((f"holdout.{i}.outcome", h.outcome) for i, h in enumerate(self.holdout))
        yield "decisions.outcome", self.decisions.outcome

    def evidence(self, number: int) -> str | None:
        """The figure that the value of a target cites, if it cites one."""
        origin = self._origins.get(f"targets.{number}.value")
        return origin.evidence if origin else None

    def bound(self, number: int) -> str:
        """How the value of a target bounds its outcome."""
        figure = self.evidence(number)
        return self.targets[number].bound or (ledger.figure(figure).bound if figure else "about")

    def slips(self, settled: Settled, small: Scenario | None) -> Iterator[Problem]:
        """What cannot be, though each value by itself can."""
        yield from _targets(self, settled)
        paths: set[str] = set()
        for number, parameter in enumerate(self.parameters):
            here = f"parameters.{number}"
            if parameter.path in paths:
                yield problem(settled.place(f"{here}.path"), here, "given_twice", {"found": shown(parameter.path)})
            paths.add(parameter.path)
            if small is not None:
                yield from _prior(parameter, small, settled, here)
        if small is not None:
            for number, reform in enumerate(self.decisions.reforms):
                here = f"decisions.reforms.{number}.set"
                try:
                    small.replace(reform.set)
                except ScenarioError as error:
                    place = settled.place(here)
                    yield from (moved(p, place, f"{here}.") for p in error.problems)


def _targets(study: Study, settled: Settled) -> Iterator[Problem]:
    """What is wrong with what is fitted and what is held out."""
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


def _prior(parameter: Parameter, small: Scenario, settled: Settled, here: str) -> Iterator[Problem]:
    """What is wrong with a parameter and the range of its prior."""
    place = settled.place(f"{here}.path")
    try:
        origin = small.why(parameter.path)
    except ScenarioError as error:
        yield from (moved(p, place) for p in error.problems)
        return
    if isinstance(origin.value, bool) or not isinstance(origin.value, int | float):
        yield problem(place, parameter.path, "number", {"unit": "", "found": shown(origin.value), "hint": ""})
        return
    limits = parameter.range or plausible(small, parameter.path)
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
                yield from (moved(p, place) for p in error.problems)


assert set(get_args(Bound)) == set(ledger.BOUNDS)
