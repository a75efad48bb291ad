"""Sweeps: the rows are those of single runs, whoever makes them, however they are cut, and however often one begins."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sim
from sim.errors import RunError, ScenarioError, StoreError
from sim.experiments.sweep import cell, orders, runs
from sim.experiments.sweep.estimate import status
from sim.experiments.sweep.orders import Base, point_id
from sim.experiments.sweep.parts import written
from sim.experiments.sweep.plan import Plan, enough
from sim.experiments.sweep.runs import Request, Runs
from sim.experiments.sweep.sweep import expand, resume, sweep
from sim.experiments.sweep.work import Results, Row
from sim.scenario.schema import Until
from sim.scenario.studies import SweepStudy, load_study
from sim.versions import versions

CITY = """\
schema: 1
horizon: {months: 18}
arrivals: {per_year: {value: 20, range: [10, 100], assumed: small}}
chain:
  - {id: village, facilities: 1}
  - {id: hub, facilities: 1, places: {value: 2, range: [1, 9], assumed: few}, threshold: 20_000, tenancy: 6}
policy: [{id: rent, type: rent_relief, share: {hub: 0.5}}]
"""

STUDY = """\
schema: 1
kind: sweep
name: {zh: 试, en: Try}
scenario: city.yaml
replicates: 3
outcomes: [survival_12m, survival_60m, arrivals, spent_cny]
levers:
  - {path: chain.hub.places, values: [1, 2, 4]}
  - {path: policy.rent.share.hub, values: [0.0, 0.5]}
design: {kind: grid}
"""

OUTCOMES = ("survival_12m", "survival_60m", "arrivals", "spent_cny")
PLACES, SHARE = "chain.hub.places", "policy.rent.share.hub"


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., SweepStudy]:
    """The study above; keywords are overrides, with ``__`` for dots."""
    (tmp_path / "city.yaml").write_text(CITY)
    (tmp_path / "study.yaml").write_text(STUDY)

    def make(text: str = STUDY, **changes: object) -> SweepStudy:
        (tmp_path / "study.yaml").write_text(text)
        return load_study(
            tmp_path / "study.yaml", {key.replace("__", "."): v for key, v in changes.items()}, only=SweepStudy
        )

    return make


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> sim.Sweep:
    """The study run once, in this process, into a folder."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "city.yaml").write_text(CITY)
    (folder / "study.yaml").write_text(STUDY)
    return sim.sweep(folder / "study.yaml", folder / "out")


# what is found --------------------------------------------------------------------------------------------------------


def test_rows_are_those_of_single_runs(undisturbed, study):
    """Each row has the outcomes that `sim.run` finds for the scenario with these values, seed and replicate."""
    city = study().small
    for (places, share), rows in undisturbed.runs.groupby([PLACES, SHARE]):
        alone = sim.run(city.replace({PLACES: int(places), SHARE: share}), replicates=3, seed=1)
        expected = alone.summary.set_index("outcome")["mean"]
        for name in OUTCOMES:
            mean = rows[name].mean() if rows[name].notna().any() else np.nan
            assert mean == pytest.approx(expected[name], rel=1e-12, nan_ok=True)
    assert len(undisturbed.runs) == 18
    assert set(undisturbed.runs["replicate"]) == {0, 1, 2}


def test_points_share_their_luck(undisturbed):
    """In a replicate the same people arrive at every point: whatever arrivals do not depend on has no spread."""
    assert (undisturbed.runs.groupby("replicate")["arrivals"].nunique() == 1).all()
    assert undisturbed.runs["arrivals"].nunique() > 1


def test_what_is_not_known_is_null_and_says_why(undisturbed):
    """Survival at 60 months in runs of 18 is null, with the reason, and no failure."""
    assert undisturbed.runs["survival_60m"].isna().all()
    assert undisturbed.runs["reason"].str.contains("survival_60m: nobody was observed beyond").all()
    assert undisturbed.failures.empty


def test_summary_is_students(undisturbed):
    """Means and intervals over replicates are scipy's, for each point and outcome that is known."""
    summary = undisturbed.summary.set_index(["point", "outcome"])
    for point, rows in undisturbed.runs.groupby("point"):
        for name in ("survival_12m", "spent_cny"):
            found, values = summary.loc[(point, name)], rows[name]
            low, high = (
                stats.t.interval(0.95, 2, values.mean(), stats.sem(values)) if values.std() else (values.mean(),) * 2
            )
            assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high))
            assert (found["mean"], found["n"]) == (pytest.approx(values.mean()), 3)
        assert np.isnan(summary.loc[(point, "survival_60m"), "mean"])


def test_points_are_compared_in_pairs(undisturbed):
    """The difference of two points is scipy's paired one; where nothing differs it is exactly 0."""
    (few, _), (many, _) = undisturbed.points.groupby(PLACES)["point"].agg(list).loc[[1, 4]]
    runs = undisturbed.runs.set_index(["point", "replicate"])
    a, b = (runs.loc[point, "spent_cny"] for point in (many, few))
    found, expected = undisturbed.difference("spent_cny", many, few), stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.value == pytest.approx((a - b).mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert undisturbed.difference("arrivals", many, few)[:3] == (0.0, 0.0, 0.0)


def test_points_are_those_of_the_design(undisturbed):
    """A row for each point of the grid, in its order, with the name by which its runs go."""
    points = undisturbed.points
    assert list(zip(points[PLACES], points[SHARE], strict=True)) == list(product([1, 2, 4], [0.0, 0.5]))
    assert points["number"].tolist() == list(range(6))
    assert set(points["point"]) == set(undisturbed.runs["point"])


def test_the_folder_is_read_directly(undisturbed):
    """pandas reads the parts as they lie, with every column; the folder holds a study that runs by itself."""
    home = undisturbed.folder
    direct = pd.read_parquet(home / "parts").sort_values("key", ignore_index=True)
    pd.testing.assert_frame_equal(direct, undisturbed.runs.sort_values("key", ignore_index=True))
    again = sweep(home / "study.yaml")
    assert again.digest == undisturbed.digest
    opened = sim.open_sweep(home)
    assert opened.digest == undisturbed.digest
    pd.testing.assert_frame_equal(opened.points, undisturbed.points)
    assert repr(opened.study.blocks) == repr(undisturbed.study.blocks)
    assert "Trading at 12 months" in opened._repr_html_()


def test_nothing_is_unpickled(undisturbed, monkeypatch):
    """A sweep is opened, read and gone on with by a Python that cannot unpickle."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a pickle was loaded")

    monkeypatch.setattr(pickle, "load", never)
    monkeypatch.setattr(pickle, "loads", never)
    monkeypatch.setattr(pickle, "Unpickler", never)
    assert resume(undisturbed.folder).digest == sim.open_sweep(undisturbed.folder).digest == undisturbed.digest


# whoever makes the runs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0, 0.02, 100.0])
def test_batches_do_not_matter(undisturbed, study, monkeypatch, seconds):
    """One run a batch, some, or all that is left: the same digest."""
    monkeypatch.setattr(runs, "_BATCH_SECONDS", seconds)
    assert sweep(study()).digest == undisturbed.digest


def test_order_does_not_matter(undisturbed, study):
    """The grid reversed, and its axes exchanged: the same runs, to the bit."""
    turned = STUDY.replace("[1, 2, 4]", "[4, 2, 1]").replace("[0.0, 0.5]", "[0.5, 0.0]")
    first, second = (line for line in turned.splitlines(keepends=True) if "{path:" in line)
    found = sweep(study(turned.replace(first + second, second + first)))
    assert found.points[PLACES].tolist() == [4, 2, 1] * 2
    assert found.digest == undisturbed.digest


def test_spelling_does_not_matter(undisturbed, study):
    """0 is 0.0 is -0.0, and a comment, a name or an order of keys is nothing: the same keys."""
    city = study().small
    spellings = [{SHARE: share, PLACES: 2} for share in (0, 0.0, -0.0)]
    assert len({point_id(Base(city), values) for values in spellings}) == 1
    other = STUDY.replace("[0.0, 0.5]", "[0, 0.5]").replace("en: Try", "en: Another}  # name").replace("name}", "name")
    assert set(sweep(study(other)).runs["key"]) == set(undisturbed.runs["key"])


def test_any_executor_makes_the_same(undisturbed, study, tmp_path):
    """Threads, each with a process of its own, make the same rows in the same folder; the pool is left open."""
    with ThreadPoolExecutor(2) as pool:
        found = sweep(study(), tmp_path / "out", executor=pool)
        assert pool.submit(int).result() == 0
    assert found.digest == undisturbed.digest
    assert not cell._cells


@pytest.mark.long
def test_a_pool_of_processes_and_dask_make_the_same(undisturbed, study):
    """So do a pool of processes and a local Dask cluster, which leave no process behind."""
    with ProcessPoolExecutor(2) as pool:
        assert sweep(study(), executor=pool).digest == undisturbed.digest
    assert sweep(study(), jobs=2).digest == undisturbed.digest
    assert not cell._cells


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_workers_come_from_one_process_and_are_apart():
    """Prepared together they share what was brought in; one that is killed costs the others nothing, and none stays."""
    cell.prepare(3)
    made = [cell._own("first"), *(one.ready() for one in cell._spare)]
    starter, *_ = {one._process._starter for one in made}
    assert len({one._process.pid for one in made}) == 3
    os.kill(made[1]._process.pid, signal.SIGKILL)
    assert made[1]._process.wait(20) == -signal.SIGKILL
    assert made[0].lives
    assert made[2].lives
    cell.close("first")
    assert [one._process.returncode for one in made] == [-signal.SIGKILL] * 3
    assert starter.returncode == 0


class Dying(Executor):
    """Makes two batches, and is gone."""

    def __init__(self) -> None:
        self.left = 2

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        """A result, or the error of a pool whose process was killed."""
        future: Future = Future()
        self.left -= 1
        if self.left < 0:
            future.set_exception(BrokenProcessPool("a process was terminated abruptly"))
        else:
            future.set_result(runs_of(args[0]))
        return future


def runs_of(batch: object) -> Results:
    from sim.experiments.sweep.work import in_this_process

    return in_this_process(batch)


def test_an_executor_that_dies_loses_nothing(undisturbed, study, tmp_path):
    """What was made is kept, the error says how to go on, and going on ends with the same digest."""
    with pytest.raises(RunError, match=r"executor is gone.*what was run is kept, and the same command goes on"):
        sweep(study(), tmp_path / "out", executor=Dying())
    assert 0 < len(sim.open_sweep(tmp_path / "out").runs) < 18
    assert resume(tmp_path / "out").digest == undisturbed.digest
    with ThreadPoolExecutor(1) as closed:
        pass
    with pytest.raises(RunError, match="executor is gone"):
        sweep(study(), executor=closed)


def test_a_worker_with_another_model_is_refused(study, monkeypatch):
    """A worker that would tell other numbers ends the sweep before it makes a run, and says which package differs."""
    there = {**versions(), "numpy": "0.1"}
    monkeypatch.setattr(runs, "model_version", lambda: "another")
    monkeypatch.setattr(runs, "versions", lambda: there)
    with ThreadPoolExecutor(1) as pool, pytest.raises(RunError, match=r"another version .*: numpy 0\.1 / \d"):
        sweep(study(), executor=pool)


def test_a_process_that_cannot_start_is_told(study, monkeypatch):
    """If no process can be started for runs, that ends the sweep with the reason, and no run is called failed."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RunError, match="no process can be started for runs: its process ended with exit code 1"):
        sweep(study(), timeout=5.0)


def test_one_job_needs_no_dask():
    """A sweep in this process brings in neither Dask nor its network."""
    code = textwrap.dedent("""
        import sys
        from sim.cli.command import sim
        import sim.experiments.sweep.sweep
        sys.exit(any(name in sys.modules for name in ("dask", "distributed", "tornado")))
    """)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_memory_of_the_driver_is_flat(study, tmp_path, monkeypatch):
    """Many more runs take the driver little more memory: less than 150 bytes each, for the key."""

    class Instant(Executor):
        def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
            future: Future = Future()
            row = Row((0.5,) * len(args[0].outcomes))
            future.set_result(Results((row,) * len(args[0].orders), 1e-2 * len(args[0].orders)))
            return future

    def peak(replicates: int) -> int:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        sweep(study(replicates=replicates), tmp_path / str(replicates), executor=Instant())
        return tracemalloc.get_traced_memory()[1] - before

    monkeypatch.setattr(runs, "_KEEP_ROWS", 500)
    peak(10)
    tracemalloc.start()
    try:
        few, many = peak(400), peak(2_000)
    finally:
        tracemalloc.stop()
    print(f"{(many - few) / (6 * 1_600):.0f} bytes a run")
    assert many - few < 150 * 6 * 1_600


# going on and extending -----------------------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Runs made by each store that is closed from now on."""
    made: list[int] = []
    close = Runs.__exit__

    def closing(store: Runs, *error: object) -> None:
        made.append(store.made)
        close(store, *error)

    monkeypatch.setattr(Runs, "__exit__", closing)
    return made


def test_an_interrupt_costs_nothing(undisturbed, study, tmp_path, monkeypatch):
    """Interrupted again and again, it ends with the same digest, and no run that was kept is made twice."""
    made = counted(monkeypatch)

    def stop(done: float, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(runs, "_BATCH_SECONDS", 0.0)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            sweep(study(), tmp_path / "out", progress=stop)
    found = resume(tmp_path / "out")
    assert found.digest == undisturbed.digest
    assert made == [4, 4, 4, 6]


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone"])
def test_damaged_parts_are_made_again(undisturbed, study, tmp_path, monkeypatch, harm):
    """A part that is cut short, has a flipped bit or is gone costs its own runs: told, made again, the same digest."""
    home = tmp_path / "out"
    monkeypatch.setattr(runs, "_KEEP_ROWS", 7)
    monkeypatch.setattr(runs, "_BATCH_SECONDS", 0.0)
    sweep(study(), home)
    part = written(home / "parts")[1]
    content = part.read_bytes()
    lost = len(pd.read_parquet(part))
    middle = len(content) // 2
    if harm == "gone":
        part.unlink()
    else:
        flipped = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
        part.write_bytes(content[:middle] if harm == "cut" else flipped)
        assert [path.name for path in status(home).damaged] == [part.name]
        with pytest.raises(StoreError, match="damaged"):
            _ = sim.open_sweep(home).runs
    made = counted(monkeypatch)
    found = resume(home)
    assert (found.digest, made) == (undisturbed.digest, [lost])
    assert len(found.damaged) == (harm != "gone")
    assert status(home).done == 18


def test_the_same_point_is_run_once(study, monkeypatch):
    """A value that comes twice in a table, and blocks that meet in a point, cost no run more; both name the point."""
    made = counted(monkeypatch)
    study()  # writes the city
    home = Path(study().path).parent
    (home / "points.csv").write_text(f"{PLACES},{SHARE}\n2,0.5\n4,0\n2,0.5\n")
    text = STUDY[: STUDY.index("levers:")] + "branches:\n"
    text += "  - {id: rows, design: {kind: table, file: points.csv}}\n"
    text += f"  - {{id: meets, levers: [{{path: {PLACES}, values: [1, 2]}}], design: {{kind: grid}}}}\n"
    found = sweep(study(text))
    assert made == [9]
    assert found.points["branch"].tolist() == ["rows"] * 3 + ["meets"] * 2
    first, _, third, _, again = found.points["point"]
    assert first == third == again
    assert found.points["point"].nunique() == 3


def test_extending_changes_no_old_bit(undisturbed, study, tmp_path, monkeypatch):
    """More replicates, then more points: only these are run, old parts stay to the byte, all is as if made at once."""
    home = tmp_path / "out"
    sweep(study(), home)
    made = counted(monkeypatch)
    before = {path: path.read_bytes() for path in written(home / "parts")}
    found = expand(home, replicates=2)
    assert (found.digest, found.study.replicates) == (sweep(study(replicates=5)).digest, 5)
    wider = STUDY.replace("[1, 2, 4]", "[1, 2, 4, 5]").replace("replicates: 3", "replicates: 5")
    found = sweep(study(wider), home)
    assert made == [12, 30, 10]
    assert found.digest == sweep(study(wider)).digest
    assert {path: path.read_bytes() for path in before} == before
    manifest = json.loads((home / "manifest.json").read_text())
    assert (manifest["points"], manifest["replicates"]) == (8, 5)


def test_a_study_that_was_changed_counts_its_own_runs(undisturbed, study, tmp_path):
    """With fewer points and replicates than before, all that is told is of these, as if there had been no others."""
    out = tmp_path / "out"
    sweep(study(), out)
    smaller = STUDY.replace("[1, 2, 4]", "[2, 9]")
    alone, found = sweep(study(smaller, replicates=2)), sweep(study(smaller, replicates=2), out)
    assert found.digest == alone.digest
    pd.testing.assert_frame_equal(found.runs, alone.runs)
    pd.testing.assert_frame_equal(found.summary, alone.summary)
    far = status(out)
    assert (far.wanted, far.done, far.others) == (8, 8, 14)
    again = expand(out, replicates=1)
    assert len(again.runs) == 12
    assert status(out).others == 12
    assert sweep(study(), out).digest == undisturbed.digest
    path = out / "manifest.json"
    before = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("changed", "design")}
    path.write_text(json.dumps(before))  # of a version that did not note it
    assert len(sim.open_sweep(out).runs) == 18 + 6


def test_a_point_of_two_branches_counts_for_both(study):
    """It is run once, and summed up under each."""
    branched = STUDY.replace(
        "design:", "branches: [{id: a}, {id: b, levers: [{path: chain.hub.places, values: [2, 9]}]}]\ndesign:"
    )
    found = sweep(study(branched))
    assert len(found.runs) == 7 * 3
    arrivals = found.summary.query("outcome == 'arrivals'")
    assert arrivals["branch"].tolist() == ["a"] * 6 + ["b"] * 2
    shared = arrivals[arrivals["point"].duplicated(keep=False)]
    assert shared["branch"].tolist() == ["a", "b"]
    assert shared["mean"].nunique() == 1


def test_a_table_is_kept_with_the_study(study, tmp_path):
    """A sweep of a table goes on when the table is gone."""
    study()
    table = tmp_path / "points.parquet"
    pd.DataFrame({PLACES: [1, 3]}).to_parquet(table)
    text = STUDY[: STUDY.index("levers:")] + "design: {kind: table, file: points.parquet}\n"
    found = sweep(study(text), tmp_path / "out")
    table.unlink()
    assert expand(tmp_path / "out", replicates=1).points[PLACES].tolist() == found.points[PLACES].tolist() == [1, 3]


def test_what_does_not_go_together_is_refused(undisturbed, study, tmp_path, monkeypatch):
    """Another seed, scenario, set of outcomes or version of the model is never mixed in; the folder stays as it was."""
    home = tmp_path / "out"
    sweep(study(), home)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    others = {"seed": study(seed=2), "scenario": study(horizon__months=24), "outcomes": study(outcomes=["arrivals"])}
    for name, other in others.items():
        with pytest.raises(StoreError, match=f"does not go with this one .another {name}"):
            sweep(other, home)
    with monkeypatch.context() as patched:
        patched.setattr("sim.experiments.sweep.folder.model_version", lambda: "another")
        with pytest.raises(StoreError, match="another version of the model"):
            resume(home)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    with monkeypatch.context() as patched:  # and their keys differ, whatever the manifest says
        patched.setattr(orders, "model_version", lambda: "another")
        other = sweep(study())
    assert not set(other.runs["key"]) & set(undisturbed.runs["key"])
    with pytest.raises(StoreError, match="no manifest"):
        sim.open_sweep(tmp_path)


def test_a_changed_study_in_the_folder_is_found(study, tmp_path):
    """A folder whose scenario was edited afterwards is not gone on with."""
    sweep(study(), tmp_path / "out")
    path = tmp_path / "out" / "scenario.yaml"
    path.write_text(path.read_text().replace('"tenancy": 6', '"tenancy": 7').replace("tenancy: 6", "tenancy: 7"))
    with pytest.raises(StoreError, match=r"study\.yaml or scenario\.yaml are not those"):
        resume(tmp_path / "out")


def test_unknown_outcomes_are_told_before_anything_is_run(study):
    """A misspelt outcome is an error of the study, with its place."""
    with pytest.raises(ScenarioError, match='there is no outcome "survival_12"'):
        sweep(study(outcomes=["survival_12"]))


# replicates until it is known well enough -----------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 3])
def test_replicates_end_by_the_rule(study, tmp_path, jobs):
    """Each point has as many as the rule wants, given its own results alone, however many are under way."""
    text = STUDY.replace("replicates: 3", "replicates: {until: {outcome: arrivals, half_width: 2.5, max: 40}}")
    text = text.replace(f"{{path: {PLACES}, values: [1, 2, 4]}}", "{path: arrivals.per_year, values: [10, 40, 100]}")
    if jobs == 1:
        found = sweep(study(text), tmp_path / "out")
        again = resume(tmp_path / "out")
        assert again.digest == found.digest
    else:
        with ThreadPoolExecutor(jobs) as pool:
            found = sweep(study(text), executor=pool)
    rule, counts = Until(outcome="arrivals", half_width=2.5, max=40), set()
    for _, rows in found.runs.groupby("point"):
        values = rows.sort_values("replicate")["arrivals"].tolist()
        made = 5
        while (more := enough(values[:made], made, rule)) > made:
            made = more
        assert len(values) == made
        half = stats.t.ppf(0.975, made - 1) * np.std(values, ddof=1) / made**0.5
        assert half <= 2.5 or made == 40
        counts.add(made)
    assert len(counts) > 1


def test_the_rule_asks_for_what_it_needs():
    """Enough is enough; else as many more as should do, never beyond twice or the most; nothing known: no more."""
    rule = Until(outcome="arrivals", half_width=1.0, max=30)
    spread = [0.0, 1.0, 2.0, 3.0, 4.0]
    half = stats.t.ppf(0.975, 4) * np.std(spread, ddof=1) / 5**0.5
    assert enough([x / half for x in spread], 5, rule) == 5
    assert enough(spread, 5, rule) == min(int(np.ceil(5 * half**2)), 10)
    assert enough([1000 * x for x in spread] * 4, 20, rule) == 30
    assert enough(spread * 6, 30, rule) == 30
    assert enough([1.0] * 5, 5, rule) == 5
    assert enough([np.nan] * 5, 5, rule) == 5
    assert enough([np.nan] * 4 + [1.0], 5, rule) == 10


# failures are data ----------------------------------------------------------------------------------------------------

MOODY = '''
from typing import Literal

from sim.evidence.quantity import quantity
from sim.policy._instrument import PolicyInstrument


class Moody(PolicyInstrument):
    """Fails where it is told to."""

    type: Literal["moody"] = "moody"
    mood: int = quantity(0, unit="count", low=0, high=9, zh="心情", en="mood", assumed="a test")

    def act(self, people, now, ledger):
        if self.mood == 1:
            raise ValueError("not today\\nnor ever")
        if self.mood == 2 and now.month == 3:
            raise SystemExit
        if self.mood == 3:
            1 / 0
'''


@pytest.fixture
def moody(study, tmp_path) -> SweepStudy:
    """A study over an instrument of the scenario's own that fails at some points."""
    (tmp_path / "moody_one.py").write_text(MOODY)
    city = CITY.replace("policy: [", 'components: ["moody_one:Moody"]\npolicy: [{id: moody, type: moody}, ')
    (tmp_path / "moody_city.yaml").write_text(city)
    text = STUDY.replace("city.yaml", "moody_city.yaml").replace(
        f"{PLACES}, values: [1, 2, 4]", "policy.moody.mood, values: [0, 1, 2, 3]"
    )
    return study(text, replicates=2)


def test_failures_are_rows(moody, tmp_path, monkeypatch):
    """A run that fails says where, why, and with which values and seed; the others are as they are alone.

    They are not made again unless that is asked for, and then only they.
    """
    found = sweep(moody, tmp_path / "out")
    assert len(found.runs) == 16
    failures = found.failures.groupby("policy.moody.mood")[["phase", "message"]].agg(["first", "nunique", "size"])
    assert failures.index.tolist() == [1, 2, 3]
    assert (failures["message", "size"] == 4).all()
    assert (failures["phase", "first"] == "run").all()
    first = failures["message", "first"].tolist()
    assert first[0] == "policy.moody: moody_one.py:16: ValueError: not today"
    assert first[1] == "SystemExit"
    assert first[2].endswith("ZeroDivisionError: division by zero")
    assert found.runs.loc[found.runs["policy.moody.mood"] == 0, "survival_12m"].notna().all()
    assert found.failures["seed"].eq(1).all()
    made = counted(monkeypatch)
    assert resume(tmp_path / "out").digest == found.digest
    assert resume(tmp_path / "out", retry=True).digest == found.digest
    assert made == [0, 12]


def test_an_instrument_of_a_notebook_travels(study, monkeypatch):
    """A class without a file reaches another process by its code, and does there what it does here."""
    city = study().small
    space: dict[str, object] = {"__name__": "__main__"}
    exec(compile(MOODY, "notebook", "exec", dont_inherit=True), space)
    monkeypatch.setitem(sys.modules["__main__"].__dict__, "Literal", space["Literal"])
    own = sim.Scenario(chain=city.chain, horizon=city.horizon, policy=(space["Moody"](id="moody", mood=1),))
    rows = {}
    for name, where in {"here": runs.Where(), "there": runs.Where(apart=True)}.items():
        with Runs(None, where) as made:
            rows[name] = made.rows([Request(own, {}, 0, 1)], ["arrivals"])
    assert rows["here"]["phase"].tolist() == ["run"]
    pd.testing.assert_frame_equal(rows["here"], rows["there"])


def test_a_point_that_cannot_be_is_a_failure(study):
    """A value that does not fit is a failure to set up, told by its path; the other points are run."""
    city = study().small
    with Runs() as made:
        frame = made.rows([Request(city, {PLACES: p}, 0, 1) for p in (2, -5)], ["arrivals", "survival_12m"])
        with pytest.raises(ScenarioError, match=r"chain\.hub\.placs"):
            made.rows([Request(city, {"chain.hub.placs": 2}, 0, 1)], ["arrivals"])
    assert frame["phase"].tolist() == [None, "set up"]
    assert frame["message"][1].startswith(f"{PLACES}: must be >= 0")
    assert np.isnan(frame["arrivals"][1])


# rows by request, as calibration and optimisation want them -----------------------------------------------------------


def test_rows_come_in_the_order_asked(study, tmp_path):
    """What is kept and what is made come together, in the order of the requests, with the outcomes in theirs."""
    city = study().small
    asked = [Request(city, {PLACES: p}, r, 1) for p, r in ((4, 0), (1, 1), (4, 1), (1, 0))]
    for names, made in ((["arrivals", "spent_cny"], 4), (["spent_cny", "arrivals"], 0)):
        with Runs(tmp_path / "kept", name="points") as store:
            frame = store.rows(asked, names)
            again = store.rows(asked[::-1], names)
            assert store.made == made
        assert frame.columns.tolist() == ["replicate", "seed", *names, "reason", "phase", "message"]
        assert frame["replicate"].tolist() == [0, 1, 1, 0]
        pd.testing.assert_frame_equal(again[::-1].reset_index(drop=True), frame)
        for request, (_, row) in zip(asked, frame.iterrows(), strict=True):
            tables = sim.simulate(city.replace(request.values), seed=1, replicate=request.replicate)
            assert row["arrivals"] == len(tables["entrepreneurs"].query("attempt == 0 and not initial"))


def test_bases_are_never_confused(study):
    """Bases that come and go, as a loop makes them, are told apart by what they are."""
    found = []
    with Runs() as store:
        for months in (12, 15, 12, 15):
            base = Base(study().small.replace({"horizon.months": months}))
            found += store.rows([Request(base, {}, 0, 1)], ["arrivals"])["arrivals"].tolist()
            del base
        assert store.made == 2
    assert found[:2] == found[2:]
    assert found[0] < found[1]


def test_burn_ins_are_shared_and_change_nothing(study):
    """Points that start from the same city in the same replicate share its burn-in; the rows are as without sharing."""
    city = study().small.replace({"initial.kind": "burn_in", "initial.months": 24})
    from sim.scenario.studies import pinned

    base = pinned(city)
    points = [{SHARE: share} for share in (0.0, 0.5, 1.0)]
    with Runs() as store:
        frame = store.points(base, points, ["arrivals", "spent_cny", "living_end"], replicates=2, seed=1)
    for number, values in enumerate(points):
        for replicate in range(2):
            tables = sim.simulate(base.replace(values), seed=1, replicate=replicate)
            row = frame[(frame["point"] == number) & (frame["replicate"] == replicate)].iloc[0]
            assert row["living_end"] == (~tables["entrepreneurs"]["event"]).sum()
            assert row["spent_cny"] == pytest.approx(tables["ledger"]["paid_cny"].sum())


def test_a_plan_makes_its_points_when_they_are_asked_for(study):
    """A study of two million points costs nothing before its first run."""
    text = STUDY.replace(f"{{path: {PLACES}, values: [1, 2, 4]}}", "{path: arrivals.per_year, range: [10, 100]}")
    text = text.replace("{kind: grid}", "{kind: latin_hypercube, points: 200_000}").replace(
        "values: [0.0, 0.5]", "range: [0, 1]"
    )
    plan = Plan(study(text))
    order = plan.order(0, 123_456, 2)
    assert plan.size == 200_000
    assert 10 <= order.values["arrivals.per_year"] <= 100
    assert sum(bool(name) for name in plan._ids[0]) == 1
