"""What `sim run` prints of the money."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import sim
from sim.presentation.money import money
from sim.statistics.fiscal import DISCOUNT, per_unit

CLASSROOM = Path(__file__).parents[2] / "scenarios" / "classroom.yaml"


@pytest.fixture(scope="module")
def result() -> sim.Result:
    scenario = sim.load(CLASSROOM).replace({"policy.training.budget": 20_000})
    return sim.run(scenario, replicates=2)


def printed(result: sim.Result, lang: str) -> str:
    console = Console(file=io.StringIO(), width=120)
    for part in money(result, lang):
        console.print(part)
    return console.file.getvalue()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_planned_stands_beside_disbursed(result, lang):
    """An instrument with a budget shows what was planned, over all years, and which share of it was paid."""
    budgets = result.budgets()
    mine = budgets[budgets["instrument"] == "training"]
    planned, paid = mine["planned_cny"].sum(), mine["paid_cny"].sum()
    assert planned == 20_000 * len(mine)
    row = next(line for line in printed(result, lang).splitlines() if f"{100 * paid / planned:.0f} %" in line)
    assert f"{paid:,.0f}" in row or f"{paid / 10_000:.2f}" in row


def test_unit_costs_are_means_over_replicates(result):
    """Both rates, each the mean of what `per_unit` finds in each replicate."""
    both = result.unit_costs()
    for rate in (0.0, DISCOUNT):
        each = []
        for replicate in range(2):
            tables = {name: result.table(name, replicate) for name in ("entrepreneurs", "months", "ledger")}
            each.append(per_unit(tables, months=60, discount=rate)["value"].to_numpy())
        assert both.loc[both["discount"] == rate, "value"].to_numpy() == pytest.approx(np.mean(each, axis=0))
    at_rate = result.unit_costs(DISCOUNT)
    assert at_rate["value"].to_list() == both.loc[both["discount"] == DISCOUNT, "value"].to_list()


def test_a_price_over_the_first_arrivals_alone_is_not_shown(result):
    """Of a run of 60 months only its first month can reach 60 months: the price of such a survivor is left out."""
    assert "36 months" in printed(result, "en")
    assert "60 months" not in printed(result, "en")


def test_without_policy_nothing_is_printed():
    """A city that pays nothing has no table of payments."""
    scenario = sim.load(CLASSROOM).replace({"policy": None, "horizon.months": 3})
    assert list(money(sim.run(scenario, replicates=1), "zh")) == []


def test_a_fund_is_told_to_pay_through_others():
    """A fund's row is what it covers was paid, with a word that this is not to be added; without a fund no word."""
    purse = {"id": "purse", "type": "fund", "covers": ["training"], "budget": 20_000}
    found = sim.run(sim.load(CLASSROOM, {"policy": [purse], "horizon.months": 12}), replicates=1)
    by = found.budgets().groupby("instrument")[["claimed_cny", "paid_cny"]].sum()
    assert by.loc["purse", "paid_cny"] == by.loc["training", "paid_cny"] > 0
    assert by.loc["purse", "claimed_cny"] == by.loc["training", "claimed_cny"]
    assert "A fund shows" in printed(found, "en")
    assert "专项资金一行" in printed(found, "zh")


def test_without_a_fund_nothing_is_said_of_one(result):
    assert "A fund shows" not in printed(result, "en")
