"""Where each number of a scenario comes from: the file that sets it, or the default and its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sim.errors import ScenarioError
from sim.evidence.audit import Origin
from sim.scenario.messages import nearest, problem
from sim.scenario.shape import Shape, fields, item, shape
from sim.scenario.source import Place, shown

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["leaves", "provenance", "why"]


def leaves(model: BaseModel, path: str = "") -> Iterator[tuple[str, Any, Shape]]:
    """Every single value of a scenario: dotted path, value, shape; in the order of the schema."""
    for key, field in fields(type(model)).items():
        what = shape(type(model), key)
        assert what is not None
        here = f"{path}.{key}" if path else key
        value = model.__dict__[_name(type(model), key, field.alias)]
        if isinstance(value, BaseModel):
            yield from leaves(value, here)
        elif isinstance(value, dict):
            yield from ((f"{here}.{k}", v, item(what)) for k, v in value.items())
        elif isinstance(value, tuple):
            for i, entry in enumerate(value):
                if isinstance(entry, BaseModel):
                    yield from leaves(entry, f"{here}.{entry.__dict__.get('id', i)}")
            if what.kind == "list":
                yield here, value, what
        else:
            yield here, value, what


def _name(model: type[BaseModel], key: str, alias: str | None) -> str:
    return key if alias is None else next(n for n, f in model.model_fields.items() if f.alias == key)


def _origin(scenario: Scenario, path: str, value: Any, what: Shape) -> Origin:
    """What the file says of a value, completed by what the field says: its unit, range and name, and its source if it
    is the field's own default."""
    extra, said = what.extra, scenario._origins.get(path)
    limits = tuple(extra["range"]) if "range" in extra else None
    default = what.field.get_default() if what.field else None
    names = {"zh": extra.get("zh", ""), "en": extra.get("en", "")}
    if said is None:
        return Origin(path, value, what.unit, limits, extra.get("evidence"), extra.get("assumed"), **names)
    if not said.evidence and not said.assumed and value == default:
        said = replace(said, evidence=extra.get("evidence"), assumed=extra.get("assumed"))
    return replace(said, value=value, unit=what.unit, range=said.range or limits, **names)


def provenance(scenario: Scenario) -> dict[str, Origin]:
    """Origin of every number, by dotted path, in the order of the schema."""
    return {
        path: _origin(scenario, path, value, what)
        for path, value, what in leaves(scenario)
        if what.unit and isinstance(value, int | float) and not isinstance(value, bool)
    }


def why(scenario: Scenario, path: str) -> Origin:
    """Origin of any single value.

    Raises
    ------
    ScenarioError
        There is no such path; the nearest is named.
    """
    known = {p: (value, what) for p, value, what in leaves(scenario)}
    if path not in known:
        below = [p for p in known if p.startswith(f"{path}.")]
        near = nearest(path, [below[0]] if below else known)
        place = Place(scenario.file)
        raise ScenarioError([problem(place, shown(path, 200)[1:-1], "unknown_path", {"near": near})])
    return _origin(scenario, path, *known[path])
