"""What a run will cost in time and disk, told from two small ones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import perf_counter

from sim.scenario.schema import Scenario
from sim.simulation import simulate
from sim.statistics import summary
from sim.store import size

__all__ = ["Estimate", "estimate", "most", "workers"]

_SMALL, _LARGE = 1_000, 60_000
"""assumed: founders of the two pilots; together a second or so."""

_GAIN = 0.4
"""assumed: what each further job adds to the speed of one (measured on two cores; tables are made one at a time)."""


def workers(scenario: Scenario, jobs: int | None = None, threads: int | None = None) -> tuple[int, int]:
    """Replicates at a time and threads in each that fill this machine, where they are not given."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = jobs or min(available, most(scenario))
    return jobs, threads or max(available // jobs, 1)


def most(scenario: Scenario) -> int:
    """Replicates at most; a rule may end a run sooner."""
    rule = scenario.replicates
    return rule if isinstance(rule, int) else rule.until.max


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to cost.

    `replicates` is the most it can be (a rule may end it sooner); `seconds` is wall-clock time on this machine, figures
    left out; `bytes` is what its tables take on disk.
    """

    replicates: int
    seconds: float
    bytes: int


def estimate(scenario: Scenario, *, jobs: int = 1) -> Estimate:
    """Run one replicate twice with few founders, and draw the line to the real number. Nothing is written.

    Places, and what else does not grow with the founders, stay as they are, so this is a guess within a factor of two.
    """
    replicates, founders = most(scenario), _founders(scenario)
    _cost(scenario, min(1.0, 10 / founders))  # compiles, and warms up what is slow at first
    small, large = min(1.0, _SMALL / founders), min(1.0, _LARGE / founders)
    seconds, used = _cost(scenario, large)
    if large > small:
        less_seconds, less_used = _cost(scenario, small)
        more = (1 - large) / (large - small)
        seconds += max(seconds - less_seconds, 0) * more
        used += int(max(used - less_used, 0) * more)
    return Estimate(replicates, seconds * replicates / (1 + _GAIN * (min(jobs, replicates) - 1)), used * replicates)


def _founders(scenario: Scenario) -> float:
    """About how many founders a replicate deals with, the burn-in's included; at least one."""
    arrivals, initial = scenario.arrivals, scenario.initial
    months = scenario.horizon.months + (initial.months if initial.kind == "burn_in" else 0)
    return max(arrivals.per_year * months / 12 + (initial.entities or 0), 1.0)


def _cost(scenario: Scenario, share: float) -> tuple[float, int]:
    """Seconds and bytes of one replicate with a share of the founders."""
    changes: dict[str, object] = {"arrivals.per_year": scenario.arrivals.per_year * share}
    if scenario.initial.entities is not None:
        changes["initial.entities"] = max(round(scenario.initial.entities * share), 1)
    started = perf_counter()
    tables = simulate(scenario.replace(changes))
    stages = tuple(s.id for s in scenario.chain)
    summary.outcomes(tables, months=scenario.horizon.months, stages=stages)
    used = size(tables, stages)
    return perf_counter() - started, used
