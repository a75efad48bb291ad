"""The scenario files that come with the program."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from sim.evidence import ledger
from sim.scenario import Scenario, load
from sim.scenario.document import Node, parse

SHIPPED = Path(__file__).parents[2] / "scenarios"
FILES = sorted(p.name for p in SHIPPED.glob("*.yaml"))
REFORMS = [name for name in FILES if name.startswith("reform_")]


def plain(node: Node):
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    return [plain(child) for child in node.value] if isinstance(node.value, list) else node.value


@pytest.mark.parametrize("name", FILES)
def test_it_loads_without_a_warning(name):
    """Every shipped file is sound, and nothing in it looks like a slip."""
    assert load(SHIPPED / name).warnings == ()


@pytest.mark.parametrize("name", FILES)
def test_it_is_named_in_both_languages(name):
    """The name is what a planner reads first."""
    scenario = load(SHIPPED / name)
    assert scenario.name.zh
    assert scenario.name.en
    assert all(stage.label.zh and stage.label.en for stage in scenario.chain)


@pytest.mark.parametrize("name", FILES)
def test_every_number_has_a_source_or_a_reason(name):
    """No number of a shipped file stands without evidence or assumption."""
    bare = [path for path, o in load(SHIPPED / name).provenance.items() if not (o.evidence or o.assumed)]
    assert bare == []


@pytest.mark.parametrize("name", FILES)
def test_it_satisfies_the_json_schema(name):
    """What loads also pleases an editor."""
    jsonschema.Draft202012Validator(Scenario.json_schema()).validate(plain(parse(SHIPPED / name).root))


def test_the_json_schema_is_one_and_finds_slips():
    """The schema is valid itself, accepts a resolved scenario, and underlines misspelt keys and wrong types."""
    schema = Scenario.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    assert checker.is_valid(load(SHIPPED / "yiwu.yaml").resolved())
    for slip in (
        {"horizn": {}},
        {"seed": "1"},
        {"chain": [{"id": "a", "places": {"valu": 3}}]},
        {"chain": [{"id": "a", "places": -1}]},
        {"chain": [{"id": "a", "places": {"value": 3, "evidence": "x", "assumed": "y"}}]},
        {"policy": [{"id": "a", "type": "stipnd"}]},
        {"arrivals": {"education": {"bachlor": 1}}},
    ):
        assert not checker.is_valid(slip), slip


def test_yiwu_holds_the_published_figures():
    """The base is the published city: ids in, numbers out."""
    scenario = load(SHIPPED / "yiwu.yaml")
    houses = {stage.id: stage.facilities for stage in scenario.chain}
    assert list(houses) == ["village", "maker_space", "incubator", "accelerator", "park"]
    assert houses["maker_space"] == ledger.value("n_maker_spaces_provincial")
    assert houses["incubator"] == ledger.value("n_incubation_bases")
    assert houses["park"] == ledger.value("n_ecom_parks")
    assert scenario.arrivals.per_year == ledger.value("student_inflow_per_year")
    assert (scenario.horizon.months, scenario.replicates) == (120, 20)
    assert scenario.market.domestic.by_year["2025"] == ledger.value("ecom_txn_2025")


@pytest.mark.parametrize("name", REFORMS)
def test_a_reform_starts_from_the_base_and_differs(name):
    """The same city before the start, another policy or chain after it, everything else alike."""
    base, reform = load(SHIPPED / "yiwu.yaml"), load(SHIPPED / name)
    assert reform.burn_in.chain == base.chain
    assert reform.burn_in.policy == base.policy
    assert (reform.chain, reform.policy) != (base.chain, base.policy)
    assert (reform.arrivals, reform.market, reform.behaviour) == (base.arrivals, base.market, base.behaviour)
    assert (reform.seed, reform.replicates, reform.horizon) == (base.seed, base.replicates, base.horizon)
    assert reform.hash() != base.hash()


def test_the_city_counts_nobody_twice():
    """All entities are agents, so none is background."""
    city = load(SHIPPED / "city.yaml")
    assert city.initial.entities == ledger.value("ecom_entities_2024q1")
    assert city.market.background.entities == 0


def test_the_classroom_is_small():
    """A few hundred founders a year, from an empty city."""
    classroom = load(SHIPPED / "classroom.yaml")
    assert classroom.initial.kind == "empty"
    assert classroom.arrivals.per_year <= 500
    assert classroom.burn_in is classroom
