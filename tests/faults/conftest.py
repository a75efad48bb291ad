"""A sweep that takes some seconds, and ways to start it, watch it and kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sim

CITY = """\
schema: 1
horizon: {months: 24}
arrivals: {per_year: {value: 15, range: [10, 100], assumed: small}}
chain:
  - {id: village, facilities: 1}
  - {id: hub, facilities: 1, places: {value: 2, range: [1, 9], assumed: few}, threshold: 20_000, tenancy: 6}
policy: [{id: rent, type: rent_relief, share: {hub: 0.5}}]
"""

STUDY = """\
schema: 1
kind: sweep
scenario: city.yaml
replicates: 60
outcomes: [survival_12m, arrivals, spent_cny]
levers:
  - {path: chain.hub.places, values: [1, 2, 4]}
  - {path: policy.rent.share.hub, values: [0.0, 0.5]}
design: {kind: grid}
"""

RUNS = 360

PATIENCE = 120.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the study."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "city.yaml").write_text(CITY)
    (folder / "study.yaml").write_text(STUDY)
    return folder


@pytest.fixture(scope="session")
def undisturbed(written: Path) -> str:
    """The digest of the sweep when nothing happens to it."""
    return sim.sweep(written / "study.yaml").digest


class Driver:
    """`sim` in a process of its own, which leads a group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.started: list[subprocess.Popen[str]] = []

    runs = RUNS

    @staticmethod
    def wait(until: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, f"waited too long: {what}"
            time.sleep(0.01)

    @staticmethod
    def lives(pid: int) -> bool:
        """Whether a process runs; one that is dead and not yet buried does not."""
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    @staticmethod
    def children(pid: int) -> set[int]:
        """All processes below a process."""
        parents = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        found: set[int] = set()
        new = {pid}
        while new := {child for child, parent in parents.items() if parent in new} - found:
            found |= new
        return found

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Start it in the folder."""
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "SIM_LANG": "en"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
        command = [sys.executable, "-m", "sim", *words]
        process = subprocess.Popen(command, cwd=self.folder, env=environment, **pipes, **options)
        self.started.append(process)
        return process

    def sweep(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Start or go on with the sweep."""
        return self.start("sweep", "study.yaml", "-o", "out", *words, **options)

    def end(self, process: subprocess.Popen[str], code: int = 0) -> str:
        """Wait for it; what it said on standard error."""
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, f"{process.returncode}: {said}"
        assert "Traceback" not in said
        return said

    def finished(self) -> dict:
        """The status of the folder after the same command has gone on to the end, in this process's own time."""
        sim.sweep(self.folder / "study.yaml", self.out)
        return self.status()

    def status(self) -> dict:
        """How far it is."""
        out, said = self.start("status", "out", "--json").communicate(timeout=PATIENCE)
        assert out, said
        return json.loads(out)

    def parts(self) -> int:
        """How many parts there are."""
        return len(list(self.out.glob("parts/*.parquet")))


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """A folder with the study, and a way to run it there."""
    (tmp_path / "city.yaml").write_text(CITY)
    (tmp_path / "study.yaml").write_text(STUDY)
    made = Driver(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
