"""The same people under two policies, person by person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.statistics.fiscal import spent
from sim.statistics.summary import outcomes
from sim.statistics.twins import CLASSES, GROUPINGS, counts, differing, graduation, stakes, twins

SCENARIO = Path(__file__).parents[2] / "scenarios" / "classroom.yaml"
SUMS = ["n", "saved", "lost", "unchanged_alive", "unchanged_closed", "net", "months_gained"]
CHAIN = ("village", "incubator", "park")
HORIZON = 48


def lives(durations, *, sales=None, received=None, highest=None, education="bachelor", moves=()):
    """Five newcomers (the last arrives in month 20), one restart and one who was there before; null: alive at the end.

    `moves` are (person, month, stage).
    """
    arrival = np.array([0, 0, 0, 0, 20, 5, -7])
    event = np.array([d is not None for d in durations] + [True, False])
    duration = np.where(event, [d or 0 for d in durations] + [3, 0], HORIZON - arrival)
    n = len(arrival)
    people = pd.DataFrame(
        {
            "replicate": np.zeros(n, np.int16),
            "uid": [10, 20, 30, 40, 50, 41, 5],
            "cohort": pd.Categorical(["2024-04"] * 4 + ["2025-12", "2024-09", "2023-09"]),
            "attempt": [0, 0, 0, 0, 0, 1, 0],
            "initial": [False] * 6 + [True],
            "education": education,
            "origin": "graduate",
            "channel": ["domestic", "livestream", "domestic", "domestic", "livestream", "domestic", "domestic"],
            "arrival_month": arrival.astype(np.int16),
            "duration_months": duration.astype(np.int16),
            "event": event,
            "highest_stage": [*(highest or ["village"] * 5), "village", "village"],
            "sales_12m_cny": [*(sales or [100.0] * 5), 7e6, 7e6],
            "received_cny": [*(received or [0.0] * 5), 9e6, 9e6],
        }
    )
    transitions = pd.DataFrame(
        {
            "replicate": np.zeros(len(moves), np.int16),
            "uid": people["uid"].to_numpy()[[m[0] for m in moves]] if moves else np.zeros(0, np.int64),
            "month": np.array([m[1] for m in moves], np.int16),
            "to_stage": pd.Categorical([m[2] for m in moves], categories=[*CHAIN, "outside"]),
        }
    )
    return {"entrepreneurs": people, "transitions": transitions}


def match(base, reform, months=HORIZON, stages=CHAIN):
    return twins(base, reform, months=months, stages=stages)


@pytest.fixture(scope="module")
def real():
    """Two policies on the classroom's people, of which each is better for some: tables of both, horizon and chain."""
    scenario = sim.load(SCENARIO)
    stipend = "policy.living_stipend.amount"
    reform = scenario.replace(
        {"chain.incubator.places": 30, f"{stipend}.bachelor": 0.0, f"{stipend}.associate": 20000.0}
    )
    how = {"months": scenario.horizon.months, "stages": tuple(s.id for s in scenario.chain)}
    return sim.simulate(scenario), sim.simulate(reform), how


def test_who_is_saved_and_who_is_lost_by_hand():
    """Alive at an age is who left after it; late arrivals count only at the end of the horizon."""
    base = match(lives([36, 37, 12, None, 4]), lives([37, 36, 20, 40, None]))
    assert [CLASSES[c] for c in base.classes(36)[:4]] == ["saved", "lost", "unchanged_closed", "unchanged_alive"]
    assert base.classes(36)[4] == -1
    assert base.classes(28)[4] == CLASSES.index("saved")
    assert [CLASSES[c] for c in base.classes(None)] == ["unchanged_closed"] * 3 + ["lost", "saved"]
    table = counts(base).query("grouping == 'all'").set_index("at")
    assert table.loc["36m", SUMS].tolist() == [4, 1, 1, 1, 1, 0, 1 - 1 + 8 - 8]
    assert table.loc["end", SUMS].tolist() == [5, 1, 1, 0, 3, 0, 1 - 1 + 8 - 8 + 24]
    assert table.loc["60m", SUMS].tolist() == [0] * 7
    assert table["months_gained_mean"].isna().tolist() == [False, True, False]
    assert table.loc["end", "months_gained_mean"] == 24 / 5


def test_sales_of_the_closed_are_zero():
    """Sales gained at the end: what the saved sell, less what the lost sold, and what the others sell more."""
    base = lives([9, None, None, 3, 4], sales=[1.0, 10.0, 100.0, 1000.0, 1.0])
    reform = lives([None, 9, None, 8, 4], sales=[2.0, 20.0, 300.0, 4000.0, 1.0])
    table = counts(match(base, reform)).set_index(["at", "group"])["sales_gained_cny"]
    assert table["end", "all"] == 2 - 10 + 200
    assert table["end", "livestream"] == -10


def test_people_are_grouped_by_their_base_life():
    """A channel or a stage that the reform changes does not move anybody to another group."""
    base = lives([9, 9, 9, 9, 9], highest=["village", "park", "village", "incubator", "village"])
    reform = lives([None] * 5, highest=["park"] * 5)
    reform["entrepreneurs"]["channel"] = "livestream"
    table = counts(match(base, reform)).query("at == 'end'").set_index(["grouping", "group"])["saved"]
    assert table["channel"].to_dict() == {"domestic": 3, "livestream": 2}
    assert table["base_highest_stage"].to_dict() == {"village": 3, "incubator": 1, "park": 1}
    assert table["cohort_year"].to_dict() == {"2024": 4, "2025": 1}


def test_graduation_by_hand():
    """Earlier, later, only here, only there: in months traded, for the stage or any later one."""
    base = lives([None] * 5, moves=[(0, 9, "incubator"), (1, 9, "incubator"), (2, 9, "incubator"), (3, 30, "park")])
    reform = lives([None] * 5, moves=[(0, 4, "incubator"), (1, 12, "incubator"), (3, 30, "incubator"), (4, 30, "park")])
    found = graduation(match(base, reform)).set_index("stage")
    assert found.loc["incubator"].to_dict() == {
        "replicate": 0, "n": 5, "earlier": 1, "later": 1, "same": 1, "gained": 1, "forgone": 1, "neither": 0,
        "months_earlier": (5 - 3 + 0) / 3,
    }  # fmt: skip
    park = found.loc["park"]
    assert (park["gained"], park["forgone"], park["neither"]) == (1, 1, 3)
    assert np.isnan(park["months_earlier"])


def test_the_people_whose_lives_differ_by_hand():
    """Those who close in another month or come further, with what happened to them; nobody else."""
    base = lives([12, None, 9, None, None])
    reform = lives([None, 40, 9, None, 5], highest=["village", "village", "park", "village", "village"])
    found = differing(match(base, reform))
    assert found["uid"].tolist() == [10, 20, 30, 50]
    assert found["base_exit_month"].tolist() == [11, pd.NA, 8, pd.NA]
    assert found["reform_exit_month"].tolist() == [pd.NA, 39, 8, 24]
    assert found["months_gained"].tolist() == [36, -8, 0, -23]
    assert found["class_36m"].astype(object).tolist()[:3] == ["saved", "unchanged_alive", "unchanged_closed"]
    assert found["class_36m"].isna().tolist() == [False, False, False, True]
    assert found["reform_highest_stage"].tolist()[2] == "park"


def test_stakes_are_of_the_same_people():
    """Survivors and what is received are of newcomers who arrived in time; the ledger is of everybody."""
    base = lives([12, None, 9, None, None], received=[0.1, 0.2, 4.0, 8.0, 16.0])
    reform = lives([None, None, 9, None, None], received=[10.0, 0.2, 4.0, 8.0, 32.0])
    books = [pd.DataFrame({"paid_cny": [x]}) for x in (1.5, 2.5)]
    row = stakes(match(base, reform), *books, ages=(36,)).iloc[0]
    assert (row["people"], row["base_survivors"], row["reform_survivors"]) == (4, 2, 3)
    assert (row["base_received_cny"], row["reform_received_cny"]) == (12.3, 22.2)
    assert (row["base_ledger_cny"], row["reform_ledger_cny"]) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda p: p.iloc[1:], "1 only in the base run, 0 only under the reform"),
        (lambda p: p.assign(uid=p["uid"] + (p["uid"] == 50)), "uid 50"),
        (lambda p: p.assign(education="phd"), "5 newcomers differ in education, uid 10 is the first"),
        (lambda p: p.assign(origin="local"), "differ in origin"),
        (lambda p: p.assign(cohort="2024-05"), "differ in cohort"),
        (lambda p: p.assign(replicate=1), "one replicate"),
        (lambda p: p.assign(highest_stage="moon"), "'moon' is not one of village"),
        (lambda p: p.assign(event=False), "48 months"),
    ],
)
def test_strangers_are_no_twins(change, what):
    """Other people, other attributes, another replicate, chain or horizon: a ValueError that says which."""
    base, reform = lives([9] * 5), lives([9] * 5)
    reform["entrepreneurs"] = change(reform["entrepreneurs"])
    with pytest.raises(ValueError, match=what):
        match(base, reform)


def test_restarts_and_the_initial_stock_have_no_twins():
    """They may exist, or live longer, under one policy only."""
    base, reform = lives([9] * 5), lives([9] * 5)
    reform["entrepreneurs"] = reform["entrepreneurs"].iloc[:5]
    assert differing(match(base, reform)).empty


def test_counts_agree_with_a_plain_join(make, stages):
    """Made-up lives, joined by uid and grouped by pandas, give the same table."""
    base = make(600)
    people = base["entrepreneurs"]
    rng = np.random.default_rng(5)
    cut = rng.random(len(people)) < 0.3
    shorter = np.maximum(people["duration_months"] - rng.integers(1, 30, len(people)), 1).where(
        cut, people["duration_months"]
    )
    changed = people.assign(
        event=people["event"] | cut,
        duration_months=shorter,
        sales_12m_cny=people["sales_12m_cny"] * rng.lognormal(0, 0.3, len(people)),
    )
    pairs = match(base, base | {"entrepreneurs": changed.sample(frac=1, random_state=1)}, 72, stages)
    new = ~people["initial"] & (people["attempt"] == 0)
    both = people[new].merge(changed, on="uid", suffixes=("", "_r"))
    both["year"] = both["cohort"].astype(str).str[:4]
    found = counts(pairs)
    for at, age in (("36m", 36), ("60m", 60), ("end", None)):
        some = both if age is None else both[both["arrival_month"] <= 72 - age]
        before = ~(some["event"] & (some["duration_months"] <= (age or 1000)))
        after = ~(some["event_r"] & (some["duration_months_r"] <= (age or 1000)))
        gained = some["sales_12m_cny_r"].where(~some["event_r"], 0) - some["sales_12m_cny"].where(~some["event"], 0)
        plain = pd.DataFrame(
            {
                "n": 1,
                "saved": after & ~before,
                "lost": before & ~after,
                "unchanged_alive": before & after,
                "unchanged_closed": ~before & ~after,
                "net": after.astype(int) - before.astype(int),
                "months_gained": some["duration_months_r"].astype(int) - some["duration_months"],
                "sales": gained,
            }
        )
        assert plain["lost"].sum() > 5 or age == 60
        columns = {"education": "education", "channel": "channel", "year": "cohort_year", "origin": "origin"}
        for column, grouping in {**columns, "highest_stage": "base_highest_stage"}.items():
            expected = plain.groupby(some[column].astype(str)).sum()
            got = found[(found["at"] == at) & (found["grouping"] == grouping)].set_index("group").loc[expected.index]
            assert (got[SUMS] == expected[SUMS]).all().all()
            np.testing.assert_allclose(got["sales_gained_cny"], expected["sales"], atol=1e-6)


def test_counts_add_up_over_every_grouping(real):
    """Each grouping of each age holds everybody once: its groups add up to `all`."""
    base, reform, how = real
    table = counts(twins(base, reform, **how))
    sums = table.groupby(["at", "grouping"])[[*SUMS, "sales_gained_cny"]].sum()
    for at in ("36m", "60m", "end"):
        for grouping in GROUPINGS:
            assert (sums.loc[(at, grouping), SUMS] == sums.loc[(at, "all"), SUMS]).all()
            assert sums.loc[(at, grouping), "sales_gained_cny"] == pytest.approx(sums.loc[(at, "all")].iloc[-1])
    assert (table["n"] == table[["saved", "lost", "unchanged_alive", "unchanged_closed"]].sum(axis=1)).all()


def test_a_run_against_itself_changes_nobody(real):
    """No person differs, all counts of change are 0, no money and no survivor is extra."""
    base, _, how = real
    pairs = twins(base, base, **how)
    table = counts(pairs)
    assert not table[["saved", "lost", "net", "months_gained", "sales_gained_cny"]].to_numpy().any()
    assert differing(pairs).empty
    moves = graduation(pairs)
    assert not moves[["earlier", "later", "gained", "forgone"]].to_numpy().any()
    assert (moves.loc[moves["same"] > 0, "months_earlier"] == 0).all()
    money = stakes(pairs, base["ledger"], base["ledger"])
    for what in ("survivors", "received_cny", "ledger_cny"):
        assert (money[f"base_{what}"] == money[f"reform_{what}"]).all()


def test_swapping_base_and_reform_changes_the_signs(real):
    """Saved and lost change places, and so do gained and forgone; all differences turn their sign."""
    base, reform, how = real
    one, other = twins(base, reform, **how), twins(reform, base, **how)
    keep = "grouping != 'base_highest_stage'"
    a, b = counts(one).query(keep), counts(other).query(keep)
    assert a["saved"].sum() > 0
    assert a["lost"].sum() > 0
    for this, that, sign in (("saved", "lost", 1), ("net", "net", -1), ("months_gained", "months_gained", -1)):
        assert (a[this].to_numpy() == sign * b[that].to_numpy()).all()
    np.testing.assert_allclose(a["sales_gained_cny"], -b["sales_gained_cny"])
    a, b = graduation(one), graduation(other)
    assert a["gained"].sum() > 0
    for this, that in (("earlier", "later"), ("gained", "forgone"), ("same", "same"), ("neither", "neither")):
        assert (a[this] == b[that]).all()
    np.testing.assert_allclose(a["months_earlier"], -b["months_earlier"])


def test_net_survivors_and_graduates_are_those_of_each_run(real):
    """Saved - lost, and gained - forgone, are what two separate analyses of the runs differ by."""
    base, reform, how = real
    pairs = twins(base, reform, **how)
    found = [outcomes(t, **how) for t in (base, reform)]
    net = counts(pairs).query("grouping == 'all'").set_index("at")["net"]
    assert net["end"] == found[1]["newcomers_living_end"].value - found[0]["newcomers_living_end"].value
    money = stakes(pairs, base["ledger"], reform["ledger"]).set_index("age_months")
    for age in (36, 60):
        row = money.loc[age]
        assert net[f"{age}m"] == row["reform_survivors"] - row["base_survivors"]
        price = row["reform_received_cny"] / row["reform_survivors"] if row["reform_survivors"] else None
        assert found[1][f"spent_per_survivor_{age}m_cny"].value == (price and pytest.approx(price))
    assert money["base_ledger_cny"].tolist() == [spent(base["ledger"])] * 2
    moves = graduation(pairs).set_index("stage")
    for stage in how["stages"][1:]:
        gain = found[1][f"reached_{stage}"].value - found[0][f"reached_{stage}"].value
        assert (moves["gained"] - moves["forgone"])[stage] == pytest.approx(gain * moves["n"][stage])


def test_the_differing_people_account_for_all_months_gained(real):
    """Who is not in the frame has gained and lost nothing; its classes are those of the counts."""
    base, reform, how = real
    pairs = twins(base, reform, **how)
    people, table = differing(pairs), counts(pairs).query("grouping == 'all'").set_index("at")
    assert people["months_gained"].astype(int).sum() == table["months_gained"]["end"]
    for kind in ("saved", "lost"):
        assert (people["class_36m"] == kind).sum() == table[kind]["36m"]
    assert people["uid"].is_monotonic_increasing


def test_order_of_rows_changes_nothing(real):
    """Twins are found by their uid, wherever they stand."""
    base, reform, how = real
    shuffled = {name: t.sample(frac=1, random_state=3) for name, t in reform.items()}
    one, other = twins(base, reform, **how), twins(base, shuffled, **how)
    pd.testing.assert_frame_equal(counts(one), counts(other))
    pd.testing.assert_frame_equal(graduation(one), graduation(other))
    pd.testing.assert_frame_equal(differing(one), differing(other))


def test_a_city_without_newcomers_has_empty_tables():
    """Nobody arrives: zeros and nulls, no error."""
    nobody = {name: t.iloc[:0] for name, t in lives([9] * 5).items()}
    pairs = match(nobody, nobody)
    table = counts(pairs)
    assert table[["at", "grouping", "n", "net"]].values.tolist() == [[at, "all", 0, 0] for at in ("36m", "60m", "end")]
    assert graduation(pairs)["n"].tolist() == [0, 0]
    assert differing(pairs).empty
