"""Start-up award (一次性创业补贴): once, to a first shop that has lasted; as an option, more for the jobs it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from sim.evidence.quantity import Parameters, quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument", "Jobs"]

_PROVINCE = "provincial rules for students' start-ups as quoted on the web, not verified"


class Jobs(Parameters):
    """What is paid for jobs besides, once a year, by the number of employees in that month."""

    paid: bool = Field(default=False, description="jobs are paid for; off, since no published rule of the city says so")
    at_least: int = quantity(3, unit="persons", low=1, high=10**5, range=(1, 5), zh="最少带动就业人数", en="employees from which on it is paid", assumed=_PROVINCE)  # fmt: skip # noqa: E501
    base: float = quantity(2_000.0, unit="CNY/year", low=0, high=1e8, range=(1_000, 3_000), zh="达到最少人数时的补贴", en="paid for that number", assumed=_PROVINCE)  # fmt: skip # noqa: E501
    each_more: float = quantity(1_000.0, unit="CNY/job-year", low=0, high=1e7, range=(500, 2_000), zh="每多带动一人的补贴", en="paid for each further employee", assumed=_PROVINCE)  # fmt: skip # noqa: E501
    cap: float = quantity(20_000.0, unit="CNY/year", low=0, high=1e9, range=(10_000, 30_000), zh="每店每年补贴上限", en="at most to a shop", assumed=_PROVINCE)  # fmt: skip # noqa: E501
    years: int = quantity(3, unit="years", low=1, high=20, range=(1, 5), zh="最长补贴年数", en="years in which it is paid", assumed=_PROVINCE)  # fmt: skip # noqa: E501

    def fen(self, staff: NDArray[Any]) -> NDArray[np.int64]:
        """A year's amount for these numbers of employees.

            CNY = min(base + each_more (staff - at_least), cap)    if staff >= at_least
                = 0                                                otherwise

        Employees are those of the month in which it is paid.
        """
        base, each, cap = (round(cny * 100) for cny in (self.base, self.each_more, self.cap))
        more = staff.astype(np.int64) - self.at_least
        return np.where(more >= 0, np.minimum(base + each * more, cap), 0)


class Instrument(PolicyInstrument):
    """Start-up award. Cash only: any effect on sales or survival comes from the money."""

    type: Literal["award"] = "award"
    amount: float = quantity(5_000.0, unit="CNY/person", low=0, high=1e7, range=(0, 20_000), zh="一次性补贴额", en="award, once in a life", assumed="the documents name start-up rewards and give no amounts")  # fmt: skip # noqa: E501
    first_after: int = quantity(12, unit="months", low=0, high=240, range=(6, 24), zh="经营满几个月可领", en="months of trading before it", assumed="no source; a year of trading first, as for the living stipend")  # fmt: skip # noqa: E501
    eligible_share: float = quantity(0.30, unit="share", low=0, high=1, range=(0.1, 1.0), zh="符合条件的比例", en="share of founders that is eligible", assumed="no source; as for the living stipend")  # fmt: skip # noqa: E501
    jobs: Jobs = Jobs()

    def eligible(self, people: Columns, now: Now) -> Rows:
        """First shops that have just traded a year; for jobs, those of two and three years as well."""
        return now.due(people, self.first_after, times=self.jobs.years if self.jobs.paid else 1)

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Who is eligible is settled once, for life."""
        return now.drawn(self, people, rows, self.eligible_share, for_life=True)

    def cost(self, people: Columns, now: Now, rows: Rows) -> NDArray[np.int64]:
        """The award in the first year and, if jobs are paid for, what those of the year are paid."""
        fen = np.where(people.age[rows] == self.first_after, round(self.amount * 100), 0)
        return fen + self.jobs.fen(people.staff[rows]) if self.jobs.paid else fen

    def estimate(self, city: City) -> float | None:
        """Those who reach the age; None with jobs, since nobody counts employees before a run."""
        if self.jobs.paid:
            return None
        return city.reaching(self.first_after) * self.eligible_share * self.amount / 12
