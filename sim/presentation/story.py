"""A life as text: each event a sentence, what stands behind it in numbered notes; two lives side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.evidence.audit import audit
from sim.presentation.catalogue import Lang, clean, labels, name, text, title
from sim.presentation.listing import explanation
from sim.presentation.prose import Prose
from sim.presentation.sentences import money, sentence

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

    from sim.experiments.tracing.event import Event
    from sim.experiments.tracing.trace import Difference, Life
    from sim.scenario.schema import Scenario

__all__ = ["Notes", "Story", "Twins", "plain"]

_SIDE_BY_SIDE = 96
"""Columns of text from which two lives fit beside each other."""


class Notes:
    """What stands behind the numbers of a text: each parameter once, numbered as it is first mentioned."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._numbers: dict[str, int] = {}

    def mark(self, scenario: Scenario, paths: Sequence[str]) -> str:
        """The numbers of some parameters, such as ``[3–5,9]``; empty if there are none."""
        numbers = sorted({self._number(scenario, path) for path in paths})
        runs: list[list[int]] = []
        for n in numbers:
            if runs and n == runs[-1][-1] + 1:
                runs[-1].append(n)
            else:
                runs.append([n])
        told = (f"{r[0]}–{r[-1]}" if len(r) > 2 else ",".join(map(str, r)) for r in runs)
        return f"[{','.join(told)}]" if runs else ""

    def _number(self, scenario: Scenario, path: str) -> int:
        said = " · ".join(explanation(audit([scenario.why(path)])[0], self._lang).splitlines())
        return self._numbers.setdefault(said, len(self._numbers) + 1)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Number and text of each, in order."""
        return iter([(number, said) for said, number in self._numbers.items()])


Line = tuple[int, str, str]
"""Month, date or dates, sentence with its notes."""


@dataclass(frozen=True)
class Story:
    """A life, printable with rich.

    Parameters
    ----------
    life
        The life.
    lang
        ``zh`` or ``en``.
    picked
        How he was picked, a key of the catalogue's ``trace.pick``; None if he was named.
    """

    life: Life
    lang: Lang
    picked: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Heading, story, notes."""
        notes = Notes(self.lang)
        lines = list(_lines(self.life, self.life.events, self.lang, notes))
        yield from _heading([self.life], self.lang, self.picked)
        yield _columns(lines)
        yield from _closing(self.life, self.lang)
        yield from _notes(notes, self.lang)
        yield from _below(self.lang)


@dataclass(frozen=True)
class Twins:
    """The same life under two policies, printable with rich: side by side where there is room for it.

    `named` are the two scenarios' files or folders, which tell them apart where they have the same name.
    """

    one: Life
    other: Life
    difference: Difference
    lang: Lang
    named: tuple[str, str] = ("", "")
    picked: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Heading, the common beginning once, then the two."""
        from rich.padding import Padding

        notes, parts = Notes(self.lang), self.difference.told
        together, one, other = self._told(notes)
        yield from _heading([self.one, self.other], self.lang, self.picked)
        if together:
            yield _columns(together)
        yield Padding(Prose(self._where(), "bold"), (1, 0, 0, 1))
        headings = self._headings
        if parts is None:
            yield from _closing(self.one, self.lang)
        elif options.max_width >= _SIDE_BY_SIDE:
            yield _beside(one, other, headings)
            yield from _closing(self.one, self.lang, headings[0])
            yield from _closing(self.other, self.lang, headings[1])
        else:
            for life, lines, heading in ((self.one, one, headings[0]), (self.other, other, headings[1])):
                yield Padding(Prose(heading, "bold cyan"), (1, 0, 0, 1))
                yield _columns(lines)
                yield from _closing(life, self.lang)
        yield from _notes(notes, self.lang)
        yield from _below(self.lang)

    def _told(self, notes: Notes) -> tuple[list[Line], list[Line], list[Line]]:
        from sim.experiments.tracing.trace import tell

        parts = self.difference.told
        before = [m for m in self.one.months if parts is None or m.month < parts]
        said = [list(_lines(self.one, tell(before), self.lang, notes))]
        for life in (self.one, self.other):
            after = [m for m in life.months if parts is not None and m.month >= parts]
            said.append(list(_lines(life, tell(after), self.lang, notes)))
        return said[0], said[1], said[2]

    @cached_property
    def _headings(self) -> tuple[str, str]:
        names = [_titled(life, self.lang) for life in (self.one, self.other)]
        if names[0] == names[1]:
            names = [f"{n} ({clean(path)})" for n, path in zip(names, self.named, strict=True)]
        return names[0], names[1]

    def _where(self) -> str:
        """The first month of difference, and what differs."""
        d, dates = self.difference, {m.month: m.date for life in (self.one, self.other) for m in life.months}
        if d.exact is None:
            return text("trace.same", self.lang)
        slight = text("trace.slight", self.lang, date=dates[d.exact]) if d.exact != d.told else ""
        if d.told is None:
            return f"{text('trace.nearly', self.lang)}{slight}".strip()
        what = text("figures.comma", self.lang).join(text(f"trace.what.{w}", self.lang) for w in d.what)
        return text("trace.parts", self.lang, date=dates[d.told], what=what).strip() + slight


def _lines(life: Life, events: Iterable[Event], lang: Lang, notes: Notes) -> Iterator[Line]:
    named = labels(life.scenario.resolved(), lang)
    for event in events:
        when = event.date if event.kind != "spell" else f"{event.date}–{event.numbers['until']}"
        when = event.date if event.numbers.get("until") == event.date else when
        mark = notes.mark(life.scenario, event.parameters)
        said = clean(sentence(event, lang, named))
        yield event.month, when, f"{said} {mark}".rstrip()


def _titled(life: Life, lang: Lang) -> str:
    return clean(title(life.scenario.resolved(), lang)) or text("answer.untitled", lang)


def _heading(lives: Sequence[Life], lang: Lang, picked: str | None) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    life = lives[0]
    names = " / ".join(dict.fromkeys(_titled(each, lang) for each in lives))
    said = text("trace.who", lang, uid=life.uid, name=names)
    yield Padding(Text.assemble((said, "bold"), "  ", (_run(life, lang), "dim")), (1, 0, 0, 1))
    if picked:
        yield Padding(Prose(text("trace.picked", lang, how=text(f"trace.pick.{picked}", lang))), (0, 0, 0, 1))
    yield Padding(Prose(text("trace.how", lang)), (0, 0, 1, 1))


def _run(life: Life, lang: Lang) -> str:
    return text("trace.run", lang, replicate=life.replicate, seed=life.seed)


def _closing(life: Life, lang: Lang, heading: str = "") -> Iterator[RenderableType]:
    """What he got in all."""
    from rich.padding import Padding

    said = _received(life, lang)
    yield Padding(Prose(f"{heading}{text('trace.colon', lang)}{said}" if heading else said), (1, 0, 0, 1))


def _received(life: Life, lang: Lang) -> str:
    from sim.experiments.tracing.trace import received

    named, got = labels(life.scenario.resolved(), lang), received(life.months)
    each = [
        text(
            "trace.part.times_paid",
            lang,
            instrument=clean(name("policy", i, lang, named)),
            times=n,
            paid=money(paid, lang),
        )
        for i, (n, paid) in got.items()
    ]
    total = money(sum(paid for _, paid in got.values()), lang)
    listed = text("figures.comma", lang).join(each)
    return text("trace.received", lang, total=total, each=listed) if got else text("trace.nothing", lang)


def _notes(notes: Notes, lang: Lang) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    found = list(notes)
    if not found:
        return
    yield Padding(Text(text("trace.notes", lang), "bold"), (1, 0, 0, 1))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for number, said in found:
        table.add_row(Text(f" [{number}]"), Prose(said))
    yield table


def _below(lang: Lang) -> Iterator[RenderableType]:
    """What a life in the model is not."""
    from rich.padding import Padding

    for key in ("answer.survival_means", "answer.cannot_validate"):
        yield Padding(Prose(text(key, lang), "dim"), (1 if key.endswith("means") else 0, 0, 0, 1))


def _columns(lines: Sequence[Line]) -> Table:
    """Lines in two columns: when, and what; a date stands once."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    last = ""
    for _, when, said in lines:
        table.add_row(Text("" if when == last else f" {when}"), Prose(said))
        last = when
    return table


def _beside(one: Sequence[Line], other: Sequence[Line], headings: tuple[str, str]) -> Table:
    """Two lives in columns, month by month."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold", ratio=1)
    sides = (one, other)
    for month in sorted({line[0] for side in sides for line in side}):
        told = [[line for line in side if line[0] == month] for side in sides]
        dates = dict.fromkeys(when for side in told for _, when, _ in side)
        cells = [Prose("\n".join(said for _, _, said in side)) for side in told]
        table.add_row(Text("\n".join(f" {d}" for d in dates)), *cells)
    return table


def plain(life: Life) -> dict[str, Any]:
    """A life as plain data: whose, its events, and what stands behind their parameters."""
    paths = dict.fromkeys(path for event in life.events for path in event.parameters)
    return {
        "uid": life.uid,
        "scenario": life.scenario.resolved()["name"],
        "seed": life.seed,
        "replicate": life.replicate,
        "highest_stage": life.highest,
        "events": [asdict(event) for event in life.events],
        "parameters": {path: audit([life.scenario.why(path)])[0].flat() for path in paths},
    }
