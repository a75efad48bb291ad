"""The scorecard on the screen: each fact with its value, its band, what a coin would score, and who says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, clean, decimals, known, text, title
from sim.presentation.catalogue import scale as scaled

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

    from sim.experiments.scoring.scorecard import Scorecard
    from sim.validation.fact import Fact, Finding, Part
    from sim.validation.record import NotKnown
    from sim.validation.scorecard import Line

__all__ = ["Card", "fact_name", "plain", "reason"]

_MARKS = {True: "✓", False: "✗", None: "–"}

_WIDEST = {"fact": 31, "source": 18}
"""Columns of text in which these are folded, so that the table stays within a hundred."""


def fact_name(fact: Fact, lang: Lang) -> str:
    """What a fact is called."""
    return text(f"facts.fact.{fact.id}.name", lang)


def reason(why: NotKnown, lang: Lang) -> str:
    """Why something is not known."""
    return clean(text(f"facts.reason.{why.key}", lang, **why.values))


@dataclass(frozen=True)
class Card:
    """The scorecard, printable with rich.

    Parameters
    ----------
    found
        What was found.
    lang
        ``zh`` or ``en``.
    """

    found: Scorecard
    lang: Lang = "en"

    def _say(self, key: str, **values: object) -> str:
        return text(f"facts.{key}", self.lang, **values)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.padding import Padding
        from rich.text import Text

        found = self.found
        runs = self._say("run" if found.replicates == 1 else "runs", replicates=found.replicates, seed=found.seed)
        name = clean(title(found.scenario, self.lang)) or text("answer.untitled", self.lang)
        reasons: dict[str, int] = {}
        yield Padding(Text.assemble((name, "bold"), "  ", (runs, "dim")), (1, 0, 0, 1))
        yield self._table(reasons)
        for why, number in reasons.items():
            yield Padding(Text(f"[{number}] {why}"), (0, 1))
        for line in self._verdict():
            yield Padding(Text(line, "bold"), (0, 1))
        for line in self._below():
            yield Padding(Text(line), (0, 1))

    def _table(self, reasons: dict[str, int]) -> Table:
        """A line for each fact, and one for each of its numbers where it has several."""
        from rich import box
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
        for heading in ("fact", "model", "", "band", "coin", "floor", "source"):
            said = Text(self._say(f"heading.{heading}") if heading else "")
            justify = "left" if heading in ("fact", "", "source") else "right"
            widest = _WIDEST.get(heading)
            table.add_column(said, justify=justify, overflow="fold", max_width=widest)  # type: ignore[arg-type]
        families = dict.fromkeys(line.fact.family for line in self.found.lines)
        for family in families:
            table.add_row(Text(known(f"facts.family.{family}", self.lang) or family, "bold cyan"))
            for line in self.found.lines:
                if line.fact.family == family:
                    for depth, name, *cells in self._rows(line, reasons):
                        table.add_row(Padding(Text(name), (0, 0, 0, depth)), *map(Text, cells))
            table.add_section()
        return table

    def _rows(self, line: Line, reasons: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        """The rows of a fact: indentation, name, value, verdict, band, null models, source."""
        fact, model = line.fact, line.model
        marks = [self._say("fitted_mark")] if fact.use == "fitted" else [self._say("easy_mark")] if line.easy else []
        name = fact_name(fact, self.lang) + "".join(f" [{mark}]" for mark in marks)
        certainty = self._say(f"certainty.{fact.certainty}")
        source = self._say("by", sources=self._sources(fact), certainty=certainty)
        if model.reason is not None:
            number = reasons.setdefault(reason(model.reason, self.lang), len(reasons) + 1)
            yield 1, name, f"–[{number}]", _MARKS[None], "", "", "", source
            return
        single = len(fact.parts) == 1
        if not single:
            nulls = (_MARKS[finding.passed] for finding in line.nulls.values())
            yield 1, name, "", _MARKS[model.passed], "", *nulls, source
        for part in fact.parts:
            nulls = (self._short(finding, part) for finding in line.nulls.values())
            shown = name if single else self._say(f"fact.{fact.id}.part.{part.id}")
            unit = self._unit(part, model.mean(part))[1]
            shown = shown if unit in ("", "%") else self._say("measured_in", what=shown, unit=unit)
            value, band = self._value(model, part), self._band(part, model.mean(part))
            cells = (value, _MARKS[model.holds(part)], band, *nulls, source if single else "")
            yield (1 if single else 3), shown, *cells

    def _sources(self, fact: Fact) -> str:
        """Short names of the literature, letters of the documents that figures were read from."""
        from sim.evidence.ledger import figures

        named = (
            known(f"facts.source.{id}", self.lang) or (figures()[id].source if id in figures() else id)
            for id in fact.sources
        )
        return text("figures.comma", self.lang).join(dict.fromkeys(named))

    def _value(self, finding: Finding, part: Part) -> str:
        mean, sd = finding.mean(part), finding.sd(part)
        by, unit = self._unit(part, mean)
        places = decimals(mean / by)
        spread = "" if sd is None else f" ±{sd / by:,.{places}f}"
        return f"{mean / by:,.{places}f}{spread}{'%' if unit == '%' else ''}"

    def _short(self, finding: Finding, part: Part) -> str:
        """A null model's number and verdict."""
        if finding.passed is None:
            return _MARKS[None]
        mean = finding.mean(part)
        by, _ = self._unit(part, mean)
        return f"{mean / by:,.{decimals(mean / by)}f} {_MARKS[finding.holds(part)]}"

    def _band(self, part: Part, value: float) -> str:
        """The band in the unit in which `value` is written."""
        by, unit = self._unit(part, value)
        low, high = (None if end is None else _round(end / by) for end in (part.low, part.high))
        if low is None or high is None:
            said = f"≤ {high}" if low is None else f"≥ {low}"
        else:
            said = f"{low}–{high}" if float(part.low or 0) >= 0 else f"{low} … {high}"
        return f"{said}{'%' if unit == '%' else ''}"

    def _unit(self, part: Part, value: float) -> tuple[float, str]:
        """What to divide by, and the unit then."""
        if part.unit in ("share", "points"):
            return 0.01, self._say(f"unit.{part.unit}")
        if part.unit == "CNY/year":
            return scaled(value, part.unit, self.lang)
        return 1.0, self._say(f"unit.{part.unit}")

    def _verdict(self) -> Iterator[str]:
        """How many hold, and which do not."""
        score = self.found.score
        if not score.known:
            yield self._say("score_none")
        else:
            yield self._say(
                "score",
                passed=score.passed,
                known=score.known,
                share=f"{100 * score.passed / score.known:.0f}",
                hard_passed=score.hard_passed,
                hard_known=score.hard_known,
            )
        failing = [line.fact for line in self.found.lines if line.counts and not line.model.passed]
        if failing:
            names = self._say("and").join(fact_name(fact, self.lang) for fact in failing)
            yield self._say("fails", names=names)
        if score.unknown:
            yield self._say("unknown", count=score.unknown)

    def _below(self) -> Iterator[str]:
        yield self._say("marks")
        yield self._say("nulls")
        yield self._say("basis")
        yield self._say("stored" if self.found.stored else "trials")
        yield text("answer.survival_means", self.lang)
        yield self._say("unverified")
        yield text("answer.cannot_validate", self.lang)


def _round(number: float) -> str:
    """The end of a band: three digits that count, or all before the point."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def plain(found: Scorecard, lang: Lang) -> dict[str, Any]:
    """The scorecard as plain values; what is not known is None, with a reason."""
    score = found.score
    return {
        "scenario": title(found.scenario, lang),
        "replicates": found.replicates,
        "seed": found.seed,
        "stored": found.stored,
        "score": {
            "passed": score.passed,
            "known": score.known,
            "passed_no_null_passes": score.hard_passed,
            "known_no_null_passes": score.hard_known,
            "unknown": score.unknown,
        },
        "facts": [_fact(line, lang) for line in found.lines],
        "notes": list(Card(found, lang)._below()),
    }


def _fact(line: Line, lang: Lang) -> dict[str, Any]:
    fact = line.fact
    return {
        "id": fact.id,
        "number": fact.number,
        "family": fact.family,
        "name": fact_name(fact, lang),
        "definition": text(f"facts.fact.{fact.id}.definition", lang),
        "use": fact.use,
        "counts": line.counts,
        "certainty": fact.certainty,
        "sources": [{"id": id, "name": known(f"facts.source.{id}", lang) or id} for id in fact.sources],
        **_finding(line.model, lang),
        "nulls": {kind: _finding(finding, lang) for kind, finding in line.nulls.items()},
        "a_null_passes": line.easy,
    }


def _finding(finding: Finding, lang: Lang) -> dict[str, Any]:
    parts: Mapping[str, Any] = {}
    if finding.passed is not None:
        parts = {
            part.id: {
                "name": known(f"facts.fact.{finding.fact.id}.part.{part.id}", lang),
                "mean": finding.mean(part),
                "sd": finding.sd(part),
                "low": part.low,
                "high": part.high,
                "unit": part.unit,
                "passed": finding.holds(part),
                "values": list(finding.values[part.id]),
            }
            for part in finding.fact.parts
        }
    why = finding.reason and reason(finding.reason, lang)
    return {"passed": finding.passed, "reason": why, "parts": parts}
