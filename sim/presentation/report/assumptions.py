"""The section that says what rests on which assumption: ranked by an audit, or by swings; or not ranked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import outcome
from sim.presentation.digits import Measured, count, written
from sim.presentation.indices import effects
from sim.presentation.listing import measure
from sim.presentation.outline import Cell, Grid, Line, Paragraph
from sim.presentation.report import audit as of_audit
from sim.presentation.report import basis
from sim.presentation.report.blocks import Block, Section
from sim.presentation.report.draft import Draft
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    from sim.experiments.sensitivity.result import Variance
    from sim.experiments.sensitivity.swings import Swings
    from sim.scenario.schema import Scenario

__all__ = ["outcomes", "section"]

_ROWS = 12
"""assumed: numbers of a table that anybody reads; the file of the figure has all."""

_CHANCE = 0.05


def outcomes(scenario: Scenario) -> tuple[str, ...]:
    """The outcomes whose assumptions are ranked, the leading one first: what a run of this length can know."""
    age = next((age for age in (36, 12) if scenario.horizon.months >= age + 12), None)
    paid = any(instrument.active for instrument in scenario.policy)
    lives = (f"survival_{age}m",) if age else ()
    return (*lives, "living_end", *(("spent_cny",) if paid else ()))


def section(scenario: Scenario, draft: Draft, ranking: Swings | Variance | None) -> Section:
    """The assumptions of a scenario."""
    from sim.evidence.audit import audit
    from sim.experiments.sensitivity.swings import Swings

    rows = audit(scenario.provenance.values())
    listed = [grid for status in ("assumed", "unsourced") for grid in basis.audited(rows, status, draft)]
    if ranking is None:
        blocks: list[Block] = [Paragraph(draft.say("assumed.unranked"))]
    elif isinstance(ranking, Swings):
        blocks = list(_swung(ranking, scenario.resolved(), draft))
    else:
        blocks = [Paragraph(draft.say("assumed.by_audit")), *of_audit.ranked(ranking, draft)]
    number = sum(row.status in ("assumed", "unsourced") for row in rows)
    blocks.append(draft.folded("assumed.all", listed, count=number))
    return Section(draft.say("section.assumptions"), blocks)


def _swung(found: Swings, scenario: dict[str, Any], draft: Draft) -> Iterator[Block]:
    """The tornado of the leading outcome, and a table of what the leading numbers do to all outcomes."""
    from sim.presentation.swings_plots import names, tornado

    leading, called = next(iter(found.base)), names(found, scenario, draft.lang)
    ranked = found.ranked(leading)
    told = int(ranked["rank"].notna().sum())
    size = draft.say("assumed.smaller", by=f"{found.by:,}") if found.by > 1 else ""
    yield Paragraph(draft.say("assumed.swings", count=len(found.numbers), pairs=found.replicates, size=size))
    rows = records(ranked)
    shown = ranked.assign(number=[called.name(path) for path in ranked["path"]])
    ends = [f"{name}_{end}" for end in ("low", "high") for name in ("value", "effect", "ci_low", "ci_high")]
    yield draft.figure(
        "tornado",
        lambda ax: tornado(found, scenario, leading, ax, lang=draft.lang),
        _seen(found, leading, rows, called, draft),
        shown[["rank", "number", "path", *ends]],
        few=shown["rank"].notna() & (shown.index < _ROWS),
        height=max(4.2, 0.42 * min(told, _ROWS) + 1.9),
    )
    yield _table(found, scenario, draft)
    chance = count(round(_CHANCE * 2 * len(found.numbers)))
    yield Paragraph(draft.say("assumed.chance", told=told, count=len(found.numbers), chance=chance), "note")
    yield Paragraph(draft.say("assumed.apart"), "note")


def _seen(found: Swings, leading: str, rows: list[dict[Any, Any]], called: Any, draft: Draft) -> str:
    """The three numbers that move the leading outcome most."""
    clear = [row for row in rows if row["rank"] is not None][:3]
    named = outcome(leading, draft.lang, draft.labels)[0]
    if not clear:
        return draft.say("seen.no_swing", outcome=named)
    parts = []
    for row in clear:
        moves = [row[f"effect_{end}"] for end in ("low", "high")]
        by, unit = effects(max(map(abs, moves)), found.units[leading], draft.lang)
        low, high = (written(x / by, 1 if abs(x / by) < 100 else 0, sign=True) for x in sorted(moves))
        parts.append(draft.say("seen.swing", name=called.name(row["path"]), low=low, high=high, unit=unit))
    return draft.say("seen.swings", outcome=named, parts=draft.listed(parts))


def _table(found: Swings, scenario: dict[str, Any], draft: Draft) -> Grid:
    """The leading numbers: own value, range, and what each moves of all outcomes."""
    from sim.presentation.swings_plots import names

    sheet, called = Sheet(draft.lang, "report"), names(found, scenario, draft.lang)
    ranks = {name: found.ranked(name).set_index("path") for name in found.base}
    first = next(iter(ranks.values()))
    chosen = [path for path in first.index if first.loc[path, "rank"] is not None][:_ROWS]
    numbers = {number.path: number for number in found.numbers}
    moved = {name: ranks[name].loc[chosen, ["effect_low", "effect_high"]].abs().to_numpy(float) for name in ranks}
    units = {n: effects(m.max(initial=0.0), found.units[n], draft.lang) for n, m in moved.items()}
    lines = []
    for path in chosen:
        row, number = found.unknown.rows[path], numbers[path]
        value = measure(row.origin.value, row.origin.unit or "", draft.lang)
        ends = "–".join(measure(number.at(share), "", draft.lang) for share in (0.0, 1.0))
        moves = [_moves(ranks[name].loc[path], by, sheet, draft) for name, (by, _) in units.items()]
        said = (called.name(path), value, ends, *moves)
        lines.append(Line(tuple(map(Cell, said))))
    called_so = {name: outcome(name, draft.lang, draft.labels)[0] for name in units}
    named = [draft.say("assumed.in_unit", outcome=said, unit=units[name][1]) for name, said in called_so.items()]
    headings = [draft.say("assumed.number"), draft.say("assumed.own"), draft.say("assumed.range"), *named]
    words = (True, *([False] * (2 + len(named))))
    return Grid(tuple(headings), words, tuple(lines), draft.say("assumed.title"))


def _moves(row: Any, by: float, sheet: Sheet, draft: Draft) -> str:
    """What both ends do to an outcome: from the low end to the high one."""
    said = []
    for end in ("low", "high"):
        move = Measured(row[f"effect_{end}"], row[f"ci_low_{end}"], row[f"ci_high_{end}"]).over(by)
        said.append(sheet.doubt(move) + written(move.value, 1 if abs(move.value) < 100 else 0, sign=True))
    return draft.say("assumed.moves", low=said[0], high=said[1])
