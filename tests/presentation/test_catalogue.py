import io
import string
import subprocess
import sys

import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.evidence.quantity import Parameters
from sim.policy._instrument import types
from sim.presentation import catalogue
from sim.presentation.style import style
from sim.statistics.summary import outcomes
from sim.tables import EXIT_REASONS, OUTSIDE, columns

LANGUAGES = ("zh", "en")
STAGES = ("village", "maker_space", "incubator", "accelerator", "park")


def placeholders(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field}


def template(key: str, lang: catalogue.Lang) -> str:
    class Kept(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return "{" + key + "}"

    return catalogue._read(lang)[key].format_map(Kept())


def unknown_outcomes():
    tables = {
        name: pd.DataFrame({c.name: pd.Series(dtype=_dtype(c.dtype)) for c in columns(name, STAGES)})
        for name in ("entrepreneurs", "transitions", "months", "ledger")
    }
    return outcomes(tables, months=24, stages=STAGES)


def _dtype(arrow: str) -> str:
    return {"date": "object", "string": "object"}.get(arrow, arrow)


def test_both_languages_say_everything():
    """Every key stands in both languages."""
    assert set(catalogue.keys("zh")) == set(catalogue.keys("en"))


def test_placeholders_agree():
    """A text takes the same values in both languages (a reason may use fewer in Chinese)."""
    for key in catalogue.keys("en"):
        zh, en = placeholders(template(key, "zh")), placeholders(template(key, "en"))
        assert zh <= en if key.startswith("reason.") else zh == en, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_outcome_has_a_name(lang):
    """Each outcome that the statistics can give has a name and a definition that are not its id."""
    for id in unknown_outcomes():
        name, definition = catalogue.outcome(id, lang)
        assert name != id, id
        assert definition, id


def test_every_reason_is_understood():
    """Why an outcome is not known is said in Chinese too."""
    for id, found in unknown_outcomes().items():
        if found.reason:
            assert catalogue.reason_key(found.reason), f"{id}: {found.reason}"
            assert catalogue.reason(found.reason, "zh") != found.reason


def test_reasons_nest_and_name_their_stage():
    """A reason inside a reason is translated, and a stage is called by the scenario's own label."""
    said = catalogue.reason("in 2 of 20 replicates: no newcomer reached hub", "zh", {"hub": "枢纽"})
    assert said == "20次中有2次：没有新创业者到达枢纽"
    assert catalogue.reason("something else", "zh") == "something else"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_name_is_there(lang):
    """Stages, exit reasons, people, instruments and table headings have text."""
    known = set(catalogue.keys(lang))
    expected = {f"stage.{s}" for s in (*STAGES, OUTSIDE)} | {f"exit_reason.{r}" for r in EXIT_REASONS}
    expected |= {f"education.{e}" for e in EDUCATION} | {f"origin.{o}" for o in ORIGINS}
    expected |= {f"channel.{c}" for c in CHANNELS} | {f"policy.{t}" for t in types()}
    for table in ("months", "ledger"):
        expected |= {f"heading.{c.name}" for c in columns(table) if c.name not in ("replicate", "date")}
    assert not expected - known


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_boxes(lang):
    """Every letter of the catalogue has a glyph: matplotlib warns of a missing one, and a warning is an error."""
    draw("".join(sorted(set("".join(catalogue._read(lang).values())) - {"\n"})))


def test_parameters_have_glyphs():
    """The Chinese and English phrases of every parameter can be drawn."""
    phrases = ""
    models = list(Parameters.__subclasses__())
    while models:
        model = models.pop()
        models += model.__subclasses__()
        extras = (field.json_schema_extra or {} for field in model.model_fields.values())
        phrases += "".join(extra.get("zh", "") + extra.get("en", "") for extra in extras)
    draw("".join(sorted(set(phrases))))


def test_a_missing_glyph_is_noticed():
    """The tests above can fail: a letter that no font here has is warned of."""
    with pytest.warns(UserWarning, match="missing from font"):
        draw("\U00020bb7")


def draw(letters: str) -> None:
    with style():
        figure = Figure(figsize=(60, 2))
        for row in range(0, len(letters), 200):
            figure.text(0, row / 2000, letters[row : row + 200])
        figure.savefig(io.BytesIO(), format="png", dpi=20)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
        ({"SIM_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
    ],
)
def test_language_of_the_environment(monkeypatch, environment, expected):
    """SIM_LANG goes before LC_ALL, LC_MESSAGES and LANG; what is empty does not count."""
    for variable in ("SIM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert catalogue.language() == expected
    assert catalogue.language("en") == "en"


def test_an_unknown_language_is_refused():
    """A language that nobody has written is an error, not a silent English."""
    with pytest.raises(ValueError, match="zh or en"):
        catalogue.language("fr")


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (5e4, "5万", "50,000"),
        (1.5e6, "150万", "1.5 m"),
        (2e8, "2亿", "200 m"),
        (3e9, "30亿", "3 bn"),
        (0.1, "0.1", "0.1"),
    ],
)
def test_numbers_on_axes(value, zh, en):
    """Chinese counts in 万 and 亿, English in thousands, millions and billions."""
    assert catalogue.axis_number(value, "zh") == zh
    assert catalogue.axis_number(value, "en") == en


def test_units_are_scaled_together():
    """A unit carries the power of ten that its number was divided by."""
    assert catalogue.scale(4.3e5, "CNY/year", "zh") == (1e4, "万元/年")
    assert catalogue.scale(1.2e9, "CNY", "en") == (1e9, "bn CNY")
    assert catalogue.scale(0.4, "share", "zh") == (0.01, "%")
    assert catalogue.scale(12.0, "parsec", "en") == (1.0, "parsec")


def test_marks_that_rewrite_a_line_are_replaced():
    """Escape and direction marks in a user's label do not reach the screen."""
    assert catalogue.name("stage", "hub", "en", {"hub": "a\x1b[2J\u202eb"}) == "a\ufffd[2J\ufffdb"


def test_importing_is_light():
    """Nothing heavy is imported before something is drawn or printed."""
    code = (
        "import sys, sim.presentation.catalogue, sim.presentation.answer, sim.presentation.plots\n"
        "sim.presentation.catalogue.text('answer.mean', 'zh')\n"
        "sys.exit(any(m in sys.modules for m in ('matplotlib', 'pandas', 'numpy', 'rich', 'ruamel.yaml')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
