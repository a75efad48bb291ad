"""Run a scenario: replicates, their tables and what they say."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.errors import Problem, RunError, ScenarioError
from sim.evidence.ledger import digest
from sim.model import Pipeline, expect_scenario
from sim.records import Records
from sim.scenario.messages import nearest, problem
from sim.scenario.schema import Scenario, Until
from sim.scenario.source import Place, shown
from sim.shown import Shown, presentation
from sim.statistics import fiscal, funnel, scale, summary, survival
from sim.statistics.lifetable import LifeTable
from sim.store import TableWriter, arrow_schema, read_manifest, read_table, to_arrow, to_pandas, verify, write_manifest
from sim.surroundings import Surroundings
from sim.tables import ARRIVED, OUTSIDE, STILL_THERE, TABLES, columns
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["Progress", "Result", "open_run", "records", "run", "simulate", "waits_in_vain"]

Progress = Callable[[float, int], None]
"""Called with (replicates done, as a fraction; replicates in all)."""

Tables = dict[str, pd.DataFrame]


def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replicate: int = 0,
    threads: int = 1,
    month_done: Callable[[int], None] | None = None,
    past: Pipeline | None = None,
    surroundings: Surroundings | None = None,
    held: Surroundings | None = None,
    only: Collection[str] | None = None,
) -> Tables:
    """One replicate: the tables of `sim.tables` (but `summary`) as DataFrames.

    The same scenario, seed and replicate give the same bytes, whatever the threads and the engine. `past`,
    `surroundings` and `held` are those of `Pipeline`. With `only`, the other tables are not made.
    """
    cohorts = only is None or "cohorts" in only
    made = records(
        scenario,
        only if only is None or not cohorts else {*only, "entrepreneurs"},
        month_done,
        rng=seed,
        replicate=replicate,
        threads=threads,
        past=past,
        surroundings=surroundings,
        held=held,
    )
    tables = {name: table.frame() for name, table in made.items()}
    if cohorts:
        tables["cohorts"] = survival.cohort_table(made["entrepreneurs"])
    return tables


def records(
    scenario: Scenario,
    only: Collection[str] | None = None,
    month_done: Callable[[int], None] | None = None,
    **how: Any,
) -> dict[str, Records]:
    """One replicate as plain arrays, for those who make thousands; `how` is as for `Pipeline`. See `simulate`."""
    model = Pipeline(scenario, collect=False, **how)
    while model.running:
        model.step()
        if month_done:
            month_done(model.month)
    made = model.records(only)
    model.release()
    return made


class Result(Shown):
    """What a run left behind. Everything here is computed from its tables; nothing goes back to a model.

    Attributes
    ----------
    stages : ids of the chain, in order
    months : length of the horizon
    replicates : how many were run
    summary : the outcomes over replicates (see `sim.statistics.summary`)
    tables : table name -> DataFrame, all replicates
    """

    def __init__(
        self,
        scenario: Mapping[str, Any],
        summary_table: pd.DataFrame,
        *,
        parts: list[Tables] | None = None,
        folder: Path | None = None,
        replicates: int,
    ) -> None:
        self.scenario = scenario
        self.summary = summary_table
        self.replicates = replicates
        self.folder = folder
        self._parts = parts
        self._manifest: Mapping[str, Any] = {}
        self._unverified: set[str] = set()  # tables whose files have not been compared with the manifest yet
        self.stages = tuple(s["id"] for s in scenario["chain"])
        self.months = int(scenario["horizon"]["months"])

    def table(self, name: str, replicate: int | None = None, only: list[str] | None = None) -> pd.DataFrame:
        """A table, or one replicate of it, or some of its columns."""
        if self._parts is None:
            assert self.folder is not None
            if name in self._unverified:
                verify(self.folder, name, self._manifest)
                self._unverified.discard(name)
            return read_table(self.folder, name, replicate, only)
        if replicate is not None:
            frame = self._parts[replicate][name]
            return frame[only] if only else frame
        import pyarrow as pa

        frame = to_pandas(pa.concat_tables(to_arrow(name, p[name], self.stages) for p in self._parts))
        return frame[only] if only else frame

    @cached_property
    def source(self) -> Scenario | None:
        """The scenario that was run, which knows where its numbers come from; None if nobody kept it.

        Raises ScenarioError if a stored one cannot be read any more.
        """
        if self.folder is None or not (self.folder / "scenario.yaml").is_file():
            return None
        from sim.scenario.loader import load

        return load(self.folder / "scenario.yaml")

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What a run that was opened from its folder depended on; else empty."""
        return self._manifest

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """All tables, read when asked for."""
        return _LazyTables(self)

    def survival(self, by: str | None = None) -> pd.DataFrame:
        """Kaplan-Meier survival of the newcomers, all replicates pooled.

        `by`: None, ``education``, ``origin``, ``channel``, ``cohort_year``, or ``highest_stage`` (mind its bias, see
        `sim.statistics.survival`).
        """
        counts = self._cohorts
        if by == "cohort_year":
            rows = counts[(counts["group"] == "all") & (counts["cohort"] != "all")]
            groups = rows["cohort"].astype(str).str[:4]
        else:
            rows = counts[counts["cohort"] == "all"]
            kind = rows["group"].astype(str)
            rows = rows[kind == "all"] if by is None else rows[kind.str.startswith(f"{by}=")]
            groups = rows["group"].astype(str)
        if by is not None and by != "cohort_year" and rows.empty and len(counts):
            raise ValueError(f"cannot group survival by {by!r}")
        sums = rows.groupby([groups.rename("g"), "age_months"], observed=True)[["at_risk", "events"]].sum()
        frames = []
        for group, data in sums.groupby(level=0):
            ages = data.index.get_level_values(1).to_numpy()
            at_risk, events = (np.zeros((1, ages.max()), np.int64) for _ in range(2))
            at_risk[0, ages - 1], events[0, ages - 1] = data["at_risk"], data["events"]
            label = f"cohort_year={group}" if by == "cohort_year" else str(group)
            frames.append(survival.tidy(LifeTable(at_risk, events), [label]))
        nobody = LifeTable(np.zeros((1, 0), np.int64), np.zeros((1, 0), np.int64))
        frame = pd.concat(frames or [survival.tidy(nobody, ["all"])], ignore_index=True)
        if by in survival.CAUTION:
            frame.attrs["caution"] = survival.CAUTION[by]
        return frame

    def causes(self) -> pd.DataFrame:
        """Cumulative incidence of exit by reason, the reasons competing (Aalen-Johansen); all replicates pooled."""
        names = ["initial", "attempt", "duration_months", "entry_age_months", "event", "exit_reason"]
        return survival.causes(self.table("entrepreneurs", only=names))

    def landmark(self, months: int = 12) -> pd.DataFrame:
        """Survival of those alive at age `months` by the stage reached by then: free of immortal-time bias.

        See `sim.statistics.survival.landmark_survival`; all replicates pooled.
        """
        people, moves = self.table("entrepreneurs"), self.table("transitions")
        return survival.landmark_survival(people, moves, self.stages, landmark=months)

    @cached_property
    def _cohorts(self) -> pd.DataFrame:
        return self.table("cohorts")

    def _each(self, *only: str) -> Iterator[Tables]:
        names = only or ("entrepreneurs", "transitions", "months", "ledger")
        for replicate in range(self.replicates):
            yield {name: self.table(name, replicate) for name in names}

    def funnel(self) -> pd.DataFrame:
        """The chain in one table (see `sim.statistics.funnel.funnel`), mean over replicates."""
        return self._means.chain.copy()

    def flow(self) -> pd.DataFrame:
        """Every move of the newcomers from stage to stage, to an exit, or to where they are at the end.

        source, target, moves (see `sim.statistics.funnel.flow`): counts over all replicates, in the order of the chain.
        """
        each = [funnel.flow(t) for t in self._each("entrepreneurs", "transitions")]
        sums = pd.concat(each).groupby(["source", "target"], sort=False)["moves"].sum().reset_index()
        order = {id: place for place, id in enumerate((ARRIVED, *self.stages, OUTSIDE, STILL_THERE))}
        places = [sums[column].map(order).fillna(len(order)) for column in ("source", "target")]
        found = sums.assign(_source=places[0], _target=places[1]).sort_values(["_source", "_target", "target"])
        return found.drop(columns=["_source", "_target"]).reset_index(drop=True)

    def sizes(self) -> pd.DataFrame:
        """Distribution of annual sales of newcomers at the end: sales_cny, share_above; mean over replicates."""
        sizes = self._means.sizes
        return sizes[sizes["share_above"] > 0].reset_index(drop=True)

    @cached_property
    def _means(self) -> Digest:
        return _mean([digest_of(t, self.scenario) for t in self._each()])

    def scale(self) -> pd.DataFrame:
        """Size statistics of newcomers at the end (see `sim.statistics.scale`), a row each replicate and statistic."""
        people = [
            self.table("entrepreneurs", r, ["initial", "attempt", "event", "sales_12m_cny", "employees"])
            for r in range(self.replicates)
        ]
        return pd.concat([scale.scale(p).assign(replicate=r) for r, p in enumerate(people)], ignore_index=True)

    def occupancy(self) -> pd.DataFrame:
        """How full each stage is in each month, and who waits (see `sim.statistics.funnel.occupancy`)."""
        return funnel.occupancy(self.table("months"), self.stages)

    def spending(self) -> pd.DataFrame:
        """Payments by calendar year and instrument: year, instrument, paid_cny; mean over replicates."""
        ledger = self.table("ledger")
        first = int(self.scenario["horizon"]["start"][:4]) * 12 + int(self.scenario["horizon"]["start"][5:]) - 1
        years = ((ledger["month"].astype(int) + first) // 12).rename("year")
        sums = ledger.groupby([years, ledger["instrument"].astype(str)])["paid_cny"].sum() / self.replicates
        return sums.reset_index()

    def money(self, discount: float = 0.0) -> pd.DataFrame:
        """What was paid by instrument, CNY; mean over replicates, discounted at the yearly rate `discount`."""
        paid = fiscal.spending(self.table("ledger"), "instrument", discount=discount)
        return paid.assign(paid_cny=paid["paid_cny"] / self.replicates, recipients=paid["recipients"] / self.replicates)

    def unit_costs(self, discount: float | None = None) -> pd.DataFrame:
        """What the city pays for each arrival, survivor and job-year (see `fiscal.per_unit`); mean over replicates.

        `discount` is the yearly rate of money and of what it buys; by default both 0 and `fiscal.DISCOUNT`.
        """
        if discount is None:
            return self._means.unit_costs.copy()
        each = [_unit_costs(t, self.months, discount) for t in self._each()]
        return _mean_of(each, ["discount", "per", "unit"])

    def budgets(self) -> pd.DataFrame:
        """Planned, claimed and disbursed by calendar year and instrument (see `fiscal.planned`), CNY; mean.

        Of a fund: by what it covers, whose rows have this money as well.
        """
        return self._means.budgets.copy()

    @property
    def plot(self) -> Any:
        """Plots: `result.plot.survival()`, `.funnel()`, `.flow()`, `.sizes()`, `.occupancy()`, `.waiting()`, ..."""
        return presentation("plots").Plots(self)

    def outcome(self, name: str) -> float | None:
        """Mean of an outcome over replicates; None if the run cannot know it."""
        row = self.summary.loc[self.summary["outcome"] == name, "mean"]
        if row.empty:
            raise KeyError(name)
        return None if pd.isna(row.iloc[0]) else float(row.iloc[0])

    def __repr__(self) -> str:
        return f"<Result of {self.replicates} replicates over {self.months} months: {', '.join(self.stages)}>"


class _LazyTables(Mapping[str, pd.DataFrame]):
    def __init__(self, result: Result) -> None:
        self._result = result

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in tuple(self):  # a Mapping's own `in` would ask __getitem__
            raise KeyError(name)
        return self._result.summary if name == "summary" else self._result.table(name)

    def __iter__(self) -> Iterator[str]:
        yield from ("entrepreneurs", "transitions", "months", "city", "cohorts", "ledger")
        if "panel" in self._result.scenario.get("observe", ()):
            yield "panel"
        yield "summary"

    def __len__(self) -> int:
        return sum(1 for _ in self)


def run(
    scenario: Scenario,
    *,
    replicates: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    threads: int = 1,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run a scenario.

    Parameters
    ----------
    replicates, seed
        Instead of the scenario's own.
    jobs
        Replicates at a time, in threads of this process (the kernel runs without the interpreter's lock).
    threads
        Threads within a replicate, for cities of a hundred thousand and more.
    folder
        Write the tables there, replicate by replicate, instead of keeping them in memory; see `sim.store.whole_folder`.
    progress
        Told how far the run is.

    Returns
    -------
    Result
        The same for any number of jobs and threads, to the last bit.
    """
    expect_scenario(scenario)
    settled = scenario if seed is None else scenario.replace({"seed": seed})
    rule = scenario.replicates if replicates is None else replicates
    until = None if isinstance(rule, int) else rule.until
    most = rule if isinstance(rule, int) else rule.until.max
    if until and (wrong := [p for p in waits_in_vain(scenario) if p.severity == "error"]):
        raise ScenarioError(wrong)
    if most < 1:
        raise RunError("replicates: must be 1 or more")
    stages, months, plain = tuple(s.id for s in scenario.chain), scenario.horizon.months, settled.resolved()
    parts: list[Tables] = []
    outcomes: list[dict[str, summary.Outcome]] = []
    digests: list[Digest] = []
    writer = TableWriter(folder, stages) if folder else None
    underway: dict[int, float] = {}
    over = threading.Event()

    def tell() -> None:
        if progress:
            progress(len(outcomes) + sum(tuple(underway.values())), most)

    def one(replicate: int) -> tuple[Tables, dict[str, summary.Outcome], Any]:
        def month_done(month: int) -> None:
            if over.is_set():
                raise CancelledError
            underway[replicate] = 0.9 * month / months
            tell()

        tables = simulate(settled, replicate=replicate, threads=threads, month_done=month_done)
        found = summary.outcomes(tables, months=months, stages=stages)
        return tables, found, digest_of(tables, plain) if folder else None

    try:
        for replicate, (tables, found, small) in enumerate(in_order(one, most, jobs)):
            if writer:
                writer.write(tables)
                digests.append(small)
            else:
                parts.append(tables)
            underway.pop(replicate, None)
            outcomes.append(found)
            tell()
            if until and replicate >= 4 and _known(outcomes, until):
                break
    finally:
        over.set()  # replicates that are still under way, and no longer wanted, end with their month
    if writer:
        writer.close()
    result = Result(
        plain,
        summary.summarise(outcomes),
        parts=None if folder else parts,
        folder=folder,
        replicates=len(outcomes),
    )
    result.__dict__["source"] = settled
    if folder:
        result.__dict__["_means"] = _mean(digests)
        _write_manifest(folder, settled, result, writer)
    return result


def open_run(folder: Path | str) -> Result:
    """A stored run. Raises StoreError if it is not one, or is damaged."""
    path = Path(folder)
    manifest = read_manifest(path)
    verify(path, "summary", manifest)
    summary_table = read_table(path, "summary")
    result = Result(manifest["scenario"], summary_table, folder=path, replicates=int(manifest["replicates"]))
    result._manifest, result._unverified = manifest, set(TABLES)
    return result


class Digest(NamedTuple):
    """What an answer and its figures need of one replicate; or the means of it over replicates."""

    chain: pd.DataFrame
    """The funnel: see `funnel.funnel`."""
    sizes: pd.DataFrame
    """Distribution of annual sales on a fixed grid: sales_cny, share_above."""
    unit_costs: pd.DataFrame
    """Undiscounted and at `fiscal.DISCOUNT`: discount, per, unit, value; see `fiscal.per_unit`."""
    budgets: pd.DataFrame
    """See `fiscal.planned`."""


_KEYS = (["stage"], ["sales_cny"], ["discount", "per", "unit"], ["year", "instrument"])
"""What a row of each part of a digest is of."""


def digest_of(tables: Tables, scenario: Mapping[str, Any]) -> Digest:
    """The digest of one replicate of a resolved scenario."""
    months, stages = int(scenario["horizon"]["months"]), tuple(s["id"] for s in scenario["chain"])
    people = tables["entrepreneurs"]
    counted = ~people["initial"] & (people["attempt"] == 0) & ~people["event"]
    sales = np.sort(people.loc[counted, "sales_12m_cny"].to_numpy())
    grid = 10 ** np.arange(2, 9.01, 0.05)
    above = 1 - np.searchsorted(sales, grid) / max(len(sales), 1)
    budgets = {i["id"]: i["budget"] for i in scenario["policy"] if i["active"]}
    return Digest(
        funnel.funnel(tables, months=months, stages=stages),
        pd.DataFrame({"sales_cny": grid, "share_above": above if len(sales) else 0.0}),
        pd.concat([_unit_costs(tables, months, rate) for rate in (0.0, fiscal.DISCOUNT)]),
        fiscal.planned(
            tables["ledger"], budgets, scenario["horizon"]["start"], months=months, policy=scenario["policy"]
        ),
    )


def _unit_costs(tables: Tables, months: int, discount: float) -> pd.DataFrame:
    found = fiscal.per_unit(tables, months=months, discount=discount)
    return found.assign(discount=discount)[["discount", "per", "unit", "value"]]


def _mean(digests: Sequence[Digest]) -> Digest:
    return Digest._make(_mean_of(frames, key) for *frames, key in zip(*digests, _KEYS, strict=True))


def _mean_of(frames: Sequence[pd.DataFrame], key: list[str]) -> pd.DataFrame:
    return pd.concat(frames).groupby(key, sort=False).mean().reset_index()


def in_order(one: Callable[[int], Any], count: int, jobs: int) -> Iterator[Any]:
    """Results of replicates 0, 1, ... in order, `jobs` at a time and at most two ahead."""
    if jobs <= 1:
        yield from map(one, range(count))
        return
    pool = ThreadPoolExecutor(jobs)
    waiting: list[Future[Any]] = []
    try:
        for replicate in range(count):
            waiting.append(pool.submit(one, replicate))
            if len(waiting) > jobs:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_AGED = re.compile(r"(?:survival|rmst|spent_per_survivor)_(\d+)m(?:_cny)?")


def waits_in_vain(scenario: Scenario) -> list[Problem]:
    """An error if `replicates` wait for an outcome that no run has; a warning if the runs are too short to know it."""
    if isinstance(scenario.replicates, int):
        return []
    path, name, months = "replicates.until.outcome", scenario.replicates.until.outcome, scenario.horizon.months
    said = scenario.why(path)
    place = Place(said.file or scenario.file, said.line, said.column)
    known, found = _outcomes(tuple(s.id for s in scenario.chain)), {"found": shown(name)}
    if name not in known:
        return [problem(place, path, "unknown_outcome", {**found, "near": nearest(name, known)})]
    if (age := _AGED.fullmatch(name)) and int(age[1]) > months:
        return [problem(place, path, "runs_too_short", {**found, "months": months}, "warning")]
    return []


def _outcomes(stages: Sequence[str]) -> Collection[str]:
    """Names of the outcomes of a run of this chain: those of a run in which nothing happened."""
    tables = ("entrepreneurs", "transitions", "months", "ledger")
    empty = {t: to_pandas(arrow_schema(t, stages).empty_table()) for t in tables}
    return summary.outcomes(empty, months=0, stages=stages)


def _known(outcomes: list[dict[str, summary.Outcome]], until: Until) -> bool:
    row = summary.summarise([{until.outcome: o[until.outcome]} for o in outcomes]).iloc[0]
    return bool(row["ci_high"] - row["ci_low"] <= 2 * until.half_width)


def _write_manifest(folder: Path, scenario: Scenario, result: Result, writer: TableWriter | None) -> None:
    """Everything that the run depended on; no clock, so that the same run gives the same bytes."""
    final = TableWriter(folder, result.stages)
    final.write({"summary": result.summary})
    final.close()
    (folder / "scenario.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    for name, content in scenario.component_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    manifest = {
        "scenario": result.scenario,
        "scenario_hash": scenario.hash(),
        "burn_in_hash": scenario.burn_in.hash(),
        "evidence_hash": digest(),
        "engine": scenario.engine,
        "seed": scenario.seed,
        "seed_scheme": SEED_SCHEME,
        "replicates": result.replicates,
        "versions": versions(),
        "git_commit": commit(),
        "rows": {**(writer.rows if writer else {}), **final.rows},
        "units": {
            t: {c.name: c.unit for c in columns(t, result.stages)} for t in ("entrepreneurs", "months", "ledger")
        },
    }
    write_manifest(folder, manifest)
