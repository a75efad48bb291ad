"""What rests on assumptions: the share of each outcome's variance that each uncertain number carries.

All numbers with a plausible range vary at once. A regression over the ends of the design says which of them to single
out; those are then measured one by one, all other assumed numbers as one group, and the published and derived ones as
another. Points are runs of a smaller city that starts empty (see `sim.experiments.sensitivity.smaller`), all with the
same luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.errors import SimError
from sim.evidence.audit import counts
from sim.evidence.ledger import digest
from sim.experiments.designs import radial
from sim.experiments.points import evaluate, measure
from sim.experiments.sensitivity.result import KNOWN, OTHERS, Variance, declared
from sim.experiments.sensitivity.screening import Key, Values, screen
from sim.experiments.sensitivity.smaller import divisor, from_empty, scaled
from sim.experiments.sensitivity.sobol import Shares, indices
from sim.experiments.sensitivity.uncertainty import Uncertainties, uncertainties
from sim.scenario.provenance import leaves
from sim.scenario.schema import Scenario
from sim.simulation import Progress, records
from sim.statistics.outcome import Outcome
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["EFFECTS", "Plan", "seconds", "sensitivity"]

EFFECTS = ("survival_36m", "living_end")
"""Outcomes on which a reform's effect is taken apart too."""

_LEVELS = (
    "survival_12m", "survival_36m", "survival_60m", "living_end", "sales_mean_cny", "employees_total", "spent_cny",
)  # fmt: skip

_LOGS = (("sales_mean_cny", "level"),)
"""Taken in logs: a mean that few giants make has no useful variance, its logarithm has."""

_OWN = 5
"""assumed: runs with the scenario's own values; their median is little moved by one giant."""

_TRIED = 3
"""assumed: pairs of points of an estimate; it is a guess."""

_YEAR = 12


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Parameters
    ----------
    scenario
        Whose outcomes are in question.
    reform
        A second scenario: the effect of going over to it is taken apart as well. What it sets otherwise than
        `scenario` stays as it sets it.
    only
        Paths: let these vary, and nothing else.
    pairs
        Pairs of points that measure.
    top
        How many numbers are singled out: those that carry most of any outcome, in a regression.
    founders
        About how many newcomers a run has.
    seed
        Instead of the scenario's own.
    """

    scenario: Scenario
    reform: Scenario | None = None
    only: tuple[str, ...] = ()
    pairs: int = 128
    top: int = 16
    founders: int = 2_000
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.pairs < 2 or self.top < 1:
            raise SimError("pairs must be 2 or more, and top 1 or more")
        if not self.unknown.vary:
            raise SimError("no number of this scenario has a plausible range: there is nothing to vary")

    @cached_property
    def unknown(self) -> Uncertainties:
        """What varies, and what does not."""
        return uncertainties(self.scenario, self.only)

    @cached_property
    def by(self) -> int:
        """One founder stands for so many."""
        return divisor(self.scenario, self.founders)

    @property
    def root(self) -> int:
        """The root seed."""
        return self.scenario.seed if self.seed is None else self.seed

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Group of each number when all assumed ones stand for themselves."""
        assumed = {u.group for u in self.unknown.vary if not u.known}
        return tuple(u.group if u.group in assumed else KNOWN for u in self.unknown.vary)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Levels that a run of this length can know; a survival, from a year of cohorts at least."""
        stages = [s.id for s in self.scenario.chain[1:]]
        kept = [s for s in stages if s in ("incubator", "park")] or stages[-1:]
        months = self.scenario.horizon.months
        paid = any(i.active for i in self.scenario.policy)
        levels = [o for o in _LEVELS if not o.startswith("survival_") or int(o[9:-1]) + _YEAR <= months]
        return (*(o for o in levels if paid or o != "spent_cny"), *(f"reached_{s}" for s in kept))

    @cached_property
    def runs(self) -> int:
        """How many runs it takes, at most."""
        assumed = len({g for g in self.labels if g != KNOWN})
        groups = min(assumed, self.top) + (assumed > self.top) + (KNOWN in self.labels)
        return (1 + (self.reform is not None)) * self.pairs * (groups + 4)


class _City(NamedTuple):
    """A scenario made smaller, with the numbers that are left to it."""

    base: Scenario
    frees: frozenset[str]


def sensitivity(plan: Plan, *, jobs: int = 1, progress: Progress | None = None) -> Variance:
    """Take the variance of each outcome apart.

    Parameters
    ----------
    plan
        What to run.
    jobs
        Runs at a time.
    progress
        Told how many of all runs are done.
    """
    explorer = _Explorer(plan, jobs, progress)
    explorer.run_ends()
    ends = {key: _scale(values, key in _LOGS) for key, values in explorer.ends.items()}
    screened = screen(explorer.coordinates, plan.labels, ends, plan.top)
    chosen = set(screened.loc[screened["chosen"], "group"])
    labels = [g if g in chosen or g == KNOWN else OTHERS for g in plan.labels]
    groups = list(dict.fromkeys(labels))
    found = explorer.run_between(labels)
    shares, rows = [], []
    for (outcome, kind), (first, again) in found.items():
        logs = (outcome, kind) in _LOGS
        result = indices(_scale(first, logs), _scale(again, logs), seed=plan.root + 2)
        rows.append(_outcome(outcome, kind, logs, first, result, groups) | explorer.own(outcome, kind))
        if result.variance > 0:
            shares += [_share(outcome, kind, g, labels, r) for g, r in zip(groups, _rows(result), strict=True)]
    numbers = ["first", "first_low", "first_high", "total", "total_low", "total_high"]
    return Variance(
        _manifest(plan, explorer.done, groups),
        declared("variance_outcomes", pd.DataFrame(rows)),
        declared("variance_shares", pd.DataFrame(shares, columns=["outcome", "kind", "group", "members", *numbers])),
        declared("variance_screening", screened),
        declared("variance_runs", pd.concat(explorer.frames, ignore_index=True)),
        {"scenario.yaml": plan.scenario.to_yaml().encode(), **plan.scenario.component_files()},
    )


def seconds(plan: Plan) -> float:
    """What the runs of a plan will take, told from a few of them."""
    from time import perf_counter

    explorer = _Explorer(replace(plan, pairs=_TRIED), 1, None)  # compiles, too
    started = perf_counter()
    explorer.run_ends()
    return (perf_counter() - started) / explorer.done * plan.runs


class _Explorer:
    """Runs designs, and keeps every run."""

    def __init__(self, plan: Plan, jobs: int, progress: Progress | None) -> None:
        self._plan, self._jobs, self._progress = plan, jobs, progress
        self.done = 0
        self.frames: list[pd.DataFrame] = []
        self.ends: dict[Key, Values] = {}
        everything = {u.path for u in plan.unknown.vary} | {p for m in plan.unknown.mixes.values() for p in m}
        self._cities = [_City(from_empty(plan.scenario), frozenset(everything))]
        if plan.reform is not None:
            here, there = ({p: v for p, v, _ in leaves(s)} for s in (plan.scenario, plan.reform))
            shared = frozenset(p for p in everything if p in there and there[p] == here[p])
            self._cities.append(_City(from_empty(plan.reform), shared))
        self._owns = [self._as_it_is(city) for city in self._cities]

    def _as_it_is(self, city: _City) -> list[Mapping[str, Outcome]]:
        """Outcomes of the scenario itself, with its own values, in a few runs."""
        there = city.base.replace({**scaled(city.base, self._plan.by, {}), "seed": self._plan.root})
        return [measure(records(there, replicate=r), there, self._wanted(city)) for r in range(_OWN)]

    def own(self, outcome: str, kind: str) -> dict[str, Any]:
        """The median of what the scenario gives with its own values, and the unit."""
        base = [found[outcome] for found in self._owns[0]]
        values = [o.value for o in base]
        if kind == "effect":
            reform = [found[outcome].value for found in self._owns[1]]
            values = [None if v is None or b is None else v - b for v, b in zip(reform, values, strict=True)]
        known = [v for v in values if v is not None]
        return {"own": float(np.median(known)) if known else None, "unit": base[0].unit}

    def _wanted(self, city: _City) -> tuple[str, ...]:
        effects = [o for o in EFFECTS if o in self._plan.outcomes]
        return self._plan.outcomes if city is self._cities[0] else tuple(effects)

    @property
    def coordinates(self) -> Values:
        """Both ends of each pair in the unit cube, (n, 2, numbers)."""
        return radial(self._plan.labels, self._plan.pairs, seed=self._plan.root + 1)[:, [0, -1]]

    def run_ends(self) -> None:
        """Run both ends of each pair twice, with other luck; `ends` then holds (2, n, 2) for each outcome."""
        self.ends = self._run(self.coordinates, 2)
        for key, values in self.ends.items():
            self._keep(key, values, (0, -1))

    def run_between(self, labels: Sequence[str]) -> dict[Key, tuple[Values, Values]]:
        """Run what is between the ends; gives outcomes at the whole design, and at its ends with other luck."""
        design = radial(labels, self._plan.pairs, seed=self._plan.root + 1)[:, 1:-1]
        found = {}
        for key, values in self._run(design, 1).items():
            self._keep(key, values, range(1, design.shape[1] + 1))
            first, again = self.ends[key]
            found[key] = np.column_stack([first[:, :1], values[0], first[:, 1:]]), again
        return found

    def _run(self, design: Values, replicates: int) -> dict[Key, Values]:
        """Levels, and effects, at the points of a design (n, blocks, numbers): (replicates, n, blocks) for each."""
        points = [self._plan.unknown.point(x) for x in design.reshape(-1, design.shape[2])]
        shape = replicates, *design.shape[:2]
        found: dict[Key, Values] = {}
        for city, kind in zip(self._cities, ("level", "effect"), strict=False):
            outcomes = self._wanted(city)
            values = self._evaluate(city, points, outcomes, replicates)
            for outcome, of in zip(outcomes, values.transpose(2, 0, 1), strict=True):
                base = found[outcome, "level"] if kind == "effect" else 0.0
                found[outcome, kind] = of.reshape(shape) - base
        return found

    def _evaluate(
        self, city: _City, points: Sequence[Mapping[str, object]], outcomes: Sequence[str], replicates: int
    ) -> Values:
        """(replicates, points, outcomes); points that are the same for this city are run once."""
        mine = [{p: v for p, v in point.items() if p in city.frees} for point in points]
        place: dict[tuple[object, ...], int] = {}
        which = [place.setdefault(tuple(point.values()), len(place)) for point in mine]
        chosen = [mine[which.index(i)] for i in range(len(place))]
        changes = [scaled(city.base, self._plan.by, point) for point in chosen]
        start, total = self.done, self._plan.runs

        def tell(done: float, _: int) -> None:
            if self._progress:
                self._progress(start + done, total)

        frame = evaluate(
            city.base, changes, outcomes, replicates=replicates, seed=self._plan.root, jobs=self._jobs, progress=tell
        )
        self.done += len(frame)
        values = frame[list(outcomes)].to_numpy(float).reshape(len(place), replicates, len(outcomes))
        return values[which].transpose(1, 0, 2)

    def _keep(self, key: Key, values: Values, blocks: Sequence[int]) -> None:
        """Note all runs of one outcome; the last block is counted from the end, since nobody knows its number yet."""
        replicate, pair, place = (index.ravel() for index in np.indices(values.shape))
        block = np.array(blocks)[place]
        frame = pd.DataFrame({"pair": pair, "block": block, "replicate": replicate, "value": values.ravel()})
        self.frames.append(frame.assign(outcome=key[0], kind=key[1]))


def _scale(values: Values, logs: bool) -> Values:
    """Values as they are taken apart; what has no logarithm is unknown."""
    return np.log(np.where(values > 0, values, np.nan)) if logs else values


def _rows(found: Shares) -> list[tuple[float, ...]]:
    return [(*first, *total) for first, total in zip(found.first, found.total, strict=True)]


def _share(outcome: str, kind: str, group: str, labels: Sequence[str], row: Sequence[float]) -> dict[str, Any]:
    names = ("first", "first_low", "first_high", "total", "total_low", "total_high")
    numbers = dict(zip(names, row, strict=True))
    return {"outcome": outcome, "kind": kind, "group": group, "members": labels.count(group), **numbers}


def _outcome(
    outcome: str, kind: str, logs: bool, first: Values, found: Shares, groups: Sequence[str]
) -> dict[str, Any]:
    """An outcome's spread and who carries it. What known and assumed numbers do only together counts as known."""
    ends = first[:, [0, -1]]
    low, middle, high = np.nanquantile(ends, (0.1, 0.5, 0.9)) if np.isfinite(ends).any() else (None, None, None)
    row = {"outcome": outcome, "kind": kind, "logs": logs, "p10": low, "p50": middle, "p90": high, "pairs": found.n}
    if not found.variance > 0:
        reason = "no number that varies changes it" if found.n > 1 else "too few runs know it"
        return row | {"sd": None, "chance": None, "assumed": None, "known": None, "reason": reason}
    known = float(np.clip(found.total[groups.index(KNOWN), 0], 0, 1)) if KNOWN in groups else 0.0
    if all(g == KNOWN for g in groups):
        known = 1.0
    parts = {"assumed": (1 - known) * (1 - found.chance), "known": known * (1 - found.chance)}
    return row | {"sd": found.variance**0.5, "chance": found.chance, **parts, "reason": None}


def _manifest(plan: Plan, runs: int, groups: Sequence[str]) -> dict[str, Any]:
    rows = plan.unknown.rows
    varied = {
        u.path: {
            "group": g if g in groups else OTHERS,
            "low": u.low,
            "high": u.high,
            "form": u.form,
            **{key: rows[u.path].flat()[key] for key in ("value", "unit", "status", "evidence", "assumed")},
            "zh": rows[u.path].origin.zh,
            "en": rows[u.path].origin.en,
        }
        for u, g in zip(plan.unknown.vary, plan.labels, strict=True)
    }
    newcomers = plan.scenario.arrivals.per_year * plan.scenario.horizon.months / 12 / plan.by
    basis = {"by": plan.by, "founders": round(newcomers), "pairs": plan.pairs, "runs": runs}
    reform = {} if plan.reform is None else {"reform": {"file": plan.reform.file, "scenario": plan.reform.resolved()}}
    return {
        "scenario": plan.scenario.resolved(),
        "scenario_hash": plan.scenario.hash(),
        "file": plan.scenario.file,
        "evidence_hash": digest(),
        "seed": plan.root,
        "seed_scheme": SEED_SCHEME,
        "numbers": counts(rows.values()),
        "basis": basis,
        "varied": varied,
        "fixed": dict(plan.unknown.fixed),
        **reform,
        "versions": versions(),
        "git_commit": commit(),
    }
