"""What an additional survivor costs: the ratio of two paired differences, with Fieller's interval.

A ratio of differences is no price everywhere: a reform that saves money and has more survivors would show a negative
cost, and so would one that costs money and has fewer. So the quadrant of the cost-effectiveness plane comes first
(Black 1990), the ratio only where it means something.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.statistics.columns import Floats
from sim.statistics.paired import student

__all__ = ["QUADRANTS", "cost_per_survivor", "fieller"]

QUADRANTS = ("dearer_and_more", "cheaper_and_more", "dearer_and_fewer", "cheaper_and_fewer", "no_difference")


def cost_per_survivor(stakes: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """What an additional survivor costs: extra public money over extra survivors, reform against base.

    Parameters
    ----------
    stakes : `sim.statistics.twins.stakes` of all replicates, one below the other

    Returns
    -------
    DataFrame
        A row each age and way to count the money:

        - age_months; money: ``received`` is what the same people received among whom survivors are counted, those who
          arrived at least that long before the end; ``ledger`` is all that the city paid, to late arrivals, the
          initial stock and restarts as well, so it charges these survivors with what was spent on others
        - extra_cny, extra_survivors (reform - base, mean of a replicate), each with ``_low``, ``_high`` (Student-t)
        - quadrant, by these means: ``dearer_and_more`` (it costs money and has more survivors), ``cheaper_and_more``
          (saves both: dominant), ``dearer_and_fewer`` (costs both: dominated), ``cheaper_and_fewer``,
          ``no_difference``. Where one of the two is exactly 0 the other decides
        - cny_per_survivor, the ratio of the means, with ci_low, ci_high (see `fieller`): in ``dearer_and_more`` the
          price of an additional survivor, in ``cheaper_and_fewer`` the money saved for each survivor given up. Null in
          the other quadrants: a ratio below 0 is no price. A lower end below 0 means that the extra money (the money
          saved) cannot be told from zero
        - n replicates; reason, why the ratio or its interval is null

    Notes
    -----
    The quadrant is as sure as `extra_cny` and `extra_survivors` are: read it with their intervals.
    """
    rows = []
    for age, table in stakes.groupby("age_months", sort=True):
        people = int(table["people"].sum())
        survivors = (table["reform_survivors"] - table["base_survivors"]).to_numpy(float)
        for money in ("received", "ledger"):
            extra = (table[f"reform_{money}_cny"] - table[f"base_{money}_cny"]).to_numpy(float)
            nobody = {"quadrant": None, "reason": f"nobody arrived {age} months or more before the end"}
            found = _price(extra, survivors, level) if people else nobody
            rows.append({"age_months": age, "money": money, "n": len(table), **found})
    split = [f"extra_{what}{end}" for what in ("cny", "survivors") for end in ("", "_low", "_high")]
    numbers = [*split, "cny_per_survivor", "ci_low", "ci_high"]
    names = ["age_months", "money", *split, "quadrant", "cny_per_survivor", "ci_low", "ci_high", "n", "reason"]
    whole = {"age_months": "int64", "n": "int64"}
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(numbers, "float64") | whole)


def _price(money: Floats, survivors: Floats, level: float) -> dict[str, object]:
    extra, more = student(money, level=level), student(survivors, level=level)
    quadrant = _quadrant(extra.value, more.value)
    row: dict[str, object] = {
        "quadrant": quadrant,
        "reason": None,
        **extra.columns("extra_cny"),
        **more.columns("extra_survivors"),
    }
    priced = extra.value * more.value > 0
    if priced:
        row["cny_per_survivor"] = extra.value / more.value
    bounds = fieller(money, survivors, level=level)
    if money.size < 2:
        row["reason"] = "one replicate has no interval"
    elif more.value == 0:
        row["reason"] = "there are no additional survivors"
    elif bounds is None:
        row["reason"] = "additional survivors cannot be told from zero"
    elif priced:
        row["ci_low"], row["ci_high"] = bounds
    else:
        row["reason"] = {
            "cheaper_and_more": "more survivors at no extra cost: there is no price",
            "dearer_and_fewer": "fewer survivors and no money saved: there is no price",
        }[quadrant]
    return row


def _quadrant(extra: float, more: float) -> str:
    if extra == 0 and more == 0:
        return "no_difference"
    if extra <= 0 <= more:
        return "cheaper_and_more"
    if more <= 0 <= extra:
        return "dearer_and_fewer"
    return "dearer_and_more" if more > 0 else "cheaper_and_fewer"


def fieller(above: npt.ArrayLike, below: npt.ArrayLike, *, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of the ratio of two means that were taken on the same replicates.

    All ratios q are in it for which the mean of above - q below does not differ from 0 by Student's t (Fieller 1954).
    That set is an interval if the mean of `below` differs from 0; otherwise it is unbounded, and None.

    Parameters
    ----------
    above, below : shape (n,), of the same replicates; None is the answer for n < 2 as well
    """
    from scipy.special import stdtrit

    y, x = np.asarray(above, float), np.asarray(below, float)
    n = x.size
    if n < 2:
        return None
    t2 = float(stdtrit(n - 1, 0.5 + level / 2)) ** 2 / n
    vyy, vxy, vxx = np.cov(y, x)[[0, 0, 1], [0, 1, 1]]
    a, b, c = x.mean() ** 2 - t2 * vxx, x.mean() * y.mean() - t2 * vxy, y.mean() ** 2 - t2 * vyy
    if a <= 0:
        return None
    root = max(b**2 - a * c, 0.0) ** 0.5  # the ratio of the means itself is always inside
    return float((b - root) / a), float((b + root) / a)
