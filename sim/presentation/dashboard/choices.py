"""The scenarios that a visitor may choose among: a file of one's own, those that come along, or the classroom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.errors import ScenarioError
from sim.presentation.catalogue import text, title
from sim.presentation.dashboard.conductor import Choice
from sim.scenario.loader import load
from sim.scenario.schema import Scenario
from sim.scenario.shipped import shipped
from sim.scenario.starter import classroom

__all__ = ["choices", "of"]


def of(scenario: Scenario) -> Choice:
    """A choice of one scenario, as it is."""
    plain = scenario.resolved()
    names = {lang: title(plain, lang) or text("answer.untitled", lang) for lang in ("zh", "en")}
    return Choice(names, lambda: scenario)


def choices(own: Scenario | None = None) -> Sequence[Choice]:
    """The scenario of one's own first, if there is one, then those that come with the program.

    A file that cannot be read is left out. Scenarios are frozen, so that all visitors may have the same.
    """
    found: list[Choice] = [of(own)] if own else []
    mine = Path(own.file).resolve() if own and own.file else None
    for path in shipped().values():
        if path.resolve() == mine:
            continue
        try:
            found.append(of(load(path)))
        except ScenarioError:
            continue
    return found or [of(classroom())]
