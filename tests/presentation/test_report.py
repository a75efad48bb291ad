"""A report as a document: what it says, in which order, that it needs nothing else, and that names in it are inert."""

from __future__ import annotations

import base64
import re
import shutil
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.errors import StoreError
from sim.experiments.sensitivity.swings import swings
from sim.presentation import alluvial
from sim.presentation.catalogue import text
from sim.presentation.outline import outline
from sim.presentation.report import seen
from sim.presentation.report.draft import Draft
from sim.presentation.report.drawing import svg
from sim.presentation.report.page import unchanged
from sim.presentation.sheet import Sheet

BAD = """</style></title><script>window.hacked=1</script><img src=x onerror="window.hacked=2">"""

TAG = '<img src=x onerror="window.hacked=4">'

TOWN = f"""\
schema: 1
name: {{zh: '小城{BAD}', en: 'Town{BAD}'}}
horizon: {{start: 2024-04, months: 50}}
replicates: 3
arrivals: {{per_year: {{value: 60, range: [30, 90], assumed: 'small <b onclick=1>'}}}}
chain:
  - {{id: village, facilities: 1}}
  - {{id: hub, label: {{zh: '{TAG}枢纽', en: '{TAG}hub'}}, facilities: 1, places: 3, threshold: 60_000, tenancy: 12}}
policy:
  - {{id: rent, type: rent_relief, label: {{zh: "=cmd|' /C calc'!A0", en: "=cmd|' /C calc'!A0"}}, share: {{hub: 0.5}},
     budget: 90_000}}
"""

REFORM = """\
schema: 1
extends: town.yaml
name: {zh: '多席<script>window.hacked=3</script>', en: 'More<script>window.hacked=3</script>'}
chain:
  - {id: hub, places: 12}
"""


class Page(HTMLParser):
    """The elements of a page with their attributes, and its words."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.document = document
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"style", "svg"} & set(self.open):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def titles(self) -> list[str]:
        """Titles of the sections."""
        return re.findall(r"<h2>(.*?)</h2>", self.document)


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """A folder with a run and a comparison, whose names are not to be trusted."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "town.yaml").write_text(TOWN, encoding="utf-8")
    (folder / "more.yaml").write_text(REFORM, encoding="utf-8")
    base, reform = sim.load(folder / "town.yaml"), sim.load(folder / "more.yaml")
    (folder / "run").mkdir()
    sim.run(base, folder=folder / "run")
    (folder / "pair").mkdir()
    sim.compare(base, reform, replicates=3).write(folder / "pair")
    return folder


@pytest.fixture(scope="module")
def pages(town) -> dict[tuple[str, str], Page]:
    """Reports of both in both languages."""
    found = {}
    for kind in ("run", "pair"):
        for lang in ("zh", "en"):
            file = sim.report(town / kind, town / f"{kind}_{lang}.html", lang, ranking=False)
            found[kind, lang] = Page(file.read_text(encoding="utf-8"))
    return found


each = pytest.mark.parametrize(("kind", "lang"), [(k, lang) for k in ("run", "pair") for lang in ("zh", "en")])

# what it says -------------------------------------------------------------------------------------------------------


def test_a_run_is_told_in_order(pages):
    """The answer first, then what it means, lives, flow, seats, sizes, money, assumptions, figures and the manifest."""
    page = pages["run", "en"]
    assert page.titles() == [
        "How to read this", "Survival", "From stage to stage", "How full the chain is, and who waits",
        "How large shops are", "The money", "What rests on which assumption", "Figures used, and where they were read",
        "How to compute this again",
    ]  # fmt: skip
    assert page.document.index('class="answer"') < page.document.index("<h2>")


def test_a_comparison_is_told_in_order(pages):
    """Effects, direct against displacement, twins, the price, the tables of the screen, money, figures, manifest."""
    assert pages["pair", "en"].titles() == [
        "What each reform does", "Directly, and by displacing others", "Who is saved and who is lost",
        "What a survivor more costs", "Each reform in figures", "The money", "How to read this",
        "Figures used, and where they were read", "How to compute this again",
    ]  # fmt: skip


def test_the_answer_is_that_of_the_summary(town, pages):
    """The first sentence has the survivors of a thousand that the summary has, with its interval."""
    row = sim.open_run(town / "run").summary.set_index("outcome").loc["survival_36m"]
    said = re.search(
        r"Of 1,000 founders who arrive, ([\d,.]+) \(([\d,.−]+) to ([\d,.]+)\) still trade after three",
        pages["run", "en"].text,
    )
    assert said
    numbers = [float(n.replace(",", "").replace("−", "-")) for n in said.groups()]
    half = 1000 * (row["ci_high"] - row["ci_low"]) / 2
    np.testing.assert_allclose(numbers, 1000 * row[["mean", "ci_low", "ci_high"]].to_numpy(float), atol=0.5 * half)


@each
def test_what_cannot_be_known_is_said(pages, kind, lang):
    """What survival means, and that flows cannot be validated, stands in every report."""
    from sim.presentation.catalogue import text

    for key in ("answer.survival_means", "answer.cannot_validate"):
        assert text(key, lang) in pages[kind, lang].text


def test_what_is_not_ranked_is_said_to_be(pages):
    """Without the ranking the assumptions are listed with their reasons, and it is said that they are not ranked."""
    text = pages["run", "en"].text
    assert "The assumptions are not ranked here" in text
    assert "small <b onclick=1>" in text


def test_a_ranking_is_kept_beside_the_run(town, monkeypatch):
    """The runs of a ranking are made once: in the other language the report says the same numbers without any."""
    (town / "ranked").mkdir()
    for file in (town / "run").iterdir():
        (town / "ranked" / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("sim.presentation.report.write.swings", partial(swings, replicates=2))
    first = Page(sim.report(town / "ranked", lang="en").read_text(encoding="utf-8"))
    assert "Each of the" in first.text
    monkeypatch.setattr("sim.presentation.report.write.swings", None)
    again = Page(sim.report(town / "ranked", lang="zh").read_text(encoding="utf-8"))
    numbers = [re.findall(r'id="f1-tornado".*?</figcaption>', p.document, re.DOTALL)[0] for p in (first, again)]
    moves = [re.findall(r"[+−][\d.]+", re.findall(r"<figcaption>(.*?)</figcaption>", n)[0]) for n in numbers]
    assert moves[0] == moves[1] != []


def test_several_results_are_parts_of_one_report(town):
    """Each has its part with a title, and is told as it is alone; ids of figures do not meet."""
    file = sim.report([town / "run", town / "pair"], town / "both.html", "en", ranking=False)
    page = Page(file.read_text(encoding="utf-8"))
    assert len(page.all("article")) == 2
    assert [a["id"] for a in page.all("article")] == ["part-1", "part-2"]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_a_result_that_was_not_stored_is_told(town, tmp_path):
    """From memory as from a folder: the same sections, with assumptions and figures; a place for it is asked for."""
    result = sim.run(sim.load(town / "town.yaml"))
    page = Page(sim.report(result, tmp_path / "r.html", "en", ranking=False).read_text(encoding="utf-8"))
    assert "What rests on which assumption" in page.titles()
    with pytest.raises(StoreError, match="say where"):
        sim.report(result)
    with pytest.raises(StoreError, match="no result"):
        sim.report(3, tmp_path / "x.html")


def test_a_run_too_short_says_so(tmp_path):
    """Half a year knows no survival: the report says that, and holds figures all the same."""
    scenario = sim.classroom().replace({"horizon.months": 6})
    page = Page(
        sim.report(sim.run(scenario, replicates=2), tmp_path / "r.html", "en", ranking=False).read_text("utf-8")
    )
    assert "6 months long" in page.text
    assert len(page.all("figure")) >= 8


@pytest.mark.parametrize("kind", ["run", "pair"])
def test_a_scenario_that_cannot_be_read_is_said(town, tmp_path, kind):
    """Where the stored scenario cannot be read any more, the report says that sources and assumptions are not known."""
    shutil.copytree(town / kind, tmp_path / kind)
    (tmp_path / kind / "scenario.yaml").write_text("schema: 99\n", encoding="utf-8")
    page = Page(sim.report(tmp_path / kind, lang="en", ranking=False).read_text("utf-8"))
    assert text("report.basis.unknown", "en") in page.text
    assert len(page.all("figure")) >= 4


# that it needs nothing else -------------------------------------------------------------------------------------------


@each
def test_nothing_is_fetched(pages, kind, lang):
    """No address in it leads anywhere but into the page or to data that it holds, and its policy forbids all else."""
    page = pages[kind, lang]
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            if name in attributes:
                assert attributes[name].startswith(("#", "data:text/csv;")), (tag, attributes[name][:60])
    assert not re.search(r"url\((?!#|data:font/woff)", page.document)
    assert "@import" not in page.document
    policy = page.all("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith("default-src 'none'; ")


@each
def test_names_are_inert(pages, kind, lang):
    """No script, no handler, no image comes of what a user typed; the name is there to be read."""
    page = pages[kind, lang]
    assert not page.all("script")
    assert not page.all("img")
    assert not [a for _, attributes in page.elements for a in attributes if a.startswith("on")]
    assert "<script>window.hacked" in page.text
    assert page.document.count("</style>") == 1
    assert page.document.count("</title>") == 1


def test_an_instrument_that_is_a_formula_is_text(pages):
    """In the file of the money's figure the instrument called =cmd is text."""
    page = pages["run", "en"]
    held = {a["download"]: a["href"] for a in page.all("a") if "download" in a}
    said = base64.b64decode(held["f1-spending.csv"].partition(",")[2]).decode("utf-8")
    assert said[0] == "\ufeff"
    assert "\"'=cmd|' /C calc'!A0\"" in said


def test_counts_of_the_flow_add_up_in_its_file(town, pages):
    """In the file of the flow's figure all that arrive are those of the table of people, and what comes in goes out."""
    import io

    page = pages["run", "en"]
    held = {a["download"]: a["href"] for a in page.all("a") if "download" in a}
    table = pd.read_csv(io.BytesIO(base64.b64decode(held["f1-flow.csv"].partition(",")[2])), encoding="utf-8-sig")
    people = sim.open_run(town / "run").table("entrepreneurs")
    newcomers = (~people["initial"] & (people["attempt"] == 0)).sum()
    into, out = (table.groupby(side)["People, all runs"].sum() for side in ("To", "From"))
    assert out["arrive"] == newcomers
    assert all(into[place] == out[place] for place in out.index if place != "arrive")


# that everybody can read it -------------------------------------------------------------------------------------------


@each
def test_it_is_built_to_be_read_aloud(pages, kind, lang):
    """Language, landmarks, one heading on top, names of tables and columns, and words for every figure."""
    page = pages[kind, lang]
    assert page.all("html")[0]["lang"] == {"zh": "zh-CN", "en": "en"}[lang]
    assert [len(page.all(tag)) for tag in ("h1", "main", "nav", "header", "footer")] == [1, 1, 1, 1, 1]
    assert all(a.get("scope") in ("col", "row", "colgroup") for a in page.all("th"))
    figures = [a for a in page.all("div") if a.get("role") == "img"]
    assert len(figures) == len(page.all("figure")) == len(page.all("svg")) > 4
    assert all(len(a["aria-label"]) > 20 for a in figures)
    assert all(a["aria-label"] for a in page.all("div") if a.get("role") == "region")
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    assert targets <= set(ids)


def test_words_for_a_figure_are_computed():
    """What is said of curves is in the curves: with other numbers it says others."""
    draft = Draft("en", "f")
    ages = np.arange(1, 61)
    for rate in (0.99, 0.98):
        one = pd.DataFrame({"group": "all", "age_months": ages, "survival": rate**ages})
        assert f"{100 * rate**36:.1f} % after three years" in seen.survival(one, draft)
    two = pd.concat([one.assign(group="education=phd"), one.assign(group="education=master", survival=0.9)])
    said = seen.survival(two, draft)
    assert said.index("master") < said.index("doctor")
    assert "90.0 %" in said


def test_sizes_are_read_off_the_curve():
    """Half, a tenth and a hundredth sell at least what a Pareto tail says."""
    sales = np.geomspace(1e3, 1e7, 401)
    said = seen.sizes(pd.DataFrame({"sales_cny": sales, "share_above": 1e3 / sales}), Draft("en", "f"))
    assert "at least 1,995 CNY a year, a tenth at least 10,000 CNY, a hundredth at least 100,000 CNY" in said  # a grid


# drawing --------------------------------------------------------------------------------------------------------------


def moves() -> pd.DataFrame:
    rows = [
        ("arrived", "village", 100), ("village", "hub", 10), ("village", "still_there", 60), ("village", "quit", 29),
        ("village", "insolvent", 1), ("hub", "outside", 6), ("hub", "still_there", 5), ("hub", "left_city", 1),
        ("outside", "hub", 2), ("outside", "still_there", 4),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["source", "target", "moves"])


def test_bands_of_the_flow_are_as_wide_as_their_people():
    """At each bar the bands that come in, and those that go out, fill it exactly, without a gap or an overlap."""
    frame = moves()
    part = alluvial._laid(alluvial._second(frame, "village", ["hub", "outside"]))
    for column, top, bottom in part.bars:
        if column == 0:
            continue
        for side, mine in (("in", "end"), ("out", "begin")):
            strands = [(n, s) for n, s in enumerate(part.strands) if getattr(s, mine) == column]
            tops = sorted((part.tops[column, n, side] for n, _ in strands), reverse=True)
            assert tops[0] == pytest.approx(top)
            assert top - bottom == pytest.approx(part.unit * sum(s.moves for _, s in strands))
    ends = sum(s.moves for s in part.strands if s.end == part.last)
    assert ends == sum(s.moves for s in part.strands if s.begin == 0) == 12  # two came back


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_flow_says_people_of_a_thousand(lang):
    """Numbers in the figure are people out of a thousand who arrive, in either language."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    ax = alluvial.flow(moves(), Figure(layout="constrained").add_subplot(), lang=lang)
    ax.figure.draw_without_rendering()
    words = " ".join(t.get_text() for t in ax.findobj(Text))
    assert "1,000" in words
    assert "600" in words  # still in the village
    assert "40.0" in words  # trade outside


@pytest.mark.parametrize("frame", [moves().iloc[:0], moves().iloc[[0]].assign(target="village")])
def test_a_flow_of_nobody_is_drawn(frame):
    """Without arrivals there is nothing to show; with nothing but arrivals no division by nothing."""
    from matplotlib.figure import Figure

    rest = pd.DataFrame([("village", "still_there", 100)], columns=frame.columns)
    alluvial.flow(
        pd.concat([frame, rest]) if len(frame) else frame, Figure().add_subplot()
    ).figure.draw_without_rendering()


def test_pictures_have_ids_of_their_own():
    """Two figures of one page share no id, refer to their own only, and the same figure gives the same text."""
    frame = moves()
    one, other = (svg(lambda ax: alluvial.flow(frame, ax), name) for name in ("a", "b"))
    ids = [set(re.findall(r'\bid="([^"]+)"', s)) for s in (one, other)]
    assert not ids[0] & ids[1]
    for picture, known in zip((one, other), ids, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', picture)) <= known
    assert svg(lambda ax: alluvial.flow(frame, ax), "a") == one
    assert "<metadata" not in one
    assert "http" not in one


def test_an_answer_is_taken_apart_whole():
    """Every cell, title and sentence of what is printed is in its outline, markup as text, empty lines as gaps."""
    from rich.text import Text

    sheet = Sheet("en", "compare")
    table = sheet.table("price", "counted", "survivors")
    sheet.row(table, "[bold]a[/]", "1")
    parts = outline([*sheet.section("price.title", table, "A sentence."), Text(""), *sheet.lines("Below.")])
    assert [part.title for part in parts] == ["Price of an additional survivor", ""]
    grid, sentence = parts[0].blocks
    assert [cell.said for cell in grid.lines[0].cells] == ["[bold]a[/]", "1"]
    assert grid.words == (True, False)
    assert sentence.said == "A sentence."
    assert parts[1].blocks[0].said == "Below."


# keeping --------------------------------------------------------------------------------------------------------------


@each
def test_a_report_knows_that_it_is_one(pages, kind, lang):
    """A report is told from one that somebody edited, and from other files."""
    document = pages[kind, lang].document
    assert unchanged(document)
    assert not unchanged(document.replace("</p>", "!</p>", 1))
    assert not unchanged("<html></html>")


def test_the_same_run_gives_the_same_report(town, tmp_path):
    """Byte by byte: there is no clock in it."""
    files = [sim.report(town / "pair", tmp_path / f"{i}.html", "zh").read_bytes() for i in range(2)]
    assert files[0] == files[1]
