import io
import subprocess
import sys

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from sim.presentation.answer import Answer, show
from sim.presentation.catalogue import text

NAN = float("nan")
TOO_SHORT = "the run is 36 months long: survival at 60 months cannot be known"


def summary() -> pd.DataFrame:
    rows = [
        ("survival_12m", 0.8123, 0.8111, 0.8137, 0.80, 0.82, 20, "share", None),
        ("survival_60m", NAN, NAN, NAN, NAN, NAN, 0, "share", TOO_SHORT),
        ("living_end", 98765.0, 98700.0, 98830.0, 98000.0, 99500.0, 20, "persons", None),
        ("sales_mean_cny", 432100.0, 430000.0, 434200.0, 420000.0, 444000.0, 20, "CNY/year", None),
        ("sales_p90_cny", 1e6, 1e6, 1e6, 1e6, 1e6, 20, "CNY/year", None),
        ("reached_incubator", 0.034, 0.033, 0.035, 0.032, 0.036, 20, "share", None),
        ("occupancy_village", NAN, NAN, NAN, NAN, NAN, 0, "share", "village is open to all"),
        ("waiting_village", 0.0, 0.0, 0.0, 0.0, 0.0, 20, "count", None),
        ("spent_cny", 1.2345e9, 1.23e9, 1.24e9, 1.2e9, 1.26e9, 20, "CNY", None),
        ("brand_new", 7.0, 6.0, 8.0, 5.0, 9.0, 20, "", None),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["outcome", "mean", "ci_low", "ci_high", "p10", "p90", "n", "unit", "reason"])


def printed(answer: Answer, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False).print(answer)
    return out.getvalue()


def line(output: str, start: str) -> str:
    return next(row for row in output.splitlines() if row.strip().startswith(start))


def test_mean_interval_and_spread_stand_apart():
    """A row has the mean, the interval of the mean and the spread between runs, in one unit."""
    assert line(printed(Answer(summary(), replicates=20)), "Trading at 12").split() == [
        "Trading", "at", "12", "months", "81.2", "81.1–81.4", "80.0–82.0", "%",
    ]  # fmt: skip
    zh = printed(Answer(summary(), replicates=20, lang="zh"))
    assert line(zh, "年销售额均值").split() == ["年销售额均值", "43.2", "43.0–43.4", "42.0–44.4", "万元/年"]
    assert line(zh, "支出合计").split() == ["支出合计", "12.3", "12.3–12.4", "12.0–12.6", "亿元"]


@pytest.mark.parametrize(("lang", "why"), [("en", "the run is 36 months long"), ("zh", "模拟只有36个月")])
def test_what_is_not_known_says_why(lang, why):
    """An unknown outcome is a dash with a footnote, never 0."""
    output = printed(Answer(summary(), lang=lang))
    assert "–[1]" in output
    assert line(output, "[1]").strip().startswith(f"[1] {why}")


def test_a_narrow_interval_keeps_its_ends_apart():
    """Where the mean is known to more digits than usual, they are shown."""
    sure = summary().iloc[[0]].assign(mean=0.81234, ci_low=0.81231, ci_high=0.81237)
    assert "81.231–81.237" in printed(Answer(sure))


def test_partly_known():
    """A mean over some of the replicates only carries the footnote too."""
    some = summary().iloc[[5]].assign(reason="in 2 of 20 replicates: nobody arrived")
    output = printed(Answer(some, replicates=20))
    assert "3.40[1]" in output
    assert "[1] in 2 of 20 replicates: nobody arrived" in output


def test_one_replicate_has_no_interval():
    """With one run the interval and the spread are dashes, and the heading says so."""
    one = summary().iloc[[0]].assign(n=1, ci_low=NAN, ci_high=NAN, p10=NAN, p90=NAN)
    output = printed(Answer(one, replicates=1))
    assert line(output, "Trading").split()[4:] == ["81.2", "–", "–", "%"]
    assert text("answer.run", "en") in output


def test_places_of_an_open_stage_and_details_are_left_out():
    """What cannot be full is not shown as unknown, and quantiles are left to the table; a new outcome is shown."""
    output = printed(Answer(summary()))
    assert "Taobao village" not in output
    assert "90 %" not in output.split("Survival")[1]
    assert "brand_new" in output


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_eighty_columns(lang):
    """Nothing is wider than 80 cells, Chinese counted double, and columns line up."""
    output = printed(
        Answer(summary(), replicates=20, name="义乌" * 30, assumed=(61, 92, "scenarios/x.yaml"), lang=lang)
    )
    assert max(map(cell_len, output.splitlines())) <= 80
    rows = [
        row for row in output.splitlines() if row.startswith("  ") and row.rstrip().endswith("%") and "90 %" not in row
    ]
    assert len({cell_len(row.rstrip()) for row in rows}) == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_stands_below(lang):
    """The definition of survival, the assumed numbers, what cannot be validated, and the notes are printed."""
    output = printed(Answer(summary(), assumed=(61, 92, "x.yaml"), notes=("a note",), lang=lang), width=400)
    assert text("answer.survival_means", lang) in output
    assert text("answer.assumed", lang, assumed=61, total=92, file="x.yaml") in output
    assert text("answer.cannot_validate", lang) in output
    assert "a note" in output


def test_markup_is_inert():
    """What a user typed as a name, a label or a note is printed as typed, without escape sequences."""
    typed = "[bold red]x[/] {0} :smile: [link=http://a]b[/link]"
    answer = Answer(summary(), name=typed + "\x1b[31m", labels={"incubator": "[i]hub[/i]"}, notes=("[/]",))
    output = printed(answer, width=200)
    assert typed in output
    assert "[i]hub[/i]" in output
    assert "[/]" in output
    assert "\x1b" not in output


def test_no_colour_in_a_pipe(capsys):
    """Printed into a pipe there are no escape sequences."""
    show(Answer(summary()))
    assert "\x1b" not in capsys.readouterr().out


def test_no_colour_honoured():
    """On a terminal there is colour, and NO_COLOR takes it away."""
    code = (
        "import io, sys; from rich.console import Console; import pandas as pd\n"
        "from sim.presentation.answer import Answer\n"
        "t = pd.DataFrame([('survival_12m', .5, .4, .6, .3, .7, 2, 'share', None)], "
        "columns='outcome mean ci_low ci_high p10 p90 n unit reason'.split())\n"
        "f = io.StringIO(); Console(file=f, force_terminal=True, color_system='standard').print(Answer(t))\n"
        "sys.exit('\\x1b[1;36m' in f.getvalue())"
    )
    assert subprocess.run([sys.executable, "-c", code], env={"PATH": ""}, check=False).returncode == 1
    assert subprocess.run([sys.executable, "-c", code], env={"NO_COLOR": "1"}, check=False).returncode == 0
