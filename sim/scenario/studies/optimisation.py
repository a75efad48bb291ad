"""An optimisation: which levers, in which amounts, a budget is best spent on, who must not lose, and how sure that is.

Money is the whole city's, over the horizon: what the ledger books, and what the study declares for levers that no
ledger books (new places, say).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from sim.errors import Problem
from sim.evidence.quantity import Label, Parameters, quantity
from sim.scenario.messages import problem
from sim.scenario.schema import Scenario
from sim.scenario.settle import Settled
from sim.scenario.source import Place, shown
from sim.scenario.studies.axes import Lever, Uncertainty
from sim.scenario.studies.block import Block, idle
from sim.scenario.studies.file import Outcome, StudyFile, a_list
from sim.scenario.studies.varying import Ground, entries_of

__all__ = ["Cost", "Equity", "Failure", "Objective", "OptimisationStudy", "PricedLever", "Ranking", "Robustness"]

COST = "cost_cny"
"""The objective that is no outcome of a run: money booked and declared."""

_SURVIVAL = re.compile(r"survival_\d{1,4}m")
"""The outcomes that are known of each group."""

Group = Literal["education", "origin", "channel"]


class Cost(Parameters):
    """What a unit of a lever beyond the scenario's own value costs that no ledger books.

    The source of an amount stands in the amount (``{value:, evidence:}``), or in `assumed` for both.
    """

    yearly: float = quantity(0.0, unit="CNY/year", low=0, high=1e12, zh="每单位每年费用", en="cost of a unit, each year of the horizon", assumed="none unless the study sets one")  # fmt: skip # noqa: E501
    once: float = quantity(0.0, unit="CNY", low=0, high=1e12, zh="每单位一次性费用", en="cost of a unit, once", assumed="none unless the study sets one")  # fmt: skip # noqa: E501
    saves: bool = Field(default=False, description="a value below the scenario's own saves as much")
    assumed: Annotated[str, Field(max_length=500)] = ""


class PricedLever(Lever):
    """A lever, and what it costs beside the ledger."""

    cost: Cost | None = Field(default=None, description="null = nothing but what the ledger books")


class Objective(Parameters):
    """What is wanted more of, or less of."""

    outcome: Outcome = Field(description=f"an outcome, or {COST}: what the ledger books and what levers cost beside it")
    sense: Literal["max", "min"] | None = Field(default=None, description="by default max, and min for money spent")
    indifference: float | None = Field(default=None, gt=0, description="a difference that does not matter, in its unit")

    @property
    def more(self) -> bool:
        """Whether more of it is better."""
        if self.sense is None:
            return not (self.outcome == COST or self.outcome.startswith("spent_"))
        return self.sense == "max"


class Equity(Parameters):
    """What must hold between groups."""

    outcome: Outcome = Field(default="survival_36m", description="a survival, at any age")
    by: Annotated[tuple[Group, ...], BeforeValidator(a_list), Field(min_length=1, max_length=3)] = ("education",)
    rule: Literal["no_loss", "ratio"] = Field(
        default="no_loss", description="no group loses against the scenario, or each has a part of what all have"
    )
    ratio: float = Field(default=0.9, gt=0, le=1, description="that part")
    tolerance: float = Field(default=0.0, ge=0, description="a loss that does not matter, in the outcome's unit")


class Search(Parameters):
    """How the space of levers is searched."""

    points: int = Field(default=200, ge=8, le=100_000, description="points that are tried")
    start: int = Field(default=32, ge=4, le=100_000, description="of these, points that fill the space first")
    replicates: int = Field(default=4, ge=2, le=10_000, description="runs of each, the same luck at each")


class Ranking(Parameters):
    """How the best are told apart: with fresh seeds, until one is separated from the others."""

    finalists: int = Field(default=5, ge=2, le=100, description="points that are run again")
    first: int = Field(default=8, ge=2, le=10_000, description="fresh replicates of each to begin with")
    max: int = Field(default=64, ge=2, le=100_000, description="fresh replicates of each at most")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="probability that the one named is the best")


class Failure(Parameters):
    """When a recommended policy has failed: an outcome at most so much, or so much above the scenario as it is."""

    outcome: Outcome
    below: float = 0.0
    against: Literal["base", "zero"] = "base"


class Robustness(Parameters):
    """How the finalists do where what nobody knows is otherwise."""

    points: int = Field(default=128, ge=0, le=100_000, description="points over the uncertainties; 0 = none")
    replicates: int = Field(default=4, ge=1, le=10_000)
    fails: Failure | None = Field(default=None, description="by default no gain in the first objective, or over budget")
    threshold: float = Field(default=0.8, gt=0, le=1, description="density of failures that a condition should have")


Levers = Annotated[tuple[PricedLever, ...], BeforeValidator(a_list), Field(min_length=1, max_length=30)]
Uncertainties = Annotated[tuple[Uncertainty, ...], BeforeValidator(a_list), Field(max_length=60)]
Objectives = Annotated[tuple[Objective, ...], BeforeValidator(a_list), Field(min_length=1, max_length=5)]


class OptimisationStudy(StudyFile):
    """An optimisation, all defaults filled in, every number checked."""

    kind: Literal["optimisation"]
    scale: float = Field(default=1.0, gt=0, description="people that one of the runs stands for")
    levers: Levers = Field(description="what the city decides")
    uncertainties: Uncertainties = Field(default=(), description="what nobody knows")
    budget: float | None = quantity(None, unit="CNY", low=0, high=1e14, zh="总预算", en="public money over the horizon, of the whole city; null = no limit", assumed="no limit unless the study sets one")  # fmt: skip # noqa: E501
    objectives: Objectives = Field(description="the first is what policies are ranked by")
    equity: Equity | None = None
    search: Search = Search()
    ranking: Ranking = Ranking()
    robustness: Robustness = Robustness()

    _block: Block | None = PrivateAttr(None)
    _warnings: tuple[Problem, ...] = PrivateAttr(())

    @property
    def assumed_prices(self) -> dict[str, str]:
        """Why the cost of a lever beside the ledger is what it is, where that is assumed, by the lever's path."""
        found = {}
        for number, lever in enumerate(self.levers):
            if lever.cost is not None:
                origins = (self._origins.get(f"levers.{number}.cost.{name}") for name in ("once", "yearly"))
                said = [origin.assumed for origin in origins if origin and origin.value and origin.assumed]
                found[lever.path] = lever.cost.assumed or "; ".join(said)
        return {path: why for path, why in found.items() if why}

    @property
    def block(self) -> Block:
        """The scenario, and levers and uncertainties as axes, the levers first."""
        assert self._block is not None, "a study is read by load_study"
        return self._block

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """What is run where nothing varies."""
        return (self._block.scenario if self._block else self._small,)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed and yet probably not meant."""
        return self._warnings

    @property
    def named_outcomes(self) -> Iterator[tuple[str, str]]:
        """Path in the study, and name, of each outcome of a run that it speaks of."""
        yield from (
            (f"objectives.{i}.outcome", aim.outcome) for i, aim in enumerate(self.objectives) if aim.outcome != COST
        )
        if self.equity:
            yield "equity.outcome", self.equity.outcome
        if self.robustness.fails and self.robustness.fails.outcome != COST:
            yield "robustness.fails.outcome", self.robustness.fails.outcome

    def slips(self, settled: Settled, small: Scenario | None) -> Iterator[Problem]:
        """What cannot be, though each value by itself can. The block is known when all has been told."""
        names = [aim.outcome for aim in self.objectives]
        for number, name in enumerate(names):
            if name in names[:number]:
                here = f"objectives.{number}.outcome"
                yield problem(settled.place(here), here, "given_twice", {"found": shown(name)})
        if self.equity and not _SURVIVAL.fullmatch(self.equity.outcome):
            said = {"choices": "survival_<n>m", "found": shown(self.equity.outcome), "near": ""}
            yield problem(settled.place("equity.outcome"), "equity.outcome", "one_of", said)
        for number, lever in enumerate(self.levers):
            yield from _unsourced(lever.cost, settled, f"levers.{number}.cost")
        for here, found, most in (
            ("search.start", self.search.start, self.search.points),
            ("ranking.first", self.ranking.first, self.ranking.max),
        ):
            if found > most:
                too_much = {"bound": f"<= {most}", "unit": "", "found": found}
                yield problem(settled.place(here), here, "bound", too_much)
        if small is None:
            return
        problems: list[Problem] = []
        entries = entries_of({"levers": self.levers, "uncertainties": self.uncertainties}, settled, problems)
        block = Block("", Label(), small, {}, ())
        axes = Ground(block.scenario, settled).axes(entries, problems)
        yield from problems
        if not problems:
            self._block = Block("", Label(), small, {}, axes)
            places: list[Place] = [settled.place(f"{here}.path") for here, _ in entries]
            self._warnings = tuple(dict.fromkeys(idle(self._block, places)))


def _unsourced(cost: Cost | None, settled: Settled, here: str) -> Iterator[Problem]:
    """A problem for each amount of a lever's cost that stands without a source."""
    for key in ("yearly", "once"):
        origin = settled.origins.get(f"{here}.{key}")
        if cost and not cost.assumed and getattr(cost, key) and not (origin and (origin.evidence or origin.assumed)):
            yield problem(settled.place(f"{here}.{key}"), f"{here}.{key}", "cost_source")
