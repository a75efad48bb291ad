"""Combinations that cannot be, and values that are probably not meant."""

from __future__ import annotations

from typing import Any

from sim.errors import Problem
from sim.scenario.settle import Settled

__all__ = ["combinations", "suspicions"]


def combinations(settled: Settled) -> list[Problem]:
    return []


def suspicions(scenario: Any, settled: Settled) -> list[Problem]:
    return []
