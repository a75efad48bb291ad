"""What the city pays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.statistics.fiscal import per_survivor, per_unit, planned, spending, spent, unit_costs


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


def city(arrivals, living, employees):
    """The `months` table, two stages that share everything equally."""
    month = np.arange(len(arrivals))
    half = {k: np.array(v) // 2 for k, v in {"arrivals": arrivals, "living": living, "employees": employees}.items()}
    return pd.concat([pd.DataFrame({"month": month, **half})] * 2)


def shops(arrival, duration, event):
    columns = {"arrival_month": arrival, "duration_months": duration, "event": event}
    return pd.DataFrame({name: np.array(v) for name, v in columns.items()})


def test_everything_per_unit_by_hand():
    """All money over all arrivals, all who pass an age in time, and all job-years."""
    tables = {
        "ledger": pd.DataFrame({"month": [0, 12], "paid_cny": [700.0, 140.0]}),
        "months": city([4, 0] + [0] * 46, [4] * 24 + [2] * 24, [2] * 48),
        # passing 36: the second, in the last month of the horizon, and the one who was there before (not the fourth,
        # who passed it earlier); the third leaves at the end of his 36th month; passing 60: the last two
        "entrepreneurs": shops([0, 12, 0, -50, -20], [9, 36, 36, 98, 68], [True, False, True, False, False]),
    }
    found = per_unit(tables, months=48).set_index("per")
    job_years = (24 * 4 + 24 * 2 + 48 * 2) / 12
    assert found["value"].to_dict() == {
        "arrival": 840 / 4, "survivor_36m": 840 / 2, "survivor_60m": 840 / 2, "job_year": 840 / job_years,
    }  # fmt: skip
    assert found["unit"].tolist() == ["CNY/person"] * 3 + ["CNY/job-year"]
    assert found["reason"].isna().all()


def test_money_and_effects_are_discounted_alike():
    """A payment and a survivor of the same month are worth the same part of themselves; a later survivor less."""
    tables = {
        "ledger": pd.DataFrame({"month": [47], "paid_cny": [100.0]}),
        "months": city([2] + [0] * 47, [0] * 47 + [2], [0] * 48),
        "entrepreneurs": shops([12], [36], [False]),
    }
    found = per_unit(tables, months=48, discount=0.05).set_index("per")["value"]
    assert found["survivor_36m"] == pytest.approx(100)
    assert found["job_year"] == pytest.approx(100 / (2 / 12))
    assert found["arrival"] == pytest.approx(100 / 2 * 1.05 ** (-47 / 12))


def test_who_never_passes_an_age_has_no_price():
    """An empty city has no unit that could cost anything: null with a reason, never infinity."""
    tables = {
        "ledger": pd.DataFrame({"month": [0], "paid_cny": [5.0]}),
        "months": city([0] * 12, [0] * 12, [0] * 12),
        "entrepreneurs": shops([], [], np.zeros(0, bool)),
    }
    found = per_unit(tables, months=12)
    assert found["value"].isna().all()
    assert found["reason"].tolist() == [
        "nobody arrived",
        "nobody passed 36 months of age within the horizon",
        "nobody passed 60 months of age within the horizon",
        "nobody ever traded",
    ]


def claims(**columns):
    return pd.DataFrame({"instrument": ["rent", "stipend", "rent", "rent"], "month": [0, 3, 8, 9], **columns})


def test_planned_against_disbursed_by_hand():
    """By calendar year: the budget, what was claimed, what was paid; a year's share of its budget."""
    ledger = claims(paid_cny=[10.0, 5.0, 0.0, 20.1], refused_cny=[0.0, 0.0, 7.2, 0.0])
    found = planned(ledger, {"rent": 40.0, "stipend": None}, "2024-04").set_index(["year", "instrument"])
    assert list(found.index) == [(2024, "rent"), (2024, "stipend"), (2025, "rent"), (2025, "stipend")]
    assert found.loc[(2024, "rent")].tolist() == [40, 17.2, 10, 0.25]
    assert found.loc[(2025, "rent")].tolist() == pytest.approx([40, 20.1, 20.1, 0.5025])
    assert found.loc[(2024, "stipend"), ["claimed_cny", "paid_cny"]].tolist() == [5, 5]
    assert found.loc[(slice(None), "stipend"), ["planned_cny", "share_disbursed"]].isna().all().all()


def test_nothing_was_refused_in_an_old_ledger():
    """A ledger without refused claims is read as one in which there were none."""
    found = planned(claims(paid_cny=[1.0] * 4), {"rent": 2.0}, "2024-01")
    assert (found["claimed_cny"] == found["paid_cny"]).all()
    assert found["instrument"].tolist() == ["rent", "stipend"]


def test_a_budget_that_nobody_claims_is_shown():
    """Money that was planned and never asked for has rows for all years of the horizon; no budget, no share."""
    nothing = claims(paid_cny=[1.0] * 4).iloc[:0]
    found = planned(nothing, {"rent": 9.0, "none": 0.0}, "2024-04", months=22)
    assert found["year"].tolist() == [2024, 2024, 2025, 2025, 2026, 2026]
    assert found["paid_cny"].tolist() == [0] * 6
    assert found["share_disbursed"].fillna(-1).tolist() == [0, -1] * 3


def test_all_payments_are_in_the_plan(tables):
    """What is paid by year and instrument adds up to what was spent."""
    found = planned(tables["ledger"], {"stipend": 1e6}, "2024-04")
    assert found["paid_cny"].sum() == pytest.approx(spent(tables["ledger"]))


@pytest.mark.parametrize(
    ("since", "until", "first_year", "second_year"),
    [(None, None, [17.2, 10], [20.1, 20.1]), ("2024-08", "2025-01", [7.2, 0], [20.1, 20.1]),
     (None, "2024-12", [17.2, 10], [0, 0]), ("2030-01", None, [0, 0], [0, 0])],
)  # fmt: skip
def test_a_fund_shows_what_it_covers(since, until, first_year, second_year):
    """Claims and payments of the covered while it is in force, on top of their own rows; one that is off, nothing."""
    ledger = claims(paid_cny=[10.0, 5.0, 0.0, 20.1], refused_cny=[0.0, 0.0, 7.2, 0.0])
    fund = {"id": "fund", "active": True, "covers": ("rent",), "since": since, "until": until}
    budgets = {"fund": 40.0, "rent": None, "stipend": None}
    for table in (ledger, ledger.astype({"instrument": "category", "month": "int16"})):
        found = planned(table, budgets, "2024-04", policy=[fund]).set_index(["year", "instrument"])
        money = found[["claimed_cny", "paid_cny"]]
        assert money.loc[(2024, "fund")].tolist() == pytest.approx(first_year)
        assert money.loc[(2025, "fund")].tolist() == pytest.approx(second_year)
        assert found["share_disbursed"][(2025, "fund")] == pytest.approx(second_year[1] / 40)
        own = found.drop("fund", level="instrument")
        off = planned(table, budgets, "2024-04", policy=[{**fund, "active": False}])
        pd.testing.assert_frame_equal(own, off[off["instrument"] != "fund"].set_index(["year", "instrument"]))
        assert off["paid_cny"].sum() == pytest.approx(spent(table))


def test_a_fund_of_which_nothing_is_claimed():
    """An empty ledger, of a run in which nobody was paid, has a row of zeros for the fund."""
    nothing = claims(paid_cny=[1.0] * 4).iloc[:0].astype({"instrument": "category"})
    fund = {"id": "fund", "active": True, "covers": ("rent",), "since": None, "until": None}
    found = planned(nothing, {"fund": 9.0}, "2024-04", policy=[fund])
    assert found[["claimed_cny", "paid_cny"]].to_numpy().tolist() == [[0, 0]]
