"""Points of a parameter space: a scenario with other values at some paths, run, and what came out of it.

Replicate r has the same seed at every point, so that points differ by their values and not by their luck (common
random numbers). A point that cannot be, or a run that fails, is a row of NaN with the reason; the others go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.errors import RunError, ScenarioError
from sim.experiments.outcomes import SURVIVAL, SURVIVAL_OF, SURVIVORS
from sim.records import Records
from sim.scenario.schema import Scenario
from sim.simulation import Progress, in_order, records
from sim.statistics import summary
from sim.statistics.columns import Mask, Table, codes, counted
from sim.statistics.lifetable import LifeTable, life_table
from sim.statistics.outcome import Outcome
from sim.validation.estimators import slope, subbotin
from sim.validation.record import NotKnown, Record

__all__ = [
    "OUTCOMES",
    "SURVIVAL",
    "SURVIVAL_OF",
    "SURVIVORS",
    "counted_for_all",
    "evaluate",
    "measure",
    "told_from",
    "watched",
]

Point = Mapping[str, object]
"""Values by dotted path, as for `Scenario.replace`."""

_COUNTED = re.compile(
    r"arrivals|(newcomers_)?living_end|residents|employees_total|waiting_\w+|spent_cny|survivors_\d+m"
)

_YEAR = 12

Tables = Mapping[str, Table]


def counted_for_all(name: str) -> bool:
    """Whether an outcome counts people or money of the whole city, so that a smaller one has less of it."""
    return _COUNTED.fullmatch(name) is not None


def evaluate(
    scenario: Scenario,
    points: Sequence[Point],
    outcomes: Sequence[str],
    *,
    replicates: int,
    seed: int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run a scenario at each of some points.

    Parameters
    ----------
    scenario
        What is run where a point says nothing.
    points
        Values by dotted path; an empty point is the scenario itself.
    outcomes
        Names: those of `sim.statistics.summary.outcomes`, ``survival_<months>m`` at any age, or of `OUTCOMES`.
    replicates
        Runs at each point: replicates 0, 1, ..., the same at each.
    seed
        Root seed, instead of the scenario's own.
    jobs
        Runs at a time, in threads of this process; no number of them changes a bit.
    progress
        Told how many runs are done.

    Returns
    -------
    DataFrame
        point (from 0), replicate, the outcomes in their units (NaN where not known), reason (null, or why something is
        not known); a row for each point and replicate, in this order.

    Raises
    ------
    ScenarioError
        A path does not exist in the scenario. (A value that does not fit at one point is that point's reason.)
    RunError
        An outcome has no such name.
    """
    if replicates < 1:
        raise RunError("replicates: must be 1 or more")
    settled = scenario if seed is None else scenario.replace({"seed": seed})
    made = [_at(settled, point) for point in points]
    made = [there if isinstance(there, str) else watched(there, outcomes) for there in made]
    needed = told_from(outcomes)

    def one(number: int) -> _Row:
        point, replicate = divmod(number, replicates)
        there = made[point]
        if isinstance(there, str):
            return _Row({}, there)
        try:
            return _row(measure(records(there, needed, replicate=replicate), there, outcomes))
        except _Unnamed as unnamed:
            raise RunError(str(unnamed)) from None
        except RunError as error:
            return _Row({}, str(error))

    rows = []
    count = len(points) * replicates
    for number, (values, reason) in enumerate(in_order(one, count, jobs)):
        point, replicate = divmod(number, replicates)
        known = {name: values.get(name, np.nan) for name in outcomes}
        rows.append({"point": point, "replicate": replicate, **known, "reason": reason})
        if progress:
            progress(number + 1, count)
    frame = pd.DataFrame(rows, columns=["point", "replicate", *outcomes, "reason"])
    frame[["point", "replicate"]] = frame[["point", "replicate"]].astype("int64")
    return frame.astype(dict.fromkeys(outcomes, "float64")).astype({"reason": object})


def watched(scenario: Scenario, outcomes: Sequence[str]) -> Scenario:
    """The scenario with the panel observed, if an outcome needs it; that changes nothing else of a run."""
    if "panel" in scenario.observe or "panel" not in told_from(outcomes):
        return scenario
    return scenario.model_copy(update={"observe": (*scenario.observe, "panel")})


def told_from(outcomes: Sequence[str]) -> frozenset[str]:
    """The tables that outcomes are told from: those that `simulate` has to make."""
    extra = [table for name in outcomes if name in OUTCOMES for table in OUTCOMES[name].tables]
    return summary.needed([name for name in outcomes if name not in OUTCOMES]) | frozenset(extra)


def measure(tables: Tables, scenario: Scenario, outcomes: Sequence[str]) -> dict[str, Outcome]:
    """Outcomes of one replicate by name; RunError for a name that is none."""
    usual: Mapping[str, Outcome] | None = None
    lives: LifeTable | None = None
    found = {}
    for name in outcomes:
        if name in OUTCOMES:
            found[name] = OUTCOMES[name].of(tables, scenario)
        elif match := SURVIVAL.fullmatch(name):
            lives = lives or _lives(tables)
            found[name] = _survival(lives, int(match[1]), scenario.horizon.months)
        elif match := SURVIVORS.fullmatch(name):
            found[name] = _survivors(tables, int(match[1]), scenario.horizon.months)
        elif match := SURVIVAL_OF.fullmatch(name):
            found[name] = _survival_of(tables, match, scenario.horizon.months)
        else:
            if usual is None:
                stages = [s.id for s in scenario.chain]
                usual = summary.outcomes(tables, months=scenario.horizon.months, stages=stages, only=outcomes)
            if name not in usual:
                raise _Unnamed(f"there is no outcome {name!r} of this chain")
            found[name] = usual[name]
    return found


class _Unnamed(RunError):
    """An outcome has no such name: wrong at every point."""


class _Row(NamedTuple):
    values: Mapping[str, float]
    reason: str | None


def _at(scenario: Scenario, point: Point) -> Scenario | str:
    """The scenario at a point, or why there is none."""
    try:
        return scenario.replace(point)
    except ScenarioError as error:
        if any(p.key == "unknown_path" for p in error.problems):
            raise
        return "; ".join(f"{p.path}: {p.message}" for p in error.problems)


def _row(found: Mapping[str, Outcome]) -> _Row:
    unknown = [f"{name}: {o.reason}" for name, o in found.items() if o.value is None]
    return _Row({n: o.value for n, o in found.items() if o.value is not None}, "; ".join(unknown) or None)


# outcomes that a run's summary does not hold --------------------------------------------------------------------------


def _lives(tables: Tables) -> LifeTable:
    people = tables["entrepreneurs"]
    new = counted(people, "newcomers")
    return life_table(people["duration_months"].to_numpy()[new], people["event"].to_numpy(bool)[new])


def _survival(lives: LifeTable, age: int, months: int) -> Outcome:
    """Kaplan-Meier P(T > age) of the newcomers."""
    value = lives.at(age)
    if value is not None:
        return Outcome(float(value), "share")
    return Outcome.unknown("share", f"nobody was observed beyond {lives.ages.size} of {months} months of age")


def _survivors(tables: Tables, age: int, months: int) -> Outcome:
    """Newcomers who do not leave until an age, of those who came at least as long before the end."""
    if months < age:
        return Outcome.unknown("persons", f"the run is {months} months long: nobody can be {age} months old")
    people = tables["entrepreneurs"]
    early = counted(people, "newcomers") & (people["arrival_month"].to_numpy() <= months - age)
    left = people["event"].to_numpy(bool) & (people["duration_months"].to_numpy() <= age)
    return Outcome(float(np.count_nonzero(early & ~left)), "persons")


def _survival_of(tables: Tables, name: re.Match[str], months: int) -> Outcome:
    """Kaplan-Meier P(T > age) of the newcomers of one group."""
    people, group = tables["entrepreneurs"], next(filter(None, name.groups()[1:]))
    by = next(kind for kind, of in zip(("education", "origin", "channel"), name.groups()[1:], strict=True) if of)
    rows = counted(people, "newcomers") & (codes(people[by], [group]) == 0)
    lives = life_table(people["duration_months"].to_numpy()[rows], people["event"].to_numpy(bool)[rows])
    return _survival(lives, int(name[1]), months)


def _residents(tables: Tables, scenario: Scenario) -> Outcome:
    """Founders who trade, and former ones who stayed, at the end of the horizon's first month."""
    first, start = _before(tables["months"], 1), _before(tables["city"], 1)
    trading = tables["months"]["living"].to_numpy()[first].sum()
    return Outcome(float(trading + tables["city"]["former_founders"].to_numpy()[start].sum()), "persons")


def _sales_per_entity(tables: Tables, scenario: Scenario) -> Outcome:
    """Sales of all in the horizon's first year over the mean number who traded in its months."""
    if scenario.horizon.months < _YEAR:
        return Outcome.unknown("CNY/year", f"the run is {scenario.horizon.months} months long: no year is whole")
    months = tables["months"]
    year = _before(months, _YEAR)
    traded = float((months["living"].to_numpy() + months["closed"].to_numpy())[year].sum()) / _YEAR
    sales = float(months["sales_cny"].to_numpy()[year].sum())
    return Outcome.ratio(sales, traded, "CNY/year", "nobody trades in the first year")


def _before(table: Table, month: int) -> Mask:
    """The rows of the horizon's first months."""
    early: Mask = table["month"].to_numpy() < month
    return early


def _without_staff(tables: Tables, scenario: Scenario) -> Outcome:
    """Share of newcomers whose first month's sales are too small for an employee."""
    people = tables["entrepreneurs"]
    first = people["first_sales_cny"].to_numpy()[counted(people, "newcomers")]
    small = int(np.count_nonzero(first < scenario.behaviour.money.first_employee_at))
    return Outcome.ratio(small, first.size, "share", "nobody arrived")


def _growth(of: Callable[[Record], float], unit: str) -> Callable[[Tables, Scenario], Outcome]:
    """A statistic of yearly growth, as `sim.validation.growth` measures it."""

    def found(tables: Tables, scenario: Scenario) -> Outcome:
        try:
            frames = {n: t.frame() if isinstance(t, Records) else t for n, t in tables.items()}
            return Outcome(of(Record(frames, {"horizon": {"months": scenario.horizon.months}})), unit)
        except NotKnown:
            return Outcome.unknown(unit, "no shop traded all through two years")

    return found


def _slope_of_large(record: Record) -> float:
    size, growth = record.growth
    large = size >= np.median(size)
    return slope(size[large], growth[large])


class Extra(NamedTuple):
    """An outcome that `sim.statistics.summary.outcomes` does not hold, of one replicate."""

    unit: str
    of: Callable[[Tables, Scenario], Outcome]
    tables: tuple[str, ...] = ("entrepreneurs",)
    """What it is told from."""


OUTCOMES: Mapping[str, Extra] = {
    "residents": Extra("persons", _residents, ("months", "city")),
    "sales_per_entity_cny": Extra("CNY/year", _sales_per_entity, ("months",)),
    "share_without_staff": Extra("share", _without_staff),
    "growth_shape": Extra("exponent", _growth(lambda record: subbotin(record.growth[1]), "exponent"), ("panel",)),
    "growth_slope": Extra("slope", _growth(lambda record: slope(*record.growth), "slope"), ("panel",)),
    "growth_slope_large": Extra("slope", _growth(_slope_of_large, "slope"), ("panel",)),
}
"""Such outcomes by name."""
