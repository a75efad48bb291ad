"""What becomes of those who close."""

from __future__ import annotations

import numpy as np
import pytest

from sim.entrepreneurs.behaviour import Exit
from sim.entrepreneurs.columns import identity
from sim.entrepreneurs.draws import replicate_key
from sim.entrepreneurs.leaving import EMPLOYEE, GONE, RESTART, AfterExit, after_exit
from sim.entrepreneurs.rules import INSOLVENT, LEFT_CITY, QUIT

N = 60_000
UID = identity(280, np.arange(N))
KEY = (*replicate_key(2, 0), 300)


def outcome(reason: int = QUIT, uid: np.ndarray = UID, **leave: float) -> tuple[np.ndarray, np.ndarray]:
    return after_exit(uid, np.full(len(uid), reason, np.int8), AfterExit.of(Exit(**leave)), KEY)


def close(found: float, told: float) -> bool:
    return abs(found - told) < 4 * np.sqrt(told * (1 - told) / N)


@pytest.mark.parametrize("reason", [QUIT, INSOLVENT])
def test_the_stated_share_stays_and_of_these_the_first_event_decides(reason: int) -> None:
    """A stated share stays; of these each starts again before he leaves with the odds of the two monthly chances."""
    after, _ = outcome(reason, stays=0.4, restarts=0.3, leaves_later=0.2)
    again, leave = 1 - 0.7 ** (1 / 12), 1 - 0.8 ** (1 / 12)
    first = again / (1 - (1 - again) * (1 - leave))
    assert close((after == GONE).mean(), 0.6)
    assert close((after == RESTART).mean(), 0.4 * first)
    assert close((after == EMPLOYEE).mean(), 0.4 * (1 - first))


def test_waits_are_geometric() -> None:
    """Alone, starting again and leaving later wait geometric times of the stated yearly chance, from one month on."""
    for which, restarts in ((RESTART, 0.3), (EMPLOYEE, 0.0)):
        after, wait = outcome(stays=1.0, restarts=restarts, leaves_later=0.3 - restarts)
        assert (after == which).all()
        assert wait.min() == 1
        for months in (1, 12, 30):
            assert close((wait > months).mean(), 0.7 ** (months / 12))


def test_who_leaves_the_city_is_gone() -> None:
    """Nobody who closed because he moved away stays."""
    after, _ = outcome(LEFT_CITY, stays=1.0)
    assert (after == GONE).all()


def test_without_chances_nobody_moves_again() -> None:
    """With both chances 0 those who stay do so for longer than any run."""
    after, wait = outcome(stays=1.0, restarts=0.0, leaves_later=0.0)
    assert (after == EMPLOYEE).all()
    assert (wait >= 10**5).all()


def test_the_tenth_shop_is_the_last() -> None:
    """After nine restarts nobody starts again: identities have room for ten shops."""
    after, _ = outcome(uid=UID + 9, stays=1.0, restarts=1.0)
    assert not (after == RESTART).any()
    after, _ = outcome(uid=UID + 8, stays=1.0, restarts=1.0, leaves_later=0.0)
    assert (after == RESTART).all()
