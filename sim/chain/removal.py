"""Moving people from one chain into another: from the burn-in's, under the old policy, into the scenario's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.facility import Houses

__all__ = ["Removal", "within_places"]


class Removal:
    """What houses, stages and waiting lists of one chain are in another. Stages are known by their ids.

    Attributes
    ----------
    house : (old houses,) int64
        The house of the same number of the same stage; else the place outside.
    stage : (old stages,) int64
        The same stage, or the one before it that there is.
    waiting : (old stages + 1,) int64
        The list of the same stage, from 1; 0 where there is none.
    """

    def __init__(self, old: Houses, new: Houses) -> None:
        self._old, self._new = old, new
        ids = [s.id for s in new.stages]
        there = [ids.index(s.id) if s.id in ids else None for s in old.stages]
        self.stage = np.maximum.accumulate(np.array([t or 0 for t in there]))
        self.waiting = np.array([0, *(0 if t is None else t + 1 for t in there)])
        self.house = np.full(len(old.stage_of), new.outside, np.int64)
        for s, t in enumerate(there):
            if t is None:
                continue
            same = min(int(old.count[s]), int(new.count[t]))
            self.house[old.of(s)] = new.outside + t
            self.house[old.first[s] : old.first[s] + same] = new.first[t] + np.arange(same)
            self.house[old.outside + s] = new.outside + t

    def carry_peers(self) -> None:
        """The new houses' tenants know the peers that they had."""
        inside = self.house[: self._old.outside] < self._new.outside
        peers = self._old.table.peer_level[: self._old.outside]
        self._new.table.peer_level[self.house[: self._old.outside][inside]] = peers[inside]


def within_places(house: NDArray[Any], houses: Houses) -> NDArray[np.int64]:
    """Houses again, but those for whom a house has no place stand outside; who comes first in the array stays."""
    order = np.argsort(house, kind="stable")
    starts = np.searchsorted(house[order], np.arange(len(houses.places)))
    rank = np.empty(len(house), np.int64)
    rank[order] = np.arange(len(house)) - starts[house[order]]
    stage = np.minimum(houses.stage_of[house], len(houses.stages) - 1).astype(np.int64)
    return np.where(rank < houses.places[house], house, houses.outside + stage)
