"""The scorecard as a figure: each number of the model against the band that it should fall in."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, text
from sim.presentation.sheet import records
from sim.presentation.style import GREY, PALETTE, canvas, dress, nothing, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["bands"]

_BEYOND = 0.9
"""assumed: how far outside its band a number is still drawn where it is, in lengths of the band."""

_LABEL = 44
"""assumed: letters of a line beside a row."""

_NULLS = {"coin": ("D", GREY), "floor": ("s", GREY)}


def bands(facts: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """Rows of numbers, each scaled so that its band is as long as the others'.

    `facts` holds fact (a name), mean, low and high (of the band; null where it is open), and a column for each null
    model. A band with one end goes on to the margin, and is as long as that end is far from 0. What lies further out
    than there is room for stands at the margin, with an arrow.
    """
    rows = records(facts)
    with style():
        ax = canvas(ax)
        dress(ax, text("facts.figure.title", lang), "", "", text("facts.figure.note", lang))
        if not rows:
            return nothing(ax, lang)
        for place, row in enumerate(rows):
            low, high = row["low"], row["high"]
            left, right = (-_BEYOND - 0.1 if low is None else 0.0), (1.1 + _BEYOND if high is None else 1.0)
            ax.barh(place, right - left, left=left, height=0.62, color="#dfeee8", linewidth=0)
            for end, side in ((low, 0.0), (high, 1.0)):
                if end is not None:
                    ax.plot([side] * 2, [place - 0.31, place + 0.31], color=PALETTE[2], linewidth=2)
            for null, (marker, colour) in _NULLS.items():
                if row.get(null) is not None:
                    _mark(ax, place, _at(row[null], low, high), marker, colour, hollow=True)
            inside = (low is None or row["mean"] >= low) and (high is None or row["mean"] <= high)
            _mark(ax, place, _at(row["mean"], low, high), "o", PALETTE[0] if inside else PALETTE[4])
        for label, marker, colour, hollow in (
            ("holds", "o", PALETTE[0], False), ("fails", "o", PALETTE[4], False),
            *((null, marker, colour, True) for null, (marker, colour) in _NULLS.items()),
        ):  # fmt: skip
            face = "white" if hollow else colour
            ax.plot([], [], marker, color=colour, mfc=face, label=text(f"facts.figure.{label}", lang))
        ax.set_yticks(range(len(rows)), [textwrap.fill(row["fact"], _LABEL) for row in rows], parse_math=False)
        ax.tick_params(axis="y", labelcolor="black", labelsize=10)
        ax.set_xlim(-_BEYOND - 0.1, 1 + _BEYOND + 0.1)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xticks([])
        ax.grid(False)
        ax.spines["bottom"].set_visible(False)
        ax.legend(
            frameon=False, loc="upper center", bbox_to_anchor=(0.3, -0.01), ncols=4, fontsize=11, handletextpad=0.1
        )
    return ax


def _at(value: float, low: float | None, high: float | None) -> float:
    """Where a number lies: 0 at the lower end of its band, 1 at the upper."""
    if low is not None and high is not None:
        return (value - low) / (high - low) if high > low else 0.5 + math.copysign(value != low, value - low)
    end = low if low is not None else high
    assert end is not None
    size = abs(end) or 1.0
    return (value - end) / size if low is not None else 1 + (value - end) / size


def _mark(ax: Axes, place: int, at: float, marker: str, colour: str, *, hollow: bool = False) -> None:
    drawn = min(max(at, -_BEYOND), 1 + _BEYOND)
    look: dict[str, Any] = {
        "color": colour,
        "markerfacecolor": "white" if hollow else colour,
        "markersize": 6 if hollow else 8,
    }
    ax.plot(drawn, place, marker, **look)
    if drawn != at:
        side = math.copysign(1.0, at - drawn)
        arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": colour, "linewidth": 1}
        ax.annotate("", (drawn + 0.1 * side, place), (drawn, place), arrowprops=arrow)
