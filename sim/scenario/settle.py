"""Nodes become plain data: quantities become numbers, and every number's origin is noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from sim.errors import EvidenceError, Problem
from sim.evidence import ledger
from sim.evidence.audit import Origin
from sim.scenario.document import REFUSED, Node
from sim.scenario.merge import is_quantity
from sim.scenario.messages import NONE, nearest, problem
from sim.scenario.shape import Shape, instrument, item, shape
from sim.scenario.source import Place, shown

__all__ = ["Loc", "Settled", "place_of", "settle"]

Loc = tuple[str | int, ...]

_KEYS = ("value", "unit", "range", "evidence", "assumed")


@dataclass
class Settled:
    """Plain data for validation, and what is known of each place in it, by location as pydantic counts it."""

    plain: Any = None
    nodes: dict[Loc, Node] = field(default_factory=dict)
    paths: dict[Loc, str] = field(default_factory=dict)
    places: dict[Place, str] = field(default_factory=dict)
    shapes: dict[Loc, Shape] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: str) -> Place:
        """Place of a path, or of the nearest mapping that would hold it."""
        locs = {p: loc for loc, p in self.paths.items()}
        while path not in locs:
            path = path.rpartition(".")[0]
        return place_of(self.nodes[locs[path]])

    def path_at(self, place: Place) -> str:
        """Path of the value at a place; empty if there is none."""
        return self.places.get(place, "")


def place_of(node: Node) -> Place:
    """Where to point: at the value itself, or at the key of a mapping or a list."""
    return node.key if node.key and isinstance(node.value, dict | list) else node.place


def settle(root: Node, model: type[BaseModel]) -> Settled:
    """Turn merged nodes into plain data for `model`."""
    settled = Settled()
    settled.plain = _value(settled, root, Shape("model", model), (), "")
    return settled


def _value(settled: Settled, node: Node, what: Shape | None, loc: Loc, path: str) -> Any:
    settled.nodes[loc] = node
    settled.paths[loc] = path
    settled.places.setdefault(node.place, path)
    if what:
        settled.shapes[loc] = what
    if isinstance(node.value, dict):
        if what and what.numeric and not (what.model and not is_quantity(node)):
            return _quantity(settled, node, what, loc, path)
        return {
            key: _value(settled, child, _child(what, key), (*loc, key), f"{path}.{shown(key)[1:-1]}" if path else key)
            for key, child in node.value.items()
        }
    if isinstance(node.value, list):
        return tuple(_entry(settled, child, what, (*loc, i), path) for i, child in enumerate(node.value))
    if what and node.value is not REFUSED and what.kind not in ("model", "items", "list", "table"):
        place = node.place
        settled.origins[path] = Origin(
            path, node.value, what.unit, file=place.file, line=place.line, column=place.column
        )
    return node.value


def _child(what: Shape | None, key: str) -> Shape | None:
    if what is None:
        return None
    if what.kind == "table":
        return item(what)
    return shape(what.model, key) if what.model else None


def _entry(settled: Settled, node: Node, what: Shape | None, loc: Loc, path: str) -> Any:
    id = node.value.get("id") if isinstance(node.value, dict) else None
    name = shown(id.value)[1:-1] if id and isinstance(id.value, str) else str(loc[-1])
    inner = None
    if what and what.kind == "items":
        model = what.model
        if path == "policy" and isinstance(node.value, dict):
            type = node.value.get("type")
            model = instrument(type.value if type else None)
        inner = Shape("model", model)
    elif what and what.kind == "list":
        inner = Shape("choice", None, what.field, what.choices)
    return _value(settled, node, inner, loc, f"{path}.{name}")


def _quantity(settled: Settled, node: Node, what: Shape, loc: Loc, path: str) -> Any:
    """The number of ``{value:, unit:, range:, evidence: / assumed:}``, in the unit of its key."""
    parts: Mapping[str, Node] = node.value

    def refuse(at: Node, key: str, arguments: Mapping[str, object] = NONE) -> Any:
        settled.problems.append(problem(at.place, path, key, arguments))
        settled.nodes[loc] = Node(REFUSED, node.place, node.key)
        return REFUSED

    strange = [key for key in parts if key not in _KEYS]
    for key in strange:
        at = parts[key].key or parts[key].place
        near = {"near": nearest(key, _KEYS)}
        settled.problems.append(problem(at, f"{path}.{shown(key)[1:-1]}", "quantity_key", near))
    if any(p.value is REFUSED for p in parts.values()) or strange:
        settled.nodes[loc] = Node(REFUSED, node.place, node.key)
        return REFUSED
    if "evidence" in parts and "assumed" in parts:
        return refuse(node, "quantity_both")
    if "evidence" not in parts and "value" not in parts:
        return refuse(node, "quantity_value")
    for key in ("evidence", "assumed", "unit"):
        if key in parts and not isinstance(parts[key].value, str):
            return refuse(parts[key], "text", {"found": shown(parts[key].value), "hint": ""})
    unit = parts["unit"].value if "unit" in parts else None
    fits = unit is None or what.unit is None or _fits(unit, what.unit)
    if not fits:
        return refuse(parts["unit"], "unit", {"found": shown(unit), "unit": what.unit})

    def scaled(number: Any) -> Any:
        if unit is None or what.unit is None or isinstance(number, bool) or not isinstance(number, int | float):
            return number
        return ledger.convert(number, unit, what.unit)

    said_by = parts.get("value", node)
    value = scaled(parts["value"].value) if "value" in parts else None
    evidence = parts["evidence"].value if "evidence" in parts else None
    if evidence is not None:
        figure = ledger.figures().get(evidence)
        if figure is None:
            found = {"found": shown(evidence), "near": nearest(evidence, ledger.figures())}
            return refuse(parts["evidence"], "no_figure", found)
        try:
            published = ledger.value(evidence, what.unit)
        except EvidenceError as error:
            return refuse(parts["evidence"], "unusable_figure", {"reason": str(error)})
        if "value" not in parts:
            value = published
        elif isinstance(value, int | float) and figure.bound == "exact" and not _same(value, published):
            found = {"found": shown(value), "figure": evidence, "published": shown(published)}
            return refuse(parts["value"], "differs_from_figure", found)
    if what.kind == "whole" and isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    limits = None
    if "range" in parts and parts["range"].value is not None:
        ends = [scaled(n.value) for n in parts["range"].value] if isinstance(parts["range"].value, list) else []
        numbers = [e for e in ends if isinstance(e, int | float) and not isinstance(e, bool)]
        if len(ends) != 2 or len(numbers) != 2 or numbers[0] > numbers[1]:
            return refuse(parts["range"], "range_form", {"unit": f" ({what.unit})" if what.unit else ""})
        limits = (float(numbers[0]), float(numbers[1]))
    settled.nodes[loc] = Node(value, said_by.place, node.key)
    place = said_by.place
    settled.origins[path] = Origin(
        path, value, what.unit, limits, evidence, parts["assumed"].value if "assumed" in parts else None,
        place.file, place.line, place.column,
    )  # fmt: skip
    return value


def _fits(unit: str, to: str) -> bool:
    try:
        ledger.convert(1, unit, to)
    except EvidenceError:
        return False
    return True


def _same(value: float, published: object) -> bool:
    return isinstance(published, int | float) and abs(value - published) <= 1e-9 * max(abs(value), abs(published))
