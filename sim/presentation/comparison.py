"""The answer of a comparison on the screen: what each reform does, through whom, to whom, and at what price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.presentation.answer import FEW
from sim.presentation.catalogue import Labels, Lang, clean, labels, text, title
from sim.presentation.changes import changes
from sim.presentation.digits import Measured
from sim.presentation.effect_tables import AGE, effects, gains, graduation, leading, pairing, people
from sim.presentation.price_tables import budgets, each, extra, price, unit_costs
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

    from sim.experiments.comparison.result import Comparison

__all__ = ["PairedAnswer", "names", "plain", "words"]

Row = Mapping[str, Any]


def names(comparison: Comparison, lang: Lang) -> dict[str, str]:
    """What to call the scenarios: the names in their files where they tell them apart, else as tables call them."""
    titles = {id: title(reform, lang) for id, reform in comparison.reforms.items()}
    often = Counter((title(comparison.base, lang), *titles.values()))
    named = {id: clean(said if said and often[said] == 1 else id) for id, said in titles.items()}
    return {"base": text("compare.base", lang)} | named


def words(comparison: Comparison, lang: Lang) -> Labels:
    """Labels of the stages and instruments of all scenarios, the base's before others."""
    found: dict[str, str] = {}
    for scenario in (comparison.base, *comparison.reforms.values()):
        found = labels(scenario, lang) | found
    return found


@dataclass(frozen=True)
class PairedAnswer:
    """The answer of a comparison, printable with rich.

    Parameters
    ----------
    comparison
        What was found; only its tables and its manifest are read.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    comparison: Comparison
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.text import Text

        found = self.comparison
        sheet = Sheet(self.lang, "compare", words(found, self.lang), names(found, self.lang))
        base = clean(title(found.base, self.lang)) or text("answer.untitled", self.lang)
        head = sheet.say("head" if len(found.reforms) > 1 else "head_one", base=base, count=len(found.reforms))
        yield _headline(head, sheet.say("runs", replicates=found.replicates, seed=found.seed))
        if len(found.reforms) > 1:
            yield from sheet.section("glance.title", self._glance(sheet))
        for number, id in enumerate(found.reforms, 1):
            yield _headline(f"{number}  {sheet.names[id]}", clean(id))
            yield from self._reform(id, sheet)
        yield from unit_costs(found.unit_costs, sheet)
        yield from budgets(found, sheet)
        yield Text("")
        yield from sheet.lines(*sheet.footnotes(), *self._below(sheet))

    def _reform(self, id: str, sheet: Sheet) -> Iterator[RenderableType]:
        """All about one reform."""
        from rich.padding import Padding

        found, rows = self.comparison, self._outcomes(id)
        yield from sheet.lines(changes(found.base, found.reforms[id], self.lang))
        yield Padding(effects(rows, sheet), (0, 0, 0, 1))
        yield from sheet.lines(people(_of(found.twins, id), sheet), pairing(rows[f"survival_{leading(rows)}m"], sheet))
        yield from graduation(_of(found.graduation, id), sheet)
        yield from price(_rows(found.costs, id), sheet)
        yield from gains(_rows(found.gains, id), sheet)

    def _outcomes(self, id: str) -> dict[str, Row]:
        return {row["outcome"]: row for row in _rows(self.comparison.summary, id)}

    def _glance(self, sheet: Sheet) -> Table:
        """All reforms, a line each; without money where nobody arrived early enough."""
        found = {id: self._outcomes(id) for id in self.comparison.reforms}
        age = min(map(leading, found.values()))
        priced = ("survivors", "money", "each") if age == AGE else ()
        table = sheet.table("glance", "reform", f"survival_{age}m", *priced)
        for id, rows in found.items():
            row = rows[f"survival_{age}m"]
            effect = Measured.of(row, "effect", "ci_low", "ci_high").over(0.01)
            cells = [sheet.doubt(effect) + effect.give_or_take() + sheet.mark(row["reason"])]
            if priced:
                costs = _rows(self.comparison.costs, id)
                cost = next(c for c in costs if c["age_months"] == AGE and c["money"] == "received")
                cells += [*(extra(cost, what, sheet) for what in ("survivors", "cny")), each(cost, sheet)]
            sheet.row(table, sheet.names[id], *cells)
        return table

    def _below(self, sheet: Sheet) -> Iterator[str]:
        yield sheet.say("twins")
        yield sheet.say("split")
        yield sheet.say("shares")
        yield sheet.say("interval", mark=sheet.unsure, replicates=self.comparison.replicates)
        if self.comparison.asked > self.comparison.replicates:
            yield sheet.say("more_pairs", asked=self.comparison.asked)
        if self.comparison.replicates < FEW:
            yield text("answer.few", self.lang, few=FEW)
        yield text("answer.survival_means", self.lang)
        scenarios = self.comparison.manifest["scenarios"]
        counts = ((sheet.names[id], kept["numbers"]) for id, kept in scenarios.items())
        told = (
            sheet.say("assumed_in", name=name, assumed=n["assumed"] + n["unsourced"], total=sum(n.values()))
            for name, n in counts
        )
        yield sheet.say("assumed", each=text("figures.comma", self.lang).join(told))
        yield text("answer.cannot_validate", self.lang)
        yield from map(clean, self.notes)


def plain(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values; what is not known is None.

    ``effects`` by reform and outcome; the other tables, but `lives`, as lists of rows, those with a row for each
    replicate as means. What else `Comparison.manifest` holds of the scenarios comes first.
    """
    found = comparison
    means = {
        name: table.groupby([c for c in table.columns if table[c].dtype.kind not in "iuf"], sort=False)
        .mean(numeric_only=True)
        .drop(columns="replicate")
        .reset_index()
        for name, table in (("twins", found.twins), ("graduation", found.graduation))
    }
    tables = {"gains": found.gains, **means, "costs": found.costs, "unit_costs": found.unit_costs}
    effects = {id: {row.pop("outcome"): row for row in _rows(found.summary, id)} for id in found.reforms}
    kept = {key: found.manifest[key] for key in ("scenarios", "seed", "replicates", "discount")}
    lists = {name: records(table) for name, table in (tables | {"budgets": found.budgets}).items()}
    return {**kept, "effects": effects, **lists}


def _of(table: pd.DataFrame, id: str) -> pd.DataFrame:
    return table[table["scenario"] == id]


def _rows(table: pd.DataFrame, id: str) -> list[dict[Any, Any]]:
    return records(_of(table, id))


def _headline(first: str, second: str) -> RenderableType:
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text.assemble((first, "bold"), "  ", (second, "dim")), (1, 0, 0, 1))
