"""An event of a life, and what telling it needs to know of the scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.entrepreneurs.rules import Constants
from sim.evidence.audit import Origin
from sim.experiments.tracing.seen import Month
from sim.observation import month_label
from sim.scenario.schema import Scenario
from sim.tables import OUTSIDE

__all__ = ["Event", "Setting", "Teller"]


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    kind
        What it was: ``arrived``, ``jump``, ``paid``, ``admitted``, ``quit``, ... (the catalogue's ``trace.event``).
    month, date
        Month since the horizon's start, from 0, and as YYYY-MM.
    numbers
        What it was about, by name: money in CNY, CNY/month or CNY/year; ids of stages, instruments, traits; counts.
    draw
        The draw that decided it, strictly between 0 and 1; None if none did.
    threshold
        What the draw, or else the number in question, was held against.
    parameters
        Paths of the parameters behind it, the nearest first, as `Scenario.why` takes them.
    """

    kind: str
    month: int
    date: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    draw: float | None = None
    threshold: float | None = None
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """What telling needs to know of the scenario."""

    scenario: Scenario

    @cached_property
    def constants(self) -> Constants:
        """The rulebook's numbers."""
        return Constants.of(self.scenario.behaviour, self.scenario.market.trim)

    @cached_property
    def provenance(self) -> Mapping[str, Origin]:
        """Where each number comes from, by path."""
        return self.scenario.provenance

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Stage ids, and outside."""
        return (*(s.id for s in self.scenario.chain), OUTSIDE)

    @cached_property
    def _houses(self) -> list[tuple[str, int]]:
        return [(stage.id, number + 1) for stage in self.scenario.chain for number in range(stage.facilities)]

    def at(self, house: int) -> tuple[str, int]:
        """Stage id of a house, and its number within the stage from 1; 0 outside."""
        return self._houses[house] if house < len(self._houses) else (OUTSIDE, 0)

    def of_instrument(self, id: str, his: Sequence[str]) -> dict[str, float]:
        """An instrument's numbers by path; of those that go by trait or stage, only those for `his`."""
        keys = {*self.places, *EDUCATION, *ORIGINS, *CHANNELS}
        found = {p: o.value for p, o in self.provenance.items() if p.startswith(f"policy.{id}.")}
        return {p: v for p, v in found.items() if (last := p.rpartition(".")[2]) not in keys or last in his}


@dataclass(frozen=True)
class Teller:
    """Makes the events of a month."""

    seen: Month

    def __call__(
        self, kind: str, *parameters: str, draw: float | None = None, threshold: float | None = None, **numbers: Any
    ) -> Event:
        """An event of this month."""
        return Event(kind, self.seen.month, month_label(self.seen.calendar), numbers, draw, threshold, parameters)
