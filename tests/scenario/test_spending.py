"""Planner's arithmetic: budgets that are gone at once or cannot be used, and spending beyond the fund."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.evidence import ledger
from sim.scenario import load
from sim.scenario.messages import in_language
from sim.scenario.spending import PUBLISHED_FUND, city, monthly

SMALL = (Path(__file__).parent / "small.yaml").read_text()
SHIPPED = Path(__file__).parents[2] / "scenarios"
LONG = "horizon: {months: 120}\n"


def found(write, text: str):
    scenario = load(write(text))
    return {p.path: p for p in (*scenario.warnings, *scenario.notes)}


def test_the_city_is_who_comes_and_stays():
    """30,000 a year of whom three in four stay make 120,000; they fill the chain, and the rest are in the villages."""
    scenario = load(SHIPPED / "yiwu.yaml")
    here = city(scenario)
    assert sum(here.tenants.values()) == pytest.approx(here.arrivals / (1 - here.retention))
    assert here.tenants["incubator"] == 43 * 40
    assert here.rent["incubator"] == 1500
    assert sum(here.shares[e] for e in ("secondary", "associate", "bachelor", "master", "phd")) == pytest.approx(1)
    assert {"graduate", "livestream"} <= here.shares.keys()
    whole = city(load(SHIPPED / "city.yaml"))
    assert sum(whole.tenants.values()) == pytest.approx(637_700)


def test_nobody_takes_more_places_than_there_are_people(write):
    """A chain too large for a city stays partly empty, and an empty city has no more people than have come."""
    text = f"{SMALL}arrivals: {{per_year: 10}}\nhorizon: {{months: 12}}\n"
    here = city(load(write(text)))
    assert here.tenants == {"village": 0, "incubator": pytest.approx(10)}


def test_the_stipend_is_the_ledgers_to_a_tenth():
    """The estimate of the base scenario's stipend is about what 20 replicates paid: 131 million a year."""
    scenario = load(SHIPPED / "yiwu.yaml")
    stipend = next(i for i in scenario.policy if i.id == "living_stipend")
    assert 12 * monthly(stipend, city(scenario)) == pytest.approx(131e6, rel=0.1)


@pytest.mark.parametrize("key", ["budget", "budget_total"])
def test_a_budget_that_is_gone_in_a_month_is_told(write, key):
    """From one month's need down, with what it would take; who gives a reason gets a note."""
    text = f"{SMALL}  - {{id: s, type: stipend, {key}: %s}}\n{LONG}"
    scenario = load(write(text % 1))
    need = monthly(scenario.policy[-1], city(scenario))
    for holds, told in [(round(need) - 1, True), (round(need) + 1, False)]:
        assert (f"policy.s.{key}" in found(write, text % holds)) is told
    warning = found(write, text % 1_000_000)[f"policy.s.{key}"]
    assert (warning.severity, warning.key, warning.line) == ("warning", "spent_at_once", 10)
    assert "1 million CNY is gone within the first month" in warning.message
    assert f"{need / 1e6:.3g} million CNY a month" in warning.message
    assert "100 万元 第一个月就会用完" in in_language(warning, "zh").message
    reasoned = found(write, text % "{value: 1_000_000, assumed: a pilot}")[f"policy.s.{key}"]
    assert (reasoned.severity, reasoned.key) == ("note", "spent_at_once")


def test_a_budget_in_ten_thousands_is_guessed(write):
    """12,500 where 125 million a year are needed is probably in 万."""
    warning = found(write, f"{SMALL}  - {{id: s, type: stipend, budget: 12_500}}\n{LONG}")["policy.s.budget"]
    assert "write 125000000" in warning.message
    assert "是否以万为单位？那么请写 125000000" in in_language(warning, "zh").message


def test_a_budget_that_cannot_be_used_is_told(write):
    """Less than a twentieth of it can be asked for; over the months in which the instrument acts."""
    text = f"{SMALL}  - {{id: t, type: training, %s}}\n{LONG}"
    scenario = load(write(text % "seats: 75"))
    yearly = 12 * monthly(scenario.policy[-1], city(scenario))
    for line, holds, told in [
        ("budget: %d", 21 * yearly, True),
        ("budget: %d", 19 * yearly, False),
        ("budget_total: %d", 210 * yearly, True),
        ("budget_total: %d", 190 * yearly, False),
        ("budget_total: %d, until: 2025-03", 21 * yearly, True),
    ]:
        keys = [p.key for p in found(write, text % (line % holds)).values()]
        assert keys == (["hardly_used"] if told else []), line


def test_a_fund_that_does_not_reach_is_told(write):
    """Both numbers: what it pays for, each within its own budget, and what it holds."""
    text = f"{SMALL}  - {{id: s, type: stipend%s}}\n  - {{id: f, type: fund, covers: [s, rent]%s}}\n{LONG}"
    warning = found(write, text % ("", ""))["policy.f.budget"]
    assert (warning.severity, warning.key, warning.line) == ("warning", "beyond_fund", 11)
    assert "s, rent would take about" in warning.message
    assert "holds 120 million CNY" in warning.message
    assert found(write, text % (", budget: 100_000_000", "")) == {}
    assert found(write, text % ("", ", budget: 200_000_000")) == {}
    assert found(write, text % ("", ", budget: {value: 100_000_000, assumed: x}"))["policy.f.budget"].severity == "note"
    assert found(write, text % ("", ", budget: 1_000_000"))["policy.f.budget"].key in ("implausible", "spent_at_once")


def test_stipends_beyond_the_published_fund_are_told(write):
    """Both numbers, where no fund of the scenario pays: a little beyond is a note, far beyond a warning."""
    published = ledger.value(PUBLISHED_FUND, "CNY/year")
    text = f"{SMALL}  - {{id: s, type: stipend, eligible_share: {{value: %s, assumed: x}}%s}}\n{LONG}"
    assert found(write, text % (0.29, "")) == {}
    note, warning = (found(write, text % (share, ""))["policy.s"] for share in (0.31, 0.6))
    assert (note.severity, warning.severity) == ("note", "warning")
    assert f"{published / 1e6:.0f} million CNY (d_special_fund_2024" in warning.message
    assert "1.2 亿元（d_special_fund_2024" in in_language(warning, "zh").message
    assert found(write, text % (0.6, ", budget: 110_000_000")) == {}
    assert found(write, text % (0.6, ", since: 2090-01")).keys() == {"policy.s.since"}
    pool = (text % (0.6, "")).replace(
        LONG, "  - {id: f, type: fund, covers: [s], budget: null, budget_total: 9e9}\n" + LONG
    )
    assert "policy.s" not in found(write, pool)


def test_rents_are_not_held_against_the_fund(write):
    """What tenants rent is known after a run only; courses are paid in kind."""
    text = SMALL.replace("{incubator: 0.5}", "{incubator: 1, village: 1}")
    assert found(write, f"{text}  - {{id: t, type: training, cost_per_seat: 9_000}}\n{LONG}").keys() <= {
        "policy.t.cost_per_seat"
    }


@pytest.mark.parametrize("name", ["yiwu.yaml", "city.yaml", "reform_double_rent_relief.yaml"])
def test_what_the_city_pays_today_is_a_note(name):
    """The base pays a little more in stipends than the published fund holds: said by `sim check`, no warning."""
    scenario = load(SHIPPED / name)
    assert scenario.warnings == ()
    assert [p.key for p in scenario.notes] == ["beyond_published"]
