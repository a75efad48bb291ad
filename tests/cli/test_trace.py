"""`sim trace` tells a life of a run or of a scenario file, and the same life under two policies."""

import json
import subprocess
import sys

import pytest

import sim
from sim.cli.trace import _PICKS
from sim.experiments.tracing.recall import PICKS
from sim.experiments.tracing.trace import trace
from sim.store import read_manifest, write_manifest

REFORM = """\
schema: 1
extends: tiny.yaml
name: {en: Free rent}
policy:
  - {id: rent, share: {hub: 1}}
"""


@pytest.fixture
def run(command):
    """A stored run of the tiny scenario."""
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--quiet")
    return "out"


@pytest.mark.parametrize(
    ("lang", "opened", "notes"), [("zh", "来本市开店", "依据"), ("en", "Opens a shop", "What stands")]
)
def test_a_life_is_told(command, lang, opened, notes):
    """The life of somebody picked is told in either language, with who he is, how he was picked, and the notes."""
    said = command("trace", "tiny.yaml", "--lang", lang).stdout
    command.caveats(said, lang)
    uid = sim.load("tiny.yaml") and said.split()[1]
    assert uid.isdigit()
    assert opened in said
    assert said.index(opened) < said.index(notes, said.index(opened))
    assert ("升到最高阶段" if lang == "zh" else "reached the highest stage") in said
    assert "behaviour.entry.sales_median" in said
    assert "\x1b" not in said


def test_json_has_the_events(command):
    """--json gives the events of the life, with draws, thresholds, parameters and what stands behind these."""
    told = command.json("trace", "tiny.yaml", "--pick", "typical")
    life = trace(sim.load("tiny.yaml"), told["uid"])
    assert told["picked"] == "typical"
    assert [e["kind"] for e in told["events"]] == [e.kind for e in life.events]
    assert [e["draw"] for e in told["events"]] == [e.draw for e in life.events]
    assert told["parameters"]["behaviour.entry.cash_median"]["value"] == 30000


def test_a_run_folder_is_a_scenario_lived_again(command, run):
    """A stored run and its scenario file tell the same life, of the replicate asked for."""
    uid = str(command.json("trace", run, "--replicate", "1")["uid"])
    events = [
        command.json("trace", what, "--replicate", "1", "--entrepreneur", uid)["events"] for what in (run, "tiny.yaml")
    ]
    assert events[0] == events[1]
    other = command.json("trace", run, "--pick", "highest")
    assert other["replicate"] == 0


def test_a_twin_stands_beside(command, place):
    """--twin tells the common beginning once and says where the two part; with itself nothing differs."""
    (place / "reform.yaml").write_text(REFORM)
    told = command.json("trace", "tiny.yaml", "--twin", "reform.yaml", "--pick", "paid")
    assert set(told["difference"]) == {"exact", "told", "what"}
    assert told["difference"]["told"] is not None
    assert [life["uid"] for life in told["lives"]] == [told["lives"][0]["uid"]] * 2
    said = command("trace", "tiny.yaml", "--twin", "reform.yaml", "--pick", "paid", "--lang", "en").stdout
    command.caveats(said, "en")
    assert "on it differs: " in said
    assert "Free rent" in said
    same = command("trace", "tiny.yaml", "--twin", "tiny.yaml", "--lang", "zh").stdout
    assert "两种政策下的经历完全相同。" in same


def test_what_is_wrong_is_said(command, place, run):
    """An unknown person, replicate or run, and two ways to choose somebody, are messages with exit code 2."""
    said = command("trace", "tiny.yaml", "--entrepreneur", "12", "--lang", "zh", code=2).stderr
    assert said.startswith("错误：这次模拟中没有 12（最接近的是 29")
    assert "nearest: 29" in command("trace", run, "--entrepreneur", "12", "--lang", "en", code=2).stderr
    assert "没有第 7 次模拟" in command("trace", run, "--replicate", "7", "--lang", "zh", code=2).stderr
    assert "manifest.json" in command("trace", ".", "--lang", "zh", code=2).stderr
    assert "只能用一个" in command("trace", run, "-e", "12", "--pick", "paid", "--lang", "zh", code=2).stderr
    command("trace", "missing.yaml", code=2)
    command("run", "tiny.yaml", "-o", "else", "--seed", "9", "--no-figures", "--quiet")
    assert "种子是 9，不是 1" in command("trace", run, "--twin", "else", "--lang", "zh", code=2).stderr


def test_a_damaged_run_is_refused(command, place, run):
    """A table that does not match its checksum, or a scenario that is not the manifest's, is damage."""
    table = place / run / "transitions.parquet"
    whole = table.read_bytes()
    table.write_bytes(whole[:-9] + b"x" + whole[-8:])
    assert "damaged" in command("trace", run, "--lang", "en", code=2).stderr
    table.write_bytes(whole)
    text = (place / run / "scenario.yaml").read_text(encoding="utf-8")
    (place / run / "scenario.yaml").write_text(text.replace("places: 3", "places: 4"), encoding="utf-8")
    assert "不符" in command("trace", run, "--lang", "zh", code=2).stderr


def test_another_versions_run_is_warned_of(command, place, run):
    """The life of a run of another version is told with a warning, where it still is the stored one."""
    manifest = read_manifest(place / run)
    write_manifest(place / run, {**manifest, "versions": {**manifest["versions"], "entrepreneur-pipeline": "0.0.1"}})
    result = command("trace", run, "--lang", "zh")
    assert "由版本 0.0.1 写出" in result.stderr
    assert "来本市开店" in result.stdout
    assert command("trace", run, "--quiet").stderr == ""


def test_the_picks_of_the_help_are_those_there_are():
    """The command offers the same picks as the room behind it, which it does not import to say so."""
    assert _PICKS == PICKS


def test_help_is_light(command):
    """Help is said without loading what runs a model."""
    code = (
        "import sys\nfrom sim.cli.command import sim\n"
        "try:\n    sim.main(['trace', '--help'], prog_name='sim')\n"
        "except SystemExit:\n    pass\n"
        "print([m for m in ('numba', 'mesa', 'pandas', 'scipy', 'pyarrow') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip().endswith("[]")
    assert "--twin" in said


def test_json_stays_json(command, place):
    """Warnings are on stderr."""
    (place / "odd.yaml").write_text("schema: 1\nextends: tiny.yaml\narrivals: {per_year: 7}\n")
    result = command("trace", "odd.yaml", "--json")
    assert json.loads(result.stdout)["events"]
    assert "warning: " in result.stderr


def test_a_life_of_the_last_century_is_told(command, place):
    """Who opened before the year 2000 has a negative identity, and is found by it."""
    (place / "old.yaml").write_text("schema: 1\nextends: tiny.yaml\nhorizon: {start: 1995-03}\n")
    picked = command.json("trace", "old.yaml", "--pick", "typical")
    assert picked["uid"] < 0
    assert command.json("trace", "old.yaml", "-e", str(picked["uid"]))["events"] == picked["events"]
