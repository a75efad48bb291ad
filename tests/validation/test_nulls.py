"""Null models do what they say, and are fitted to the run."""

import math

import numpy as np
import pandas as pd
import pytest

from sim.validation.fact import measured
from sim.validation.nulls import NULLS, Law, averaging, fitted, live, null
from sim.validation.record import NotKnown, Record
from sim.validation.registry import facts

N = 20_000
START = np.full(N, 8.0)
AT_ONCE = np.zeros(N, int)


@pytest.fixture
def run(record, make_people) -> Record:
    """A run that is itself a walk with another law: 3 % close each month, growth of -0.1 +- 0.5 a year."""
    lives = live(Law(0.03, -0.01, 0.3), START, np.arange(N) % 60, 120, 9)
    uid = np.arange(N) * 10
    order = np.lexsort((lives.month, lives.who))
    panel = pd.DataFrame(
        {
            "uid": uid[lives.who[order]],
            "year": lives.month[order] // 12,
            "age_months": lives.month[order] - np.arange(N)[lives.who[order]] % 60,
            "sales_cny": lives.annual[order],
            "employees": 0,
        }
    )
    new = make_people(lives.duration, lives.event, arrival_month=np.arange(N) % 60, first_sales_cny=math.exp(8.0))
    return record({"entrepreneurs": new, "panel": panel})


def test_a_coin_closes_by_chance():
    """Survival under a constant chance is its power, and exits do not depend on size."""
    lives = live(Law(0.02, 0.0, 0.3), START, AT_ONCE, 60, 1)
    assert np.mean(~lives.event) == pytest.approx(0.98**60, abs=0.01)
    assert np.mean(lives.duration > 12) == pytest.approx(0.98**12, abs=0.01)


def test_sales_walk_with_drift_and_sd():
    """Log sales after 59 steps have mean 59 drift and variance 59 sd^2; without steps smoothed sales are 12 months'."""
    lives = live(Law(0.0, 0.01, 0.1), START, AT_ONCE, 60, 2)
    assert lives.last.mean() == pytest.approx(8.0 + 59 * 0.01, abs=0.02)
    assert lives.last.std() == pytest.approx(0.1 * math.sqrt(59), rel=0.02)
    still = live(Law(0.0, 0.0, 0.0), START, AT_ONCE, 24, 3)
    assert still.sales == pytest.approx(np.full(N, 12 * math.exp(8.0)))
    assert len(still.who) == 2 * N


def test_a_floor_closes_below_it():
    """Who starts below the floor closes in the first month; above it and without steps nobody does."""
    first = np.array([5.0, 7.0])
    lives = live(Law(0.0, 0.0, 0.0, floor=6.0), first, np.zeros(2, int), 24, 4)
    assert lives.event.tolist() == [True, False]
    assert lives.duration.tolist() == [1, 24]


def test_a_years_sum_has_its_variance():
    """A year's growth of annual sales has the stated variance, for small steps."""
    sd = 0.02
    lives = live(Law(0.0, 0.0, sd), START, AT_ONCE, 120, 5)
    annual = np.log(lives.annual.reshape(10, N))
    assert (annual[9] - annual[8]).var() == pytest.approx(averaging() * sd**2, rel=0.04)


@pytest.mark.parametrize("kind", NULLS)
def test_a_null_is_fitted_to_the_run(kind, run):
    """A null model has the run's survival at five years, and mean and spread of its growth, from the same newcomers."""
    other = null(kind, run, seed=3)
    assert other.survival(60) == pytest.approx(run.survival(60), abs=0.015)
    assert other.growth[1].mean() == pytest.approx(run.growth[1].mean(), abs=0.02)
    assert other.growth[1].std() == pytest.approx(run.growth[1].std(), rel=0.03)
    assert len(other.new) == len(run.new)


def test_a_coin_gets_its_own_law_back(run):
    """Fitted to a run that is a coin, the coin has the run's chance and step."""
    law = fitted("coin", run)
    assert law.chance == pytest.approx(0.03, rel=0.05)
    assert law.drift == pytest.approx(-0.01, abs=0.002)
    assert law.sd == pytest.approx(0.3, rel=0.04)
    assert fitted("floor", run).floor > -math.inf


def test_a_coin_fails_what_it_should(run):
    """Constant hazards are exponential and blind to size, and normal growth has shape 2 but for what adding up does."""
    by_id = {fact.id: fact for fact in facts()}
    other = null("coin", run, seed=4)
    for id in ("life_times", "exit_by_size", "tent", "hazard_shape"):
        fact = by_id[id]
        values = measured(fact, other)
        assert not isinstance(values, NotKnown)
        assert not all(part.holds(values[part.id]) for part in fact.parts), (id, values)


def test_nothing_has_an_effect_in_a_null(run):
    """In a null model everybody in a trial fares as without the treatment; a trial without pairs is not known."""
    trials = {
        "grant": pd.DataFrame({"alive_control": [True, False], "alive_trial": [True, True]}),
        "ai_tools": pd.DataFrame({"users": [1], "living": [2]}),
        "lottery": NotKnown("no_incubator"),
    }
    other = null("coin", Record(run.tables, run.scenario, trials))
    assert other.trial("grant")["alive_trial"].tolist() == [True, False]
    assert other.trials["ai_tools"] == NotKnown("not_in_a_null")
    assert other.trials["lottery"] == NotKnown("no_incubator")


def test_a_null_needs_a_panel(record, make_people):
    """Without the run's growth there is nothing to fit a null model to."""
    with pytest.raises(NotKnown):
        null("coin", record({"entrepreneurs": make_people([30] * 50, True)}))
