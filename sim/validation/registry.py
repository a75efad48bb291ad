"""All facts, found family by family: a file of this folder that has `FACTS` is a family."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from sim.validation.fact import Fact

__all__ = ["FAMILIES", "facts", "fitted"]

FAMILIES = ("survival", "size", "growth", "treatment", "city")
"""In the order in which they are shown; a family that is new here comes last."""


@cache
def facts() -> tuple[Fact, ...]:
    """All facts, family by family."""
    import sim.validation

    names = [module.name for module in pkgutil.iter_modules(sim.validation.__path__)]
    order = [*(n for n in FAMILIES if n in names), *(n for n in names if n not in FAMILIES)]
    modules = (importlib.import_module(f"sim.validation.{name}") for name in order)
    return tuple(fact for module in modules for fact in getattr(module, "FACTS", ()))


def fitted() -> frozenset[str]:
    """Ids of the facts that the model's numbers were chosen by, or set from: what a calibration may aim at."""
    return frozenset(fact.id for fact in facts() if fact.use == "fitted")
