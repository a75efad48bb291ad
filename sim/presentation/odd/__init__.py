"""The ODD protocol of the model (Grimm et al. 2020), written from the code's docstrings, schema, tables and figures.

What the code says of itself is not said again here. `drift` finds what the protocol and the code disagree on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sim.presentation.catalogue import Lang, title
from sim.presentation.odd import details, overview, submodels
from sim.presentation.odd.markdown import Section, document, numbered
from sim.presentation.odd.parameters import cited_documents
from sim.presentation.odd.words import Words, safe

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["Odd", "drift", "odd"]


class Odd(NamedTuple):
    """The protocol in one language: a title, what stands before the elements, and the sections, numbered."""

    title: str
    opening: str
    sections: list[Section]

    def markdown(self) -> str:
        """As one Markdown text."""
        return document(self.title, self.opening, self.sections)

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        return {**self._asdict(), "sections": [section.plain() for section in self.sections]}


def odd(lang: Lang, scenario: Scenario | None = None) -> Odd:
    """The protocol, with the model's defaults or with the values of a scenario."""
    return _written(Words(lang), scenario)


def drift(lang: Lang) -> list[str]:
    """What the protocol lacks, or says of code that has changed since or is no more; empty if all is well."""
    words = Words(lang)
    _written(words, None)
    return [*dict.fromkeys(words.complaints), *words.unused()]


def _written(words: Words, scenario: Scenario | None) -> Odd:
    opening = [words.prose("opening")]
    if scenario is None:
        opening.append(words.head("values_default"))
    else:
        called = title(scenario.resolved(), words.lang) or words.head("untitled")
        told = {"name": safe(called), "file": safe(scenario.file), "hash": scenario.hash()[:16]}
        opening.append(words.head("values_scenario", **told))
    opening.append(words.prose("notation"))
    sections = [
        *overview.purpose(words),
        *overview.entities(words),
        *overview.scales(words, scenario),
        *overview.processes(words),
        *details.concepts(words),
        *details.initialization(words, scenario),
        *details.inputs(words, scenario),
        *submodels.submodels(words, scenario),
        Section(1, words.head("references"), f"{words.prose('references')}\n\n{cited_documents(words)}"),
    ]
    return Odd(words.head("title"), "\n\n".join(opening), numbered(sections))
