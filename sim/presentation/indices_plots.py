"""Figures of a sensitivity analysis: bars with intervals, mu* against sigma, what two numbers do together.

Nothing is computed here but what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes
from sim.presentation.catalogue import Lang, outcome, scale, text
from sim.presentation.indices import branches, effects
from sim.presentation.sheet import records
from sim.presentation.style import (
    GREY,
    PALETTE,
    SIZE,
    End,
    canvas,
    dress,
    family,
    label_ends,
    nothing,
    numbers,
    ramp,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Frame

    from sim.experiments.sensitivity.found import Sensitivity

__all__ = ["Plots", "bars", "cells", "figures", "screening"]

_MOST = 10
"""assumed: bars of a figure that can still be read from the back of a room."""

_NAMED = 5
"""assumed: points that are named; the names of more would lie on one another."""

_ROW = 0.46
"""Inches of height for a number."""


def bars(found: Sensitivity, branch: str, which: str, ax: Frame | None = None, *, lang: Lang = "en") -> Frame:
    """A bar each number: its leading index with the 95 % interval, the first-order share darker, the floor a tick."""
    axes, row = _about(found, branch, which, lang)
    shares = records(found.ranked(branch, which).head(_MOST))
    with style():
        ax = canvas(ax)
        method = row["method"]
        by, unit = _scale(row, shares, lang)
        said = text(f"indices.figure.{method}", lang, outcome=outcome(which, lang, axes.labels)[0])
        dress(ax, said, text(f"indices.axis.{method}", lang, unit=unit), "", text(f"indices.note.{method}", lang))
        if not shares:
            return nothing(ax, lang)
        leading = {"morris": "mu_star", "pawn": "pawn"}.get(method, "total")
        for place, share in enumerate(shares):
            whole = max(share[leading] / by, 0.0)
            ax.barh(place, whole, color=PALETTE[5], height=0.6)
            if "first" in share:
                ax.barh(place, min(max(share["first"] / by, 0.0), whole), color=PALETTE[0], height=0.6)
            ends = [max(share[f"{leading}_{end}"] / by, 0.0) for end in ("low", "high")]
            ax.plot(ends, [place, place], color="black", linewidth=1.5, solid_capstyle="butt")
            if share["floor"] is not None:
                ax.plot([share["floor"] / by] * 2, [place - 0.38, place + 0.38], color=PALETTE[4], linewidth=2)
        ax.set_yticks(range(len(shares)), [axes.label(s["path"]) for s in shares], parse_math=False)
        ax.tick_params(axis="y", labelcolor="black", labelsize=11)
        for label, share in zip(ax.get_yticklabels(), shares, strict=True):
            label.set_color("black" if share["rank"] is not None else GREY)
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.grid(axis="y", visible=False)
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    return ax


def screening(found: Sensitivity, branch: str, which: str, ax: Frame | None = None, *, lang: Lang = "en") -> Frame:
    """Each number by the size of its effects (mu*) and by how much they differ from place to place (sigma)."""
    axes, row = _about(found, branch, which, lang)
    shares = records(found.ranked(branch, which))
    with style():
        ax = canvas(ax)
        by, unit = _scale(row, shares, lang)
        said = text("indices.figure.screening", lang, outcome=outcome(which, lang, axes.labels)[0])
        across, up = (text(f"indices.axis.{axis}", lang, unit=unit) for axis in ("morris", "sigma"))
        dress(ax, said, across, up, text("indices.note.screening", lang))
        if not shares or "sigma" not in shares[0]:
            return nothing(ax, lang)
        most = max(s["mu_star_high"] for s in shares) / by
        ax.plot([0, most], [0, most], color="#b0b0b0", linewidth=1, linestyle=":")
        for place, share in enumerate(shares):
            at = share["mu_star"] / by, share["sigma"] / by
            across_ends = [[at[0] - share["mu_star_low"] / by], [share["mu_star_high"] / by - at[0]]]
            ranked = share["rank"] is not None
            colour = PALETTE[0] if ranked else GREY
            ax.errorbar(*at, xerr=across_ends, fmt="o", color=colour, markersize=7, capsize=0, linewidth=1)
            if ranked and place < _NAMED:
                ax.annotate(axes.name(share["path"]), at, (7, 5), textcoords="offset points", fontsize=10, color=GREY)
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        numbers(ax.xaxis, lang)
        numbers(ax.yaxis, lang)
    return ax


def cells(found: Sensitivity, branch: str, which: str, ax: Frame | None = None, *, lang: Lang = "en") -> Frame:
    """The outcome over one number, a line for each part of another: parallel lines are no interaction."""
    axes, row = _about(found, branch, which, lang)
    frame = found.cells
    rows = frame[(frame["branch"] == branch) & (frame["outcome"] == which)]
    with style():
        ax = canvas(ax)
        by, unit = scale(float(rows["mean"].abs().max()) if len(rows) else 0.0, row["unit"], lang)
        named = outcome(which, lang, axes.labels)[0]
        if rows.empty:
            dress(ax, named, "", "")
            return nothing(ax, lang)
        path, other = rows["path"].iloc[0], rows["other"].iloc[0]
        note = text("indices.note.cells", lang, other=axes.name(other))
        dress(ax, text("indices.figure.cells", lang, outcome=named), axes.name(path), f"{named} ({unit})", note)
        groups = rows.sort_values("other_place").groupby("other_value", sort=False)
        lines = [(value, of.sort_values("place")) for value, of in groups]
        ends = []
        for colour, (value, of) in zip(ramp(len(lines)), lines, strict=True):
            ax.plot(of["place"], of["mean"] / by, color=colour, linewidth=2, marker="o", markersize=5)
            ax.fill_between(of["place"], of["low"] / by, of["high"] / by, color=colour, alpha=0.12, linewidth=0)
            ends.append(End(float(of["mean"].iloc[-1]) / by, str(value), colour))
        levels = rows.sort_values("place").drop_duplicates("value")
        ax.set_xticks(list(levels["place"]), list(levels["value"]), parse_math=False, fontfamily=family())
        label_ends(ax, ends)
    return ax


def figures(found: Sensitivity, folder: Path, *, lang: Lang) -> list[Path]:
    """Draw every outcome of every branch into `folder` as SVG and PNG; returns the files. Same tables, same bytes."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with style():
        for row in records(found.outcomes):
            key = row["branch"], row["outcome"]
            tall = max(SIZE[1], _ROW * min(len(found.ranked(*key)), _MOST) + 1.8)
            drawings: dict[str, tuple[float, Callable[..., Frame]]] = {"bars": (tall, bars), "cells": (SIZE[1], cells)}
            if row["method"] == "morris":
                drawings["screening"] = SIZE[1], screening
            for kind, (height, draw) in drawings.items():
                figure = Figure(figsize=(SIZE[0], height), layout="constrained")
                draw(found, *key, figure.add_subplot(), lang=lang)
                stem = "_".join(filter(None, (*key, kind)))
                endings: tuple[tuple[str, dict[str, Any]], ...] = (("svg", {"Date": None}), ("png", {"Software": None}))
                for ending, metadata in endings:
                    written.append(folder / f"{stem}.{ending}")
                    figure.savefig(written[-1], metadata=metadata)
    return written


class Plots:
    """The plots of one analysis; each takes an outcome, and the branch if there are several, and returns its Axes."""

    def __init__(self, found: Sensitivity, lang: Lang = "en") -> None:
        self._found, self._lang, self._first = found, lang, next(iter(branches(found, lang)))

    def bars(
        self, which: str, ax: Frame | None = None, *, branch: str | None = None, lang: Lang | None = None
    ) -> Frame:  # fmt: skip
        """What each number carries of an outcome."""
        return bars(self._found, self._of(branch), which, ax, lang=lang or self._lang)

    def screening(
        self, which: str, ax: Frame | None = None, *, branch: str | None = None, lang: Lang | None = None
    ) -> Frame:  # fmt: skip
        """Size of effects against how they differ from place to place."""
        return screening(self._found, self._of(branch), which, ax, lang=lang or self._lang)

    def cells(
        self, which: str, ax: Frame | None = None, *, branch: str | None = None, lang: Lang | None = None
    ) -> Frame:  # fmt: skip
        """What two numbers do together."""
        return cells(self._found, self._of(branch), which, ax, lang=lang or self._lang)

    def _of(self, branch: str | None) -> str:
        return self._first if branch is None else branch


def _about(found: Sensitivity, branch: str, which: str, lang: Lang) -> tuple[Axes, dict[Any, Any]]:
    axes = Axes(found.manifest["axes"], found.manifest["scenario"], lang)
    rows = (r for r in records(found.outcomes) if (r["branch"], r["outcome"]) == (branch, which))
    return axes, next(rows)


def _scale(row: dict[Any, Any], shares: list[dict[Any, Any]], lang: Lang) -> tuple[float, str]:
    if row["method"] == "pawn" or not shares:
        return 1.0, ""
    if row["method"] != "morris":
        return 0.01, "%"
    return effects(max(abs(s["mu_star"]) for s in shares), row["unit"], lang)
