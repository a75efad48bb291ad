"""Effects of a reform over replicates: paired differences with intervals, and who gains or loses by it.

Replicate r has the same people with the same luck under each policy, so each replicate gives one difference, and the
intervals are Student's, of the mean of these differences. They tell how well the model's effect is known from n
replicates; they do not tell how well the model is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.statistics.columns import Floats, Mask
from sim.statistics.outcome import Outcome

__all__ = ["Mean", "effects", "gains", "student", "variance_reduction"]

Replicates = Sequence[Mapping[str, Outcome]]

_ROUNDING = 1e-12
"""A spread below this part of the numbers themselves comes from rounding."""


class Mean(NamedTuple):
    """A mean over replicates with its Student-t interval; NaN where it is not known."""

    value: float
    low: float
    high: float
    sd: float
    """Standard deviation between replicates."""

    def columns(self, name: str) -> dict[str, float]:
        """The mean and its interval as `name`, `name`_low and `name`_high."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


def student(values: npt.ArrayLike, *, level: float = 0.95) -> Mean:
    """Mean of independent values, shape (n,), with its interval; the interval and the sd need n >= 2."""
    from scipy.special import stdtrit

    x = np.asarray(values, float)
    n = x.size
    if n < 2:
        return Mean(float(x[0]) if n else np.nan, np.nan, np.nan, np.nan)
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * sd / n**0.5
    return Mean(mean, mean - half, mean + half, sd)


# outcomes -------------------------------------------------------------------------------------------------------------


def effects(
    base: Replicates, reform: Replicates, held: Replicates | None = None, *, level: float = 0.95
) -> pd.DataFrame:
    """The effect of a reform on every outcome, and its split into direct effect and displacement.

    Parameters
    ----------
    base, reform : outcomes of each replicate, as `sim.statistics.summary.outcomes` makes them, in the same order
    held : of the reform with others' seats and demand held as in the base run
    level : of the intervals

    Returns
    -------
    DataFrame
        A row each outcome, in the order of the base run:

        - outcome, unit
        - base, reform: means over the n replicates that know the outcome under both policies
        - effect: mean of reform - base, with ci_low, ci_high (Student-t), sd of the differences, se of their mean
        - direct (held - base) and displacement (reform - held) with ``_low``, ``_high``; effect = direct +
          displacement. Null without `held`, and where the held run does not know the outcome in one of the n
          replicates (`split_reason`), since the two would not add up over different replicates
        - variance_reduction with ``_low``, ``_high``, and variance_reason where it is null: see `variance_reduction`
        - n; reason: why replicates were left out, or why there is no effect at all

        An interval of length 0 beside `variance_reason` is no certainty: no replicate of these n showed a difference.

    Raises
    ------
    ValueError
        If there are not as many replicates of each.
    """
    sizes = [len(runs) for runs in (base, reform, held) if runs is not None]
    if len(set(sizes)) > 1:
        raise ValueError(f"effects are paired by replicate: got {' and '.join(map(str, sizes))} replicates")
    names = dict.fromkeys(name for outcomes in (*base, *reform) for name in outcomes)
    rows = [_effect(name, base, reform, held, level) for name in names]
    split = [f"{part}{end}" for part in ("direct", "displacement") for end in ("", "_low", "_high")]
    factor = [f"variance_reduction{end}" for end in ("", "_low", "_high")]
    numbers = ["base", "reform", "effect", "ci_low", "ci_high", "sd", "se", *split, *factor]
    frame = pd.DataFrame(rows, columns=["outcome", "unit", *numbers, "n", "reason", "split_reason", "variance_reason"])
    return frame.astype(dict.fromkeys(numbers, "float64") | {"n": "int64"})


def variance_reduction(
    base: npt.ArrayLike, reform: npt.ArrayLike, *, level: float = 0.95
) -> tuple[float, float, float] | str:
    """How many times the replicates would be needed without pairing: (var base + var reform) / var (reform - base).

    That is the variance of the effect from as many unpaired replicates, over its variance from the paired ones. Below 1
    pairing did harm.

    Parameters
    ----------
    base, reform : an outcome in each replicate, shape (n,)

    Returns
    -------
    tuple or str
        The factor, with the lower and upper end of its interval; or the reason why it is not known.

    Notes
    -----
    With S = base + reform and D = reform - base the factor is (1 + var S / var D) / 2. For a normal pair of equal
    variances S and D are independent, and the ratio of their variances, over its true value, has the F distribution
    with (n - 1, n - 1) degrees of freedom (Pitman 1939; Morgan 1939), which gives the interval. The factor is rough: at
    95 % the ratio is known up to 39 times with 3 replicates, 9.6 with 5, 4.0 with 10, 2.5 with 20. Where the reform
    changes the variance itself the interval is an approximation; where only one replicate in many differs at all, both
    are far from normal, and a factor of millions says no more than that.
    """
    from scipy.special import fdtri

    before, after = np.asarray(base, float), np.asarray(reform, float)
    n, difference = before.size, after - before
    if n < 3:
        return "fewer than 3 replicates"
    if not difference.any():
        return "no difference in any replicate"
    spread = difference.var(ddof=1)
    if spread <= (_ROUNDING * max(np.abs(before).max(), np.abs(after).max())) ** 2:
        return "the same difference in every replicate"
    ratio = (before + after).var(ddof=1) / spread
    slack = float(fdtri(n - 1, n - 1, 0.5 + level / 2))
    value, low, high = ((1 + r) / 2 for r in (ratio, ratio / slack, ratio * slack))
    return float(value), float(low), float(high)


def _effect(
    name: str, base: Replicates, reform: Replicates, held: Replicates | None, level: float
) -> dict[str, object]:
    before, after = _values(base, name), _values(reform, name)
    paired = np.isfinite(before) & np.isfinite(after)
    before, after, n = before[paired], after[paired], int(paired.sum())
    unit = next(found[name].unit for found in (*base, *reform) if name in found)
    row: dict[str, object] = {"outcome": name, "unit": unit, "n": n, "reason": _left_out(name, base, reform, paired)}
    row |= {"split_reason": None, "variance_reason": None}
    if not n:
        return row
    effect = student(after - before, level=level)
    row |= {"base": before.mean(), "reform": after.mean(), "effect": effect.value, "sd": effect.sd}
    row |= {"ci_low": effect.low, "ci_high": effect.high, "se": effect.sd / n**0.5}
    reduction = variance_reduction(before, after, level=level)
    if isinstance(reduction, str):
        row["variance_reason"] = reduction
    else:
        row |= {f"variance_reduction{end}": x for end, x in zip(("", "_low", "_high"), reduction, strict=True)}
    if held is None:
        return row
    between = _values(held, name)[paired]
    if not np.isfinite(between).all():
        first = int(np.flatnonzero(paired)[np.argmin(np.isfinite(between))])
        row["split_reason"] = f"with others held as in the base run: {_why(held[first], name)}"
        return row
    for part, difference in (("direct", between - before), ("displacement", after - between)):
        row |= student(difference, level=level).columns(part)
    return row


def _values(runs: Replicates, name: str) -> Floats:
    """The outcome in each replicate, shape (replicates,); NaN where it is not known."""
    values = [found[name].value if name in found else None for found in runs]
    return np.array([np.nan if value is None else value for value in values], float)


def _why(found: Mapping[str, Outcome], name: str) -> str:
    if name not in found:
        return "there is no such outcome"
    return found[name].reason or "not known"


def _left_out(name: str, base: Replicates, reform: Replicates, paired: Mask) -> str | None:
    """Why some replicates, or all, do not count."""
    if paired.all():
        return None
    first = int(np.argmin(paired))
    unknown = [r for r in (base[first], reform[first]) if name not in r or r[name].value is None]
    if len(unknown) == 2:
        reason = _why(next((r for r in unknown if name in r), unknown[0]), name)
    else:
        run = "in the base run" if unknown[0] is base[first] else "under the reform"
        reason = f"{run}: {_why(unknown[0], name)}"
    return f"in {int((~paired).sum())} of {paired.size} replicates: {reason}" if paired.any() else reason


# who gains and who loses ----------------------------------------------------------------------------------------------


def gains(counts: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Who gains and who loses: net survivors and months gained by group, with intervals over replicates.

    Parameters
    ----------
    counts : `sim.statistics.twins.counts` of all replicates, one below the other

    Returns
    -------
    DataFrame
        A row each `at`, grouping and group: replicates (those that have anybody in the group), n (people in all of
        them); saved_per_1000, lost_per_1000, net_per_1000 with net_low, net_high; months_gained (per person) with
        months_low, months_high; reason, why the intervals are null or of length 0.

    Notes
    -----
    Replicates are pooled: a rate is the sum of its counts over the people of all replicates. Its interval is Student's
    t of the linearised ratio (Cochran 1977, 6.3), the residuals of each replicate over its mean number of people; with
    as many people in each replicate that is the plain interval of the mean of the rates. It is too short where a
    group's size varies much between a few replicates. An interval of length 0 is no certainty: no replicate showed a
    difference. No correction is made for looking at many groups: of twenty without any effect one is expected to show
    one. On `base_highest_stage` see `counts`.
    """
    rows = []
    for (at, grouping, group), table in counts.groupby(["at", "grouping", "group"], sort=False, observed=True):
        present = table[table["n"] > 0]
        n = present["n"].to_numpy(float)
        row: dict[str, object] = {"at": at, "grouping": grouping, "group": group}
        row |= {"replicates": n.size, "n": int(n.sum())}
        if n.size:
            net = _pooled(present["net"].to_numpy(), n, level)
            months = _pooled(present["months_gained"].to_numpy(), n, level)
            row |= {f"{kind}_per_1000": 1000 * present[kind].sum() / n.sum() for kind in ("saved", "lost")}
            row |= {"net_per_1000": 1000 * net.value, "net_low": 1000 * net.low, "net_high": 1000 * net.high}
            row |= {"months_gained": months.value, "months_low": months.low, "months_high": months.high}
        row["reason"] = _no_interval(present)
        rows.append(row)
    rates = ["saved_per_1000", "lost_per_1000", "net_per_1000", "net_low", "net_high"]
    numbers = [*rates, "months_gained", "months_low", "months_high"]
    names = ["at", "grouping", "group", "replicates", "n", *numbers, "reason"]
    whole = {"replicates": "int64", "n": "int64"}
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(numbers, "float64") | whole)


def _pooled(total: npt.NDArray[np.number], people: Floats, level: float) -> Mean:
    ratio = total.sum() / people.sum()
    return student(ratio + (total - ratio * people) / people.mean(), level=level)


def _no_interval(present: pd.DataFrame) -> str | None:
    if len(present) < 2:
        return "one replicate has no interval" if len(present) else "nobody arrived early enough"
    if not present[["net", "months_gained"]].to_numpy().any():
        return "no difference in any replicate"
    return None
