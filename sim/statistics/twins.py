"""The same people under two policies: who is saved, who is lost, who moves up earlier. One replicate at a time.

Identity and luck do not depend on policy, so a newcomer of the base run has a twin in the reform run: the same person,
who meets another policy. Twins are newcomers, the first shops opened within the horizon; restarts may exist under one
policy only, and the initial stock was there before either.

Saved and lost are gross: where seats are scarce and people compete, a reform that changes one life changes many others
a little, and some of these end earlier or later. What a policy does to survival is the net of the two.

    pairs = twins(base_tables, reform_tables, months=120, stages=stages)
    counts(pairs), graduation(pairs), differing(pairs), stakes(pairs, base_ledger, reform_ledger)

`counts` and `stakes` of all replicates, one below the other, are what `sim.statistics.paired` takes intervals of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.statistics.columns import Floats, Ints, Mask, category, codes, counted, factor
from sim.statistics.fiscal import spent
from sim.statistics.funnel import NEVER, first_reached

__all__ = ["AGES", "CLASSES", "GROUPINGS", "Lives", "Twins", "counts", "differing", "graduation", "stakes", "twins"]

AGES = (36, 60)
"""Months of age at which lives are compared, beside the end of the horizon."""

CLASSES = ("unchanged_closed", "saved", "lost", "unchanged_alive")
"""At an age: saved is alive under the reform but not in the base run, lost the other way round."""

GROUPINGS = ("all", "education", "origin", "channel", "cohort_year", "base_highest_stage")

_BORN_WITH = ("cohort", "education", "origin")


class Lives(NamedTuple):
    """The lives of the newcomers under one policy; last axis: people, in the order of their uid."""

    event: Mask
    duration: Ints
    """Months traded until exit or the end of the horizon."""
    highest: Ints
    """Position of the highest stage reached."""
    sales: Floats
    """Sales at the end, CNY/year; 0 for those who have closed."""
    received: Floats
    """Public money received, CNY."""
    reached: npt.NDArray[np.int32]
    """Months traded until each stage or a later one was entered, (stages, people); see `funnel.first_reached`."""

    def alive(self, at: int | None) -> Mask:
        """Who did not leave until age `at`, or until the end of the horizon (None)."""
        return ~(self.event if at is None else self.event & (self.duration <= at))


@dataclass(frozen=True, eq=False)
class Twins:
    """The newcomers of one replicate under two policies.

    Attributes
    ----------
    replicate, months, stages : number of the replicate, length of the horizon, ids of the chain in order
    uid, arrival : (people,); `arrival` in months since the horizon's start
    groups : grouping -> position of each person's group, (people,), and the groups' names. `channel` and
        `base_highest_stage` are those of the base run
    base, reform : their lives
    """

    replicate: int
    months: int
    stages: tuple[str, ...]
    uid: npt.NDArray[np.int64]
    arrival: Ints
    groups: Mapping[str, tuple[Ints, list[str]]]
    base: Lives
    reform: Lives

    def early(self, at: int | None) -> Mask:
        """Who arrived at least `at` months before the end, so that it is known who lived that long; None: everybody."""
        return np.ones(self.uid.size, bool) if at is None else self.arrival <= self.months - at

    def classes(self, at: int | None) -> Ints:
        """Position in `CLASSES` of each person at age `at` (None: at the horizon's end); -1 if he arrived late."""
        return np.where(self.early(at), 2 * self.base.alive(at) + self.reform.alive(at), -1)

    @property
    def months_gained(self) -> Ints:
        """Months traded within the horizon under the reform, less those in the base run."""
        return self.reform.duration - self.base.duration


def twins(
    base: Mapping[str, pd.DataFrame], reform: Mapping[str, pd.DataFrame], *, months: int, stages: Sequence[str]
) -> Twins:
    """Match the newcomers of one replicate under two policies.

    Parameters
    ----------
    base, reform : `entrepreneurs` and `transitions` of the same replicate, in any order of rows
    months : length of the horizon, of both
    stages : ids of the chain in order; where the chains differ, the stages of both, so that each highest stage is one

    Raises
    ------
    ValueError
        If the tables do not hold the same newcomers, with the same cohort, education and origin, over `months` months.
        Channel is not compared, as a policy may change it.
    """
    people = base["entrepreneurs"]
    rows, others = _newcomers(people), _newcomers(reform["entrepreneurs"])
    uid = people["uid"].to_numpy()[rows]
    _same_people(uid, reform["entrepreneurs"]["uid"].to_numpy()[others])
    attributes = {name: factor(people[name]) for name in (*_BORN_WITH, "channel")}
    for name in _BORN_WITH:
        numbers, labels = attributes[name]
        differ = np.flatnonzero(numbers[rows] != codes(reform["entrepreneurs"][name], labels)[others])
        if differ.size:
            raise ValueError(f"{differ.size} newcomers differ in {name}, uid {uid[differ[0]]} is the first")
    found = _lives(base, rows, months, stages)
    groups = {name: (numbers[rows], labels) for name, (numbers, labels) in attributes.items()}
    cohort, cohorts = groups.pop("cohort")
    years, year = np.unique([label[:4] for label in cohorts] or np.zeros(0, str), return_inverse=True)
    groups["all"] = np.zeros(uid.size, np.intp), ["all"]
    groups["cohort_year"] = year[cohort], years.tolist()
    groups["base_highest_stage"] = found.highest, list(stages)
    return Twins(
        replicate=_replicate(base, reform),
        months=months,
        stages=tuple(stages),
        uid=uid,
        arrival=people["arrival_month"].to_numpy()[rows].astype(np.intp),
        groups=groups,
        base=found,
        reform=_lives(reform, others, months, stages),
    )


def counts(pairs: Twins, ages: Sequence[int] = AGES) -> pd.DataFrame:
    """How many were saved and lost, overall and by group.

    Groups are `GROUPINGS`. `base_highest_stage` is the highest stage in the BASE life: a property of that life alone,
    which no reform can change. It is still known only afterwards: who came far in the base run had little left to gain
    and much to lose, so part of what differs between these groups is regression to the mean. Swapping base and reform
    turns the signs in all other groupings (and by channel, where no policy changes it).

    Returns
    -------
    DataFrame
        replicate; at (``36m``, ``60m``: months of age; ``end``: of the horizon); grouping, group; n, people who arrived
        at least that long before the end (``end``: everybody); saved, lost, unchanged_alive, unchanged_closed, which
        add up to n; net = saved - lost. Of the same n people: months_gained, months of trading gained within the
        horizon (their sum), months_gained_mean (per person); sales_gained_cny, sales gained at the end of the horizon
        (their sum, CNY/year, counting 0 for the closed). Groups of nobody have no row, but for ``all``.
    """
    frames = [_count(pairs, at, grouping) for at in (*ages, None) for grouping in GROUPINGS]
    out: pd.DataFrame = pd.concat(frames, ignore_index=True)
    out.insert(0, "replicate", np.int16(pairs.replicate))
    return out


def _count(pairs: Twins, at: int | None, grouping: str) -> pd.DataFrame:
    classes = pairs.classes(at)
    who = np.flatnonzero(classes >= 0)
    numbers, labels = pairs.groups[grouping]
    group, size, kinds = numbers[who], len(labels), len(CLASSES)
    table = np.bincount(group * kinds + classes[who], minlength=size * kinds).reshape(size, kinds)
    by_class = dict(zip(CLASSES, table.T, strict=True))
    n, months = table.sum(axis=1), np.bincount(group, pairs.months_gained[who], size)
    frame = pd.DataFrame(
        {
            "at": "end" if at is None else f"{at}m",
            "grouping": grouping,
            "group": np.array(labels, dtype=object),
            "n": n,
            **{name: by_class[name] for name in ("saved", "lost", "unchanged_alive", "unchanged_closed")},
            "net": by_class["saved"] - by_class["lost"],
            "months_gained": months.astype(np.int64),
            "months_gained_mean": np.divide(months, n, out=np.full(size, np.nan), where=n > 0),
            "sales_gained_cny": np.bincount(group, (pairs.reform.sales - pairs.base.sales)[who], size),
        }
    )
    return frame if grouping == "all" else frame[n > 0]


def graduation(pairs: Twins) -> pd.DataFrame:
    """Who gets to each stage (or beyond it) earlier, later, only under the reform or only in the base run.

    All newcomers, within the horizon: who arrived late had less time under both policies.

    Returns
    -------
    DataFrame
        replicate, stage (but the first, where all start); n; earlier, later, same (there under both), gained (only
        under the reform), forgone (only in the base run), neither: they add up to n; months_earlier, mean over those
        who are there under both, negative if the reform delays them; null if there are none.
    """
    rows = []
    for k, stage in enumerate(pairs.stages[1:], start=1):
        before, after = pairs.base.reached[k], pairs.reform.reached[k]
        was, will = before < NEVER, after < NEVER
        ahead = (before - after)[was & will]
        rows.append(
            {
                "stage": stage,
                "n": pairs.uid.size,
                "earlier": np.count_nonzero(ahead > 0),
                "later": np.count_nonzero(ahead < 0),
                "same": np.count_nonzero(ahead == 0),
                "gained": np.count_nonzero(will & ~was),
                "forgone": np.count_nonzero(was & ~will),
                "neither": np.count_nonzero(~(was | will)),
                "months_earlier": float(ahead.mean()) if ahead.size else np.nan,
            }
        )
    names = ["stage", "n", "earlier", "later", "same", "gained", "forgone", "neither", "months_earlier"]
    out = pd.DataFrame(rows, columns=names).astype({"months_earlier": float})
    out.insert(0, "replicate", np.int16(pairs.replicate))
    return out


def differing(pairs: Twins, at: int = 36) -> pd.DataFrame:
    """The people whose lives end in another month, or reach another highest stage, under the reform.

    Who only sells more, or only gets to the same stage sooner, is not here (see `counts` and `graduation`).

    Returns
    -------
    DataFrame
        replicate, uid (ascending); base_exit_month, reform_exit_month (months since the horizon's start, null while
        alive); base_highest_stage, reform_highest_stage; months_gained (within the horizon); class_<at>m, one of
        `CLASSES`, null for those who arrived less than `at` months before the end.
    """
    base, reform = pairs.base, pairs.reform
    changed = (base.event != reform.event) | (base.duration != reform.duration) | (base.highest != reform.highest)
    who = np.flatnonzero(changed)
    exits = [
        pd.arrays.IntegerArray(
            np.where(x.event[who], pairs.arrival[who] + x.duration[who] - 1, 0).astype(np.int16), ~x.event[who]
        )
        for x in (base, reform)
    ]
    return pd.DataFrame(
        {
            "replicate": np.full(who.size, pairs.replicate, np.int16),
            "uid": pairs.uid[who],
            "base_exit_month": exits[0],
            "reform_exit_month": exits[1],
            "base_highest_stage": category(base.highest[who], pairs.stages),
            "reform_highest_stage": category(reform.highest[who], pairs.stages),
            "months_gained": pairs.months_gained[who].astype(np.int16),
            f"class_{at}m": category(pairs.classes(at)[who], CLASSES),
        }
    )


def stakes(
    pairs: Twins, base_ledger: pd.DataFrame, reform_ledger: pd.DataFrame, ages: Sequence[int] = AGES
) -> pd.DataFrame:
    """Survivors and money under both policies: what `sim.statistics.paired.cost_per_survivor` divides.

    Returns
    -------
    DataFrame
        A row each age: replicate, age_months; people, the newcomers who arrived at least that long before the end;
        and for each run (``base_``, ``reform_``): survivors, how many of them are alive at that age; received_cny, the
        public money that these people received until the end of the horizon; ledger_cny, all that the ledger holds,
        whoever received it. Exact to the fen.
    """
    early = [pairs.early(age) for age in ages]
    columns: dict[str, object] = {
        "replicate": np.full(len(ages), pairs.replicate, np.int16),
        "age_months": np.array(ages, np.int64),
        "people": [np.count_nonzero(who) for who in early],
    }
    runs = {"base": (pairs.base, base_ledger), "reform": (pairs.reform, reform_ledger)}
    for run, (lives, ledger) in runs.items():
        fen = np.rint(lives.received * 100).astype(np.int64)
        columns |= {
            f"{run}_survivors": [
                np.count_nonzero(who & lives.alive(age)) for age, who in zip(ages, early, strict=True)
            ],
            f"{run}_received_cny": [int(fen[who].sum()) / 100 for who in early],
            f"{run}_ledger_cny": spent(ledger),
        }
    return pd.DataFrame(columns)


def _newcomers(people: pd.DataFrame) -> Ints:
    """Rows of the newcomers, in the order of their uid."""
    rows = np.flatnonzero(counted(people, "newcomers"))
    uid = people["uid"].to_numpy()[rows]
    return rows if bool(np.all(uid[1:] > uid[:-1])) else rows[np.argsort(uid, kind="stable")]


def _replicate(base: Mapping[str, pd.DataFrame], reform: Mapping[str, pd.DataFrame]) -> int:
    found = np.unique(np.concatenate([t["entrepreneurs"]["replicate"].to_numpy() for t in (base, reform)]))
    if found.size > 1:
        raise ValueError(f"twins are of one replicate, the same under both policies (got {found.tolist()})")
    return int(found[0]) if found.size else 0


def _same_people(base: npt.NDArray[np.int64], reform: npt.NDArray[np.int64]) -> None:
    if np.array_equal(base, reform):
        return
    gone, new = np.setdiff1d(base, reform), np.setdiff1d(reform, base)
    example = f"uid {(gone if gone.size else new)[0]}" if gone.size or new.size else "a uid twice"
    raise ValueError(
        f"the runs do not hold the same newcomers: {gone.size} only in the base run, {new.size} only under the reform "
        f"({example}); seed, replicate, arrivals and horizon must be the same"
    )


def _lives(tables: Mapping[str, pd.DataFrame], rows: Ints, months: int, stages: Sequence[str]) -> Lives:
    people = tables["entrepreneurs"]
    event = people["event"].to_numpy(bool)[rows]
    duration = people["duration_months"].to_numpy()[rows].astype(np.intp)
    seen = people["arrival_month"].to_numpy()[rows] + duration
    if not bool(np.all(event | (seen == months))):
        raise ValueError(f"newcomers who still trade were not observed for {months} months: is the horizon that long?")
    highest = codes(people["highest_stage"], stages)[rows]
    if bool(np.any(highest < 0)):
        unknown = people["highest_stage"].iloc[rows[np.argmin(highest)]]
        raise ValueError(f"highest stage {unknown!r} is not one of {', '.join(stages)}")
    return Lives(
        event=event,
        duration=duration,
        highest=highest,
        sales=np.where(event, 0.0, people["sales_12m_cny"].to_numpy()[rows]),
        received=people["received_cny"].to_numpy()[rows],
        reached=first_reached(people, tables["transitions"], stages)[:, rows],
    )
