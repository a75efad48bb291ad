"""Points of a parameter space: what they hold, and whose luck they share."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour, Entry, Growth, Peers
from sim.errors import RunError, ScenarioError
from sim.experiments.outcomes import known_outcomes
from sim.experiments.points import OUTCOMES, counted_for_all, evaluate, told_from
from sim.scenario.schema import Horizon, Initial
from sim.simulation import simulate
from sim.statistics import summary

MARGIN = "behaviour.money.margin"


def test_a_point_is_a_run_of_the_scenario(small):
    """A row holds what the summary says of the scenario with these values, in the order of points and replicates."""
    scenario = small()
    names = ["survival_12m", "living_end", "sales_gini"]
    found = evaluate(scenario, [{}, {MARGIN: 0.1}], names, replicates=2)
    assert found[["point", "replicate"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    for row in found.itertuples():
        there = scenario if row.point == 0 else scenario.replace({MARGIN: 0.1})
        said = summary.outcomes(
            simulate(there, replicate=row.replicate), months=36, stages=[s.id for s in scenario.chain]
        )
        assert [getattr(row, name) for name in names] == [said[name].value for name in names]
        assert row.reason is None


def test_all_points_share_their_luck(small):
    """Replicate r has the same people at every point, whatever comes before it; another replicate has others."""
    names = ["arrivals", "survival_12m"]
    alone = evaluate(small(), [{MARGIN: 0.1}], names, replicates=3)
    among = evaluate(small(), [{}, {MARGIN: 0.1}, {MARGIN: 0.18}], names, replicates=3)
    assert among.pivot(index="replicate", columns="point", values="arrivals").nunique(axis=1).eq(1).all()
    assert among["arrivals"].nunique() > 1
    mine = among[among["point"] == 1].drop(columns="point").reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.drop(columns="point"))


def test_jobs_change_no_bit(small):
    """Two threads give the frame that one gives; another seed does not."""
    points = [{MARGIN: m} for m in (0.1, 0.12, 0.14, 0.16)]
    one = evaluate(small(), points, ["survival_12m", "residents"], replicates=2)
    two = evaluate(small(), points, ["survival_12m", "residents"], replicates=2, jobs=2)
    pd.testing.assert_frame_equal(one, two)
    other = evaluate(small(), points, ["survival_12m", "residents"], replicates=2, seed=99)
    assert not other["residents"].equals(one["residents"])


def test_a_point_that_cannot_be_is_nan_with_its_reason(small):
    """A value out of bounds costs its own point only, and says path, bound and value."""
    told = []
    found = evaluate(
        small(), [{MARGIN: 3.0}, {}], ["survival_12m"], replicates=2, progress=lambda done, of: told.append((done, of))
    )
    assert found["survival_12m"].isna().tolist() == [True, True, False, False]
    assert found["reason"][0] == f"{MARGIN}: must be <= 1 share (got 3.0)"
    assert found["reason"][2] is None
    assert told[-1] == (4, 4)


def test_what_a_run_cannot_know_is_nan_with_its_reason(small):
    """Survival at 60 months of a run of 36 months is not known, and its own row says so."""
    found = evaluate(small(), [{}], ["survival_60m", "survival_24m"], replicates=1)
    assert np.isnan(found["survival_60m"][0])
    assert 0 < found["survival_24m"][0] < 1
    assert "survival_60m: nobody was observed beyond" in found["reason"][0]


def test_slips_of_the_caller_are_no_points(small):
    """A path or an outcome that does not exist, or no replicate at all, is an error and not a row."""
    with pytest.raises(ScenarioError, match=r"unknown path; did you mean behaviour\.money\.margin"):
        evaluate(small(), [{"behaviour.money.margn": 0.1}], ["survival_12m"], replicates=1)
    with pytest.raises(RunError, match="no outcome 'survival'"):
        evaluate(small(), [{}], ["survival"], replicates=1)
    with pytest.raises(RunError, match="1 or more"):
        evaluate(small(), [{}], ["survival_12m"], replicates=0)


def test_survival_at_any_age_is_the_closed_form(plain, by_chance):
    """Under a constant chance of closing, survival at 7 and 24 months is (1 - chance)^age, within four of its sd."""
    chance = 0.03
    scenario = plain(behaviour=by_chance(chance), horizon=Horizon(months=60), arrivals=Arrivals(per_year=1200.0))
    found = evaluate(scenario, [{}], ["survival_7m", "survival_24m"], replicates=1)
    for age in (7, 24):
        expected = (1 - chance) ** age
        assert abs(found[f"survival_{age}m"][0] - expected) < 4 * math.sqrt(expected * (1 - expected) / 3600)


def test_residents_are_all_who_came_and_did_not_leave(plain, by_chance):
    """Where nobody closes, the residents at the end of the first month are all who came in the burn-in and in it."""
    scenario = plain(behaviour=by_chance(0.0), horizon=Horizon(months=3), initial=Initial(kind="burn_in", months=24))
    found = evaluate(scenario, [{}], ["residents"], replicates=1)
    people = simulate(scenario)["entrepreneurs"]
    assert found["residents"][0] == (people["arrival_month"] <= 0).sum() > 400


def test_residents_hold_those_who_stayed(plain, by_chance):
    """If all who close stay for good, closing takes nobody out of the residents; if none stays, it does."""
    past = Initial(kind="burn_in", months=24)
    nobody_closes = plain(behaviour=by_chance(0.0), horizon=Horizon(months=3), initial=past)
    came = evaluate(nobody_closes, [{}], ["residents"], replicates=1)["residents"][0]
    many_close = plain(horizon=Horizon(months=3), initial=past).replace(
        {"behaviour.exit.chance_per_year": 0.0, "behaviour.exit.leaves_later": 0.0, "behaviour.exit.restarts": 0.0}
    )
    stays = [{"behaviour.exit.stays": share} for share in (1.0, 0.0)]
    found = evaluate(many_close, stays, ["residents"], replicates=1)["residents"]
    assert found[0] == came
    assert found[1] < 0.9 * came


def test_start_without_staff_is_the_lognormal(plain):
    """The share whose first sales are too small for an employee is Phi((ln S_e - ln median) / sd)."""
    still = Growth(tau=0.0, sigma=0.0, jump_chance=0.0)
    scenario = plain(
        behaviour=Behaviour(entry=Entry(sales_median=4000.0, sales_sd=1.2), growth=still),
        arrivals=Arrivals(per_year=3000.0),
        horizon=Horizon(months=12),
    )
    found = evaluate(scenario, [{}], ["share_without_staff"], replicates=1)["share_without_staff"][0]
    expected = norm.cdf(math.log(10000 / 4000) / 1.2)
    assert abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / 3000)


def test_sales_per_entity_are_what_each_sells(plain, by_chance):
    """If everybody always sells 3,000 CNY a month, sales per entity and year are 36,000 CNY, whoever closes."""
    entry = Entry(sales_median=3000.0, sales_sd=0.0, gap_mean=0.0, gap_sd=0.0)
    growth = Growth(kappa=0.0, drift=0.0, sigma=0.0, tau=0.0, jump_chance=0.0)
    scenario = plain(behaviour=by_chance(0.05, entry=entry, growth=growth), horizon=Horizon(months=13))
    found = evaluate(scenario, [{}], ["sales_per_entity_cny"], replicates=1)["sales_per_entity_cny"][0]
    assert found == pytest.approx(36000, rel=1e-5)  # whole fen


def test_an_outcome_alone_is_the_same_as_among_all(small):
    """Only the tables that outcomes are told from are made, and that changes none of them."""
    scenario = small(horizon=Horizon(months=24))
    names = list(known_outcomes([s.id for s in scenario.chain]))
    together = evaluate(scenario, [{}], names, replicates=1).iloc[0]
    for name in names:
        alone = evaluate(scenario, [{}], [name], replicates=1).iloc[0][name]
        assert alone == together[name] or (np.isnan(alone) and np.isnan(together[name])), name
    assert told_from(["survival_36m"]) == {"entrepreneurs"}
    assert told_from(["spent_cny", "growth_shape", "residents"]) == {
        "entrepreneurs",
        "ledger",
        "panel",
        "months",
        "city",
    }
    assert set(simulate(scenario, only=["cohorts", "ledger"])) == {"entrepreneurs", "ledger", "cohorts"}
    usual = summary.outcomes(simulate(scenario), months=24, stages=[s.id for s in scenario.chain])
    assert {name: o.value for name, o in usual.items() if o.value is not None}.items() <= dict(together).items()


def test_growth_of_a_plain_random_walk(plain, by_chance):
    """Normal steps alone: growth rates are nearly normal (shape 2).

    A year's luck is half in the year's own sales and half still to be seen, so that the large grow faster, by
    s^2 sum of (k / 12)(1 - k / 12) over the variance of size.
    """
    entry = Entry(sales_median=3000.0, sales_sd=1.0, gap_mean=0.0, gap_sd=0.0)
    growth = Growth(kappa=0.0, drift=0.0, sigma=0.1, tau=0.0, jump_chance=0.0)
    behaviour = by_chance(0.0, entry=entry, growth=growth, peers=Peers(rate=0.0))
    scenario = plain(behaviour=behaviour, arrivals=Arrivals(per_year=3000.0), horizon=Horizon(months=48))
    found = evaluate(scenario, [{}], ["growth_shape", "growth_slope", "growth_slope_large"], replicates=1).iloc[0]
    assert found["growth_shape"] == pytest.approx(2.0, abs=0.1)
    expected = 0.1**2 * sum(k / 12 * (1 - k / 12) for k in range(12)) / 1.0**2
    assert found["growth_slope"] == pytest.approx(expected, abs=4 * 0.1 * math.sqrt(8.03 / 6000))
    assert found["growth_slope_large"] == pytest.approx(expected, abs=0.03)
    short = evaluate(scenario.replace({"horizon.months": 12}), [{}], ["growth_shape"], replicates=1).iloc[0]
    assert math.isnan(short["growth_shape"])
    assert "two years" in short["reason"]


def test_what_grows_with_the_city():
    """People and money of the whole city are counted for all; shares, means and sales a shop are not."""
    assert all(map(counted_for_all, ("residents", "living_end", "newcomers_living_end", "waiting_hub", "spent_cny")))
    others = ("survival_12m", "employees_mean", "sales_mean_cny", "spent_per_survivor_36m_cny", "occupancy_hub")
    assert not any(map(counted_for_all, others))
    growth = {"growth_shape", "growth_slope", "growth_slope_large"}
    assert set(OUTCOMES) == {"residents", "sales_per_entity_cny", "share_without_staff"} | growth
