"""What a sweep found: its runs, its points, and what the outcomes come to at each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.experiments.sweep.folder import manifest_of, most, read_points, study_in
from sim.experiments.sweep.parts import Parts
from sim.experiments.sweep.plan import Plan
from sim.scenario.studies import SweepStudy
from sim.shown import Shown
from sim.statistics.paired import Mean, student

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Sweep", "open_sweep"]

_SUMMARY = ("branch", "point", "outcome", "mean", "sd", "ci_low", "ci_high", "n", "unit")


class Sweep(Shown):
    """What a sweep found, finished or not. Tables are pandas DataFrames, read when they are asked for.

    Attributes
    ----------
    manifest
        The study and what it rests on; `outcomes` has the units.
    damaged
        Parts that were set aside, and whose runs were made again.
    """

    def __init__(
        self, manifest: Mapping[str, Any], parts: Parts, *, plan: Plan | None = None, damaged: Sequence[Path] = ()
    ) -> None:
        self.manifest, self.damaged = manifest, tuple(damaged)
        self._parts, self._plan = parts, plan

    @property
    def folder(self) -> Path | None:
        """Where it is kept, if it is."""
        return self._parts.home

    @cached_property
    def plan(self) -> Plan:
        """The points, and the runs of each."""
        if self._plan is None:
            assert self.folder is not None
            return Plan(study_in(self.folder))
        return self._plan

    @property
    def study(self) -> SweepStudy:
        """The study, as it was last extended."""
        return self.plan.study

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes."""
        return tuple(self.manifest["outcomes"])

    @property
    def paths(self) -> tuple[str, ...]:
        """What varies, by dotted path."""
        return tuple(dict.fromkeys(axis["path"] for axis in self.manifest["axes"]))

    def asked(self, table: pa.Table) -> pa.Table:
        """Those of some runs that the study asks for.

        If it was changed, its folder may hold runs of points that it has no more, and more of each than it wants.
        """
        import pyarrow.compute as pc

        if not self.manifest.get("changed"):  # folders of earlier versions say nothing of it
            return table
        mine = pc.is_in(table["point"], value_set=self._mine)
        return table.filter(pc.and_(mine, pc.less(table["replicate"], most(self.manifest["replicates"]))))

    @cached_property
    def _mine(self) -> pa.Array:
        import pyarrow as pa

        return pa.array(self.points["point"].unique(), pa.string())

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row for each run that the study asks for and that is kept, the first replicate of each point first.

        A point that several branches share is run once, and stands under the first of them.

        key, point, branch, a column for each path that varies, replicate, seed, a column for each outcome in its unit
        (null where not known), reason (why not), phase and message (where and why the run failed).
        """
        import pyarrow as pa

        tables = list(map(self.asked, self._parts.tables()))
        if not tables:
            columns = ["key", "point", "branch", *self.paths, "replicate", "seed", *self.outcomes]
            return pd.DataFrame(columns=[*columns, "reason", "phase", "message"])
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="default").to_pandas().drop_duplicates("key")
        place = {point: at for at, point in enumerate(dict.fromkeys(self.points["point"]))}
        order = frame["point"].map(place).fillna(len(place))
        frame = frame.assign(_order=order).sort_values(["replicate", "_order", "point"], kind="stable")
        return frame.drop(columns="_order").reset_index(drop=True)

    @cached_property
    def points(self) -> pd.DataFrame:
        """A row for each point of the study's designs: branch, number (row of the design, from 0), point, its values.

        The same point may come twice, and its runs then count for both.
        """
        kept = read_points(self.folder, self.manifest["stamp"]) if self.folder else None
        frame: pd.DataFrame = (self.plan.table() if kept is None else kept).to_pandas()
        return frame

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Each outcome at each point of a branch: mean over replicates, Student-t interval at 95 %, runs that know it.

        branch, point, outcome, mean, sd, ci_low, ci_high, n, unit. Runs that failed, or do not know the outcome, are
        left out; the interval needs two.
        """
        from scipy.special import stdtrit

        groups = self.runs.groupby("point", sort=False)
        places = self.points[["branch", "point"]].drop_duplicates()
        values = {name: groups[name] for name in self.outcomes}
        frames = []
        for name, column in values.items():
            found = pd.DataFrame({"mean": column.mean(), "sd": column.std(ddof=1), "n": column.count()})
            n = found["n"].to_numpy()
            half = stdtrit(np.maximum(n - 1, 1), 0.975) * found["sd"] / np.sqrt(np.maximum(n, 1))
            found["ci_low"], found["ci_high"] = found["mean"] - half, found["mean"] + half
            found["outcome"], found["unit"] = name, self.manifest["outcomes"][name]
            frames.append(places.merge(found.reset_index(), on="point"))
        if not frames:
            return pd.DataFrame(columns=list(_SUMMARY))
        return pd.concat(frames, ignore_index=True)[list(_SUMMARY)]

    def difference(self, outcome: str, point: str, base: str) -> Mean:
        """By how much an outcome at a point exceeds that at another: mean of the pairs of runs with the same luck.

        In the outcome's unit, with its 95 % Student-t interval, for which two pairs are needed. Who picks the points
        by their outcomes, the largest against the smallest, picks luck as well.
        """
        known = self.runs.set_index(["point", "replicate"])[outcome].dropna()
        there, here = (known.xs(p, level="point") if p in known.index else known[:0] for p in (point, base))
        return student((there - here).dropna().to_numpy(float))

    @cached_property
    def failures(self) -> pd.DataFrame:
        """Runs that failed: where and why, with all that is needed to make each by itself."""
        columns = ["branch", "point", *self.paths, "replicate", "seed", "phase", "message"]
        return self.runs.loc[self.runs["phase"].notna(), columns].reset_index(drop=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all runs of the study, sorted by key: the key, the bits of the outcomes, and where it failed.

        It does not depend on who made the runs, in which parts they are kept, in which order they came, or what else
        the folder holds.
        """
        names = sorted(self.outcomes)
        keys: list[str] = []
        rows: list[bytes] = []
        for table in map(self.asked, self._parts.tables(["key", "phase", "point", "replicate", *names])):
            numbers = np.column_stack([table[name].to_numpy() for name in names]).astype("<f8") + 0.0  # one zero
            numbers[np.isnan(numbers)] = np.nan  # and one NaN
            keys += table["key"].to_pylist()
            phases = [(phase or "").encode() for phase in table["phase"].to_pylist()]
            rows += [row.tobytes() + phase for row, phase in zip(numbers, phases, strict=True)]
        found = hashlib.sha256()
        last = ""
        for at in sorted(range(len(keys)), key=keys.__getitem__):
            if keys[at] != last:
                found.update(keys[at].encode() + rows[at])
            last = keys[at]
        return found.hexdigest()

    def __repr__(self) -> str:
        return f"<Sweep of {len(self.runs):,} runs: {', '.join(self.paths)}>"


def open_sweep(folder: Path | str) -> Sweep:
    """A stored sweep, finished or not. Raises StoreError if the folder is none, or is damaged."""
    home = Path(folder)
    return Sweep(manifest_of(home), Parts(home))
