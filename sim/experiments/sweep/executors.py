"""Where batches of runs are made: here, on a local Dask cluster, on the user's own, or by any executor of his.

All are `concurrent.futures.Executor`s, and everything else takes them alike.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim.errors import RunError
from sim.experiments.sweep import cell
from sim.experiments.sweep.work import Batch, Results, in_this_process

if TYPE_CHECKING:
    from distributed import Client, Security

__all__ = ["Crew", "Where", "crew"]

_AHEAD = 2
"""Batches for each worker: one that it makes, and one that waits there."""

_COUNT = 2.0
"""Seconds between looks at how many workers a cluster has."""

_LOUD = ("distributed", "tornado", "asyncio", "bokeh")

_NOWHERE = "127.0.0.1:0"

_ANSWER = 10.0
"""assumed: seconds in which a scheduler must answer."""

_LOSSES = 50
"""assumed: batches in a row that may be lost with their workers before that is given up."""


@dataclass(frozen=True)
class Where:
    """Where runs are made.

    Parameters
    ----------
    jobs
        Workers on this machine. With 1, runs are made in this very process, unless they are to be `apart`.
    executor
        Any executor instead; it is not shut down.
    dask
        Address of a Dask scheduler instead: ``tcp://host:8786``, or ``tls://`` with `security`.
    security
        For ``tls://``: a `distributed.Security`.
    apart
        Never make a run in this process: one that crashes or hangs is then only that run's failure.
    """

    jobs: int = 1
    executor: Executor | None = None
    dask: str | None = None
    security: Security | None = None
    apart: bool = False

    @property
    def here(self) -> bool:
        """Whether runs are made in this process."""
        return self.executor is None and self.dask is None and self.jobs <= 1 and not self.apart


class _Inline(Executor):
    """Makes a batch when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The result, in a future that is done; an interrupt is not caught."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class Crew:
    """Those who make batches. Use `crew`."""

    executor: Executor
    slots: Callable[[], int]
    """How many batches they make at a time, now."""
    ahead: int = _AHEAD
    make: Callable[[Batch], Results] = cell.in_a_cell
    what: str = "the executor"
    session: str = field(default_factory=lambda: uuid.uuid4().hex)
    _lost: int = 0

    @property
    def window(self) -> int:
        """How many batches may be under way: few, so that the driver's memory stays flat."""
        return max(self.slots(), 1) * self.ahead

    def submit(self, batch: Batch) -> Future[Results]:
        """Have a batch made. Raises RunError if nobody takes it."""
        try:
            return self.executor.submit(self.make, batch)
        except (BrokenExecutor, RuntimeError) as error:
            raise self._gone(error) from error

    def results(self, future: Future[Results]) -> Results | None:
        """What came of a batch; None if its worker was lost and it must be made again.

        Raises RunError if there is nobody left to make it, or if no worker can.
        """
        try:
            found = future.result()
        except (BrokenExecutor, CancelledError) as error:
            raise self._gone(error) from error
        except RunError:
            raise
        except Exception as error:
            if type(error).__name__ not in ("KilledWorker", "WorkerStartTimeoutError"):
                raise RunError(f"{self.what} cannot make runs: {type(error).__name__}: {error}") from error
            self._lost += 1
            if self._lost > _LOSSES:
                raise RunError(f"{self.what} loses its workers again and again") from error
            return None
        self._lost = 0
        return found

    def _gone(self, error: BaseException) -> RunError:
        said = f" ({type(error).__name__})"
        return RunError(f"{self.what} is gone{said}: what was run is kept, and the same command goes on from there")


@contextmanager
def crew(where: Where) -> Iterator[Crew]:
    """Those who make batches; what was started for it is ended, at once where runs are given up."""
    with ExitStack() as stack:
        if where.executor is not None:
            workers = getattr(where.executor, "_max_workers", None) or os.cpu_count() or 1
            found = Crew(where.executor, lambda: int(workers))
        elif where.dask is not None:
            found = _dask(stack.enter_context(_client(where.dask, where.security)), f"Dask ({where.dask})")
        elif where.jobs > 1:
            found = _dask(stack.enter_context(_local(where.jobs)), "Dask (local)")
        else:
            make = in_this_process if where.here else cell.in_a_cell
            found = Crew(_Inline(), lambda: 1, ahead=1, make=make)
        stack.callback(cell.close, found.session)
        yield found


# Dask -----------------------------------------------------------------------------------------------------------------


def _dask(client: Client, what: str) -> Crew:
    """A crew on a Dask cluster, which may grow and shrink meanwhile."""
    seen = [0.0, 0.0]

    def slots() -> int:
        if time.monotonic() - seen[0] > _COUNT:
            with suppress(Exception):  # while a scheduler is being lost, nothing is known
                workers = client.scheduler_info(n_workers=-1)["workers"].values()
                seen[:] = [time.monotonic(), sum(w["nthreads"] for w in workers)]
        return int(seen[1])

    return Crew(client.get_executor(pure=False), slots, what=what)


@contextmanager
def _client(address: str, security: Security | None) -> Iterator[Client]:
    """A client of the user's own cluster. Raises RunError if no scheduler answers."""
    from distributed import Client

    class Closed(Client):  # type: ignore[misc]
        def __del__(self) -> None:
            """Nothing: we close it; one that never got through would wait, and then complain."""

    with _quiet():
        try:
            client = Closed(address, security=security, timeout=_ANSWER, set_as_default=False, name="sim")
        except Exception as error:  # refused, no address, no certificates, or something there that is no scheduler
            said = str(error).strip().partition("\n")[0]
            raise RunError(f"no Dask scheduler answers at `{address}` ({said or type(error).__name__})") from error
        try:
            yield client
        finally:
            with suppress(Exception):
                client.close(timeout=1)


@contextmanager
def _local(jobs: int) -> Iterator[Client]:
    """A cluster of this process: a thread for each worker, which has its runs made by a process of its own.

    Scheduler and workers speak within the process. What Dask insists to serve over HTTP is empty, and for this machine
    only.
    """
    cell.prepare(jobs)
    import dask
    from distributed import Client, LocalCluster, Worker

    class Quiet(Worker):  # type: ignore[misc]
        def __init__(self, *given: Any, dashboard_address: str | None = None, **more: Any) -> None:
            super().__init__(*given, dashboard_address=_NOWHERE, **more)

    nothing: dict[str, Any] = {
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.profile.enabled": False,  # looks at every thread a hundred times a second
    }
    with _quiet(), dask.config.set(nothing):
        try:
            with tempfile.TemporaryDirectory() as scratch:  # gone at once: nothing is written there, or left by a kill
                cluster = LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    processes=False,
                    dashboard_address=None,
                    memory_limit=0,
                    local_directory=scratch,
                    silence_logs=logging.CRITICAL,
                    worker_class=Quiet,
                    scheduler_kwargs={"dashboard_address": _NOWHERE},
                )
        except Exception as error:
            raise RunError(f"no workers can be started ({type(error).__name__}: {error})") from error
        client = Client(cluster, set_as_default=False)
        try:
            yield client
        finally:
            with suppress(Exception):
                client.close(timeout=1)
            with suppress(Exception):
                cluster.close(timeout=1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Dask would say of workers that come and go; what matters of it is said by us."""
    import distributed  # noqa: F401  # which gives each of its loggers a level of its own

    named = logging.root.manager.loggerDict
    loggers = [logging.getLogger(name) for name in named if name.partition(".")[0] in _LOUD]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
