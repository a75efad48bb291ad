"""Founders flowing along the chain: bands from stage to stage, as wide as there are people in them.

Most never leave the first stage, and would hide the others. So the picture has two parts: everybody in the first stage,
and those who moved on from it, enlarged. Who goes back to an earlier place ends there, and begins again at the left:
what goes into each place comes out of it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.presentation.catalogue import Labels, Lang, name, short, text
from sim.presentation.digits import written
from sim.presentation.style import GREY, PALETTE, apart, canvas, dress, family, nothing, style
from sim.tables import ARRIVED, EXIT_REASONS, OUTSIDE, STILL_THERE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["flow", "of_thousand"]

_ON, _BACK, _STILL_OUTSIDE = "moved_on", "went_back", "still_outside"

_COLOURS = {
    _ON: PALETTE[0],
    STILL_THERE: PALETTE[2],
    OUTSIDE: PALETTE[5],
    _STILL_OUTSIDE: PALETTE[5],
    _BACK: GREY,
    "left_city": PALETTE[3],
    "quit": PALETTE[1],
    "insolvent": PALETTE[4],
}

_LANES = (_ON, STILL_THERE, OUTSIDE, _STILL_OUTSIDE, _BACK, "left_city", "quit", "insolvent")
"""Where those run who go on to no further stage, from top to bottom."""

_FIRST, _SECOND = (0.0, 0.17), (0.37, 1.0)
"""assumed: where the two parts lie, as shares of the width."""

_ENDS = {ARRIVED, STILL_THERE, *EXIT_REASONS}

_GAP = 0.018
"""assumed: between bands that go different ways, as a share of the height."""

_BAR = 0.008

_FONT = 10.5


class _Strand(NamedTuple):
    """People who go from one column of a part to a later one."""

    begin: int
    end: int
    moves: int
    lane: str = ""
    """Which of `_LANES` it runs in; empty on the way to a further stage."""
    again: bool = False
    """Whether it begins with a return."""


@dataclass
class _Part:
    """Columns from left to right: where the flow begins, the places, and how it ends.

    `tops` holds the upper edge of each strand (its number) in a column, before the bar (``in``), after it (``out``) or
    where there is none (``past``); `bars` the column and the edges of each bar; `ends` the edges of each lane at the
    right.
    """

    names: Sequence[str]
    strands: Sequence[_Strand]
    span: tuple[float, float]
    tops: dict[tuple[int, int, str], float] = field(default_factory=dict)
    bars: list[tuple[int, float, float]] = field(default_factory=list)
    ends: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The column where everything has ended."""
        return len(self.names)

    @property
    def unit(self) -> float:
        """Height of one move."""
        return (1 - _GAP * len(_LANES)) / sum(s.moves for s in self.strands if s.begin == 0)

    def x(self, column: int) -> float:
        """Where a column is."""
        low, high = self.span
        return low + (high - low) * column / self.last


def of_thousand(share: float) -> str:
    """People out of a thousand, as they are said."""
    people = 1000 * share
    return written(people, 0 if people >= 100 else 1 if people >= 1 else 2)


def flow(moves: pd.DataFrame, ax: Axes | None = None, *, lang: Lang = "en", labels: Labels | None = None) -> Axes:
    """Where newcomers go: from arrival through the stages to an exit, or to where they are when the run ends.

    `moves` holds source, target and moves, in the order of the chain, as `sim.statistics.funnel.flow` gives them. What
    is written is people out of 1,000 who arrive.
    """
    with style():
        ax = canvas(ax)
        dress(ax, text("flow.title", lang), "", "")
        ax.set_title(text("flow.title", lang), loc="left", pad=76, fontsize=17, fontfamily=family())
        at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.annotate(text("flow.note", lang), (0, 1), (0, 58), color=GREY, fontsize=11, **at)
        arrived = int(moves.loc[moves["source"] == ARRIVED, "moves"].sum())
        ax.set_axis_off()
        if not arrived:
            return nothing(ax, lang)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        stages = [s for s in dict.fromkeys([*moves["source"], *moves["target"]]) if s not in _ENDS]
        first, *later = stages
        draw = _Drawing(ax, lang, labels or {}, arrived)
        everybody = _laid(_first(moves, first, bool(later)))
        draw.part(everybody)
        if later:
            others = _laid(_second(moves, first, later))
            draw.lens(everybody.ends[_ON], others)
            draw.part(others)
    return ax


def _first(moves: pd.DataFrame, first: str, more: bool) -> _Part:
    """The first stage: who arrives or comes back to it, and how they go on."""
    into = moves[moves["target"] == first]
    came = into["source"] == ARRIVED
    strands = [_Strand(0, 1, int(into.loc[came, "moves"].sum()))]
    if not came.all():
        strands.append(_Strand(0, 1, int(into.loc[~came, "moves"].sum()), again=True))
    out = moves[moves["source"] == first]
    lanes = out["target"].where(out["target"].isin(_ENDS), _ON)
    strands += [_Strand(1, 2, int(count), str(lane)) for lane, count in out.groupby(lanes)["moves"].sum().items()]
    return _Part((ARRIVED, first), strands, _FIRST if more else (0.0, 1.0))


def _second(moves: pd.DataFrame, first: str, later: Sequence[str]) -> _Part:
    """All places after the first stage: who moved on to them, and how they go on."""
    column = {id: place for place, id in enumerate(later, 1)}
    last, strands = len(later) + 1, []
    for source, target, count in moves.itertuples(index=False):
        here, there = column.get(source, 0), column.get(target, 0)
        if source in (first, *column) and there > here:
            strands.append(_Strand(here, there, count, OUTSIDE if target == OUTSIDE else ""))
        elif here and target in _ENDS:
            lane = _STILL_OUTSIDE if (source, target) == (OUTSIDE, STILL_THERE) else target
            strands.append(_Strand(here, last, count, lane))
        elif here:
            strands.append(_Strand(here, last, count, _BACK))
            if there:
                strands.append(_Strand(0, there, count, again=True))
    return _Part((_ON, *later), strands, _SECOND)


def _laid(part: _Part) -> _Part:
    """The part with a place for every strand.

    In each column lie, from top to bottom: those on the way to further stages, the bar, and those who are done, lane by
    lane. Of the outside, where people go after a stage, the bar lies among the lanes.
    """
    numbered = list(enumerate(part.strands))
    order = {lane: place for place, lane in enumerate(_LANES)}

    def stack(some: Iterable[tuple[int, _Strand]], column: int, side: str, top: float) -> float:
        for n, s in some:
            part.tops[column, n, side] = top
            top -= part.unit * s.moves
        return top

    for column in range(part.last + 1):
        over = [(n, s) for n, s in numbered if s.begin < column < s.end]
        into = [(n, s) for n, s in numbered if s.end == column < part.last]
        out = [(n, s) for n, s in numbered if s.begin == column]
        done = [(n, s) for n, s in numbered if s.end == column] if column == part.last else over
        further = sorted((p for p in over if not p[1].lane), key=lambda p: (p[1].again, -p[1].end, p[1].begin))
        y = stack(further, column, "past", 1.0) - _GAP * bool(further)
        outside = column < part.last and part.names[column] == OUTSIDE
        for lane in _LANES:
            if column < part.last and lane == (OUTSIDE if outside else _ON):
                ins = sorted(into, key=lambda p: (p[1].again, p[1].begin))
                outs = sorted(out, key=lambda p: (p[1].again, order.get(p[1].lane, -1), -p[1].end))
                for again in (False, True) if column == 0 else (None,):
                    mine = [p for p in outs if again in (None, p[1].again)]
                    top, y = y, min(stack(mine, column, "out", y), stack(ins, column, "in", y))
                    part.bars += [(column, top, y)] if mine else []
                    y -= _GAP * bool(mine)
            mine = sorted((p for p in done if p[1].lane == lane), key=lambda p: p[1].begin)
            top, y = y, stack(mine, column, "in" if column == part.last else "past", y)
            if mine and column == part.last:
                part.ends[lane] = top, y
            y -= _GAP * bool(mine)
    return part


@dataclass(frozen=True)
class _Drawing:
    ax: Axes
    lang: Lang
    labels: Mapping[str, str]
    arrived: int

    def part(self, part: _Part) -> None:
        """Bands, bars, their names above, and at the right how the flow ends."""
        for n, s in enumerate(part.strands):
            colour = GREY if s.again else _COLOURS[s.lane or _ON]
            for column in range(s.begin, s.end):
                left = part.tops[column, n, "out" if column == s.begin else "past"]
                right = part.tops[column + 1, n, "in" if column + 1 == s.end else "past"]
                self._band((part.x(column), left), (part.x(column + 1), right), part.unit * s.moves, colour)
        for column, top, bottom in part.bars:
            x = part.x(column)
            self.ax.fill_between([x - _BAR / 2, x + _BAR / 2], bottom, top, color="#333333", linewidth=0)
        for column, id in enumerate(part.names):
            self._head(part.x(column), id, sum(s.moves for s in part.strands if s.begin == column and not s.again))
        if len(part.bars) > part.last:  # the second bar of the first column
            again, (_, top, bottom) = sum(s.moves for s in part.strands if s.again), part.bars[1]
            said = f"{text('flow.came_back', self.lang)} {of_thousand(again / self.arrived)}"
            at: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "center"}
            self.ax.annotate(
                said, (part.x(0), (top + bottom) / 2), (-6, 0), fontsize=_FONT, annotation_clip=False, **at
            )
        self._ends(part)

    def _band(self, left: tuple[float, float], right: tuple[float, float], width: float, colour: str) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        (x0, y0), (x1, y1), middle = left, right, (left[0] + right[0]) / 2
        corners = [
            (x0, y0), (middle, y0), (middle, y1), (x1, y1),
            (x1, y1 - width), (middle, y1 - width), (middle, y0 - width), (x0, y0 - width),
        ]  # fmt: skip
        curve = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
        self.ax.add_patch(PathPatch(Path(corners, curve), facecolor=colour, alpha=0.55, linewidth=0))

    def lens(self, seen: tuple[float, float], part: _Part) -> None:
        """From the band of those who moved on to the part that shows them enlarged."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        (top, bottom), (x0, x1), floor = seen, (_FIRST[1], _SECOND[0]), part.bars[0][2]
        corners = [(x0, top), (x1, 1.0), (x1, floor), (x1, bottom - 0.1), (x1 - 0.02, bottom), (x0, bottom)]
        curve = [Path.MOVETO, Path.LINETO, Path.LINETO, *[Path.CURVE4] * 3]
        self.ax.add_patch(PathPatch(Path(corners, curve), facecolor=_COLOURS[_ON], alpha=0.12, linewidth=0))
        said = text("flow.enlarged", self.lang, factor=written((1.0 - floor) / (top - bottom), 0))
        at: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "color": GREY, "fontsize": 9.5}
        self.ax.annotate(said, ((x0 + x1) / 2, 1), (0, 5), annotation_clip=False, **at)

    def _head(self, x: float, id: str, through: int) -> None:
        side = "left" if x == 0 else "center"
        said = f"{self._called(id)}\n{of_thousand(through / self.arrived)}"
        at: dict[str, Any] = {"textcoords": "offset points", "ha": side, "va": "bottom", "annotation_clip": False}
        self.ax.annotate(said, (x, 1), (0, 4), fontsize=_FONT, linespacing=1.15, **at)

    def _ends(self, part: _Part) -> None:
        first = part.span[0] == 0
        listed = [lane for lane in reversed(part.ends) if not (lane == _ON and part.span == _FIRST)]
        heights = apart([sum(part.ends[lane]) / 2 for lane in listed], 0.055)
        for lane, height in zip(listed, heights, strict=True):
            people = sum(s.moves for s in part.strands if s.end == part.last and s.lane == lane)
            key = "in_chain" if lane == STILL_THERE and not first else lane
            said = f"{text(f'flow.{key}', self.lang)} {of_thousand(people / self.arrived)}"
            said = _folded(said, self.lang, 16) if part.span == _FIRST else said
            at: dict[str, Any] = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
            self.ax.annotate(said, (part.span[1], height), (6, 0), fontsize=_FONT, **at)

    def _called(self, id: str) -> str:
        said = text(f"flow.{id}", self.lang) if id in (ARRIVED, _ON) else name("stage", id, self.lang, self.labels)
        return _folded(short(said), self.lang)


def _folded(said: str, lang: Lang, width: int = 10) -> str:
    """In lines that fit between two bars."""
    return "\n".join(textwrap.wrap(said, width, break_long_words=lang == "zh"))
