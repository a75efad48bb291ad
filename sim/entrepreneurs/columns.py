"""The state of all entrepreneurs: one column per attribute, rows without order and without gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "Columns", "Field", "State", "identity"]

Array = NDArray[Any]


class Field(NamedTuple):
    """A column of the state."""

    dtype: str
    unit: str
    meaning: str


COLUMNS: dict[str, Field] = {
    "uid": Field("i8", "id", "cohort month since 2000-01 x 10^7 + arrival slot x 10 + attempt"),
    "age": Field("i4", "months", "months traded"),
    "education": Field("i1", "", "index into EDUCATION"),
    "origin": Field("i1", "", "index into ORIGINS"),
    "channel": Field("i1", "", "index into CHANNELS"),
    "initial": Field("i1", "", "1 if trading when the horizon started"),
    "potential": Field("f8", "log CNY/month", "theta: mature level"),
    "level": Field("f8", "log CNY/month", "P: ex-ante level, drawn to the potential"),
    "standing": Field("f8", "log", "W: permanent ex-post level"),
    "shock": Field("f8", "log", "u: transitory product shock"),
    "training": Field("f8", "log", "tr: fading effect of training"),
    "belief": Field("f8", "log CNY/month", "b: potential that he believes in"),
    "cash": Field("f8", "fen", "savings, whole fen"),
    "reservation": Field("f8", "CNY/month", "income for which he stays"),
    "relief": Field("f8", "share", "share of the rent that is refunded"),
    "sales": Field("f8", "CNY/month", "sales this month"),
    "smoothed": Field("f8", "CNY/year", "R: smoothed annual sales"),
    "first_sales": Field("f8", "CNY/month", "sales in the first month"),
    "income": Field("f8", "CNY/month", "margin on sales less rent, this month"),
    "rent": Field("f8", "CNY/month", "rent of this month before relief"),
    "staff": Field("i4", "persons", "employees beside the owner"),
    "received": Field("f8", "fen", "public money received, whole fen"),
    "house": Field("i2", "id", "house: see chain.houses"),
    "highest": Field("i1", "", "highest stage reached"),
    "waiting": Field("i1", "", "stage waited for, from 1; 0 = none"),
    "waiting_since": Field("i4", "months", "calendar month in which the wait began"),
    "months_in": Field("i4", "months", "months in the present house's stage"),
    "low_months": Field("i4", "months", "months in a row below half the stage's threshold"),
    "call": Field("i1", "bits", "what the month asks for: see kernel"),
}

State = NamedTuple("State", [(name, Array) for name in COLUMNS])  # type: ignore[misc]


class Columns:
    """The living. Rows are exchanged freely: identity is in `uid`, and nothing depends on order.

    Parameters
    ----------
    stages
        Number of stages of the chain: for each, and for outside, the months spent there are kept.
    capacity
        Rows to make room for; grows by doubling.
    """

    def __init__(self, stages: int, capacity: int = 1024) -> None:
        self.size = 0
        self._arrays: dict[str, Array] = {n: np.zeros(capacity, f.dtype) for n, f in COLUMNS.items()}
        self._arrays["spent"] = np.zeros((capacity, stages + 1), "i2")

    def __getattr__(self, name: str) -> Array:
        try:
            return self.__dict__["_arrays"][name][: self.size]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def state(self, start: int = 0, stop: int | None = None) -> State:
        """Views of rows `start` to `stop` of all scalar columns, for the kernel."""
        stop = self.size if stop is None else stop
        return State(*(self._arrays[n][start:stop] for n in COLUMNS))  # type: ignore[call-arg]

    def append(self, rows: Mapping[str, Array | float]) -> slice:
        """Add rows; columns that are not named are 0. Returns where they stand."""
        count = len(rows["uid"])  # type: ignore[arg-type]
        start, stop = self.size, self.size + count
        if stop > len(self._arrays["uid"]):
            room = max(stop, 2 * len(self._arrays["uid"]))
            for name, old in self._arrays.items():
                new = np.zeros((room, *old.shape[1:]), old.dtype)
                new[:start] = old[:start]
                self._arrays[name] = new
        for name, array in self._arrays.items():
            array[start:stop] = rows.get(name, 0)
        self.size = stop
        return slice(start, stop)

    def take(self, rows: Array) -> dict[str, Array]:
        """A copy of some rows, column by column."""
        return {n: a[rows] for n, a in self._arrays.items()}

    def remove(self, rows: Array) -> tuple[Array, Array]:
        """Take rows (sorted) out and close the gaps with the last ones. Returns (from, to) of the rows that moved."""
        left = self.size - len(rows)
        holes = rows[rows < left]
        stays = np.ones(self.size - left, bool)
        stays[rows[rows >= left] - left] = False
        movers = left + np.flatnonzero(stays)
        if len(movers):
            for array in self._arrays.values():
                array[holes] = array[movers]
        self.size = left
        return movers, holes


def identity(cohort: int, slots: Array) -> Array:
    """Identities of first shops opened in calendar month `cohort` (months since 2000-01)."""
    return np.int64(cohort) * 10**7 + slots.astype(np.int64) * 10
