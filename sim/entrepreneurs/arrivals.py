"""Who arrives: how many each month, and with what education, origin and channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from sim.evidence.quantity import Parameters, quantity

__all__ = ["CHANNELS", "EDUCATION", "ORIGINS", "Arrivals", "ChannelMix", "EducationMix", "OriginMix", "Shares"]

EDUCATION = ("secondary", "associate", "bachelor", "master", "phd")
ORIGINS = ("graduate", "returnee", "local", "merchant_child")
CHANNELS = ("domestic", "livestream", "cross_border")

Shares = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Cumulative shares of education, origin and channel."""


class _Shares(Parameters):
    @model_validator(mode="after")
    def _add_to_one(self) -> _Shares:
        total = sum(self.model_dump().values())
        if abs(total - 1) > 1e-9:
            said = {"total": f"{total:.6g}"}
            raise PydanticCustomError("shares_sum", "shares must add to 1 (they add to {total})", said)
        return self


def _share(default: float, zh: str, en: str, **source: str) -> float:
    return quantity(default, unit="share", low=0, high=1, zh=zh, en=en, **source)  # type: ignore[no-any-return, arg-type]


_MIX = "no source gives the mix; vocational graduates start firms about twice as often as bachelors"


class EducationMix(_Shares):
    """Shares of arrivals by education."""

    secondary: float = _share(0.0, "中学及以下", "secondary or below", assumed=_MIX)
    associate: float = _share(0.60, "大专", "associate (junior college)", assumed=_MIX)
    bachelor: float = _share(0.35, "本科", "bachelor", assumed=_MIX)
    master: float = _share(0.045, "硕士", "master", assumed=_MIX)
    phd: float = _share(0.005, "博士", "doctor", assumed=_MIX)


class OriginMix(_Shares):
    """Shares of arrivals by origin. The published inflow counts students."""

    graduate: float = _share(1.0, "高校学生", "graduates", assumed="the published inflow counts students only")
    returnee: float = _share(0.0, "返乡者", "returnees", assumed="not in the published inflow")
    local: float = _share(0.0, "本地人", "locals", assumed="not in the published inflow")
    merchant_child: float = _share(0.0, "商二代", "merchants' children", assumed="not in the published inflow")


class ChannelMix(_Shares):
    """Shares of arrivals by sales channel."""

    domestic: float = _share(0.55, "国内电商", "domestic", assumed="what live-streaming and cross-border leave")
    livestream: float = _share(
        0.15,
        "直播电商",
        "live-streaming",
        assumed="its share of transactions in 2025; a doubtful figure",
    )
    cross_border: float = _share(0.30, "跨境电商", "cross-border", assumed="its share of transactions in 2025")


class Arrivals(Parameters):
    """The flow of founders into the city."""

    per_year: float = quantity(
        30000.0, unit="persons/year", low=0, high=2e6, range=(30000, 40000), evidence="student_inflow_per_year",
        zh="每年来创业的人数", en="people who come to found, per year, in the first year of the horizon",
    )  # fmt: skip
    growth_per_year: float = quantity(
        0.0, unit="1/year", low=-0.5, high=1, range=(0, 0.17), zh="此后每年增长",
        en="yearly growth of arrivals during the horizon", assumed="nobody forecasts it; taken as constant",
    )  # fmt: skip
    past_growth_per_year: float = quantity(
        0.10, unit="1/year", low=-0.5, high=1, range=(0, 0.17), zh="此前每年增长",
        en="yearly growth of arrivals before the horizon (burn-in)",
        assumed="no source; between no growth and the 17 % a year of the city's e-commerce",
    )  # fmt: skip
    summer_share: float = quantity(
        0.5, unit="share", low=0, high=1, range=(0.3, 0.6), zh="6至9月到达的比例",
        en="share that arrives in June to September", assumed="no source; most graduates come in summer",
    )  # fmt: skip
    education: EducationMix = EducationMix()
    origin: OriginMix = OriginMix()
    channel: ChannelMix = ChannelMix()

    def expected(self, month: int, calendar_month: int) -> float:
        """Expected arrivals in month `month` since the start (negative in the burn-in), persons.

            y = floor(month / 12)
            yearly = per_year (1 + growth_per_year)^y              from the start on
                   = per_year (1 + past_growth_per_year)^y         before it
            expected = yearly summer_share / 4                     in June to September
                     = yearly (1 - summer_share) / 8               in other months

        Growth is compounded by whole years, so that each year from the start holds the yearly figure.
        """
        year = month // 12
        growth = self.growth_per_year if year >= 0 else self.past_growth_per_year
        yearly = self.per_year * (1.0 + growth) ** year
        summer = 6 <= calendar_month <= 9
        return yearly * (self.summer_share / 4 if summer else (1 - self.summer_share) / 8)

    def shares(self) -> Shares:
        """Cumulative shares of education, origin and channel among arrivals."""
        mixes = ((self.education, EDUCATION), (self.origin, ORIGINS), (self.channel, CHANNELS))
        a, b, c = (np.cumsum([float(getattr(mix, n)) for n in names]) for mix, names in mixes)
        return a, b, c
