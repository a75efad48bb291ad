"""`sim check` of studies, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

SWEEP = """\
schema: 1
kind: sweep
scenario: tiny.yaml
outcomes: [survival_12m, living_end]
levers: [{path: chain.hub.places, values: [3, 6]}]
design: {kind: grid}
"""


@pytest.fixture
def study(place: Path) -> Path:
    path = place / "study.yaml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


def test_a_sound_sweep_is_valid(command, study):
    """No problem, exit 0, beside scenarios."""
    found = command.json("check", "study.yaml", "tiny.yaml")["files"]
    assert [f["valid"] for f in found] == [True, True]
    assert found[0]["problems"] == []


def test_slips_come_with_their_places(command, study, place):
    """Slips of a study, of its table and its outcomes are told as file:line:col, in the user's language; exit 2."""
    bad = SWEEP.replace("hub.places", "hub.place").replace("{kind: grid}", "{kind: gird}")
    study.write_text(bad.replace("living_end", "living_and"))
    said = command("check", "study.yaml", "--lang", "zh", code=2).stdout
    assert 'study.yaml:4:26 outcomes.1: 没有名为 "living_and" 的结果；是否想写 living_end？' in said
    assert "study.yaml:5:17 chain.hub.place: 未知的路径；是否想写 chain.hub.places？" in said
    assert "study.yaml:6:16 design.kind: 必须是 grid / latin_hypercube / sobol / morris / table" in said
    study.write_text(SWEEP.replace("[3, 6]", "[3]").replace("living_end", "living_and"))
    said = command("check", "study.yaml", "--lang", "en", code=2).stdout
    assert 'study.yaml:4:26 outcomes.1: there is no outcome "living_and"; did you mean living_end?' in said
    study.write_text(SWEEP.replace(", values: [3, 6]", "").replace("{kind: grid}", "{kind: table, file: points.csv}"))
    (place / "points.csv").write_text("chain.hub.places\n3\n-6\n")
    said = command("check", "study.yaml", "--lang", "en", code=2).stdout
    assert "points.csv:3:1 chain.hub.places: must be >= 0 places (got -6)" in said


def test_what_cannot_be_known_is_a_warning(command, study):
    """An outcome beyond the horizon is told and is no mistake."""
    study.write_text(SWEEP.replace("survival_12m", "survival_900m"))
    said = command("check", "study.yaml", "--lang", "zh").stdout
    assert "outcomes.0: 警告：" in said
    assert "无从得知" in said


def test_the_schema_of_studies(command, study):
    """`--schema` with a study gives the schema of studies; without, that of scenarios."""
    schema = command.json("check", "--schema", "study.yaml")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["kind"]["enum"] == ["calibration", "optimisation", "sweep"]
    assert "chain" in command.json("check", "--schema", "tiny.yaml")["properties"]
