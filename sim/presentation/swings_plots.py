"""The tornado: what each assumed number moves, from one end of its range to the other. Nothing is computed here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes as Named
from sim.presentation.catalogue import Lang, axis_number, outcome, text
from sim.presentation.dots import tick
from sim.presentation.indices import effects
from sim.presentation.sheet import records
from sim.presentation.style import GREY, PALETTE, canvas, dress, nothing, style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from sim.experiments.sensitivity.swings import Swings

__all__ = ["names", "tornado"]

_MOST = 12
"""assumed: bars of a figure that can still be read from the back of a room."""

_ENDS = {"low": PALETTE[1], "high": PALETTE[0]}


def names(found: Swings, scenario: Mapping[str, Any], lang: Lang) -> Named:
    """What the numbers are called."""
    origins = (row.origin for row in found.unknown.rows.values())
    return Named(({"path": o.path, "zh": o.zh, "en": o.en} for o in origins), scenario, lang)


def tornado(
    found: Swings, scenario: Mapping[str, Any], which: str, ax: Axes | None = None, *, lang: Lang = "en"
) -> Axes:
    """A bar for each end of each assumed number's range: how far it moves outcome `which`, with its 95 % interval.

    `scenario` is the resolved one, for names. Numbers that cannot be told from chance are left out.
    """
    called = names(found, scenario, lang)
    ranked = found.ranked(which)
    rows = records(ranked[ranked["rank"].notna()].head(_MOST))
    largest = max((abs(row[f"effect_{end}"]) for row in rows for end in _ENDS), default=0.0)
    by, said = effects(largest, found.units[which], lang)
    with style():
        ax = canvas(ax)
        title = text("swings.figure", lang, outcome=outcome(which, lang, called.labels)[0])
        dress(ax, title, text("swings.axis", lang, unit=said), "", text("swings.note", lang))
        if not rows:
            return nothing(ax, lang, text("swings.none", lang))
        for place, row in enumerate(rows):
            for end, colour in _ENDS.items():
                size = row[f"effect_{end}"] / by
                ax.barh(place, size, color=colour, height=0.62, label=text(f"swings.{end}", lang) if not place else "")
                ends = [row[f"ci_{side}_{end}"] / by for side in ("low", "high")]
                known = ends[0] < ends[1] and math.isfinite(ends[0])
                if known:
                    ax.plot(ends, [place, place], color="black", linewidth=1.2, solid_capstyle="butt")
                outer = (max if size > 0 else min)([size, *(ends if known else ())])
                _end(ax, place, outer if size else 0.0, axis_number(row[f"value_{end}"], lang))
        ax.set_yticks(range(len(rows)), [called.label(row["path"]) for row in rows], parse_math=False)
        ax.tick_params(axis="y", labelcolor="black", labelsize=11)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
        ax.axvline(0, color="#909090", linewidth=1)
        ax.margins(x=0.12)
        ax.xaxis.set_major_formatter(lambda value, _: tick(value, lang))
        ax.legend(frameon=False, loc="lower right", fontsize=11)
    return ax


def _end(ax: Axes, place: int, size: float, said: str) -> None:
    """The number at that end of its range, beside the bar."""
    if size:
        at: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 9.5, "color": GREY}
        ax.annotate(said, (size, place), (5 if size > 0 else -5, 0), ha="left" if size > 0 else "right", **at)
