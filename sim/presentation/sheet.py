"""What the parts of an answer share: a language, names, the look of tables, and footnotes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Labels, Lang, clean, name, reason, scale, short, text
from sim.presentation.digits import UNKNOWN, Measured, written
from sim.presentation.prose import Prose

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["Sheet", "records"]

_UNSURE = "~"
"""Marks a number whose interval holds 0."""


@dataclass
class Sheet:
    """A sheet to write an answer on.

    Parameters
    ----------
    lang
        ``zh`` or ``en``.
    prefix
        Section of the catalogue.
    labels
        What stages and instruments are called by their scenarios.
    names
        What scenarios are called.
    """

    lang: Lang
    prefix: str
    labels: Labels = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    _reasons: dict[str, int] = field(default_factory=dict)

    unsure = _UNSURE

    def say(self, key: str, **values: object) -> str:
        """A text of the section."""
        return text(f"{self.prefix}.{key}", self.lang, **values)

    def name(self, kind: str, id: str) -> str:
        """A stage, an instrument, an education, ... in few words."""
        return short(name(kind, id, self.lang, self.labels))

    # tables -----------------------------------------------------------------------------------------------------------

    def table(self, key: str, *headings: str, left: int = 1) -> Table:
        """An empty table, its headings ``<key>.<heading>``; the first `left` columns hold text."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
        for place, heading in enumerate(headings):
            said = Text(self.say(f"{key}.{heading}"))
            table.add_column(said, justify="left" if place < left else "right", overflow="fold")
        return table

    def row(self, table: Table, *cells: str) -> None:
        """A row, in which markup is inert."""
        from rich.text import Text

        table.add_row(*(Text(clean(cell)) for cell in cells))

    def section(self, title: str, table: Table, *lines: str) -> Iterator[RenderableType]:
        """A table under its title, with lines below; nothing if it is empty."""
        from rich.padding import Padding
        from rich.text import Text

        if table.row_count:
            yield Padding(Text(self.say(title), "bold cyan"), (1, 0, 0, 1))
            yield Padding(table, (0, 0, 0, 1))
            yield from self.lines(*lines)

    def lines(self, *lines: str) -> Iterator[RenderableType]:
        """Sentences, each from a new line; empty ones are left out."""
        from rich.padding import Padding

        for line in filter(None, lines):
            yield Padding(Prose(line), (0, 1))

    # numbers ----------------------------------------------------------------------------------------------------------

    def difference(self, number: Measured, places: int) -> str:
        """A difference, marked if it may be 0."""
        return self.doubt(number) + written(number.value, places, sign=True)

    def doubt(self, number: Measured) -> str:
        """The mark of a number whose interval holds 0."""
        return _UNSURE if number.bounded and not number.clear else ""

    def money(self, number: Measured, unit: str = "", *, difference: bool = False) -> str:
        """Money in ones, millions, ... of `unit`; a difference with what it may be off by, else with its interval."""
        if not number.known:
            return UNKNOWN
        by, of = scale(number.value, unit, self.lang)
        scaled, of = number.over(by), f" {of}" if of and self.lang == "en" else of
        if difference:
            return f"{self.doubt(scaled)}{scaled.give_or_take()}{of}"
        span = f" ({scaled.span(self.lang)})" if scaled.bounded else ""
        return f"{scaled.said()}{of}{span}"

    def mark(self, why: str | None) -> str:
        """The mark of the footnote that says why a number is not known; nothing for no reason."""
        if not why:
            return ""
        said = reason(why, self.lang, self.labels)
        return f"[{self._reasons.setdefault(said, len(self._reasons) + 1)}]"

    def footnotes(self) -> Iterator[str]:
        """The footnotes, in the order in which they came up."""
        yield from (f"[{number}] {why}" for why, number in self._reasons.items())


def records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table; what is not known is None."""
    rows: list[dict[Any, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")
    return rows
