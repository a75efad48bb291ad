"""Sobol indices against closed forms and another program, and what they say of a model whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sim.entrepreneurs.behaviour import Behaviour, Exit, Peers
from sim.errors import ScenarioError, SimError, StoreError
from sim.evidence.quantity import Parameters
from sim.experiments.designs import hypercube, radial
from sim.experiments.sensitivity.analysis import Plan, sensitivity
from sim.experiments.sensitivity.result import KNOWN, OTHERS, open_variance
from sim.experiments.sensitivity.screening import screen
from sim.experiments.sensitivity.smaller import COUNTED, divisor, from_empty, scaled
from sim.experiments.sensitivity.sobol import indices
from sim.experiments.sensitivity.uncertainty import LEFT_OUT, uncertainties
from sim.policy._instrument import find, types
from sim.scenario import load
from sim.scenario.schema import Horizon
from sim.store import write_manifest

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
CITY = next(p for p in SHIPPED if p.name == "yiwu.yaml")

# the estimators ---------------------------------------------------------------------------------------------------


def ishigami(u):
    """Ishigami and Homma (1990), a = 7, b = 0.1, of points of the unit cube."""
    x = (2 * u - 1) * np.pi
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


_V1, _V2, _V13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 8 * 0.01 * np.pi**8 / 225
_V = _V1 + _V2 + _V13
FIRST, TOTAL = np.array([_V1, _V2, 0]) / _V, np.array([_V1 + _V13, _V2, _V13]) / _V

_A = np.array([0.0, 0.5, 3.0, 9.0, 99.0])
PARTS = 1 / (3 * (1 + _A) ** 2)


def sobol_g(u):
    """Sobol's g-function: a product of factors with variances `PARTS` and mean 1."""
    return np.prod((abs(4 * u - 2) + _A) / (1 + _A), axis=-1)


def closed(of):
    """Closed index of a group of the g-function's coordinates."""
    return (np.prod(1 + PARTS[list(of)]) - 1) / (np.prod(1 + PARTS) - 1)


def at_ends(y):
    return y[:, [0, -1]]


def test_ishigami():
    """First-order and total shares of Ishigami's function are its closed form, x3 acting only together with x1."""
    y = ishigami(radial(list("abc"), 2048, seed=1))
    found = indices(y, at_ends(y))
    assert found.variance == pytest.approx(_V, rel=0.05)
    assert_allclose(found.first[:, 0], FIRST, atol=0.05)
    assert_allclose(found.total[:, 0], TOTAL, atol=0.05)
    assert found.chance == pytest.approx(0, abs=1e-12)


def test_groups():
    """A group's first-order share is its closed index, and its total share what the complement's leaves of 1."""
    labels = ["one", "two", "one", "three", "two"]
    y = sobol_g(radial(labels, 4096, seed=2))
    found = indices(y, at_ends(y))
    groups = [(0, 2), (1, 4), (3,)]
    assert_allclose(found.first[:, 0], [closed(g) for g in groups], atol=0.05)
    rest = [[i for i in range(5) if i not in g] for g in groups]
    assert_allclose(found.total[:, 0], [1 - closed(g) for g in rest], atol=0.05)


def test_salib_agrees():
    """Without chance the estimates are SALib's: the total to rounding, the first order but for where it centres."""
    from SALib.analyze import sobol

    y = ishigami(radial(list("abc"), 256, seed=3))
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    theirs = sobol.analyze(problem, y.ravel(), calc_second_order=False, seed=1)
    ours = indices(y, at_ends(y))
    assert_allclose(ours.total[:, 0], theirs["ST"], rtol=1e-12)
    assert_allclose(ours.first[:, 0], theirs["S1"], atol=5e-3)
    half = (ours.total[:, 2] - ours.total[:, 1]) / 2
    assert_allclose(half, theirs["ST_conf"], rtol=0.35)  # theirs is normal, from 100 resamples


def test_chance_is_told_apart():
    """With as much chance as variance the shares stay unbiased and chance is half, where SALib's totals are far off."""
    from SALib.analyze import sobol

    draws = np.random.default_rng(4)
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[0, 1]] * 3}
    ours, theirs = [], []
    for seed in range(20):
        y = ishigami(radial(list("abc"), 512, seed=seed))
        first, again = (part + draws.normal(0, _V**0.5, part.shape) for part in (y, at_ends(y)))
        found = indices(first, again)
        ours.append([found.chance, *found.first[:, 0], *found.total[:, 0]])
        theirs.append(sobol.analyze(problem, first.ravel(), calc_second_order=False, seed=1)["ST"])
    mean, error = np.mean(ours, axis=0), np.std(ours, axis=0, ddof=1) / 20**0.5
    assert (abs(mean - [0.5, *FIRST, *TOTAL]) < 4 * error + 0.01).all()
    assert (np.mean(theirs, axis=0) - TOTAL > 0.15).all()


def test_intervals_cover():
    """The 95 % intervals hold the truth in about 95 of 100 cases."""
    draws, inside = np.random.default_rng(5), []
    for seed in range(100):
        y = ishigami(radial(list("abc"), 128, seed=seed))
        first, again = (part + draws.normal(0, 1, part.shape) for part in (y, at_ends(y)))
        found = indices(first, again, seed=seed)
        pairs = zip((*found.first, *found.total), (*FIRST, *TOTAL), strict=True)
        inside.append([low <= truth <= high for (_, low, high), truth in pairs])
    assert (np.mean(inside, axis=0) > 0.86).all()


def test_what_does_nothing_has_no_share():
    """A coordinate that changes nothing has shares of exactly 0, whatever the chance in the others' runs."""
    u = radial(list("abcd"), 64, seed=6)
    luck = np.random.default_rng(6).normal(size=(64, 2))
    y = ishigami(u)
    found = indices(y, at_ends(y) + luck)
    assert (found.first[3] == 0).all()
    assert (found.total[3] == 0).all()


def test_nothing_varies():
    """An outcome that is the same everywhere, or chance alone, has no variance to share, and no number is made up."""
    same = indices(np.full((16, 4), 2.0), np.full((16, 2), 2.0))
    assert same.variance == 0
    assert np.isnan(same.total).all()
    draws = np.random.default_rng(7)
    alone = [indices(draws.normal(size=(64, 4)), draws.normal(size=(64, 2))) for _ in range(20)]
    clear = [low > 0 for found in alone if found.variance > 0 for low in found.total[:, 1]]
    assert np.mean(clear) < 0.15


def test_unknown_values_leave_their_pair_out():
    """A pair of points with an unknown value is left out, and counted out."""
    y = ishigami(radial(list("abc"), 64, seed=8))
    holed, again = y.copy(), at_ends(y).copy()
    holed[3, 2], again[7, 1] = np.nan, np.nan
    kept = [i for i in range(64) if i not in (3, 7)]
    assert indices(holed, again).n == 62
    assert_allclose(indices(holed, again).total, indices(y[kept], at_ends(y[kept])).total)
    assert indices(np.full((4, 3), np.nan), np.full((4, 2), np.nan)).n == 0


# the design -------------------------------------------------------------------------------------------------------


def test_the_design_swaps_one_group():
    """Between a and b stands a with one group from b at a time, and the pairs do not depend on the grouping."""
    design = radial(["x", "y", "x"], 5, seed=1)
    a, x, y, b = design.transpose(1, 0, 2)
    assert (x == np.column_stack([b[:, 0], a[:, 1], b[:, 2]])).all()
    assert (y == np.column_stack([a[:, 0], b[:, 1], a[:, 2]])).all()
    assert (radial(["p", "q", "r"], 5, seed=1)[:, [0, -1]] == design[:, [0, -1]]).all()


def test_the_hypercube_is_latin_and_its_axes_are_unrelated():
    """Each n-th part of each axis holds one point, and with 210 axes no two of them follow one another."""
    points = hypercube(210, 64, seed=1)
    assert (np.sort(np.floor(64 * points), axis=0) == np.arange(64)[:, None]).all()
    correlations = np.corrcoef(points.T)[np.triu_indices(210, 1)]
    assert abs(correlations).max() < 0.65  # of Sobol points: 0.94 and more


@pytest.mark.parametrize("n", [256, 32])
def test_screening_finds_who_carries(n):
    """Of 60 numbers the six that carry something are singled out, with their shares, by many points and by few."""
    weights = np.zeros(60)
    weights[::10] = 1, -0.9, 0.8, 0.7, -0.6, 0.5
    points = hypercube(120, n, seed=1).reshape(n, 60, 2).transpose(0, 2, 1)
    luck = np.random.default_rng(2).normal(0, 0.1, (2, n, 2))
    labels = [KNOWN if i == 59 else f"x{i}" for i in range(60)]
    key = ("living_end", "level")
    table = screen(points, labels, {key: points @ weights + luck}, 6 if n > 60 else 20).set_index("group")
    assert set(table.index[table["chosen"]]) >= {f"x{i}" for i in range(0, 60, 10)}
    assert KNOWN not in table.index[table["chosen"]]
    if n > 60:
        assert_allclose(table["linear"], [*(weights**2 / (weights**2).sum())], atol=0.03)
        assert table["chosen"].sum() == 6


# what varies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_number_varies_or_says_why_not(path):
    """Each number of a shipped scenario varies within its range or says why not; any such point is a valid scenario."""
    scenario = load(path)
    found = uncertainties(scenario)
    assert {u.path for u in found.vary} | set(found.fixed) == set(scenario.provenance)
    assert set(found.fixed.values()) <= set(LEFT_OUT)
    mixed = {path for held in found.mixes.values() for path in held}
    base, by, draws = from_empty(scenario), divisor(scenario, 1000), np.random.default_rng(9)
    for shares in (*draws.random((3, len(found.vary))), np.zeros(len(found.vary)), np.ones(len(found.vary))):
        point = found.point(shares)
        for u in found.vary:
            if u.path not in mixed:
                assert u.low <= point[u.path] <= u.high, u
                assert isinstance(point[u.path], int) == (u.form == "whole")
        try:
            base.replace(scaled(base, by, point))
        except ScenarioError as error:
            pytest.fail(str(error))


def test_numbers_that_do_not_vary():
    """An instrument that is off, a setting, what acts before the horizon, and a number without a range stay."""
    fixed = uncertainties(load(next(p for p in SHIPPED if p.name == "yiwu_full_policy.yaml"))).fixed
    assert fixed["policy.loan.amount"] == "inactive"
    assert fixed["seed"] == "setting"
    assert fixed["arrivals.past_growth_per_year"] == "before"
    assert fixed["chain.village.threshold"] == "no_range"
    far = load(CITY).replace({"arrivals.per_year": 100.0})
    assert uncertainties(far).fixed["arrivals.per_year"] == "outside"


def test_each_has_its_distribution():
    """Half of a range in the middle; of more than a decade in logs; whole numbers each as often."""
    vary = {u.path: u for u in uncertainties(load(CITY)).vary}
    assert vary["behaviour.growth.kappa"].at(0.5) == pytest.approx((0.03 + 0.2) / 2)
    assert vary["behaviour.entry.cash_median"].at(0.5) == pytest.approx((5_000 * 100_000) ** 0.5)
    months = vary["chain.incubator.max_age"]
    drawn = [months.at(s) for s in (np.arange(1300) + 0.5) / 1300]
    assert np.unique(drawn, return_counts=True)[1].tolist() == [100] * 13


def test_shares_that_add_to_one_vary_together():
    """Shares of arrivals are one group, and add to 1 at every point."""
    found = uncertainties(load(next(p for p in SHIPPED if p.name == "city.yaml")))
    assert {u.group for u in found.vary if u.path.startswith("arrivals.origin")} == {"arrivals.origin"}
    for shares in np.random.default_rng(10).random((20, len(found.vary))):
        point = found.point(shares)
        parts = [v for p, v in point.items() if p.startswith("arrivals.origin.")]
        assert len(parts) == 4
        assert abs(sum(parts) - 1) < 1e-12


def test_only_some():
    """`only` lets the named numbers vary; one that cannot is an error that names the nearest."""
    found = uncertainties(load(CITY), only=("behaviour.growth.kappa",))
    assert [u.path for u in found.vary] == ["behaviour.growth.kappa"]
    assert found.fixed["behaviour.growth.sigma"] == "not_asked"
    with pytest.raises(SimError, match=r"behaviour\.growth\.kappa"):
        uncertainties(load(CITY), only=("behaviour.growth.kapa",))


# the smaller city -------------------------------------------------------------------------------------------------


def test_a_smaller_city_keeps_its_proportions():
    """Arrivals, background, places and courses are divided alike; tenants for each house at usual rent are kept."""
    base = from_empty(load(CITY))
    small = base.replace(scaled(base, 100, {"chain.park.places": 200}))
    assert small.arrivals.per_year == 300
    assert small.market.background.entities == 6377
    assert {i.id: i for i in small.policy}["training"].courses == 4
    for stage, before in zip(small.chain, base.chain, strict=True):
        full = {"park": 200}.get(stage.id, before.places)
        if full is not None:
            assert abs(stage.capacity - before.facilities * full / 100) <= 0.5 * stage.facilities
        usual = (s.facilities * s.usual_tenants for s in (stage, before))
        assert next(usual) * 100 == pytest.approx(next(usual), rel=0.01)
    assert scaled(base, 1, {"chain.park.places": 200}) == {"chain.park.places": 200}


def test_the_stock_of_a_city_becomes_background():
    """From an empty city, entities that the scenario states compete all the same."""
    city = load(next(p for p in SHIPPED if p.name == "city.yaml"))
    assert from_empty(city).market.background.entities == 637_700
    assert from_empty(city).initial.kind == "empty"


def test_every_count_of_an_instrument_is_divided_or_known_to_be_of_one():
    """A count, a number of sessions or a floor that an instrument has is of the whole city, or is listed here."""
    of_one = {"training.seats", "contest.month", "college_park.area_each", "land.area"}
    found = set()

    def walk(model, prefix):
        for name, field in model.model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            if isinstance(field.annotation, type) and issubclass(field.annotation, Parameters):
                walk(field.annotation, f"{prefix}.{name}")
            elif extra.get("unit") in ("count", "count/year", "sessions/year", "persons/year", "firms/year", "m2"):
                found.add(f"{prefix}.{name}")

    for type_ in types():
        walk(find(type_), type_)
    assert found - of_one == {f"{t}.{name}" for t, names in COUNTED.items() for name in names}


# a model whose answer is known ------------------------------------------------------------------------------------

CHANCE, WAGE, COMING = "behaviour.exit.chance_per_year", "behaviour.exit.outside_wage", "arrivals.per_year"


@pytest.fixture(scope="module")
def simple(plain):
    """Two years in which founders leave by chance only; wages change nothing."""
    from sim.entrepreneurs.arrivals import Arrivals

    leaving = Exit(chance_per_year=0.03, insolvency=False, review=0.0, restarts=0.0)
    return plain(
        horizon=Horizon(months=24),
        arrivals=Arrivals(per_year=30_000.0, summer_share=1 / 3),
        behaviour=Behaviour(exit=leaving, peers=Peers(rate=0.0)),
    )


@pytest.fixture(scope="module")
def found(simple):
    told = []
    plan = Plan(simple, only=(CHANCE, WAGE, COMING), pairs=32, founders=800)
    result = sensitivity(plan, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (plan.runs, plan.runs) == (result.manifest["basis"]["runs"],) * 2
    return result


def test_survival_rests_on_the_chance_of_leaving(found):
    """Survival at 12 months is 1 - c: all its variance is c's, and the wage that nobody reviews has exactly none."""
    ranked = found.ranked("survival_12m").set_index("group")
    assert ranked.loc[CHANCE, "rank"] == 1
    for part in ("first", "total"):
        share, low, high = ranked.loc[CHANCE, [part, f"{part}_low", f"{part}_high"]]
        assert abs(share - 1) < 0.75 * (high - low)  # three standard errors
        assert low > 0.25
    assert ranked.loc[WAGE, ["first", "total", "total_high"]].tolist() == [0, 0, 0]
    assert pd.isna(ranked.loc[WAGE, "rank"])
    row = found.outcomes.set_index("outcome").loc["survival_12m"]
    assert row["own"] == pytest.approx(0.97, abs=0.02)
    assert row["sd"] == pytest.approx(0.03 / 12**0.5, rel=0.3)
    assert row["p10"] == pytest.approx(0.953, abs=0.01)
    assert abs(ranked.loc[KNOWN, "total"]) < 0.1


def test_the_stock_rests_on_the_published_inflow(found):
    """Founders at the end are arrivals x survival: the shares are those of a product of independent factors."""
    c = np.linspace(0.02, 0.05, 1001)
    months = 12 * (1 - (1 - c) ** (1 / 12))
    lived = (1 - np.exp(-2 * months)) / months  # mean survival of two years' arrivals, up to a factor
    coming, leaving = (1e4 / 12**0.5 / 3.5e4) ** 2, np.var(lived) / np.mean(lived) ** 2
    expected = coming / ((1 + coming) * (1 + leaving) - 1)
    row = found.outcomes.set_index("outcome").loc["living_end"]
    ranked = found.ranked("living_end").set_index("group")
    assert expected > 0.95
    for part in ("first", "total"):
        share, low, high = ranked.loc[KNOWN, [part, f"{part}_low", f"{part}_high"]]
        assert abs(share - expected) < 0.75 * (high - low)
        assert low > 0.3
    assert pd.isna(ranked.loc[KNOWN, "rank"])
    assert row["assumed"] + row["known"] + row["chance"] == pytest.approx(1)
    assert row["known"] > 0.6
    assert CHANCE in found.measure_next()


def test_it_can_be_stored(found, tmp_path):
    """What is written is read as it was, ranks included; another folder is refused, and damage is found."""
    found.write(tmp_path)
    again = open_variance(tmp_path)
    for name in ("outcomes", "shares", "screening", "runs"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
    assert again.manifest["varied"][CHANCE]["assumed"] == found.manifest["varied"][CHANCE]["assumed"]
    assert again.measure_next() == found.measure_next()
    damaged = tmp_path / "variance_shares.parquet"
    damaged.write_bytes(damaged.read_bytes() + b"x")
    with pytest.raises(StoreError, match="damaged"):
        open_variance(tmp_path)
    (tmp_path / "other").mkdir()
    write_manifest(tmp_path / "other", {"kind": "comparison"})
    with pytest.raises(StoreError, match="not one of"):
        open_variance(tmp_path / "other")


def test_every_run_is_kept(found):
    """Indices can be estimated again from the stored runs."""
    rows = found.runs[found.runs["outcome"] == "survival_12m"]
    tables = [rows[rows["replicate"] == r].pivot(index="pair", columns="block", values="value") for r in (0, 1)]
    first, again = (t[[*sorted(t.columns)[1:], -1]].to_numpy() for t in tables)
    assert first.shape == (32, 5)
    assert again.shape == (32, 2)
    shares = found.shares[found.shares["outcome"] == "survival_12m"]
    assert_allclose(indices(first, again).total[:, 0], shares["total"], rtol=1e-12)


def test_a_reform_that_changes_nothing_has_no_effect(simple):
    """The effect of going over to the same scenario is 0 in every run, and nothing is made up about its variance."""
    plan = Plan(simple, simple, only=(CHANCE,), pairs=2, founders=100)
    result = sensitivity(plan)
    effects = result.runs[result.runs["kind"] == "effect"]
    assert len(effects) > 0
    assert (effects["value"] == 0).all()
    row = result.outcomes.set_index(["outcome", "kind"]).loc[("living_end", "effect")]
    assert row["reason"] == "no number that varies changes it"
    assert pd.isna(row["assumed"])


def test_what_a_reform_sets_stays(simple):
    """A number that the reform sets otherwise does not vary there: at points that differ in it alone it runs once."""
    other = simple.replace({"behaviour.exit.chance_per_year": 0.04})
    plan = Plan(simple, other, only=(CHANCE,), pairs=2, founders=100)
    result = sensitivity(plan)
    assert result.manifest["basis"]["runs"] < plan.runs
    levels, effects = (
        result.runs[(result.runs["outcome"] == "living_end") & (result.runs["kind"] == kind)].reset_index(drop=True)
        for kind in ("level", "effect")
    )
    reform = (levels["value"] + effects["value"]).groupby(levels["replicate"])
    assert (reform.nunique() == 1).all()


def test_others_stand_together(simple):
    """What is not singled out is one group, whose share is closed like anybody's."""
    many = (CHANCE, WAGE, "behaviour.exit.leaves_later", "behaviour.money.margin")
    result = sensitivity(Plan(simple, only=many, pairs=4, top=1, founders=100))
    shares = result.shares[result.shares["outcome"] == "survival_12m"].set_index("group")
    assert shares.index.tolist() == [OTHERS, CHANCE] or shares.index.tolist() == [CHANCE, OTHERS]
    assert shares.loc[OTHERS, "members"] == 3
    assert shares.loc[OTHERS, "total"] == 0
    assert result.screening[result.screening["chosen"]]["group"].unique().tolist() == [CHANCE]


def test_impossible_plans(simple):
    """A plan with nothing to vary, or with a single pair, is refused before anything is run."""
    with pytest.raises(SimError, match="pairs"):
        Plan(simple, pairs=1)
    plan = Plan(simple, only=(CHANCE,))
    assert replace(plan, top=3).runs == plan.runs
