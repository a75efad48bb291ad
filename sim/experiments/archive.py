"""Points that have been run, kept for good: what is in the folder is never run again.

A part is a Parquet file, named by the keys of its points and by its own checksum. It is written under another name,
synced and renamed, and its folder is synced: a part is whole or not there. A key is the SHA-256 of the scenario at the
point, the root seed, the replicates, the outcomes and the version of the model, so that nothing of another model or
study is mixed in. One process at a time has the folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import sim
from sim.errors import ScenarioError, StoreError
from sim.evidence.ledger import digest
from sim.experiments.points import evaluate
from sim.scenario.schema import Scenario
from sim.simulation import SEED_SCHEME, versions

__all__ = ["Archive", "Point", "model_version"]

Point = Mapping[str, object]

_BATCH = 16
"""Points of a part: a few seconds of work, which is what a kill can cost."""


@cache
def model_version() -> str:
    """SHA-256 over the package's sources, its evidence and the packages that numbers depend on."""
    found = hashlib.sha256(json.dumps([versions(), SEED_SCHEME, digest()], sort_keys=True).encode())
    root = Path(sim.__file__).parent
    for room in ("", "chain", "entrepreneurs", "evidence", "market", "policy", "statistics"):
        for path in sorted((root / room).glob("*.py")):
            found.update(path.read_bytes())
    found.update((root / "experiments" / "points.py").read_bytes())
    return found.hexdigest()


class Archive:
    """The points in a folder, which is made if it is not there; without a folder, in memory.

    Open it with ``with``: it is locked, leftovers of a killed process are cleared, and damaged parts are set aside.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder / "points" if folder else None
        self.damaged: list[Path] = []
        self.run = 0
        self._rows: dict[str, pd.DataFrame] = {}
        self._lock: int | None = None

    def __enter__(self) -> Archive:
        if self.folder is None:
            return self
        home = self.folder.parent
        if home.is_dir() and any(home.iterdir()) and not self.folder.is_dir():
            raise StoreError(f"{home}: holds something else than a calibration; choose another folder with -o")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.folder.parent / ".lock")
        except OSError as error:
            raise StoreError(f"{self.folder.parent}: cannot be written ({error.strerror or error})") from error
        for left in self.folder.glob("*.tmp"):
            left.unlink(missing_ok=True)
        for part in sorted(self.folder.glob("*.parquet")):
            frame = _read(part)
            if frame is None:
                self.damaged.append(part.rename(part.with_suffix(".damaged")))
                continue
            self._rows |= {str(key): rows.drop(columns="key") for key, rows in frame.groupby("key", sort=False)}
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)

    def evaluate(
        self,
        scenario: Scenario,
        points: Sequence[Point],
        outcomes: Sequence[str],
        *,
        replicates: int,
        seed: int,
        jobs: int = 1,
        done: Any = None,
    ) -> pd.DataFrame:
        """As `sim.experiments.points.evaluate`, running only what is not kept yet; `done` is told of points done."""
        keys = [key(scenario, point, outcomes, replicates, seed) for point in points]
        missing = {k: point for k, point in zip(keys, points, strict=True) if k not in self._rows}
        if done:
            done(len(points) - len(missing))
        todo = list(missing.items())
        for first in range(0, len(todo), _BATCH):
            batch = todo[first : first + _BATCH]
            found = evaluate(scenario, [p for _, p in batch], outcomes, replicates=replicates, seed=seed, jobs=jobs)
            rows = {k: found[found["point"] == i].drop(columns="point") for i, (k, _) in enumerate(batch)}
            self._keep(rows)
            self.run += len(batch)
            if done:
                done(len(batch))
        frames = [self._rows[k].assign(point=i) for i, k in enumerate(keys)]
        columns = ["point", "replicate", *outcomes, "reason"]
        return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)

    def _keep(self, rows: Mapping[str, pd.DataFrame]) -> None:
        if self.folder is not None:
            name = hashlib.sha256("".join(rows).encode()).hexdigest()[:16]
            table = pd.concat([frame.assign(key=k) for k, frame in rows.items()], ignore_index=True)
            try:
                _write(self.folder, name, table)
            except OSError as error:
                raise StoreError(f"{self.folder}: cannot be written ({error.strerror or error})") from error
        self._rows |= rows


def key(scenario: Scenario, point: Point, outcomes: Sequence[str], replicates: int, seed: int) -> str:
    """What a point's rows are kept under."""
    try:
        what = scenario.replace(point).hash()
    except ScenarioError:  # its rows hold the reason
        what = json.dumps([scenario.hash(), sorted((p, repr(v)) for p, v in point.items())])
    plain = [what, list(outcomes), replicates, seed, scenario.engine, model_version()]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def _write(folder: Path, name: str, table: pd.DataFrame) -> None:
    """A part, whole or not at all, and for good."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), held)
    content = held.getvalue()
    part = folder / f"{name}.tmp"
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / f"{name}-{_checksum(content)}.parquet")
    finally:
        part.unlink(missing_ok=True)
    at = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(at)
    finally:
        os.close(at)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _read(path: Path) -> pd.DataFrame | None:
    """A part; None if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = path.read_bytes()
        if path.stem.partition("-")[2] != _checksum(content):
            return None
        frame: pd.DataFrame = pq.read_table(io.BytesIO(content)).to_pandas()
    except (OSError, ValueError, pa.ArrowException):
        return None
    frame["reason"] = frame["reason"].astype(object).where(frame["reason"].notna(), None)
    return frame


def _locked(path: Path) -> int:
    """Hold a lock file while this process lives. Raises StoreError, with the process that has it, if another does."""
    at = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        import fcntl

        fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # no such locks on this system
        return at
    except OSError:
        other = os.pread(at, 20, 0).decode(errors="replace").strip()
        os.close(at)
        raise StoreError(f"{path.parent}: another process works in this folder (process {other})") from None
    with suppress(OSError):
        os.ftruncate(at, 0)
        os.pwrite(at, str(os.getpid()).encode(), 0)
    return at
