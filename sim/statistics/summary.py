"""The outcomes of one run, and their means and spread over replicates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from sim.statistics.columns import Mask, Table, codes, counted
from sim.statistics.fiscal import per_survivor, spent
from sim.statistics.funnel import crowding, first_reached, passages
from sim.statistics.lifetable import LifeTable, life_table
from sim.statistics.outcome import Outcome
from sim.statistics.scale import sizes

__all__ = ["Outcome", "needed", "outcomes", "summarise"]


def outcomes(
    tables: Mapping[str, Table], *, months: int, stages: Sequence[str], only: Collection[str] | None = None
) -> dict[str, Outcome]:
    """All outcomes of ONE replicate, by name. What the run cannot know is null with a reason.

    Parameters
    ----------
    tables : `entrepreneurs`, `transitions`, `months` and `ledger`
    months : length of the horizon
    stages : ids of the chain, in order
    only : names that are wanted; others may be left out, and their tables may be missing (see `needed`)

    Returns
    -------
    dict
        About the newcomers (first shops opened within the horizon):

        - arrivals; newcomers_living_end
        - survival_12m, survival_36m, survival_60m: Kaplan-Meier P(T > age); median_life_months; rmst_60m: mean months
          traded within the first 60
        - reached_<stage>: share that has entered the stage or a later one within the horizon; months_to_<stage>: median
          months traded until then, of those who get there (Aalen-Johansen; see `sim.statistics.funnel.passages`). Not
          for the first stage, where all start
        - the size statistics of `sim.statistics.scale.sizes`, of those who trade at the end
        - spent_per_survivor_36m_cny, spent_per_survivor_60m_cny: see `sim.statistics.fiscal.per_survivor`

        About everybody, initial stock and restarts included: living_end; occupancy_<stage> and waiting_<stage>, means
        of the last 12 months; spent_cny, all that the ledger holds.
    """
    people = tables["entrepreneurs"]
    new = counted(people, "newcomers")
    event = people["event"].to_numpy(bool)
    durations = people["duration_months"].to_numpy()[new]
    living = new & ~event
    there = needed(only)
    out = {"arrivals": Outcome(float(new.sum()), "persons")}
    lives = life_table(durations, event[new])
    out |= _lives(lives, months)
    out |= _reached(people, new, stages)
    if "transitions" in there:
        out |= _progress(tables, new, lives, stages)
    out["living_end"] = Outcome(float(np.count_nonzero(~event)), "persons")
    out["newcomers_living_end"] = Outcome(float(living.sum()), "persons")
    out |= sizes(people["sales_12m_cny"].to_numpy()[living], people["employees"].to_numpy()[living])
    if "months" in there:
        occupancy, waiting = crowding(tables["months"], stages)
        out |= {f"occupancy_{stage}": o for stage, o in occupancy.items()}
        out |= {f"waiting_{stage}": o for stage, o in waiting.items()}
    if "ledger" in there:
        out["spent_cny"] = Outcome(spent(tables["ledger"]), "CNY")
    for age in (36, 60):
        out[f"spent_per_survivor_{age}m_cny"] = per_survivor(people, age, months=months)
    return out


def needed(only: Collection[str] | None) -> frozenset[str]:
    """The tables that some outcomes are told from; all that any is, without `only`."""
    rooms = {"transitions": ("months_to_",), "months": ("occupancy_", "waiting_"), "ledger": ("spent_cny",)}
    asked = {table for table, names in rooms.items() if only is None or any(name.startswith(names) for name in only)}
    return frozenset({"entrepreneurs", *asked})


def _lives(table: LifeTable, months: int) -> dict[str, Outcome]:
    out = {}
    for age in (12, 36, 60):
        value = table.at(age)
        out[f"survival_{age}m"] = _or_reason(
            value, "share", _too_young(table, months, age, f"survival at {age} months")
        )
    reason = "nobody arrived"
    if table.ages.size:
        reason = f"at the last observed age, {table.ages.size} months, more than half still trade"
    out["median_life_months"] = _or_reason(table.quantile(), "months", reason)
    mean = table.rmst(60)
    reason = _too_young(table, months, 60, "mean life within 60 months")
    out["rmst_60m"] = (
        Outcome(mean.value, "months", error=mean.variance**0.5) if mean else Outcome.unknown("months", reason)
    )
    return out


def _too_young(table: LifeTable, months: int, age: int, what: str) -> str:
    if months < age:
        return f"the run is {months} months long: {what} cannot be known"
    if not table.ages.size:
        return "nobody arrived"
    return f"nobody was observed beyond {table.ages.size} months of age: {what} cannot be known"


def _or_reason(value: float | None, unit: str, reason: str) -> Outcome:
    return Outcome.unknown(unit, reason) if value is None else Outcome(float(value), unit)


def _reached(people: Table, new: Mask, stages: Sequence[str]) -> dict[str, Outcome]:
    highest = np.bincount(codes(people["highest_stage"], stages)[new] + 1, minlength=len(stages) + 1)[1:]
    reached = highest[::-1].cumsum()[::-1]
    n = int(new.sum())
    return {
        f"reached_{stage}": Outcome.ratio(reached[k], n, "share", "nobody arrived")
        for k, stage in enumerate(stages[1:], start=1)
    }


def _progress(tables: Mapping[str, Table], new: Mask, lives: LifeTable, stages: Sequence[str]) -> dict[str, Outcome]:
    people = tables["entrepreneurs"]
    to = first_reached(people, tables["transitions"], stages)[1:, new]
    durations, events = people["duration_months"].to_numpy()[new], people["event"].to_numpy(bool)[new]
    out = {}
    for stage, way in zip(stages[1:], passages(lives, to, durations, events), strict=True):
        reason = f"no newcomer reached {stage}" if new.any() else "nobody arrived"
        out[f"months_to_{stage}"] = _or_reason(way.median, "months", reason)
    return out


def summarise(replicates: Sequence[Mapping[str, Outcome]], *, level: float = 0.95) -> pd.DataFrame:
    """The `summary` table: mean over replicates with its Student-t interval, and apart from it the spread between runs.

    Replicates that do not know an outcome are left out of it; `n` counts the others and `reason` says why. With one
    replicate neither the interval nor the spread is known: both are null.

    Parameters
    ----------
    replicates : the outcomes of each replicate, with the same names
    level : of the interval of the mean

    Returns
    -------
    DataFrame
        outcome, mean, sd, ci_low, ci_high, p10, p90, n, unit, reason, in the order of the first replicate.
    """
    from scipy.special import stdtrit

    rows = []
    for name in replicates[0] if replicates else ():
        found = [r[name] for r in replicates]
        values = np.array([o.value for o in found if o.value is not None])
        n = values.size
        mean = float(values.mean()) if n else None
        row = {"outcome": name, "mean": mean, "n": n, "unit": found[0].unit, "reason": _why(found)}
        if n > 1 and mean is not None:
            sd = float(values.std(ddof=1))
            half = float(stdtrit(n - 1, 0.5 + level / 2)) * sd / n**0.5
            p10, p90 = np.quantile(values, (0.1, 0.9))
            row |= {"sd": sd, "ci_low": mean - half, "ci_high": mean + half, "p10": p10, "p90": p90}
        rows.append(row)
    numbers = ["mean", "sd", "ci_low", "ci_high", "p10", "p90"]
    frame = pd.DataFrame(rows, columns=["outcome", *numbers, "n", "unit", "reason"])
    return frame.astype(dict.fromkeys(numbers, "float64") | {"n": "int64"})


def _why(found: Sequence[Outcome]) -> str | None:
    unknown = [o.reason for o in found if o.value is None]
    if not unknown:
        return None
    part = "" if len(unknown) == len(found) else f"in {len(unknown)} of {len(found)} replicates: "
    return part + (unknown[0] or "not known")
