"""Guaranteed start-up loans: instalments, interest, defaults, and the identity that binds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.entrepreneurs.arrivals import Arrivals
from sim.policy import loan
from sim.policy.ledger import Ledger
from sim.scenario.schema import Horizon

EXAMPLE: dict[str, Any] = {"amount": 20_000.0, "term": 10, "take_up": 0.2, "min_age": 3}
HERE: dict[str, Any] = {}
CHANGED: dict[str, Any] = {"term": 5}
EFFECT = ("cash", {"amount": 1.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Debtors, and founders of first shops of 3 to 59 months who never had a loan."""
    new = (p["lever.borrowed"] == 0) & (p["age"] >= 3) & (p["age"] <= 59) & (p["uid"] % 10 == 0)
    return new | (p["lever.owed"] > 0)


def lent_to_all(**more: Any) -> loan.Instrument:
    """Everybody who may have a loan takes it."""
    return loan.Instrument(**{"id": "lever", "take_up": 1.0, "min_age": 0, "max_age": 1200, **more})


@pytest.mark.parametrize("amount", [1.0, 0.99 + 100, 99_999.99, 100_000.0])
@pytest.mark.parametrize("term", [1, 24, 36])
def test_a_loan_is_paid_back_in_equal_instalments(town: Any, act: Any, amount: float, term: int) -> None:
    """As many instalments as the term has months, from the month after the loan, equal to a fen, of the whole loan."""
    lever, ledger = lent_to_all(amount=amount, term=term, interest=0.0), Ledger()
    people = town(lever, n=20)
    people.uid[:] = people.uid // 10 * 10
    people.cash[:] = 0.0
    taken = np.array([act(lever, people, month, ledger)[1] for month in range(term + 3)])
    assert (taken[0] == round(100 * amount)).all()
    assert (taken[1 : term + 1] < 0).all() or amount == 1.0
    assert np.ptp(taken[1 : term + 1]) <= 1
    assert (taken[term + 1 :] == 0).all()
    assert (taken.sum(axis=0) == 0).all()


def test_interest_is_on_what_is_owed_and_shared(town: Any, act: Any) -> None:
    """Founder and city pay a twelfth of the rate on what is owed, the city its share; in all A r (T + 1) / 24."""
    lever, ledger = lent_to_all(amount=120_000.0, term=24, interest=0.06, subsidised=0.25, fee=0.0), Ledger()
    people = town(lever, n=1)
    people.uid[:] = people.uid // 10 * 10
    act(lever, people, 0, ledger)
    for month in range(1, 25):
        owed = 12_000_000 - 500_000 * (month - 1)
        given, cash = act(lever, people, month, ledger)
        assert given[0] == owed * 0.06 / 12 * 0.25
        assert cash[0] == -500_000 - owed * 0.06 / 12 * 0.75
    books = ledger.entries()
    interest = 12_000_000 * 0.06 * 25 / 24
    assert books["paid"].sum() == interest * 0.25
    assert books["repaid"].sum() == 12_000_000 + interest * 0.75


@pytest.mark.parametrize("budget", [None, 10_000.0, 30_000.0])
def test_lent_is_repaid_owed_or_lost(town: Any, now: Any, act: Any, budget: float | None) -> None:
    """To the fen: lent + founders' interest = repaid + owed + lost; the city pays its part of interest and losses.

    Where money is short it pays each claim in full or not at all, and the founder pays the interest that it does not.
    """
    lever = loan.Instrument(id="lever", take_up=0.05, amount=54_321.09, term=24, budget=budget)
    people, ledger, rng = town(lever), Ledger(), np.random.default_rng(3)
    interest_paid = fees = borne = lost = guaranteed = defaults = 0.0
    for month in range(30):
        before = people.memory("lever", "owed").copy()
        given, cash = act(lever, people, month, ledger)
        debtor, principal = before > 0, before - people.memory("lever", "owed")
        interest = np.rint(before * 0.04 / 12)
        assert ((given == 0) | (given == np.rint(interest / 2)))[debtor].all()
        assert (cash == given - principal - interest)[debtor].all()
        interest_paid += (interest - given)[debtor].sum()
        fees += given[~debtor].sum()
        borne += given[debtor].sum()

        closing = np.sort(rng.choice(people.size, 30, replace=False))
        debt, own, received = (x[closing] for x in (people.memory("lever", "owed"), people.cash, people.received))
        lever.closed(people, now(month), ledger, closing)
        paid = np.minimum(np.maximum(own, 0), debt)
        guarantee = people.received[closing] - received
        assert (people.cash[closing] == own - paid).all()
        assert ((guarantee == 0) | (guarantee == np.rint(0.9 * (debt - paid)))).all()
        lost += (debt - paid).sum()
        defaults += (debt > paid).sum()
        guaranteed += guarantee.sum()
        people.remove(closing)
        people.age += 1
    books = {name: fen.sum() for name, fen in ledger.entries().items() if name != "instrument"}
    assert books["lent"] + interest_paid == books["repaid"] + people.memory("lever", "owed").sum() + lost
    assert books["paid"] == fees + borne + guaranteed
    assert defaults > (30 if budget is None else 3)
    if budget is None:
        assert abs(guaranteed - 0.9 * lost) <= 0.5 * defaults
        assert books["refused_fen"] == 0
    else:
        assert guaranteed < 0.9 * lost
        assert books["refused_fen"] > 0


def test_the_books_of_a_run_balance(small: Any, finished: Any) -> None:
    """Without interest and fees, and all guaranteed: lent = repaid + owed at the end + paid for those who failed."""
    lever = lent_to_all(take_up=0.05, interest=0.0, fee=0.0, guaranteed=1.0, amount=60_000.0)
    model = finished(small(policy=(lever,)))
    books = model.ledger.entries()
    assert (
        books["lent"].sum() == books["repaid"].sum() + model.people.memory("lever", "owed").sum() + books["paid"].sum()
    )
    assert books["paid"].sum() > 0
    assert model.people.memory("lever", "owed").sum() > 0


def test_who_closes_pays_what_he_has(town: Any, now: Any, act: Any) -> None:
    """Cash covers the debt first; of the rest the city pays its share to the bank, and nobody leaves with it."""
    lever, ledger = lent_to_all(amount=1000.0, fee=0.0), Ledger()
    people = town(lever, n=4)
    people.uid[:] = people.uid // 10 * 10
    act(lever, people, 0, ledger)
    people.cash[:] = [500_000, 30_000, 0, -70_000]
    lever.closed(people, now(0), ledger, np.array([0, 1, 3]))
    assert people.cash.tolist() == [400_000, 0, 0, -70_000]
    assert people.received.tolist() == [0, 63_000, 0, 90_000]
    assert people.memory("lever", "owed").tolist() == [0, 0, 100_000, 0]


def test_a_city_without_money_guarantees_nothing(town: Any, now: Any, act: Any) -> None:
    """Money for the fees only: the founders pay all the interest, the bank bears the loss, and no loan is added."""
    lever, ledger = lent_to_all(amount=1000.0, fee=0.01, take_up=0.5, budget_total=100.0), Ledger()
    people = town(lever)
    people.uid[:] = people.uid // 10 * 10
    act(lever, people, 0, ledger)
    assert ledger.entries()["paid"].sum() == 10_000
    assert (people.memory("lever", "owed") > 0).sum() == 10
    _, cash = act(lever, people, 1, ledger)
    assert sorted(set(cash.tolist())) == [-(100_000 // 36 + round(100_000 * 0.04 / 12)), 0]
    people.cash[:] = -1.0
    lever.closed(people, now(1), ledger, np.arange(people.size))
    books = ledger.entries()
    assert books["paid"].sum() == 10_000
    assert books["refused_fen"].sum() > round(0.9 * 10 * (100_000 - 100_000 // 36))


@pytest.mark.parametrize(("again", "loans"), [(False, 1), (True, 4)])
def test_one_loan_in_a_life_unless_again(town: Any, act: Any, again: bool, loans: int) -> None:
    """A second loan, and a first one for those who have closed before, need `again`."""
    lever, ledger = lent_to_all(term=3, again=again, amount=900.0), Ledger()
    people = town(lever, n=2)
    people.uid[:] = people.uid // 10 * 10 + [0, 1]
    lent = [(act(lever, people, month, ledger)[1] > 0).tolist() for month in range(12)]
    assert np.array(lent).sum(axis=0).tolist() == [loans, loans if again else 0]


def test_who_is_too_young_or_too_old_gets_none(town: Any, act: Any) -> None:
    """The shop's age decides: at least `min_age`, and below `max_age`."""
    lever = lent_to_all(min_age=6, max_age=24)
    people = town(lever)
    people.uid[:] = people.uid // 10 * 10
    _, cash = act(lever, people, 0, Ledger())
    assert ((cash > 0) == ((people.age >= 6) & (people.age < 24))).all()


def test_instalments_are_taken_from_who_has_nothing(plain: Any, finished: Any, by_chance: Any) -> None:
    """A loan can make a founder insolvent: all that it brings is taken back, with interest."""
    behaviour = by_chance(0.0)
    scenario = plain(behaviour=behaviour, horizon=Horizon(months=40), arrivals=Arrivals(per_year=60.0))
    lever = lent_to_all(term=24, subsidised=0.0, interest=0.06)
    with_loan, without = finished(scenario.model_copy(update={"policy": (lever,)})), finished(scenario)
    uid, a, b = np.intersect1d(with_loan.people.uid, without.people.uid, return_indices=True)
    assert len(uid) == with_loan.people.size == without.people.size
    done = with_loan.people.memory("lever", "owed")[a] == 0
    gain = (with_loan.people.cash[a] - without.people.cash[b])[done]
    assert len(gain) > 10
    np.testing.assert_allclose(gain, -10_000_000 * 0.06 * 25 / 24, atol=24)


def test_debts_outlive_the_programme(plain: Any, finished: Any, by_chance: Any) -> None:
    """After the last month no loan is added, and those that are out are paid back to the last fen."""
    lever = lent_to_all(term=12, until="2024-08")
    scenario = plain(behaviour=by_chance(0.0), horizon=Horizon(months=24), policy=(lever,))
    model = finished(scenario)
    books = model.ledger.entries()
    assert books["month"][books["lent"] > 0].max() == 4
    assert books["month"][books["repaid"] > 0].max() == 16
    assert not model.people.memory("lever", "owed").any()
