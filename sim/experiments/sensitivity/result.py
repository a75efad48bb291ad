"""Where the uncertainty of each outcome comes from: tables, as they were found or read from a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sim.experiments.kept import opened
from sim.shown import Shown
from sim.store import TableWriter, to_arrow, to_pandas, write_manifest

__all__ = ["CHANCE", "KNOWN", "OTHERS", "TABLES", "Variance", "open_variance"]

OTHERS, KNOWN, CHANCE = "others", "known", "chance"
"""Assumed numbers that were not singled out, as one; published and derived ones that have a range, as one; chance."""

TABLES = ("variance_outcomes", "variance_shares", "variance_screening", "variance_runs")

_KIND = "variance"
"""What the manifest says of itself."""


@dataclass(frozen=True)
class Variance(Shown):
    """What share of each outcome's variance each uncertain number carries.

    Attributes
    ----------
    manifest
        ``scenario`` (resolved), ``numbers`` (how many have each status), ``basis`` (runs, founders, ...), ``varied``
        (each number that varied, by path: range, form, group, what stands behind it) and ``fixed`` (why the others
        did not vary); with a reform, ``reform``.
    outcomes
        A row for each outcome: its spread, and what part of it assumed and known numbers and chance carry.
    shares
        A row for each outcome and group: first-order and total share with 95 % intervals.
    screening
        A row for each outcome and group: share in a linear regression, which decided whom to single out.
    runs
        Every run: point of the design, and its outcomes.
    """

    manifest: Mapping[str, Any]
    outcomes: pd.DataFrame
    shares: pd.DataFrame
    screening: pd.DataFrame
    runs: pd.DataFrame
    files: Mapping[str, bytes]
    folder: Path | None = None

    def ranked(self, outcome: str, kind: str = "level") -> pd.DataFrame:
        """Shares of one outcome, the largest total share first; `rank` is null where it cannot be told from chance.

        Groups that hold many numbers have no rank: nobody can go and measure them.
        """
        rows = self.shares[(self.shares["outcome"] == outcome) & (self.shares["kind"] == kind)]
        rows = rows.sort_values("total", ascending=False, kind="stable")
        counts = ~rows["group"].isin((OTHERS, KNOWN)) & (rows["total_low"] > 0)
        return rows.assign(rank=counts.cumsum().where(counts).astype("Int64")).reset_index(drop=True)

    def measure_next(self, most: int = 3) -> list[str]:
        """The groups that on average over the outcomes carry most, first-order and total together."""
        rows = pd.concat(
            [self.ranked(*key) for key in zip(self.outcomes["outcome"], self.outcomes["kind"], strict=True)]
        )
        rows = rows[rows["rank"].notna()]
        carried = (rows["first"].clip(lower=0) + rows["total"]) / 2
        known = self.outcomes["reason"].isna().sum()
        means = (carried.groupby(rows["group"]).sum() / max(known, 1)).sort_values(ascending=False, kind="stable")
        return [str(group) for group in means.index[:most]]

    def write(self, folder: Path) -> None:
        """Write it into an empty folder; see `open_variance`."""
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        writer = TableWriter(folder, ())
        frames = (self.outcomes, self.shares, self.screening, self.runs)
        writer.write(dict(zip(TABLES, frames, strict=True)))
        writer.close()
        write_manifest(folder, {**self.manifest, "kind": _KIND, "rows": writer.rows})

    def __repr__(self) -> str:
        varied, runs = self.manifest["varied"], self.manifest["basis"]["runs"]
        return f"<Variance of {len(self.outcomes)} outcomes over {len(varied)} numbers, {runs} runs>"


def declared(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with the columns and types that `sim.tables` declares."""
    return to_pandas(to_arrow(name, frame, ()))


def open_variance(folder: Path | str) -> Variance:
    """A stored one. Raises StoreError if the folder is none, or is damaged."""
    manifest, tables = opened(folder, _KIND, "sim figures audit", TABLES)
    outcomes, shares, screening, runs = (tables[name] for name in TABLES)
    return Variance(manifest, outcomes, shares, screening, runs, {}, Path(folder))
