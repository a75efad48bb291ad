"""What a run writes down while it goes on, and the tables that come of it. Nothing here reaches back into the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.chain.facility import Houses
from sim.chain.progress import REASONS
from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.entrepreneurs.columns import Columns
from sim.policy.ledger import Ledger
from sim.tables import EXIT_REASONS, OUTSIDE

__all__ = ["KEPT", "Observation", "calendar_month", "month_label"]

_REASONS = ("arrived", *REASONS, *EXIT_REASONS)
_FIRST_EXIT = len(_REASONS) - len(EXIT_REASONS) - 1
_AFTER = ("employee", "restart", "leaves")
KEPT = (
    "uid", "age", "education", "origin", "channel", "initial", "potential", "smoothed", "first_sales", "staff",
    "received", "house", "highest", "months_in", "call", "spent",
)  # fmt: skip


def calendar_month(label: str) -> int:
    """Months since 2000-01 of a label such as ``2024-04``."""
    year, month = label.split("-")
    return (int(year) - 2000) * 12 + int(month) - 1


def month_label(calendar: int) -> str:
    """The label of a month counted since 2000-01."""
    return f"{2000 + calendar // 12:04d}-{calendar % 12 + 1:02d}"


class Observation:
    """The records of one replicate.

    Parameters
    ----------
    stages
        Stage ids, in order.
    start
        Calendar month (since 2000-01) of the horizon's start.
    """

    def __init__(self, stages: Sequence[str], start: int, panel: bool = False) -> None:
        self.places = (*stages, OUTSIDE)
        self.start = start
        self._panel = panel
        self._exits: list[dict[str, Any]] = []
        self._moves: list[tuple[Any, ...]] = []
        self._months: list[NDArray[np.int64]] = []
        self._city: list[tuple[float, ...]] = []
        self.living = [0] * len(self.places)
        self._snapshots: list[dict[str, Any]] = []
        self.clear_month()

    def clear_month(self) -> None:
        """Start the month's counts by stage: arrivals, admitted, left, closed."""
        self._flows = np.zeros((4, len(self.places)), np.int64)

    def arrived(self, month: int, uid: NDArray[np.int64], house: NDArray[Any], stage: NDArray[Any]) -> None:
        """People opened a shop."""
        self._flows[0] += np.bincount(stage, minlength=len(self.places))
        self._note(month, uid, np.full(len(uid), -1, np.int8), stage, house, np.zeros(len(uid), np.int8))

    def moved(self, month: int, uid: NDArray[np.int64], left: Any, entered: Any, house: Any, reason: Any) -> None:
        """People moved from stage `left` to stage `entered`; `reason` indexes `sim.chain.progress.REASONS`."""
        self._flows[2] += np.bincount(left, minlength=len(self.places))
        self._flows[1] += np.bincount(entered, minlength=len(self.places))
        house = np.where(entered == len(self.places) - 1, -1, house)
        self._note(month, uid, left, entered, house, (reason + 1).astype(np.int8))

    def closed(self, month: int, gone: dict[str, Any], stage: NDArray[Any], after: NDArray[np.int8]) -> None:
        """People closed: `gone` holds `KEPT` of their last rows, `after` indexes employee, restart, leaves."""
        self._flows[3] += np.bincount(stage, minlength=len(self.places))
        self._exits.append({**gone, "exit_month": np.full(len(stage), month, np.int16), "after": after, "stage": stage})
        nowhere = np.full(len(stage), -1, np.int8)
        self._note(month, gone["uid"], stage, nowhere, nowhere, (gone["call"] & 3) + _FIRST_EXIT)

    def _note(self, month: int, *columns: NDArray[Any]) -> None:
        self._moves.append((month, *columns))

    def observe(self, month: int, people: Columns, houses: Houses, by_house: NDArray[np.int64], city: Any) -> None:
        """The month's end: stocks by stage, sales and staff by the stage in which they were made, the city."""
        bounds = houses.bounds
        living = np.add.reduceat(houses.tenants, bounds)
        self.living = living.tolist()
        sales = np.add.reduceat(by_house[:, 0], bounds)
        staff = np.add.reduceat(by_house[:, 2] & ((1 << 40) - 1), bounds)
        row = np.zeros((8, len(self.places)), np.int64)
        row[0], row[1:5], row[5, :-1], row[6], row[7] = living, self._flows, houses.waiting, sales, staff
        self._months.append(row)
        self._city.append(city)
        if self._panel and (month + 1) % 12 == 0:
            kept = ("uid", "age", "house", "smoothed", "staff")
            self._snapshots.append({"year": (month + 1) // 12, **{k: getattr(people, k).copy() for k in kept}})
        self.clear_month()

    # tables ---------------------------------------------------------------------------------------------------------

    def tables(self, replicate: int, people: Columns, houses: Houses, ledger: Ledger) -> dict[str, pd.DataFrame]:
        """All tables of the replicate, sorted by their keys."""
        return {
            "entrepreneurs": self._entrepreneurs(replicate, people, houses),
            "transitions": self._transitions(replicate),
            "months": self._by_month(replicate, houses),
            "city": self._by_city(replicate),
            "ledger": self._ledger(replicate, ledger),
            **({"panel": self._by_panel(replicate, houses)} if self._panel else {}),
        }

    def _frame(self, replicate: int, length: int, columns: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame({"replicate": np.full(length, replicate, np.int16), **columns}, copy=False)

    def _category(self, codes: NDArray[Any], labels: Sequence[str]) -> pd.Categorical:
        return pd.Categorical.from_codes(codes, list(labels))  # type: ignore[no-any-return, call-overload]

    def _entrepreneurs(self, replicate: int, people: Columns, houses: Houses) -> pd.DataFrame:
        end = len(self._months)
        living = {k: getattr(people, k) for k in KEPT}
        never = np.full(people.size, -1, np.int16)
        living |= {"exit_month": never, "after": never.astype(np.int8), "stage": houses.stage_of[people.house]}
        parts = [*self._exits, living]
        a = {k: np.concatenate([p[k] for p in parts], axis=-1) for k in living}
        exited = a["exit_month"] >= 0
        # those still living have not closed the present month's account: months_in belongs to their present place
        rows = np.arange(len(a["uid"]))
        a["spent"][a["stage"], rows] += a["months_in"].astype(np.int16)
        last = np.where(exited, a["exit_month"], end - 1)
        opened = last - a["age"] + 1
        order = np.argsort(a["uid"], kind="stable")
        a = {k: v[..., order] for k, v in a.items()}
        exited, opened = exited[order], opened[order]
        cohort_codes, cohorts = pd.factorize(opened + self.start, sort=True)
        reason = (a["call"] & 3).astype(np.int8) - 1
        spent = {f"months_in_{p}": a["spent"][i] for i, p in enumerate(self.places)}
        return self._frame(
            replicate,
            len(order),
            {
                "uid": a["uid"],
                "cohort": self._category(cohort_codes, [month_label(int(c)) for c in cohorts]),
                "attempt": (a["uid"] % 10).astype(np.int8),
                "initial": a["initial"].astype(bool),
                "education": self._category(a["education"], EDUCATION),
                "origin": self._category(a["origin"], ORIGINS),
                "channel": self._category(a["channel"], CHANNELS),
                "arrival_month": opened.astype(np.int16),
                "exit_month": pd.arrays.IntegerArray(np.where(exited, a["exit_month"], 0).astype(np.int16), ~exited),
                "exit_reason": self._category(np.where(exited, reason, -1), EXIT_REASONS),
                "after_exit": self._category(a["after"], _AFTER),
                "duration_months": a["age"].astype(np.int16),
                "entry_age_months": np.maximum(-opened, 0).astype(np.int16),
                "event": exited,
                "stage": self._category(a["stage"], self.places),
                "highest_stage": self._category(a["highest"], self.places),
                **spent,
                "first_sales_cny": a["first_sales"],
                "sales_12m_cny": a["smoothed"],
                "employees": a["staff"],
                "skill": a["potential"].astype(np.float32),
                "received_cny": a["received"] / 100.0,
            },
        )

    def _transitions(self, replicate: int) -> pd.DataFrame:
        lengths = [len(m[1]) for m in self._moves]
        empty = np.zeros(0, np.int64)

        def column(index: int, dtype: str) -> NDArray[Any]:
            return np.concatenate([empty, *(m[index] for m in self._moves)]).astype(dtype)

        month = np.repeat([m[0] for m in self._moves], lengths).astype(np.int16)
        reason = column(5, "i1")
        uid = column(1, "i8")
        order = np.lexsort((reason, uid, month))
        return self._frame(
            replicate,
            len(order),
            {
                "uid": uid[order],
                "month": month[order],
                "from_stage": self._category(column(2, "i1")[order], self.places),
                "to_stage": self._category(column(3, "i1")[order], self.places),
                "facility": column(4, "i2")[order],
                "reason": self._category(reason[order], _REASONS),
            },
        )

    def _by_month(self, replicate: int, houses: Houses) -> pd.DataFrame:
        n, k = len(self._months), len(self.places)
        data = np.stack(self._months) if n else np.zeros((0, 8, k), np.int64)
        names = ("living", "arrivals", "admitted", "left", "closed", "waiting")
        places = [s.capacity for s in houses.stages] + [-1]
        return self._frame(
            replicate,
            n * k,
            {
                "month": np.repeat(np.arange(n), k).astype(np.int16),
                "stage": self._category(np.tile(np.arange(k), n), self.places),
                "date": np.repeat([month_label(self.start + m) for m in range(n)], k),
                **{name: data[:, i, :].ravel() for i, name in enumerate(names)},
                "places": np.tile(np.array(places, np.int64), n),
                "sales_cny": data[:, 6, :].ravel() / 100.0,
                "employees": data[:, 7, :].ravel(),
            },
        )

    def _by_city(self, replicate: int) -> pd.DataFrame:
        n = len(self._city)
        names = ("demand_domestic", "demand_livestream", "demand_cross_border", "crowding", "former_founders")
        data = np.array(self._city, float).reshape(n, len(names))
        columns: dict[str, Any] = {name: data[:, i] for i, name in enumerate(names)}
        columns["former_founders"] = columns["former_founders"].astype(np.int64)
        dates = [month_label(self.start + m) for m in range(n)]
        return self._frame(replicate, n, {"month": np.arange(n, dtype=np.int16), "date": dates, **columns})

    def _ledger(self, replicate: int, ledger: Ledger) -> pd.DataFrame:
        e = ledger.entries()
        return self._frame(
            replicate,
            len(e["month"]),
            {
                "month": e["month"].astype(np.int16),
                "instrument": pd.Categorical(e["instrument"]),
                "stage": self._category(e["stage"].astype(np.int8), self.places),
                "education": self._category(e["education"].astype(np.int8), EDUCATION),
                "recipients": e["recipients"].astype(np.int64),
                "paid_cny": e["paid"] / 100.0,
                "refused": e["refused"].astype(np.int64),
                "refused_cny": e["refused_fen"] / 100.0,
                "lent_cny": e["lent"] / 100.0,
                "repaid_cny": e["repaid"] / 100.0,
            },
        )

    def _by_panel(self, replicate: int, houses: Houses) -> pd.DataFrame:
        def column(name: str, dtype: str) -> NDArray[Any]:
            return np.concatenate([np.zeros(0), *(s[name] for s in self._snapshots)]).astype(dtype)

        year = np.repeat([s["year"] for s in self._snapshots], [len(s["uid"]) for s in self._snapshots])
        uid = np.concatenate([np.zeros(0, np.int64), *(s["uid"] for s in self._snapshots)])
        order = np.lexsort((year, uid))
        stage = houses.stage_of[column("house", "i2")]
        return self._frame(
            replicate,
            len(order),
            {
                "uid": uid[order],
                "year": year[order].astype(np.int16),
                "age_months": column("age", "i2")[order],
                "stage": self._category(stage[order], self.places),
                "sales_cny": column("smoothed", "f8")[order],
                "employees": column("staff", "i4")[order],
            },
        )
