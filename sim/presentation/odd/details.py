"""Elements 4 to 6 of the protocol, design concepts, initialization and input data; and the tables at the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from sim.entrepreneurs.streams import Stream
from sim.presentation.catalogue import outcome
from sim.presentation.odd.markdown import Section, table
from sim.presentation.odd.overview import figures
from sim.presentation.odd.parameters import parameter_table, unit_name
from sim.presentation.odd.source import attributes
from sim.presentation.odd.words import CONCEPTS, Words
from sim.scenario.schema import Initial
from sim.tables import TABLES, columns

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["RUN_TABLES", "concepts", "initialization", "inputs", "outputs"]

RUN_TABLES = (*takewhile(lambda name: name != "summary", TABLES), "summary")
"""The tables that one run leaves behind; those after them are of many runs."""

_STAGES = ("first", "stage")


def concepts(words: Words) -> Iterator[Section]:
    """Element 4: the eleven."""
    yield Section(1, words.head("element_4"))
    for concept in CONCEPTS:
        said = words.prose(concept)
        yield Section(2, words.head(concept), f"{said}\n\n{_streams(words)}" if concept == "stochasticity" else said)


def _streams(words: Words) -> str:
    told = attributes(Stream.__doc__)
    rows = []
    for stream in Stream:
        of, said = told.get(stream.name, ("", ""))
        said = words.phrase(f"sim.entrepreneurs.streams.Stream.{stream.name}", said)
        rows.append((str(stream.value), said, words.head(f"draw_{of.replace(' ', '_')}") if of else ""))
    return table([words.head(f"col_{k}") for k in ("stream", "decides", "drawn")], rows)


def initialization(words: Words, scenario: Scenario | None) -> Iterator[Section]:
    """Element 5."""
    said = [words.prose("initialization"), words.doc("sim.scenario.schema.Initial")]
    said.append(parameter_table(words, Initial, "initial", scenario=scenario))
    yield Section(1, words.head("element_5"), "\n\n".join(said))
    yield Section(2, words.head("taken_over"), words.doc("sim.model.Pipeline._settle_in"))


def inputs(words: Words, scenario: Scenario | None) -> Iterator[Section]:
    """Element 6."""
    cited = [o.evidence for o in scenario.provenance.values() if o.evidence] if scenario else ()
    said = [words.prose("input_data"), words.doc("sim.market.demand.Series")]
    said.append(figures(words, "driver_timeseries", cited))
    yield Section(1, words.head("element_6"), "\n\n".join(said))


def outputs(words: Words) -> Iterator[Section]:
    """What a run leaves behind: its tables, and the outcomes computed from them."""
    for of in RUN_TABLES:
        rows = [
            (f"`{c.name}`", words.phrase(f"sim.tables.TABLES.{of}.{c.name}", c.en), unit_name(words, c.unit or None))
            for c in TABLES[of]
        ]
        said = table([words.head(f"col_{k}") for k in ("variable", "meaning", "unit")], rows)
        yield Section(3, words.head("table", name=of), said)
    stage = {"stage": words.head("a_stage")}
    told = [(id.replace("_stage", "_<stage>"), *outcome(id, words.lang, stage)) for id in _outcomes()]
    heads = [words.head(f"col_{k}") for k in ("variable", "outcome", "definition")]
    said = table(heads, [(f"`{id}`", called, definition) for id, called, definition in told])
    yield Section(3, words.head("outcomes"), said)


def _outcomes() -> list[str]:
    """What the statistics can say of a run, by asking them about an empty one of a chain of two stages."""
    import pandas as pd

    from sim.statistics.summary import outcomes

    kinds = {"date": "object", "string": "object"}
    empty = {
        name: pd.DataFrame({c.name: pd.Series(dtype=kinds.get(c.dtype, c.dtype)) for c in columns(name, _STAGES)})
        for name in RUN_TABLES
    }
    return [id for id in outcomes(empty, months=1, stages=_STAGES) if not id.endswith("_first")]
