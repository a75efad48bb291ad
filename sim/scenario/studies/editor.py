"""The JSON Schema of a study file, for editors that complete keys and underline slips while one types."""

from __future__ import annotations

from typing import Any

from sim.scenario.editor import DIALECT, QUANTITY, TEMPLATE
from sim.scenario.studies.loader import KINDS

__all__ = ["json_schema"]

_EXTRAS = ("unit", "evidence", "assumed", "zh", "en")


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a study file of any kind.

    What a schema cannot say (paths and outcomes that exist, values that the scenario takes) is left to `load_study`.
    """
    defs: dict[str, Any] = {"Quantity": QUANTITY}
    kinds = []
    for kind, model in KINDS.items():
        one = model.model_json_schema(by_alias=True, ref_template=TEMPLATE)
        inner = one.pop("$defs", {})
        renamed = {name: f"{kind}_{name}" for name in inner}
        for name, part in {**inner, "": one}.items():
            defs[renamed.get(name, kind)] = _opened(_moved(part, renamed))
        says = {"properties": {"kind": {"const": kind}}}
        kinds.append({"if": says, "then": {"$ref": TEMPLATE.format(model=kind)}})
    named = {"enum": list(KINDS), "description": "what the runs are for"}
    return {
        "$schema": DIALECT, "type": "object", "required": ["kind"], "properties": {"kind": named}, "allOf": kinds,
        "$defs": defs,
    }  # fmt: skip


def _moved(part: Any, renamed: dict[str, str]) -> Any:
    """The same with its references under other names: two kinds may have models of one name."""
    if isinstance(part, list):
        return [_moved(p, renamed) for p in part]
    if not isinstance(part, dict):
        return part
    moved = {key: _moved(value, renamed) for key, value in part.items()}
    if "$ref" in moved:
        moved["$ref"] = TEMPLATE.format(model=renamed[moved["$ref"].rpartition("/")[2]])
    return moved


def _opened(part: dict[str, Any]) -> dict[str, Any]:
    """The same with quantities allowed where numbers are."""
    for key in _EXTRAS:
        if isinstance(part.get(key), str):
            part = {k: v for k, v in part.items() if k != key}
    opened = dict(part)
    if "properties" in part:
        opened["properties"] = {name: _opened(below) for name, below in part["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(part.get(key), dict):
            opened[key] = _opened(part[key])
    if "prefixItems" in part:
        opened["prefixItems"] = [_opened(below) for below in part["prefixItems"]]
    alternatives = [part] if "type" in part else part.get("anyOf", [])
    if any(one.get("type") in ("number", "integer") for one in alternatives):
        said: dict[str, Any] = {key: opened[key] for key in ("description", "default", "title") if key in opened}
        return said | {"anyOf": [*alternatives, {"$ref": TEMPLATE.format(model="Quantity")}]}
    if "anyOf" in part:
        opened["anyOf"] = [_opened(below) for below in part["anyOf"]]
    return opened
