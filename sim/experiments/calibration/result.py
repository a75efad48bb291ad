"""What a calibration found: tables, and what they rest on; written into its folder beside the points."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sim.errors import StoreError
from sim.evidence.ledger import digest
from sim.experiments.calibration.answers import Found
from sim.experiments.calibration.ridge import partner
from sim.experiments.sweep.orders import model_version
from sim.simulation import SEED_SCHEME, commit, versions
from sim.store import TableWriter, read_manifest, read_table, to_arrow, to_pandas, verify, write_manifest
from sim.tables import columns

__all__ = ["CLOSE", "TABLES", "Calibration", "described", "open_calibration"]

TABLES = (
    "fit", "posterior", "pairs", "directions", "holdout", "emulator", "finalists", "exits", "decisions", "draws",
)  # fmt: skip

CLOSE = 3.0
"""assumed: within so many log units of the likeliest point, the scenario as it is fits as well as makes no matter."""

_KIND = "calibration"


class Calibration:
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

    def __init__(
        self, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], folder: Path | None = None
    ) -> None:
        self.manifest, self._tables, self.folder = manifest, tables, folder

    def table(self, name: str) -> pd.DataFrame:
        """One of `TABLES`, with the types that are declared, whether it was stored or not."""
        return to_pandas(to_arrow(name, self._tables[name], ()))

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
        import importlib  # as in `sim.simulation.Result`

        return importlib.import_module("sim.presentation.calibration_plots").Plots(self)

    def write(self, folder: Path) -> None:
        """Write the tables and the manifest into the folder; what an earlier one left there is replaced."""
        try:
            (folder / "manifest.json").unlink(missing_ok=True)  # so that no half of this passes for a whole
            writer = TableWriter(folder, ())
            for name in TABLES:
                writer.write({name: self._tables[name]})
            writer.close()
            (folder / "study.yaml").write_text(self.manifest["study_text"], encoding="utf-8")
            write_manifest(folder, {**self.manifest, "rows": writer.rows})
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror or error})") from error

    def __repr__(self) -> str:
        return f"<Calibration of {len(self.posterior)} parameters to {len(self.summary)} targets>"

    def _repr_html_(self) -> str:
        return str(self.summary.to_html(index=False, float_format=lambda v: f"{v:,.4g}", na_rep="–", escape=True))


def open_calibration(folder: Path | str) -> Calibration:
    """A stored calibration. Raises StoreError if the folder is none, or is damaged."""
    path = Path(folder)
    manifest = read_manifest(path)
    if manifest.get("kind") != _KIND:
        raise StoreError(f"{path}: is a run folder, but not one of `sim calibrate`")
    for name in TABLES:
        verify(path, name, manifest)
    return Calibration(manifest, {name: read_table(path, name) for name in TABLES}, path)


def described(found: Found) -> dict[str, Any]:
    """The manifest of a calibration, without its rows and checksums; no clock, so that a rerun gives the same bytes."""
    study, check = found.bench.study, found.check
    return {
        "kind": _KIND,
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
