"""What one process does with a batch of runs. A run that fails is a row that says where and why; the others go on."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import ScenarioError
from sim.experiments.sweep.orders import Order

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["PHASES", "Batch", "Results", "Row", "in_this_process", "rows", "warm_up"]

PHASES = ("set up", "run", "statistics", "timeout", "lost")
"""Where a run fails: its scenario cannot be, the model raises, the outcomes cannot be told, it takes too long, or its
process ends."""

_LONGEST = 500
"""Characters of a message."""


class Row(NamedTuple):
    """What came of a run: the outcomes (NaN where not known), why some are not known, where and why it failed."""

    values: tuple[float, ...]
    reason: str | None = None
    phase: str | None = None
    message: str | None = None


class Batch(NamedTuple):
    """Runs that one process makes one after another.

    Parameters
    ----------
    session, driver
        Whose they are: a name that no other session has; machine and process of the driver.
    version, packages
        Of the model in the driver: see `orders.model_version` and `sim.versions.versions`.
    outcomes
        What is told of each run.
    orders
        The runs.
    timeout
        Seconds after which a run is given up; None: never.
    """

    session: str
    driver: tuple[str, int]
    version: str
    packages: Mapping[str, str]
    outcomes: tuple[str, ...]
    orders: tuple[Order, ...]
    timeout: float | None


class Results(NamedTuple):
    """A row for each run of a batch, in their order, and the seconds that they took."""

    rows: tuple[Row, ...]
    seconds: float


def in_this_process(batch: Batch) -> Results:
    """Make the runs here. There is no time limit, and a run that ends the process ends all."""
    began = time.perf_counter()
    return Results(tuple(rows(batch)), time.perf_counter() - began)


def rows(batch: Batch) -> Iterator[Row]:
    """The rows of a batch, as they come."""
    last = _Last(batch.outcomes)
    for order in batch.orders:
        yield _row(order, batch.outcomes, last)
    last.forget()


def failed(outcomes: Sequence[str], phase: str, message: str) -> Row:
    """The row of a run that failed."""
    return Row((math.nan,) * len(outcomes), None, phase, message[:_LONGEST])


def _row(order: Order, outcomes: Sequence[str], last: _Last) -> Row:
    from sim.experiments.points import measure
    from sim.simulation import records

    phase = "set up"
    try:
        there = last.scenario(order)
        phase = "run"
        city = last.past(there, order)
        tables = records(there, last.tables, rng=order.seed, replicate=order.replicate, past=city)
        phase = "statistics"
        found = measure(tables, there, outcomes)
    except (Exception, SystemExit) as error:
        return failed(outcomes, phase, _said(error))
    told = (found[name].value for name in outcomes)
    values = tuple(math.nan if value is None else float(value) for value in told)
    unknown = [f"{name}: {o.reason}" for name, o in found.items() if o.value is None]
    return Row(values, "; ".join(unknown) or None)


def _said(error: BaseException) -> str:
    """What an error says, on one line and without marks that could rewrite it."""
    from sim.errors import SimError

    if isinstance(error, ScenarioError):
        said = "; ".join(f"{p.path}: {p.message}" for p in error.problems)
    else:
        said = str(error).strip().partition("\n")[0]
        if not isinstance(error, SimError):
            said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return "".join(c if c.isprintable() else "\ufffd" for c in said)


class _Last:
    """What the runs before have left, and the next may need again: their scenarios, and the city at the end of the last
    one's burn-in.

    Replicates of all points come in turns, so that the scenarios of a batch are kept; one city serves all of them that
    start from it, in the same replicate.
    """

    def __init__(self, outcomes: Sequence[str]) -> None:
        from sim.experiments.points import told_from

        self.tables, self._outcomes = told_from(outcomes), outcomes
        self._scenarios: dict[str, Scenario] = {}
        self._of: tuple[Any, int, int] | None = None
        self._city: Any = None

    def scenario(self, order: Order) -> Scenario:
        """The scenario of an order. Raises ScenarioError if there is none."""
        from sim.experiments.points import watched

        there = self._scenarios.get(order.point)
        if there is None:
            there = watched(order.base.at(order.values), self._outcomes)
            if order.point:
                self._scenarios[order.point] = there
        return there

    def past(self, scenario: Scenario, order: Order) -> Any:
        """The city at the end of the scenario's burn-in; None if it has none."""
        from sim.model import Pipeline, before

        if scenario.initial.kind != "burn_in":
            return None
        wanted = before(scenario), order.seed, order.replicate
        if self._of != wanted:
            self.forget()
            self._city = Pipeline.past(scenario, rng=order.seed, replicate=order.replicate)
            self._of = wanted
        return self._city

    def forget(self) -> None:
        """Let go of the city, which would wait for the garbage collector."""
        if self._city is not None:
            self._city.release()
        self._of = self._city = None


def warm_up() -> None:
    """Bring in and compile what the first run would otherwise pay for."""
    from sim.chain.stage import Stage
    from sim.entrepreneurs.arrivals import Arrivals
    from sim.scenario.schema import Horizon, Scenario
    from sim.simulation import records
    from sim.statistics import summary

    tiny = Scenario(
        chain=(Stage.model_validate({"id": "village", "facilities": 1}),),
        arrivals=Arrivals(per_year=12.0),
        horizon=Horizon(months=2),
    )
    summary.outcomes(records(tiny), months=2, stages=["village"])
