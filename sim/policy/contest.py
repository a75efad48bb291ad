"""Founders' contest (电商创业大赛): once a year, prizes by rank, on merit and luck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.evidence.quantity import Parameters, quantity
from sim.policy._instrument import City, Draw, PolicyInstrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument", "Prize", "Winners"]

_ONE_PUBLISHED = "only one second prize is published; set around it"
_NINE = "how many prizes there are is not published; nine in all are 1.4 % of the teams"


class Prize(Parameters):
    """CNY to each winner, by prize."""

    first: float = quantity(15_000.0, unit="CNY/team", low=0, high=1e8, range=(8_000, 50_000), zh="一等奖奖金", en="first prize", assumed=_ONE_PUBLISHED)  # fmt: skip # noqa: E501
    second: float = quantity(8_000.0, unit="CNY/team", low=0, high=1e8, evidence="contest_second_prize", zh="二等奖奖金", en="second prize")  # fmt: skip # noqa: E501
    third: float = quantity(5_000.0, unit="CNY/team", low=0, high=1e8, range=(1_000, 8_000), zh="三等奖奖金", en="third prize", assumed=_ONE_PUBLISHED)  # fmt: skip # noqa: E501


class Winners(Parameters):
    """How many win each prize."""

    first: int = quantity(1, unit="count", low=0, high=10**5, range=(1, 3), zh="一等奖名额", en="first prizes", assumed=_NINE)  # fmt: skip # noqa: E501
    second: int = quantity(2, unit="count", low=0, high=10**5, range=(1, 7), zh="二等奖名额", en="second prizes", assumed=_NINE)  # fmt: skip # noqa: E501
    third: int = quantity(6, unit="count", low=0, high=10**5, range=(1, 20), zh="三等奖名额", en="third prizes", assumed=_NINE)  # fmt: skip # noqa: E501


class Instrument(PolicyInstrument):
    """Founders' contest. A team stands for one shop; teams of students without a shop are left out."""

    type: Literal["contest"] = "contest"
    teams: int = quantity(648, unit="count", low=0, high=10**6, evidence="contest_teams", zh="参赛队伍数", en="teams that enter, if there are as many")  # fmt: skip # noqa: E501
    month: int = quantity(6, unit="count", low=1, high=12, range=(1, 12), zh="举办月份", en="calendar month in which it is held, 1 to 12", assumed="the published contest was in June 2023; once a year is taken from that")  # fmt: skip # noqa: E501
    max_age: int = quantity(36, unit="months", low=2, high=1200, range=(12, 60), zh="参赛店龄上限", en="oldest shop that may enter", assumed="no source; the contest is taken to be for young shops")  # fmt: skip # noqa: E501
    prize: Prize = Prize()
    winners: Winners = Winners()
    noise_sd: float = quantity(1.0, unit="log", low=0, high=10, range=(0, 2), zh="评分中与销售无关的部分（标准差）", en="spread of what a jury sees beside sales, or misjudges", assumed="no source; as large as a good part of the differences in sales among young shops")  # fmt: skip # noqa: E501
    effect: float = quantity(0.0, unit="share", low=0, high=2, range=(0, 0.10), zh="获奖对销售额的作用", en="effect of a prize's renown on sales, fading", assumed="no causal evidence; one winner's account only")  # fmt: skip # noqa: E501

    def eligible(self, people: Columns, now: Now) -> Rows:
        """In the month of the contest, founders of young shops that have traded."""
        if now.calendar % 12 + 1 != self.month:
            return np.zeros(0, np.int64)
        return now.aged(people, 1, self.max_age)

    def takers(self, people: Columns, now: Now, rows: Rows) -> Rows:
        """Lots decide who of them enters; the winners, best first, have the highest scores.

            score = ln(max(R, 1)) + noise_sd N

        N is a standard normal draw.
        """
        if len(rows) > self.teams:
            lots = now.lots(self, people, rows, Draw.TAKE_UP)
            rows = rows[np.lexsort((people.uid[rows], lots))[: self.teams]]
        sales = now.logs(np.maximum(people.smoothed[rows], 1.0))
        score = sales + self.noise_sd * now.normals(self, people, rows)
        return rows[np.lexsort((now.lots(self, people, rows), -score))[: len(self._prizes())]]

    def _prizes(self) -> NDArray[np.int64]:
        each = [(round(getattr(self.prize, p) * 100), getattr(self.winners, p)) for p in Prize.model_fields]
        fen, number = zip(*each, strict=True)
        return np.repeat(np.array(fen, np.int64), number)

    def cost(self, people: Columns, now: Now, rows: Rows) -> NDArray[np.int64]:
        """The prizes, to rows in order of rank."""
        return self._prizes()[: len(rows)]

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """A winner's renown, if it does anything, fades as training does.

            tr <- max(tr, ln(1 + effect))

        It does not add to what a training has left: the larger of the two holds.
        """
        now.teach(people, rows, self.effect)

    def estimate(self, city: City) -> float | None:
        """All prizes, or as many as there are young shops, once a year."""
        young = sum(city.reaching(month) for month in range(1, self.max_age)) / 12
        return float(self._prizes()[: int(min(young, self.teams))].sum()) / 1200
