"""What becomes of those who close: an employee in the city, a founder again later, or gone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import log
from sim.entrepreneurs.behaviour import Exit
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.rules import LEFT_CITY
from sim.entrepreneurs.streams import Stream

__all__ = ["EMPLOYEE", "GONE", "RESTART", "AfterExit", "after_exit"]

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
        words = philox(uid[i] & 0xFFFFFFFF, (uid[i] >> 32) & 0xFFFFFFFF, key[2], _BLOCK, key[0], key[1])
        until_restart = until_leave = _NEVER
        if p.ln_no_restart < 0.0:
            until_restart = min(1 + int(log(word_to_uniform(words[1])) / p.ln_no_restart), _NEVER)
        if p.ln_no_leave < 0.0:
            until_leave = min(1 + int(log(word_to_uniform(words[2])) / p.ln_no_leave), _NEVER)
        stays = word_to_uniform(words[0]) < p.stays and reason[i] != LEFT_CITY
        again = until_restart <= until_leave and until_restart < _NEVER and uid[i] % 10 < 9
        after[i] = (RESTART if again else EMPLOYEE) if stays else GONE
        wait[i] = until_restart if again else until_leave


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
