"""A sweep whose driver is killed, interrupted, or met by another, ends as if nothing had been."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import sim

pytestmark = pytest.mark.faults


def test_twenty_kills_at_random(driver, undisturbed):
    """Killed with -9 twenty times at random moments and started again at once: the same digest, and no run is lost."""
    script = Path(__file__).with_name("drivers.py")
    words = ["20", "7", str(driver.out), "sweep", "study.yaml", "-o", str(driver.out), "--jobs", "1", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    said = subprocess.run(
        [sys.executable, str(script), *words],
        cwd=driver.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = [tuple(map(int, line.split())) for line in said.stdout.splitlines()]
    assert len(seen) == 20
    assert [parts for parts, _ in seen] == sorted(parts for parts, _ in seen)  # nothing that was kept is lost
    before = driver.status()
    print(f"{before['done']} of {driver.runs} runs done after the kills")
    assert 0 < before["done"] <= driver.runs
    assert not before["damaged"]
    found = driver.finished()
    assert (found["done"], found["digest"]) == (driver.runs, undisturbed)
    assert not [path for path in driver.out.rglob("*") if path.suffix == ".tmp"]


@pytest.mark.parametrize("group", [False, True], ids=["driver", "group"])
def test_workers_end_with_their_driver(driver, undisturbed, group):
    """Kill -9 of the driver with workers, or of its whole group: none of them outlives it; same digest."""
    process = driver.sweep("--jobs", "2")
    driver.wait(driver.parts, "a first part")
    workers = driver.children(process.pid)
    assert len(workers) >= 2
    (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    began = time.monotonic()
    driver.wait(lambda: not any(map(driver.lives, workers)), "the workers' end")
    print(f"gone after {time.monotonic() - began:.2f} s")
    process = driver.sweep("--jobs", "2")  # at once: nobody holds the folder
    driver.end(process)
    assert driver.finished()["digest"] == undisturbed


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c(driver, undisturbed, jobs):
    """Ctrl-C, which a terminal sends to the whole group: exit 130, one line, nobody left, and it goes on later."""
    process = driver.sweep("--jobs", jobs, "-q")
    driver.wait(driver.parts, "a first part")
    workers = driver.children(process.pid)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    said = driver.end(process, 130)
    print(f"gone after {time.monotonic() - began:.2f} s")
    assert said == "Interrupted. What was run is in out; sim resume out goes on from there.\n"
    assert not [pid for pid in workers if driver.lives(pid)]
    assert 0 < driver.status()["done"] <= driver.runs
    assert driver.finished()["digest"] == undisturbed


def test_a_second_driver_is_refused(driver, undisturbed):
    """While one works, another on its folder is refused, naming the process; its work is not touched."""
    process = driver.sweep("--jobs", "1", "-q")
    driver.wait(driver.parts, "a first part")
    os.kill(process.pid, signal.SIGSTOP)  # so that it is not done meanwhile
    said = driver.end(driver.sweep("--jobs", "1", "-q"), 2)
    assert f"another process works in this folder (process {process.pid})" in said
    assert driver.status()["process"] == str(process.pid)
    os.kill(process.pid, signal.SIGCONT)
    driver.end(process)
    found = driver.status()
    assert (found["process"], found["digest"]) == (None, undisturbed)


def _full(driver: Any, process: subprocess.Popen[str]) -> None:
    """It ended with a clear error, and left nothing half-written."""
    said = driver.end(process, 2)
    assert re.search(r"out(/parts)?: cannot be written \(", said)
    assert len(said.strip().splitlines()) == 1
    assert not [path for path in driver.folder.rglob("*") if path.suffix == ".tmp"]


def test_a_full_disk(driver, undisturbed):
    """On a disk that fills up: a clear error, no temporary file is left, and with room again it goes on."""
    disk = driver.folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only an administrator can mount a small disk; the limit on file sizes is tried instead")
    driver.out = disk / "out"
    try:
        process = driver.start("sweep", "study.yaml", "-o", "disk/out", "--jobs", "1", "-q")
        driver.wait(driver.parts, "a first part")
        os.kill(process.pid, signal.SIGSTOP)
        with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(4096))
        os.kill(process.pid, signal.SIGCONT)
        _full(driver, process)
        done = len(sim.open_sweep(driver.out).runs)
        assert 0 < done <= driver.runs
        (disk / "ballast").unlink()
        driver.end(driver.start("resume", "disk/out", "--jobs", "1", "-q"))
        assert sim.open_sweep(driver.out).digest == undisturbed
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_files_that_cannot_grow(driver, undisturbed):
    """The same where files may have two kilobytes only, so that not even the study's folder can be begun."""
    import resource

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    _full(driver, driver.sweep("--jobs", "1", "-q", preexec_fn=small))
    assert driver.finished()["digest"] == undisturbed
