"""What a stylised fact is: what it measures on a run's tables, the band that it should fall in, and who says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sim.validation.record import NotKnown, Record

__all__ = ["CERTAINTIES", "USES", "Certainty", "Fact", "Finding", "Measured", "Part", "Use", "found", "measured"]

Certainty = Literal["high", "medium", "low"]
Use = Literal["scored", "fitted"]

CERTAINTIES: tuple[Certainty, ...] = ("high", "medium", "low")
USES: tuple[Use, ...] = ("scored", "fitted")


@dataclass(frozen=True)
class Part:
    """One number of a fact, and the band that it should fall in, both ends included; None where a side is open."""

    id: str
    low: float | None
    high: float | None
    unit: str

    def holds(self, value: float) -> bool:
        """Whether a value is in the band."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Fact:
    """A stylised fact. Its names and definitions are in the catalogue, under ``facts.<id>``.

    Attributes
    ----------
    number : its number in the list that the facts were taken from; None for the city's own figures
    family : the file that it stands in
    measure : the values of its parts in one replicate, by part; raises `NotKnown`
    sources : ids of `sim.evidence`, of sources or of figures; or of ``facts.source`` in the catalogue
    certainty : how sure the source is
    use : ``fitted`` where the model's numbers were chosen by it, or set from it: shown, never counted in the score
    reads : what it needs beside the table of entrepreneurs, for the reader: ``panel``, ``city``, the name of a trial
    """

    id: str
    number: int | None
    family: str
    parts: tuple[Part, ...]
    measure: Callable[[Record], Mapping[str, float]] = field(repr=False)
    sources: tuple[str, ...]
    certainty: Certainty
    use: Use = "scored"


Measured = Mapping[str, float] | NotKnown
"""The values of a fact's parts in one replicate, or why they cannot be known."""


@dataclass(frozen=True)
class Finding:
    """What a run says of a fact.

    Attributes
    ----------
    values : part -> its value in each replicate that knows it
    passed : whether the mean of every part is in its band; None where it cannot be known
    reason : why not, where `passed` is None
    """

    fact: Fact
    values: Mapping[str, tuple[float, ...]]
    reason: NotKnown | None = None

    def mean(self, part: Part) -> float:
        """Mean over replicates."""
        values = self.values[part.id]
        return math.fsum(values) / len(values)

    def sd(self, part: Part) -> float | None:
        """Standard deviation between replicates; None with fewer than two."""
        values, mean = self.values[part.id], self.mean(part)
        if len(values) < 2:
            return None
        return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))

    def holds(self, part: Part) -> bool:
        """Whether the mean of a part is in its band."""
        return part.holds(self.mean(part))

    @property
    def passed(self) -> bool | None:
        """Whether the fact holds: all of its parts do."""
        return None if self.reason else all(self.holds(part) for part in self.fact.parts)


def measured(fact: Fact, record: Record) -> Measured:
    """A fact in one replicate: the value of each part, or why it cannot be known. A value is never NaN or infinite."""
    try:
        values = fact.measure(record)
    except NotKnown as why:
        return why
    wrong = [id for id, value in values.items() if not math.isfinite(value)]
    if wrong:
        return NotKnown("no_number", part=wrong[0])
    return {part.id: float(values[part.id]) for part in fact.parts}


def found(fact: Fact, replicates: Sequence[Measured]) -> Finding:
    """A fact over replicates. It is known if any replicate knows it; else the first says why not."""
    known = [values for values in replicates if not isinstance(values, NotKnown)]
    if not known:
        reasons = [why for why in replicates if isinstance(why, NotKnown)]
        return Finding(fact, {}, reasons[0] if reasons else NotKnown("no_replicate"))
    return Finding(fact, {part.id: tuple(values[part.id] for values in known) for part in fact.parts})
