"""The scorecard: each fact over replicates, the null models beside it, and how many hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sim.validation.fact import Fact, Finding, Measured, found, measured
from sim.validation.nulls import NULLS, null
from sim.validation.record import NotKnown, Record
from sim.validation.registry import facts

__all__ = ["Line", "Measures", "Score", "lines", "measures", "score"]

MODEL = "model"

Measures = Mapping[str, Mapping[str, Measured]]
"""Of one replicate: ``model`` or a null model -> fact -> its values."""


@dataclass(frozen=True)
class Line:
    """A fact on the card: what the model says, and what each null model says."""

    fact: Fact
    model: Finding
    nulls: Mapping[str, Finding]

    @property
    def easy(self) -> bool:
        """Whether a null model passes as well, so that passing tells little."""
        return any(finding.passed for finding in self.nulls.values())

    @property
    def counts(self) -> bool:
        """Whether it counts in the score: scored, and known."""
        return self.fact.use == "scored" and self.model.passed is not None


@dataclass(frozen=True)
class Score:
    """How many of the facts that count hold: of all, and of those that no null model passes."""

    passed: int
    known: int
    hard_passed: int
    hard_known: int
    unknown: int
    """Scored facts that the run could not know."""


def measures(record: Record, seed: int = 0, chosen: Sequence[Fact] | None = None) -> Measures:
    """All facts in one replicate, in the model and in the null models, which are fitted to it."""
    wanted = facts() if chosen is None else chosen
    out: dict[str, Mapping[str, Measured]] = {MODEL: {fact.id: measured(fact, record) for fact in wanted}}
    for number, kind in enumerate(NULLS):
        try:
            other = null(kind, record, 2 * (len(NULLS) * seed + number) + 1)
        except NotKnown as why:
            out[kind] = dict.fromkeys((fact.id for fact in wanted), why)
        else:
            out[kind] = {fact.id: measured(fact, other) for fact in wanted}
    return out


def lines(replicates: Sequence[Measures], chosen: Sequence[Fact] | None = None) -> tuple[Line, ...]:
    """The card over replicates."""

    def over(who: str, fact: Fact) -> Finding:
        return found(fact, [replicate[who][fact.id] for replicate in replicates])

    wanted = facts() if chosen is None else chosen
    return tuple(Line(fact, over(MODEL, fact), {kind: over(kind, fact) for kind in NULLS}) for fact in wanted)


def score(card: Iterable[Line]) -> Score:
    """Facts that hold, of those that count."""
    listed = tuple(card)
    known = [line for line in listed if line.counts]
    hard = [line for line in known if not line.easy]
    unknown = sum(line.fact.use == "scored" and line.model.passed is None for line in listed)
    passed, hard_passed = (sum(bool(line.model.passed) for line in each) for each in (known, hard))
    return Score(passed, len(known), hard_passed, len(hard), unknown)
