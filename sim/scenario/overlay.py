"""Values given by dotted path, as a layer over the files: `--set` and `Scenario.replace`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.errors import Problem
from sim.policy._instrument import PolicyInstrument
from sim.scenario.document import Node
from sim.scenario.merge import node_of
from sim.scenario.messages import nearest, problem
from sim.scenario.schema import Scenario
from sim.scenario.shape import ITEMS, NONE, Shape, fields, instrument, item, shape
from sim.scenario.source import Place, shown, stray

__all__ = ["OVERRIDE", "overlay"]

OVERRIDE = "--set"
"""What stands for the file of a value that was given by path."""


def overlay(
    root: Node,
    overrides: Mapping[str, object],
    problems: list[Problem],
    own: Mapping[str, type[PolicyInstrument]] = NONE,
) -> Node:
    """The overrides as nodes to merge over `root`; a path that does not exist is a problem, with the nearest.

    `own` are the scenario's own instruments by type.
    """
    place = Place(OVERRIDE)
    over = Node({}, place)
    for path, value in overrides.items():
        unknown = _unknown(root, path, own)
        if unknown is not None:
            problems.append(problem(place, shown(path)[1:-1], "unknown_path", {"near": nearest(path, unknown)}))
            continue
        node = node_of(value, place)
        found = next((s for s in map(stray, _texts(node)) if s), None)
        if found:
            problems.append(problem(place, path, "stray", {"character": found[1]}))
            continue
        parts = path.split(".")
        if parts[0] in ITEMS and len(parts) == 2 and not isinstance(node.value, dict):
            problems.append(problem(place, path, "not_an_entry", {"found": shown(node.value), "path": path}))
            continue
        _put(over, parts, node, place)
    return over


def _texts(node: Node) -> Iterator[str]:
    below = node.value
    if isinstance(below, str):
        yield below
    elif isinstance(below, dict):
        yield from below
    for child in below.values() if isinstance(below, dict) else below if isinstance(below, list) else ():
        yield from _texts(child)


def _put(over: Node, parts: list[str], value: Node, place: Place) -> None:
    if parts[0] in ITEMS and len(parts) > 1:
        whole = over.value.get(parts[0])
        if whole is None or not isinstance(whole.value, list):
            whole = over.value[parts[0]] = Node([], place)
        items = whole.value
        entry = next((i for i in items if isinstance(i.value, dict) and _named(i) == parts[1]), None)
        if entry is None:
            entry = Node({"id": Node(parts[1], place)}, place)
            items.append(entry)
        if len(parts) == 2:
            entry.value.update(value.value)
            return
        over, parts = entry, parts[2:]
    for part in parts[:-1]:
        below = over.value.setdefault(part, Node({}, place))
        if not isinstance(below.value, dict):
            below = over.value[part] = Node({}, place)
        over = below
    over.value[parts[-1]] = value


def _named(entry: Node) -> Any:
    id = entry.value.get("id")
    return id.value if isinstance(id, Node) else None


def _unknown(root: Node, path: str, own: Mapping[str, type[PolicyInstrument]]) -> list[str] | None:
    """None if the path exists; else the paths that might be meant."""
    what: Shape | None = Shape("model", Scenario)
    node: Node | None = root
    walked: list[str] = []
    parts = path.split(".")
    while parts:
        part = parts.pop(0)
        if part == "remove" and len(walked) == 2 and walked[0] in ITEMS and not parts:
            return None
        prefix = ".".join(walked)
        known = _keys(what, node)
        if part not in known and not (what and what.kind == "table"):
            rest = "".join(f".{shown(p)[1:-1]}" for p in parts)
            return [(f"{prefix}." if prefix else "") + k + rest for k in known]
        walked.append(part)
        what, node = _step(what, node, part, own)
    return None


def _keys(what: Shape | None, node: Node | None) -> list[str]:
    if what is None:
        return []
    if what.kind == "items":
        return [i.value["id"].value for i in (node.value if node else None) or [] if _has_id(i)]
    return list(fields(what.model)) if what.model else []


def _has_id(entry: Node) -> bool:
    return isinstance(entry.value, dict) and "id" in entry.value and isinstance(entry.value["id"].value, str)


def _step(
    what: Shape | None, node: Node | None, part: str, own: Mapping[str, type[PolicyInstrument]]
) -> tuple[Shape | None, Node | None]:
    if what is None:
        return None, None
    if what.kind == "items":
        entry = next((i for i in (node.value if node else []) if _has_id(i) and i.value["id"].value == part), None)
        model: Any = what.model
        if model is PolicyInstrument and entry:
            type = entry.value.get("type")
            model = instrument(type.value if type else None, own)
        return Shape("model", model), entry
    below = node.value.get(part) if node and isinstance(node.value, dict) else None
    if what.kind == "table":
        return item(what), below
    return (shape(what.model, part) if what.model else None), below
