"""Indices from the points of a sweep, against closed forms and SALib, with chance told apart from what numbers do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sim.experiments.sensitivity.factorial import factorial
from sim.experiments.sensitivity.methods import Laid, cells, fitting, told
from sim.experiments.sensitivity.morris import screening
from sim.experiments.sensitivity.noise import apart, covariance
from sim.experiments.sensitivity.pawn import pawn
from sim.experiments.sensitivity.sobol import replicated

PROBLEM = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}


def ishigami(u):
    """Ishigami and Homma (1990), a = 7, b = 0.1, of points of the unit cube."""
    x = (2 * u - 1) * np.pi
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


_V1, _V2, _V13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 8 * 0.01 * np.pi**8 / 225
_V = _V1 + _V2 + _V13
TRUTH = np.array([_V1, _V2, 0, _V1 + _V13, _V2, _V13, 0, _V13, 0]) / _V
"""First order, total, second order of (1, 2), (1, 3), (2, 3)."""


def saltelli(n, seed):
    from SALib.sample import sobol

    return sobol.sample(PROBLEM, n, seed=seed)


def lucky(y, draws, replicates=3, common=2.0, own=3.0):
    """Runs of points: luck that all points of a replicate share, and luck of each run's own."""
    return y[:, None] + draws.normal(0, common, replicates) + draws.normal(0, own, (len(y), replicates))


def all_shares(found):
    return np.r_[found.first[:, 0], found.total[:, 0], found.second[:, 0]]


# chance -----------------------------------------------------------------------------------------------------------


def test_chance_is_told_apart_with_holes():
    """Variances of points, of the replicates' luck and of the rest come back without bias, a sixth of runs missing."""
    draws, found = np.random.default_rng(1), []
    for _ in range(200):
        runs = lucky(1e6 + draws.normal(0, 2, 60), draws, 5, 1.0, 1.5)
        runs[draws.random(runs.shape) < 1 / 6] = np.nan
        told = apart(runs)
        found.append([told.variance, told.shared, told.own])
    error = np.std(found, axis=0) / 200**0.5
    assert (abs(np.mean(found, axis=0) - [4, 1, 2.25]) < 4 * error).all()


def test_points_are_compared_as_if_all_had_the_same_luck():
    """A point that only the lucky replicate knows is not better for that: without own luck its mean is exact."""
    luck = np.array([5.0, -1.0, -4.0])
    runs = np.array([1.0, 2.0, 3.0])[:, None] + luck
    runs[1, 1:] = np.nan
    assert_allclose(apart(runs).means, [1, 2, 3])
    assert apart(runs).own == pytest.approx(0, abs=1e-20)


def test_one_replicate_knows_no_chance():
    """From one run a point nothing is said of chance."""
    told = apart(np.arange(4.0)[:, None])
    assert np.isnan([told.own, told.shared, told.chance]).all()
    assert told.variance == pytest.approx(np.var(range(4), ddof=1))


def test_products_of_means_lose_their_chance():
    """The product of two means less their chance is unbiased for the product of what they estimate."""
    draws = np.random.default_rng(2)
    shared = draws.normal(size=(20_000, 4))
    product, chance = covariance(2 + shared, 3 + shared)
    assert product.mean() == pytest.approx(6.25, abs=0.05)  # 6 + variance / 4
    assert (product - chance).mean() == pytest.approx(6, abs=0.05)


# Sobol ------------------------------------------------------------------------------------------------------------


def test_without_chance_the_shares_are_salibs():
    """From one run a point, first, total and second order are SALib's, but for how it centres."""
    from SALib.analyze import sobol

    y = ishigami(saltelli(256, 3))
    theirs = sobol.analyze(PROBLEM, y, seed=1)
    found = replicated(y.reshape(256, 8, 1), second=True)
    assert_allclose(
        all_shares(found), np.r_[theirs["S1"], theirs["ST"], theirs["S2"][np.triu_indices(3, 1)]], atol=0.01
    )
    half = (found.second[:, 2] - found.second[:, 1]) / 2
    assert_allclose(half, theirs["S2_conf"][np.triu_indices(3, 1)], rtol=0.35)
    assert np.isnan(found.chance)


def test_with_chance_the_shares_stay_ishigamis():
    """With more chance than variance all shares stay the closed form; SALib's of the means do not."""
    from SALib.analyze import sobol

    draws, ours, theirs = np.random.default_rng(4), [], []
    for seed in range(1, 31):
        y = ishigami(saltelli(512, seed))
        runs = lucky(y, draws, 4, 3.0, 4.0)
        found = replicated(runs.reshape(512, 8, 4), second=True, seed=seed)
        ours.append([*all_shares(found), found.chance])
        theirs.append(sobol.analyze(PROBLEM, runs.mean(axis=1), seed=1)["ST"])
    error = np.std(ours, axis=0, ddof=1) / 30**0.5
    assert (abs(np.mean(ours, axis=0)[:-1] - TRUTH) < 4 * error[:-1] + 0.005).all()
    assert np.mean(ours, axis=0)[-1] == pytest.approx(25 / (25 + _V), abs=0.05)
    assert (np.mean(theirs, axis=0) - TRUTH[3:6] > 0.1).all()


def test_intervals_of_replicated_points_cover():
    """The 95 % intervals of first, total and second order hold the truth in about 95 of 100 cases."""
    draws, inside = np.random.default_rng(5), []
    for seed in range(1, 81):
        runs = lucky(ishigami(saltelli(128, seed)), draws, 3, 1.0, 2.0)
        found = replicated(runs.reshape(128, 8, 3), second=True, seed=seed)
        rows = np.concatenate([found.first, found.total, found.second])
        inside.append((rows[:, 1] <= TRUTH) & (rows[:, 2] >= TRUTH))
    assert (np.mean(inside, axis=0) > 0.85).all()


def test_a_row_with_an_unknown_point_is_left_out():
    """A point that no replicate knows takes its row with it; one that some know does not."""
    runs = lucky(ishigami(saltelli(64, 1)), np.random.default_rng(6)).reshape(64, 8, 3)
    holed = runs.copy()
    holed[5, 3], holed[9, 2, 0] = np.nan, np.nan
    assert replicated(holed, second=True).n == 63
    assert replicated(np.full((4, 8, 2), np.nan), second=True).n == 0


# Morris -----------------------------------------------------------------------------------------------------------


def trajectories(n, seed):
    from SALib.sample import morris

    return morris.sample(PROBLEM, n, num_levels=6, seed=seed)


def test_elementary_effects_are_salibs():
    """mu, mu* and sigma are SALib's, and so is about the width of mu*'s interval."""
    from SALib.analyze import morris

    x = trajectories(40, 1)
    theirs = morris.analyze(PROBLEM, x, ishigami(x), num_levels=6, num_resamples=1000, seed=1)
    found = screening(x.reshape(40, 4, 3), ishigami(x).reshape(40, 4, 1))
    for ours, name in ((found.mu, "mu"), (found.mu_star, "mu_star"), (found.sigma, "sigma")):
        assert_allclose(ours[:, 0], np.array(theirs[name], float), rtol=1e-9)
    half = (found.mu_star[:, 2] - found.mu_star[:, 1]) / 2
    assert_allclose(half, np.array(theirs["mu_star_conf"], float), rtol=0.15)
    assert np.isnan(found.floor).all()


def test_chance_alone_has_the_floors_mu_star_and_no_sigma():
    """Of a number that does nothing mu* is the floor on average, and sigma, chance taken off, next to nothing."""
    draws, ratios, sigmas = np.random.default_rng(7), [], []
    for seed in range(1, 41):
        x = trajectories(20, seed)
        found = screening(x.reshape(20, 4, 3), lucky(10 * x[:, 0], draws).reshape(20, 4, 3))
        ratios.append(found.mu_star[1:, 0] / found.floor[1:])
        sigmas.append(found.sigma[:, 0] ** 2)
    assert np.mean(ratios) == pytest.approx(1, abs=0.08)
    assert found.mu[0, 0] == pytest.approx(10, abs=3)
    whole = (3**2 * 2 / 3) / 0.6**2  # of an effect that is chance alone, over a step of 0.6
    assert np.mean(sigmas) < 0.35 * whole  # what is cut off at 0 leaves some


# PAWN -------------------------------------------------------------------------------------------------------------


def test_pawn_is_salibs():
    """The index is the median of SALib's Kolmogorov-Smirnov distances; values that come twice are no exception."""
    from SALib.analyze import pawn as theirs
    from SALib.sample import latin

    x = latin.sample(PROBLEM, 400, seed=1)
    for y in (ishigami(x), np.round(ishigami(x))):
        found = pawn(x, y)
        # SALib leaves the largest value out of the last slice
        assert_allclose(found.median[:, 0], theirs.analyze(PROBLEM, x, y, S=10)["median"], atol=0.006)
        assert (found.median[:, 1] < found.median[:, 0]).all()
        assert (found.median[:, 0] < found.median[:, 2]).all()


def test_pawn_tells_what_does_nothing():
    """A number without effect stays below the floor in about 95 of 100 cases; one with an effect does not."""
    draws, below = np.random.default_rng(8), []
    for seed in range(40):
        x = draws.random((80, 2))
        found = pawn(x, x[:, 0] + draws.normal(0, 0.2, 80), seed=seed)
        below.append(found.median[:, 0] < found.floor)
    assert np.mean(below, axis=0)[0] == 0
    assert np.mean(below, axis=0)[1] == pytest.approx(0.95, abs=0.1)


# grids ------------------------------------------------------------------------------------------------------------

GRID = np.array(np.meshgrid([0, 1, 2.0], [0, 1.0], [1, 2, 3, 4.0], indexing="ij")).reshape(3, -1).T


def test_a_grid_falls_apart():
    """Shares on a grid are the analysis of variance by hand, and with interactions they add to 1."""
    found = factorial(GRID, (2 * GRID[:, 0] + GRID[:, 1] * GRID[:, 2])[:, None])
    parts = np.array([4 * 2 / 3, 2.5**2 / 4, 1.25 / 4, 0, 0, 1.25 / 4])  # a, b, c, ab, ac, bc
    assert_allclose(np.r_[found.first[:, 0], found.second[:, 0]], parts / parts.sum(), atol=1e-12)
    total = parts[:3] + np.array([0, parts[5], parts[5]])
    assert_allclose(found.total[:, 0], total / parts.sum(), atol=1e-12)
    assert factorial(GRID[:-1], GRID[:-1, :1]) is None


def test_chance_leaves_a_grids_shares():
    """With chance the grid's variances are unbiased, and its intervals hold the truth in about 95 of 100 cases."""
    draws, y = np.random.default_rng(9), 2 * GRID[:, 0] + GRID[:, 1] * GRID[:, 2]
    truth = factorial(GRID, y[:, None])
    whole = np.r_[truth.first[:, 0], truth.total[:, 0], truth.second[:, 0]]
    variances, inside = [], []
    for seed in range(150):
        found = factorial(GRID, lucky(y, draws, 3, 1.0, 1.5), seed=seed)
        variances.append(found.variance * np.r_[found.first[:, 0], found.total[:, 0], found.second[:, 0]])
        rows = np.concatenate([found.first, found.total, found.second])
        inside.append((rows[:, 1] <= whole) & (whole <= rows[:, 2]))
    error = np.std(variances, axis=0) / 150**0.5
    assert (abs(np.mean(variances, axis=0) - truth.variance * whole) < 4 * error + 1e-9).all()
    assert np.mean(inside) > 0.88


# rows of tables ---------------------------------------------------------------------------------------------------


def test_each_layout_has_its_method():
    """A Sobol design is told by shares of its rows' ends, a grid by its analysis of variance, others by distances."""
    u = saltelli(128, 1)
    laid = Laid("sobol", ("a", "b", "c"), u, second=True)
    row, rows, pairs = told(laid, lucky(ishigami(u), np.random.default_rng(1)), "sobol", seed=1)
    assert row["sd"] ** 2 == pytest.approx(_V, rel=0.25)
    assert row["chance"] == pytest.approx(13 / (13 + _V), abs=0.15)
    assert [r["measure"] for r in rows] == ["first", "total"] * 3
    assert max(pairs, key=lambda p: p["second"])["other"] == "c"
    assert {k: fitting(k)[0] for k in ("sobol", "morris", "grid", "table")} == {
        "sobol": "sobol", "morris": "morris", "grid": "anova", "table": "pawn"
    }  # fmt: skip


def test_what_nothing_changes_has_a_reason():
    """An outcome that is the same everywhere, or known nowhere, has no indices and a reason."""
    laid = Laid("latin_hypercube", ("a",), np.linspace(0, 1, 50)[:, None])
    for runs, reason in ((np.ones((50, 2)), "no number"), (np.full((50, 2), np.nan), "too few")):
        row, rows, _ = told(laid, runs, "pawn", seed=1)
        assert reason in row["reason"]
        assert not rows


def test_cells_hold_the_means():
    """Cells of a grid are its points, and those of other points the means of as many of them."""
    laid = Laid("grid", ("a", "b", "c"), GRID)
    found = cells(laid, (GRID[:, 0] * 10 + GRID[:, 1])[:, None], ("a", "b"))
    assert [(r["place"], r["other_place"], r["mean"], r["n"]) for r in found] == [
        (a, b, 10 * a + b, 4) for a in (0, 1, 2) for b in (0, 1)
    ]
    u = np.random.default_rng(2).random((160, 2))
    found = cells(Laid("latin_hypercube", ("a", "b"), u), u[:, :1], ("a", "b"))
    assert len(found) == 16
    assert sum(r["n"] for r in found) == 160
    assert sum(r["n"] * r["mean"] for r in found) / 160 == pytest.approx(u[:, 0].mean())
    for place in {r["place"] for r in found}:
        there = [r for r in found if r["place"] == place]
        assert len(there) == 4
        assert sum(r["n"] * r["mean"] for r in there) / sum(r["n"] for r in there) == pytest.approx(place)
