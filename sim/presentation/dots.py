"""Numbers with intervals in rows under headings, and in figures at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.presentation.catalogue import Lang, axis_number, text
from sim.presentation.digits import Measured
from sim.presentation.style import GREY, canvas, dress, nothing, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FONT", "Dot", "Sections", "beside", "differ", "dot", "dots", "rows_of", "tick"]

FONT = 11


class Dot(NamedTuple):
    """A row."""

    label: str
    number: Measured
    colour: str


Sections = Sequence[tuple[str, Sequence[Dot]]]
"""Headings, and the rows under each."""


def dots(ax: Axes | None, sections: Sections, title: str, axis: str, lang: Lang) -> Axes:
    """Draw numbers with intervals in rows under headings, and in figures at the right."""
    with style():
        ax = canvas(ax)
        dress(ax, title, axis, "")
        if not differ(sections):
            return nothing(ax, lang, text("compare.figure.same", lang) if sections else "")
        labels: list[str] = []
        headings = []
        for heading, rows in sections:
            headings.append(len(labels))
            labels.append(heading)
            for row in rows:
                dot(ax, len(labels), row.number, row.colour)
                beside(ax, len(labels), row.number)
                labels.append(row.label)
        rows_of(ax, labels, lang)
        for place in headings:
            ax.get_yticklabels()[place].set_color("black")
            ax.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", linewidth=0, zorder=0)
    return ax


def differ(sections: Sections) -> bool:
    """Whether any number is another than 0."""
    return any(row.number.value or row.number.bounded for _, rows in sections for row in rows)


def dot(ax: Axes, place: int, number: Measured, colour: str) -> None:
    """A number with its interval in a row."""
    if number.bounded:
        ax.plot([number.low, number.high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    ax.plot(number.value, place, "o", color=colour, markersize=6)


def beside(ax: Axes, place: int, number: Measured) -> None:
    """The number in figures at the right edge; grey if its interval holds 0."""
    said: dict[str, Any] = {
        "va": "center",
        "annotation_clip": False,
        "fontsize": FONT,
        "color": "black" if number.clear else GREY,
    }
    at: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
    ax.annotate(number.give_or_take(), (1, place), (8, 0), **at, **said)


def rows_of(ax: Axes, labels: Sequence[str], lang: Lang) -> None:
    """Names of the rows from top to bottom, and a line at 0."""
    ax.set_yticks(range(len(labels)), labels, parse_math=False)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", labelsize=FONT)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    ax.axvline(0, color="#909090", linewidth=1, zorder=1)
    ax.xaxis.set_major_formatter(lambda value, _: tick(value, lang))


def tick(value: float, lang: Lang) -> str:
    """A number on an axis, with a real minus."""
    return axis_number(value, lang).replace("-", "−")
