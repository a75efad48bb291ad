"""Calibration: its parts against closed forms and brute force, the whole against a model with a known answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sim.errors import RunError, ScenarioError, StoreError
from sim.experiments.calibration.calibrate import calibrate, runs
from sim.experiments.calibration.emulator import Emulator, Scale, features
from sim.experiments.calibration.posterior import along, directions, marginals, quantile
from sim.experiments.calibration.priors import UNIT_SD, Priors, fill
from sim.experiments.calibration.result import TABLES, open_calibration
from sim.experiments.calibration.targets import Targets
from sim.experiments.calibration.walkers import walk
from sim.experiments.outcomes import known_outcomes
from sim.experiments.sweep.runs import Runs
from sim.scenario.studies import Study, load_study
from sim.statistics import summary

SHIPPED = Path(__file__).parents[2] / "scenarios" / "studies" / "calibration.yaml"

CONSTANT = """\
schema: 1
horizon: {months: 28}
arrivals: {per_year: 6_000}
chain: [{id: village, facilities: 1}]
behaviour: {exit: {insolvency: false, review: 0.0, restarts: 0.0}, peers: {rate: 0.0}}
market: {displacement: 0.0}
"""
"""Founders close by a constant chance c a year only: survival at 12 months is 1 - c."""

STUDY = """\
schema: 1
kind: calibration
scenario: constant.yaml
targets: [{outcome: survival_12m, value: 0.9, sd: 0.01, why: {en: a known answer}}]
parameters:
  - {path: behaviour.exit.chance_per_year, range: [0.02, 0.30]}
  - {path: behaviour.money.margin}
search: {start: 16, optimise: 8, waves: 1, wave: 8, check: 8, reference: 12, finalists: 2, replicates: 2, whole: 1}
holdout: [{outcome: survival_24m, band: [0.7, 0.9]}]
decisions:
  points: 2
  replicates: 2
  reforms: [{id: more, name: {zh: 更多, en: More}, set: {chain.village.facilities: 2}}]
"""


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    """The study above, with a known answer."""
    (tmp_path / "constant.yaml").write_text(CONSTANT)
    (tmp_path / "study.yaml").write_text(STUDY)
    return lambda **overrides: load_study(
        tmp_path / "study.yaml", {k.replace("__", "."): v for k, v in overrides.items()}, only=Study
    )


@pytest.fixture
def priors() -> Priors:
    """A uniform prior, a log-uniform one, and one of a whole number."""
    yes, no = True, False
    return Priors(
        ("a", "b", "c"),
        np.array([0.0, 1.0, 0.0]),
        np.array([2.0, 100.0, 4.0]),
        np.array([no, yes, no]),
        np.array([no, no, yes]),
        np.array([1.0, 10.0, 2.0]),
    )


# priors and targets ---------------------------------------------------------------------------------------------------


def test_the_cube_is_the_prior(priors):
    """Middle and ends of the cube are middle (in logs) and ends of the ranges, and the way back is the same."""
    ends = priors.values([[0, 0, 0], [0.5, 0.5, 0.5], [1, 1, 1]])
    assert ends[[0, 2]].tolist() == [[0, 1, 0], [2, 100, 4]]
    assert ends[1] == pytest.approx([1, 10, 2])
    unit = np.random.default_rng(1).random((50, 3))
    assert priors.unit(priors.values(unit))[:, :2] == pytest.approx(unit[:, :2])
    assert priors.point([0.5, 0.5, 0.3]) == {"a": 1.0, "b": pytest.approx(10.0), "c": 1}
    assert isinstance(priors.point([0.5, 0.5, 0.3])["c"], int)


def test_moments_of_the_prior_are_those_of_its_draws(priors):
    """Mean and sd of the uniform and the log-uniform prior against 200,000 evenly spread draws."""
    even = (np.arange(200_000) + 0.5) / 200_000
    drawn = priors.values(np.stack([even] * 3, axis=1))[:, :2]
    mean, sd = priors.moments()
    assert mean[:2] == pytest.approx(drawn.mean(axis=0), rel=1e-6)
    assert sd[:2] == pytest.approx(drawn.std(axis=0), rel=1e-6)


def test_the_start_fills_the_prior(priors):
    """Every eighth of each prior holds an eighth of the points, for any power of 2, and a seed gives the same again."""
    unit = fill(priors, 64, seed=3)
    for column in unit.T:
        assert np.bincount((column * 8).astype(int), minlength=8).tolist() == [8] * 8
    assert (fill(priors, 64, seed=3) == unit).all()
    assert (fill(priors, 64, seed=4) != unit).any()


@pytest.fixture
def targets() -> Targets:
    """About 10, at least 100, at most 5, and about 1000 in logs."""
    log = np.array([False, False, False, True])
    return Targets(
        ("w", "x", "y", "z"), np.array([10, 100, 5, 1000.0]), np.array([2, 10, 1, 0.1]), np.array([0, 1, -1, 0]), log
    )


def test_the_likelihood_is_gaussian_and_bounds_are_one_sided(targets):
    """Ratios of likelihoods are those of scipy's normal densities; on a bound's good side nothing is gained or lost."""

    def found(*outcomes):
        return float(targets.log_likelihood(np.array(outcomes, float)))

    assert found(10, 100, 5, 1000) == found(10, 1e9, -7, 1000) == 0
    assert found(13, 100, 5, 1000) == pytest.approx(norm.logpdf(13, 10, 2) - norm.logpdf(10, 10, 2))
    assert found(10, 85, 5, 1000) == pytest.approx(norm.logpdf(85, 100, 10) - norm.logpdf(100, 100, 10))
    assert found(10, 100, 6.5, 1000) == pytest.approx(-(1.5**2) / 2)
    assert found(10, 100, 5, 1000 * np.exp(-0.2)) == pytest.approx(-2)
    assert found(13, 85, 6.5, 1000) == pytest.approx(found(13, 100, 5, 1000) + found(10, 85, 6.5, 1000))


def test_what_is_not_known_is_not_likely(targets):
    """An outcome that is NaN, or 0 where logs are compared, has likelihood 0."""
    rows = np.array([[10, 100, 5, np.nan], [10, 100, 5, 0.0], [10, 100, 5, 1000]])
    assert targets.log_likelihood(rows).tolist() == [-np.inf, -np.inf, 0]


def test_an_unsure_emulator_is_no_likelier(targets):
    """A variance added to a target's own gives the density of the wider normal."""
    for x in (10.0, 12.0, 16.0):
        row = np.array([x, 100, 5, 1000])
        wide = float(targets.log_likelihood(row, np.array([5.0, 0, 0, 0])))
        assert wide == pytest.approx(norm.logpdf(x, 10, 3) - norm.logpdf(10, 10, 2))


def test_every_outcome_of_a_study_is_known():
    """Outcomes told without a run are those that a run's summary has, and a few more."""
    import sim

    scenario = sim.load(SHIPPED.parents[1] / "classroom.yaml").replace({"horizon.months": 12})
    stages = [s.id for s in scenario.chain]
    found = summary.outcomes(sim.simulate(scenario), months=12, stages=stages)
    known = known_outcomes(stages)
    assert {name: known[name] for name in found} == {name: o.unit for name, o in found.items()}
    growth = {"growth_shape", "growth_slope", "growth_slope_large"}
    assert set(known) - set(found) == {"residents", "sales_per_entity_cny", "share_without_staff"} | growth


# emulator, walkers, posterior -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["log", "logit", "plain"])
def test_a_scale_leads_there_and_back(kind):
    """Outcomes come back from their scale, and its slope is that of a small step."""
    x = {"log": [0.5, 3.0, 2000.0], "logit": [0.01, 0.4, 0.99], "plain": [-3.0, 0.0, 1.0]}[kind]
    scale = Scale.of(x)
    assert scale.kind == kind
    assert scale.back(scale.to(x)) == pytest.approx(x)
    step = 1e-6
    inner = np.array(x[:2])
    assert (scale.back(scale.to(inner) + step) - inner) / step == pytest.approx(scale.slope(inner), rel=1e-4, abs=1e-9)
    assert np.isnan(Scale("log", 0, 1).to(0.0))
    assert np.isnan(Scale("logit", 0, 1).to(1.0))


def test_the_emulator_is_exact_for_a_polynomial():
    """An outcome that is of second order in the parameters is emulated to the last digits, crossed terms too."""
    rng = np.random.default_rng(1)
    unit = rng.random((80, 4))
    outcomes = (features(unit) @ rng.normal(size=(15, 2))).clip(-100, 100)
    found = Emulator(unit, outcomes, (Scale("plain", -100, 100),) * 2, np.ones(80))
    new = rng.random((20, 4))
    assert found(new) == pytest.approx(
        features(new) @ np.linalg.lstsq(features(unit), outcomes, rcond=None)[0], abs=1e-3
    )
    assert (found.explained > 0.9999).all()


def test_errors_left_out_are_those_of_refits():
    """The closed form of the errors with each point left out is what fitting without that point gives."""
    rng = np.random.default_rng(2)
    unit, weight = rng.random((40, 2)), rng.random(40) + 0.5
    outcome = rng.normal(size=(40, 1))
    _, left = Emulator._fit(features(unit), outcome, weight)
    a, bent = features(unit), np.r_[np.full(3, 1e-6), np.ones(3)]

    def refit(i, hold):
        keep = np.arange(40) != i
        gram = (a[keep] * weight[keep, None]).T @ a[keep] + hold * np.diag(bent)
        return outcome[i, 0] - a[i] @ np.linalg.solve(gram, (a[keep] * weight[keep, None]).T @ outcome[keep, 0])

    brute = [np.array([refit(i, hold) for i in range(40)]) for hold in 10.0 ** np.arange(-4, 4)]
    best = min(brute, key=lambda errors: np.average(errors**2, weights=weight))
    assert left[:, 0] == pytest.approx(best, rel=1e-6)


def test_noise_is_not_explained():
    """Of an outcome that does not depend on the parameters nothing is explained, and its error is its spread."""
    rng = np.random.default_rng(3)
    found = Emulator(rng.random((200, 3)), rng.normal(0, 2, (200, 1)), (Scale("plain", -9, 9),), np.ones(200))
    assert found.explained[0] < 0.1
    assert found.error[0] == pytest.approx(2, rel=0.15)


def test_walkers_draw_from_the_density():
    """Means and sds of draws from a normal cut off at the cube's edges are scipy's, in a direction across too."""
    start = np.random.default_rng(1).random((24, 2))
    found = walk(
        lambda u: -0.5 * (((u[:, 0] - 0.1) / 0.2) ** 2 + ((u[:, 1] - u[:, 0]) / 0.1) ** 2),
        start, steps=2000, settle=300, keep=5, seed=1,
    )  # fmt: skip
    assert 0.2 < found.accepted < 0.9
    assert found.effective > 300
    assert ((found.draws >= 0) & (found.draws <= 1)).all()
    grid = (np.arange(400) + 0.5) / 400
    x, y = np.meshgrid(grid, grid, indexing="ij")
    weight = np.exp(-0.5 * (((x - 0.1) / 0.2) ** 2 + ((y - x) / 0.1) ** 2))
    for axis, values in enumerate((x, y)):
        mean = np.average(values, weights=weight)
        sd = np.sqrt(np.average((values - mean) ** 2, weights=weight))
        assert found.draws[:, axis].mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(found.effective))
        assert found.draws[:, axis].std() == pytest.approx(sd, rel=0.1)


def test_a_posterior_that_is_the_prior_has_learnt_nothing(priors):
    """Draws from the prior narrow nothing, and leave every combination as it was; what is known is narrowed."""
    draws = np.random.default_rng(1).random((40_000, 3))
    assert np.abs(marginals(draws, priors)["narrowed"]).max() < 0.03
    assert directions(draws).variance == pytest.approx(np.ones(3), abs=0.05)
    draws[:, 0] = 0.5 + 0.1 * UNIT_SD * (draws[:, 0] - 0.5) / UNIT_SD
    found = marginals(draws, priors)
    assert found["narrowed"][0] == pytest.approx(1 - UNIT_SD**2 * 0.01, abs=0.01)
    assert found["inside"].all()


def test_directions_are_those_of_the_covariance():
    """The widest direction of a known covariance, in units of the prior, is its eigenvector, largest part positive."""
    cov = np.array([[4.0, -3.0], [-3.0, 4.0]]) * UNIT_SD**2 / 100
    draws = 0.5 + np.random.default_rng(1).multivariate_normal([0, 0], cov, 50_000)
    found = directions(draws)
    assert found.variance == pytest.approx([0.07, 0.01], rel=0.05)
    assert np.abs(found.vectors[0]) == pytest.approx([0.5**0.5] * 2, abs=0.02)
    assert found.vectors[0].prod() < 0 < found.vectors[0].max()
    places = along(draws, -((draws - 0.5) ** 2).sum(axis=1), found.vectors[0], [0.1, 0.5, 0.9])
    projected = (draws[places] - draws.mean(axis=0)) @ found.vectors[0]
    expected = norm.ppf([0.1, 0.5, 0.9]) * np.sqrt(0.07) * UNIT_SD
    assert projected == pytest.approx(expected, abs=0.25 * np.sqrt(0.07) * UNIT_SD)


def test_weighted_quantiles():
    """With equal weights the median is the middle; a weight of 0 leaves a value out; nothing known is NaN."""
    x = np.array([5.0, 1.0, 3.0, 100.0])
    assert quantile(x, np.array([1, 1, 1, 0.0]), [0.5]) == [3.0]
    assert quantile(x, np.array([1, 1, 1, 3.0]), [0.5])[0] > 3
    assert np.isnan(quantile(np.array([np.nan]), np.ones(1), [0.5]))[0]


# the whole ------------------------------------------------------------------------------------------------------------


def test_it_finds_the_known_answer(study):
    """Where survival at 12 months is 1 - c, a target of 0.90 with sd 0.01 gives c a mean of 0.10 and an sd of 0.01.

    The other parameter plays no part: its posterior is its prior, and the widest direction is it alone.
    """
    found = calibrate(study(search__start=32, search__wave=32, search__reference=40))
    chance, margin = found.posterior.itertuples()
    assert chance.mean == pytest.approx(0.10, abs=0.004)
    assert chance.sd == pytest.approx(0.01, rel=0.35)
    assert margin.mean == pytest.approx(0.12, abs=0.01)
    assert abs(margin.narrowed) < 0.2
    widest = found.table("directions").iloc[:2].set_index("path")["weight"]
    assert abs(widest["behaviour.money.margin"]) > 0.98
    held = found.table("holdout").iloc[0]
    assert held["posterior"] == pytest.approx(0.81, abs=0.02)
    assert held["meets"]
    assert not found.reruns  # the scenario has c = 0.034, many sd away
    assert not chance.inside
    assert found.manifest["stock_ridge"] is None  # nothing fitted is the stock
    assert set(found.table("decisions")["sign"]) <= {0}  # a second village house changes nobody's chance


def test_an_interrupted_calibration_goes_on_and_ends_alike(study, tmp_path, monkeypatch):
    """Stopped half-way and started again, it makes no run twice and finds what an undisturbed one finds."""
    plan = study(arrivals__per_year=300, search__whole=0)
    counted: list[int] = []
    close = Runs.__exit__

    def counting(made, *error):
        counted.append(made.made)
        close(made, *error)

    monkeypatch.setattr(Runs, "__exit__", counting)
    whole = calibrate(plan, tmp_path / "whole")
    undisturbed = sum(counted)
    counted.clear()

    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(plan, tmp_path / "stopped", progress=stop)
    assert 0 < sum(counted) < undisturbed
    again = calibrate(plan, tmp_path / "stopped", jobs=2)
    assert sum(counted) == undisturbed <= sum(runs(plan).values())
    for name in TABLES:
        pd.testing.assert_frame_equal(again.table(name), whole.table(name))
    counted.clear()
    calibrate(plan, tmp_path / "stopped")
    assert counted == [0]


def test_what_is_written_can_be_opened(study, tmp_path):
    """A stored calibration has the same tables; one whose table was changed is refused."""
    found = calibrate(study(arrivals__per_year=300, search__whole=0))
    folder = tmp_path / "stored"
    folder.mkdir()
    found.write(folder)
    stored = open_calibration(folder)
    for name in TABLES:
        pd.testing.assert_frame_equal(stored.table(name), found.table(name))
    assert stored.gap == found.gap
    (folder / "fit.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="damaged"):
        open_calibration(folder)


def test_a_study_of_outcomes_that_do_not_exist_is_refused(study):
    """A misspelt outcome is told with its place before anything is run."""
    plan = study(decisions__outcome="survival_36")
    with pytest.raises(ScenarioError, match='there is no outcome "survival_36"'):
        calibrate(plan)


def test_targets_that_nothing_reaches_are_an_error(study):
    """If an outcome is known at no point of the prior, there is nothing to calibrate, and that is said."""
    with pytest.raises(RunError, match="known at 0 of 16 points"):
        calibrate(study(targets=[{"outcome": "survival_48m", "value": 0.5, "sd": 0.1, "source": ["bls_bed"]}]))


# the study that comes along -------------------------------------------------------------------------------------------


def test_nothing_is_fitted_that_is_scored():
    """Facts named by targets are marked as fitted by the scorecard, and all that it scores are listed as not fitted."""
    from sim.validation.registry import facts, fitted

    plan = load_study(SHIPPED)
    aimed = {target.fact for target in plan.targets if target.fact}
    assert aimed
    assert aimed <= fitted()
    assert set(plan.scored) == {fact.id for fact in facts() if fact.use == "scored"}
    assert not aimed & set(plan.scored)


def test_all_that_the_scenario_calls_fitted_is_an_outcome_of_targets():
    """Survival at ages 1 to 5, stock, mean sales, staffing, growth and occupancy are fitted, and nothing else."""
    plan = load_study(SHIPPED)
    survival = [f"survival_{12 * year}m" for year in range(1, 6)]
    others = ["residents", "sales_per_entity_cny", "share_without_staff"]
    others += ["growth_shape", "growth_slope", "growth_slope_large", "occupancy_incubator"]
    assert [target.outcome for target in plan.targets] == survival + others
    assert not {held.outcome for held in plan.holdout} & set(survival + others)


def test_the_smaller_city_is_the_city():
    """The study's scenario at 1:20 has a twentieth of the arrivals, places, courses and background, within rounding."""
    plan = load_study(SHIPPED)
    small, whole = plan.small, plan.whole
    assert small.arrivals.per_year * plan.scale == whole.arrivals.per_year
    for a, b in zip(small.chain, whole.chain, strict=True):
        if b.places is not None:
            assert a.places * a.facilities * plan.scale == pytest.approx(b.places * b.facilities, rel=0.08)
    assert small.market.background.entities * plan.scale == pytest.approx(whole.market.background.entities, rel=1e-4)
    assert small.policy[2].courses * plan.scale == whole.policy[2].courses
    assert small.burn_in is small


@pytest.mark.long
def test_the_calibration_reruns_to_the_shipped_defaults():
    """Each shipped default lies in the central 95 % of its posterior; together they are within 3 log units of the best.

    A smaller search than the study's: 144 points that fill the prior, one wave.
    """
    fewer = {
        "start": 144,
        "optimise": 0,
        "waves": 1,
        "wave": 96,
        "check": 24,
        "reference": 16,
        "finalists": 2,
        "whole": 0,
    }
    overrides = {f"search.{key}": value for key, value in fewer.items()} | {"decisions": {"reforms": []}}
    found = calibrate(load_study(SHIPPED, overrides), jobs=2)
    posterior = found.posterior
    assert posterior["inside"].all(), posterior.loc[~posterior["inside"], ["path", "now", "low", "high"]]
    assert found.gap <= 3
    assert found.reruns
    assert posterior["narrowed"].max() > 0.5  # it is not the prior in which they lie


# the shipped study ----------------------------------------------------------------------------------------------------


def test_every_calibrated_number_is_in_the_study():
    """What the model calls calibrated is a parameter of the shipped study, and nothing scored is a target of it."""
    from sim.validation.registry import facts, fitted

    study = load_study(SHIPPED)
    calibrated = {o.path for o in study.whole.provenance.values() if o.assumed and "calibrated with" in o.assumed}
    assert len(calibrated) > 20
    assert calibrated <= {parameter.path for parameter in study.parameters}
    assert {t.fact for t in study.targets if t.fact} <= fitted()
    assert set(study.scored) == {fact.id for fact in facts() if fact.use == "scored"}
