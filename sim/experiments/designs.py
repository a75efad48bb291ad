"""Where to look: points of the unit cube, and the points of a study's blocks that they stand for.

Points of a block are made from one another only by its axes, its layout and the study's seed, so that the same study
gives the same points. What happens to them when a study is extended:

- grid: with more values, all old points are among the new ones;
- Sobol: with more points, the old ones come first (it is a sequence), with second order the old ones are among them;
- Morris: with more trajectories, the old ones come first;
- latin hypercube: with more points, all are new, since each must have its own part of every axis;
- table: as its rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from sim.scenario.studies import SweepStudy
from sim.scenario.studies.axes import Axis, Value
from sim.scenario.studies.block import Block
from sim.scenario.studies.plan import Grid, LatinHypercube, Morris, Sobol

__all__ = ["BlockDesign", "Design", "Points", "hypercube", "layout", "points", "radial", "saltelli", "trajectories"]

Unit = NDArray[np.float64]
"""Points of the unit cube, shaped (points, axes)."""


class Points(Sequence[dict[str, Value]]):
    """Points of a block, values by path: made when they are asked for, so that a million of them take little memory."""

    def __init__(self, size: int, at: Callable[[int], dict[str, Value]]) -> None:
        self._size, self._at = size, at

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, row: int) -> dict[str, Value]: ...

    @overload
    def __getitem__(self, row: slice) -> Points: ...

    def __getitem__(self, row: int | slice) -> dict[str, Value] | Points:
        if isinstance(row, slice):
            rows = range(self._size)[row]
            return Points(len(rows), lambda number: self._at(rows[number]))
        return self._at(range(self._size)[row])


class BlockDesign(NamedTuple):
    """The points of one block, in order.

    For Sobol the order is SALib's, for each base point: a; a with one coordinate of b, for each axis; with second
    order, b with one coordinate of a, for each axis; b. For Morris it is trajectory by trajectory, of axes + 1 points.
    """

    block: Block
    values: Points
    unit: Unit | None
    """Places in the unit cube; None for a grid and a table."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The axes, in the order of `unit`."""
        return tuple(axis.path for axis in self.block.axes)


class Design(NamedTuple):
    """The points of a study, block after block."""

    blocks: tuple[BlockDesign, ...]

    @property
    def size(self) -> int:
        """How many points there are in all; some may be the same."""
        return sum(len(made.values) for made in self.blocks)


def points(study: SweepStudy) -> Design:
    """The points of a sweep."""
    return Design(tuple(layout(block, seed=study.seed) for block in study.blocks))


def layout(block: Block, *, seed: int) -> BlockDesign:
    """The points of one block; blocks of the same axes, layout and seed have the same points."""
    axes, what = block.axes, block.layout
    if isinstance(what, Grid):
        return BlockDesign(block, Points(block.size, lambda row: _combination(axes, row)), None)
    if isinstance(what, LatinHypercube):
        unit = hypercube(len(axes), what.points, seed=seed)
    elif isinstance(what, Sobol):
        unit = saltelli(len(axes), what.points, seed=seed, second_order=what.second_order)
    elif isinstance(what, Morris):
        unit = trajectories(len(axes), what.trajectories, levels=what.levels, seed=seed)
    else:
        paths = [axis.path for axis in axes]
        return BlockDesign(block, Points(block.size, lambda row: dict(zip(paths, block.rows[row], strict=True))), None)
    return BlockDesign(block, Points(len(unit), lambda row: there(axes, unit[row])), unit)


def there(axes: Sequence[Axis], place: Sequence[float] | Unit) -> dict[str, Value]:
    """A place in the unit cube as values by path."""
    return {axis.path: axis.at(float(share)) for axis, share in zip(axes, place, strict=True)}


def _combination(axes: Sequence[Axis], row: int) -> dict[str, Value]:
    """The combination of a grid with this number; the last axis changes fastest."""
    chosen: list[Value] = []
    for axis in reversed(axes):
        row, place = divmod(row, len(axis.values))
        chosen.append(axis.values[place])
    return dict(zip((axis.path for axis in axes), reversed(chosen), strict=True))


# designs in the unit cube ---------------------------------------------------------------------------------------------


def hypercube(axes: int, n: int, *, seed: int) -> NDArray[np.float64]:
    """A Latin hypercube, shaped (n, axes): on each axis one point in each n-th part (McKay et al. 1979)."""
    draws = np.random.default_rng(seed)
    cells = draws.permuted(np.tile(np.arange(n), (axes, 1)), axis=1).T
    return (cells + draws.random((n, axes))) / n


def _problem(axes: int) -> Mapping[str, object]:
    return {"num_vars": axes, "names": [str(i) for i in range(axes)], "bounds": [[0.0, 1.0]] * axes}


def saltelli(axes: int, n: int, *, seed: int, second_order: bool = False) -> Unit:
    """A scrambled Sobol sequence of pairs of points, crossed (Saltelli 2002), in SALib's order; see `BlockDesign`.

    Shaped (n (axes + 2), axes), with second order (n (2 axes + 2), axes); `n` is a power of 2.
    """
    from SALib.sample import sobol

    draws = np.random.default_rng(seed)  # as a number, SALib takes 0 as no seed in places
    unit: Unit = sobol.sample(_problem(axes), n, calc_second_order=second_order, seed=draws)
    return unit


def trajectories(axes: int, n: int, *, levels: int, seed: int) -> Unit:
    """Random trajectories over a grid of levels, on which one axis moves at a time (Morris 1991).

    Shaped (n (axes + 1), axes).
    """
    from SALib.sample import morris

    draws = np.random.default_rng(seed)
    unit: Unit = morris.sample(_problem(axes), n, num_levels=levels, seed=draws)
    return np.clip(unit, 0.0, 1.0)  # sums of steps round


def radial(groups: Sequence[str], n: int, *, seed: int) -> NDArray[np.float64]:
    """Pairs of points, crossed by groups, shaped (n, 2 + number of groups, coordinates): a, a with one group from b, b.

    The design of Saltelli (2002, Computer Physics Communications 145:280-297), on pairs that are a Latin hypercube. A
    Sobol sequence needs an axis for each coordinate of a and of b, 210 for the city: there, with up to 256 points, some
    axes still follow one another (correlations of 0.94), so that b repeats a in a coordinate and a number seems to do
    nothing.

    Parameters
    ----------
    groups
        What group each coordinate belongs to; the groups are taken in the order in which they first come.
    n
        Pairs of points.
    seed
        The same seed, number of coordinates and n give the same pairs, however they are grouped.
    """
    of = np.array(groups)
    names = list(dict.fromkeys(groups))
    pairs = hypercube(2 * len(of), n, seed=seed)
    a, b = pairs[:, : len(of)], pairs[:, len(of) :]
    swapped = [np.where(of == name, b, a) for name in names]
    return np.stack([a, *swapped, b], axis=1)
