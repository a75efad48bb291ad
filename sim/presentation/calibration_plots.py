"""Figures of a calibration: what was learnt of each number, and what the targets leave open.

Every function takes tidy frames (the tables of `sim.experiments.calibration.result`) and axes to draw on, and returns
these.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.presentation.calibration import parameter, reform
from sim.presentation.catalogue import Lang, axis_number, outcome, text
from sim.presentation.sheet import records
from sim.presentation.style import GREY, PALETTE, SIZE, canvas, dress, family, nothing, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.experiments.calibration.result import Calibration

__all__ = ["Plots", "decisions", "directions", "exits", "figures", "marginals"]

_ROW = 0.5
"""Inches of height for a parameter."""

_PRIOR = "#d0d0d0"

_FAINT = 0.02
"""assumed: posterior points that weigh less than this part of the heaviest are not drawn."""


def marginals(posterior: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """A row each parameter: its prior from end to end, the central 95 % and 50 % of its posterior, and its value now.

    Rows are scaled to their priors (in logs where the prior is uniform in them), so that their widths compare.
    """
    import numpy as np

    with style():
        ax = canvas(ax)
        dress(ax, text("calibrate.figure.marginals", lang), "", "", text("calibrate.figure.marginals_note", lang))
        rows = records(posterior)
        for place, row in enumerate(rows):
            to: Any = np.log if row["prior"] == "log_uniform" else np.asarray
            low, high = to(row["prior_low"]), to(row["prior_high"])
            at = {k: float((to(row[k]) - low) / (high - low)) for k in ("low", "p25", "median", "p75", "high", "now")}
            ax.barh(place, 1, height=0.5, color=_PRIOR)
            ax.barh(place, at["high"] - at["low"], left=at["low"], height=0.28, color=PALETTE[5])
            ax.barh(place, at["p75"] - at["p25"], left=at["p25"], height=0.28, color=PALETTE[0])
            ax.plot([at["now"]] * 2, [place - 0.36, place + 0.36], color="black", linewidth=2.5)
            font: dict[str, Any] = {"va": "center", "color": GREY, "fontsize": 10, "fontfamily": family()}
            ax.text(-0.01, place, axis_number(row["prior_low"], lang), ha="right", **font)
            ax.text(1.01, place, axis_number(row["prior_high"], lang), ha="left", **font)
        ax.set_xlim(-0.12, 1.12)
        ax.set_xticks([])
        ax.grid(False)
        ax.set_yticks(range(len(rows)), [parameter(row, lang) for row in rows])
        ax.tick_params(axis="y", labelcolor="black", labelsize=11)
        ax.invert_yaxis()
    return ax


def exits(points: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """First-year survival against survival after it: the prior, its points that have the stock, and the posterior."""
    import math

    with style():
        ax = canvas(ax)
        axis = {key: text(f"calibrate.axis.{key}", lang) for key in ("first_year", "later")}
        title, note = (text(f"calibrate.figure.{key}", lang) for key in ("exits", "exits_note"))
        dress(ax, title, axis["first_year"], axis["later"], note)
        known = points.dropna(subset=["first_year", "later"])
        before, after = known[known["of"] == "prior"], known[known["of"] == "posterior"]
        if before.empty:
            return nothing(ax, lang)
        stock = before[before["stock"] >= math.exp(-0.5)]
        heavy = after[after["weight"] >= _FAINT * after["weight"].max()]
        for rows, colour, size in ((before, _PRIOR, 14), (stock, PALETTE[1], 22), (heavy, PALETTE[0], 22)):
            ax.scatter(100 * rows["first_year"], 100 * rows["later"], s=size, color=colour, linewidths=0)
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    return ax


def directions(table: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """How much of the prior's variance remains along each combination of parameters, the widest first."""
    with style():
        ax = canvas(ax)
        variance = table.groupby("direction")["variance"].first()
        number, remains = (text(f"calibrate.axis.{key}", lang) for key in ("number", "remains"))
        dress(ax, text("calibrate.figure.directions", lang), number, remains)
        ax.bar(variance.index, 100 * variance, color=PALETTE[0], width=0.7)
        ax.axhline(100, color=GREY, linewidth=1)
        ax.set_xticks(list(variance.index))
    return ax


def decisions(effects: pd.DataFrame, which: str, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """The effect of each reform along both ways, with intervals; `which` is the outcome."""
    with style():
        ax = canvas(ax)
        share = which.startswith(("survival_", "reached_", "share_"))
        named, unit = outcome(which, lang)[0], text("calibrate.decision.points", lang) if share else ""
        said = text("calibrate.axis.effect", lang, outcome=named, unit=unit)
        dress(ax, text("calibrate.figure.decisions", lang), text("calibrate.axis.place", lang), said)
        if effects.empty:
            return nothing(ax, lang)
        by, series = 100 if share else 1, list(effects.groupby(["reform", "way"]))
        for number, (_, rows) in enumerate(series):
            row = records(rows)[0]
            way = text(f"calibrate.figure.{row['way']}_ridge", lang)
            half = by * (rows["high"] - rows["low"]) / 2
            x = rows["position"] + 0.012 * (number - (len(series) - 1) / 2)
            label = text("calibrate.ridge.join", lang).join((reform(row, lang), way))
            look: dict[str, Any] = {"color": PALETTE[number // 2 % len(PALETTE)], "markersize": 7, "capsize": 3}
            hollow = "white" if number % 2 else None
            ax.errorbar(x, by * rows["effect"], yerr=half, fmt="o", label=label, mfc=hollow, **look)
        ax.axhline(0, color="#909090", linewidth=1)
        ax.set_xlim(0, 1)
        font = {"family": family(), "size": 11}
        ax.legend(frameon=False, prop=font, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return ax


def figures(found: Calibration, folder: Path, *, lang: Lang) -> list[Path]:
    """Draw every figure of a calibration into `folder` as SVG and PNG; returns the files.

    The same calibration gives the same bytes, as in `sim.presentation.plots`.
    """
    from matplotlib.figure import Figure

    plots = Plots(found, lang)
    tall = max(SIZE[1], _ROW * len(found.posterior) + 1.4)
    drawings: dict[str, tuple[float, Callable[[Axes], Axes]]] = {
        "marginals": (tall, plots.marginals),
        "exits": (SIZE[1], plots.exits),
        "directions": (SIZE[1], plots.directions),
        "decisions": (SIZE[1] + 0.8, plots.decisions),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with style():
        for name, (height, draw) in drawings.items():
            figure = Figure(figsize=(SIZE[0], height), layout="constrained")
            draw(figure.add_subplot())
            for ending, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
                files.append(folder / f"{name}.{ending}")
                figure.savefig(files[-1], metadata=metadata)
    return files


class Plots:
    """The plots of one calibration; each takes an optional `ax` and returns its Axes."""

    def __init__(self, found: Calibration, lang: Lang = "en") -> None:
        self._found, self._lang = found, lang

    def marginals(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """What was learnt of each parameter."""
        return marginals(self._found.posterior, ax, lang=lang or self._lang)

    def exits(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """The ridge of the resident stock: first-year against later exit."""
        return exits(self._found.table("exits"), ax, lang=lang or self._lang)

    def directions(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """What the targets leave open."""
        return directions(self._found.table("directions"), ax, lang=lang or self._lang)

    def decisions(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """Whether decisions hold along it."""
        which = self._found.manifest["study"]["decisions"]["outcome"]
        return decisions(self._found.table("decisions"), which, ax, lang=lang or self._lang)
