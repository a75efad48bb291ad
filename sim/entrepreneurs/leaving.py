"""What becomes of those who close: an employee in the city, a founder again later, or gone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import log
from sim.entrepreneurs.behaviour import Exit
from sim.entrepreneurs.columns import Blocks, Columns, copied, opened, removed, roomy
from sim.entrepreneurs.compiled import kernel, rule
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.kernel import EXIT
from sim.entrepreneurs.rules import LEFT_CITY
from sim.entrepreneurs.streams import Stream

__all__ = ["EMPLOYEE", "GONE", "RESTART", "AfterExit", "Closed", "FormerFounders", "after_exit", "close", "leavers"]

EMPLOYEE, RESTART, GONE = 0, 1, 2

_BLOCK = Stream.AFTER_EXIT >> 2  # RESTART and LEAVE are in it as well
_NEVER = 10**6


class AfterExit(NamedTuple):
    """Chance of staying, and log of the monthly chance of not starting again and of not leaving."""

    stays: float
    ln_no_restart: float
    ln_no_leave: float

    @classmethod
    def of(cls, e: Exit) -> AfterExit:
        """From yearly chances."""
        restart, leave = (log(max(1.0 - p, 1e-300)) / 12.0 for p in (e.restarts, e.leaves_later))
        return cls(float(e.stays), restart, leave)


@rule
def _fate(uid: int, reason: int, p: AfterExit, key: tuple[int, int, int]) -> tuple[int, int]:
    """What becomes of one, and how long he waits: see `after_exit`."""
    words = philox(uid & 0xFFFFFFFF, (uid >> 32) & 0xFFFFFFFF, key[2], _BLOCK, key[0], key[1])
    until_restart = until_leave = _NEVER
    if p.ln_no_restart < 0.0:
        until_restart = min(1 + int(log(word_to_uniform(words[1])) / p.ln_no_restart), _NEVER)
    if p.ln_no_leave < 0.0:
        until_leave = min(1 + int(log(word_to_uniform(words[2])) / p.ln_no_leave), _NEVER)
    stays = word_to_uniform(words[0]) < p.stays and reason != LEFT_CITY
    again = until_restart <= until_leave and until_restart < _NEVER and uid % 10 < 9
    return (RESTART if again else EMPLOYEE) if stays else GONE, until_restart if again else until_leave


@kernel
def _after_exit(
    uid: NDArray[np.int64],
    reason: NDArray[np.int8],
    p: AfterExit,
    key: tuple[int, int, int],
    after: NDArray[np.int8],
    wait: NDArray[np.int64],
) -> None:
    for i in range(uid.size):
        after[i], wait[i] = _fate(uid[i], reason[i], p, key)


def after_exit(
    uid: NDArray[np.int64], reason: NDArray[np.int8], p: AfterExit, key: tuple[int, int, int]
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """What becomes of each, and in how many months he starts again (if he does) or leaves the city (if he stays).

        stays:      U < stays, and he did not close to leave the city
        T_restart = 1 + floor(ln U / ln((1 - restarts)^(1/12)))
        T_leave   = 1 + floor(ln U / ln((1 - leaves_later)^(1/12)))

    Who stays is an employee until the earlier of the two months, in which he starts again or leaves; who does not stay
    is gone at once. Waiting times are geometric; where a chance is 0 the wait is 10^6 months. Nobody starts again more
    than nine times.
    """
    after, wait = np.empty(len(uid), np.int8), np.empty(len(uid), np.int64)
    _after_exit(uid, reason, p, key, after, wait)
    return after, wait


class FormerFounders:
    """Those who have closed and still live in the city, until they start again or leave.

    Attributes
    ----------
    size : how many
    """

    def __init__(self) -> None:
        self.size = 0
        self._waiting = np.empty((6, 64), np.int64)

    @property
    def waiting(self) -> NDArray[np.int64]:
        """(6, size): calendar month in which the wait ends, `EMPLOYEE` or `RESTART`; identity of a next shop,
        education, origin, channel."""
        return self._waiting[:, : self.size]

    def room(self, count: int) -> NDArray[np.int64]:
        """`waiting`, with room for `count` more."""
        self._waiting = roomy(self._waiting, self.size, count)
        return self._waiting

    def add(self, waiting: NDArray[np.int64]) -> None:
        """More of them, as in `waiting`."""
        count = waiting.shape[1]
        self.room(count)[:, self.size : self.size + count] = waiting
        self.size += count

    def end(self, calendar: int) -> NDArray[np.int64]:
        """The waits that end in this month are over: (people, 4), identity, education, origin and channel of those who
        start again."""
        again = np.empty((self.size, 4), np.int64)
        self.size, count = _end(self._waiting, self.size, calendar, again)
        return again[:count]


@kernel
def _end(waiting: NDArray[np.int64], size: int, calendar: int, again: NDArray[np.int64]) -> tuple[int, int]:
    left = count = 0
    for j in range(size):
        if waiting[0, j] != calendar:
            if left < j:
                for k in range(6):
                    waiting[k, left] = waiting[k, j]
            left += 1
        elif waiting[1, j] == RESTART:
            for k in range(4):
                again[count, k] = waiting[2 + k, j]
            count += 1
    return left, count


class Closed:
    """What stays on record of those who closed.

    Parameters
    ----------
    people
        Those whose last rows are kept.

    Attributes
    ----------
    size : how many
    """

    def __init__(self, people: Columns) -> None:
        self.size = 0
        self._people = people
        self._fate = np.empty((2, 256), np.int16)  # month of the run, and what became of him
        self._records = people.records(256)

    def room(self, count: int) -> tuple[Blocks, NDArray[np.int16]]:
        """Records and fates with room for `count` more."""
        if self.size + count > self._fate.shape[1]:
            self._records = tuple([roomy(block, self.size, count) for block in self._records])
            self._fate = roomy(self._fate, self.size, count)
        return self._records, self._fate

    def columns(self) -> dict[str, NDArray[Any]]:
        """All records by name: `sim.entrepreneurs.columns.KEPT`, ``spent``, exit_month (of the run), and after, as in
        `after_exit`."""
        month, after = self._fate[:, : self.size]
        return self._people.recorded(self._records, self.size) | {"exit_month": month, "after": after.astype(np.int8)}


@kernel
def _leavers(blocks: Blocks, out: NDArray[np.int64]) -> int:
    s = opened(blocks)
    count = 0
    for i in range(out.size):
        if s.call[i] & EXIT:
            out[count] = i
            count += 1
    return count


def leavers(people: Columns) -> NDArray[np.int64]:
    """Rows of those who decided to close this month, in order."""
    out = np.empty(people.size, np.int64)
    return out[: _leavers(people.blocks, out)]


@kernel
def _close(
    blocks: Blocks,
    size: int,
    rows: NDArray[np.int64],
    tenants: NDArray[np.int64],
    chances: tuple[float, ...],
    key: tuple[int, int, int],
    month: int,
    closed: tuple[Blocks, NDArray[np.int16]],
    waiting: NDArray[np.int64],
    at: tuple[int, int],
    moves: NDArray[np.int64],
) -> tuple[int, int]:
    s, p = opened(blocks), AfterExit(chances[0], chances[1], chances[2])
    records, fate = closed
    stay = 0
    for j in range(rows.size):
        i = rows[j]
        tenants[s.house[i]] -= 1
        after, wait = _fate(s.uid[i], s.call[i] & EXIT, p, key)
        fate[0, at[0] + j], fate[1, at[0] + j] = month, after
        if after != GONE:
            k = at[1] + stay
            waiting[0, k], waiting[1, k], waiting[2, k] = key[2] + wait, after, s.uid[i] + 1
            waiting[3, k], waiting[4, k], waiting[5, k] = s.education[i], s.origin[i], s.channel[i]
            stay += 1
    copied(blocks, records, at[0], rows)
    return stay, removed(blocks, rows, size, moves)


def close(
    people: Columns,
    rows: NDArray[np.int64],
    tenants: NDArray[np.int64],
    p: AfterExit,
    key: tuple[int, int, int],
    month: int,
    closed: Closed,
    former: FormerFounders,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those in `rows` (sorted) close: they give up their places, and it is drawn what becomes of them.

    Parameters
    ----------
    tenants : (houses,)
        Become fewer.
    key, month
        The replicate's key (two words) and the calendar month; the month of the run.
    closed, former
        Become more.

    Returns
    -------
    from, to
        Rows that moved into the gaps.
    """
    count = len(rows)
    moves = np.empty((2, count), np.int64)
    stay, moved = _close(
        people.blocks,
        people.size,
        rows,
        tenants,
        tuple(p),
        key,
        month,
        closed.room(count),
        former.room(count),
        (closed.size, former.size),
        moves,
    )
    closed.size += count
    former.size += stay
    people.resized(people.size - count)
    return moves[0, :moved], moves[1, :moved]
