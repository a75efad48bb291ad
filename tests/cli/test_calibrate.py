"""`sim calibrate` and `sim check` of a study, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

STUDY = """\
schema: 1
kind: calibration
name: {zh: "[bold]校准[/]", en: "[bold]Fit[/]"}
scenario: tiny.yaml
set: {arrivals.per_year: 100}
replicates: 1
targets:
  - {outcome: survival_12m, value: 0.7, sd: 0.05, source: [bls_bed]}
  - {outcome: residents, value: 12, sd: 4, bound: more_than, why: {zh: 测试, en: a test}}
parameters:
  - {path: behaviour.money.margin}
  - {path: behaviour.entry.cash_median, prior: log_uniform}
search: {start: 16, optimise: 8, waves: 1, wave: 8, check: 8, reference: 4, finalists: 1, replicates: 2, whole: 2}
holdout: [{outcome: survival_18m, band: [0.1, 0.9]}, {outcome: sales_gini}]
decisions:
  outcome: survival_12m
  points: 2
  replicates: 2
  reforms: [{id: more, name: {zh: 席位更多, en: More places}, set: {chain.hub.places: 6}}]
"""


@pytest.fixture
def study(place: Path) -> Path:
    (place / "study.yaml").write_text(STUDY, encoding="utf-8")
    return place / "study.yaml"


def test_it_answers_and_goes_on_from_its_folder(command, study, place):
    """The answer stands on the screen and in the folder; run again, nothing is run, and the answer is the same.

    In both languages no key is missing, no markup of a name is obeyed, and what the run is too short for is a dash.
    """
    first = command("calibrate", "study.yaml", "-o", "out", "--lang", "en")
    command.caveats(first.stdout, "en")
    parts = sorted((place / "out" / "points").iterdir())
    assert "[bold]Fit[/]" in first.stdout
    for said in ("Fitted", "≥ 12 − 4", "Unknown numbers", "What the targets leave open", "More places", "Held out"):
        assert said in first.stdout
    again = command("calibrate", "study.yaml", "-o", "out", "--lang", "zh", "--no-figures")
    assert sorted((place / "out" / "points").iterdir()) == parts
    for said in ("拟合情况", "席位更多", "留出检验", "净利率"):
        assert said in again.stdout
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "calibration"
    assert (place / "out" / "study.yaml").read_text(encoding="utf-8") == STUDY
    assert {p.name for p in (place / "out").glob("*.parquet")} >= {"fit.parquet", "posterior.parquet", "draws.parquet"}
    assert (place / "out" / "figures" / "marginals.svg").stat().st_size > 1000
    found = command.json("calibrate", "study.yaml", "-o", "out", "--no-figures")
    assert [row["outcome"] for row in found["fit"]] == ["survival_12m", "residents"]
    assert {row["path"] for row in found["posterior"]} == {"behaviour.money.margin", "behaviour.entry.cash_median"}
    assert found["folder"] == "out"
    shown = command("calibrate", "out", "--lang", "en").stdout
    assert shown.replace("Read from out", "") == first.stdout.replace("Written to out", "")
    assert "--seed has no meaning here" in command("calibrate", "out", "--seed", "2", "--lang", "en", code=2).stderr
    assert manifest["stock_ridge"]["path"] in ("behaviour.money.margin", "behaviour.entry.cash_median")


def test_a_dry_run_counts_and_writes_nothing(command, study, place):
    """What it would take: 4 + 2 + 32 + 8 + 8 + 8 runs of the smaller scenario, 4 of the whole, and a time."""
    before = sorted(place.iterdir())
    found = command.json("calibrate", "study.yaml", "--dry-run")
    assert found["runs"] == {"reference": 6, "search": 32, "check": 8, "finalists": 8, "decisions": 16, "whole": 4}
    assert found["seconds"] > 0
    assert sorted(place.iterdir()) == before
    said = command("calibrate", "study.yaml", "--dry-run", "--set", "search.start=32", "--lang", "zh").stdout
    assert "共90次模拟" in said


def test_check_takes_studies(command, study):
    """A sound study is valid; slips of a study come with their places, names of outcomes included, and exit 2."""
    assert "valid" in command("check", "study.yaml", "tiny.yaml", "--lang", "en").stderr
    study.write_text(
        STUDY.replace("survival_18m", "survival_18").replace("sales_gini", "sales_ginni"), encoding="utf-8"
    )
    result = command("check", "study.yaml", "--lang", "en", code=2)
    assert 'study.yaml:14:21 holdout.0.outcome: there is no outcome "survival_18"' in result.stdout
    assert "did you mean sales_gini?" in result.stdout
    assert "没有名为" in command("calibrate", "study.yaml", "--lang", "zh", code=2).stderr
    study.write_text(STUDY.replace("replicates: 1", "replicates: 0"), encoding="utf-8")
    assert (
        "study.yaml:6:13 replicates: must be >= 1" in command("calibrate", "study.yaml", "--lang", "en", code=2).stderr
    )


def test_a_folder_of_something_else_is_left_alone(command, study, place):
    """What is not a calibration is neither replaced nor mixed with one, and that is said in the user's language."""
    (place / "out").mkdir()
    (place / "out" / "letters.txt").write_text("dear")
    said = command("calibrate", "study.yaml", "-o", "out", "--lang", "zh", code=2).stderr
    assert "里面不是校准结果" in said
    assert [p.name for p in (place / "out").iterdir()] == ["letters.txt"]


def test_an_interrupt_says_how_to_go_on(command, study, place, monkeypatch):
    """Ctrl-C ends with exit 130 and the folder in which what was run lies, never with a claim that nothing is left."""
    from sim.experiments.sweep.runs import Runs

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Runs, "make", stop)
    result = command("calibrate", "study.yaml", "-o", "out", "--lang", "en", code=130)
    assert result.stderr.strip() == "Interrupted. What was run is in out; the same command goes on from there."
    assert (place / "out" / "points").is_dir()
