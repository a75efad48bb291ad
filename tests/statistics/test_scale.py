"""Size statistics against closed forms and small exact cases."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sim.statistics.scale import gini, hill, lorenz, scale, sizes, top_share

amounts = st.lists(st.floats(0, 1e9, allow_subnormal=False).map(lambda x: round(x, 2)), min_size=1, max_size=40)


def quantile_sample(distribution, n=200_000):
    """A sample without luck: the distribution's quantiles at the middles of n equal shares."""
    return distribution.ppf((np.arange(n) + 0.5) / n)


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0])
def test_pareto_closed_forms(alpha):
    """Gini 1/(2a - 1), top share p^(1 - 1/a) and the tail exponent a of a Pareto distribution come out."""
    x = quantile_sample(scipy.stats.pareto(alpha), 2_000_000)
    assert gini(x) == pytest.approx(1 / (2 * alpha - 1), abs=0.01)
    for top in (0.01, 0.1):
        assert top_share(x, top) == pytest.approx(top ** (1 - 1 / alpha), abs=0.015)
    assert hill(x).value == pytest.approx(alpha, rel=1e-3)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.8])
def test_lognormal_closed_forms(sigma):
    """Gini 2 Phi(s/sqrt 2) - 1 and top share Phi(s - z) of a lognormal distribution come out."""
    x = quantile_sample(scipy.stats.lognorm(sigma, scale=1e5))
    normal = scipy.stats.norm
    assert gini(x) == pytest.approx(2 * normal.cdf(sigma / np.sqrt(2)) - 1, abs=2e-3)
    for top in (0.01, 0.1):
        assert top_share(x, top) == pytest.approx(normal.cdf(sigma - normal.ppf(1 - top)), abs=2e-3)


def test_hill_covers_the_exponent_as_its_error_says():
    """In 400 Pareto samples, the estimate lies within two standard errors of the truth in about 95 %."""
    rng = np.random.default_rng(1)
    found = [hill(rng.pareto(1.2, 3000) + 1) for _ in range(400)]
    errors = np.array([(o.value - 1.2) / o.error for o in found])
    assert 0.92 < (np.abs(errors) < 2).mean() < 0.98
    assert abs(errors.mean()) < 0.2


@pytest.mark.parametrize(
    ("x", "expected"), [([5], 0), ([1, 1, 1, 1], 0), ([0, 0, 0, 8], 0.75), ([0, 1], 0.5), ([1, 2, 3], 2 / 9)]
)
def test_gini_of_small_samples_is_exact(x, expected):
    """By hand: all alike 0; one of n has all (n - 1)/n; 1, 2, 3 gives 2/9."""
    assert gini(x) == pytest.approx(expected, abs=1e-15)


@given(amounts)
def test_gini_is_the_mean_difference(x):
    """Gini = mean absolute difference of all pairs / twice the mean."""
    x = np.array(x)
    if x.sum() == 0:
        assert gini(x) is None
        return
    pairs = np.abs(x[:, None] - x[None, :]).mean()
    assert gini(x) == pytest.approx(pairs / (2 * x.mean()), abs=1e-9)


@given(amounts, st.integers(1, 4), st.floats(0.01, 0.9), st.randoms(use_true_random=False))
def test_order_copies_and_currency_change_nothing(x, copies, top, random):
    """Rows in another order, each person several times, weights in place of copies, fen in place of CNY: the same."""
    x = np.array(x)
    if x.sum() == 0:
        return
    shuffled = np.array(random.sample(list(x), x.size))
    weights = np.array([random.randint(1, 4) for _ in x])
    for other in (shuffled, np.tile(x, copies), x * 100):
        assert gini(other) == pytest.approx(gini(x), abs=1e-9)
        assert top_share(other, top) == pytest.approx(top_share(x, top), abs=1e-9)
    assert gini(x, weights) == pytest.approx(gini(x.repeat(weights)), abs=1e-9)
    assert top_share(x, top, weights) == pytest.approx(top_share(x.repeat(weights), top), abs=1e-9)


def test_a_person_on_the_edge_counts_in_part():
    """The top tenth of 15 shops is one shop and half of the next."""
    x = np.arange(1, 16)
    assert top_share(x, 0.1) == pytest.approx((15 + 14 / 2) / x.sum())
    assert top_share([7], 0.01) == pytest.approx(0.01)
    assert top_share(x, 1) == pytest.approx(1)


def test_the_lorenz_curve_runs_from_corner_to_corner():
    """It starts at (0, 0), ends at (1, 1) and lies below the diagonal."""
    people, total = lorenz([3, 0, 1])
    np.testing.assert_allclose(people, [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(total, [0, 0, 0.25, 1])


def test_hill_by_hand():
    """With the largest ten at e times the eleventh, the exponent is 1, and its error 1/sqrt(10)."""
    found = hill([1.0] * 90 + [np.e] * 10)
    assert (found.value, found.error) == (pytest.approx(1), pytest.approx(10**-0.5))
    assert hill([1.0] * 90 + [np.e] * 20, k=20).error == pytest.approx(20**-0.5)


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.arange(1, 90), "too few"),
        ([], "too few"),
        ([0.0] * 95 + [1.0] * 10, "everybody who sells"),
        ([2.0] * 200, "sell the same"),
    ],
)
def test_a_tail_without_an_exponent_is_null_with_a_reason(x, reason):
    """Too few, nothing below the tail, or no spread: no number."""
    found = hill(x)
    assert found.value is None
    assert reason in found.reason


def test_zeros_count_and_shares_are_at_or_over():
    """Shops without sales are shops; a shop at exactly 1 million is over it."""
    found = sizes([0, 0, 1e6, 3e6, 1e7], [0, 0, 1, 2, 7])
    assert found["sales_mean_cny"].value == 2.8e6
    assert found["sales_median_cny"].value == 1e6
    assert [found[f"share_over_{m}m_cny"].value for m in (1, 3, 10)] == [0.6, 0.4, 0.2]
    assert found["employees_total"].value == 15
    assert found["employees_mean"].value == 3


def test_nobody_and_nothing_are_null_with_a_reason():
    """Without shops there are no shares, but there are 0 jobs; without sales there is no Gini, but a mean of 0."""
    empty = sizes([], [])
    assert {n for n, o in empty.items() if o.value is not None} == {"employees_total"}
    assert all(o.reason for o in empty.values() if o.value is None)
    idle = sizes([0, 0], [0, 0])
    assert idle["sales_mean_cny"].value == 0
    assert idle["sales_gini"].value is None
    assert "nobody sells" in idle["sales_gini"].reason


@given(amounts)
def test_quantiles_are_numpys(x):
    """The quantiles from sorted sales are those of numpy."""
    found = sizes(x, np.zeros(len(x)))
    for name, q in (("median", 0.5), ("p10", 0.1), ("p25", 0.25), ("p75", 0.75), ("p90", 0.9), ("p99", 0.99)):
        assert found[f"sales_{name}_cny"].value == pytest.approx(np.quantile(x, q), rel=1e-9, abs=1e-6)


def test_scale_is_of_living_newcomers_unless_asked(tables):
    """Those who left do not count; the initial stock and restarts count only on request."""
    people = tables["entrepreneurs"]
    living = people[~people["event"]]
    new = living[~living["initial"] & (living["attempt"] == 0)]
    for who, members in (("newcomers", new), ("everybody", living)):
        found = scale(people, who=who).set_index("statistic")["value"]
        assert found["sales_mean_cny"] == pytest.approx(members["sales_12m_cny"].mean())
        assert found["employees_total"] == len(members) + members["employees"].sum()
