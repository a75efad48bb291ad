"""Reach, conversion, time to stage, stays, occupancy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.statistics.funnel import NEVER, crowding, first_entered, first_reached, funnel, occupancy, passages, sojourns
from sim.statistics.lifetable import life_table

CHAIN = ("village", "maker_space", "incubator")


def moves(*rows):
    table = pd.DataFrame(rows, columns=["uid", "month", "to_stage", "reason"])
    return table.assign(replicate=0)


def people(arrivals, durations=None, events=None, replicate=0):
    n = len(arrivals)
    return pd.DataFrame(
        {
            "replicate": replicate,
            "uid": np.arange(n) + 1,
            "initial": False,
            "attempt": 0,
            "arrival_month": arrivals,
            "duration_months": durations,
            "event": events,
        }
    )


def test_skipping_a_stage_reaches_it_without_entering():
    """From the village straight to the incubator: the maker space is reached, not entered."""
    log = moves((1, 3, "village", "arrived"), (1, 5, "incubator", "admitted"), (1, 8, "outside", "tenancy_ended"))
    np.testing.assert_array_equal(first_entered(people([3]), log, CHAIN).T, [[NEVER, NEVER, 3]])
    np.testing.assert_array_equal(first_reached(people([3]), log, CHAIN).T, [[0, 3, 3]])


def test_reaching_a_far_stage_reaches_all_before_it():
    """A jump over two stages reaches both, at the same time."""
    chain = (*CHAIN, "accelerator")
    log = moves((1, 5, "accelerator", "admitted"))
    np.testing.assert_array_equal(first_reached(people([3]), log, chain).T, [[0, 3, 3, 3]])


def test_a_move_in_the_first_month_takes_one_month():
    """Moves are made at the end of a month of trade, and only the first one into a stage counts."""
    log = moves((1, 3, "maker_space", "admitted"), (1, 9, "incubator", "admitted"), (1, 12, "maker_space", "fell_back"))
    np.testing.assert_array_equal(first_entered(people([3]), log, CHAIN).T, [[NEVER, 1, 7]])


def test_people_are_matched_by_replicate_and_uid_in_any_order():
    """The same uid in two replicates is two people; strangers in the log are ignored."""
    both = pd.concat([people([0], replicate=0), people([0], replicate=1)]).iloc[::-1]
    log = moves((1, 4, "maker_space", "admitted"), (7, 4, "maker_space", "admitted"))
    log = pd.concat([log, log.assign(replicate=1, month=9)])
    np.testing.assert_array_equal(first_entered(both, log, CHAIN)[1], [10, 5])


def test_people_of_the_last_century_are_matched_by_replicate_as_well():
    """Identities are negative before the year 2000, and still those of one replicate."""
    both = pd.concat([people([0], replicate=r).assign(uid=-549999830) for r in range(3)])
    log = moves((-549999830, 4, "maker_space", "admitted"))
    log = pd.concat([log.assign(replicate=r, month=4 + r) for r in range(3)])
    np.testing.assert_array_equal(first_entered(both, log, CHAIN)[1], [5, 6, 7])


def test_no_people_and_no_moves():
    """Empty tables give empty answers."""
    log = moves((1, 4, "maker_space", "admitted"))
    assert first_reached(people([]), log, CHAIN).shape == (3, 0)
    assert (first_entered(people([0]), log.iloc[:0], CHAIN) == NEVER).all()
    assert sojourns(people([]), log, CHAIN, months=9).empty


def test_time_to_stage_corrects_for_those_who_had_no_time():
    """Late cohorts seen for a year do not shorten the way: the estimate is that of the full cohort."""
    rng = np.random.default_rng(4)
    n = 100_000
    to, out = rng.geometric(0.04, n), rng.geometric(0.02, n)
    window = rng.integers(12, 61, n)  # months each can be seen
    first = np.minimum(np.minimum(to, out), window)
    there = (to == first) & (to <= out)
    left = (out == first) & ~there
    # life goes on after the stage, but only the way there is looked at
    durations = np.where(there, np.minimum(out, window), first)
    events = np.where(there, out <= window, left)
    durations = np.maximum(durations, first)
    never = np.full(n, NEVER)
    ways = passages(life_table(durations, events), np.stack([np.where(there, to, NEVER), never]), durations, events)
    assert ways[1].median is None
    way = ways[0]
    ages = np.arange(1, 61)
    truth = np.cumsum(0.04 * (0.96 * 0.98) ** (ages - 1))
    np.testing.assert_allclose(way.share[:60], truth, atol=0.02)
    assert way.median == np.argmax(truth >= truth[-1] / 2) + 1
    assert way.mean == pytest.approx((np.diff(truth, prepend=0) @ ages) / truth[-1], abs=0.5)
    assert to[there].mean() < way.mean - 0.5


def test_without_censoring_reach_by_age_is_a_plain_share():
    """Everybody seen to his end: the incidence is the share that got there by that age."""
    durations, to = np.array([10, 10, 4, 20]), np.array([[3, NEVER, NEVER, 8]])
    events = np.ones(4, bool)
    (way,) = passages(life_table(durations, events), to, durations, events)
    np.testing.assert_allclose(way.share[[1, 2, 6, 7, 19]], [0, 0.25, 0.25, 0.5, 0.5])
    assert (way.median, way.mean) == (3, pytest.approx(5.5))


def test_nobody_on_the_way_is_null():
    """A stage that nobody reaches takes no time."""
    (way,) = passages(life_table([3, 4], [True, False]), np.zeros((1, 0), int), [], [])
    assert (way.median, way.mean) == (None, None)
    np.testing.assert_array_equal(way.share, 0)


def test_stays_by_hand():
    """Arrival opens a stay at the start of a month, moves at its end; the run's end censors."""
    log = moves(
        (1, 0, "village", "arrived"),
        (1, 2, "maker_space", "admitted"),
        (1, 6, None, "quit"),
        (2, 5, "village", "arrived"),
        (2, 9, "maker_space", "admitted"),
    )
    found = sojourns(people([0, 5]), log, CHAIN, months=10)
    stays = list(zip(found["stage"].astype(str), found["months"], found["event"], strict=True))
    assert stays == [("village", 3, True), ("maker_space", 4, True), ("village", 5, True)]


def test_stays_of_a_life_add_up_to_its_length(tables, stages):
    """Months in all stages together are the months that the newcomers traded."""
    table = tables["entrepreneurs"]
    new = table[~table["initial"] & (table["attempt"] == 0)]
    found = sojourns(table, tables["transitions"], stages, months=72)
    assert found["months"].sum() == new["duration_months"].sum()


def test_reach_falls_along_the_chain(tables, stages):
    """Reached never rises along the chain, is at least entered, and is the highest stage's tail."""
    table = funnel(tables, months=72, stages=stages)
    new = tables["entrepreneurs"]
    new = new[~new["initial"] & (new["attempt"] == 0)]
    assert (np.diff(table["reached"]) <= 0).all()
    assert (table["reached"] >= table["entered"]).all()
    assert (table["reached"] > table["entered"]).any()
    expected = [new["highest_stage"].isin(stages[k:]).sum() for k in range(len(stages))]
    assert table["reached"].tolist() == expected
    np.testing.assert_allclose(table["conversion"].prod(), table["reached_share"].iloc[-1])
    assert (table["by_12m"] <= table["by_36m"]).all()


def test_a_funnel_beyond_the_run_is_null(make, stages):
    """A two-year run knows reach by 12 months and not by 36."""
    table = funnel(make(200, 24), months=24, stages=stages)
    assert table["by_12m"].notna().all()
    assert table["by_36m"].isna().all()


def test_an_empty_funnel_is_null(make, stages):
    """Without newcomers there are no shares."""
    tables = make(50, 24)
    nobody = {name: t.iloc[:0] if name in ("entrepreneurs", "transitions") else t for name, t in tables.items()}
    table = funnel(nobody, months=24, stages=stages)
    assert (table["reached"] == 0).all()
    assert table[["reached_share", "conversion", "by_12m", "months_median", "sojourn_median"]].isna().all(axis=None)


def test_occupancy_is_living_over_places(tables, stages):
    """Utilisation where places are limited, null where the stage is open or has none; means are over the last year."""
    table, months = occupancy(tables["months"], stages), tables["months"]
    assert set(table["stage"]) == set(stages)
    limited = table["places"] > 0
    np.testing.assert_allclose(table["utilisation"][limited], table["living"][limited] / table["places"][limited])
    assert table["utilisation"][~limited].isna().all()
    full, queue = crowding(months, stages)
    last = months[(months["month"] >= 60) & (months["stage"] == "incubator")]
    assert full["incubator"].value == pytest.approx(last["living"].mean() / 10)
    assert queue["incubator"].value == pytest.approx(last["waiting"].mean())
    assert (full["village"].value, full["village"].reason) == (None, "village is open to all")
    assert "no places" in full["accelerator"].reason
