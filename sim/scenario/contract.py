"""What a class from outside must be, so that a scenario file can name it and a run can trust it."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from inspect import isfunction
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from sim.evidence import ledger
from sim.policy._instrument import PolicyInstrument
from sim.scenario.messages import nearest
from sim.scenario.shape import fields, shape
from sim.scenario.source import shown

__all__ = ["type_name", "unfit"]

_METHODS = tuple(n for n, v in vars(PolicyInstrument).items() if isfunction(v) and not n.startswith(("_", "model_")))
_KEPT = ("i1", "i2", "i4", "i8", "f8")

Refused = tuple[str, Mapping[str, object]]
"""A message key and its arguments."""


def type_name(instrument: type[PolicyInstrument]) -> str:
    """The `type:` by which scenario files know a class; its own name if it does not say one."""
    field = instrument.model_fields["type"]
    names = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return str(names[0]) if names else instrument.__name__


def unfit(instrument: Any, built_in: Container[str]) -> Refused | None:
    """Why a class cannot be an instrument of a scenario file: message key and arguments; None if it can."""
    if not (isinstance(instrument, type) and issubclass(instrument, PolicyInstrument)):
        return "component_no_instrument", {}
    field = instrument.model_fields["type"]
    names = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    if len(names) != 1 or not isinstance(names[0], str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", names[0]):
        return "component_no_type", {"example": re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", instrument.__name__).lower()}
    if names[0] in built_in:
        return "component_built_in", {"found": names[0]}
    if not field.is_required() and field.default != names[0]:
        return "component_no_type", {"example": names[0]}
    if any(instrument.model_config.get(key) != value for key, value in PolicyInstrument.model_config.items()):
        return "component_config", {}
    hidden = [name for name in _METHODS if name in instrument.model_fields]
    if hidden:
        return "component_hides", {"found": hidden[0]}
    for name in ("eligible", "cost"):
        if instrument.act is PolicyInstrument.act and getattr(instrument, name) is getattr(PolicyInstrument, name):
            return "component_lacks", {"found": name}
    kept = instrument.remembers
    if not isinstance(kept, Mapping) or any(dtype not in _KEPT for dtype in kept.values()):
        return "component_remembers", {"choices": ", ".join(_KEPT)}
    return _odd_field(instrument)


def _odd_field(model: type[BaseModel]) -> Refused | None:
    for key in fields(model):
        what = shape(model, key)
        assert what is not None
        annotation = what.field.annotation if what.field else None
        if (get_origin(annotation) or annotation) in (list, set, frozenset):
            return "component_list", {"found": key}
        figure = what.extra.get("evidence")
        if figure is not None and figure not in ledger.figures():
            said = {"parameter": key, "found": shown(figure), "near": nearest(figure, ledger.figures())}
            return "component_figure", said
        found = _odd_field(what.model) if what.kind == "model" and what.model and model is not what.model else None
        if found:
            return found
    return None
