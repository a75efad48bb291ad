"""Which axes the levers and uncertainties of a study are, and what is wrong with those that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sim.errors import Problem, ScenarioError
from sim.evidence.quantity import Label
from sim.scenario.complaints import plain_number
from sim.scenario.messages import problem
from sim.scenario.provenance import leaves
from sim.scenario.schema import Scenario
from sim.scenario.settle import Settled
from sim.scenario.shape import Shape
from sim.scenario.source import Place, shown
from sim.scenario.studies.axes import Axis, Role, Uncertainty, Value, Varied
from sim.scenario.studies.file import moved

__all__ = ["Ground", "entries_of", "fitted"]

_SETTINGS = ("schema", "name", "description", "seed", "replicates", "engine", "components", "observe")
"""What a scenario says that is no part of the city: luck, names, how it is run."""

_NAMELESS = Label()

_MOST_TOLD = 20
"""Values of a path that are complained about; the others are probably wrong for the same reason."""

_SEVERAL = ("model", "items", "list", "table")


def fitted(value: Value, what: Shape) -> Value:
    """A number as the key holds it: 40 and 40.0 are the same."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if what.kind == "number":
        return float(value)
    return int(value) if what.kind == "whole" and float(value).is_integer() else value


def entries_of(
    several: Mapping[str, Sequence[Varied]], settled: Settled, problems: list[Problem]
) -> list[tuple[str, Varied]]:
    """Levers and uncertainties, by the paths of their lists in the study, with the path of each.

    `problems` is told of a path of the scenario that comes twice.
    """
    entries = [(f"{here}.{i}", entry) for here, those in several.items() for i, entry in enumerate(those)]
    for number, (here, entry) in enumerate(entries):
        if any(entry.path == other.path for _, other in entries[:number]):
            place = settled.place(f"{here}.path")
            problems.append(problem(place, entry.path, "given_twice", {"found": shown(entry.path)}))
    return entries


@dataclass(frozen=True)
class Ground:
    """A scenario in which something is to vary, and the study that says so, which tells where.

    Parameters
    ----------
    scenario
        What is run.
    settled
        The study.
    values
        Whether single values are needed, as in a grid; else a range, or values in its place.
    """

    scenario: Scenario
    settled: Settled
    values: bool = False

    @cached_property
    def known(self) -> Mapping[str, tuple[Value, Shape]]:
        """Value and shape of all that the scenario holds, by path."""
        return {path: (value, what) for path, value, what in leaves(self.scenario)}

    def axes(self, entries: Sequence[tuple[str, Varied]], problems: list[Problem]) -> tuple[Axis, ...]:
        """The axes of some entries and their paths in the study; `problems` is told of those that are none."""
        found = []
        for here, entry in entries:
            try:
                found.append(self.axis(entry, here))
            except ScenarioError as error:
                problems += error.problems
        return tuple(found)

    def axis(self, entry: Varied, here: str) -> Axis:
        """The axis of the entry at `here`; raises ScenarioError, with all problems, if it is none."""
        place = self.settled.place(f"{here}.path")
        what = self.shape(entry.path, place, _some(entry))
        given = [fitted(v, what) for v in entry.values or ()]
        at = (f"{here}.values.{number}" for number in range(len(given)))
        problems = list(self.misfits(entry.path, given, what, [self.settled.place(one) for one in at]))
        values = tuple(dict.fromkeys(given))
        limits = self._limits(entry, what, here, problems)
        if self.values and not values:
            problems.append(problem(place, entry.path, "needs_values"))
        elif not values and limits is None and not problems:
            missing = "needs_range" if isinstance(entry, Uncertainty) else "values_or_range"
            problems.append(problem(place, entry.path, missing))
        for end in limits if limits and not self.values else ():
            problems += self.against(entry.path, fitted(end, what), self._said(entry, here))
        if problems:
            raise ScenarioError(dict.fromkeys(problems))
        log = limits is not None and isinstance(entry, Uncertainty) and entry.prior == "log_uniform"
        role: Role = "uncertainty" if isinstance(entry, Uncertainty) else "lever"
        return self.named(entry.path, role, what, values, limits, log, entry.name)

    def named(
        self,
        path: str,
        role: Role,
        what: Shape,
        values: tuple[Value, ...] = (),
        limits: tuple[float, float] | None = None,
        log: bool = False,
        name: Label = _NAMELESS,
    ) -> Axis:
        """An axis, with what the schema says of its path."""
        ends = limits or (math.nan, math.nan)
        if not (name.zh or name.en):
            name = Label(zh=what.extra.get("zh", ""), en=what.extra.get("en", ""))
        now = self.known[path][0] if path in self.known else None
        return Axis(path, role, values, *ends, log, what.kind == "whole", what.unit, name, now)

    def shape(self, path: str, place: Place, value: Value) -> Shape:
        """What a path holds, if that can vary; `value` is one that it may have. Raises ScenarioError."""
        if path.partition(".")[0] in _SETTINGS:
            raise ScenarioError([problem(place, path, "not_a_lever", {"found": shown(path)[1:-1]})])
        if path not in self.known and any(known.startswith(f"{path}.") for known in self.known):
            raise ScenarioError([problem(place, path, "not_single")])
        try:
            there = self.known if path in self.known else self._with(path, value)
        except ScenarioError as error:
            raise ScenarioError(moved(p, place) for p in error.problems) from None
        what = there[path][1]
        if what.kind in _SEVERAL:
            raise ScenarioError([problem(place, path, "not_single")])
        return what

    def _with(self, path: str, value: Value) -> Mapping[str, tuple[Value, Shape]]:
        """What the scenario holds if it has the path too: a table takes new entries."""
        there = self.scenario.replace({path: value})
        there.why(path)
        return {p: (v, what) for p, v, what in leaves(there)}

    def against(self, path: str, value: Value, place: Place) -> Iterator[Problem]:
        """What the scenario says against a value of a path, told at a place."""
        try:
            self.scenario.replace({path: value})
        except ScenarioError as error:
            yield from (moved(p, place) for p in error.problems)

    def misfits(self, path: str, values: Sequence[Value], what: Shape, places: Sequence[Place]) -> Iterator[Problem]:
        """What the scenario says against values of a path, in their order, each told once, and not too many.

        Of numbers the extremes are tried first: if these fit, all do.
        """
        first: dict[tuple[type, Value], int] = {}
        for number, value in enumerate(values):
            first.setdefault((type(value), value), number)
        usual = {"number": float, "whole": int}.get(what.kind)
        upwards = sorted((float(v), at) for (kind, v), at in first.items() if kind is usual and v is not None)
        numbers = [at for _, at in upwards]
        others = [at for (kind, _), at in first.items() if kind is not usual]
        wrong: dict[int, list[Problem]] = {}
        for some, one_will_do in ((numbers, True), (numbers[::-1], True), (others, False)):
            for at in some:
                found = list(self.against(path, values[at], places[at]))
                if found:
                    wrong[at] = found
                if len(wrong) >= _MOST_TOLD or (one_will_do and not found):
                    break
        for at in sorted(wrong):
            yield from wrong[at]

    def _limits(self, entry: Varied, what: Shape, here: str, problems: list[Problem]) -> tuple[float, float] | None:
        """The range, told or by default; None, and a problem more, if it cannot be."""
        limits = entry.range
        now = self.known[entry.path][0] if entry.path in self.known else None
        if limits is None and isinstance(entry, Uncertainty) and not entry.values and not self.values:
            limits = self._plausible(entry.path, what)
        if limits is None:
            return None
        low, high = limits
        unit = f" ({what.unit})" if what.unit else ""
        wrong: tuple[str, dict[str, object]] | None = None
        if not what.numeric:
            wrong = "number", {"unit": "", "found": shown(now), "hint": ""}
        elif entry.range is None and isinstance(now, int | float) and not low <= now <= high:
            wrong = "range_elsewhere", {"found": plain_number(now), "range": f"{low:g} .. {high:g}"}
        elif not low < high:
            wrong = "range_form", {"unit": unit}
        elif what.kind == "whole" and not (float(low).is_integer() and float(high).is_integer()):
            wrong = "whole", {"unit": "", "found": shown(high if float(low).is_integer() else low), "hint": ""}
        elif isinstance(entry, Uncertainty) and entry.prior == "log_uniform" and low <= 0:
            wrong = "above_zero", {"unit": unit, "found": f"{low:g}"}
        if wrong:
            problems.append(problem(self._said(entry, here), entry.path, *wrong))
            return None
        return float(low), float(high)

    def _plausible(self, path: str, what: Shape) -> tuple[float, float] | None:
        """The plausible range that the scenario states; whole numbers within it."""
        limits = self.scenario.why(path).range if path in self.known else None
        if limits is None or what.kind != "whole":
            return limits
        return float(math.ceil(limits[0])), float(math.floor(limits[1]))

    def _said(self, entry: Varied, here: str) -> Place:
        """Where the study gives a range, or would."""
        return self.settled.place(f"{here}.range" if entry.range else f"{here}.path")


def _some(entry: Varied) -> Value:
    return entry.values[0] if entry.values else entry.range[0] if entry.range else None
