"""Houses: places, seating, rents under crowding, peers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.chain.facility import Houses, Places, seat
from sim.chain.stage import Stage
from sim.entrepreneurs.kernel import Tally

CHAIN = (
    Stage(id="village", facilities=2, rent=1000.0, crowding=0.5, usual_tenants=10),
    Stage(id="house", facilities=3, places=4, threshold=1e5, uplift=0.1, tenancy=12, falls_back=True, apply=0.2),
    Stage(id="park", facilities=1, places=9, threshold=1e6, or_net_income=9000.0, apply=0.3),
)


def test_the_admitted_are_seated_in_the_emptiest_house() -> None:
    """Seats fill houses evenly, never beyond their places."""
    houses = Houses(CHAIN)
    houses.enter(np.array([2, 2, 2, 3]))
    assert [seat(Places(*houses.arrays), 1) for _ in range(4)] == [4, 3, 4, 3]
    assert houses.tenants[2:5].tolist() == [3, 3, 2]
    assert [seat(Places(*houses.arrays), 1) for _ in range(5)][-1] == -1
    assert houses.tenants[2:5].tolist() == [4, 4, 4]


def test_an_open_stage_seats_anyone() -> None:
    """An open stage has room for more than anyone will ever bring."""
    houses = Houses(CHAIN)
    for _ in range(10_001):
        seat(Places(*houses.arrays), 0)
    assert sorted(houses.tenants[:2].tolist()) == [5000, 5001]


@pytest.mark.parametrize(("tenants", "rent"), [(0, 1000.0), (10, 1000.0), (40, 2000.0)])
def test_rent_rises_with_crowding(tenants: int, rent: float) -> None:
    """Up to the usual number of tenants the rent is as stated; four times as many at elasticity 0.5 double it."""
    houses = Houses(CHAIN)
    houses.enter(np.zeros(tenants, int))
    houses.open_month()
    assert houses.table.rent[0] == pytest.approx(rent)
    assert houses.table.rent[1] == 1000.0


def test_outside_the_chain_nothing_is_given() -> None:
    """Outside one pays the village's rent, gets no uplift, has no peers and no end of tenancy."""
    houses = Houses(CHAIN)
    outside = slice(houses.outside, None)
    assert (houses.table.rent[outside] == 1000.0).all()
    assert (houses.table.uplift[outside] == 0).all()
    assert np.isinf(houses.table.tenancy[outside]).all()
    houses.close_month(Tally(np.full((9, 3), 5 << 40), 0))
    assert (houses.table.peer_level[outside] == -1e9).all()


def test_peers_are_the_mean_of_a_house_with_company() -> None:
    """The level of a house is its tenants' mean; one tenant alone has nobody to learn from."""
    houses = Houses(CHAIN)
    by_house = np.zeros((9, 3), np.int64)
    by_house[2] = (0, 27_000_000, (3 << 40) + 7)
    by_house[3] = (0, 9_000_000, 1 << 40)
    houses.close_month(Tally(by_house, 0))
    assert houses.table.peer_level[2] == pytest.approx(9.0)
    assert houses.table.peer_level[3] == houses.table.peer_level[4] == -1e9


def test_totals_are_sums_over_the_houses_of_each_stage() -> None:
    """Tenants, sales and staff of each stage are those of its houses; the places outside are one place."""
    houses, rng = Houses(CHAIN), np.random.default_rng(2)
    houses.tenants[:] = rng.integers(0, 9, len(houses.tenants))
    houses.waiting[:] = (0, 5, 3)
    sales, staff, count = (rng.integers(0, 1000, len(houses.tenants)) for _ in range(3))
    totals = houses.totals(Tally(np.column_stack([sales, sales * 0, (count << 40) + staff]), 0))
    for stage in range(4):
        here = houses.stage_of == stage
        expected = [houses.tenants[here].sum(), [0, 5, 3, 0][stage], sales[here].sum(), staff[here].sum()]
        assert totals[:, stage].tolist() == expected


def test_bars_are_the_lowest_of_the_stages_above() -> None:
    """Whoever meets any condition above him passes the first look; from outside also the endless stage he left."""
    houses = Houses(CHAIN)
    bar, income, chance = houses.table.bar, houses.table.bar_income, houses.table.apply
    assert (bar[0], income[0], chance[0]) == (1e5, 9000.0, 0.3)
    assert (bar[2], income[2], chance[2]) == (1e6, 9000.0, 0.3)
    assert np.isinf(bar[5])
    assert chance[5] == 0
    left_house, left_park = houses.outside + 1, houses.outside + 2
    assert bar[left_house] == 1e6  # the house's tenancy ends: once only
    assert bar[left_park] == 1e6  # the park has no end: he may come again


def test_floors_are_half_the_threshold_where_tenants_fall_back() -> None:
    """Only stages that fall back have a floor."""
    floors = Houses(CHAIN).table.floor
    assert floors[2] == 5e4
    assert floors[0] < 0
    assert floors[5] < 0


def test_a_waiting_list_is_worked_off(small: Any, finished: Any) -> None:
    """With a list, whoever is turned away keeps asking; without one, he applies by chance again."""
    chain = (
        Stage(id="village", facilities=1),
        Stage(id="house", facilities=1, places=1, apply=0.02, tenancy=1),
    )
    model = finished(small(chain=chain, policy=()))
    listed = model.tables()["months"].query("stage == 'house'")["waiting"].iloc[12:].mean()
    waits = model.people.waiting > 0
    assert waits.any()
    assert (model.people.waiting_since[waits] < model.calendar).all()
    loose = tuple(s.model_copy(update={"waiting_list": False}) for s in chain)
    model = finished(small(chain=loose, policy=()))
    assert not model.people.waiting.any()
    assert listed > 3 * model.tables()["months"].query("stage == 'house'")["waiting"].iloc[12:].mean()
