"""In what a reform differs from the base: the values of chain and policy that it changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.presentation.catalogue import Lang, clean, text

__all__ = ["changes"]

_MOST = 8
"""assumed: more changes than this are counted only."""

_WORDS = ("label", "id", "type")
"""What an entry is called makes no difference."""


def changes(base: Mapping[str, Any], reform: Mapping[str, Any], lang: Lang) -> str:
    """One line for two resolved scenarios: paths with the value before and after."""
    before, after = _values(base), _values(reform)
    told = []
    for path in dict.fromkeys((*before, *after)):
        entry = ".".join(path.split(".")[:2])
        if path == entry and (path in before) != (path in after):
            told.append(text("compare.removed" if path in before else "compare.added", lang, path=path))
        elif entry in before and entry in after and (was := before.get(path)) != (now := after.get(path)):
            told.append(f"{path} {_said(was)} → {_said(now)}")
    more = len(told) - _MOST
    if more > 0:
        told = [*told[:_MOST], text("compare.more", lang, count=more)]
    listed = text("figures.comma", lang).join(told)
    return clean(text("compare.changes", lang, changes=listed)) if told else text("compare.unchanged", lang)


def _values(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """Values of chain and policy by dotted path; an entry stands before its values, the order of entries last."""
    found: dict[str, Any] = {}
    for section in ("chain", "policy"):
        entries = scenario[section]
        for entry in entries:
            found[f"{section}.{entry['id']}"] = entry.get("type")
            found |= dict(_leaves({k: v for k, v in entry.items() if k not in _WORDS}, f"{section}.{entry['id']}"))
    return found


def _leaves(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


def _said(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return "[" + ", ".join(map(_said, value)) + "]"
    return f"{value:,.6g}" if isinstance(value, int | float) else str(value)
