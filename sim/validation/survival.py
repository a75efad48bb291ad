"""How long shops live: levels, the shape of the hazard, life times that are not exponential, exit by size.

All but the last are about newcomers. Those of the first years of the horizon reach ages of eight to ten years within
ten years, thousands of them, under one market and one definition; the initial stock, whose age is known too, lived its
youth in a market that stood still, so it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.validation.estimators import fits, hazard_ratio
from sim.validation.fact import Fact, Part
from sim.validation.record import NotKnown, Record

__all__ = ["FACTS"]

_STEP = 6
"""assumed: months of age in a step of the hazard; years would hide a rise within the first one."""

_LATE = (96, 120)
"""Ages "at eight to ten years", months."""

_RISE = 1.1
"""assumed: a hazard that has risen by a tenth has risen; by less, it may be chance."""


def _one_year(record: Record) -> Mapping[str, float]:
    return {"survival": record.survival(12)}


def _five_years(record: Record) -> Mapping[str, float]:
    return {"survival_36m": record.survival(36), "survival_60m": record.survival(60)}


def _hazard_shape(record: Record) -> Mapping[str, float]:
    """Hazards of newcomers by half-years of age: exits over person-months at risk."""
    begin, end = _LATE
    record.survival(begin + 12)  # known beyond the first year of the late ages, or not at all
    at_risk, events = (np.asarray(x, float) for x in (record.lives.at_risk, record.lives.events))
    steps = np.arange(0, begin, _STEP)
    hazard = np.add.reduceat(events[:begin], steps) / np.add.reduceat(at_risk[:begin], steps)
    peak = int(hazard.argmax())
    late = events[begin:end].sum() / at_risk[begin:end].sum()
    rise = hazard[peak] / hazard[0] if hazard[0] > 0 else np.inf
    if not np.isfinite(rise):
        raise NotKnown("nobody_left")
    return {"rise": rise, "peak_age": float((peak + 1) * _STEP), "late": late / hazard[peak]}


def _life_times(record: Record) -> Mapping[str, float]:
    """Survival at each year of age against three laws."""
    ages = 12.0 * np.arange(1, 11)
    known = record.lives.known_to
    ages = ages[(ages <= record.months) & (ages <= known)]
    if ages.size < 8:
        raise NotKnown("too_short_for_age", months=record.months, age=96)
    survival = np.array([record.survival(int(age)) for age in ages])
    if survival[-1] <= 0 or survival[0] >= 1:
        raise NotKnown("nobody_left")
    laws = fits(ages, survival)
    best = min(laws["loglogistic"].error, laws["lognormal"].error)
    return {"exponential_error": laws["exponential"].error, "best_error": best}


def _exit_by_size(record: Record) -> Mapping[str, float]:
    """Everybody in the panel: thirds by annual sales, and who is gone a year later."""
    pairs = record.pairs
    return {"ratio": hazard_ratio(pairs.sales, pairs.after < 0)}


FACTS = (
    Fact(
        "survival_1y", 1, "survival", (Part("survival", 0.70, 0.92, "share"),), _one_year,
        ("bls_bed", "eurostat_bd"), "high", "fitted",
    ),
    Fact(
        "survival_5y", 2, "survival",
        (Part("survival_36m", 0.41, 0.51, "share"), Part("survival_60m", 0.38, 0.56, "share")), _five_years,
        ("bls_bed", "eurostat_bd", "mycos_founders"), "high", "fitted",
    ),
    Fact(
        "hazard_shape", 4, "survival",
        (Part("rise", _RISE, None, "ratio"), Part("peak_age", None, 48.0, "months"), Part("late", 0.25, 0.85, "ratio")),
        _hazard_shape, ("saic_2013", "us_bds", "ons_bd", "etailer_hazard"), "high",
    ),
    Fact(
        "life_times", 5, "survival",
        (Part("exponential_error", 0.04, None, "share"), Part("best_error", None, 0.03, "share")), _life_times,
        ("bls_bed",), "high",
    ),
    Fact(
        "exit_by_size", 6, "survival", (Part("ratio", 1.5, 9.0, "ratio"),), _exit_by_size, ("saic_2013",), "high",
    ),
)  # fmt: skip
"""assumed: the band at three years is the 0.46 of the source, five points to either side."""
