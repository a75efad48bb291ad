"""What the city pays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.statistics.fiscal import per_survivor, spending, spent, unit_costs


def people(**columns):
    n = len(columns["arrival_month"])
    frame = pd.DataFrame({"initial": [False] * n, "attempt": [0] * n, "employees": [0] * n})
    return frame.assign(**columns)


@pytest.mark.parametrize("by", ["instrument", "year", "stage", "education"])
def test_every_breakdown_adds_up_to_what_was_spent(tables, by):
    """By whatever it is split, nothing is lost, discounted or not."""
    ledger = tables["ledger"]
    for discount in (0.0, 0.05):
        split = spending(ledger, by, discount=discount)
        assert split["paid_cny"].sum() == pytest.approx(spent(ledger, discount=discount))
        assert split["recipients"].sum() == ledger["recipients"].sum()
    own = ledger[by] if by != "year" else ledger["month"] // 12 + 1
    expected = ledger.groupby(own, observed=True)["paid_cny"].sum()
    found = spending(ledger, by).set_index(by)["paid_cny"]
    np.testing.assert_allclose(found[expected.index.tolist()], expected)


def test_spending_is_exact_to_the_fen_in_any_order(tables):
    """The total is a sum of whole fen, so it does not depend on the order of the rows."""
    ledger = pd.DataFrame({"paid_cny": [0.1] * 10, "month": 0})
    assert spent(ledger) == 1.0
    assert spent(tables["ledger"].sample(frac=1, random_state=1)) == spent(tables["ledger"])


def test_a_later_payment_is_worth_less():
    """At 5 % a year, 105 CNY after twelve months are worth 100 now."""
    ledger = pd.DataFrame({"paid_cny": [105.0], "month": [12], "recipients": [1]})
    assert spent(ledger, discount=0.05) == pytest.approx(100)
    assert spending(ledger, discount=0.05)["paid_cny"].item() == pytest.approx(100)


def test_an_empty_ledger_is_zero(tables):
    """No policy costs nothing, and has nothing to split."""
    empty = tables["ledger"].iloc[:0]
    assert spent(empty) == 0
    assert spending(empty, "year").empty
    assert spending(empty)["paid_cny"].item() == 0


def test_a_survivors_price_includes_those_who_did_not_survive():
    """All money of those who could have reached the age, over those who did; late arrivals and others stay out."""
    table = people(
        arrival_month=[0, 0, 10, 30, 0, 0],
        duration_months=[60, 12, 50, 30, 36, 60],
        event=[False, True, False, False, True, False],
        received_cny=[100.0, 40.0, 60.0, 7.0, 25.0, 1000.0],
        attempt=[0, 0, 0, 0, 0, 1],
    )
    # survivors are rows 0 and 2; row 4 left at the end of month 36; row 3 came too late; row 5 is a restart
    assert per_survivor(table, 36, months=60).value == (100 + 40 + 60 + 25) / 2


def test_who_is_exactly_of_age_when_the_run_ends_survived():
    """Censored at 36 months after the last possible arrival is alive at 36 months."""
    table = people(arrival_month=[24], duration_months=[36], event=[False], received_cny=[9.0])
    assert per_survivor(table, 36, months=60).value == 9.0


@pytest.mark.parametrize(
    ("months", "arrival", "duration", "reason"),
    [(24, 0, 24, "24 months long"), (60, 40, 20, "nobody arrived 36"), (60, 0, 5, "nobody survived")],
)
def test_without_survivors_the_price_is_null(months, arrival, duration, reason):
    """A short run, no early cohort, or no survivor: a reason, never infinity."""
    gone = duration < months - arrival
    table = people(arrival_month=[arrival], duration_months=[duration], event=[gone], received_cny=[9.0])
    found = per_survivor(table, 36, months=months)
    assert found.value is None
    assert reason in found.reason


def test_unit_costs_by_hand():
    """Per arrival, survivor and job (owners and staff who are there at the end)."""
    table = people(
        arrival_month=[0, 0],
        duration_months=[60, 12],
        event=[False, True],
        received_cny=[90.0, 30.0],
        employees=[2, 5],
    )
    found = unit_costs(table, months=60).set_index("per")["value"]
    assert found.to_dict() == {"arrival": 60, "survivor_36m": 120, "survivor_60m": 120, "job": 40}
