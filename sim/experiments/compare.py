"""The same people under several policies: who is saved, who is displaced, and what a survivor more costs.

In each replicate one burn-in serves all scenarios, the base run writes its surroundings down, and each reform runs
twice: as a whole, and with the base run's surroundings held (see `sim.surroundings`). Of each run only what the
comparison needs is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from functools import cached_property
from itertools import count
from typing import NamedTuple

import pandas as pd

from sim.errors import Problem, RunError, ScenarioError
from sim.model import Pipeline, before
from sim.scenario.schema import Scenario
from sim.simulation import Progress, Tables, in_order
from sim.statistics import fiscal, paired, price, summary, twins
from sim.statistics.outcome import Outcome
from sim.surroundings import Surroundings

__all__ = ["DISCOUNT", "Comparison", "compare"]

DISCOUNT = 0.05
"""assumed: yearly rate at which money and what it buys are discounted, beside the undiscounted figures (0 to 0.08)."""

_SAME = ("arrivals", "horizon", "behaviour", "market")
"""What all scenarios must share, so that it is the policy and the chain that differ."""

_FEWEST = 2


class _Run(NamedTuple):
    """What is kept of one scenario in one replicate."""

    outcomes: dict[str, Outcome]
    per_unit: pd.DataFrame
    planned: pd.DataFrame


class _Pair(NamedTuple):
    """What is kept of one reform in one replicate."""

    whole: _Run
    direct: dict[str, Outcome]
    counts: pd.DataFrame
    graduation: pd.DataFrame
    lives: pd.DataFrame
    stakes: pd.DataFrame


class Comparison:
    """What a comparison found. Tables are pandas DataFrames; `scenario` names the reform, or is ``base``.

    Attributes
    ----------
    base, reforms
        The scenarios, reforms by name.
    replicates
        How many were run.
    """

    def __init__(self, base: Scenario, reforms: Mapping[str, Scenario], found: Sequence[tuple[_Run, list[_Pair]]]):
        self.base, self.reforms, self.replicates = base, dict(reforms), len(found)
        self._found = found

    def _pairs(self, place: int) -> list[_Pair]:
        return [pairs[place] for _, pairs in self._found]

    def _each(self, table: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
        frames = []
        for place, name in enumerate(self.reforms):
            frame = table(place)
            frame.insert(0, "scenario", name)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Paired effect of each reform on each outcome, and its direct part and displacement: `paired.effects`."""
        base = [run.outcomes for run, _ in self._found]

        def effects(place: int) -> pd.DataFrame:
            pairs = self._pairs(place)
            return paired.effects(base, [p.whole.outcomes for p in pairs], [p.direct for p in pairs])

        return self._each(effects)

    @cached_property
    def twins(self) -> pd.DataFrame:
        """Saved, lost and unchanged, by age and group, replicate by replicate: `twins.counts`.

        ``part`` is ``whole`` or ``direct``, with others' seats and demand held as in the base run.
        """
        return self._each(lambda place: pd.concat([p.counts for p in self._pairs(place)], ignore_index=True))

    @cached_property
    def gains(self) -> pd.DataFrame:
        """Who gains and who loses, in all and directly, with intervals over replicates: `paired.gains`."""

        def both(place: int) -> pd.DataFrame:
            table = pd.concat([p.counts for p in self._pairs(place)])
            parts = [paired.gains(table[table["part"] == part]).assign(part=part) for part in ("whole", "direct")]
            return pd.concat(parts, ignore_index=True)

        return self._each(both)

    @cached_property
    def graduation(self) -> pd.DataFrame:
        """Who gets to each stage earlier, later, only under the reform, only without it: `twins.graduation`."""
        return self._each(lambda place: pd.concat([p.graduation for p in self._pairs(place)], ignore_index=True))

    @cached_property
    def lives(self) -> pd.DataFrame:
        """The people whose lives differ, one row each: `twins.differing`."""
        return self._each(lambda place: pd.concat([p.lives for p in self._pairs(place)], ignore_index=True))

    @cached_property
    def costs(self) -> pd.DataFrame:
        """What an additional survivor costs, with its interval: `price.cost_per_survivor`."""
        return self._each(
            lambda place: price.cost_per_survivor(pd.concat([p.stakes for p in self._pairs(place)], ignore_index=True))
        )

    @cached_property
    def unit_costs(self) -> pd.DataFrame:
        """Spending per arrival, survivor and job-year of each scenario, the base included: `fiscal.per_unit`.

        Means over replicates, undiscounted and at `DISCOUNT`.
        """
        return self._by_scenario(lambda run: run.per_unit, ["discount", "per", "unit"])

    @cached_property
    def budgets(self) -> pd.DataFrame:
        """Planned, claimed and disbursed by year and instrument of each scenario, means: `fiscal.planned`."""
        return self._by_scenario(lambda run: run.planned, ["year", "instrument"])

    def _by_scenario(self, table: Callable[[_Run], pd.DataFrame], key: list[str]) -> pd.DataFrame:
        runs = {"base": [run for run, _ in self._found]}
        runs |= {name: [p.whole for p in self._pairs(place)] for place, name in enumerate(self.reforms)}
        frames = []
        for name, of in runs.items():
            frame = pd.concat([table(run) for run in of])
            mean = frame.groupby(key, sort=False, dropna=False).mean(numeric_only=True).reset_index()
            mean.insert(0, "scenario", name)
            frames.append(mean)
        return pd.concat(frames, ignore_index=True)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.reforms)} reforms with the base, {self.replicates} replicates each>"


def compare(
    base: Scenario,
    *reforms: Scenario | Mapping[str, Scenario],
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    discount: float = DISCOUNT,
    progress: Progress | None = None,
) -> Comparison:
    """Run the same people under several policies, paired person by person.

    Parameters
    ----------
    base, reforms
        Scenarios that share arrivals, behaviour, market and horizon; or reforms by name. The base run's seed is used.
    replicates, seed
        Instead of the base scenario's own.
    jobs
        Replicates at a time.
    discount
        Yearly rate for the discounted unit costs.

    Raises
    ------
    ScenarioError
        Something else than chain and policy differs: all that does.
    """
    named = _named(reforms)
    _comparable(base, named)
    settled = base if seed is None else base.replace({"seed": seed})
    number = replicates if replicates is not None else base.replicates
    if not isinstance(number, int):
        number = number.until.max
    if number < _FEWEST:
        raise RunError(f"replicates: a comparison needs {_FEWEST} or more, or no interval can be given (got {number})")
    found: list[tuple[_Run, list[_Pair]]] = []
    underway: dict[int, float] = {}
    over = threading.Event()
    runs = 1 + 2 * len(named)

    def one(replicate: int) -> tuple[_Run, list[_Pair]]:
        steps = count(1)

        def run_done() -> None:
            if over.is_set():
                raise CancelledError
            underway[replicate] = 0.99 * next(steps) / runs
            if progress:
                progress(len(found) + sum(tuple(underway.values())), number)

        return _replicate(settled, tuple(named.values()), replicate, discount, run_done)

    try:
        for replicate, result in enumerate(in_order(one, number, jobs)):
            underway.pop(replicate, None)
            found.append(result)
            if progress:
                progress(len(found) + sum(tuple(underway.values())), number)
    finally:
        over.set()
    return Comparison(settled, named, found)


def _replicate(
    base: Scenario, reforms: Sequence[Scenario], replicate: int, discount: float, run_done: Callable[[], None]
) -> tuple[_Run, list[_Pair]]:
    """All scenarios in one replicate."""
    pasts: list[tuple[Scenario | None, Pipeline | None]] = []

    def past(scenario: Scenario) -> Pipeline | None:
        wanted = before(scenario)
        for known, city in pasts:
            if known == wanted:
                return city
        pasts.append((wanted, Pipeline.past(scenario, rng=base.seed, replicate=replicate)))
        return pasts[-1][1]

    def tables(scenario: Scenario, note: Surroundings | None = None, held: Surroundings | None = None) -> Tables:
        city = past(scenario)
        model = Pipeline(
            scenario, rng=base.seed, replicate=replicate, collect=False, past=city, surroundings=note, held=held
        )
        while model.running:
            model.step()
        run_done()
        return model.tables()

    around = Surroundings(base.chain)
    there = tables(base, note=around)
    pairs = []
    for reform in reforms:
        stages = _stages(base, reform)
        months = base.horizon.months
        whole = tables(reform)
        matched = twins.twins(there, whole, months=months, stages=stages)
        held = tables(reform, held=around)
        direct = twins.twins(there, held, months=months, stages=stages)
        both = [twins.counts(matched).assign(part="whole"), twins.counts(direct).assign(part="direct")]
        own = [s.id for s in reform.chain]
        pairs.append(
            _Pair(
                whole=_kept(reform, whole, discount),
                direct=summary.outcomes(held, months=months, stages=own),
                counts=pd.concat(both, ignore_index=True),
                graduation=twins.graduation(matched),
                lives=twins.differing(matched),
                stakes=twins.stakes(matched, there["ledger"], whole["ledger"]),
            )
        )
    return _kept(base, there, discount), pairs


def _kept(scenario: Scenario, tables: Tables, discount: float) -> _Run:
    months, start = scenario.horizon.months, scenario.horizon.start
    rates = dict.fromkeys((0.0, discount))
    units = [fiscal.per_unit(tables, months=months, discount=rate).assign(discount=rate) for rate in rates]
    budgets = {i.id: i.budget for i in scenario.policy if i.active}
    return _Run(
        summary.outcomes(tables, months=months, stages=[s.id for s in scenario.chain]),
        pd.concat(units, ignore_index=True),
        fiscal.planned(tables["ledger"], budgets, start, months=months),
    )


def _stages(base: Scenario, reform: Scenario) -> list[str]:
    """Stages of both chains: the base's, and the reform's own ones where they stand in its chain."""
    stages = [s.id for s in base.chain]
    place = 0
    for stage in reform.chain:
        if stage.id in stages:
            place = stages.index(stage.id) + 1
        else:
            stages.insert(place, stage.id)
            place += 1
    return stages


def _named(reforms: Sequence[Scenario | Mapping[str, Scenario]]) -> dict[str, Scenario]:
    """Reforms by name: the given one, the file's, or a number."""
    named: dict[str, Scenario] = {}
    for number, reform in enumerate(reforms, 1):
        if isinstance(reform, Mapping):
            named |= reform
            continue
        stem = reform.file.rpartition("/")[2].rpartition("\\")[2].removesuffix(".yaml") if reform.file else ""
        name = stem or f"reform_{number}"
        while name in named:
            name += "_"
        named[name] = reform
    if not named:
        raise RunError("give at least one reform to compare with the base")
    return named


def _comparable(base: Scenario, reforms: Mapping[str, Scenario]) -> None:
    """Raise for everything but chain and policy that differs."""
    problems = []
    for name, reform in reforms.items():
        for part in _SAME:
            if getattr(base, part) != getattr(reform, part):
                problems.append(
                    Problem(
                        reform.file or name,
                        0,
                        0,
                        part,
                        "differs from the base scenario: only `chain` and `policy` may, so that the same people are "
                        "compared; run two bases apart to compare two worlds",
                    )
                )
    if problems:
        raise ScenarioError(problems)
