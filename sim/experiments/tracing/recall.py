"""Whose life to tell: somebody in a stored run or of a scenario file; and whether the life told is the stored one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from sim.errors import RunError, SimError, StoreError
from sim.experiments.tracing.trace import AFTERWARDS, Life, nobody, received, trace
from sim.model import Pipeline, before
from sim.scenario.loader import load
from sim.scenario.schema import Scenario
from sim.simulation import Result, open_run, simulate
from sim.tables import OUTSIDE

__all__ = ["PICKS", "Source", "check", "source"]

PICKS = ("highest", "failed", "typical", "paid")
"""Whom to pick where nobody is named: see `Source.pick`."""

_EARLY = 12
"""assumed: a shop that closes within a year of opening has failed early, months."""


@dataclass(frozen=True)
class Source:
    """One replicate of a stored run, or of a scenario file. A burn-in is run once for all that is asked of it.

    `written_by` is the version of the package that wrote the run, if it is not this one; `base` is another source, with
    whose burn-in this one may begin.
    """

    path: str
    scenario: Scenario
    seed: int
    replicate: int
    stored: Result | None = None
    written_by: str | None = None
    base: Source | None = None
    threads: int = 1

    @cached_property
    def _past(self) -> Pipeline | None:
        if self.base and before(self.base.scenario) == before(self.scenario):
            return self.base._past
        return Pipeline.past(self.scenario, rng=self.seed, replicate=self.replicate, threads=self.threads)

    @cached_property
    def _simulated(self) -> dict[str, pd.DataFrame]:
        how = {"seed": self.seed, "replicate": self.replicate, "threads": self.threads, "past": self._past}
        return simulate(self.scenario, **how)  # type: ignore[arg-type]

    def table(self, name: str) -> pd.DataFrame:
        """A table of the replicate; a scenario file is simulated for it."""
        return self.stored.table(name, self.replicate) if self.stored else self._simulated[name]

    def pick(self, how: str) -> int:
        """Somebody to tell of: the same one each time, a newcomer on his first shop if there is any.

        ``highest``: reached the highest stage (of several the largest annual sales). ``failed``: ran out of money or
        gave up within a year, at the median age of those who did (the youngest closure if nobody did). ``typical``:
        closed at the median age at closing, and of these the one whose first sales are nearest to the median. ``paid``:
        got the most public money. Whoever is still equal goes by identity, the lowest first.

        Raises SimError if the run has no entrepreneurs.
        """
        people = self.table("entrepreneurs")
        if people.empty:
            raise SimError(f"{self.path}: there is nobody in this run")
        new = people[~people["initial"] & (people["attempt"] == 0)]
        people = new if len(new) else people
        stages = [*(s.id for s in self.scenario.chain)]
        if how == "highest":
            reached = people["highest_stage"].astype(object).map(stages.index)
            return _first(people.assign(rank=-reached, then=-people["sales_12m_cny"]))
        if how == "paid":
            return _first(people.assign(rank=-people["received_cny"], then=0))
        closed = people[people["event"]] if people["event"].any() else people
        if how == "failed":
            failed = closed[closed["exit_reason"].isin(["insolvent", "quit"])]
            closed = failed if len(failed) else closed
            early = closed[closed["duration_months"] <= _EARLY]
            closed = early if len(early) else closed[closed["duration_months"] == closed["duration_months"].min()]
        age = (closed["duration_months"] - closed["duration_months"].median()).abs()
        first = (people["first_sales_cny"] - people["first_sales_cny"].median()).abs()
        return _first(closed.assign(rank=age, then=first.loc[closed.index]))

    def trace(self, uid: int, month_done: Callable[[int], None] | None = None) -> Life:
        """His life here; that of a stored run must be the one that it holds.

        Raises
        ------
        NobodyError
            Nobody is called so.
        StoreError, RunError
            The stored life is another: the run was written by another version, or there is a bug.
        """
        if self.stored:
            known = self.stored.table("entrepreneurs", self.replicate, ["uid"])["uid"].tolist()
            if uid not in known:
                raise nobody(uid, known)
        life = trace(
            self.scenario,
            uid,
            seed=self.seed,
            replicate=self.replicate,
            threads=self.threads,
            month_done=month_done,
            past=self._past,
        )
        if self.stored and (wrong := check(life, self.table("entrepreneurs"), self.table("transitions"))):
            said = f"{self.path}: the life of {uid} lived again differs from the stored one in {', '.join(wrong)}"
            if self.written_by:
                raise StoreError(f"{said}; version {self.written_by} wrote it, and this one tells other lives")
            raise RunError(said)
        return life


def _first(people: pd.DataFrame) -> int:
    return int(people.sort_values(["rank", "then", "uid"])["uid"].iloc[0])


def source(path: str, *, replicate: int = 0, base: Source | None = None) -> Source:
    """A replicate of what a path names: a run folder, or a scenario file with its own seed, or that of its `base`.

    Raises
    ------
    StoreError
        A folder is not a run, or is damaged.
    ScenarioError
        A file is not a sound scenario.
    SimError
        The run has no such replicate, or was run with another seed.
    """
    folder, seed = Path(path), base.seed if base else None
    if not folder.is_dir():
        scenario = load(path)
        seed = scenario.seed if seed is None else seed
        return Source(path, scenario, seed, replicate, base=base)
    stored = open_run(folder)
    if replicate >= stored.replicates:
        raise SimError(f"{path}: has no replicate {replicate} (its last is {stored.replicates - 1})")
    written, ours = stored._manifest["versions"].get("entrepreneur-pipeline"), _version()
    scenario = load(folder / "scenario.yaml")
    if written == ours and scenario.hash() != stored._manifest["scenario_hash"]:
        raise StoreError(f"{folder / 'scenario.yaml'}: damaged, it is not the scenario of manifest.json")
    its = int(stored._manifest["seed"])
    if seed is not None and its != seed:
        raise SimError(f"{path}: was run with seed {its}, not {seed}: its people have another luck, and no twins here")
    written_by = None if written == ours else str(written)
    return Source(path, scenario, its, replicate, stored, written_by, base)


def _version() -> str:
    try:
        return version("entrepreneur-pipeline")
    except PackageNotFoundError:
        return "not installed"


def check(life: Life, people: pd.DataFrame, transitions: pd.DataFrame) -> tuple[str, ...]:
    """In what a life as told differs from its rows in a replicate's tables; empty if in nothing."""
    row = people[people["uid"] == life.uid].iloc[0]
    closed, after = life.closed, {e.kind for e in life.months[-1].events} & set(AFTERWARDS)
    told = {
        "exit_month": closed and closed.month,
        "exit_reason": closed and closed.kind,
        "after_exit": next(iter(after), None),
        "stage": life.months[-1].state["stage"] if closed else _where(life),
        "highest_stage": life.highest,
        "received_cny": round(sum(paid for _, paid in received(life.months).values()), 2),
        "sales_12m_cny": life.months[-1].state["smoothed"],
        "employees": life.months[-1].state["staff"],
    }
    wrong = [name for name, value in told.items() if value != _or_none(row[name])]
    rows = transitions[transitions["uid"] == life.uid]
    names = ["month", "from_stage", "to_stage", "facility", "reason"]
    kept = [tuple(map(_or_none, values)) for values in rows[names].itertuples(index=False)]
    return (*wrong, *(["transitions"] if kept != list(_moves(life)) else []))


def _or_none(value: Any) -> Any:
    return None if pd.isna(value) else value


def _where(life: Life) -> str:
    return str(next(e.numbers["stage"] for e in life.months[-1].events if e.kind == "living"))


def _moves(life: Life) -> Iterator[tuple[Any, ...]]:
    """The told life as rows of the table `transitions`."""
    for month in life.months:
        for event in month.events:
            n = event.numbers
            if event.kind == "arrived":
                yield month.month, None, n["stage"], n["house"], event.kind
            elif event.kind == "admitted":
                yield month.month, n["left"], n["stage"], n["house"], event.kind
            elif event.kind in ("tenancy_ended", "fell_back"):
                house = -1 if n["entered"] == OUTSIDE else n["house"]
                yield month.month, n["left"], n["entered"], house, event.kind
        if life.closed and month is life.months[-1]:
            yield month.month, month.state["stage"], None, -1, life.closed.kind
