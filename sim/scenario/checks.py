"""Combinations that cannot be, and values that are probably not meant."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sim.errors import Problem
from sim.evidence import ledger
from sim.scenario.complaints import plain_number
from sim.scenario.messages import nearest, problem
from sim.scenario.provenance import leaves
from sim.scenario.source import Place, shown

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["MOST_HOUSES", "Finding", "combinations", "suspicions"]

MOST_HOUSES = 32_000
"""Houses of all stages together, a place outside for each stage included: a house's number takes two bytes."""

Finding = tuple[str, str, Mapping[str, object]]
"""Path, message key, arguments."""


def combinations(scenario: Any, explicit: Container[str]) -> Iterator[Finding]:
    """What cannot be, though each value by itself can.

    Parameters
    ----------
    scenario
        A `Scenario`, or plain data on its way to become one, in which anything may be missing or of the wrong type.
    explicit
        Paths that a file or an override sets; a default is nobody's mistake.
    """
    stages = _entries(scenario, "chain")
    ids = [_part(s, "id") for s in stages]
    for name in ("chain", "policy"):
        names = [_part(e, "id") for e in _entries(scenario, name)]
        for id in dict.fromkeys(n for n in names if isinstance(n, str) and names.count(n) > 1):
            yield name, "duplicate_id", {"found": shown(id), "line": 0}
    if stages:
        for key in ("places", "threshold", "growth", "max_age"):
            if _part(stages[0], key) not in (None, 0) or (key == "places" and _part(stages[0], key) == 0):
                yield f"chain.{ids[0]}.{key}", "first_open", {}
                break
    houses = [_part(s, "facilities") for s in stages]
    total = sum(n for n in houses if isinstance(n, int)) + len(stages)
    if total > MOST_HOUSES:
        yield "chain", "too_many_houses", {"found": total, "most": MOST_HOUSES}
    for entry in _entries(scenario, "policy"):
        yield from _instrument(entry, scenario, ids, explicit)
    initial = _part(scenario, "initial")
    burn_in = _part(initial, "kind") == "burn_in"
    for key in ("under", "entities", "mean_sales"):
        if _part(initial, key) is not None and not burn_in:
            yield f"initial.{key}", "needs_burn_in", {}
    if burn_in and _part(initial, "mean_sales") is not None and _part(initial, "entities") is None:
        yield "initial.mean_sales", "needs_entities", {}


def _instrument(entry: Any, scenario: Any, ids: list[Any], explicit: Container[str]) -> Iterator[Finding]:
    path = f"policy.{_part(entry, 'id')}"
    share = _part(entry, "share")
    for stage in share if isinstance(share, Mapping) else ():
        if stage not in ids:
            found = {"found": shown(stage), "near": nearest(stage, [i for i in ids if isinstance(i, str)])}
            yield f"{path}.share.{stage}", "unknown_stage", found
    amount, education = _part(entry, "amount"), _part(_part(scenario, "arrivals"), "education")
    for name in ("secondary", "associate", "bachelor", "master", "phd"):
        given, arriving = _part(amount, name), _part(education, name)
        if arriving is None and name == "secondary":
            arriving = 0
        if _positive(given) and arriving == 0 and f"{path}.amount.{name}" in explicit:
            yield f"{path}.amount.{name}", "nobody_has", {"education": name}
    since, until = _part(entry, "since"), _part(entry, "until")
    if isinstance(since, str) and isinstance(until, str) and until < since:
        yield f"{path}.until", "until_before_since", {"since": since}


def _part(thing: Any, key: str) -> Any:
    return thing.get(key) if isinstance(thing, Mapping) else getattr(thing, key, None)


def _entries(scenario: Any, name: str) -> list[Any]:
    entries = _part(scenario, name)
    return [e for e in entries if isinstance(_part(e, "id"), str)] if isinstance(entries, tuple | list) else []


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0


def suspicions(scenario: Scenario) -> list[Problem]:
    """Warnings: what is allowed and yet probably not meant, in the order of the files."""
    found: list[Problem] = []

    def warn(path: str, key: str, arguments: Mapping[str, object]) -> None:
        below = (o for p, o in scenario._origins.items() if p == path or p.startswith(f"{path}."))
        origin = next(below, None)
        place = Place(origin.file, origin.line, origin.column) if origin else Place(scenario.file)
        found.append(problem(place, path, key, arguments, "warning"))

    for path, reasons in _idle(scenario):
        warn(path, "no_effect", {"reason": reasons[0], "reason_zh": reasons[1]})
    for below, stage in pairwise(scenario.chain):
        if stage.threshold < below.threshold:
            numbers = {"found": plain_number(stage.threshold), "before": plain_number(below.threshold)}
            warn(f"chain.{stage.id}.threshold", "threshold_falls", {**numbers, "stage": below.id})
    for path, key, arguments in _odd_numbers(scenario):
        warn(path, key, arguments)
    return sorted(found, key=lambda p: (p.line == 0, p.line, p.column))


def _idle(scenario: Scenario) -> Iterator[tuple[str, tuple[str, str]]]:
    """Levers that move nothing."""
    rents = {stage.id: stage.rent for stage in scenario.chain}
    last = _month(scenario.horizon.start, scenario.horizon.months - 1)
    for stage in scenario.chain:
        if stage.capacity == 0:
            yield f"chain.{stage.id}.places", ("the stage has no places", "该阶段没有席位")
        if stage.falls_back and stage.threshold == 0:
            yield f"chain.{stage.id}.falls_back", ("there is no threshold to fall below", "没有可跌破的门槛")
    for lever in scenario.policy:
        path = f"policy.{lever.id}"
        if not lever.active:
            continue
        if lever.since and lever.since > last:
            yield f"{path}.since", ("it starts after the horizon ends", "开始于模拟期结束之后")
        if lever.until and lever.until < scenario.horizon.start and scenario.initial.kind == "empty":
            yield f"{path}.until", ("it ends before the horizon starts", "结束于模拟期开始之前")
        if lever.budget == 0:
            yield f"{path}.budget", ("its budget is 0", "预算为 0")
        share = getattr(lever, "share", None)
        if share is not None and not any(share.values()):
            yield f"{path}.share", ("no stage gets any relief", "没有阶段得到减免")
        for id, part in (share or {}).items():
            if part > 0 and rents.get(id) == 0:
                yield f"{path}.share.{id}", ("the rent of that stage is 0", "该阶段租金为 0")
        amount = getattr(lever, "amount", None)
        if amount is not None and not any(amount.__dict__.values()):
            yield f"{path}.amount", ("every amount is 0", "各项金额均为 0")
        for key in ("courses", "seats", "take_up", "eligible_share", "founders_qualify"):
            if getattr(lever, key, None) in (0, False) and hasattr(lever, key):
                yield f"{path}.{key}", ("nobody gets anything", "没有人得到任何东西")


def _month(start: str, later: int) -> str:
    year, month = int(start[:4]), int(start[5:]) - 1 + later
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def _odd_numbers(scenario: Scenario) -> Iterator[Finding]:
    """Numbers of a file off the published one by a power of ten, or out of the plausible range."""
    for path, value, what in leaves(scenario):
        origin = scenario._origins.get(path)
        if origin is None or not isinstance(value, int | float) or isinstance(value, bool):
            continue
        id = what.extra.get("evidence")
        if id and not origin.evidence and not origin.assumed and value and id in ledger.figures():
            published = ledger.value(id, what.unit)
            for power in (10, 100, 1000, 10_000):
                for factor in (power, 1 / power):
                    if isinstance(published, int | float) and abs(value - published * factor) <= 1e-9 * abs(value):
                        said = {"found": plain_number(value), "published": plain_number(published), "figure": id}
                        yield path, "factor", {**said, "factor": f"{factor:g}"}
        limits = origin.range or (None if origin.evidence else what.extra.get("range"))
        if limits and not limits[0] <= value <= limits[1]:
            ends = f"{plain_number(limits[0])} .. {plain_number(limits[1])}"
            unit = f" {what.unit}" if what.unit not in (None, "count") else ""
            yield path, "implausible", {"found": plain_number(value), "range": ends, "unit": unit}
