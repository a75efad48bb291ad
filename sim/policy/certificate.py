"""Skill certificates (电商直播专项能力证书, 互联网营销师): examined and certified, once in a life.

A scenario has one instrument for each certificate. The first of its kind in the country was issued in the city: for
live-stream sellers in 2020, for internet marketers in 2021 (figures `cert_livestream_start`, `cert_marketer_start`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sim.entrepreneurs.arrivals import CHANNELS
from sim.evidence.quantity import quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now
    from sim.policy.ledger import Ledger

__all__ = ["Instrument"]


class Instrument(PolicyInstrument):
    """Skill certificates; the defaults are those for live-stream sellers.

    Who starts again after closing keeps the certificate, but his new shop does not gain by it.
    """

    type: Literal["certificate"] = "certificate"
    places: int = quantity(1_800, unit="count/year", low=0, high=10**7, range=(1_551, 2_028), zh="每年发证数", en="certificates a year at most", assumed="6,592 live-stream certificates in the three and a quarter to four and a quarter years to March 2024; for internet marketers 550 in two and a quarter to three and a quarter years, 169 to 244 a year")  # fmt: skip # noqa: E501
    channel: Literal["all", "domestic", "livestream", "cross_border"] = Field("livestream", description="whose sales channel it is for; the certificate for internet marketers is for all")  # fmt: skip # noqa: E501
    take_up: float = quantity(0.03, unit="1/month", low=0, high=1, range=(0.005, 0.1), zh="每月报考并通过的概率", en="chance that an eligible founder applies this month and would pass", assumed="no source; half of the eligible within two years if places allow")  # fmt: skip # noqa: E501
    min_age: int = quantity(1, unit="months", low=0, high=1200, range=(0, 12), zh="最短经营月数", en="months of trading before it", assumed="no source; whoever sells may sit for it")  # fmt: skip # noqa: E501
    max_age: int = quantity(60, unit="months", low=1, high=1200, range=(24, 120), zh="适用店龄上限", en="oldest shop whose owner still sits for it", assumed="no source; the experienced are taken to need no certificate")  # fmt: skip # noqa: E501
    effect: float = quantity(0.0, unit="share", low=0, high=1, range=(0, 0.05), zh="对销售额的作用", en="effect on sales, for good", assumed="no causal evidence; one holder's account only")  # fmt: skip # noqa: E501
    cost_per_certificate: float = quantity(300.0, unit="CNY/person", low=0, high=1e6, range=(100, 1_000), zh="每份证书的考核成本", en="cost of an examination, paid to the examiners", assumed="no source; two examiners and a studio for an hour")  # fmt: skip # noqa: E501
    award: float = quantity(0.0, unit="CNY/person", low=0, high=1e7, range=(0, 3_000), zh="持证人一次性奖励", en="award in cash to the holder", assumed="no source for the city")  # fmt: skip # noqa: E501

    in_cash = False
    remembers: ClassVar[Mapping[str, str]] = {"held": "i1"}
    """1 if he holds it."""

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Examinations, and certificates to those who passed; then the award, as far as the money reaches."""
        rows = self.takers(people, now, self.eligible(people, now))
        rows = ledger.pay(self, people, now, rows, self.cost(people, now, rows), in_cash=self.in_cash)
        if len(rows):
            self.apply(people, now, rows)
            if self.award:
                ledger.pay(self, people, now, rows, round(self.award * 100))

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Founders of a first shop of the channel and age, who do not hold it yet."""
        rows = now.aged(people, self.min_age, self.max_age)
        if self.channel != "all":
            rows = rows[people.channel[rows] == CHANNELS.index(self.channel)]
        without: Rows = rows[(people.memory(self.id, "held")[rows] == 0) & (people.uid[rows] % 10 == 0)]
        return without

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Those who apply and would pass, as far as there are places."""
        applicants = now.drawn(self, people, rows, self.take_up)
        return now.seated(self, people, applicants, now.this_month(self.places))

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """The examination."""
        return round(self.cost_per_certificate * 100)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """He holds it from now on, and keeps what it does for his sales.

            W <- W + ln(1 + effect)

        This gain stays with the shop.
        """
        people.memory(self.id, "held")[rows] = 1
        people.standing[rows] += now.ln(1.0 + self.effect)

    def estimate(self, city: City) -> float | None:
        """All places taken, or as many as would apply."""
        ages = range(self.min_age, self.max_age)
        without = sum(city.reaching(age) / 12 * (1 - self.take_up) ** k for k, age in enumerate(ages))
        share = 1.0 if self.channel == "all" else city.shares[self.channel]
        return min(self.places / 12, without * share * self.take_up) * (self.cost_per_certificate + self.award)
