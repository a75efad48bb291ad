"""The study files that come with the program, and the schema that editors have of them."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from sim.experiments.outcomes import unknowable_outcomes, unknown_outcomes
from sim.scenario.document import Node, parse
from sim.scenario.studies import OptimisationStudy, SweepStudy, load_study
from sim.scenario.studies.editor import json_schema

SHIPPED = sorted((Path(__file__).parents[3] / "scenarios" / "studies").glob("*.yaml"))


def plain(node: Node):
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    return [plain(child) for child in node.value] if isinstance(node.value, list) else node.value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_it_is_sound_and_named_in_both_languages(path):
    """Every shipped study loads, names outcomes that its runs have and can know, and moves nothing in vain."""
    study = load_study(path)
    assert [*unknown_outcomes(study), *unknowable_outcomes(study), *study.warnings] == []
    for label in (study.name, study.description):
        assert label.zh
        assert label.en


def test_the_small_city_is_the_same_in_all():
    """All shipped studies run the same Yiwu at 1:20, but for the length of the horizon."""
    cities = [{k: v for k, v in load_study(path).set.items() if k != "horizon.months"} for path in SHIPPED]
    assert len(cities) == 4
    assert all(city == cities[0] for city in cities)


@pytest.mark.parametrize("name", ["places", "sensitivity"])
def test_axes_have_names_in_both_languages(name):
    """What varies has a name that a planner reads, from the study or from the schema."""
    study = load_study(SHIPPED[0].with_name(f"{name}.yaml"), only=SweepStudy)
    assert all(axis.name.zh and axis.name.en for block in study.blocks for axis in block.axes)


def test_the_base_lies_within_what_the_budget_may_buy():
    """Today's values of the levers are among those that the optimisation may choose."""
    study = load_study(SHIPPED[0].with_name("budget.yaml"), only=OptimisationStudy)
    assert all(axis.low <= axis.now <= axis.high for axis in study.block.axes)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_it_satisfies_the_json_schema(path):
    """What loads also pleases an editor."""
    jsonschema.Draft202012Validator(json_schema()).validate(plain(parse(path).root))


def test_the_json_schema_is_one_and_finds_slips():
    """The schema is valid itself and underlines misspelt keys, wrong types and kinds that do not exist."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    sound = {"kind": "sweep", "scenario": "x.yaml", "levers": [{"path": "a.b", "values": [1, {"evidence": "x"}]}]}
    assert checker.is_valid(sound)
    for slip in (
        {"kind": "sweeep"},
        {"kind": None},
        {"seed": "1"},
        {"replicats": 3},
        {"levers": [{"path": "a.b", "value": [1]}]},
        {"design": {"kind": "sobol", "points": "64"}},
        {"design": {"kind": "gird"}},
        {"replicates": {"until": {"outcome": "x"}}},
        {"kind": "optimisation"},
    ):
        assert not checker.is_valid(sound | slip), slip
