"""Newcomers: identity, attributes and start, from draws keyed by who they are, not by when or under what policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arrivals import Shares
from sim.entrepreneurs.columns import Blocks, Columns, cleared, identity, opened
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.journal import ARRIVED, NOWHERE, Journal, written
from sim.entrepreneurs.rules import capacity, found, unpacked
from sim.entrepreneurs.streams import Stream

__all__ = ["newcomers", "total_capacity"]

_TRAITS, _START = Stream.EDUCATION >> 2, Stream.GAP >> 2  # blocks of the arrival streams


@kernel
def _found(
    blocks: Blocks,
    rows: tuple[int, int],
    cohort: int,
    known: NDArray[np.int64],
    shares: Shares,
    constants: NDArray[np.float64],
    market: tuple[float, float, float],
    rents: NDArray[np.float64],
    tenants: NDArray[np.int64],
    key: tuple[int, int],
    pages: NDArray[np.int64],
    note: tuple[int, int],
) -> None:
    s, c = opened(blocks), unpacked(constants)
    cleared(blocks, rows[0], rows[1])
    new = rows[1] - rows[0] - known.shape[0]
    traits = np.empty(3, np.int64)
    for j in range(rows[1] - rows[0]):
        i = rows[0] + j
        uid = identity(cohort, j) if j < new else known[j - new, 0]
        low, high = uid & 0xFFFFFFFF, (uid >> 32) & 0xFFFFFFFF
        first = philox(low, high, 0, _TRAITS, key[0], key[1])
        second = philox(low, high, 0, _START, key[0], key[1])
        for t in range(3):
            u = word_to_uniform(first[t])
            kind = 0
            while kind < shares[t].size - 1 and u >= shares[t][kind]:
                kind += 1
            traits[t] = kind if j < new else known[j - new, 1 + t]
        s.uid[i] = uid
        s.education[i] = traits[0]
        s.origin[i] = traits[1]
        s.channel[i] = traits[2]
        s.house[i] = int(word_to_uniform(second[3]) * rents.size)
        tenants[s.house[i]] += 1
        luck = (
            word_to_uniform(first[3]),
            word_to_uniform(second[0]),
            word_to_uniform(second[1]),
            word_to_uniform(second[2]),
        )
        n = found(c, luck, market[traits[2]], rents[s.house[i]])
        s.potential[i] = n.potential
        s.level[i] = n.level
        s.belief[i] = n.belief
        s.cash[i] = n.cash
        s.reservation[i] = n.reservation
        written(pages, note[0] + j, note[1], uid, NOWHERE, s.house[i], ARRIVED)


def newcomers(
    people: Columns,
    cohort: int,
    count: int,
    known: NDArray[np.int64],
    shares: Shares,
    constants: NDArray[np.float64],
    market: tuple[float, float, float],
    rents: NDArray[np.float64],
    tenants: NDArray[np.int64],
    key: tuple[int, int],
    journal: Journal,
    month: int,
) -> slice:
    """People open shops in the first stage, each in a house drawn evenly.

    Education, origin and channel are drawn apart from one another, from their shares among arrivals. Who starts again
    keeps these three; a second shop is a new idea, with potential, cash and reservation drawn anew.

    Parameters
    ----------
    cohort, count
        Calendar month, and how many come new.
    known : (people, 4)
        Identity, education, origin and channel of those who start again.
    shares
        Cumulative shares of each trait among arrivals.
    constants
        `Constants`, packed.
    rents : (houses,)
        Rents of the houses of the first stage, among which people settle evenly, CNY/month.
    tenants : (houses,)
        Their tenants, who become more.
    journal, month
        Where they are written down, and as of which month of the run.

    Returns
    -------
    slice
        Their rows.
    """
    count += len(known)
    rows, pages, note = people.extend(count, clear=False), journal.pages(count), (journal.size, month)
    span = (rows.start, rows.stop)
    _found(people.blocks, span, cohort, known, shares, constants, market, rents, tenants, key, pages, note)
    journal.size += count
    return rows


@kernel
def _capacity(blocks: Blocks, size: int, constants: NDArray[np.float64], uplift: NDArray[np.float64]) -> int:
    s, c = opened(blocks), unpacked(constants)
    total = 0
    for i in range(size):
        total += int(capacity(c, s.level[i] + s.standing[i] + s.training[i] + uplift[s.house[i]]))
    return total


def total_capacity(people: Columns, constants: NDArray[np.float64], uplift: NDArray[np.float64]) -> int:
    """Trading capacity of everybody, CNY/month; `constants` packed, `uplift` of each house."""
    return int(_capacity(people.blocks, people.size, constants, uplift))
