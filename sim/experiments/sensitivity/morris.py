"""Screening by elementary effects: which numbers matter at all, and which of them not in proportion (Morris 1991).

An elementary effect is the change of an outcome over the change of one number (in parts of its range) between two
neighbours of a trajectory (Technometrics 33:161-174). mu is their mean; mu* the mean of their sizes, which does not
vanish where effects of either sign cancel (Campolongo, Cariboni and Saltelli 2007, Environmental Modelling & Software
22:1509-1518); sigma their standard deviation, large where an effect hangs on the number's own value or on others.

Chance makes sizes and spread of effects larger than they are. What it adds to the spread is known from the replicates
and taken off; `floor` is the mu* that chance alone would give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.experiments.sensitivity.noise import Values

__all__ = ["Effects", "elementary", "screening"]

_RESAMPLES = 1_000
"""assumed: enough for the ends of a 95 % interval to two digits."""


@dataclass(frozen=True)
class Effects:
    """Elementary effects of one outcome, in its unit over the whole range of a number.

    Attributes
    ----------
    n : trajectories used
    mu, mu_star, sigma : (numbers, 3): the estimate, and the ends of its 95 % bootstrap interval
    floor : (numbers,): mu* of a number without any effect, from chance; NaN where a point was run once only
    """

    n: int
    mu: Values
    mu_star: Values
    sigma: Values
    floor: Values


def elementary(unit: Values, runs: Values) -> Values:
    """Elementary effects, (trajectories, numbers, replicates); NaN where a number does not move, or is not known.

    Parameters
    ----------
    unit
        Points in parts of each number's range, (trajectories, numbers + 1, numbers); one number moves at each step.
    runs
        Outcome there, (trajectories, numbers + 1, replicates).
    """
    moved = np.diff(unit, axis=1)
    change = np.diff(runs, axis=1)
    which = abs(moved).argmax(axis=2)
    by = np.take_along_axis(moved, which[:, :, None], axis=2)[:, :, 0]
    effects = np.full((len(unit), unit.shape[2], runs.shape[2]), np.nan)
    trajectory, step = np.nonzero(by)
    effects[trajectory, which[trajectory, step]] = change[trajectory, step] / by[trajectory, step][:, None]
    return effects


def screening(unit: Values, runs: Values, *, seed: int = 1) -> Effects:
    """mu, mu* and sigma of each number, with intervals from a bootstrap of trajectories; arguments as `elementary`."""
    effects = elementary(unit, runs)
    known = np.isfinite(effects)
    count = known.sum(axis=2)
    whole = (count > 0).all(axis=1)
    n, numbers = int(whole.sum()), effects.shape[1]
    if n < 2:
        unknown = np.full((numbers, 3), np.nan)
        return Effects(n, unknown, unknown, unknown, np.full(numbers, np.nan))
    effects, count = effects[whole], count[whole]
    means = np.nanmean(effects, axis=2)
    spread = np.where(np.isfinite(effects), (effects - means[:, :, None]) ** 2, 0.0).sum(axis=2)
    chance = np.where(count > 1, spread / np.maximum(count - 1, 1) / count, np.nan)
    told = np.isfinite(chance).all()
    draws = np.random.default_rng(seed).integers(n, size=(_RESAMPLES, n))
    found: list[Values] = []
    for of in (_mean, _size, _deviation):
        sampled = np.array([of(means[rows], np.nan_to_num(chance)[rows]) for rows in draws])
        ends = np.quantile(sampled, (0.025, 0.975), axis=0)
        found.append(np.column_stack([of(means, np.nan_to_num(chance)), *ends]))
    floor = np.sqrt(2 / np.pi * chance.mean(axis=0)) if told else np.full(numbers, np.nan)
    mu, mu_star, sigma = found
    return Effects(n, mu, mu_star, sigma, floor)


def _mean(effects: Values, chance: Values) -> Values:
    return np.asarray(effects.mean(axis=0))


def _size(effects: Values, chance: Values) -> Values:
    return np.asarray(abs(effects).mean(axis=0))


def _deviation(effects: Values, chance: Values) -> Values:
    return np.asarray(np.sqrt(np.maximum(effects.var(axis=0, ddof=1) - chance.mean(axis=0), 0.0)))
