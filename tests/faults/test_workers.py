"""Workers that are killed, crash or hang cost nothing but the run that did it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import sim

pytestmark = pytest.mark.faults

WILD = '''
import os
import signal
import time
from typing import Literal

from sim.evidence.quantity import quantity
from sim.policy._instrument import PolicyInstrument


class Wild(PolicyInstrument):
    """Ends or holds up its process where it is told to."""

    type: Literal["wild"] = "wild"
    does: int = quantity(0, unit="count", low=0, high=9, zh="做法", en="what it does", assumed="a test")

    def act(self, people, now, ledger):
        if self.does == 1:
            os._exit(7)
        if self.does == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.does == 3:
            time.sleep(10**6)
        if self.does == 4:
            while True:
                pass
        if self.does == 5 and now.month == 0:
            time.sleep(0.06)
'''


@pytest.fixture
def wild(driver) -> Callable[[str], None]:
    """Let an instrument of the scenario's own do this or that at the points of the study."""

    def tell(does: str) -> None:
        (driver.folder / "wild_one.py").write_text(WILD)
        city, study = driver.folder / "city.yaml", driver.folder / "study.yaml"
        own = 'components: ["wild_one:Wild"]\n' + city.read_text()
        city.write_text(own.replace("policy: [", "policy: [{id: wild, type: wild}, "))
        study.write_text(
            study.read_text().replace("policy.rent.share.hub, values: [0.0, 0.5]", f"policy.wild.does, values: {does}")
        )

    return tell


@contextmanager
def every_two_seconds(driver: Any, hit: Callable[[], bool]) -> Iterator[list[bool]]:
    """Do something every two seconds in which something was made: on a busy machine, workers may take longer to start.

    Whether it did is noted.
    """
    over, hits, parts = threading.Event(), [], 0

    def strike() -> None:
        nonlocal parts
        while not over.wait(2):
            if (now := driver.parts()) > parts:
                parts = now
                hits.append(hit())

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield hits
    finally:
        over.set()
        thread.join()


def test_a_worker_killed_every_two_seconds(driver, wild):
    """Whichever worker is killed and whenever: no run is lost, none is called failed, and the digest is the same."""
    wild("[0, 5]")
    process, dice = driver.sweep("--jobs", "2"), random.Random(3)

    def hit() -> bool:
        workers = sorted(driver.children(process.pid))
        if workers:
            os.kill(dice.choice(workers), signal.SIGKILL)
        return bool(workers)

    with every_two_seconds(driver, hit) as hits:
        driver.end(process)
    assert sum(hits) >= 2
    found = driver.status()
    assert (found["done"], found["failed"]) == (driver.runs, {})
    assert found["digest"] == sim.sweep(driver.folder / "study.yaml").digest


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_crashes_or_hangs_is_named(driver, wild, jobs):
    """A run that ends its process in some way, or never ends, is named; the others are as they are alone; exit 3."""
    wild("[0, 1, 2, 3, 4]")
    study = driver.folder / "study.yaml"
    study.write_text(study.read_text().replace("replicates: 60", "replicates: 1").replace("[1, 2, 4]", "[2]"))
    said = driver.sweep("--jobs", jobs, "--timeout", "4", "--json")
    out, err = said.communicate(timeout=300)
    assert said.returncode == 3, err
    found = sim.open_sweep(driver.out)
    assert str(len(found.failures)) in out
    failed = found.failures.groupby("policy.wild.does")[["phase", "message"]].first()
    assert failed["phase"].to_dict() == {1: "lost", 2: "lost", 3: "timeout", 4: "timeout"}
    assert failed.loc[1, "message"] == "its process ended with exit code 7"
    assert failed.loc[2, "message"] == "its process was ended by signal 11 (SIGSEGV)"
    assert failed.loc[3, "message"] == "no result after 4 s"
    (sound,) = found.runs.loc[found.runs["phase"].isna(), "spent_cny"]
    alone = sim.simulate(sim.load(driver.folder / "city.yaml"), seed=1, replicate=0)
    assert sound == pytest.approx(alone["ledger"]["paid_cny"].sum())


# on a Dask cluster ----------------------------------------------------------------------------------------------------


class Cluster:
    """A scheduler and two workers, as a user starts them by hand; with certificates if `tls` names them."""

    def __init__(self, folder: Path, tls: tuple[str, ...] = ()) -> None:
        self.folder, self.port, self.tls = folder, 0, tls
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._scheduler()
        for _ in range(2):
            self.add()

    @property
    def address(self) -> str:
        return f"{'tls' if self.tls else 'tcp'}://127.0.0.1:{self.port}"

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        log = (self.folder / "dask.log").open("ab")
        command = [sys.executable, "-m", *words]
        with log:
            return subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)

    def _scheduler(self) -> subprocess.Popen[bytes]:
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        place = ("--port", str(self.port), "--dashboard-address", "127.0.0.1:0")
        host = ("--host", "tls://127.0.0.1") if self.tls else ("--host", "127.0.0.1")
        return self._run("distributed.cli.dask_scheduler", *host, *place, *self._certificates())

    def _certificates(self) -> tuple[str, ...]:
        names = ("--tls-ca-file", "--tls-cert", "--tls-key")
        return tuple(word for pair in zip(names, self.tls, strict=False) for word in pair)

    def add(self) -> None:
        """Start a worker."""
        how = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0", "--death-timeout", "30")
        where = ("--host", "tls://127.0.0.1" if self.tls else "127.0.0.1", "--local-directory", "scratch")
        self.workers.append(self._run("distributed.cli.dask_worker", self.address, *how, *where, *self._certificates()))

    def kill_one(self, dice: random.Random) -> bool:
        """Kill a worker, and start another in its place."""
        victim = self.workers.pop(dice.randrange(len(self.workers)))
        victim.kill()
        victim.wait()
        self.add()
        return True

    def restart(self) -> None:
        """Kill everything, and start all anew."""
        self.end()
        self.workers.clear()
        self.scheduler = self._scheduler()
        for _ in range(2):
            self.add()

    def end(self) -> None:
        """Kill everything."""
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A Dask cluster on this machine."""
    (tmp_path / "cluster").mkdir()
    made = Cluster(tmp_path / "cluster")
    yield made
    made.end()


def test_a_dask_cluster_whose_workers_and_scheduler_are_killed(driver, cluster, wild):
    """Workers killed every two seconds cost nothing; a scheduler that is killed ends the sweep with a clear error.

    Gone on with on another scheduler, it ends with the digest of an undisturbed one.
    """
    wild("[0, 5]")
    process, dice = driver.sweep("--dask", cluster.address, "-q"), random.Random(5)
    driver.wait(driver.parts, "a first part")
    with every_two_seconds(driver, lambda: cluster.kill_one(dice)) as hits:
        driver.wait(lambda: len(hits) >= 2 or process.poll() is not None, "two kills")
    print(f"{len(hits)} workers killed; {driver.status()['done']} runs done")
    cluster.scheduler.kill()
    began = time.monotonic()
    if process.poll() is None:
        said = driver.end(process, 3)
        print(f"told after {time.monotonic() - began:.1f} s")
        assert f"Dask ({cluster.address}) is gone" in said
        assert len(said.strip().splitlines()) == 1
    between = driver.status()
    assert 0 < between["done"] <= driver.runs
    assert between["failed"] == {}
    cluster.restart()
    driver.end(driver.sweep("--dask", cluster.address, "-q"))
    found = driver.status()
    assert (found["done"], found["failed"]) == (driver.runs, {})
    assert found["digest"] == sim.sweep(driver.folder / "study.yaml").digest


@pytest.fixture
def certificates(tmp_path: Path) -> tuple[str, str, str]:
    """An authority, and a certificate of this machine with its key."""
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    asked = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1")
    named = ("-addext", "subjectAltName=IP:127.0.0.1")
    made = ["openssl", "req", *asked, *named, "-keyout", key, "-out", certificate]
    subprocess.run(made, check=True, capture_output=True)
    return certificate, certificate, key


def test_a_scheduler_by_tls(driver, certificates, tmp_path):
    """With certificates a sweep runs on a scheduler by TLS as it does here; without them it is refused."""
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", certificates)
    ca, certificate, key = certificates
    study = driver.folder / "study.yaml"
    study.write_text(study.read_text().replace("replicates: 60", "replicates: 2"))
    try:
        where = ("--dask", cluster.address, "-q")
        driver.end(driver.sweep(*where, "--tls-ca", ca, "--tls-cert", certificate, "--tls-key", key))
        assert driver.status()["digest"] == sim.sweep(study).digest
        naked = driver.start("sweep", "study.yaml", "-o", "naked", *where)
        assert "no Dask scheduler answers" in driver.end(naked, 3)
    finally:
        cluster.end()
