"""The JSON Schema of a scenario file, for editors that complete keys and underline slips while one types."""

from __future__ import annotations

from typing import Any

from sim.policy._instrument import find, types
from sim.scenario.components import Components, by_type
from sim.scenario.schema import Scenario

__all__ = ["DIALECT", "QUANTITY", "TEMPLATE", "json_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEMPLATE = "#/$defs/{model}"
QUANTITY = {
    "type": "object",
    "description": "a number with its unit, plausible range, and the figure or the assumption behind it",
    "properties": {
        "value": {"type": "number"},
        "unit": {"type": "string"},
        "range": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        "evidence": {"type": "string", "description": "id of a published figure (sim figures list)"},
        "assumed": {"type": "string", "description": "why this number, if no source gives it"},
    },
    "additionalProperties": False,
    "anyOf": [{"required": ["value"]}, {"required": ["evidence"]}],
    "not": {"required": ["evidence", "assumed"]},
}
_EXTRAS = ("unit", "range", "evidence", "assumed", "zh", "en")


def json_schema(own: Components) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario file.

    A file that extends another may leave out anything, so no key is required but the ids of entries. What a schema
    cannot say (shares that add to 1, stages that exist) is left to `load`. A file with `components` may hold types that
    are not among `own`, of which nothing is known here.
    """
    schema = Scenario.model_json_schema(by_alias=True, ref_template=TEMPLATE)
    defs: dict[str, Any] = schema["$defs"]
    instruments = []
    known = {**by_type(own), **{type: find(type) for type in types()}}
    for type, instrument in sorted(known.items()):
        one = instrument.model_json_schema(by_alias=True, ref_template=TEMPLATE)
        defs.update(one.pop("$defs", {}))
        one["properties"]["type"] = {"const": type}
        one["required"] = ["id", "type"]
        defs[f"policy_{type}"] = one
        instruments.append({"$ref": f"#/$defs/policy_{type}"})
    change = {"remove": {"const": True}, "before": {"type": "string"}, "after": {"type": "string"}}
    partial = {"type": "object", "required": ["id"], "not": {"required": ["type"]}}
    for name, model in defs.items():
        _open(model, ["id", "type"] if name.startswith("policy_") else ["id"] if name == "Stage" else [])
        if name == "Stage" or name.startswith("policy_"):
            model["properties"] |= change
    _open(schema, [])
    names = {"properties": {"type": {"enum": sorted(known)}}}
    foreign = {"type": "object", "required": ["id", "type"], "not": names}
    policy = {"type": "array", "maxItems": 100, "items": {"anyOf": [*instruments, partial, foreign]}}
    schema["if"] = {"not": {"required": ["components"]}}
    schema["then"] = {"properties": {"policy": {"items": names}}}
    schema["properties"]["policy"] = {"anyOf": [policy, {"type": "null"}], "description": "null = no policy at all"}
    if "Regime" in defs:
        defs["Regime"]["properties"]["policy"] = policy
    defs.pop("PolicyInstrument", None)
    defs["Quantity"] = QUANTITY
    schema["properties"] = {
        "extends": {"type": "string", "description": "scenario file that this one changes"}
    } | schema["properties"]
    return {"$schema": DIALECT, **schema}


def _open(model: dict[str, Any], required: list[str]) -> None:
    """Let quantities stand for numbers, and keys be left out."""
    model.pop("required", None)
    if required:
        model["required"] = required
    for key, field in model.get("properties", {}).items():
        if "unit" not in field:
            continue
        said = {k: field.pop(k) for k in _EXTRAS if k in field}
        text = [said.get("en"), said.get("zh"), f"[{said['unit']}]"]
        description = field.pop("description", None) or "; ".join(t for t in text if t)
        if field.get("type") == "object":
            entry = field["additionalProperties"]
            field["additionalProperties"] = {"anyOf": [entry, {"$ref": "#/$defs/Quantity"}]}
            model["properties"][key] = {**field, "description": description}
        else:
            field.pop("default", None)
            alternatives = field.pop("anyOf", None) or [field]
            model["properties"][key] = {
                "description": description,
                "anyOf": [*alternatives, {"$ref": "#/$defs/Quantity"}],
            }
