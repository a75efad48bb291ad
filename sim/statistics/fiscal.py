"""What the city pays, and what it pays per founder, survivor and job.

The ledger knows when money was paid and for what, but not to which cohort; `received_cny` knows to whom, but not when.
So totals come from the ledger, and unit costs from what the newcomers themselves received: numerator and denominator
are then the same people.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from sim.statistics.columns import Floats, counted, factor
from sim.statistics.outcome import Outcome

__all__ = ["per_survivor", "spending", "spent", "unit_costs"]


def spent(ledger: pd.DataFrame, *, discount: float = 0.0) -> float:
    """All that was paid, CNY, to newcomers and others; discounted to the horizon's start at the yearly rate `discount`.

    Without discounting the sum is taken in whole fen, so it does not depend on the order of the rows.
    """
    if discount == 0.0:
        return float(np.rint(ledger["paid_cny"].to_numpy() * 100).astype(np.int64).sum() / 100)
    return float(_present_value(ledger, discount).sum())


def spending(
    ledger: pd.DataFrame,
    by: Literal["instrument", "year", "stage", "education"] | None = None,
    *,
    discount: float = 0.0,
) -> pd.DataFrame:
    """What was paid over the run.

    Parameters
    ----------
    ledger : of one replicate
    by : what to add up by; None for the total. Years of the run count from 1.
    discount : yearly rate; a payment in month m (from 0) is worth (1 + discount)^(-m/12) of itself

    Returns
    -------
    DataFrame
        the `by` column, recipients (payments made), paid_cny.
    """
    if by is None:
        group, labels = np.zeros(len(ledger), np.intp), np.array(["all"], dtype=object)
    elif by == "year":
        group = ledger["month"].to_numpy().astype(np.intp) // 12
        labels = np.arange(1, group.max(initial=-1) + 2)
    else:
        group, names = factor(ledger[by])
        labels = np.array(names, dtype=object)
    paid = np.bincount(group, _present_value(ledger, discount), labels.size)
    payments = np.bincount(group, ledger["recipients"].to_numpy(), labels.size).astype(np.int64)
    return pd.DataFrame({by or "group": labels, "recipients": payments, "paid_cny": paid})


def per_survivor(entrepreneurs: pd.DataFrame, age: int, *, months: int) -> Outcome:
    """Public money per newcomer who is alive at `age` months, CNY.

    Over the newcomers who arrived at least `age` months before the end, so that it is known who survived:

        all public money that they received until the end of the run / how many of them traded on after `age` months

    Those who left earlier count in the numerator, not below: their money is part of the price of a survivor. What the
    survivors received after `age` counts as well (it is not dated by person), so the older a cohort is when the run
    ends, the more it may include. Null where nobody arrived early enough or nobody survived; never infinite.
    """
    unit = "CNY/person"
    if months < age:
        return Outcome.unknown(unit, f"the run is {months} months long: nobody can be {age} months old")
    early = counted(entrepreneurs, "newcomers") & (entrepreneurs["arrival_month"].to_numpy() <= months - age)
    if not early.any():
        return Outcome.unknown(unit, f"nobody arrived {age} months or more before the end")
    gone = entrepreneurs["event"].to_numpy(bool) & (entrepreneurs["duration_months"].to_numpy() <= age)
    received = entrepreneurs["received_cny"].to_numpy()[early].sum()
    return Outcome.ratio(received, int((early & ~gone).sum()), unit, f"nobody survived {age} months")


def unit_costs(entrepreneurs: pd.DataFrame, *, months: int) -> pd.DataFrame:
    """What the newcomers of one replicate received per arrival, per survivor at 36 and 60 months, and per job.

    Jobs are the newcomers who trade at the end of the run, and their staff. No discounting.

    Returns
    -------
    DataFrame
        per (arrival, survivor_36m, survivor_60m, job), value, unit, reason (why a value is null).
    """
    new = counted(entrepreneurs, "newcomers")
    living = new & ~entrepreneurs["event"].to_numpy(bool)
    received = entrepreneurs["received_cny"].to_numpy()[new].sum()
    jobs = int(living.sum()) + int(entrepreneurs["employees"].to_numpy()[living].sum())
    found = {
        "arrival": Outcome.ratio(received, int(new.sum()), "CNY/person", "nobody arrived"),
        "survivor_36m": per_survivor(entrepreneurs, 36, months=months),
        "survivor_60m": per_survivor(entrepreneurs, 60, months=months),
        "job": Outcome.ratio(received, jobs, "CNY/person", "no newcomer trades at the end of the run"),
    }
    rows = [(per, o.value, o.unit, o.reason) for per, o in found.items()]
    return pd.DataFrame(rows, columns=["per", "value", "unit", "reason"]).astype({"value": float})


def _present_value(ledger: pd.DataFrame, discount: float) -> Floats:
    paid = ledger["paid_cny"].to_numpy().astype(float)
    return paid * (1 + discount) ** (-ledger["month"].to_numpy() / 12)
