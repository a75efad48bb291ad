"""`sim compare` runs the same people under several policies, keeps a folder, and says what came out."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

import sim
from sim.experiments.comparison.result import TABLES

REFORM = """\
schema: 1
extends: tiny.yaml
name: {zh: "免租[bold]", en: "Free [bold]rent <b>"}
policy:
  - {id: rent, share: {hub: 1}}
"""

SEATS = """\
schema: 1
extends: tiny.yaml
name: {zh: 更多席位, en: More places}
chain:
  - {id: hub, places: 30}
"""


@pytest.fixture
def town(place):
    """The working folder, with two reforms of the tiny scenario."""
    (place / "rent.yaml").write_text(REFORM, encoding="utf-8")
    (place / "seats.yaml").write_text(SEATS, encoding="utf-8")
    return place


FILES = ["rent.yaml", "seats.yaml", "tiny.yaml"]


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ["与2个改革方案比较", "2  更多席位", "改动：chain.hub.places 3 → 30。", "保住：", "挤出", "免租[bold]"]),
        ("en", ["2 reforms against it", "2  More places", "Changes: chain.hub.places 3 → 30.", "Saved:", "Displace"]),
    ],
)
def test_it_answers_and_writes(command, town, lang, said):
    """The answer names each reform, what it changes and where the folder is; the folder is whole, figures included."""
    told = command("compare", "tiny.yaml", "rent.yaml", "seats.yaml", "--lang", lang).stdout
    command.caveats(told, lang)
    for words in (*said, "runs/tiny-compare"):
        assert words in told
    assert told.index(said[1]) < told.index(said[2])
    folder = town / "runs" / "tiny-compare"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["sha256"]) == set(contents(folder)) - {"manifest.json"}
    files = {f"{table}.parquet" for table in TABLES} | {"scenario.yaml", "reforms/1/scenario.yaml"}
    drawn = ("survival", "reached", "split", "split_sales", "plane", "gains_1", "gains_2")
    figures = {f"figures/{name}.{end}" for name in drawn for end in ("svg", "png")}
    assert set(manifest["sha256"]) == files | figures | {"reforms/2/scenario.yaml"}
    assert list(manifest["scenarios"]) == ["base", "rent", "seats"]
    assert sim.open_comparison(folder).replicates == 2
    assert sim.load(folder / "reforms/2/scenario.yaml").hash() == manifest["scenarios"]["seats"]["scenario_hash"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_stored_one_says_the_same_again(command, town, lang):
    """Its folder gives the same answer and the same JSON; only the last line, where it comes from, differs."""
    words = ("compare", "tiny.yaml", "rent.yaml", "seats.yaml", "-o", "out", "--no-figures", "--lang", lang)
    first = command(*words).stdout.splitlines()
    again = command("compare", "out", "--lang", lang).stdout.splitlines()
    assert first[:-1] == again[:-1]
    assert len(first) > 50
    assert first[-1] != again[-1]
    assert "out" in again[-1]
    assert command.json("compare", "out") == command.json(*words, "--force")
    assert "figures" not in names(town / "out")


def test_json_holds_every_table(command, town):
    """--json is one object: effects by reform and outcome, the other tables as rows, no NaN, no markup lost."""
    told = command.json("compare", "tiny.yaml", "rent.yaml", "seats.yaml", "--no-figures")
    assert set(told) == {"scenarios", "seed", "replicates", "discount", "folder", *TABLES} - {"lives"}
    assert list(told["effects"]) == ["rent", "seats"]
    seats = told["effects"]["seats"]["reached_hub"]
    assert seats["effect"] == pytest.approx(seats["reform"] - seats["base"])
    assert seats["effect"] == pytest.approx(seats["direct"] + seats["displacement"])
    assert seats["ci_low"] <= seats["effect"] <= seats["ci_high"]
    assert told["effects"]["rent"]["survival_36m"]["effect"] is None
    assert "24 months" in told["effects"]["rent"]["survival_36m"]["reason"]
    assert told["scenarios"]["rent"]["scenario"]["name"]["en"] == "Free [bold]rent <b>"
    key = {"scenario": "seats", "grouping": "all", "at": "end"}
    both = [row for row in told["twins"] if key.items() <= row.items()]
    assert [row["part"] for row in both] == ["whole", "direct"]
    assert all(row["net"] == row["saved"] - row["lost"] for row in both)


def test_the_same_seed_gives_the_same_bytes(command, town):
    """Two comparisons with one seed are byte-identical, figures too, whatever the jobs; another seed is another."""
    words = ("compare", "tiny.yaml", "seats.yaml")
    command(*words, "-o", "a", "--jobs", "1")
    command(*words, "-o", "b", "--jobs", "2")
    command(*words, "-o", "c", "--seed", "2", "--no-figures")
    assert contents(town / "a") == contents(town / "b")
    assert (town / "a/twins.parquet").read_bytes() != (town / "c/twins.parquet").read_bytes()
    assert json.loads((town / "c/manifest.json").read_text())["seed"] == 2


@pytest.mark.parametrize(
    ("lang", "more"), [("zh", "基准情景要求重复12次；用 -n 12"), ("en", "asks for 12 replicates; -n 12")]
)
def test_how_many_pairs_there_are(command, town, lang, more):
    """Pairs are five if the base asks for more, which the answer says with the way to get them; -n gives any number."""
    base = (town / "tiny.yaml").read_text(encoding="utf-8")
    (town / "tiny.yaml").write_text(base.replace("replicates: 2", "replicates: 12").replace("months: 24", "months: 3"))
    words = ("compare", "tiny.yaml", "seats.yaml", "--no-figures", "--lang", lang)
    told = command(*words).stdout
    assert re.search(r"(5 pairs|5对模拟)", told)
    assert more in told
    assert command.json(*words, "-n", "7")["replicates"] == 7
    assert more not in command(*words, "-n", "12").stdout


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (["tiny.yaml"], "tiny.yaml 没有比较对象", "tiny.yaml has nothing to be compared with"),
        ([], "缺少 BASE", "BASE"),
        (["no.yaml"], "no.yaml 没有比较对象", "no.yaml has nothing to be compared with"),
        (["tiny.yaml", "no.yaml"], "找不到文件 no.yaml", "there is no file no.yaml"),
        (
            ["tiny.yaml", "rent.yaml", "tiny.yaml"],
            "tiny.yaml 就是基准情景本身",
            "tiny.yaml is the base scenario itself",
        ),
        (["tiny.yaml", "./tiny.yaml"], "./tiny.yaml 就是", "./tiny.yaml is the base"),
        (["tiny.yaml", "rent.yaml", "rent.yaml"], "rent.yaml 给出了两次", "rent.yaml is given twice"),
        (["tiny.yaml", "rent.yaml", "-n", "1"], "--replicates 的值无效", "--replicates"),
        (["."], "没有 manifest.json", "is not a run folder"),
        ([".", "rent.yaml"], "文件夹", "is a folder"),
    ],
)
def test_wrong_words_are_told(command, town, words, zh, en):
    """What cannot be compared ends with exit code 2 and a message in the user's language, and writes nothing."""
    for lang, said in (("zh", zh), ("en", en)):
        assert said in command("compare", *words, "--lang", lang, code=2).stderr
    assert names(town) == FILES


def test_what_makes_other_people_is_told_with_its_place(command, town):
    """Horizon, arrivals and behaviour that differ are told at once: file, line, column, both values, the remedy."""
    other = "schema: 1\nextends: tiny.yaml\nhorizon: {months: 12}\narrivals: {per_year: 20}\n"
    (town / "other.yaml").write_text(other + "behaviour:\n  exit: {review: 0.3}\n")
    told = command("compare", "tiny.yaml", "rent.yaml", "other.yaml", "--lang", "en", "-q", code=2).stderr.splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "other.yaml:3:19 horizon.months",
        "other.yaml:4:22 arrivals.per_year",
        "other.yaml:6:18 behaviour.exit.review",
    ]
    assert "is 12 here and 24 in the base scenario; make them the same" in told[0]
    assert "is 20.0 here and 50.0 in the base" in told[1]
    told = command("compare", "tiny.yaml", "other.yaml", "--lang", "zh", "-q", code=2).stderr
    assert "此处为 12，基准情景为 24；请改为一致" in told
    assert "runs" not in names(town)


def test_a_stored_one_takes_no_settings(command, town):
    """An option that only a new comparison heeds is refused with a stored one, rather than ignored."""
    command("compare", "tiny.yaml", "rent.yaml", "-o", "out", "--no-figures")
    for option in (["-n", "3"], ["--seed", "0"], ["--discount", "0"], ["-o", "else"], ["--no-figures"]):
        told = command("compare", "out", *option, "--lang", "en", code=2).stderr
        assert "is a stored comparison" in told
    assert "once more" not in command("compare", "out", "-q", "--lang", "en").stdout


def test_force_replaces_a_comparison_only(command, town):
    """A folder that exists is replaced with --force only, and what is no run is never replaced."""
    words = ("compare", "tiny.yaml", "rent.yaml", "-o", "out", "--no-figures")
    command(*words)
    before = contents(town / "out")
    assert "--force" in command(*words, "--seed", "5", code=2).stderr
    assert contents(town / "out") == before
    command(*words, "--seed", "5", "--force")
    assert contents(town / "out") != before
    (town / "mine").mkdir()
    (town / "mine" / "thesis.txt").write_text("three years of work")
    command(*words[:-2], "mine", "--force", "--no-figures", code=2)
    assert names(town / "mine") == ["thesis.txt"]


def test_default_folders_do_not_collide(command, town):
    """Each comparison gets a folder of its own."""
    for _ in range(2):
        command("compare", "tiny.yaml", "rent.yaml", "--no-figures")
    assert names(town / "runs") == ["tiny-compare", "tiny-compare-2"]


def test_a_failure_leaves_nothing(command, town, monkeypatch):
    """When figures fail after the runs, no part of the folder remains, nor of its parents."""

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sim.presentation.comparison_plots.figures", full)
    assert "No space left" in command("compare", "tiny.yaml", "rent.yaml", "-o", "deep/er/out", code=2).stderr
    assert names(town) == FILES


def test_an_interrupt_leaves_nothing(command, town):
    """Ctrl-C ends a comparison long before its last pair: exit 130, one line, nothing left behind."""
    child = command.start("compare", "tiny.yaml", "rent.yaml", "-n", "100000", "--lang", "zh")
    try:
        while not list(town.glob("runs/.tiny-compare.*.tmp")):
            assert child.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=600)
    finally:
        child.kill()
    assert (child.returncode, out, err.decode()) == (130, b"", "已中断，没有留下任何文件。\n")
    assert names(town) == FILES


def test_warnings_do_not_mix_with_the_result(command, town):
    """What is odd in a file that all extend is said once, on stderr; --quiet drops it."""
    base = (town / "tiny.yaml").read_text(encoding="utf-8")
    (town / "tiny.yaml").write_text(base.replace("value: 50,", "value: 500,"), encoding="utf-8")
    words = ("compare", "tiny.yaml", "rent.yaml", "seats.yaml", "--no-figures", "--lang", "en", "-n", "2")
    assert command(*words).stderr.count("outside the plausible range") == 1
    assert command(*words, "-q").stderr == ""


def test_a_reform_may_bring_its_own_instrument(command, town):
    """An instrument in a file beside the reform is run, and its source is kept with the reform."""
    (town / "gift.py").write_text(
        "from typing import Literal\n"
        "from sim.policy import PolicyInstrument\n\n\n"
        "class Gift(PolicyInstrument):\n"
        '    """Cash for newcomers."""\n\n'
        '    type: Literal["gift"] = "gift"\n\n'
        "    def eligible(self, people, now):\n"
        "        return (people.age == 0).nonzero()[0]\n\n"
        "    def cost(self, people, now, rows):\n"
        "        return 1_000_000\n"
    )
    (town / "mine.yaml").write_text(
        'schema: 1\nextends: tiny.yaml\ncomponents: ["gift:Gift"]\npolicy:\n  - {id: gift, type: gift}\n'
    )
    told = command.json("compare", "tiny.yaml", "mine.yaml", "-o", "out", "--no-figures")
    assert told["effects"]["mine"]["spent_cny"]["effect"] > 100_000
    assert (town / "out/reforms/1/gift.py").read_bytes() == (town / "gift.py").read_bytes()
    assert sim.load(town / "out/reforms/1/scenario.yaml").policy[-1].type == "gift"


def test_the_answer_fits_a_narrow_terminal(command, town, monkeypatch):
    """At 80 columns no line is longer and no word of a table is broken; in a pipe there is no colour code."""
    monkeypatch.setenv("COLUMNS", "80")
    told = command("compare", "tiny.yaml", "rent.yaml", "seats.yaml", "--no-figures", "--lang", "en").stdout
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= 80
    table = re.search(r"Outcome .*?\n ─+\n(.*?)\n Pairing", told, re.DOTALL)
    assert table
    words_of = {word for line in table[1].splitlines() for word in re.findall(r"[A-Za-z]+", line)}
    known = (
        "Trading at months Newcomers trading end Mean annual sales Jobs owners included Reached hub red Spent in all"
    )
    assert words_of == {*known.split(), "points", "persons", "CNY", "year"}
