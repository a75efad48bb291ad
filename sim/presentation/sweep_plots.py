"""Figures of a sweep: an outcome over what varies. Nothing is computed here but what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes as Named
from sim.presentation.catalogue import Lang, labels, outcome, scale, text
from sim.presentation.style import GREY, PALETTE, End, canvas, dress, label_ends, nothing, numbers, ramp, style
from sim.presentation.sweep import branch, value

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.experiments.sweep.result import Sweep

__all__ = ["leading", "response"]

_LINES = 7
"""assumed: more lines than this are a cloud of points."""


def leading(found: Sweep, which: str, branch_id: str) -> tuple[pd.DataFrame, list[str]]:
    """The points of a branch at which an outcome is known, with their values, and the paths that vary there.

    Those come first along which it varies most.
    """
    points = found.points.drop_duplicates("point")
    points = points[points["branch"] == branch_id].drop(columns="number")
    rows = found.summary[(found.summary["outcome"] == which) & found.summary["mean"].notna()]
    wide = points.merge(rows.drop(columns=["branch", "outcome"]), on="point")
    paths = [p for p in found.paths if p in wide and wide[p].nunique() > 1]

    def spread(path: str) -> float:
        """Between the means at the lower and the upper half of its values."""
        order = wide[path].rank(method="dense") if wide[path].dtype != object else wide[path].astype(str).rank("index")
        upper = order > order.median()
        return abs(float(wide.loc[upper, "mean"].mean() - wide.loc[~upper, "mean"].mean())) if upper.any() else 0.0

    return wide, sorted(paths, key=spread, reverse=True)


def response(found: Sweep, which: str, ax: Axes | None = None, *, of: str = "", lang: Lang = "en") -> Axes:
    """An outcome over the number that moves it most in branch `of`.

    A grid of two numbers has a line for each value of the other; without intervals, which say little of how lines
    differ that share their luck. One line, and the points of any other design, have the 95 % interval of each mean.
    """
    wide, paths = leading(found, which, of)
    called = Named(found.manifest["axes"], found.manifest["scenario"], lang)
    named = outcome(which, lang, labels(found.manifest["scenario"], lang))[0]
    by, unit = scale(float(wide["mean"].abs().max()) if len(wide) else 0.0, found.manifest["outcomes"][which], lang)
    with style():
        ax = canvas(ax)
        up = f"{named} ({unit})" if unit else named
        title = text("sweep.figure.response", lang, outcome=named)
        where = branch(found.manifest, of, lang) if of else ""
        if not paths or wide.empty:
            dress(ax, title, "", up, where)
            return nothing(ax, lang)
        first, *others = paths
        grid = len(others) <= 1 and len(wide) == wide[first].nunique() * (wide[others[0]].nunique() if others else 1)
        lines = grid and (not others or wide[others[0]].nunique() <= _LINES)
        note = text("sweep.figure.lines", lang, other=called.name(others[0])) if lines and others else where
        dress(ax, title, called.name(first), up, note)
        if lines:
            _lines(ax, wide, first, others[0] if others else None, by, lang)
        else:
            half = (wide["ci_high"] - wide["mean"]).fillna(0.0) / by
            look: dict[str, Any] = {"fmt": "o", "color": PALETTE[0], "ecolor": GREY, "elinewidth": 0.8, "markersize": 5}
            ax.errorbar(_places(wide[first]), wide["mean"] / by, yerr=half, alpha=0.8, **look)
        if wide[first].dtype == object:
            values = list(dict.fromkeys(map(str, wide[first])))
            ax.set_xticks(range(len(values)), values, parse_math=False)
        else:
            numbers(ax.xaxis, lang)
        numbers(ax.yaxis, lang)
    return ax


def _lines(ax: Axes, wide: pd.DataFrame, first: str, other: str | None, by: float, lang: Lang) -> None:
    groups = [(None, wide)] if other is None else list(wide.groupby(other, sort=True))
    colours = [PALETTE[0]] if other is None else ramp(len(groups))
    ends = []
    for colour, (level, rows) in zip(colours, groups, strict=True):
        rows = rows.sort_values(first)
        x = _places(rows[first])
        ax.plot(x, rows["mean"] / by, color=colour, linewidth=2, marker="o", markersize=5)
        if other is None:
            ax.fill_between(x, rows["ci_low"] / by, rows["ci_high"] / by, color=colour, alpha=0.14, linewidth=0)
        else:
            ends.append(End(float(rows["mean"].iloc[-1]) / by, value(level, lang), colour))
    label_ends(ax, ends)


def _places(values: pd.Series[Any]) -> list[float]:
    """Numbers as they are; words in the order in which they come."""
    if values.dtype != object:
        return [float(v) for v in values]
    order = {v: k for k, v in enumerate(dict.fromkeys(map(str, values)))}
    return [float(order[str(v)]) for v in values]
