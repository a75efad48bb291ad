"""Where each number of a scenario comes from: the file that sets it, or the default and its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sim.errors import ScenarioError
from sim.evidence import ledger
from sim.evidence.audit import Origin
from sim.scenario.messages import nearest, problem
from sim.scenario.shape import Shape, fields, item, shape
from sim.scenario.source import Place, shown

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["explain", "leaves", "provenance", "why"]


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
            for entry in value:
                if isinstance(entry, BaseModel):
                    yield from leaves(entry, f"{here}.{entry.__dict__['id']}")
        else:
            yield here, value, what


def _name(model: type[BaseModel], key: str, alias: str | None) -> str:
    return key if alias is None else next(n for n, f in model.model_fields.items() if f.alias == key)


def _origin(scenario: Scenario, path: str, value: Any, what: Shape) -> Origin:
    """What the file says of a value, completed by what the field says: its unit and range, and its source if it is
    the field's own default."""
    extra, said = what.extra, scenario._origins.get(path)
    limits = tuple(extra["range"]) if "range" in extra else None
    default = what.field.get_default() if what.field else None
    if said is None:
        return Origin(path, value, what.unit, limits, extra.get("evidence"), extra.get("assumed"))
    if not said.evidence and not said.assumed and value == default:
        said = replace(said, evidence=extra.get("evidence"), assumed=extra.get("assumed"))
    return replace(said, value=value, unit=what.unit, range=said.range or limits)


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


def explain(scenario: Scenario, path: str, lang: str = "en") -> str:
    """The answer to ``--why PATH`` in zh or en: value, unit, range, place, and the evidence or assumption behind it."""
    origin = why(scenario, path)
    what = next(w for p, _, w in leaves(scenario) if p == path)
    zh = lang.startswith("zh")
    lines = [f"{path} = {shown(origin.value)}" + (f" {origin.unit}" if origin.unit else "")]
    about = what.extra.get("zh" if zh else "en")
    if about:
        lines.append(about)
    if origin.range:
        lines.append(("合理范围 " if zh else "plausible range ") + f"{origin.range[0]:g} .. {origin.range[1]:g}")
    if origin.file:
        place = f"{origin.file}:{origin.line}:{origin.column}" if origin.line else origin.file
        lines.append(("设定于 " if zh else "set in ") + place)
    else:
        lines.append("默认值" if zh else "a default")
    if origin.evidence:
        figure = ledger.figure(origin.evidence)
        lines.append(
            f"{'公布数据' if zh else 'published'}: {figure.zh if zh else figure.en} = {figure.value} {figure.unit}"
            f" ({origin.evidence}, {figure.date}, {figure.source})"
        )
    elif origin.assumed:
        lines.append(("假设：" if zh else "assumed: ") + origin.assumed)
    elif what.unit:
        lines.append("没有说明来源" if zh else "no source is given")
    return "\n".join(lines)
