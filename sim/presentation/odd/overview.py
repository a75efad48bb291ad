"""Elements 1 to 3 of the protocol: purpose and patterns, entities and state variables, process overview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sim.chain.facility import Houses
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.entrepreneurs.columns import COLUMNS
from sim.entrepreneurs.kernel import House
from sim.evidence import ledger
from sim.market.competition import Competition
from sim.model import Pipeline
from sim.policy._instrument import PolicyInstrument, find, types
from sim.policy.ledger import _Kind
from sim.presentation.catalogue import known, name, text, unit
from sim.presentation.listing import measure
from sim.presentation.odd.markdown import Section, table
from sim.presentation.odd.parameters import parameter_table, unit_name
from sim.presentation.odd.source import attribute_note, attributes, phases
from sim.presentation.odd.words import Words
from sim.scenario.schema import Horizon
from sim.validation.registry import facts

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.validation.fact import Fact, Part

__all__ = ["FIXED", "SAME", "entities", "instruments", "processes", "purpose", "scales"]

FIXED = ("uid", "education", "origin", "initial", "potential", "reservation", "first_sales")
"""State variables of a founder that never change after his first month; a test watches them in a run."""

SAME = (("education", EDUCATION), ("origin", ORIGINS), ("channel", CHANNELS))
"""The kinds that founders are of, by their place in the tuple."""

_LEFT_OUT = ("table",)
"""An attribute that only says where others stand."""


def purpose(words: Words) -> Iterator[Section]:
    """Element 1."""
    yield Section(1, words.head("element_1"))
    yield Section(2, words.head("purpose"), words.prose("purpose"))
    fitted = words.doc("sim.entrepreneurs.behaviour")
    doubts = "\n\n".join(text(f"answer.{key}", words.lang) for key in ("survival_means", "cannot_validate"))
    yield Section(2, words.head("patterns"), "\n\n".join([words.prose("patterns"), _facts(words), fitted, doubts]))


def _facts(words: Words) -> str:
    """The stylised facts that a run is scored on, with the bands that they should fall in."""
    heads = [words.head(f"col_{k}") for k in ("fact", "definition", "band", "source", "certainty", "use")]
    rows = []
    for fact in facts():
        rows.append(
            (
                known(f"facts.fact.{fact.id}.name", words.lang) or fact.id,
                known(f"facts.fact.{fact.id}.definition", words.lang) or "",
                words.head("semicolon").join(_band(words, fact, part) for part in fact.parts),
                words.head("semicolon").join(_who(words, id) for id in fact.sources),
                known(f"facts.certainty.{fact.certainty}", words.lang) or fact.certainty,
                words.head(f"use_{fact.use}"),
            )
        )
    return table(heads, rows)


def _band(words: Words, fact: Fact, part: Part) -> str:
    """A number of a fact and its band: ``top 1 %: 0.2 – 0.6``."""
    low, high = (None if end is None else f"{float(f'{end:.4g}'):,.10g}" for end in (part.low, part.high))
    within = f"{low} – {high}" if low and high else f"≥ {low}" if low else f"≤ {high}"
    what = known(f"facts.fact.{fact.id}.part.{part.id}", words.lang)
    return words.head("colon").join([what, within]) if what else within


def _who(words: Words, id: str) -> str:
    """A source of the literature by its short name, a figure by its id and documents."""
    figure = ledger.figures().get(id)
    return f"`{id}` ({figure.source})" if figure else known(f"facts.source.{id}", words.lang) or id


def figures(words: Words, role: str, used: Iterable[str] = ()) -> str:
    """The numbers among the figures of a role, but for doubtful ones; those that a scenario has `used` are marked."""
    used = tuple(used)
    heads = [words.head(f"col_{k}") for k in ("figure", "id", "value", "bound", "date", "source", "used")]
    rows = [
        (
            f.zh if words.lang == "zh" else f.en,
            f"`{f.id}`",
            str(f.value) if f.unit == "year" else measure(f.value, f.unit, words.lang),
            text(f"bound.{f.bound}", words.lang),
            f.date,
            f.source,
            words.head("yes") if f.id in used else "",
        )
        for f in ledger.search(role=role)
        if (f.use == "default" or f.id in used) and isinstance(f.value, int | float)
    ]
    return table(heads, rows)


def entities(words: Words) -> Iterator[Section]:
    """Element 2, the entities and their state variables."""
    yield Section(1, words.head("element_2"))
    yield Section(2, words.head("entities"), words.prose("entities"))
    yield Section(3, words.head("founders"), f"{words.prose('founders')}\n\n{_columns(words)}\n\n{_kinds(words)}")
    stage = words.doc("sim.chain.stage.Stage")
    houses = words.doc("sim.chain.facility.Houses")
    said = _attributes(words, (Houses, House))
    yield Section(3, words.head("houses"), f"{stage}\n\n{houses}\n\n{said}")
    yield Section(3, words.head("city"), f"{words.prose('city')}\n\n{_attributes(words, (Competition, Pipeline))}")
    yield Section(3, words.head("policy"), f"{words.prose('policy')}\n\n{_memories(words)}\n\n{_books(words)}")


def _columns(words: Words) -> str:
    rows = []
    for column, field in COLUMNS.items():
        symbol, colon, meaning = field.meaning.partition(": ")
        if not colon or " " in symbol:  # a colon of the sentence
            symbol, meaning = "", field.meaning
        whole = "real" if field.dtype.startswith("f") else "whole"
        said = words.phrase(f"sim.entrepreneurs.columns.COLUMNS.{column}", meaning)
        changes = words.head("no" if column in FIXED else "yes")
        rows.append((f"`{column}`", symbol, said, words.head(whole), unit_name(words, field.unit), changes))
    spent = words.phrase("sim.entrepreneurs.columns.Columns.spent", "months spent in each stage, and outside")
    rows.append(("`spent`", "", spent, words.head("whole"), unit("months", words.lang), words.head("yes")))
    return table([words.head(f"col_{k}") for k in ("variable", "symbol", "meaning", "kind", "unit", "changes")], rows)


def _kinds(words: Words) -> str:
    heads = [words.head(k) for k in ("col_trait", "col_kinds")]
    comma = words.head("comma")
    return table(
        heads,
        [
            (f"`{trait}`", comma.join(f"`{kind}` {name(trait, kind, words.lang)}" for kind in kinds))
            for trait, kinds in SAME
        ],
    )


def _attributes(words: Words, owners: tuple[type, ...]) -> str:
    rows = []
    for owner in owners:
        for attribute, (kind, said) in attributes(owner.__doc__).items():
            if attribute in _LEFT_OUT or (owner is Pipeline and attribute in ("people", "houses")):
                continue
            told = words.phrase(f"{owner.__module__}.{owner.__qualname__}.{attribute}", said)
            shown = "" if "," in kind or kind == "int" else kind
            rows.append((f"`{attribute}`", told, unit_name(words, shown or None)))
    return table([words.head(f"col_{k}") for k in ("variable", "meaning", "unit")], rows)


def instruments(scenario: Scenario | None) -> Iterator[tuple[str, type[PolicyInstrument]]]:
    """Instrument types and their classes: those that come with the program, and a scenario's own."""
    yield from ((type, find(type)) for type in types())
    for kind in scenario.own.values() if scenario else ():
        yield kind.model_fields["type"].default, kind


def _memories(words: Words) -> str:
    rows = []
    for type, kind in instruments(None):
        if kind.remembers:
            note = words.phrase(f"{kind.__module__}.Instrument.remembers", attribute_note(kind, "remembers"))
            names = words.head("comma").join(f"`{n}`" for n in kind.remembers)
            rows.append((name("policy", type, words.lang), names, note))
    return table([words.head(f"col_{k}") for k in ("instrument", "variable", "meaning")], rows)


def _books(words: Words) -> str:
    kinds = words.head("comma").join(f"`{kind.name.lower()}`" for kind in _Kind)
    return words.doc("sim.policy.ledger._Kind") + words.head("kinds_of_entry", kinds=kinds)


def scales(words: Words, scenario: Scenario | None) -> Iterator[Section]:
    """Element 2, the scales."""
    said = parameter_table(words, Horizon, "horizon", scenario=scenario)
    yield Section(2, words.head("scales"), f"{words.prose('scales')}\n\n{said}")


def processes(words: Words) -> Iterator[Section]:
    """Element 3: the month in the order of the code."""
    yield Section(1, words.head("element_3"), words.prose("processes"))
    rows = []
    for number, phase in enumerate(phases(Pipeline.step), start=1):
        said = words.phrase(f"sim.model.Pipeline.step.{phase.method}", phase.said)
        if phase.number != str(number):
            words.complaints.append(f"sim.model.Pipeline.step: {phase.method} is step {number}, not {phase.number}")
        rows.append((str(number), f"`{phase.method}`", said))
        if phase.method == "live":
            for letter, verb in zip("abcdefghij", phases(Entrepreneur.step), strict=False):
                rows.append((f"{number}{letter}", f"`{verb.method}`", words.first(_verb(verb.method))))
    heads = [words.head(f"col_{k}") for k in ("step", "process", "what")]
    yield Section(2, words.head("month"), table(heads, rows))
    yield Section(2, words.head("scheduling"), words.prose("scheduling"))


def _verb(method: str) -> str:
    return f"sim.entrepreneurs.agent.Entrepreneur.{method}"
