"""Nodes become plain data: quantities become numbers, and every number's origin is noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from sim.errors import Problem
from sim.evidence.audit import Origin
from sim.policy._instrument import PolicyInstrument
from sim.scenario.document import REFUSED, Node
from sim.scenario.merge import is_quantity
from sim.scenario.messages import problem
from sim.scenario.number import inherited, sourced
from sim.scenario.shape import MAX_ENTRIES, NONE, Shape, instrument, item, shape
from sim.scenario.source import Place, shown

__all__ = ["Loc", "Settled", "place_of", "settle"]

Loc = tuple[str | int, ...]


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
    own: Mapping[str, type[PolicyInstrument]] = field(default_factory=lambda: NONE)
    _locs: dict[str, Loc] = field(default_factory=dict)

    def place(self, path: str) -> Place:
        """Place of a path, or of the nearest mapping that would hold it."""
        return place_of(self.node(path))

    def node(self, path: str) -> Node:
        """Node of a path, or of the nearest mapping that would hold it."""
        if not self._locs:
            self._locs = {p: loc for loc, p in self.paths.items()}
        while path not in self._locs:
            path = path.rpartition(".")[0]
        return self.nodes[self._locs[path]]

    def path_at(self, place: Place) -> str:
        """Path of the value at a place; empty if there is none."""
        return self.places.get(place, "")


def place_of(node: Node) -> Place:
    """Where to point: at the value itself, or at the key of a mapping or a list."""
    return node.key if node.key and isinstance(node.value, dict | list) else node.place


def settle(root: Node, model: type[BaseModel], own: Mapping[str, type[PolicyInstrument]] = NONE) -> Settled:
    """Turn merged nodes into plain data for `model`; `own` are the scenario's own instruments by type."""
    settled = Settled(own=own)
    settled.plain = _value(settled, root, Shape("model", model), (), "")
    return settled


def _value(settled: Settled, node: Node, what: Shape | None, loc: Loc, path: str) -> Any:
    settled.nodes[loc] = node
    settled.paths[loc] = path
    settled.places.setdefault(node.place, path)
    if what and what.variants and isinstance(node.value, dict):
        named = node.value.get("kind")
        what = what.variant(named.value if named and isinstance(named.value, str) else None)
    if what:
        settled.shapes[loc] = what
    if isinstance(node.value, dict):
        if what and what.numeric and not (what.model and not is_quantity(node)):
            return _quantity(settled, node, what, loc, path)
        if what and what.kind == "table" and len(node.value) > MAX_ENTRIES:
            said = {"bound": f"<= {MAX_ENTRIES}", "found": len(node.value)}
            settled.problems.append(problem(place_of(node), path, "length", said))
            settled.nodes[loc] = Node(REFUSED, node.place, node.key)
            return REFUSED
        return {
            key: _value(settled, child, _child(what, key), (*loc, key), f"{path}.{shown(key)[1:-1]}" if path else key)
            for key, child in node.value.items()
        }
    if isinstance(node.value, list):
        if what and what.kind == "list":
            _noted(settled, node, what, path)
        return tuple(_entry(settled, child, what, (*loc, i), path) for i, child in enumerate(node.value))
    if what and node.value is not REFUSED and what.kind not in ("model", "items", "list", "table"):
        _noted(settled, node, what, path)
    return node.value


def _noted(settled: Settled, node: Node, what: Shape, path: str) -> None:
    place, value = node.place, node.value
    said = tuple(child.value for child in value) if isinstance(value, list) else value
    limits = inherited(node, value, what) if what.numeric else None
    settled.origins[path] = Origin(path, said, what.unit, limits, file=place.file, line=place.line, column=place.column)


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
        if model is PolicyInstrument and isinstance(node.value, dict):
            type = node.value.get("type")
            model = instrument(type.value if type else None, settled.own)
        inner = Shape("model", model)
    elif what and what.kind == "list":
        inner = item(what)
    return _value(settled, node, inner, loc, f"{path}.{name}")


def _quantity(settled: Settled, node: Node, what: Shape, loc: Loc, path: str) -> Any:
    found = sourced(node, what, path, settled.problems)
    if found is None:
        settled.nodes[loc] = Node(REFUSED, node.place, node.key)
        return REFUSED
    place, limits = found.said_by.place, found.range or inherited(node, found.value, what)
    settled.nodes[loc] = Node(found.value, place, node.key)
    settled.origins[path] = Origin(
        path, found.value, what.unit, limits, found.evidence, found.assumed, place.file, place.line, place.column
    )
    return found.value
