"""What facts read: the tables of one replicate, the scenario's plain values, and the trials that were run on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.statistics.columns import Floats, Ints, Mask, counted
from sim.statistics.lifetable import LifeTable, life_table

__all__ = ["FEWEST", "FULL_YEAR", "NotKnown", "Pairs", "Record", "enough"]

FEWEST = 30
"""assumed: a share of fewer people than this is luck."""

FULL_YEAR = 12
"""Age from which the sales of a yearly observation are those of a whole year, months."""


class NotKnown(Exception):
    """Why a run cannot know something: a key of ``facts.reason`` in the catalogue, and what fills its text."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NotKnown) and (self.key, self.values) == (other.key, other.values)

    def __hash__(self) -> int:
        return hash(self.key)


def enough(count: int) -> None:
    """Raise NotKnown where there are too few people to tell anything."""
    if count < FEWEST:
        raise NotKnown("few", count=count, needed=FEWEST)


class Pairs(NamedTuple):
    """Shops at two yearly observations in a row, or gone by the second; arrays of shape (observations of the first,).

    Attributes
    ----------
    sales, staff, age, year : at the first
    after : position in the panel of the second; -1 where the shop had closed
    """

    sales: Floats
    staff: Ints
    age: Ints
    year: Ints
    after: Ints


@dataclass(frozen=True)
class Record:
    """One replicate.

    Attributes
    ----------
    tables : as in `sim.tables`; those that there are
    scenario : the resolved scenario as plain values
    trials : name of a trial -> its table, see `sim.experiments.scoring.trials`; or why it could not be run
    """

    tables: Mapping[str, pd.DataFrame]
    scenario: Mapping[str, Any]
    trials: Mapping[str, pd.DataFrame | NotKnown] = field(default_factory=dict)

    @property
    def months(self) -> int:
        """Length of the horizon."""
        return int(self.scenario["horizon"]["months"])

    @property
    def stages(self) -> tuple[str, ...]:
        """Ids of the chain, in order."""
        return tuple(stage["id"] for stage in self.scenario["chain"])

    def table(self, name: str) -> pd.DataFrame:
        """A table. Raises NotKnown where the run has none."""
        if name not in self.tables:
            raise NotKnown("no_panel" if name == "panel" else "no_table", table=name)
        return self.tables[name]

    def trial(self, name: str) -> pd.DataFrame:
        """What a trial found. Raises NotKnown where it was not run."""
        held = self.trials.get(name, NotKnown("no_trial"))
        if isinstance(held, NotKnown):
            raise held
        return held

    # newcomers --------------------------------------------------------------------------------------------------------

    @cached_property
    def new(self) -> pd.DataFrame:
        """Newcomers: first shops opened within the horizon."""
        people = self.table("entrepreneurs")
        return people[counted(people, "newcomers")]

    @cached_property
    def lives(self) -> LifeTable:
        """Life table of the newcomers, by month of age."""
        return life_table(self.new["duration_months"], self.new["event"])

    def survival(self, months: int) -> float:
        """Share of newcomers alive at an age. Raises NotKnown where nobody could be so old."""
        known = self.lives.at(months)
        if self.months < months or known is None:
            raise NotKnown("too_short_for_age", months=self.months, age=months)
        return known

    # the panel --------------------------------------------------------------------------------------------------------

    @cached_property
    def panel(self) -> pd.DataFrame:
        """The yearly panel, by identity and year."""
        panel = self.table("panel")
        if panel.empty:
            raise NotKnown("too_short", months=self.months)
        order = np.lexsort((panel["year"], panel["uid"]))
        return panel if bool(np.all(order[1:] > order[:-1])) else panel.iloc[order]

    @cached_property
    def years(self) -> int:
        """Observations of the panel."""
        return int(self.panel["year"].max())

    @cached_property
    def pairs(self) -> Pairs:
        """All shops at each yearly observation but the last, and where they are a year later."""
        return self.spans(1)

    def spans(self, years: int) -> Pairs:
        """All shops at each observation that another follows `years` later, and where they are then.

        Who trades at both trades at all observations between, and has a row for each.
        """
        p = self.panel
        uid, year = p["uid"].to_numpy(), p["year"].to_numpy().astype(np.intp)
        later = np.full(len(p), -1, np.intp)
        same = np.flatnonzero((uid[years:] == uid[:-years]) & (year[years:] == year[:-years] + years))
        later[same] = same + years
        first = year <= self.years - years
        if not first.any():
            raise NotKnown("too_short", months=self.months)
        columns = (p[name].to_numpy()[first] for name in ("sales_cny", "employees", "age_months"))
        sales, staff, age = columns
        return Pairs(sales, staff.astype(np.intp), age.astype(np.intp), year[first], later[first])

    @cached_property
    def growth(self) -> tuple[Floats, Floats]:
        """Log sales of a year, and their change to the next, of those who traded all through both."""
        both = (self.pairs.after >= 0) & (self.pairs.age >= FULL_YEAR)
        before, after = self.pairs.sales[both], self.panel["sales_cny"].to_numpy()[self.pairs.after[both]]
        sell = (before > 0) & (after > 0)
        if not sell.any():
            raise NotKnown("too_short", months=self.months)
        enough(int(sell.sum()))
        return np.log(before[sell]), np.log(after[sell] / before[sell])

    @cached_property
    def arrived(self) -> Ints:
        """Month of arrival of each row of the panel; -1 for the initial stock and for second shops."""
        p = self.panel
        month = 12 * p["year"].to_numpy().astype(np.intp) - p["age_months"].to_numpy()
        first: Mask = (p["uid"].to_numpy() % 10 == 0) & (month >= 0)
        out: Ints = np.where(first, month, -1)
        return out
