"""What every policy instrument is: parameters that a scenario sets, who may have it, what it costs, and what it does.

A file in this folder is an instrument: its name is the `type:` of the scenario, its class `Instrument` the parameters.
A scenario's own instruments come from files beside it (`components:`), and are no different.
"""

from __future__ import annotations

import builtins
import importlib
import pkgutil
from collections.abc import Mapping
from copy import deepcopy
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from sim.evidence.quantity import Label, Parameters, quantity

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._now import Now
    from sim.policy.ledger import Ledger

    Rows = NDArray[np.int64]

__all__ = ["City", "Draw", "PolicyInstrument", "find", "types"]

Month = Annotated[str, Field(pattern=r"^(19|20|21)\d\d-(0[1-9]|1[0-2])$")]


class Draw(IntEnum):
    """What an instrument draws for: four independent draws for each person and month (see `Now.drawn`)."""

    TAKE_UP = 0
    LOT = 1  # who is first
    ELIGIBLE = 2
    NOISE = 3


class City(NamedTuple):
    """What planner's arithmetic needs, for a first estimate of costs before anything is run."""

    arrivals: float
    """Founders a year."""
    shares: Mapping[str, float]
    """Share of arrivals by education, origin and channel, by name."""
    tenants: Mapping[str, float]
    """Tenants by stage if every place is taken; where a stage is open, those who are left of all arrivals."""
    rent: Mapping[str, float]
    """Rent of a shop by stage, CNY/month."""
    retention: float = 0.75
    """Share that goes on from one year to the next: what 100,000 residents on 30,000 arrivals a year come to."""

    def reaching(self, months: float) -> float:
        """Founders a year who are still there `months` after they came."""
        return float(self.arrivals * self.retention ** (months / 12))


class PolicyInstrument(Parameters):
    """What all instruments share. Most only say who is `eligible`, what it will `cost`, and what it does (`apply`)."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    type: str
    label: Label = Label()
    active: bool = Field(True, description="false switches the instrument off")
    since: Month | None = Field(None, description="first month in which it acts; null = always")
    until: Month | None = Field(None, description="last month in which it acts; null = for ever")
    budget: float | None = quantity(
        None, unit="CNY/year", low=0, high=1e13, zh="年度预算", en="yearly budget; null = no limit",
        assumed="no limit unless the scenario sets one",
    )  # fmt: skip
    budget_total: float | None = quantity(
        None, unit="CNY", low=0, high=1e14, zh="总预算", en="budget for the whole run; null = no limit",
        assumed="no limit unless the scenario sets one",
    )  # fmt: skip
    priority: Literal["lot", "merit"] = Field(
        "lot",
        description="who is first in a month in which money or places are short: by lot, or the largest sales first; "
        "earlier months always come first",
    )

    in_cash: ClassVar[bool] = True
    """Whether the money goes to the founder, or in kind: to trainers, landlords, banks."""
    remembers: ClassVar[Mapping[str, str]] = {}
    """What it keeps of each person: name -> dtype (i1, i2, i4, i8, f8), 0 at first; see `Columns.memory`.

    Notes of another kind, which an instrument of a scenario's own keeps in itself, begin anew with each run.
    """
    ours: ClassVar[bool] = True
    """Whether it comes with the program, and so keeps to what others are watched for."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Note where it comes from."""
        super().__pydantic_init_subclass__(**options)
        cls.ours = cls.__module__.startswith("sim.")

    def anew(self) -> PolicyInstrument:
        """The instrument as a run gets it: a copy of one that may keep notes of its own."""
        return self if self.ours else deepcopy(self)

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """One month: who is eligible, who of them takes it up, what is paid, what it does to those who got it.

        Nothing may depend on the order of rows: draws come from `now`, keyed by person and by this instrument's id.
        """
        rows = self.eligible(people, now)
        if len(rows) and len(rows := self.takers(people, now, rows)):
            served = ledger.pay(self, people, now, rows, self.cost(people, now, rows), in_cash=self.in_cash)
            if len(served):
                self.apply(people, now, served)

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Rows of those who may have it this month."""
        raise NotImplementedError

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Those of the eligible who take it up this month; all, unless an instrument says otherwise."""
        return rows

    def cost(self, people: Columns, now: Now, rows: Rows) -> NDArray[Any] | int:
        """What it costs for each, in whole fen (1/100 CNY); one number if it is the same for all."""
        raise NotImplementedError

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """What it does to those who got it, beside the money. Nothing, unless an instrument says otherwise."""

    def wind_down(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """A month after its last: settle what is still open. Nothing, unless an instrument says otherwise."""

    def closed(self, people: Columns, now: Now, ledger: Ledger, rows: Rows) -> None:
        """Settle with those who close their shops this month (their rows, sorted); they are gone afterwards."""

    def in_force(self, date: str) -> bool:
        """Whether it acts in the month `date` (YYYY-MM): from `since` to `until`."""
        return (self.since or date) <= date <= (self.until or date)

    def estimate(self, city: City) -> float | None:
        """What it would cost in a month without limits, by planner's arithmetic, CNY; None if that cannot be said."""
        return None


@cache
def types() -> tuple[str, ...]:
    """The instrument types there are: the files of this folder."""
    import sim.policy

    names = (m.name for m in pkgutil.iter_modules(sim.policy.__path__))
    return tuple(sorted(n for n in names if not n.startswith("_") and n != "ledger"))


def find(type: str) -> builtins.type[PolicyInstrument]:
    """The instrument class of a type. Raises KeyError if there is no such file."""
    if type not in types():
        raise KeyError(type)
    instrument: builtins.type[PolicyInstrument] = importlib.import_module(f"sim.policy.{type}").Instrument
    return instrument
