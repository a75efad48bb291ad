"""What becomes of those who close."""

from __future__ import annotations

import numpy as np
import pytest

from sim.entrepreneurs.behaviour import Exit
from sim.entrepreneurs.columns import COLUMNS, KEPT, Columns, identity
from sim.entrepreneurs.draws import replicate_key
from sim.entrepreneurs.leaving import EMPLOYEE, GONE, RESTART, AfterExit, Closed, FormerFounders, after_exit, close
from sim.entrepreneurs.rules import INSOLVENT, LEFT_CITY, QUIT

N = 60_000
UID = identity(280, np.arange(N))
KEY = (*replicate_key(2, 0), 300)


def outcome(reason: int = QUIT, uid: np.ndarray = UID, **leave: float) -> tuple[np.ndarray, np.ndarray]:
    return after_exit(uid, np.full(len(uid), reason, np.int8), AfterExit.of(Exit(**leave)), KEY)


def near(found: float, told: float) -> bool:
    return abs(found - told) < 4 * np.sqrt(told * (1 - told) / N)


@pytest.mark.parametrize("reason", [QUIT, INSOLVENT])
def test_the_stated_share_stays_and_of_these_the_first_event_decides(reason: int) -> None:
    """A stated share stays; of these each starts again before he leaves with the odds of the two monthly chances."""
    after, _ = outcome(reason, stays=0.4, restarts=0.3, leaves_later=0.2)
    again, leave = 1 - 0.7 ** (1 / 12), 1 - 0.8 ** (1 / 12)
    first = again / (1 - (1 - again) * (1 - leave))
    assert near((after == GONE).mean(), 0.6)
    assert near((after == RESTART).mean(), 0.4 * first)
    assert near((after == EMPLOYEE).mean(), 0.4 * (1 - first))


def test_waits_are_geometric() -> None:
    """Alone, starting again and leaving later wait geometric times of the stated yearly chance, from one month on."""
    for which, restarts in ((RESTART, 0.3), (EMPLOYEE, 0.0)):
        after, wait = outcome(stays=1.0, restarts=restarts, leaves_later=0.3 - restarts)
        assert (after == which).all()
        assert wait.min() == 1
        for months in (1, 12, 30):
            assert near((wait > months).mean(), 0.7 ** (months / 12))


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


def test_what_stays_on_record_is_what_was_there() -> None:
    """Records hold the kept columns and the months spent of those who closed, in their order, with what came of them.

    The others stay as they are, places are given back, and who stays in the city waits there for his next month.
    """
    people, rng, n = Columns(2, memory={"lever.since": "i2"}), np.random.default_rng(1), 700
    rows = {name: rng.integers(0, 100, n) for name in COLUMNS} | {"spent": rng.integers(0, 9, (3, n))}
    rows |= {"uid": UID[:n], "call": rng.integers(1, 4, n), "house": rng.integers(0, 4, n)}
    people.append(rows)
    chances, tenants, closed, former = (
        AfterExit.of(Exit()),
        np.bincount(rows["house"]),
        Closed(people),
        FormerFounders(),
    )
    there, gone, months = np.arange(n), [], []
    for month, chosen in enumerate((np.array([3, 8, n - 2]), np.arange(300), np.array([0, 5, 46]))):
        gone += there[chosen].tolist()
        months += [month] * len(chosen)
        moved, to = close(people, chosen, tenants, chances, KEY, month, closed, former)
        there[to] = there[moved]
        there = there[: people.size]
        assert (people.cash == rows["cash"][there]).all()
        assert (tenants == np.bincount(rows["house"][there], minlength=4)).all()
    assert sorted([*there, *gone]) == list(range(n))
    kept = closed.columns()
    assert set(kept) == {*KEPT, "spent", "exit_month", "after"}
    after, wait = after_exit(UID[gone], rows["call"][gone].astype(np.int8), chances, KEY)
    for name, values in kept.items():
        told = months if name == "exit_month" else after if name == "after" else rows[name][..., gone]
        assert (values == told).all(), name
    stay = after != GONE
    waits = [KEY[2] + wait, after, UID[gone] + 1, *(rows[t][gone] for t in ("education", "origin", "channel"))]
    assert (former.waiting == np.array(waits)[:, stay]).all()


def test_former_founders_wait_until_their_month() -> None:
    """When a wait ends, some start again, with what they are, and the others leave; the rest go on waiting."""
    former, rng, n = FormerFounders(), np.random.default_rng(2), 500
    waits = np.stack([rng.integers(1, 30, n), rng.integers(0, 2, n), *rng.integers(0, 9, (4, n))])
    former.add(waits[:, :100])
    former.add(waits[:, 100:])
    for month in range(30):
        mine = waits[:, (waits[0] == month) & (waits[1] == RESTART)]
        assert (former.end(month) == mine[2:].T).all()
        waits = waits[:, waits[0] != month]
        assert (former.waiting == waits).all()
    assert former.size == 0
