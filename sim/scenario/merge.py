"""Files laid over one another: `extends`, and `--set` as the topmost layer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import Problem, ScenarioError
from sim.scenario.document import REFUSED, Document, Node, parse
from sim.scenario.messages import nearest, problem
from sim.scenario.shape import ITEMS, MAX_ENTRIES
from sim.scenario.source import Place, name_of, shown

__all__ = ["MAX_FILES", "Layers", "beside", "follow", "is_quantity", "layers", "merge", "node_of"]

MAX_FILES = 10
"""Longest chain of `extends`."""

_ORDERS = ("remove", "before", "after")


@dataclass
class Layers:
    """A file and all that it extends, the base first; `whole` unless one of them could not be read."""

    documents: list[Document]
    problems: list[Problem]
    whole: bool = True

    @property
    def files(self) -> list[str]:
        """Names of the files, the first one first."""
        return [d.file for d in reversed(self.documents)]

    def merged(self) -> Node:
        """All layers laid over one another."""
        root = Node({}, Place(self.files[0], 1, 1))
        for depth, document in enumerate(self.documents):
            layer = Node({k: v for k, v in document.root.value.items() if k != "extends"}, document.root.place)
            root = merge(root, layer, self.problems, "", depth == 0)
        root.place = self.documents[-1].root.place
        return root


def layers(
    path: str | os.PathLike[str], read: dict[Path, Document] | None = None, said_at: Place | None = None
) -> Layers:
    """Read a file and the files it extends; `read` remembers those that have been read.

    Raises
    ------
    ScenarioError
        The first file cannot be read. A base that cannot, lies outside the folder tree of the first, or closes a circle
        is among the problems.
    """
    file = os.fspath(path)
    tree = follow(Path(file).parent)
    read = {} if read is None else read
    seen: dict[Path, str] = {}
    stack = Layers([], [])
    while True:
        real, name = follow(Path(file)), name_of(file)
        try:
            if said_at and seen and (len(seen) >= MAX_FILES or real in seen):
                chain = {"chain": " -> ".join([*seen.values(), name])}
                raise ScenarioError([problem(said_at, "extends", "circle", chain)])
            document = read[real] = read.get(real) or parse(file, said_at)
            seen[real] = name
            stack.documents.insert(0, document)
            stack.problems += document.problems
            named = document.root.value.get("extends")
            if named is None or named.value is None:
                return stack
            file, said_at = beside(file, named, "extends", tree), named.place
        except ScenarioError as error:
            if not stack.documents:
                raise
            stack.problems += error.problems
            stack.whole = False
            return stack


def beside(file: str, named: Node, path: str, tree: Path | None = None) -> str:
    """The file that a file names by a relative path, which may not leave the folder tree.

    Raises
    ------
    ScenarioError
        It is not text, absolute, or leads out, by ``..`` or by a link.
    """
    found = {"found": shown(named.value)}
    if not isinstance(named.value, str) or not named.value.strip():
        raise ScenarioError([problem(named.place, path, "needs_text", found)])
    target = Path(named.value)
    inside = tree or follow(Path(file).parent)
    joined = Path(file).parent / target
    foreign = target.is_absolute() or "\\" in named.value or ":" in named.value
    if foreign or not follow(joined).is_relative_to(inside):
        raise ScenarioError([problem(named.place, path, "path_leaves", found)])
    return os.path.normpath(joined)


def follow(path: Path) -> Path:
    """The path without links; as it is where the system knows no such path, which opening it will say."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path


def is_quantity(node: Node) -> bool:
    """Whether this is a number with its unit, range or source: ``{value: 40, assumed: ...}``, ``{evidence: id}``."""
    return isinstance(node.value, dict) and not {"value", "evidence"}.isdisjoint(node.value)


def merge(base: Node, over: Node, problems: list[Problem], path: str = "", first: bool = False) -> Node:
    """`over` laid over `base`: mappings key by key, `chain` and `policy` by id, anything else replaces.

    A quantity replaces as a whole, so that no number inherits another's source; what extends a file keeps its
    `components`. `first` says that there is nothing below, so that an empty list may stand.
    """
    if path == "components" and isinstance(over.value, list) and isinstance(base.value, list):
        return Node([*base.value, *over.value], over.place, over.key)
    if path in ITEMS:
        if over.value is None:
            return Node([], over.place, over.key) if path == "policy" else over
        if isinstance(over.value, list) and isinstance(base.value, list | None):
            return _by_id(base, over, problems, path, first)
    if not isinstance(over.value, dict) or not isinstance(base.value, dict) or is_quantity(over) or is_quantity(base):
        return _ranged(base, over)
    merged = dict(base.value)
    for key, child in over.value.items():
        below = merged.get(key, Node({} if isinstance(child.value, dict) else None, child.place))
        merged[key] = merge(below, child, problems, f"{path}.{key}" if path else key, first)
    return Node(merged, over.place, over.key or base.key)


def _ranged(base: Node, over: Node) -> Node:
    """`over`, which remembers the range stated below it: that holds if the new number lies in it (see `settle`)."""
    stated = base if is_quantity(base) and "range" in base.value else base.below
    return Node(over.value, over.place, over.key, over.size, stated) if stated else over


def _by_id(base: Node, over: Node, problems: list[Problem], path: str, first: bool) -> Node:
    if len(over.value) > MAX_ENTRIES:
        said = {"bound": f"<= {MAX_ENTRIES}", "found": len(over.value)}
        problems.append(problem(over.place, path, "length", said))
        return Node(REFUSED, over.place, over.key)
    kept: list[Node] = list(base.value or [])
    if not over.value and not first:
        problems.append(problem(over.place, path, "empty_list", {"key": path}))
    given: dict[str, Node] = {}
    for entry in over.value:
        id = _id(entry)
        if not isinstance(id, str):
            kept.append(entry)  # validation says what is wrong with it
            continue
        id_node: Node = entry.value["id"]
        here = f"{path}.{shown(id)[1:-1]}"
        if id in given:
            line = given[id].place.line
            problems.append(problem(id_node.place, path, "duplicate_id", {"found": shown(id), "line": line}))
            continue
        given[id] = id_node
        ids = [_id(k) for k in kept]
        orders = {key: entry.value[key] for key in _ORDERS if key in entry.value}
        entry = Node({k: v for k, v in entry.value.items() if k not in orders}, entry.place, entry.key)
        at = ids.index(id) if id in ids else None
        if "remove" in orders and orders["remove"].value is True:
            if at is None:
                problems.append(problem(id_node.place, here, "nothing_to_remove", _unknown(id, ids)))
            else:
                del kept[at]
                kept = [_without(k, id) for k in kept]
            continue
        if at is None:
            merged, at = entry, len(kept)
        else:
            merged = entry if _other_type(kept[at], entry) else merge(kept[at], entry, problems, here)
            del kept[at], ids[at]
        for key in ("before", "after"):
            if key in orders:
                beside_id = orders[key].value
                if beside_id in ids:
                    at = ids.index(beside_id) + (key == "after")
                else:
                    problems.append(
                        problem(orders[key].place, f"{here}.{key}", "no_neighbour", _unknown(beside_id, ids))
                    )
        kept.insert(at, merged)
    return Node(kept, over.place, over.key)


def _without(entry: Node, id: str) -> Node:
    """A fund forgets an instrument that is removed."""
    covered = entry.value.get("covers") if isinstance(entry.value, dict) else None
    if covered is None or not isinstance(covered.value, list):
        return entry
    left = [c for c in covered.value if c.value != id]
    return Node({**entry.value, "covers": Node(left, covered.place, covered.key)}, entry.place, entry.key)


def _other_type(below: Node, entry: Node) -> bool:
    a, b = below.value.get("type"), entry.value.get("type")
    return a is not None and b is not None and a.value != b.value


def _id(entry: Node) -> Any:
    id = entry.value.get("id") if isinstance(entry.value, dict) else None
    return id.value if id else None


def _unknown(id: object, ids: list[Any]) -> Mapping[str, object]:
    return {"found": shown(id), "near": nearest(id, [i for i in ids if isinstance(i, str)])}


def node_of(value: Any, place: Place) -> Node:
    """Plain Python data as nodes, for `--set` and `Scenario.replace`."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        return Node({str(k): node_of(v, place) for k, v in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node([node_of(v, place) for v in value], place)
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    return Node(value, place)
