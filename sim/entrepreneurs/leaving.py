"""What becomes of those who close: an employee in the city, a founder again later, or gone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import log
from sim.entrepreneurs.behaviour import Exit
from sim.entrepreneurs.columns import Blocks, Columns, opened
from sim.entrepreneurs.compiled import kernel, rule
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.kernel import EXIT
from sim.entrepreneurs.rules import LEFT_CITY
from sim.entrepreneurs.streams import Stream

__all__ = ["EMPLOYEE", "GONE", "RESTART", "AfterExit", "Leavers", "after_exit", "leave", "leavers"]

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


class Leavers(NamedTuple):
    """What becomes of those who close, by row."""

    after: NDArray[np.int8]
    """As in `after_exit`."""
    later: NDArray[np.int64]
    """(rows, 5): how long they wait, as in `after_exit`; identity of a next shop, education, origin, channel."""


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
def _leave(
    blocks: Blocks,
    rows: NDArray[np.int64],
    tenants: NDArray[np.int64],
    chances: tuple[float, ...],
    key: tuple[int, int, int],
    after: NDArray[np.int8],
    later: NDArray[np.int64],
) -> None:
    s, p = opened(blocks), AfterExit(chances[0], chances[1], chances[2])
    for j in range(rows.size):
        i = rows[j]
        tenants[s.house[i]] -= 1
        after[j], later[j, 0] = _fate(s.uid[i], s.call[i] & EXIT, p, key)
        later[j, 1] = s.uid[i] + 1
        later[j, 2] = s.education[i]
        later[j, 3] = s.origin[i]
        later[j, 4] = s.channel[i]


def leave(
    people: Columns, rows: NDArray[np.int64], tenants: NDArray[np.int64], p: AfterExit, key: tuple[int, int, int]
) -> Leavers:
    """Those in `rows` give up their places (`tenants`, by house), and it is drawn what becomes of them."""
    after, later = np.empty(len(rows), np.int8), np.empty((len(rows), 5), np.int64)
    _leave(people.blocks, rows, tenants, tuple(p), key, after, later)
    return Leavers(after, later)
