"""What the numbers of a grid do alone, in twos and in all: the grid's variance taken apart.

On a whole grid, each value as often with each of the others, the variance over the points falls apart exactly into what
each number does alone, each two together, and so on (Hoeffding 1948; two-way and higher analysis of variance). Chance
adds to each part in proportion to its degrees of freedom, which is taken off.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from sim.experiments.sensitivity.noise import Values, apart
from sim.experiments.sensitivity.sobol import Shares

__all__ = ["factorial", "grid"]

_RESAMPLES = 500
"""assumed: enough for the ends of a 95 % interval to a digit or two."""


def grid(values: Values) -> tuple[list[Values], np.ndarray[tuple[int, ...], np.dtype[np.int64]]] | None:
    """Levels of each number, and which point stands at each place of the grid; None if the points are no whole grid.

    Parameters
    ----------
    values
        (points, numbers).
    """
    levels, places = zip(*(np.unique(column, return_inverse=True) for column in values.T), strict=True)
    shape = tuple(map(len, levels))
    at = np.full(shape, -1, dtype=np.int64)
    at[places] = np.arange(len(values))
    return (list(levels), at) if (at >= 0).all() else None


def factorial(values: Values, runs: Values, *, seed: int = 1) -> Shares | None:
    """Shares of the variance over a grid; None if the points are no whole grid, or an outcome is not known at one.

    Parameters
    ----------
    values
        (points, numbers).
    runs
        Outcome at each point, (points, replicates). With two replicates or more there are intervals, from a parametric
        bootstrap; with one the grid is taken to be free of chance.
    """
    found = grid(values)
    told = apart(runs)
    if found is None or not np.isfinite(told.means[found[1]]).all():
        return None
    at = told.means[found[1]]
    error = float(np.nan_to_num(told.own)) * float((1 / np.isfinite(runs).sum(axis=1)[found[1]]).mean())
    variance, *shares = (found[0] for found in _shares(at[None], error))
    variance = float(variance)
    numbers = at.ndim
    pairs = numbers * (numbers - 1) // 2
    of_a_run = variance + float(np.nan_to_num(told.shared)) + float(np.nan_to_num(told.own))
    if not variance > 1e-12 * max(float(at.mean()) ** 2, of_a_run, 1e-300):
        none = [np.full((k, 3), np.nan) for k in (numbers, numbers, pairs)]
        return Shares(at.size, float(at.mean()), 0.0, 1.0 if of_a_run > 0 else np.nan, *none)
    chance = 1 - variance / of_a_run if np.isfinite(told.own) else np.nan
    intervals = [np.column_stack([s, s, s]) if error == 0 else s[:, None] for s in shares]
    if error > 0:
        draws = np.random.default_rng(seed)
        again = _shares(at + draws.normal(0, error**0.5, (_RESAMPLES, *at.shape)), error)
        for place, (share, sampled) in enumerate(zip(shares, again[1:], strict=True)):
            # the points of the bootstrap hold the chance of the runs and their own
            ends = share + np.nanquantile(sampled, (0.025, 0.975), axis=0) - np.nanmean(sampled, axis=0)
            intervals[place] = np.column_stack([share, *ends])
    return Shares(at.size, float(at.mean()), variance, chance, *intervals)


def _shares(at: Values, error: float) -> tuple[Values, Values, Values, Values]:
    """Variance over each of some grids, and the first-order, total and second-order shares.

    `at` is (grids, *levels), `error` the variance of a cell.
    """
    every = tuple(range(1, at.ndim))

    def alone(*kept: int) -> Values:
        """Variance of the means over all but some numbers, without what chance adds."""
        means = at.mean(axis=tuple(i for i in every if i not in kept)).reshape(len(at), -1)
        return np.asarray(means.var(axis=1) - error * (means.shape[1] - 1) / at[0].size)

    variance = alone(*every)
    by = np.where(variance > 0, variance, np.nan)[:, None]
    first = np.column_stack([alone(i) for i in every])
    total = np.column_stack([variance - alone(*(j for j in every if j != i)) for i in every])
    pairs = combinations(every, 2)
    second = np.array([alone(i, j) - first[:, i - 1] - first[:, j - 1] for i, j in pairs]).reshape(-1, len(at)).T
    return np.maximum(variance, 0.0), first / by, total / by, second / by
