"""Other people's programs drive `sim.run` as plain users of its Python interface."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import sim

SCENARIO = """
schema: 1
horizon: {months: 24}
replicates: 1
arrivals: {per_year: {value: 100, assumed: a test}}
chain: [{id: village, facilities: 1, rent: 1_500}, {id: hub, facilities: 1, places: 5, threshold: 100_000}]
"""

MARGIN, RENT = "behaviour.money.margin", "chain.village.rent"


@pytest.fixture
def scenario(tmp_path: Path) -> sim.Scenario:
    (tmp_path / "city.yaml").write_text(SCENARIO, encoding="utf-8")
    return sim.load(tmp_path / "city.yaml")


def survival(scenario: sim.Scenario, values: dict[str, float]) -> float:
    return sim.run(scenario.replace(values), replicates=1, seed=1).outcome("survival_12m")


def test_salib(scenario):
    """SALib samples, `sim.run` answers, SALib finds that the margin matters and that the seat threshold does not."""
    from SALib import ProblemSpec

    paths = [MARGIN, RENT, "chain.hub.threshold"]
    problem = ProblemSpec({"names": paths, "bounds": [[0.04, 0.2], [500, 3000], [9e4, 1.1e5]], "outputs": ["Y"]})
    problem.sample_morris(4, seed=1)
    problem.set_results(
        np.array([survival(scenario, dict(zip(paths, map(float, x), strict=True))) for x in problem.samples])
    )
    problem.analyze_morris(seed=1)
    effects = dict(zip(paths, problem.analysis["mu_star"], strict=True))
    assert effects[MARGIN] > effects[RENT] > effects["chain.hub.threshold"]
    assert effects[MARGIN] > 0.1


def test_optuna(scenario):
    """optuna asks, `sim.run` tells, and the rent under which most survive is the lowest that is allowed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    study.optimize(lambda trial: survival(scenario, {RENT: trial.suggest_float("rent", 500, 5000)}), n_trials=20)
    assert study.best_params["rent"] < 1500
    assert study.best_value > survival(scenario, {RENT: 5000.0}) + 0.05


def test_ema_workbench(scenario):
    """The EMA Workbench runs a policy in ten worlds, and finds fewer survivors in each with the dearer rent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it would rather have installed
        import ema_workbench as ema

        def city(margin: float, rent: float) -> dict[str, float]:
            return {"survival": survival(scenario, {MARGIN: margin, RENT: rent})}

        model = ema.Model("city", function=city)
        model.uncertainties = [ema.RealParameter("margin", 0.04, 0.2)]
        model.levers = [ema.RealParameter("rent", 500, 5000)]
        model.outcomes = [ema.ScalarOutcome("survival")]
        policies = [ema.Policy(name, rent=rent) for name, rent in (("cheap", 500), ("dear", 5000))]
        experiments, outcomes = ema.perform_experiments(model, scenarios=10, policies=policies)
    table = experiments.assign(survival=outcomes["survival"]).pivot(
        index="scenario", columns="policy", values="survival"
    )
    assert len(table) == 10
    assert (table["cheap"] > table["dear"]).all()
