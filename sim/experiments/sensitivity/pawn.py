"""How far knowing a number moves the whole distribution of an outcome: PAWN, from any points that fill the space.

The points are cut into slices of equally many by one number; the index is the median over slices of the largest
distance (Kolmogorov-Smirnov) between the outcome's distribution in a slice and in all points (Pianosi and Wagener 2018,
Environmental Modelling & Software 108:197-207). It is 0 to 1, and sees effects that leave the variance as it is.

From finitely many points it is above 0 for a number that does nothing. How far is told by the same points with the
number shuffled; an index below that floor cannot be told from none (Zadeh et al. 2017, ibid. 91:210-222).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.experiments.sensitivity.noise import Values

__all__ = ["Distances", "distances", "pawn"]

_RESAMPLES = 400
"""assumed: enough for the ends of a 95 % interval, and of the floor, to a digit or two."""

_FEWEST, _MOST = 20, 10
"""assumed: points of a slice at least, slices at most (SALib's default)."""


@dataclass(frozen=True)
class Distances:
    """PAWN indices of one outcome.

    Attributes
    ----------
    n : points used
    slices : into how many each number was cut
    median : (numbers, 3): the index, and the ends of its 95 % bootstrap interval (shifted by the bootstrap's own bias)
    floor : (numbers,): what a number without effect stays below in 95 of 100 cases
    """

    n: int
    slices: int
    median: Values
    floor: Values


def pawn(unit: Values, outcome: Values, *, seed: int = 1) -> Distances:
    """PAWN indices of each number.

    Parameters
    ----------
    unit
        Points, (n, numbers); only their order matters.
    outcome
        Mean over replicates at each point, (n,); a point where it is NaN is left out.
    """
    known = np.isfinite(outcome)
    x, y = unit[known], outcome[known]
    n, numbers = x.shape
    slices = min(n // _FEWEST, _MOST)
    if slices < 2 or not np.ptp(y) > 0:
        return Distances(n, slices, np.full((numbers, 3), np.nan), np.full(numbers, np.nan))
    draws = np.random.default_rng(seed)
    index = np.empty((numbers, 3))
    floor = np.empty(numbers)
    for k in range(numbers):
        part = _slices(x[:, k], slices)
        found = float(np.median(distances(part, y)))
        again = []
        for _ in range(_RESAMPLES):
            rows = draws.integers(n, size=n)
            again.append(np.median(distances(part[rows], y[rows])))
        low, high = found + np.quantile(again, (0.025, 0.975)) - np.mean(again)
        index[k] = found, max(low, 0.0), min(high, 1.0)
        none = [np.median(distances(draws.permutation(part), y)) for _ in range(_RESAMPLES)]
        floor[k] = np.quantile(none, 0.95)
    return Distances(n, slices, index, floor)


def distances(part: np.ndarray[tuple[int], np.dtype[np.int64]], y: Values) -> Values:
    """Kolmogorov-Smirnov distance between y in each part and in all; empty parts are left out."""
    order = np.argsort(y, kind="stable")
    last = np.r_[np.diff(y[order]) > 0, True]  # of values that are the same
    parts = np.unique(part)
    inside = (part[order][:, None] == parts).cumsum(axis=0)[last]
    everywhere = np.flatnonzero(last) + 1
    return np.asarray(abs(inside / inside[-1] - everywhere[:, None] / len(y)).max(axis=0))


def _slices(x: Values, slices: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which slice each point is in; a number of few values has a slice for each."""
    levels, which = np.unique(x, return_inverse=True)
    if len(levels) <= slices:
        return which.astype(np.int64)
    ends = np.quantile(x, np.linspace(0, 1, slices + 1)[1:-1])
    return np.searchsorted(ends, x, side="right").astype(np.int64)
