"""Priority land for head firms (头部企业优先供地): the largest firms of the last stage get land at a discount, once.

The land is given in kind. A firm with land keeps its place in the park: its plot is for warehouses and plants, and its
shop stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument"]


class Instrument(PolicyInstrument):
    """Priority land for head firms."""

    type: Literal["land"] = "land"
    threshold: float = quantity(100_000_000.0, unit="CNY/year", low=0, high=1e13, range=(50_000_000, 200_000_000), zh="头部企业年销售额门槛", en="annual sales of a head firm", assumed="the documents name head firms and give no number")  # fmt: skip # noqa: E501
    months: int = quantity(12, unit="months", low=0, high=1200, range=(0, 36), zh="在产业园满几个月", en="months in the last stage before it", assumed="no source; firms that have come to stay")  # fmt: skip # noqa: E501
    area: float = quantity(10_000.0, unit="m2", low=0, high=1e7, range=(2_000, 50_000), zh="每家供地面积", en="area of a plot", assumed="no source; a plot for a warehouse and a plant")  # fmt: skip # noqa: E501
    discount: float = quantity(300.0, unit="CNY/m2", low=0, high=1e6, range=(0, 1_000), zh="每平方米地价优惠", en="how much below its price the land is given", assumed="no source; priority may mean no discount at all")  # fmt: skip # noqa: E501
    effect: float = quantity(0.0, unit="share", low=0, high=1, range=(0, 0.05), zh="对销售额的作用", en="effect on sales, for good: room to grow", assumed="no causal evidence")  # fmt: skip # noqa: E501

    in_cash = False
    remembers: ClassVar[Mapping[str, str]] = {"granted": "i1"}
    """1 once he has had land."""

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Head firms that have been in the last stage long enough, and have no land yet."""
        rows: Rows = (people.smoothed >= self.threshold).nonzero()[0]
        last = now.stage_of[people.house[rows]] == len(now.stages) - 1
        new = people.memory(self.id, "granted")[rows] == 0
        rows = rows[last & new & (people.months_in[rows] >= self.months)]
        return rows

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """What the city forgoes for a plot."""
        return round(self.area * self.discount * 100)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """Room to grow, once in a firm's life.

            W <- W + ln(1 + effect)

        This gain stays with the firm.
        """
        people.memory(self.id, "granted")[rows] = 1
        people.standing[rows] += now.ln(1.0 + self.effect)

    def estimate(self, city: City) -> float | None:
        """Nobody counts head firms."""
        return None
