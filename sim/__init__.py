"""The entrepreneur talent-pipeline simulator: how many founders survive, grow and move up the chain, and at what cost.

>>> import sim
>>> scenario = sim.load("scenarios/classroom.yaml")
>>> result = sim.run(scenario, replicates=2)
>>> result.summary  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.entrepreneurs.agent import Entrepreneur
    from sim.errors import EvidenceError, RunError, ScenarioError, SimError, StoreError
    from sim.experiments.comparison.compare import compare
    from sim.experiments.comparison.result import Comparison, open_comparison
    from sim.experiments.optimisation.optimise import optimise
    from sim.experiments.optimisation.result import Optimum, open_optimum
    from sim.experiments.sensitivity.found import Sensitivity, open_sensitivity
    from sim.experiments.sensitivity.swept import sensitivity
    from sim.experiments.sweep.result import Sweep, open_sweep
    from sim.experiments.sweep.sweep import sweep
    from sim.model import Pipeline
    from sim.scenario.loader import load
    from sim.scenario.schema import Scenario
    from sim.scenario.starter import classroom
    from sim.simulation import Result, open_run, run, simulate

    dashboard: Callable[..., Any]  # not imported: what draws is above what runs
    report: Callable[..., Any]

_HOME = {
    "Comparison": "sim.experiments.comparison.result",
    "Entrepreneur": "sim.entrepreneurs.agent",
    "EvidenceError": "sim.errors",
    "Optimum": "sim.experiments.optimisation.result",
    "Pipeline": "sim.model",
    "Result": "sim.simulation",
    "RunError": "sim.errors",
    "Scenario": "sim.scenario.schema",
    "ScenarioError": "sim.errors",
    "Sensitivity": "sim.experiments.sensitivity.found",
    "SimError": "sim.errors",
    "StoreError": "sim.errors",
    "Sweep": "sim.experiments.sweep.result",
    "classroom": "sim.scenario.starter",
    "compare": "sim.experiments.comparison.compare",
    "dashboard": "sim.presentation.dashboard",
    "load": "sim.scenario.loader",
    "open_comparison": "sim.experiments.comparison.result",
    "open_optimum": "sim.experiments.optimisation.result",
    "open_run": "sim.simulation",
    "open_sensitivity": "sim.experiments.sensitivity.found",
    "open_sweep": "sim.experiments.sweep.result",
    "optimise": "sim.experiments.optimisation.optimise",
    "report": "sim.presentation.report.write",
    "run": "sim.simulation",
    "sensitivity": "sim.experiments.sensitivity.swept",
    "simulate": "sim.simulation",
    "sweep": "sim.experiments.sweep.sweep",
}

__all__ = [
    "Comparison",
    "Entrepreneur",
    "EvidenceError",
    "Optimum",
    "Pipeline",
    "Result",
    "RunError",
    "Scenario",
    "ScenarioError",
    "Sensitivity",
    "SimError",
    "StoreError",
    "Sweep",
    "classroom",
    "compare",
    "dashboard",
    "load",
    "open_comparison",
    "open_optimum",
    "open_run",
    "open_sensitivity",
    "open_sweep",
    "optimise",
    "report",
    "run",
    "sensitivity",
    "simulate",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Names are brought in when they are first used: the command line must not pay for what it does not need."""
    if name not in _HOME:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
