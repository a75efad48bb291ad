"""What an instrument may know of the month: who is where, draws by person, and the steps that instruments share."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import log, normal
from sim.entrepreneurs.columns import Blocks, Columns, opened
from sim.entrepreneurs.compiled import kernel
from sim.entrepreneurs.draws import uniform, uniforms
from sim.entrepreneurs.rules import Constants
from sim.policy._instrument import Draw, PolicyInstrument

__all__ = ["Now"]

Rows = NDArray[np.int64]


@lru_cache
def _stream(id: str, draw: Draw) -> int:
    """The stream of an instrument's draw: by its id, far from the model's own streams.

    So the same instrument draws the same under every policy, and another instrument's draws are independent.
    """
    return (1 << 29) + ((crc32(id.encode()) & 0x7FFFFFF) << 2) + draw


# Compiled code writes into arrays that Python made: handing over a new one costs three times as much.


@kernel
def _drawn(blocks: Blocks, key: tuple[int, int, int, int], chance: float, rows: Rows, out: Rows) -> int:
    s = opened(blocks)
    k0, k1, stream, month = key
    count = 0
    for i in rows:
        if uniform(k0, k1, stream, s.uid[i], month) < chance:
            out[count] = i
            count += 1
    return count


@kernel
def _normals(k0: int, k1: int, stream: int, uid: NDArray[np.int64], month: int) -> NDArray[np.float64]:
    out = np.empty(uid.size)
    for i in range(uid.size):
        out[i] = normal(uniform(k0, k1, stream, uid[i], month))
    return out


@kernel
def _logs(x: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = log(x[i])
    return out


@kernel
def _aged(blocks: Blocks, low: int, high: int, out: NDArray[np.int64]) -> int:
    s = opened(blocks)
    count = 0
    for i in range(out.size):
        if low <= s.age[i] < high:
            out[count] = i
            count += 1
    return count


@kernel
def _due(blocks: Blocks, first: int, every: int, times: int, origin: int, out: NDArray[np.int64]) -> int:
    s = opened(blocks)
    count = 0
    for i in range(out.size):
        his_turn = False
        for k in range(times):
            his_turn |= s.age[i] == first + k * every
        if his_turn and s.uid[i] % 10 == 0 and (origin < 0 or s.origin[i] == origin):
            out[count] = i
            count += 1
    return count


@kernel
def _instalment(
    blocks: Blocks, rows: NDArray[np.int64], amount: NDArray[np.int64], first: int, every: int, out: NDArray[np.int64]
) -> None:
    s = opened(blocks)
    for j in range(rows.size):
        i = rows[j]
        out[j] = amount[s.education[i], (s.age[i] - first) // every]


@kernel
def _tenants(house: NDArray[np.int16], stage_of: NDArray[np.int8], wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    out = np.empty(house.size, np.int64)
    count = 0
    for i in range(house.size):
        if wanted[stage_of[house[i]]]:
            out[count] = i
            count += 1
    return out[:count]


@kernel
def _payers(blocks: Blocks, stage_of: NDArray[np.int8], share: NDArray[np.float64], out: NDArray[np.int64]) -> int:
    s = opened(blocks)
    count = 0
    for i in range(out.size):
        if share[stage_of[s.house[i]]] > 0.0 and s.rent[i] > 0.0 and s.relief[i] < 1.0:
            out[count] = i
            count += 1
    return count


@kernel
def _refund(
    blocks: Blocks,
    rows: NDArray[np.int64],
    stage_of: NDArray[np.int8],
    share: NDArray[np.float64],
    out: NDArray[np.int64],
) -> None:
    s = opened(blocks)
    for j in range(rows.size):
        i = rows[j]
        out[j] = int(100.0 * s.rent[i] * min(share[stage_of[s.house[i]]], 1.0 - s.relief[i]))


@kernel
def _relieve(blocks: Blocks, rows: NDArray[np.int64], stage_of: NDArray[np.int8], share: NDArray[np.float64]) -> None:
    s = opened(blocks)
    for i in rows:
        s.relief[i] = min(s.relief[i] + share[stage_of[s.house[i]]], 1.0)


@kernel
def _teach(blocks: Blocks, rows: NDArray[np.int64], gain: float) -> None:
    s = opened(blocks)
    for i in rows:
        s.training[i] = max(s.training[i], gain)


@lru_cache
def _ln(ratio: float) -> float:
    return log(ratio)


class Now(NamedTuple):
    """What an instrument may know of the month, and where its draws come from."""

    month: int  # since the horizon's start, from 0; negative in the burn-in
    calendar: int  # months since 2000-01
    key: tuple[int, int]  # the replicate's key for draws
    stages: tuple[str, ...]  # ids of the chain's stages
    stage_of: NDArray[np.int8]  # stage of each house; len(stages) outside
    constants: Constants | None = None  # the rulebook's numbers

    def aged(self, people: Columns, low: int, high: int) -> Rows:
        """Rows of shops that have traded `low` months or more, and fewer than `high`."""
        out = np.empty(people.size, np.int64)
        return out[: _aged(people.blocks, low, high, out)]

    def due(self, people: Columns, first: int, every: int = 12, times: int = 1, *, origin: int | None = None) -> Rows:
        """Rows of first shops that have traded `first` months, or `every` months more, up to `times` times.

        Of one `origin`, by index, if it is given.
        """
        out = np.empty(people.size, np.int64)
        return out[: _due(people.blocks, first, every, times, -1 if origin is None else origin, out)]

    def instalment(
        self, people: Columns, rows: Rows, fen: NDArray[np.int64], first: int, every: int = 12
    ) -> NDArray[np.int64]:
        """What is due to `rows`, which are `due`: `fen` is (educations, times)."""
        out = np.empty(len(rows), np.int64)
        _instalment(people.blocks, rows, fen, first, every, out)
        return out

    def tenants(self, people: Columns, wanted: NDArray[np.bool_]) -> Rows:
        """Rows of those in the stages that are `wanted`: (stages + 1,), the last for outside the chain."""
        return _tenants(people.house, self.stage_of, wanted)

    def payers(self, people: Columns, share: NDArray[np.float64]) -> Rows:
        """Rows of those in stages with a `share` above 0, who have paid rent and not had all of it refunded.

        `share` is (stages + 1,), the last for outside the chain; so it is for `refund` and `relieve`.
        """
        out = np.empty(people.size, np.int64)
        return out[: _payers(people.blocks, self.stage_of, share, out)]

    def refund(self, people: Columns, rows: Rows, share: NDArray[np.float64]) -> NDArray[np.int64]:
        """That share of last month's rent, or what is left of it after other reliefs; whole fen, fractions dropped."""
        out = np.empty(len(rows), np.int64)
        _refund(people.blocks, rows, self.stage_of, share, out)
        return out

    def relieve(self, people: Columns, rows: Rows, share: NDArray[np.float64]) -> None:
        """Their relief is larger by that share, and 1 at most."""
        _relieve(people.blocks, rows, self.stage_of, share)

    def teach(self, people: Columns, rows: Rows, effect: float) -> None:
        """Sales rise by the share `effect`, which fades by itself (see `behaviour.learning.training_lasts`).

            tr <- max(tr, ln(1 + effect))

        Several courses do not add up: the larger effect holds.
        """
        _teach(people.blocks, rows, self.ln(1.0 + effect))

    def drawn(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        chance: float,
        draw: Draw = Draw.TAKE_UP,
        *,
        for_life: bool = False,
    ) -> Rows:
        """Those of `rows` whose draw is below `chance`; `for_life`: by a draw that a person keeps."""
        month = 0 if for_life else self.calendar
        key, out = (*self.key, _stream(instrument.id, draw), month), np.empty(len(rows), np.int64)
        return out[: _drawn(people.blocks, key, float(chance), rows, out)]

    def lots(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        draw: Draw = Draw.LOT,
        *,
        for_life: bool = False,
    ) -> NDArray[np.float64]:
        """A draw for each of `rows`, strictly between 0 and 1."""
        month = 0 if for_life else self.calendar
        return uniforms(self.key, _stream(instrument.id, draw), people.uid[rows], month)

    def normals(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        draw: Draw = Draw.NOISE,
        *,
        for_life: bool = False,
    ) -> NDArray[np.float64]:
        """A standard normal draw for each of `rows`."""
        month = 0 if for_life else self.calendar
        return _normals(*self.key, _stream(instrument.id, draw), people.uid[rows], month)

    def queue(self, instrument: PolicyInstrument, people: Columns, rows: Rows) -> Rows:
        """`rows` in the order of the instrument's `priority`: by lot, or the largest smoothed sales first."""
        uid, lots = people.uid[rows], self.lots(instrument, people, rows)
        if instrument.priority == "merit":
            return rows[np.lexsort((uid, lots, -people.smoothed[rows]))]
        return rows[np.lexsort((uid, lots))]

    def seated(self, instrument: PolicyInstrument, people: Columns, rows: Rows, places: int) -> Rows:
        """The first `places` of the queue; all of `rows`, as they are, where there is room."""
        return rows if len(rows) <= places else self.queue(instrument, people, rows)[: max(places, 0)]

    @staticmethod
    def ln(ratio: float) -> float:
        """Natural log, the same on every machine: effects are given as shares and act on logs of sales."""
        return _ln(ratio)

    @staticmethod
    def logs(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same of each of many numbers above 0."""
        return _logs(values)

    def this_month(self, yearly: int) -> int:
        """This month's part of a yearly number of places: the twelve add up to it."""
        month = self.calendar % 12
        return yearly * (month + 1) // 12 - yearly * month // 12
