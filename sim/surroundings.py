"""What others leave to one founder: demand, rents, neighbours, and the bar for a place.

A reform helps those whom it reaches and, as demand and seats are scarce, displaces others. Its direct effect on someone
is what it would do to him if everybody else lived as in the base run: he meets that run's demand, rents and neighbours,
and gets a place if he is as good as the worst who got one there. A run in which that holds for all at once gives
everybody's direct effect; what the reform as a whole does beyond it is displacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chain.facility import Houses
from sim.chain.progress import Bars
from sim.chain.stage import Stage
from sim.market.competition import Competition

__all__ = ["Held", "Surroundings"]


class _Month(NamedTuple):
    factor: tuple[float, float, float]
    tenants: NDArray[np.int64]
    peer_level: NDArray[np.float64]
    entry: NDArray[np.float64]
    back: NDArray[np.float64]


class Surroundings:
    """The surroundings of one run, month by month, as it goes on. Give it to another run to hold them there.

    Parameters
    ----------
    stages
        The chain of the run.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = tuple(stages)
        self.months: list[_Month] = []

    def note(self, competition: Competition, tenants: NDArray[np.int64], houses: Houses, bars: Bars) -> None:
        """Write a month down; `tenants` are those at its beginning."""
        level = houses.table.peer_level.copy()
        self.months.append(_Month(competition.factor, tenants, level, bars.entry.copy(), bars.back.copy()))


class Held:
    """Surroundings of another run, held in this one.

    Demand and neighbours are held for all. Rents and places are held in those stages that are the same in both runs;
    where the reform changes a stage, its seats are the reform, and go to the best of this run.

    Attributes
    ----------
    bars : Bars
        What it takes to get a place.
    """

    def __init__(self, surroundings: Surroundings, houses: Houses) -> None:
        self._months, self._houses = surroundings.months, houses
        there, before = {s.id: i for i, s in enumerate(surroundings.stages)}, surroundings.stages
        chain = [s.id for s in houses.stages]
        self.bars = Bars.free(len(chain))
        self._from: list[int] = []
        for i, stage in enumerate(houses.stages):
            same = stage.id in there and before[there[stage.id]] == stage
            self.bars.held[i] = same
            self._from.append(there[stage.id] if same else -1)
        old = np.cumsum([0, *(s.facilities for s in before)])
        self._to_house = np.full(houses.outside, -1)
        for i, j in enumerate(self._from):
            if j >= 0:
                self._to_house[houses.of(i)] = np.arange(old[j], old[j + 1])
        self._inside = (self._to_house >= 0).nonzero()[0]

    def open_month(self, month: int, competition: Competition) -> None:
        """Demand and rents of the month."""
        then = self._months[month]
        competition.factor = then.factor
        tenants = self._houses.tenants.copy()
        tenants[self._inside] = then.tenants[self._to_house[self._inside]]
        self._houses.open_month(tenants)

    def set_bars(self, month: int) -> None:
        """What it takes to get a place this month."""
        then = self._months[month]
        for i, j in enumerate(self._from):
            if j >= 0:
                self.bars.entry[i], self.bars.back[i] = then.entry[j], then.back[j]

    def close_month(self, month: int) -> None:
        """Whom one can learn from next month."""
        level = self._houses.table.peer_level
        level[self._inside] = self._months[month].peer_level[self._to_house[self._inside]]
