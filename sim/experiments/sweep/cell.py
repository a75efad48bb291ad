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
from typing import IO, Any, NoReturn

from sim.errors import RunError
from sim.experiments.sweep.work import Batch, Results, Row, failed

__all__ = ["close", "in_a_cell", "main", "prepare", "several"]

_OFTEN = 0.2
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


class _Forked:
    """A process that one of ours forked off, seen as `subprocess.Popen` shows its own.

    Parameters
    ----------
    starter
        Its parent.
    fate
        Where the parent tells the exit code when it has ended.
    family
        All that it forked off.
    """

    def __init__(self, starter: subprocess.Popen[bytes], fate: Connection[Any, Any], family: list[_Forked]) -> None:
        family.append(self)
        self._family = family
        self.pid: int | None = None  # until it tells
        self.returncode: int | None = None
        self._starter, self._fate, self._lock = starter, fate, threading.Lock()

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None and self._fate.poll():
                try:
                    self.returncode = self._fate.recv()
                except EOFError:  # the parent was killed, and took it along
                    self.returncode = self._starter.wait() or -signal.SIGKILL
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._fate.poll(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("", timeout or 0.0)
        if all(one.returncode is not None for one in self._family):
            self._starter.wait()  # it has nobody left to wait for
        return code

    def kill(self) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid or self._starter.pid, signal.SIGKILL)


class _Cell:
    """The process, seen from the thread that it belongs to."""

    def __init__(
        self, session: str, pipe: Connection[Any, Any], process: subprocess.Popen[bytes] | _Forked, said: IO[bytes]
    ) -> None:
        self.session, self._pipe, self._process, self._said = session, pipe, process, said
        self.owner = os.getpid()

    @classmethod
    def start(cls, session: str) -> _Cell:
        """One that does not wait for others."""
        here, there = Pipe()
        return cls(session, here, *_started("main", there))

    @classmethod
    def several(cls, count: int) -> list[_Cell]:
        """Some that belong to no session yet, forked off from one process: what that brings in serves them all."""
        pipes, fates = [Pipe() for _ in range(count)], [Pipe(duplex=False) for _ in range(count)]
        starter, said = _started("several", *(end for pair in zip(pipes, fates, strict=True) for _, end in pair))
        family: list[_Forked] = []
        ours = zip((here for here, _ in pipes), (told for told, _ in fates), strict=True)
        return [cls("", here, _Forked(starter, told, family), said) for here, told in ours]

    def ready(self) -> _Cell:
        """Wait until it has started. Raises `_End` if it ends first."""
        try:
            if not self._pipe.poll(_START):
                self.kill()
                raise _End("lost", f"not ready after {_START:g} s")
            self._meet()
        except (EOFError, OSError):
            raise self._ended() from None
        self._said.close()
        return self

    def _meet(self) -> None:
        """Take its first message: it is ready, and who it is."""
        pid = self._pipe.recv()
        if isinstance(self._process, _Forked):
            self._process.pid = pid

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
            if isinstance(self._process, _Forked) and self._process.pid is None and not self._pipe.closed:
                with suppress(EOFError, OSError):  # else the one that all of them come from would have to go
                    if self._pipe.poll():
                        self._meet()
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
    missing = count - len(_spare)
    if missing > 1 and sys.platform == "linux":
        _spare.extend(_Cell.several(missing))
    else:
        _spare.extend(_Cell.start("") for _ in range(missing))


def _started(what: str, *ends: Connection[Any, Any]) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """A process that does `what` (a function below) with these ends of pipes, and where it says what went wrong."""
    path = os.pathsep.join(dict.fromkeys(p for p in sys.path if p))
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    code = f"from sim.experiments.sweep.cell import {what}; {what}()"
    said = tempfile.TemporaryFile()  # noqa: SIM115
    fds = [end.fileno() for end in ends]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(os.getpid()), *map(str, fds)],
        env={**os.environ, **one, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        pass_fds=fds,
    )
    for end in ends:
        end.close()
    return process, said


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
    return _Cell.start(session)


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
    """A process: takes batches from its pipe until nobody wants anything."""
    parent, at = map(int, sys.argv[1:])
    _end_with(parent)
    _make_ready()
    _work(Connection(at))


def several() -> None:
    """A process that makes ready, forks off one for each pair of pipes (batches; its exit code), and waits for them."""
    parent, *fds = map(int, sys.argv[1:])
    _end_with(parent, look=False)  # which is a thread, and threads must not be forked
    _make_ready()
    if os.getppid() != parent:
        return
    pipes: list[Connection[Any, Any]] = list(map(Connection, fds[::2]))
    fates: list[Connection[Any, Any]] = list(map(Connection, fds[1::2]))
    children = {}
    for pipe, fate in zip(pipes, fates, strict=True):
        me = os.getpid()
        if (pid := os.fork()) == 0:
            _be_one(pipe, [end for end in (*pipes, *fates) if end is not pipe], me)
        children[pid] = fate
    for pipe in pipes:
        pipe.close()
    while children:
        pid, status = os.wait()
        with suppress(OSError):
            children.pop(pid).send(os.waitstatus_to_exitcode(status))
    os._exit(0)  # taking everything apart first would be waited for


def _be_one(pipe: Connection[Any, Any], others: list[Connection[Any, Any]], parent: int) -> NoReturn:
    """What was forked off: work, and never return to where the fork was."""
    code = 1
    try:
        for end in others:
            end.close()
        _end_with(parent)
        _work(pipe)
        code = 0
    finally:
        os._exit(code)


def _make_ready() -> None:
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    from sim.experiments.sweep.orders import model_version
    from sim.experiments.sweep.work import warm_up

    warm_up()
    model_version()


def _work(pipe: Connection[Any, Any]) -> None:
    _hush()
    pipe.send(os.getpid())
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


def _end_with(parent: int, *, look: bool = True) -> None:
    """Let this process end with its parent: by the system where it can, at once; else by looking."""
    with suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: Linux only
    if look:
        _watch(parent)


def _watch(parent: int) -> None:
    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, daemon=True, name="watches the driver").start()
