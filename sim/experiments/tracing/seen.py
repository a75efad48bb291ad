"""What is seen of an entrepreneur in a month: rows, draws, what instruments did, applications, moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.entrepreneurs.streams import Stream
from sim.policy._instrument import PolicyInstrument

__all__ = ["Act", "Application", "Arrival", "Decision", "Drawn", "Leaving", "Month", "Move", "Row"]

Row = Mapping[str, Any]
"""One entrepreneur's columns, by name, as plain numbers."""


@dataclass(frozen=True)
class Arrival:
    """What he brought: his draws, and the monthly sales (CNY) that his own guess and his outside option come to."""

    luck: Mapping[Stream, float]
    guess: float
    break_even: float


@dataclass(frozen=True)
class Drawn:
    """An instrument's draw for him; `for_life` if it is one that a person keeps."""

    value: float
    chance: float
    for_life: bool


@dataclass
class Act:
    """What an instrument did to him in a month: his row before and after, draws, and what he was refused, in fen."""

    instrument: PolicyInstrument
    before: Row
    after: Row = field(default_factory=dict)
    draws: list[Drawn] = field(default_factory=list)
    refused: int = 0
    unseated: bool = False
    lent: int = 0
    repaid: int = 0


@dataclass(frozen=True)
class Decision:
    """What he weighed, CNY/month (the income he believes in, the annuity of his cash), and the month's draws.

    `leap` is the jump of his log sales, 0 if there was none; `household` is what he lives on.
    """

    luck: Mapping[Stream, float]
    believed: float
    annuity: float
    household: float
    leap: float


@dataclass(frozen=True)
class Application:
    """He qualified for a stage: whether he asked for a place, and how it went.

    `since` is the calendar month from which he was on the list, None if he was not; `over`: his tenancy was ending.
    `rank` and `last`, the rank of the last who was admitted, are by the stage's admission rule, higher is better.
    """

    stage: int
    asked: bool
    since: int | None
    over: bool
    rank: float
    applicants: int = 0
    admitted: int = 0
    last: float | None = None


@dataclass(frozen=True)
class Move:
    """He moved from a stage, after so many months, into a house of another; ``len(stages)`` is outside."""

    left: int
    months: int
    entered: int
    house: int
    reason: str


@dataclass(frozen=True)
class Leaving:
    """What becomes of him (see `sim.entrepreneurs.leaving`), in how many months, and his draw for staying."""

    after: int
    wait: int
    luck: float


@dataclass
class Month:
    """All that was seen of him in a month.

    His row as the month begins (`opening`), when instruments have acted (`start`), when he has traded (`end`), and, if
    he goes on, when places have changed hands (`closing`). `market` is his channel's log factor, `rent` that of a shop
    in his house, CNY/month. `settled` is what instruments did when he closed.
    """

    month: int
    calendar: int
    market: float
    opening: Row
    arrival: Arrival | None = None
    acts: list[Act] = field(default_factory=list)
    start: Row = field(default_factory=dict)
    rent: float = 0.0
    end: Row = field(default_factory=dict)
    closing: Row = field(default_factory=dict)
    decision: Decision | None = None
    leaving: Leaving | None = None
    settled: list[Act] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    move: Move | None = None

    @property
    def listed(self) -> int:
        """The stage that he waits for, from 1; 0 if none."""
        return int(self.closing.get("waiting", 0))
