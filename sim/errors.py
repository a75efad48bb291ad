"""What can go wrong, as one tree.

SimError                  anything this package raises on purpose; the command line prints it without a traceback
├── ScenarioError         a scenario or study file is wrong: every problem of the file, each with its place
├── EvidenceError         a figure is unknown, rejected, or its unit does not fit
├── RunError              a run could not be carried out
└── StoreError            a run folder cannot be read or written
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["EvidenceError", "Problem", "RunError", "ScenarioError", "SimError", "StoreError"]


class SimError(Exception):
    """Anything this package raises on purpose."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: where, which key, what, and how to mend it.

    `line` and `column` count from 1; 0 means that the place is not known (a default, a `--set`). `key` and `arguments`
    name the template of `message`, so that it can be said in another language.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    severity: str = "error"
    key: str = ""
    arguments: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        place = self.file + (f":{self.line}:{self.column}" if self.line else "")
        return f"{place} {self.path}: {self.message}" if self.path else f"{place} {self.message}"


class ScenarioError(SimError):
    """A scenario or study file is wrong. `problems` holds all of them, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class EvidenceError(SimError):
    """A figure is unknown, rejected, or its unit does not fit."""


class RunError(SimError):
    """A run could not be carried out."""

    exit_code = 3


class StoreError(SimError):
    """A run folder cannot be read or written."""
