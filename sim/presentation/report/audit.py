"""The part of a report that tells what rests on which assumption, by a variance audit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import clean, text, title
from sim.presentation.digits import Measured
from sim.presentation.outline import outline
from sim.presentation.report import answers, basis
from sim.presentation.report.blocks import Block, Figure, Part
from sim.presentation.report.draft import Draft
from sim.presentation.sensitivity import VarianceAnswer, called, outcome_name, words
from sim.presentation.sensitivity_plots import carriers
from sim.presentation.sheet import records

if TYPE_CHECKING:
    from sim.experiments.sensitivity.result import Variance

__all__ = ["part", "ranked"]


def part(found: Variance, draft: Draft) -> Part:
    """All about one audit."""
    draft.labels = words(found, draft.lang)
    answer = VarianceAnswer(found, lang=draft.lang)
    titles = {section.title for section in outline(answer)}
    rows = {section_of(found, row, draft): row for row in records(found.outcomes)}
    figures = {title: [_figure(found, row, draft)] for title, row in rows.items() if title in titles}
    sections = answers.sections(answer, draft, figures, draft.say("section.reading"))
    sections.append(basis.manifest(found.manifest, draft))
    name = clean(title(found.manifest["scenario"], draft.lang)) or text("answer.untitled", draft.lang)
    return Part(draft.say("kind.variance"), name, answers.aside(answer), list(_answer(found, draft)), sections)


def ranked(found: Variance, draft: Draft) -> Iterator[Block]:
    """What an audit says of the leading outcome, for the report of a run."""
    row = next((r for r in records(found.outcomes) if r["outcome"] == "survival_36m"), records(found.outcomes)[0])
    yield _figure(found, row, draft)
    for section in outline(VarianceAnswer(found, lang=draft.lang)):
        if section.title in (section_of(found, row, draft), text("sensitivity.next.title", draft.lang)):
            yield from draft.captioned(section)


def section_of(found: Variance, row: dict[Any, Any], draft: Draft) -> str:
    """How the answer titles what it says of an outcome."""
    return outcome_name(found, row, draft.lang)


def _answer(found: Variance, draft: Draft) -> Iterator[str]:
    """What to measure next, and how much of the leading outcome's spread is assumed."""
    rows = [row for row in records(found.outcomes) if row["reason"] is None]
    chosen = [called(found, group, draft.lang) for group in found.measure_next()]
    if rows:
        row = rows[0] if rows[0]["outcome"] != "survival_12m" or len(rows) == 1 else rows[1]
        shares = {key: draft.percent(row[key]) for key in ("assumed", "known", "chance")}
        yield draft.say("variance.shares", outcome=outcome_name(found, row, draft.lang), **shares)
    if chosen:
        yield text("sensitivity.next.sentence", draft.lang, names=text("sensitivity.then", draft.lang).join(chosen))
    else:
        yield text("sensitivity.nothing_next", draft.lang)


def _figure(found: Variance, row: dict[Any, Any], draft: Draft) -> Figure:
    which, kind = row["outcome"], row["kind"]
    frame = found.ranked(which, kind)
    shares = frame.assign(number=[called(found, str(group), draft.lang) for group in frame["group"]])
    columns = ["rank", "number", "first", "first_low", "first_high", "total", "total_low", "total_high"]
    clear = [r for r in records(shares) if r["rank"] is not None][:3]
    parts = [
        draft.say("seen.of", name=r["number"], number=f"{Measured.of(r, 'total').over(0.01).said()}%") for r in clear
    ]
    named = outcome_name(found, row, draft.lang)
    said = draft.say("seen.carriers", outcome=named, parts=draft.listed(parts))
    said = said if parts else draft.say("seen.no_swing", outcome=named)
    draw = partial(carriers, found, which, kind=kind, lang=draft.lang)
    return draft.figure(f"carriers-{kind}-{which}".replace("_", "-"), draw, said, shares[columns])
