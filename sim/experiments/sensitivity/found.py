"""What a sweep's outcomes are sensitive to: tables, as they were found or read from a folder."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.errors import StoreError
from sim.experiments.kept import Kept
from sim.shown import presentation

__all__ = ["LEADING", "TABLES", "Sensitivity", "open_sensitivity"]

TABLES = ("sensitivity_outcomes", "sensitivity_indices", "sensitivity_pairs", "sensitivity_cells")

LEADING = {"sobol": "total", "anova": "total", "morris": "mu_star", "pawn": "pawn"}
"""The measure of each method by which numbers are ranked."""


class Sensitivity(Kept):
    """What the outcomes of a sweep are sensitive to. Tables are pandas DataFrames, as `sim.findings` declares them.

    Attributes
    ----------
    manifest
        The sweep's study, its digest, its axes, and the method of each branch.
    folder
        Where it was read from, if it was.
    """

    kind, verb, names = "sensitivity", "sim sensitivity", TABLES

    @cached_property
    def outcomes(self) -> pd.DataFrame:
        """A row each branch and outcome: its spread over the points, and the share of chance in one run's variance."""
        return self.table("sensitivity_outcomes")

    @cached_property
    def indices(self) -> pd.DataFrame:
        """A row each number and measure, with its interval."""
        return self.table("sensitivity_indices")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """A row each two numbers: what they carry only together. Empty where no design tells that."""
        return self.table("sensitivity_pairs")

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Outcomes over the two numbers of each branch that matter most together, cut into parts."""
        return self.table("sensitivity_cells")

    def ranked(self, branch: str, outcome: str) -> pd.DataFrame:
        """Indices of one outcome, a row each number, the most important first; `rank` is null where it may be none.

        path, then each measure with its interval as ``<measure>``, ``<measure>_low``, ``<measure>_high``, and floor.
        """
        rows = self.indices[(self.indices["branch"] == branch) & (self.indices["outcome"] == outcome)]
        if rows.empty:
            return pd.DataFrame(columns=["path", "rank"])
        leading = LEADING[str(rows["method"].iloc[0])]
        wide: dict[str, dict[str, Any]] = {}
        for row in rows.to_dict("records"):
            measure = row["measure"]
            entry = wide.setdefault(str(row["path"]), {"path": row["path"], "floor": float("nan")})
            entry |= {measure: row["value"], f"{measure}_low": row["low"], f"{measure}_high": row["high"]}
            if measure == leading:
                entry["floor"] = row["floor"]
        frame = pd.DataFrame(wide.values()).sort_values(leading, ascending=False, kind="stable")
        counts = frame[f"{leading}_low"] > frame["floor"].fillna(0.0)
        return frame.assign(rank=counts.cumsum().where(counts).astype("Int64")).reset_index(drop=True)

    @property
    def plot(self) -> Any:
        """Plots: `found.plot.bars(outcome)`, `.pairs(outcome)`, `.cells(outcome)`, `.screening(outcome)`."""
        return presentation("indices_plots").Plots(self)

    def write(self, folder: Path) -> None:
        """Write it into a folder, which is made; what an earlier one left there is replaced. See `open_sensitivity`."""
        try:
            if folder.exists() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
                raise StoreError(f"{folder}: is not a run folder, and is not replaced")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror or error})") from error
        super().write(folder)

    def __repr__(self) -> str:
        paths = dict.fromkeys(axis["path"] for axis in self.manifest["axes"])
        return f"<Sensitivity of {self.outcomes['outcome'].nunique()} outcomes to {len(paths)} numbers>"


def open_sensitivity(folder: Path | str) -> Sensitivity:
    """A stored one. Raises StoreError if the folder is none, or is damaged."""
    return Sensitivity.open(folder)
