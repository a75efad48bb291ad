"""The money: every payment, to the fen, by month, instrument, stage and education."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arrivals import EDUCATION
from sim.entrepreneurs.columns import Blocks, Columns, opened
from sim.entrepreneurs.compiled import kernel
from sim.policy._instrument import PolicyInstrument
from sim.policy._now import Now

__all__ = ["Ledger", "NegativeCost"]

_EDUCATIONS = len(EDUCATION)
_ENTRIES, _FEN = 0, 1

Rows = NDArray[np.int64]


@kernel
def _book(
    blocks: Blocks,
    rows: NDArray[np.int64],
    amount: NDArray[np.int64],
    stage_of: NDArray[np.int8],
    way: tuple[int, int],
    page: NDArray[np.int64],
) -> None:
    s = opened(blocks)
    spent, into_cash = way
    for j in range(rows.size):
        i = rows[j]
        s.received[i] += spent * amount[j]
        s.cash[i] += into_cash * amount[j]
        group = s.education[i] + _EDUCATIONS * stage_of[s.house[i]]
        if amount[j] > 0:
            page[_ENTRIES, group] += 1
            page[_FEN, group] += amount[j]


def _longer(book: NDArray[np.int64], pages: int) -> NDArray[np.int64]:
    """The book with so many pages at least."""
    return np.concatenate([book, np.zeros((max(pages - len(book), 0), *book.shape[1:]), np.int64)])


class _Kind(IntEnum):
    """What an entry of the books is: public money spent, claims refused for want of it; loans out, back, and lost."""

    PAID = 0
    REFUSED = 1
    LENT = 2
    REPAID = 3
    LOST = 4


class NegativeCost(ValueError):
    """What an instrument says that it costs is below 0."""


class Ledger:
    """Pays, within budgets, and keeps the books. Amounts are whole fen (1/100 CNY).

    Parameters
    ----------
    policy
        The instruments. One that `covers` others is a fund: its budget holds for what they spend together.
    """

    def __init__(self, policy: Sequence[PolicyInstrument] = ()) -> None:
        self._numbers: dict[tuple[int, str], int] = {}  # of a month's and instrument's page
        self._books = [np.zeros((0, 2, 0), np.int64)] * len(_Kind)  # by kind: (pages, `_ENTRIES` and `_FEN`, groups)
        self._spent: dict[tuple[str, int | None], int] = {}
        self._funds: dict[str, list[PolicyInstrument]] = {}
        for fund in policy:
            for id in dict.fromkeys(getattr(fund, "covers", ())) if fund.active else ():
                self._funds.setdefault(id, []).append(fund)

    def pay(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        now: Now,
        rows: Rows,
        fen: NDArray[Any] | int,
        *,
        in_cash: bool = True,
    ) -> Rows:
        """Pay `fen` for `rows`, in full or not at all, within the instrument's budgets; returns the rows served.

        Where a budget does not reach, the instrument's `priority` decides who is first, and the rest is booked as
        refused. A budget of which nothing is left refuses those as well for whom it would cost nothing.

        Parameters
        ----------
        fen : (rows,) or a number
            Whole fen for each row, 0 or more; rows with 0 are served, and not booked. Parts of a fen are cut off.
        in_cash
            False if it is given in kind: the money goes to a provider (trainers, say), not into the founder's cash.

        Raises
        ------
        NegativeCost
            An instrument that does not come with the program would pay less than 0.
        """
        if not len(rows):
            return rows
        if isinstance(fen, np.ndarray):
            amount = np.asarray(fen, np.int64)
        else:
            amount = np.empty(len(rows), np.int64)
            amount.fill(fen)
        if not instrument.ours and (least := amount.min()) < 0:
            raise NegativeCost(f"a cost must be 0 or more fen (got {least})")
        if limits := self._limits(instrument, now):
            left = min(limit - self._spent.get(key, 0) for key, limit in limits)
            if left < (total := int(amount.sum())) or left <= 0:
                order = np.argsort(rows, kind="stable")
                sorter = order[np.searchsorted(rows, now.queue(instrument, people, rows), sorter=order)]
                rows, amount = rows[sorter], amount[sorter]
                served = int(np.searchsorted(np.cumsum(amount), left, side="right")) if left > 0 else 0
                self._note(instrument, people, now, rows[served:], amount[served:], _Kind.REFUSED)
                rows, amount = rows[:served], amount[:served]
                total = int(amount.sum())
            for key, _ in limits:
                self._spent[key] = self._spent.get(key, 0) + total
        self._note(instrument, people, now, rows, amount, _Kind.PAID, (1, int(in_cash)))
        return rows

    def lend(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: NDArray[Any]) -> None:
        """A bank's loan comes into the founders' cash: booked, and no public money."""
        self._note(instrument, people, now, rows, np.asarray(fen, np.int64), _Kind.LENT, (0, 1))

    def collect(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: NDArray[Any]) -> None:
        """Founders pay (part of) a loan back out of their cash."""
        self._note(instrument, people, now, rows, np.asarray(fen, np.int64), _Kind.REPAID, (0, -1))

    def write_off(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: NDArray[Any]) -> None:
        """What founders do not pay back is lost: booked; whoever bears it pays apart."""
        self._note(instrument, people, now, rows, np.asarray(fen, np.int64), _Kind.LOST)

    def left(self, instrument: PolicyInstrument, now: Now) -> float:
        """What the instrument may still spend this year, fen; infinite without a budget."""
        limits = self._limits(instrument, now)
        return min((limit - self._spent.get(key, 0) for key, limit in limits), default=float("inf"))

    def _limits(self, instrument: PolicyInstrument, now: Now) -> list[tuple[tuple[str, int | None], int]]:
        found: list[tuple[tuple[str, int | None], int]] = []
        if instrument.budget is None and instrument.budget_total is None and instrument.id not in self._funds:
            return found
        date = f"{2000 + now.calendar // 12:04d}-{now.calendar % 12 + 1:02d}"
        funds = (fund for fund in self._funds.get(instrument.id, ()) if fund.in_force(date))
        for purse in (instrument, *funds):
            if purse.budget is not None:
                found.append(((purse.id, now.calendar // 12), round(purse.budget * 100)))
            if purse.budget_total is not None:
                found.append(((purse.id, None), round(purse.budget_total * 100)))
        return found

    def _note(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        now: Now,
        rows: Rows,
        amount: NDArray[np.int64],
        kind: _Kind,
        way: tuple[int, int] = (0, 0),
    ) -> None:
        """Enter sums in the books; `way`: whether it was spent on them, and whether it went into their cash."""
        if not len(rows):
            return
        number = self._numbers.setdefault((now.month, instrument.id), len(self._numbers))
        book = self._books[kind]
        if number >= len(book):
            if not len(book):
                book = np.zeros((0, 2, (len(now.stages) + 1) * _EDUCATIONS), np.int64)
            book = self._books[kind] = _longer(book, max(64, 2 * number))
        _book(people.blocks, rows, amount, now.stage_of, way, book[number])

    def entries(self) -> dict[str, NDArray[Any]]:
        """The books: sums by month, instrument, stage and education, sorted; money in fen.

        recipients and paid; refused (claims) and refused_fen; lent; repaid; lost.
        """
        keys = sorted(self._numbers)
        order = [self._numbers[key] for key in keys]
        books = [book if not len(book) else _longer(book, len(keys))[order] for book in self._books]
        page, group = np.nonzero(
            np.any([book[:, 0] for book in books if len(book)] or [np.zeros((0, 0), np.int64)], axis=0)
        )

        def column(kind: _Kind, what: int) -> NDArray[np.int64]:
            return books[kind][page, what, group] if len(books[kind]) else np.zeros(len(page), np.int64)

        month, instrument = (np.array([key[i] for key in keys], kind)[page] for i, kind in ((0, np.int64), (1, object)))
        stage, education = np.divmod(group, _EDUCATIONS)
        return {
            "month": month,
            "instrument": instrument,
            "stage": stage,
            "education": education,
            "recipients": column(_Kind.PAID, _ENTRIES),
            "paid": column(_Kind.PAID, _FEN),
            "refused": column(_Kind.REFUSED, _ENTRIES),
            "refused_fen": column(_Kind.REFUSED, _FEN),
            "lent": column(_Kind.LENT, _FEN),
            "repaid": column(_Kind.REPAID, _FEN),
            "lost": column(_Kind.LOST, _FEN),
        }
