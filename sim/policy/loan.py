"""Guaranteed start-up loans (创业担保贷款): a bank lends; the city guarantees, and bears part of the interest.

No public money is lent. The city pays a guarantor's fee for each loan, its part of the interest month by month, and
the guaranteed share of the bank's loss when a shop closes in debt: all in kind. Where its budget does not reach for the
fee there is no loan; where it does not for the interest, the founder pays all of it; where it does not for a loss, the
bank bears it. Each is booked as refused.

Simplifications: instalments are always taken, so nobody is late, and a loan can make a founder insolvent. Borrowed
cash counts as his own when he reviews his shop. Who starts again after closing has no record, and gets a loan only if
`again` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now
    from sim.policy.ledger import Ledger

__all__ = ["Instrument"]

_NO_TERMS = "the documents name start-up loans and give no terms"

_LOST = 0.1
"""assumed, for the first estimate only: part of the debts of those who close that their cash does not cover."""


class Instrument(PolicyInstrument):
    """Guaranteed start-up loans."""

    type: Literal["loan"] = "loan"
    amount: float = quantity(100_000.0, unit="CNY", low=1, high=1e9, range=(50_000, 300_000), zh="每笔贷款额", en="amount of a loan", assumed=_NO_TERMS)  # fmt: skip # noqa: E501
    term: int = quantity(36, unit="months", low=1, high=360, range=(24, 36), zh="贷款期限", en="term: as many equal instalments", assumed=f"{_NO_TERMS}; three years at most in rules elsewhere")  # fmt: skip # noqa: E501
    interest: float = quantity(0.04, unit="1/year", low=0, high=1, range=(0.03, 0.06), zh="年利率", en="yearly interest on what is owed", assumed=_NO_TERMS)  # fmt: skip # noqa: E501
    subsidised: float = quantity(0.5, unit="share", low=0, high=1, range=(0, 1), zh="财政贴息比例", en="share of the interest that the city bears", assumed=f"{_NO_TERMS}; between none and all")  # fmt: skip # noqa: E501
    guaranteed: float = quantity(0.9, unit="share", low=0, high=1, range=(0.8, 1), zh="担保比例", en="share of the bank's loss that the city bears", assumed=f"{_NO_TERMS}; the bank is taken to bear a little itself")  # fmt: skip # noqa: E501
    fee: float = quantity(0.01, unit="share", low=0, high=1, range=(0, 0.03), zh="担保费率", en="guarantor's fee as a share of the loan, paid once by the city", assumed=f"{_NO_TERMS}; for the guarantor's work")  # fmt: skip # noqa: E501
    take_up: float = quantity(0.002, unit="1/month", low=0, high=1, range=(0.0005, 0.02), zh="每月申请并获批的概率", en="chance that an eligible founder takes a loan this month", assumed="no source; set small")  # fmt: skip # noqa: E501
    min_age: int = quantity(6, unit="months", low=0, high=1200, range=(3, 12), zh="最短经营月数", en="months of trading before a loan", assumed=f"{_NO_TERMS}; half a year for online shops in rules elsewhere")  # fmt: skip # noqa: E501
    max_age: int = quantity(60, unit="months", low=1, high=1200, range=(36, 60), zh="适用店龄上限", en="oldest shop that may have one", assumed="no source; meant for young shops")  # fmt: skip # noqa: E501
    again: bool = Field(False, description="another loan once the first is paid back, and for those who start again")

    in_cash = False
    remembers: ClassVar[Mapping[str, str]] = {"owed": "i8", "instalments": "i2", "borrowed": "i1"}
    """Fen owed, instalments to come, 1 once he has had a loan."""

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Instalments first, then new loans: the first instalment falls due a month after the loan."""
        self._collect(people, now, ledger)
        rows = self.takers(people, now, self.eligible(people, now))
        rows = ledger.pay(self, people, now, rows, self.cost(people, now, rows), in_cash=self.in_cash)
        if len(rows):
            ledger.lend(self, people, now, rows, np.full(len(rows), self._fen))
            self.apply(people, now, rows)

    def wind_down(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """After its last month there are no new loans, but those that are out are paid back."""
        self._collect(people, now, ledger)

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Founders of young shops who owe nothing and, unless `again`, never did."""
        never = people.memory(self.id, "owed" if self.again else "borrowed") == 0
        rows: Rows = (never & (people.age >= self.min_age) & (people.age < self.max_age)).nonzero()[0]
        return rows

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Those who apply this month and are granted it: unless `again`, nobody who has closed a shop before."""
        granted = now.drawn(self, people, rows, self.take_up)
        return granted if self.again else granted[people.uid[granted] % 10 == 0]

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """The guarantor's fee."""
        return round(self._fen * self.fee)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """He owes the loan from now on."""
        for name, value in (("owed", self._fen), ("instalments", self.term), ("borrowed", 1)):
            people.memory(self.id, name)[rows] = value

    @property
    def _fen(self) -> int:
        return round(self.amount * 100)

    def _collect(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Everybody's instalment, with the interest that the city does not bear: both are booked as repaid.

            principal = floor(owed / instalments to come)
            interest due = owed x interest / 12, of which the city bears the share `subsidised`
            cash <- cash - principal - interest due that is not borne

        Instalments are equal up to a fen: what is owed, divided by the instalments to come. So the last one takes the
        rest, and loans from a burn-in on other terms keep their own pace.
        """
        owed, instalments = people.memory(self.id, "owed"), people.memory(self.id, "instalments")
        rows: Rows = owed.nonzero()[0]
        if len(rows):
            debt = owed[rows]
            principal = debt // instalments[rows]
            interest = np.rint(debt * (self.interest / 12)).astype(np.int64)
            ledger.collect(self, people, now, rows, principal + self._net(people, now, ledger, rows, interest))
            owed[rows] = debt - principal
            instalments[rows] -= 1

    def _net(
        self, people: Columns, now: Now, ledger: Ledger, rows: Rows, interest: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The interest less what the city pays of it."""
        borne = np.rint(interest * self.subsidised).astype(np.int64)
        served = ledger.pay(self, people, now, rows, borne, in_cash=False)
        if len(served) < len(rows):
            borne *= np.isin(rows, served)
        net: NDArray[np.int64] = interest - borne
        return net

    def closed(self, people: Columns, now: Now, ledger: Ledger, rows: Rows) -> None:
        """Who closes in debt pays what his cash covers; of the rest the city pays the bank what it guaranteed.

            paid by the city = guaranteed x (owed - min(max(cash, 0), owed))

        What nobody pays is written off as lost; the founder owes nothing more.
        """
        owed = people.memory(self.id, "owed")
        rows = rows[owed[rows] > 0]
        if len(rows):
            debt = owed[rows]
            covered = np.clip(people.cash[rows], 0, debt).astype(np.int64)
            ledger.collect(self, people, now, rows, covered)
            ledger.write_off(self, people, now, rows, debt - covered)
            loss = np.rint((debt - covered) * self.guaranteed).astype(np.int64)
            ledger.pay(self, people, now, rows, loss, in_cash=False)
            owed[rows] = 0

    def estimate(self, city: City) -> float | None:
        """Fees, interest borne, and losses at a tenth of what those owe who close."""
        present = (city.reaching(age) / 12 for age in range(self.min_age, self.max_age))
        loans = sum(n * self.take_up * (1 - self.take_up) ** k for k, n in enumerate(present))
        stay, each = city.retention ** (1 / 12), self.fee
        for month in range(self.term):
            owed = (1 - month / self.term) * stay**month
            each += owed * (stay * self.interest / 12 * self.subsidised + (1 - stay) * _LOST * self.guaranteed)
        return float(loans * each * self.amount)
