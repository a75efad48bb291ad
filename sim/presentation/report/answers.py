"""An answer as the sections of a report: what the screen says under each title, with the figures that belong there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.presentation.outline import outline
from sim.presentation.report.blocks import Block, Figure, Section
from sim.presentation.report.draft import Draft

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["aside", "sections"]


def aside(answer: RenderableType) -> str:
    """What an answer's headline adds to its name: how much was run."""
    return outline(answer)[0].aside


def sections(answer: RenderableType, draft: Draft, figures: Mapping[str, Sequence[Figure]], lead: str) -> list[Section]:
    """The sections of an answer.

    Parameters
    ----------
    answer
        What would be printed.
    draft
        What they are written with.
    figures
        To stand first under each title; those under a title that the answer does not have stand in a section of their
        own.
    lead
        Title of what stands before the first title.
    """
    found, left = [], dict(figures)
    for place, section in enumerate(outline(answer)):
        blocks: list[Block] = [*left.pop(section.title, ()), *section.blocks]
        if blocks:
            said = section.title if section.level == 2 and section.title else ""
            found.append(Section(said or (draft.say("section.reading") if place else lead), blocks))
    more = [Section(name, list(of)) for name, of in left.items() if of]
    return [*found[:-1], *more, *found[-1:]]
