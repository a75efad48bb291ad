"""Training courses (电商培训): free seats; sales rise a little and the gain fades within about a year."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.entrepreneurs.streams import Stream
from sim.evidence.quantity import quantity
from sim.policy._instrument import PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy.ledger import Ledger, Now

__all__ = ["Instrument"]


@lru_cache
def _gain(effect: float) -> float:
    from sim.entrepreneurs.arithmetic import log  # compiled: not needed to load a scenario

    return log(1.0 + effect)


class Instrument(PolicyInstrument):
    """Training courses."""

    type: Literal["training"] = "training"
    courses: int = quantity(400, unit="sessions/year", low=0, high=10**6, evidence="trainings_per_year", zh="每年培训场次", en="courses a year")  # fmt: skip # noqa: E501
    seats: int = quantity(75, unit="count", low=0, high=10**5, range=(30, 100), zh="每场人数", en="seats of a course", assumed="30,000 attendances in 400 courses a year")  # fmt: skip # noqa: E501
    take_up: float = quantity(0.02, unit="1/month", low=0, high=1, range=(0.01, 0.1), zh="每月报名概率", en="chance that an eligible founder applies this month", assumed="in field experiments 15 to 40 % of those offered training come within a year")  # fmt: skip # noqa: E501
    max_age: int = quantity(36, unit="months", low=1, high=1200, range=(12, 60), zh="适用店龄上限", en="oldest shop that may come", assumed="no source; training is taken to be meant for newcomers")  # fmt: skip # noqa: E501
    effect: float = quantity(0.07, unit="share", low=0, high=2, range=(0, 0.15), zh="对销售额的作用", en="effect on sales, fading", assumed="training raised sales and profits by 5 to 10 % (McKenzie 2020)")  # fmt: skip # noqa: E501
    cost_per_seat: float = quantity(300.0, unit="CNY/person", low=0, high=1e6, range=(100, 1000), zh="每人次成本", en="cost of a seat, paid to the trainers", assumed="no source; a trainer and a room for a day, shared by 75 seats")  # fmt: skip # noqa: E501

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Seat those who apply, by lot where seats are short; a course lifts sales to its effect, which then fades."""
        rows = now.drawn(Stream.TRAINING, people.uid, self.take_up)
        rows = rows[people.age[rows] < self.max_age]
        month, yearly = now.calendar % 12, self.courses * self.seats
        seats = yearly * (month + 1) // 12 - yearly * month // 12
        if len(rows) > seats:
            lots = now.lots(Stream.TRAINING, people.uid[rows])
            rows = rows[np.lexsort((people.uid[rows], lots))[:seats]]
        if not len(rows):
            return
        fen = np.full(len(rows), round(self.cost_per_seat * 100))
        if self.budget is not None and self.cost_per_seat > 0:
            rows = ledger.pay(self.id, people, now, rows, fen, budget=self.budget, in_cash=False)
        else:
            ledger.pay(self.id, people, now, rows, fen, in_cash=False)
        people.training[rows] = np.maximum(people.training[rows], _gain(self.effect))
