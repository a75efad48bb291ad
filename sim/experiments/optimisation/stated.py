"""From a study to what is to be decided."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.experiments.optimisation.problem import COST, Aim, Equity, Price, Problem
from sim.scenario.schema import Scenario
from sim.scenario.studies.optimisation import OptimisationStudy

__all__ = ["groups", "stated"]

_AGE = re.compile(r"(?:survival|survivors)_(\d+)m")

_USUAL = 36
"""Months of age at which groups are compared, unless the study speaks of another age."""


def stated(study: OptimisationStudy) -> Problem:
    """What a study wants to be decided."""
    scenario = study.block.scenario
    levers = tuple(axis for axis in study.block.axes if axis.role == "lever")
    prices = {
        axis.path: Price(lever.cost.yearly, lever.cost.once, lever.cost.saves)
        for axis, lever in zip(levers, study.levers, strict=True)
        if lever.cost
    }
    equity = None
    if study.equity:
        held = dict(groups(scenario, study.equity.outcome, study.equity.by))
        ratio = study.equity.ratio if study.equity.rule == "ratio" else None
        equity = Equity(held, study.equity.outcome, ratio, study.equity.tolerance)
    fails = study.robustness.fails
    return Problem(
        axes=levers,
        aims=tuple(Aim(o.outcome, o.more, o.indifference) for o in study.objectives),
        prices=prices,
        years=scenario.horizon.months / 12,
        scale=study.scale,
        budget=study.budget,
        equity=equity,
        groups=dict(groups(scenario, f"survival_{_age(study)}m", ("education", "origin", "channel"))),
        also=(fails.outcome,) if fails and fails.outcome != COST else (),
    )


def groups(scenario: Scenario, outcome: str, by: tuple[str, ...]) -> Iterator[tuple[tuple[str, str], str]]:
    """Groups of newcomers that there are, as (grouping, group), and the outcome of each."""
    for kind in by:
        for group, share in getattr(scenario.arrivals, kind).model_dump().items():
            if isinstance(share, float) and share > 0:
                yield (kind, group), f"{outcome}_{kind}_{group}"


def _age(study: OptimisationStudy) -> int:
    """Months of age of which the study speaks."""
    spoken = [study.equity.outcome] if study.equity else []
    spoken += [o.outcome for o in study.objectives]
    found = next((int(m[1]) for m in map(_AGE.fullmatch, spoken) if m), _USUAL)
    return min(found, study.block.scenario.horizon.months)
