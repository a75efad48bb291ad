from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim.presentation import plots
from sim.presentation.style import GREY, PALETTE, End, ink, label_ends, ramp

STAGES = ["village", "maker_space", "park"]


def curves(by: str = "highest_stage", groups: tuple[str, ...] = tuple(STAGES), months: int = 60) -> pd.DataFrame:
    rows = [
        (f"{by}={group}", age, 1000 - 5 * age, 5, 0.99**age, 0.99**age - 0.01, min(0.99**age + 0.01, 1))
        for k, group in enumerate(groups)
        for age in range(1, months - 12 * k * (by == "cohort_year") + 1)
    ]
    names = ["group", "age_months", "at_risk", "events", "survival", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=names).astype({"group": "category"})


def reach() -> pd.DataFrame:
    return pd.DataFrame({"stage": STAGES, "reached_share": [1, 0.12, 0.0007], "conversion": [1, 0.12, np.nan]})


def tail() -> pd.DataFrame:
    sales = np.geomspace(1e3, 1e8, 50)
    return pd.DataFrame({"sales_cny": sales, "share_above": (1e3 / sales) ** 0.9})


def flow(runs: int = 3, months: int = 24) -> pd.DataFrame:
    rows = [
        (run, month, stage, np.nan if stage == "village" else month / months, run + month)
        for run in range(runs)
        for month in range(months)
        for stage in STAGES
    ]
    return pd.DataFrame(rows, columns=["replicate", "month", "stage", "utilisation", "waiting"])


def paid() -> pd.DataFrame:
    rows = [(year, i, 1e6 * k) for year in (2024, 2025) for k, i in enumerate(("stipend", "rent", "training"), 1)]
    return pd.DataFrame(rows, columns=["year", "instrument", "paid_cny"])


DRAWINGS = {
    plots.survival: curves(),
    plots.funnel: reach(),
    plots.sizes: tail(),
    plots.occupancy: flow(),
    plots.waiting: flow(),
    plots.spending: paid(),
}
each = pytest.mark.parametrize(("draw", "frame"), DRAWINGS.items(), ids=[f.__name__ for f in DRAWINGS])


class Run:
    """A result with all the frames that the figures need."""

    def survival(self, by: str) -> pd.DataFrame:
        return curves(by, ("2024", "2025")) if by == "cohort_year" else curves(by)

    def funnel(self) -> pd.DataFrame:
        return reach()

    def sizes(self) -> pd.DataFrame:
        return tail()

    def occupancy(self) -> pd.DataFrame:
        return flow()

    def spending(self) -> pd.DataFrame:
        return paid()


def render(ax) -> str:
    """All the words in a figure, after drawing it: a missing glyph or any other warning is an error."""
    ax.figure.draw_without_rendering()
    return "\n".join(t.get_text() for t in ax.findobj(mpl.text.Text))


@each
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_draws_where_it_is_told(draw, frame, lang):
    """Every figure is drawn on the axes given, which are returned, with a title and named axes."""
    ax = Figure(layout="constrained").add_subplot()
    assert draw(frame, ax, lang=lang) is ax
    assert render(ax)
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()


@each
def test_empty(draw, frame):
    """A run in which nothing happened gives a figure that says so."""
    ax = draw(frame.iloc[:0], Figure().add_subplot())
    assert "nothing to show" in render(ax)


@each
def test_nothing_global_changes(draw, frame):
    """Drawing leaves matplotlib's settings as they were."""
    before = dict(mpl.rcParams)
    draw(frame, Figure().add_subplot())
    assert dict(mpl.rcParams) == before


@each
def test_the_frame_is_left_alone(draw, frame):
    """Drawing does not change the data."""
    before = frame.copy()
    draw(frame, Figure().add_subplot())
    pd.testing.assert_frame_equal(frame, before)


@each
def test_dollar_signs_are_no_formulas(draw, frame):
    """A label with dollar signs, which matplotlib would take for mathematics, is drawn as it is."""
    odd = r"$\bad{$ 义乌 [x]"
    labels = dict.fromkeys((*STAGES, "stipend", "rent"), odd)
    ax = draw(frame, Figure().add_subplot(), labels=labels)
    assert (odd in render(ax)) == (draw is not plots.sizes)


def test_without_axes_a_figure_is_made():
    """A notebook need not give axes."""
    import matplotlib.pyplot as plt

    mpl.use("agg")
    ax = plots.funnel(reach())
    assert ax.figure.number in plt.get_fignums()
    plt.close(ax.figure)


def test_survival_shows_the_numbers_given():
    """A curve passes through the estimates, starts at 100 %, and the numbers at risk stand below whole years."""
    ax = plots.survival(curves(groups=("park",)), Figure().add_subplot())
    x, y = ax.lines[0].get_data()
    assert (x[0], y[0]) == (0, 100)
    assert x[12] == 1
    assert y[12] == pytest.approx(100 * 0.99**12)
    assert f"{1000 - 5 * 13:,}" in render(ax)


def test_survival_from_a_landmark():
    """Curves that begin at a later age start at 100 % there."""
    late = curves(groups=("park",)).iloc[12:]
    x, y = plots.survival(late, Figure().add_subplot()).lines[0].get_data()
    assert (x[0], y[0]) == (1, 100)


def test_caution_is_printed():
    """What a reader must be told beside a curve stands in the figure."""
    frame = curves()
    frame.attrs["caution"] = {"en": "mind the bias", "zh": "注意偏差"}
    assert "注意偏差" in render(plots.survival(frame, Figure().add_subplot(), lang="zh"))


def test_short_runs_count_in_months():
    """A run of half a year has an axis in months, with more than one tick."""
    ax = plots.survival(curves(months=6), Figure().add_subplot())
    assert "months" in ax.get_xlabel()
    assert list(ax.get_xticks()) == [0, 1, 2, 3, 4, 5, 6]


def test_many_cohorts_are_all_drawn():
    """Of ten cohorts every curve is drawn and every second is named."""
    years = tuple(str(year) for year in range(2024, 2034))
    ax = plots.survival(curves("cohort_year", years, 120), Figure(figsize=(9, 5)).add_subplot())
    words = render(ax).splitlines()
    assert sum(len(line.get_xdata()) > 1 for line in ax.lines) == 10
    assert "2024" in words
    assert "2025" not in words


def test_a_stage_keeps_its_colour():
    """A stage has the same colour in every figure, though open stages have no occupancy."""
    bars = plots.funnel(reach(), Figure().add_subplot()).patches
    lines = plots.occupancy(flow(runs=1), Figure().add_subplot()).lines
    assert mpl.colors.to_hex(bars[1].get_facecolor()) == lines[0].get_color().lower()


def test_one_line_a_run():
    """Each run is a line; a single run is drawn boldly; a month of one run is enough."""
    assert len(plots.waiting(flow(runs=3), Figure().add_subplot()).lines) == 6
    assert len(plots.waiting(flow(runs=1).drop(columns="replicate"), Figure().add_subplot()).lines) == 2
    render(plots.waiting(flow(runs=1, months=1), Figure().add_subplot()))


def test_calendar_on_the_axis():
    """With a start the months are calendar time."""
    ax = plots.occupancy(flow(), Figure().add_subplot(), start="2024-04")
    assert ax.get_xlim()[0] == pytest.approx(2024.25)


def test_bars_stack():
    """Instruments stand on one another: the top of the last bar is all that was paid in that year."""
    bars = plots.spending(paid(), Figure().add_subplot()).patches
    assert max(bar.get_y() + bar.get_height() for bar in bars) == pytest.approx(6e6)


@pytest.mark.parametrize("heights", [[1, 1, 1, 1], [99, 99.5, 100], [0, 0, 100], [50]])
def test_names_of_lines_do_not_overlap(heights):
    """Names beside lines that end together are moved apart, and stay beside the axes."""
    ax = Figure().add_subplot()
    ax.set_ylim(0, 100)
    label_ends(ax, [End(y, str(i), "black") for i, y in enumerate(heights)], gap=0.1)
    placed = sorted(t.xy[1] for t in ax.texts)
    assert all(b - a > 0.0999 for a, b in pairwise(placed))
    assert placed[0] >= 0
    assert placed[-1] <= 1


def test_files_are_the_same_bytes(tmp_path):
    """The same result drawn twice gives the same files, with letters as paths and no date."""
    first = plots.figures(Run(), tmp_path / "a", lang="zh", start="2024-04")
    second = plots.figures(Run(), tmp_path / "b", lang="zh", start="2024-04")
    assert len(first) == 14
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name
    svg = (tmp_path / "a" / "funnel.svg").read_text("utf-8")
    assert "<dc:date>" not in svg
    assert "<text" not in svg


def test_letters_can_be_read_on_white() -> None:
    """The ink of every colour has the contrast with white that letters need; what has it already stays as it is."""

    def contrast(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
        return 1.05 / (float(np.dot((0.2126, 0.7152, 0.0722), linear)) + 0.05)

    assert contrast("#ffffff") == pytest.approx(1)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)  # the grey that is usually named as the lightest
    colours = (*PALETTE, *ramp(12), GREY)
    assert min(map(contrast, colours)) < 4.4
    assert min(contrast(ink(c)) for c in colours) >= 4.49
    assert ink("#0072b2") == "#0072b2"
