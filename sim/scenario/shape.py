"""What a scenario may hold at each path: read off the parameter models, which stay the only place that says it."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.policy._instrument import PolicyInstrument, find
from sim.policy._instrument import types as instrument_types

__all__ = ["ITEMS", "MAX_ENTRIES", "NONE", "Shape", "fields", "instrument", "item", "shape"]

MAX_ENTRIES = 200
"""Most entries of such a list, or of a table: beyond any use, and few enough to look for the nearest name in each."""

Kind = Literal["model", "items", "list", "table", "number", "whole", "flag", "choice", "text"]

ITEMS = ("chain", "policy")
"""The lists whose entries have ids, and merge by them."""

NONE: Mapping[str, type[PolicyInstrument]] = types.MappingProxyType({})
"""No instruments of a scenario's own."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one key holds; `model` is the model of a mapping or of the items of a list, `field` what declares it.

    `entry` is the kind of what a list or a table holds. `variants` are the models of a mapping that says its `kind`.
    """

    kind: Kind
    model: type[BaseModel] | None = None
    field: FieldInfo | None = None
    choices: tuple[Any, ...] = ()
    nullable: bool = False
    entry: Kind = "number"
    variants: tuple[type[BaseModel], ...] = ()

    @property
    def kinds(self) -> tuple[Any, ...]:
        """What `kind` may say where there are variants."""
        return tuple(kind for model in self.variants for kind in _kinds(model))

    def variant(self, kind: object) -> Shape:
        """The shape of the mapping that says this `kind`; as it is if there is none."""
        model = next((m for m in self.variants if kind in _kinds(m)), None)
        return Shape("model", model, self.field) if model else self

    @property
    def numeric(self) -> bool:
        """Whether a quantity may stand here."""
        return self.kind in ("number", "whole")

    @property
    def extra(self) -> Mapping[str, Any]:
        """Unit, plausible range, source and names of a quantity."""
        extra = self.field.json_schema_extra if self.field else None
        return extra if isinstance(extra, dict) else {}

    @property
    def unit(self) -> str | None:
        """Unit, if it has one."""
        return self.extra.get("unit")


@cache
def fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Fields of a model by the name that a file gives them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


@cache
def shape(model: type[BaseModel], key: str) -> Shape | None:
    """What `key` of `model` holds; None if there is no such key."""
    field = fields(model).get(key)
    return None if field is None else _shape(field.annotation, field)


@cache
def item(several: Shape) -> Shape:
    """What an entry of a list, or of a table such as ``share: {incubator: 0.85}`` holds: a number in its unit, say."""
    return Shape(several.entry, field=several.field, choices=several.choices)


def instrument(type: object, own: Mapping[str, type[PolicyInstrument]] = NONE) -> type[PolicyInstrument]:
    """The model of a policy entry of this type; what all instruments share if there is no such type.

    `own` are the scenario's own instruments by type.
    """
    if isinstance(type, str) and type in own:
        return own[type]
    return find(type) if isinstance(type, str) and type in instrument_types() else PolicyInstrument


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    """What a variant calls itself."""
    named = shape(model, "kind")
    return named.choices if named else ()


def _shape(annotation: Any, field: FieldInfo) -> Shape:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        parts = [_shape(a, field) for a in inside if a is not type(None)]
        models = tuple(m for p in parts for m in p.variants or (p.model,) if m)
        nullable = len(parts) < len(inside)
        if len(models) > 1:
            return Shape("model", field=field, nullable=nullable, variants=models)
        model = next(iter(models), None)
        return Shape(parts[0].kind, model, field, parts[0].choices, nullable, parts[0].entry)
    if origin is Literal:
        return Shape("choice", field=field, choices=inside)
    if origin is tuple:
        part = _shape(inside[0], field)
        if part.model:
            return Shape("items", part.model, field)
        return Shape("list", field=field, choices=part.choices, entry=part.kind)
    if origin is dict:
        part = _shape(inside[1], field)
        return Shape("table", field=field, choices=part.choices, entry=part.kind)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape("model", annotation, field)
    kinds: dict[Any, Kind] = {float: "number", int: "whole", bool: "flag"}
    return Shape(kinds.get(annotation, "text"), field=field)
