"""One YAML file as plain data that knows its places.

YAML is read as events, and every limit is checked on the events: nothing is composed, no tag is looked up, no alias
is copied out before it has been counted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sim.errors import Problem, ScenarioError
from sim.scenario.messages import NONE, problem
from sim.scenario.source import Place, Text, read, shown, stray

__all__ = ["MAX_DEPTH", "MAX_NODES", "REFUSED", "Document", "Node", "number", "parse", "parse_value"]

MAX_NODES = 10_000
"""Most nodes of a file, aliases counted as what they stand for."""

MAX_DEPTH = 32
"""Deepest nesting."""


class Refused:
    """Stands for a value that has been complained about already, so that nobody complains twice."""


REFUSED = Refused()


@dataclass(slots=True)
class Node:
    """A value and its place. `value` is a dict or list of nodes, or a scalar; `key` is the place of its key.

    `below` is the quantity with a range that this has replaced, if it has none itself.
    """

    value: Any
    place: Place
    key: Place | None = None
    size: int = 1
    below: Node | None = None


@dataclass(frozen=True)
class Document:
    """A file's only document, a mapping, and what is wrong with it so far."""

    file: str
    root: Node
    problems: tuple[Problem, ...]


_INT = re.compile(r"[-+]?[0-9]+(_[0-9]+)*\Z")
_BASED = re.compile(r"0(o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_CONSTANTS = {t: v for w, v in (("null", None), ("true", True), ("false", False)) for t in (w, w.title(), w.upper())}
_CONSTANTS |= {"": None, "~": None}


def parse(path: str | os.PathLike[str], said_at: Place | None = None) -> Document:
    """Read a file that holds one YAML 1.2 mapping.

    Raises
    ------
    ScenarioError
        If the file cannot be read or its structure is unsound. Values that are merely wrong are in `problems`.
    """
    text = read(path, said_at)
    builder = _Builder(text)
    root = builder.document()
    if not isinstance(root.value, dict):
        found = "nothing" if root.value is None else shown(root.value)
        hint = "wide_colon_at" if isinstance(root.value, str) and "：" in root.value else "not_a_mapping"
        raise ScenarioError([*builder.problems, problem(root.place, "", hint, {"found": found})])
    return Document(text.file, root, tuple(builder.problems))


def _nothing(event: Event) -> bool:
    """Whether nothing is written where a value should stand."""
    return isinstance(event, ScalarEvent) and event.value == "" and bool(event.implicit[0])


def parse_value(text: str, file: str) -> Node:
    """Read one value in YAML, such as ``80``, ``[a, b]`` or ``{evidence: id}``, for ``--set``."""
    found = stray(text)
    if found:
        raise ScenarioError([problem(Place(file), "", "stray", {"character": found[1]})])
    if len(text) > 10_000:
        raise ScenarioError([problem(Place(file), "", "too_large", {"file": file, "limit": "10 kB"})])
    if not text.strip():
        raise ScenarioError([problem(Place(file), "", "no_value")])
    builder = _Builder(Text(file, text), placed=False)
    root = builder.document()
    if builder.problems:
        raise ScenarioError(builder.problems)
    return root


class _Builder:
    """Builds nodes from events, counting as it goes."""

    def __init__(self, text: Text, placed: bool = True) -> None:
        self.text = text
        self.placed = placed
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}
        self.nodes = 0

    def document(self) -> Node:
        events = self._events()
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise self._fatal(event, "two_documents")
                if event.version not in (None, (1, 2)) or event.tags:
                    raise self._fatal(event, "directive")
                root = self._node(next(events), events, 1)
        return root or Node(None, self._place_at(1, 1))

    def _events(self) -> Iterator[Event]:
        try:
            yield from YAML(typ="safe", pure=True).parse(self.text.content)
        except ScenarioError:
            raise
        except MarkedYAMLError as bad:
            raise self._syntax(bad) from None
        except Exception as bad:  # the parser's own slips on odd input (chr() out of range, ...) are a bad file too
            place = self._place_at(1, 1)
            reason = shown(str(bad).splitlines()[0] if str(bad) else type(bad).__name__)
            raise ScenarioError([*self.problems, problem(place, "", "syntax", {"reason": reason[1:-1]})]) from None

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._fatal(event, "too_deep", {"limit": MAX_DEPTH})
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        place = self._place(event)
        assert isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent)
        tagged = event.tag is not None and not (isinstance(event, ScalarEvent) and str(event.tag) == "!")
        if tagged:
            self._say(place, "tag", {"tag": shown(str(event.tag))})
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, MappingStartEvent):
            node = self._mapping(place, events, depth)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(place, events, depth)
        else:
            node = Node(self._scalar(event, place), place)
        if tagged:
            node = Node(REFUSED, place, size=node.size)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _mapping(self, place: Place, events: Iterator[Event], depth: int) -> Node:
        children: dict[str, Node] = {}
        size = 1
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key_place = self._place(event)
            key = self._key(event, key_place, events, depth)
            value = next(events)
            child = self._node(value, events, depth + 1)
            size += child.size
            if _nothing(value) and "：" not in (key or ""):  # a full-width colon makes one key of two: said elsewhere
                self._say(child.place, "no_value")
                child = Node(REFUSED, child.place)
            if key is None:
                continue
            if key in children:
                first = children[key].key
                self._say(key_place, "duplicate_key", {"key": shown(key), "line": first.line if first else 0})
                continue
            children[key] = Node(child.value, child.place, key_place, child.size)
        return Node(children, place, size=size)

    def _sequence(self, place: Place, events: Iterator[Event], depth: int) -> Node:
        items: list[Node] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._node(event, events, depth + 1))
            if _nothing(event):
                self._say(items[-1].place, "no_value")
        return Node(items, place, size=1 + sum(i.size for i in items))

    def _key(self, event: Event, place: Place, events: Iterator[Event], depth: int) -> str | None:
        """A key is text as it stands: 2013 and NO are keys as good as any."""
        if isinstance(event, ScalarEvent) and event.tag is None and event.value:
            self._count(event, 1)
            found = stray(event.value)
            if found:
                self._say(place, "stray", {"character": found[1]})
                return None
            return str(event.value)
        self._node(event, events, depth + 1)
        self._say(place, "odd_key")
        return None

    def _alias(self, event: AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            raise self._fatal(event, "unknown_alias", {"name": shown(event.anchor)})
        target = self.anchors[event.anchor]
        if target is None:
            raise self._fatal(event, "recursive_alias", {"name": shown(event.anchor)})
        self._count(event, target.size)
        return target

    def _scalar(self, event: ScalarEvent, place: Place) -> Any:
        text: str = event.value
        found = stray(text)
        if found:
            self._say(place, "stray", {"character": found[1]})
            return REFUSED
        if not event.implicit[0]:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        key, value = number(text)
        if key:
            self._say(place, key, {"found": shown(text)[1:-1]})
            return REFUSED
        return value

    def _count(self, event: Event, size: int) -> None:
        self.nodes += size
        if self.nodes > MAX_NODES:
            raise self._fatal(event, "too_many_nodes", {"limit": MAX_NODES})

    def _place(self, event: Event) -> Place:
        return self._place_at(event.start_mark.line + 1, event.start_mark.column + 1)

    def _place_at(self, line: int, column: int) -> Place:
        return Place(self.text.file, line, column) if self.placed else Place(self.text.file)

    def _say(self, place: Place, key: str, arguments: Mapping[str, object] = NONE) -> None:
        self.problems.append(problem(place, "", key, arguments))

    def _fatal(self, event: Event, key: str, arguments: Mapping[str, object] = NONE) -> ScenarioError:
        self._say(self._place(event), key, arguments)
        return ScenarioError(self.problems)

    def _syntax(self, bad: MarkedYAMLError) -> ScenarioError:
        """Say what a syntax error most likely comes from: a tab, a full-width colon, or else what the parser says."""
        mark = bad.problem_mark or bad.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        lines = self.text.content.split("\n")
        for at in range(min(line, len(lines) - 1), max(line - 3, -1), -1):
            tab = re.match(r" *\t", lines[at])
            if tab:
                self._say(self._place_at(at + 1, tab.end()), "tab")
                return ScenarioError(self.problems)
            colon = re.match(r"[\s{\[-]*[A-Za-z_]\w*\s*：", lines[at])
            if colon:
                self._say(self._place_at(at + 1, colon.end()), "wide_colon")
                return ScenarioError(self.problems)
        reason = shown(bad.problem or bad.context or "not YAML", 100)[1:-1]
        self._say(self._place_at(line + 1, column + 1), "syntax", {"reason": reason})
        return ScenarioError(self.problems)


def number(text: str) -> tuple[str, Any]:
    """A plain scalar as number or text, or the key of the message that refuses it."""
    if _INT.match(text):
        digits = text.lstrip("+-").replace("_", "")
        if len(digits) > 1 and digits[0] == "0":
            return "ambiguous_octal", None
        if len(digits) > 19 or not -(2**63) <= int(text) < 2**63:
            return "too_big", None
        return "", int(text)
    if _BASED.match(text):
        if len(text) > 24 or int(text, 0) >= 2**63:
            return "too_big", None
        return "", int(text, 0)
    if _NOT_FINITE.match(text):
        return "not_finite", None
    if _FLOAT.match(text):
        if re.match(r"[-+]?0[0-9]", text):
            return "ambiguous_octal", None
        value = float(text)
        return ("not_finite", None) if value in (float("inf"), float("-inf")) else ("", value)
    return "", text
