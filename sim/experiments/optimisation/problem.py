"""What is to be decided: levers, objectives, what the levers cost, the budget, and who must not lose.

Money is the whole city's over the whole horizon: what the ledger books (`spent_cny`) and what the study declares of a
lever that no ledger books, places for instance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from sim.experiments.designs import there
from sim.experiments.optimisation.pareto import Values
from sim.experiments.points import counted_for_all
from sim.scenario.studies.axes import Axis, Value

__all__ = ["COST", "SPENT", "Aim", "Equity", "Price", "Problem", "Reading"]

COST = "cost_cny"
"""The objective that is no outcome of a run: money booked and declared."""

SPENT = "spent_cny"

_SURE = 0.95
"""assumed: a group counts as losing if it loses with this probability, one-sided, as far as the replicates tell."""


@dataclass(frozen=True)
class Aim:
    """An objective: an outcome, or `COST`, and whether more of it is better; `matters` is its indifference zone."""

    outcome: str
    more: bool
    matters: float | None = None

    @property
    def sign(self) -> float:
        """What it is multiplied by so that more is better."""
        return 1.0 if self.more else -1.0


@dataclass(frozen=True)
class Price:
    """What a unit of a lever beyond the scenario's own value costs, CNY, that no ledger books.

    `yearly` is paid each year of the horizon, `once` at its start. A value below the scenario's saves nothing unless
    `saves`.
    """

    yearly: float = 0.0
    once: float = 0.0
    saves: bool = False


@dataclass(frozen=True)
class Equity:
    """No group may fall behind: groups are outcomes, by grouping and name.

    With a `ratio`, a group's outcome must be at least that part of the `overall` one. Without, no group may lose
    against the scenario as it is by more than `tolerance`.
    """

    groups: Mapping[tuple[str, str], str]
    overall: str
    ratio: float | None = None
    tolerance: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What the runs of one policy say.

    Attributes
    ----------
    values : by outcome and for `COST`: (replicates,), of the whole city; NaN where a run does not know it
    """

    values: Mapping[str, Values]

    def mean(self, name: str) -> float:
        """Mean of an outcome; NaN if a run does not know it."""
        return float(self.values[name].mean())


@dataclass(frozen=True)
class Problem:
    """What is to be decided.

    Parameters
    ----------
    axes : the levers
    aims : the objectives, the first is what policies are ranked by
    prices : what levers cost beside the ledger, by path
    years : of the horizon
    scale : people that one of the runs stands for
    budget : CNY over the horizon; None for no limit
    equity : who must not fall behind
    groups : whose gains and losses are told besides, by grouping and name, with the outcome of each
    also : outcomes that are asked for besides
    """

    axes: tuple[Axis, ...]
    aims: tuple[Aim, ...]
    prices: Mapping[str, Price]
    years: float
    scale: float = 1.0
    budget: float | None = None
    equity: Equity | None = None
    groups: Mapping[tuple[str, str], str] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """What every run must tell."""
        named = [aim.outcome for aim in self.aims if aim.outcome != COST] + [SPENT, *self.also]
        if self.equity:
            named += [self.equity.overall, *self.equity.groups.values()]
        return tuple(dict.fromkeys([*named, *self.groups.values()]))

    def point(self, shares: Sequence[float] | Values) -> dict[str, Value]:
        """Values of the levers at a place of the unit cube; at that of the scenario as it is, exactly its own."""
        found = there(self.axes, shares)
        for axis in self.axes:
            value, now = found[axis.path], axis.now
            if isinstance(value, float) and isinstance(now, float) and math.isclose(value, now, rel_tol=1e-12):
                found[axis.path] = now
        return found

    def as_it_is(self, point: Mapping[str, Value]) -> bool:
        """Whether a policy is what the scenario has anyway."""
        return all(point.get(axis.path, axis.now) == axis.now for axis in self.axes)

    def now(self) -> Values | None:
        """Place of the scenario as it is; None if a lever's value there is not among what it may be."""
        try:
            place = np.array([axis.place(axis.now) for axis in self.axes])
        except (ValueError, TypeError):
            return None
        return place if ((place >= 0) & (place <= 1)).all() else None

    def declared(self, point: Mapping[str, Value]) -> float:
        """What a policy costs beside the ledger, CNY of the whole city over the horizon."""
        return sum(self.extra(axis, point.get(axis.path, axis.now)) for axis in self.axes)

    def extra(self, axis: Axis, value: Value) -> float:
        """What one lever costs beside the ledger; as all money of a run, it counts `scale` times."""
        price = self.prices.get(axis.path)
        if price is None or not isinstance(value, int | float) or not isinstance(axis.now, int | float):
            return 0.0
        more = float(value) - float(axis.now)
        each = price.yearly * self.years + price.once
        return self.scale * each * (more if price.saves else max(more, 0.0))

    def read(self, point: Mapping[str, Value], runs: Mapping[str, Values]) -> Reading:
        """What runs of a policy say; `runs` holds each outcome, (replicates,), of the city that was run."""
        whole = {n: np.asarray(v, float) * (self.scale if counted_for_all(n) else 1.0) for n, v in runs.items()}
        return Reading({**whole, COST: whole[SPENT] + self.declared(point)})

    def objectives(self, reading: Reading) -> Values:
        """Mean of each objective, the more the better, (aims,)."""
        return np.array([aim.sign * reading.mean(aim.outcome) for aim in self.aims])

    def violations(self, reading: Reading, base: Reading) -> dict[str, float]:
        """By how much each constraint is missed, in parts of what it allows: above 0 it is; NaN if that is not known.

        `base` is the scenario as it is, run with the same seeds.
        """
        found = {}
        if self.budget is not None:
            found["budget"] = (reading.mean(COST) - self.budget) / max(self.budget, 1.0)
        for (by, group), outcome in self.equity.groups.items() if self.equity else ():
            assert self.equity
            values = reading.values[outcome]
            if self.equity.ratio is None:
                short = base.values[outcome] - values - self.equity.tolerance
            else:
                short = self.equity.ratio * reading.values[self.equity.overall] - values
            known = short[np.isfinite(short)]  # a small group may be empty in a run
            if known.size:
                found[f"{by}.{group}"] = _least(known)
        return found

    def feasible(self, reading: Reading, base: Reading) -> bool:
        """Whether it keeps to the budget and no group falls behind, as far as its runs tell."""
        known = all(np.isfinite(reading.values[aim.outcome]).all() for aim in self.aims)
        return known and all(missed <= 0 for missed in self.violations(reading, base).values())


def _least(short: Values) -> float:
    """What a shortfall is at least, with probability `_SURE`; with one replicate, what it is."""
    from scipy.special import stdtrit

    if short.size < 2:
        return float(short.mean())
    error = float(short.std(ddof=1) / short.size**0.5)
    return float(short.mean()) - float(stdtrit(short.size - 1, _SURE)) * error
