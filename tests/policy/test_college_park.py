"""The college's start-up park: its places, who has one and for how long, and what it is worth to him."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.chain.stage import Stage
from sim.entrepreneurs.arrivals import Arrivals, OriginMix
from sim.model import Pipeline
from sim.policy import college_park
from sim.policy.ledger import Ledger

EXAMPLE: dict[str, Any] = {"area": 600.0, "college_share": 0.6, "max_age": 30, "utilities": 123.45}
HERE: dict[str, Any] = {"area": 200.0}
CHANGED: dict[str, Any] = {"mentoring": 0.3}
EFFECT = ("level", {"mentoring": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Graduates' first shops in the first stage: newcomers, and tenants for two years."""
    since = p["age"] - (p["lever.entered"] - 1)
    tenant = (p["lever.entered"] > 0) & (since < 24)
    newcomer = (p["lever.entered"] == 0) & (p["age"] < 30)
    return (tenant | newcomer) & (p["origin"] == 0) & (p["uid"] % 10 == 0) & (p["highest"] == 0)


def park(**more: Any) -> college_park.Instrument:
    return college_park.Instrument(**{"id": "park", "college_share": 1.0, **more})


def tenants(model: Pipeline) -> Any:
    """Identities of those whom the park pays for this month, by acting in it once more, in other books."""
    people, lever = model.people, model.scenario.policy[0]
    return set(people.uid[lever.takers(people, model.now(), lever.eligible(people, model.now()))].tolist())


def test_the_published_floor_has_640_places() -> None:
    """12,800 m2 at 20 m2 are 640 places; what is left of the floor is none."""
    assert college_park.Instrument(id="p").places == 640
    assert park(area=59.9, area_each=20.0).places == 2


def test_a_tenant_is_refunded_each_fen_of_rent_and_utilities(town: Any, act: Any) -> None:
    """In each month in the park he gets last month's rent and the utilities, and counts on paying no rent."""
    lever = park(utilities=150.25)
    people = town(lever)
    people.highest[::3] = 1
    graduate = (people.origin == 0) & (people.uid % 10 == 0) & (people.highest == 0) & (people.age < lever.max_age)
    given, cash = act(lever, people, 0, Ledger())
    assert ((given > 0) == graduate).all()
    assert (np.abs(given - 100 * people.rent - 15_025)[graduate] < 1).all()
    assert (cash == given).all()
    assert (people.relief == graduate).all()


def test_no_rent_is_refunded_twice(town: Any, now: Any) -> None:
    """Where another relief has refunded a part of the rent, the park refunds the rest."""
    lever = park(utilities=0.0, max_age=100)
    people = town(lever)
    people.relief[:] = 0.75
    people.rent[:] = 401.0
    lever.act(people, now(0), Ledger())
    assert set(people.received) == {0, 10_025}


@pytest.mark.parametrize("priority", ["lot", "merit"])
def test_there_are_never_more_tenants_than_places(small: Any, priority: str) -> None:
    """However many students come, the places are full and no more; a place is taken as soon as one is free."""
    lever = park(area=140.0, priority=priority)
    model = Pipeline(small(policy=(lever,), arrivals=Arrivals(per_year=600.0)))
    seen: set[int] = set()
    for month in range(30):
        chosen = tenants(model)
        model.step()
        seen |= chosen
        assert len(chosen) == 7 or month < 2
    assert len(seen) > 2 * 7


@pytest.mark.parametrize("tenancy", [5, 12])
def test_a_tenancy_ends_and_is_not_had_again(plain: Any, by_chance: Any, tenancy: int) -> None:
    """With room for all, every student is in from his first month until his time is over: so many payments in all."""
    lever = park(area=1e6, tenancy=tenancy, max_age=1, utilities=100.0)
    mix = OriginMix(graduate=0.5, returnee=0.5)
    free = (Stage(id="village", facilities=1, rent=0.0),)
    model = Pipeline(plain(policy=(lever,), chain=free, arrivals=Arrivals(per_year=240.0, origin=mix),
                           behaviour=by_chance(0.03)))  # fmt: skip
    for _ in range(24):
        model.step()
    lives = model.tables()["entrepreneurs"]
    months = lives["duration_months"].clip(upper=tenancy).where(lives["origin"] == "graduate", 0)
    assert (lives["received_cny"] == 100.0 * months).all()
    assert months.max() == tenancy


def test_who_moves_up_gives_his_place_back(small: Any) -> None:
    """Tenants are those who have not come further than the first stage; whoever has is not let in again."""
    lever = park(area=2000.0, max_age=36)
    model = Pipeline(small(policy=(lever,)))
    were, moved = set(), set()
    for _ in range(36):
        inside = tenants(model)
        people = model.people
        gone_up = set(people.uid[people.highest > 0].tolist())
        assert not inside & gone_up
        moved |= were & gone_up
        were = inside
        model.step()
    assert len(moved) > 5


def test_a_student_is_one_for_life(town: Any, act: Any) -> None:
    """The stated share of graduates is the college's, and whoever is not is not let in later either."""
    lever = park(college_share=0.3, area=1e6, max_age=100, tenancy=100)
    people, ledger = town(lever, n=8000), Ledger()
    people.origin[:] = 0
    people.uid[:] = people.uid // 10 * 10
    first, _ = act(lever, people, 0, ledger)
    later, _ = act(lever, people, 5, ledger)
    assert ((first > 0) == (later > 0)).all()
    assert abs((first > 0).mean() - 0.3) < 4 * np.sqrt(0.21 / 8000)


def test_its_tutors_close_the_gap_to_potential_faster(plain: Any) -> None:
    """In each month in the park a gap shrinks by 1 - f kappa beside the usual 1 - kappa."""
    lever = park(area=1e6, tenancy=6, max_age=1, mentoring=0.2)
    one, other = Pipeline(plain(policy=(lever,))), Pipeline(plain())
    for _ in range(15):
        one.step()
        other.step()
    _, a, b = np.intersect1d(one.people.uid, other.people.uid, return_indices=True)
    gap, usual = ((p.people.potential - p.people.level)[rows] for p, rows in ((one, a), (other, b)))
    months = np.minimum(one.people.age[a], 6)
    left = (1 - 0.2 * one.constants.kappa) ** months
    np.testing.assert_allclose(gap, usual * np.where(usual > 0, left, 1.0), rtol=1e-9, atol=1e-12)


def test_who_is_not_paid_keeps_his_place_and_gets_nothing(town: Any, act: Any) -> None:
    """When the year's money is gone a tenant has neither rent nor tutor, and in the new year he is still a tenant."""
    lever = park(area=200.0, utilities=0.5, budget=30.0, max_age=100, tenancy=100)  # ten tenants for half a year
    people, ledger = town(lever), Ledger()
    people.rent[:] = 0.0
    served = []
    for month in range(21):  # 2024-04 .. 2025-12
        level = people.level.copy()
        given, _ = act(lever, people, month, ledger)
        assert ((people.level > level) == (given > 0)).all()
        assert ((people.relief > 0) == (given > 0)).all()
        served.append(frozenset(people.uid[given > 0].tolist()))
    tenants = served[0]
    assert len(tenants) == 10
    assert served == [tenants] * 6 + [frozenset()] * 3 + [tenants] * 6 + [frozenset()] * 6
    assert ledger.entries()["refused"].sum() == 10 * 9
