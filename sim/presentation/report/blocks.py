"""What a report is made of: parts with sections, and in these sentences, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.presentation.outline import Grid, Paragraph

__all__ = ["Block", "Figure", "Folded", "Pairs", "Part", "Section", "Tile"]


@dataclass(frozen=True)
class Figure:
    """A figure with its data.

    Attributes
    ----------
    name
        Of its files, and of what belongs to it in the page.
    title
        What it shows.
    said
        What is to be seen in it, in a sentence or two, computed from its data.
    svg
        The picture, as an element for an HTML page.
    grid
        Its data, or the rows of it that are worth reading.
    csv
        All of its data, as `sim.presentation.spreadsheet.csv` writes it.
    rows
        How many rows that has.
    """

    name: str
    title: str
    said: str
    svg: str
    grid: Grid
    csv: str
    rows: int
    kind: str = "figure"


@dataclass(frozen=True)
class Folded:
    """Blocks that the reader opens."""

    title: str
    blocks: Sequence[Block]
    kind: str = "folded"


@dataclass(frozen=True)
class Pairs:
    """Names and values."""

    rows: Sequence[tuple[str, str]]
    kind: str = "pairs"


Block = Grid | Paragraph | Figure | Folded | Pairs


@dataclass(frozen=True)
class Section:
    """A part of a part, under a title."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Tile:
    """A number to look at first, with its interval."""

    label: str
    number: str
    unit: str = ""
    span: str = ""


@dataclass(frozen=True)
class Part:
    """What is said of one folder.

    Attributes
    ----------
    kind
        What it is of: a run, a comparison, ...; as it is read.
    title, aside
        Its name, and how much was run.
    answer
        The answer in two sentences.
    """

    kind: str
    title: str
    aside: str
    answer: Sequence[str]
    sections: Sequence[Section]
    tiles: Sequence[Tile] = field(default=())
