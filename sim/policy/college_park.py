"""The college's start-up park (大学生创业园): places free of rent, water, power and network, with tutors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sim.entrepreneurs.arrivals import ORIGINS
from sim.evidence.quantity import quantity
from sim.policy._instrument import City, Draw, PolicyInstrument
from sim.policy.mentors import guide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument"]

_GRADUATE = ORIGINS.index("graduate")

_PART_OF_A_SHOP = 0.33
"""assumed, for the estimate only: what shops of up to two years rent on average, as part of a whole one."""


class Instrument(PolicyInstrument):
    """The college's start-up park.

    It takes first shops of the college's own students, while they are young and have not come further than the first
    stage of the chain; whoever moves up gives his place back. In the books a tenant still pays the rent of his village,
    which is refunded in full as by `rent_relief`: last month's, for every month in the park. Water, power and network
    are in the founder's margin and living cost like any other expense, so what he is spared comes as cash too: no fen
    is spent that nobody saves.
    """

    type: Literal["college_park"] = "college_park"
    area: float = quantity(12_800.0, unit="m2", low=0, high=1e7, evidence="college_park_area", zh="创业园建筑面积", en="floor area of the park")  # fmt: skip # noqa: E501
    area_each: float = quantity(20.0, unit="m2", low=1, high=1e4, range=(10, 40), zh="每个项目占用面积", en="floor area of a place", assumed="no source; some 330 projects a year that stay about two years fill the park at 20 m2 each")  # fmt: skip # noqa: E501
    college_share: float = quantity(0.011, unit="share", low=0, high=1, range=(0.003, 0.03), zh="该学院学生占高校学生创业者的比例", en="share of graduate founders who are the college's", assumed="6,000 projects since 2006 are some 330 a year, set against 30,000 founders a year")  # fmt: skip # noqa: E501
    max_age: int = quantity(12, unit="months", low=1, high=1200, range=(1, 36), zh="入驻店龄上限", en="oldest shop that is let in", assumed="no source; projects are taken to come as they start")  # fmt: skip # noqa: E501
    tenancy: int = quantity(24, unit="months", low=1, high=1200, range=(12, 48), zh="最长入驻月数", en="months a tenant may stay", assumed="no source; about two years fit the park's floor and its number of projects")  # fmt: skip # noqa: E501
    utilities: float = quantity(150.0, unit="CNY/month", low=0, high=1e6, range=(0, 400), zh="每个项目的水电网络费", en="water, power and network that a tenant is spared", assumed="the waiver is published, not its worth; a connection and power for 20 m2")  # fmt: skip # noqa: E501
    mentoring: float = quantity(0.10, unit="share", low=0, high=1, range=(0, 0.3), zh="有导师时成长加快的幅度", en="how much faster potential draws the level in", assumed="tutors are published, not their effect; set small")  # fmt: skip # noqa: E501

    remembers: ClassVar[Mapping[str, str]] = {"entered": "i2"}
    """Age at which he came into the park, months, plus 1."""

    @property
    def places(self) -> int:
        """Projects that the park has room for."""
        return int(self.area / self.area_each)

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Tenants whose time is not over, and young first shops of the college's students who never were tenants."""
        entered = people.memory(self.id, "entered")
        known = (entered > 0).nonzero()[0]
        tenants = known[people.age[known] + 1 - entered[known] < self.tenancy]
        young = now.aged(people, 0, self.max_age)
        students = now.drawn(self, people, young, self.college_share, Draw.ELIGIBLE, for_life=True)
        first = (people.origin[students] == _GRADUATE) & (people.uid[students] % 10 == 0)
        rows = np.concatenate([tenants, students[first & (entered[students] == 0)]])
        low: Rows = rows[people.highest[rows] == 0]
        return low

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """The tenants, and as many of the others as there are free places."""
        tenant = people.memory(self.id, "entered")[rows] > 0
        tenants = rows[tenant]
        return np.concatenate([tenants, now.seated(self, people, rows[~tenant], self.places - len(tenants))])

    def cost(self, people: Columns, now: Now, rows: Rows) -> NDArray[Any]:
        """Last month's rent, as far as no relief has refunded it, and this month's utilities."""
        return 100.0 * people.rent[rows] * (1.0 - people.relief[rows]) + round(self.utilities * 100)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """New tenants are noted; all count on paying no rent, and are guided."""
        entered = people.memory(self.id, "entered")
        new = rows[entered[rows] == 0]
        entered[new] = people.age[new] + 1
        people.relief[rows] = 1.0
        guide(people, now, rows, self.mentoring)

    def estimate(self, city: City) -> float | None:
        """All places taken, or as many as the college's students who are still there would take."""
        students = city.shares["graduate"] * self.college_share
        tenants = min(self.places, students * sum(city.reaching(month) for month in range(self.tenancy)) / 12)
        village = next(iter(city.rent.values()))
        return tenants * (_PART_OF_A_SHOP * village + self.utilities)
