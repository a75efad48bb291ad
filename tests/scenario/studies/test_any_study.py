"""Whatever a study file holds: it is read, or refused with places, and never anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.errors import Problem, ScenarioError
from sim.scenario.messages import in_language
from sim.scenario.studies import load_study

quiet = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

TEXTS = {
    "sweep": """\
schema: 1
kind: sweep
scenario: city.yaml
set: {behaviour.money.margin: 0.1}
replicates: {until: {outcome: survival_36m, half_width: 0.01}}
outcomes: [survival_36m, living_end]
levers:
  - {path: chain.hub.places, values: [4, 8], range: [4, 12]}
uncertainties:
  - {path: behaviour.growth.sigma, prior: log_uniform}
design: {kind: sobol, points: 8}
branches:
  - {id: a}
  - {id: b, levers: [{path: policy.training.courses, values: [0, 4]}], uncertainties: [], design: {kind: grid}}
""",
    "optimisation": """\
schema: 1
kind: optimisation
scenario: city.yaml
levers: [{path: policy.training.courses, range: [0, 12], cost: {once: {value: 3, assumed: x}}}]
budget: 5_000_000
objectives: [{outcome: survivors_36m}, {outcome: cost_cny}]
equity: {by: [education]}
""",
}

KEYS = [
    *("kind", "scenario", "set", "levers", "uncertainties", "design", "branches", "replicates", "outcomes", "path"),
    *("values", "range", "points", "id", "budget", "objectives", "equity", "cost", "value", "evidence", "search"),
]
WORDS = ["sweep", "grid", "sobol", "city.yaml", "chain.hub.places", "policy.training.courses", "x", "", "："]
leaves = (
    st.none() | st.booleans() | st.integers(-9, 10**6) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
)  # fmt: skip
trees = st.recursive(
    leaves,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS), below, max_size=4),
    max_leaves=8,
)


def read(path: Path) -> None:
    """Fails if reading does anything but succeed, or refuse with places in both languages."""
    problems: tuple[Problem, ...] = ()
    try:
        load_study(path)
    except ScenarioError as error:
        problems = error.problems or (Problem("", 0, 0, "", "refused without a problem"),)
    for problem in problems:
        assert str(problem).isprintable()
        assert in_language(problem, "zh").message
        assert problem.file


@quiet
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_sound_study_with_a_slip(city, kind, data):
    """A study with some characters lost, doubled or replaced, as typing does it."""
    text = TEXTS[kind]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        slip = data.draw(st.sampled_from(["", " ", "：", "-", "[", "}", "０", "\n", ": ", "null", "9", "{}"]))
        text = text[:at] + slip + text[at + data.draw(st.integers(0, 4)) :]
    city.with_name("study.yaml").write_text(text, encoding="utf-8")
    read(city.with_name("study.yaml"))


@quiet
@given(
    st.sampled_from(["sweep", "optimisation", "calibration"]), st.dictionaries(st.sampled_from(KEYS), trees, max_size=6)
)
def test_any_tree(city, kind, tree):
    """Well-formed data of any shape under the names that the schema knows."""
    text = json.dumps({"schema": 1, "scenario": "city.yaml", **tree, "kind": kind})
    city.with_name("study.yaml").write_text(text, encoding="utf-8")
    read(city.with_name("study.yaml"))


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_the_studies_that_slips_are_made_in_are_sound(city, kind):
    """Else slips would be looked for in the wrong place."""
    city.with_name("study.yaml").write_text(TEXTS[kind])
    assert load_study(city.with_name("study.yaml")).warnings == ()
