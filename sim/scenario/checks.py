"""Combinations that cannot be, though each value by itself can."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from sim.policy._instrument import PolicyInstrument
from sim.scenario.messages import nearest
from sim.scenario.shape import NONE, instrument
from sim.scenario.source import shown

__all__ = ["MOST_HOUSES", "Finding", "by_stage", "combinations"]

MOST_HOUSES = 32_000
"""Houses of all stages together, a place outside for each stage included: a house's number takes two bytes."""

Finding = tuple[str, str, Mapping[str, object]]
"""Path, message key, arguments."""


def combinations(
    scenario: Any, explicit: Container[str], own: Mapping[str, type[PolicyInstrument]] = NONE
) -> Iterator[Finding]:
    """What cannot be, though each value by itself can.

    Parameters
    ----------
    scenario
        A `Scenario`, or plain data on its way to become one, in which anything may be missing or of the wrong type.
    explicit
        Paths that a file or an override sets; a default is nobody's mistake.
    own
        The scenario's own instruments by type.
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
    levers = _entries(scenario, "policy")
    whole = ids if stages and len(stages) == len(_part(scenario, "chain")) else None
    for entry in levers:
        yield from _instrument(entry, scenario, whole, explicit)
        yield from _time(entry, own)
        yield from _covers(entry, levers)
    initial = _part(scenario, "initial")
    burn_in = _part(initial, "kind") == "burn_in"
    for key in ("under", "entities", "mean_sales"):
        if _part(initial, key) is not None and not burn_in:
            yield f"initial.{key}", "needs_burn_in", {}
    if burn_in and _part(initial, "mean_sales") is not None and _part(initial, "entities") is None:
        yield "initial.mean_sales", "needs_entities", {}


def _instrument(entry: Any, scenario: Any, ids: list[Any] | None, explicit: Container[str]) -> Iterator[Finding]:
    path = f"policy.{_part(entry, 'id')}"
    for below, stage in _stages(entry):
        if ids is not None and stage not in ids:  # of a broken chain nobody knows the stages
            found = {"found": shown(stage), "near": nearest(stage, [i for i in ids if isinstance(i, str)])}
            yield f"{path}.{below}", "unknown_stage", found
    amount, education = _part(entry, "amount"), _part(_part(scenario, "arrivals"), "education")
    for name in ("secondary", "associate", "bachelor", "master", "phd"):
        given, arriving = _part(amount, name), _part(education, name)
        if arriving is None and name == "secondary":
            arriving = 0
        if _positive(given) and arriving == 0 and f"{path}.amount.{name}" in explicit:
            yield f"{path}.amount.{name}", "nobody_has", {"education": name}


def _time(entry: Any, own: Mapping[str, type[PolicyInstrument]]) -> Iterator[Finding]:
    """An instrument ends before it starts, be it by its default."""
    usual = instrument(_part(entry, "type"), own).model_fields
    said = entry if isinstance(entry, Mapping) else entry.__dict__
    since, until = (said.get(key, usual[key].default) for key in ("since", "until"))
    if isinstance(since, str) and isinstance(until, str) and until < since:
        yield f"policy.{_part(entry, 'id')}.until", "until_before_since", {"since": since}


def _covers(fund: Any, levers: list[Any]) -> Iterator[Finding]:
    """A fund covers instruments of the same policy, and no fund."""
    covers = _part(fund, "covers")
    funds = {_part(lever, "id"): _part(lever, "covers") is not None for lever in levers}
    for i, id in enumerate(covers if isinstance(covers, tuple | list) else ()):
        path = f"policy.{_part(fund, 'id')}.covers.{i}"
        if not isinstance(id, str):
            continue
        if id not in funds:
            near = nearest(id, [name for name, is_fund in funds.items() if not is_fund])
            yield path, "unknown_lever", {"found": shown(id), "near": near}
        elif funds[id]:
            yield path, "covers_a_fund", {"found": shown(id)}


def by_stage(key: str) -> bool:
    """Whether a parameter of an instrument speaks of stages: `share`, `stage`, `stages`, `rent_by_stage`."""
    return key == "share" or key.endswith(("stage", "stages"))


def _stages(entry: Any) -> Iterator[tuple[str, Any]]:
    """Path below the instrument, and id, of each stage that it names."""
    held = entry if isinstance(entry, Mapping) else entry.__dict__
    for key, value in held.items():
        if not by_stage(str(key)):
            continue
        if isinstance(value, Mapping):
            yield from ((f"{key}.{stage}", stage) for stage in value)
        elif isinstance(value, tuple | list):
            yield from ((f"{key}.{i}", stage) for i, stage in enumerate(value) if isinstance(stage, str))
        elif isinstance(value, str):
            yield key, value


def _part(thing: Any, key: str) -> Any:
    return thing.get(key) if isinstance(thing, Mapping) else getattr(thing, key, None)


def _entries(scenario: Any, name: str) -> list[Any]:
    entries = _part(scenario, name)
    return [e for e in entries if isinstance(_part(e, "id"), str)] if isinstance(entries, tuple | list) else []


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0
