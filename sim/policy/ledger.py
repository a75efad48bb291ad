"""The money: every payment, to the fen, by month, instrument, stage and education."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arrivals import EDUCATION
from sim.entrepreneurs.columns import Columns
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import drawn, uniforms
from sim.entrepreneurs.streams import Stream

__all__ = ["Ledger", "Now"]

_EDUCATIONS = len(EDUCATION)


class Now(NamedTuple):
    """What an instrument may know of the month."""

    month: int  # since the horizon's start, from 0
    calendar: int  # months since 2000-01
    key: tuple[int, int]  # the replicate's key for draws
    stages: tuple[str, ...]  # ids of the chain's stages
    stage_of: NDArray[np.int8]  # stage of each house; len(stages) outside

    def drawn(self, stream: Stream, uid: NDArray[np.int64], chance: float) -> NDArray[np.int64]:
        """Positions in `uid` of those whose draw of this month is below `chance`."""
        return drawn(self.key, stream, uid, self.calendar, chance)

    def always_drawn(self, stream: Stream, uid: NDArray[np.int64], chance: float) -> NDArray[np.int64]:
        """The same by a draw that a person keeps for life."""
        return drawn(self.key, stream, uid, 0, chance)

    def lots(self, stream: Stream, uid: NDArray[np.int64]) -> NDArray[np.float64]:
        """This month's draws, between 0 and 1."""
        return uniforms(self.key, stream, uid, self.calendar)


@kernel
def _book(
    received: NDArray[np.float64],
    cash: NDArray[np.float64],
    house: NDArray[np.int16],
    education: NDArray[np.int8],
    rows: NDArray[np.int64],
    amount: NDArray[np.int64],
    stage_of: NDArray[np.int8],
    in_cash: bool,
    group: NDArray[np.int16],
) -> None:
    for j in range(rows.size):
        i = rows[j]
        received[i] += amount[j]
        if in_cash:
            cash[i] += amount[j]
        group[j] = stage_of[house[i]] * _EDUCATIONS + education[i]


class Ledger:
    """Pays, within budgets, and keeps the books. Amounts are whole fen (1/100 CNY)."""

    def __init__(self) -> None:
        self._book: list[tuple[int, str, NDArray[Any], NDArray[np.int64]]] = []
        self._spent: dict[tuple[str, int], int] = {}

    def pay(
        self,
        instrument: str,
        people: Columns,
        now: Now,
        rows: NDArray[np.int64],
        fen: NDArray[Any],
        *,
        budget: float | None = None,
        in_cash: bool = True,
    ) -> NDArray[np.int64]:
        """Pay `fen` for `rows`, in full or not at all; returns the rows that were paid.

        Parameters
        ----------
        fen : (rows,)
            Whole fen for each row, 0 or more; rows with 0 are left out.
        budget
            CNY per calendar year. Where it does not reach, lots decide who is first.
        in_cash
            False if it is given in kind: the money goes to a provider (trainers, say), not into the founder's cash.
        """
        amount = np.asarray(fen, dtype=np.int64)
        if not len(rows):
            return rows
        if amount.min() <= 0:
            rows, amount = rows[amount > 0], amount[amount > 0]
        if budget is not None and len(rows):
            year = now.calendar // 12
            left = int(budget * 100) - self._spent.get((instrument, year), 0)
            lots = now.lots(Stream.RATION, people.uid[rows])
            order = np.lexsort((people.uid[rows], lots))
            paid = order[np.cumsum(amount[order]) <= left]
            self._spent[instrument, year] = self._spent.get((instrument, year), 0) + int(amount[paid].sum())
            rows, amount = rows[paid], amount[paid]
        if not len(rows):
            return rows
        group = np.empty(len(rows), np.int16)
        _book(people.received, people.cash, people.house, people.education, rows, amount, now.stage_of, in_cash, group)
        self._book.append((now.month, instrument, group, amount))
        return rows

    def entries(self) -> dict[str, NDArray[Any]]:
        """The books: sums by month, instrument, stage and education, sorted; `paid` in fen."""
        lengths = [len(b[3]) for b in self._book]
        names = sorted({b[1] for b in self._book})
        groups = 1 + max((int(b[2].max()) for b in self._book), default=0)
        month = np.repeat([b[0] for b in self._book], lengths).astype(np.int64)
        instrument = np.repeat([names.index(b[1]) for b in self._book], lengths).astype(np.int64)
        group = np.concatenate([np.zeros(0, np.int64), *(b[2] for b in self._book)])
        fen = np.concatenate([np.zeros(0, np.int64), *(b[3] for b in self._book)])
        key = (month * len(names) + instrument) * groups + group
        count = np.bincount(key)
        paid = np.bincount(key, weights=fen)  # whole numbers below 2^53: exact in any order
        used = np.flatnonzero(count)
        rest, group = np.divmod(used, groups)
        month, instrument = np.divmod(rest, max(len(names), 1))
        stage, education = np.divmod(group, _EDUCATIONS)
        return {
            "month": month,
            "instrument": np.array(names, dtype=object)[instrument],
            "stage": stage,
            "education": education,
            "recipients": count[used],
            "paid": paid[used].astype(np.int64),
        }
