"""Newcomers: identity, attributes and start, from draws keyed by who they are, not by when or under what policy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arrivals import Shares
from sim.entrepreneurs.columns import Columns, State
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.kernel import House
from sim.entrepreneurs.rules import Constants, capacity, found

__all__ = ["newcomers", "total_capacity"]

_TRAITS, _START = 2, 3  # blocks of the arrival streams


@kernel
def _found(
    uid: NDArray[np.int64],
    shares: Shares,
    c: Constants,
    market: tuple[float, float, float],
    rents: NDArray[np.float64],
    key: tuple[int, int],
    traits: NDArray[np.int8],
    house: NDArray[np.int16],
    start: NDArray[np.float64],
) -> None:
    for i in range(uid.size):
        low, high = uid[i] & 0xFFFFFFFF, (uid[i] >> 32) & 0xFFFFFFFF
        first = philox(low, high, 0, _TRAITS, key[0], key[1])
        second = philox(low, high, 0, _START, key[0], key[1])
        for t in range(3):
            u = word_to_uniform(first[t])
            kind = 0
            while kind < shares[t].size - 1 and u >= shares[t][kind]:
                kind += 1
            traits[t, i] = kind if traits[t, i] < 0 else traits[t, i]
        place = int(word_to_uniform(second[3]) * rents.size)
        house[i] = place
        luck = (
            word_to_uniform(first[3]),
            word_to_uniform(second[0]),
            word_to_uniform(second[1]),
            word_to_uniform(second[2]),
        )
        n = found(c, luck, market[traits[2, i]], rents[place])
        start[0, i] = n.potential
        start[1, i] = n.level
        start[2, i] = n.belief
        start[3, i] = n.cash
        start[4, i] = n.reservation


def newcomers(
    uid: NDArray[np.int64],
    traits: NDArray[np.int8],
    shares: Shares,
    c: Constants,
    market: tuple[float, float, float],
    rents: NDArray[np.float64],
    key: tuple[int, int],
) -> dict[str, Any]:
    """Rows for people who open a shop: one column each of shape (people,).

    Parameters
    ----------
    traits : (3, people)
        Education, origin and channel of those who are known already (they start again); -1 is drawn, and filled in.
    shares
        Cumulative shares of each trait among arrivals.
    rents : (houses,)
        Rents of the houses of the first stage, among which people settle evenly, CNY/month.
    """
    house = np.zeros(len(uid), np.int16)
    start = np.zeros((5, len(uid)))
    _found(uid, shares, c, market, rents, key, traits, house, start)
    names = ("potential", "level", "belief", "cash", "reservation")
    return {
        "uid": uid,
        "education": traits[0],
        "origin": traits[1],
        "channel": traits[2],
        "house": house,
        **dict(zip(names, start, strict=True)),
    }


@kernel
def _capacity(s: State, size: int, c: Constants, uplift: NDArray[np.float64]) -> int:
    total = 0
    for i in range(size):
        total += int(capacity(c, s.level[i] + s.standing[i] + s.training[i] + uplift[s.house[i]]))
    return total


def total_capacity(people: Columns, c: Constants, houses: House) -> int:
    """Trading capacity of everybody, CNY/month."""
    return int(_capacity(people.state, people.size, c, houses.uplift))
