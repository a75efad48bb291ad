"""Survival tables of a run."""

from __future__ import annotations

import lifelines
import numpy as np
import pandas as pd
import pytest

from sim.statistics.survival import causes, cohort_table, compare, hazard, landmark_survival, survival
from sim.tables import columns


def newcomers(people):
    return people[~people["initial"] & (people["attempt"] == 0)]


def expected(durations, events, ages):
    fitted = lifelines.KaplanMeierFitter().fit(durations, events).survival_function_
    return fitted.reindex(np.union1d(fitted.index, ages)).ffill().loc[ages].to_numpy()[:, 0]


def test_cohorts_are_those_of_lifelines_one_by_one(tables):
    """Each monthly cohort's curve in the vectorised table is the one that lifelines fits to that cohort alone."""
    people, table = tables["entrepreneurs"], cohort_table(tables["entrepreneurs"])
    assert tuple(table.columns) == tuple(c.name for c in columns("cohorts"))
    seen = 0
    for cohort, members in newcomers(people).groupby("cohort", observed=True):
        mine = table[(table["cohort"] == cohort) & (table["group"] == "all")]
        theirs = expected(members["duration_months"], members["event"], mine["age_months"])
        np.testing.assert_allclose(mine["survival"], theirs, atol=1e-12)
        assert mine["at_risk"].iloc[0] == len(members)
        assert mine["events"].sum() == members["event"].sum()
        seen += len(mine)
    assert seen == ((table["group"] == "all") & (table["cohort"] != "all")).sum()


@pytest.mark.parametrize("by", ["education", "origin", "channel", "highest_stage"])
def test_groups_of_the_cohort_table_are_those_of_lifelines(tables, by):
    """Curves by attribute are there for all cohorts together, one for each value that occurs."""
    people, table = newcomers(tables["entrepreneurs"]), cohort_table(tables["entrepreneurs"])
    for value, members in people.groupby(by, observed=True):
        mine = table[table["group"] == f"{by}={value}"]
        assert (mine["cohort"] == "all").all()
        theirs = expected(members["duration_months"], members["event"], mine["age_months"])
        np.testing.assert_allclose(mine["survival"], theirs, atol=1e-12)
    groups = set(table["group"].astype(str).unique())
    assert {g for g in groups if g.startswith(by)} == {f"{by}={v}" for v in people[by].astype(str).unique()}


def test_the_sum_of_the_cohorts_is_the_whole(tables):
    """At each age, risk sets and exits of the cohorts add up to those of all."""
    table = cohort_table(tables["entrepreneurs"])
    everyone = table[table["group"] == "all"]
    whole = everyone[everyone["cohort"] == "all"].set_index("age_months")[["at_risk", "events"]]
    parts = everyone[everyone["cohort"] != "all"].groupby("age_months")[["at_risk", "events"]].sum()
    pd.testing.assert_frame_equal(whole, parts, check_names=False)


def test_a_table_without_newcomers_has_no_cohorts(tables):
    """An empty city gives an empty table with the right columns."""
    table = cohort_table(tables["entrepreneurs"].iloc[:0])
    assert table.empty
    assert tuple(table.columns) == tuple(c.name for c in columns("cohorts"))


def test_restarts_and_the_initial_stock_are_not_newcomers(tables):
    """Survival is of newcomers; with everybody, the initial stock joins at the age at which it was first seen."""
    people = tables["entrepreneurs"]
    assert survival(people)["at_risk"].iloc[0] == len(newcomers(people))
    everyone = survival(people, who="everybody").set_index("age_months")["at_risk"]
    for age in (1, 10, 30):
        seen = (people["entry_age_months"] < age) & (people["duration_months"] >= age)
        assert everyone[age] == seen.sum()


def test_text_columns_group_as_categories_do(tables):
    """Plain text and categories give the same curves."""
    people = tables["entrepreneurs"]
    plain = people.assign(education=people["education"].astype(object))
    one, other = (
        survival(p, "education").sort_values(["group", "age_months"], key=lambda c: c.astype(str))
        for p in (people, plain)
    )
    assert (one["group"].astype(str).to_numpy() == other["group"].astype(str).to_numpy()).all()
    np.testing.assert_array_equal(one["survival"], other["survival"])


def test_grouping_by_what_came_later_carries_a_caution(tables):
    """Curves by highest stage say that they suffer immortal-time bias; curves by education have nothing to say."""
    assert "immortal" in survival(tables["entrepreneurs"], "highest_stage").attrs["caution"]["en"]
    assert "caution" not in survival(tables["entrepreneurs"], "education").attrs


def test_landmark_groups_by_what_was_known_at_the_landmark(tables, stages):
    """Who moves up after the landmark stays in the group he had then, and those gone by then are in none."""
    people, moves = tables["entrepreneurs"], tables["transitions"]
    table = landmark_survival(people, moves, stages, landmark=12)
    assert table["age_months"].min() == 13
    starters = newcomers(people)
    starters = starters[starters["duration_months"] > 12]
    highest = {}
    for uid, arrival in zip(starters["uid"], starters["arrival_month"], strict=True):
        mine = moves[(moves["uid"] == uid) & (moves["month"] - arrival + 1 <= 12) & moves["to_stage"].notna()]
        reached = [
            stages.index(s) for s, why in zip(mine["to_stage"], mine["reason"], strict=True) if why == "admitted"
        ]
        highest[uid] = max(reached, default=0)
    at_first = table[table["age_months"] == 13].set_index("group")["at_risk"]
    for k, stage in enumerate(stages):
        assert at_first.get(f"stage_at_12m={stage}", 0) == sum(h == k for h in highest.values())
        members = starters[starters["uid"].map(highest) == k]
        mine = table[table["group"] == f"stage_at_12m={stage}"]
        theirs = expected(members["duration_months"], members["event"], mine["age_months"])
        np.testing.assert_allclose(mine["survival"], theirs, atol=1e-12)


def test_landmark_survival_is_free_of_immortal_time(make):
    """Where moving up does nothing, the final stage seems to save lives and the stage at the landmark does not."""
    tables = make(20_000, 72, seed=3)
    people, moves = tables["entrepreneurs"], tables["transitions"]
    stages = ("village", "maker_space", "incubator", "accelerator", "park")

    def at_30(table):
        return table[table["age_months"] == 30].set_index("group")["survival"]

    late, early = at_30(survival(people, "highest_stage")), at_30(landmark_survival(people, moves, stages, landmark=12))
    assert late["highest_stage=incubator"] - late["highest_stage=village"] > 0.3
    assert abs(early["stage_at_12m=incubator"] - early["stage_at_12m=village"]) < 0.04


def test_causes_and_survival_add_to_one(tables):
    """At each age everybody is alive or has left for one of the reasons."""
    people = tables["entrepreneurs"]
    left = causes(people).groupby("age_months")["incidence"].sum()
    alive = survival(people).set_index("age_months")["survival"]
    np.testing.assert_allclose(left + alive, 1, atol=1e-12)
    assert causes(people)["events"].sum() == newcomers(people)["event"].sum()


@pytest.mark.parametrize("width", [1, 12, 50])
def test_hazard_counts_each_person_month_once(tables, width):
    """Person-months of all bands add up to all months traded, whatever the width."""
    table = hazard(tables["entrepreneurs"], width=width)
    assert table["person_months"].sum() == newcomers(tables["entrepreneurs"])["duration_months"].sum()
    assert table["events"].sum() == newcomers(tables["entrepreneurs"])["event"].sum()
    np.testing.assert_allclose(table["hazard"], table["events"] / table["person_months"])


def test_compare_finds_the_difference_that_is_there(make):
    """The log-rank test sees a group whose exits came in half the time, and sees nothing between like groups."""
    people = make(20_000, 72, seed=5)["entrepreneurs"]
    assert compare(people, "education").p_value > 0.01
    short = (people["education"] == "phd") & people["event"]
    halved = people.assign(
        duration_months=np.where(short, (people["duration_months"] + 1) // 2, people["duration_months"])
    )
    assert compare(halved, "education").p_value < 1e-6
