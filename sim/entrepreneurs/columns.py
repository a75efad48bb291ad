"""The state of all entrepreneurs: one column per attribute, rows without order and without gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.compiled import kernel, rule

__all__ = ["COLUMNS", "MOST_IN_A_MONTH", "Columns", "Field", "State", "identity"]

Array = NDArray[Any]


MOST_IN_A_MONTH = 10**6
"""Arrival slots of a month in an identity."""


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
    "received": Field("f8", "fen", "public money spent on him, in cash or in kind, whole fen"),
    "house": Field("i2", "id", "house: see chain.houses"),
    "highest": Field("i1", "", "highest stage reached"),
    "waiting": Field("i1", "", "stage waited for, from 1; 0 = none"),
    "waiting_since": Field("i4", "months", "calendar month in which the wait began"),
    "months_in": Field("i4", "months", "months in the present house's stage"),
    "low_months": Field("i4", "months", "months in a row below half the stage's threshold"),
    "call": Field("i1", "bits", "what the month asks for: see kernel"),
}

if TYPE_CHECKING:

    class State(tuple[Array, ...]):
        """All columns of `COLUMNS`, by name."""

        def __getattr__(self, name: str) -> Array: ...

        @classmethod
        def _make(cls, arrays: Iterable[Array]) -> State: ...

else:
    State = NamedTuple("State", [(name, Array) for name in COLUMNS])


class Columns:
    """The living. Rows are exchanged freely: identity is in `uid`, and nothing depends on order.

    Columns of one type share a block (columns, rows), so that adding, taking and removing rows costs a few operations,
    not one for each column: small runs live by that.

    Parameters
    ----------
    stages
        Number of stages of the chain: for each, and for outside, the months spent there are kept in ``spent``.
    capacity
        Rows to make room for; grows by doubling.
    memory
        What policy instruments keep of each person: name -> dtype.

    Attributes
    ----------
    size : rows in use
    state : all scalar columns with room to spare, for compiled loops over rows up to `size`
    uid, age, ... : (size,) views of the columns; ``spent`` is (stages + 1, size)
    """

    def __init__(self, stages: int, capacity: int = 1024, memory: Mapping[str, str] | None = None) -> None:
        self.size = 0
        self.memories = tuple(memory or ())
        kinds = {name: field.dtype for name, field in COLUMNS.items()}
        kinds |= {f"spent_{i}": "i2" for i in range(stages + 1)} | dict(memory or {})
        self._at: dict[str, tuple[str, int]] = {}
        for kind in sorted(set(kinds.values())):
            for i, name in enumerate(n for n, k in kinds.items() if k == kind):
                self._at[name] = (kind, i)
        self._spent = slice(self._at["spent_0"][1], self._at["spent_0"][1] + stages + 1)
        counts = {kind: sum(k == kind for k in kinds.values()) for kind in set(kinds.values())}
        self._blocks = {kind: np.zeros((count, capacity), kind) for kind, count in counts.items()}
        self._grown()

    def _grown(self) -> None:
        self.state = State._make(self._blocks[self._at[n][0]][self._at[n][1]] for n in COLUMNS)
        self._views: dict[str, Array] = {}

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        view = self._views.get(name)
        if view is None:
            kind, i = ("i2", self._spent) if name == "spent" else self._at.get(name, ("", 0))
            if not kind:
                raise AttributeError(name)
            view = self._views[name] = self._blocks[kind][i, : self.size]
        return view

    def __len__(self) -> int:
        return self.size

    def memory(self, instrument: str, name: str) -> Array:
        """What an instrument keeps of each person, (size,): see `sim.policy._instrument.PolicyInstrument.remembers`."""
        view: Array = getattr(self, f"{instrument}.{name}")
        return view

    def extend(self, count: int) -> slice:
        """Add rows of zeros. Returns where they stand."""
        start, stop = self.size, self.size + count
        if stop > self._blocks["i8"].shape[1]:
            for kind, old in self._blocks.items():
                new = np.zeros((len(old), max(stop, 2 * old.shape[1])), kind)
                new[:, :start] = old[:, :start]
                self._blocks[kind] = new
            self._grown()
        for block in self._blocks.values():
            block[:, start:stop] = 0
        self.size = stop
        self._views = {}
        return slice(start, stop)

    def append(self, rows: Mapping[str, Array]) -> slice:
        """Add rows; columns that are not named are 0, and ``spent`` is (stages + 1, rows). Returns where they stand.

        Memories of instruments that there are not here are dropped.
        """
        new = self.extend(len(rows["uid"]))
        for name, values in rows.items():
            if "." in name and name not in self._at:
                continue
            kind, i = self._at[name] if name != "spent" else ("i2", self._spent)
            self._blocks[kind][i, new] = values
        return new

    def take(self, rows: Array, names: Iterable[str] | None = None) -> dict[str, Array]:
        """A copy of some rows, column by column, memories included; ``spent`` is (stages + 1, rows)."""
        names = (*COLUMNS, "spent", *self.memories) if names is None else names
        out = {kind: np.empty((len(block), len(rows)), kind) for kind, block in self._blocks.items()}
        _copy(tuple(self._blocks.values()), tuple(out.values()), rows)
        at, spent = self._at, self._spent
        return {n: out[at[n][0]][at[n][1]] if n != "spent" else out["i2"][spent] for n in names}

    def remove(self, rows: Array) -> tuple[Array, Array]:
        """Take rows (sorted) out and close the gaps with the last ones. Returns (from, to) of the rows that moved."""
        moves = np.empty((2, len(rows)), np.int64)
        moved = _remove(tuple(self._blocks.values()), rows, self.size, moves)
        self.size -= len(rows)
        self._views = {}
        return moves[0, :moved], moves[1, :moved]


Blocks = tuple[Array, ...]


@rule
def _copied(block: Array, out: Array, rows: Array) -> None:
    for c in range(block.shape[0]):
        for j in range(rows.size):
            out[c, j] = block[c, rows[j]]


@kernel
def _copy(blocks: Blocks, out: Blocks, rows: Array) -> None:
    _copied(blocks[0], out[0], rows)
    _copied(blocks[1], out[1], rows)
    _copied(blocks[2], out[2], rows)
    _copied(blocks[3], out[3], rows)
    _copied(blocks[4], out[4], rows)


@rule
def _closed(block: Array, moves: Array, count: int) -> None:
    for c in range(block.shape[0]):
        for j in range(count):
            block[c, moves[1, j]] = block[c, moves[0, j]]


@kernel
def _remove(blocks: Blocks, rows: Array, size: int, moves: Array) -> int:
    left = size - rows.size
    last, gone, count = size - 1, rows.size - 1, 0
    for hole in rows:
        if hole >= left:
            break
        while gone >= 0 and rows[gone] == last:
            last -= 1
            gone -= 1
        moves[0, count] = last
        moves[1, count] = hole
        last -= 1
        count += 1
    _closed(blocks[0], moves, count)
    _closed(blocks[1], moves, count)
    _closed(blocks[2], moves, count)
    _closed(blocks[3], moves, count)
    _closed(blocks[4], moves, count)
    return count


def identity(cohort: int, slots: Array) -> Array:
    """Identities of first shops opened in calendar month `cohort` (months since 2000-01)."""
    return np.int64(cohort) * 10**7 + slots.astype(np.int64) * 10
