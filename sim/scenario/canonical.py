"""A scenario written out in full: as plain data, as YAML, and as the hash that names its results."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from sim.scenario.components import fingerprint

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["digest", "resolved", "to_yaml"]

_NOT_HASHED = ("name", "description", "seed", "replicates", "engine", "components")


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Every value, defaults included, in the order of the schema; what `initial.under` names is written out."""
    plain: dict[str, Any] = scenario.model_dump(mode="json", by_alias=True)
    if scenario.initial.under is not None:
        before = scenario.burn_in.model_dump(mode="json", include={"chain", "policy"})
        plain["initial"]["under"] = before
    return plain


def digest(scenario: Scenario) -> str:
    """SHA-256, in hexadecimal, of what decides a run's numbers, whatever their spelling.

    Instruments that do not come with the program count by their source.
    """
    plain = {key: value for key, value in resolved(scenario).items() if key not in _NOT_HASHED}
    own = fingerprint((*scenario.policy, *scenario.burn_in.policy))
    plain |= {"components": own} if own else {}
    if plain["initial"]["under"] == {"chain": plain["chain"], "policy": plain["policy"]}:
        plain["initial"]["under"] = None
    text = json.dumps(_one_spelling(plain), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _one_spelling(value: Any) -> Any:
    if isinstance(value, dict):
        return {_one_spelling(k): _one_spelling(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_one_spelling(v) for v in value]
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def to_yaml(scenario: Scenario) -> str:
    """The resolved scenario as a file that loads into the same scenario, by itself.

    Numbers keep what the scenario's files say of them.
    """
    past = {f"initial.under.{path}": notes for path, notes in _said(scenario.burn_in).items()}
    return "".join(_lines(resolved(scenario), "", "", past | _said(scenario)))


def _said(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """What the files say of a number beside its value, by dotted path; what the schema says is not repeated."""
    found = {}
    for path, origin in scenario.provenance.items():
        said = scenario._origins.get(path)
        if said and (said.evidence or said.assumed):
            own = {"unit": origin.unit, "range": said.range, "evidence": said.evidence, "assumed": said.assumed}
            found[path] = {key: value for key, value in own.items() if value}
    return found


def _lines(value: Any, indent: str, path: str, said: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for key, child in value.items():
        name = key if re.fullmatch(r"[A-Za-z0-9_]+", key) else json.dumps(key, ensure_ascii=False)
        here = f"{path}.{key}" if path else key
        if isinstance(child, dict) and child:
            lines += [f"{indent}{name}:\n", *_lines(child, indent + "  ", here, said)]
        elif isinstance(child, list) and child and isinstance(child[0], dict):
            lines.append(f"{indent}{name}:\n")
            for place, entry in enumerate(child):
                block = _lines(entry, indent + "    ", f"{here}.{entry.get('id', place)}", said)
                lines += [f"{indent}  - {block[0].lstrip()}", *block[1:]]
        else:
            child = {"value": child, **said[here]} if here in said else child
            lines.append(f"{indent}{name}: {json.dumps(child, ensure_ascii=False)}\n")
    return lines
