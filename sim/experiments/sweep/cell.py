"""A process of its own for runs: what crashes or hangs in it costs that one run, which is then known by name.

Each thread that is given batches has one such process, beside it on the same machine, and speaks with it through a
pipe. Whatever gives the batches (a thread, a pool of processes, a Dask worker) is never taken down by a run. The
process ends with the one that started it, at once, and by itself when nothing is asked of it for a while.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

from sim.errors import RunError
from sim.experiments.sweep.work import Batch, Results, Row, failed

__all__ = ["close", "in_a_cell", "main", "prepare"]

_OFTEN = 0.05
"""Seconds between messages while all goes well: to send each row by itself would cost more than a small run."""

_IDLE = 60.0
"""assumed: seconds without work after which a process ends; the next batch starts another, which takes about two."""

_START = 120.0
"""assumed: seconds that a process may take to start, compiling included."""

_LOOK = 0.5
"""Seconds between looks at the parent and the clock. A longer pause was the whole machine's, not the run's."""

_KILLED_BY_OTHERS = (-9, -15)
"""Exit codes after SIGKILL and SIGTERM."""

_TRIES = {"timeout": 1, "lost": 2, "killed": 5}
"""assumed: how often a run is made before it counts as failed, after it took too long, its process ended, or somebody
else (the system for want of memory, or a person) killed that."""

_STARTS = 20
"""assumed: how often in a row the process may be killed by somebody else while it starts."""


class _End(Exception):
    """The process is no more. `kind` is one of `_TRIES`."""

    def __init__(self, kind: str, said: str) -> None:
        self.kind, self.said = kind, said
        super().__init__(said)


class _Closed(Exception):
    """The session is over; nobody waits for the batch."""


def in_a_cell(batch: Batch) -> Results:
    """Make the runs of a batch in this thread's process.

    Raises RunError if no process can be started, or if it has another version of the model than the driver.
    """
    _follow(batch.driver)
    found: dict[int, Row] = {}
    tries: Counter[tuple[int, str]] = Counter()
    began, careful = time.perf_counter(), False
    while left := [i for i in range(len(batch.orders)) if i not in found]:
        some = batch._replace(orders=tuple(batch.orders[i] for i in left))
        try:
            for numbers, rows in _own(batch.session).make(some, 0.0 if careful else _OFTEN):
                found.update((left[n], row) for n, row in zip(numbers, rows, strict=True))
        except _End as end:
            culprit = next((i for i in left if i not in found), None)
            if culprit is not None and (careful or len(left) == 1):  # only then is it certain which one it was
                tries[culprit, end.kind] += 1
                if tries[culprit, end.kind] >= _TRIES[end.kind]:
                    phase = "timeout" if end.kind == "timeout" else "lost"
                    found[culprit] = failed(batch.outcomes, phase, end.said)
            careful = True
    return Results(tuple(found[i] for i in range(len(batch.orders))), time.perf_counter() - began)


class _Cell:
    """The process, seen from the thread that it belongs to."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.owner = os.getpid()
        here, there = Pipe()
        path = os.pathsep.join(dict.fromkeys(p for p in sys.path if p))
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        code = "from sim.experiments.sweep.cell import main; main()"
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, str(there.fileno()), str(os.getpid())],
            env={**os.environ, **one, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            pass_fds=[there.fileno()],
        )
        there.close()
        self._pipe = here

    def ready(self) -> _Cell:
        """Wait until it has started. Raises `_End` if it ends first."""
        try:
            if not self._pipe.poll(_START):
                self.kill()
                raise _End("lost", f"not ready after {_START:g} s")
            self._pipe.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        self._said.close()
        return self

    def make(self, batch: Batch, often: float) -> Iterator[tuple[range, list[Row]]]:
        """Numbers and rows of runs, as they are told. Raises `_End`, after which it is of no use."""
        try:
            self._pipe.send((batch, often))
            while True:
                self._wait(batch.timeout)
                kind, *told = self._pipe.recv()
                if kind == "rows":
                    yield tuple(told)
                elif kind == "refused":
                    raise RunError(*told)
                else:
                    return
        except (EOFError, OSError):
            raise self._ended() from None
        except GeneratorExit:
            self.kill()  # whoever listened was interrupted: the rest of the answer must not meet the next question
            raise

    def _wait(self, timeout: float | None) -> None:
        """Wait for a message; time in which this process was stopped as well does not count."""
        waited = 0.0
        while True:
            began = time.monotonic()
            if self._pipe.poll(_LOOK):
                return
            waited += min(time.monotonic() - began, 2 * _LOOK)
            if timeout is not None and waited > timeout:
                self.kill()
                raise _End("timeout", f"no result after {timeout:g} s")

    def _ended(self) -> _End:
        """How it ended."""
        if self.session in _closed:
            raise _Closed
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:  # it closed the pipe and lives on
            self.kill()
            code = self._process.wait()
        if code in _KILLED_BY_OTHERS:
            return _End("killed", f"its process was killed (signal {-code}), as a system does that is out of memory")
        if code < 0:
            return _End("lost", f"its process was ended by signal {-code} ({signal.Signals(-code).name})")
        return _End("lost", f"its process ended with exit code {code}")

    @property
    def startup(self) -> str:
        """The last line that it said before it was ready."""
        if self._said.closed:
            return ""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    @property
    def lives(self) -> bool:
        """Whether it can still be asked."""
        return not self._pipe.closed and self._process.poll() is None

    def kill(self) -> None:
        """End it; a process that was forked off only lets go of it."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._pipe.close()
        self._said.close()


_mine = threading.local()
_cells: set[_Cell] = set()
_spare: deque[_Cell] = deque()
_closed: set[str] = set()


def prepare(count: int) -> None:
    """Start processes for the threads that will want them, while this one has something else to do."""
    while len(_spare) < count:
        _spare.append(_Cell(""))


def _own(session: str) -> _Cell:
    """The process of this thread, started if it is not there."""
    cell: _Cell | None = getattr(_mine, "cell", None)
    if cell is not None and cell.lives and cell.owner == os.getpid():
        cell.session = session
        return cell
    if cell is not None:
        _cells.discard(cell)
        cell.kill()
    for _ in range(_STARTS):
        if session in _closed:
            raise _Closed
        _mine.cell = cell = _new(session)
        _cells.add(cell)
        try:
            return cell.ready()
        except _End as end:
            _cells.discard(cell)
            said = f" ({cell.startup})" if cell.startup else ""
            cell.kill()
            if end.kind != "killed":
                raise RunError(f"no process can be started for runs: {end.said}{said}") from None
    raise RunError("no process can be started for runs: each is killed while it starts")


def _new(session: str) -> _Cell:
    """A process that was prepared, if there is one."""
    with suppress(IndexError):
        while True:
            cell = _spare.popleft()
            if cell.lives and cell.owner == os.getpid():
                cell.session = session
                return cell
            cell.kill()
    return _Cell(session)


def close(session: str) -> None:
    """End the processes of a session that belong to this one; batches that they are at are given up."""
    _closed.add(session)
    for cell in (*_cells, *_spare):
        if cell.session in (session, "") and cell.owner == os.getpid():
            _cells.discard(cell)
            with suppress(OSError):
                cell.kill()
    _spare.clear()


# what the process does ------------------------------------------------------------------------------------------------


def main() -> None:
    """The process: takes batches from the pipe until nobody wants anything."""
    at, parent = int(sys.argv[1]), int(sys.argv[2])
    _end_with(parent)
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    pipe = Connection(at)
    from sim.experiments.sweep.work import warm_up

    warm_up()
    _hush()
    pipe.send("ready")
    with suppress(EOFError, OSError):
        while pipe.poll(_IDLE):
            _serve(pipe, *pipe.recv())


def _serve(pipe: Connection[Any, Any], batch: Batch, often: float) -> None:
    """Make a batch, telling what is done every so often."""
    from sim.experiments.sweep.work import rows

    if wrong := _other(batch):
        return pipe.send(("refused", wrong))
    done: list[Row] = []
    first, began = 0, time.perf_counter()
    for row in rows(batch):
        done.append(row)
        now = time.perf_counter()
        if now - began >= often or first + len(done) == len(batch.orders):
            pipe.send(("rows", range(first, first + len(done)), done))
            first, began, done = first + len(done), time.perf_counter(), []
    return pipe.send(("end",))


def _other(batch: Batch) -> str:
    """Why this process may not make the runs: it has another version of the model. Else nothing."""
    from sim.experiments.sweep.orders import differing, model_version

    if batch.version == model_version():
        return ""
    from sim.versions import versions

    what = differing(batch.packages, versions()) or "its own files"
    return f"a worker has another version of the model (here / there: {what}): install the same on all machines"


def _hush() -> None:
    """What runs print goes nowhere, or it would stand amidst the progress."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


# nobody is left behind ------------------------------------------------------------------------------------------------

_followed: set[int] = set()


def _follow(driver: tuple[str, int]) -> None:
    """Let a process that the driver started, one of a pool of the user's, end with it."""
    import socket

    machine, pid = driver
    if pid not in _followed and os.getppid() == pid != os.getpid() and socket.gethostname() == machine:
        _followed.add(pid)
        _watch(pid)


def _end_with(parent: int) -> None:
    """Let this process end with its parent: by the system where it can, at once; else by looking."""
    with suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: Linux only
    _watch(parent)


def _watch(parent: int) -> None:
    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, daemon=True, name="watches the driver").start()
