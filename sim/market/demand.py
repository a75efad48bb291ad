"""What the city sells: demand by channel from the published totals, shared among all firms that compete for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sim.evidence.quantity import Parameters, quantity

__all__ = ["Background", "Market", "Series"]


def _calendar(year: str) -> str:
    if not (year.isascii() and year.isdigit() and 1978 <= int(year) <= 2100):
        raise PydanticCustomError("calendar_year", "{found} is not a year from 1978 to 2100", {"found": ascii(year)})
    return year


Year = Annotated[str, AfterValidator(_calendar)]


class Background(Parameters):
    """The firms that are not modelled one by one, but compete."""

    entities: int = quantity(
        637700, unit="count", low=0, high=10**8, evidence="ecom_entities_2024q1", zh="背景电商主体数",
        en="e-commerce entities at the start that are not modelled as agents",
    )  # fmt: skip
    capacity: float = quantity(
        40000.0, unit="CNY/month", low=0, high=1e7, range=(25000, 67000), zh="背景主体平均产能",
        en="mean trading capacity of a background entity, trimmed as everybody's is",
        assumed="mean transactions are 0.65 to 0.80 million CNY a year; "
        "what large firms have beyond market.trim is taken off",
    )  # fmt: skip
    growth_per_year: float = quantity(
        0.08, unit="1/year", low=-0.5, high=1, range=(0, 0.16), zh="背景主体年增长",
        en="yearly growth of the background's capacity",
        assumed="entities grew by 13 to 16 % a year, in part because existing firms registered anew",
    )  # fmt: skip


class Series(Parameters):
    """Transactions of one channel by calendar year, CNY/year: interpolated in logs between the middles of the years."""

    by_year: dict[Year, Annotated[float, Field(gt=0, le=1e15)]] = Field(
        default_factory=dict,
        json_schema_extra={"unit": "CNY/year", "zh": "历年交易额", "en": "transactions by calendar year"},
        description="calendar year -> CNY/year; empty = the city's growth from the start on",
    )
    growth_before: float = quantity(
        0.17, unit="1/year", low=-0.5, high=1, range=(0.1, 0.2), zh="首个数据年之前的年增长",
        en="yearly growth before the first figure",
        assumed="the city's e-commerce grew by 17.2 % a year from 2013 to 2024",
    )  # fmt: skip
    growth_after: float = quantity(
        0.08, unit="1/year", low=-0.5, high=1, range=(0, 0.15), zh="末个数据年之后的年增长",
        en="yearly growth after the last figure", assumed="nobody forecasts it; below the 12.5 % of 2025",
    )  # fmt: skip


class Market(Parameters):
    """Demand, and how it is shared."""

    domestic: Series = Series()
    livestream: Series = Series()
    cross_border: Series = Series()
    displacement: float = quantity(
        1.0, unit="elasticity", low=0, high=1, range=(0, 1), zh="挤出弹性 eta",
        en="displacement elasticity eta: 1 = a newcomer's sales are taken from others, 0 = none are",
        assumed="no source; the city's demand is taken as given, and new firms share it with the others",
    )  # fmt: skip
    trim: float = quantity(
        1000000.0, unit="CNY/month", low=1, high=1e10, range=(300000, 3000000), zh="计入竞争的单家产能上限",
        en="a firm counts in crowding with at most this capacity, so that one giant cannot dominate",
        assumed="somewhat above the park's threshold of 10 million CNY a year",
    )  # fmt: skip
    background: Background = Background()
