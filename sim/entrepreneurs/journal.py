"""Who arrived and who moved, written down by compiled code while it happens."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.columns import roomy
from sim.entrepreneurs.compiled import rule

__all__ = ["ARRIVED", "NOWHERE", "REASONS", "Events", "Journal", "written"]

REASONS = ("arrived", "admitted", "tenancy_ended", "fell_back")
ARRIVED = 0

NOWHERE = -1
"""The house that a newcomer leaves."""


class Events(NamedTuple):
    """Arrivals and moves, each of shape (events,)."""

    month: NDArray[np.int64]
    uid: NDArray[np.int64]
    left: NDArray[np.int64]
    """House left; `NOWHERE` on arrival."""
    entered: NDArray[np.int64]
    """House entered."""
    reason: NDArray[np.int64]
    """Index into `REASONS`."""


class Journal:
    """All arrivals and moves of a run, in the order in which they were written.

    Attributes
    ----------
    size : events written
    """

    def __init__(self) -> None:
        self.size = 0
        self._pages = np.empty((len(Events._fields), 1024), np.int64)

    def pages(self, count: int) -> NDArray[np.int64]:
        """The pages, (5, events) with room for `count` more: see `written`."""
        self._pages = roomy(self._pages, self.size, count)
        return self._pages

    @property
    def events(self) -> Events:
        """What was written."""
        return Events(*self._pages[:, : self.size])


@rule
def written(pages: NDArray[np.int64], at: int, month: int, uid: int, left: int, house: int, reason: int) -> None:
    """Write an event down, in compiled code."""
    pages[0, at] = month
    pages[1, at] = uid
    pages[2, at] = left
    pages[3, at] = house
    pages[4, at] = reason
