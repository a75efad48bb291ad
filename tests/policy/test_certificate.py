"""Skill certificates: for whom, how many, once in a life."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.entrepreneurs.arrivals import Arrivals
from sim.model import Pipeline
from sim.policy import certificate
from sim.policy.ledger import Ledger

EXAMPLE: dict[str, Any] = {"places": 600, "take_up": 0.4, "effect": 0.03, "max_age": 48}
HERE: dict[str, Any] = {"channel": "all", "max_age": 1200}
CHANGED: dict[str, Any] = {"effect": 0.01}
EFFECT = ("standing", {"effect": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Live-stream sellers in their first shop, of 1 to 47 months, who do not hold it."""
    return (p["channel"] == 1) & (p["uid"] % 10 == 0) & (p["age"] > 0) & (p["age"] < 48) & (p["lever.held"] == 0)


@pytest.mark.parametrize(("channel", "which"), [("all", (0, 1, 2)), ("domestic", (0,)), ("cross_border", (2,))])
def test_it_is_for_a_channel_or_for_all(channel: Any, which: Any, town: Any, act: Any) -> None:
    """With places for everybody and everybody passing, all first shops of the channel get it, and nobody else."""
    lever = certificate.Instrument(id="c", channel=channel, take_up=1.0, places=10**6, min_age=0, max_age=1200)
    people = town(lever)
    given, _ = act(lever, people, 0, Ledger())
    assert (given == 30_000 * (np.isin(people.channel, which) & (people.uid % 10 == 0))).all()


def test_a_year_gives_as_many_as_there_are_places(town: Any, act: Any) -> None:
    """However many apply, the twelve months of a calendar year give exactly the yearly number."""
    lever = certificate.Instrument(id="c", channel="all", places=373, take_up=1.0, max_age=1200)
    people, ledger = town(lever), Ledger()
    for month in range(9, 21):
        act(lever, people, month, ledger)
    assert ledger.entries()["recipients"].sum() == 373 == people.memory("c", "held").sum()


def test_nobody_gets_it_twice(town: Any, act: Any) -> None:
    """In ten years of examinations everybody eligible gets it once, and gains once, for good."""
    lever = certificate.Instrument(
        id="c", channel="all", places=10**6, take_up=0.3, min_age=0, max_age=1200, effect=0.05
    )
    people, ledger = town(lever), Ledger()
    for month in range(120):
        act(lever, people, month, ledger)
    first = people.uid % 10 == 0
    assert (people.received == 30_000 * first).all()
    np.testing.assert_allclose(people.standing, np.log(1.05) * first, rtol=1e-12)


def test_take_up_is_the_monthly_share_of_those_without(town: Any, act: Any) -> None:
    """Where places are no limit, a month's certificates are the share `take_up` of those who may have it."""
    lever = certificate.Instrument(id="c", channel="all", places=10**6, take_up=0.2, max_age=1200)
    people = town(lever, n=5000)
    may = ((people.age >= 1) & (people.uid % 10 == 0)).sum()
    given, _ = act(lever, people, 0, Ledger())
    assert abs((given > 0).sum() / may - 0.2) < 4 * np.sqrt(0.16 / may)


def test_the_examination_is_paid_in_kind_and_the_award_in_cash(town: Any, act: Any) -> None:
    """Both are in the books and in what was received; only the award is in the founder's cash."""
    lever = certificate.Instrument(id="c", channel="all", take_up=0.5, places=10**6, award=800.0)
    people, ledger = town(lever), Ledger()
    given, cash = act(lever, people, 0, ledger)
    got = people.memory("c", "held") == 1
    assert got.any()
    assert (given == 110_000 * got).all()
    assert (cash == 80_000 * got).all()
    assert ledger.entries()["paid"].sum() == given.sum()


def test_examinations_come_before_awards(town: Any, act: Any) -> None:
    """A budget that reaches for the examinations and half the awards refuses the other awards, not the certificates."""
    all_of = certificate.Instrument(id="c", channel="all", take_up=0.5, places=10**6, award=800.0)
    act(all_of, people := town(all_of), 0, Ledger())
    passed = int(people.memory("c", "held").sum())
    lever = all_of.model_copy(update={"budget": passed * 300.0 + passed // 2 * 800.0})
    short, ledger = town(lever), Ledger()
    _, cash = act(lever, short, 0, ledger)
    assert short.memory("c", "held").sum() == passed
    assert (cash > 0).sum() == passed // 2
    assert ledger.entries()["refused"].sum() == passed - passed // 2


def test_sales_rise_for_good_and_by_the_effect(plain: Any) -> None:
    """In twin runs with and without it, holders' standing is up by the effect month after month, and so are sales.

    Sales only on average: larger shops sell more products, whose luck averages out.
    """
    lever = certificate.Instrument(id="c", channel="all", take_up=1.0, places=10**6, effect=0.04, until="2024-05")
    many = Arrivals(per_year=1200.0, summer_share=1 / 3)
    model, twin = Pipeline(plain(arrivals=many, policy=(lever,))), Pipeline(plain(arrivals=many))
    for _ in range(30):
        model.step()
        twin.step()
        _, a, b = np.intersect1d(model.people.uid, twin.people.uid, return_indices=True)
        held = model.people.memory("c", "held")[a] == 1
        np.testing.assert_allclose(model.people.standing[a] - twin.people.standing[b], np.log(1.04) * held, atol=1e-9)
        gain = np.log(model.people.sales[a] / twin.people.sales[b])
        assert (gain[~held] == 0).all()
    assert held.sum() > 40
    assert abs(gain[held].mean() - np.log(1.04)) < 0.005
