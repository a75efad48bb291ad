"""What an additional survivor costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sim.statistics.price import QUADRANTS, cost_per_survivor, fieller


def stakes(money, survivors, age=36, people=100):
    """Differences in each replicate as a table of twins; the ledger holds 10 times the money."""
    n = len(money)
    return pd.DataFrame(
        {
            "replicate": range(n),
            "age_months": age,
            "people": people,
            "base_survivors": 50,
            "reform_survivors": 50 + np.array(survivors),
            "base_received_cny": 1e6,
            "reform_received_cny": 1e6 + np.array(money, float),
            "base_ledger_cny": 1e7,
            "reform_ledger_cny": 1e7 + 10 * np.array(money, float),
        }
    )


def price(money, survivors):
    return cost_per_survivor(stakes(money, survivors)).set_index("money").loc["received"]


@pytest.mark.parametrize("seed", range(5))
def test_the_ends_of_the_interval_are_where_a_t_test_rejects(seed):
    """At either end, the mean of above - end x below differs from 0 at exactly 5 %; in between it does not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(4, 1.5, 9)
    y = 2000 * x + rng.normal(3000, 4000, 9)
    low, high = fieller(y, x)
    for end in (low, high):
        assert scipy.stats.ttest_1samp(y - end * x, 0).pvalue == pytest.approx(0.05)
    assert low < y.mean() / x.mean() < high
    assert scipy.stats.ttest_1samp(y - (low + high) / 2 * x, 0).pvalue > 0.05


def test_the_interval_covers():
    """The true ratio is inside 95 times of 100, though a ratio of means has no normal distribution here."""
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(4000):
        x = rng.normal(1.0, 0.5, 6)
        y = 3 * x + rng.normal(0, 1, 6)
        bounds = fieller(y, x)
        if bounds is None:  # the set is unbounded: solve it by the test that defines it
            inside.append(scipy.stats.ttest_1samp(y - 3 * x, 0).pvalue >= 0.05)
        else:
            inside.append(bounds[0] <= 3 <= bounds[1])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.011)


def test_with_a_known_denominator_it_is_the_plain_interval():
    """Where survivors differ by the same number in each replicate, only the money is uncertain."""
    y = np.array([3.0, 4.0, 8.0, 9.0])
    low, high = scipy.stats.t.interval(0.95, 3, y.mean(), scipy.stats.sem(y))
    assert fieller(y, [2, 2, 2, 2]) == (pytest.approx(low / 2), pytest.approx(high / 2))


def test_a_denominator_around_zero_has_no_interval():
    """Bounded exactly where the mean below differs from 0 by a t test at the same level."""
    rng = np.random.default_rng(3)
    bounded = 0
    for _ in range(200):
        x, y = rng.normal(0.7, 1, 8), rng.normal(5, 1, 8)
        sure = scipy.stats.ttest_1samp(x, 0).pvalue < 0.05
        assert (fieller(y, x) is not None) == sure
        bounded += sure
    assert 20 < bounded < 180
    assert fieller([1.0], [1.0]) is None


def test_the_price_by_hand():
    """Extra money over extra survivors, each summed over replicates, by either way to count the money."""
    frame = cost_per_survivor(stakes([900, 1100, 1300, 700], [10, 10, 12, 8])).set_index("money")
    own, ledger = frame.loc["received"], frame.loc["ledger"]
    assert (own["extra_cny"], own["extra_survivors"], own["cny_per_survivor"]) == (1000, 10, 100)
    assert (own["ci_low"], own["ci_high"]) == fieller([900, 1100, 1300, 700], [10, 10, 12, 8])
    assert ledger["cny_per_survivor"] == pytest.approx(1000)
    assert own[["age_months", "quadrant", "n", "reason"]].tolist() == [36, "dearer_and_more", 4, None]
    low, high = scipy.stats.t.interval(0.95, 3, 10, scipy.stats.sem([10, 10, 12, 8]))
    assert (own["extra_survivors_low"], own["extra_survivors_high"]) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("money", "survivors", "quadrant", "ratio"),
    [
        ([90, 110, 100], [9, 11, 10], "dearer_and_more", 10),
        ([-90, -110, -100], [9, 11, 10], "cheaper_and_more", None),
        ([90, 110, 100], [-9, -11, -10], "dearer_and_fewer", None),
        ([-90, -110, -100], [-9, -11, -10], "cheaper_and_fewer", 10),
        ([0, 0, 0], [9, 11, 10], "cheaper_and_more", None),
        ([0, 0, 0], [-9, -11, -10], "dearer_and_fewer", None),
        ([90, 110, 100], [0, 0, 0], "dearer_and_fewer", None),
        ([-90, -110, -100], [1, -1, 0], "cheaper_and_more", None),
        ([0, 0, 0], [0, 0, 0], "no_difference", None),
    ],
)
def test_a_price_is_never_negative(money, survivors, quadrant, ratio):
    """Each quadrant by its name; a ratio only where money and lives go the same way; otherwise a reason."""
    row = price(money, survivors)
    assert row["quadrant"] == quadrant
    assert quadrant in QUADRANTS
    if ratio is None:
        assert row[["cny_per_survivor", "ci_low", "ci_high"]].isna().all()
        assert row["reason"]
    else:
        assert row["cny_per_survivor"] == pytest.approx(ratio)
        assert row["ci_low"] <= ratio * (1 + 1e-9)
        assert row["reason"] is None


def test_survivors_that_cannot_be_told_from_zero_have_no_bounds():
    """More on average, but not surely: the ratio has no bounds, and it is said why."""
    row = price([100, 120, 110, 90], [5, -2, 1, 0])
    assert row["cny_per_survivor"] == 105
    assert row[["ci_low", "ci_high"]].isna().all()
    assert row["reason"] == "additional survivors cannot be told from zero"


def test_swapping_base_and_reform_keeps_the_price():
    """What an additional survivor costs is what giving one up saves: the same ratio and bounds, other quadrant."""
    rng = np.random.default_rng(1)
    table = stakes(rng.normal(5000, 500, 8), rng.integers(5, 15, 8))
    swap = {n: n.replace("base", "REFORM").replace("reform", "base").replace("REFORM", "reform") for n in table}
    one, other = cost_per_survivor(table), cost_per_survivor(table.rename(columns=swap))
    np.testing.assert_allclose(one["extra_cny"], -other["extra_cny"])
    for same in ("cny_per_survivor", "ci_low", "ci_high"):
        np.testing.assert_allclose(one[same], other[same])
    assert set(one["quadrant"]) == {"dearer_and_more"}
    assert set(other["quadrant"]) == {"cheaper_and_fewer"}


def test_each_age_has_its_price_or_its_reason():
    """In a short run nobody is old enough, and one replicate has no interval: reasons, not zeros."""
    table = pd.concat([stakes([10.0], [2]), stakes([0.0], [0], age=60, people=0)])
    frame = cost_per_survivor(table).set_index(["age_months", "money"])
    young, old = frame.loc[(36, "received")], frame.loc[(60, "received")]
    assert (young["cny_per_survivor"], young["reason"]) == (5, "one replicate has no interval")
    assert old["reason"] == "nobody arrived 60 months or more before the end"
    assert old[["extra_cny", "extra_survivors", "cny_per_survivor"]].isna().all()
    assert old["quadrant"] is None
