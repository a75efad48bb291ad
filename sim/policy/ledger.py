"""The money: every payment, to the fen, by month, instrument, stage and education."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import log, normal
from sim.entrepreneurs.arrivals import EDUCATION
from sim.entrepreneurs.columns import Blocks, Columns, opened
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import uniform, uniforms
from sim.entrepreneurs.rules import Constants
from sim.policy._instrument import Draw, PolicyInstrument

__all__ = ["Ledger", "Now"]

_EDUCATIONS = len(EDUCATION)

Rows = NDArray[np.int64]


@lru_cache
def _stream(id: str, draw: Draw) -> int:
    """The stream of an instrument's draw: by its id, far from the model's own streams.

    So the same instrument draws the same under every policy, and another instrument's draws are independent.
    """
    return (1 << 29) + ((crc32(id.encode()) & 0x7FFFFFF) << 2) + draw


@kernel
def _drawn(
    k0: int, k1: int, stream: int, uid: NDArray[np.int64], rows: NDArray[np.int64], month: int, chance: float
) -> NDArray[np.int64]:
    out = np.empty(rows.size, np.int64)
    count = 0
    for i in rows:
        if uniform(k0, k1, stream, uid[i], month) < chance:
            out[count] = i
            count += 1
    return out[:count]


@kernel
def _normals(k0: int, k1: int, stream: int, uid: NDArray[np.int64], month: int) -> NDArray[np.float64]:
    out = np.empty(uid.size)
    for i in range(uid.size):
        out[i] = normal(uniform(k0, k1, stream, uid[i], month))
    return out


@kernel
def _logs(x: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = log(x[i])
    return out


@kernel
def _due(age: NDArray[np.int32], first: int, every: int, times: int) -> NDArray[np.int64]:
    out = np.empty(age.size, np.int64)
    count = 0
    for i in range(age.size):
        since = age[i] - first
        if since >= 0 and since < every * times and since % every == 0:
            out[count] = i
            count += 1
    return out[:count]


@kernel
def _tenants(house: NDArray[np.int16], stage_of: NDArray[np.int8], wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    out = np.empty(house.size, np.int64)
    count = 0
    for i in range(house.size):
        if wanted[stage_of[house[i]]]:
            out[count] = i
            count += 1
    return out[:count]


class Now(NamedTuple):
    """What an instrument may know of the month, and where its draws come from."""

    month: int  # since the horizon's start, from 0; negative in the burn-in
    calendar: int  # months since 2000-01
    key: tuple[int, int]  # the replicate's key for draws
    stages: tuple[str, ...]  # ids of the chain's stages
    stage_of: NDArray[np.int8]  # stage of each house; len(stages) outside
    constants: Constants | None = None  # the rulebook's numbers

    def due(self, people: Columns, first: int, every: int = 12, times: int = 1) -> Rows:
        """Rows of shops that have traded `first` months, or `every` months more, up to `times` times."""
        return _due(people.age, first, every, times)

    def tenants(self, people: Columns, wanted: NDArray[np.bool_]) -> Rows:
        """Rows of those in the stages that are `wanted`: (stages + 1,), the last for outside the chain."""
        return _tenants(people.house, self.stage_of, wanted)

    def drawn(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        chance: float,
        draw: Draw = Draw.TAKE_UP,
        *,
        for_life: bool = False,
    ) -> Rows:
        """Those of `rows` whose draw is below `chance`; `for_life`: by a draw that a person keeps."""
        month = 0 if for_life else self.calendar
        return _drawn(*self.key, _stream(instrument.id, draw), people.uid, rows, month, float(chance))

    def lots(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        draw: Draw = Draw.LOT,
        *,
        for_life: bool = False,
    ) -> NDArray[np.float64]:
        """A draw for each of `rows`, strictly between 0 and 1."""
        month = 0 if for_life else self.calendar
        return uniforms(self.key, _stream(instrument.id, draw), people.uid[rows], month)

    def normals(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        draw: Draw = Draw.NOISE,
        *,
        for_life: bool = False,
    ) -> NDArray[np.float64]:
        """A standard normal draw for each of `rows`."""
        month = 0 if for_life else self.calendar
        return _normals(*self.key, _stream(instrument.id, draw), people.uid[rows], month)

    def queue(self, instrument: PolicyInstrument, people: Columns, rows: Rows) -> Rows:
        """`rows` in the order of the instrument's `priority`: by lot, or the largest smoothed sales first."""
        uid, lots = people.uid[rows], self.lots(instrument, people, rows)
        if instrument.priority == "merit":
            return rows[np.lexsort((uid, lots, -people.smoothed[rows]))]
        return rows[np.lexsort((uid, lots))]

    def seated(self, instrument: PolicyInstrument, people: Columns, rows: Rows, places: int) -> Rows:
        """The first `places` of the queue; all of `rows`, as they are, where there is room."""
        return rows if len(rows) <= places else self.queue(instrument, people, rows)[: max(places, 0)]

    @staticmethod
    def ln(ratio: float) -> float:
        """Natural log, the same on every machine: effects are given as shares and act on logs of sales."""
        return log(ratio)

    @staticmethod
    def logs(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same of each of many numbers above 0."""
        return _logs(values)

    def this_month(self, yearly: int) -> int:
        """This month's part of a yearly number of places: the twelve add up to it."""
        month = self.calendar % 12
        return yearly * (month + 1) // 12 - yearly * month // 12


@kernel
def _book(
    blocks: Blocks,
    rows: NDArray[np.int64],
    amount: NDArray[np.int64],
    stage_of: NDArray[np.int8],
    spent: int,
    into_cash: int,
) -> NDArray[np.int16]:
    s = opened(blocks)
    group = np.empty(rows.size, np.int16)
    for j in range(rows.size):
        i = rows[j]
        s.received[i] += spent * amount[j]
        s.cash[i] += into_cash * amount[j]
        group[j] = s.education[i] + _EDUCATIONS * stage_of[s.house[i]] if amount[j] > 0 else -1
    return group


class _Kind(IntEnum):
    """What an entry of the books is: public money spent, claims refused for want of it; loans out, back, and lost."""

    PAID = 0
    REFUSED = 1
    LENT = 2
    REPAID = 3
    LOST = 4


class Ledger:
    """Pays, within budgets, and keeps the books. Amounts are whole fen (1/100 CNY).

    Parameters
    ----------
    policy
        The instruments. One that `covers` others is a fund: its budget holds for what they spend together.
    """

    def __init__(self, policy: Sequence[PolicyInstrument] = ()) -> None:
        self._books: list[tuple[int, str, _Kind, NDArray[Any], NDArray[np.int64]]] = []
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
            Whole fen for each row, 0 or more; rows with 0 are served, and not booked.
        in_cash
            False if it is given in kind: the money goes to a provider (trainers, say), not into the founder's cash.
        """
        if not len(rows):
            return rows
        amount = np.asarray(fen, np.int64)
        if not amount.ndim:
            amount = np.repeat(amount, len(rows))
        limits = self._limits(instrument, now)
        if limits:
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
        self._note(instrument, people, now, rows, amount, _Kind.PAID, spent=1, into_cash=int(in_cash))
        return rows

    def lend(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: NDArray[Any]) -> None:
        """A bank's loan comes into the founders' cash: booked, and no public money."""
        self._note(instrument, people, now, rows, np.asarray(fen, np.int64), _Kind.LENT, into_cash=1)

    def collect(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: NDArray[Any]) -> None:
        """Founders pay (part of) a loan back out of their cash."""
        self._note(instrument, people, now, rows, np.asarray(fen, np.int64), _Kind.REPAID, into_cash=-1)

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
        *,
        spent: int = 0,
        into_cash: int = 0,
    ) -> None:
        if not len(rows):
            return
        group = _book(people.blocks, rows, amount, now.stage_of, spent, into_cash)
        self._books.append((now.month, instrument.id, kind, group, amount))

    def entries(self) -> dict[str, NDArray[Any]]:
        """The books: sums by month, instrument, stage and education, sorted; money in fen.

        recipients and paid; refused (claims) and refused_fen; lent; repaid; lost.
        """
        lengths = [len(b[3]) for b in self._books]
        names = sorted({b[1] for b in self._books})
        groups = 1 + max((int(b[3].max()) for b in self._books), default=0)
        month = np.repeat([b[0] for b in self._books], lengths).astype(np.int64)
        instrument = np.repeat([names.index(b[1]) for b in self._books], lengths).astype(np.int64)
        kind = np.repeat([int(b[2]) for b in self._books], lengths).astype(np.int64)
        group = np.concatenate([np.zeros(0, np.int64), *(b[3] for b in self._books)])
        fen = np.concatenate([np.zeros(0, np.int64), *(b[4] for b in self._books)])
        some = group >= 0  # nothing paid is nothing booked
        month, instrument, kind, group, fen = (a[some] for a in (month, instrument, kind, group, fen))
        key = (month * len(names) + instrument) * groups + group
        size = int(key.max(initial=-1)) + 1
        # whole numbers below 2^53: exact in any order
        count = [np.bincount(key[kind == k], minlength=size) for k in _Kind]
        total = [np.bincount(key[kind == k], weights=fen[kind == k], minlength=size) for k in _Kind]
        used = np.flatnonzero(sum(count))
        rest, group = np.divmod(used, groups)
        month, instrument = np.divmod(rest, max(len(names), 1))
        stage, education = np.divmod(group, _EDUCATIONS)
        return {
            "month": month,
            "instrument": np.array(names, dtype=object)[instrument],
            "stage": stage,
            "education": education,
            "recipients": count[_Kind.PAID][used],
            "paid": total[_Kind.PAID][used].astype(np.int64),
            "refused": count[_Kind.REFUSED][used],
            "refused_fen": total[_Kind.REFUSED][used].astype(np.int64),
            "lent": total[_Kind.LENT][used].astype(np.int64),
            "repaid": total[_Kind.REPAID][used].astype(np.int64),
            "lost": total[_Kind.LOST][used].astype(np.int64),
        }
