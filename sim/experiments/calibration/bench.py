"""Where the points of a calibration are run, and how their outcomes are read.

All points have the same luck: replicate r has the same seed everywhere. The scenario as it is is run many more times,
which tells that luck, and it is taken off: exactly for the scenario as it is, nearly for points near it, and with less
right the farther a point is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.errors import RunError
from sim.experiments.calibration.emulator import Scale
from sim.experiments.calibration.priors import Floats, Priors
from sim.experiments.calibration.targets import Targets
from sim.experiments.outcomes import known_outcomes
from sim.experiments.points import counted_for_all
from sim.experiments.sweep.runs import Runs
from sim.scenario.studies import Study
from sim.simulation import Progress

__all__ = ["EXIT", "FRESH", "Bench", "Seen"]

EXIT = ("survival_12m", "survival_60m")
"""Outcomes by which first-year and later exit are told apart; known of every point."""

FRESH = 7919
"""What is added to the seed for runs that must not share the luck of the search."""

_FEWEST = 8

Point = dict[str, Any]


class Seen(NamedTuple):
    """Points that have been run: places in the unit cube, shape (n, d), and outcomes, shape (n, k)."""

    unit: Floats
    outcomes: Floats

    def and_(self, other: Seen) -> Seen:
        """These points and others."""
        return Seen(np.concatenate([self.unit, other.unit]), np.concatenate([self.outcomes, other.outcomes]))


class Bench:
    """Runs points of a study's smaller scenario.

    Parameters
    ----------
    study
        What is calibrated.
    runs
        Who makes the runs, and where they are kept.
    progress
        Told how many runs of `total` are done.

    Attributes
    ----------
    outcomes, units
        Names of the outcomes, those of the targets first, and their units.
    times
        People and money in all are for the smaller city: what they are multiplied by.
    scales
        On which scale each outcome is averaged and emulated.
    """

    def __init__(self, study: Study, runs: Runs, progress: Progress | None, total: int) -> None:
        self.study, self.runs = study, runs
        self.priors, self.targets = Priors.of(study), Targets.of(study)
        self.outcomes = tuple(dict.fromkeys((*self.targets.outcomes, *(h.outcome for h in study.holdout), *EXIT)))
        self.fitted = len(self.targets.outcomes)
        units = known_outcomes([s.id for s in study.small.chain])
        self.units = tuple(units.get(name, "share") for name in self.outcomes)
        self.times = np.array([study.scale if counted_for_all(name) else 1.0 for name in self.outcomes])
        self.scales: tuple[Scale, ...] = ()
        self._progress, self._done, self._total = progress, 0, total
        self._luck = {study.seed: np.zeros(len(self.outcomes))}

    def start(self, unit: Floats) -> Seen:
        """The scenario as it is, many times, and the first points; this settles the scales and the luck.

        Raises RunError if hardly any of the points can be run.
        """
        study, search = self.study, self.study.search
        fresh = study.seed + FRESH
        many = self._run([{}], max(search.reference, study.replicates), study.seed)[0]
        raw = self._run([self.priors.point(u) for u in unit], study.replicates, study.seed)
        known = int(np.isfinite(raw[:, :, : self.fitted]).all(axis=(1, 2)).sum())
        if known < min(_FEWEST, len(raw)):
            raise RunError(f"the targets are known at {known} of {len(raw)} points of the prior: too few to calibrate")
        both = np.concatenate([raw.reshape(-1, raw.shape[2]), many])
        self.scales = tuple(Scale.of(both[:, k]) for k in range(both.shape[1]))
        self._luck[study.seed] = self._off(many[: study.replicates], many)
        self._luck[fresh] = self._off(self._run([{}], search.replicates, fresh)[0], many)
        return Seen(unit, self._read(raw, study.seed))

    def see(self, unit: Floats) -> Seen:
        """Run points of the cube, with the luck of the search."""
        raw = self._run([self.priors.point(u) for u in unit], self.study.replicates, self.study.seed)
        return Seen(unit, self._read(raw, self.study.seed))

    def again(self, points: Sequence[Point]) -> Floats:
        """Outcomes of points with fresh seeds, and more of them."""
        seed = self.study.seed + FRESH
        return self._read(self._run(points, self.study.search.replicates, seed), seed)

    def whole(self, points: Sequence[Point]) -> Floats:
        """Mean outcomes of the whole scenario with fresh seeds; NaN if the study wants none."""
        count = self.study.search.whole
        if not count:
            return np.full((len(points), len(self.outcomes)), np.nan)
        seed = self.study.seed + FRESH
        frame = self.runs.points(self.study.whole, points, self.outcomes, replicates=count, seed=seed, told=self.tell)
        return frame.groupby("point")[list(self.outcomes)].mean().to_numpy(float)

    def log_likelihood(self, outcomes: Floats) -> Floats:
        """Log-likelihood of outcomes, shape (n, k), as `Targets.log_likelihood`."""
        return self.targets.log_likelihood(outcomes[:, : self.fitted])

    def tell(self, runs: int) -> None:
        """So many more runs are done."""
        self._done += runs
        if self._progress:
            self._progress(min(self._done, self._total), self._total)

    def _run(self, points: Sequence[Point], replicates: int, seed: int) -> Floats:
        """Raw outcomes of the smaller scenario, shape (points, replicates, outcomes)."""
        small = self.study.small
        frame = self.runs.points(small, points, self.outcomes, replicates=replicates, seed=seed, told=self.tell)
        return frame[list(self.outcomes)].to_numpy(float).reshape(len(points), replicates, len(self.outcomes))

    def _off(self, few: Floats, many: Floats) -> Floats:
        """How far the mean of a few replicates is from that of many, on the scales."""
        luck = np.zeros(len(self.outcomes))
        for k, scale in enumerate(self.scales):
            mean = many[:, k].mean()
            luck[k] = scale.to(few[:, k]).mean() - float(scale.to(mean))
        return np.where(np.isfinite(luck), luck, 0.0)

    def _read(self, raw: Floats, seed: int) -> Floats:
        """Means over replicates, on the scales, the luck taken off; in people and CNY of the whole city."""
        means = [s.back(s.to(raw[:, :, k]).mean(axis=1) - self._luck[seed][k]) for k, s in enumerate(self.scales)]
        whole: Floats = np.stack(means, axis=1) * self.times
        return whole
