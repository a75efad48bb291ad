"""The evidence and the costs on the screen: figures, audits, estimates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sim.evidence.audit import STATUSES, Row, counts
from sim.evidence.ledger import Figure, sources
from sim.presentation.catalogue import Lang, clean, known, text, unit

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from sim.pilot import Estimate

__all__ = ["audit_table", "cost", "figure_card", "figure_table", "measure"]


def figure_table(found: Sequence[Figure], lang: Lang) -> Table:
    """Figures, one a line: id, value, date, source and name; what lost a conflict is marked."""
    table = _table(lang, "figure", "value", "date", "source", "name")
    for figure in found:
        mark = "" if figure.use == "default" else f" [{text(f'use.{figure.use}', lang)}]"
        what = figure.zh if lang == "zh" else figure.en
        _row(table, figure.id, measure(figure.value, figure.unit, lang), figure.date, figure.source, what + mark)
    return table


def figure_card(figure: Figure, lang: Lang) -> Table:
    """All that is known of one figure."""
    from rich.table import Table

    card = Table.grid(padding=(0, 2, 0, 0))
    card.add_column(no_wrap=True)
    card.add_column(overflow="fold")
    for key, value in _card(figure, lang):
        _row(card, text(f"figures.{key}", lang), value)
    return card


def _card(figure: Figure, lang: Lang) -> Iterator[tuple[str, str]]:
    yield "figure", figure.id
    yield "name", f"{figure.zh} / {figure.en}"
    yield "value", measure(figure.value, figure.unit, lang)
    yield "bound", text(f"bound.{figure.bound}", lang)
    yield "date", figure.date
    yield "role", text(f"role.{figure.role}", lang)
    yield "use", text(f"use.{figure.use}", lang)
    if figure.derived:
        yield "derived", figure.derived
    if figure.lost_to:
        yield "lost_to", figure.lost_to
    if figure.why:
        yield "why", figure.why[lang]
    if figure.notes:
        yield "notes", figure.notes
    for id in figure.sources:
        source = sources()[id]
        title = source.zh if lang == "zh" else source.en
        told = (f"[{id}] {title}", source.publisher, source.date, source.address)
        yield "source", " · ".join(part for part in told if part)


def audit_table(rows: Sequence[Row], lang: Lang, status: str | None = None) -> Iterator[RenderableType]:
    """Each number of a scenario with its status and what stands behind it, and below how many there are of each.

    With `status`, only the numbers that have it are listed; all are counted.
    """
    from rich.text import Text

    table = _table(lang, "path", "value", "range", "status", "behind")
    for row in rows:
        if status not in (None, row.status):
            continue
        origin = row.origin
        within = f"{_number(origin.range[0])}–{_number(origin.range[1])}" if origin.range else ""
        said = text(f"status.{row.status}", lang)
        _row(table, origin.path, measure(origin.value, origin.unit or "", lang), within, said, _behind(row, lang))
    yield table
    yield Text(_counted(rows, lang))


def _behind(row: Row, lang: Lang) -> str:
    if row.figure is None:
        return row.origin.assumed or ""
    said = f"{row.figure.id} ({row.figure.source}, {row.figure.date})"
    if row.agrees:
        return said
    return f"{said}; {text('figures.differs', lang, published=measure(row.figure.value, row.figure.unit, lang))}"


def _counted(rows: Iterable[Row], lang: Lang) -> str:
    found = list(rows)
    number = counts(found)
    each = text("figures.comma", lang).join(f"{text(f'status.{s}', lang)} {number[s]}" for s in STATUSES)
    differing = sum(not row.agrees for row in found)
    last = text("figures.differing" if differing else "figures.all_agree", lang, count=differing)
    return text("figures.counts", lang, total=len(found), each=each, last=last)


def cost(estimate: Estimate, lang: Lang) -> str:
    """An estimate as a sentence."""
    return text(
        "estimate.cost",
        lang,
        replicates=f"{estimate.replicates:,}",
        time=_time(estimate.seconds, lang),
        disk=_disk(estimate.bytes),
    )


def measure(value: object, of: str, lang: Lang) -> str:
    """A number as a file would hold it, and its unit."""
    words = known(f"measure.{of}", lang)
    return f"{_number(value)} {unit(of, lang) if words is None else words}".rstrip()


def _number(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_number, value))
    if value is None:
        return "null"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return clean(str(value))
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:.10g}"


def _time(seconds: float, lang: Lang) -> str:
    for key, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return text(f"estimate.{key}", lang, count=f"{seconds / size:.0f}")
    return text("estimate.seconds", lang, count=max(round(seconds), 1))


def _disk(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 0.1):.{0 if size >= 1e7 else 1}f} MB"


def _table(lang: Lang, *headings: str) -> Table:
    """An empty table; the first column is what users copy, and is never folded."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    for heading in headings:
        first = heading == headings[0]
        table.add_column(Text(text(f"figures.{heading}", lang)), no_wrap=first, overflow="ignore" if first else "fold")
    return table


def _row(table: Table, *cells: str) -> None:
    from rich.text import Text

    table.add_row(*(Text(clean(cell)) for cell in cells))
