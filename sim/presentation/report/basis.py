"""What a report rests on: the figures that a scenario takes from the ledger, their sources, and the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import clean, text
from sim.presentation.outline import Cell, Grid, Line, Paragraph
from sim.presentation.report.blocks import Block, Section
from sim.presentation.report.draft import Draft

if TYPE_CHECKING:
    from sim.evidence.audit import Row
    from sim.scenario.schema import Scenario

__all__ = ["audited", "figures", "manifest"]


def figures(scenario: Scenario | None, draft: Draft) -> Section:
    """Numbers of a scenario that are published, or derived from what is; where each was read.

    Where the scenario cannot be read any more, that is said.
    """
    from sim.evidence.audit import audit

    if scenario is None:
        return Section(draft.say("section.figures"), [Paragraph(draft.say("basis.unknown"), "strong")])
    rows = audit(scenario.provenance.values())
    blocks: list[Block] = [Paragraph(draft.say("basis.figures"))]
    for status in ("published", "derived"):
        blocks += audited(rows, status, draft)
    blocks.append(_sources([row for row in rows if row.figure], draft))
    return Section(draft.say("section.figures"), blocks)


def audited(rows: Iterable[Row], status: str, draft: Draft) -> list[Block]:
    """Those numbers of an audit that have a status; nothing if there is none."""
    from sim.presentation.listing import audit_table

    mine = [row for row in rows if row.status == status]
    blocks = draft.blocks(audit_table(mine, draft.lang)) if mine else []
    caption = draft.say("basis.with_status", status=text(f"status.{status}", draft.lang), count=len(mine))
    column = text("figures.status", draft.lang)  # the same for all of them, and said in the caption
    return [_without(_breaking(block), column)._replace(caption=caption) for block in blocks if isinstance(block, Grid)]


def _without(grid: Grid, heading: str) -> Grid:
    """A table less one column."""
    kept = [place for place, said in enumerate(grid.headings) if said != heading]
    lines = tuple(Line(tuple(line.cells[place] for place in kept), line.title) for line in grid.lines)
    return grid._replace(
        headings=tuple(grid.headings[p] for p in kept), words=tuple(grid.words[p] for p in kept), lines=lines
    )


def _breaking(grid: Grid) -> Grid:
    """A table whose paths may break at their dots."""
    lines = (Line((Cell(r.cells[0].said.replace(".", ".\u200b")), *r.cells[1:]), r.title) for r in grid.lines)
    return grid._replace(lines=tuple(lines), words=(True, *grid.words[1:]))


def _sources(rows: Iterable[Row], draft: Draft) -> Grid:
    """The documents that figures were read from."""
    from sim.evidence.ledger import sources

    cited = dict.fromkeys(id for row in rows if row.figure for id in row.figure.sources)
    found = [sources()[id] for id in cited]
    lines = tuple(
        Line(tuple(Cell(clean(said)) for said in (s.id, s.zh if draft.lang == "zh" else s.en, s.publisher, s.date)))
        for s in found
    )
    headings = tuple(draft.say(f"basis.{key}") for key in ("id", "document", "publisher", "date"))
    return Grid(headings, (True,) * 4, lines, draft.say("basis.sources"))


def manifest(stated: Mapping[str, Any], draft: Draft) -> Section:
    """What has to be known to get the same numbers again."""
    keys = (
        "scenario_hash", "bases", "small_hash", "evidence_hash", "seed", "seed_scheme", "engine", "replicates",
        "model_version", "digest", "git_commit",
    )  # fmt: skip
    rows = {key: stated[key] for key in keys if key in stated and not isinstance(stated[key], Mapping | list)}
    versions = stated.get("versions", {})
    rows["versions"] = text("figures.comma", draft.lang).join(f"{name} {version}" for name, version in versions.items())
    kept = stated.get("sha256", {})
    if kept:
        rows["files"] = len(kept)
    blocks: list[Block] = [Paragraph(draft.say("manifest.means")), draft.folded("manifest.open", [draft.pairs(rows)])]
    return Section(draft.say("section.manifest"), blocks)
