"""The chain's part of the month: tenancies end, applicants take free places from the top down, the weak fall back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chain.admission import RULES, best, rank
from sim.chain.facility import Houses, Places, seat
from sim.chain.stage import Stage
from sim.entrepreneurs.columns import Blocks, Columns, State, opened
from sim.entrepreneurs.compiled import kernel, rule
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.journal import REASONS, Journal, written
from sim.entrepreneurs.kernel import FALLS_BACK, TENANCY_OVER
from sim.entrepreneurs.streams import Stream

__all__ = ["Bars", "Conditions", "progress"]

_ADMITTED, _ENDED, _FELL_BACK = (REASONS.index(r) for r in ("admitted", "tenancy_ended", "fell_back"))

_BLOCK = Stream.APPLY >> 2  # TIE is in it as well


class Conditions(NamedTuple):
    """What the stages ask of applicants, each of shape (stages,); infinite where a condition does not bind."""

    threshold: NDArray[np.float64]
    income: NDArray[np.float64]
    max_age: NDArray[np.float64]
    growth: NDArray[np.float64]
    apply: NDArray[np.float64]
    endless: NDArray[np.float64]
    waiting_list: NDArray[np.float64]
    admission: NDArray[np.float64]

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> NDArray[np.float64]:
        """From the scenario's stages, packed as rows: compiled code takes one array in a fraction of eight's time."""
        infinite, rules = float("inf"), list(RULES)
        return np.array(
            [
                [s.threshold for s in stages],
                [infinite if s.or_net_income is None else s.or_net_income for s in stages],
                [infinite if s.max_age is None else s.max_age for s in stages],
                [0.0 if s.growth is None else 1.0 + s.growth for s in stages],
                [s.apply for s in stages],
                [s.tenancy is None for s in stages],
                [s.waiting_list for s in stages],
                [rules.index(s.admission) for s in stages],
            ],
            float,
        )


@rule
def _conditions(packed: NDArray[np.float64]) -> Conditions:
    c = packed
    return Conditions(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])


@kernel
def _wishes(
    s: State,
    rows: NDArray[np.int64],
    stage_of: NDArray[np.int8],
    conditions: NDArray[np.float64],
    key: tuple[int, int, int],
    luck: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which stages each row applies to, and may: (stages, rows). `luck` becomes the draws that break ties."""
    c = _conditions(conditions)
    stages = c.threshold.size
    wishes = np.zeros((stages, rows.size), np.bool_)
    for j in range(rows.size):
        i = rows[j]
        words = philox(s.uid[i] & 0xFFFFFFFF, (s.uid[i] >> 32) & 0xFFFFFFFF, key[2], _BLOCK, key[0], key[1])
        applies, luck[j] = word_to_uniform(words[2]), word_to_uniform(words[3])
        here = stage_of[s.house[i]]
        for t in range(1, stages):
            above = t > here if here < stages else t > s.highest[i] or (t == s.highest[i] and c.endless[t] != 0.0)
            size = s.smoothed[i] >= c.threshold[t] or s.income[i] >= c.income[t]
            fits = s.age[i] <= c.max_age[t] and 12.0 * s.sales[i] >= c.growth[t] * s.smoothed[i]
            asks = applies < c.apply[t] or s.call[i] & TENANCY_OVER or s.waiting[i] == t + 1
            wishes[t, j] = above and size and fits and asks
    return wishes


OPEN, NOBODY, WORST = 0.0, 1.0, 2.0
"""How a stage's places went in a month: some were left, none was there, or the worst who got one sets the bar."""


class Bars(NamedTuple):
    """What it took to get a place, and whether that is held or found anew this month.

    A bar is (`OPEN`, `NOBODY` or `WORST`; rank, lot and identity of the worst who got a place).
    """

    entry: NDArray[np.float64]
    """(stages, 4): for applicants."""
    back: NDArray[np.float64]
    """(stages, 4): for those who fell back into the stage."""
    held: NDArray[np.bool_]
    """(stages,): True where everyone who clears the bar gets a place, whoever else wants one; False where places are
    given to the best, and the bar is noted."""

    @classmethod
    def free(cls, stages: int) -> Bars:
        """Bars to be found: no stage is held."""
        return cls(np.zeros((stages, 4)), np.zeros((stages, 4)), np.zeros(stages, np.bool_))


@rule
def _clears(bar: NDArray[np.float64], rank: float, lot: float, uid: int) -> bool:
    """Whether an applicant is as good as the worst who got a place."""
    if bar[0] != WORST:
        return bool(bar[0] == OPEN)
    if rank != bar[1]:
        return bool(rank > bar[1])
    return bool(lot < bar[2] or (lot == bar[2] and uid <= bar[3]))


@rule
def _note(
    bar: NDArray[np.float64],
    free: int,
    chosen: NDArray[np.int64],
    ranks: NDArray[np.float64],
    lots: NDArray[np.float64],
    uid: NDArray[np.int64],
) -> None:
    """Note the bar that `chosen`, best first, have set, of whom one more than `free` could have come."""
    bar[:] = 0.0
    if chosen.size < free:
        bar[0] = OPEN
    elif chosen.size == 0:
        bar[0] = NOBODY
    else:
        worst = chosen[-1]
        bar[0], bar[1], bar[2], bar[3] = WORST, ranks[worst], lots[worst], uid[worst]


@rule
def _cleared(
    bar: NDArray[np.float64], ranks: NDArray[np.float64], lots: NDArray[np.float64], uid: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Those of the applicants who clear the bar, best first."""
    order = best(ranks, lots, uid, ranks.size)
    count = 0
    while count < order.size and _clears(bar, ranks[order[count]], lots[order[count]], uid[order[count]]):
        count += 1
    return order[:count]


@kernel
def _progress(
    blocks: Blocks,
    size: int,
    spent: NDArray[np.int16],
    houses: tuple[Any, ...],
    conditions: NDArray[np.float64],
    to_clear: tuple[Any, ...],
    key: tuple[int, int, int],
    pages: NDArray[np.int64],
    note: tuple[int, int],
) -> int:
    """Returns how many moved: they are written on the journal's `pages`, from `note` (event, month) on."""
    s, c = opened(blocks), _conditions(conditions)
    p = Places(houses[0], houses[1], houses[2], houses[3], houses[4], houses[5])
    bars = Bars(to_clear[0], to_clear[1], to_clear[2])
    p.waiting[:] = 0
    n = 0
    for i in range(size):
        n += s.call[i] != 0
    if n == 0:
        return 0
    rows, left, entered = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    reason = np.zeros(n, np.int8)
    n = 0
    for i in range(size):
        if s.call[i]:
            rows[n] = i
            n += 1
    stages = p.first.size
    luck, no_lot = np.empty(n), np.zeros(n)
    wishes = _wishes(s, rows, p.stage_of, conditions, key, luck)
    waits = np.zeros(n, np.int8)
    who, uid, lots, ranks = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n), np.empty(n)

    # tenancies end: their places are free
    for j in range(n):
        left[j] = s.house[rows[j]]
        entered[j] = -1
        if s.call[rows[j]] & TENANCY_OVER:
            p.tenants[left[j]] -= 1

    # from the top stage down, the best applicants take the free places
    for t in range(stages - 1, 0, -1):
        m = 0
        for j in range(n):
            if wishes[t, j] and entered[j] < 0:
                i = rows[j]
                since = s.waiting_since[i] if s.waiting[i] == t + 1 else key[2]
                who[m], uid[m], lots[m] = j, s.uid[i], luck[j]
                ranks[m] = rank(int(c.admission[t]), s.smoothed[i], s.sales[i], since, luck[j])
                m += 1
        if bars.held[t]:
            chosen = _cleared(bars.entry[t], ranks[:m], lots[:m], uid[:m])
        else:
            free = _free(p, t, m + 1)
            chosen = best(ranks[:m], lots[:m], uid[:m], free)
            _note(bars.entry[t], free, chosen, ranks, lots, uid)
        for k in chosen:
            j = who[k]
            entered[j], reason[j] = seat(p, t, bars.held[t]), _ADMITTED
            if not s.call[rows[j]] & TENANCY_OVER:
                p.tenants[left[j]] -= 1
        p.waiting[t] = m - chosen.size
        for k in range(m):
            if c.waiting_list[t] != 0.0 and entered[who[k]] < 0 and waits[who[k]] == 0:
                waits[who[k]] = t + 1
    for j in range(n):
        i = rows[j]
        listed = waits[j] if entered[j] < 0 else 0
        if s.waiting[i] != listed:
            s.waiting[i] = listed
            s.waiting_since[i] = key[2]

    # those whose tenancy ended without promotion trade on outside
    for j in range(n):
        if s.call[rows[j]] & TENANCY_OVER and entered[j] < 0:
            entered[j], reason[j] = p.first[-1] + p.number[-1] + s.highest[rows[j]], _ENDED
            p.tenants[entered[j]] += 1

    # the weak fall back one stage, the largest first while there is room, the others to outside
    for t in range(1, stages):
        m = 0
        for j in range(n):
            if s.call[rows[j]] & FALLS_BACK and entered[j] < 0 and p.stage_of[left[j]] == t:
                who[m], uid[m], ranks[m] = j, s.uid[rows[j]], s.smoothed[rows[j]]
                m += 1
        order = best(ranks[:m], no_lot[:m], uid[:m], who.size)
        if not bars.held[t - 1]:
            room = _free(p, t - 1, m + 1)
            _note(bars.back[t - 1], room, order[:room], ranks, no_lot, uid)
        for k in order:
            j = who[k]
            if _clears(bars.back[t - 1], ranks[k], 0.0, uid[k]):
                entered[j] = seat(p, t - 1, bars.held[t - 1])
            else:
                entered[j] = p.first[-1] + p.number[-1] + s.highest[rows[j]]
                p.tenants[entered[j]] += 1
            reason[j] = _FELL_BACK
            p.tenants[left[j]] -= 1

    moved = 0
    for j in range(n):
        if entered[j] >= 0:
            i = rows[j]
            written(pages, note[0] + moved, note[1], s.uid[i], left[j], entered[j], reason[j])
            moved += 1
            spent[p.stage_of[left[j]], i] += s.months_in[i]
            s.house[i] = entered[j]
            s.months_in[i] = 0
            s.low_months[i] = 0
            arrived = p.stage_of[entered[j]]
            if arrived < stages and arrived > s.highest[i]:
                s.highest[i] = arrived
    return moved


@kernel
def _free(p: Places, stage: int, most: int) -> int:
    """Free places of a stage, or `most` if there are more."""
    free = 0
    for h in range(p.first[stage], p.first[stage] + p.number[stage]):
        free += max(p.places[h] - p.tenants[h], 0)
        if free >= most:
            return most
    return free


def progress(
    people: Columns,
    houses: Houses,
    conditions: NDArray[np.float64],
    bars: Bars,
    key: tuple[int, int, int],
    journal: Journal,
    month: int,
) -> None:
    """Places change hands; each founder moves once a month at most.

    Someone may apply to any stage above his own (a stage may be skipped); from outside the chain, to those above the
    highest that he has reached, and to that one again if its tenancy has no end. He must meet its conditions, and ask:

        R >= threshold  or  income >= or_net_income
        a <= max_age
        12 S >= (1 + growth) R
        U_apply < apply  or  his tenancy is over  or  he is on the stage's waiting list

    Then, in this order:

    1. Tenancies end: these places are free.
    2. From the top stage down, applicants are ranked by the stage's rule of admission, and the best take the free
       places; ties go by lot. Each gets the emptiest house, and his own place is free for the stages below.
    3. Who is turned away stays on the list of the highest stage that has one, as long as he qualifies.
    4. Whose tenancy has ended without promotion trades on outside the chain.
    5. The weak fall back one stage, the largest first while there is room; the others go outside.

    Parameters
    ----------
    journal, month
        Where those who move are written down, and as of which month of the run.
    """
    pages, note = journal.pages(people.size), (journal.size, month)
    places, to_clear = houses.arrays, tuple(bars)  # plain tuples are handed over in half the time of named ones
    journal.size += _progress(people.blocks, people.size, people.spent, places, conditions, to_clear, key, pages, note)
