"""The flow from stage to stage: nobody is lost on the way, and nobody is counted who does not count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.statistics.columns import counted
from sim.statistics.funnel import flow
from sim.tables import ARRIVED, EXIT_REASONS, STILL_THERE


@pytest.mark.parametrize("seed", range(4))
def test_what_goes_in_comes_out(make, seed):
    """Of every place as many leave, or are still there, as have come; all that arrive end somewhere, exactly."""
    moves = flow(make(n=400, seed=seed))
    into, out = (moves.groupby(side)["moves"].sum() for side in ("target", "source"))
    places = set(into.index) - {STILL_THERE, *EXIT_REASONS}
    assert places == set(out.index) - {ARRIVED}
    assert all(into[place] == out[place] for place in places)
    assert out[ARRIVED] == into.reindex([STILL_THERE, *EXIT_REASONS]).fillna(0).sum()


def test_ends_are_those_of_the_people(make, stages):
    """Who is still there and who left for which reason are counted as in the table of people, which is not read so."""
    tables = make(n=600, seed=9)
    people = tables["entrepreneurs"]
    new = people[counted(people, "newcomers")]
    moves = flow(tables).set_index(["source", "target"])["moves"]
    still = new.loc[~new["event"], "stage"].value_counts()
    for stage in stages:
        assert moves.get((stage, STILL_THERE), 0) == still.get(stage, 0)
    for reason in EXIT_REASONS:
        assert moves.groupby("target").sum().get(reason, 0) == (new["exit_reason"] == reason).sum()
    assert moves[ARRIVED].sum() == len(new)


def test_second_shops_and_the_initial_stock_are_left_out(make):
    """Only newcomers' first shops flow: without anybody else in the tables nothing changes."""
    tables = make(n=300, seed=3)
    people = tables["entrepreneurs"]
    only = people[counted(people, "newcomers")]
    keys = set(zip(only["replicate"], only["uid"], strict=True))
    log = tables["transitions"]
    mine = log[[key in keys for key in zip(log["replicate"], log["uid"], strict=True)]]
    pd.testing.assert_frame_equal(flow(tables), flow({"entrepreneurs": only, "transitions": mine}))


def test_coming_back_counts_twice():
    """Who leaves a stage, and returns to it, goes through it twice; the sums still hold."""
    people = pd.DataFrame(
        {"replicate": 0, "uid": [1], "initial": False, "attempt": 0, "event": [False], "stage": ["incubator"]}
    )
    rows = [
        (None, "village", "arrived"), ("village", "incubator", "admitted"), ("incubator", "outside", "tenancy_ended"),
        ("outside", "incubator", "admitted"),
    ]  # fmt: skip
    log = pd.DataFrame(rows, columns=["from_stage", "to_stage", "reason"]).assign(replicate=0, uid=1)
    found = flow({"entrepreneurs": people, "transitions": log}).set_index(["source", "target"])["moves"]
    assert found["outside", "incubator"] == found["incubator", "outside"] == found["incubator", STILL_THERE] == 1
    assert found.groupby("target").sum()["incubator"] == 2


def test_nobody_gives_nothing(make):
    """Without newcomers there is no row, and the types are as always."""
    tables = {name: table.iloc[:0] for name, table in make(n=20).items()}
    found = flow(tables)
    assert found.empty
    assert found["moves"].dtype == np.int64
