"""A scenario in hand: changed, written out, hashed, questioned."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import ScenarioError
from sim.evidence.audit import Origin
from sim.scenario import Scenario, load
from sim.scenario.provenance import leaves

SMALL = Path(__file__).parent / "small.yaml"
SHIPPED = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def yiwu() -> Scenario:
    return load(SHIPPED / "yiwu.yaml")


def test_a_scenario_is_frozen(yiwu):
    """Nothing changes under a run's feet."""
    with pytest.raises(ValueError, match="frozen"):
        yiwu.seed = 2


def test_replace_equals_loading_with_the_same_override(yiwu):
    """The quick way and the thorough way give the same scenario."""
    changes = {"chain.incubator.places": 80, "policy.rent.share.incubator": 0.9, "horizon.months": 36, "seed": 7}
    quick, thorough = yiwu.replace(changes), load(SHIPPED / "yiwu.yaml", changes)
    assert quick == thorough
    assert quick.hash() == thorough.hash() != yiwu.hash()
    assert quick.burn_in == yiwu.burn_in
    assert yiwu.chain[2].places == 40


def test_replace_takes_what_a_file_takes(yiwu):
    """Quantities, lists, null and numpy numbers are values too."""
    changed = yiwu.replace(
        {
            "chain.incubator.tenancy": {"value": 2, "unit": "years", "assumed": "x"},
            "chain.incubator.places": np.int64(50),
            "arrivals.growth_per_year": np.float64(0.05),
            "market.cross_border.by_year": {"2024": 1e11},
            "observe": ["panel"],
        }
    )
    assert (changed.chain[2].tenancy, changed.chain[2].places) == (24, 50)
    assert changed.arrivals.growth_per_year == 0.05
    assert set(changed.market.cross_border.by_year) == {"2024", "2025"}
    assert changed.observe == ("panel",)
    assert yiwu.replace({"policy": None}).policy == ()
    assert [p.id for p in yiwu.replace({"policy.rent.remove": True}).policy] == ["living_stipend", "training"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"chain.incubator.places": -1}, ">= 0 places"),
        ({"chain.incubator.places": 4.5}, "whole number"),
        ({"chain.incubator.rent": math.nan}, "finite"),
        ({"chain.incubator.rent": math.inf}, "finite"),
        ({"chain.incubator.rent": 10**400}, "chain.incubator.rent"),
        ({"seed": 2**63}, "<="),
        ({"arrivals.education.phd": 0.5}, "add to 1"),
        ({"policy.rent.share.incubatr": 0.5}, "no stage"),
        ({"chain.village.places": 5}, "open to all"),
        ({"name.en": "a\x1b[31m"}, "U+001B"),
        ({"policy.living_stipend.amount.secondary": 5.0}, "nobody"),
        ({"": 1}, "unknown path"),
        ({"chain": 5}, "list"),
        ({"chain.incubator": 5}, "chain.incubator"),
        ({"initial.kind": "empty"}, "burn_in"),
    ],
)
def test_replace_refuses_what_a_file_may_not_say(yiwu, changes, word):
    """The same rules hold, with the path, and never another exception."""
    with pytest.raises(ScenarioError, match=word.replace("+", r"\+")):
        yiwu.replace(changes)


def test_replace_keeps_and_adds_provenance(yiwu):
    """What was changed says so; the rest still knows its file and figure."""
    changed = yiwu.replace({"chain.incubator.places": 80})
    assert changed.why("chain.incubator.places").file == "--set"
    assert changed.why("chain.incubator.places").assumed is None
    assert changed.why("arrivals.per_year") == yiwu.why("arrivals.per_year")


def test_replacing_under_reads_the_file(yiwu):
    """Another burn-in is another file, found beside the scenario's own."""
    assert yiwu.replace({"initial.under": "reform_no_policy.yaml"}).burn_in.policy == ()
    assert yiwu.replace({"initial.under": None}).burn_in.policy == yiwu.policy


@given(data=st.data())
def test_replace_of_any_number_by_itself_changes_nothing(data):
    """Every path of `provenance` can be set, and setting it to its own value is no change."""
    scenario = load(SMALL)
    path = data.draw(st.sampled_from(sorted(scenario.provenance)))
    again = scenario.replace({path: scenario.provenance[path].value})
    assert again == scenario
    assert again.hash() == scenario.hash()


def test_resolved_names_every_default_in_a_stable_order(yiwu):
    """The resolved scenario holds every value there is, in the order of the schema."""
    resolved = yiwu.resolved()
    assert list(resolved) == [f.alias or n for n, f in Scenario.model_fields.items()]
    assert resolved["behaviour"]["growth"]["kappa"] == yiwu.behaviour.growth.kappa
    assert resolved["initial"]["under"]["chain"] == resolved["chain"]
    assert repr(resolved) == repr(load(SHIPPED / "yiwu.yaml").resolved())


@pytest.mark.parametrize("name", sorted(p.name for p in SHIPPED.glob("*.yaml")))
def test_a_scenario_written_out_loads_as_itself(tmp_path, name):
    """`to_yaml` stands by itself, with its burn-in, in another folder."""
    scenario = load(SHIPPED / name)
    (tmp_path / "run.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    again = load(tmp_path / "run.yaml")
    assert again.hash() == scenario.hash()
    assert again.resolved() == scenario.resolved()
    assert (again.burn_in.chain, again.burn_in.policy) == (scenario.burn_in.chain, scenario.burn_in.policy)
    kept, under = again.provenance, "initial.under."
    for path, origin in scenario.provenance.items():
        assert said(kept.pop(path)) == said(origin)
    for path, origin in kept.items():
        assert said(origin) == said(scenario.burn_in.provenance[path.removeprefix(under)])


def said(origin: Origin) -> Origin:
    """An origin without its place."""
    return replace(origin, path="", file="", line=0, column=0)


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=40))
def test_any_name_survives_being_written_out(tmp_path_factory, text):
    """Quotes, colons, digits, NO and Chinese in a name come back as they were."""
    scenario = load(SMALL).replace({"name.zh": text})
    path = tmp_path_factory.mktemp("names") / "x.yaml"
    path.write_text(scenario.to_yaml(), encoding="utf-8")
    assert load(path).name.zh == text


def test_the_hash_does_not_depend_on_spelling(tmp_path):
    """1, 1.0 and -0.0, order of keys, comments, units and composed letters: the same scenario, the same hash."""
    a = "chain: [{id: village, facilities: 3, rent: 1, crowding: 0, label: {zh: caf\u00e9}}]\n"
    b = "# hi\nname: {en: Other}\nseed: 9\nreplicates: 3\nengine: objects\nchain:\n  - label: {zh: cafe\u0301}\n"
    b += "    crowding: -0.0\n    rent: {value: 12, unit: CNY/year, assumed: x}\n    facilities: 0x3\n    id: village\n"
    (tmp_path / "a.yaml").write_text(a)
    (tmp_path / "b.yaml").write_text(b)
    assert load(tmp_path / "a.yaml").hash() == load(tmp_path / "b.yaml").hash()


def test_the_hash_depends_on_every_number():
    """Whatever decides a run's numbers is in the hash."""
    scenario = load(SMALL)
    before = scenario.hash()
    skipped = {"seed", "replicates"}
    for path, value, what in leaves(scenario):
        if path in skipped or not what.unit or not isinstance(value, int | float) or isinstance(value, bool):
            continue
        try:
            changed = scenario.replace({path: value + (1 if isinstance(value, int) else 0.001)})
        except ScenarioError:
            continue  # a bound or a sum forbids it
        assert changed.hash() != before, path


def test_the_burn_in_is_in_the_hash(tmp_path):
    """Two reforms that differ only in what came before are two scenarios; one's own regime written out is the same."""
    text = SMALL.read_text()
    (tmp_path / "old.yaml").write_text(text.replace("40", "30"))
    for name, line in [("a", "under: old.yaml"), ("b", "under: null"), ("c", "under: c.yaml")]:
        (tmp_path / f"{name}.yaml").write_text(f"{text}initial: {{kind: burn_in, {line}}}\n")
    a, b, c = (load(tmp_path / f"{n}.yaml") for n in "abc")
    assert a.hash() != b.hash() == c.hash()


def test_equal_scenarios_are_equal_and_hashable():
    """A scenario can be a key."""
    assert len({load(SMALL), load(SMALL), load(SMALL).replace({"seed": 2})}) == 2


def test_every_number_has_an_origin(yiwu):
    """Published, or assumed with a reason; and those of the file know their line."""
    lines = (SHIPPED / "yiwu.yaml").read_text(encoding="utf-8").split("\n")
    for path, origin in yiwu.provenance.items():
        assert origin.evidence or origin.assumed, path
        assert origin.unit, path
        if origin.line:
            assert path.rpartition(".")[2] in lines[origin.line - 1] or "{" in lines[origin.line - 1], path
    assert yiwu.why("arrivals.per_year").evidence == "student_inflow_per_year"


def test_why_names_the_nearest_path(yiwu):
    """A path that does not exist is an error that says which one was meant."""
    with pytest.raises(ScenarioError, match=r"did you mean chain\.incubator\.places"):
        yiwu.why("chain.incubator.place")


def test_what_is_no_scenario_file_is_told(yiwu):
    """`load` wants a path, and `replace` changes by path: anything else is a message."""
    for wrong in (yiwu, None, 3):
        with pytest.raises(ScenarioError, match="give the path of a scenario file"):
            load(wrong)
    for wrong in ("chain.incubator.places=80", None, [1]):
        with pytest.raises(ScenarioError, match="give changes by path"):
            yiwu.replace(wrong)


def test_more_houses_than_their_numbers_reach_are_refused(yiwu):
    """Five stages of ten thousand houses each would overflow a house's number: an error, not a wrong count."""
    with pytest.raises(ScenarioError, match="at most 32000 houses in all"):
        yiwu.replace({f"chain.{s.id}.facilities": 10_000 for s in yiwu.chain})
