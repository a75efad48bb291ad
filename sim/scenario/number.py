"""A number with its source: ``{evidence: id}`` or ``{value:, unit:, range:, evidence: / assumed:}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.errors import EvidenceError, Problem
from sim.evidence import ledger
from sim.scenario.document import REFUSED, Node
from sim.scenario.messages import NONE, nearest, problem
from sim.scenario.shape import Shape
from sim.scenario.source import shown

__all__ = ["Sourced", "inherited", "sourced"]

_KEYS = ("value", "unit", "range", "evidence", "assumed")


class Sourced(NamedTuple):
    """The number, in the unit of its key, and what stands beside it; `said_by` is where the number stands."""

    value: Any
    range: tuple[float, float] | None
    evidence: str | None
    assumed: str | None
    said_by: Node


class _Refusal(Exception):
    """A message key, its arguments, and the node to point at."""

    def __init__(self, at: Node, key: str, arguments: Mapping[str, object] = NONE) -> None:
        self.at, self.key, self.arguments = at, key, arguments


def sourced(node: Node, what: Shape, path: str, problems: list[Problem]) -> Sourced | None:
    """Read such a mapping for the key that `what` describes; None, and a problem more, if it is unsound."""
    parts: Mapping[str, Node] = node.value
    strange = [key for key in parts if key not in _KEYS]
    for key in strange:
        at = parts[key].key or parts[key].place
        problems.append(problem(at, f"{path}.{shown(key)[1:-1]}", "quantity_key", {"near": nearest(key, _KEYS)}))
    if strange or any(part.value is REFUSED for part in parts.values()):
        return None
    try:
        _form(node, parts, what)
        value = _value(parts, what)
        limits = _range(parts, what)
    except _Refusal as refusal:
        problems.append(problem(refusal.at.place, path, refusal.key, refusal.arguments))
        return None
    evidence, assumed = (parts[key].value if key in parts else None for key in ("evidence", "assumed"))
    return Sourced(value, limits, evidence, assumed, parts.get("value", node))


def _form(node: Node, parts: Mapping[str, Node], what: Shape) -> None:
    if "evidence" in parts and "assumed" in parts:
        raise _Refusal(node, "quantity_both")
    if "evidence" not in parts and "value" not in parts:
        raise _Refusal(node, "quantity_value")
    for key in ("evidence", "assumed", "unit"):
        if key in parts and not isinstance(parts[key].value, str):
            raise _Refusal(parts[key], "text", {"found": shown(parts[key].value), "hint": ""})
    if "unit" in parts and what.unit is not None:
        try:
            ledger.convert(1, parts["unit"].value, what.unit)
        except EvidenceError:
            said = {"found": shown(parts["unit"].value), "unit": what.unit}
            raise _Refusal(parts["unit"], "unit", said) from None


def _value(parts: Mapping[str, Node], what: Shape) -> Any:
    value = _converted(parts["value"].value, parts, what) if "value" in parts else None
    if "evidence" in parts:
        published = _published(parts["evidence"], what)
        if "value" not in parts:
            value = published
        elif ledger.figure(parts["evidence"].value).bound == "exact" and _differ(value, published):
            said = {"found": shown(value), "published": shown(published), "figure": parts["evidence"].value}
            raise _Refusal(parts["value"], "differs_from_figure", said)
    if what.kind == "whole" and isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # 36.0 months, after a conversion
    return value


def _published(named: Node, what: Shape) -> Any:
    if named.value not in ledger.figures():
        said = {"found": shown(named.value), "near": nearest(named.value, ledger.figures())}
        raise _Refusal(named, "no_figure", said)
    try:
        return ledger.value(named.value, what.unit)
    except EvidenceError as error:
        raise _Refusal(named, "unusable_figure", {"reason": str(error)}) from None


def _range(parts: Mapping[str, Node], what: Shape) -> tuple[float, float] | None:
    if "range" not in parts or parts["range"].value is None:
        return None
    given = parts["range"].value
    ends = [_converted(end.value, parts, what) for end in given] if isinstance(given, list) else []
    if len(ends) != 2 or not all(map(_is_number, ends)) or ends[0] > ends[1]:
        raise _Refusal(parts["range"], "range_form", {"unit": f" ({what.unit})" if what.unit else ""})
    return float(ends[0]), float(ends[1])


def inherited(node: Node, value: Any, what: Shape) -> tuple[float, float] | None:
    """The range stated for what a number has replaced, if it lies in it."""
    below = node.below
    if below is None or not _is_number(value):
        return None
    try:
        _form(below, below.value, what)
        limits = _range(below.value, what)
    except (_Refusal, EvidenceError):
        return None  # said of the file that states it, or moot
    return limits if limits and limits[0] <= value <= limits[1] else None


def _converted(number: Any, parts: Mapping[str, Node], what: Shape) -> Any:
    """In the unit of the key, if it is a number and says another; the units are known to fit."""
    if "unit" not in parts or what.unit is None or not _is_number(number):
        return number
    return ledger.convert(number, parts["unit"].value, what.unit)


def _differ(a: Any, b: Any) -> bool:
    return _is_number(a) and not (_is_number(b) and abs(a - b) <= 1e-9 * max(abs(a), abs(b)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
