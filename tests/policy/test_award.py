"""The start-up award: once, at a year, and what jobs add to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.policy import award
from sim.policy.award import Jobs
from sim.policy.ledger import Ledger
from sim.scenario.schema import Horizon

EXAMPLE: dict[str, Any] = {"eligible_share": 0.8, "first_after": 3, "jobs": Jobs(paid=True, years=2)}
HERE: dict[str, Any] = {}
CHANGED: dict[str, Any] = {"amount": 1234.0}
EFFECT = ("cash", {"amount": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """First shops that have traded 3 months, or 15 and give three jobs."""
    return (p["uid"] % 10 == 0) & ((p["age"] == 3) | ((p["age"] == 15) & (p["staff"] >= 3)))


def test_it_is_paid_once_to_first_shops_that_last_a_year(small: Any, tables: Any) -> None:
    """Who has traded twelve months and is in his first shop has got the amount once, everybody else nothing."""
    lever = award.Instrument(id="a", eligible_share=1.0, amount=4321.09)
    people = tables(small(policy=(lever,), horizon=Horizon(months=60)))["entrepreneurs"]
    due = (people["attempt"] == 0) & (people["duration_months"] > 12)
    assert 100 < due.sum() < len(people)
    np.testing.assert_allclose(people["received_cny"], np.where(due, 4321.09, 0.0), atol=0.005)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_who_is_eligible_is_drawn_for_life(share: float, town: Any, act: Any) -> None:
    """The stated share of first shops is eligible, and the same ones for their jobs in later years."""
    lever = award.Instrument(id="a", eligible_share=share, jobs=Jobs(paid=True))
    people, ledger, paid = town(n=4000), Ledger(), []
    people.uid[:] = people.uid // 10 * 10
    people.staff[:] = 5
    for year in range(3):
        people.age[:] = 12 + 12 * year
        paid.append(act(lever, people, 12 * year, ledger)[0] > 0)
    assert (paid[0] == paid[1]).all()
    assert (paid[0] == paid[2]).all()
    assert abs(paid[0].mean() - share) <= 4 * np.sqrt(share * (1 - share) / 4000)


@pytest.mark.parametrize(
    ("staff", "fen"),
    [(0, 0), (2, 0), (3, 200_000), (4, 300_000), (20, 1_900_000), (21, 2_000_000), (22, 2_000_000), (10**9, 2_000_000)],
)
def test_jobs_are_paid_from_three_up_to_a_cap(staff: int, fen: int) -> None:
    """2,000 CNY for three jobs, 1,000 for each further one, 20,000 a year at most."""
    assert Jobs().fen(np.array([staff], np.int32)).tolist() == [fen]


def test_jobs_are_paid_for_three_years_and_the_award_once(town: Any, act: Any) -> None:
    """With five employees all along: 5,000 + 4,000 CNY, then 4,000 twice, then nothing; without jobs 5,000 once."""
    for jobs, expected in ((Jobs(paid=True), [900_000, 400_000, 400_000]), (Jobs(), [500_000])):
        lever = award.Instrument(id="a", eligible_share=1.0, jobs=jobs)
        people, ledger, paid = town(n=1), Ledger(), []
        people.uid[:], people.age[:], people.staff[:] = people.uid // 10 * 10, 0, 5
        for month in range(80):
            given, cash = act(lever, people, month, ledger)
            assert (given == cash).all()
            paid += given[given > 0].astype(int).tolist()
            people.age += 1
        assert paid == expected


def test_it_says_before_a_run_what_it_would_cost_but_not_what_jobs_would(town: Any) -> None:
    """The estimate is arrivals who stay a year x share x amount; nobody knows employees beforehand."""
    from sim.policy._instrument import City

    city = City(arrivals=12_000.0, shares={}, tenants={}, rent={}, retention=0.5)
    assert award.Instrument(id="a").estimate(city) == pytest.approx(12_000 * 0.5 * 0.30 * 5000 / 12)
    assert award.Instrument(id="a", jobs=Jobs(paid=True)).estimate(city) is None
