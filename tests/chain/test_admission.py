"""Who gets a place: each rule on applicants made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.admission import RULES, best, rank

#                          uid   smoothed  sales  since  luck
PEOPLE = np.array([
    (10, 90_000.0, 20_000.0, 300, 0.9),
    (20, 50_000.0, 90_000.0, 295, 0.2),
    (30, 70_000.0, 15_000.0, 298, 0.5),
    (40, 50_000.0, 4_000.0, 295, 0.1),
])  # fmt: skip


def admit(rule: str, table: np.ndarray, free: int) -> np.ndarray:
    """Rows of those admitted, best first; the rule by name and by its number say the same."""
    ranks = np.array([RULES[rule](*row[1:]) for row in table])
    assert (ranks == [rank(list(RULES).index(rule), *row[1:]) for row in table]).all()
    return best(ranks, np.ascontiguousarray(table[:, 4]), table[:, 0].astype(np.int64), free)


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        ("merit", [10, 30, 40, 20]),  # 20 and 40 sell as much: 40 has the better lot
        ("lottery", [10, 30, 20, 40][::-1]),
        ("waiting", [40, 20, 30, 10]),  # 20 and 40 have waited as long: lot again
        ("score", [10, 20, 30, 40]),  # 240,000; 1,080,000 counts as 200,000; 180,000; 48,000
    ],
)
def test_each_rule_ranks_as_it_says(rule: str, order: list[int]) -> None:
    """Merit by size, lottery by lot, waiting by time, score by present rate up to four times the size."""
    found = PEOPLE[admit(rule, PEOPLE, 4), 0].astype(int).tolist()
    assert found == order if rule != "lottery" else sorted(found) == sorted(order)
    for free in range(5):
        assert PEOPLE[admit(rule, PEOPLE, free), 0].astype(int).tolist() == found[:free]


@pytest.mark.parametrize("rule", sorted(RULES))
@given(order=st.permutations(range(4)), free=st.integers(0, 6))
def test_the_order_of_rows_never_matters(rule: str, order: list[int], free: int) -> None:
    """Whatever the order in which applicants come, the same are admitted, in the same order."""
    straight = PEOPLE[admit(rule, PEOPLE, free), 0]
    mixed = PEOPLE[order]
    assert (mixed[admit(rule, mixed, free), 0] == straight).all()


def test_a_lottery_is_fair() -> None:
    """With equal lots' distribution, everyone is drawn equally often, whatever his size."""
    rng = np.random.default_rng(4)
    wins = np.zeros(4)
    for _ in range(4000):
        table = PEOPLE.copy()
        table[:, 4] = rng.random(4)
        wins[admit("lottery", table, 1)] += 1
    assert np.abs(wins / 4000 - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 4000)


@pytest.mark.parametrize("rule", ["merit", "waiting", "score"])
def test_ties_go_by_lot(rule: str) -> None:
    """Applicants who are equal under a rule are drawn equally often."""
    rng = np.random.default_rng(5)
    wins = np.zeros(4)
    for _ in range(4000):
        table = np.repeat(PEOPLE[:1], 4, axis=0)
        table[:, 0], table[:, 4] = PEOPLE[:, 0], rng.random(4)
        wins[admit(rule, table, 1)] += 1
    assert np.abs(wins / 4000 - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 4000)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=60), st.integers(0, 70))
def test_the_best_are_those_a_full_sort_puts_first(people: list[tuple[int, int]], free: int) -> None:
    """With many ties of rank and of lot, the heap agrees with sorting everybody."""
    ranks, luck = (np.array([p[k] for p in people], float) for k in (0, 1))
    uid = np.arange(len(people))[::-1].copy()
    assert best(ranks, luck, uid, free).tolist() == np.lexsort((uid, luck, -ranks))[:free].tolist()
