"""Support for going overseas (出海扶持): a grant for fairs and overseas warehouses, and shops turn cross-border.

Without it a shop keeps the channel that it arrived with. What a shop gains is the demand of its new channel, which
moves as `market.cross_border` does; a gain in sales besides that is set apart, and none by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sim.entrepreneurs.arrivals import CHANNELS
from sim.evidence.quantity import quantity
from sim.policy._instrument import City, Draw, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument"]

_CROSS_BORDER = CHANNELS.index("cross_border")


class Instrument(PolicyInstrument):
    """Support for going overseas."""

    type: Literal["overseas"] = "overseas"
    min_sales: float = quantity(100_000.0, unit="CNY/year", low=0, high=1e12, range=(50_000, 500_000), zh="最低年销售额", en="least annual sales", assumed="no source; about what the middle shop sells")  # fmt: skip # noqa: E501
    min_age: int = quantity(12, unit="months", low=0, high=1200, range=(6, 24), zh="最短经营月数", en="months of trading before the support", assumed="no source; a shop that has found its feet")  # fmt: skip # noqa: E501
    chance: float = quantity(0.0125, unit="1/month", low=0, high=1, range=(0.005, 0.03), zh="每月转向跨境的概率上限", en="chance of turning to cross-border this month for the ablest", assumed="no source; set so that with 30 % of arrivals in cross-border 40 % of shops come to take part")  # fmt: skip # noqa: E501
    usual_sales: float = quantity(30_000.0, unit="CNY/month", low=1, high=1e9, range=(10_000, 100_000), zh="概率减半时的销售能力", en="ability, in monthly sales, at which a new shop has half that chance", assumed="no source")  # fmt: skip # noqa: E501
    by_ability: float = quantity(1.0, unit="elasticity", low=0, high=10, range=(0, 2), zh="概率随能力的变化", en="how the odds rise with ability, per log of sales", assumed="no source; the able are taken to go sooner")  # fmt: skip # noqa: E501
    by_age: float = quantity(0.1, unit="1/year", low=-5, high=5, range=(-0.3, 0.3), zh="概率随店龄的变化", en="how the log odds rise with each year of trading", assumed="no source; the experienced are taken to go a little sooner")  # fmt: skip # noqa: E501
    grant: float = quantity(20_000.0, unit="CNY", low=0, high=1e8, range=(5_000, 100_000), zh="每店一次性补助", en="grant, once a shop", assumed="no source; a fair abroad or a season in an overseas warehouse")  # fmt: skip # noqa: E501
    effect: float = quantity(0.0, unit="share", low=0, high=2, range=(0, 0.10), zh="对销售额的作用", en="effect on sales beside the channel's demand, fading", assumed="no causal evidence")  # fmt: skip # noqa: E501

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Domestic and live-stream shops of some size and age; who has turned once is no longer among them."""
        large = (people.channel != _CROSS_BORDER) & (people.smoothed >= self.min_sales)
        rows: Rows = (large & (people.age >= self.min_age)).nonzero()[0]
        return rows

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Those who turn this month: the able and the experienced sooner.

            odds = by_ability (P + W - ln(usual_sales)) + by_age a / 12
            chance to turn = chance / (1 + exp(-odds))

        P + W and the age a are those of the month.
        """
        rows = now.drawn(self, people, rows, self.chance)
        ability = people.level[rows] + people.standing[rows] - now.ln(self.usual_sales)
        odds = self.by_ability * ability + self.by_age / 12 * people.age[rows]
        v = now.lots(self, people, rows, Draw.NOISE)
        return rows[now.logs(v / (1.0 - v)) < odds]  # that is v < 1 / (1 + exp(-odds))

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """The grant."""
        return round(self.grant * 100)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """From this month on he sells across the border.

            channel <- cross_border
            tr <- max(tr, ln(1 + effect))

        It does not add to what a training has left: the larger of the two holds.
        """
        people.channel[rows] = _CROSS_BORDER
        now.teach(people, rows, self.effect)

    def estimate(self, city: City) -> float | None:
        """Half of the shops large enough, and these turning with half the chance until they have."""
        turning, turned = 0.0, 1.0
        for age in range(self.min_age, 600):
            turning += city.reaching(age) / 12 * turned / 2 * self.chance / 2
            turned *= 1 - self.chance / 2
        return float((1 - city.shares["cross_border"]) * turning * self.grant)
