"""From a YAML file to a frozen scenario: `load`, and what it returns."""

from sim.scenario.loader import load, override
from sim.scenario.schema import Scenario

__all__ = ["Scenario", "load", "override"]
