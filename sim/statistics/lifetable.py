"""The life table: survival arithmetic on counts per whole month of age, for one group or many at once.

Ages are months traded, 1, 2, ... An exit at duration t happens at the end of the t-th month; somebody censored at t has
traded through it. So n_t, at risk in month t, counts entry < t <= duration, and d_t the exits with duration t.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sim.statistics.columns import Floats, Ints

__all__ = [
    "Estimate",
    "Incidence",
    "LifeTable",
    "LogRank",
    "first_incidence",
    "incidence",
    "life_table",
    "life_tables",
    "loglog",
    "logrank",
]

_EXACT = 1e-12
"""Slack for comparing a product of ratios with a round number."""


class Estimate(NamedTuple):
    """A number and the variance of its estimator."""

    value: float
    variance: float


@dataclass(frozen=True)
class LifeTable:
    """Who was at risk and who left at each month of age. The last axis is age, from 1; any axis before it is a group.

    Attributes
    ----------
    at_risk, events : arrays, shape (..., ages)
        Counts, or sums of weights. Intervals take the weights for counts of people.
    """

    at_risk: npt.NDArray[Any]
    events: npt.NDArray[Any]

    @property
    def ages(self) -> Ints:
        """Months of age of the last axis: 1, 2, ..."""
        return np.arange(1, self.at_risk.shape[-1] + 1)

    @cached_property
    def hazard(self) -> Floats:
        """Chance to leave in a month of age of those at risk, d/n; 0 where nobody is."""
        out: Floats = np.divide(self.events, self.at_risk, out=np.zeros(self.at_risk.shape), where=self.at_risk > 0)
        return out

    @cached_property
    def survival(self) -> Floats:
        """Kaplan-Meier estimate of P(T > age)."""
        return np.cumprod(1 - self.hazard, axis=-1)

    @cached_property
    def greenwood(self) -> Floats:
        """Greenwood's sum of d / n(n - d); Var S = S^2 times it. A month in which all leave adds 0, as S is then 0."""
        n, d = np.asarray(self.at_risk, float), self.events
        return np.cumsum(np.divide(d, n * (n - d), out=np.zeros(n.shape), where=n > d), axis=-1)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Pointwise log-log (exponential Greenwood) interval of survival; NaN where survival is 0 or 1."""
        return loglog(self.survival, self.survival * np.sqrt(self.greenwood), level)

    @cached_property
    def known_to(self) -> int:
        """Last age, of one group, up to which somebody is at risk in every month; no limit once all have left."""
        nobody = np.flatnonzero(self.at_risk <= 0)
        last = int(nobody[0]) if nobody.size else self.at_risk.size
        return 2**31 if last and self.survival[last - 1] <= _EXACT else last

    def at(self, age: int) -> float | None:
        """P(T > age) of one group; None where nobody was observed that long."""
        if age > self.known_to:
            return None
        last = min(age, self.at_risk.size)
        return float(self.survival[last - 1]) if last else 1.0

    def quantile(self, share: float = 0.5) -> int | None:
        """First age at which survival of one group is at most 1 - `share` (0.5: the median); None if not reached."""
        reached = np.flatnonzero(self.survival[: self.known_to] <= 1 - share + _EXACT)
        return int(reached[0]) + 1 if reached.size else None

    def rmst(self, horizon: int) -> Estimate | None:
        """Mean months lived within `horizon` of one group, E[min(T, horizon)] = sum of S(u), u = 0 ... horizon - 1.

        Its variance is sum over t of A_t^2 d_t / n_t(n_t - d_t), with A_t the area under the curve from t to the
        horizon (Klein and Moeschberger 2003, 4.5). None where the curve is not known that far.
        """
        if horizon - 1 > self.known_to:
            return None
        steps = self._steps(horizon - 1)
        area = steps[::-1].cumsum()[::-1]
        after = min(horizon - 1, self.at_risk.size)
        jumps = np.diff(self.greenwood[:after], prepend=0.0)
        return Estimate(float(area[0]), float(np.sum(area[1 : after + 1] ** 2 * jumps)))

    def _steps(self, age: int) -> Floats:
        """S(0), ..., S(age); beyond the table the curve stays where it ended."""
        curve = np.concatenate(([1.0], self.survival[:age]))
        return np.pad(curve, (0, age + 1 - curve.size), mode="edge")


def life_table(
    durations: npt.ArrayLike,
    events: npt.ArrayLike,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> LifeTable:
    """Life table of one group.

    Parameters
    ----------
    durations : whole months >= 1, shape (n,)
    events : true where the exit was observed, false where censored
    entry : age at which observation began (left truncation), whole months, 0 <= entry < duration; default 0
    weights : how many people each row stands for; default 1

    Raises
    ------
    ValueError
        If a duration or an entry is impossible.
    """
    table = life_tables(durations, events, np.zeros(np.size(durations), np.intp), 1, entry, weights)
    return LifeTable(table.at_risk[0], table.events[0])


def life_tables(
    durations: npt.ArrayLike,
    events: npt.ArrayLike,
    groups: Ints,
    n_groups: int,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> LifeTable:
    """Life tables of all groups, shape (n_groups, ages), in one pass. Rows with a negative group are left out."""
    end = np.asarray(durations, np.intp)
    begin = None if entry is None else np.asarray(entry, np.intp)
    least = 1 if begin is None else begin + 1
    if np.any(end < least) or (begin is not None and np.any(begin < 0)):
        raise ValueError("durations must be >= 1 month and entry ages in [0, duration)")
    width = int(end.max(initial=0)) + 1
    inside = groups >= 0
    everyone = bool(inside.all())
    weight = None if weights is None else np.asarray(weights, float)

    def count(ages: Ints, rows: npt.NDArray[np.bool_] | None) -> npt.NDArray[Any]:
        keys = groups * width + ages
        chosen = keys if rows is None else keys[rows]
        each = weight if weight is None or rows is None else weight[rows]
        return np.bincount(chosen, each, n_groups * width).reshape(n_groups, width)

    left = np.asarray(events, bool)
    ended = count(end, None if everyone else inside)
    at_risk = _from_here_on(ended)
    if begin is not None:
        at_risk = at_risk - _from_here_on(count(begin, None if everyone else inside))
        if weight is not None:  # a difference of sums of weights is zero only up to rounding
            at_risk[at_risk < _EXACT * weight.sum()] = 0
    return LifeTable(at_risk[:, 1:], count(end, left & inside)[:, 1:])


def _from_here_on(counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return counts[:, ::-1].cumsum(axis=1)[:, ::-1]


@dataclass(frozen=True)
class Incidence:
    """Cumulative incidence of competing events; arrays of shape (causes, ages)."""

    cumulative: Floats
    variance: Floats

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Pointwise interval by the log-log transform; NaN where the incidence is 0 or 1."""
        return loglog(self.cumulative, np.sqrt(self.variance), level)


def incidence(at_risk: npt.NDArray[Any], events: npt.NDArray[Any]) -> Incidence:
    """Aalen-Johansen cumulative incidence F_j(t) = sum of S(u-1) d_ju / n_u.

    `at_risk` has shape (ages,), `events` (causes, ages). The incidences and the survival of all causes together add to
    1. The variance is Greenwood's (Marubini and Valsecchi 1995; Collett 2015), for uncensored data F(1 - F)/n.
    """
    n, d = np.asarray(at_risk, float), np.asarray(events, float)
    total, before, inverse = _under_way(n, d)
    cumulative = np.cumsum(before * d * inverse, axis=1)
    jump = np.diff(total.greenwood, prepend=0.0)
    own = before**2 * d * (n - d) * inverse**3
    cross = before * d * inverse**2
    variance = (  # sum of (F_t - F_u)^2 jump_u + own_u - 2 (F_t - F_u) cross_u, multiplied out
        cumulative**2 * jump.cumsum()
        - 2 * cumulative * np.cumsum(cumulative * jump, axis=1)
        + np.cumsum(cumulative**2 * jump + own + 2 * cumulative * cross, axis=1)
        - 2 * cumulative * np.cumsum(cross, axis=1)
    )
    return Incidence(cumulative, np.maximum(variance, 0.0))


def first_incidence(at_risk: npt.NDArray[Any], events: npt.NDArray[Any]) -> Floats:
    """The cumulative incidence of the first cause alone, without its variance: see `incidence`.

    `at_risk` and the incidence have shape (..., ages), `events` (causes, ..., ages).
    """
    n, d = np.asarray(at_risk, float), np.asarray(events, float)
    _, before, inverse = _under_way(n, d)
    found: Floats = np.cumsum(before * d[0] * inverse, axis=-1)
    return found


def _under_way(n: Floats, d: Floats) -> tuple[LifeTable, Floats, Floats]:
    """The life table of all causes together, its survival before each age, and 1 / n."""
    total = LifeTable(n, d.sum(axis=0))
    with np.errstate(divide="ignore"):
        inverse = np.where(n > 0, 1 / n, 0.0)
    return total, np.concatenate([np.ones((*n.shape[:-1], 1)), total.survival], axis=-1)[..., :-1], inverse


class LogRank(NamedTuple):
    """A log-rank test: chi-squared statistic, its degrees of freedom, p-value."""

    statistic: float
    degrees: int
    p_value: float


def logrank(table: LifeTable) -> LogRank:
    """Do the groups, shape (groups, ages), leave at the same rate? (Mantel 1966; ties by the hypergeometric variance.)

    Groups in which nobody was ever at risk do not count. With fewer than two groups the test is empty: p = 1.
    """
    from scipy.special import chdtrc

    seen = (table.at_risk > 0).any(axis=1)
    n, d = np.asarray(table.at_risk[seen], float), np.asarray(table.events[seen], float)
    if n.shape[0] < 2:
        return LogRank(0.0, 0, 1.0)
    all_n, all_d = n.sum(axis=0), d.sum(axis=0)
    share = np.divide(n, all_n, out=np.zeros(n.shape), where=all_n > 0)
    gap = (d - share * all_d).sum(axis=1)[1:]
    spread = np.where(all_n > 1, all_d * (all_n - all_d) / np.maximum(all_n - 1, 1), 0.0)
    covariance = np.diag(share @ spread) - (share * spread) @ share.T
    statistic = float(gap @ np.linalg.pinv(covariance[1:, 1:], hermitian=True) @ gap)
    degrees = n.shape[0] - 1
    return LogRank(statistic, degrees, float(chdtrc(degrees, statistic)))


def loglog(share: Floats, error: Floats, level: float) -> tuple[Floats, Floats]:
    """Interval share^exp(-+z se / (share ln share)) of a share that moves away from 0 or 1; NaN where it has not."""
    from scipy.special import ndtri

    inside = (share > _EXACT) & (share < 1)
    log = np.log(share, out=np.full(share.shape, -1.0), where=inside)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.exp(ndtri(0.5 + level / 2) * error / (share * -log))
        low, high = np.exp(log * reach), np.exp(log / reach)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)
