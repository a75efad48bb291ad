"""The answer of an optimisation on the screen: what to do, what it costs, to whom it does good, and how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes
from sim.presentation.catalogue import Lang, assumption, clean, name, outcome, scale, short, text, title
from sim.presentation.digits import UNKNOWN, Measured, written
from sim.presentation.indices import effects
from sim.presentation.listing import measure
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table

    from sim.experiments.optimisation.result import Optimum

__all__ = ["OptimumAnswer", "called", "cost", "group", "plain", "told"]

_NOW = "now"

Row = Mapping[str, Any]


def called(policy: str, lang: Lang) -> str:
    """What a policy is called."""
    if policy == _NOW:
        return text("optimise.now", lang)
    return text("optimise.policy", lang, number=policy.removeprefix("p"))


def group(row: Row, lang: Lang) -> str:
    """What a group of newcomers is called."""
    return short(name(row["grouping"], row["group"], lang))


def told(found: Optimum) -> list[dict[Any, Any]]:
    """Rows of the groups that are known, of groupings that tell people apart."""
    rows = [row for row in records(found.table("optimal_groups")) if row["effect"] is not None]
    often = Counter(row["grouping"] for row in rows)
    return [row for row in rows if often[row["grouping"]] > 1]


@dataclass(frozen=True)
class OptimumAnswer:
    """The answer of an optimisation, printable with rich.

    Parameters
    ----------
    found
        Its tables and manifest are read.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    found: Optimum
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    @cached_property
    def _axes(self) -> Axes:
        return Axes(self.found.manifest["axes"], self.found.manifest["scenario"], self.lang)

    @cached_property
    def _levers(self) -> list[str]:
        return [axis["path"] for axis in self.found.manifest["axes"] if axis["role"] == "lever"]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.padding import Padding
        from rich.text import Text

        kept, lang = self.found.manifest, self.lang
        sheet = Sheet(lang, "optimise", self._axes.labels)
        study = kept["study"]
        said = study["name"][lang] or study["name"]["en"] or study["name"]["zh"] or title(kept["scenario"], lang)
        size = sheet.say("size", points=f"{kept['points']:,}", runs=f"{kept['runs']:,}", seed=kept["seed"])
        head = Text.assemble((clean(said) or text("answer.untitled", lang), "bold"), "  ", (size, "dim"))
        yield Padding(head, (1, 0, 0, 1))
        yield from sheet.lines("", self._verdict(sheet))
        if self.found.recommended is not None:
            if self.found.recommended != _NOW:
                yield from sheet.section("levers.title", self._table_of_levers(sheet))
                yield from sheet.section("effects.title", self._effects(sheet), *self._money(sheet))
                yield from sheet.section("groups.title", self._groups(sheet), self._losers(sheet))
            yield from sheet.section("ranking.title", self._ranking(sheet), self._sure(sheet))
            yield from self._robust(sheet)
        yield from sheet.section("front.title", self._front(sheet), sheet.say("front.means"))
        yield Text("")
        yield from sheet.lines(*self._below(sheet))

    def _verdict(self, sheet: Sheet) -> str:
        kept = self.found.manifest
        aim = outcome(kept["aims"][0]["outcome"], self.lang, self._axes.labels)[0]
        if self.found.recommended is None:
            return sheet.say("none", cheapest=self._cny(kept["cheapest"]), budget=self._cny(kept["budget"]))
        if self.found.recommended == _NOW:
            return sheet.say("stay", aim=aim)
        policy, leader = (called(str(p), self.lang) for p in (self.found.recommended, kept["leader"]))
        if policy != leader:
            return sheet.say("do_cheaper", policy=policy, leader=leader, aim=aim)
        return sheet.say("do", policy=policy, aim=aim)

    # what to do -------------------------------------------------------------------------------------------------------

    def _table_of_levers(self, sheet: Sheet) -> Table:
        frame = self.found.table("optimal_levers")
        of = {str(policy): rows.set_index("path") for policy, rows in frame.groupby("policy")}
        new, now = of[str(self.found.recommended)], of[_NOW]
        table = sheet.table("levers", "lever", "now", "new", "cost")
        for path in self._levers:
            unit = self._unit_of(path)
            values = (self._value(frame_.loc[path], unit) for frame_ in (now, new))
            extra = float(new["declared_cny"][path])
            sheet.row(table, self._axes.name(path), *values, self._cny(extra) if extra else UNKNOWN)
        return table

    def _value(self, row: Any, unit: str) -> str:
        value = row["value"]
        if value != value:
            return str(row["label"])
        places = 0 if float(value).is_integer() else Measured(float(value)).places
        return measure(round(float(value), places), unit, self.lang)

    # what it does -----------------------------------------------------------------------------------------------------

    def _effects(self, sheet: Sheet) -> Table:
        table = sheet.table("effects", "outcome", "now", "new", "effect")
        for row in records(self.found.summary):
            by, unit = scale(max(abs(row["base"]), abs(row["policy"])), row["unit"], self.lang)
            levels = (Measured.of(row, key).over(by) for key in ("base", "policy"))
            share, points = effects(row["effect"], row["unit"], self.lang)
            effect = Measured.of(row, "effect").over(share)
            said = f"{sheet.doubt(effect)}{effect.give_or_take()} {points}".rstrip()
            named = outcome(row["outcome"], self.lang, self._axes.labels)[0]
            sheet.row(table, named, *(f"{level.said()} {unit}".rstrip() for level in levels), said)
        return table

    def _money(self, sheet: Sheet) -> Iterator[str]:
        """What it costs, against the budget."""
        kept = self.found.manifest
        row = next(r for r in records(self.found.summary) if r["outcome"] == "cost_cny")
        if kept["budget"] is not None:
            used = {"cost": self._cny(row["policy"]), "budget": self._cny(kept["budget"])}
            yield sheet.say("money", **used, share=written(100 * row["policy"] / kept["budget"], 1))
            yield sheet.say("over", share=written(100 * kept["over"], 0)) if kept["over"] else ""
        for missed in records(self.found.table("optimal_constraints")):
            if missed["missed"] > 0:
                what = missed["constraint"]
                key = "over_budget" if what == "budget" else "behind"
                by, _, of = what.partition(".")
                yield sheet.say(key, group=short(name(by, of, self.lang)) if of else "")
        yield sheet.say("fresh", count=kept["confirmed"])

    def _groups(self, sheet: Sheet) -> Table:
        table = sheet.table("groups", "by", "group", "now", "new", "effect", left=2)
        before = ""
        for row in told(self.found):
            base, policy, effect = (Measured.of(row, key).over(0.01) for key in ("base", "policy", "effect"))
            by = text(f"compare.by.{row['grouping']}", self.lang)
            cells = f"{base.said()} %", f"{policy.said()} %", sheet.doubt(effect) + effect.give_or_take()
            sheet.row(table, by if by != before else "", group(row, self.lang), *cells)
            before = by
        return table

    def _losers(self, sheet: Sheet) -> str:
        lose = [group(r, self.lang) for r in told(self.found) if (r["effect_high"] or 0) < 0]
        if not lose:
            return sheet.say("groups.nobody")
        return sheet.say("groups.lose", groups=text("figures.comma", self.lang).join(dict.fromkeys(lose)))

    # how sure it is ---------------------------------------------------------------------------------------------------

    def _ranking(self, sheet: Sheet) -> Table:
        first = self.found.manifest["aims"][0]["outcome"]
        unit = self._unit(first)
        table = sheet.table("ranking", "place", "policy", "mean", "behind", "replicates", "state", left=2)
        for row in records(self.found.table("optimal_ranking")):
            by, said = scale(row["mean"] or 0.0, unit, self.lang)
            share, points = effects(row["behind"] or 0.0, unit, self.lang)
            behind = Measured.of(row, "behind").over(share)
            gap = UNKNOWN if row["place"] == 1 else f"{sheet.doubt(behind)}{behind.give_or_take()} {points}".rstrip()
            mean = UNKNOWN if row["mean"] is None else f"{Measured(row['mean'] / by).said()} {said}".rstrip()
            state = "left" if row["left"] else "out" if row["allowed"] else "forbidden"
            told = sheet.say(f"ranking.{state}")
            sheet.row(
                table, str(row["place"]), called(row["policy"], self.lang), mean, gap, str(row["replicates"]), told
            )
        return table

    def _sure(self, sheet: Sheet) -> str:
        kept = self.found.manifest
        unit = self._unit(kept["aims"][0]["outcome"])
        by, said = effects(kept["indifference"], unit, self.lang)
        zone = f"{Measured(kept['indifference'] / by).said()} {said}".rstrip()
        known = {"share": written(100 * kept["confidence"], 0), "zone": zone, "count": kept["raced"]}
        if kept["separated"]:
            return sheet.say("sure", **known)
        rivals = text("figures.comma", self.lang).join(called(p, self.lang) for p in kept["rivals"])
        return sheet.say("unsure", rivals=rivals, **known)

    # where it fails ---------------------------------------------------------------------------------------------------

    def _robust(self, sheet: Sheet) -> Iterator[RenderableType]:
        kept, rows = self.found.manifest, records(self.found.table("optimal_regret"))
        unit = self._unit(kept["aims"][0]["outcome"])
        by, said = effects(max((r["most"] for r in rows), default=0.0), unit, self.lang)
        table = sheet.table("regret", "policy", "mean", "p90", "best", "allowed", "fails")
        for row in rows:
            regrets = (Measured(row[key] / by).said() for key in ("mean", "p90"))
            shares = [_percent(row[key]) for key in ("best", "allowed", "fails")]
            if row["policy"] == _NOW:
                shares[-1] = UNKNOWN  # it is what the others are held against
            sheet.row(table, called(row["policy"], self.lang), *regrets, *shares)
        lines = []
        if rows:
            lines = [
                sheet.say("regret.means", worlds=rows[0]["worlds"], unit=said),
                *self._choice(sheet),
                *self._boxes(sheet),
            ]
        yield from sheet.section("regret.title", table, *lines)

    def _choice(self, sheet: Sheet) -> Iterator[str]:
        robust = self.found.manifest["robust"]
        if robust is not None:
            same = robust == self.found.recommended
            yield sheet.say("regret.same" if same else "regret.other", policy=called(robust, self.lang))

    def _boxes(self, sheet: Sheet) -> Iterator[str]:
        """In words: under which conditions the recommended policy fails."""
        if self.found.recommended == _NOW or self.found.manifest["fails"] is None:
            return
        how = "told" if self.found.manifest["study"]["robustness"]["fails"] else "usual"
        fails = {"share": written(100 * self.found.manifest["fails"], 0), "how": sheet.say(f"fails.{how}")}
        frame = self.found.table("optimal_boxes")
        if frame.empty:
            yield sheet.say("fails.no_box", **fails)
            return
        yield sheet.say("fails.share", **fails)
        for _, limits in frame.groupby("box"):
            rows = records(limits)
            shares = {key: written(100 * rows[0][key], 0) for key in ("coverage", "density", "mass")}
            where = sheet.say("fails.and").join(self._limit(sheet, row) for row in rows)
            yield sheet.say("fails.box", where=where, **shares)

    def _limit(self, sheet: Sheet, row: Row) -> str:
        unit = self._unit_of(row["path"])
        said = {"name": self._axes.name(row["path"])}
        ends = {k: v for k, v in row.items() if k in ("low", "high") and v is not None}
        said |= {k: measure(float(f"{v:.3g}"), unit, self.lang) for k, v in ends.items()}
        p = min(row[f"{end}_p"] for end in ends)
        key = "between" if len(ends) == 2 else "above" if "low" in ends else "below"
        return sheet.say(f"fails.{key}", **said, p=f"{p:.2g}" if p >= 0.001 else "<0.001")

    # the front --------------------------------------------------------------------------------------------------------

    def _front(self, sheet: Sheet) -> Table:
        frame = self.found.table("optimal_front")
        frame = frame[frame["front"]]
        names = list(dict.fromkeys(frame["outcome"]))
        levers = {p: r.set_index("path") for p, r in self.found.table("optimal_levers").groupby("policy")}
        table = sheet.table("front", "policy")
        for id in names:
            _column(table, outcome(id, self.lang, self._axes.labels)[0])
        for path in self._levers:
            _column(table, self._axes.name(path))
        first = frame[frame["outcome"] == names[0]] if names else frame
        for policy in first.sort_values("value", ascending=False, kind="stable")["policy"]:
            rows = {r["outcome"]: r for r in records(frame[frame["policy"] == policy])}
            cells = []
            for id in names:
                by, unit = effects(rows[id]["effect"], rows[id]["unit"], self.lang)
                more = Measured.of(rows[id], "effect").over(by)
                cells.append("0" if policy == _NOW else f"{more.give_or_take()} {unit}".rstrip())
            values = [self._value(levers[policy].loc[path], "") for path in self._levers]
            mark = " *" if policy == self.found.recommended else ""
            sheet.row(table, called(policy, self.lang) + mark, *cells, *values)
        return table

    def _below(self, sheet: Sheet) -> Iterator[str]:
        kept = self.found.manifest
        for path, why in kept["assumed_prices"].items():
            yield sheet.say("price", lever=self._axes.name(path), why=clean(assumption(why, self.lang)))
        yield sheet.say("scale", scale=f"{kept['study']['scale']:g}") if kept["study"]["scale"] != 1 else ""
        if kept["failed"]:
            yield sheet.say("failed", count=f"{kept['failed']:,}", why=clean(kept["failure"]))
        yield text("answer.survival_means", self.lang)
        yield text("answer.cannot_validate", self.lang)
        yield from map(clean, self.notes)

    def _unit_of(self, path: str) -> str:
        """Unit of an axis; of a share, nothing."""
        unit = str(self._axes.about(path)["unit"] or "")
        return "" if unit == "share" else unit

    def _unit(self, id: str) -> str:
        frame = self.found.table("optimal_points")
        return str(frame.loc[frame["outcome"] == id, "unit"].iloc[0])

    def _cny(self, value: float | None) -> str:
        if value is None:
            return UNKNOWN
        by, unit = scale(value, "CNY", self.lang)
        return f"{Measured(value / by).said()} {unit}".strip()


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{written(100 * share, 0)} %"


def _column(table: Table, heading: str) -> None:
    from rich.text import Text

    table.add_column(Text(heading), justify="right", overflow="fold")


def cost(counts: Mapping[str, int], seconds: float, lang: Lang) -> str:
    """What an optimisation takes, as a sentence."""
    from sim.presentation.listing import duration

    join = text("cli.calibrate.join", lang)
    parts = join.join(text(f"cli.optimise.{key}", lang, count=f"{n:,}") for key, n in counts.items() if n)
    return text("cli.optimise.cost", lang, runs=f"{sum(counts.values()):,}", parts=parts, time=duration(seconds, lang))


def plain(found: Optimum) -> dict[str, Any]:
    """The optimisation as plain values, for JSON: all tables but every world's."""
    from sim.experiments.optimisation.result import TABLES

    kept = (
        "study", "recommended", "leader", "separated", "rivals", "confidence", "indifference", "raced", "confirmed",
        "budget", "over", "cheapest", "robust", "fails", "points", "allowed", "runs", "failed",
        "failure", "seed", "aims", "axes",
    )  # fmt: skip
    wide = ("optimal_worlds", "optimal_unknowns")
    tables = {n.removeprefix("optimal_"): records(found.table(n)) for n in TABLES if n not in wide}
    return {key: found.manifest[key] for key in kept} | tables
