"""Bars of what carries each outcome's variance. Nothing is computed here but what is drawn."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, text
from sim.presentation.sensitivity import called, outcome_name
from sim.presentation.sheet import records
from sim.presentation.style import GREY, PALETTE, SIZE, canvas, dress, nothing, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.experiments.sensitivity.result import Variance

__all__ = ["carriers", "figures"]

_MOST = 8
"""assumed: bars of a figure that can still be read from the back of a room."""

_LABEL = 34
"""assumed: letters of a line beside a bar."""


def carriers(
    found: Variance, which: str, ax: Axes | None = None, *, kind: str = "level", lang: Lang = "en"
) -> Axes:  # fmt: skip
    """Bars: what each number carries of the variance of outcome `which`, alone and together with others.

    The line is the 95 % interval of the total share.
    """
    row = next(r for r in records(found.outcomes) if (r["outcome"], r["kind"]) == (which, kind))
    shares = [] if row["reason"] is not None else records(found.ranked(which, kind).head(_MOST))
    with style():
        ax = canvas(ax)
        named = outcome_name(found, row, lang)
        dress(ax, text("sensitivity.figure.title", lang, outcome=named), text("sensitivity.figure.axis", lang), "")
        if not shares:
            return nothing(ax, lang)
        for place, share in enumerate(shares):
            total, alone = 100 * max(share["total"], 0.0), 100 * max(share["first"], 0.0)
            alone = min(alone, total)
            ax.barh(place, alone, color=PALETTE[0], height=0.6)
            ax.barh(place, total - alone, left=alone, color=PALETTE[5], height=0.6)
            ends = [100 * share[f"total_{end}"] for end in ("low", "high")]
            ax.plot(ends, [place, place], color="black", linewidth=1.5, solid_capstyle="butt")
        for part, colour in (("first", PALETTE[0]), ("total", PALETTE[5])):
            ax.barh(0, 0, color=colour, label=text(f"sensitivity.figure.{part}", lang))
        names = [textwrap.fill(re.split("[;；]", called(found, s["group"], lang))[0], _LABEL) for s in shares]
        ax.set_yticks(range(len(names)), names, parse_math=False, color="black", fontsize=11)
        grey: dict[bool, str] = {True: "black", False: GREY}
        for label, share in zip(ax.get_yticklabels(), shares, strict=True):
            label.set_color(grey[share["rank"] is not None])
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.grid(axis="y", visible=False)
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
        ax.legend(frameon=False, loc="lower right")
    return ax


def figures(found: Variance, folder: Path, *, lang: Lang) -> list[Path]:
    """Draw every outcome into `folder` as SVG and PNG; returns the files. The same tables give the same bytes."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with style():
        for row in records(found.outcomes):
            figure = Figure(figsize=SIZE, layout="constrained")
            carriers(found, row["outcome"], figure.add_subplot(), kind=row["kind"], lang=lang)
            stem = row["outcome"] if row["kind"] == "level" else f"effect_{row['outcome']}"
            endings: tuple[tuple[str, dict[str, Any]], ...] = (("svg", {"Date": None}), ("png", {"Software": None}))
            for ending, metadata in endings:
                written.append(folder / f"{stem}.{ending}")
                figure.savefig(written[-1], metadata=metadata)
    return written
