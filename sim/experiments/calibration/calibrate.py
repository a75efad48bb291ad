"""Calibration: which values of a scenario's unknown numbers agree with what little is known of the city.

Points that fill the prior are run first, then optuna goes where they were likeliest, then waves of points are drawn
from the posterior under an emulator that is learnt anew for each; a last set of posterior points tests it. A seed is
never a search dimension: who comes out first is run again with fresh seeds before anybody is called best, and then on
the whole scenario. Every run that has been made is kept in the folder (`sim.experiments.sweep`): an interrupted
calibration goes on where it was, and the same study and seed give the same result.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sim.errors import ScenarioError
from sim.experiments.calibration.answers import Found, answers
from sim.experiments.calibration.bench import Bench, Seen
from sim.experiments.calibration.emulator import Emulator
from sim.experiments.calibration.finalists import race
from sim.experiments.calibration.priors import Floats, fill
from sim.experiments.calibration.result import Calibration, described
from sim.experiments.calibration.ridge import decisions
from sim.experiments.calibration.walkers import Walk, walk
from sim.experiments.outcomes import unknown_outcomes
from sim.experiments.sweep.executors import Where
from sim.experiments.sweep.runs import Runs
from sim.scenario.studies import Study
from sim.simulation import Progress

__all__ = ["calibrate", "runs"]

_WALKERS, _STEPS, _KEEP = 8, 600, 20
"""assumed: walkers and steps for each parameter, a fifth of which do not count; every how many steps are kept."""

_ASKED = 8
"""assumed: points that optuna proposes at a time."""


def calibrate(
    study: Study, folder: Path | None = None, *, jobs: int = 1, progress: Progress | None = None
) -> Calibration:
    """Carry out a calibration study.

    Parameters
    ----------
    study
        What is unknown, and what it is fitted to.
    folder
        Where points that have been run are kept; what is there already is not run again. Nothing is kept without one.
    jobs
        Runs at a time; no number of them changes the result.
    progress
        Told how many runs are done.

    Raises
    ------
    ScenarioError
        The study names an outcome that no run of its scenario has.
    RunError
        Hardly any point could be run.
    StoreError
        The folder cannot be written, or another process works in it.
    """
    if wrong := tuple(unknown_outcomes(study)):
        raise ScenarioError(wrong)
    with Runs(folder, Where(jobs), name="points", kind="calibration") as made:
        bench = Bench(study, made, progress, sum(runs(study).values()))
        found = _search(bench)
        tables = {**answers(found), "decisions": decisions(found)}
        return Calibration(described(found), tables)


def runs(study: Study) -> dict[str, int]:
    """How many runs each part of a calibration takes; all but `whole` are of the smaller scenario."""
    s, d = study.search, study.decisions
    return {
        "reference": max(s.reference, study.replicates) + s.replicates,
        "search": (s.start + s.optimise + s.waves * s.wave) * study.replicates,
        "check": s.check * study.replicates,
        "finalists": (s.finalists + 3) * s.replicates,
        "decisions": 2 * d.points * (1 + len(d.reforms)) * d.replicates if d.reforms else 0,
        "whole": 2 * s.whole,
    }


def _search(bench: Bench) -> Found:
    """Everything that is run to find and to test the posterior."""
    study = bench.study
    start = bench.start(fill(bench.priors, study.search.start, study.seed))
    seen = _optimised(bench, start)
    for wave in range(1, study.search.waves + 1):
        drawn = _sample(bench, _emulator(bench, seen), seen, study.seed + wave)
        seen = seen.and_(bench.see(_some(drawn, study.search.wave, study.seed + wave)))
    emulator = _emulator(bench, seen)
    walked = _sample(bench, emulator, seen, study.seed)
    check = bench.see(_some(walked, study.search.check, study.seed))
    ratio = bench.log_likelihood(check.outcomes) - _density(bench, emulator)(check.unit)
    weights = np.exp(ratio - ratio.max()) if np.isfinite(ratio).any() else np.ones(len(ratio))
    return Found(bench, start, seen, check, weights / weights.sum(), emulator, walked, race(bench, seen, walked))


def _optimised(bench: Bench, seen: Seen) -> Seen:
    """What has been seen, and points that optuna proposes, knowing it."""
    import optuna

    names, count = list(bench.priors.paths), bench.study.search.optimise
    cube: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.FloatDistribution(0, 1) for name in names
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optuna warns that what it is asked for may change
        seed = bench.study.seed % 2**32
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=1)
        search = optuna.create_study(direction="maximize", sampler=sampler)
        for u, value in zip(seen.unit, bench.log_likelihood(seen.outcomes), strict=True):
            if np.isfinite(value):
                place = dict(zip(names, map(float, u), strict=True))
                search.add_trial(optuna.trial.create_trial(params=place, distributions=cube, value=float(value)))
        for first in range(0, count, _ASKED):
            trials = [search.ask(cube) for _ in range(min(_ASKED, count - first))]
            new = bench.see(np.array([[trial.params[name] for name in names] for trial in trials]))
            for trial, value in zip(trials, bench.log_likelihood(new.outcomes), strict=True):
                if np.isfinite(value):
                    search.tell(trial, float(value))
                else:
                    search.tell(trial, state=optuna.trial.TrialState.FAIL)
            seen = seen.and_(new)
    return seen


def _emulator(bench: Bench, seen: Seen) -> Emulator:
    """An emulator of the targets' outcomes, best where the targets are met."""
    k = bench.fitted
    misses = -2 * bench.log_likelihood(seen.outcomes)
    weight = np.where(np.isfinite(misses), 1 / (1 + np.where(np.isfinite(misses), misses, 0) / k), 0.0)
    return Emulator(seen.unit, seen.outcomes[:, :k] / bench.times[:k], bench.scales[:k], weight)


def _density(bench: Bench, emulator: Emulator) -> Callable[[Floats], Floats]:
    """Log-posterior on the cube, where the prior is uniform; the emulator's error widens the targets."""
    targets, times = bench.targets, bench.times[: bench.fitted]

    def density(unit: Floats) -> Floats:
        outcomes = emulator(unit)
        more = emulator.variance(outcomes, targets.log) * np.where(targets.log, 1.0, times) ** 2
        return targets.log_likelihood(outcomes * times, more)

    return density


def _sample(bench: Bench, emulator: Emulator, seen: Seen, seed: int) -> Walk:
    """Draws from the emulated posterior; the walkers start at the likeliest points seen, a little apart."""
    density, d = _density(bench, emulator), bench.priors.size
    count = max(_WALKERS * d, 2 * d + 2)
    count += count % 2
    likely = np.argsort(-density(seen.unit), kind="stable")[np.arange(count) % len(seen.unit)]
    apart = np.random.default_rng(seed).normal(0, 0.01, (count, d))
    start = np.clip(seen.unit[likely] + apart, 1e-6, 1 - 1e-6)
    steps = _STEPS * d
    return walk(density, start, steps=steps, settle=steps // 5, keep=_KEEP, seed=seed)


def _some(drawn: Walk, count: int, seed: int) -> Floats:
    """Some of the draws, at random."""
    return drawn.draws[np.random.default_rng(seed).choice(len(drawn.draws), count, replace=False)]
