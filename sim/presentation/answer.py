"""The answer on the screen: what a planner reads when a run has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, clean, decimals, outcome, reason, reason_key, scale, text

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

__all__ = ["FEW", "Answer", "plain", "show"]

_GROUPS = {
    "survival": ("survival_", "median_life", "rmst_"),
    "scale": ("arrivals", "living_", "newcomers_", "sales_", "employees_", "share_over_"),
    "chain": ("reached_", "months_to_", "occupancy_", "waiting_"),
    "money": ("spent_",),
    "other": ("",),
}
"""Group -> how its outcomes' names begin. An outcome that is new here is shown last, not dropped."""

_DETAIL = ("sales_p", "share_over_1m", "share_over_3m", "employees_mean")
"""Beginnings of what only the summary table and --json show."""

_UNKNOWN = "–"

FEW = 5
"""assumed: with fewer replicates than this an interval (Student-t) can reach beyond what is possible."""

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Answer:
    """The answer of a run, printable with rich.

    Parameters
    ----------
    summary
        The `summary` table (see `sim.tables`).
    name
        The scenario's name; whatever a user typed, markup in it is inert.
    replicates
        Replicates run.
    labels
        Stage id -> label of the scenario's own chain.
    money
        What to print of the money below the outcomes: see `sim.presentation.money`.
    assumed
        (assumed numbers, numbers in all, scenario file), for the line that says how much is not published.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    summary: pd.DataFrame
    name: str = ""
    replicates: int = 1
    labels: Mapping[str, str] = field(default_factory=dict)
    money: tuple[RenderableType, ...] = ()
    assumed: tuple[int, int, str] | None = None
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.padding import Padding
        from rich.text import Text

        runs = text("answer.run" if self.replicates == 1 else "answer.runs", self.lang, replicates=self.replicates)
        name = clean(self.name) or text("answer.untitled", self.lang)
        reasons: dict[str, int] = {}
        yield Padding(Text.assemble((name, "bold"), "  ", (runs, "dim")), (1, 0, 0, 1))
        yield self._table(reasons)
        yield from (Padding(Text(f"[{number}] {why}"), (0, 1)) for why, number in reasons.items())
        yield from self.money
        yield from (
            Padding(Text(line), (1 if self.money and not place else 0, 1, 0, 1))
            for place, line in enumerate(self._below())
        )

    def _table(self, reasons: dict[str, int]) -> Table:
        """The outcomes, grouped. Why one is not known is added to `reasons`: text -> number of its footnote."""
        from rich import box
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
        for heading in ("outcome", "mean", "interval", "spread", "unit"):
            justify = "left" if heading in ("outcome", "unit") else "right"
            table.add_column(Text(text(f"answer.{heading}", self.lang)), justify=justify, overflow="fold")  # type: ignore[arg-type]
        rows = self._rows()
        for group in _GROUPS:
            mine = [row for row in rows if _group(row["outcome"]) == group]
            if mine:
                table.add_row(Text(text(f"group.{group}", self.lang), "bold cyan"))
            for row in mine:
                name, _ = outcome(row["outcome"], self.lang, self.labels)
                cells = map(Text, self._numbers(row, reasons))
                table.add_row(Padding(Text(name), (0, 0, 0, 1)), *cells, end_section=row is mine[-1])
        return table

    def _rows(self) -> list[Row]:
        """The outcomes to show, null as None; the places of a stage that is open to all are no outcome."""
        rows: Sequence[Row] = self.summary.astype(object).where(self.summary.notna(), None).to_dict("records")
        open_stages = (r["outcome"].partition("_")[2] for r in rows if reason_key(r["reason"] or "") == "open")
        left_out = {f"{what}_{stage}" for stage in open_stages for what in ("occupancy", "waiting")}
        return [r for r in rows if not r["outcome"].startswith(_DETAIL) and r["outcome"] not in left_out]

    def _numbers(self, row: Row, reasons: dict[str, int]) -> tuple[str, str, str, str]:
        """Mean, interval, spread and unit of a row as text."""
        mark = ""
        if row["reason"]:
            number = reasons.setdefault(reason(row["reason"], self.lang, self.labels), len(reasons) + 1)
            mark = f"[{number}]"
        if row["mean"] is None:
            return _UNKNOWN + mark, _UNKNOWN, _UNKNOWN, ""
        by, unit = scale(row["mean"], row["unit"], self.lang)
        places = decimals(row["mean"] / by)
        if row["ci_low"] is not None and row["ci_high"] > row["ci_low"]:  # the ends must differ in print as well
            places = max(places, min(math.ceil(-math.log10((row["ci_high"] - row["ci_low"]) / by)), 4))

        def span(low: str, high: str) -> str:
            ends = row[low], row[high]
            return _UNKNOWN if None in ends else "–".join(f"{end / by:,.{places}f}" for end in ends)

        return f"{row['mean'] / by:,.{places}f}{mark}", span("ci_low", "ci_high"), span("p10", "p90"), unit

    def _below(self) -> Iterator[str]:
        yield text("answer.survival_means", self.lang)
        yield text("answer.intervals_mean", self.lang)
        if 1 < self.replicates < FEW:
            yield text("answer.few", self.lang, few=FEW)
        if self.assumed:
            assumed, total, file = self.assumed
            yield text("answer.assumed", self.lang, assumed=assumed, total=total, file=clean(file))
        yield text("answer.cannot_validate", self.lang)
        yield from map(clean, self.notes)


def _group(outcome: str) -> str:
    return next(group for group, starts in _GROUPS.items() if outcome.startswith(starts))


def show(answer: Answer) -> None:
    """Print the answer to standard output."""
    from sim.presentation.screen import say

    say(answer)


def plain(summary: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The `summary` table as plain values by outcome; what is not known is None."""
    rows: Any = summary.astype(object).where(summary.notna(), None).to_dict("records")
    return {row.pop("outcome"): row for row in rows}
