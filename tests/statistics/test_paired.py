"""Paired effects over replicates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import sim
from sim.statistics.outcome import Outcome
from sim.statistics.paired import effects, gains, student, variance_reduction
from sim.statistics.summary import outcomes
from sim.statistics.twins import counts, twins

SCENARIO = Path(__file__).parents[2] / "scenarios" / "classroom.yaml"


def runs(*values, name="x", unit="share"):
    """One outcome in each replicate; None, or a reason, is unknown."""

    def known(v):
        return Outcome(float(v), unit) if isinstance(v, float | int) else Outcome.unknown(unit, v or "nobody arrived")

    return [{name: known(v)} for v in values]


def paired(n, seed=1, rho=0.9):
    """Base and reform in n replicates, correlated."""
    rng = np.random.default_rng(seed)
    base, other = rng.normal(size=(2, n))
    return base + 5, rho * base + (1 - rho**2) ** 0.5 * other + 5.3


@pytest.fixture(scope="module")
def real():
    """Outcomes of four replicates of a small city under three policies; and the counts of the first two's twins."""
    base = sim.load(SCENARIO).replace({"horizon.months": 40})
    policies = [base, base.replace({"policy.living_stipend.eligible_share": 1.0})]
    policies.append(policies[1].replace({"chain.incubator.places": 30}))
    how = {"months": 40, "stages": tuple(s.id for s in base.chain)}
    found, tallies = [[], [], []], []
    for replicate in range(4):
        tables = [sim.simulate(p, replicate=replicate) for p in policies]
        for mine, t in zip(found, tables, strict=True):
            mine.append(outcomes(t, **how))
        tallies.append(counts(twins(tables[0], tables[1], **how)))
    return found, pd.concat(tallies, ignore_index=True)


def test_the_interval_is_that_of_a_paired_t_test():
    """Mean difference, interval, sd and standard error are scipy's of paired samples."""
    base, reform = paired(12)
    row = effects(runs(*base), runs(*reform)).iloc[0]
    test = scipy.stats.ttest_rel(reform, base)
    low, high = test.confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(low), pytest.approx(high))
    assert row["effect"] / row["se"] == pytest.approx(test.statistic)
    assert row["sd"] == pytest.approx((reform - base).std(ddof=1))
    assert (row["base"], row["reform"]) == (pytest.approx(base.mean()), pytest.approx(reform.mean()))
    assert (row["n"], row["unit"], row["reason"]) == (12, "share", None)
    assert effects(runs(*base), runs(*reform), level=0.5).iloc[0]["ci_low"] > row["ci_low"]


def test_direct_effect_and_displacement_add_up():
    """Effect = direct + displacement, each with the interval of its own differences."""
    base, reform = paired(8)
    held = reform + np.random.default_rng(2).normal(0.2, 0.3, 8)
    row = effects(runs(*base), runs(*reform), runs(*held)).iloc[0]
    assert row["direct"] + row["displacement"] == pytest.approx(row["effect"], rel=1e-12)
    for part, a, b in (("direct", base, held), ("displacement", held, reform)):
        low, high = scipy.stats.ttest_rel(b, a).confidence_interval(0.95)
        assert (row[f"{part}_low"], row[f"{part}_high"]) == (pytest.approx(low), pytest.approx(high))


def test_every_outcome_of_a_run_splits(real):
    """All outcomes of real runs: effect = direct + displacement wherever there is an effect."""
    (base, held, whole), _ = real
    frame = effects(base, whole, held)
    assert frame["outcome"].tolist() == list(base[0])
    known = frame.dropna(subset="effect")
    assert len(known) > 20
    np.testing.assert_allclose(known["direct"] + known["displacement"], known["effect"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(known["reform"] - known["base"], known["effect"], rtol=1e-9, atol=1e-9)
    unknown = frame[frame["effect"].isna()]
    assert unknown["reason"].notna().all()
    assert "survival_60m" in set(unknown["outcome"])


def test_a_policy_against_itself_has_no_effect(real):
    """All effects are 0, with intervals of length 0 and no variance factor, and it is said why."""
    (base, *_), _ = real
    frame = effects(base, base, base).dropna(subset="effect")
    parts = ["effect", "ci_low", "ci_high", "direct", "direct_high", "displacement", "displacement_low"]
    assert not frame[parts].to_numpy().any()
    assert frame["variance_reduction"].isna().all()
    full = frame[frame["n"] == 4]
    assert set(full["variance_reason"]) == {"no difference in any replicate"}


def test_swapping_base_and_reform_changes_the_signs(real):
    """The effect and its interval turn; what pairing saves does not."""
    (base, _, whole), _ = real
    one, other = effects(base, whole), effects(whole, base)
    for this, that in (("effect", "effect"), ("ci_low", "ci_high"), ("ci_high", "ci_low")):
        np.testing.assert_allclose(one[this], -other[that])
    for same in ("sd", "variance_reduction", "variance_reduction_low"):
        np.testing.assert_allclose(one[same], other[same])


def test_replicates_that_do_not_know_are_left_out_in_pairs():
    """A replicate counts if it knows the outcome under both policies; the reason says where it does not."""
    base, reform = runs(1, None, 3, 5), runs(2, 2, "nobody reached park", 9)
    row = effects(base, reform).iloc[0]
    assert (row["base"], row["reform"], row["effect"], row["n"]) == (3, 5.5, 2.5, 2)
    assert row["reason"] == "in 2 of 4 replicates: in the base run: nobody arrived"
    row = effects(runs(1, 2), runs("nobody reached park", None)).iloc[0]
    assert (row["n"], row["reason"]) == (0, "under the reform: nobody reached park")
    assert np.isnan(row["effect"])
    assert effects(runs(None), runs(None)).iloc[0]["reason"] == "nobody arrived"


def test_an_outcome_of_one_policy_only_is_kept_with_a_reason():
    """A stage that only the reform has brings outcomes that cannot be compared."""
    base = [{"x": Outcome(1.0, "share")}]
    reform = [{"x": Outcome(2.0, "share"), "y": Outcome(3.0, "months")}]
    frame = effects(base, reform).set_index("outcome")
    assert frame.loc["x", "effect"] == 1
    assert frame.loc["y", ["unit", "n", "reason"]].tolist() == [
        "months", 0, "in the base run: there is no such outcome",
    ]  # fmt: skip


def test_a_split_that_would_not_add_up_is_null():
    """Where the held run does not know one of the pairs there is an effect, but no split of it."""
    row = effects(runs(1, 2, 3), runs(2, 4, 6), runs(1, "nobody arrived", 4)).iloc[0]
    assert (row["effect"], row["n"]) == (2, 3)
    assert np.isnan(row["direct"])
    assert np.isnan(row["displacement"])
    assert row["split_reason"] == "with others held as in the base run: nobody arrived"


def test_replicates_must_come_in_pairs():
    """Three of one and two of the other are no pairs."""
    with pytest.raises(ValueError, match="3 and 2 replicates"):
        effects(runs(1, 2, 3), runs(1, 2))


def test_no_replicates_are_an_empty_table():
    """Nothing in, nothing out, with the columns."""
    frame = effects([], [])
    assert frame.empty
    assert {"outcome", "effect", "displacement_high", "variance_reduction", "reason"} <= set(frame)


def test_what_pairing_saves_is_the_ratio_of_variances():
    """The factor is (var base + var reform) / var difference, inside its own interval."""
    base, reform = paired(20)
    value, low, high = variance_reduction(base, reform)
    assert value == pytest.approx((base.var(ddof=1) + reform.var(ddof=1)) / (reform - base).var(ddof=1))
    assert low < value < high
    row = effects(runs(*base), runs(*reform)).iloc[0]
    assert row[["variance_reduction", "variance_reduction_low", "variance_reduction_high"]].tolist() == [
        value, low, high,
    ]  # fmt: skip


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.95])
def test_the_interval_of_what_pairing_saves_covers(rho):
    """For normal pairs of equal variance the true factor, 1 / (1 - rho), is inside 95 times of 100."""
    trials = [variance_reduction(*paired(6, seed, rho)) for seed in range(3000)]
    inside = np.mean([low <= 1 / (1 - rho) <= high for _, low, high in trials])
    assert inside == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize(
    ("base", "reform", "reason"),
    [
        ([1, 2], [3, 5], "fewer than 3 replicates"),
        ([1, 2, 3], [1, 2, 3], "no difference in any replicate"),
        ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], "the same difference in every replicate"),
    ],
)
def test_what_pairing_saves_may_be_unknown(base, reform, reason):
    """Too few replicates, or none that differs from the others: null with a reason, never infinity."""
    assert variance_reduction(base, reform) == reason
    row = effects(runs(*base), runs(*reform)).iloc[0]
    assert np.isnan(row["variance_reduction"])
    assert row["variance_reason"] == reason


def test_one_replicate_has_an_effect_without_an_interval():
    """From one pair nothing is known about other pairs."""
    row = effects(runs(1.0), runs(3.0)).iloc[0]
    assert row["effect"] == 2
    assert row[["ci_low", "ci_high", "sd", "se", "variance_reduction"]].isna().all()
    assert np.isnan(student([]).value)


def tally(replicate, n, net, months=0, group="phd"):
    return {
        "replicate": replicate, "at": "36m", "grouping": "education", "group": group, "n": n, "saved": max(net, 0) + 2,
        "lost": max(-net, 0) + 2, "net": net, "months_gained": months,
    }  # fmt: skip


def test_groups_of_one_size_have_the_plain_interval():
    """With as many people in each replicate it is Student's interval of the replicates' own rates."""
    nets, months = [3, -1, 4, 2], [30, 0, 50, 20]
    row = gains(pd.DataFrame([tally(r, 200, nets[r], months[r]) for r in range(4)])).iloc[0]
    for value, rates, names in (
        ("net_per_1000", np.array(nets) * 5, ("net_low", "net_high")),
        ("months_gained", np.array(months) / 200, ("months_low", "months_high")),
    ):
        low, high = scipy.stats.t.interval(0.95, 3, rates.mean(), scipy.stats.sem(rates))
        assert row[value] == pytest.approx(rates.mean())
        assert tuple(row[list(names)]) == (pytest.approx(low), pytest.approx(high))
    assert (row["n"], row["replicates"], row["reason"]) == (800, 4, None)
    assert row["saved_per_1000"] - row["lost_per_1000"] == pytest.approx(row["net_per_1000"])


def test_pooled_rates_are_over_all_people():
    """A replicate with more people counts for more, and one with nobody for nothing."""
    frame = gains(pd.DataFrame([tally(0, 100, 2, 10), tally(1, 300, 3, 90), tally(2, 0, 0)]))
    row = frame.iloc[0]
    assert (row["net_per_1000"], row["months_gained"]) == (pytest.approx(12.5), pytest.approx(0.25))
    assert (row["n"], row["replicates"]) == (400, 2)


def test_pooled_intervals_cover():
    """Groups of very different sizes in 20 replicates: the true rate is inside about 95 times of 100."""
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(600):
        n = rng.integers(5, 60, 20)
        row = gains(pd.DataFrame([tally(r, k, rng.binomial(k, 0.1)) for r, k in enumerate(n)])).iloc[0]
        inside.append(row["net_low"] <= 100 <= row["net_high"])
    assert np.mean(inside) == pytest.approx(0.945, abs=0.025)


def test_a_group_that_is_seen_once_or_never_differs_has_a_reason():
    """One replicate has no interval; no difference is said to be no difference."""
    table = [tally(0, 5, 1, group="park"), tally(0, 5, 0), tally(1, 7, 0), tally(0, 0, 0, group="none")]
    frame = gains(pd.DataFrame(table)).set_index("group")
    assert frame["reason"].to_dict() == {
        "park": "one replicate has no interval",
        "phd": "no difference in any replicate",
        "none": "nobody arrived early enough",
    }
    assert np.isnan(frame.loc["park", "net_low"])
    assert frame.loc["phd", ["net_per_1000", "net_low", "net_high"]].tolist() == [0, 0, 0]


def test_gains_agree_with_the_survivors_of_both_runs(real):
    """Net survivors over all people, and the months they gain, are what the counts of each replicate add up to."""
    _, table = real
    row = gains(table).query("at == 'end' and grouping == 'all'").iloc[0]
    everybody = table.query("at == 'end' and grouping == 'all'")
    assert row["replicates"] == 4
    assert row["net_per_1000"] == pytest.approx(1000 * everybody["net"].sum() / everybody["n"].sum())
    assert row["net_low"] > 0, "a stipend for all saves some"
    by = gains(table).query("at == 'end' and grouping == 'education'")
    assert (by["net_per_1000"] * by["n"]).sum() == pytest.approx(row["net_per_1000"] * row["n"])
