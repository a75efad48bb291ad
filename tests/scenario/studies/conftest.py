from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.errors import Problem, ScenarioError
from sim.scenario.studies import StudyFile, load_study

CITY = """\
schema: 1
horizon: {months: 48}
initial: {kind: burn_in, months: 24}
arrivals: {per_year: 60}
chain:
  - {id: village, facilities: 2}
  - {id: hub, facilities: 1, places: 4, threshold: 100_000}
policy:
  - {id: training, type: training, courses: 4}
  - {id: stipend, type: stipend}
  - {id: rent, type: rent_relief, share: {hub: 0.5}, active: false}
"""


@pytest.fixture
def city(write: Callable[..., Path]) -> Path:
    """A small city with a burn-in under its own chain."""
    return write(CITY, "city.yaml")


@pytest.fixture
def written(city: Path, write: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a study of the city, with parts replaced."""

    def _written(text: str, *changes: tuple[str, str]) -> Path:
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return write(text, "study.yaml")

    return _written


def refused(path: Path, **overrides: object) -> tuple[Problem, ...]:
    """The problems for which a study is refused."""
    with pytest.raises(ScenarioError) as error:
        load_study(path, overrides)
    return error.value.problems


@pytest.fixture(name="refused")
def _refused() -> Callable[..., tuple[Problem, ...]]:
    return refused


@pytest.fixture
def loaded(written: Callable[..., Path]) -> Callable[..., StudyFile]:
    """Reads such a study."""
    return lambda *args, **overrides: load_study(written(*args), overrides)
