"""The compiled driver: one month for all entrepreneurs, the rules in fused loops over chunks of the columns.

A chunk's intermediate values stay in the cache, in one block of rows: the compiler then knows that they do not overlap,
and every loop but the last uses vector instructions (a test looks for them). Indices are unsigned, since numba else
guards against negative ones, which turns loads into gathers (measured: 53 instead of 35 ns a row).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.columns import Blocks, Columns, opened
from sim.entrepreneurs.compiled import kernel, widest
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.rules import (
    believed_income,
    capacity,
    decide,
    learn,
    move_on,
    peers,
    settle,
    trade,
    unpacked,
)

__all__ = [
    "APPLIES",
    "EXIT",
    "FALLS_BACK",
    "LOW_MONTHS",
    "NO_PEERS",
    "STAFF_BITS",
    "TENANCY_OVER",
    "House",
    "Tally",
    "live",
]

EXIT, TENANCY_OVER, FALLS_BACK, APPLIES = 3, 4, 8, 16
"""Bits of `call`, by which a row asks for something: the exit reason, and what the chain has to see to."""

LOW_MONTHS = 6
"""Months in a row below half the threshold after which a tenant falls back: two quarters."""

THREADS_FROM = 100_000
"""Rows from which a month is worth splitting among threads."""

NO_PEERS = -1e9
"""Peer level of a house where nobody is to be learned from."""

STAFF_BITS = 40
"""Count and staff of a house share a whole number: count x 2^40 + staff."""

_CHUNK, _PITCH = 256, 264  # rows of a chunk; a pitch off the powers of two keeps rows out of each other's cache sets

(
    LN_MARKET, RENT, UPLIFT, PEERS, TENANCY, FLOOR, BAR, BAR_INCOME, APPLY,
    U_PERSISTENT, U_PRODUCT, U_CHANCE, U_REVIEW, U_JUMP, U_SIZE, U_APPLY,
    LN_X, SALES, STAFF, SMOOTHED, RENT_PAID, INCOME, CASH, BELIEF, REASON, LEVEL, STANDING, SHOCK, SELLS,
) = range(29)  # fmt: skip


class House(NamedTuple):
    """What the month needs to know of each house, by house id.

    Attributes
    ----------
    rent : CNY/month
        Rent of one shop this month, before relief.
    uplift : log
        What the stage's services add to the log of sales.
    peer_level : log CNY/month
        Mean of P + W of those who traded there last month; a very low number where nobody is to be learned from.
    tenancy : months
        How long a tenant may stay; infinite where there is no end.
    floor : CNY/year
        Smoothed sales below which a month counts towards falling back; below 0 where nobody falls back.
    bar : CNY/year
        The lowest threshold of the stages that one may apply to from there.
    bar_income : CNY/month
        The lowest income that opens one of these stages.
    apply : 1/month
        The highest chance to apply for one of these stages.
    """

    rent: NDArray[np.float64]
    uplift: NDArray[np.float64]
    peer_level: NDArray[np.float64]
    tenancy: NDArray[np.float64]
    floor: NDArray[np.float64]
    bar: NDArray[np.float64]
    bar_income: NDArray[np.float64]
    apply: NDArray[np.float64]


class Tally(NamedTuple):
    """Whole-number sums of a month, which no order of rows or threads can change."""

    by_house: NDArray[np.int64]
    """(houses, 3): sales in fen, ability in 1e-6 log, count and staff."""
    capacity: int
    """Trading capacity of those who go on, CNY/month."""


@kernel
def _live(
    blocks: Blocks,
    rows: tuple[int, int],
    constants: NDArray[np.float64],
    houses: NDArray[np.float64],
    market: tuple[float, float, float],
    key: tuple[int, int, int],
    tally: Any,
) -> int:
    widest()
    s, c = opened(blocks), unpacked(constants)
    h = House(houses[0], houses[1], houses[2], houses[3], houses[4], houses[5], houses[6], houses[7])
    k0, k1, month = key
    b = np.empty((29, _PITCH))
    w = np.empty((3, _PITCH), np.int64)
    total = 0
    for start in range(rows[0], rows[1], _CHUNK):
        m = min(_CHUNK, rows[1] - start)
        # houses
        for j in range(m):
            house = s.house[np.uintp(start + j)]
            b[RENT, j] = h.rent[house]
            b[UPLIFT, j] = h.uplift[house]
            b[PEERS, j] = h.peer_level[house]
            b[TENANCY, j] = h.tenancy[house]
            b[FLOOR, j] = h.floor[house]
            b[BAR, j] = h.bar[house]
            b[BAR_INCOME, j] = h.bar_income[house]
            b[APPLY, j] = h.apply[house]
        # luck
        for j in range(m):
            i = np.uintp(start + j)
            channel = s.channel[i]
            b[LN_MARKET, j] = market[2] if channel == 2 else (market[1] if channel == 1 else market[0])
            low, high = s.uid[i] & 0xFFFFFFFF, (s.uid[i] >> 32) & 0xFFFFFFFF
            first = philox(low, high, month, 0, k0, k1)
            second = philox(low, high, month, 1, k0, k1)
            b[U_PERSISTENT, j] = word_to_uniform(first[0])
            b[U_PRODUCT, j] = word_to_uniform(first[1])
            b[U_CHANCE, j] = word_to_uniform(first[2])
            b[U_REVIEW, j] = word_to_uniform(first[3])
            b[U_JUMP, j] = word_to_uniform(second[0])
            b[U_SIZE, j] = word_to_uniform(second[1])
            b[U_APPLY, j] = word_to_uniform(second[2])
        # trade and settle
        for j in range(m):
            i = np.uintp(start + j)
            ln_x = s.level[i] + s.standing[i] + s.shock[i] + s.training[i] + b[UPLIFT, j]
            sales, space, staff, smoothed = trade(c, ln_x, b[LN_MARKET, j], s.smoothed[i], s.age[i])
            rent = b[RENT, j] * space
            b[LN_X, j] = ln_x
            b[SALES, j] = sales
            b[STAFF, j] = staff
            b[SMOOTHED, j] = smoothed
            b[RENT_PAID, j] = rent
            b[INCOME, j] = c.margin * sales - rent
            b[CASH, j] = settle(c, s.cash[i], sales, rent, s.reservation[i])
        # learn and decide
        for j in range(m):
            i = np.uintp(start + j)
            belief = learn(c, s.belief[i], b[LN_X, j], s.age[i])
            b[BELIEF, j] = belief
            hoped = believed_income(c, belief, b[LN_MARKET, j], b[RENT, j] * (1.0 - s.relief[i]))
            b[REASON, j] = decide(c, b[CASH, j], hoped, s.reservation[i], b[U_CHANCE, j], b[U_REVIEW, j])
        # move on
        for j in range(m):
            i = np.uintp(start + j)
            standing = s.standing[i] + peers(c, s.level[i] + s.standing[i], b[PEERS, j])
            level, standing, shock = move_on(
                c,
                s.potential[i],
                (s.level[i], standing, s.shock[i]),
                (b[U_PERSISTENT, j], b[U_PRODUCT, j], b[U_JUMP, j], b[U_SIZE, j]),
            )
            b[LEVEL, j] = level
            b[STANDING, j] = standing
            b[SHOCK, j] = shock
        # write back
        for j in range(m):
            i = np.uintp(start + j)
            s.level[i] = b[LEVEL, j]
            s.standing[i] = b[STANDING, j]
            s.shock[i] = b[SHOCK, j]
        for j in range(m):
            i = np.uintp(start + j)
            s.training[i] = s.training[i] * c.training_kept
        for j in range(m):
            i = np.uintp(start + j)
            ability = b[LEVEL, j] + b[STANDING, j]
            b[SELLS, j] = capacity(c, ability + s.training[i] + b[UPLIFT, j])
        for j in range(m):
            total += int(b[SELLS, j]) if b[REASON, j] == 0.0 else 0
        for j in range(m):
            w[0, j] = int(b[SALES, j] * 100.0)
            w[1, j] = int((b[LEVEL, j] + b[STANDING, j]) * 1e6)
            w[2, j] = (1 << STAFF_BITS) + int(b[STAFF, j])
        for j in range(m):
            i = np.uintp(start + j)
            s.cash[i] = b[CASH, j]
            s.belief[i] = b[BELIEF, j]
            s.sales[i] = b[SALES, j]
        for j in range(m):
            i = np.uintp(start + j)
            s.smoothed[i] = b[SMOOTHED, j]
            s.rent[i] = b[RENT_PAID, j]
            s.income[i] = b[INCOME, j]
        for j in range(m):
            i = np.uintp(start + j)
            s.staff[i] = int(b[STAFF, j])
            s.first_sales[i] = b[SALES, j] if s.age[i] == 0 else s.first_sales[i]
            s.age[i] += 1
        for j in range(m):
            i = np.uintp(start + j)
            s.months_in[i] += 1
            s.low_months[i] = s.low_months[i] + 1 if b[SMOOTHED, j] < b[FLOOR, j] else 0
        # what it asks of the chain
        for j in range(m):
            i = np.uintp(start + j)
            call = int(b[REASON, j])
            over = s.months_in[i] >= b[TENANCY, j]
            falls = s.low_months[i] >= LOW_MONTHS
            worthy = b[SMOOTHED, j] >= b[BAR, j] or b[INCOME, j] >= b[BAR_INCOME, j]
            applies = (b[U_APPLY, j] < b[APPLY, j] and worthy) or s.waiting[i] > 0
            s.call[i] = (
                call | (TENANCY_OVER if over else 0) | (FALLS_BACK if falls else 0) | (APPLIES if applies else 0)
            )
        for j in range(m):
            house = s.house[np.uintp(start + j)]
            tally[house, 0] += w[0, j]
            tally[house, 1] += w[1, j]
            tally[house, 2] += w[2, j]
    return total


def live(
    people: Columns,
    constants: NDArray[np.float64],
    houses: NDArray[np.float64],
    market: tuple[float, float, float],
    key: tuple[int, int, int],
    pool: ThreadPoolExecutor | None = None,
) -> Tally:
    """One month of everybody: trade, settle, learn, decide, move on; then `people.call` says what he asks of the chain.

    Parameters
    ----------
    constants
        `Constants`, packed.
    houses : (8, houses)
        The columns of `House`.
    market
        Log factor A of each channel.
    key
        The replicate's key (two words) and the calendar month.
    pool
        Threads among which the rows are split, from `THREADS_FROM` rows on; the same code runs on each slice, so the
        number of threads changes no bit. (Slices on a pool, not `prange`: one compilation, and no spinning OpenMP.)
    """
    shape = (houses.shape[1], 3)
    if pool is None or people.size < THREADS_FROM:
        tally = np.zeros(shape, np.int64)
        return Tally(tally, _live(people.blocks, (0, people.size), constants, houses, market, key, tally))
    threads = pool._max_workers
    tallies = [np.zeros(shape, np.int64) for _ in range(threads)]
    parts = pairwise(people.size * t // threads for t in range(threads + 1))
    sums = list(pool.map(lambda r, t: _live(people.blocks, r, constants, houses, market, key, t), parts, tallies))
    return Tally(sum(tallies[1:], tallies[0]), sum(sums))
