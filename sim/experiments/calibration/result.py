"""What a calibration found: tables, and what they rest on; written into its folder beside the points."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.evidence.ledger import digest
from sim.experiments.calibration.answers import Found
from sim.experiments.calibration.ridge import partner
from sim.experiments.kept import Kept
from sim.experiments.sweep.orders import model_version
from sim.shown import presentation
from sim.tables import columns
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["CLOSE", "TABLES", "Calibration", "described", "open_calibration"]

TABLES = (
    "fit", "posterior", "pairs", "directions", "holdout", "emulator", "finalists", "exits", "decisions", "draws",
)  # fmt: skip

CLOSE = 3.0
"""assumed: within so many log units of the likeliest point, the scenario as it is fits as well as makes no matter."""


class Calibration(Kept):
    """What a calibration found. Tables are pandas DataFrames, as `sim.tables` declares them.

    Attributes
    ----------
    manifest
        The study, what it rests on, and a few facts of the search: `points`, `effective` (independent draws that the
        posterior's sample is worth), `check_worth` (of the posterior points that were run, how many draws without
        emulator they are worth), `accepted` (share of moves of the walkers that were made),
        `stock_ridge` (the parameter that moves most with first-year survival where only the resident stock is known).
    folder
        Where it was read from, if it was.
    """

    kind, verb, names = "calibration", "sim calibrate", TABLES

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Fitted against target, a row each target: the table `fit`."""
        return self.table("fit")

    @cached_property
    def posterior(self) -> pd.DataFrame:
        """Each parameter against its prior: the table `posterior`."""
        return self.table("posterior")

    @property
    def gap(self) -> float:
        """Log-likelihood of the best point less that of the scenario as it is, both with fresh seeds."""
        frame = self.table("finalists")
        return float(frame.loc[frame["best"], "log_likelihood"].iloc[0] - frame["log_likelihood"].iloc[-1])

    @property
    def reruns(self) -> bool:
        """Whether the scenario's own values are among what the calibration finds: each within the central 95 % of its
        posterior, and together not less likely than the best point by more than `CLOSE`."""
        return bool(self.posterior["inside"].all()) and self.gap <= CLOSE

    @property
    def plot(self) -> Any:
        """Plots: `found.plot.marginals()`, `.exits()`, `.directions()`, `.decisions()`."""
        return presentation("calibration_plots").Plots(self)

    def __repr__(self) -> str:
        return f"<Calibration of {len(self.posterior)} parameters to {len(self.summary)} targets>"


def open_calibration(folder: Path | str) -> Calibration:
    """A stored calibration. Raises StoreError if the folder is none, or is damaged."""
    return Calibration.open(folder)


def described(found: Found) -> dict[str, Any]:
    """The manifest of a calibration, without its rows and checksums; no clock, so that a rerun gives the same bytes."""
    study, check = found.bench.study, found.check
    return {
        "study": study.model_dump(mode="json", by_alias=True),
        "study_text": study.text,
        "file": study.file,
        "scenario": study.whole.resolved(),
        "scenario_hash": study.whole.hash(),
        "small_hash": study.small.hash(),
        "evidence_hash": digest(),
        "model_version": model_version(),
        "seed": study.seed,
        "seed_scheme": SEED_SCHEME,
        "versions": versions(),
        "git_commit": commit(),
        "points": len(found.seen.unit) + len(check.unit),
        "accepted": found.walked.accepted,
        "effective": found.walked.effective,
        "check_worth": float(1 / (found.weights**2).sum()),
        "stock_ridge": partner(found),
        "units": {name: {c.name: c.unit for c in columns(name)} for name in TABLES},
    }
