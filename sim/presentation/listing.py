"""The evidence and the costs on the screen: figures, audits, estimates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sim.evidence.audit import STATUSES, Row, counts
from sim.evidence.ledger import Figure, sources
from sim.presentation.catalogue import Lang, assumption, clean, known, text, unit

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from sim.pilot import Estimate

__all__ = ["audit_table", "cost", "disk", "duration", "explanation", "figure_card", "figure_table", "measure"]


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
        told = (f"[{id}] {_title(id, lang)}", source.publisher, source.date, source.address)
        yield "source", " · ".join(part for part in told if part)


def audit_table(rows: Sequence[Row], lang: Lang, status: str | None = None) -> Iterator[RenderableType]:
    """Each number of a scenario with its status and what stands behind it, and below how many there are of each.

    With `status`, only the numbers that have it are listed; all are counted.
    """
    from rich.text import Text

    named = lang == "zh"  # a path is English words already, and the reasons need the room
    table = _table(lang, "path", *(["name"] if named else []), "value", "range", "status", "behind")
    for row in rows:
        if status not in (None, row.status):
            continue
        origin = row.origin
        value, said = measure(origin.value, origin.unit or "", lang), text(f"status.{row.status}", lang)
        name = [_name(row, lang)] if named else []
        _row(table, origin.path, *name, value, _within(row), said, _behind(row, lang))
    yield table
    yield Text(_counted(rows, lang))


def explanation(row: Row, lang: Lang) -> str:
    """One value of a scenario in full: name, range, place, and the figure or assumption behind it."""
    origin = row.origin
    place = f"{origin.file}:{origin.line}:{origin.column}" if origin.line else origin.file
    lines = [
        f"{origin.path} = {measure(origin.value, origin.unit or '', lang)}",
        _name(row, lang),
        text("why.range", lang, range=_within(row)) if origin.range else "",
        text("why.place", lang, place=place) if place else text("why.default", lang),
        _source(row, lang) if origin.unit else "",
    ]
    return "\n".join(clean(line) for line in lines if line)


def _source(row: Row, lang: Lang) -> str:
    cited = row.figure
    if cited is None:
        return text(f"why.{row.status}", lang, reason=assumption(row.origin.assumed or "", lang))
    comma = text("figures.comma", lang)
    said = text(
        f"why.{row.status}",
        lang,
        name=cited.zh if lang == "zh" else cited.en,
        value=measure(cited.value, cited.unit, lang),
        bound=text(f"bound.{cited.bound}", lang),
        figure=cited.id,
        date=cited.date,
        formula=cited.derived,
        source=comma.join(f"{id} {_title(id, lang)}" for id in cited.sources),
    )
    return said if row.agrees else f"{said}{comma}{text('why.differs', lang)}"


def _title(source: str, lang: Lang) -> str:
    return sources()[source].zh if lang == "zh" else sources()[source].en


def _name(row: Row, lang: Lang) -> str:
    return row.origin.zh if lang == "zh" else row.origin.en


def _within(row: Row) -> str:
    return "–".join(map(_number, row.origin.range or ()))


def _behind(row: Row, lang: Lang) -> str:
    if row.figure is None:
        return assumption(row.origin.assumed or "", lang)
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
        time=duration(estimate.seconds, lang),
        disk=disk(estimate.bytes),
    )


def measure(value: object, of: str, lang: Lang) -> str:
    """A number as a file would hold it, and its unit."""
    if value is None:
        return "null"
    words = known(f"measure.{of}", lang)
    return f"{_number(value)} {unit(of, lang) if words is None else words}".rstrip()


def _number(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_number, value))
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, int | float):
        return clean(str(value))
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:,.10g}"


def duration(seconds: float, lang: Lang) -> str:
    """A time as it is said: seconds, minutes or hours."""
    for key, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return text(f"estimate.{key}", lang, count=f"{seconds / size:.0f}")
    return text("estimate.seconds", lang, count=max(round(seconds), 1))


def disk(size: int) -> str:
    """So many bytes as they are said."""
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
