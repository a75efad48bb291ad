"""The levers of a scenario: which numbers a class may move, between which ends, and what stands behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.evidence.audit import Row, audit
from sim.presentation.catalogue import Lang, clean, decimals, known, labels, name, scale, short, text
from sim.presentation.dashboard.slider import allowed, span, step
from sim.presentation.listing import explanation
from sim.scenario.provenance import leaves

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.scenario.shape import Shape

__all__ = ["Lever", "Levers", "Switch"]

_NOT_LEVERS = ("horizon", "seed", "initial")
"""Both sides have the same months and luck, and begin in the same city."""

_MAIN = ("places", "threshold", "rent", "per_year", "displacement")
"""Keys that are shown at once, wherever they stand; the others when they are asked for."""

_DOORS = ("places", "threshold", "or_net_income", "growth", "max_age", "apply")
"""What the first stage has none of: it is open to all."""

_SECTIONS = (
    ("places", "chain", ("places", "facilities")),
    ("doors", "chain", ("threshold", "or_net_income", "growth", "max_age", "apply", "tenancy")),
    ("policy", "policy", ()),
    ("houses", "chain", ()),
    ("city", "arrivals", ()),
    ("city", "market", ()),
    ("behaviour", "behaviour", ()),
)
"""Section, room of the scenario, and keys that belong to it (none: all that are left)."""

_MIXES = ("arrivals.education", "arrivals.origin", "arrivals.channel")
"""Shares below these paths add to 1: if one moves, the others make room in proportion."""

_FIRST_MONEY = 10_000.0
"""assumed: how far a slider reaches for money that is not paid yet, in the unit of its amount."""

_FEW = 4
"""assumed: of an instrument of which the scenario says nothing, so many levers are seen first."""


@dataclass(frozen=True)
class Lever:
    """A number that may be moved, in the scenario's own unit.

    `low` and `high` are the ends of its slider, `bounds` the values that the schema allows (None: no bound). `row` is
    what the audit says of the scenario's own value: unit, plausible range, status, figure or assumption.
    """

    row: Row
    low: float
    high: float
    bounds: tuple[float | None, float | None]
    whole: bool
    main: bool

    @property
    def path(self) -> str:
        """Dotted path, as for `--set`."""
        return self.row.origin.path

    @property
    def step(self) -> float:
        """The least move of the slider: 1, 2 or 5 times a power of ten, a whole number where the value is one."""
        return step(self.low, self.high, whole=self.whole)

    def plain(self, lang: Lang, called: str) -> dict[str, Any]:
        """All that the page needs to draw it, numbers in the scenario's unit and how they are read."""
        origin = self.row.origin
        by, unit = _read(max(abs(self.low), abs(self.high)), origin.unit or "", lang)
        behind = explanation(self.row, lang).splitlines()
        return {
            "path": self.path,
            "name": called,
            "about": clean(origin.zh if lang == "zh" else origin.en),
            "value": origin.value,
            "low": self.low,
            "high": self.high,
            "step": self.step,
            "by": by,
            "unit": unit,
            "digits": 0 if self.whole and by == 1 else min(decimals(self.step / by) if self.step < 100 * by else 0, 4),
            "range": list(origin.range) if origin.range else None,
            "status": self.row.status,
            "said": text(f"status.{self.row.status}", lang),
            "behind": behind,
            "main": self.main,
        }


@dataclass(frozen=True)
class Switch:
    """An instrument that may be switched on and off."""

    path: str
    on: bool


@dataclass(frozen=True)
class Section:
    """Levers under a heading; an instrument has its switch in it."""

    id: str
    levers: tuple[Lever, ...]
    instrument: str | None = None
    switch: Switch | None = None


@dataclass
class Levers:
    """The levers of a scenario.

    Everything that has a unit is one, whatever its instrument: only which of them are seen first is listed by hand.
    Numbers that are null (open to all, no limit) are none, since they have no place on a slider.
    """

    scenario: Scenario
    _by_path: dict[str, Lever | Switch] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for section in self.sections:
            self._by_path.update({lever.path: lever for lever in section.levers})
            if section.switch:
                self._by_path[section.switch.path] = section.switch

    def __getitem__(self, path: str) -> Lever | Switch:
        """The lever of a path. Raises KeyError if there is none."""
        return self._by_path[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_path)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """All levers by section, in the order in which they are shown."""
        left = {lever.path: lever for lever in self._all()}

        def taken(room: str, keys: tuple[str, ...]) -> Iterator[Lever]:
            for path in [p for p in left if p.partition(".")[0] == room]:
                if not keys or path.rpartition(".")[2] in keys:
                    yield left.pop(path)

        found: dict[str, list[Lever]] = {}
        sections: list[Section] = []
        for id, room, keys in _SECTIONS:
            if room == "policy":
                sections += [
                    Section(i.id, tuple(_taken_of(left, i.id)), i.id, Switch(f"policy.{i.id}.active", i.active))
                    for i in self.scenario.policy
                ]
                continue
            if id not in found:
                found[id] = []
                sections.append(Section(id, ()))
            found[id] += taken(room, keys)
        made = (s if s.instrument else Section(s.id, tuple(found[s.id])) for s in sections)
        return tuple(s for s in made if s.levers or s.switch)

    def _all(self) -> Iterator[Lever]:
        shapes = {path: what for path, _, what in leaves(self.scenario)}
        main = self._main()
        doors = {f"chain.{self.scenario.chain[0].id}.{key}" for key in _DOORS}
        for row in audit(self.scenario.provenance.values()):
            path = row.origin.path
            if path.partition(".")[0] not in _NOT_LEVERS and path not in doors:
                yield _lever(row, shapes[path], path in main)

    def _main(self) -> set[str]:
        """Those that are seen at once: of policy what the scenario's files say, else the first of an instrument."""
        paths = list(self.scenario.provenance)
        main = {p for p in paths if p.rpartition(".")[2] in _MAIN and not p.startswith("policy.")}
        for instrument in self.scenario.policy:
            mine = [p for p in paths if p.startswith(f"policy.{instrument.id}.")]
            main |= set([p for p in mine if p in self.scenario._origins] or mine[:_FEW])
        return main

    def changed(self, wanted: Mapping[str, float | bool]) -> Scenario:
        """The scenario with other values by path; shares that add to 1 with one of them make room in proportion.

        Raises
        ------
        KeyError
            A path is none of these levers.
        ScenarioError
            A value does not fit, with all problems.
        """
        changes: dict[str, object] = {}
        for path, value in wanted.items():
            lever = self[path]
            whole = isinstance(lever, Lever) and lever.whole
            changes[path] = value if isinstance(value, bool) else round(value) if whole else float(value)
        for mix in _MIXES:
            changes |= self._mixed(mix, {p: v for p, v in wanted.items() if p.startswith(f"{mix}.")})
        return self.scenario.replace(changes) if changes else self.scenario

    def together(self, path: str) -> tuple[str, ...]:
        """The levers that move with one, itself included: those of its mix. Raises KeyError if there is none."""
        self[path]
        mix = path.rpartition(".")[0]
        return tuple(self._of(mix)) if mix in _MIXES else (path,)

    def _mixed(self, mix: str, moved: Mapping[str, float | bool]) -> dict[str, object]:
        """The shares of a mix of which some have moved: the others keep their proportions (if all are 0: alike)."""
        if not moved:
            return {}
        others = {p: lever.row.origin.value for p, lever in self._of(mix).items() if p not in moved}
        room, total = 1.0 - sum(moved.values()), sum(others.values())
        if not others or room < 0:
            return {}
        parts = {p: room * (v / total if total else 1 / len(others)) for p, v in others.items()}
        return dict(parts)

    def _of(self, mix: str) -> dict[str, Lever]:
        below = {path: self._by_path[path] for path in self if path.startswith(f"{mix}.")}
        return {path: lever for path, lever in below.items() if isinstance(lever, Lever)}

    def plain(self, lang: Lang) -> list[dict[str, Any]]:
        """Sections and levers as plain data for the page, in the reader's language."""
        named = labels(self.scenario.resolved(), lang)
        return [
            {
                "id": section.id,
                "title": short(name("policy", section.instrument, lang, named))
                if section.instrument
                else text(f"app.section.{section.id}", lang),
                "switch": None if section.switch is None else {"path": section.switch.path, "value": section.switch.on},
                "levers": [lever.plain(lang, self._called(lever, section, lang, named)) for lever in section.levers],
            }
            for section in self.sections
        ]

    def _called(self, lever: Lever, section: Section, lang: Lang, named: Mapping[str, str]) -> str:
        """The name under its heading: of its stage where the heading says what it is, else of both."""
        origin, parts = lever.row.origin, lever.path.split(".")
        what = clean(short(origin.zh if lang == "zh" else origin.en).partition(";")[0])
        if parts[0] == "chain":
            stage = short(name("stage", parts[1], lang, named))
            return stage if parts[2] in ("places", "threshold", "rent") else _joined(stage, what or parts[-1], lang)
        if parts[0] == "policy" and parts[-1] in named:
            return short(named[parts[-1]])
        if parts[0] == "market" and (channel := known(f"channel.{parts[1]}", lang)):
            year = parts[-1] if parts[-1].isdigit() else ""
            return _joined(channel, f"{what} {year}".strip(), lang)
        return what or lever.path


def _taken_of(left: dict[str, Lever], instrument: str) -> Iterator[Lever]:
    """The levers of an instrument, which are no longer left then."""
    for path in [p for p in left if p.startswith(f"policy.{instrument}.")]:
        yield left.pop(path)


def _joined(part: str, what: str, lang: Lang) -> str:
    return text("app.part", lang, part=part, name=what)


def _lever(row: Row, what: Shape, main: bool) -> Lever:
    value, whole, unit = float(row.origin.value), what.kind == "whole", row.origin.unit or ""
    bounds, nothing = allowed(what), _FIRST_MONEY if unit.startswith("CNY") else 1.0
    low, high = span(value, bounds, row.origin.range, share=unit == "share", whole=whole, nothing=nothing)
    return Lever(row, low, high, bounds, whole, main)


def _read(value: float, unit: str, lang: Lang) -> tuple[float, str]:
    """What to divide numbers like this by, and the unit that they then have."""
    if known(f"unit.{unit}", lang) is not None:
        return scale(value, unit, lang)
    words = known(f"measure.{unit}", lang)
    by, prefix = scale(value, "count", lang)
    said = unit if words is None else words
    return by, f"{prefix}{' ' if lang == 'en' and prefix.strip() else ''}{said}".strip()
