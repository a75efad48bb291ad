"""`sim facts` scores a scenario file with its trials, and a stored run as far as its tables reach."""

import json

import pytest

from sim.validation.registry import facts


@pytest.mark.parametrize(("lang", "expected"), [("zh", "空模型"), ("en", "Null models")])
def test_a_scenario_is_scored(command, lang, expected):
    """The card is shown in either language, with a name in which markup is inert, and no colours in a pipe."""
    said = command("facts", "tiny.yaml", "-n", "1", "--lang", lang).stdout
    command.caveats(said, lang)
    assert expected in said
    assert "[bold]" in said
    assert "\x1b" not in said


def test_json_is_one_document(command):
    """--json gives every fact, a value or a reason; the scenario's replicates are run, four at most."""
    told = command.json("facts", "tiny.yaml", "--quiet")
    assert [fact["id"] for fact in told["facts"]] == [fact.id for fact in facts()]
    assert all((fact["passed"] is None) == (fact["reason"] is not None) for fact in told["facts"])
    assert told["replicates"] == 2
    assert not told["stored"]
    training = next(fact for fact in told["facts"] if fact["id"] == "training_take_up")
    assert training["passed"] is not None  # two years are enough for this trial


def test_a_number_can_be_set(command):
    """--set reaches the scenario that is scored."""
    told = command.json("facts", "tiny.yaml", "-n", "1", "--set", "horizon.months=12")
    training = next(fact for fact in told["facts"] if fact["id"] == "training_take_up")
    assert "12 months" in training["reason"] or "12个月" in training["reason"]


def test_a_stored_run_is_scored(command):
    """A run folder with a panel is scored like its scenario, and what needs a trial is told to be unknown."""
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--quiet", "--set", "observe=[panel]")
    stored, fresh = (command.json("facts", what) for what in ("out", "tiny.yaml"))
    assert stored["stored"]
    for one, other in zip(stored["facts"], fresh["facts"], strict=True):
        if one["passed"] is not None:
            assert one["parts"] == other["parts"]
    assert sum(fact["passed"] is not None for fact in stored["facts"]) >= 5
    grant = next(fact for fact in stored["facts"] if fact["id"] == "grant")
    assert grant["passed"] is None


def test_a_stored_run_is_taken_as_it_is(command):
    """Options that would run something again are refused for a folder."""
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--quiet")
    said = command("facts", "out", "-n", "3", "--lang", "en", code=2).output
    assert "stored run" in said


def test_what_is_no_scenario_is_refused(command, place):
    """A missing file and a folder that is no run end with a message."""
    command("facts", "nothing.yaml", code=2)
    (place / "empty").mkdir()
    command("facts", "empty", code=2)


def test_machines_get_no_nan(command):
    """The document is strict JSON."""
    text = command("facts", "tiny.yaml", "-n", "1", "--json").stdout

    def refuse(name):
        raise AssertionError(name)

    json.loads(text, parse_constant=refuse)
