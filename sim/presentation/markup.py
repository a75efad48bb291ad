"""Answers as HTML: the tables and sentences that the screen shows, for notebooks. Whatever a user typed is inert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Column, Table

__all__ = ["html"]

_LOOK = """<style>
.sim-answer {max-width: 60em; line-height: 1.5}
.sim-answer p {margin: .25em 0}
.sim-answer p.title, .sim-answer summary {font-weight: 600; color: #0072B2; margin: .8em 0 .2em; cursor: default}
.sim-answer summary {cursor: pointer}
.sim-answer p.bold {font-weight: 600}
.sim-answer .dim, .sim-answer p.note {color: #6b6b6b}
.sim-answer p.note {font-size: 90%}
.sim-answer .scroll {overflow-x: auto}
.sim-answer.sim-answer table {border-collapse: collapse; border: 0; margin: .3em 0; font-variant-numeric: tabular-nums}
.sim-answer.sim-answer :is(th, td) {padding: .2em .7em .2em 0; text-align: right; vertical-align: top; border: 0}
.sim-answer.sim-answer th {border-bottom: 1px solid #b0b0b0; vertical-align: bottom}
.sim-answer.sim-answer .words {text-align: left; min-width: 5em; max-width: 34em}
.sim-answer.sim-answer td:not(.words) {white-space: nowrap}
.sim-answer.sim-answer tr.group td {font-weight: 600; color: #0072B2; padding-top: .5em}
</style>"""
"""Colours have a contrast of 4.5 or more on white. The class stands twice, to outweigh what Jupyter says of tables."""

_OPEN = {"title": '<p class="title">', "bold": '<p class="bold">', "head": "<p>", "note": '<p class="note">'}
"""How paragraphs begin, by kind."""

_WIDE = 100_000
"""Columns of text in which no sentence is broken: the browser does that."""


def html(answer: RenderableType, *, folded: bool = False) -> str:
    """An answer as HTML that stands by itself.

    Parameters
    ----------
    answer
        What `sim.presentation.screen.say` would print.
    folded
        Show the first section, and the others by their titles until somebody opens them.
    """
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False, width=_WIDE, color_system=None)
    parts = list(_blocks(answer, console, console.options))
    shown = _sections(parts) if folded else (part for _, part in parts)
    return f'<div class="sim-answer">{_LOOK}{"".join(shown)}</div>'


def _sections(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Every section but the first table in a fold of its own, from its title to the next title, headline or gap."""
    seen, opened = False, False
    for kind, part in parts:
        if opened and kind in ("title", "bold", "head", "gap"):
            yield "</details>"
            opened = False
        if seen and kind in ("title", "bold"):
            yield f"<details><summary>{part.removeprefix(_OPEN[kind]).removesuffix('</p>')}</summary>"
            opened = True
        else:
            yield part
        seen = seen or kind == "table"
    if opened:
        yield "</details>"


def _blocks(what: Any, console: Console, options: ConsoleOptions) -> Iterator[tuple[str, str]]:
    """The blocks of something printable: their kind (title, bold, head, note, gap, table), and each as HTML."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from sim.presentation.prose import Prose

    if isinstance(what, Padding):
        yield from _blocks(what.renderable, console, options)
    elif isinstance(what, Table):
        yield "table", _table(what, console)
    elif isinstance(what, Text | str):
        yield _paragraph(what if isinstance(what, Text) else Text(what), console)
    elif isinstance(what, Prose):
        lines = what.__rich_console__(console, options)
        yield from (_paragraph(line, console) for line in lines if isinstance(line, Text))
    else:
        for part in what.__rich_console__(console, options):
            yield from _blocks(part, console, options)


def _paragraph(said: Any, console: Console) -> tuple[str, str]:
    if not said.plain.strip():
        return "gap", ""
    style = console.get_style(said.style) if said.style else None
    kind = "note"
    if style and style.bold:
        kind = "title" if style.color else "bold"
    elif any(span.style == "bold" for span in said.spans):
        kind = "head"
    said = _spans(said, console) if kind in ("head", "note") else _inline(said.plain)
    return kind, f"{_OPEN[kind]}{said}</p>"


def _table(table: Table, console: Console) -> str:
    """A table; the cells of columns that stand at the left are words, the others numbers."""
    rows = zip(*(list(column.cells) for column in table.columns), strict=True)
    head = ""
    if table.show_header:
        named = (f"<th{_side(column)}>{_cell(column.header, console)}</th>" for column in table.columns)
        head = f"<thead><tr>{''.join(named)}</tr></thead>"
    body = "".join(_row(row, table.columns, console) for row in rows)
    return f'<div class="scroll"><table>{head}<tbody>{body}</tbody></table></div>'


def _row(row: tuple[Any, ...], columns: list[Column], console: Console) -> str:
    from rich.text import Text

    first = row[0]
    if isinstance(first, Text) and "cyan" in str(first.style):
        return f'<tr class="group"><td class="words" colspan="{len(columns)}">{_cell(first, console)}</td></tr>'
    return f"<tr>{''.join(map(lambda cell, column: _td(cell, column, console), row, columns))}</tr>"


def _td(cell: Any, column: Column, console: Console) -> str:
    from rich.padding import Padding

    indent = f' style="padding-left: {0.7 * cell.left:.2g}em"' if isinstance(cell, Padding) and cell.left else ""
    return f"<td{_side(column)}{indent}>{_cell(cell, console)}</td>"


def _side(column: Column) -> str:
    return ' class="words"' if column.justify == "left" else ""


def _cell(cell: Any, console: Console) -> str:
    from rich.padding import Padding
    from rich.text import Text

    from sim.presentation.prose import Prose

    if isinstance(cell, Padding):
        return _cell(cell.renderable, console)
    if isinstance(cell, Prose):
        lines = (line for line in cell.__rich_console__(console, console.options) if isinstance(line, Text))
        return "<br>".join(_spans(line, console) for line in lines)
    return _inline(cell.plain if isinstance(cell, Text) else str(cell))


def _spans(said: Any, console: Console) -> str:
    """Text with what is bold and what is dim in it."""
    found = []
    for segment in said.render(console):
        part = _inline(segment.text)
        if segment.style and segment.style.bold:
            part = f"<b>{part}</b>"
        elif segment.style and segment.style.dim:
            part = f'<span class="dim">{part}</span>'
        found.append(part)
    return "".join(found)


def _inline(said: str) -> str:
    return escape(said).replace("\n", "<br>").replace("  ", "&ensp;")
