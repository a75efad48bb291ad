"""An answer as an outline: the titles, sentences and tables that the screen shows, for those who set them otherwise.

So that what is said is described once: whatever can be printed with rich (see `sim.presentation.sheet`) is taken apart
into its parts, and its look is left behind.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

__all__ = ["Cell", "Grid", "Line", "Paragraph", "Section", "outline"]

_WIDE = 100_000
"""Columns in which no sentence is broken."""


class Cell(NamedTuple):
    """What stands in a cell, and how deep it is indented."""

    said: str
    depth: int = 0


class Line(NamedTuple):
    """A row of a table; with `title`, its first cell heads those below."""

    cells: tuple[Cell, ...]
    title: bool = False


class Grid(NamedTuple):
    """A table. `words` says of each column whether it holds text; numbers stand at the right."""

    headings: tuple[str, ...]
    words: tuple[bool, ...]
    lines: tuple[Line, ...]
    caption: str = ""
    kind: str = "grid"

    def under(self, title: str) -> Grid:
        """The lines below one title, without it."""
        mine, on = [], False
        for line in self.lines:
            on = line.cells[0].said == title if line.title else on
            mine += [line] if on and not line.title else []
        return self._replace(lines=tuple(mine), caption=title)


class Paragraph(NamedTuple):
    """A sentence or more; `weight` is ``plain``, ``strong`` or ``note``."""

    said: str
    weight: str = "plain"
    kind: str = "paragraph"


class Section(NamedTuple):
    """What stands under a title. `level` is 1 for a headline, with what is added to it in `aside`, 2 for a title.

    After an empty line the title is empty.
    """

    title: str
    level: int
    blocks: tuple[Grid | Paragraph, ...]
    aside: str = ""


def outline(answer: RenderableType | Iterable[RenderableType]) -> list[Section]:
    """The parts of an answer, or of several printable things, in their order. Markup that a user typed stays text."""
    from rich.console import Console

    console = Console(file=io.StringIO(), markup=False, emoji=False, highlight=False, width=_WIDE, color_system=None)
    things = [answer] if hasattr(answer, "__rich_console__") else list(answer)  # type: ignore[arg-type]
    found, title, level, aside, blocks = [], "", 2, "", list[Grid | Paragraph]()
    for kind, part in _parts(things, console):
        if kind == "block":
            blocks.append(part)
            continue
        if title or blocks:
            found.append(Section(title, level, tuple(blocks), aside))
        (title, aside), level, blocks = part, 1 if kind == "head" else 2, []
    if title or blocks:
        found.append(Section(title, level, tuple(blocks), aside))
    return found


def _parts(things: Iterable[Any], console: Console) -> Iterator[tuple[str, Any]]:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from sim.presentation.prose import Prose

    for thing in things:
        if isinstance(thing, Padding):
            yield from _parts([thing.renderable], console)
        elif isinstance(thing, Table):
            yield "block", _grid(thing, console)
        elif isinstance(thing, Text):
            yield from _text(thing)
        elif isinstance(thing, Prose):
            lines = [line.plain for line in thing.__rich_console__(console, console.options) if isinstance(line, Text)]
            yield "block", Paragraph("\n".join(lines))
        else:
            yield from _parts(thing.__rich_console__(console, console.options), console)


def _text(said: Any) -> Iterator[tuple[str, Any]]:
    """A headline, a title, or a sentence; an empty line ends what was said under a title."""
    if not said.plain.strip():
        yield "gap", ("", "")
        return
    style = str(said.style)
    if "cyan" in style:
        yield "title", (said.plain, "")
    elif any("bold" in str(span.style) for span in said.spans):
        parts = [said.plain[span.start : span.end] for span in said.spans]
        yield "head", (parts[0], " ".join(parts[1:]))
    else:
        yield "block", Paragraph(said.plain, "strong" if "bold" in style else "plain")


def _grid(table: Table, console: Console) -> Grid:
    headings = tuple(_cell(column.header, console).said for column in table.columns) if table.show_header else ()
    rows = zip(*(list(column.cells) for column in table.columns), strict=True)
    lines = tuple(Line(tuple(_cell(c, console) for c in row), _titles(row[0])) for row in rows)
    return Grid(headings, tuple(column.justify == "left" for column in table.columns), lines)


def _titles(first: Any) -> bool:
    return "cyan" in str(getattr(first, "style", ""))


def _cell(cell: Any, console: Console) -> Cell:
    from rich.padding import Padding
    from rich.text import Text

    from sim.presentation.prose import Prose

    if isinstance(cell, Padding):
        return Cell(_cell(cell.renderable, console).said, cell.left)
    if isinstance(cell, Prose):
        lines = cell.__rich_console__(console, console.options)
        return Cell("\n".join(line.plain for line in lines if isinstance(line, Text)))
    return Cell(cell.plain if isinstance(cell, Text) else str(cell))
