"""AI tools for shops (AI工具): their use spreads by itself and by imitation, and lifts sales for good."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, Draw, Month, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument", "innovation"]


@lru_cache
def innovation(adopted: float, q: float, ln: Callable[[float], float]) -> tuple[float, float]:
    """Bass's coefficient of innovation that has led to a known use half a year after the launch.

        E(t) = exp(-(p + q) t)
        F(t) = (1 - E(t)) / (1 + E(t) q / p)
        F(1/2) = uptake / ceiling

    F(t) is the share of those who would ever adopt who have done so after t years (Bass 1969). Solved for p by
    bisection on exp(-(p + q)/12), so that the natural logarithm is all it takes.

    Parameters
    ----------
    adopted
        F(1/2), at least 0 and below 1.
    q
        Coefficient of imitation, 1/year.
    ln
        Natural logarithm, the same on every machine where it matters.

    Returns
    -------
    p, 1/year, and exp(-(p + q)/12).
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        month = 0.5 * (low + high)
        p = -12.0 * ln(month) - q
        quarter = month * month * month
        half_year = quarter * quarter
        enough = p > 0.0 and p * (1.0 - half_year) >= adopted * (p + q * half_year)
        low, high = (month, high) if enough else (low, month)
    return -12.0 * ln(low) - q, low


class Instrument(PolicyInstrument):
    """AI tools for shops.

    A share of founders, drawn for life, would ever use them. Those who do not yet take them up by Bass's hazard, p + q
    times the share of such founders who have; q is assumed, and p is what the published use half a year after the
    launch then asks for. Users' own claim of over 30 % more orders (figure `ai_order_uplift`) has no control group: the
    default effect is well below it. Without the subsidy nobody takes them up.
    """

    type: Literal["ai_tools"] = "ai_tools"
    since: Month | None = Field("2023-10", description="first month in which it acts, by default that of the published launch; null = always")  # fmt: skip # noqa: E501
    uptake: float = quantity(0.2125, unit="share", low=0, high=1, evidence="ai_uptake_2024", zh="上线半年的使用率", en="share of shops that use them half a year after the launch")  # fmt: skip # noqa: E501
    ceiling: float = quantity(0.8, unit="share", low=0, high=1, range=(0.4, 1), zh="最终会使用的比例", en="share that would ever use them", assumed="no source; one figure half a year after the launch does not tell where it ends")  # fmt: skip # noqa: E501
    imitation: float = quantity(0.3, unit="1/year", low=0, high=10, range=(0, 0.6), zh="模仿系数（Bass）", en="coefficient of imitation (Bass's q)", assumed="no source; near the usual value in studies of other new products (Sultan, Farley, Lehmann 1990)")  # fmt: skip # noqa: E501
    effect: float = quantity(0.08, unit="share", low=0, high=2, range=(0, 0.3), zh="对销售额的作用", en="effect on sales, lasting", assumed="users claim over 30 % more orders (ai_order_uplift); without a control group that is an upper bound")  # fmt: skip # noqa: E501
    subscription: float = quantity(200.0, unit="CNY/person", low=0, high=1e6, range=(0, 1000), zh="每名用户首年订阅补贴", en="subsidy of a user's first year, paid to the provider", assumed="no source; set small")  # fmt: skip # noqa: E501

    in_cash = False
    remembers: ClassVar[Mapping[str, str]] = {"user": "i1"}
    """1 if he uses them."""

    @model_validator(mode="after")
    def _attainable(self) -> Instrument:
        if self.uptake >= self.ceiling:
            said = {"uptake": f"{self.uptake:g}", "ceiling": f"{self.ceiling:g}"}
            raise PydanticCustomError("uptake", "uptake must be below ceiling (got {uptake} and {ceiling})", said)
        return self

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Those who do not use them yet, and would."""
        rows: Rows = (people.memory(self.id, "user") == 0).nonzero()[0]
        return now.drawn(self, people, rows, self.ceiling, Draw.ELIGIBLE, for_life=True)

    def chance(self, share: float, ln: Callable[[float], float]) -> float:
        """Chance that one who would use them takes them up this month, if a `share` of such founders has done so.

            e = exp(-(p + q) / 12)
            chance = (1 - e) (p + q s) / (p + q - q (1 - s) (1 - e))

        That is Bass's hazard p + q s over a month in which the share s itself moves on by it; q is `imitation`. So the
        months lead along his curve; a hazard held for a month would lag behind.
        """
        p, e = innovation(self.uptake / self.ceiling, self.imitation, ln)
        both, imitable = p + self.imitation, self.imitation * (1.0 - share)
        return (1.0 - e) * (both - imitable) / (both - imitable * (1.0 - e))

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Those who adopt this month; the share of users is counted over the living."""
        if not len(rows):
            return rows
        users = np.count_nonzero(people.memory(self.id, "user"))
        return now.drawn(self, people, rows, self.chance(users / (users + len(rows)), now.ln))

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """The first year's subscription."""
        return round(self.subscription * 100)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """New users are noted, and sell more from now on.

            W <- W + ln(1 + effect)

        This gain stays with the shop.
        """
        people.memory(self.id, "user")[rows] = 1
        people.standing[rows] += now.ln(1.0 + self.effect)

    def estimate(self, city: City) -> float | None:
        """Newcomers who become users before they close, once use has settled: h = p + q s and s = h / (h + exit)."""
        p, _ = innovation(self.uptake / self.ceiling, self.imitation, math.log)
        leaving = -math.log(city.retention)
        net = p + self.imitation - leaving
        hazard = 0.5 * (net + math.sqrt(net * net + 4.0 * p * leaving))
        users = city.arrivals * self.ceiling * hazard / (hazard + leaving)
        return users * self.subscription / 12
