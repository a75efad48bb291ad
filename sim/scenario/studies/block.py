"""A block of a study: a scenario, what varies in it, and the points at which it is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from sim.errors import Problem, ScenarioError
from sim.evidence.quantity import Label
from sim.scenario.messages import problem
from sim.scenario.schema import Regime, Scenario
from sim.scenario.source import Place
from sim.scenario.studies.axes import Axis, Value
from sim.scenario.studies.file import pinned
from sim.scenario.studies.plan import Layout, TableRows
from sim.scenario.studies.table import Row

__all__ = ["Block", "idle"]

_WHOLE = ("since", "until", "first_after", "budget", "budget_total", "covers")
"""What an instrument says that can keep all of it from acting."""


@dataclass(frozen=True)
class Block:
    """A scenario with the axes along which it varies, and the layout of its points.

    Parameters
    ----------
    id, name
        As the study calls it; empty where the study has one block only.
    base
        The study's scenario.
    set
        Values with which this block is run besides.
    axes
        Levers first, then uncertainties; of a table, its columns.
    layout
        How the points are laid out; None if something else than a study's design chooses them.
    rows
        The values of a table, in the order of the axes.
    """

    id: str
    name: Label
    base: Scenario
    set: Mapping[str, object]
    axes: tuple[Axis, ...]
    layout: Layout | None = None
    rows: tuple[Row, ...] = ()

    @property
    def size(self) -> int:
        """How many points it has."""
        if self.layout is None or isinstance(self.layout, TableRows):
            return len(self.rows)
        return self.layout.size(self.axes)

    @cached_property
    def scenario(self) -> Scenario:
        """What is run where nothing varies; the burn-in is written out, so that no change changes the city's past."""
        return pinned(self.base).replace(self.set)

    def at(self, values: Mapping[str, Value]) -> Scenario:
        """The scenario at a point.

        Levers change what comes after the start. What nobody knows of the chain and of instruments (an uncertainty
        below `chain` or `policy`) was as it is before the start, too.

        Parameters
        ----------
        values
            Values of the axes, or of some, by path.

        Raises
        ------
        ScenarioError
            The values do not go together.
        """
        facts = {path: value for path, value in values.items() if path in self._facts}
        if not facts:
            return self.scenario.replace(values)
        there = self.base.replace(facts)
        before = there
        if self.base.initial.under is not None:
            before = self.base.burn_in
            before = before.replace({path: value for path, value in facts.items() if _has(before, path)})
        initial = there.initial.model_copy(update={"under": Regime(chain=before.chain, policy=before.policy)})
        there = there.model_copy(update={"initial": initial})
        there._burn_in = None  # it was that of the base
        return there.replace({**self.set, **values})

    @cached_property
    def _facts(self) -> frozenset[str]:
        """Uncertainties that hold before the start as well, beside the behaviour, which always does."""
        if self.base.initial.kind != "burn_in":
            return frozenset()
        unknown = (axis.path for axis in self.axes if axis.role == "uncertainty")
        return frozenset(path for path in unknown if path.startswith(("chain.", "policy.")))


def _has(scenario: Scenario, path: str) -> bool:
    try:
        scenario.why(path)
    except ScenarioError:
        return False
    return True


def idle(block: Block, places: Sequence[Place]) -> Iterator[Problem]:
    """A warning for each axis that changes nothing, wherever the others stand; `places` are those of the axes."""
    for axis, place in zip(block.axes, places, strict=True):
        if not axis.path.startswith(("chain.", "policy.")):
            continue
        others = [{a.path: a.ends[end] for a in block.axes if a is not axis} for end in (0, 1)]
        said: tuple[tuple[str, object], ...] | None = ()
        for there, value in product(({}, *others), axis.ends):
            said = _reason(block, axis, {**there, axis.path: value})
            if said is None:
                break
        if said:
            yield problem(place, axis.path, "no_effect", dict(said), "warning")


def _reason(block: Block, axis: Axis, values: Mapping[str, Value]) -> tuple[tuple[str, object], ...] | None:
    """Why an axis does nothing at a point; None if it does something, or if nobody can tell."""
    try:
        there = block.at(values)
    except ScenarioError:
        return None
    room, id, *rest = axis.path.split(".")
    if room == "policy" and rest != ["active"] and not next(i for i in there.policy if i.id == id).active:
        return ("reason", "the instrument is switched off"), ("reason_zh", "该政策工具未启用")
    for warning in there.warnings:
        about = warning.path
        same = axis.path == about or axis.path.startswith(f"{about}.")
        whole = about in {f"{room}.{id}.{key}" for key in _WHOLE}
        if warning.key == "no_effect" and (same or whole):
            return warning.arguments
    return None
