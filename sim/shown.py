"""How results show themselves where they are: as tables in a notebook, and as plots. The one arrow that points back."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Shown", "presentation"]


class Shown:
    """Something that a notebook shows in the reader's language: see `sim.presentation.notebook`."""

    def _repr_html_(self) -> str:
        return str(presentation("notebook").show(self))


def presentation(module: str) -> Any:
    """A module of `sim.presentation`, brought in when something is to be looked at."""
    return importlib.import_module(f"sim.presentation.{module}")
