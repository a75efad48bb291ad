"""What the city pays, and what it pays per founder, survivor and job.

The ledger knows when money was paid and for what, but not to which cohort; `received_cny` knows to whom, but not when.
So totals come from the ledger, and unit costs from what the newcomers themselves received: numerator and denominator
are then the same people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from sim.statistics.columns import Floats, Table, counted, factor
from sim.statistics.outcome import Outcome

__all__ = ["DISCOUNT", "funds", "per_survivor", "per_unit", "planned", "spending", "spent", "unit_costs"]

DISCOUNT = 0.05
"""assumed: yearly rate at which money and what it buys are discounted, beside the undiscounted figures (0 to 0.08)."""


def spent(ledger: Table, *, discount: float = 0.0) -> float:
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


def per_survivor(entrepreneurs: Table, age: int, *, months: int) -> Outcome:
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
    return _tidy(found)


def per_unit(tables: Mapping[str, pd.DataFrame], *, months: int, discount: float = 0.0) -> pd.DataFrame:
    """What the city pays, on everybody, for each arrival, survivor and job-year of one replicate.

    All that the ledger holds over all that happened within the horizon, whoever it was: newcomers, the initial stock
    and restarts. So the four values share one numerator, the money of the whole policy. `unit_costs` asks about people
    instead: what the newcomers themselves received, over the same newcomers; undiscounted, since `received_cny` has no
    date; and over the jobs at the end of the run, where here a job counts for as long as it lasts.

    Parameters
    ----------
    tables : `entrepreneurs`, `months` and `ledger`
    months : length of the horizon
    discount : yearly rate of money AND of what it is spent on, both to the horizon's start: what happens in month m
        (from 0) counts (1 + discount)^(-m/12) of itself. The same rate for costs and effects is the rule of
        cost-effectiveness analysis (Drummond et al. 2015): otherwise any programme would look better by waiting

    Returns
    -------
    DataFrame
        per, value, unit, reason (why a value is null):

        - arrival: shops opened within the horizon, first shops and restarts, each in the month in which it opened
        - survivor_36m, survivor_60m: shops that pass that age within the horizon, each in the month at whose end it
          does; in a run that starts with an initial stock also those opened before it. Late arrivals cost money but
          cannot survive in time, so these two fall as the horizon grows
        - job_year: founders trading at the end of a month and the staff of that month, over 12
    """
    worth = (1 + discount) ** (-np.arange(months) / 12)
    people, city = tables["entrepreneurs"], tables["months"]
    month, paid = city["month"].to_numpy(), spent(tables["ledger"], discount=discount)
    jobs = city["living"].to_numpy() + city["employees"].to_numpy()
    arrivals = float(city["arrivals"].to_numpy() @ worth[month])
    found = {"arrival": Outcome.ratio(paid, arrivals, "CNY/person", "nobody arrived")}
    for age in (36, 60):
        passing = people["arrival_month"].to_numpy().astype(np.intp) + age - 1
        gone = people["event"].to_numpy(bool) & (people["duration_months"].to_numpy() <= age)
        in_time = passing[~gone & (passing >= 0) & (passing < months)]
        reason = f"nobody passed {age} months of age within the horizon"
        found[f"survivor_{age}m"] = Outcome.ratio(paid, worth[in_time].sum(), "CNY/person", reason)
    found["job_year"] = Outcome.ratio(paid, float(jobs @ worth[month]) / 12, "CNY/job-year", "nobody ever traded")
    return _tidy(found)


def funds(policy: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of a scenario's instruments, as plain values, that are active and cover others."""
    return [i for i in policy if i["active"] and i.get("covers")]


def planned(
    ledger: pd.DataFrame,
    budgets: Mapping[str, float | None],
    start: str,
    *,
    months: int | None = None,
    policy: Iterable[Mapping[str, Any]] = (),
) -> pd.DataFrame:
    """What was planned, claimed and paid, by calendar year and instrument; of one replicate.

    Parameters
    ----------
    ledger : with `refused_cny`, claims turned away for want of budget; where it is missing there were none
    budgets : instrument id -> yearly budget, CNY; None where there is no limit
    start : first month of the horizon, YYYY-MM
    months : length of the horizon, for rows of years in which nothing was claimed; by default up to the last claim
    policy : the scenario's instruments as plain values. What a fund's instruments claim and are paid while it is in
        force counts in its row as well as in theirs: sums over instruments leave the rows of `funds` out

    Returns
    -------
    DataFrame
        year (calendar), instrument, planned_cny (null without a budget), claimed_cny (paid + refused), paid_cny,
        share_disbursed (paid / planned; null without a budget or with a budget of 0). A row each year and instrument,
        those of `budgets` first. Budgets are for calendar years: years that the horizon covers in part show the whole
        year's budget. Who claims again every month is refused every month, so claims may exceed what would be paid
        without the limit.
    """
    first = _calendar(start)
    covered = (_covered(ledger, fund, first) for fund in funds(policy))
    ledger = pd.concat([ledger, *(rows for rows in covered if len(rows))])
    last = int(ledger["month"].max()) if len(ledger) else 0
    years = np.arange(first // 12, (first + max(last, (months or 1) - 1)) // 12 + 1)
    codes, labels = factor(ledger["instrument"])
    names = list(dict.fromkeys((*budgets, *labels)))
    place = np.array([names.index(label) for label in labels], np.intp)
    cell = ((ledger["month"].to_numpy().astype(np.intp) + first) // 12 - years[0]) * len(names) + place[codes]
    paid = np.bincount(cell, np.rint(ledger["paid_cny"].to_numpy() * 100), years.size * len(names))  # fen
    refused = np.zeros_like(paid)
    if "refused_cny" in ledger:
        refused = np.bincount(cell, np.rint(ledger["refused_cny"].to_numpy() * 100), paid.size)
    limits = np.array([budgets.get(name) for name in names], float)  # None becomes NaN
    limit = np.tile(limits, years.size)
    return pd.DataFrame(
        {
            "year": np.repeat(years, len(names)),
            "instrument": names * years.size,
            "planned_cny": limit,
            "claimed_cny": (paid + refused) / 100,
            "paid_cny": paid / 100,
            "share_disbursed": np.divide(paid / 100, limit, out=np.full(limit.size, np.nan), where=limit > 0),
        }
    )


def _calendar(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _covered(ledger: pd.DataFrame, fund: Mapping[str, Any], first: int) -> pd.DataFrame:
    """What is claimed of a fund, as its own; `first` is the calendar month of the ledger's month 0."""
    since, until = _calendar(fund["since"] or "0000-01"), _calendar(fund["until"] or "9999-12")
    in_force = (ledger["month"].astype(int) + first).between(since, until)
    return ledger[in_force & ledger["instrument"].isin(fund["covers"])].assign(instrument=fund["id"])


def _tidy(found: Mapping[str, Outcome]) -> pd.DataFrame:
    rows = [(per, o.value, o.unit, o.reason) for per, o in found.items()]
    return pd.DataFrame(rows, columns=["per", "value", "unit", "reason"]).astype({"value": float})


def _present_value(ledger: Table, discount: float) -> Floats:
    paid = ledger["paid_cny"].to_numpy().astype(float)
    return paid * (1 + discount) ** (-ledger["month"].to_numpy() / 12)
