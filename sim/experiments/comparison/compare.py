"""The same people under several policies: who is saved, who is displaced, and what a survivor more costs.

In each replicate one burn-in serves all scenarios, the base run writes its surroundings down, and each reform runs
twice: as a whole, and with the base run's surroundings held (see `sim.surroundings`). Of each run only what the
comparison needs is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from itertools import count
from pathlib import PurePath

import pandas as pd

from sim.errors import ScenarioError, SimError
from sim.evidence.audit import Origin
from sim.experiments.comparison.result import BASE, Comparison, Found, Pair, Run, described, open_comparison
from sim.model import Pipeline, before, expect_scenario
from sim.scenario.messages import problem
from sim.scenario.provenance import leaves
from sim.scenario.schema import Scenario
from sim.scenario.source import Place, shown
from sim.simulation import Progress, Tables, in_order
from sim.statistics import fiscal, summary, twins
from sim.surroundings import Surroundings

__all__ = ["PAIRS", "Comparison", "compare", "open_comparison", "pairs_of"]

PAIRS = 5
"""assumed: at most so many pairs of runs if nobody says how many (3 to 20). Pairing takes out what both runs share, so
that few are enough: 3 pairs already give what the four reforms that come with the program do to 36-month survival to a
tenth of a percentage point. What fewer cost is the width of Student's t: 4.3 standard errors on either side with 3
pairs, 2.8 with 5, 2.1 with 20."""

_SAME = ("arrivals.", "behaviour.", "horizon.", "initial.", "market.")
"""What all scenarios must share, so that it is the policy and the chain that differ."""

_FREE = ("initial.under",)
"""A reform may have been in force in the burn-in already."""

_FEWEST = 2


def compare(
    base: Scenario,
    *reforms: Scenario | Mapping[str, Scenario],
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    discount: float = fiscal.DISCOUNT,
    progress: Progress | None = None,
) -> Comparison:
    """Run the same people under several policies, paired person by person.

    Parameters
    ----------
    base, reforms
        Scenarios that share arrivals, behaviour, market, horizon and initial state; or reforms by name.
    replicates
        Pairs of runs; by default as many as the base scenario's replicates, at most `PAIRS`.
    seed
        Instead of the base scenario's own, which all share.
    jobs
        Replicates at a time.
    discount
        Yearly rate for the discounted unit costs.

    Raises
    ------
    ScenarioError
        Something else than chain and policy differs: all that does.
    SimError
        There is no reform, or one called ``base``, or two of one name, or fewer than two replicates.
    """
    named = _named(reforms)
    for scenario in (base, *named.values()):
        expect_scenario(scenario)
    _comparable(base, named)
    settled = base if seed is None else base.replace({"seed": seed})
    number = pairs_of(base, replicates)
    if number < _FEWEST:
        raise SimError(f"replicates: a comparison needs {_FEWEST} or more, or no interval can be given (got {number})")
    found: list[tuple[Run, list[Pair]]] = []
    underway: dict[int, float] = {}
    over = threading.Event()
    months = (1 + 2 * len(named)) * base.horizon.months

    def tell() -> None:
        if progress:
            progress(len(found) + sum(tuple(underway.values())), number)

    def one(replicate: int) -> tuple[Run, list[Pair]]:
        steps = count(1)

        def month_done() -> None:
            if over.is_set():
                raise CancelledError
            underway[replicate] = 0.99 * next(steps) / months
            tell()

        return _replicate(settled, tuple(named.values()), replicate, discount, month_done)

    try:
        for replicate, result in enumerate(in_order(one, number, jobs)):
            underway.pop(replicate, None)
            found.append(result)
            tell()
    finally:
        over.set()  # replicates that are still under way, and no longer wanted, end with their month
    manifest, files = described(settled, named, replicates=number, discount=discount)
    return Comparison(manifest, files, Found(tuple(named), found).parts)


def pairs_of(base: Scenario, replicates: int | None = None) -> int:
    """How many pairs are run: `replicates`, or else those of the base scenario, at most `PAIRS`."""
    if replicates is not None:
        return replicates
    rule = base.replicates
    return min(rule if isinstance(rule, int) else rule.until.max, PAIRS)


def _replicate(
    base: Scenario, reforms: Sequence[Scenario], replicate: int, discount: float, month_done: Callable[[], None]
) -> tuple[Run, list[Pair]]:
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
            month_done()
        found = model.tables()
        model.release()
        return found

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
            Pair(
                whole=_kept(reform, whole, discount),
                direct=summary.outcomes(held, months=months, stages=own),
                counts=pd.concat(both, ignore_index=True),
                graduation=twins.graduation(matched),
                lives=twins.differing(matched),
                stakes=twins.stakes(matched, there["ledger"], whole["ledger"]),
            )
        )
    for _, city in pasts:
        if city:
            city.release()
    return _kept(base, there, discount), pairs


def _kept(scenario: Scenario, tables: Tables, discount: float) -> Run:
    months, start = scenario.horizon.months, scenario.horizon.start
    rates = dict.fromkeys((0.0, discount))
    units = [fiscal.per_unit(tables, months=months, discount=rate).assign(discount=rate) for rate in rates]
    budgets = {i.id: i.budget for i in scenario.policy if i.active}
    policy = [i.model_dump() for i in scenario.policy]
    return Run(
        summary.outcomes(tables, months=months, stages=[s.id for s in scenario.chain]),
        pd.concat(units, ignore_index=True),
        fiscal.planned(tables["ledger"], budgets, start, months=months, policy=policy),
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
    """Reforms by name: the given one; or that of the file, with a number if it is taken; or a number."""
    expected = [name for reform in reforms if isinstance(reform, Mapping) for name in reform]
    named: dict[str, Scenario] = {}
    for number, reform in enumerate(reforms, 1):
        if isinstance(reform, Mapping):
            named |= reform
            continue
        stem = PurePath(getattr(reform, "file", "")).stem or f"reform_{number}"
        names = (f"{stem}_{again}" if again > 1 else stem for again in count(1))
        named[next(name for name in names if name not in (BASE, *expected, *named))] = reform
    if twice := next((name for name in expected if expected.count(name) > 1), None):
        raise SimError(f"two reforms are called {twice!r}")
    if not named:
        raise SimError("give at least one reform to compare with the base")
    if BASE in named:
        raise SimError(f"a reform cannot be called {BASE!r}: that is how tables call the base scenario")
    return named


def _comparable(base: Scenario, reforms: Mapping[str, Scenario]) -> None:
    """Raise for every value but those of chain and policy that differs, in the order of the reforms."""
    problems = []
    expected = _shared(base)
    for name, reform in reforms.items():
        found = _shared(reform)
        for path in dict.fromkeys((*expected, *found)):
            if (here := found.get(path)) != (there := expected.get(path)):
                origin = reform.why(path) if path in found else Origin(path, None)
                place = Place(origin.file or reform.file or name, origin.line, origin.column)
                arguments = {"found": shown(here), "base": shown(there)}
                problems.append(problem(place, path, "differs_from_base", arguments))
    if problems:
        raise ScenarioError(problems)


def _shared(scenario: Scenario) -> dict[str, object]:
    """What must be the same in all scenarios, by path."""
    return {p: value for p, value, _ in leaves(scenario) if p.startswith(_SAME) and not p.startswith(_FREE)}
