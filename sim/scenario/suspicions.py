"""What is allowed and yet probably not meant: warnings; and what is good to know: notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sim.errors import EvidenceError, Problem
from sim.evidence import ledger
from sim.scenario.complaints import plain_number
from sim.scenario.idle import idle
from sim.scenario.messages import problem
from sim.scenario.provenance import leaves
from sim.scenario.source import Place
from sim.scenario.spending import PUBLISHED_FUND, Suspicion, city, overspent

if TYPE_CHECKING:
    from sim.evidence.audit import Origin
    from sim.scenario.schema import Scenario
    from sim.scenario.shape import Shape

__all__ = ["suspicions"]

_POWERS = (10, 100, 1000, 10_000)
_SCALES = {"万": 10_000, "亿": 100_000_000}
_FAR = 20
"""assumed: a factor between two numbers of one kind that is more probably a slip than a plan."""


def suspicions(scenario: Scenario) -> list[Problem]:
    """Warnings and notes, in the order of the files."""
    here = city(scenario)
    said: dict[str, Suspicion] = {}
    for s in (*idle(scenario, here), *_falling(scenario), *_odd_numbers(scenario), *overspent(scenario, here)):
        said.setdefault(s.path, s)  # one for each path is enough
    found = [problem(_place(scenario, s.path), s.path, s.key, s.arguments, s.severity) for s in said.values()]
    return sorted(found, key=lambda p: (p.line == 0, p.line, p.column))


def _place(scenario: Scenario, path: str) -> Place:
    """Where a file says it, or something below it, or the nearest thing that holds it."""
    while path:
        below = (o for p, o in scenario._origins.items() if p == path or p.startswith(f"{path}."))
        origin = next(below, None)
        if origin:
            return Place(origin.file, origin.line, origin.column)
        path = path.rpartition(".")[0]
    return Place(scenario.file)


def _falling(scenario: Scenario) -> Iterator[Suspicion]:
    for below, stage in pairwise(scenario.chain):
        if stage.threshold < below.threshold:
            numbers = {"found": plain_number(stage.threshold), "before": plain_number(below.threshold)}
            yield Suspicion(f"chain.{stage.id}.threshold", "threshold_falls", {**numbers, "stage": below.id})


def _odd_numbers(scenario: Scenario) -> Iterator[Suspicion]:
    """Numbers of a file off the published one by a power of ten, or out of the plausible range."""
    for path, value, what in leaves(scenario):
        origin = scenario._origins.get(path)
        if origin is None or not isinstance(value, int | float) or isinstance(value, bool):
            continue
        yield from _slip(path, value, what, origin)
        limits = origin.range or (None if origin.evidence else what.extra.get("range"))
        if limits and not limits[0] <= value <= limits[1]:
            ends = f"{plain_number(limits[0])} .. {plain_number(limits[1])}"
            unit = f" {what.unit}" if what.unit not in (None, "count") else ""
            yield Suspicion(path, "implausible", {"found": plain_number(value), "range": ends, "unit": unit})


def _slip(path: str, value: float, what: Shape, origin: Origin) -> Iterator[Suspicion]:
    """A number that some power of ten turns into the published one, or far from it; who gives a reason means it."""
    if origin.assumed or not value:
        return
    money = (what.unit or "").startswith("CNY")
    id = origin.evidence or what.extra.get("evidence")
    published = _published(id, what)
    said: dict[str, Any] = {"found": plain_number(value), "figure": id, "published": plain_number(published)}
    if published:
        for factor in (f for power in _POWERS for f in (power, 1 / power)):
            if abs(value - published * factor) <= 1e-9 * abs(value):
                yield Suspicion(path, "factor", {**said, "factor": f"{factor:g}"})
                return
        for scale, power in _SCALES.items() if money else ():
            if 1 / 3 <= value * power / published <= 3:
                yield Suspicion(path, "other_scale", {**said, "scale": scale, "meant": plain_number(value * power)})
                return
        far = not 1 / _FAR < value / published < _FAR
        if far and not (origin.range or what.extra.get("range")):
            yield Suspicion(path, "factor", {**said, "factor": f"{value / published:.2g}"})
    elif money and id is None:
        fund = _published(PUBLISHED_FUND, what)
        for power in _SCALES.values() if fund else ():
            if abs(value * power - fund) <= 1e-9 * fund:
                said |= {"figure": PUBLISHED_FUND, "published": plain_number(fund)}
                yield Suspicion(path, "factor", {**said, "factor": f"{1 / power:g}"})


def _published(id: str | None, what: Shape) -> float:
    """What a figure says in the unit of a key; 0 if that is no number."""
    if id is None or id not in ledger.figures():
        return 0
    try:
        value = ledger.value(id, what.unit)
    except EvidenceError:
        return 0
    return value if isinstance(value, int | float) else 0
