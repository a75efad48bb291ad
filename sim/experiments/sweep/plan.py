"""The runs of a sweep: its points, how often each is run, and what stands in the row of a run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.experiments.designs import BlockDesign, points
from sim.experiments.outcomes import wanted
from sim.experiments.sweep.orders import Base, Order, Values, asked, point_id, run_key
from sim.scenario.schema import Replicates, Until
from sim.scenario.studies import SweepStudy
from sim.scenario.studies.axes import Axis

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SHORT", "Plan", "enough"]

SHORT = 16
"""Hexadecimal digits by which a point goes in tables."""

_FIRST = 5
"""Replicates of a point before it is asked whether they are enough, as in `sim.simulation.run`."""


@dataclass(frozen=True)
class Plan:
    """All runs of a study. Points are made when they are asked for, and so are their names."""

    study: SweepStudy

    @cached_property
    def blocks(self) -> tuple[BlockDesign, ...]:
        """The points, block by block."""
        return points(self.study).blocks

    @cached_property
    def bases(self) -> tuple[Base, ...]:
        """What the points of each block change."""
        return tuple(Base(block) for block in self.study.blocks)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """What is kept of each run."""
        return wanted(self.study)

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """Everything that varies, by path, in the order of the study; the first block that varies it counts."""
        found: dict[str, Axis] = {}
        for block in self.study.blocks:
            for axis in block.axes:
                found.setdefault(axis.path, axis)
        return found

    @property
    def size(self) -> int:
        """How many points there are; the same one may come twice."""
        return sum(len(block.values) for block in self.blocks)

    @property
    def until(self) -> Until | None:
        """The rule that ends the replicates of a point, if there is one."""
        rule = self.study.replicates
        return rule.until if isinstance(rule, Replicates) else None

    @property
    def replicates(self) -> int:
        """Runs of each point; the first ones, where a rule says whether there are more."""
        rule = self.study.replicates
        return min(_FIRST, rule.until.max) if isinstance(rule, Replicates) else rule

    @cached_property
    def _about(self) -> tuple[str, ...]:
        return tuple(asked(base.scenario.engine, self.outcomes) for base in self.bases)

    @cached_property
    def _ids(self) -> tuple[Any, ...]:
        """SHA-256 of the scenario at each point, block by block; empty where nobody has asked yet."""
        return tuple(np.zeros(len(block.values), "S64") for block in self.blocks)

    def point(self, block: int, number: int) -> str:
        """What a point is known by: the SHA-256 of the scenario there."""
        known: bytes = self._ids[block][number]
        if not known:
            self._ids[block][number] = known = point_id(self.bases[block], self.blocks[block].values[number]).encode()
        return known.decode()

    def names(self) -> Iterator[tuple[int, int]]:
        """Block and number of each point, in order."""
        for block, design in enumerate(self.blocks):
            yield from ((block, number) for number in range(len(design.values)))

    def order(self, block: int, number: int, replicate: int) -> Order:
        """A run."""
        point = self.point(block, number)
        key = run_key(point, self._about[block], self.study.seed, replicate)
        values = self.blocks[block].values[number]
        return Order(key, self.bases[block], values, replicate, self.study.seed, point)

    def table(self) -> pa.Table:
        """All points: branch, number (row of the design, from 0), point, values."""
        import pyarrow as pa

        kinds = {"branch": pa.string(), "number": pa.int64(), **self.columns}
        rows: dict[str, list[object]] = {name: [] for name in kinds}
        for block, number in self.names():
            design = self.blocks[block]
            row = (design.block.id, number, self.point(block, number)[:SHORT], *self.cells(design.values[number]))
            for name, value in zip(("branch", "number", "point", *self.axes), row, strict=True):
                rows[name].append(value)
        return pa.table({name: pa.array(rows[name], kind) for name, kind in kinds.items()})

    # what stands in the row of a run ----------------------------------------------------------------------------------

    @property
    def columns(self) -> dict[str, pa.DataType]:
        """Columns of a row beside those that every run has, with their types."""
        import pyarrow as pa

        kinds = {"number": pa.float64(), "bool": pa.bool_(), "text": pa.string()}
        return {"point": pa.string(), "branch": pa.string()} | {p: kinds[_kind(a)] for p, a in self.axes.items()}

    def extra(self, order: Order) -> tuple[object, ...]:
        """What stands in these columns; null where a block does not vary a value."""
        return order.point[:SHORT], order.base.name, *self.cells(order.values)

    def cells(self, values: Values) -> tuple[object, ...]:
        """The values of a point in the order of `axes`, as they are stored."""
        return tuple(_cell(values.get(path), _kind(axis)) for path, axis in self.axes.items())


def _kind(axis: Axis) -> str:
    """How the values of an axis are stored. Numbers are all of one type, so that no part differs from another."""
    if not axis.values or all(isinstance(v, int | float) and not isinstance(v, bool) for v in _given(axis)):
        return "number"
    return "bool" if all(isinstance(v, bool) for v in _given(axis)) else "text"


def _given(axis: Axis) -> list[object]:
    return [value for value in axis.values if value is not None]


def _cell(value: object, kind: str) -> object:
    if value is None or kind == "bool":
        return value
    if kind == "number":
        return float(value)  # type: ignore[arg-type]
    return value if isinstance(value, str) else json.dumps(value)


def enough(values: Sequence[float], made: int, rule: Until) -> int:
    """How many replicates of a point are wanted, given what the first `made` of them came to; `made` if no more.

    The interval is Student's at 95 %. The next look is when it should be narrow enough, at most at twice as many, so
    that what is run depends on the results alone, and not on how many runs are under way.

    Parameters
    ----------
    values
        The outcome in these replicates; NaN where it is not known.
    """
    from sim.statistics.paired import student

    known = [value for value in values if math.isfinite(value)]
    most = min(2 * made, rule.max)
    if not known:
        return made
    if len(known) < 2:
        return most
    mean = student(known)
    half = (mean.high - mean.low) / 2
    if half <= rule.half_width:
        return made
    share = (half / rule.half_width) ** 2
    return max(min(math.ceil(made * min(share, 2.0)), most), min(made + 1, rule.max))


def described(plan: Plan) -> list[Mapping[str, Any]]:
    """Each axis of each block as plain values."""
    rows: list[Mapping[str, Any]] = []
    for block in plan.study.blocks:
        for axis in block.axes:
            low, high = (None if math.isnan(end) else end for end in (axis.low, axis.high))
            row: dict[str, Any] = {"branch": block.id, "path": axis.path, "role": axis.role, "unit": axis.unit}
            row["name"] = {"zh": axis.name.zh, "en": axis.name.en}
            rows.append(row | {"values": list(axis.values), "low": low, "high": high, "now": axis.now})
    return rows
