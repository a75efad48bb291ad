"""What decides a run's numbers beside its scenario: the packages, their versions, and how draws are keyed."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["SEED_SCHEME", "commit", "versions"]

SEED_SCHEME = "Philox4x32-10, keyed by (seed, replicate), counted by (identity, month, stream)"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run's numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("entrepreneur-pipeline", "mesa", "numpy", "numba", "llvmlite", "pandas", "pyarrow", "scipy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def commit() -> str | None:
    """The commit of this checkout; None outside of one."""
    try:
        at = Path(__file__).parent
        said = subprocess.run(["git", "-C", str(at), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None if said.returncode == 0 else None
