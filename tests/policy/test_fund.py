"""A special fund: the limit on what several instruments spend together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim.errors import ScenarioError
from sim.policy import fund, training
from sim.policy.ledger import Ledger
from sim.scenario import load
from sim.scenario.schema import Horizon

PAYS_NOTHING = True
EXAMPLE: dict[str, Any] = {"covers": ("lever",), "budget": 1000.0}


def course(id: str, **more: Any) -> training.Instrument:
    """About a thousand people a month at 100 CNY each."""
    return training.Instrument(**{"id": id, "courses": 40_000, "take_up": 0.5, "cost_per_seat": 100.0, **more})


def paid(ledger: Ledger, by: str = "instrument") -> dict[Any, int]:
    """CNY paid, by a column of the books."""
    sums = pd.DataFrame(ledger.entries()).groupby(by)["paid"].sum()
    return {key: int(fen) // 100 for key, fen in sums.items()}


def held(town: Any, now: Any, *policy: Any, months: int = 1) -> Ledger:
    """The books after some months in the town."""
    people, ledger = town(*policy), Ledger(policy)
    people.age[:] = 5
    for month in range(months):
        for instrument in policy:
            instrument.act(people, now(month), ledger)
    return ledger


def test_what_it_covers_spends_no_more_together(town: Any, now: Any) -> None:
    """First come, first served in the scenario's order, each within its own budget too; others are not touched."""
    purse = fund.Instrument(id="fund", covers=("a", "b"), budget=70_000.0)
    policy = (course("a", budget=50_000.0), course("b"), course("c"))
    free = paid(held(town, now, *policy))
    ledger = held(town, now, *policy, purse)
    assert paid(ledger) == {"a": 50_000, "b": 20_000, "c": free["c"]}
    assert free["b"] > 70_000
    refused = pd.DataFrame(ledger.entries()).groupby("instrument")["refused_fen"].sum()
    assert refused["b"] == 100 * (free["b"] - 20_000)


def test_a_new_year_brings_a_new_fund(town: Any, now: Any) -> None:
    """The yearly fund is spent in each calendar year; one for the whole run is spent once."""
    yearly = held(town, now, course("a"), fund.Instrument(id="fund", covers=("a",), budget=300_000.0), months=21)
    in_all = fund.Instrument(id="fund", covers=("a",), budget=None, budget_total=300_000.0)
    assert paid(yearly) == {"a": 600_000}
    assert paid(held(town, now, course("a"), in_all, months=21)) == {"a": 300_000}


@pytest.mark.parametrize("off", [{"active": False}, {"budget": None}, {"budget": 1e12}, {"covers": ("nobody",)}])
def test_a_fund_without_limit_changes_no_bit(off: dict[str, Any], small: Any, tables: Any, assert_same: Any) -> None:
    """Inactive, unlimited, ample or for others only, a fund leaves every life and every payment as they are."""
    policy = small().policy
    purse = fund.Instrument(**{"id": "fund", "covers": tuple(i.id for i in policy), "budget": 0.0, **off})
    stages = tuple(s.id for s in small().chain)
    assert_same(tables(small()), tables(small(policy=(*policy, purse))), stages)


def test_an_empty_fund_is_no_policy(small: Any, tables: Any) -> None:
    """Whatever a fund without money covers pays nothing at all."""
    policy = small().policy
    purse = fund.Instrument(id="fund", covers=tuple(i.id for i in policy), budget=0.0)
    ledger = tables(small(policy=(*policy, purse)))["ledger"]
    assert ledger["paid_cny"].sum() == 0
    assert ledger["refused"].sum() > 0


def test_to_cover_twice_is_to_cover() -> None:
    """An id that is named twice counts once, and so does its money; a list is as good as a tuple."""
    assert fund.Instrument(id="fund", covers=["a", "b", "a"]).covers == ("a", "b")
    with pytest.raises(ValueError, match="at least 1"):
        fund.Instrument(id="fund", covers=[])


def test_it_limits_from_its_first_to_its_last_month(town: Any, now: Any) -> None:
    """Before `since` and after `until` what it covers spends as if there were no fund, and does not use it up."""
    purse = fund.Instrument(id="fund", covers=("a",), budget=1000.0, since="2024-06", until="2024-07")
    free = paid(held(town, now, course("a"), months=6), "month")
    assert paid(held(town, now, course("a"), purse, months=6), "month") == {**free, 2: 1000, 3: 0}


def scenario_file(folder: Path, covers: str) -> Path:
    """A scenario with training and a fund."""
    file = folder / "city.yaml"
    file.write_text(
        "schema: 1\n"
        "horizon: {start: 2024-04, months: 12}\n"
        "chain: [{id: village, facilities: 2}]\n"
        "policy:\n"
        "  - {id: courses, type: training}\n"
        f"  - {{id: purse, type: fund, covers: {covers}}}\n",
        encoding="utf-8",
    )
    return file


def test_a_scenario_file_says_what_it_covers(tmp_path: Path, tables: Any) -> None:
    """`covers` is a list of ids in YAML, stays so when the scenario is written out, and holds in a run."""
    scenario = load(scenario_file(tmp_path, "[courses]"))
    purse = scenario.policy[1]
    assert isinstance(purse, fund.Instrument)
    assert purse.covers == ("courses",)
    assert purse.budget == 120_000_000
    (again := tmp_path / "again.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    assert load(again).policy == scenario.policy
    poor = scenario.replace({"policy.purse.budget": 900.0, "horizon.months": 9, "arrivals.per_year": 3000.0})
    assert poor.horizon == Horizon(months=9)
    assert tables(poor)["ledger"]["paid_cny"].sum() == 900


def test_it_covers_what_there_is(tmp_path: Path) -> None:
    """An id that is no instrument of the policy is an error at its place, with the nearest name."""
    with pytest.raises(ScenarioError, match=r'city\.yaml:6:\d+ policy\.purse\.covers\.0: .*"coarses".*courses'):
        load(scenario_file(tmp_path, "[coarses]"))
