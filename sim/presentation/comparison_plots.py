"""Figures of a comparison. Every function takes a tidy frame and axes to draw on, and returns the axes.

Frames are the tables of `sim.experiments.comparison.result`; `names` says what scenarios are called, `labels` what
stages are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Labels, Lang, name, outcome, scale, short, text
from sim.presentation.comparison import names as called
from sim.presentation.comparison import words
from sim.presentation.digits import Measured
from sim.presentation.dots import FONT, Dot, Sections, beside, differ, dot, dots, rows_of, tick
from sim.presentation.effect_tables import AGE, GROUPINGS
from sim.presentation.sheet import records
from sim.presentation.style import GREY, PALETTE, SIZE, End, canvas, dress, family, label_ends, nothing, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.experiments.comparison.result import Comparison

__all__ = ["Plots", "figures", "forest", "gains", "plane", "split"]

Names = Mapping[str, str]

_ROW = 0.29
"""Inches of height for a row of a figure that has many."""

_SURVIVAL = ("survival_12m", "survival_36m", "survival_60m")


def forest(
    effects: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None,
    names: Names | None = None, outcomes: Sequence[str] = _SURVIVAL,
) -> Axes:  # fmt: skip
    """Effects on shares with their intervals, in percentage points: a row each outcome and reform.

    `effects` holds scenario, outcome, effect (share), ci_low and ci_high; `outcomes` says which to draw.
    """
    reforms = list(dict.fromkeys(effects["scenario"]))
    sections = []
    for id in outcomes:
        rows = {row["scenario"]: row for row in records(effects[effects["outcome"] == id])}
        found = {r: Measured.of(rows[r], "effect", "ci_low", "ci_high").over(0.01) for r in reforms if r in rows}
        known = [Dot(_name(r, names), x, _colour(reforms, r)) for r, x in found.items() if x.known]
        if known:
            sections.append((outcome(id, lang, labels)[0], known))
    reached = bool(sections) and outcomes[0].startswith("reached_")
    title = text("compare.figure.reached" if reached else "compare.figure.survival", lang)
    return dots(ax, sections, title, text("compare.axis.points", lang), lang)


def gains(
    groups: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None, title: str = ""
) -> Axes:
    """Who gains and who loses by one reform: net survivors by group, with intervals.

    `groups` holds at, part, grouping, group, n, net_per_1000, net_low and net_high, of one reform.
    """
    at = _moment(groups)
    axis = text("compare.axis.net_end" if at == "end" else "compare.axis.net", lang, age=AGE)
    return dots(ax, _groups(groups, at, lang, labels), title or text("compare.figure.gains", lang), axis, lang)


def _moment(groups: pd.DataFrame) -> str:
    """At which age groups are compared: at the end if nobody arrived early enough."""
    early = groups[(groups["at"] == f"{AGE}m") & (groups["n"] > 0)]
    return f"{AGE}m" if len(early) else "end"


def _groups(groups: pd.DataFrame, at: str, lang: Lang, labels: Labels | None) -> Sections:
    """The groupings that tell people apart, with their groups."""
    mine = groups[(groups["part"] == "whole") & (groups["at"] == at) & (groups["n"] > 0)]
    sections = []
    for grouping, colour in zip(GROUPINGS, PALETTE, strict=False):
        kind = "stage" if grouping == "base_highest_stage" else grouping
        rows = records(mine[mine["grouping"] == grouping])
        found = [(r["group"], Measured.of(r, "net_per_1000", "net_low", "net_high")) for r in rows]
        if len(found) > 1:
            named = [Dot(short(name(kind, group, lang, labels)), number, colour) for group, number in found]
            sections.append((text(f"compare.by.{grouping}", lang), named))
    return sections


def split(
    effects: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", names: Names | None = None,
    labels: Labels | None = None, which: str = "newcomers_living_end",
) -> Axes:  # fmt: skip
    """Bars: the direct effect and displacement of each reform on one outcome, and the effect with its interval.

    `effects` holds scenario, outcome, unit, effect, ci_low, ci_high, direct and displacement. What has opposite signs
    stands on opposite sides of 0.
    """
    with style():
        ax = canvas(ax)
        rows = records(effects[effects["outcome"] == which].dropna(subset=["effect", "direct"]))
        unit = rows[0]["unit"] if rows else ""
        largest = max((abs(r[c]) for r in rows for c in ("effect", "direct", "displacement")), default=0.0)
        by, said = scale(largest, unit, lang)
        said = text("compare.axis.points", lang) if unit == "share" else said
        said_of = outcome(which, lang, labels)[0]
        dress(ax, text("compare.figure.split", lang, outcome=said_of), text("compare.axis.change", lang, unit=said), "")
        if not largest:
            return nothing(ax, lang, text("compare.figure.same", lang) if rows else "")
        for place, row in enumerate(rows):
            left = {True: 0.0, False: 0.0}
            for part, colour in zip(("direct", "displacement"), PALETTE, strict=False):
                size = row[part] / by
                ax.barh(place, size, left=left[size >= 0], color=colour, height=0.5)
                left[size >= 0] += size
            effect = Measured.of(row, "effect", "ci_low", "ci_high").over(by)
            dot(ax, place, effect, "black")
            beside(ax, place, effect)
        for part, colour in zip(("direct", "displacement"), PALETTE, strict=False):
            ax.barh(0, 0, color=colour, label=text(f"compare.figure.{part}", lang))
        ax.plot([], [], "o", color="black", label=text("compare.figure.effect", lang))
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=FONT, borderaxespad=0)
        ax.set_title(ax.get_title(loc="left"), loc="left", pad=34, fontsize=17, fontfamily=family())
        rows_of(ax, [_name(row["scenario"], names) for row in rows], lang)
    return ax


def plane(
    costs: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None,
    names: Names | None = None,
) -> Axes:  # fmt: skip
    """The cost-effectiveness plane: more survivors to the right, more public money upwards, each with its interval.

    `costs` holds scenario, age_months, money, extra_survivors and extra_cny with their ends. Money is what the people
    among whom survivors are counted received.
    """
    with style():
        ax = canvas(ax)
        title = text("compare.figure.plane", lang, age=AGE)
        dress(ax, title, text("compare.axis.survivors", lang, age=AGE), text("compare.axis.money", lang))
        mine = costs[(costs["age_months"] == AGE) & (costs["money"] == "received")].dropna(subset=["extra_cny"])
        if mine.empty:
            return nothing(ax, lang)
        reforms, ends = list(dict.fromkeys(costs["scenario"])), []
        for row in records(mine):
            x, y = Measured.of(row, "extra_survivors"), Measured.of(row, "extra_cny")
            colour = _colour(reforms, row["scenario"])
            ax.plot([x.low, x.high], [y.value] * 2, color=colour, linewidth=2)
            ax.plot([x.value] * 2, [y.low, y.high], color=colour, linewidth=2)
            ax.plot(x.value, y.value, "o", color=colour, markersize=8)
            ends.append(End(y.value, _name(row["scenario"], names), colour))
        _around_zero(ax, mine)
        _corners(ax, lang)
        label_ends(ax, ends)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(lambda value, _: tick(value, lang))
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    return ax


def _corners(ax: Axes, lang: Lang) -> None:
    """What each quadrant means."""
    for x, survivors in enumerate(("less", "more")):
        for y, money in enumerate(("less", "more")):
            words = text(f"compare.money.{money}", lang), text(f"compare.survivors.{survivors}", lang)
            side: dict[str, Any] = {"ha": ("left", "right")[x], "va": ("bottom", "top")[y], "fontsize": FONT}
            at = 0.01 + 0.98 * x, 0.015 + 0.97 * y
            ax.text(*at, "\n".join(words), transform=ax.transAxes, color=GREY, **side)


def _around_zero(ax: Axes, rows: pd.DataFrame) -> None:
    """Both axes with room on both sides of 0, and lines at 0."""
    for column, limits, line in (("extra_survivors", ax.set_xlim, ax.axvline), ("extra_cny", ax.set_ylim, ax.axhline)):
        ends = [0.0, *rows[f"{column}_low"], *rows[f"{column}_high"]]
        width = max(max(ends) - min(ends), 1.0)
        limits(min(ends) - 0.22 * width, max(ends) + 0.22 * width)
        line(0, color="#909090", linewidth=1, zorder=1)


# rows ---------------------------------------------------------------------------------------------------------------


def _name(reform: str, names: Names | None) -> str:
    return (names or {}).get(reform, reform)


def _colour(reforms: Sequence[str], reform: str) -> str:
    return PALETTE[reforms.index(reform) % len(PALETTE)]


# all of them ----------------------------------------------------------------------------------------------------------


def figures(comparison: Comparison, folder: Path, *, lang: Lang) -> list[Path]:
    """Draw every figure of a comparison into `folder` as SVG and PNG; returns the files.

    The same comparison gives the same bytes, as in `sim.presentation.plots`.
    """
    from matplotlib.figure import Figure

    plots = Plots(comparison, lang)
    effects = comparison.summary
    reached = [o for o in dict.fromkeys(effects["outcome"]) if o.startswith("reached_")]
    drawings: dict[str, tuple[int, Callable[[Axes], Axes]]] = {
        "survival": (3 * (1 + len(comparison.reforms)), plots.forest),
        "reached": (len(reached) * (1 + len(comparison.reforms)), partial(plots.forest, outcomes=reached)),
        "split": (0, plots.split),
        "split_sales": (0, partial(plots.split, which="sales_mean_cny")),
        "plane": (0, plots.plane),
    }
    for number, reform in enumerate(comparison.reforms, 1):
        table = comparison.gains[comparison.gains["scenario"] == reform]
        sections = _groups(table, _moment(table), lang, None)
        rows = sum(1 + len(groups) for _, groups in sections) if differ(sections) else 0
        drawings[f"gains_{number}"] = (rows, partial(plots.gains, reform=reform))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with style():
        for file, (rows, draw) in drawings.items():
            figure = Figure(figsize=(SIZE[0], max(SIZE[1], _ROW * rows + 1.6)), layout="constrained")
            draw(figure.add_subplot())
            for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                written.append(folder / f"{file}.{ending}")
                figure.savefig(written[-1], metadata=metadata)
    return written


class Plots:
    """The plots of one comparison; each takes an optional `ax` and returns its Axes."""

    def __init__(self, comparison: Comparison, lang: Lang = "en") -> None:
        self._found, self._lang = comparison, lang

    def _words(self, lang: Lang | None) -> dict[str, Any]:
        lang = lang or self._lang
        return {"lang": lang, "labels": words(self._found, lang), "names": called(self._found, lang)}

    def forest(self, ax: Axes | None = None, *, outcomes: Sequence[str] = _SURVIVAL, lang: Lang | None = None) -> Axes:
        """Effects on shares, by default on survival, with intervals."""
        return forest(self._found.summary, ax, outcomes=outcomes, **self._words(lang))

    def split(self, ax: Axes | None = None, *, which: str = "newcomers_living_end", lang: Lang | None = None) -> Axes:
        """Direct effect and displacement of each reform on one outcome."""
        return split(self._found.summary, ax, which=which, **self._words(lang))

    def plane(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """More survivors against more public money."""
        return plane(self._found.costs, ax, **self._words(lang))

    def gains(self, ax: Axes | None = None, *, reform: str | None = None, lang: Lang | None = None) -> Axes:
        """Who gains and who loses by a reform, by default the first."""
        said = self._words(lang)
        reform, named = reform or next(iter(self._found.reforms)), said.pop("names")
        title = text("compare.figure.gains_of", said["lang"], reform=named[reform])
        table = self._found.gains
        return gains(table[table["scenario"] == reform], ax, title=title, **said)
