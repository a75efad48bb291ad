"""The part of a report that tells how real the model looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import clean, text, title
from sim.presentation.outline import Cell, Grid, Line, Paragraph, outline
from sim.presentation.report import basis
from sim.presentation.report.blocks import Block, Part, Section
from sim.presentation.report.draft import Draft
from sim.presentation.scorecard import Card, fact_name
from sim.presentation.scorecard_plots import bands

if TYPE_CHECKING:
    from sim.experiments.scoring.scorecard import Scorecard

__all__ = ["part"]

_ROW = 0.33
"""Inches of height for a row."""


def part(found: Scorecard, manifest: Mapping[str, Any], draft: Draft) -> Part:
    """All about one scorecard."""
    first = outline(Card(found, draft.lang))[0]
    table = next(block for block in first.blocks if isinstance(block, Grid))
    said = [block for block in first.blocks if isinstance(block, Paragraph)]
    verdict = [block.said for block in said if block.weight == "strong"]
    notes = [block for block in said if block.said.startswith("[")]
    below = [block for block in said if block.weight == "plain" and block not in notes]
    footnotes = [block._replace(weight="note") for block in notes]
    sections = [
        Section(draft.say("section.bands"), list(_figure(found, draft))),
        Section(draft.say("section.facts"), [table, *footnotes]),
        Section(draft.say("section.definitions"), [_definitions(found, draft)]),
        Section(draft.say("section.reading"), below),
        basis.manifest(manifest, draft),
    ]
    name = clean(title(found.scenario, draft.lang)) or text("answer.untitled", draft.lang)
    return Part(draft.say("kind.scorecard"), name, first.aside, verdict, sections)


def _figure(found: Scorecard, draft: Draft) -> Iterator[Block]:
    import pandas as pd

    rows = []
    for line in found.lines:
        if line.model.passed is None:
            continue
        for part in line.fact.parts:
            nulls = {
                who: finding.mean(part) if finding.passed is not None else None for who, finding in line.nulls.items()
            }
            known = {"mean": line.model.mean(part), "low": part.low, "high": part.high, **nulls}
            rows.append({"fact": _called(line, part, draft), **known, "holds": line.model.holds(part)})
    columns = ["fact", "mean", "low", "high", *(found.lines[0].nulls if found.lines else ()), "holds"]
    frame = pd.DataFrame(rows, columns=columns)
    holds = int(frame["holds"].astype(bool).sum())
    said = draft.say("seen.bands", holds=holds, count=len(frame))
    height = max(4.0, _ROW * len(frame) + 1.8)
    yes = {True: draft.say("yes"), False: draft.say("no")}
    shown = frame.assign(holds=[yes[bool(value)] for value in frame["holds"]])
    yield draft.figure("bands", lambda ax: bands(frame, ax, lang=draft.lang), said, shown, height=height)


def _called(line: Any, part: Any, draft: Draft) -> str:
    name = fact_name(line.fact, draft.lang)
    if len(line.fact.parts) == 1:
        return name
    return draft.say("of_fact", fact=name, part=text(f"facts.fact.{line.fact.id}.part.{part.id}", draft.lang))


def _definitions(found: Scorecard, draft: Draft) -> Grid:
    """What each fact says."""
    lines = tuple(
        Line((Cell(fact_name(line.fact, draft.lang)), Cell(text(f"facts.fact.{line.fact.id}.definition", draft.lang))))
        for line in found.lines
    )
    return Grid((draft.say("column.fact"), draft.say("column.definition")), (True, True), lines)
