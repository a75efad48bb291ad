"""What every result says of itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import sim.presentation

ANSWERS = [
    pytest.param(module, name, id=f"{module}.{name}")
    for module in sorted(m.name for m in pkgutil.iter_modules(sim.presentation.__path__) if not m.ispkg)
    for name, kind in inspect.getmembers(importlib.import_module(f"sim.presentation.{module}"), inspect.isclass)
    if kind.__module__ == f"sim.presentation.{module}" and hasattr(kind, "__rich_console__") and name != "Prose"
]


def test_answers_are_found():
    """The list is not empty by accident: runs, comparisons, lives, scorecards, calibrations, sweeps and more."""
    assert len(ANSWERS) >= 8


@pytest.mark.parametrize(("module", "name"), ANSWERS)
def test_every_answer_says_what_survival_means_and_what_cannot_be_validated(module, name):
    """Whatever is shown as a result has both sentences in its source; their texts are tested with each answer."""
    source = inspect.getsource(importlib.import_module(f"sim.presentation.{module}"))
    assert "answer.survival_means" in source
    assert "answer.cannot_validate" in source
