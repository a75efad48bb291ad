"""How shops and cohorts grow: cohorts against their first year, tent-shaped growth rates, Gibrat's law, break-outs.

Size is a year's sales, growth the change of its log from one year to the next, of shops that traded all through both:
the first, short year of a shop is left out, as its sales say little of a whole one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.validation.estimators import slope, subbotin
from sim.validation.fact import Fact, Part
from sim.validation.record import NotKnown, Record, enough

__all__ = ["FACTS"]

_LARGE = 10_000_000.0
"""Annual sales of a break-out, CNY: where the chain's last stage begins."""


def _cohorts(record: Record) -> Mapping[str, float]:
    """Newcomers by year of arrival, seen at one and at five whole years of age (13-24 and 61-72 months).

    So US Business Dynamics count age: births are 0, a year later they are 1.
    """
    arrived, year = record.arrived, record.panel["year"].to_numpy()
    cohort = arrived // 12
    follow = (arrived >= 0) & (cohort + 6 <= record.years)
    persons = record.panel["employees"].to_numpy() + 1.0
    one, five = (persons[follow & (year == cohort + 1 + age)] for age in (1, 5))
    if not one.size or not five.size:
        raise NotKnown("too_short_for_age", months=record.months, age=72)
    return {"survivors": float(five.mean() / one.mean()), "total": float(five.sum() / one.sum())}


def _tent(record: Record) -> Mapping[str, float]:
    _, growth = record.growth
    return {"shape": subbotin(growth)}


def _gibrat(record: Record) -> Mapping[str, float]:
    size, growth = record.growth
    large = size >= np.median(size)
    return {"all": slope(size, growth), "large": slope(size[large], growth[large])}


def _break_outs(record: Record) -> Mapping[str, float]:
    """New shops seen at 10 million CNY a year or more by five years of age; firms of 10+ staff that grow fast.

    High growth is that of the statistical offices: staff up by more than a fifth a year over three years.
    """
    if record.months < 60:
        raise NotKnown("too_short_for_age", months=record.months, age=60)
    panel, arrived = record.panel, record.arrived
    early = (arrived >= 0) & (arrived <= record.months - 60) & (panel["age_months"].to_numpy() <= 60)
    large = panel["uid"].to_numpy()[early & (panel["sales_cny"].to_numpy() >= _LARGE)]
    followed = np.count_nonzero(record.new["arrival_month"].to_numpy() <= record.months - 60)
    if not followed:
        raise NotKnown("nobody_arrived")
    span = record.spans(3)
    firms = (span.staff >= 10) & (span.after >= 0)
    enough(int(firms.sum()))
    later = panel["employees"].to_numpy()[span.after[firms]]
    fast = float(np.mean(later > 1.2**3 * span.staff[firms]))
    return {"reach_10m": np.unique(large).size / followed, "high_growth": fast}


FACTS = (
    Fact(
        "cohort_growth", 8, "growth",
        (Part("survivors", 1.4, 2.2, "ratio"), Part("total", 0.75, 1.10, "ratio")), _cohorts,
        ("us_bds", "bls_bed"), "high",
    ),
    Fact(
        "tent", 11, "growth", (Part("shape", 0.5, 1.3, "exponent"),), _tent,
        ("bottazzi_secchi_2006", "zou_2019"), "high", "fitted",
    ),
    Fact(
        "gibrat", 13, "growth",
        (Part("all", -0.20, -0.01, "slope"), Part("large", -0.03, 0.03, "slope")), _gibrat,
        ("taobao_gibrat",), "medium", "fitted",
    ),
    Fact(
        "break_outs", 16, "growth",
        (Part("reach_10m", None, 0.03, "share"), Part("high_growth", 0.03, 0.12, "share")), _break_outs,
        ("ons_bd", "platform_study"), "medium",
    ),
)  # fmt: skip
