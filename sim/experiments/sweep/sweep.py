"""A sweep: every point of a study, as often as it says, kept run by run.

To begin, to go on after an interrupt and to extend are the same: whatever the folder does not hold yet is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import ScenarioError
from sim.experiments.outcomes import unknown_outcomes
from sim.experiments.sweep.executors import Where
from sim.experiments.sweep.folder import begin, keep_points, study_in
from sim.experiments.sweep.orders import Order
from sim.experiments.sweep.parts import Parts
from sim.experiments.sweep.plan import SHORT, Plan, enough
from sim.experiments.sweep.result import Sweep
from sim.experiments.sweep.runs import Runs
from sim.scenario.schema import Until
from sim.scenario.studies import SweepStudy, load_study

if TYPE_CHECKING:
    from distributed import Security

    from sim.simulation import Progress

__all__ = ["expand", "resume", "sweep"]


def sweep(
    study: SweepStudy | str | os.PathLike[str],
    folder: Path | str | None = None,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    dask: str | None = None,
    security: Security | None = None,
    timeout: float | None = None,
    retry: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Run a study at all its points.

    A run that fails is a row that says where and why; the others go on. The same study gives the same rows, whoever
    makes them and however often it was interrupted.

    Parameters
    ----------
    study
        A study of kind `sweep`, or its file.
    folder
        Where the rows are kept; what is there already is not run again. In memory without one.
    executor
        Whoever is to make the runs: any `concurrent.futures.Executor`. It is not shut down.
    jobs
        Without an executor: workers on this machine. One makes the runs in this process, unless there is a `timeout` or
        the scenario has instruments of its own, which could take the process down.
    dask
        Address of a Dask scheduler that is to have them made, such as ``tcp://host:8786``.
    security
        For ``tls://``: a `distributed.Security`.
    timeout
        Seconds after which a run is given up; by default many times what others take.
    retry
        Make runs that failed once more.
    progress
        Told how many runs are done, and of how many; those that were kept before are in neither.

    Raises
    ------
    ScenarioError
        The study is wrong: all problems.
    StoreError
        The folder holds something else, belongs to another process, or cannot be written.
    RunError
        There is nobody left to make the runs. What was made is kept.
    """
    if isinstance(study, SweepStudy):
        asked, wrong = study, tuple(unknown_outcomes(study))
        if wrong:
            raise ScenarioError(wrong)
    else:
        asked = load_study(study, only=SweepStudy, further=unknown_outcomes)
    plan = Plan(asked)
    apart = timeout is not None or any(base.scenario.own for base in plan.bases)
    where = Where(jobs, executor, dask, security, apart)
    home = Path(folder) if folder is not None else None
    with Runs(home, where, timeout=timeout) as runs:
        manifest = begin(home, plan)
        if retry:
            runs.parts.forget_failures()
        _make(plan, runs, progress)
        if home is None:
            return Sweep(manifest, runs.parts, plan=plan)
        keep_points(home, plan, manifest["stamp"])
    return Sweep(manifest, Parts(home), plan=plan, damaged=tuple(runs.parts.damaged))


def resume(folder: Path | str, **how: Any) -> Sweep:
    """Go on with a sweep where it was; `how` as for `sweep`."""
    return sweep(study_in(Path(folder)), folder, **how)


def expand(folder: Path | str, *, replicates: int, **how: Any) -> Sweep:
    """Run each point of a sweep so many times more; `how` as for `sweep`. No row that is there changes.

    Where replicates end by a rule, so many more are allowed at most. For more points, give the extended study to
    `sweep`, with the same folder.
    """
    home = Path(folder)
    return sweep(study_in(home, more=replicates), home, **how)


def _make(plan: Plan, runs: Runs, progress: Progress | None) -> None:
    """Make what is missing, the first replicate of every point first."""
    done, total = 0, plan.size * plan.replicates

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total)

    def kept(more: int) -> None:
        nonlocal total
        total -= more

    def make(orders: Iterable[Order], count: int) -> None:
        runs.make(orders, plan.outcomes, count=count, layout=plan, told=tell, kept=kept)

    replicates = range(plan.replicates)
    make((plan.order(*name, replicate) for replicate in replicates for name in plan.names()), total)
    if plan.until is None:
        return
    names = {plan.point(*name)[:SHORT]: name for name in plan.names()}
    made = dict.fromkeys(names, plan.replicates)
    while more := _more(runs.parts, made, plan.until):
        wanted = [(replicate, p) for p, last in more.items() for replicate in range(made[p], last)]
        total += len(wanted)
        make((plan.order(*names[p], replicate) for replicate, p in sorted(wanted)), len(wanted))
        made |= more


def _more(parts: Parts, made: Mapping[str, int], rule: Until) -> dict[str, int]:
    """The points that need more replicates, and how many in all, as far as can be told from those that were made."""
    values: dict[str, dict[int, float]] = {point: {} for point in made}
    for table in parts.tables(["point", "replicate", rule.outcome]):
        rows = (table[name].to_numpy().tolist() for name in ("point", "replicate", rule.outcome))
        for point, replicate, value in zip(*rows, strict=True):
            if replicate < made.get(point, 0):
                values[point][replicate] = value
    found = {point: enough([v for _, v in sorted(kept.items())], made[point], rule) for point, kept in values.items()}
    return {point: count for point, count in found.items() if count > made[point]}
