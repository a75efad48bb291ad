"""The chain's part of the month: tenancies end, applicants take free places from the top stage down, the weak fall back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chain.admission import Applicants, admit
from sim.chain.facility import Houses
from sim.entrepreneurs.columns import Columns
from sim.entrepreneurs.draws import Stream, uniforms
from sim.entrepreneurs.kernel import FALLS_BACK, TENANCY_OVER

__all__ = ["Move", "progress"]


class Move(NamedTuple):
    """People who moved for one reason: their rows, and the houses they left and entered."""

    rows: NDArray[np.int64]
    left: NDArray[Any]
    entered: NDArray[Any]
    reason: str


def progress(people: Columns, houses: Houses, key: tuple[int, int], calendar: int) -> list[Move]:
    """Carry out what `people.call` asks of the chain this month; returns the moves, each row in one at most.

    Someone may apply to any stage above his own if he meets its conditions (a stage may be skipped); he is considered
    for the highest first, and those turned away stay on the waiting list as long as they qualify.
    """
    houses.waiting[:] = 0
    rows = np.flatnonzero(people.call)
    if not len(rows):
        return []
    a = people.take(rows)
    outside = houses.stage_of[a["house"]] == len(houses.stages)
    rank = np.where(outside, a["highest"], houses.stage_of[a["house"]])
    over = (a["call"] & TENANCY_OVER) > 0
    falls = (a["call"] & FALLS_BACK) > 0
    houses.leave(a["house"][over])

    applies, luck = (uniforms(key, stream, a["uid"], calendar) for stream in (Stream.APPLY, Stream.TIE))
    waits = np.zeros(len(rows), np.int8)
    moved = np.zeros(len(rows), bool)
    moves: list[Move] = []

    def move(chosen: NDArray[np.int64], entered: NDArray[Any], reason: str) -> None:
        staying = chosen[~over[chosen]]
        houses.leave(a["house"][staying])
        moved[chosen] = True
        moves.append(Move(rows[chosen], a["house"][chosen], entered, reason))

    for s in range(len(houses.stages) - 1, 0, -1):
        stage = houses.stages[s]
        again = outside & (a["highest"] == s) & (stage.tenancy is None)
        meets = (a["smoothed"] >= stage.threshold) & ((rank < s) | again) & ~moved
        if stage.or_net_income is not None:
            meets |= (a["income"] >= stage.or_net_income) & ((rank < s) | again) & ~moved
        if stage.max_age is not None:
            meets &= a["age"] <= stage.max_age
        if stage.growth is not None:
            meets &= 12.0 * a["sales"] >= (1.0 + stage.growth) * a["smoothed"]
        meets &= (applies < stage.apply) | over | (a["waiting"] == s + 1)
        who = np.flatnonzero(meets)
        if not len(who):
            continue
        since = np.where(a["waiting"][who] == s + 1, a["waiting_since"][who], calendar)
        pool = Applicants(a["uid"][who], a["smoothed"][who], a["sales"][who], since, luck[who])
        chosen = who[admit(stage.admission, pool, houses.free(s))]
        if len(chosen):
            move(chosen, houses.seats(s, len(chosen)), "admitted")
        houses.waiting[s] = len(who) - len(chosen)
        if stage.waiting_list:
            turned_away = who[~moved[who]]
            new = turned_away[waits[turned_away] == 0]
            waits[new] = s + 1
    since = np.where(waits == a["waiting"], a["waiting_since"], calendar)
    people.waiting[rows] = np.where(moved, 0, waits)
    people.waiting_since[rows] = np.where(moved | (waits == 0), 0, since)

    ended = np.flatnonzero(over & ~moved)
    if len(ended):
        entered = houses.outside + a["highest"][ended].astype(np.int64)
        houses.enter(entered)
        move(ended, entered, "tenancy_ended")
    for s in np.unique(houses.stage_of[a["house"][falls & ~moved]]):
        weak = np.flatnonzero(falls & ~moved & (houses.stage_of[a["house"]] == s))
        weak = weak[np.lexsort((a["uid"][weak], -a["smoothed"][weak]))]
        back = weak[: houses.free(int(s) - 1)]
        out = weak[len(back) :]
        entered = np.concatenate([houses.seats(int(s) - 1, len(back)), houses.outside + a["highest"][out].astype(np.int64)])
        houses.enter(entered[len(back) :])
        move(weak, entered, "fell_back")

    for m in moves:
        stays = houses.stage_of[m.left]
        np.add.at(people.spent, (m.rows, stays), people.months_in[m.rows].astype(np.int16))
        people.house[m.rows] = m.entered
        people.months_in[m.rows] = 0
        people.low_months[m.rows] = 0
        arrived = houses.stage_of[m.entered]
        inside = arrived < len(houses.stages)
        people.highest[m.rows] = np.maximum(people.highest[m.rows], np.where(inside, arrived, 0))
    return moves
