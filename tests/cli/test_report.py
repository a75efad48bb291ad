"""`sim report` writes one file about whatever folders our verbs leave, and never over somebody else's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sim.presentation.outline import Paragraph
from sim.presentation.report.blocks import Part, Section
from sim.presentation.report.page import unchanged
from sim.store import seal

SWEEP = """\
schema: 1
kind: sweep
name: {zh: "席位<b>", en: "Places<b>"}
scenario: tiny.yaml
replicates: 2
outcomes: [survival_12m, living_end]
levers:
  - {path: chain.hub.places, values: [1, 3, 9]}
  - {path: policy.rent.share.hub, values: [0, 1]}
design: {kind: grid}
"""

REFORM = """\
schema: 1
extends: tiny.yaml
name: {zh: 更多席位, en: More places}
chain:
  - {id: hub, places: 30}
"""


@pytest.fixture
def ran(command, place) -> Path:
    """A run folder."""
    command("run", "tiny.yaml", "-o", "out", "--no-figures", "--quiet")
    return place / "out"


@pytest.fixture
def quick(monkeypatch) -> None:
    """Reports that say little, where it is not about what they say."""

    def compose(opened, lang, **_):
        return [Part(each.kind, "Title", "", ["Yes."], [Section(lang, [Paragraph("Text.")])]) for each in opened]

    monkeypatch.setattr("sim.presentation.report.write.compose", compose)


def sums(folder: Path) -> dict[str, str]:
    return json.loads((folder / "manifest.json").read_text("utf-8"))["sha256"]


@pytest.mark.parametrize(("lang", "said"), [("zh", "怎样看这些数字"), ("en", "How to read this")])
def test_it_is_one_command_from_a_run(command, ran, lang, said):
    """The file stands in the run folder, in the language asked for; where it is is said, and its checksum is kept."""
    before = sums(ran)
    told = command("report", "out", "--lang", lang, "--no-ranking").stdout
    assert "report.html" in told
    document = (ran / "report.html").read_bytes()
    assert said in document.decode("utf-8")
    assert sums(ran) == {**before, "report.html": hashlib.sha256(document).hexdigest()}


def test_damage_elsewhere_stays_to_be_seen(command, ran):
    """Sealing the report takes in the report only: a table that was damaged before is refused afterwards as well."""
    kept, before = (ran / "ledger.parquet").read_bytes(), sums(ran)
    (ran / "ledger.parquet").write_bytes(kept[:-1] + b"X")
    assert "ledger" in command("report", "out", "--no-ranking", code=2).stderr
    seal(ran, "summary.parquet")
    assert sums(ran) == before


def test_a_report_is_renewed_in_the_other_language(command, ran, quick):
    """Run again it simply works, in another language too; the checksum is that of the new file."""
    command("report", "out", "--lang", "zh", "--no-ranking")
    command("report", "out", "--lang", "en", "--no-ranking")
    document = (ran / "report.html").read_bytes()
    assert b'<html lang="en">' in document
    assert sums(ran)["report.html"] == hashlib.sha256(document).hexdigest()


def test_what_somebody_wrote_is_kept(command, ran, quick):
    """A file that is no report, and a report that was edited, are not replaced unless --force says so."""
    page = ran / "report.html"
    page.write_text("mine", "utf-8")
    assert "已存在" in command("report", "out", "--lang", "zh", "--no-ranking", code=2).stderr
    assert page.read_text("utf-8") == "mine"
    command("report", "out", "--no-ranking", "--force")
    edited = page.read_text("utf-8").replace("</h1>", " (seen by me)</h1>")
    page.write_text(edited, "utf-8")
    command("report", "out", "--no-ranking", code=2)
    assert page.read_text("utf-8") == edited


def test_it_goes_where_it_is_told(command, ran, place, quick):
    """-o names the file, folders are made, and the run folder is left as it was."""
    before = sorted(p.name for p in ran.rglob("*"))
    command("report", "out", "-o", "pages/a.html", "--no-ranking")
    assert unchanged((place / "pages" / "a.html").read_text("utf-8"))
    assert sorted(p.name for p in ran.rglob("*")) == before


def test_it_is_data(command, ran):
    """As JSON: the file, and of each part its kind, title, answer and sections."""
    told = command.json("report", "out", "--lang", "en", "--no-ranking")
    assert Path(told["file"]).name == "report.html"
    (part,) = told["parts"]
    assert part["kind"] == "run"
    assert part["title"] == "[bold]Tiny[/] <script>alert(1)</script>"
    assert part["answer"][0].startswith("Of 1,000 founders who arrive")
    assert part["sections"][0] == "How to read this"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_whatever_verbs_leave_has_a_report(command, place, lang):
    """A comparison, a sweep, its sensitivity and a scorecard are told together in one file, each in its part."""
    (place / "more.yaml").write_text(REFORM, "utf-8")
    (place / "sweep.yaml").write_text(SWEEP, "utf-8")
    command("compare", "tiny.yaml", "more.yaml", "-n", "2", "-o", "pair", "--no-figures", "--quiet")
    command("sweep", "sweep.yaml", "-o", "many", "--jobs", "1", "--quiet")
    command("sensitivity", "many", "--no-figures", "--quiet")
    command("facts", "tiny.yaml", "-n", "1", "-o", "card", "--quiet")
    folders = ["pair", "many", "many/sensitivity", "card"]
    told = command.json("report", *folders, "-o", "all.html", "--lang", lang)
    assert [part["kind"] for part in told["parts"]] == ["comparison", "sweep", "sensitivity", "scorecard"]
    assert all(1 <= len(part["answer"]) <= 3 and len(part["sections"]) >= 3 for part in told["parts"])
    document = (place / "all.html").read_text("utf-8")
    assert unchanged(document)
    assert "<script" not in document


def test_a_sweep_goes_on_beside_its_report(command, place, quick):
    """A report in its folder does not keep a sweep from going on, nor changes its digest."""
    (place / "sweep.yaml").write_text(SWEEP, "utf-8")
    first = command.json("sweep", "sweep.yaml", "-o", "many", "--jobs", "1", "--quiet")
    command("report", "many")
    again = command.json("resume", "many", "--jobs", "1", "--quiet")
    assert again["digest"] == first["digest"]
    more = command.json("expand", "many", "--replicates", "+1", "--jobs", "1", "--quiet")
    assert more["runs"] == 18
    command("report", "many")


@pytest.mark.long
def test_an_audit_ranks_the_assumptions_of_its_run(command, place, ran):
    """Given the audit of the same scenario, the run's report takes its shares, and makes no runs of its own."""
    command("figures", "audit", "tiny.yaml", "--variance", "--pairs", "8", "--top", "4", "-o", "audit", "--no-figures")
    told = command.json("report", "out", "audit", "--lang", "en", "-o", "both.html")
    assert [part["kind"] for part in told["parts"]] == ["run", "variance"]
    document = (place / "both.html").read_text("utf-8")
    assert "By an audit of this scenario" in document
    assert "f1-tornado" not in document
    assert not (ran / "assumptions").exists()


def test_a_scorecard_is_kept_and_shown_again(command, place):
    """`sim facts -o` keeps what was found, a folder is not replaced unasked, and the same card is shown from it."""
    first = command.json("facts", "tiny.yaml", "-n", "2", "-o", "card", "--quiet")
    again = command.json("facts", "card")
    assert {**first, "folder": None} == {**again, "folder": None}
    assert "exists already" in command("facts", "tiny.yaml", "-n", "1", "-o", "card", "--lang", "en", code=2).stderr
    (place / "card" / "scorecard.parquet").write_bytes(b"PAR1")
    assert "damaged" in command("facts", "card", "--lang", "en", code=2).stderr


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_what_is_no_folder_of_ours_is_said(command, folder):
    """A folder without a manifest is refused in a line."""
    assert "manifest.json" in command("report", folder, code=2).stderr


def test_a_kind_from_elsewhere_is_said(command, ran):
    """A folder of a kind that this version does not know is refused, and named."""
    manifest = json.loads((ran / "manifest.json").read_text("utf-8"))
    (ran / "manifest.json").write_text(json.dumps({**manifest, "kind": "dream"}), "utf-8")
    assert "'dream'" in command("report", "out", code=2).stderr


CALIBRATION = """\
schema: 1
kind: calibration
name: {zh: 校准, en: Fit}
scenario: tiny.yaml
set: {arrivals.per_year: 100}
replicates: 1
targets:
  - {outcome: survival_12m, value: 0.7, sd: 0.05, source: [bls_bed]}
  - {outcome: residents, value: 12, sd: 4, bound: more_than, why: {zh: 测试, en: a test}}
parameters:
  - {path: behaviour.money.margin}
  - {path: behaviour.entry.cash_median, prior: log_uniform}
search: {start: 16, optimise: 8, waves: 1, wave: 8, check: 8, reference: 4, finalists: 1, replicates: 2, whole: 0}
holdout: [{outcome: survival_18m, band: [0.1, 0.9]}]
decisions:
  outcome: survival_12m
  points: 2
  replicates: 2
  reforms: [{id: more, name: {zh: 席位更多, en: More places}, set: {chain.hub.places: 6}}]
"""

OPTIMISATION = """\
schema: 1
kind: optimisation
name: {zh: 花钱, en: Money}
scenario: tiny.yaml
levers: [{path: chain.hub.places, range: [1, 20], cost: {once: {value: 1_000, range: [500, 2_000], assumed: a guess}}}]
uncertainties: [{path: behaviour.money.margin}]
objectives: [{outcome: survivors_12m}, {outcome: cost_cny}]
search: {points: 16, start: 8, replicates: 2}
ranking: {finalists: 2, first: 4, max: 8}
robustness: {points: 20, replicates: 1}
"""


@pytest.mark.long
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_searches_found_has_a_report(command, place, lang):
    """A calibration and an optimisation are told with their figures, answer first."""
    for verb, study in (("calibrate", CALIBRATION), ("optimise", OPTIMISATION)):
        (place / f"{verb}.yaml").write_text(study, "utf-8")
        command(verb, f"{verb}.yaml", "-o", verb, "--no-figures", "--quiet")
        told = command.json("report", verb, "--lang", lang)
        assert len(told["parts"][0]["answer"]) in (1, 2)
        assert (place / verb / "report.html").read_text("utf-8").count("<figure") >= 2
