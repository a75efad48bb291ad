"""The part of a report that tells of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.presentation import indices
from sim.presentation.catalogue import clean, name, outcome, short, text, title
from sim.presentation.changes import changes
from sim.presentation.comparison import PairedAnswer, names, words
from sim.presentation.comparison_plots import Plots
from sim.presentation.digits import Measured, written
from sim.presentation.effect_tables import AGE, GROUPINGS, effects, gains, graduation, leading, pairing, people
from sim.presentation.outline import Paragraph, outline
from sim.presentation.price_tables import budgets, price, unit_costs, verdict
from sim.presentation.report import basis, seen
from sim.presentation.report.blocks import Block, Figure, Part, Section
from sim.presentation.report.draft import Draft
from sim.presentation.sheet import Sheet, records
from sim.presentation.style import SIZE

if TYPE_CHECKING:
    from sim.experiments.comparison.result import Comparison
    from sim.scenario.schema import Scenario

__all__ = ["part"]

_ROW = 0.29
"""Inches of height for a row of a figure that has many."""

_SURVIVAL = ("survival_12m", "survival_36m", "survival_60m")

_SPLIT = ("newcomers_living_end", "sales_mean_cny")

_ENDS = ["effect", "ci_low", "ci_high"]

Row = Mapping[str, Any]


def part(found: Comparison, scenario: Scenario | None, draft: Draft) -> Part:
    """All about one comparison. `scenario` is the base, for where its numbers come from; None if that is not known."""
    draft.labels = words(found, draft.lang)
    told = _Comparison(found, draft)
    base = clean(title(found.base, draft.lang)) or text("answer.untitled", draft.lang)
    sections = [
        *([Section(text("compare.glance.title", draft.lang), told.glance())] if len(found.reforms) > 1 else []),
        Section(draft.say("section.effects"), list(told.effects())),
        Section(draft.say("section.split"), list(told.split())),
        Section(draft.say("section.twins"), list(told.twins())),
        Section(draft.say("section.price"), list(told.price())),
        Section(draft.say("section.each_reform"), list(told.each())),
        Section(draft.say("section.money"), list(told.money())),
        Section(draft.say("section.reading"), told.reading()),
        basis.figures(scenario, draft),
        basis.manifest(found.manifest, draft),
    ]
    key = "head" if len(found.reforms) > 1 else "head_one"
    head = text(f"compare.{key}", draft.lang, base=base, count=len(found.reforms))
    aside = text("compare.runs", draft.lang, replicates=found.replicates, seed=found.seed)
    return Part(draft.say("kind.comparison"), head, aside, told.answer(), sections)


class _Comparison:
    def __init__(self, found: Comparison, draft: Draft) -> None:
        self._found, self._draft = found, draft
        self._names = names(found, draft.lang)
        self._sheet = Sheet(draft.lang, "compare", draft.labels, self._names)
        self._plots = Plots(found, draft.lang)
        self._effects = {id: self._rows(found.summary, id) for id in found.reforms}
        self._by = {id: {row["outcome"]: row for row in rows} for id, rows in self._effects.items()}
        self._outline = outline(PairedAnswer(found, lang=draft.lang))

    @staticmethod
    def _rows(table: Any, id: str) -> list[dict[Any, Any]]:
        return records(table[table["scenario"] == id])

    # the answer -------------------------------------------------------------------------------------------------------

    def answer(self) -> list[str]:
        """Which reform does most, and what it costs."""
        draft, age = self._draft, min(map(leading, self._by.values()))
        moves = {id: Measured.of(rows[f"survival_{age}m"], *_ENDS).over(0.01) for id, rows in self._by.items()}
        known = {id: number for id, number in moves.items() if number.known}
        if not known:
            return [draft.say("comparison.unknown")]
        clear = {id: number for id, number in known.items() if number.clear}
        chosen = max(clear or known, key=lambda id: abs(known[id].value))
        said = {"reform": self._names[chosen], "age": draft.years(age), "count": len(known)}
        if not clear:
            return [draft.say("comparison.none_clear", **said), self._price(chosen)]
        row = self._by[chosen][f"survival_{age}m"]
        levels = {key: draft.percent(row[key]) for key in ("base", "reform")}
        said |= {"move": known[chosen].give_or_take(), "from_": levels["base"], "to": levels["reform"]}
        key = "up" if known[chosen].value > 0 else "down"
        many = "" if len(self._found.reforms) == 1 else "_most"
        rest = len(known) - len(clear)
        more = draft.say("comparison.others", rest=rest) if rest and len(known) > 1 else ""
        return [draft.say(f"comparison.{key}{many}", **said) + more, self._price(chosen)]

    def _price(self, reform: str) -> str:
        """What a reform costs, and what it does through others."""
        rows = self._rows(self._found.costs, reform)
        mine = next((r for r in rows if r["age_months"] == AGE and r["money"] == "received" and r["quadrant"]), None)
        row = self._by[reform][f"survival_{leading(self._by[reform])}m"]
        said = ""
        if row["direct"] is not None:
            parts = {
                k: written(100 * row[k], 2 if abs(row[k]) < 0.01 else 1, sign=True) for k in ("direct", "displacement")
            }
            said = self._draft.say("comparison.parts", **parts)
        if mine is None:
            return said or self._draft.say("comparison.no_price")
        return (
            self._draft.say("comparison.price", verdict=verdict(mine, self._sheet), reform=self._names[reform]) + said
        )

    def glance(self) -> list[Block]:
        """All reforms, a line each."""
        heading = text("compare.glance.title", self._draft.lang)
        blocks = [block for section in self._outline if section.title == heading for block in section.blocks]
        last = (block.said for block in self._outline[-1].blocks if isinstance(block, Paragraph))
        return self._draft.noted(blocks, last)

    # figures ----------------------------------------------------------------------------------------------------------

    def effects(self) -> Iterator[Block]:
        """Effects on survival and on the way up the chain."""
        reached = tuple(o for o in dict.fromkeys(self._found.summary["outcome"]) if o.startswith("reached_"))
        yield self._forest("survival", _SURVIVAL)
        if reached:
            yield self._forest("reached", reached)

    def _forest(self, stem: str, outcomes: tuple[str, ...]) -> Figure:
        table = self._found.summary
        mine = table[table["outcome"].isin(outcomes)]
        found = [seen.Named(self._of(row), Measured.of(row, *_ENDS).over(0.01)) for row in records(mine) if row["n"]]
        columns = ["scenario", "outcome", "base", "reform", "effect", "ci_low", "ci_high", "n"]
        height = max(SIZE[1], _ROW * len(outcomes) * (1 + len(self._found.reforms)) + 1.6)
        draw = partial(self._plots.forest, outcomes=outcomes)
        said = seen.differences(found, self._draft.say("points"), self._draft)
        return self._draft.figure(stem, draw, said, self._named(mine[columns]), height=height)

    def _of(self, row: Row) -> str:
        said = outcome(row["outcome"], self._draft.lang, self._draft.labels)[0]
        if len(self._found.reforms) == 1:
            return said
        return self._draft.say("seen.by", name=self._names[row["scenario"]], outcome=said)

    def _named(self, frame: Any) -> Any:
        return frame.assign(scenario=[self._names[str(id)] for id in frame["scenario"]])

    def split(self) -> Iterator[Block]:
        """The direct effect against displacement."""
        yield Paragraph(text("compare.split", self._draft.lang))
        for which in _SPLIT:
            table = self._found.summary
            mine = table[table["outcome"] == which]
            parts = []
            for row in records(mine.dropna(subset=["effect", "direct"])):
                by, unit = indices.effects(abs(row["effect"]), row["unit"], self._draft.lang)
                effect = Measured.of(row, *_ENDS).over(by)
                rest = {k: written(row[k] / by, effect.places, sign=True) for k in ("direct", "displacement")}
                unit = f" {unit}" if unit and self._draft.lang == "en" else unit
                said_of = {"name": self._names[row["scenario"]], "effect": effect.give_or_take() + unit}
                parts.append(self._draft.say("seen.split", **said_of, **rest))
            said = " ".join(parts) if self._draft.lang == "en" else "".join(parts)
            columns = ["scenario", "effect", "ci_low", "ci_high", "direct", "displacement", "unit"]
            draw = partial(self._plots.split, which=which)
            yield self._draft.figure(
                f"split-{which}".replace("_", "-"),
                draw,
                said or self._draft.say("seen.nothing"),
                self._named(mine[columns]),
            )

    def twins(self) -> Iterator[Block]:
        """Who is saved and who is lost, in all and by group."""
        yield Paragraph(text("compare.twins", self._draft.lang))
        for number, id in enumerate(self._found.reforms, 1):
            table = self._found.gains[self._found.gains["scenario"] == id]
            early = table[(table["at"] == f"{AGE}m") & (table["n"] > 0)]
            at = f"{AGE}m" if len(early) else "end"
            mine = table[(table["part"] == "whole") & (table["at"] == at) & (table["n"] > 0)]
            shown = mine[mine["grouping"].isin(GROUPINGS) & mine.groupby("grouping")["group"].transform("size").gt(1)]
            found = [
                seen.Named(self._group(row), Measured.of(row, "net_per_1000", "net_low", "net_high"))
                for row in records(shown)
            ]
            columns = [
                "grouping",
                "group",
                "n",
                "saved_per_1000",
                "lost_per_1000",
                "net_per_1000",
                "net_low",
                "net_high",
            ]
            told = shown[[c for c in columns if c in shown]].assign(
                grouping=[text(f"compare.by.{by}", self._draft.lang) for by in shown["grouping"]],
                group=[self._group(row) for row in records(shown)],
            )
            rows = len(shown) + shown["grouping"].nunique()
            height = max(SIZE[1], _ROW * rows + 1.6)
            said = seen.differences(found, self._draft.say("per_thousand"), self._draft)
            counts = self._found.twins[self._found.twins["scenario"] == id]
            yield Paragraph(self._names[id], "title")
            yield from (Paragraph(s) for s in [people(counts, self._sheet)] if s)
            if not shown[["net_per_1000", "net_low", "net_high"]].fillna(0.0).to_numpy().any():
                continue  # nobody lives otherwise, as was said
            yield self._draft.figure(
                f"twins-{number}", partial(self._plots.gains, reform=id), said, told, height=height
            )

    def _group(self, row: Row) -> str:
        kind = "stage" if row["grouping"] == "base_highest_stage" else row["grouping"]
        return short(name(kind, row["group"], self._draft.lang, self._draft.labels))

    def price(self) -> Iterator[Block]:
        """More survivors against more money."""
        mine = self._found.costs[(self._found.costs["age_months"] == AGE) & (self._found.costs["money"] == "received")]
        verdicts = [
            self._draft.say("seen.price", name=self._names[row["scenario"]], verdict=verdict(row, self._sheet))
            for row in records(mine)
            if row["quadrant"]
        ]
        columns = [c for c in mine.columns if c not in ("money", "age_months", "quadrant", "reason")]
        said = " ".join(verdicts) if self._draft.lang == "en" else "".join(verdicts)
        yield self._draft.figure(
            "plane", self._plots.plane, said or self._draft.say("seen.nothing"), self._named(mine[columns])
        )

    # tables -----------------------------------------------------------------------------------------------------------

    def each(self) -> Iterator[Block]:
        """What each reform changes, and what follows: the tables of the screen."""
        found, sheet = self._found, self._sheet
        for id, by in self._by.items():
            rows = [effects(by, sheet)]
            yield Paragraph(self._names[id], "title")
            yield Paragraph(changes(found.base, found.reforms[id], self._draft.lang))
            things = [
                *rows,
                *sheet.lines(pairing(by[f"survival_{leading(by)}m"], sheet)),
                *graduation(found.graduation[found.graduation["scenario"] == id], sheet),
                *price(self._rows(found.costs, id), sheet),
                *gains(self._rows(found.gains, id), sheet),
            ]
            yield from self._draft.noted(self._draft.blocks(things), sheet.footnotes())

    def money(self) -> Iterator[Block]:
        """What each scenario pays in all, and its budgets."""
        paid = [*unit_costs(self._found.unit_costs, self._sheet), *budgets(self._found, self._sheet)]
        yield from self._draft.noted(self._draft.blocks(paid), self._sheet.footnotes())

    def reading(self) -> list[Block]:
        """What words mean: what stands below the answer on the screen, less what was said already."""
        said = {text(f"compare.{key}", self._draft.lang) for key in ("twins", "split")}
        last = self._outline[-1].blocks
        return [b for b in last if isinstance(b, Paragraph) and b.said not in said and not b.said.startswith("[")]
