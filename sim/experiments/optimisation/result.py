"""What an optimisation found: tables, and what they rest on; written into its folder beside the runs."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.experiments.kept import Kept
from sim.shown import presentation

__all__ = ["NOW", "TABLES", "Optimum", "open_optimum"]

NOW = "now"
"""The policy that is the scenario as it is."""

TABLES = (
    "optimal_points", "optimal_levers", "optimal_ranking", "optimal_effects", "optimal_groups", "optimal_front",
    "optimal_constraints", "optimal_regret", "optimal_worlds", "optimal_unknowns", "optimal_boxes",
)  # fmt: skip


class Optimum(Kept):
    """What an optimisation found. Tables are pandas DataFrames, as `sim.findings` declares them.

    Attributes
    ----------
    manifest
        The study, what it rests on, and the facts of the search: ``recommended`` (a policy of the tables, null if none
        keeps to budget and equity), ``leader`` (who came first in the ranking: a recommended policy that is not the
        leader is cheaper, and worse by less than ``indifference`` if at all), ``separated`` (whether the ranking told
        the leader from the others), ``rivals`` (those that it was not told from), ``confidence``, ``budget``, ``over``
        (share of runs over it), ``robust`` (the policy with the least regret), ``runs``.
    folder
        Where it was read from, if it was.
    """

    kind, verb, names = "optimisation", "sim optimise", TABLES

    @property
    def recommended(self) -> str | None:
        """The policy that is recommended; None if none was found that is allowed."""
        found: str | None = self.manifest["recommended"]
        return found

    @cached_property
    def levers(self) -> pd.DataFrame:
        """The recommended levers: path, value and what each costs beside the ledger; empty without a recommendation."""
        frame = self.table("optimal_levers")
        return frame[frame["policy"] == self.recommended].drop(columns="policy").reset_index(drop=True)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What the recommended policy does, from runs that had no part in choosing it: the table `optimal_effects`."""
        return self.table("optimal_effects")

    def values(self, policy: str) -> dict[str, float | str]:
        """Levers of a policy by path; numbers as numbers."""
        rows = self.table("optimal_levers").query("policy == @policy")
        numbers = zip(rows["path"], rows["value"], rows["label"], strict=True)
        return {str(path): str(label) if pd.isna(value) else float(value) for path, value, label in numbers}

    @property
    def plot(self) -> Any:
        """Plots: `found.plot.front()`, `.ranking()`, `.groups()`, `.regret()`, `.failure()`."""
        return presentation("optimisation_plots").Plots(self)

    def __repr__(self) -> str:
        aim = self.manifest["aims"][0]["outcome"]
        return f"<Optimum of {aim} over {len(self.manifest['axes'])} levers, {self.manifest['runs']} runs>"


def open_optimum(folder: Path | str) -> Optimum:
    """A stored optimisation. Raises StoreError if the folder is none, or is damaged."""
    return Optimum.open(folder)
