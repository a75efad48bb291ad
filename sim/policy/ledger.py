"""The money: every payment, to the fen, by month, instrument, stage and education."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arrivals import EDUCATION
from sim.entrepreneurs.columns import Columns
from sim.entrepreneurs.draws import Stream, uniforms

__all__ = ["Entry", "Ledger", "Now"]


class Now(NamedTuple):
    """What an instrument may know of the month."""

    month: int  # since the horizon's start, from 0
    calendar: int  # months since 2000-01
    key: tuple[int, int]  # the replicate's key for draws
    stages: tuple[str, ...]  # ids of the chain's stages
    stage_of: NDArray[np.int8]  # stage of each house; len(stages) outside


class Entry(NamedTuple):
    """One line of the ledger; `paid` in fen."""

    month: int
    instrument: str
    stage: int
    education: int
    recipients: int
    paid: int


class Ledger:
    """Pays, within budgets, and keeps the books. Amounts are whole fen (1/100 CNY)."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
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
            False if the money goes to a provider (trainers, say) and not to the founder's cash.
        """
        amount = np.asarray(fen, dtype=np.int64)
        rows, amount = rows[amount > 0], amount[amount > 0]
        if budget is not None and len(rows):
            year = now.calendar // 12
            left = int(budget * 100) - self._spent.get((instrument, year), 0)
            lots = uniforms(now.key, Stream.RATION, people.uid[rows], now.calendar)
            order = np.lexsort((people.uid[rows], lots))
            paid = order[np.cumsum(amount[order]) <= left]
            self._spent[instrument, year] = self._spent.get((instrument, year), 0) + int(amount[paid].sum())
            rows, amount = rows[paid], amount[paid]
        if not len(rows):
            return rows
        if in_cash:
            people.cash[rows] += amount
            people.received[rows] += amount
        groups = len(EDUCATION)
        code = now.stage_of[people.house[rows]].astype(np.int64) * groups + people.education[rows]
        count = np.bincount(code)
        total = np.bincount(code, weights=amount)  # whole numbers below 2^53: exact in any order
        for c in np.flatnonzero(count):
            stage, education = divmod(int(c), groups)
            self.entries.append(Entry(now.month, instrument, stage, education, int(count[c]), int(total[c])))
        return rows
