"""The chain's part of the month: tenancies end, applicants take free places from the top down, the weak fall back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chain.admission import Applicants, admit
from sim.chain.facility import Houses
from sim.chain.stage import Stage
from sim.entrepreneurs.columns import Columns, State
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.kernel import FALLS_BACK, TENANCY_OVER

__all__ = ["Move", "Rules", "progress"]

_BLOCK = 1  # streams APPLY and TIE


class Move(NamedTuple):
    """People who moved for one reason: their rows, and the houses they left and entered."""

    rows: NDArray[np.int64]
    left: NDArray[Any]
    entered: NDArray[Any]
    reason: str


class Rules(NamedTuple):
    """The stages' conditions, each of shape (stages,); where one does not bind it is infinite."""

    threshold: NDArray[np.float64]
    income: NDArray[np.float64]
    max_age: NDArray[np.float64]
    growth: NDArray[np.float64]
    apply: NDArray[np.float64]
    endless: NDArray[np.bool_]

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> Rules:
        """From the scenario's stages."""
        infinite = float("inf")
        return cls(
            np.array([s.threshold for s in stages], float),
            np.array([infinite if s.or_net_income is None else s.or_net_income for s in stages], float),
            np.array([infinite if s.max_age is None else s.max_age for s in stages], float),
            np.array([-infinite if s.growth is None else 1.0 + s.growth for s in stages], float),
            np.array([s.apply for s in stages], float),
            np.array([s.tenancy is None for s in stages]),
        )


@kernel
def _wishes(
    s: State,
    rows: NDArray[np.int64],
    stage_of: NDArray[np.int8],
    rules: Rules,
    key: tuple[int, int, int],
    wishes: NDArray[np.bool_],
    luck: NDArray[np.float64],
) -> None:
    """Which stages each row applies to, and may: (stages, rows). Luck is the draw that breaks ties."""
    stages = wishes.shape[0]
    for j in range(rows.size):
        i = rows[j]
        words = philox(s.uid[i] & 0xFFFFFFFF, (s.uid[i] >> 32) & 0xFFFFFFFF, key[2], _BLOCK, key[0], key[1])
        applies, luck[j] = word_to_uniform(words[2]), word_to_uniform(words[3])
        here = stage_of[s.house[i]]
        for t in range(1, stages):
            above = t > here if here < stages else t > s.highest[i] or (t == s.highest[i] and rules.endless[t])
            size = s.smoothed[i] >= rules.threshold[t] or s.income[i] >= rules.income[t]
            fits = s.age[i] <= rules.max_age[t] and 12.0 * s.sales[i] >= rules.growth[t] * s.smoothed[i]
            asks = applies < rules.apply[t] or s.call[i] & TENANCY_OVER or s.waiting[i] == t + 1
            wishes[t, j] = above and size and fits and asks


@kernel
def _wait(
    waiting: NDArray[np.int8],
    waiting_since: NDArray[np.int32],
    rows: NDArray[np.int64],
    waits: NDArray[np.int8],
    calendar: int,
) -> None:
    for j in range(rows.size):
        i = rows[j]
        if waiting[i] != waits[j]:
            waiting[i] = waits[j]
            waiting_since[i] = calendar


@kernel
def _settle_in(
    house: NDArray[np.int16],
    highest: NDArray[np.int8],
    months_in: NDArray[np.int32],
    low_months: NDArray[np.int32],
    spent: NDArray[np.int16],
    rows: NDArray[np.int64],
    left: NDArray[Any],
    entered: NDArray[Any],
    stage_of: NDArray[np.int8],
) -> None:
    outside = spent.shape[0] - 1
    for j in range(rows.size):
        i = rows[j]
        spent[stage_of[left[j]], i] += months_in[i]
        house[i] = entered[j]
        months_in[i] = 0
        low_months[i] = 0
        arrived = stage_of[entered[j]]
        if arrived < outside and arrived > highest[i]:
            highest[i] = arrived


def progress(people: Columns, houses: Houses, rules: Rules, key: tuple[int, int, int]) -> list[Move]:
    """Carry out what `people.call` asks of the chain this month; returns the moves, each row in one at most.

    Someone may apply to any stage above his own if he meets its conditions (a stage may be skipped); he is considered
    for the highest first, and those turned away stay on the waiting list as long as they qualify. `key` is the month's.
    """
    houses.waiting[:] = 0
    rows = people.call.nonzero()[0]
    if not len(rows):
        return []
    stages, calendar = len(houses.stages), key[2]
    wishes, luck = np.zeros((stages, len(rows)), bool), np.empty(len(rows))
    _wishes(people.state, rows, houses.stage_of, rules, key, wishes, luck)
    call, house, highest = people.call[rows], people.house[rows], people.highest[rows].astype(np.int64)
    over, falls = (call & TENANCY_OVER) > 0, (call & FALLS_BACK) > 0
    if over.any():
        houses.leave(house[over])
    waited, waits = people.waiting[rows], np.zeros(len(rows), np.int8)
    moved = np.zeros(len(rows), bool)
    moves: list[Move] = []

    def move(chosen: NDArray[np.int64], entered: NDArray[Any], reason: str) -> None:
        houses.leave(house[chosen[~over[chosen]]])
        moved[chosen] = True
        moves.append(Move(rows[chosen], house[chosen], entered, reason))

    for s in range(stages - 1, 0, -1):
        who = (wishes[s] & ~moved).nonzero()[0]
        if not len(who):
            continue
        chosen, free = who[:0], houses.free(s)
        if free:
            at = rows[who]
            since = np.where(waited[who] == s + 1, people.waiting_since[at], calendar)
            applicants = Applicants(people.uid[at], people.smoothed[at], people.sales[at], since, luck[who])
            chosen = who[admit(houses.stages[s].admission, applicants, free)]
            move(chosen, houses.seats(s, len(chosen)), "admitted")
        houses.waiting[s] = len(who) - len(chosen)
        if houses.stages[s].waiting_list:
            waits[who[(waits[who] == 0) & ~moved[who]]] = s + 1
    _wait(people.waiting, people.waiting_since, rows, np.where(moved, 0, waits).astype(np.int8), calendar)

    ended = (over & ~moved).nonzero()[0]
    if len(ended):
        entered = houses.outside + highest[ended]
        houses.enter(entered)
        move(ended, entered, "tenancy_ended")
    weak = (falls & ~moved).nonzero()[0]
    for s in np.unique(houses.stage_of[house[weak]]).tolist() if len(weak) else ():
        here = weak[houses.stage_of[house[weak]] == s]
        here = here[np.lexsort((people.uid[rows[here]], -people.smoothed[rows[here]]))]
        back, out = np.split(here, [houses.free(s - 1)])
        away = houses.outside + highest[out]
        houses.enter(away)
        move(here, np.concatenate([houses.seats(s - 1, len(back)), away]), "fell_back")

    for m in moves:
        _settle_in(
            people.house, people.highest, people.months_in, people.low_months, people.spent,
            m.rows, m.left, m.entered, houses.stage_of,
        )  # fmt: skip
    return moves
