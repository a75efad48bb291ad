"""Figures of an optimisation: the front, the ranking, who gains, regret, and where the policy fails.

Nothing is computed here but what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes as Named
from sim.presentation.catalogue import Lang, outcome, scale, text
from sim.presentation.digits import Measured
from sim.presentation.dots import Dot, dots, tick
from sim.presentation.indices import effects
from sim.presentation.optimisation import called, group, told
from sim.presentation.sheet import records
from sim.presentation.style import GREY, PALETTE, SIZE, canvas, dress, ink, nothing, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.experiments.optimisation.result import Optimum

__all__ = ["Plots", "failure", "figures", "front", "groups", "ranking", "regret"]

_PALE = "#d0d0d0"

_ROW = 0.3
"""Inches of height for a row."""


def front(found: Optimum, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """What more money buys: differences from the scenario as it is, of all that was tried and of the front.

    Where the first objective is the money itself, the second is drawn.
    """
    aims, money = [aim["outcome"] for aim in found.manifest["aims"]], "cost_cny"
    first = next((aim for aim in aims if aim != money), money)
    points, fresh = found.table("optimal_points"), found.table("optimal_front")
    wide = points.pivot(index="policy", columns="outcome", values="value")
    more = wide - wide.loc["now"]
    allowed = points.drop_duplicates("policy").set_index("policy")["feasible"].reindex(wide.index)
    unit = str(points.loc[points["outcome"] == first, "unit"].iloc[0])
    up, said = effects(float(more[first].abs().max()), unit, lang)
    across, cny = scale(float(more[money].abs().max()), "CNY", lang)
    with style():
        ax = canvas(ax)
        named = outcome(first, lang)[0]
        axis = text("optimise.axis.money", lang, unit=cny), text("optimise.axis.more", lang, outcome=named, unit=said)
        dress(ax, text("optimise.figure.front", lang, outcome=named), *axis, text("optimise.note.front", lang))
        for ok, colour, mark in ((False, _PALE, "x"), (True, PALETTE[5], "o")):
            some = more[allowed == ok]
            ax.scatter(some[money] / across, some[first] / up, s=22, color=colour, marker=mark, linewidths=1)
        kept = fresh[fresh["front"] | (fresh["policy"] == found.recommended)]
        by = {str(id): rows.set_index("policy") for id, rows in kept.groupby("outcome")}
        for policy in by[first].index if first in by else ():
            x, y = (Measured.of(by[id].loc[policy], "effect") for id in (money, first))
            best = policy == found.recommended
            colour = PALETTE[4] if best else "black"
            ends = [[(y.value - y.low) / up], [(y.high - y.value) / up]]
            look: dict[str, Any] = {"fmt": "o", "color": colour, "markersize": 9 if best else 6, "linewidth": 1.5}
            ax.errorbar(x.value / across, y.value / up, yerr=ends, **look)
            if best or policy == "now":
                at = x.value / across, y.value / up
                beside: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "color": colour}
                ax.annotate(called(str(policy), lang), at, (-9, 5), **beside)
        if found.manifest["budget"] is not None:
            _budget(ax, (found.manifest["budget"] - float(wide[money]["now"])) / across, lang)
        for line in (ax.xaxis, ax.yaxis):
            line.set_major_formatter(lambda value, _: tick(value, lang))
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    return ax


def _budget(ax: Axes, at: float, lang: Lang) -> None:
    """The budget as a line, if it is not far beyond what was tried."""
    low, high = ax.get_xlim()
    if at < high + 0.3 * (high - low):
        ax.axvline(at, color=PALETTE[3], linewidth=1.5)
        said = f" {text('optimise.figure.budget', lang)}"
        ax.text(at, 0.02, said, transform=ax.get_xaxis_transform(), color=ink(PALETTE[3]), fontsize=11)


def ranking(found: Optimum, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """How far each finalist is behind the best, with intervals, and the zone that does not matter."""
    rows = records(found.table("optimal_ranking"))
    unit = found.table("optimal_points").set_index("outcome")["unit"][found.manifest["aims"][0]["outcome"]].iloc[0]
    by, said = effects(max((abs(r["behind"] or 0.0) for r in rows), default=0.0), str(unit), lang)
    behind = [(r, Measured.of(r, "behind").over(by)) for r in rows if r["place"] > 1 and r["behind"] is not None]
    colours = {True: PALETTE[0], False: GREY}
    known = [Dot(called(r["policy"], lang), number, colours[r["left"]]) for r, number in behind]
    best = called(rows[0]["policy"], lang) if rows else ""
    heading = text("optimise.figure.behind", lang, policy=best)
    ax = dots(
        ax, [(heading, known)] if known else [], text("optimise.figure.ranking", lang),
        text("optimise.axis.behind", lang, unit=said), lang,
    )  # fmt: skip
    if known:
        zone = found.manifest["indifference"] / by
        ax.axvspan(-zone, zone, color="#f0e442", alpha=0.25, linewidth=0, zorder=0)
    return ax


def groups(found: Optimum, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """Who gains: the effect on each group's survival, with intervals, in percentage points."""
    sections = []
    rows = told(found)
    for colour, by in zip(PALETTE, dict.fromkeys(r["grouping"] for r in rows), strict=False):
        mine = [(group(r, lang), Measured.of(r, "effect").over(0.01)) for r in rows if r["grouping"] == by]
        sections.append((text(f"compare.by.{by}", lang), [Dot(label, number, colour) for label, number in mine]))
    age = rows[0]["outcome"].split("_")[1].removesuffix("m") if rows else ""
    axis = text("optimise.axis.groups", lang, age=age)
    return dots(ax, sections, text("optimise.figure.groups", lang), axis, lang)


def regret(found: Optimum, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """Regret of each policy over the worlds, sorted: in what share of worlds it is at most so large."""
    frame = found.table("optimal_worlds").dropna(subset=["regret"])
    unit = found.table("optimal_points").set_index("outcome")["unit"][found.manifest["aims"][0]["outcome"]].iloc[0]
    by, said = effects(float(frame["regret"].max()) if len(frame) else 0.0, str(unit), lang)
    with style():
        ax = canvas(ax)
        axis = text("optimise.axis.regret", lang, unit=said), text("optimise.axis.worlds", lang)
        dress(ax, text("optimise.figure.regret", lang), *axis, text("optimise.note.regret", lang))
        if frame.empty:
            return nothing(ax, lang)
        for colour, (policy, rows) in zip(PALETTE, frame.groupby("policy", sort=False), strict=False):
            missed = sorted(rows["regret"] / by)
            share = [100 * (k + 1) / len(missed) for k in range(len(missed))]
            ax.step(missed, share, where="post", color=colour, linewidth=2, label=called(str(policy), lang))
        ax.set_ylim(0, 102)
        ax.legend(frameon=False, loc="lower right")
        ax.xaxis.set_major_formatter(lambda value, _: tick(value, lang))
    return ax


def failure(found: Optimum, ax: Axes | None = None, *, lang: Lang = "en") -> Axes:
    """Worlds by the numbers that say most of where the recommended policy fails, and the boxes around failures."""
    from matplotlib.patches import Rectangle

    boxes, unknowns = found.table("optimal_boxes"), found.table("optimal_unknowns")
    named = Named(found.manifest["axes"], found.manifest["scenario"], lang)
    with style():
        ax = canvas(ax)
        paths = list(dict.fromkeys(boxes["path"]))
        paths += [p for p in dict.fromkeys(unknowns["path"]) if p not in paths]
        said = text("optimise.figure.failure", lang), text("optimise.note.failure", lang)
        if len(paths) < 2 or found.recommended is None or found.recommended == "now":
            dress(ax, said[0], "", "")
            return nothing(ax, lang)
        x, y = paths[:2]
        dress(ax, said[0], named.name(x), named.name(y), said[1])
        wide = unknowns.pivot(index="world", columns="path", values="value")
        worlds = found.table("optimal_worlds").query("policy == @found.recommended").set_index("world")
        fails = worlds["fails"].reindex(wide.index)
        for state, colour, mark in ((False, PALETTE[5], "o"), (True, PALETTE[4], "X")):
            some = wide[fails == state]
            ax.scatter(some[x], some[y], s=40, color=colour, marker=mark, linewidths=0)
        limits = ax.get_xlim(), ax.get_ylim()
        for _, rows in boxes.groupby("box"):
            ends = rows.set_index("path")
            spans = []
            for path, (low, high) in zip((x, y), limits, strict=True):
                at = ends.loc[path].to_dict() if path in ends.index else {"low": math.nan, "high": math.nan}
                spans.append([far if math.isnan(at[end]) else at[end] for far, end in ((low, "low"), (high, "high"))])
            (left, right), (bottom, top) = spans
            corner = Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor="black", linewidth=2)
            ax.add_patch(corner)
        ax.set_xlim(limits[0])
        ax.set_ylim(limits[1])
        ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    return ax


def figures(found: Optimum, folder: Path, *, lang: Lang) -> list[Path]:
    """Draw every figure of an optimisation into `folder` as SVG and PNG; returns the files. Same tables, same bytes."""
    from matplotlib.figure import Figure

    rows = {"ranking": len(found.table("optimal_ranking")), "groups": len(found.table("optimal_groups")) + 3}
    drawings: dict[str, Callable[..., Axes]] = {
        "front": front, "ranking": ranking, "groups": groups, "regret": regret, "failure": failure,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with style():
        for name, draw in drawings.items():
            figure = Figure(figsize=(SIZE[0], max(SIZE[1], _ROW * rows.get(name, 0) + 1.6)), layout="constrained")
            draw(found, figure.add_subplot(), lang=lang)
            endings: tuple[tuple[str, dict[str, Any]], ...] = (("svg", {"Date": None}), ("png", {"Software": None}))
            for ending, metadata in endings:
                files.append(folder / f"{name}.{ending}")
                figure.savefig(files[-1], metadata=metadata)
    return files


class Plots:
    """The plots of one optimisation; each takes an optional `ax` and returns its Axes."""

    def __init__(self, found: Optimum, lang: Lang = "en") -> None:
        self._found, self._lang = found, lang

    def front(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """Money against the first objective."""
        return front(self._found, ax, lang=lang or self._lang)

    def ranking(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """How far each finalist is behind the best."""
        return ranking(self._found, ax, lang=lang or self._lang)

    def groups(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """Who gains."""
        return groups(self._found, ax, lang=lang or self._lang)

    def regret(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """Regret over the worlds."""
        return regret(self._found, ax, lang=lang or self._lang)

    def failure(self, ax: Axes | None = None, *, lang: Lang | None = None) -> Axes:
        """Where the recommended policy fails."""
        return failure(self._found, ax, lang=lang or self._lang)
