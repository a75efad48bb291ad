"""What a sweep will take, and how far it is. Nothing here writes."""

from __future__ import annotations

import os
import socket
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.experiments.sweep.cell import close, in_a_cell
from sim.experiments.sweep.folder import manifest_of, most, read_points
from sim.experiments.sweep.orders import model_version
from sim.experiments.sweep.parts import Parts, holder, read_part, short, written
from sim.experiments.sweep.plan import Plan
from sim.experiments.sweep.result import Sweep
from sim.experiments.sweep.work import Batch, in_this_process, warm_up
from sim.scenario.studies import SweepStudy
from sim.versions import versions

__all__ = ["Cost", "Status", "cost", "seconds_of_a_run", "status"]

_PILOTS = 3
"""Points of each block that are tried: the first, the last, and one between."""

_ROW, _NUMBER = 60, 8
"""assumed: bytes of a row on disk beside its numbers, and of each number; rows of 2,000 runs take about that."""

_GAIN = 0.9
"""assumed: what each further worker adds to the speed of one (measured on two cores)."""

_LONG = 600.0
"""assumed: seconds after which a trial run that has its own process is given up."""


@dataclass(frozen=True)
class Cost:
    """What a sweep is expected to take: points, runs (at most), seconds on this machine, bytes on disk."""

    points: int
    runs: int
    seconds: float
    bytes: int


def cost(study: SweepStudy, *, jobs: int = 1) -> Cost:
    """Make a few runs, and draw the line to all of them: a guess within a factor of two."""
    plan = Plan(study)
    seconds = seconds_of_a_run(plan) * study.runs / (1 + _GAIN * (min(jobs, study.runs) - 1))
    row = _ROW + _NUMBER * (len(plan.outcomes) + len(plan.axes))
    return Cost(plan.size, study.runs, seconds, row * study.runs)


def seconds_of_a_run(plan: Plan, pilots: int = _PILOTS) -> float:
    """Mean seconds of a run, over some points of each block."""
    names = []
    for block, design in enumerate(plan.blocks):
        last = len(design.values) - 1
        names += [(block, last * place // max(pilots - 1, 1)) for place in range(pilots if last else 1)]
    orders = tuple(plan.order(*name, 0) for name in dict.fromkeys(names))
    driver = socket.gethostname(), os.getpid()
    batch = Batch("trial", driver, model_version(), versions(), plan.outcomes, orders, _LONG)
    if any(base.scenario.own for base in plan.bases):
        in_a_cell(batch._replace(orders=orders[:1]))  # starts the process
        found = in_a_cell(batch)
        close("trial")
    else:
        warm_up()
        found = in_this_process(batch)
    return found.seconds / len(orders)


@dataclass(frozen=True)
class Status:
    """How far a sweep is.

    Parameters
    ----------
    manifest
        Of its folder.
    wanted
        Runs that the study asks for; the most that they can be where a rule ends the replicates.
    done
        Runs of the study that are kept, failed ones included.
    failed
        How many of them failed, by phase.
    damaged
        Parts that cannot be read; their runs are made again.
    digest
        See `Sweep.digest`; None while a part is damaged.
    process
        Who works in the folder now, if anybody does.
    others
        Runs that are kept and that the study does not ask for any more.
    """

    manifest: dict[str, Any]
    wanted: int
    done: int
    failed: dict[str, int] = field(default_factory=dict)
    damaged: tuple[Path, ...] = ()
    digest: str | None = None
    process: str | None = None
    others: int = 0


def status(folder: Path | str) -> Status:
    """How far a sweep is; another process may be at work in its folder."""
    home = Path(folder)
    manifest = manifest_of(home)
    found, done, every = Sweep(manifest, Parts(home)), set[bytes](), set[bytes]()
    failed: Counter[str] = Counter()
    damaged = []
    for part in written(home / "parts"):
        table = read_part(part, ["key", "phase", "point", "replicate"])
        if table is None:
            damaged += [part] if part.exists() else []
            continue
        every.update(map(short, table["key"].to_pylist()))
        table = found.asked(table)
        for key, phase in zip(table["key"].to_pylist(), table["phase"].to_pylist(), strict=True):
            if phase is not None and short(key) not in done:
                failed[phase] += 1
            done.add(short(key))
    rule = manifest["replicates"]
    points = read_points(home, manifest["stamp"])
    count = manifest["points"] if points is None else len(points["point"].unique())
    digest = None if damaged else found.digest
    others = len(every) - len(done)
    return Status(manifest, count * most(rule), len(done), dict(failed), tuple(damaged), digest, holder(home), others)
