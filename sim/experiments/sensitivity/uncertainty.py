"""What a scenario does not know: the numbers that have a plausible range, and how they vary within it.

Each is drawn for itself, evenly over its range, or evenly in logs where the range spans more than a decade: nobody
knows more of it than its ends. Shares that add to 1 are drawn together and divided by their sum.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.errors import SimError
from sim.evidence.audit import Row, audit
from sim.scenario.schema import Scenario

__all__ = ["LEFT_OUT", "Uncertain", "Uncertainties", "uncertainties"]

LEFT_OUT = ("no_range", "outside", "inactive", "setting", "before", "not_asked")
"""Why a number does not vary: nobody gave it a range; it lies outside of the one it has, which was meant for another
value; its instrument is off; it is a choice of whoever runs the model, no fact of the city; it acts before the horizon
only, and these runs start from an empty city; others were asked for."""

_DECADE = 10.0

_MIXES = ("arrivals.education", "arrivals.origin", "arrivals.channel")
"""Shares below these paths add to 1."""

_SETTINGS = ("horizon.", "seed", "replicates")

_BEFORE = ("initial.", "arrivals.past_growth_per_year")


@dataclass(frozen=True)
class Uncertain:
    """One number that varies from `low` to `high` (its unit), in `form`: ``even``, ``log`` or ``whole``.

    `status` is that of `sim.evidence.audit`. Numbers of one `group` vary together.
    """

    path: str
    low: float
    high: float
    form: str
    status: str
    group: str

    @property
    def known(self) -> bool:
        """Whether the number is published or derived; its range then says how far it is to be trusted."""
        return self.status in ("published", "derived")

    def at(self, share: float) -> float | int:
        """The value that this share of its distribution lies below; `share` from 0 to 1."""
        wide = self.low > 0 and self.high > _DECADE * self.low
        if self.form == "whole" and not wide:
            low, high = math.ceil(self.low), math.floor(self.high)
            return min(low + int(share * (high - low + 1)), high)
        if wide:
            value = self.low * math.exp(share * math.log(self.high / self.low))
        else:
            value = self.low + share * (self.high - self.low)
        value = min(max(value, self.low), self.high)  # both round
        return round(value) if self.form == "whole" else value


class Uncertainties(NamedTuple):
    """The numbers that vary, in the scenario's order; why the others do not; the audit of all, by path.

    `mixes` holds the shares that add to 1 of which some vary, by the path above them.
    """

    vary: tuple[Uncertain, ...]
    fixed: Mapping[str, str]
    rows: Mapping[str, Row]
    mixes: Mapping[str, Mapping[str, float]]

    def point(self, shares: Sequence[float] | NDArray[np.float64]) -> dict[str, object]:
        """Values by path at a point of the unit cube, which has an axis for each number that varies."""
        values: dict[str, Any] = {u.path: u.at(float(s)) for u, s in zip(self.vary, shares, strict=True)}
        for held in self.mixes.values():
            values |= _adding_to_one({path: values.get(path, value) for path, value in held.items()})
        return values

    def moved(self, number: Uncertain, share: float) -> dict[str, object]:
        """Values by path where one number lies at a share of its distribution, and no other moves but for its mix."""
        value = number.at(share)
        held = self.mixes.get(number.group)
        return {number.path: value} if held is None else {**_adding_to_one({**held, number.path: float(value)})}


def _adding_to_one(drawn: Mapping[str, float]) -> dict[str, float]:
    """Shares divided by their sum, and the largest is what the others leave, so that no rounding is left over."""
    total = math.fsum(drawn.values())
    parts = {path: value / total for path, value in drawn.items()}
    largest = max(parts, key=lambda path: parts[path])
    return parts | {largest: 1.0 - math.fsum(value for path, value in parts.items() if path != largest)}


def uncertainties(scenario: Scenario, only: Collection[str] = ()) -> Uncertainties:
    """What varies in a scenario that starts from an empty city, and what does not.

    `only`: paths, of which the others do not vary. Raises SimError if one of them cannot vary.
    """
    rows = {row.origin.path: row for row in audit(scenario.provenance.values())}
    off = {f"policy.{i.id}." for i in scenario.policy if not i.active}
    vary, fixed = [], {}
    for path, row in rows.items():
        ends = row.origin.range
        if reason := _left_out(path, row, off):
            fixed[path] = reason
        elif only and path not in only:
            fixed[path] = "not_asked"
        else:
            assert ends is not None
            form = "even" if not 0 < _DECADE * ends[0] < ends[1] else "log"
            form = "whole" if isinstance(row.origin.value, int) else form
            mix = path.rpartition(".")[0]
            group = mix if mix in _MIXES else path
            vary.append(Uncertain(path, float(ends[0]), float(ends[1]), form, row.status, group))
    if wrong := [path for path in only if path not in {u.path for u in vary}]:
        near = difflib.get_close_matches(wrong[0], [p for p, r in rows.items() if not _left_out(p, r, off)], n=1)
        said = f" (nearest: {near[0]})" if near else ""
        raise SimError(f"{wrong[0]}: is not a number that varies{said}")
    mixes = {}
    for mix in _MIXES:
        if any(u.group == mix for u in vary):
            mixes[mix] = {p: float(r.origin.value) for p, r in rows.items() if p.startswith(f"{mix}.")}
    return Uncertainties(tuple(vary), fixed, rows, mixes)


def _left_out(path: str, row: Row, off: set[str]) -> str | None:
    if path.startswith(_SETTINGS):
        return "setting"
    if path.startswith(_BEFORE):
        return "before"
    if any(path.startswith(prefix) for prefix in off):
        return "inactive"
    ends = row.origin.range
    if ends is None or not ends[0] < ends[1]:
        return "no_range"
    return None if ends[0] <= row.origin.value <= ends[1] else "outside"
