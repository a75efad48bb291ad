"""Planner's arithmetic: what the instruments would cost in this city, against what they may spend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from sim.evidence import ledger
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from sim.evidence.audit import Origin
    from sim.scenario.schema import Scenario

__all__ = ["PUBLISHED_FUND", "Suspicion", "active_months", "city", "is_fund", "monthly", "overspent", "reasoned"]

PUBLISHED_FUND = "d_special_fund_2024"
"""The figure that spending is set against where the scenario has no fund of its own."""

_HARDLY = 0.05
"""assumed: a budget of which less can be used is probably a slip."""

_ROUGHLY = 1.5
"""assumed: how far planner's arithmetic may be off: it takes every place as taken, and everybody as alike."""


class Suspicion(NamedTuple):
    """What is probably not meant (`warning`), or may well be and is good to know (`note`)."""

    path: str
    key: str
    arguments: Mapping[str, object]
    severity: Literal["warning", "note"] = "warning"


def city(scenario: Scenario) -> City:
    """The city as the instruments' estimates see it.

    As many people as arrive and stay, or as there are at the start; they fill the places of the chain, and those who
    are left are in its open stages, in equal parts.
    """
    mix, initial = scenario.arrivals, scenario.initial
    yearly, stay = mix.per_year, City._field_defaults["retention"]
    people = yearly / (1 - stay)
    if initial.kind == "empty":
        people = min(people, yearly * scenario.horizon.months / 12)
    people = max(people, initial.entities or 0)
    places = {stage.id: stage.capacity for stage in scenario.chain}
    full = sum(n for n in places.values() if n > 0)
    taken = min(1.0, people / full) if full else 0.0
    unplaced = (people - full * taken) / list(places.values()).count(-1)
    return City(
        arrivals=yearly,
        shares={**mix.education.model_dump(), **mix.origin.model_dump(), **mix.channel.model_dump()},
        tenants={id: unplaced if n < 0 else n * taken for id, n in places.items()},
        rent={stage.id: stage.rent for stage in scenario.chain},
    )


def is_fund(lever: PolicyInstrument) -> bool:
    """Whether it pays for other instruments."""
    return hasattr(lever, "covers")


def monthly(lever: PolicyInstrument, here: City) -> float | None:
    """What it would cost in a month without limits, CNY; None if that cannot be said.

    Whatever the estimate of somebody's own instrument raises is no answer either: it decides nothing in a run.
    """
    try:
        estimate = lever.estimate(here)
    except Exception:
        return None
    return float(estimate) if isinstance(estimate, int | float) and estimate == estimate else None


def active_months(lever: PolicyInstrument, scenario: Scenario) -> int:
    """Months of the horizon in which it acts."""
    first, months = _count(scenario.horizon.start), scenario.horizon.months
    since = max(first, _count(lever.since) if lever.since else first)
    until = min(first + months - 1, _count(lever.until) if lever.until else first + months)
    return max(until - since + 1, 0) if lever.active else 0


def _count(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def reasoned(origin: Origin | None) -> bool:
    """Whether a file gives a source or a reason for a number: then it is meant."""
    return origin is not None and bool(origin.evidence or origin.assumed)


def overspent(scenario: Scenario, here: City) -> Iterator[Suspicion]:
    """Budgets that are gone at once, budgets that cannot be used, and spending beyond the fund."""
    at_work = [lever for lever in scenario.policy if active_months(lever, scenario)]
    needs = {lever.id: monthly(lever, here) or 0.0 for lever in at_work if not is_fund(lever)}
    yearly = {i.id: min(12 * needs[i.id], _or_endless(i.budget)) for i in at_work if i.id in needs}
    paid_for: set[str] = set()
    for lever in at_work:
        if not is_fund(lever):
            yield from _budgets(lever, needs[lever.id], scenario)
            continue
        covered = {id: yearly[id] for id in getattr(lever, "covers", ()) if id in yearly}
        paid_for |= covered.keys()
        found = list(_budgets(lever, sum(covered.values()) / 12, scenario))
        yield from found or _beyond(lever, covered, scenario)
    houseless = here._replace(tenants=dict.fromkeys(here.tenants, 0.0))
    cash = {
        i.id: min(12 * (monthly(i, houseless) or 0.0), yearly[i.id])
        for i in at_work
        if i.id in yearly and i.in_cash and i.id not in paid_for
    }
    yield from _beyond_published(cash)


def _or_endless(budget: float | None) -> float:
    return float("inf") if budget is None else budget


def _budgets(lever: PolicyInstrument, need: float, scenario: Scenario) -> Iterator[Suspicion]:
    for key, months, span in (("budget", 12, "a_year"), ("budget_total", active_months(lever, scenario), "in_all")):
        path = f"policy.{lever.id}.{key}"
        holds, origin, whole = getattr(lever, key), scenario._origins.get(path), need * months
        if not holds or origin is None or need <= 0:
            continue
        severity: Literal["warning", "note"] = "note" if reasoned(origin) else "warning"
        said = {"found": ("money", holds), "need": ("money", need), "whole": ("money", whole), "span": (span,)}
        if holds <= need:
            ten_thousands = 1 / 3 <= holds * 10_000 / whole <= 3
            hint = ("in_ten_thousands", f"{holds * 10_000:.0f}") if ten_thousands else ""
            yield Suspicion(path, "spent_at_once", {**said, "hint": hint}, severity)
        elif whole < _HARDLY * holds:
            yield Suspicion(path, "hardly_used", {**said, "share": f"{100 * whole / holds:.2g}"}, severity)


def _beyond(fund: PolicyInstrument, covered: Mapping[str, float], scenario: Scenario) -> Iterator[Suspicion]:
    total = sum(covered.values())
    if fund.budget and total > fund.budget:
        path = f"policy.{fund.id}.budget"
        origin = scenario._origins.get(path)
        severity: Literal["warning", "note"] = "note" if origin and origin.assumed else "warning"
        said = {"ids": ", ".join(covered), "total": ("money", total), "fund": ("money", fund.budget)}
        yield Suspicion(path, "beyond_fund", said, severity)


def _beyond_published(cash: Mapping[str, float]) -> Iterator[Suspicion]:
    """Stipends and grants against the published fund; rents are left out: how many shops a tenant has shows in a run.

    What the city pays today comes to a little more than the fund by itself, which is worth a note. The figure is of low
    weight, and says that the fund is for bases, storage and training.
    """
    total, published = sum(cash.values()), ledger.value(PUBLISHED_FUND, "CNY/year")
    assert isinstance(published, int | float)
    if total > published:
        dear = sorted((id for id in cash if cash[id] > 0), key=lambda id: -cash[id])
        said = {"ids": ", ".join(dear), "total": ("money", total), "fund": ("money", published)}
        severity: Literal["warning", "note"] = "warning" if total > _ROUGHLY * published else "note"
        yield Suspicion(f"policy.{dear[0]}", "beyond_published", {**said, "figure": PUBLISHED_FUND}, severity)
