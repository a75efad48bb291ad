"""From a file, or a path and a value, to a frozen scenario."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.errors import Problem, ScenarioError
from sim.scenario.checks import combinations, suspicions
from sim.scenario.complaints import complaints
from sim.scenario.document import Node, parse_value
from sim.scenario.merge import beside, layers, merge, node_of
from sim.scenario.messages import problem
from sim.scenario.overlay import overlay
from sim.scenario.schema import Regime, Scenario
from sim.scenario.settle import Settled, settle
from sim.scenario.source import Place, shown

__all__ = ["OVERRIDE", "load", "override"]

OVERRIDE = "--set"
"""What stands for the file of a value that was given by path."""


def load(path: str | os.PathLike[str], overrides: Mapping[str, object] | None = None) -> Scenario:
    """Read a scenario file, with all that it extends.

    Parameters
    ----------
    path
        The YAML file.
    overrides
        Values by dotted path, list items by id, as for `Scenario.replace`; `override` reads them from text.

    Raises
    ------
    ScenarioError
        Anything is wrong with the file or the overrides: all problems, in the order of the files.
    """
    stack = layers(path)
    problems = stack.problems
    root = stack.merged()
    if overrides:
        over = overlay(root, overrides, OVERRIDE, problems)
        root = merge(root, over, problems)
    files = [*stack.files, OVERRIDE]
    settled = settle(root, Scenario)
    problems += settled.problems
    under = _node_at(root, "initial", "under")
    burn_in = None
    if under and isinstance(under.value, str):
        try:
            burn_in = _under(path, under, stack.files[0])
        except ScenarioError as error:
            problems += error.problems
    scenario = None
    try:
        scenario = Scenario.model_validate(settled.plain)
    except ValidationError as error:
        problems += complaints(error, settled)
    problems += combinations(settled)
    if problems or scenario is None:
        raise ScenarioError(_in_order(problems, files))
    return _dress(scenario, settled, files, burn_in)


def override(assignment: str) -> tuple[str, Node]:
    """Read ``path=value``, the value in YAML: what ``--set`` takes.

    Raises
    ------
    ScenarioError
        There is no ``=``, or the value is not sound YAML.
    """
    path, equals, text = assignment.partition("=")
    if not equals or not path.strip():
        raise ScenarioError([problem(Place(OVERRIDE), "", "not_an_assignment", {"found": shown(assignment)})])
    return path.strip(), parse_value(text, OVERRIDE)


def _dress(scenario: Scenario, settled: Settled, files: list[str], burn_in: Scenario | None) -> Scenario:
    """Put what is known beside the fields in its private place."""
    scenario._file = files[0]
    scenario._origins = settled.origins
    if isinstance(scenario.initial.under, Regime):
        regime = scenario.initial.under
        burn_in = scenario.model_copy(update={"chain": regime.chain, "policy": regime.policy})
    scenario._burn_in = burn_in
    scenario._warnings = tuple(_in_order(suspicions(scenario, settled), files))
    return scenario


def _under(path: str | os.PathLike[str], under: Node, first: str) -> Scenario:
    """The scenario whose chain and policy hold in the burn-in: the named file as it stands, its own `under` not followed."""
    file = under.place.file if under.place.file != OVERRIDE else first
    named = beside(file, under, "initial.under", Path(path).parent.resolve())
    stack = layers(named)
    root = stack.merged()
    initial = _node_at(root, "initial")
    if initial and isinstance(initial.value, dict):
        initial.value = {k: v for k, v in initial.value.items() if k != "under"}
    settled = settle(root, Scenario)
    problems = [*stack.problems, *settled.problems]
    try:
        scenario = Scenario.model_validate(settled.plain)
    except ValidationError as error:
        raise ScenarioError([*problems, *complaints(error, settled)]) from None
    problems += combinations(settled)
    if problems:
        raise ScenarioError(problems)
    return _dress(scenario, settled, stack.files, None)


def _node_at(root: Node, *keys: str) -> Node | None:
    node: Node | None = root
    for key in keys:
        node = node.value.get(key) if node and isinstance(node.value, dict) else None
    return node


def _in_order(problems: Iterable[Problem], files: list[str]) -> list[Problem]:
    """Each problem once, by file and place; what has no place comes last."""
    rank = {file: i for i, file in enumerate(files)}

    def key(p: Problem) -> tuple[Any, ...]:
        return rank.get(p.file, len(files)), p.line == 0, p.line, p.column

    return sorted(dict.fromkeys(problems), key=key)
