"""What varies in a study: what the city decides (levers) and what nobody knows (uncertainties).

Each is one value of the scenario, with the values or the range that it takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WrapValidator
from pydantic_core import PydanticCustomError

from sim.evidence.quantity import Label, Parameters
from sim.scenario.studies.file import Range, a_list

__all__ = ["Axis", "Entries", "Lever", "Role", "Uncertainty", "Value", "Varied"]

Value = int | float | bool | str | None
"""What a lever or an uncertainty may be."""

Role = Literal["lever", "uncertainty"]


def _single(value: Any, _: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        raise PydanticCustomError("single_value", "a single value")
    return value


Entry = Annotated[int | float | bool | str | None, WrapValidator(_single)]
Entries = Annotated[tuple[Entry, ...] | None, BeforeValidator(a_list), Field(min_length=1, max_length=1000)]


_NAMELESS = Label()


class Varied(Parameters):
    """A value of the scenario that is not the same at every point."""

    path: Annotated[str, Field(max_length=200)]
    name: Label = Label()
    values: Entries = Field(default=None, description="what it may be; a grid needs it")
    range: Range = Field(default=None, description="lower and upper end, for designs that fill a space")


class Lever(Varied):
    """What the city decides."""


class Uncertainty(Varied):
    """What nobody knows; without values and range, over the plausible range that the scenario states."""

    prior: Literal["uniform", "log_uniform"] = "uniform"


@dataclass(frozen=True)
class Axis:
    """One direction in which the points of a study differ.

    Parameters
    ----------
    path
        Which value of the scenario.
    role
        ``lever`` or ``uncertainty``.
    values
        The values that it takes, in their order, each once; empty if only a range is given.
    low, high
        The range, in `unit`; NaN if only values are given.
    log
        Evenly in logs.
    whole
        Whole numbers.
    unit
        Unit of the value, if it is a quantity.
    name
        What it is, in a short phrase: the study's, else the schema's.
    now
        The value that the scenario has.
    """

    path: str
    role: Literal["lever", "uncertainty"]
    values: tuple[Value, ...] = ()
    low: float = math.nan
    high: float = math.nan
    log: bool = False
    whole: bool = False
    unit: str | None = None
    name: Label = _NAMELESS
    now: Value = None

    @property
    def ends(self) -> tuple[Value, Value]:
        """First and last of what it takes."""
        return (self.values[0], self.values[-1]) if math.isnan(self.low) else (self.at(0.0), self.at(1.0))

    def at(self, share: float) -> Value:
        """The value at a place between 0 and 1: evenly spread over the range, or else over the values.

        Whole numbers, and values, divide the way into equal parts: the ends count as much as any other.
        """
        if math.isnan(self.low):
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.whole:
            value = math.floor(_between(self.low, self.high + 1, share, self.log))
            return min(max(value, int(self.low)), int(self.high))
        return min(max(_between(self.low, self.high, share, self.log), self.low), self.high)  # logs round

    def place(self, value: Value) -> float:
        """The place between 0 and 1 of a value: the middle of its part where the way is divided.

        Outside of 0 .. 1 beyond the range. Raises ValueError for none of the values.
        """
        if math.isnan(self.low):
            if value not in self.values:
                raise ValueError(f"{self.path}: {value!r} is none of its values")
            return (self.values.index(value) + 0.5) / len(self.values)
        if not isinstance(value, int | float):
            raise ValueError(f"{self.path}: {value!r} is no number")
        if not self.whole:
            return _part(self.low, self.high, value, self.log)
        first, last = (_part(self.low, self.high + 1, value + more, self.log) for more in (0, 1))
        return (first + last) / 2


def _between(low: float, high: float, share: float, log: bool) -> float:
    return low * math.exp(share * math.log(high / low)) if log else low + share * (high - low)


def _part(low: float, high: float, value: float, log: bool) -> float:
    return math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
