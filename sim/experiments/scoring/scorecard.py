"""The scorecard of a scenario, with the trials that it takes, or of a stored run, as far as its tables reach."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import count
from typing import Any

from sim.experiments.scoring.trials import RUNS, City, trials
from sim.model import Pipeline, expect_scenario
from sim.scenario.schema import Scenario
from sim.shown import Shown
from sim.simulation import Progress, Result, in_order
from sim.surroundings import Surroundings
from sim.validation.record import Record
from sim.validation.scorecard import Line, Measures, Score, lines, measures, score

__all__ = ["REPLICATES", "Scorecard", "score_run", "score_scenario"]

REPLICATES = 4
"""assumed: enough to see how far facts scatter; each takes eight model runs."""

_STEPS = RUNS + 2
"""Steps of a replicate: the scenario itself, the trials, the facts and null models."""

_TABLES = ("entrepreneurs", "transitions", "months", "city", "ledger", "panel")


@dataclass(frozen=True)
class Scorecard(Shown):
    """What was found.

    Attributes
    ----------
    scenario : the resolved scenario as plain values
    lines : a line for each fact
    replicates, seed : what it rests on
    stored : whether it was read from a stored run, which has no trials
    """

    scenario: Mapping[str, Any]
    lines: tuple[Line, ...]
    replicates: int
    seed: int
    stored: bool = False

    @property
    def score(self) -> Score:
        """How many facts hold."""
        return score(self.lines)

    def __repr__(self) -> str:
        return f"<Scorecard of {len(self.lines)} facts, {self.replicates} replicates>"


def score_scenario(
    scenario: Scenario,
    *,
    replicates: int | None = None,
    jobs: int = 1,
    threads: int = 1,
    progress: Progress | None = None,
) -> Scorecard:
    """Run a scenario and its trials, and score them. The same for any number of jobs and threads.

    Parameters
    ----------
    replicates
        By default the scenario's own number, but `REPLICATES` at most.
    jobs, threads
        Replicates at a time, and threads within each.
    progress
        Told how far it is.
    """
    expect_scenario(scenario)
    rule = scenario.replicates
    number = replicates or min(rule if isinstance(rule, int) else rule.until.max, REPLICATES)
    found: list[Measures] = []
    underway: dict[int, float] = {}
    over = threading.Event()

    def tell() -> None:
        if progress:
            progress(len(found) + sum(tuple(underway.values())), number)

    def one(replicate: int) -> Measures:
        steps = count(1)

        def run_done() -> None:
            if over.is_set():
                raise CancelledError
            underway[replicate] = 0.99 * next(steps) / _STEPS
            tell()

        return _replicate(scenario, replicate, threads, run_done)

    try:
        for replicate, result in enumerate(in_order(one, number, jobs)):
            underway.pop(replicate, None)
            found.append(result)
            tell()
    finally:
        over.set()
    return Scorecard(scenario.resolved(), lines(found), number, scenario.seed)


def score_run(result: Result, *, progress: Progress | None = None) -> Scorecard:
    """Score a stored run. Facts that need a trial, or a panel that was not kept, are not known."""
    here = tuple(result.tables)
    found = []
    for replicate in range(result.replicates):
        tables = {name: result.table(name, replicate) for name in _TABLES if name in here}
        found.append(measures(Record(tables, result.scenario), replicate))
        if progress:
            progress(replicate + 1, result.replicates)
    return Scorecard(result.scenario, lines(found), result.replicates, int(result.scenario["seed"]), stored=True)


def _replicate(scenario: Scenario, replicate: int, threads: int, run_done: Callable[[], None]) -> Measures:
    """All facts of one replicate: one burn-in serves the run and its trials."""
    seed, around = scenario.seed, Surroundings(scenario.chain)
    past = Pipeline.past(scenario, rng=seed, replicate=replicate, threads=threads)
    watched = scenario.model_copy(update={"observe": ("panel",)})
    model = Pipeline(
        watched, rng=seed, replicate=replicate, threads=threads, collect=False, past=past, surroundings=around
    )
    while model.running:
        model.step()
    tables = model.tables()
    model.release()
    run_done()
    city = City(scenario, seed, replicate, past, tables, around, run_done, threads)
    found = measures(Record(tables, scenario.resolved(), trials(city)), replicate)
    if past:
        past.release()
    run_done()
    return found
