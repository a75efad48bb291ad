from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.errors import Problem, ScenarioError
from sim.scenario import load

SMALL = (Path(__file__).parent / "small.yaml").read_text()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes, str], Path]:
    """Writes a scenario file into the test's folder."""

    def _write(content: str | bytes, name: str = "x.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


@pytest.fixture
def small(write: Callable[..., Path]) -> Path:
    return write(SMALL, "small.yaml")


@pytest.fixture
def problems(write: Callable[..., Path]) -> Callable[[str | bytes], tuple[Problem, ...]]:
    """The problems for which a file is refused."""

    def _problems(content: str | bytes, name: str = "x.yaml") -> tuple[Problem, ...]:
        with pytest.raises(ScenarioError) as refused:
            load(write(content, name))
        return refused.value.problems

    return _problems
