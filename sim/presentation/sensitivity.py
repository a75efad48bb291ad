"""What rests on assumptions, on the screen: what carries each outcome's variance, and what to measure next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, assumption, clean, known, labels, name, outcome, scale, short, text, title
from sim.presentation.digits import UNKNOWN, Measured, written
from sim.presentation.listing import measure
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

    from sim.experiments.sensitivity.result import Variance

__all__ = ["VarianceAnswer", "called", "outcome_name", "plain", "words"]

_SHOWN = 5
"""assumed: numbers of each outcome on the screen; all are in the folder and in the JSON."""

_MIXED = ("arrivals.education", "arrivals.origin", "arrivals.channel")

Row = Mapping[str, Any]


def words(found: Variance, lang: Lang) -> dict[str, str]:
    """Labels of stages and instruments."""
    return labels(found.manifest["scenario"], lang)


def called(found: Variance, group: str, lang: Lang) -> str:
    """What a number, or a group of them, is called: with its stage, its instrument or its channel."""
    varied = found.manifest["varied"]
    if group in ("others", "known"):
        members = sum(1 for n in varied.values() if n["group"] == group)
        return text(f"sensitivity.{group}", lang, count=members)
    if group in _MIXED:
        return text(f"sensitivity.mix.{group.partition('.')[2]}", lang)
    said, (room, *parts) = varied[group][lang], group.split(".")
    kind = {"chain": "stage", "policy": "policy", "market": "channel"}.get(room)
    if kind is None or len(parts) < 2 or (kind == "channel" and known(f"channel.{parts[0]}", lang) is None):
        return clean(said)
    part = short(name(kind, parts[0], lang, words(found, lang)))
    last = words(found, lang).get(parts[-1]) if room == "policy" else None
    if last:
        return text("sensitivity.part_of_stage", lang, part=part, name=said, stage=short(last))
    return text("sensitivity.part", lang, part=part, name=said)


def outcome_name(found: Variance, row: Row, lang: Lang) -> str:
    """An outcome, or the effect on it."""
    said = outcome(row["outcome"], lang, words(found, lang))[0]
    return said if row["kind"] == "level" else text("sensitivity.effect", lang, outcome=said)


@dataclass(frozen=True)
class VarianceAnswer:
    """What was found, printable with rich.

    Parameters
    ----------
    found
        What share of each outcome's variance each uncertain number carries.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    found: Variance
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.padding import Padding
        from rich.text import Text

        found, lang = self.found, self.lang
        sheet = Sheet(lang, "sensitivity", words(found, lang))
        basis = found.manifest["basis"]
        untitled = text("answer.untitled", lang)
        head = sheet.say("head", name=clean(title(found.manifest["scenario"], lang)) or untitled)
        said = {key: f"{basis[key]:,}" for key in ("runs", "founders", "by")}
        yield Padding(Text.assemble((head, "bold"), "  ", (sheet.say("basis", **said), "dim")), (1, 0, 0, 1))
        if reform := found.manifest.get("reform"):
            named = clean(title(reform["scenario"], lang)) or untitled
            yield from sheet.lines(sheet.say("reform", name=named))
        yield from sheet.section("spread.title", self._spread(sheet))
        for row in records(found.outcomes):
            yield from self._ranking(row, sheet)
        yield from self._next(sheet)
        yield Text("")
        yield from sheet.lines(*self._below(sheet))

    def _spread(self, sheet: Sheet) -> Table:
        """Each outcome: what it is with the scenario's own values, how far it spreads, and who carries that."""
        table = sheet.table("spread", "outcome", "own", "range", "assumed", "known", "chance")
        for row in records(self.found.outcomes):
            own, low, high = (_value(row, row[key], self.lang) for key in ("own", "p10", "p90"))
            span = UNKNOWN
            if row["p10"] is not None:
                span = text("compare.span", self.lang, low=low.partition(" ")[0], high=high)
            parts = (UNKNOWN if row[p] is None else _percent(row[p]) for p in ("assumed", "known", "chance"))
            sheet.row(table, outcome_name(self.found, row, self.lang), own, span, *parts)
        return table

    def _ranking(self, row: Row, sheet: Sheet) -> Iterator[RenderableType]:
        """The numbers that carry most of one outcome, and the groups of those that were not singled out."""
        from rich.padding import Padding
        from rich.text import Text

        if row["reason"] is not None:
            return
        table = sheet.table("ranking", "rank", "number", "first", "total", left=2)
        shares = records(self.found.ranked(row["outcome"], row["kind"]))
        ranked = [share for share in shares if share["rank"] is not None][:_SHOWN]
        for share in (*ranked, *(s for s in shares if s["group"] in ("others", "known"))):
            place = "" if share["rank"] is None else str(share["rank"])
            cells = (_share(sheet, share, part) for part in ("first", "total"))
            sheet.row(table, place, called(self.found, share["group"], self.lang), *cells)
        yield Padding(Text(outcome_name(self.found, row, self.lang), "bold cyan"), (1, 0, 0, 1))
        yield Padding(table, (0, 0, 0, 1))
        yield from sheet.lines("" if ranked else sheet.say("none_ranked"))

    def _next(self, sheet: Sheet) -> Iterator[RenderableType]:
        """What the city should find out first, and what stands behind those numbers now."""
        chosen = self.found.measure_next()
        if not chosen:
            yield from sheet.lines("", sheet.say("nothing_next"))
            return
        table = sheet.table("next", "number", "path", "value", "range", "reason", left=5)
        for group in chosen:
            for path, number in self.found.manifest["varied"].items():
                if path == group or (group in _MIXED and path.startswith(f"{group}.")):
                    ends = "–".join(written(number[end], 4).rstrip("0").rstrip(".") for end in ("low", "high"))
                    value = measure(number["value"], number["unit"] or "", self.lang)
                    reason = assumption(number["assumed"] or "", self.lang)
                    sheet.row(table, called(self.found, path, self.lang), path, value, ends, reason)
        yield from sheet.section("next.title", table)
        named = [called(self.found, group, self.lang) for group in chosen]
        yield from sheet.lines(sheet.say("next.sentence", names=text("sensitivity.then", self.lang).join(named)))
        for row in records(self.found.outcomes):
            first = next((s for s in records(self.found.ranked(row["outcome"], row["kind"])) if s["rank"] == 1), None)
            if first and first["first_low"] > 0:
                share = Measured.of(first, "first").over(0.01)
                said = outcome_name(self.found, row, self.lang), called(self.found, first["group"], self.lang)
                yield from sheet.lines(sheet.say("next.of", outcome=said[0], name=said[1], share=share.said()))

    def _below(self, sheet: Sheet) -> Iterator[str]:
        found, numbers = self.found, self.found.manifest["numbers"]
        fixed = list(found.manifest["fixed"].values())
        yield sheet.say("means_first")
        yield sheet.say("means_total", mark=sheet.unsure)
        yield sheet.say("means_assumed", assumed=numbers["assumed"] + numbers["unsourced"], total=sum(numbers.values()))
        each = [text(f"sensitivity.fixed.{r}", self.lang, count=fixed.count(r)) for r in dict.fromkeys(fixed)]
        yield sheet.say("fixed.all", each=text("figures.comma", self.lang).join(each)) if each else ""
        yield sheet.say("prior")
        yield sheet.say("small", by=f"{found.manifest['basis']['by']:,}")
        pairs = found.manifest["basis"]["pairs"]
        for row in records(found.outcomes):
            if row["pairs"] < pairs:
                known = {"outcome": outcome_name(found, row, self.lang), "known": row["pairs"], "all": pairs}
                yield sheet.say("left_out", **known)
        yield text("answer.survival_means", self.lang)
        yield text("answer.cannot_validate", self.lang)
        yield from map(clean, self.notes)


def plain(found: Variance) -> dict[str, Any]:
    """All but the runs as plain values; what is not known is None."""
    kept = {key: found.manifest[key] for key in ("basis", "seed", "numbers", "varied", "fixed")}
    outcomes = []
    for row in records(found.outcomes):
        shares = records(found.ranked(row["outcome"], row["kind"]).drop(columns=["outcome", "kind"]))
        outcomes.append({**row, "shares": shares})
    return {**kept, "outcomes": outcomes, "measure_next": found.measure_next()}


def _share(sheet: Sheet, row: Row, part: str) -> str:
    """A share in percent with its interval; below 0 it is an estimate of nothing."""
    share = Measured.of(row, part).over(0.01)
    if not share.known:
        return UNKNOWN
    said = written(max(share.value, 0.0), share.places)
    return f"{sheet.doubt(share)}{said} ({share.span(sheet.lang)})" if share.bounded else said


def _percent(share: float) -> str:
    said = written(100 * share, 0 if share >= 0.1 else 1)
    return f"{said} %"


def _value(row: Row, value: float | None, lang: Lang) -> str:
    """A value of an outcome in its unit; a difference of shares in percentage points."""
    if value is None:
        return UNKNOWN
    by, unit = scale(max((row[key] or 0.0 for key in ("own", "p10", "p90")), key=abs), row["unit"], lang)
    if row["unit"] == "share" and row["kind"] == "effect":
        unit = text("sensitivity.points", lang)
    number = Measured(value / by)
    return f"{written(number.value, number.places, sign=row['kind'] == 'effect')} {unit}".rstrip()
