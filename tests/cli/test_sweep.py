"""`sim sweep`, `status`, `resume` and `expand`, as a user meets them."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

STUDY = """\
schema: 1
kind: sweep
name: {zh: "[bold]席位[/]", en: "[bold]Places[/]"}
scenario: tiny.yaml
replicates: 2
outcomes: [survival_12m, survival_60m, arrivals]
levers:
  - {path: chain.hub.places, name: {zh: 枢纽席位, en: hub places}, values: [1, 3]}
  - {path: policy.rent.active, values: [false, true]}
design: {kind: grid}
"""


@pytest.fixture
def study(place: Path) -> Path:
    (place / "study.yaml").write_text(STUDY, encoding="utf-8")
    return place / "study.yaml"


def test_it_answers_in_both_languages(command, study, place):
    """Every point stands on the screen with its values, no markup of a name is obeyed, and run again nothing is run."""
    said = command("sweep", "study.yaml", "-o", "out", "--lang", "en")
    for words in ("[bold]Places[/]  4 points, 8 runs, seed 1", "hub places", "Trading at 12 months", "(%)", "yes", "±"):
        assert words in said.stdout
    assert '"survival_60m" cannot be known' in said.stderr
    parts = sorted((place / "out" / "parts").iterdir())
    again = command("sweep", "study.yaml", "-o", "out", "--lang", "zh").stdout
    command.caveats(again, "zh")
    for words in ("4个点，8次模拟", "枢纽席位", "各点结果", "是", "全部模拟的校验码"):
        assert words in again
    assert sorted((place / "out" / "parts").iterdir()) == parts
    assert len(pd.read_parquet(place / "out" / "parts")) == 8


def test_many_points_show_their_ends(command, study):
    """Of many points the lowest and the highest of each outcome are shown, with their values, as pandas finds them."""
    study.write_text(STUDY.replace("[1, 3]", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]"), encoding="utf-8")
    said = command("sweep", "study.yaml", "-o", "out", "--lang", "en").stdout
    assert "Lowest and highest mean of each outcome" in said
    means = pd.read_parquet("out/parts").groupby("chain.hub.places")["survival_12m"].mean() * 100
    lowest = next(line for line in said.splitlines() if "lowest" in line)
    assert f" {means.min():.0f}" in lowest or f" {means.min():.1f}" in lowest
    assert "最低" in command("sweep", "study.yaml", "-o", "out", "--lang", "zh").stdout


def test_json_and_status(command, study):
    """The machine's answer has every mean, the digest and the values of each point; `status` counts what is done."""
    found = command.json("sweep", "study.yaml", "-o", "out")
    assert (found["points"], found["runs"], found["failed"], found["folder"]) == (4, 8, 0, "out")
    rows = {(row["point"], row["outcome"]): row for row in found["summary"]}
    assert len(rows) == 4 * 3
    assert {v["chain.hub.places"] for v in found["values"].values()} == {1, 3}
    assert all(row["mean"] is None for (_, name), row in rows.items() if name == "survival_60m")
    status = command.json("status", "out")
    assert (status["done"], status["wanted"], status["failed"], status["process"]) == (8, 8, {}, None)
    assert status["digest"] == found["digest"]
    said = command("status", "out", "--lang", "zh").stdout
    assert "共8次模拟，已完成8次，其中0次失败" in said
    assert "目前没有进程在计算" in said


def test_expand_adds_replicates_and_points(command, study, place):
    """+N is so many more, N so many in all; a study that was extended goes into the same folder."""
    command("sweep", "study.yaml", "-o", "out", "--lang", "en")
    assert command.json("expand", "out", "--replicates", "+2")["runs"] == 16
    assert command.json("expand", "out", "-n", "5")["runs"] == 20
    (place / "more.yaml").write_text(STUDY.replace("[1, 3]", "[1, 3, 5]").replace("replicates: 2", "replicates: 5"))
    assert command.json("expand", "out", "--study", "more.yaml")["runs"] == 30
    assert command.json("resume", "out")["runs"] == 30
    for words, wrong in {
        ("-n", "5"): "every point is run 5 times already",
        ("-n", "-1"): "is neither +N nor N",
        (): "give either --replicates +N or --study",
        ("-n", "+1", "--study", "more.yaml"): "give either",
    }.items():
        assert wrong in command("expand", "out", *words, "--lang", "en", code=2).stderr
    other = STUDY.replace("outcomes: [survival_12m, survival_60m, arrivals]", "outcomes: [arrivals]")
    (place / "other.yaml").write_text(other)
    assert (
        "里面的研究与这一个不一致" in command("expand", "out", "--study", "other.yaml", "--lang", "zh", code=2).stderr
    )


def test_a_dry_run_counts_and_writes_nothing(command, study, place):
    """Points, runs, time and disk, guessed from a few runs; the disk within a factor of three of what it takes."""
    before = sorted(place.iterdir())
    found = command.json("sweep", "study.yaml", "--dry-run", "--set", "replicates=100")
    assert (found["points"], found["runs"]) == (4, 400)
    assert found["seconds"] > 0
    assert "共4个点，至多8次模拟" in command("sweep", "study.yaml", "--dry-run", "--lang", "zh").stdout
    assert sorted(place.iterdir()) == before
    command("sweep", "study.yaml", "-o", "out", "--set", "replicates=100", "--jobs", "1", "--lang", "en")
    taken = sum(path.stat().st_size for path in (place / "out" / "parts").iterdir())
    assert found["bytes"] / 3 < taken < found["bytes"] * 3


def test_failures_end_with_3(command, study, place):
    """Runs that fail are told with where and why and one of them; the rest is there, and the exit code is 3."""
    (place / "own.py").write_text(
        "from typing import Literal\n"
        "from sim.evidence.quantity import quantity\n"
        "from sim.policy._instrument import PolicyInstrument\n"
        "class Own(PolicyInstrument):\n"
        "    '''Fails.'''\n"
        '    type: Literal["own"] = "own"\n'
        '    much: int = quantity(0, unit="count", low=0, high=9, zh="多少", en="how much", assumed="a test")\n'
        "    def act(self, people, now, ledger):\n"
        "        if self.much == 3: raise ValueError('[red]no[/]')\n"
    )
    tiny = (place / "tiny.yaml").read_text()
    (place / "tiny.yaml").write_text(
        'components: ["own:Own"]\n' + tiny.replace("policy:\n", "policy:\n  - {id: own, type: own}\n")
    )
    study.write_text(STUDY.replace("chain.hub.places, name: {zh: 枢纽席位, en: hub places}", "policy.own.much"))
    result = command("sweep", "study.yaml", "-o", "out", "--jobs", "1", "--lang", "en", code=3)
    assert "Runs that failed" in result.stdout
    assert "policy.own: own.py:9:" in result.stdout
    assert "[red]no[/]" in result.stdout
    found = command.json("resume", "out", "--jobs", "1", code=3)
    assert (found["runs"], found["failed"]) == (8, 4)
    assert {row["phase"] for row in found["failures"]} == {"run"}
    assert {(row["policy.own.much"], row["seed"]) for row in found["failures"]} == {(3, 1)}
    assert "失败的模拟" in command("resume", "out", "--jobs", "1", "--lang", "zh", code=3).stdout
    assert command.json("status", "out")["failed"] == {"run": 4}


def test_mistakes_are_said(command, study, place, monkeypatch):
    """Wrong files, folders, addresses and options are messages in the user's language, with exit 2 or 3."""
    study.write_text(STUDY.replace("chain.hub.places", "chain.hub.placs").replace("replicates: 2", "replicates: 0"))
    wrong = command("sweep", "study.yaml", "--lang", "en", code=2).stderr
    assert "study.yaml:5:13 replicates: must be >= 1" in wrong
    assert "study.yaml:8:" in wrong
    study.write_text(STUDY)
    for verb in ("status", "resume"):
        assert "不是模拟结果文件夹" in command(verb, "nowhere", "--lang", "zh", code=2).stderr
    (place / "out").mkdir()
    (place / "out" / "letters.txt").write_text("dear")
    assert "里面不是参数扫描的结果" in command("sweep", "study.yaml", "-o", "out", "--lang", "zh", code=2).stderr
    monkeypatch.setattr("sim.experiments.sweep.executors._ANSWER", 0.3)
    assert (
        "没有 Dask 调度器应答"
        in command("sweep", "study.yaml", "-o", "new", "--dask", "tcp://127.0.0.1:1", "--lang", "zh", code=3).stderr
    )
    assert (
        "exclude each other"
        in command("sweep", "study.yaml", "--dask", "tcp://x:1", "--jobs", "2", "--lang", "en", code=2).stderr
    )
    assert "--tls-ca" in command("sweep", "study.yaml", "--tls-ca", "study.yaml", "--lang", "en", code=2).stderr


def test_ctrl_c_is_safe(command, study, place):
    """Within a second, exit 130 and one line that says how to go on; going on ends as if nothing had been."""
    whole = command.json("sweep", "study.yaml", "-o", "whole", "--set", "replicates=200")
    words = ("sweep", "study.yaml", "-o", "out", "--set", "replicates=200", "--lang", "en", "--jobs", "1", "-q")
    driver = command.start(*words)
    deadline = time.monotonic() + 60
    while not list(place.glob("out/parts/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    driver.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = driver.communicate(timeout=120)
    took = time.monotonic() - began
    assert driver.returncode == 130
    assert out == b""
    assert err.decode() == "Interrupted. What was run is in out; sim resume out goes on from there.\n"
    print(f"gone after {took:.2f} s")
    assert not [path for path in (place / "out").rglob("*") if path.suffix == ".tmp"]
    status = command.json("status", "out")
    assert 0 < status["done"] < 800
    assert command.json("resume", "out")["digest"] == whole["digest"]


def test_progress_and_messages_leave_the_result_alone(command, study, place):
    """Standard output holds one JSON document and nothing else, from a process of its own too."""
    driver = command.start("sweep", "study.yaml", "-o", "out", "--json", env={"SIM_LANG": "zh"})
    out, err = driver.communicate(timeout=120)
    assert json.loads(out)["runs"] == 8
    assert "警告" in err.decode()
    assert os.listdir(place / "out" / "parts")
