"""All outcomes of a run, and their means over replicates."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from sim.statistics.fiscal import spent
from sim.statistics.funnel import funnel
from sim.statistics.summary import Outcome, outcomes, summarise
from sim.statistics.survival import survival
from sim.tables import columns

STATED = """
survival_12m survival_36m survival_60m median_life_months rmst_60m reached_maker_space reached_incubator
reached_accelerator reached_park months_to_incubator living_end sales_mean_cny sales_median_cny sales_gini
sales_top1_share sales_top10_share sales_tail_exponent employees_total share_over_10m_cny occupancy_village
occupancy_maker_space occupancy_incubator occupancy_accelerator occupancy_park waiting_village waiting_maker_space
waiting_incubator waiting_accelerator waiting_park spent_cny spent_per_survivor_36m_cny
"""


def test_every_outcome_has_a_number_or_a_reason(tables, stages):
    """All promised names are there; each is a finite number without a reason, or null with one; each has a unit."""
    found = outcomes(tables, months=72, stages=stages)
    assert set(STATED.split()) <= set(found)
    for name, outcome in found.items():
        assert outcome.unit, name
        assert (outcome.value is None) == (outcome.reason is not None), name
        assert outcome.value is None or np.isfinite(outcome.value), name


def test_outcomes_agree_with_the_tables(tables, stages):
    """The summary's numbers are those of the survival and funnel tables and of the ledger."""
    found = {n: o.value for n, o in outcomes(tables, months=72, stages=stages).items()}
    people = tables["entrepreneurs"]
    curve = survival(people).set_index("age_months")["survival"]
    assert [found[f"survival_{a}m"] for a in (12, 36, 60)] == [pytest.approx(curve[a]) for a in (12, 36, 60)]
    assert found["median_life_months"] == (curve <= 0.5).idxmax()
    assert found["rmst_60m"] == pytest.approx(1 + curve.loc[:59].sum())
    reach = funnel(tables, months=72, stages=stages).set_index("stage")
    for stage in stages[1:]:
        assert found[f"reached_{stage}"] == pytest.approx(reach["reached_share"][stage])
        assert found[f"months_to_{stage}"] == reach["months_median"][stage]
    assert found["living_end"] == (~people["event"]).sum()
    assert found["spent_cny"] == spent(tables["ledger"])


def test_a_short_run_says_what_it_cannot_know(make, stages):
    """Survival at 60 months in a 36-month run is null with the reason, not 0."""
    found = outcomes(make(300, 36), months=36, stages=stages)
    assert found["survival_36m"].value is not None
    assert found["survival_60m"] == Outcome(
        None, "share", "the run is 36 months long: survival at 60 months cannot be known"
    )
    assert found["rmst_60m"].value is None
    assert "36 months long" in found["spent_per_survivor_60m_cny"].reason


def test_a_median_that_is_not_reached_is_null(tables, stages):
    """Where more than half still trade at the last age, there is no median life."""
    people = tables["entrepreneurs"]
    immortal = tables | {"entrepreneurs": people.assign(event=False)}
    found = outcomes(immortal, months=72, stages=stages)["median_life_months"]
    assert found.value is None
    assert "more than half" in found.reason


def test_a_city_without_people_has_no_infinities(make, stages):
    """Nobody arrives: counts are 0, everything else is null with a reason."""
    tables = make(50, 36)
    empty = {name: t if name == "months" else t.iloc[:0] for name, t in tables.items()}
    found = outcomes(empty, months=36, stages=stages)
    counts = {"arrivals", "living_end", "newcomers_living_end", "employees_total", "spent_cny"}
    for name, outcome in found.items():
        if name in counts:
            assert outcome.value == 0
        elif not name.startswith(("occupancy_", "waiting_")):
            assert outcome.value is None, name
            assert outcome.reason, name


def test_order_of_rows_changes_nothing(tables, stages):
    """Outcomes do not depend on the order in which people or moves are stored."""
    shuffled = {name: t.sample(frac=1, random_state=1) for name, t in tables.items()}
    one, other = (outcomes(t, months=72, stages=stages) for t in (tables, shuffled))
    for name, outcome in one.items():
        expected = other[name].value
        assert outcome.value == (None if expected is None else pytest.approx(expected, rel=1e-12)), name


def test_one_stage_is_a_chain(make):
    """A chain of one stage has nothing to reach."""
    found = outcomes(make(50, 24, stages=("village",)), months=24, stages=("village",))
    assert not [n for n in found if n.startswith(("reached_", "months_to_"))]
    assert found["occupancy_village"].reason == "village is open to all"


def test_the_mean_has_the_interval_of_student():
    """Mean, its t interval and the spread are those of scipy and numpy, and are two things."""
    values = np.random.default_rng(1).normal(5, 2, 12)
    row = summarise([{"x": Outcome(float(v), "months")} for v in values]).iloc[0]
    low, high = scipy.stats.t.interval(0.95, 11, values.mean(), scipy.stats.sem(values))
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert row["sd"] == pytest.approx(values.std(ddof=1))
    assert (row["p10"], row["p90"]) == tuple(pytest.approx(q) for q in np.quantile(values, (0.1, 0.9)))
    assert (row["n"], row["unit"], row["reason"]) == (12, "months", None)


def test_one_replicate_has_no_interval():
    """From one run nothing is known about other runs."""
    row = summarise([{"x": Outcome(3.0, "share")}]).iloc[0]
    assert (row["mean"], row["n"]) == (3.0, 1)
    assert row[["sd", "ci_low", "ci_high", "p10", "p90"]].isna().all()


def test_replicates_that_do_not_know_are_left_out_and_named():
    """n counts those that know; the reason tells how many do not, or why none does."""
    known, unknown = Outcome(1.0, "share"), Outcome.unknown("share", "nobody arrived")
    table = summarise([{"x": known, "y": unknown}, {"x": unknown, "y": unknown}, {"x": known, "y": unknown}])
    assert tuple(table.columns) == tuple(c.name for c in columns("summary"))
    x, y = table.iloc[0], table.iloc[1]
    assert (x["mean"], x["n"], x["reason"]) == (1.0, 2, "in 1 of 3 replicates: nobody arrived")
    assert (y["n"], y["reason"]) == (0, "nobody arrived")
    assert np.isnan(y["mean"])


def test_no_replicates_are_an_empty_summary():
    """Nothing in, nothing out, with the right columns."""
    assert tuple(summarise([]).columns) == tuple(c.name for c in columns("summary"))
