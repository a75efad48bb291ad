"""Living stipend by degree (生活补助): paid once a year, after a year of work, at most three times."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from sim.entrepreneurs.arrivals import EDUCATION, ORIGINS
from sim.evidence.quantity import Parameters, quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Amount", "Instrument"]


class Amount(Parameters):
    """CNY a year by education."""

    secondary: float = quantity(0.0, unit="CNY/person/year", low=0, high=1e7, zh="中学及以下", en="secondary or below", assumed="the published stipend is for graduates only")  # fmt: skip # noqa: E501
    associate: float = quantity(5000.0, unit="CNY/person/year", low=0, high=1e7, evidence="subsidy_junior_college_per_year", zh="大专", en="associate")  # fmt: skip # noqa: E501
    bachelor: float = quantity(10000.0, unit="CNY/person/year", low=0, high=1e7, evidence="subsidy_bachelor_per_year", zh="本科", en="bachelor")  # fmt: skip # noqa: E501
    master: float = quantity(20000.0, unit="CNY/person/year", low=0, high=1e7, evidence="subsidy_master_per_year", zh="硕士", en="master")  # fmt: skip # noqa: E501
    phd: float = quantity(83333.33, unit="CNY/person/year", low=0, high=1e7, range=(70000, 100000), zh="博士", en="doctor", assumed="the published cap of 250,000 CNY in three equal parts; how it is split is not published")  # fmt: skip # noqa: E501


_GRADUATE = ORIGINS.index("graduate")

_FRONT_LOADED = (0.40, 0.32, 0.28)
"""assumed: parts of the doctor's total in each of three payments, 100,000, 80,000 and 70,000 of 250,000."""


@lru_cache
def _fen(amount: Amount, payments: int, front_loaded: bool) -> NDArray[np.int64]:
    """By education and payment. (Kept here: in the frozen instrument it would be copied along, and break equality.)"""
    table = np.array([[round(getattr(amount, e) * 100)] * payments for e in EDUCATION])
    if front_loaded:
        table[-1] = [round(amount.phd * payments * part * 100) for part in _FRONT_LOADED]
    return table


class Instrument(PolicyInstrument):
    """Living stipend by degree."""

    type: Literal["stipend"] = "stipend"
    amount: Amount = Amount()
    payments: int = quantity(3, unit="years", low=1, high=20, evidence="subsidy_duration_years", zh="最多领取次数", en="payments at most")  # fmt: skip # noqa: E501
    first_after: int = quantity(12, unit="months", low=0, high=240, range=(12, 24), zh="工作满几个月可领", en="months of work before the first payment", assumed="a year of work first, then payments in months 12, 24 and 36; a year later is another reading")  # fmt: skip # noqa: E501
    eligible_share: float = quantity(0.30, unit="share", low=0, high=1, range=(0.1, 1.0), zh="符合条件的比例", en="share of arrivals that is eligible", assumed="how many founders count as newly introduced graduates is unknown")  # fmt: skip # noqa: E501
    doctor: Literal["equal", "front_loaded"] = Field("equal", description="how a doctor's total is spread over three payments: equal parts, or 40, 32 and 28 %")  # fmt: skip # noqa: E501
    founders_qualify: bool = Field(True, description="founders count as working once their shop is old enough")

    @model_validator(mode="after")
    def _three_payments(self) -> Instrument:
        if self.doctor == "front_loaded" and self.payments != len(_FRONT_LOADED):
            raise PydanticCustomError("front_loaded", "front_loaded spreads three payments, so payments must be 3")
        return self

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Eligible graduates whose first shop has just turned 12, 24, 36 months (by default)."""
        if not self.founders_qualify:
            return np.zeros(0, np.int64)
        return now.due(people, self.first_after, times=self.payments, origin=_GRADUATE)

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Who counts as a newly introduced graduate is settled once, for life."""
        return now.drawn(self, people, rows, self.eligible_share, for_life=True)

    def cost(self, people: Columns, now: Now, rows: Rows) -> NDArray[Any]:
        """A year's amount by degree; a doctor's total either in equal parts, or 40, 32 and 28 % of it."""
        fen = _fen(self.amount, self.payments, self.doctor == "front_loaded")
        return now.instalment(people, rows, fen, self.first_after)

    def estimate(self, city: City) -> float | None:
        """Those who reach each payment, times the mean amount."""
        if not self.founders_qualify:
            return 0.0
        mean = sum(city.shares[e] * getattr(self.amount, e) for e in EDUCATION)
        reach = sum(city.reaching(self.first_after + 12 * k) for k in range(self.payments))
        return float(city.shares["graduate"] * self.eligible_share * mean * reach / 12)
