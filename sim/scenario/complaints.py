"""What pydantic finds, said as problems: place, path, bound, unit, value found, nearest name."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sim.errors import Problem
from sim.policy._instrument import types as instrument_types
from sim.scenario.document import REFUSED, Node, number
from sim.scenario.messages import MESSAGES, nearest, problem
from sim.scenario.schema import MARK
from sim.scenario.settle import Loc, Settled, place_of
from sim.scenario.shape import Shape, fields
from sim.scenario.source import Place, shown

__all__ = ["complaints", "loc_of", "plain_number", "unit_of"]

_BOUNDS = {"greater_than_equal": (">=", "ge"), "greater_than": (">", "gt"),
           "less_than_equal": ("<=", "le"), "less_than": ("<", "lt")}  # fmt: skip
_TYPES = {
    "int_type": "whole", "int_from_float": "whole", "int_parsing": "whole", "int_parsing_size": "whole",
    "float_type": "number", "float_parsing": "number", "bool_type": "bool", "bool_parsing": "bool",
    "string_type": "text", "model_type": "mapping", "model_attributes_type": "mapping", "dict_type": "mapping",
    "tuple_type": "list", "list_type": "list",
}  # fmt: skip
_YES = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}

_MONTH = "(19|20"
"""How the pattern of a month goes."""


def complaints(error: ValidationError, settled: Settled) -> list[Problem]:
    """One problem for each thing that pydantic found, save what was complained about before."""
    found = []
    for detail in error.errors(include_url=False):
        loc = loc_of(detail)
        if not any(_node(settled, loc[:n]).value is REFUSED for n in range(len(loc) + 1)) and not _miscounted(detail):
            found.append(_complaint(detail, loc, settled))
    return [p for p in found if p.key != "missing" or p.path not in _meant(found)]


def loc_of(detail: ErrorDetails) -> Loc:
    """Where an error is, without pydantic's names for the forms of a key."""
    loc = tuple(p for p in detail["loc"] if not (isinstance(p, str) and p.startswith(MARK)))
    return loc[:-1] if detail["type"] == "calendar_year" else loc  # pydantic ends it with "[key]"


def _meant(found: list[Problem]) -> set[str]:
    """Paths that misspelt keys were meant to be: they are not missing besides."""
    meant = set()
    for p in found:
        near = dict(p.arguments).get("near")
        if p.key == "unknown_key" and isinstance(near, tuple):
            above = p.path.rpartition(".")[0]
            meant.add(f"{above}.{near[1]}" if above else near[1])
    return meant


def unit_of(what: Shape | None, path: str) -> str:
    """The unit as a message ends with it; things that are counted go by the name of their key."""
    unit = what.unit if what else None
    if unit in (None, "id", "outcome"):
        return ""
    if unit != "count":
        return f" {unit}"
    name = path.rpartition(".")[2]
    return f" {name}" if name.endswith("s") else ""


def plain_number(value: Any) -> str:
    """A number without ``.0``."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else shown(value)


def _miscounted(detail: ErrorDetails) -> bool:
    """Pydantic does not count entries that are wrong; there may be enough of them."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _node(settled: Settled, loc: Loc) -> Node:
    while loc and loc not in settled.nodes:
        loc = loc[:-1]
    return settled.nodes[loc]


def _path(settled: Settled, loc: Loc) -> str:
    if loc in settled.paths:
        return settled.paths[loc]
    above = _path(settled, loc[:-1])
    return f"{above}.{loc[-1]}" if above else str(loc[-1])


def _complaint(detail: ErrorDetails, loc: Loc, settled: Settled) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    node, what = _node(settled, loc), settled.shapes.get(loc)
    path, place, value = _path(settled, loc), place_of(node), detail["input"]
    unit = unit_of(what, path)
    in_unit = ("in", what.unit) if what and what.unit not in (None, "count", "id", "share") else ""
    if kind == "extra_forbidden":
        above = settled.shapes.get(loc[:-1])
        return _unknown_key(str(loc[-1]), path, node.key or node.place, above.model if above else None)
    if kind == "unknown_type":
        return _unknown_type(node, path, _sibling(settled, (*loc, "type")), (*instrument_types(), *settled.own))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _kind(node, path, what)
    if kind in _BOUNDS:
        sign, key = _BOUNDS[kind]
        said = {"bound": f"{sign} {plain_number(context[key])}", "unit": unit, "found": shown(value)}
        return problem(place, path, "bound", said)
    if kind in _TYPES:
        key = _TYPES[kind]
        if key == "mapping" and isinstance(value, str) and "：" in value:
            return problem(place, path, "wide_colon_at", {"found": shown(value)})
        if key == "text" and what and _MONTH in repr(what.field):
            return problem(place, path, "month", {"found": shown(value)})
        return problem(place, path, key, {"unit": in_unit, "found": shown(value), "hint": _hint(key, value)})
    if kind == "literal_error":
        choices = what.choices if what else ()
        said_choices = " / ".join(str(c) for c in choices) or str(context.get("expected", ""))
        near = nearest(value, map(str, choices)) if isinstance(value, str) else ""
        return problem(place, path, "one_of", {"choices": said_choices, "found": shown(value), "near": near})
    if kind == "string_pattern_mismatch":
        month = _MONTH in str(context.get("pattern"))
        return problem(place, path, "month" if month else "id_form", {"found": shown(value)})
    if kind in ("too_short", "too_long"):
        bound = f">= {context['min_length']}" if kind == "too_short" else f"<= {context['max_length']}"
        return problem(place, path, "length", {"bound": bound, "found": context["actual_length"]})
    if kind == "string_too_long":
        return problem(place, path, "text_length", {"bound": context["max_length"]})
    if kind == "finite_number":
        return problem(place, path, "not_finite", {"found": shown(value)})
    if kind == "calendar_year":
        return problem(node.key or node.place, path, kind, context)
    if kind in MESSAGES:
        near = _sibling(settled, loc) if kind == "missing" else ""
        return problem(place, path, kind, {"unit": unit, "near": near, **context})
    reason = str(context["error"]) if kind == "value_error" else detail["msg"]
    return problem(place, path, "other", {"reason": shown(reason, 300)[1:-1]})


def _sibling(settled: Settled, loc: Loc) -> tuple[str, ...] | str:
    """Of an entry that lacks something: the id beside it that may have been meant (a misspelt id makes a new entry)."""
    if len(loc) != 3 or not isinstance(loc[1], int):
        return ""
    entries = _node(settled, loc[:1]).value
    ids = [e.value["id"].value for e in entries if isinstance(e.value, dict) and "id" in e.value]
    mine = entries[loc[1]].value if isinstance(entries, list) and loc[1] < len(entries) else {}
    id = mine["id"].value if isinstance(mine, dict) and "id" in mine else None
    return nearest(id, [str(i) for i in ids if i != id]) if isinstance(id, str) else ""


def _unknown_type(entry: Node, path: str, sibling: tuple[str, ...] | str, known: tuple[str, ...]) -> Problem:
    type = entry.value.get("type") if isinstance(entry.value, dict) else None
    if type is None:
        return problem(place_of(entry), f"{path}.type", "missing", {"near": sibling})
    said = {"found": shown(type.value), "near": nearest(type.value, known) or ("component",)}
    return problem(type.place, f"{path}.type", "unknown_type", said)


def _kind(node: Node, path: str, what: Shape | None) -> Problem:
    """A mapping does not say which of several it is."""
    if not isinstance(node.value, dict):
        return problem(place_of(node), path, "mapping", {"found": shown(node.value)})
    named, kinds = node.value.get("kind"), [str(k) for k in what.kinds] if what else []
    if named is None:
        return problem(place_of(node), f"{path}.kind", "missing", {"near": ""})
    near = nearest(named.value, kinds) if isinstance(named.value, str) else ""
    said = {"choices": " / ".join(kinds), "found": shown(named.value), "near": near}
    return problem(named.place, f"{path}.kind", "one_of", said)


def _unknown_key(key: str, path: str, place: Place, model: type[BaseModel] | None) -> Problem:
    if "：" in key:
        return problem(place, path, "unknown_key_wide")
    if key == "<<":
        return problem(place, path, "unknown_key_merge")
    return problem(place, path, "unknown_key", {"near": nearest(key, fields(model) if model else ())})


def _hint(key: str, value: Any) -> Any:
    """The fragment that mends the most likely slip."""
    if key == "text" and value is not None and not isinstance(value, str):
        return ("quote",)
    if not isinstance(value, str):
        return ""
    if key == "bool":
        word = value.lower()
        return ("yes_no", shown(value)[1:-1], _YES[word]) if word in _YES else _quoted(value)
    if key in ("whole", "number"):
        if re.search("[０-９．]", value):
            return ("wide_digits",)
        for pattern, hint in (
            ("[万亿]", "wan"),
            (r"^[\d.]+\s*[%％]$", "percent"),
            (r"^\d{1,3}([,，]\d{3})+$", "no_comma"),
        ):
            if re.search(pattern, value):
                return (hint,)
        return _quoted(value)
    return ""


def _quoted(value: str) -> Any:
    if value in ("true", "false"):
        return ("remove_quotes",)
    return ("remove_quotes",) if not isinstance(number(value)[1], str | None) else ""
