"""A sweep: a scenario run at many points, each several times with the same luck at all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from sim.errors import Problem, ScenarioError
from sim.evidence.quantity import Label, Parameters
from sim.scenario.merge import beside, follow
from sim.scenario.messages import problem
from sim.scenario.schema import Repeated, Replicates, Scenario
from sim.scenario.settle import Settled
from sim.scenario.source import Place, shown
from sim.scenario.studies.axes import Axis, Lever, Uncertainty, Varied
from sim.scenario.studies.block import Block, idle
from sim.scenario.studies.file import Outcome, StudyFile, a_list, moved, pinned, study_wide
from sim.scenario.studies.plan import MOST_POINTS, Grid, Layout, TableRows
from sim.scenario.studies.table import Row, read_table, table_axes
from sim.scenario.studies.varying import Ground, entries_of

__all__ = ["Branch", "SweepStudy"]

_MANY_RUNS = 1_000_000
"""assumed: runs beyond which a study is probably not meant: hours of a cluster."""

_SHARED = ("seed", "replicates", "engine")
"""What all branches have in common: who reads the runs of a folder mixes nothing."""

Levers = Annotated[tuple[Lever, ...], BeforeValidator(a_list), Field(max_length=60)]
Uncertainties = Annotated[tuple[Uncertainty, ...], BeforeValidator(a_list), Field(max_length=60)]


class Branch(Parameters):
    """A block beside others; what it leaves out is the study's."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
    name: Label = Label()
    set: dict[str, Any] = Field(default_factory=dict, description="values by path, beside the study's own")
    levers: Levers | None = None
    uncertainties: Uncertainties | None = None
    design: Layout | None = None


class SweepStudy(StudyFile):
    """A sweep, all defaults filled in, every number checked."""

    kind: Literal["sweep"]
    replicates: Repeated = Field(default=4, description="runs at each point, or until an outcome is known well enough")
    outcomes: Annotated[tuple[Outcome, ...], BeforeValidator(a_list), Field(max_length=200)] = Field(
        default=(), description="by default all usual ones"
    )
    levers: Levers = Field(default=(), description="what the city decides")
    uncertainties: Uncertainties = Field(default=(), description="what nobody knows")
    design: Layout | None = Field(default=None, description="how the points are laid out")
    branches: Annotated[tuple[Branch, ...], BeforeValidator(a_list), Field(max_length=100)] = Field(
        default=(), description="blocks beside one another, not one product"
    )

    _blocks: tuple[Block, ...] = PrivateAttr(())
    _warnings: tuple[Problem, ...] = PrivateAttr(())

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The branches; one block with an empty id if there are none."""
        return self._blocks

    @property
    def runs(self) -> int:
        """Runs, at most; a point that comes twice is counted twice."""
        count = self.replicates.until.max if isinstance(self.replicates, Replicates) else self.replicates
        return count * sum(block.size for block in self._blocks)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """What is run where nothing varies, of each block."""
        return tuple(block.scenario for block in self._blocks) or (self._small,)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed and yet probably not meant."""
        return self._warnings

    @property
    def named_outcomes(self) -> Iterator[tuple[str, str]]:
        """Path in the study, and name, of each outcome that it speaks of."""
        yield from ((f"outcomes.{i}", name) for i, name in enumerate(self.outcomes))
        if isinstance(self.replicates, Replicates):
            yield "replicates.until.outcome", self.replicates.until.outcome

    def slips(self, settled: Settled, small: Scenario | None) -> Iterator[Problem]:
        """What cannot be, though each value by itself can. The blocks are known when all has been told."""
        for number, name in enumerate(self.outcomes):
            if name in self.outcomes[:number]:
                here = f"outcomes.{number}"
                yield problem(settled.place(here), here, "given_twice", {"found": shown(name)})
        ids = [branch.id for branch in self.branches]
        for number, id in enumerate(ids):
            if id in ids[:number]:
                yield problem(settled.place("branches"), "branches", "given_twice", {"found": shown(id)})
        if small is None:
            return
        problems: list[Problem] = []
        made = [_block(self, branch, small, settled, problems) for branch in self.branches or (None,)]
        self._blocks = tuple(block for block, _ in made if block)
        count = sum(block.size for block in self._blocks)
        if count > MOST_POINTS:
            place = settled.place("design")
            problems.append(problem(place, "design", "too_many_points", {"found": count, "most": MOST_POINTS}))
        yield from problems
        if not problems:
            self._warnings = tuple(self._odd(settled, [(block, places) for block, places in made if block]))

    def _odd(self, settled: Settled, made: list[tuple[Block, list[Place]]]) -> Iterator[Problem]:
        found = [p for block, places in made for p in idle(block, places)]
        yield from dict.fromkeys(found)
        if self.runs > _MANY_RUNS:
            said = {"found": self.runs, "points": sum(block.size for block, _ in made)}
            yield problem(settled.place("design"), "design", "many_runs", said, "warning")


def _block(
    study: SweepStudy, branch: Branch | None, small: Scenario, settled: Settled, problems: list[Problem]
) -> tuple[Block | None, list[Place]]:
    """A block, None if it cannot be, and the places of its axes; `problems` is told."""
    here = f"branches.{branch.id}" if branch else ""
    wrong: list[Problem] = []
    varied: dict[str, Sequence[Varied]] = {}
    for key in ("levers", "uncertainties"):
        own = getattr(branch, key, None)
        varied[key if own is None else f"{here}.{key}"] = getattr(study, key) if own is None else own
    entries = entries_of(varied, settled, wrong)
    layout, said = (branch.design, f"{here}.design") if branch and branch.design else (study.design, "design")
    if layout is None:
        wrong.append(problem(settled.place(here), said.removesuffix(".design") or "design", "missing", {"near": ""}))
    changes = branch.set if branch else {}
    wrong += study_wide(changes, settled, f"{here}.set", _SHARED)
    try:
        scenario = pinned(small).replace(changes)
    except ScenarioError as error:
        at = f"{here}.set"
        problems += [*wrong, *(moved(p, settled.place(f"{at}.{p.path}"), f"{at}.") for p in error.problems)]
        return None, []
    ground = Ground(scenario, settled, isinstance(layout, Grid))
    rows: tuple[Row, ...] = ()
    if isinstance(layout, TableRows):
        axes, rows = _table(study, layout, said, [entry for _, entry in entries], ground, wrong)
        places = [settled.place(said)] * len(axes)
    else:
        axes = ground.axes(entries, wrong)
        places = [settled.place(f"{at}.path") for at, _ in entries]
        if not entries:
            wrong.append(problem(settled.place(here), "levers", "nothing_varies"))
    problems += wrong
    if wrong:
        return None, []
    name = branch.name if branch else Label()
    return Block(branch.id if branch else "", name, small, changes, axes, layout, rows), places


def _table(
    study: SweepStudy, layout: TableRows, here: str, declared: list[Varied], ground: Ground, problems: list[Problem]
) -> tuple[tuple[Axis, ...], tuple[Row, ...]]:
    """The axes and rows of the table that a study names."""
    node = ground.settled.node(f"{here}.file")
    try:
        inside = follow(Path(study.path).parent.parent)
        table = read_table(Path(beside(study.path, node, f"{here}.file", inside)), node.place, f"{here}.file")
        if len(table.rows) > MOST_POINTS:
            said = {"found": len(table.rows), "most": MOST_POINTS}
            raise ScenarioError([problem(node.place, here, "too_many_points", said)])
    except ScenarioError as error:
        problems += error.problems
        return (), ()
    return table_axes(table, declared, ground, problems)
