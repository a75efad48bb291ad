"""What reforms do, as an answer shows it: outcomes, lives, the way up the chain, who gains and who loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import outcome, reason, scale
from sim.presentation.digits import UNKNOWN, Measured, count, written
from sim.presentation.sheet import Sheet

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["AGE", "GROUPINGS", "effects", "gains", "graduation", "leading", "pairing", "people"]

AGE = 36
"""Months of age at which people are counted as saved and lost."""

GROUPINGS = ("education", "origin", "channel", "cohort_year", "base_highest_stage")

_LEADING = (AGE, 12)
"""Months of age at which survival leads: the second where the run is too short for the first."""

_FIRST = ("survival_36m", "survival_60m", "newcomers_living_end", "sales_mean_cny", "employees_total")
_LAST = ("spent_cny",)
"""What is shown of the outcomes, with `reached_<stage>` between; the table `effects` and --json have all."""

_CHANCE = 0.05
"""How often an interval of 95 % misses 0 where there is no effect."""

_HUGE = 10_000
"""A factor above this says no more than that very few lives differ."""

Row = Mapping[str, Any]


def leading(rows: Mapping[str, Row]) -> int:
    """Months of age at which survival is what an answer begins with."""
    return next((age for age in _LEADING if rows[f"survival_{age}m"]["n"]), AGE)


def effects(rows: Mapping[str, Row], sheet: Sheet) -> Table:
    """The outcomes of one reform, by name: base, reform, the effect and what it consists of."""
    headings = ("outcome", "base", "reform", "effect", "direct", "displacement", "unit")
    table = sheet.table("effect", *headings)
    table.columns[-1].justify = "left"
    reached = [name for name in rows if name.startswith("reached_")]
    for name in dict.fromkeys((f"survival_{leading(rows)}m", *_FIRST, *reached, *_LAST)):
        sheet.row(table, outcome(name, sheet.lang, sheet.labels)[0], *_effect(rows[name], sheet))
    return table


def _effect(row: Row, sheet: Sheet) -> Iterator[str]:
    """The cells of one outcome, in one unit; effects on shares are in percentage points."""
    levels = [Measured.of(row, level, level, level) for level in ("base", "reform")]
    largest = max((abs(x.value) for x in levels if x.known), default=0.0)
    by, unit = scale(min(largest, 1.0) if row["unit"] == "persons" else largest, row["unit"], sheet.lang)
    yield from (level.over(by).said() for level in levels)
    effect = Measured.of(row, "effect", "ci_low", "ci_high").over(by)
    yield sheet.doubt(effect) + effect.give_or_take() + sheet.mark(row["reason"])
    for part in ("direct", "displacement"):
        yield sheet.difference(Measured.of(row, part).over(by), effect.places) + sheet.mark(row["split_reason"])
    yield sheet.say("points") if row["unit"] == "share" else unit


def people(counts: pd.DataFrame, sheet: Sheet) -> str:
    """Saved, lost and unchanged under one reform, in all, directly and through others; empty if nobody could be."""
    mine = counts[(counts["grouping"] == "all") & (counts["at"] == f"{AGE}m")]
    means = mine.groupby("part").mean(numeric_only=True).to_dict("index")
    whole, direct = means["whole"], means["direct"]
    if not whole["n"]:
        return ""
    said = {key: count(whole[key]) for key in ("n", "saved", "lost", "unchanged_alive", "unchanged_closed")}
    if not any(part[key] for part in (whole, direct) for key in ("saved", "lost")):
        return sheet.say("people_same", age=AGE, **said)
    said |= {f"direct_{key}": count(direct[key]) for key in ("saved", "lost")}
    said |= {"net": count(whole["net"], sign=True), "direct_net": count(direct["net"], sign=True)}
    said["displaced"] = count(whole["net"] - direct["net"], sign=True)
    unchanged = count(whole["unchanged_alive"] + whole["unchanged_closed"])
    return sheet.say("people", age=AGE, unchanged=unchanged, **said)


def graduation(rows: pd.DataFrame, sheet: Sheet) -> Iterator[RenderableType]:
    """Who gets to each stage earlier or later, newly or no longer under one reform: people, mean of a replicate."""
    if len(rows) and not rows[["earlier", "later", "gained", "forgone"]].to_numpy().any():
        yield from sheet.lines(sheet.say("graduation.none"))
        return
    table = sheet.table("graduation", "stage", "earlier", "later", "months", "gained", "forgone")
    for stage, row in rows.groupby("stage", sort=False).mean(numeric_only=True).iterrows():
        earlier, later, gained, forgone = (count(row[c]) for c in ("earlier", "later", "gained", "forgone"))
        months = written(row["months_earlier"], 1, sign=True)
        sheet.row(table, sheet.name("stage", str(stage)), earlier, later, months, gained, forgone)
    yield from sheet.section("graduation.title", table)


def gains(rows: Sequence[Row], sheet: Sheet) -> Iterator[RenderableType]:
    """Who gains most and who loses most under one reform, of the groups whose interval excludes 0."""
    at = f"{AGE}m" if any(r["at"] == f"{AGE}m" and r["n"] for r in rows) else "end"
    mine = [r for r in rows if r["at"] == at and r["part"] == "whole"]
    by = {grouping: [r for r in mine if r["grouping"] == grouping] for grouping in GROUPINGS}
    by = {grouping: groups for grouping, groups in by.items() if len(groups) > 1}
    table = sheet.table("gains", "by", "most", "least", left=3)
    for grouping, groups in by.items():
        clear = {r["group"]: m for r in groups if (m := Measured.of(r, "net_per_1000", "net_low", "net_high")).clear}
        ranked = sorted(clear, key=lambda group: clear[group].value)
        ends = [g for g in ranked[-1:] if clear[g].value > 0], [g for g in ranked[:1] if clear[g].value < 0]
        kind = "stage" if grouping == "base_highest_stage" else grouping
        cells = [f"{sheet.name(kind, g[0])}  {clear[g[0]].give_or_take()}" if g else UNKNOWN for g in ends]
        if ranked:
            sheet.row(table, sheet.say(f"by.{grouping}"), *cells)
    seen = sum(map(len, by.values()))
    if not table.row_count:
        yield from sheet.lines(sheet.say("gains.none", count=seen) if seen else "")
        return
    what = sheet.say(f"gains.{'end' if at == 'end' else 'at'}", age=AGE)
    chance = sheet.say("gains.chance", count=seen, chance=count(_CHANCE * seen))
    yield from sheet.section("gains.title", table, what, chance, sheet.say("gains.stage"))


def pairing(row: Row, sheet: Sheet) -> str:
    """How many replicates pairing saves, of the row of one outcome."""
    named = outcome(row["outcome"], sheet.lang, sheet.labels)[0]
    if row["variance_reduction"] is None:
        why = row["variance_reason"] or row["reason"]
        return sheet.say("pairing.unknown", outcome=named, reason=reason(why, sheet.lang, sheet.labels)) if why else ""
    if row["variance_reduction"] > _HUGE:
        return sheet.say("pairing.huge", outcome=named, factor=f"{_HUGE:,}")
    factors = {end: row[f"variance_reduction{end}"] for end in ("", "_low", "_high")}
    factor, low, high = (f"{float(f'{factor:.2g}'):,.10g}" for factor in factors.values())
    return sheet.say("pairing.factor", outcome=named, factor=factor, low=low, high=high)
