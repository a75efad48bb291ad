"""How far founders move along the chain, how fast, and how full its stages are.

Two ways to count a stage when stages can be skipped: a newcomer has *entered* it if a transition led into it, and has
*reached* it if he entered it or any later one. Reach never rises along the chain, so conversion between stages is a
share; who jumps from the maker space to the accelerator has reached the incubator without entering it.

Months to a stage are the months traded before moving in: a move at the end of the first month of trade takes 1 month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.statistics.columns import Floats, Ints, Table, category, codes, counted
from sim.statistics.lifetable import LifeTable, first_incidence, life_table, life_tables
from sim.statistics.outcome import Outcome
from sim.tables import ARRIVED, STILL_THERE

__all__ = [
    "NEVER",
    "Passage",
    "crowding",
    "first_entered",
    "first_reached",
    "flow",
    "funnel",
    "occupancy",
    "passages",
    "sojourns",
]

NEVER = np.iinfo(np.int32).max
"""Months to a stage that was not reached while the run lasted."""


def first_entered(entrepreneurs: Table, transitions: Table, stages: Sequence[str]) -> npt.NDArray[np.int32]:
    """Months traded until the first move into each stage, shape (stages, rows of entrepreneurs); else NEVER.

    The first stage is where everybody starts: its row counts only returns to it. Moves of people who are not in
    `entrepreneurs` are ignored.
    """
    n = len(entrepreneurs)
    first = np.full(len(stages) * n, NEVER, np.int32)
    to = codes(transitions["to_stage"], stages)
    moved = np.flatnonzero(to >= 1)
    row = _rows(entrepreneurs, transitions, moved)
    moved, row = moved[row >= 0], row[row >= 0]
    months = transitions["month"].to_numpy()[moved] - entrepreneurs["arrival_month"].to_numpy()[row] + 1
    np.minimum.at(first, to[moved] * n + row, months.astype(np.int32))
    return first.reshape(len(stages), n)


def first_reached(entrepreneurs: Table, transitions: Table, stages: Sequence[str]) -> npt.NDArray[np.int32]:
    """Months traded until each stage or a later one was entered; as `first_entered`, and 0 for the first stage."""
    first = first_entered(entrepreneurs, transitions, stages)
    for k in range(len(stages) - 2, 0, -1):
        np.minimum(first[k], first[k + 1], out=first[k])
    first[0] = 0
    return first


class Passage(NamedTuple):
    """How people get to a stage, with exit as the competing event and the horizon's end as censoring."""

    share: Floats
    """Cumulative incidence by month of age, from 1."""
    median: int | None
    """Months by which half of those who get there within the observed ages are there; None if nobody does."""
    mean: float | None
    """Their mean months."""


def passages(
    lives: LifeTable, months_to: npt.NDArray[np.integer[Any]], durations: npt.ArrayLike, events: npt.ArrayLike
) -> list[Passage]:
    """Aalen-Johansen estimates of the ways to some stages.

    Parameters
    ----------
    lives : life table of all who set out, seen from the start
    months_to : months to each stage, >= 1, of the same people or of those of them who got anywhere; NEVER for those who
        did not get there; shape (stages, people)
    durations, events : of these people, as in `life_table`

    Notes
    -----
    Median and mean are of the estimated distribution given arrival at the stage by the last observed age, so late
    cohorts, who had less time, do not make the way look short as the plain mean over those who got there would.
    """
    stage, who = np.nonzero(months_to < NEVER)
    there = life_tables(months_to[stage, who], np.ones(who.size, bool), stage, len(months_to))
    # who is there is neither under way nor able to leave on the way
    after = life_tables(np.asarray(durations)[who], np.asarray(events)[who], stage, len(months_to))

    def fit(counts: npt.NDArray[Any]) -> npt.NDArray[Any]:
        whole = np.zeros((len(months_to), lives.ages.size), counts.dtype)
        whole[:, : counts.shape[1]] = counts
        return whole

    under_way = lives.at_risk - fit(after.at_risk) + fit(there.at_risk)
    shares = first_incidence(under_way, np.stack([fit(there.events), lives.events - fit(after.events)]))
    return [_passage(share, lives.ages) for share in shares]


def _passage(share: Floats, ages: Ints) -> Passage:
    if not share.size or share[-1] <= 0:
        return Passage(share, None, None)
    steps = np.diff(share, prepend=0.0)
    median = int(np.argmax(share >= share[-1] / 2 - 1e-12)) + 1
    return Passage(share, median, float(steps @ ages / share[-1]))


def sojourns(
    entrepreneurs: pd.DataFrame, transitions: pd.DataFrame, stages: Sequence[str], *, months: int
) -> pd.DataFrame:
    """Every stay of a newcomer in a stage.

    Returns
    -------
    DataFrame
        stage, months (whole, >= 1), event (false where the run ended first). Arrival is at the start of a month, all
        other moves at its end; stays that the run's last month began have no length yet and no row.
    """
    everyone = _rows(entrepreneurs, transitions, np.arange(len(transitions)))
    known = np.flatnonzero(everyone >= 0)
    mine = known[counted(entrepreneurs, "newcomers")[everyone[known]]]
    order = mine[np.lexsort((mine, transitions["month"].to_numpy()[mine], everyone[mine]))]
    who = everyone[order]
    to = codes(transitions["to_stage"], stages)[order]
    month = transitions["month"].to_numpy()[order].astype(np.intp)
    begin = month + (codes(transitions["reason"], ["arrived"])[order] != 0)
    goes_on = np.append(who[1:] == who[:-1], False) if who.size else np.zeros(0, bool)
    end = np.where(goes_on, np.append(month[1:], 0) + 1, months)
    stay = (to >= 0) & (end > begin)
    return pd.DataFrame(
        {
            "stage": category(to[stay], stages),
            "months": (end - begin)[stay],
            "event": goes_on[stay],
        }
    )


def occupancy(months: pd.DataFrame, stages: Sequence[str]) -> pd.DataFrame:
    """How full each stage is in each month.

    Returns
    -------
    DataFrame
        replicate, month, stage, living, places, utilisation (living / places; null where the stage is open or has no
        places), waiting.
    """
    kept = codes(months["stage"], stages) >= 0
    frame = months.loc[kept, ["replicate", "month", "stage", "living", "places", "waiting"]].reset_index(drop=True)
    limited = frame["places"].where(frame["places"] > 0)
    frame.insert(5, "utilisation", frame["living"] / limited.astype(float))
    return frame


def crowding(months: Table, stages: Sequence[str], *, last: int = 12) -> tuple[dict[str, Outcome], dict[str, Outcome]]:
    """Utilisation and waiting of each stage: means over the last `last` months of the run (fewer if it is shorter).

    Occupancy is living / places, unknown for an open stage; waiting is the mean number turned away in a month.
    """
    stage = codes(months["stage"], stages)
    month = months["month"].to_numpy()
    recent = (stage >= 0) & (month > month.max(initial=0) - last)
    living, places, waiting = (months[c].to_numpy() for c in ("living", "places", "waiting"))
    full: dict[str, Outcome] = {}
    queue: dict[str, Outcome] = {}
    for k, name in enumerate(stages):
        rows = recent & (stage == k)
        if not rows.any():
            full[name] = Outcome.unknown("share", f"the run has no month of {name}")
            queue[name] = Outcome.unknown("count", f"the run has no month of {name}")
            continue
        open_to_all = bool((places[rows] < 0).any())
        reason = f"{name} is open to all" if open_to_all else f"{name} has no places"
        capacity = 0 if open_to_all else int(places[rows].sum())
        full[name] = Outcome.ratio(living[rows].sum(), capacity, "share", reason)
        queue[name] = Outcome(float(waiting[rows].mean()), "count")
    return full, queue


def funnel(tables: Mapping[str, pd.DataFrame], *, months: int, stages: Sequence[str]) -> pd.DataFrame:
    """The chain in one table, for newcomers; one row a stage.

    Returns
    -------
    DataFrame
        stage; entered, reached (people); entered_share, reached_share (of newcomers, within the horizon); conversion
        (reached / reached the stage before); by_12m, by_36m, by_60m (cumulative incidence of reaching it, exit
        competing; null beyond the run); months_median, months_mean (to the stage, see `passages`); sojourn_median
        (Kaplan-Meier) and sojourn_mean (within the longest stay on record); occupancy, waiting (last 12 months). Null
        where not known.
    """
    people, moves = tables["entrepreneurs"], tables["transitions"]
    new = counted(people, "newcomers")
    n = int(new.sum())
    durations, events = people["duration_months"].to_numpy()[new], people["event"].to_numpy(bool)[new]
    lives = life_table(durations, events)
    entered = (first_entered(people, moves, stages)[:, new] < NEVER).sum(axis=1)
    entered[0] = n
    to = first_reached(people, moves, stages)[:, new]
    there = to < NEVER
    reached = there.sum(axis=1)
    stays = sojourns(people, moves, stages, months=months)
    stayed = codes(stays["stage"], stages)
    full, queue = crowding(tables["months"], stages)
    start = Passage(np.ones(1), 0, 0.0) if n else Passage(np.ones(0), None, None)
    ways = [start, *passages(lives, to[1:], durations, events)]
    rows = []
    for k, name in enumerate(stages):
        way = ways[k]
        mine = stayed == k
        stay = life_table(stays["months"].to_numpy()[mine], stays["event"].to_numpy()[mine])
        mean = stay.rmst(stay.ages.size) if mine.any() else None
        rows.append(
            {
                "stage": name,
                "entered": entered[k],
                "reached": reached[k],
                "entered_share": _share(entered[k], n),
                "reached_share": _share(reached[k], n),
                "conversion": _share(reached[k], reached[k - 1] if k else n),
                **{f"by_{age}m": _incidence_at(way.share, age, lives.known_to) for age in (12, 36, 60)},
                "months_median": way.median,
                "months_mean": way.mean,
                "sojourn_median": stay.quantile(),
                "sojourn_mean": mean.value if mean else None,
                "occupancy": full[name].value,
                "waiting": queue[name].value,
            }
        )
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys(frame.columns[3:], float))


def flow(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every move of the newcomers, from arrival to exit, or to where they are when the run ends.

    Returns
    -------
    DataFrame
        source (`ARRIVED`, a stage, or outside), target (a stage, outside, an exit reason, or `STILL_THERE`), moves. Who
        leaves a place and comes back is counted each time. So what goes into a place comes out of it, and all that
        arrive end somewhere, exactly.
    """
    people, log = tables["entrepreneurs"], tables["transitions"]
    new = counted(people, "newcomers")
    row = _rows(people, log, np.arange(len(log)))
    known = np.flatnonzero(row >= 0)
    mine = log.iloc[known[new[row[known]]]]
    kinds = mine.groupby(["from_stage", "to_stage", "reason"], observed=True, dropna=False, sort=False).size()
    there = people.loc[new & ~people["event"].to_numpy(bool), "stage"].value_counts()
    rows = [
        (ARRIVED if pd.isna(here) else here, why if pd.isna(to) else to, count)
        for here, to, why, count in kinds.reset_index().itertuples(index=False)
    ]
    rows += [(str(stage), STILL_THERE, count) for stage, count in there.items() if count]
    frame = pd.DataFrame(rows, columns=["source", "target", "moves"]).astype({"moves": "int64"})
    return frame.groupby(["source", "target"], sort=False)["moves"].sum().reset_index()


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _incidence_at(share: Floats, age: int, known_to: int) -> float | None:
    """The curve at an age, as far as lives are known; where all have left it stays as it was."""
    return float(share[min(age, share.size) - 1]) if share.size and age <= known_to else None


def _rows(entrepreneurs: Table, transitions: Table, chosen: Ints) -> Ints:
    """Row of `entrepreneurs` of each chosen transition; -1 if the person is not there."""
    people, movers = _keys(entrepreneurs, slice(None)), _keys(transitions, chosen)
    order = None if bool(np.all(people[1:] > people[:-1])) else np.argsort(people, kind="stable")
    place = np.searchsorted(people, movers, sorter=order)
    place = np.minimum(place, max(people.size - 1, 0))
    row = place if order is None or not order.size else order[place]
    if not people.size:
        return np.full(movers.size, -1, np.intp)
    return np.where(people[row] == movers, row, -1)


def _keys(table: Table, chosen: Ints | slice) -> npt.NDArray[np.int64]:
    """One number a person: uids are below 2^39 in size by their definition, and negative before the year 2000."""
    replicate: npt.NDArray[np.int64] = table["replicate"].to_numpy()[chosen].astype(np.int64)
    keys: npt.NDArray[np.int64] = (replicate << 40) + table["uid"].to_numpy()[chosen]
    return keys
