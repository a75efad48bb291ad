"""Newcomers: identity, attributes and start, from draws keyed by who they are, not by when or under what policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arrivals import Shares
from sim.entrepreneurs.columns import Columns, State
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.kernel import House
from sim.entrepreneurs.rules import Constants, capacity, found
from sim.entrepreneurs.streams import Stream

__all__ = ["newcomers", "total_capacity"]

_TRAITS, _START = Stream.EDUCATION >> 2, Stream.GAP >> 2  # blocks of the arrival streams


@kernel
def _found(
    s: State,
    start: int,
    uid: NDArray[np.int64],
    traits: NDArray[np.int8],
    shares: Shares,
    c: Constants,
    market: tuple[float, float, float],
    rents: NDArray[np.float64],
    key: tuple[int, int],
) -> None:
    for j in range(uid.size):
        i = start + j
        low, high = uid[j] & 0xFFFFFFFF, (uid[j] >> 32) & 0xFFFFFFFF
        first = philox(low, high, 0, _TRAITS, key[0], key[1])
        second = philox(low, high, 0, _START, key[0], key[1])
        for t in range(3):
            u = word_to_uniform(first[t])
            kind = 0
            while kind < shares[t].size - 1 and u >= shares[t][kind]:
                kind += 1
            traits[t, j] = kind if traits[t, j] < 0 else traits[t, j]
        s.uid[i] = uid[j]
        s.education[i] = traits[0, j]
        s.origin[i] = traits[1, j]
        s.channel[i] = traits[2, j]
        s.house[i] = int(word_to_uniform(second[3]) * rents.size)
        luck = (
            word_to_uniform(first[3]),
            word_to_uniform(second[0]),
            word_to_uniform(second[1]),
            word_to_uniform(second[2]),
        )
        n = found(c, luck, market[traits[2, j]], rents[s.house[i]])
        s.potential[i] = n.potential
        s.level[i] = n.level
        s.belief[i] = n.belief
        s.cash[i] = n.cash
        s.reservation[i] = n.reservation


def newcomers(
    people: Columns,
    uid: NDArray[np.int64],
    traits: NDArray[np.int8],
    shares: Shares,
    c: Constants,
    market: tuple[float, float, float],
    rents: NDArray[np.float64],
    key: tuple[int, int],
) -> slice:
    """People open shops in the first stage; returns their rows.

    Parameters
    ----------
    traits : (3, people)
        Education, origin and channel of those who are known already (they start again); -1 is drawn, and filled in.
        A second shop is a new idea: potential, cash and reservation are drawn anew.
    shares
        Cumulative shares of each trait among arrivals.
    rents : (houses,)
        Rents of the houses of the first stage, among which people settle evenly, CNY/month.
    """
    rows = people.extend(len(uid))
    _found(people.state, rows.start, uid, traits, shares, c, market, rents, key)
    return rows


@kernel
def _capacity(s: State, size: int, c: Constants, uplift: NDArray[np.float64]) -> int:
    total = 0
    for i in range(size):
        total += int(capacity(c, s.level[i] + s.standing[i] + s.training[i] + uplift[s.house[i]]))
    return total


def total_capacity(people: Columns, c: Constants, houses: House) -> int:
    """Trading capacity of everybody, CNY/month."""
    return int(_capacity(people.state, people.size, c, houses.uplift))
