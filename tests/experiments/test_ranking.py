"""Who is best: the stated probability holds, the front is the front, and boxes are found where they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sim.experiments.optimisation.pareto import front, spread
from sim.experiments.optimisation.ranking import Rules, race
from sim.experiments.optimisation.robustness import boxes, regret

# ranking ----------------------------------------------------------------------------------------------------------


def lucky(means, seed, shared=3.0, own=(2.0, 4.0, 2.0, 2.0, 3.0)):
    """Runs with common random numbers: luck that all share, and luck of each one's own."""

    def observe(who, first, count):
        draws = np.random.default_rng([seed, first])
        luck, mine = draws.normal(0, shared, count), draws.normal(size=(len(means), count))
        return (np.array(means)[:, None] + luck + np.array(own)[: len(means), None] * mine)[list(who)]

    return observe


def test_the_stated_probability_holds():
    """Where the best leads by just what matters it is named in 95 of 100 races at least; a first look names it less."""
    means, rules, right, at_once = [0, 0, 0, 0, 1.0], Rules(delta=1.0, first=8, most=5000), 0, 0
    for seed in range(400):
        found = race(lucky(means, seed), 5, rules)
        assert found.separated
        right += found.best == 4
        at_once += found.values[:, :8].mean(axis=1).argmax() == 4
    assert right / 400 > 0.95 - 2 * (0.05 * 0.95 / 400) ** 0.5
    assert at_once / 400 < 0.7


def test_those_who_are_left_hold_the_best():
    """Where replicates do not suffice nobody is named for sure, and the best is still left in 95 of 100 races."""
    held = unsure = 0
    for seed in range(400):
        found = race(lucky([0, 0, 0, 0, 1.0], seed), 5, Rules(delta=1.0, first=8, most=24))
        held += 4 in found.left
        unsure += not found.separated
    assert held / 400 > 0.95
    assert unsure > 200


def test_the_winners_runs_flatter_him():
    """Of equals the winner's own runs show more than he is worth; other runs of the same policy do not."""
    flattered, told = [], []
    for seed in range(300):
        found = race(lucky([0.0] * 5, seed, shared=0.0), 5, Rules(delta=2.0, first=8, most=40))
        ran = np.isfinite(found.values[found.best])
        flattered.append(found.values[found.best][ran].mean())
        told.append(lucky([0.0] * 5, 10_000 + seed, shared=0.0)([found.best], 0, 16).mean())
    error = np.std(told) / 300**0.5
    assert np.mean(flattered) > 0.3
    assert abs(np.mean(told)) < 4 * error


def test_without_luck_one_look_is_enough():
    """Policies whose runs are all the same are ranked after the first look, and equals stay in their order."""
    found = race(lambda who, first, count: np.array([[1.0], [3.0], [3.0], [2.0]])[who].repeat(count, 1), 4, Rules(0.5))
    assert found.order == [1, 2, 3, 0]
    assert found.separated
    assert found.values.shape == (4, 8)


def test_who_is_not_known_is_out():
    """A policy with a run that does not know the objective is out, however good the others are."""
    values = np.array([[5.0] * 8, [np.nan] + [9.0] * 7, [4.0] * 8])
    found = race(lambda who, first, count: values[who, first : first + count], 3, Rules(0.5, most=8))
    assert found.out == (0, 8, 8)
    assert found.best == 0
    nobody = race(lambda who, first, count: np.full((len(who), count), np.nan), 2, Rules(0.5, most=8))
    assert nobody.left == ()
    assert not nobody.separated


def test_a_race_needs_a_difference_that_matters():
    """Without an indifference zone there is no race that ends."""
    with pytest.raises(ValueError, match="delta"):
        race(lambda who, first, count: np.zeros((1, count)), 1, Rules(0.0))


# the front --------------------------------------------------------------------------------------------------------


def test_the_front_is_what_nothing_beats():
    """By brute force: a point is on the front unless an allowed one is as good in all and better in one."""
    draws = np.random.default_rng(1)
    values, feasible = np.round(draws.random((60, 3)), 1), draws.random(60) < 0.8
    values[5, 1] = np.nan
    found = front(values, feasible)
    for i in range(60):
        better = [
            all(values[j] >= values[i]) and any(values[j] > values[i])
            for j in range(60)
            if feasible[j] and np.isfinite(values[j]).all()
        ]
        assert found[i] == (feasible[i] and i != 5 and not any(better))


def test_some_of_the_front_span_it():
    """Of many points the best of each objective come first, and the others lie between."""
    x = np.linspace(0, 1, 101)
    chosen = spread(np.column_stack([x, 1 - x]), 5)
    assert chosen[:2] == [100, 0]
    assert sorted(x[chosen]) == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.02)


# robustness -------------------------------------------------------------------------------------------------------


def test_regret_is_what_another_would_have_brought():
    """The best of a world regrets nothing, the others what they miss; what is not allowed is not missed."""
    values = np.array([[3.0, 5.0, 4.0], [2.0, 1.0, np.nan]])
    assert_allclose(regret(values), [[2, 0, 1], [np.nan] * 3])
    allowed = np.array([[True, False, True], [True, True, True]])
    assert_allclose(regret(values, allowed)[0], [1, 0, 0])
    assert_allclose(regret(values, np.zeros((2, 3), bool))[0], [2, 0, 1])


def test_boxes_are_where_it_fails():
    """Two conditions under which a policy fails are found, with their ends, by the numbers that make them alone."""
    draws = np.random.default_rng(2)
    worlds = pd.DataFrame(draws.random((300, 4)) * [1, 10, 100, 1], columns=["a.b", "c", "d", "e"])
    fails = ((worlds["a.b"] > 0.7) & (worlds["c"] < 5)) | (worlds["d"] < 8)
    first, second = boxes(worlds, fails)
    assert set(first.limits) == {"a.b", "c"}
    assert 0.55 < first.limits["a.b"].low < 0.75
    assert 4.5 < first.limits["c"].high < 7
    assert first.limits["a.b"].high is None
    assert set(second.limits) == {"d"}
    assert 7 < second.limits["d"].high < 8 / 0.8 + 1  # as wide as four failures of five allow
    inside = (worlds["a.b"] >= first.limits["a.b"].low) & (worlds["c"] <= first.limits["c"].high)
    assert first.density == pytest.approx(fails[inside].mean())
    assert first.coverage == pytest.approx(fails[inside].sum() / fails.sum())
    assert first.coverage + second.coverage > 0.8
    assert min(first.density, second.density) >= 0.8
    assert max(q for box in (first, second) for lim in box.limits.values() for q in (lim.low_p, lim.high_p) if q) < 1e-6


def test_chance_makes_no_box():
    """Failures that hang on nothing have no box, nor have few of them."""
    draws = np.random.default_rng(3)
    worlds = pd.DataFrame(draws.random((120, 3)), columns=list("abc"))
    assert sum(len(boxes(worlds, draws.random(120) < 0.3, seed=k)) for k in range(3)) <= 1
    assert boxes(worlds, worlds["a"] < 0.01) == []
