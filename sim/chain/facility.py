"""The houses of the chain: their places, tenants and rent, as columns; and each house as a Mesa agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.chain.stage import Stage
from sim.entrepreneurs.agent import Identities
from sim.entrepreneurs.arithmetic import exp, log
from sim.entrepreneurs.compiled import kernel, rule
from sim.entrepreneurs.kernel import NO_PEERS, STAFF_BITS, House

if TYPE_CHECKING:
    from sim.entrepreneurs.kernel import Tally

__all__ = ["Facility", "Houses", "Places", "seat"]

_ROOM = 2**40  # what an open house has room for


@kernel
def _enter(tenants: NDArray[np.int64], house: NDArray[Any]) -> None:
    for h in house:
        tenants[h] += 1


@kernel
def _crowd(
    rent: NDArray[np.float64],
    base: NDArray[np.float64],
    tenants: NDArray[np.int64],
    usual: NDArray[np.int64],
    elasticity: NDArray[np.float64],
) -> None:
    for h in range(rent.size):
        rent[h] = base[h]
        if tenants[h] > usual[h] and elasticity[h] > 0.0:
            rent[h] *= exp(elasticity[h] * log(tenants[h] / usual[h]))


@kernel
def _meet(by_house: NDArray[np.int64], outside: int, peer_level: NDArray[np.float64]) -> None:
    for h in range(peer_level.size):
        count = by_house[h, 2] >> STAFF_BITS
        peer_level[h] = by_house[h, 1] / count / 1e6 if count > 1 and h < outside else NO_PEERS


@kernel
def _totals(
    stage_of: NDArray[np.int8],
    tenants: NDArray[np.int64],
    waiting: NDArray[np.int64],
    by_house: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    for stage in range(waiting.size):
        out[1, stage] = waiting[stage]
    for h in range(tenants.size):
        stage = stage_of[h]
        out[0, stage] += tenants[h]
        out[2, stage] += by_house[h, 0]
        out[3, stage] += by_house[h, 2] & ((1 << STAFF_BITS) - 1)


class Places(NamedTuple):
    """The houses as compiled code sees them: `arrays` of `Houses`, by name."""

    stage_of: NDArray[np.int8]
    tenants: NDArray[np.int64]
    places: NDArray[np.int64]
    first: NDArray[np.int64]
    number: NDArray[np.int64]
    waiting: NDArray[np.int64]


@rule
def seat(p: Places, stage: int, beyond: bool = False) -> int:
    """The emptiest house of a stage that has room, or may go beyond: it has one tenant more. -1 if there is none."""
    best = -1
    for h in range(p.first[stage], p.first[stage] + p.number[stage]):
        if (beyond or p.tenants[h] < p.places[h]) and (best < 0 or p.tenants[h] < p.tenants[best]):
            best = h
    if best >= 0:
        p.tenants[best] += 1
    return best


class Houses:
    """All houses, by id: stage after stage, then one place outside the chain for each stage that people may have left.

    Outside one pays the first stage's rent as stated, without crowding, and has neither services nor peers.

    Attributes
    ----------
    stage_of : (houses,) int8
        Stage of a house; `len(stages)` for the places outside.
    tenants : (houses,) int64
        Tenants now.
    places : (houses,) int64
        Places; a very large number where a house is open to all.
    waiting : (stages,) int64
        Applicants whom a stage turned away this month.
    first, count : (stages,) int64
        First house and number of houses of each stage.
    table : House
        What the month needs to know of each house; rent and peers move from month to month. Rows of `block`.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = tuple(stages)
        n = len(stages)
        self.count = np.array([s.facilities for s in stages])
        self.first = np.concatenate([[0], np.cumsum(self.count)[:-1]])
        self.outside = int(self.count.sum())
        self.stage_of = np.concatenate([np.repeat(np.arange(n), self.count), np.full(n, n)]).astype(np.int8)
        self.tenants = np.zeros(len(self.stage_of), np.int64)
        per_house = [_ROOM if s.places is None else s.places for s in stages]
        self.places = np.concatenate([np.repeat(per_house, self.count), np.full(n, _ROOM)])
        self.waiting = np.zeros(n, np.int64)
        self.arrays = (self.stage_of, self.tenants, self.places, self.first, self.count, self.waiting)
        self._rent = self._spread([float(s.rent) for s in stages], [float(stages[0].rent)] * n)
        self._usual = np.concatenate([np.repeat([s.usual_tenants for s in stages], self.count), np.ones(n, np.int64)])
        self._crowding = self._spread([float(s.crowding) for s in stages], [0.0] * n)
        bars = [self._bar(s) for s in range(n)]
        outside_bars = [self._bar(s, outside=True) for s in range(n)]
        endless = [float("inf")] * n
        self.block = np.empty((len(House._fields), len(self.stage_of)))
        self.table = House(*self.block)
        month = House(
            rent=self._rent.copy(),
            uplift=self._spread([log(1.0 + s.uplift) for s in stages], [0.0] * n),
            peer_level=np.full(len(self.stage_of), NO_PEERS),
            tenancy=self._spread([float(s.tenancy or float("inf")) for s in stages], endless),
            floor=self._spread([s.threshold / 2 if s.falls_back else -1.0 for s in stages], [-1.0] * n),
            bar=self._spread([b[0] for b in bars], [b[0] for b in outside_bars]),
            bar_income=self._spread([b[1] for b in bars], [b[1] for b in outside_bars]),
            apply=self._spread([b[2] for b in bars], [b[2] for b in outside_bars]),
        )
        self.block[:] = month

    def _spread(self, by_stage: Sequence[float], outside: Sequence[float]) -> NDArray[np.float64]:
        return np.concatenate([np.repeat(np.asarray(by_stage, float), self.count), np.asarray(outside, float)])

    def targets(self, stage: int, outside: bool = False) -> list[int]:
        """Stages that someone in `stage` may apply to: those above; from outside also an endless one he has left."""
        again = outside and stage > 0 and self.stages[stage].tenancy is None
        return [s for s in range(1, len(self.stages)) if s > stage or (again and s == stage)]

    def _bar(self, stage: int, outside: bool = False) -> tuple[float, float, float]:
        """The lowest threshold, income and highest chance to apply among the stages one may apply to."""
        above = [self.stages[s] for s in self.targets(stage, outside)]
        nobody = float("inf")
        return (
            min((s.threshold for s in above), default=nobody),
            min((s.or_net_income for s in above if s.or_net_income is not None), default=nobody),
            max((s.apply for s in above), default=0.0),
        )

    def of(self, stage: int) -> slice:
        """Ids of the houses of a stage."""
        return slice(int(self.first[stage]), int(self.first[stage] + self.count[stage]))

    def enter(self, house: NDArray[Any]) -> None:
        """Count people into their houses."""
        _enter(self.tenants, house)

    def open_month(self, tenants: NDArray[np.int64] | None = None) -> None:
        """Rents follow crowding where a house has more tenants than usual.

            rent of a shop = rent (tenants / usual_tenants)^crowding    if tenants > usual_tenants
                           = rent                                       otherwise

        Tenants are counted once, when the month begins.

        Parameters
        ----------
        tenants
            Those counted; by default the houses' own.
        """
        counted = self.tenants if tenants is None else tenants
        _crowd(self.table.rent, self._rent, counted, self._usual, self._crowding)

    def close_month(self, tally: Tally) -> None:
        """Remember the mean ability in each house: what peers can learn from next month. Outside there are no peers."""
        _meet(tally.by_house, self.outside, self.table.peer_level)

    def totals(self, tally: Tally) -> NDArray[np.int64]:
        """Tenants, applicants turned away, sales in fen and staff, of each stage and outside: (4, stages + 1)."""
        out = np.zeros((4, len(self.stages) + 1), np.int64)
        _totals(self.stage_of, self.tenants, self.waiting, tally.by_house, out)
        return out


class Facility(mesa.Agent):  # type: ignore[misc]
    """A house of a stage: places, tenants, waiting list. A view onto its row of `Houses`."""

    _ids = Identities()

    def __init__(self, model: mesa.Model, houses: Houses, house: int) -> None:
        super().__init__(model)
        self._houses = houses
        self.house = house

    @property
    def _stage(self) -> Stage:
        stage: Stage = self._houses.stages[self._houses.stage_of[self.house]]
        return stage

    @property
    def stage(self) -> str:
        """Id of its stage."""
        return str(self._stage.id)

    @property
    def places(self) -> int | None:
        """Places; None if open to all."""
        return self._stage.places

    @property
    def tenants(self) -> int:
        """Tenants now."""
        return int(self._houses.tenants[self.house])

    @property
    def rent(self) -> float:
        """Rent of one shop this month, CNY/month, before relief."""
        return float(self._houses.table.rent[self.house])

    @property
    def waiting(self) -> int:
        """Applicants whom its stage turned away this month."""
        return int(self._houses.waiting[self._houses.stage_of[self.house]])
