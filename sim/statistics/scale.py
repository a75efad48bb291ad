"""How large shops have become: sales and jobs of those who trade at the end of the run.

Sales are `sales_12m_cny`, CNY a year. Those who have left do not count; zeros do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.statistics.columns import Floats, Who, counted
from sim.statistics.outcome import Outcome

__all__ = ["gini", "hill", "lorenz", "scale", "sizes", "top_share"]

NOBODY = "nobody trades at the end of the run"

_LEAST_TAIL = 10
"""assumed: below ten people in the tail, the Hill estimate is off by more than a tenth on average (k / (k - 1))."""


def lorenz(sizes: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> tuple[Floats, Floats] | None:
    """Lorenz curve: cumulated shares of people and of the total, from (0, 0) to (1, 1); None if the total is 0.

    `sizes` >= 0, shape (n,); `weights` are the people each row stands for.
    """
    x = np.asarray(sizes, float)
    order = np.argsort(x)
    return _lorenz(x[order], None if weights is None else np.asarray(weights, float)[order])


def _lorenz(x: Floats, w: Floats | None = None) -> tuple[Floats, Floats] | None:
    """As `lorenz`, of sizes in ascending order."""
    total = np.cumsum(x if w is None else x * w)
    if not total.size or total[-1] <= 0:
        return None
    people = np.arange(1, x.size + 1) / x.size if w is None else np.cumsum(w) / w.sum()
    return np.concatenate(([0.0], people)), np.concatenate(([0.0], total / total[-1]))


def gini(sizes: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float | None:
    """Gini coefficient: 1 - 2 x the area under the sample's Lorenz curve, at most (n - 1)/n. None if the total is 0."""
    curve = lorenz(sizes, weights)
    return None if curve is None else _gini(curve)


def _gini(curve: tuple[Floats, Floats]) -> float:
    people, total = curve
    return float(1 - np.sum(np.diff(people) * (total[1:] + total[:-1])))


def top_share(sizes: npt.ArrayLike, top: float, weights: npt.ArrayLike | None = None) -> float | None:
    """Share of the total held by the largest `top` (0-1) of people, the edge in part; None if the total is 0."""
    curve = lorenz(sizes, weights)
    return None if curve is None else _top(curve, top)


def _top(curve: tuple[Floats, Floats], top: float) -> float:
    return float(1 - np.interp(1 - top, *curve))


def hill(sizes: npt.ArrayLike, *, k: int | None = None, tail: float = 0.1) -> Outcome:
    """Hill's estimate of the exponent a of a tail P(X > x) ~ x^-a, from the `k` largest; standard error a/sqrt(k).

    a = k / sum over i <= k of ln(X_(i) / X_(k+1)), X_(1) the largest (Hill 1975). `k` defaults to the top `tail` of
    all, zeros included. Unknown where there are fewer than ten in the tail, or where X_(k+1) is 0 or as large as X_(1).
    """
    return _hill(np.sort(np.asarray(sizes, float)), k, tail)


def _hill(x: Floats, k: int | None = None, tail: float = 0.1) -> Outcome:
    unit = "exponent"
    k = int(x.size * tail) if k is None else k
    if k < _LEAST_TAIL:
        return Outcome.unknown(unit, f"{k} shops in the tail are too few to estimate its exponent")
    if k >= x.size:
        raise ValueError(f"the tail must leave out somebody (k = {k} of {x.size})")
    edge = x[-k - 1]
    if edge <= 0:
        return Outcome.unknown(unit, "the tail holds everybody who sells anything")
    spread = float(np.sum(np.log(x[-k:] / edge)))
    if spread <= 0:
        return Outcome.unknown(unit, "all in the tail sell the same")
    return Outcome(k / spread, unit, error=math.sqrt(k) / spread)


def sizes(sales: npt.ArrayLike, employees: npt.ArrayLike) -> dict[str, Outcome]:
    """Size statistics of shops.

    Parameters
    ----------
    sales : CNY/year, >= 0, shape (n,)
    employees : staff beside the owner, shape (n,)

    Returns
    -------
    dict
        sales_mean_cny, sales_median_cny, sales_p10_cny, sales_p25_cny, sales_p75_cny, sales_p90_cny, sales_p99_cny,
        sales_gini, sales_top1_share, sales_top10_share, sales_tail_exponent, share_over_1m_cny, share_over_3m_cny,
        share_over_10m_cny (of the shops, at or over), employees_total, employees_mean (both with the owners).
    """
    x, staff = np.sort(np.asarray(sales, float)), np.asarray(employees)
    n = x.size
    out: dict[str, Outcome] = {"sales_mean_cny": Outcome.ratio(x.sum(), n, "CNY/year", NOBODY)}
    names = ("sales_median_cny", *(f"sales_p{p}_cny" for p in (10, 25, 75, 90, 99)))
    if n:
        values = _quantiles(x, (0.5, 0.1, 0.25, 0.75, 0.9, 0.99))
        out |= {name: Outcome(value, "CNY/year") for name, value in zip(names, values, strict=True)}
    else:
        out |= {name: Outcome.unknown("CNY/year", NOBODY) for name in names}
    curve = _lorenz(x)
    if curve is None:
        reason = "nobody sells anything at the end of the run" if n else NOBODY
        shares = dict.fromkeys(
            ("sales_gini", "sales_top1_share", "sales_top10_share"), Outcome.unknown("share", reason)
        )
    else:
        values = [_gini(curve), _top(curve, 0.01), _top(curve, 0.1)]
        keys = ("sales_gini", "sales_top1_share", "sales_top10_share")
        shares = {key: Outcome(value, "share") for key, value in zip(keys, values, strict=True)}
    out |= shares | {"sales_tail_exponent": _hill(x)}
    for million in (1, 3, 10):
        over = n - int(np.searchsorted(x, million * 1e6))
        out[f"share_over_{million}m_cny"] = Outcome.ratio(over, n, "share", NOBODY)
    jobs = int(staff.sum()) + n
    out["employees_total"] = Outcome(float(jobs), "persons")
    out["employees_mean"] = Outcome.ratio(jobs, n, "persons", NOBODY)
    return out


def scale(entrepreneurs: pd.DataFrame, *, who: Who = "newcomers") -> pd.DataFrame:
    """Size statistics of those who trade at the end of one replicate.

    Returns
    -------
    DataFrame
        statistic, value, se (standard error, where there is a formula), unit, reason (of a null value). See `sizes`.
    """
    living = counted(entrepreneurs, who) & ~entrepreneurs["event"].to_numpy(bool)
    found = sizes(*(entrepreneurs[c].to_numpy()[living] for c in ("sales_12m_cny", "employees")))
    rows = [(name, o.value, o.error, o.unit, o.reason) for name, o in found.items()]
    frame = pd.DataFrame(rows, columns=["statistic", "value", "se", "unit", "reason"])
    return frame.astype({"value": float, "se": float})


def _quantiles(x: Floats, shares: Sequence[float]) -> list[float]:
    """Quantiles of sizes in ascending order, by linear interpolation (numpy's default), without another sort."""
    return [float(q) for q in np.interp(np.asarray(shares) * (x.size - 1), np.arange(x.size), x)]
