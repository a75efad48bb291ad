"""What a run writes down while it goes on, and the tables that come of it. Nothing here reaches back into the model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.facility import Houses
from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.entrepreneurs.columns import KEPT, Columns
from sim.entrepreneurs.journal import NOWHERE, REASONS, Journal
from sim.entrepreneurs.kernel import Tally
from sim.entrepreneurs.leaving import Closed
from sim.policy.ledger import Ledger
from sim.records import Nullable, Records, coded
from sim.tables import EXIT_REASONS, OUTSIDE

__all__ = ["SOLD", "Observation", "calendar_month", "month_label"]

SOLD = "panel.sold"
"""The column in which a year's sales are added up for the panel, CNY: see `Columns.memory`."""

_REASONS = (*REASONS, *EXIT_REASONS)
_FIRST_EXIT = len(REASONS) - 1
_AFTER = ("employee", "restart", "leaves")


def calendar_month(label: str) -> int:
    """Months since 2000-01 of a label such as ``2024-04``."""
    year, month = label.split("-")
    return (int(year) - 2000) * 12 + int(month) - 1


@lru_cache(maxsize=4096)
def month_label(calendar: int) -> str:
    """The label of a month counted since 2000-01."""
    return f"{2000 + calendar // 12:04d}-{calendar % 12 + 1:02d}"


def _distinct(months: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The distinct of many months, in order, and which of them each is; by counting, as they span few years."""
    first = int(months.min(initial=0))
    there = np.bincount(months - first) > 0
    return np.flatnonzero(there) + first, (there.cumsum() - 1)[months - first]


@lru_cache
def _dates(start: int, months: int) -> NDArray[np.object_]:
    return np.array([month_label(start + m) for m in range(months)], object)


class Observation:
    """The records of one replicate.

    Parameters
    ----------
    stages
        Stage ids, in order.
    start
        Calendar month (since 2000-01) of the horizon's start.
    people
        Those who are observed.

    Attributes
    ----------
    journal : Journal
        Where arrivals and moves are to be written.
    closed : Closed
        Where those who close are to be written.
    living : tenants of each stage, and those outside, when the month ended
    """

    def __init__(self, stages: Sequence[str], start: int, people: Columns, panel: bool = False) -> None:
        self.places = (*stages, OUTSIDE)
        self.start = start
        self._panel = panel
        self.journal = Journal()
        self.closed = Closed(people)
        self._months: list[NDArray[np.int64]] = []
        self._city: list[tuple[float, ...]] = []
        self.living = [0] * len(self.places)
        self._snapshots: list[dict[str, Any]] = []

    def observe(self, month: int, people: Columns, houses: Houses, tally: Tally, city: Any) -> None:
        """The month's end: stocks by stage, sales and staff by the stage in which they were made, the city."""
        row = houses.totals(tally)
        self.living = row[0].tolist()
        self._months.append(row)
        self._city.append(city)
        if self._panel:
            self._follow(month, people)

    def _follow(self, month: int, people: Columns) -> None:
        """Add up the year's sales; at its end, note everybody's."""
        sold = getattr(people, SOLD)
        sold += people.sales
        if (month + 1) % 12 == 0:
            kept = {k: getattr(people, k).copy() for k in ("uid", "age", "house", "channel", "staff")}
            self._snapshots.append(
                {"year": (month + 1) // 12, **kept, "sold": sold * (12 / np.minimum(people.age, 12))}
            )
            sold[:] = 0.0

    # tables ---------------------------------------------------------------------------------------------------------

    def records(
        self, replicate: int, people: Columns, houses: Houses, ledger: Ledger, only: Collection[str] | None = None
    ) -> dict[str, Records]:
        """The tables of the replicate, or some of them, sorted by their keys."""
        gone = self.closed.columns()
        gone["stage"] = houses.stage_of[gone["house"]]
        events = cache(lambda: self._events(gone, houses))
        made: dict[str, Callable[[], Records]] = {
            "entrepreneurs": lambda: self._entrepreneurs(replicate, people, houses, gone),
            "transitions": lambda: self._transitions(replicate, events()),
            "months": lambda: self._by_month(replicate, houses, events()),
            "city": lambda: self._by_city(replicate),
            "ledger": lambda: self._ledger(replicate, ledger),
        }
        if self._panel:
            made["panel"] = lambda: self._by_panel(replicate, houses)
        return {name: table() for name, table in made.items() if only is None or name in only}

    def _events(self, gone: dict[str, Any], houses: Houses) -> dict[str, NDArray[Any]]:
        """All arrivals, moves and exits: month, uid, stage left and entered (-1 = none), house, reason; sorted."""
        come, none = self.journal.events, np.full(len(gone["uid"]), -1, np.int8)
        left, entered = houses.stage_of[come.left], houses.stage_of[come.entered]
        left[come.left == NOWHERE] = -1
        events = {
            "month": np.concatenate([come.month, gone["exit_month"]], dtype=np.int16),
            "uid": np.concatenate([come.uid, gone["uid"]]),
            "left": np.concatenate([left, gone["stage"]]),
            "entered": np.concatenate([entered, none]),
            "house": np.concatenate([np.where(entered == len(houses.stages), -1, come.entered), none]),
            "reason": np.concatenate([come.reason, (gone["call"] & 3) + _FIRST_EXIT], dtype=np.int8),
        }
        order = np.lexsort((events["reason"], events["uid"], events["month"]))
        return {name: values[order] for name, values in events.items()}

    def _table(self, replicate: int, length: int, columns: dict[str, Any]) -> Records:
        return Records({"replicate": np.full(length, replicate, np.int16), **columns})

    def _entrepreneurs(self, replicate: int, people: Columns, houses: Houses, gone: dict[str, Any]) -> Records:
        end = len(self._months)
        living = {k: getattr(people, k) for k in (*KEPT, "spent")}
        never = np.full(people.size, -1, np.int16)
        living |= {"exit_month": never, "after": never.astype(np.int8), "stage": houses.stage_of[people.house]}
        a = {k: np.concatenate([gone[k], living[k]], axis=-1) for k in living}
        exited = a["exit_month"] >= 0
        # those still living have not closed the present month's account: months_in belongs to their present place
        rows = np.arange(len(a["uid"]))
        a["spent"][a["stage"], rows] += a["months_in"].astype(np.int16)
        last = np.where(exited, a["exit_month"], end - 1)
        opened = last - a["age"] + 1
        order = np.argsort(a["uid"], kind="stable")
        a = {k: v[..., order] for k, v in a.items()}
        exited, opened = exited[order], opened[order]
        cohorts, cohort_codes = _distinct(opened + self.start)
        reason = (a["call"] & 3).astype(np.int8) - 1
        spent = {f"months_in_{p}": a["spent"][i] for i, p in enumerate(self.places)}
        return self._table(
            replicate,
            len(order),
            {
                "uid": a["uid"],
                "cohort": coded(cohort_codes, [month_label(int(c)) for c in cohorts]),
                "attempt": (a["uid"] % 10).astype(np.int8),
                "initial": a["initial"].astype(bool),
                "education": coded(a["education"], EDUCATION),
                "origin": coded(a["origin"], ORIGINS),
                "channel": coded(a["channel"], CHANNELS),
                "arrival_month": opened.astype(np.int16),
                "exit_month": Nullable(np.where(exited, a["exit_month"], 0).astype(np.int16), ~exited),
                "exit_reason": coded(np.where(exited, reason, -1), EXIT_REASONS),
                "after_exit": coded(a["after"], _AFTER),
                "duration_months": a["age"].astype(np.int16),
                "entry_age_months": np.maximum(-opened, 0).astype(np.int16),
                "event": exited,
                "stage": coded(a["stage"], self.places),
                "highest_stage": coded(a["highest"], self.places),
                **spent,
                "first_sales_cny": a["first_sales"],
                "sales_12m_cny": a["smoothed"],
                "employees": a["staff"],
                "skill": a["potential"].astype(np.float32),
                "received_cny": a["received"] / 100.0,
            },
        )

    def _transitions(self, replicate: int, events: dict[str, NDArray[Any]]) -> Records:
        return self._table(
            replicate,
            len(events["uid"]),
            {
                "uid": events["uid"],
                "month": events["month"],
                "from_stage": coded(events["left"], self.places),
                "to_stage": coded(events["entered"], self.places),
                "facility": events["house"].astype(np.int16),
                "reason": coded(events["reason"], _REASONS),
            },
        )

    def _by_month(self, replicate: int, houses: Houses, events: dict[str, NDArray[Any]]) -> Records:
        n, k = len(self._months), len(self.places)
        stocks = np.concatenate([np.zeros((0, k), np.int64), *self._months]).reshape(n, 4, k)

        def flow(stage: str, which: NDArray[Any]) -> NDArray[np.int64]:
            at = events["month"][which].astype(np.int64) * k + events[stage][which]
            return np.bincount(at, minlength=n * k).astype(np.int64)

        come, gone = events["left"] < 0, events["entered"] < 0
        columns = {
            "living": stocks[:, 0].ravel(),
            "arrivals": flow("entered", come),
            "admitted": flow("entered", ~come & ~gone),
            "left": flow("left", ~come & ~gone),
            "closed": flow("left", gone),
            "waiting": stocks[:, 1].ravel(),
        }
        places = [s.capacity for s in houses.stages] + [-1]
        return self._table(
            replicate,
            n * k,
            {
                "month": np.repeat(np.arange(n), k).astype(np.int16),
                "stage": coded(np.tile(np.arange(k), n), self.places),
                "date": np.repeat(_dates(self.start, n), k),
                **columns,
                "places": np.tile(np.array(places, np.int64), n),
                "sales_cny": stocks[:, 2].ravel() / 100.0,
                "employees": stocks[:, 3].ravel(),
            },
        )

    def _by_city(self, replicate: int) -> Records:
        n = len(self._city)
        names = ("demand_domestic", "demand_livestream", "demand_cross_border", "crowding", "former_founders")
        data = np.array(self._city, float).reshape(n, len(names))
        columns: dict[str, Any] = {name: data[:, i] for i, name in enumerate(names)}
        columns["former_founders"] = columns["former_founders"].astype(np.int64)
        dates = _dates(self.start, n).copy()
        return self._table(replicate, n, {"month": np.arange(n, dtype=np.int16), "date": dates, **columns})

    def _ledger(self, replicate: int, ledger: Ledger) -> Records:
        e = ledger.entries()
        instruments = sorted(set(e["instrument"].tolist()))
        codes = np.array([instruments.index(i) for i in e["instrument"].tolist()], np.int8)
        return self._table(
            replicate,
            len(e["month"]),
            {
                "month": e["month"].astype(np.int16),
                "instrument": coded(codes, instruments),
                "stage": coded(e["stage"].astype(np.int8), self.places),
                "education": coded(e["education"].astype(np.int8), EDUCATION),
                "recipients": e["recipients"].astype(np.int64),
                "paid_cny": e["paid"] / 100.0,
                "refused": e["refused"].astype(np.int64),
                "refused_cny": e["refused_fen"] / 100.0,
                "lent_cny": e["lent"] / 100.0,
                "repaid_cny": e["repaid"] / 100.0,
                "lost_cny": e["lost"] / 100.0,
            },
        )

    def _by_panel(self, replicate: int, houses: Houses) -> Records:
        def column(name: str, dtype: str) -> NDArray[Any]:
            return np.concatenate([np.zeros(0), *(s[name] for s in self._snapshots)]).astype(dtype)

        year = np.repeat([s["year"] for s in self._snapshots], [len(s["uid"]) for s in self._snapshots])
        uid = np.concatenate([np.zeros(0, np.int64), *(s["uid"] for s in self._snapshots)])
        order = np.lexsort((year, uid))
        stage = houses.stage_of[column("house", "i2")]
        return self._table(
            replicate,
            len(order),
            {
                "uid": uid[order],
                "year": year[order].astype(np.int16),
                "age_months": column("age", "i2")[order],
                "stage": coded(stage[order], self.places),
                "channel": coded(column("channel", "i1")[order], CHANNELS),
                "sales_cny": column("sold", "f8")[order],
                "employees": column("staff", "i4")[order],
            },
        )
