import json
from pathlib import Path

import pytest

import sim
from sim.errors import ScenarioError, StoreError
from sim.presentation.catalogue import error, keys, text
from sim.store import seal, whole_folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_run_answers_and_writes(command, place):
    """The answer names the scenario, its stages and the folder; the folder is whole, and its figures are sealed."""
    said = command("run", "tiny.yaml", "--lang", "zh").stdout
    command.caveats(said, "zh")
    assert "[bold]小城[/] <script>alert(1)</script>  重复模拟2次" in said
    assert "到达：枢纽[red]" in said
    assert "已写入 runs/tiny" in said
    assert "sim figures audit tiny.yaml" in said
    folder = place / "runs" / "tiny"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["sha256"]) == set(contents(folder)) - {"manifest.json"}
    assert "figures/funnel.svg" in manifest["sha256"]
    assert sim.open_run(folder).replicates == 2
    assert b"<script" not in (folder / "figures" / "funnel.svg").read_bytes()


def test_json_has_the_names_of_the_interface(command):
    """--json is one object; what a run cannot know is null with a reason, never NaN or 0."""
    told = command.json("run", "tiny.yaml", "--no-figures")
    assert {"scenario", "hash", "replicates", "summary", "folder"} <= set(told)
    summary = told["summary"]
    assert set(summary["survival_12m"]) == {"mean", "sd", "ci_low", "ci_high", "p10", "p90", "n", "unit", "reason"}
    assert summary["survival_60m"]["mean"] is None
    assert "24 months" in summary["survival_60m"]["reason"]
    names = "survival_36m median_life_months rmst_60m reached_hub months_to_hub living_end sales_mean_cny sales_gini"
    assert set(names.split()) | {"occupancy_hub", "waiting_hub", "spent_cny", "employees_total"} <= set(summary)


def test_the_same_seed_gives_the_same_bytes(command, place):
    """Two runs with one seed are byte-identical, whatever the jobs; another seed gives other lives."""
    command("run", "tiny.yaml", "-o", "a", "--jobs", "1")
    command("run", "tiny.yaml", "-o", "b", "--jobs", "2", "--threads", "2")
    command("run", "tiny.yaml", "-o", "c", "--seed", "2", "--no-figures")
    assert contents(place / "a") == contents(place / "b")
    assert (place / "a/entrepreneurs.parquet").read_bytes() != (place / "c/entrepreneurs.parquet").read_bytes()


def test_engines_agree(command, place):
    """Both engines leave the same tables."""
    for engine in ("columns", "objects"):
        command("run", "tiny.yaml", "-o", engine, "--engine", engine, "--no-figures")
    one, other = contents(place / "columns"), contents(place / "objects")
    assert {n for n in one if one[n] != other[n]} <= {"manifest.json", "scenario.yaml"}


def test_default_folders_do_not_collide(command, place):
    """Each run gets a folder of its own."""
    for _ in range(2):
        command("run", "tiny.yaml", "--no-figures", "--months", "6")
    assert sorted(p.name for p in (place / "runs").iterdir()) == ["tiny", "tiny-2"]


def test_options_change_the_scenario(command):
    """--months, --replicates, --seed, --set and --engine are in the scenario that is run and kept."""
    told = command.json(
        "run", "tiny.yaml", "--no-figures", "--months", "6", "-n", "3", "--seed", "9", "--set", "chain.hub.places=7"
    )
    kept = told["scenario"]
    assert (kept["horizon"]["months"], kept["replicates"], kept["seed"]) == (6, 3, 9)
    assert kept["chain"][1]["places"] == 7
    assert told["replicates"] == 3


def test_force_replaces_a_run_only(command, place):
    """An existing run is replaced with --force only, and what is no run is never replaced."""
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--months", "6")
    before = contents(place / "out")
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--months", "7", code=2)
    assert contents(place / "out") == before
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--months", "7", "--force")
    assert contents(place / "out") != before
    (place / "mine").mkdir()
    (place / "mine" / "thesis.txt").write_text("three years of work")
    command("run", "tiny.yaml", "-o", "mine", "--force", code=2)
    assert (place / "mine" / "thesis.txt").exists()
    assert sorted(p.name for p in place.iterdir()) == ["mine", "out", "tiny.yaml"]


def test_a_failure_leaves_nothing(command, place, monkeypatch):
    """When figures fail after the run, no part of the folder remains, nor of its parents."""

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sim.presentation.plots.figures", full)
    assert "No space left" in command("run", "tiny.yaml", "-o", "deep/er/out", code=2).stderr
    assert [p.name for p in place.iterdir()] == ["tiny.yaml"]


def test_a_folder_that_came_meanwhile_is_kept(place):
    """A folder that someone else made while we ran is not replaced without --force."""

    def write() -> None:
        with whole_folder(place / "out") as part:
            (part / "ours").write_text("")
            (place / "out").mkdir()
            (place / "out" / "theirs").write_text("")

    with pytest.raises(StoreError, match="cannot be written"):
        write()
    assert [p.name for p in (place / "out").iterdir()] == ["theirs"]
    assert sorted(p.name for p in place.iterdir()) == ["out", "tiny.yaml"]


def test_dry_run_writes_nothing(command, place):
    """--dry-run says how many runs, how long and how large, and writes nothing."""
    said = command("run", "tiny.yaml", "--dry-run", "-n", "40").stdout
    assert "40 runs" in said
    assert "MB" in said
    told = command.json("run", "tiny.yaml", "--dry-run", "-n", "40")
    assert told["replicates"] == 40
    assert told["seconds"] > 0
    assert told["bytes"] > 1000
    assert [p.name for p in place.iterdir()] == ["tiny.yaml"]


def test_dry_run_is_near_the_truth(command, place):
    """The estimated size is that of the tables within a factor of two."""
    told = command.json("run", "tiny.yaml", "--dry-run", "-n", "10")
    command("run", "tiny.yaml", "-n", "10", "-o", "out", "--no-figures")
    real = sum(p.stat().st_size for p in (place / "out").glob("*.parquet"))
    assert 0.5 < told["bytes"] / real < 2


def test_warnings_do_not_mix_with_the_result(command, place):
    """Warnings are on stderr, so that JSON stays JSON; --quiet drops them."""
    (place / "odd.yaml").write_text("schema: 1\nextends: tiny.yaml\narrivals: {per_year: 7}\n")
    words = ("run", "odd.yaml", "--no-figures", "--months", "6")
    assert command.json(*words)["replicates"] == 2
    assert "warning: " in command(*words).stderr
    assert command(*words, "--quiet").stderr == ""


def test_sealing_covers_what_was_added(command, place):
    """A file that is added to a run is not in its manifest until the folder is sealed."""
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--months", "6")
    (place / "out" / "report.html").write_text("x")
    assert "report.html" not in json.loads((place / "out" / "manifest.json").read_text())["sha256"]
    seal(place / "out")
    assert "report.html" in json.loads((place / "out" / "manifest.json").read_text())["sha256"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_errors_have_words(lang):
    """Each message of the store and the ledger that a user can meet is known to the catalogue."""
    raised = [
        "x: exists already; choose another folder with -o, or replace it with --force",
        "x: exists already and is not empty; choose another name",
        "x: is not a run folder, and is not replaced",
        "x: cannot be written (No space left on device)",
        "x: is not a run folder (no manifest.json)",
        "x: has no table 'ledger' (is it a run folder?)",
        "x: damaged, cannot be read (why)",
    ]
    for english in raised:
        assert (error(english, lang) == english) == (lang == "en")
    assert error("something new", "zh") == "something new"
    assert {k for k in keys(lang) if k.startswith("error.")}
    assert text("error.no_run", lang, path="x")


def waiting(outcome: str) -> str:
    rule = f"replicates: {{until: {{outcome: {outcome}, half_width: 0.1, max: 6}}}}\n"
    Path("waits.yaml").write_text(f"extends: tiny.yaml\n{rule}", encoding="utf-8")
    return "waits.yaml"


def test_a_run_cannot_wait_for_an_outcome_that_it_has_not(command, place):
    """`check` and `run` refuse a misspelt one before anything is run, and warn of one that the run is too short for."""
    name = waiting("survival_12")
    for verb in (("check",), ("run", "--dry-run"), ("run",)):
        said = command(verb[0], name, *verb[1:], code=2).output
        assert f'{name}:2:31 replicates.until.outcome: there is no outcome "survival_12"; did you mean' in said
    assert not Path("runs").exists()
    with pytest.raises(ScenarioError, match="did you mean survival_12m"):
        sim.run(sim.load(name))
    assert sim.run(sim.load(name), replicates=2).replicates == 2
    command("run", name, "-n", "2", "--dry-run")
    name = waiting("survival_36m")
    for words in (("check", name), ("run", name, "--dry-run")):
        assert "cannot be known: the runs are 24 months long" in command(*words).output
    for good in ("survival_12m", "reached_hub", "spent_cny", "share_over_1m_cny"):
        assert command.json("check", waiting(good))["files"][0]["problems"] == []


def test_nobody_left_of_a_burn_in_is_said_in_chinese(command, place):
    """What a run cannot be made of is told in the reader's language."""
    city = "arrivals: {per_year: 0}\ninitial: {kind: burn_in, months: 2, entities: 5}\n"
    Path("empty.yaml").write_text(f"extends: tiny.yaml\n{city}", encoding="utf-8")
    assert "预热期结束时没有任何经营者" in command("run", "empty.yaml", "--lang", "zh", code=3).output
