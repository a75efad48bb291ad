"""What the outcomes of a sweep are sensitive to, on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes
from sim.presentation.catalogue import Lang, clean, outcome, scale, text, title
from sim.presentation.digits import UNKNOWN, Measured, written
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

    from sim.experiments.sensitivity.found import Sensitivity

__all__ = ["IndicesAnswer", "branches", "effects", "plain"]

_SHOWN = 8
"""assumed: numbers of each outcome on the screen; all are in the folder and in the JSON."""

_PAIRS = 3
"""assumed: pairs of each outcome on the screen."""

_SHARES = ("sobol", "anova")

Row = Mapping[str, Any]


def branches(found: Sensitivity, lang: Lang) -> dict[str, str]:
    """Names of the branches, by id; empty where the study has none."""
    study = found.manifest["study"]
    named = {b["id"]: b["name"][lang] or b["name"]["en"] or b["name"]["zh"] or b["id"] for b in study["branches"]}
    return {id: clean(named.get(id, "")) for id in found.manifest["methods"]}


def effects(value: float, unit: str, lang: Lang) -> tuple[float, str]:
    """What differences like `value` are divided by, and the unit that they then have: points for shares."""
    return (0.01, text("sensitivity.points", lang)) if unit == "share" else scale(value, unit, lang)


@dataclass(frozen=True)
class IndicesAnswer:
    """What was found, printable with rich.

    Parameters
    ----------
    found
        Its tables and manifest are read.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    found: Sensitivity
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    @cached_property
    def _axes(self) -> Axes:
        return Axes(self.found.manifest["axes"], self.found.manifest["scenario"], self.lang)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.padding import Padding
        from rich.text import Text

        found, lang = self.found, self.lang
        sheet = Sheet(lang, "indices", self._axes.labels)
        study = found.manifest["study"]
        name = (
            study["name"][lang] or study["name"]["en"] or study["name"]["zh"] or title(found.manifest["scenario"], lang)
        )
        size = sheet.say("size", runs=f"{found.manifest['runs']:,}", seed=found.manifest["seed"])
        head = sheet.say("head", name=clean(name) or text("answer.untitled", lang))
        yield Padding(Text.assemble((head, "bold"), "  ", (size, "dim")), (1, 0, 0, 1))
        for branch, called in branches(found, lang).items():
            if called:
                yield Padding(Text(called, "bold cyan underline"), (1, 0, 0, 1))
            rows = [r for r in records(found.outcomes) if r["branch"] == branch]
            yield from sheet.section("spread.title", self._spread(sheet, rows))
            for row in rows:
                yield from self._ranking(sheet, row)
        yield Text("")
        yield from sheet.lines(*self._below(sheet))

    def _spread(self, sheet: Sheet, rows: list[dict[Any, Any]]) -> Table:
        """Each outcome over the points, and what part of one run's variance is chance."""
        table = sheet.table("spread", "outcome", "mean", "range", "sd", "chance")
        for row in rows:
            said = outcome(row["outcome"], self.lang, self._axes.labels)[0]
            by, unit = scale(row["mean"] or 0.0, row["unit"], self.lang)
            mean, low, high, sd = (Measured.of(row, k, k, k).over(by) for k in ("mean", "p10", "p90", "sd"))
            span = text("compare.span", self.lang, low=low.said(), high=high.said()) if low.known else UNKNOWN
            chance = UNKNOWN if row["chance"] is None else f"{written(100 * row['chance'], 0)} %"
            sheet.row(table, said, f"{mean.said()} {unit}".rstrip() if mean.known else UNKNOWN, span, sd.said(), chance)
        return table

    def _ranking(self, sheet: Sheet, row: Row) -> Iterator[RenderableType]:
        """The numbers, the most important first, and what two do only together."""
        from rich.padding import Padding
        from rich.text import Text

        said = outcome(row["outcome"], self.lang, self._axes.labels)[0]
        yield Padding(Text(said, "bold cyan"), (1, 0, 0, 1))
        if row["reason"] is not None:
            why = "nothing" if "changes" in row["reason"] else "few"
            yield from sheet.lines(sheet.say(f"why.{why}"), self._holes(sheet, row))
            return
        ranked = records(self.found.ranked(row["branch"], row["outcome"]))
        by, unit = self._scale(row, ranked)
        measures = {"morris": ("mu_star", "mu", "sigma"), "pawn": ("pawn",)}.get(row["method"], ("first", "total"))
        floors = ("floor",) if row["method"] not in _SHARES else ()
        table = sheet.table(row["method"], "rank", "number", *measures, *floors, left=2)
        for share in ranked[:_SHOWN]:
            place = "" if share["rank"] is None else str(share["rank"])
            cells = [_cell(sheet, share, m, by) for m in measures]
            cells += [_number(share["floor"], by) for _ in floors]
            sheet.row(table, place, self._axes.name(share["path"]), *cells)
        yield Padding(table, (0, 0, 0, 1))
        more = len(ranked) - _SHOWN
        none = all(share["rank"] is None for share in ranked)
        yield from sheet.lines(
            sheet.say("unit", unit=unit) if row["method"] == "morris" and unit else "",
            sheet.say("more", count=more) if more > 0 else "",
            sheet.say("none_ranked") if none else "",
            self._holes(sheet, row),
            *self._together(sheet, row),
        )

    def _holes(self, sheet: Sheet, row: Row) -> str:
        """A warning where an outcome is not known everywhere."""
        if row["points"] == row["designed"]:
            return ""
        return sheet.say("holes", known=f"{row['points']:,}", all=f"{row['designed']:,}")

    def _scale(self, row: Row, ranked: list[dict[Any, Any]]) -> tuple[float, str]:
        """What indices are divided by, and their unit: shares are in percent, effects in the outcome's unit."""
        if row["method"] in _SHARES:
            return 0.01, "%"
        if row["method"] == "pawn" or not ranked:
            return 1.0, ""
        return effects(ranked[0]["mu_star"], row["unit"], self.lang)

    def _together(self, sheet: Sheet, row: Row) -> Iterator[str]:
        pairs = self.found.pairs
        mine = pairs[(pairs["branch"] == row["branch"]) & (pairs["outcome"] == row["outcome"])]
        for pair in records(mine.sort_values("second", ascending=False, kind="stable").head(_PAIRS)):
            share = Measured.of(pair, "second").over(0.01)
            if share.low > 0:
                names = {"one": self._axes.name(pair["path"]), "other": self._axes.name(pair["other"])}
                yield sheet.say("together", **names, share=share.said(), span=share.span(self.lang))

    def _below(self, sheet: Sheet) -> Iterator[str]:
        found = self.found
        for method in dict.fromkeys(found.manifest["methods"].values()):
            yield sheet.say(f"means.{method}", mark=sheet.unsure)
        alone = found.outcomes["chance"].isna().all()
        yield sheet.say("means.one_replicate" if alone else "means.chance")
        failed = found.manifest["failed"]
        yield sheet.say("failed", count=f"{failed:,}") if failed else ""
        yield text("answer.survival_means", self.lang)
        yield text("answer.cannot_validate", self.lang)
        yield from map(clean, self.notes)


def _cell(sheet: Sheet, row: Row, measure: str, by: float) -> str:
    number = Measured.of(row, measure).over(by)
    if not number.known:
        return UNKNOWN
    if number.high <= 0 and measure == "first":
        return "0"  # an estimate of nothing
    value = number.value if measure == "mu" else max(number.value, 0.0)
    said = written(value, number.places, sign=measure == "mu")
    return f"{sheet.doubt(number)}{said} ({number.span(sheet.lang)})" if number.bounded else said


def _number(value: float | None, by: float) -> str:
    return UNKNOWN if value is None else Measured(value / by).said()


def plain(found: Sensitivity) -> dict[str, Any]:
    """All tables as plain values; what is not known is None."""
    kept = {key: found.manifest[key] for key in ("methods", "runs", "failed", "digest", "seed")}
    tables = {"outcomes": found.outcomes, "indices": found.indices, "pairs": found.pairs, "cells": found.cells}
    return kept | {name: records(frame) for name, frame in tables.items()}
