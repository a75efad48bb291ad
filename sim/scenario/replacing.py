"""`Scenario.replace`: a changed scenario in well under a millisecond, since sweeps make thousands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sim.errors import Problem, ScenarioError
from sim.evidence.audit import Origin
from sim.scenario.checks import combinations
from sim.scenario.complaints import complaints
from sim.scenario.components import by_type, components, lasting, unclear
from sim.scenario.document import Node
from sim.scenario.loader import under_file
from sim.scenario.merge import follow, merge, node_of
from sim.scenario.messages import problem
from sim.scenario.overlay import OVERRIDE, overlay
from sim.scenario.schema import Scenario
from sim.scenario.settle import settle
from sim.scenario.shape import fields
from sim.scenario.source import Place, shown, stray

__all__ = ["replaced"]


class _Slow(Exception):
    """Something needs the long way: an unknown path, an invalid value, a value with a source."""


def replaced(scenario: Scenario, changes: Mapping[str, object]) -> Scenario:
    """See `Scenario.replace`."""
    if not isinstance(changes, Mapping):
        raise ScenarioError([problem(Place(OVERRIDE), "", "needs_changes", {"found": shown(changes)})])
    try:
        return _quickly(scenario, changes)
    except (_Slow, ValidationError):
        return _thoroughly(scenario, changes)


def _quickly(scenario: Scenario, changes: Mapping[str, object]) -> Scenario:
    """Open only the models on the way to each value; pydantic takes the others as they are."""
    plain = _open(scenario)
    for path, value in changes.items():
        if hasattr(value, "item"):
            value = value.item()
        if not isinstance(value, int | float | str | None) or (isinstance(value, str) and stray(value)):
            raise _Slow
        _set(plain, path.split("."), value)
    changed = Scenario.model_validate(plain, context=scenario.own)
    if "initial.under" in changes or any(True for _ in combinations(changed, {*scenario._origins, *changes})):
        raise _Slow
    origins = {path: Origin(path, value, file=OVERRIDE) for path, value in changes.items()}
    return _dressed(changed, scenario, origins)


def _open(model: BaseModel) -> dict[str, Any]:
    held = model.__dict__
    return {key: held[name] for key, name in zip(fields(type(model)), type(model).model_fields, strict=True)}


def _set(plain: Any, parts: list[str], value: object) -> None:
    """Set a value deep in opened models, opening those on the way."""
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if isinstance(plain, list):
            index = next((i for i, e in enumerate(plain) if _id(e) == part), None)
            if index is None or last:
                raise _Slow
            plain[index] = _opened(plain[index])
            plain = plain[index]
        elif last:
            if part not in plain and not (at and parts[at - 1] in ("share", "by_year")):
                raise _Slow
            if isinstance(plain.get(part), BaseModel | tuple | dict | list):
                raise _Slow
            plain[part] = value
        else:
            if part not in plain or not isinstance(plain[part], BaseModel | tuple | dict | list):
                raise _Slow
            plain[part] = _opened(plain[part])
            plain = plain[part]


def _opened(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _open(value)
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, dict) else value


def _id(entry: Any) -> Any:
    return entry.get("id") if isinstance(entry, dict) else getattr(entry, "id", None)


def _thoroughly(scenario: Scenario, changes: Mapping[str, object]) -> Scenario:
    """As a file that extends this scenario would be read."""
    problems: list[Problem] = []
    plain = scenario.resolved()
    if isinstance(scenario.initial.under, str):
        plain["initial"]["under"] = scenario.initial.under
    root = node_of(plain, Place(scenario.file))
    over = overlay(root, changes, problems, by_type(scenario.own))
    own = {**scenario.own, **components(over, follow(Path(scenario.file).parent), scenario.file, problems)}
    under = _under(over)
    burn_in = _read(scenario, under, problems) if under else None
    own |= burn_in.own if burn_in else {}
    settled = settle(merge(root, over, problems), Scenario, by_type(own))
    problems += settled.problems
    if isinstance(settled.plain.get("components"), tuple):
        settled.plain["components"] = tuple(entry for entry, kind in own.items() if lasting(kind))
    changed = None
    try:
        changed = Scenario.model_validate(settled.plain, context=own)
    except ValidationError as error:
        problems += [p for p in complaints(error, settled) if not (p.key == "unknown_type" and unclear(over))]
    explicit = {*scenario._origins, *(p for p, o in settled.origins.items() if o.file == OVERRIDE)}
    for path, key, arguments in combinations(settled.plain, explicit, by_type(own)):
        problems.append(problem(Place(OVERRIDE), path, key, arguments))
    if problems or changed is None:
        raise ScenarioError(problems)
    origins = {path: o for path, o in settled.origins.items() if o.file == OVERRIDE}
    dressed = _dressed(changed, scenario, origins)
    if under:
        dressed._burn_in = burn_in
    return dressed


def _under(over: Node) -> Node | None:
    """What the changes say of `initial.under`."""
    initial = over.value.get("initial")
    return initial.value.get("under") if initial and isinstance(initial.value, dict) else None


def _read(scenario: Scenario, under: Node, problems: list[Problem]) -> Scenario | None:
    try:
        return under_file(scenario.file, under, scenario.file) if isinstance(under.value, str) else None
    except ScenarioError as error:
        problems += error.problems
        return None


def _ranged(origin: Origin, before: Origin | None) -> Origin:
    """With the range stated before, if it states none and lies in it; as a file that extends one has it."""
    value, limits = origin.value, before.range if before else None
    if origin.range or not limits or not isinstance(value, int | float) or not limits[0] <= value <= limits[1]:
        return origin
    return replace(origin, range=limits)


def _dressed(changed: Scenario, before: Scenario, origins: Mapping[str, Origin]) -> Scenario:
    changed._file = before._file
    kept = {path: _ranged(origin, before._origins.get(path)) for path, origin in origins.items()}
    changed._origins = {**before._origins, **kept}
    if before.initial.under is not None and changed.initial.under is not None:
        changed._burn_in = before._burn_in
    return changed
