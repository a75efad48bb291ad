"""Priority land for head firms: to whom, once, at what price, and what room to grow means."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.entrepreneurs.behaviour import Growth
from sim.model import Pipeline
from sim.policy import land
from sim.policy.ledger import Ledger
from sim.scenario.schema import Horizon

EXAMPLE: dict[str, Any] = {"threshold": 1e5, "months": 0, "area": 30.0, "discount": 12.5, "effect": 0.03}
HERE: dict[str, Any] = {"threshold": 1.0, "months": 2}
CHANGED: dict[str, Any] = {"effect": 0.01}
EFFECT = ("standing", {"effect": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Tenants of the park with 100,000 CNY of sales a year who have no land."""
    return (p["stage"] == 2) & ~(p["smoothed"] < 100_000) & (p["lever.granted"] != 1)


def test_head_firms_get_land_once(town: Any, act: Any, stage_of: Any) -> None:
    """Every firm that is large and long enough in the last stage, once, in kind, at area x discount to the fen."""
    lever, ledger = land.Instrument(id="l", threshold=5e5, months=12, area=1234.5, discount=67.89), Ledger()
    people = town(lever)
    people.months_in[:] = np.arange(len(people)) % 24
    house = people.house.copy()
    due = (people.smoothed >= 5e5) & (stage_of[people.house] == 2) & (people.months_in >= 12)
    given, cash = act(lever, people, 0, ledger)
    assert 0 < due.sum() < (people.smoothed >= 5e5).sum()
    assert (given == due * round(1234.5 * 67.89 * 100)).all()
    assert not cash.any()
    assert (people.house == house).all()
    people.smoothed[:] = 1e9
    people.months_in[:] = 99
    later, _ = act(lever, people, 1, ledger)
    assert ((later > 0) == ((stage_of[people.house] == 2) & ~due)).all()
    assert not act(lever, people, 2, ledger)[0].any()


def test_room_to_grow_lasts(plain: Any, by_chance: Any) -> None:
    """From the grant on sales are up by the effect, for good and no more; by default they are not."""
    scenario = plain(behaviour=by_chance(0.01, growth=Growth(beta=0.0)), horizon=Horizon(months=36))
    for effect in (0.0, 0.05):
        lever = land.Instrument(id="l", threshold=1e5, months=6, effect=effect)
        model, twin = Pipeline(scenario.model_copy(update={"policy": (lever,)})), Pipeline(scenario)
        for _ in range(36):
            model.step()
            twin.step()
            a, b = np.argsort(model.people.uid), np.argsort(twin.people.uid)
            granted = model.people.memory("l", "granted")[a] == 1
            gain = np.log(model.people.sales[a] / twin.people.sales[b])
            assert not gain[~granted].any()
            np.testing.assert_allclose(gain[granted], np.log(1 + effect), atol=1e-9)
        assert 0 < granted.sum() < len(granted)
    assert land.Instrument(id="l").effect == 0.0
