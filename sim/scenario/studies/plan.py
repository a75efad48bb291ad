"""How the points of a sweep are laid out: grid, latin hypercube, Sobol, Morris, or the rows of a table.

What is said here is the file's form and the number of points; the points themselves are made in
`sim.experiments.designs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from sim.evidence.quantity import Parameters
from sim.scenario.schema import MARK
from sim.scenario.studies.axes import Axis

__all__ = ["MOST_POINTS", "Grid", "LatinHypercube", "Layout", "Morris", "Sobol", "TableRows"]

MOST_POINTS = 2_000_000
"""Most points of a study: about as many as a large cluster runs in a night."""


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        below = 1 << (value.bit_length() - 1)
        raise PydanticCustomError("power_of_two", "power of 2", {"found": value, "below": below, "above": 2 * below})
    return value


def _even(value: int) -> int:
    if value % 2:
        raise PydanticCustomError("even", "even", {"found": value})
    return value


class Grid(Parameters):
    """Every combination of the values."""

    kind: Literal["grid"]

    def size(self, axes: Sequence[Axis]) -> int:
        """How many points it has."""
        return prod(len(axis.values) for axis in axes)


class LatinHypercube(Parameters):
    """Points that fill the space: on each axis, one in each of as many equal parts as there are points."""

    kind: Literal["latin_hypercube"]
    points: int = Field(ge=1, le=MOST_POINTS)

    def size(self, axes: Sequence[Axis]) -> int:
        """How many points it has."""
        return self.points


class Sobol(Parameters):
    """Points from which Sobol indices can be estimated (Saltelli 2002), of a scrambled Sobol sequence."""

    kind: Literal["sobol"]
    points: Annotated[int, AfterValidator(_power_of_two)] = Field(
        ge=2,
        le=MOST_POINTS,
        description="N, a power of 2; N (axes + 2) points are run, N (2 axes + 2) for second order",
    )
    second_order: bool = Field(default=False, description="interactions of two axes, at about twice the runs")

    def size(self, axes: Sequence[Axis]) -> int:
        """How many points it has."""
        return self.points * ((2 if self.second_order else 1) * len(axes) + 2)


class Morris(Parameters):
    """Trajectories in which one axis moves at a time (Morris 1991): a screening of many axes."""

    kind: Literal["morris"]
    trajectories: int = Field(default=16, ge=2, le=100_000)
    levels: Annotated[int, AfterValidator(_even)] = Field(default=4, ge=2, le=100, description="even")

    def size(self, axes: Sequence[Axis]) -> int:
        """How many points it has."""
        return self.trajectories * (len(axes) + 1)


class TableRows(Parameters):
    """The rows of a CSV or Parquet file beside the study; its columns are paths of the scenario."""

    kind: Literal["table"]
    file: Annotated[str, Field(max_length=500)]


def _kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"{MARK}{kind}" if isinstance(kind, str) else None


Layout = Annotated[
    Annotated[Grid, Tag(f"{MARK}grid")]
    | Annotated[LatinHypercube, Tag(f"{MARK}latin_hypercube")]
    | Annotated[Sobol, Tag(f"{MARK}sobol")]
    | Annotated[Morris, Tag(f"{MARK}morris")]
    | Annotated[TableRows, Tag(f"{MARK}table")],
    Discriminator(_kind),
]
"""What `design` may say."""
