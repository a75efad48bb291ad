"""Null models: what a coin and a random walk would score. A fact that one of them passes tells little for the model.

``coin``: each month a shop closes with the same chance, whatever its size, and its log sales take a normal step.
``floor``: the same with half that chance, and a shop also closes when its sales fall below a floor, the same for all.

Both get the scenario's own newcomers, first sales and rule for staff; chance, step and floor are chosen so that
survival at five years and the mean and spread of survivors' yearly growth are the run's. Both have an incubator that
takes the largest at one year of age, as many as the run's, and changes nothing; no trial has an effect in them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.statistics.columns import Floats, Ints
from sim.validation.record import FULL_YEAR, NotKnown, Record, enough
from sim.validation.treatment import INCUBATOR, incubated

__all__ = ["NULLS", "Law", "Lives", "averaging", "fitted", "live", "null"]

NULLS = ("coin", "floor")

_MOST = 100_000
"""assumed: newcomers of a null model at most, an even sample of the run's; its statistics are shares."""

_PILOT = 10_000
"""assumed: newcomers of the runs that the floor is chosen by."""

_ROUNDS = 6
"""assumed: rounds in which step and floor are brought to agree; the third decimal no longer moves."""

_ADMITTED_AT = 12
"""Age at which the null's incubator takes the largest, months."""


@dataclass(frozen=True)
class Law:
    """A null model's numbers.

    Attributes
    ----------
    chance : of closing, 1/month
    drift, sd : of the monthly step of log sales
    floor : log of monthly sales below which a shop closes; minus infinity for none
    """

    chance: float
    drift: float
    sd: float
    floor: float = -math.inf


class Lives(NamedTuple):
    """What became of a null model's people; the first four of shape (people,), the others (observations,).

    Attributes
    ----------
    duration, event, sales, last : months traded; whether closed; smoothed annual sales and log of the last month's
    who, month, annual, ln_month : person, month after the horizon's start, the year's sales, log of this month's
    """

    duration: Ints
    event: npt.NDArray[np.bool_]
    sales: Floats
    last: Floats
    who: Ints
    month: Ints
    annual: Floats
    ln_month: Floats


def live(law: Law, ln_first: Floats, arrival: Ints, months: int, seed: int) -> Lives:
    """Live newcomers' months by a law.

    Parameters
    ----------
    ln_first : log of sales in the first month, CNY/month, shape (people,)
    arrival : month of arrival, 0 <= arrival < months
    seed : of the draws

    Notes
    -----
    Annual sales are the model's: smoothed at the end, R += (12 S - R) / min(12, age) at each month of age from 1; in
    the yearly observations the sum of twelve months, and of a younger shop its mean month times 12.
    """
    rng = np.random.default_rng(seed)
    n = arrival.size
    duration, event = (months - arrival).astype(np.intp), np.zeros(n, bool)
    sales, last = np.zeros(n), np.zeros(n)
    who, ln_sales, smoothed, sold = np.arange(n), ln_first.astype(float), np.zeros(n), np.zeros(n)
    seen: list[tuple[Any, ...]] = []
    for age in range(1, months + 1):
        smoothed = smoothed + (12 * np.exp(ln_sales) - smoothed) / min(12, age)
        sold = sold + np.exp(ln_sales)
        leaves = (rng.random(who.size) < law.chance) | (ln_sales < law.floor)
        sales[who], last[who] = smoothed, ln_sales
        duration[who[leaves]], event[who[leaves]] = age, True
        end = arrival[who] + age
        observed = ~leaves & (end % 12 == 0)
        seen.append((who[observed], end[observed], sold[observed] * (12 / min(12, age)), ln_sales[observed]))
        stays = ~leaves & (end < months)
        who, smoothed, sold = who[stays], smoothed[stays], np.where(observed, 0.0, sold)[stays]
        ln_sales = ln_sales[stays] + law.drift + law.sd * rng.standard_normal(who.size)
        if not who.size:
            break
    observations = (np.concatenate(column) for column in zip(*seen, strict=True))
    return Lives(duration, event, sales, last, *observations)


def averaging() -> float:
    """Variance of a year's growth of annual sales, over the variance of a monthly step of log sales.

    To first order the log of a year's sales is the mean of its months' logs. Its change from one year to the next is
    the sum of c_k e_(t-k), with c rising evenly to 1 at k = 11 and falling evenly after it; this is the sum of c_k^2.
    """
    weights = 1 - np.abs(np.arange(-11, 12)) / 12
    return float(weights @ weights)


def fitted(kind: str, record: Record, seed: int = 0) -> Law:
    """A null model's numbers, chosen by a run. Raises NotKnown where the run is too short, or has no panel."""
    age = min(60, record.months)
    alive = record.survival(age)
    _, growth = record.growth
    mean, sd = float(growth.mean()), float(growth.std())
    if not 0 < alive < 1:
        raise NotKnown("nobody_left")
    chance = 1 - alive ** (1 / age)
    law = Law(chance if kind == "coin" else chance / 2, mean / 12, sd / math.sqrt(averaging()))
    ln_first, arrival = _people(record, _PILOT)
    for _ in range(_ROUNDS):
        found = _growth(live(law, ln_first, arrival, record.months, seed), arrival)
        enough(found.size)
        drift, scale = float(mean - found.mean()) / 12, sd / float(found.std())
        law = replace(law, drift=law.drift + drift, sd=law.sd * scale)
        if kind == "floor":
            law = replace(law, floor=_floor(law, ln_first, age, alive, seed))
    return law


def _floor(law: Law, ln_first: Floats, age: int, alive: float, seed: int) -> float:
    """The floor at which as many are alive at an age as should be, by bisection under the same draws."""
    low, high = float(ln_first.min()) - 3, float(ln_first.max())
    arrival = np.zeros(ln_first.size, np.intp)
    for _ in range(14):
        middle = (low + high) / 2
        left = np.mean(~live(replace(law, floor=middle), ln_first, arrival, age, seed).event)
        low, high = (middle, high) if left > alive else (low, middle)
    return (low + high) / 2


def _growth(lives: Lives, arrival: Ints) -> Floats:
    """As `Record.growth`."""
    order = np.lexsort((lives.month, lives.who))
    who, annual = lives.who[order], np.log(lives.annual[order])
    whole = lives.month[order] - arrival[who] >= FULL_YEAR
    change: Floats = np.diff(annual)[(np.diff(who) == 0) & whole[:-1]]
    return change


def _people(record: Record, most: int) -> tuple[Floats, Ints]:
    """First sales and arrivals of an even sample of the newcomers."""
    new = record.new
    if new.empty:
        raise NotKnown("nobody_arrived")
    rows = np.unique(np.linspace(0, len(new) - 1, min(most, len(new))).astype(np.intp))
    first = np.maximum(new["first_sales_cny"].to_numpy()[rows], 1.0)
    return np.log(first), new["arrival_month"].to_numpy()[rows].astype(np.intp)


def null(kind: str, record: Record, seed: int = 0) -> Record:
    """A null model's replicate, as a run's tables as far as the facts read them."""
    law = fitted(kind, record, seed)
    ln_first, arrival = _people(record, _MOST)
    lives = live(law, ln_first, arrival, record.months, seed + 1)
    uid = (arrival * 10**6 + np.arange(arrival.size)) * 10
    order = np.lexsort((lives.month, uid[lives.who]))
    who = lives.who[order]
    people = pd.DataFrame(
        {
            "replicate": 0,
            "uid": uid,
            "initial": False,
            "attempt": 0,
            "arrival_month": arrival,
            "duration_months": lives.duration,
            "entry_age_months": 0,
            "event": lives.event,
            "first_sales_cny": np.exp(ln_first),
            "sales_12m_cny": lives.sales,
            "employees": _staff(lives.last, record),
        }
    )
    panel = pd.DataFrame(
        {
            "replicate": 0,
            "uid": uid[who],
            "year": lives.month[order] // 12,
            "age_months": lives.month[order] - arrival[who],
            "sales_cny": lives.annual[order],
            "employees": _staff(lives.ln_month[order], record),
        }
    )
    tables = {"entrepreneurs": people, "panel": panel, "transitions": _admissions(people, panel, record)}
    return Record(tables, record.scenario, {name: _still(trial) for name, trial in record.trials.items()})


def _staff(ln_sales: Floats, record: Record) -> Ints:
    """Staff of shops by the scenario's own rule: floor((S / S_e)^power) from S_e on."""
    money = record.scenario["behaviour"]["money"]
    size = np.exp(money["staff_exponent"] * (ln_sales - math.log(money["first_employee_at"])))
    return np.where(size >= 1, np.floor(size), 0).astype(np.intp)


def _admissions(people: pd.DataFrame, panel: pd.DataFrame, record: Record) -> pd.DataFrame:
    """The largest of each year's survivors enter an incubator, the same share as in the run."""
    try:
        share = float(np.mean(incubated(record)[1]))
    except NotKnown:
        share = 0.0
    young = panel[panel["age_months"] <= _ADMITTED_AT]
    bar = young["sales_cny"].quantile(1 - share) if len(young) else 0.0
    chosen = young[(young["sales_cny"] > bar) | (share >= 1)]
    return pd.DataFrame(
        {
            "replicate": 0,
            "uid": chosen["uid"].to_numpy(),
            "month": 12 * chosen["year"].to_numpy() - 1,
            "to_stage": pd.Categorical([INCUBATOR] * len(chosen), categories=[INCUBATOR]),
        }
    )


def _still(trial: pd.DataFrame | NotKnown) -> pd.DataFrame | NotKnown:
    """A trial in which nothing has an effect: everybody fares as without the treatment. Other trials are not known."""
    if isinstance(trial, NotKnown):
        return trial
    pairs = {c: c.replace("_trial", "_control") for c in map(str, trial) if c.endswith("_trial")}
    if not pairs:
        return NotKnown("not_in_a_null")
    return trial.assign(**{after: trial[before] for after, before in pairs.items()})
