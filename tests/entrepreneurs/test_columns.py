"""The state of all founders: adding, taking and removing rows loses and doubles nobody."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.entrepreneurs.columns import COLUMNS, Columns, identity, opened


def rows(uids: list[int]) -> dict[str, np.ndarray]:
    n = np.array(uids, np.int64)
    return {"uid": n, "cash": n * 2.0, "age": (n % 100).astype(np.int32), "spent": np.vstack([n % 7, n % 5])}


@given(st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 60)))))
def test_rows_come_and_go_whole(steps: list[tuple[int, set[int]]]) -> None:
    """After any additions and removals the rows are exactly those who should be there, each column with its owner."""
    people, there, next_uid = Columns(1, capacity=2), [], 1
    for added, leaving in steps:
        new = list(range(next_uid, next_uid + added))
        next_uid += added
        people.append(rows(new))
        there += new
        gone = np.array(sorted(i for i in leaving if i < len(there)), np.int64)
        taken = people.take(gone)["uid"].tolist()
        assert taken == [there[i] for i in gone]
        moved, to = people.remove(gone)
        for source, target in zip(moved.tolist(), to.tolist(), strict=True):
            there[target] = there[source]
        del there[len(there) - len(gone) :]
        assert people.uid.tolist() == there
        assert len(people) == people.size == len(there)
    told = rows(there)
    assert (people.cash == told["cash"]).all()
    assert (people.age == told["age"]).all()
    assert (people.spent == told["spent"]).all()
    assert (people.take(np.arange(people.size))["spent"] == told["spent"]).all()


def test_identities_never_meet() -> None:
    """A million first shops a month and nine restarts each leave every identity unique, before 2000 too."""
    months = [identity(c, np.array([0, 1, 999_999])) for c in (-2, -1, 0, 1, 291)]
    uids = np.concatenate([m + attempt for m in months for attempt in range(10)])
    assert len(np.unique(uids)) == len(uids)
    assert (uids // 10**7 == np.tile(np.repeat([-2, -1, 0, 1, 291], 30), 1)).all()


def test_compiled_code_sees_the_columns_by_their_names() -> None:
    """The columns that compiled code opens out of the blocks are those of the same name."""
    people = Columns(2, memory={"lever.since": "i4", "lever.given": "f8"})
    people.extend(3)
    for name, column, own in zip(COLUMNS, people.state, opened(people.blocks), strict=True):
        column[1] = 1
        assert getattr(people, name)[1] == own[1] == 1, name
        column[1] = 0
