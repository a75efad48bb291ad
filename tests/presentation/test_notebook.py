"""What a notebook shows of every public result: the answer of the screen as HTML, in which nothing is ever markup."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import sim
from sim.evidence.quantity import Label
from sim.experiments.calibration.calibrate import calibrate
from sim.experiments.comparison.result import Comparison
from sim.experiments.scoring.scorecard import score_run
from sim.experiments.tracing.trace import trace
from sim.presentation.markup import html as markup
from sim.presentation.notebook import speak, tell
from sim.presentation.prose import Prose
from sim.scenario.studies import Study, load_study

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>[bold]房 $x_1$[/]"

CITY = f"""\
schema: 1
name: {{zh: '{EVIL}', en: '{EVIL}'}}
description: {{zh: '{EVIL}', en: '{EVIL}'}}
horizon: {{months: 24}}
replicates: 2
arrivals: {{per_year: {{value: 120, assumed: '{EVIL}'}}}}
chain:
  - {{id: village, facilities: 1, label: {{zh: '{EVIL}', en: '{EVIL}'}}}}
  - {{id: hub, facilities: 1, places: 2, threshold: 20_000, label: {{zh: '{EVIL}', en: '{EVIL}'}}}}
policy: [{{id: prize, type: award, label: {{zh: '{EVIL}', en: '{EVIL}'}}, eligible_share: 1.0, first_after: 3}}]
"""

NAMED = f"name: {{zh: '{EVIL}', en: '{EVIL}'}}"

SWEEP = f"""\
schema: 1
kind: sweep
{NAMED}
scenario: city.yaml
replicates: 2
levers: [{{path: chain.hub.places, {NAMED}, values: [1, 2, 4]}}]
outcomes: [survival_12m, reached_hub, waiting_hub]
design: {{kind: grid}}
"""

OPTIMISE = f"""\
schema: 1
kind: optimisation
{NAMED}
scenario: city.yaml
levers: [{{path: policy.prize.amount, range: [0, 60_000], {NAMED}}}]
uncertainties: [{{path: behaviour.money.margin}}]
objectives: [{{outcome: survivors_12m}}]
search: {{points: 8, start: 4, replicates: 2}}
ranking: {{finalists: 2, first: 2, max: 4}}
robustness: {{points: 4, replicates: 1}}
"""

CALIBRATE = f"""\
schema: 1
kind: calibration
{NAMED}
scenario: city.yaml
targets: [{{outcome: survival_12m, value: 0.8, sd: 0.1, why: {{zh: '{EVIL}', en: '{EVIL}'}}}}]
parameters: [{{path: behaviour.exit.chance_per_year, range: [0.02, 0.30]}}, {{path: behaviour.money.margin}}]
search: {{start: 8, optimise: 8, waves: 1, wave: 8, check: 8, reference: 8, finalists: 2, replicates: 2, whole: 1}}
holdout: [{{outcome: survival_24m, band: [0.5, 0.9]}}]
decisions: {{points: 2, replicates: 2, reforms: [{{id: more, {NAMED}, set: {{chain.hub.places: 4}}}}]}}
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> sim.Scenario:
    """A scenario whose every text is an attack."""
    home = tmp_path_factory.mktemp("evil")
    for name, text in (("city", CITY), ("sweep", SWEEP), ("optimise", OPTIMISE), ("calibrate", CALIBRATE)):
        (home / f"{name}.yaml").write_text(text, encoding="utf-8")
    return sim.load(home / "city.yaml")


@pytest.fixture(scope="module")
def shown(city: sim.Scenario) -> dict[str, Any]:
    """One of each public result, of that scenario."""
    home, run = Path(city.file).parent, sim.run(city)
    sweep = sim.sweep(home / "sweep.yaml")
    uid = int(run.tables["entrepreneurs"]["uid"].iloc[0])
    return {
        "scenario": city,
        "why": city.why("arrivals.per_year"),
        "run": run,
        "comparison": sim.compare(city, {"more": city.replace({"chain.hub.places": 4})}, replicates=2),
        "sweep": sweep,
        "sensitivity": sim.sensitivity(sweep),
        "optimum": sim.optimise(home / "optimise.yaml"),
        "calibration": calibrate(load_study(home / "calibrate.yaml", only=Study)),
        "scorecard": score_run(run),
        "life": trace(city, uid),
    }


KINDS = (
    "scenario", "why", "run", "comparison", "sweep", "sensitivity", "optimum", "calibration", "scorecard", "life",
)  # fmt: skip


class Tags(html.parser.HTMLParser):
    """Collects tags and attributes, and whether each tag that was opened was closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_whatever_users_type_is_inert(
    shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch, kind: str, lang: str
) -> None:
    """No text of a scenario or a study becomes a tag or an attribute; the HTML is well formed and has no address."""
    monkeypatch.setenv("SIM_LANG", lang)
    text = shown[kind]._repr_html_()
    tags = Tags(text)
    assert tags.found <= {"div", "style", "p", "b", "span", "table", "thead", "tbody", "tr", "th", "td", "br",
                          "details", "summary"}  # fmt: skip
    assert tags.attributes <= {"class", "style", "colspan"}
    assert "http" not in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text


WORDS = {
    "scenario": ("The chain", "孵化链"),
    "why": ("assumed", "假设"),
    "run": ("Mean", "均值"),
    "comparison": ("Effect", "效果"),
    "sweep": ("Trading at 12", "12个月后仍在经营"),
    "sensitivity": ("Trading at 12", "12个月后仍在经营"),
    "optimum": ("Recommended", "推荐"),
    "calibration": ("Trading at 12", "12个月后仍在经营"),
    "scorecard": ("scored facts", "事实"),
    "life": ("entrepreneur", "创业者"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_in_the_readers_language(shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Every result is told in Chinese and in English, and in the one no id of an outcome is left."""
    for lang, word in zip(("en", "zh"), WORDS[kind], strict=True):
        monkeypatch.setenv("SIM_LANG", lang)
        text = shown[kind]._repr_html_()
        assert word.casefold() in text.casefold()
        assert "survival_12m" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_name_elsewhere(shown: dict[str, Any], kind: str) -> None:
    """Where there is no HTML a result says in a line what it is; only a scenario and a number say all."""
    assert kind in ("scenario", "why") or len(repr(shown[kind])) < 120


def test_numbers_are_those_of_the_tables(shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares are in %, and a run of few replicates says that its intervals are weak."""
    monkeypatch.setenv("SIM_LANG", "en")
    run = shown["run"]
    assert f"<td>{100 * run.outcome('survival_12m'):.1f}" in run._repr_html_()
    assert "fewer than 5 replicates" in run._repr_html_()
    assert "ewer than 5 replicates" in shown["sweep"]._repr_html_()
    assert "ewer than 5 replicates" in shown["comparison"]._repr_html_()
    assert "months long" in run._repr_html_()


def test_a_scenario_at_a_glance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario shows its stages with places in all, its policy, and how much of it is assumed."""
    monkeypatch.setenv("SIM_LANG", "en")
    city = sim.classroom(times=10)
    text = city._repr_html_()
    assert text.count("<tr>") == 5 + 1 + 3 + 1
    assert '<td class="words">incubator</td><td>2</td><td>180</td><td>1,000,000</td><td>36</td><td>36</td>' in text
    assert "Newcomers: 3,000 a year" in text
    numbers = list(map(int, re.findall(r"Of its (\d+) numbers (\d+) are .* (\d+) are assumed", text)[0]))
    assert numbers[0] == numbers[1] + numbers[2] == len(city.provenance)
    dropped = city.replace({"policy": None, "replicates": {"until": {"outcome": "survival_12m", "half_width": 0.1}}})
    assert "No policy at all" in dropped._repr_html_()
    assert "up to 200 replicates" in dropped._repr_html_()
    off = city.replace({"policy.rent.active": False, "policy.training.until": "2026-01", "name": Label().model_dump()})
    assert "switched off" in off._repr_html_()
    assert "–2026-01" in off._repr_html_()
    assert "Untitled" in off._repr_html_()


def test_a_stored_result_shows_the_same(shown: dict[str, Any], tmp_path: Path) -> None:
    """What is read from a folder looks as it did when it was made."""
    found: Comparison = shown["comparison"]
    found.write(tmp_path / "kept")
    assert sim.open_comparison(tmp_path / "kept")._repr_html_() == found._repr_html_()


# the setting ----------------------------------------------------------------------------------------------------------


def test_sections_fold() -> None:
    """All after the first table is folded under its title, up to the next headline or gap; nothing is lost."""

    def table(word: str) -> Table:
        made = Table("h", "n")
        made.columns[1].justify = "right"
        made.add_row(word, Text("1\n2"))
        return made

    def title(word: str) -> Padding:
        return Padding(Text(word, "bold cyan"), (1, 0, 0, 1))

    head, bold = Text.assemble(("Head", "bold"), " dim"), Text("Three", "bold")
    first, second = (title("One"), table("a")), (title("Two"), table("b"))
    parts = [head, *first, *second, bold, table("c"), Text(""), Prose("The end & all")]
    text = markup(Group(*parts), folded=True)
    Tags(text)
    assert re.findall(r"<summary>(.*?)</summary>", text) == ["Two", "Three"]
    assert text.index("Head") < text.index("One") < text.index(">a<") < text.index("<details>")
    assert text.rindex("</details>") < text.index("The end &amp; all")
    assert "<td>1<br>2</td>" in text
    assert '<td class="words">a</td>' in text
    whole = markup(Group(*parts))
    assert "<details>" not in whole
    assert re.sub(r"<[^>]*>", "", whole) == re.sub(r"<[^>]*>", "", text)


def test_a_sentence_in_both_languages(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese first, then English quoted, paragraph by paragraph, as the notebooks' own text is set."""
    displayed: list[Any] = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    tell("第一\n\n第二", "One\n\nTwo")
    assert displayed[0].data == "第一\n\n第二\n\n> One\n>\n> Two"


def test_a_language_for_a_notebook(monkeypatch: pytest.MonkeyPatch, shown: dict[str, Any]) -> None:
    """`speak` sets the language of tables, and returns a choice between two texts; there are two languages."""
    monkeypatch.setenv("SIM_LANG", "en")
    say = speak("zh")
    assert say("一", "one") == "一"
    assert "均值" in shown["run"]._repr_html_()
    assert speak("en")("一", "one") == "one"
    wrong: Callable[[str], Any] = speak
    with pytest.raises(ValueError, match="zh or en"):
        wrong("fr")


def test_every_figure_of_a_notebook_is_shown(shown: dict[str, Any]) -> None:
    """Jupyter switches interactive mode on while pyplot is imported, inside our own look: it stays on afterwards.

    Else only the first figure of a notebook would be shown.
    """
    import matplotlib

    from sim.presentation.style import style

    before = matplotlib.is_interactive()
    try:
        matplotlib.interactive(False)
        with style():
            matplotlib.interactive(True)
        assert matplotlib.is_interactive()
        with style():
            pass
        assert matplotlib.is_interactive()
    finally:
        matplotlib.interactive(before)
