"""Optimisation studies: what they say, what is refused, and where."""

from __future__ import annotations

import pytest

from sim.scenario.studies import OptimisationStudy

STUDY = """\
schema: 1
kind: optimisation
scenario: city.yaml
scale: 20
levers:
  - {path: policy.training.courses, range: [0, 12]}
  - path: chain.hub.places
    values: [4, 8, 12]
    cost: {yearly: {value: 3_000, assumed: rent}, once: 20_000, assumed: fitting out}
budget: 5_000_000
objectives:
  - {outcome: survivors_36m}
  - {outcome: cost_cny}
  - {outcome: spent_cny, sense: max}
equity: {outcome: survival_12m, by: [education, channel], rule: ratio, ratio: 0.8}
uncertainties:
  - {path: policy.training.effect}
search: {points: 40, start: 8, replicates: 2}
robustness: {points: 16, fails: {outcome: living_end, below: 10}}
"""


def test_an_optimisation_says_what_is_wanted(loaded):
    """Levers with their costs, objectives with their direction, equity, and all outcomes that runs must have."""
    study = loaded(STUDY)
    assert isinstance(study, OptimisationStudy)
    assert [a.path for a in study.block.axes] == [
        "policy.training.courses", "chain.hub.places", "policy.training.effect"
    ]  # fmt: skip
    assert [a.role for a in study.block.axes] == ["lever", "lever", "uncertainty"]
    assert study.levers[0].cost is None
    assert study.levers[1].cost is not None
    assert (study.levers[1].cost.yearly, study.levers[1].cost.once) == (3000, 20_000)
    assert [aim.more for aim in study.objectives] == [True, False, True]
    assert (study.budget, study.scale) == (5e6, 20)
    assert study.equity is not None
    assert study.equity.by == ("education", "channel")
    assert [name for _, name in study.named_outcomes] == ["survivors_36m", "spent_cny", "survival_12m", "living_end"]
    assert study.scenarios == (study.block.scenario,)
    assert study.warnings == ()


def test_the_budget_may_be_overridden(loaded):
    """`--budget` and `--set` give keys of the study."""
    study = loaded(STUDY, **{"budget": 1e6, "search.points": 64, "arrivals.per_year": 80})
    assert (study.budget, study.search.points, study.small.arrivals.per_year) == (1e6, 64, 80)


@pytest.mark.parametrize(
    ("change", "place", "path", "said"),
    [
        ((", range: [0, 12]", ""), (6, 12), "policy.training.courses", "a lever needs `values"),
        (("values: [4, 8, 12]", "values: [4, -8]"), (8, 17), "chain.hub.places", "must be >= 0"),
        (("{value: 3_000, assumed: rent}, once: 20_000, assumed: fitting out", "3_000"), (9, 20),
         "levers.1.cost.yearly", "a cost needs a source"),
        (("once: 20_000", "once: -1"), (9, 57), "levers.1.cost.once", "must be >= 0 CNY"),
        (("{outcome: cost_cny}", "{outcome: survivors_36m}"), (13, 15), "objectives.1.outcome", "given twice"),
        (("sense: max", "sense: most"), (14, 33), "objectives.2.sense", "max / min"),
        (("outcome: survival_12m", "outcome: employees_total"), (15, 19), "equity.outcome", "survival_<n>m"),
        (("channel]", "chanel]"), (15, 49), "equity.by.1", "did you mean channel?"),
        (("policy.training.effect", "policy.training.courses, range: [0, 9]"), (17, 12), "policy.training.courses",
         "given twice"),
        (("start: 8", "start: 80"), (18, 29), "search.start", "must be <= 40"),
        (("5_000_000", "500万"), (10, 9), "budget", "write 5万 as 50_000"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_place(written, refused, change, place, path, said):
    """One problem, at the line and column of the slip, with what is wrong."""
    (problem,) = refused(written(STUDY, change))
    assert (problem.path, problem.line, problem.column) == (path, *place), str(problem)
    assert said in problem.message
