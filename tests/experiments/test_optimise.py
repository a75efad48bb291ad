"""The best policy of scenarios that were built to have one, and what an optimisation may say of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sim.errors import RunError, ScenarioError, StoreError
from sim.experiments.optimisation.optimise import optimise
from sim.experiments.optimisation.problem import COST, Aim, Equity, Price, Problem
from sim.experiments.optimisation.result import TABLES, open_optimum
from sim.experiments.optimisation.search import distinct, search
from sim.experiments.sweep.runs import Runs
from sim.scenario.studies import load_study
from sim.scenario.studies.axes import Axis
from sim.scenario.studies.optimisation import OptimisationStudy

COACH = '''
from typing import Literal

from sim.policy import PolicyInstrument, quantity


class Coach(PolicyInstrument):
    """Coaching of all who come: most useful at 6 hours, of no use below 2 or beyond 10 or where it is bad."""

    type: Literal["coach"] = "coach"
    hours: float = quantity(0.0, unit="1", low=0, high=12, zh="课时", en="hours", assumed="a test")
    rooms: int = quantity(0, unit="count", low=0, high=20, zh="教室", en="rooms", assumed="a test")
    quality: float = quantity(0.8, unit="1", low=0, high=1, range=(0, 1), zh="质量", en="quality", assumed="a test")

    def eligible(self, people, now):
        return (people.age == 0).nonzero()[0]

    def cost(self, people, now, rows):
        return 1_000

    def apply(self, people, now, rows):
        if self.quality > 0.3:
            now.teach(people, rows, max(1 - ((self.hours - 6) / 4) ** 2, 0.0) * self.rooms / 5)
'''

CITY = """
schema: 1
components: ["coach:Coach"]
horizon: {months: 24}
replicates: 1
initial: {kind: empty, under: null}
arrivals: {per_year: {value: 600, assumed: a test}}
chain: [{id: village, facilities: {value: 1, assumed: a test}, rent: {value: 1500, assumed: a test}}]
policy: [{id: coach, type: coach}]
"""

STUDY = """
schema: 1
kind: optimisation
name: {en: Coaching}
scenario: city.yaml
levers:
  - {path: policy.coach.hours, range: [0, 12]}
  - {path: policy.coach.rooms, range: [0, 20], cost: {once: 1_000_000, assumed: a test}}
uncertainties: [{path: policy.coach.quality}]
objectives: [{outcome: survival_12m, indifference: 0.001}]
budget: 9_500_000
search: {points: 80, start: 16, replicates: 2}
ranking: {finalists: 3, first: 6, max: 24, confidence: 0.9}
robustness: {points: 40, replicates: 1}
"""

PLAIN = """
schema: 1
horizon: {months: 24}
replicates: 1
initial: {kind: empty, under: null}
arrivals: {per_year: {value: 120, assumed: a test}}
chain: [{id: village, facilities: {value: 1, assumed: a test}, rent: {value: 1500, assumed: a test}}]
policy: [{id: award, type: award, amount: 5_000, eligible_share: 1.0}]
"""

AWARD = """
schema: 1
kind: optimisation
scenario: plain.yaml
levers: [{path: policy.award.amount, range: [5_000, 20_000]}]
uncertainties: [{path: behaviour.money.margin}]
objectives: [{outcome: survivors_18m}]
search: {points: 10, start: 8, replicates: 2}
ranking: {finalists: 2, first: 3, max: 6}
robustness: {points: 4, replicates: 1}
"""

HOURS, ROOMS = "policy.coach.hours", "policy.coach.rooms"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "coach.py").write_text(COACH, encoding="utf-8")
    (tmp_path / "city.yaml").write_text(CITY, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def award(place: Path, **changes: object) -> OptimisationStudy:
    """A study of few runs of an instrument that comes along."""
    (place / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    (place / "award.yaml").write_text(AWARD, encoding="utf-8")
    return load_study(place / "award.yaml", changes, only=OptimisationStudy)


# the whole ----------------------------------------------------------------------------------------------------------


def test_the_known_optimum_is_found(place):
    """Coaching is best at 6 hours and as many rooms as the budget pays for, 9; and useless where its quality is low.

    The effect is told by fresh runs, all gain, and the one condition under which it fails is found.
    """
    found = optimise(place / "study.yaml", place / "out")
    levers = found.values(found.recommended)
    assert levers[HOURS] == pytest.approx(6, abs=0.5)
    assert levers[ROOMS] == 9
    assert found.levers.set_index("path").loc[ROOMS, "declared_cny"] == 9_000_000
    effects = found.summary.set_index("outcome")
    assert effects.loc["survival_12m", "effect_low"] > 0.08
    assert effects.loc[COST, "policy"] == pytest.approx(9_000_000 + effects.loc["spent_cny", "policy"])
    assert effects.loc[COST, "policy"] < 9_500_000
    assert found.manifest["separated"]
    assert found.manifest["over"] == 0
    ranking = found.table("optimal_ranking").set_index("policy")
    assert ranking.loc["now", "place"] == len(ranking)
    assert ranking.loc["now", "behind_low"] > 0
    groups = found.table("optimal_groups").query("grouping == 'channel'")
    assert (groups["effect_low"] > 0).all()
    front = found.table("optimal_front").pivot(index="policy", columns="outcome", values="value")
    front = front.sort_values(COST)
    assert (front["survival_12m"].diff().dropna() > 0).all()
    points = found.table("optimal_points").pivot(index="policy", columns="outcome")
    ahead = points["value"] * [-1 if name == COST else 1 for name in points["value"]]
    ahead = ahead[points["feasible"].all(axis=1)]
    beaten = [any((other >= one).all() and (other > one).any() for other in ahead.values) for one in ahead.values]
    assert points["front"].any(axis=1)[ahead.index].tolist() == [not b for b in beaten]  # the city as it is, too
    boxes = found.table("optimal_boxes")
    assert boxes["path"].tolist() == ["policy.coach.quality"]
    assert 0.25 < boxes["high"].iloc[0] < 0.4
    assert boxes["coverage"].iloc[0] > 0.9
    assert boxes["density"].iloc[0] > 0.8
    regrets = found.table("optimal_regret").set_index("policy")
    assert regrets.loc[found.recommended, "fails"] == pytest.approx(0.3, abs=0.05)
    assert regrets.loc["now", "mean"] > regrets.loc[found.recommended, "mean"]
    found.write(place / "out")
    again = open_optimum(place / "out")
    for name in TABLES:
        pd.testing.assert_frame_equal(again.table(name), found.table(name))
    with pytest.raises(StoreError):
        open_optimum(place)


def test_it_goes_on_where_it_was(place):
    """Interrupted and begun again, nothing that was run is run again, and the result is that of an undisturbed one."""
    study = award(place)
    whole = optimise(study)
    made = []

    def stop(done: float, total: int) -> None:
        made.append(done)
        if len(made) == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimise(study, place / "out", progress=stop)
    with Runs(place / "out", kind="policy search") as store:
        kept = len(store.parts.done)
    assert 0 < kept < whole.manifest["runs"]
    found = optimise(study, place / "out")
    for name in TABLES:
        assert found.table(name).equals(whole.table(name))
    assert found.manifest == whole.manifest


@pytest.mark.long
def test_workers_change_nothing(place):
    """Two workers of another executor give the same tables as this process."""
    study = award(place)
    here = optimise(study)
    with ThreadPoolExecutor(2) as pool:
        there = optimise(study, executor=pool)
    for name in TABLES:
        assert here.table(name).equals(there.table(name))


def test_nothing_is_recommended_that_is_not_allowed(place):
    """Where nothing is as cheap as the budget, no policy is recommended, and the cheapest is told."""
    found = optimise(award(place, budget=1.0))
    assert found.recommended is None
    assert found.manifest["cheapest"] > 1
    assert found.summary.empty
    assert not found.table("optimal_points")["feasible"].any()


def test_what_is_as_good_and_cheaper_is_recommended(place):
    """With a zone in which no difference matters, the scenario as it is, which costs least, is kept."""
    found = optimise(award(place, objectives=[{"outcome": "survival_12m", "indifference": 0.9}]))
    assert found.recommended == "now"
    assert found.manifest["leader"] != "now"
    assert found.table("optimal_regret")["policy"].iloc[-1] == "now"
    assert found.manifest["fails"] == 1  # it gains nothing over itself
    assert found.table("optimal_boxes").empty


def test_the_study_must_speak_of_what_is_there(place):
    """An outcome that no run has, or that the scenario as it is does not know, is an error before any search."""
    with pytest.raises(ScenarioError, match="survivl_12m"):
        optimise(award(place, objectives=[{"outcome": "survivl_12m"}]))
    with pytest.raises(RunError, match="survival_36m is not known"):
        optimise(award(place, objectives=[{"outcome": "survival_36m"}]))


# the problem --------------------------------------------------------------------------------------------------------

AXES = (
    Axis("a", "lever", low=0.0, high=10.0, now=1.0),
    Axis("b", "lever", low=0, high=20, whole=True, now=4),
)


def problem(**more: object) -> Problem:
    aims = (Aim("living_end", True), Aim(COST, False))
    return Problem(**{"axes": AXES, "aims": aims, "prices": {"b": Price(3.0, 10.0)}, "years": 5.0} | more)


def read(of: Problem, point, **runs):
    return of.read(point, {name: np.array(values, float) for name, values in runs.items()})


def test_money_is_the_whole_citys():
    """What is booked, and declared beyond the scenario's own value, counts `scale` times; less saves only if said."""
    of = problem(scale=20.0)
    assert of.declared({"b": 6}) == 20 * 2 * (3 * 5 + 10)
    assert of.declared({"b": 1}) == of.declared({}) == 0
    assert problem(prices={"b": Price(3.0, saves=True)}).declared({"b": 1}) == -3 * 3 * 5
    reading = read(of, {"b": 6}, living_end=[1, 2], spent_cny=[100, 300], survival_12m=[0.5, 0.6])
    assert reading.values[COST].tolist() == [3000, 7000]
    assert reading.values["living_end"].tolist() == [20, 40]
    assert reading.values["survival_12m"].tolist() == [0.5, 0.6]
    assert_allclose(of.objectives(reading), [30, -5000])


def test_the_scenario_as_it_is_has_a_place():
    """Its own values come back exactly; where they are not among what a lever may be it has no place."""
    of = problem()
    assert of.as_it_is(of.point(of.now()))
    assert not of.as_it_is({"a": 1.0, "b": 5})
    assert problem(axes=(Axis("a", "lever", low=2.0, high=3.0, now=1.0),)).now() is None


def test_who_falls_behind_is_seen():
    """A clear loss of one group breaks `no_loss`, an unclear one does not; a group far below all breaks `ratio`."""
    groups = {("education", "phd"): "g"}
    runs = {"living_end": [1.0] * 4, "spent_cny": [0.0] * 4, "o": [0.5] * 4}
    for equity, of_group, broken in (
        (Equity(groups, "o"), [0.40, 0.41, 0.40, 0.39], True),
        (Equity(groups, "o"), [0.49, 0.52, 0.46, 0.51], False),
        (Equity(groups, "o", tolerance=0.15), [0.40, 0.41, 0.40, 0.39], False),
        (Equity(groups, "o", ratio=0.9), [0.40, 0.41, 0.40, 0.39], True),
        (Equity(groups, "o", ratio=0.7), [0.40, 0.41, 0.40, 0.39], False),
        (Equity(groups, "o"), [np.nan] * 4, False),
    ):
        of = problem(equity=equity)
        base, policy = read(of, {}, **runs, g=[0.5] * 4), read(of, {}, **runs, g=of_group)
        assert (max(of.violations(policy, base).values(), default=0) > 0) == broken
        assert of.feasible(policy, base) == (not broken)


def analytic(of: Problem):
    """Runs of a function with a known best: 100 - (a - 4)^2 - (b - 12)^2 / 10, which costs 5 a + b."""

    def see(places):
        found = []
        for point in map(of.point, places):
            value = 100 - (point["a"] - 4) ** 2 - (point["b"] - 12) ** 2 / 10
            found.append(read(of, point, living_end=[value] * 2, spent_cny=[5 * point["a"] + point["b"]] * 2))
        return found

    return see


@pytest.mark.parametrize("aims", [1, 2])
def test_the_search_finds_the_edge_of_the_budget(aims):
    """Under a budget that binds, the best by brute force is found to within a little; with two aims also a front."""
    of = problem(prices={}, budget=30.0, aims=(Aim("living_end", True), Aim(COST, False))[:aims])
    see = analytic(of)
    base = see(np.array([of.now()]))[0]
    seen = search(of, see, base, points=60 * aims, start=20, seed=3)
    best = max(
        100 - (a - 4) ** 2 - (b - 12) ** 2 / 10 for a in np.linspace(0, 10, 501) for b in range(21) if 5 * a + b <= 30
    )
    first = seen.best()[0]
    assert best - seen.objectives[first, 0] < 1.0
    assert seen.readings[first].mean(COST) <= 30
    assert len(seen.places) == 60 * aims
    again = search(of, see, base, points=60 * aims, start=20, seed=3)
    assert (again.places == seen.places).all()


def test_finalists_lie_apart():
    """Of policies that are nearly the same only the best goes into the race."""
    places = np.array([[0.5, 0.5], [0.51, 0.5], [0.9, 0.5], [0.5, 0.56]])
    assert distinct(places, [1, 0, 3, 2], 3) == [1, 2]
