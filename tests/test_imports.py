"""The layers of the package: a module imports only from those below it."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_a_module_imports_only_from_the_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The import contracts of pyproject.toml are kept."""
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_public_names_are_there_and_cost_nothing_until_used() -> None:
    """Every public name of the package can be brought in, and importing the package loads no compiler."""
    import subprocess
    import sys

    import sim

    assert all(getattr(sim, name) is not None for name in sim.__all__)
    heavy = "numba", "mesa", "pandas", "pyarrow", "scipy"
    code = f"import sys, sim; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert said.stdout.strip() == "[]"
