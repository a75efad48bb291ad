"""`sim optimise`, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CITY = """\
schema: 1
horizon: {months: 24}
replicates: 1
arrivals: {per_year: {value: 100, assumed: small}}
chain: [{id: village, facilities: 1, rent: 1_500}]
policy:
  - {id: prize, type: award, label: {zh: "奖[red]", en: "prize[red]"}, amount: 1_000, first_after: 1, eligible_share: 1}
"""

STUDY = """\
schema: 1
kind: optimisation
name: {zh: "[bold]花钱[/]", en: "[bold]Money[/]"}
scenario: city.yaml
scale: 10
levers: [{path: policy.prize.amount, range: [0, 60_000]}]
uncertainties: [{path: behaviour.money.margin}]
objectives: [{outcome: survivors_12m}, {outcome: cost_cny}]
equity: {outcome: survival_12m, by: [education]}
search: {points: 16, start: 8, replicates: 2}
ranking: {finalists: 2, first: 4, max: 8}
robustness: {points: 20, replicates: 1}
"""


@pytest.fixture
def study(place: Path) -> Path:
    (place / "city.yaml").write_text(CITY, encoding="utf-8")
    (place / "study.yaml").write_text(STUDY, encoding="utf-8")
    return place / "study.yaml"


def test_it_answers_and_goes_on_from_its_folder(command, study, place):
    """The answer stands on the screen and in the folder; run again, nothing is run and no byte of a table changes."""
    said = command("optimise", "study.yaml", "--budget", "30000000", "-o", "out", "-j", "1", "--lang", "en").stdout
    command.caveats(said, "en")
    for part in (
        "[bold]Money[/]", "Recommended", "prize[red]", "What it does", "% of the budget of 30.0 m CNY", "Who gains",
        "How sure the ranking is", "Regret", "the front",
    ):  # fmt: skip
        assert part in said
    tables = {p.name: p.read_bytes() for p in (place / "out").glob("*.parquet")}
    parts = sorted((place / "out" / "parts").iterdir())
    assert {p.stem for p in (place / "out" / "figures").glob("*.svg")} == {
        "front", "ranking", "groups", "regret", "failure"
    }  # fmt: skip
    words = "optimise", "study.yaml", "--budget", "30000000", "-o", "out", "-j", "1", "--no-figures"
    again = command(*words, "--lang", "zh").stdout
    for part in ("推荐", "谁受益", "大专", "占预算3,000", "遗憾", "有效前沿"):
        assert part in again
    assert sorted((place / "out" / "parts").iterdir()) == parts
    assert {p.name: p.read_bytes() for p in (place / "out").glob("*.parquet")} == tables
    found = command.json("optimise", "out")
    assert found["budget"] == 30_000_000
    assert found["recommended"] == json.loads((place / "out" / "manifest.json").read_text("utf-8"))["recommended"]
    cost = next(row for row in found["effects"] if row["outcome"] == "cost_cny")
    assert 0 < cost["policy"] <= 32_000_000
    assert {row["group"] for row in found["groups"] if row["grouping"] == "education"} >= {"associate", "bachelor"}


def test_a_budget_that_nothing_keeps_to(command, study):
    """Nothing is recommended, and it is said what the cheapest costs."""
    small = "--set", "search.points=8", "--set", "robustness.points=0", "--no-figures", "-j", "1"
    study.write_text(STUDY.replace("[0, 60_000]", "[500, 60_000]"), encoding="utf-8")
    said = command("optimise", "study.yaml", "--budget", "10", "-o", "out", *small, "--lang", "en").stdout
    assert "No policy that was tried keeps to the budget of 10" in said
    assert "Recommended" not in said
    again = command("optimise", "out", "--lang", "zh").stdout
    assert "没有一个既不超过10.0 元的预算" in again
    assert "已存的结果" in command("optimise", "out", "--budget", "9", "--lang", "zh", code=2).stderr


def test_a_dry_run_counts_and_writes_nothing(command, study, place):
    """What it would take at most, part by part, and a time."""
    before = sorted(place.iterdir())
    found = command.json("optimise", "study.yaml", "--dry-run")
    assert found["runs"] == {"search": 34, "ranking": 24, "confirm": 16, "front": 40, "worlds": 80}
    assert found["seconds"] > 0
    assert "最多194次模拟" in command("optimise", "study.yaml", "--dry-run", "--lang", "zh").stdout
    assert sorted(place.iterdir()) == before


def test_runs_that_fail_are_told(command, study, place):
    """A policy that cannot be run is not recommended, the answer says why, and the exit code is 3."""
    (place / "odd.py").write_text(
        """
from typing import Literal

from sim.policy import PolicyInstrument, quantity


class Odd(PolicyInstrument):
    type: Literal["odd"] = "odd"
    amount: float = quantity(1.0, unit="CNY", low=0, high=10, zh="金额", en="amount", assumed="a test")

    def eligible(self, people, now):
        if self.amount > 5:
            raise ValueError("too much for anybody")
        return (people.age == 0).nonzero()[0]

    def cost(self, people, now, rows):
        return round(100 * self.amount)
""",
        encoding="utf-8",
    )
    city = CITY.replace("schema: 1", 'schema: 1\ncomponents: ["odd:Odd"]') + "  - {id: odd, type: odd}\n"
    (place / "city.yaml").write_text(city, encoding="utf-8")
    study.write_text(
        STUDY.replace("policy.prize.amount, range: [0, 60_000]", "policy.odd.amount, range: [0, 10]"), "utf-8"
    )
    small = "--set", "search.points=8", "--set", "robustness.points=0", "--no-figures", "-j", "1"
    said = command("optimise", "study.yaml", "-o", "out", *small, "--lang", "en", code=3).stdout
    assert "runs failed; a policy with a failed run is not allowed" in said
    assert "too much for anybody" in said
    found = command.json("optimise", "out")
    failed = {row["policy"] for row in found["levers"] if row["value"] > 5}
    assert failed
    assert not failed & {row["policy"] for row in found["points"] if row["feasible"]}
    assert found["recommended"] not in failed


def test_mistakes_are_told(command, study):
    """Every slip of the study comes with its place, and exit 2."""
    study.write_text(STUDY.replace("survivors_12m", "survivors12").replace("prize.amount", "prize.amont"), "utf-8")
    said = command("optimise", "study.yaml", code=2).stderr
    assert "study.yaml:6" in said
    assert "study.yaml:8" in said
