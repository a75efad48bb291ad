"""The answer of a sweep on the screen: what each outcome comes to over the points, and what failed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.presentation.answer import FEW
from sim.presentation.catalogue import Lang, clean, error, labels, outcome, scale, text
from sim.presentation.digits import UNKNOWN, Measured, written
from sim.presentation.listing import disk, duration
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderableType

    from sim.experiments.sweep.estimate import Cost, Status
    from sim.experiments.sweep.result import Sweep

__all__ = ["SweepAnswer", "cost", "plain", "progress_of", "said"]

Row = Mapping[str, Any]

_FEW_POINTS, _FEW_OUTCOMES, _FEW_AXES = 24, 4, 3
"""assumed: what fits on a screen as it is; of more, the lowest and the highest are shown."""

_SHOWN = 10
"""Kinds of failure that are shown."""

_TOLD = 10_000
"""assumed: rows of the summary, and failures, that a JSON document may have; more are in the folder."""


@dataclass(frozen=True)
class SweepAnswer:
    """The answer of a sweep, printable with rich.

    Parameters
    ----------
    sweep
        What was found; only its tables and its manifest are read.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    sweep: Sweep
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.text import Text

        found = self.sweep
        sheet = Sheet(self.lang, "sweep", labels(found.manifest["scenario"], self.lang))
        size = sheet.say(
            "size",
            points=f"{self._points['point'].nunique():,}",
            runs=f"{len(found.runs):,}",
            seed=found.manifest["seed"],
        )
        yield Text.assemble((named(found.manifest, self.lang), "bold"), "  ", (size, "dim"))
        few = (
            len(self._points) <= _FEW_POINTS and len(found.outcomes) <= _FEW_OUTCOMES and len(found.paths) <= _FEW_AXES
        )
        yield from self._each(sheet) if few else self._ends(sheet)
        yield from self._failures(sheet)
        yield Text("")
        yield from sheet.lines(*self._below(sheet))

    @property
    def _points(self) -> pd.DataFrame:
        return self.sweep.points.drop_duplicates(["branch", "point"])

    def _each(self, sheet: Sheet) -> Iterator[RenderableType]:
        """Every point: its values, and each outcome with half of its interval."""
        found = self.sweep
        values = found.summary.set_index(["point", "outcome"])
        largest = found.summary.groupby("outcome")["mean"].apply(lambda means: means.abs().max())
        scales = {
            name: scale(_finite(largest.get(name)), unit, self.lang)
            for name, unit in found.manifest["outcomes"].items()
        }
        branches = found.manifest["study"].get("branches") or ()
        head = [
            *([sheet.say("each.branch")] if branches else []),
            *(axis(found.manifest, p, self.lang) for p in found.paths),
        ]
        tail = [
            f"{outcome(name, self.lang, sheet.labels)[0]}{_in(scales[name][1], self.lang)}" for name in found.outcomes
        ]
        table = _titled(sheet, [*head, *tail], left=1 if branches else 0)
        for row in records(self._points):
            cells = [branch(found.manifest, row["branch"], self.lang)] if branches else []
            cells += [value(row[path], self.lang) for path in found.paths]
            for name in found.outcomes:
                key = row["point"], name
                known = records(values.loc[[key]])[0] if key in values.index else None
                cells.append(_give_or_take(known, scales[name][0]))
            sheet.row(table, *cells)
        yield from sheet.section("each.title", table, sheet.say("each.legend"))

    def _ends(self, sheet: Sheet) -> Iterator[RenderableType]:
        """Of each outcome, the points at which it is lowest and highest."""
        found = self.sweep
        table = sheet.table("ends", "outcome", "which", "mean", "interval", "unit", "at", left=2)
        for column in (4, 5):
            table.columns[column].justify = "left"
        places = {(row["branch"], row["point"]): row for row in records(self._points)}
        known = [row for row in records(found.summary) if row["mean"] is not None]
        for name in found.outcomes:
            rows = [row for row in known if row["outcome"] == name]
            said = outcome(name, self.lang, sheet.labels)[0]
            if not rows:
                sheet.row(table, said, "", UNKNOWN, UNKNOWN, "", "")
                continue
            for which, choose in (("lowest", min), ("highest", max)):
                row = choose(rows, key=lambda row: row["mean"])
                by, unit = scale(row["mean"], row["unit"], self.lang)
                number = Measured.of(row, "mean", "ci_low", "ci_high").over(by)
                where = self._at(places[row["branch"], row["point"]])
                sheet.row(table, said, sheet.say(f"ends.{which}"), number.said(), number.span(self.lang), unit, where)
                said = ""
        yield from sheet.section("ends.title", table, sheet.say("ends.legend"))

    def _at(self, row: Row) -> str:
        """The values of a point in words."""
        manifest = self.sweep.manifest
        parts = [
            f"{axis(manifest, p, self.lang)} {value(row[p], self.lang)}" for p in self.sweep.paths if row[p] is not None
        ]
        if row["branch"]:
            parts.insert(0, branch(manifest, row["branch"], self.lang))
        return text("sweep.join", self.lang).join(parts)

    def _failures(self, sheet: Sheet) -> Iterator[RenderableType]:
        """What failed: how many runs, where, why, and one of them."""
        failures = self.sweep.failures
        table = sheet.table("failed", "count", "phase", "message", "at", left=0)
        for column in table.columns[1:]:
            column.justify = "left"
        groups = [records(rows) for _, rows in failures.groupby(["phase", "message"], sort=False)]
        for rows in sorted(groups, key=len, reverse=True)[:_SHOWN]:
            first = rows[0]
            where = sheet.say("failed.one", at=self._at(first), replicate=first["replicate"])
            phase, why = sheet.say(f"phase.{_key(first['phase'])}"), error(first["message"], self.lang)
            sheet.row(table, f"{len(rows):,}", phase, why, where)
        yield from sheet.section("failed.title", table)

    def _below(self, sheet: Sheet) -> Iterator[str]:
        if self.sweep.damaged:
            yield sheet.say("damaged", count=len(self.sweep.damaged))
        if self.sweep.summary["n"].max() < FEW:
            yield text("answer.few", self.lang, few=FEW)
        yield sheet.say("digest", digest=self.sweep.digest[:16])
        yield text("answer.survival_means", self.lang)
        yield text("answer.cannot_validate", self.lang)
        yield from self.notes


def named(manifest: Mapping[str, Any], lang: Lang) -> str:
    """What a sweep is called."""
    name = manifest["study"]["name"]
    return clean(name[lang] or name["en"] or name["zh"] or manifest["file"])


def axis(manifest: Mapping[str, Any], path: str, lang: Lang) -> str:
    """What varies along an axis: the study's name for it, else the schema's, else its path."""
    entry = next((a for a in manifest["axes"] if a["path"] == path), None)
    return clean((entry and entry["name"][lang]) or path)


def branch(manifest: Mapping[str, Any], id: str, lang: Lang) -> str:
    """What a branch is called."""
    entry = next((b for b in manifest["study"].get("branches") or () if b["id"] == id), None)
    return clean((entry and entry["name"][lang]) or id)


def value(found: object, lang: Lang) -> str:
    """A value of an axis."""
    if found is None:
        return UNKNOWN
    if isinstance(found, bool):
        return text(f"sweep.{'yes' if found else 'no'}", lang)
    if not isinstance(found, int | float):
        return clean(str(found))
    return f"{found:,.0f}" if float(found).is_integer() else f"{found:,.4g}"


def progress_of(status: Status, lang: Lang) -> str:
    """How far a sweep is, in lines."""
    failed = sum(status.failed.values())
    rule = status.manifest["replicates"]
    key = "status.done" if isinstance(rule, int) else "status.done_rule"
    lines = [
        named(status.manifest, lang),
        text(f"sweep.{key}", lang, done=f"{status.done:,}", wanted=f"{status.wanted:,}", failed=f"{failed:,}"),
    ]
    lines += [
        text("sweep.status.phase", lang, phase=text(f"sweep.phase.{_key(phase)}", lang), count=f"{count:,}")
        for phase, count in status.failed.items()
    ]
    if status.others:
        lines.append(text("sweep.status.others", lang, count=f"{status.others:,}"))
    if status.damaged:
        lines.append(text("sweep.status.damaged", lang, count=len(status.damaged)))
    if status.digest:
        lines.append(text("sweep.digest", lang, digest=status.digest[:16]))
    lines.append(text(f"sweep.status.{'busy' if status.process else 'idle'}", lang, process=status.process or ""))
    return "\n".join(lines)


def cost(expected: Cost, lang: Lang) -> str:
    """What a sweep takes, as a sentence."""
    said = {"points": f"{expected.points:,}", "runs": f"{expected.runs:,}", "disk": disk(expected.bytes)}
    return text("sweep.cost", lang, time=duration(expected.seconds, lang), **said)


def plain(found: Sweep) -> dict[str, Any]:
    """A sweep as plain values, for JSON."""
    failures = found.failures.head(_TOLD)
    several = found.summary.head(_TOLD)
    return {
        "study": found.manifest["study"],
        "points": found.manifest["points"],
        "runs": len(found.runs),
        "failed": len(found.failures),
        "damaged": [str(path) for path in found.damaged],
        "digest": found.digest,
        "values": {row.pop("point"): row for row in records(found.points.drop(columns="number").head(_TOLD))},
        "summary": [_whole(row) for row in records(several)],
        "failures": [_whole(row) for row in records(failures)],
    }


def said(status: Status) -> dict[str, Any]:
    """How far a sweep is as plain values, for JSON."""
    return {
        "study": status.manifest["study"],
        "wanted": status.wanted,
        "done": status.done,
        "failed": status.failed,
        "damaged": [str(path) for path in status.damaged],
        "digest": status.digest,
        "others": status.others,
        "process": status.process,
    }


def _whole(row: dict[Any, Any]) -> dict[Any, Any]:
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in row.items()}


def _titled(sheet: Sheet, headings: list[str], *, left: int) -> Any:
    """A table whose headings are names, not keys of the catalogue."""
    from rich.text import Text

    table = sheet.table("each")
    for place, heading in enumerate(headings):
        table.add_column(Text(heading), justify="left" if place < left else "right", overflow="fold")
    return table


def _give_or_take(row: Row | None, by: float) -> str:
    if row is None or row["mean"] is None:
        return UNKNOWN
    number = Measured.of(row, "mean", "ci_low", "ci_high").over(by)
    return (
        f"{number.said()} ± {written((number.high - number.low) / 2, number.places)}"
        if number.bounded
        else number.said()
    )


def _in(unit: str, lang: Lang) -> str:
    return text("sweep.unit", lang, unit=unit) if unit else ""


def _finite(value: Any) -> float:
    return 0.0 if value is None or not math.isfinite(value) else float(value)


def _key(phase: str) -> str:
    return phase.replace(" ", "_")
