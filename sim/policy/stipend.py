"""Living stipend by degree (生活补助): paid once a year, after a year of work, at most three times."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.entrepreneurs.arrivals import EDUCATION, ORIGINS
from sim.entrepreneurs.streams import Stream
from sim.evidence.quantity import Parameters, quantity
from sim.policy._instrument import PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy.ledger import Ledger, Now

__all__ = ["Amount", "Instrument"]


class Amount(Parameters):
    """CNY a year by education."""

    secondary: float = quantity(0.0, unit="CNY/person/year", low=0, high=1e7, zh="中学及以下", en="secondary or below", assumed="the published stipend is for graduates only")  # fmt: skip # noqa: E501
    associate: float = quantity(5000.0, unit="CNY/person/year", low=0, high=1e7, evidence="subsidy_junior_college_per_year", zh="大专", en="associate")  # fmt: skip # noqa: E501
    bachelor: float = quantity(10000.0, unit="CNY/person/year", low=0, high=1e7, evidence="subsidy_bachelor_per_year", zh="本科", en="bachelor")  # fmt: skip # noqa: E501
    master: float = quantity(20000.0, unit="CNY/person/year", low=0, high=1e7, evidence="subsidy_master_per_year", zh="硕士", en="master")  # fmt: skip # noqa: E501
    phd: float = quantity(83333.33, unit="CNY/person/year", low=0, high=1e7, range=(70000, 100000), zh="博士", en="doctor", assumed="the published cap of 250,000 CNY in three equal parts; how it is split is not published")  # fmt: skip # noqa: E501


@lru_cache
def _fen(amount: Amount) -> NDArray[np.int64]:
    """By education. (Kept here: in the frozen instrument it would be copied along, and break equality.)"""
    return np.array([round(getattr(amount, e) * 100) for e in EDUCATION])


class Instrument(PolicyInstrument):
    """Living stipend by degree."""

    type: Literal["stipend"] = "stipend"
    amount: Amount = Amount()
    payments: int = quantity(3, unit="years", low=1, high=20, evidence="subsidy_duration_years", zh="最多领取次数", en="payments at most")  # fmt: skip # noqa: E501
    first_after: int = quantity(12, unit="months", low=0, high=240, range=(12, 24), zh="工作满几个月可领", en="months of work before the first payment", assumed="a year of work first, then payments in months 12, 24 and 36; a year later is another reading")  # fmt: skip # noqa: E501
    eligible_share: float = quantity(0.30, unit="share", low=0, high=1, range=(0.1, 1.0), zh="符合条件的比例", en="share of arrivals that is eligible", assumed="how many founders count as newly introduced graduates is unknown")  # fmt: skip # noqa: E501
    founders_qualify: bool = Field(True, description="founders count as working once their shop is old enough")

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Pay a year's amount to eligible graduates whose first shop has just turned 12, 24, 36 months (by default)."""
        if not self.founders_qualify:
            return
        due = people.age == self.first_after
        for payment in range(1, self.payments):
            due |= people.age == self.first_after + 12 * payment
        rows = due.nonzero()[0]
        if not len(rows):
            return
        rows = rows[(people.origin[rows] == ORIGINS.index("graduate")) & (people.uid[rows] % 10 == 0)]
        rows = rows[now.always_drawn(Stream.ELIGIBILITY, people.uid[rows], self.eligible_share)]
        ledger.pay(self.id, people, now, rows, _fen(self.amount)[people.education[rows]], budget=self.budget)
