"""A scenario made smaller: one founder in so many, and the same of everything that is counted for the whole city.

What is said of a house, a shop or a person stays as it is. So shares, sales a shop and times are those of the whole
city but for chance and for rounding: with few houses and few places these come in steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sim.scenario.schema import Scenario

__all__ = ["COUNTED", "divisor", "from_empty", "scaled"]

COUNTED: Mapping[str, tuple[str, ...]] = {
    "training": ("courses",),
    "certificate": ("places",),
    "contest": ("teams", "winners.first", "winners.second", "winners.third"),
    "college_park": ("area",),
}
"""What an instrument of each type counts for the whole city, beside its budgets."""

_BUDGETS = ("budget", "budget_total")

_OPEN_HOUSES = 10
"""assumed: as few houses of a stage that is open to all still stand for many (mentors are in a share of them)."""


def divisor(scenario: Scenario, founders: int) -> int:
    """1 in how many founders leaves about so many newcomers in the horizon; two digits, at least 1."""
    by = scenario.arrivals.per_year * scenario.horizon.months / 12 / founders
    if by <= 1:
        return 1
    power = 10 ** max(math.floor(math.log10(by)) - 1, 0)
    return int(round(by / power) * power)


def from_empty(scenario: Scenario) -> Scenario:
    """The scenario without a city before the horizon; the stock that it states becomes part of the background."""
    changes: dict[str, object] = {
        "initial.kind": "empty",
        "initial.under": None,
        "initial.entities": None,
        "initial.mean_sales": None,
    }
    if scenario.initial.entities:
        changes["market.background.entities"] = scenario.market.background.entities + scenario.initial.entities
    return scenario.replace(changes)


def scaled(scenario: Scenario, by: int, values: Mapping[str, object]) -> dict[str, object]:
    """`values` (by path, for the whole city) and all else that must change with them, for one founder in `by`."""
    changes: dict[str, Any] = dict(values)
    if by == 1:
        return changes

    def said(path: str, otherwise: Any) -> Any:
        return values.get(path, otherwise)

    def divide(path: str, number: Any, *, least: int = 0) -> None:
        if number is not None:
            changes[path] = number / by if isinstance(number, float) else max(round(number / by), least)

    divide("arrivals.per_year", said("arrivals.per_year", scenario.arrivals.per_year))
    divide("market.background.entities", said("market.background.entities", scenario.market.background.entities))
    for stage in scenario.chain:
        here = f"chain.{stage.id}"
        houses, places = said(f"{here}.facilities", stage.facilities), said(f"{here}.places", stage.places)
        usual = said(f"{here}.usual_tenants", stage.usual_tenants)
        fewer = max(round(houses / by), 1 if places is not None else min(houses, _OPEN_HOUSES))
        changes[f"{here}.facilities"] = fewer
        if places is None:
            changes[f"{here}.usual_tenants"] = max(round(usual * houses / by / fewer), 1)
        elif places:
            changes[f"{here}.places"] = max(round(houses * places / by / fewer), 1)
            changes[f"{here}.usual_tenants"] = max(round(usual * houses / by / fewer), 1)
    for instrument in scenario.policy:
        here = f"policy.{instrument.id}"
        for name in (*_BUDGETS, *COUNTED.get(instrument.type, ())):
            held: Any = instrument
            for part in name.split("."):
                held = getattr(held, part)
            number = said(f"{here}.{name}", held)
            divide(f"{here}.{name}", number, least=1 if number and name not in _BUDGETS else 0)
    return changes
