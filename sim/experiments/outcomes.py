"""Which outcomes a run of a chain has, and in which units: known by name alone, without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.errors import Problem
from sim.scenario.messages import nearest, problem
from sim.scenario.source import shown
from sim.scenario.studies import StudyFile, SweepStudy

__all__ = [
    "SURVIVAL",
    "SURVIVAL_OF",
    "SURVIVORS",
    "known_outcomes",
    "unknowable_outcomes",
    "unknown_outcomes",
    "wanted",
]

SURVIVAL = re.compile(r"survival_(\d{1,4})m")
"""Survival of the newcomers, at any age in months."""

SURVIVORS = re.compile(r"survivors_(\d{1,4})m")
"""How many newcomers reach an age, of those who came at least as long before the end."""

SURVIVAL_OF = re.compile(
    rf"survival_(\d{{1,4}})m_(?:education_({'|'.join(EDUCATION)})|origin_({'|'.join(ORIGINS)})|channel_({'|'.join(CHANNELS)}))"
)
"""Survival of the newcomers of one education, origin or channel."""

_FAMILIES = (SURVIVAL, SURVIVORS, SURVIVAL_OF)

_AGE = re.compile(r"(?:survival|survivors|rmst|spent_per_survivor)_(\d{1,4})m(?:_\w+)?")

_LIVES = {
    "arrivals": "persons",
    "survival_12m": "share",
    "survival_36m": "share",
    "survival_60m": "share",
    "median_life_months": "months",
    "rmst_60m": "months",
}
_SALES = {
    "living_end": "persons",
    "newcomers_living_end": "persons",
    "sales_mean_cny": "CNY/year",
    "sales_median_cny": "CNY/year",
    "sales_p10_cny": "CNY/year",
    "sales_p25_cny": "CNY/year",
    "sales_p75_cny": "CNY/year",
    "sales_p90_cny": "CNY/year",
    "sales_p99_cny": "CNY/year",
    "sales_gini": "share",
    "sales_top1_share": "share",
    "sales_top10_share": "share",
    "sales_tail_exponent": "exponent",
    "share_over_1m_cny": "share",
    "share_over_3m_cny": "share",
    "share_over_10m_cny": "share",
    "employees_total": "persons",
    "employees_mean": "persons",
}
_MONEY = {"spent_cny": "CNY", "spent_per_survivor_36m_cny": "CNY/person", "spent_per_survivor_60m_cny": "CNY/person"}
_GROWTH = {"growth_shape": "exponent", "growth_slope": "slope", "growth_slope_large": "slope"}
"""These need the yearly panel, so they are only measured where they are asked for."""
_MORE = {"residents": "persons", "sales_per_entity_cny": "CNY/year", "share_without_staff": "share"}


def known_outcomes(stages: Sequence[str]) -> Mapping[str, str]:
    """Units of the outcomes that any run of a chain has, by name.

    These are those of `sim.statistics.summary.outcomes` and of `sim.experiments.points.OUTCOMES`, in their order. Some
    are known at any age besides, such as ``survival_<months>m``.
    """
    later = stages[1:]
    return {
        **_LIVES,
        **{f"reached_{stage}": "share" for stage in later},
        **{f"months_to_{stage}": "months" for stage in later},
        **_SALES,
        **{f"occupancy_{stage}": "share" for stage in stages},
        **{f"waiting_{stage}": "count" for stage in stages},
        **_MONEY,
        **_MORE,
        **_GROWTH,
    }


def unknown_outcomes(study: StudyFile) -> Iterator[Problem]:
    """A problem for each outcome of a study that no run will have."""
    known = _known_to_all(study)
    for path, name in study.named_outcomes:
        if name not in known and not any(family.fullmatch(name) for family in _FAMILIES):
            said = {"found": shown(name), "near": nearest(name, known)}
            yield problem(study.place(path), path, "unknown_outcome", said)


def unknowable_outcomes(study: StudyFile) -> Iterator[Problem]:
    """A warning for each outcome at an age that no run of a study is long enough for."""
    months = max(there.horizon.months for there in study.scenarios)
    if isinstance(study, SweepStudy):
        ends = [a.ends for b in study.blocks for a in b.axes if a.path == "horizon.months"]
        months = max([months, *(int(end) for pair in ends for end in pair if isinstance(end, int))])
    for path, name in study.named_outcomes:
        if (match := _AGE.fullmatch(name)) and int(match[1]) > months:
            said = {"found": shown(name), "months": months}
            yield problem(study.place(path), path, "runs_too_short", said, "warning")


def wanted(study: SweepStudy) -> tuple[str, ...]:
    """The outcomes of a sweep: those that it names, or else all that any run of its chain has."""
    named = [name for _, name in study.named_outcomes]
    usual = () if study.outcomes else tuple(name for name in _known_to_all(study) if name not in _GROWTH)
    return tuple(dict.fromkeys((*study.outcomes, *usual, *named)))


def _known_to_all(study: StudyFile) -> Mapping[str, str]:
    """Units of the outcomes that every block of a study has, by name."""
    chains = dict.fromkeys(tuple(s.id for s in there.chain) for there in study.scenarios)
    known = [known_outcomes(chain) for chain in chains]
    return {name: unit for name, unit in known[0].items() if all(name in others for others in known)}
