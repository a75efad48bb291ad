"""Training courses (电商培训): free seats; sales rise a little and the gain fades within about a year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument"]


class Instrument(PolicyInstrument):
    """Training courses."""

    type: Literal["training"] = "training"
    courses: int = quantity(400, unit="sessions/year", low=0, high=10**6, evidence="trainings_per_year", zh="每年培训场次", en="courses a year")  # fmt: skip # noqa: E501
    seats: int = quantity(75, unit="count", low=0, high=10**5, range=(30, 100), zh="每场人数", en="seats of a course", assumed="30,000 attendances in 400 courses a year")  # fmt: skip # noqa: E501
    take_up: float = quantity(0.02, unit="1/month", low=0, high=1, range=(0.01, 0.1), zh="每月报名概率", en="chance that an eligible founder applies this month", assumed="in field experiments 15 to 40 % of those offered training come within a year")  # fmt: skip # noqa: E501
    max_age: int = quantity(36, unit="months", low=1, high=1200, range=(12, 60), zh="适用店龄上限", en="oldest shop that may come", assumed="no source; training is taken to be meant for newcomers")  # fmt: skip # noqa: E501
    effect: float = quantity(0.07, unit="share", low=0, high=2, range=(0, 0.15), zh="对销售额的作用", en="effect on sales, fading", assumed="training raised sales and profits by 5 to 10 % (McKenzie 2020)")  # fmt: skip # noqa: E501
    cost_per_seat: float = quantity(300.0, unit="CNY/person", low=0, high=1e6, range=(100, 1000), zh="每人次成本", en="cost of a seat, paid to the trainers", assumed="no source; a trainer and a room for a day, shared by 75 seats")  # fmt: skip # noqa: E501

    in_cash = False

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Founders of young shops."""
        return now.aged(people, 0, self.max_age)

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Those who apply this month, as far as there are seats."""
        applicants = now.drawn(self, people, rows, self.take_up)
        return now.seated(self, people, applicants, now.this_month(self.courses * self.seats))

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """The seat."""
        return round(self.cost_per_seat * 100)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """A course lifts sales to its effect; that fades by itself (see `behaviour.learning.training_lasts`).

            tr <- max(tr, ln(1 + effect))

        Several courses do not add up: the larger effect holds.
        """
        now.teach(people, rows, self.effect)

    def estimate(self, city: City) -> float | None:
        """All seats taken, or as many as would apply."""
        young = sum(city.reaching(month) for month in range(self.max_age)) / 12
        return min(self.courses * self.seats / 12, young * self.take_up) * self.cost_per_seat
