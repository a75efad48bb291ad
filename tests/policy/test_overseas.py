"""Support for going overseas: who turns to cross-border trade, and what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.evidence import ledger as evidence
from sim.market.demand import Background, Market, Series
from sim.model import Pipeline
from sim.policy import overseas
from sim.policy.ledger import Ledger
from sim.scenario import load
from sim.scenario.schema import Horizon

EXAMPLE: dict[str, Any] = {"chance": 0.5, "grant": 123.45, "effect": 0.05}
HERE: dict[str, Any] = {"chance": 0.1, "min_sales": 40_000.0, "min_age": 3, "usual_sales": 5_000.0}
CHANGED: dict[str, Any] = {"by_ability": 0.2}
EFFECT = ("training", {"effect": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Shops that are not in cross-border trade, a year old, with 100,000 CNY of sales a year."""
    return (p["channel"] < 2) & (p["age"] > 11) & ~(p["smoothed"] < 100_000)


def test_the_chance_is_logistic_in_ability_and_age(town: Any, act: Any) -> None:
    """In each group the share that turns is chance / (1 + exp(-(b_ability ln(ability / usual) + b_age years)))."""
    lever = overseas.Instrument(id="o", chance=0.6, by_ability=0.7, by_age=0.2, usual_sales=20_000.0, min_sales=0.0)
    people = town(n=40_000)
    people.channel[:] = people.channel % 2
    people.age[:] = np.arange(len(people)) % 2 * 48 + 12
    people.standing[:] = 0.5
    people.level[:] = np.log(20_000) - 0.5 + np.arange(len(people)) % 3 - 1.0
    given, _ = act(lever, people, 0, Ledger())
    for age in (12, 60):
        for ability in (-1.0, 0.0, 1.0):
            group = (people.age == age) & np.isclose(people.level + 0.5 - np.log(20_000), ability)
            expected = 0.6 / (1 + np.exp(-(0.7 * ability + 0.2 * age / 12)))
            sd = np.sqrt(expected * (1 - expected) / group.sum())
            assert abs((given[group] > 0).mean() - expected) < 4 * sd


def test_a_shop_turns_once_and_for_good(town: Any, act: Any) -> None:
    """Who gets the grant is in cross-border trade from then on, and never gets it again; nobody else changes."""
    lever, ledger = overseas.Instrument(id="o", chance=0.5, grant=20_000.0), Ledger()
    people = town()
    before, in_all = people.channel.copy(), np.zeros(len(people))
    for month in range(12):
        was = people.channel.copy()
        given, cash = act(lever, people, month, ledger)
        assert ((given > 0) == (people.channel != was)).all()
        assert (people.channel[given > 0] == 2).all()
        in_all += cash
    assert set(in_all.tolist()) == {0.0, 2_000_000.0}
    assert ((in_all > 0) == (people.channel != before)).all()
    assert not people.training.any()


def test_what_changes_is_the_demand_of_his_channel(plain: Any, by_chance: Any) -> None:
    """Without an effect of its own, who has turned sells more by what cross-border demand has gained; others do not."""
    series = Series(growth_after=0.0)
    market = Market(domestic=series, livestream=series, cross_border=Series(growth_after=0.3), displacement=0.0,
                    background=Background(entities=0))  # fmt: skip
    scenario = plain(market=market, behaviour=by_chance(0.01), horizon=Horizon(months=30))
    lever = overseas.Instrument(id="o", chance=0.3, min_sales=0.0, min_age=2)
    model, twin = Pipeline(scenario.model_copy(update={"policy": (lever,)})), Pipeline(scenario)
    for month in range(30):
        model.step()
        twin.step()
        assert len(np.setxor1d(model.people.uid, twin.people.uid)) == 0
        one, other = model.people, twin.people
        a, b = np.argsort(one.uid), np.argsort(other.uid)
        turned = one.channel[a] != other.channel[b]
        gain = np.log(one.sales[a] / other.sales[b])
        np.testing.assert_allclose(gain, np.log(1.3) * month / 12 * turned, atol=1e-9)
    assert 0 < turned.sum() < len(turned)


def test_about_as_many_take_part_as_published() -> None:
    """With 30 % of arrivals in cross-border trade, 13 years of the support bring it to the published 40 % of shops."""
    city = load(
        Path(__file__).parents[2] / "scenarios" / "yiwu.yaml",
        {"arrivals.per_year": 2_000.0, "market.background.entities": 42_513, "horizon.months": 24},
    )
    assert city.arrivals.channel.cross_border == pytest.approx(0.3)
    scenario = city.model_copy(update={"policy": (*city.policy, overseas.Instrument(id="overseas"))})
    scenario._burn_in = scenario.model_copy()
    model = Pipeline(scenario, collect=False)
    while model.running:
        model.step()
    published = evidence.value("cbec_entity_share_2025")
    assert isinstance(published, float)
    assert abs((model.people.channel == 2).mean() - published) < 0.03
