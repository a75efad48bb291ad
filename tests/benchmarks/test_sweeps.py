"""What a sweep costs beside its runs: `pytest tests/benchmarks --benchmark-only`, with `-m long` for two workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import sim
from sim import simulation
from sim.experiments import points
from sim.scenario.studies import SweepStudy, load_study

CITY = """\
schema: 1
horizon: {months: 120}
arrivals: {per_year: 100}
chain:
  - {id: village, facilities: 2, crowding: 0.3}
  - {id: maker_space, facilities: 1, places: 20, threshold: 300_000, max_age: 36, tenancy: 12, uplift: 0.05}
  - {id: incubator, facilities: 1, places: 40, threshold: 1_000_000, max_age: 36, tenancy: 36, uplift: 0.05}
  - {id: accelerator, facilities: 1, places: 10, threshold: 3_000_000, growth: 0.2, tenancy: 36, falls_back: true}
  - {id: park, facilities: 1, places: 20, threshold: 10_000_000, falls_back: true}
policy:
  - {id: stipend, type: stipend}
  - {id: rent, type: rent_relief, share: {maker_space: 0.5}}
  - {id: training, type: training}
"""
"""The scenario of `test_speed`: about a thousand founders over ten years."""

STUDY = """\
schema: 1
kind: sweep
scenario: city.yaml
levers: [{path: chain.incubator.places, values: [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]}]
design: {kind: grid}
"""


@pytest.fixture
def study(tmp_path: Path) -> Callable[[int], SweepStudy]:
    """Ten points, all outcomes, so many replicates."""
    (tmp_path / "city.yaml").write_text(CITY)
    (tmp_path / "study.yaml").write_text(STUDY)
    return lambda replicates: load_study(tmp_path / "study.yaml", {"replicates": replicates}, only=SweepStudy)


def test_runs_with_storage(benchmark: object, study: Callable, tmp_path: Path) -> None:
    """Runs of a thousand founders over ten years, from study to Parquet, in this process."""
    folders = (tmp_path / str(number) for number in range(10**6))
    count = 3 if benchmark.enabled else 1
    found = benchmark.pedantic(lambda: sim.sweep(study(count), next(folders)), rounds=2, warmup_rounds=1)
    assert len(found.runs) == 10 * count
    if benchmark.enabled:
        benchmark.extra_info["runs_per_second"] = round(10 * count / benchmark.stats["min"], 1)


@pytest.mark.long
@pytest.mark.parametrize("jobs", [1, 2])
def test_workers(benchmark: object, study: Callable, tmp_path: Path, jobs: int) -> None:
    """The same with one worker and with two, started included: compare their runs per second."""
    folders = (tmp_path / str(number) for number in range(10**6))
    count = 80 if benchmark.enabled else 1
    found = benchmark.pedantic(lambda: sim.sweep(study(count), next(folders), jobs=jobs), rounds=1)
    assert len(found.runs) == 10 * count
    if benchmark.enabled:
        benchmark.extra_info["runs_per_second"] = round(10 * count / benchmark.stats["min"], 1)


@pytest.mark.long
def test_the_engine_is_the_cost(study: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, batches, rows and parts take less than a tenth of the time of the runs, within the same seconds."""
    engine = 0.0

    def watched(work: Callable) -> Callable:
        def timed(*args: object, **how: object) -> object:
            nonlocal engine
            began = time.process_time()
            try:
                return work(*args, **how)
            finally:
                engine += time.process_time() - began

        return timed

    monkeypatch.setattr(simulation, "records", watched(simulation.records))
    monkeypatch.setattr(points, "measure", watched(points.measure))
    asked = study(16)
    sim.sweep(asked, tmp_path / "first")
    shares = []
    for turn in range(3):
        engine, began = 0.0, time.process_time()
        sim.sweep(asked, tmp_path / str(turn))
        shares.append((time.process_time() - began) / engine - 1)
    print(f"the plumbing takes {100 * sorted(shares)[1]:.1f} % of the runs")
    assert 0 < sorted(shares)[1] < 0.10
