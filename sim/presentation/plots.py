"""Figures. Every function takes a tidy frame and axes to draw on, and returns the axes; none computes anything.

Frames are those of `sim.statistics`. Without `ax` a new figure of slide size is made, through pyplot, so that a
notebook shows it. `labels` maps ids of stages and instruments to the scenario's own labels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sim.presentation.alluvial import flow
from sim.presentation.catalogue import Labels, Lang, decimals, name, short, text
from sim.presentation.style import (
    GREY,
    PALETTE,
    SIZE,
    End,
    canvas,
    dress,
    ink,
    label_ends,
    nothing,
    numbers,
    ramp,
    style,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Drawable", "figures", "flow", "funnel", "occupancy", "sizes", "spending", "survival", "waiting"]

_KINDS = ("stage", "education", "origin", "channel", "policy")

_ROWS = 6
"""assumed: of more curves than this only every second (third, ...) is named and listed at risk; all are drawn."""

_RUNS = 20
"""assumed: more lines than this hide one another."""


class _Curve(NamedTuple):
    name: str
    colour: str
    rows: pd.DataFrame


def survival(
    curves: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None, title: str = ""
) -> Axes:
    """Step curves of survival with their 95 % bands, and under them how many shops are at risk at each year of age.

    Parameters
    ----------
    curves
        group (``all`` or ``attribute=value``), age_months, at_risk, survival, ci_low, ci_high (share; null = no band),
        as `sim.statistics.survival` gives them. A caution in ``curves.attrs`` is printed in the figure.
    title
        Instead of the usual one.
    """
    with style():
        ax = canvas(ax)
        oldest = int(curves["age_months"].max()) if len(curves) else 0
        per = 12 if oldest >= 24 else 1
        age = text("axis.age" if per == 12 else "axis.age_months", lang)
        note = curves.attrs.get("caution", {}).get(lang, "")
        dress(ax, title or text("figure.survival", lang), age, text("axis.survival", lang), note)
        if curves.empty:
            return nothing(ax, lang)
        curve: list[_Curve] = []
        groups = [(str(group), rows) for group, rows in curves.groupby("group", observed=True, sort=False)]
        for (group, rows), colour in zip(groups, _colours([group for group, _ in groups]), strict=True):
            curve.append(_Curve(_named(group, lang, labels), colour, rows))
            ages, first = rows["age_months"] / per, (rows["age_months"].iloc[0] - 1) / per
            ax.step([first, *ages], [100.0, *(100 * rows["survival"])], where="post", color=colour, linewidth=2)
            low, high = 100 * rows["ci_low"], 100 * rows["ci_high"]
            ax.fill_between(ages, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
        ax.set_xlim(0, oldest / per)
        ax.set_ylim(0, 100)
        ax.set_xticks(range(0, oldest // per + 1, -(-oldest // per // 12)))
        shown = curve[:: -(-len(curve) // _ROWS)]
        _name_curves(ax, shown, per)
        _at_risk(ax, shown, per, lang)
    return ax


def funnel(reach: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None) -> Axes:
    """Bars: the share of newcomers that ever reach each stage, and what share of the stage before that is.

    `reach` holds stage, reached_share and conversion, in the order of the chain, as `sim.statistics.funnel` gives them.
    """
    with style():
        ax = canvas(ax)
        dress(ax, text("figure.funnel", lang), text("axis.reached", lang), "")
        if reach.empty:
            return nothing(ax, lang)
        stages = [str(stage) for stage in reach["stage"]]
        rows = range(len(stages))
        ax.barh(rows, 100 * reach["reached_share"], color=_colours(stages), height=0.62)
        for row, (share, conversion) in enumerate(zip(reach["reached_share"], reach["conversion"], strict=True)):
            of_before = "" if row == 0 else text("axis.of_before", lang, share=_percent(conversion))
            ax.annotate(_percent(share), (100 * share, row), (6, 0), textcoords="offset points", va="center")
            ax.annotate(
                of_before, (100 * share, row), (70, 0), textcoords="offset points", va="center", color=GREY, fontsize=11
            )
        ax.set_yticks(rows, [name("stage", stage, lang, labels) for stage in stages], color="black", parse_math=False)
        ax.invert_yaxis()
        ax.grid(False)
        ax.set_xlim(0, 112)
        ax.set_xticks(range(0, 101, 20))
    return ax


def sizes(tail: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None) -> Axes:
    """How many shops sell at least so much: the complementary distribution, both axes logarithmic.

    `tail` holds sales_cny (CNY/year, above 0), share_above (share of shops that sell at least that) and, if there are
    several curves, group (``attribute=value``). A straight line is a Pareto tail.
    """
    with style():
        ax = canvas(ax)
        dress(ax, text("figure.sizes", lang), text("axis.sales", lang), text("axis.share_above", lang))
        if tail.empty:
            return nothing(ax, lang)
        by_group = tail.groupby("group", observed=True, sort=False) if "group" in tail else [("all", tail)]
        groups = [(str(group), rows) for group, rows in by_group]
        for (group, rows), colour in zip(groups, _colours([g for g, _ in groups]), strict=True):
            ax.plot(
                rows["sales_cny"],
                100 * rows["share_above"],
                color=colour,
                linewidth=2.2,
                label=_named(group, lang, labels),
            )
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
        numbers(ax.xaxis, lang)
        numbers(ax.yaxis, lang)
        ax.minorticks_off()
        if len(groups) > 1:
            colours = [ink(line.get_color()) for line in ax.lines]
            ax.legend(frameon=False, labelcolor=colours, handlelength=0, loc="lower left")
    return ax


def occupancy(
    months: pd.DataFrame, ax: Axes | None = None, *, start: str = "", lang: Lang = "en", labels: Labels | None = None
) -> Axes:
    """How full each stage is, month by month: one line a run.

    `months` holds stage, month, utilisation (share of places; null where the stage is open to all) and, with several
    runs, replicate, as `sim.statistics.occupancy` gives them; at most twenty runs are drawn. `start` (YYYY-MM) puts the
    calendar on the axis.
    """
    with style():
        ax = canvas(ax)
        elapsed = text("axis.date" if start else "axis.elapsed", lang)
        dress(ax, text("figure.occupancy", lang), elapsed, text("axis.occupancy", lang))
        return _monthly(ax, months.assign(shown=100 * months["utilisation"]), start, lang, labels)


def waiting(
    months: pd.DataFrame, ax: Axes | None = None, *, start: str = "", lang: Lang = "en", labels: Labels | None = None
) -> Axes:
    """Applicants who found no place, month by month: one line a run.

    `months` is as for `occupancy`, with the column waiting; stages that are open to all are left out.
    """
    with style():
        ax = canvas(ax)
        elapsed = text("axis.date" if start else "axis.elapsed", lang)
        dress(ax, text("figure.waiting", lang), elapsed, text("axis.waiting", lang))
        numbers(ax.yaxis, lang)
        return _monthly(ax, months.assign(shown=months["waiting"]), start, lang, labels)


def spending(yearly: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None) -> Axes:
    """What the city pays each year, stacked by instrument. `yearly` holds year, instrument and paid_cny (CNY)."""
    with style():
        ax = canvas(ax)
        dress(ax, text("figure.spending", lang), text("axis.year", lang), text("axis.paid", lang))
        if yearly.empty:
            return nothing(ax, lang)
        years = list(dict.fromkeys(yearly["year"]))
        instruments = [str(i) for i in dict.fromkeys(yearly["instrument"])]
        bottom, ends = dict.fromkeys(years, 0.0), []
        for instrument, colour in zip(instruments, PALETTE * len(instruments), strict=False):
            rows = yearly[yearly["instrument"] == instrument]
            below = [bottom[year] for year in rows["year"]]
            ax.bar(rows["year"], rows["paid_cny"], bottom=below, color=colour, width=0.7)
            bottom |= {
                year: base + paid for year, base, paid in zip(rows["year"], below, rows["paid_cny"], strict=True)
            }
            middle = below[-1] + rows["paid_cny"].iloc[-1] / 2
            ends.append(End(middle, name("policy", instrument, lang, labels), colour))
        ax.set_xticks(years)
        ax.margins(x=0.02)
        numbers(ax.yaxis, lang)
        label_ends(ax, ends)
    return ax


class Drawable(Protocol):
    """What `figures` needs of a result: the frames that the functions above describe."""

    def survival(self, by: str | None) -> pd.DataFrame:
        """Survival by ``cohort_year`` and by ``highest_stage``."""
        ...

    def funnel(self) -> pd.DataFrame:
        """The chain, one row a stage."""
        ...

    def flow(self) -> pd.DataFrame:
        """Moves from stage to stage."""
        ...

    def sizes(self) -> pd.DataFrame:
        """Distribution of sales at the end."""
        ...

    def occupancy(self) -> pd.DataFrame:
        """Places and waiting by month."""
        ...

    def spending(self) -> pd.DataFrame:
        """Payments by year and instrument, mean over replicates."""
        ...


def figures(result: Drawable, folder: Path, *, lang: Lang, labels: Labels | None = None, start: str = "") -> list[Path]:
    """Draw every figure of a run into `folder` as SVG and PNG; returns the files.

    The same result gives the same bytes: letters are paths, ids are salted, no date is written.
    """
    from matplotlib.figure import Figure

    words: dict[str, Any] = {"lang": lang, "labels": labels}

    def lives(by: str, title: str) -> Callable[[Axes], Axes]:
        return lambda ax: survival(result.survival(by), ax, title=text(title, lang), **words)

    drawings: dict[str, Callable[[Axes], Axes]] = {
        "survival_by_cohort": lives("cohort_year", "figure.survival_by_cohort"),
        "survival_by_stage": lives("highest_stage", "figure.survival_by_stage"),
        "funnel": lambda ax: funnel(result.funnel(), ax, **words),
        "sizes": lambda ax: sizes(result.sizes(), ax, **words),
        "occupancy": lambda ax: occupancy(result.occupancy(), ax, start=start, **words),
        "waiting": lambda ax: waiting(result.occupancy(), ax, start=start, **words),
        "spending": lambda ax: spending(result.spending(), ax, **words),
    }
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with style():
        for file, draw in drawings.items():
            figure = Figure(figsize=SIZE, layout="constrained")
            draw(figure.add_subplot())
            for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                written.append(folder / f"{file}.{ending}")
                figure.savefig(written[-1], metadata=metadata)
    return written


def _monthly(ax: Axes, months: pd.DataFrame, start: str, lang: Lang, labels: Labels | None) -> Axes:
    """Lines of column `shown` over the months, one for each run and stage that has places."""
    from matplotlib.ticker import MaxNLocator

    every_stage = [str(stage) for stage in dict.fromkeys(months["stage"])]
    colours = dict(zip(every_stage, _colours(every_stage), strict=True))
    months = months.dropna(subset=["utilisation"])
    if months.empty:
        return nothing(ax, lang)
    origin = int(start[:4]) + (int(start[5:]) - 1) / 12 if start else 0.0
    ends = []
    for stage, rows in months.groupby("stage", observed=True, sort=False):
        colour = colours[str(stage)]
        runs = [run for _, run in rows.groupby("replicate")][:_RUNS] if "replicate" in rows else [rows]
        width, alpha = (2.2, 1.0) if len(runs) == 1 else (1.1, 0.5)
        for run in runs:
            ax.plot(origin + run["month"] / 12, run["shown"], color=colour, linewidth=width, alpha=alpha)
        height = sum(run["shown"].iloc[-1] for run in runs) / len(runs)
        ends.append(End(height, short(name("stage", str(stage), lang, labels)), colour))
    ax.set_xlim(origin, origin + max(months["month"].max(), 1) / 12)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter("{x:.0f}")
    label_ends(ax, ends)
    return ax


def _name_curves(ax: Axes, curves: list[_Curve], per: int) -> None:
    """Names at the right edge if all curves end near it, else (cohorts of different age) above the end of each."""
    ends = [(c.rows["age_months"].iloc[-1] / per, 100 * c.rows["survival"].iloc[-1]) for c in curves]
    if len(curves) < 2:
        return
    oldest = max(x for x, _ in ends)
    if all(x >= 0.8 * oldest for x, _ in ends):
        label_ends(ax, [End(y, c.name, c.colour) for (_, y), c in zip(ends, curves, strict=True)], gap=0.08)
        return
    for (x, y), c in zip(ends, curves, strict=True):
        ax.plot(x, y, "o", color=c.colour, markersize=6, clip_on=False)
        ax.annotate(c.name, (x, y), (4, 7), textcoords="offset points", color=ink(c.colour))


def _at_risk(ax: Axes, curves: list[_Curve], per: int, lang: Lang) -> None:
    """The numbers at risk at each tick, in rows below the axis."""
    ax.xaxis.labelpad = 2
    font: dict[str, Any] = {"fontsize": 9.5, "annotation_clip": False, "va": "center"}
    at: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    row = -46.0
    ax.annotate(text("axis.at_risk", lang), (0, 0), (-30, row), ha="right", color=GREY, **font, **at)
    for curve in curves:
        if len(curves) > 1:
            row -= 13.5
            ax.annotate(curve.name, (0, 0), (-30, row), ha="right", color=ink(curve.colour), **font, **at)
        at_risk = dict(zip(curve.rows["age_months"], curve.rows["at_risk"], strict=True))
        for tick in ax.get_xticks():
            # whoever is at risk at an age trades at the start of the month after it
            if (count := at_risk.get(round(tick * per) + 1)) is not None:
                ax.annotate(f"{count:,}", (tick, 0), (0, row), ha="center", color=ink(curve.colour), **font, **at)


def _named(group: str, lang: Lang, labels: Labels | None) -> str:
    """The name of a group such as ``education=bachelor``."""
    value = group.partition("=")[2] or group
    names = (name(kind, value, lang, labels) for kind in _KINDS)
    return short(next((n for n in names if n != value), name("stage", value, lang, labels)))


def _colours(groups: list[str]) -> list[str]:
    """A colour for each group: hues, or shades of one ordered series for years and where there are many."""
    ordered = all((group.partition("=")[2] or group).isdigit() for group in groups)
    return ramp(len(groups)) if ordered or len(groups) > len(PALETTE) else list(PALETTE[: len(groups)])


def _percent(share: float) -> str:
    """A share as it stands beside a bar."""
    return "–" if share != share else f"{100 * share:.{min(decimals(100 * share), 2)}f}%"


class Plots:
    """The plots of one result; each takes an optional `ax` and `lang` and returns its Axes."""

    def __init__(self, result: Drawable) -> None:
        self._result = result

    def survival(self, by: str | None = None, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """Survival curves, all together or by a group."""
        return survival(self._result.survival(by), ax, lang=lang)

    def funnel(self, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """The share of newcomers that reaches each stage."""
        return funnel(self._result.funnel(), ax, lang=lang)

    def flow(self, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """Where newcomers go, from stage to stage."""
        return flow(self._result.flow(), ax, lang=lang)

    def sizes(self, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """The distribution of annual sales at the end."""
        return sizes(self._result.sizes(), ax, lang=lang)

    def occupancy(self, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """How full each stage is, month by month."""
        return occupancy(self._result.occupancy(), ax, lang=lang)

    def waiting(self, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """Who found no place, month by month."""
        return waiting(self._result.occupancy(), ax, lang=lang)

    def spending(self, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
        """What the city pays each year, by instrument."""
        return spending(self._result.spending(), ax, lang=lang)
