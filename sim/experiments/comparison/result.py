"""What a comparison found: tables, made from what was kept of the runs, or read from the folder that holds them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.evidence.audit import audit, counts
from sim.evidence.ledger import digest
from sim.scenario.schema import Scenario
from sim.shown import Shown, presentation
from sim.statistics import paired, price
from sim.statistics.outcome import Outcome
from sim.store import TableWriter, manifest_of, read_table, to_arrow, to_pandas, verify, write_manifest
from sim.tables import columns
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["BASE", "TABLES", "Comparison", "Found", "Pair", "Run", "described", "open_comparison"]

BASE = "base"
"""How tables call the base scenario; no reform may be called so."""

TABLES = ("effects", "twins", "gains", "graduation", "lives", "costs", "unit_costs", "budgets")

_KIND = "comparison"
"""What the manifest says of itself."""


class Run(NamedTuple):
    """What is kept of one scenario in one replicate."""

    outcomes: dict[str, Outcome]
    per_unit: pd.DataFrame
    planned: pd.DataFrame


class Pair(NamedTuple):
    """What is kept of one reform in one replicate."""

    whole: Run
    direct: dict[str, Outcome]
    counts: pd.DataFrame
    graduation: pd.DataFrame
    lives: pd.DataFrame
    stakes: pd.DataFrame


class Found(NamedTuple):
    """What is kept of all replicates, and how it becomes tables."""

    reforms: tuple[str, ...]
    replicates: Sequence[tuple[Run, list[Pair]]]

    def parts(self, table: str) -> Iterator[pd.DataFrame]:
        """A table in one part, or in a part for each replicate where it has rows for each."""
        if table in ("twins", "graduation", "lives"):
            kept = "counts" if table == "twins" else table
            for _, pairs in self.replicates:
                frames = [getattr(pair, kept).assign(scenario=r) for r, pair in zip(self.reforms, pairs, strict=True)]
                yield pd.concat(frames, ignore_index=True)
        elif table in ("unit_costs", "budgets"):
            yield self._by_scenario(table)
        else:
            of = {"effects": self._effects, "gains": self._gains, "costs": self._costs}[table]
            frames = [of([pairs[i] for _, pairs in self.replicates]) for i in range(len(self.reforms))]
            named = [frame.assign(scenario=r) for r, frame in zip(self.reforms, frames, strict=True)]
            yield pd.concat(named, ignore_index=True)

    def _effects(self, pairs: list[Pair]) -> pd.DataFrame:
        base = [run.outcomes for run, _ in self.replicates]
        return paired.effects(base, [p.whole.outcomes for p in pairs], [p.direct for p in pairs])

    def _gains(self, pairs: list[Pair]) -> pd.DataFrame:
        table = pd.concat([p.counts for p in pairs])
        parts = [paired.gains(table[table["part"] == part]).assign(part=part) for part in ("whole", "direct")]
        return pd.concat(parts, ignore_index=True)

    def _costs(self, pairs: list[Pair]) -> pd.DataFrame:
        return price.cost_per_survivor(pd.concat([p.stakes for p in pairs], ignore_index=True))

    def _by_scenario(self, table: str) -> pd.DataFrame:
        """Means over replicates of each scenario's own table, the base included."""
        runs = {BASE: [run for run, _ in self.replicates]}
        runs |= {name: [pairs[i].whole for _, pairs in self.replicates] for i, name in enumerate(self.reforms)}
        frames = [_mean(table, [r.planned if table == "budgets" else r.per_unit for r in of]) for of in runs.values()]
        return pd.concat([f.assign(scenario=name) for name, f in zip(runs, frames, strict=True)], ignore_index=True)


def _mean(table: str, frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    rows = pd.concat(frames, ignore_index=True)
    key = {"budgets": ["year", "instrument"], "unit_costs": ["discount", "per", "unit"]}[table]
    groups = rows.groupby(key, sort=False, dropna=False)
    mean = groups.mean(numeric_only=True).reset_index()
    if "reason" not in rows:
        return mean
    reasons: list[str | None] = []
    for _, of in groups["reason"]:
        unknown = of.dropna()
        part = "" if len(unknown) == len(of) else f"in {len(unknown)} of {len(of)} replicates: "
        reasons.append(part + unknown.iloc[0] if len(unknown) else None)
    return mean.assign(reason=pd.Series(reasons, dtype=object))


class Comparison(Shown):
    """What a comparison found. Tables are pandas DataFrames; `scenario` names the reform, or is ``base``.

    Attributes
    ----------
    base, reforms
        The scenarios with all defaults filled in, as plain values; reforms by name.
    replicates, seed
        How many were run, and the root seed that all scenarios share.
    discount
        Yearly rate of the discounted unit costs.
    folder
        Where it was read from, if it was.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        files: Mapping[str, bytes],
        parts: Callable[[str], Iterable[pd.DataFrame]],
        folder: Path | None = None,
    ) -> None:
        scenarios = {name: kept["scenario"] for name, kept in manifest["scenarios"].items()}
        self.base: Mapping[str, Any] = scenarios.pop(BASE)
        self.reforms: Mapping[str, Mapping[str, Any]] = scenarios
        self.replicates, self.seed = int(manifest["replicates"]), int(manifest["seed"])
        self.discount = float(manifest["discount"])
        self.folder = folder
        self.manifest, self._files, self._parts = manifest, files, parts

    def table(self, name: str) -> pd.DataFrame:
        """One of `TABLES`, with the types that `sim.tables` declares, whether it was stored or not."""
        import pyarrow as pa

        return to_pandas(pa.concat_tables(to_arrow(name, part, ()) for part in self._parts(name)))

    @property
    def asked(self) -> int:
        """Replicates that the base scenario asks for, at most."""
        rule = self.base["replicates"]
        return int(rule["until"]["max"] if isinstance(rule, Mapping) else rule)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Paired effect of each reform on each outcome, and its direct part and displacement: `paired.effects`."""
        return self.table("effects")

    @cached_property
    def twins(self) -> pd.DataFrame:
        """Saved, lost and unchanged, by age and group, replicate by replicate: `twins.counts`.

        ``part`` is ``whole`` or ``direct``, with others' seats and demand held as in the base run.
        """
        return self.table("twins")

    @cached_property
    def gains(self) -> pd.DataFrame:
        """Who gains and who loses, in all and directly, with intervals over replicates: `paired.gains`."""
        return self.table("gains")

    @cached_property
    def graduation(self) -> pd.DataFrame:
        """Who gets to each stage earlier, later, only under the reform, only without it: `twins.graduation`."""
        return self.table("graduation")

    @property
    def lives(self) -> pd.DataFrame:
        """The people whose lives differ, one row each, made anew each time: `twins.differing`."""
        return self.table("lives")

    @cached_property
    def costs(self) -> pd.DataFrame:
        """What an additional survivor costs, with its interval: `price.cost_per_survivor`."""
        return self.table("costs")

    @cached_property
    def unit_costs(self) -> pd.DataFrame:
        """Spending per arrival, survivor and job-year of each scenario, the base included: `fiscal.per_unit`.

        Means over replicates, undiscounted and at the rate `discount`.
        """
        return self.table("unit_costs")

    @cached_property
    def budgets(self) -> pd.DataFrame:
        """Planned, claimed and disbursed by year and instrument of each scenario, means: `fiscal.planned`."""
        return self.table("budgets")

    @property
    def plot(self) -> Any:
        """Plots: `effect.plot.forest()`, `.split()`, `.gains(reform=...)`, `.plane()`."""
        return presentation("comparison_plots").Plots(self)

    def write(self, folder: Path) -> None:
        """Write it into an empty folder: tables replicate by replicate, scenarios, manifest; see `open_comparison`.

        Let `sim.store.whole_folder` make the folder, so that nobody sees half of it.
        """
        if self.folder is not None:
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            return
        for name, content in self._files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        writer = TableWriter(folder, ())
        for name in TABLES:
            for part in self._parts(name):
                writer.write({name: part})
        writer.close()
        write_manifest(folder, {**self.manifest, "rows": writer.rows})

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.reforms)} reforms with the base, {self.replicates} replicates each>"


def open_comparison(folder: Path | str) -> Comparison:
    """A stored comparison; a table is read when it is asked for.

    Raises StoreError if the folder is none, or is damaged.
    """
    path, manifest = Path(folder), manifest_of(folder, _KIND, "sim compare")

    def parts(name: str) -> list[pd.DataFrame]:
        verify(path, name, manifest)
        return [read_table(path, name)]

    return Comparison(manifest, {}, parts, path)


def described(
    base: Scenario, reforms: Mapping[str, Scenario], *, replicates: int, discount: float
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest of a comparison, without its rows and checksums, and its scenario files by relative path."""
    files: dict[str, bytes] = {}
    scenarios: dict[str, Any] = {}
    for place, (name, scenario) in enumerate({BASE: base, **reforms}.items()):
        beside = f"reforms/{place}/" if place else ""
        files[f"{beside}scenario.yaml"] = scenario.to_yaml().encode()
        files |= {beside + file: content for file, content in scenario.component_files().items()}
        scenarios[name] = {
            "file": scenario.file,
            "stored": f"{beside}scenario.yaml",
            "scenario": scenario.resolved(),
            "scenario_hash": scenario.hash(),
            "burn_in_hash": scenario.burn_in.hash(),
            "numbers": counts(audit(scenario.provenance.values())),
        }
    manifest = {
        "kind": _KIND,
        "scenarios": scenarios,
        "evidence_hash": digest(),
        "seed": base.seed,
        "seed_scheme": SEED_SCHEME,
        "replicates": replicates,
        "discount": discount,
        "versions": versions(),
        "git_commit": commit(),
        "units": {name: {c.name: c.unit for c in columns(name)} for name in TABLES},
    }
    return manifest, files
