"""The parameters as tables: what each is, its unit, value, range, and where the number comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sim.evidence.audit import Origin, audit
from sim.evidence.ledger import sources
from sim.presentation.catalogue import assumption, known, text, unit
from sim.presentation.listing import measure
from sim.presentation.odd.markdown import table
from sim.presentation.odd.words import Words, safe
from sim.scenario.provenance import leaves
from sim.scenario.shape import Shape, fields, shape

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = [
    "Parameter",
    "cited_documents",
    "parameter_table",
    "parameters",
    "source",
    "stated_table",
    "unit_name",
]

_NAMES = ("id", "label", "type", "name", "description", "schema")
"""Keys that name a thing, and decide nothing."""


@dataclass(frozen=True)
class Parameter:
    """One key of a scenario file; `owner` is the class that declares it."""

    path: str
    owner: type[BaseModel]
    key: str
    shape: Shape

    @property
    def field(self) -> FieldInfo:
        """Its declaration."""
        assert self.shape.field is not None
        return self.shape.field

    @property
    def default(self) -> Any:
        """What it is if a scenario does not say."""
        return self.field.get_default(call_default_factory=True)

    @property
    def origin(self) -> Origin:
        """The default, as an audit takes it."""
        extra = self.shape.extra
        limits = tuple(extra["range"]) if "range" in extra else None
        names = {"zh": extra.get("zh", ""), "en": extra.get("en", "")}
        return Origin(
            self.path, self.default, self.shape.unit, limits, extra.get("evidence"), extra.get("assumed"), **names
        )


def parameters(model: type[BaseModel], path: str = "") -> Iterator[Parameter]:
    """The parameters of a model and of the models in it, by dotted path; lists of models are left to themselves."""
    for key in fields(model):
        what = shape(model, key)
        assert what is not None
        here = f"{path}.{key}" if path else key
        if key in _NAMES or what.kind == "items":
            continue
        if what.kind == "model" and what.model and not what.nullable:
            yield from parameters(what.model, here)
        else:
            yield Parameter(here, model, key, what)


def parameter_table(
    words: Words,
    model: type[BaseModel],
    path: str = "",
    *,
    scenario: Scenario | None = None,
    without: type[BaseModel] | None = None,
) -> str:
    """The parameters of a model, one a line; those that `without` declares in the same way are left out.

    With a scenario, values and sources are those that stand there at `path`, instead of the defaults.
    """
    inherited = without.model_fields if without else {}
    held = _held(scenario) if scenario else {}
    rows = []
    for p in parameters(model, path):
        if p.key in inherited and inherited[p.key].default == p.field.default:
            continue
        entries = [o for at, o in held.items() if at == p.path or at.startswith(f"{p.path}.")]
        for origin in entries or [p.origin]:
            shown = origin.path.removeprefix(f"{path}.")
            rows.append(_row(words, shown, _meaning(words, p), origin, p.field.is_required() and not entries))
    return table(_heads(words, "value" if scenario else "default"), rows)


def stated_table(words: Words, model: type[BaseModel], path: str, scenario: Scenario) -> str:
    """What a scenario states at `path`, or has from a source: what is as usual, or switched off, is left out."""
    held = _held(scenario)
    rows = []
    for p in parameters(model, path):
        for at, origin in held.items():
            usual = origin.value is None or (origin.unit is None and origin.value == p.default)
            if (at == p.path or at.startswith(f"{p.path}.")) and not usual:
                rows.append(_row(words, at.removeprefix(f"{path}."), _meaning(words, p), origin))
    return table(_heads(words, "value"), rows)


def _held(scenario: Scenario) -> dict[str, Origin]:
    """What a scenario holds at each path, and its source."""
    known = scenario.provenance
    return {path: known.get(path) or _bare(path, value, what) for path, value, what in leaves(scenario)}


def _bare(path: str, value: Any, what: Shape) -> Origin:
    """A value that is no number, and so has no source but where it is the default."""
    default = what.field is not None and what.field.get_default() == value
    return Origin(path, value, what.unit, assumed=what.extra.get("assumed") if default else None)


def _heads(words: Words, value: str) -> list[str]:
    names = ("parameter", "meaning", "unit", value, "range", "source")
    return [words.head(f"col_{name}") for name in names]


def _row(words: Words, shown: str, meaning: str, origin: Origin, required: bool = False) -> list[str]:
    value = words.head("required") if required else _value(words, origin)
    within = " – ".join(map(_number, origin.range or ()))
    return [f"`{shown}`", meaning, unit_name(words, origin.unit), value, within, source(words, origin)]


def _number(value: Any) -> str:
    return "" if value is None else measure(value, "id", "en")


def _value(words: Words, origin: Origin) -> str:
    value = origin.value
    if value is PydanticUndefined or (isinstance(value, dict | tuple) and not value):
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_number(held)}" for key, held in value.items())
    if isinstance(value, bool) or value is None:
        return words.head(f"value_{str(value).lower()}")
    return f"`{safe(str(value))}`" if isinstance(value, str) else _number(value)


def _meaning(words: Words, p: Parameter) -> str:
    said = p.shape.extra.get(words.lang, "")
    if not said:
        name = f"{p.owner.__module__}.{p.owner.__qualname__}.{p.key}"
        said = words.phrase(name, p.field.description or "")
    if p.shape.choices:
        said += words.head("choices", choices=words.head("comma").join(f"`{c}`" for c in p.shape.choices))
    return str(said)


def unit_name(words: Words, of: str | None) -> str:
    """A unit as a table has it."""
    if of is None or of == "id":
        return ""
    if of.startswith("1/") and words.lang == "en":
        return of
    said = words.unit(of) or known(f"measure.{of}", words.lang)
    said = (unit(of, words.lang) if said is None else said).strip("（）()")
    return f"1{said}" if of.startswith("1/") else said


def source(words: Words, origin: Origin) -> str:
    """Published, derived or assumed, and by whom or why; empty for what is no number."""
    if origin.unit is None or origin.unit == "id" or (origin.evidence is None and origin.assumed is None):
        return ""
    row = audit([origin])[0]
    said = text(f"status.{row.status}", words.lang)
    if row.figure is None:
        return words.head("colon").join([said, safe(assumption(origin.assumed or "", words.lang))])
    cited = row.figure
    name = cited.zh if words.lang == "zh" else cited.en
    told = words.head("colon").join([said, words.head("cited", name=name, id=cited.id, source=cited.source)])
    if row.agrees:
        return told
    return told + words.head("differs", published=measure(cited.value, cited.unit, words.lang))


def cited_documents(words: Words) -> str:
    """The documents, by the letters by which tables cite them, and the literature: what is known by name and year."""
    heads = [words.head(k) for k in ("col_id", "col_title", "col_publisher", "col_date")]
    cited = [s for s in sources().values() if s.kind == "document" or re.search(r"_\d{4}$", s.id)]
    return table(heads, [(s.id, s.zh if words.lang == "zh" else s.en, s.publisher, s.date) for s in cited])
