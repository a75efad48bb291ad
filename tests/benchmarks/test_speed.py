"""How fast the engines are, beside plain Mesa in the same run: `pytest tests/benchmarks --benchmark-only`.

Each benchmark reports nanoseconds per living entrepreneur and month in its extra info.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.entrepreneurs.behaviour import Behaviour
from sim.entrepreneurs.columns import COLUMNS, Columns, identity
from sim.entrepreneurs.kernel import House, live
from sim.entrepreneurs.rules import Constants
from sim.statistics.lifetable import life_table
from sim.statistics.summary import outcomes

_spec = importlib.util.spec_from_file_location("plain_mesa", Path(__file__).with_name("plain_mesa.py"))
plain_mesa = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(plain_mesa)

MARKET = (0.0, 0.0, 0.0)


def city(founders: int) -> tuple[Columns, np.ndarray, np.ndarray]:
    """A city that only lives: founders, constants, houses."""
    people, rng = Columns(5, founders), np.random.default_rng(1)
    people.append(
        {
            "uid": identity(291, np.arange(founders)),
            "level": rng.normal(8, 1, founders),
            "potential": rng.normal(9.5, 1, founders),
            "belief": rng.normal(10, 1, founders),
            "cash": np.full(founders, 3e6),
            "reservation": np.full(founders, 1600.0),
            "house": rng.integers(0, 200, founders),
        }
    )
    houses = np.zeros((len(House._fields), 240))
    houses[House._fields.index("rent")] = 1500.0
    return people, Constants.of(Behaviour(), 1e6).packed(), houses


def scenario(**changes: object) -> sim.Scenario:
    """A small chain with about a thousand founders over ten years."""
    from sim.chain.stage import Stage
    from sim.entrepreneurs.arrivals import Arrivals
    from sim.policy.rent_relief import Instrument as Relief
    from sim.policy.stipend import Instrument as Stipend
    from sim.policy.training import Instrument as Training

    chain = (
        Stage(id="village", facilities=2, crowding=0.3),
        Stage(id="maker_space", facilities=1, places=20, threshold=3e5, max_age=36, tenancy=12, uplift=0.05),
        Stage(id="incubator", facilities=1, places=40, threshold=1e6, max_age=36, tenancy=36, uplift=0.05),
        Stage(id="accelerator", facilities=1, places=10, threshold=3e6, growth=0.2, tenancy=36, falls_back=True),
        Stage(id="park", facilities=1, places=20, threshold=1e7, falls_back=True),
    )
    policy = (Stipend(id="stipend"), Relief(id="rent", share={"maker_space": 0.5}), Training(id="training"))
    return sim.Scenario(**{"chain": chain, "policy": policy, "arrivals": Arrivals(per_year=100.0), **changes})


def months(model: object, count: int) -> int:
    """Step a model; returns the founder-months lived."""
    lived = 0
    for _ in range(count):
        model.step()
        lived += model.people.size if isinstance(model, sim.Pipeline) else len(model.agents)
    return lived


def test_kernel(benchmark: object) -> None:
    """A month of the rulebook costs tens of nanoseconds a founder on one thread."""
    people, constants, houses = city(100_000)
    key = iter(range(300, 10**6))
    benchmark.pedantic(lambda: live(people, constants, houses, MARKET, (1, 2, next(key))), rounds=10, warmup_rounds=1)
    if benchmark.enabled:
        benchmark.extra_info["ns_per_founder_month"] = round(benchmark.stats["min"] / people.size * 1e9, 1)
    assert people.age[0] > 0


def test_memory() -> None:
    """The state of a founder takes less than a quarter of a kilobyte."""
    assert sum(np.dtype(f.dtype).itemsize for f in COLUMNS.values()) + 2 * 6 < 256


def test_small_run(benchmark: object) -> None:
    """A thousand founders over ten years, from scenario to tables."""
    chosen = scenario()
    tables = benchmark.pedantic(lambda: sim.simulate(chosen), rounds=10, warmup_rounds=1)
    assert 900 < len(tables["entrepreneurs"]) < 1300


def test_life_table(benchmark: object) -> None:
    """Counting by age, a million lives are one pass."""
    rng = np.random.default_rng(1)
    lives = rng.integers(1, 120, 10**6).astype(np.int16), rng.random(10**6) < 0.5
    table = benchmark.pedantic(lambda: life_table(*lives), rounds=5, warmup_rounds=1)
    assert int(table.events.sum()) == int(lives[1].sum())


def test_outcomes(benchmark: object) -> None:
    """All outcomes of a small run, as a sweep wants them thousands of times."""
    chosen = scenario()
    tables, stages = sim.simulate(chosen), tuple(s.id for s in chosen.chain)
    found = benchmark.pedantic(lambda: outcomes(tables, months=120, stages=stages), rounds=10, warmup_rounds=1)
    assert found["arrivals"].value == len(tables["entrepreneurs"].query("attempt == 0"))


def test_objects(benchmark: object) -> None:
    """The Mesa agents of the same model, a year of a thousand founders."""
    chosen = scenario(engine="objects")
    model = sim.Pipeline(chosen)
    months(model, 12)
    lived = benchmark.pedantic(lambda: months(model, 3), rounds=3)
    if benchmark.enabled:
        benchmark.extra_info["ns_per_founder_month"] = round(benchmark.stats["min"] / lived * 1e9)
    assert lived > 0


def test_plain_mesa(benchmark: object) -> None:
    """Plain Mesa agents with the month written out: what a modeller writes first."""
    model = plain_mesa.PlainPipeline(1000, 20)
    lived = benchmark.pedantic(lambda: months(model, 6), rounds=3)
    if benchmark.enabled:
        benchmark.extra_info["ns_per_founder_month"] = round(benchmark.stats["min"] / lived * 1e9)
    assert lived > 0


@pytest.mark.long
def test_the_kernel_is_at_least_ten_times_as_fast_as_plain_mesa() -> None:
    """Measured in turns in the same run: the median ratio of the whole month, policy and chain included."""
    chosen = scenario()
    ratios = []
    for _ in range(3):
        ours, theirs = sim.Pipeline(chosen.replace({"arrivals.per_year": 200000.0})), plain_mesa.PlainPipeline(1000, 20)
        months(ours, 12)
        cost = []
        for model, count in ((ours, 12), (theirs, 6)):
            began = time.process_time()
            lived = months(model, count)
            cost.append((time.process_time() - began) / lived)
        ratios.append(cost[1] / cost[0])
    print(f"plain Mesa / columns: {sorted(ratios)[1]:.0f}")
    assert sorted(ratios)[1] > 10
