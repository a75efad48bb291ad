"""What all parts of a report are written with: a language, names, and figures with their data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Labels, Lang, clean, decimals, known, name, outcome, scale, short, text
from sim.presentation.digits import Measured, written
from sim.presentation.outline import Cell, Grid, Line, Paragraph, outline
from sim.presentation.outline import Section as Outlined
from sim.presentation.report.blocks import Block, Figure, Folded, Pairs
from sim.presentation.report.drawing import svg
from sim.presentation.spreadsheet import csv
from sim.presentation.style import SIZE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from rich.console import RenderableType

__all__ = ["Draft"]

_NAMED = {"stage": "stage", "source": "stage", "target": "stage", "instrument": "policy"}
"""Columns of tables whose values have names in the catalogue, and of which kind."""

_MOST = 60
"""assumed: rows of a table that anybody reads; the file has all."""


@dataclass
class Draft:
    """What a part is written with.

    Parameters
    ----------
    lang
        ``zh`` or ``en``.
    prefix
        Of the names of the part's figures, so that no two of a page have the same.
    labels
        What stages and instruments are called.
    """

    lang: Lang
    prefix: str
    labels: Labels = field(default_factory=dict)

    def say(self, key: str, **values: object) -> str:
        """A text of the report's section of the catalogue."""
        return text(f"report.{key}", self.lang, **values)

    def name(self, kind: str, id: str) -> str:
        """A stage, an instrument, ... in few words."""
        return short(name(kind, id, self.lang, self.labels))

    def listed(self, parts: Iterable[str]) -> str:
        """Several things in a row, as one says them."""
        *first, last = (*parts,) or ("",)
        said = text("figures.comma", self.lang).join(first)
        return said + self.say("and") + last if first else last

    def years(self, months: int) -> str:
        """An age as it is said."""
        said = known(f"report.years.{months}", self.lang)
        return said or self.say("years.months", months=months)

    def percent(self, share: float) -> str:
        """A share."""
        return f"{Measured(100 * share).said()} %" if self.lang == "en" else f"{Measured(100 * share).said()}%"

    def amount(self, value: float, unit: str) -> str:
        """A number in ones, millions, ... of its unit."""
        by, of = scale(value, unit, self.lang)
        gap = " " if of and self.lang == "en" else ""
        return f"{Measured(value / by).said()}{gap}{of}"

    # what a part is made of -------------------------------------------------------------------------------------------

    def blocks(self, things: RenderableType | Iterable[RenderableType]) -> list[Block]:
        """The tables and sentences of something printable; titles become captions, or stand before sentences."""
        return [block for section in outline(things) for block in self.captioned(section)]

    def captioned(self, section: Outlined) -> Iterator[Block]:
        """The blocks of a section of an answer; its title becomes a table's caption, or stands before a sentence."""
        title = section.title
        for block in section.blocks:
            if isinstance(block, Grid):
                yield block._replace(caption=title)
            else:
                if title:
                    yield Paragraph(title, "title")
                yield block
            title = ""

    def noted(self, blocks: Sequence[Block], notes: Iterable[str]) -> list[Block]:
        """Blocks with those footnotes below whose marks stand in their tables."""
        grids = (block for block in blocks if isinstance(block, Grid))
        cells = " ".join(cell.said for grid in grids for line in grid.lines for cell in line.cells)
        marked = (note for note in notes if note.startswith("[") and note.partition(" ")[0] in cells)
        return [*blocks, *(Paragraph(note, "note") for note in marked)]

    def figure(
        self,
        stem: str,
        draw: Callable[[Axes], Axes],
        said: str,
        frame: pd.DataFrame,
        *,
        few: pd.Series[bool] | None = None,
        height: float = SIZE[1],
    ) -> Figure:
        """A figure.

        Parameters
        ----------
        stem
            What its files are called.
        draw
            Draws it on the axes that it is given; what it calls the figure is the title.
        said
            What is to be seen.
        frame
            Its data; ids in the usual columns become names.
        few
            Which rows are worth reading; by default all.
        height
            Inches.
        """
        titles: list[str] = []

        def drawn(ax: Axes) -> Axes:
            draw(ax)
            titles.append(ax.get_title(loc="left"))
            return ax

        id = f"{self.prefix}-{stem}"
        picture = svg(drawn, id, height=height)
        told = self._told(frame)
        read = told if few is None else told[few.to_numpy()]
        grid = _grid(read.head(_MOST))._replace(caption=titles[0])
        return Figure(id, titles[0], said, picture, grid, csv(told), len(told))

    def _told(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with names for ids, in rows and headings."""
        told = frame.copy()
        for column in told.columns:
            if column == "outcome":
                told[column] = [outcome(str(id), self.lang, self.labels)[0] for id in told[column]]
            elif column in _NAMED:
                told[column] = [self._called(_NAMED[column], str(id)) for id in told[column]]
            elif told[column].dtype == object or str(told[column].dtype) == "category":
                told[column] = [clean(v) if isinstance(v, str) else v for v in told[column].astype(object)]
        told.columns = [self._heading(str(column)) for column in told.columns]
        return told

    def _called(self, kind: str, id: str) -> str:
        """A stage, an instrument; where a flow begins and ends."""
        for section in ("exit_reason", "flow"):
            if kind == "stage" and id not in self.labels and (said := known(f"{section}.{id}", self.lang)):
                return said
        return self.name(kind, id)

    def _heading(self, column: str) -> str:
        said = known(f"report.column.{column}", self.lang) or known(f"heading.{column}", self.lang)
        stem, _, end = column.rpartition("_")
        if said is None and end in ("low", "high"):
            return self.say(f"end.{end}", name=self._heading(stem))
        return said or clean(column)

    def pairs(self, rows: Mapping[str, Any]) -> Pairs:
        """Names and values, those that there are; keys are of the catalogue."""
        return Pairs([(self.say(f"manifest.{key}"), clean(str(v))) for key, v in rows.items() if v not in (None, "")])

    def folded(self, key: str, blocks: Iterable[Block], **values: object) -> Folded:
        """Blocks that the reader opens."""
        return Folded(self.say(key, **values), list(blocks))


def _grid(frame: pd.DataFrame) -> Grid:
    """A frame as it is read: numbers with three digits that count."""
    kinds = [frame.iloc[:, i].dtype.kind for i in range(frame.shape[1])]
    lines = (Line(tuple(map(_cell, row, frame.columns))) for row in frame.itertuples(index=False, name=None))
    return Grid(tuple(map(str, frame.columns)), tuple(kind not in "iuf" for kind in kinds), tuple(lines))


def _cell(value: object, _: object) -> Cell:
    import pandas as pd

    if isinstance(value, bool) or not isinstance(value, int | float) or pd.isna(value):
        return Cell("–" if value is None or value is pd.NA or value != value else str(value))
    if float(value).is_integer():
        return Cell(f"{value:,.0f}".replace("-", "−") if abs(value) >= 10_000 else f"{value:.0f}".replace("-", "−"))
    return Cell(written(float(value), decimals(float(value))))
