"""A store of runs, and those who fill it: what is missing is made, batch by batch, and kept as it comes.

Only this process writes; those who make the runs send rows back, so that it is the same on a cluster without a common
disk. What is kept never depends on who made it, in which batch, or when.
"""

from __future__ import annotations

import os
import socket
import statistics
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sim.errors import StoreError
from sim.experiments.sweep.executors import Crew, Where, crew
from sim.experiments.sweep.orders import Base, Order, Values, asked, model_version, point_id, run_key
from sim.experiments.sweep.parts import Parts, short
from sim.experiments.sweep.work import Batch, Results, Row
from sim.versions import versions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sim.scenario.schema import Scenario
    from sim.scenario.studies.block import Block

__all__ = ["LAST", "Layout", "Request", "Runs"]

LAST = ("reason", "phase", "message")
"""Columns that end a row: why an outcome is not known; where and why the run failed."""

_BATCH_SECONDS = 1.0
"""Work of a batch: much more than it costs to send, and little to lose."""

_MOST = 4096
"""Runs of a batch at most."""

_RECENT = 9
"""Batches from which is told how long a run takes."""

_TICK = 0.5

_KEEP_SECONDS, _KEEP_SHARE, _KEEP_MOST, _KEEP_ROWS = 1.0, 0.02, 30.0, 20_000
"""assumed: rows are written after a second; later in a long study, after a fiftieth of its time, at most 30 seconds,
so that there are not too many parts; and whenever there are so many rows. A kill costs no more than that."""

_PATIENCE, _SLOW, _FIRST = 60.0, 200.0, 600.0
"""assumed: where no limit is given, a run that has its own process is given up after a minute, or after 200 times the
time that others take if that is longer; before any other is done, after ten minutes."""


class Layout(Protocol):
    """What stands in the row of a run beside what every run has."""

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        """Names and types."""

    def extra(self, order: Order) -> Sequence[object]:
        """Values."""


class Request(NamedTuple):
    """A run that is wanted: what is run, with which values, and with whose luck."""

    base: Scenario | Block | Base
    values: Values
    replicate: int
    seed: int


class Runs:
    """A store of runs with those who fill it. Open it with ``with``.

    Parameters
    ----------
    folder
        Where rows are kept; what is there already is not run again. Without one they are kept in memory.
    where
        Who makes the runs; they stay at hand until the store is closed.
    name, kind
        See `sim.experiments.sweep.parts.Parts`.
    timeout
        Seconds after which a run is given up; by default many times what others take. Runs that are made in this
        process have none.
    """

    def __init__(
        self,
        folder: Path | None = None,
        where: Where | None = None,
        *,
        name: str = "parts",
        kind: str = "sweep",
        timeout: float | None = None,
    ) -> None:
        self.parts = Parts(folder, name, kind=kind)
        self.where, self.timeout = where or Where(), timeout
        self.made = 0
        self._driver, self._versions = (socket.gethostname(), os.getpid()), versions()
        self._open = ExitStack()
        self._crew: Crew | None = None
        self._rows: dict[bytes, tuple[Any, ...]] | None = None
        self._pace = _Pace()
        self._ids: dict[tuple[int, str], str] = {}
        self._bases: dict[int, Base] = {}

    def __enter__(self) -> Runs:
        self._open.enter_context(self.parts)
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    # what is missing --------------------------------------------------------------------------------------------------

    def make(
        self,
        orders: Iterable[Order],
        outcomes: Sequence[str],
        *,
        count: int,
        layout: Layout | None = None,
        told: Callable[[int], None] | None = None,
        kept: Callable[[int], None] | None = None,
    ) -> None:
        """Make the runs of some orders that are not kept, and keep them.

        Parameters
        ----------
        orders
            Taken one by one as they are needed; the same run may be ordered twice.
        outcomes
            What is kept of each run.
        count
            About how many orders there are.
        layout
            What else stands in a row.
        told
            Is told whenever so many more orders are done.
        kept
            Is told instead of those that were done before.

        Raises
        ------
        RunError
            There is nobody to make the runs.
        StoreError
            They cannot be kept.
        """
        tell = told or (lambda more: None)
        keeper = _Keeper(self.parts, tuple(outcomes), layout)

        def missing() -> Iterator[Order]:
            for order in orders:
                if keeper.expect(order):
                    yield order
                else:
                    (kept or tell)(1)

        try:
            with closing(self._made(missing(), tuple(outcomes), count, keeper.tick)) as made:
                for batch, found in made:
                    for order, row in zip(batch, found.rows, strict=True):
                        keeper.add(order, row)
                        if self._rows is not None:
                            self._rows[short(order.key)] = (*row.values, *row[1:])
                    self.made += len(batch)
                    tell(len(batch))
        except StoreError:
            raise  # nothing more can be kept
        except BaseException:
            keeper.flush()
            raise
        keeper.flush()

    def _made(
        self, orders: Iterator[Order], outcomes: tuple[str, ...], count: int, tick: Callable[[], None]
    ) -> Generator[tuple[tuple[Order, ...], Results]]:
        """Orders and what came of them, as they come; few are under way at a time."""
        under_way: dict[Future[Results], tuple[Order, ...]] = {}
        done: SimpleQueue[Future[Results]] = SimpleQueue()
        again: deque[tuple[Order, ...]] = deque()
        try:
            while True:
                while not under_way or len(under_way) < self.crew.window:
                    size = self._pace.size(count, self.crew.window)
                    batch = again.popleft() if again else tuple(islice(orders, size))
                    if not batch:
                        break
                    count -= len(batch)
                    future = self.crew.submit(self._batch(batch, outcomes))
                    under_way[future] = batch
                    future.add_done_callback(done.put)
                if not under_way:
                    return
                try:
                    future = done.get(timeout=_TICK)
                except Empty:
                    tick()
                    continue
                batch = under_way.pop(future)
                found = self.crew.results(future)
                if found is None:
                    again.append(batch)
                    continue
                self._pace.note(len(batch), found.seconds)
                yield batch, found
                tick()
        finally:
            for future in under_way:
                future.cancel()

    @property
    def crew(self) -> Crew:
        """Those who make the runs, called when they are first needed."""
        if self._crew is None:
            self._crew = self._open.enter_context(crew(self.where))
        return self._crew

    def _batch(self, orders: tuple[Order, ...], outcomes: tuple[str, ...]) -> Batch:
        limit = self.timeout if self.timeout is not None else self._pace.patience
        return Batch(self.crew.session, self._driver, model_version(), self._versions, outcomes, orders, limit)

    # rows by request --------------------------------------------------------------------------------------------------

    def rows(
        self, requests: Sequence[Request], outcomes: Sequence[str], *, told: Callable[[int], None] | None = None
    ) -> pd.DataFrame:
        """The rows of some runs; those that are not kept are made.

        Returns
        -------
        DataFrame
            replicate, seed, the outcomes in their units (NaN where not known), reason (why some are not known), phase
            and message (where and why the run failed); in the order of the requests.

        Raises
        ------
        ScenarioError
            A path does not exist. (A value that does not fit is that run's failure.)
        """
        import pandas as pd

        if self._rows is None:
            self._rows = {}
            for table in self.parts.tables():
                self._remember(table)
        self._pace = _Pace()  # a larger city would seem to hang
        names = sorted(set(outcomes))
        orders = [self._order(Request(*request), names) for request in requests]
        self.make(iter(orders), names, count=len(orders), told=told)
        found = [(o.replicate, o.seed, *self._rows[short(o.key)]) for o in orders]
        frame = pd.DataFrame(found, columns=["replicate", "seed", *names, *LAST])
        frame = frame.astype({"replicate": "int64", "seed": "int64"}).astype(dict.fromkeys(names, "float64"))
        return frame.astype(dict.fromkeys(LAST, object))[["replicate", "seed", *dict.fromkeys(outcomes), *LAST]]

    def points(
        self,
        base: Scenario | Block,
        points: Sequence[Values],
        outcomes: Sequence[str],
        *,
        replicates: int,
        seed: int,
        told: Callable[[int], None] | None = None,
    ) -> pd.DataFrame:
        """Replicates 0, 1, ... of a scenario at some points, as `sim.experiments.points.evaluate` gives them.

        point (from 0), replicate, the outcomes, reason (why something is not known, or why the run failed).
        """
        requests = [Request(base, point, replicate, seed) for point in points for replicate in range(replicates)]
        frame = self.rows(requests, outcomes, told=told)
        number = [at for at in range(len(points)) for _ in range(replicates)]
        frame = frame.assign(point=number, reason=frame["reason"].fillna(frame["message"]))
        return frame[["point", "replicate", *outcomes, "reason"]]

    def _remember(self, table: pa.Table) -> None:
        assert self._rows is not None
        names = sorted({*table.column_names} - {"key", "replicate", "seed", *LAST})
        values = [table[name].to_numpy().tolist() for name in names]
        rest = [table[name].to_pylist() for name in LAST]
        for key, *row in zip(table["key"].to_pylist(), *values, *rest, strict=True):
            self._rows[short(key)] = tuple(row)

    def _order(self, request: Request, outcomes: Sequence[str]) -> Order:
        what = request.base
        if id(what) not in self._bases:  # and kept, so that nothing else comes to have this id
            self._bases[id(what)] = what if isinstance(what, Base) else Base(what)
        base = self._bases[id(what)]
        at = id(base), repr(sorted(request.values.items()))
        if at not in self._ids:
            self._ids[at] = point_id(base, request.values)
        key = run_key(self._ids[at], asked(base.scenario.engine, outcomes), request.seed, request.replicate)
        return Order(key, base, request.values, request.replicate, request.seed)


class _Pace:
    """How long runs take, and how many make a batch. What comes of them does not depend on it."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def note(self, runs: int, seconds: float) -> None:
        """A batch is done."""
        self._recent.append(seconds / runs)

    @property
    def seconds(self) -> float | None:
        """Seconds of a run, as they last were; None before the first."""
        return statistics.median_low(self._recent) if self._recent else None

    def size(self, left: int, window: int) -> int:
        """Runs of the next batch: about a second of work; less when little is left, so that all end together."""
        if self.seconds is None:
            return 1
        many = int(_BATCH_SECONDS / max(self.seconds, 1e-6))
        return max(min(many, _MOST, -(-left // window)), 1)

    @property
    def patience(self) -> float:
        """Seconds after which a run that has its own process is given up."""
        return _FIRST if self.seconds is None else max(_PATIENCE, _SLOW * self.seconds)


class _Keeper:
    """Rows on their way into the store."""

    def __init__(self, parts: Parts, outcomes: tuple[str, ...], layout: Layout | None) -> None:
        self._parts, self._outcomes, self._layout = parts, outcomes, layout
        self._rows: list[tuple[Any, ...]] = []
        self._expected: set[bytes] = set()
        self._began = self._kept = time.monotonic()

    def expect(self, order: Order) -> bool:
        """Whether a run must be made: it is neither kept nor expected yet."""
        key = short(order.key)
        if key in self._parts.done or key in self._expected:
            return False
        self._expected.add(key)
        return True

    def add(self, order: Order, row: Row) -> None:
        """A run is done."""
        more = self._layout.extra(order) if self._layout else ()
        first = (order.key, *more, order.replicate, order.seed)
        self._rows.append((*first, *row.values, row.reason, row.phase, row.message))

    def tick(self) -> None:
        """Write what is there, if it is time."""
        now = time.monotonic()
        wait = min(max(_KEEP_SECONDS, _KEEP_SHARE * (now - self._began)), _KEEP_MOST)
        if now - self._kept >= wait or len(self._rows) >= _KEEP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is there."""
        self._kept = time.monotonic()
        if self._rows:
            rows, self._rows = self._rows, []
            self._parts.keep(self._table(rows))
            self._expected -= {short(row[0]) for row in rows}

    def _table(self, rows: list[tuple[Any, ...]]) -> pa.Table:
        import pyarrow as pa

        kinds: dict[str, pa.DataType] = {
            "key": pa.string(),
            **(self._layout.columns if self._layout else {}),
            "replicate": pa.int64(),
            "seed": pa.int64(),
            **dict.fromkeys(self._outcomes, pa.float64()),
            **dict.fromkeys(LAST, pa.string()),
        }
        columns = zip(*rows, strict=True)
        arrays = [
            pa.array(column, kind, from_pandas=True) for column, kind in zip(columns, kinds.values(), strict=True)
        ]
        return pa.table(dict(zip(kinds, arrays, strict=True)))
