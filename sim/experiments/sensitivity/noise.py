"""What chance does to the outcomes of many points, told apart from what their values do.

An outcome of replicate r at point p is f(x_p) + b_r + e_pr: what the values make it on average, the luck of the
replicate, which all points share (they have the same seeds), and luck that the values turn about. The first two are
fitted by least squares, the rest is what is left over (two-way analysis of variance; Searle, Casella and McCulloch
1992, ch. 4). Points may have unequal numbers of replicates.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Apart", "Values", "apart", "covariance"]

Values = NDArray[np.float64]


class Apart(NamedTuple):
    """An outcome's points and chance.

    Attributes
    ----------
    means : (points,): f at each point, the replicates' own luck taken off; NaN where no replicate knows it
    common : (replicates,): luck that all points share, 0 on average
    variance : of f over the points, the part of it that is chance taken off; never below 0
    shared, own : variances of `common` and of e in one run; NaN where a point was run once only
    runs : how many replicates each point has, on (harmonic) average
    """

    means: Values
    common: Values
    variance: float
    shared: float
    own: float
    runs: float

    @property
    def chance(self) -> float:
        """Share of chance in the variance of one run; NaN where it cannot be told, or nothing varies."""
        whole = self.variance + self.shared + self.own
        return (self.shared + self.own) / whole if whole > 0 else np.nan


def apart(runs: Values) -> Apart:
    """Tell points and chance apart.

    Parameters
    ----------
    runs
        An outcome, (points, replicates), NaN where a run does not know it.
    """
    known = np.isfinite(runs)
    counts, of = known.sum(axis=1), known.sum(axis=0)
    means, common = np.full(len(runs), np.nan), np.zeros(runs.shape[1])
    if not known.any():
        return Apart(means, common, 0.0, np.nan, np.nan, 0.0)
    there, held = counts > 0, of > 0
    at, n = known[there][:, held].astype(float), counts[there].astype(float)
    middle = runs[known].mean()  # keeps the squares small
    y = np.where(known, runs - middle, 0.0)[there][:, held]
    # normal equations of the replicates, the points eliminated
    left = np.diag(at.sum(axis=0)) - at.T @ (at / n[:, None])
    luck = np.linalg.lstsq(left, y.sum(axis=0) - at.T @ (y.sum(axis=1) / n), rcond=None)[0]
    luck -= luck.mean()
    points = (y.sum(axis=1) - at @ luck) / n
    freedom = int(at.sum()) - len(n) - int(held.sum()) + 1
    if freedom > 0:
        own = float((at * (y - points[:, None] - luck) ** 2).sum() / freedom)
    elif len(n) == 1 and held.sum() > 1:  # one point: its luck is all that there is
        own = 0.0
    else:
        own = np.nan
    shared = np.nan
    if held.sum() > 1:
        shared = max(float(luck.var(ddof=1)) - np.nan_to_num(own) * float((1 / at.sum(axis=0)).mean()), 0.0)
    error = np.nan_to_num(own) * float((1 / n).mean())
    variance = max(float(points.var(ddof=1)) - error, 0.0) if len(n) > 1 else 0.0
    means[there], common[held] = points + middle, luck
    return Apart(means, common, variance, shared, own, float(1 / (1 / n).mean()))


def covariance(one: Values, other: Values) -> tuple[Values, Values]:
    """Mean product of two outcomes over replicates (last axis), and the part of it that is chance.

    With n replicates known of both, that part is their covariance over n; it is 0 where n is 1, since nothing is known
    of it. NaN where no replicate knows both.
    """
    both = np.isfinite(one) & np.isfinite(other)
    n = both.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (np.where(both, v, 0.0).sum(axis=-1) / n for v in (one, other))
        spread = np.where(both, (one - first[..., None]) * (other - second[..., None]), 0.0).sum(axis=-1)
        chance = np.where(n > 1, spread / np.maximum(n - 1, 1) / np.maximum(n, 1), 0.0)
    return first * second, chance
