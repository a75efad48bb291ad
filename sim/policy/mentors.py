"""Village mentor groups (村级导师团, 老带新): newcomers are guided, and reach their potential sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument", "guide"]


def guide(people: Columns, now: Now, rows: Rows, faster: float) -> None:
    """Potential draws the level in faster, where the level is below the potential.

        P <- P + mentoring kappa max(theta - P, 0)

    A guided founder gets sooner where he would have come, and no further. What he believes of himself is left alone:
    that moves to what he sees of his sales, as ever.
    """
    assert now.constants is not None
    level = people.level[rows]
    gap = np.maximum(people.potential[rows] - level, 0.0)
    people.level[rows] = level + faster * now.constants.kappa * gap


class Instrument(PolicyInstrument):
    """Village mentor groups.

    Villages are the houses of the first stage. They are alike and newcomers settle in them by lot, so the first of them
    stand for those that have a group: with more groups, the same villages keep theirs.
    """

    type: Literal["mentors"] = "mentors"
    villages: float = quantity(0.3, unit="share", low=0, high=1, range=(0.01, 1), zh="有导师团的村所占比例", en="share of villages with a mentor group", assumed="groups are described in one village; the 45 demonstration villages of some 150 are taken to have one")  # fmt: skip # noqa: E501
    max_age: int = quantity(12, unit="months", low=1, high=1200, range=(6, 24), zh="适用店龄上限", en="months in which a newcomer is guided", assumed="no source; the groups are meant for those who have just come")  # fmt: skip # noqa: E501
    mentoring: float = quantity(0.10, unit="share", low=0, high=1, range=(0, 0.3), zh="有导师时成长加快的幅度", en="how much faster potential draws the level in", assumed="the documents describe how experienced founders guide new ones, but no size; set small")  # fmt: skip # noqa: E501
    allowance: float = quantity(120.0, unit="CNY/person/year", low=0, high=1e6, range=(0, 600), zh="每名新人每年的导师津贴", en="allowance to the mentors for each newcomer", assumed="no source; the advice is free, and a village of 150 newcomers comes to 18,000 CNY a year")  # fmt: skip # noqa: E501

    in_cash = False

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Newcomers in the villages that have a group."""
        groups = round(self.villages * np.count_nonzero(now.stage_of == 0))
        rows = now.aged(people, 0, self.max_age)
        return rows[people.house[rows] < groups]

    def cost(self, people: Columns, now: Now, rows: Rows) -> int:
        """This month's part of the allowance."""
        return now.this_month(round(self.allowance * 100))

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """A month's guidance."""
        guide(people, now, rows, self.mentoring)

    def estimate(self, city: City) -> float | None:
        """Everybody in his first months, in the villages that have a group."""
        newcomers = sum(city.reaching(month) for month in range(self.max_age)) / 12
        return self.villages * newcomers * self.allowance / 12
