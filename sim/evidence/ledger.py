"""The evidence room's books: every published figure with its source, and what follows from figures by arithmetic.

Both files are read once, when first asked for. What they hold is explained at their heads.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

from sim.errors import EvidenceError

__all__ = [
    "BOUNDS",
    "ROLES",
    "USES",
    "Figure",
    "Source",
    "Value",
    "convert",
    "digest",
    "figure",
    "figures",
    "search",
    "sources",
    "value",
]

BOUNDS = ("exact", "about", "more_than", "less_than", "at_most")
ROLES = (
    "policy_parameter",
    "structure",
    "initial_condition",
    "driver_timeseries",
    "calibration_target",
    "validation_target",
    "context",
)
USES = ("default", "low_weight", "rejected")

Value = int | float | str | tuple[int | float | str, ...]

# Units of one kind differ by a factor. What is not listed fits only itself: a calendar `year` is no duration, yearly
# attendances are not persons, a stipend a person is not a total, a monthly chance is not a twelfth of a yearly one.
_UNITS: Mapping[str, tuple[str, int]] = {
    "months": ("duration", 1),
    "years": ("duration", 12),
    "CNY/year": ("money rate", 1),
    "CNY/quarter": ("money rate", 4),
    "CNY/month": ("money rate", 12),
    "sessions/year": ("session rate", 1),
    "sessions/day": ("session rate", 365),
    "count": ("number", 1),
    "persons": ("number", 1),
    "attendances/session": ("number", 1),
    "count/year": ("arrival rate", 1),
    "firms/year": ("arrival rate", 1),
    "persons/year": ("arrival rate", 1),
    "share/year": ("growth", 1),
    "1/year": ("growth", 1),
    "CNY": ("money", 1),
    "CNY/team": ("money", 1),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A document that figures were read from (ids A to E), or outside literature that assumptions lean on.

    `date` is ISO 8601 (``a/b`` from a to b, ``..`` open, ``~`` about). An outside source is not `verified`.
    """

    id: str
    kind: str
    zh: str
    en: str
    publisher: str
    date: str
    about: str
    reliability: str
    verified: bool
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One published number or statement, or one derived from others.

    `sources` are ids of `Source`. A derived figure holds its formula, and the result, rounded, in `value`. A rejected
    one says `why`, in zh and en, and to which figure it lost, if that is in the ledger.
    """

    id: str
    zh: str
    en: str
    value: Value
    unit: str
    date: str
    bound: str
    sources: tuple[str, ...]
    role: str
    use: str
    derived: str | None = None
    lost_to: str | None = None
    why: Mapping[str, str] | None = field(default=None, hash=False)
    notes: str = ""

    @property
    def source(self) -> str:
        """Ids of the sources as one text: ``A`` or ``A, B``."""
        return ", ".join(self.sources)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the figures that the formula uses, in its order; empty unless derived."""
        return tuple(dict.fromkeys(re.findall(r"[a-z]\w*", self.derived or "")))


def _read(name: str) -> dict[str, dict[str, Any]]:
    text = files("sim.evidence").joinpath(name).read_text(encoding="utf-8")
    content: dict[str, dict[str, Any]] = YAML(typ="safe").load(text)
    return content


@cache
def figures() -> Mapping[str, Figure]:
    """All figures by id, in the order of the file."""
    ledger = {}
    for id, entry in _read("figures.yaml").items():
        held, by = entry.pop("value"), entry.pop("source")
        ledger[id] = Figure(
            id=id,
            value=tuple(held) if isinstance(held, list) else held,
            sources=tuple(by) if isinstance(by, list) else (by,),
            **entry,
        )
    return MappingProxyType(ledger)


@cache
def sources() -> Mapping[str, Source]:
    """All sources by id, documents first."""
    return MappingProxyType({id: Source(id=id, **entry) for id, entry in _read("sources.yaml").items()})


def figure(id: str) -> Figure:
    """The figure with this id.

    Raises
    ------
    EvidenceError
        There is none; the message names the nearest id.
    """
    known = figures()
    if id in known:
        return known[id]
    near = difflib.get_close_matches(id, known, n=1)
    raise EvidenceError(f"no figure is called {id!r}" + (f" (nearest: {near[0]!r})" if near else ""))


def convert(number: int | float, unit: str, to: str) -> int | float:
    """A number in another unit; a whole number stays an int if the result is whole.

    Raises
    ------
    EvidenceError
        The units do not measure the same thing.
    """
    if unit == to:
        return number
    kind, factor = _UNITS.get(unit, (unit, 1))
    to_kind, to_factor = _UNITS.get(to, (to, 1))
    if kind != to_kind:
        fitting = [u for u, (k, _) in _UNITS.items() if k == kind and u != unit]
        raise EvidenceError(f"{unit} does not fit {to}" + (f" (it fits {', '.join(fitting)})" if fitting else ""))
    scaled = number * factor
    if isinstance(scaled, int) and scaled % to_factor == 0:
        return scaled // to_factor
    return scaled / to_factor


def value(id: str, unit: str | None = None, *, allow_rejected: bool = False) -> Value:
    """What a figure says, converted to `unit` if one is given.

    Raises
    ------
    EvidenceError
        The figure is unknown, its unit does not fit, or it lost a conflict and `allow_rejected` is false.
    """
    found = figure(id)
    if found.use == "rejected" and not allow_rejected:
        reason = f": {found.why['en']}" if found.why else ""
        instead = f"; use {found.lost_to!r}" if found.lost_to else ""
        raise EvidenceError(f"figure {id!r} is rejected{reason}{instead}")
    if unit is None or unit == found.unit:
        return found.value
    if not isinstance(found.value, int | float):
        raise EvidenceError(f"figure {id!r} is a {found.unit}, not a number of {unit}")
    try:
        return convert(found.value, found.unit, unit)
    except EvidenceError as error:
        raise EvidenceError(f"figure {id!r}: {error}") from None


def digest() -> str:
    """The evidence hash of a run: SHA-256 in hexadecimal of all figures and sources, comments and order left out."""
    content = {
        "figures": {id: asdict(entry) for id, entry in figures().items()},
        "sources": {id: asdict(entry) for id, entry in sources().items()},
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def search(
    text: str | None = None, role: str | None = None, source: str | None = None, use: str | None = None
) -> list[Figure]:
    """Figures that fit every argument given, in the order of the file.

    Parameters
    ----------
    text
        Occurs in the id or in either name, whatever the case.
    role, source, use
        One of `ROLES`, an id of `sources`, one of `USES`.

    Raises
    ------
    EvidenceError
        There is no such role, source or use.
    """
    for what, given, known in (("role", role, ROLES), ("source", source, tuple(sources())), ("use", use, USES)):
        if given is not None and given not in known:
            raise EvidenceError(f"no {what} is called {given!r} (one of {', '.join(known)})")
    wanted = (text or "").casefold()
    return [
        entry
        for entry in figures().values()
        if wanted in f"{entry.id}\n{entry.zh}\n{entry.en}".casefold()
        and role in (None, entry.role)
        and use in (None, entry.use)
        and (source is None or source in entry.sources)
    ]
