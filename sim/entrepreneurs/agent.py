"""The Mesa driver: an entrepreneur as an agent, whose month reads like the story and calls the same rules.

An agent is a view onto a row of the columns, so there is no second copy of the state. Subclass it, override one verb.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import mesa

from sim.entrepreneurs.columns import COLUMNS
from sim.entrepreneurs.draws import philox, word_to_uniform
from sim.entrepreneurs.kernel import APPLIES, FALLS_BACK, LOW_MONTHS, STAFF_BITS, TENANCY_OVER
from sim.entrepreneurs.rules import believed_income, capacity, decide, learn, move_on, peers, settle, trade
from sim.entrepreneurs.streams import Stream

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns

__all__ = ["Entrepreneur", "Identities"]


class _Attribute:
    """One column of an agent's row, read and written as an attribute."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.__doc__ = COLUMNS[name].meaning

    def __get__(self, agent: Entrepreneur | None, owner: type) -> Any:
        return self if agent is None else getattr(agent.people, self.name)[agent.row].item()

    def __set__(self, agent: Entrepreneur, value: float) -> None:
        getattr(agent.people, self.name)[agent.row] = value


class Identities:
    """Counts a model's agents in the model itself: Mesa before 3.5 does it in a table that keeps all models alive."""

    def __getitem__(self, model: mesa.Model) -> count[int]:
        counter: count[int] = model.__dict__.setdefault("_agents_numbered", count(1))
        return counter


class Entrepreneur(mesa.Agent):  # type: ignore[misc]
    """A founder and his shop: one row of `people`.

    Attributes
    ----------
    row
        His row now; it changes when others leave. His identity is `uid`.
    """

    _ids = Identities()

    uid = _Attribute("uid")
    age = _Attribute("age")
    education = _Attribute("education")
    origin = _Attribute("origin")
    channel = _Attribute("channel")
    potential = _Attribute("potential")
    level = _Attribute("level")
    standing = _Attribute("standing")
    shock = _Attribute("shock")
    training = _Attribute("training")
    belief = _Attribute("belief")
    cash = _Attribute("cash")
    reservation = _Attribute("reservation")
    relief = _Attribute("relief")
    sales = _Attribute("sales")
    smoothed = _Attribute("smoothed")
    first_sales = _Attribute("first_sales")
    income = _Attribute("income")
    rent = _Attribute("rent")
    staff = _Attribute("staff")
    received = _Attribute("received")
    house = _Attribute("house")
    highest = _Attribute("highest")
    waiting = _Attribute("waiting")
    months_in = _Attribute("months_in")
    low_months = _Attribute("low_months")
    call = _Attribute("call")

    def __init__(self, model: mesa.Model, people: Columns, row: int) -> None:
        super().__init__(model)
        self.people = people
        self.row = row

    def luck(self, stream: Stream) -> float:
        """His draw of a stream this month, strictly between 0 and 1."""
        return word_to_uniform(self._words[stream])

    def step(self) -> None:
        """His month: trade, settle, learn, decide, move on; then what he asks of the chain."""
        uid, (k0, k1, month) = self.uid, self.model.month_key
        low, high = uid & 0xFFFFFFFF, (uid >> 32) & 0xFFFFFFFF
        self._words = (*philox(low, high, month, 0, k0, k1), *philox(low, high, month, 1, k0, k1))
        self._table = self.model.houses.table
        self.trade()
        self.settle()
        self.learn()
        self.decide()
        self.move_on()
        self.ask()

    def trade(self) -> None:
        """Sell, hire, rent space."""
        house = self.house
        self._ln_market = self.model.competition.factor[self.channel]
        self._uplift = self._table.uplift[house].item()
        self._rent = self._table.rent[house].item()
        self._ln_x = self.level + self.standing + self.shock + self.training + self._uplift
        sales, space, staff, self.smoothed = trade(
            self.model.constants, self._ln_x, self._ln_market, self.smoothed, float(self.age)
        )
        self.sales, self.staff, self.rent = sales, int(staff), self._rent * space
        if self.age == 0:
            self.first_sales = sales

    def settle(self) -> None:
        """Pay rent and household; save, or draw on cash."""
        self.income = self.model.constants.margin * self.sales - self.rent
        self.cash = settle(self.model.constants, self.cash, self.sales, self.rent, self.reservation)

    def learn(self) -> None:
        """Learn about his own potential, and from better peers in the house."""
        self.belief = learn(self.model.constants, self.belief, self._ln_x, float(self.age))
        near = self._table.peer_level[self.house].item()
        self.standing = self.standing + peers(self.model.constants, self.level + self.standing, near)

    def decide(self) -> None:
        """Go on, or close: by chance, insolvent, or because it does not pay."""
        c = self.model.constants
        hoped = believed_income(c, self.belief, self._ln_market, self._rent * (1.0 - self.relief))
        luck = (self.luck(Stream.CHANCE), self.luck(Stream.REVIEW))
        self.call = decide(c, self.cash, hoped, self.reservation, *luck)

    def move_on(self) -> None:
        """Potential draws him in, luck comes and goes, training fades, he grows a month older.

            tr <- (1 - 1 / training_lasts) tr
            a <- a + 1
            months_in <- months_in + 1

        P, W and u move as the rule of this name says.
        """
        luck = tuple(self.luck(s) for s in (Stream.PERSISTENT, Stream.PRODUCT, Stream.JUMP, Stream.JUMP_SIZE))
        state = (self.level, self.standing, self.shock)
        self.level, self.standing, self.shock = move_on(self.model.constants, self.potential, state, luck)  # type: ignore[arg-type]
        self.training *= self.model.constants.training_kept
        self.age += 1
        self.months_in += 1

    def ask(self) -> None:
        """Ask the chain for a place, or be asked to leave.

            low_months <- low_months + 1    if R < threshold / 2 of a stage from which one falls back
                       <- 0                 otherwise
            tenancy over:  months_in >= tenancy
            falls back:    low_months >= 6
            applies:       on a waiting list, or U_apply < apply and (R >= threshold or income >= or_net_income)

        Threshold, income and chance to apply are here the most inviting of all stages that he may apply to; which of
        them he does apply to, and on what conditions, is settled with the places.
        """
        house, table = self.house, self._table
        self.low_months = self.low_months + 1 if self.smoothed < table.floor[house] else 0
        worthy = self.smoothed >= table.bar[house] or self.income >= table.bar_income[house]
        applies = (self.luck(Stream.APPLY) < table.apply[house] and worthy) or self.waiting > 0
        over = self.months_in >= table.tenancy[house]
        falls = self.low_months >= LOW_MONTHS
        self.call |= (TENANCY_OVER if over else 0) | (FALLS_BACK if falls else 0) | (APPLIES if applies else 0)

    def tally(self) -> tuple[int, int, int, int]:
        """His part of the month's sums: sales in fen, ability in 1e-6 log, count and staff, capacity."""
        ability = self.level + self.standing
        sells = capacity(self.model.constants, ability + self.training + self._uplift) if not self.call & 3 else 0.0
        return int(self.sales * 100.0), int(ability * 1e6), (1 << STAFF_BITS) + self.staff, int(sells)
