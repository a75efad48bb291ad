"""The figures that grow with the months: survival and size on both sides, as SVG whose letters are paths."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sim.presentation import plots
from sim.presentation.catalogue import Lang
from sim.presentation.style import PALETTE, style
from sim.statistics import survival
from sim.statistics.columns import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "draw", "sizes"]

COLOURS = (PALETTE[0], PALETTE[4])
"""Of base and reform, here and on the page: as lines and dots both have a contrast of 3 with white and more."""

_WIDTHS = (5.0, 2.0)
"""The base is drawn broad and the reform narrow, so that both are seen where they agree, without colours too."""

_NO_NOTES = dict.fromkeys(("Date", "Creator", "Format", "Type"))

_SIZE = (5.2, 1.75)
"""Inches, at 100 points each."""


def draw(people: Sequence[pd.DataFrame], months: int, lang: Lang) -> dict[str, str]:
    """Survival and sizes of base and reform in one figure each, as SVG: ``survival`` and ``sizes``.

    The page writes titles, legend and what stands upright, in letters that a reader of the screen can read out.

    Parameters
    ----------
    people
        The table `entrepreneurs` of both sides.
    months
        Length of the horizon: the axis of ages is as long from the beginning, so that the curves grow along it.
    """
    from matplotlib.figure import Figure

    curves = _stacked([survival.survival(p) for p in people])
    tails = _stacked([sizes(p) for p in people])
    drawn = {}
    with style():
        for name in ("survival", "sizes"):
            figure = Figure(figsize=_SIZE, layout="constrained")
            ax = figure.add_subplot()
            if name == "survival":
                _lives(ax, curves, months, lang)
            else:
                plots.sizes(tails, ax, lang=lang)
            _sides(ax)
            out = io.StringIO()
            figure.savefig(out, format="svg", metadata=_NO_NOTES, transparent=True)
            drawn[name] = out.getvalue()
    return drawn


def _lives(ax: Axes, curves: pd.DataFrame, months: int, lang: Lang) -> None:
    plots.survival(curves, ax, lang=lang)
    if curves.empty:
        return
    per = 12 if curves["age_months"].max() >= 24 else 1
    ax.set_xlim(0, months / per)
    ax.set_xticks(range(0, months // per + 1, max(1, months // per // 6)))
    ax.xaxis.labelpad = 4


def _sides(ax: Axes) -> None:
    """Lines and bands in the colours of the sides, and nothing that the page writes itself."""
    ax.set_title("", loc="left")
    ax.set_ylabel("")
    if not ax.lines:
        return
    if legend := ax.get_legend():
        legend.remove()
    for letters in list(ax.texts):
        letters.remove()
    for line, colour, width in zip(ax.lines, COLOURS, _WIDTHS, strict=False):
        line.set(color=colour, linewidth=width, solid_capstyle="butt")
    for band, colour in zip(ax.collections, COLOURS, strict=False):
        band.set_color(colour)


def sizes(people: pd.DataFrame) -> pd.DataFrame:
    """Distribution of annual sales of the newcomers who trade: sales_cny, share_above (share with at least that)."""
    living = counted(people, "newcomers") & ~people["event"].to_numpy(bool)
    sales = np.sort(people["sales_12m_cny"].to_numpy()[living])
    above = 1 - np.arange(len(sales)) / max(len(sales), 1)
    selling = sales > 0
    return pd.DataFrame({"sales_cny": sales[selling], "share_above": above[selling]})


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    sides = ("base", "reform")
    return pd.concat([frame.assign(group=side) for frame, side in zip(frames, sides, strict=True)])
