"""The life table against lifelines, closed forms and itself."""

from __future__ import annotations

import warnings

import lifelines
import lifelines.statistics
import lifelines.utils
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim.statistics.lifetable import first_incidence, incidence, life_table, life_tables, logrank

rows = st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.integers(0, 12)), min_size=2, max_size=60)
causes = st.lists(st.tuples(st.integers(1, 15), st.integers(0, 3)), min_size=2, max_size=60)


def columns(drawn):
    return tuple(np.array(c) for c in zip(*drawn, strict=True))


def curve(fitted, ages):
    """The step function of a lifelines table at whole ages."""
    frame = fitted.reindex(np.union1d(fitted.index, ages)).ffill().loc[ages]
    return frame.to_numpy()


def kaplan_meier(durations, events, entry=None, weights=None):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="divide by zero|invalid value", category=RuntimeWarning)
        warnings.filterwarnings("ignore", message="It looks like your weights are not integers")
        return lifelines.KaplanMeierFitter().fit(durations, events, entry=entry, weights=weights)


@settings(deadline=None)
@given(rows)
def test_kaplan_meier_and_interval_agree_with_lifelines(drawn):
    """Survival and its log-log interval are those of lifelines, ties included."""
    durations, events, _ = columns(drawn)
    table = life_table(durations, events)
    other = kaplan_meier(durations, events)
    np.testing.assert_allclose(table.survival, curve(other.survival_function_, table.ages)[:, 0], atol=1e-12)
    ours, theirs = np.array(table.interval()).T, curve(other.confidence_interval_, table.ages)
    inside = (table.survival > 1e-9) & (table.survival < 1)
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-9)
    assert np.isnan(ours[~inside]).all()


@settings(deadline=None)
@given(rows)
def test_left_truncation_agrees_with_lifelines(drawn):
    """Who was seen only from an age on is at risk only after it."""
    drawn = [*drawn, (50, False, 0)]  # lifelines refuses a risk set that is empty for a while
    span, events, entry = columns(drawn)
    durations = entry + span
    table = life_table(durations, events, entry)
    # lifelines counts an entry at t as at risk at t; half a month later it means what we mean
    other = kaplan_meier(durations, events, entry=entry + 0.5)
    np.testing.assert_allclose(table.survival, curve(other.survival_function_, table.ages)[:, 0], atol=1e-12)


@settings(deadline=None)
@given(rows)
def test_median_and_rmst_agree_with_lifelines(drawn):
    """Median life and restricted mean are those of lifelines wherever the curve is known."""
    durations, events, _ = columns(drawn)
    table, other = life_table(durations, events), kaplan_meier(durations, events)
    theirs = other.median_survival_time_
    if abs(other.survival_function_ - 0.5).min().iloc[0] > 1e-9:  # on the edge, lifelines depends on rounding
        assert table.quantile() == (None if np.isinf(theirs) else theirs)
    for horizon in {1, 5, int(durations.max())}:
        ours = table.rmst(horizon)
        if horizon <= durations.max():
            expected = lifelines.utils.restricted_mean_survival_time(other, t=horizon)
            assert ours.value == pytest.approx(expected, abs=1e-9)


@given(rows, st.integers(1, 40))
def test_without_censoring_rmst_is_the_sample_mean(drawn, horizon):
    """Uncensored, RMST is the mean of min(T, horizon) and its variance the sample variance over n."""
    durations = columns(drawn)[0]
    mean = life_table(durations, np.ones(durations.size, bool)).rmst(horizon)
    lived = np.minimum(durations, horizon)
    assert mean.value == pytest.approx(lived.mean())
    assert mean.variance == pytest.approx(lived.var() / lived.size, abs=1e-9)


def test_half_alive_is_the_median():
    """A curve that touches one half exactly has its median there, whatever the rounding."""
    for n in range(2, 200, 2):
        assert life_table(np.arange(1, n + 1), np.ones(n, bool)).quantile() == n // 2


def test_beyond_the_last_observed_age_survival_is_unknown():
    """Nobody at risk means None; a curve that fell to 0 stays there."""
    censored = life_table([3, 5, 5], [True, True, False])
    assert censored.at(0) == 1
    assert censored.at(5) == pytest.approx(1 / 3)
    assert censored.at(6) is None
    assert censored.rmst(6) is not None
    assert censored.rmst(7) is None
    extinct = life_table([3, 5, 5], [True, True, True])
    assert extinct.at(60) == 0
    assert extinct.rmst(60).value == pytest.approx(13 / 3)
    empty = life_table([], [])
    assert (empty.at(12), empty.quantile(), empty.rmst(60)) == (None, None, None)


def test_a_gap_in_the_risk_set_ends_what_is_known():
    """With late entries only, ages before the first entry were not observed, so nothing can be said."""
    assert life_table([10, 12], [True, False], entry=[5, 6]).at(8) is None


def test_a_gap_is_a_gap_with_weights_that_round():
    """0.3 + 0.2 + 0.1 is not 0.1 + 0.2 + 0.3 in binary, but nobody at risk is nobody."""
    table = life_table([7, 8, 9, 5], [True] * 4, entry=[6, 6, 6, 0], weights=[0.3, 0.2, 0.1, 1.0])
    assert table.at_risk[5] == 0
    assert table.at_risk[6] == pytest.approx(0.6)


@settings(deadline=None)
@given(causes)
def test_aalen_johansen_agrees_with_lifelines_without_ties(drawn):
    """Cumulative incidence and its interval are those of lifelines, which knows no ties."""
    cause = columns(drawn)[1]
    cause[0] = 1
    durations = np.random.default_rng(cause.size).permutation(2 * cause.size)[: cause.size] + 1
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="divide by zero|invalid value", category=RuntimeWarning)
        other = lifelines.AalenJohansenFitter().fit(durations, cause, event_of_interest=1)
    at_risk = life_table(durations, cause > 0).at_risk
    events = life_tables(durations, cause > 0, np.where(cause > 0, cause - 1, -1), 3).events
    ours = incidence(at_risk, events)
    ages = np.arange(1, at_risk.size + 1)
    expected = curve(other.cumulative_density_, ages)[:, 0]
    np.testing.assert_allclose(ours.cumulative[0], expected, atol=1e-12)
    # lifelines adds a term of people already gone once the last one has left
    inside = (expected > 0) & (expected < 1) & (life_table(durations, cause > 0).survival > 1e-9)
    np.testing.assert_allclose(ours.variance[0][inside], curve(other.variance_, ages)[inside].ravel(), atol=1e-9)
    low, _ = ours.interval()
    np.testing.assert_allclose(low[0][inside], curve(other.confidence_interval_, ages)[inside, 0], atol=1e-6)


@given(causes)
def test_incidences_and_survival_add_to_one(drawn):
    """At every age, ties included, each person is alive or has left for one reason."""
    durations, cause = columns(drawn)
    table = life_table(durations, cause > 0)
    events = life_tables(durations, cause > 0, cause - 1, 3).events
    each = incidence(table.at_risk, events).cumulative
    np.testing.assert_array_equal(first_incidence(table.at_risk, events), each[0])
    total = each.sum(axis=0) + table.survival
    np.testing.assert_allclose(total, 1, atol=1e-12)


@given(causes)
def test_without_censoring_incidence_is_a_share(drawn):
    """Uncensored, the incidence is the share that has left for the reason, with variance F(1 - F)/n, ties included."""
    durations, cause = columns(drawn)
    cause = np.maximum(cause, 1)
    table = life_table(durations, np.ones(durations.size, bool))
    ours = incidence(table.at_risk, life_tables(durations, cause > 0, cause - 1, 3).events)
    for k in range(3):
        share = np.array([((durations <= t) & (cause == k + 1)).mean() for t in table.ages])
        np.testing.assert_allclose(ours.cumulative[k], share, atol=1e-12)
        np.testing.assert_allclose(ours.variance[k], share * (1 - share) / durations.size, atol=1e-9)


@settings(deadline=None)
@given(rows, st.integers(2, 4))
def test_logrank_agrees_with_lifelines(drawn, n_groups):
    """The log-rank statistic and p-value are those of lifelines for two to four groups."""
    durations, events, group = columns(drawn)
    group = group % n_groups
    assume(np.unique(group).size > 1 and events.any())
    ours = logrank(life_tables(durations, events, group, n_groups))
    try:
        other = lifelines.statistics.multivariate_logrank_test(durations, group, events)
    except np.linalg.LinAlgError:  # lifelines inverts a covariance that may be singular
        return
    if np.isfinite(other.test_statistic) and other.test_statistic < 1e6:
        assert ours.statistic == pytest.approx(other.test_statistic, rel=1e-6, abs=1e-8)
        assert ours.p_value == pytest.approx(other.p_value, abs=1e-8)


def test_logrank_of_one_group_says_nothing():
    """With nobody to compare with, the test is empty."""
    assert logrank(life_tables([1, 2], [True, True], np.array([0, 0]), 3)) == (0.0, 0, 1.0)


@given(rows, st.randoms(use_true_random=False))
def test_order_of_rows_and_splitting_of_weights_change_nothing(drawn, random):
    """A row of weight w is the same as w rows, or as two rows that share w, in any order."""
    durations, events, weight = columns(drawn)
    weight = weight + 1
    order = np.array(random.sample(range(durations.size), durations.size))
    plain = life_table(durations.repeat(weight), events.repeat(weight))
    shuffled = life_table(durations[order], events[order], weights=weight[order])
    split = life_table(
        np.tile(durations, 2), np.tile(events, 2), weights=np.concatenate((weight * 0.25, weight * 0.75))
    )
    for other in (shuffled, split):
        np.testing.assert_allclose(other.survival, plain.survival, atol=1e-12)
        np.testing.assert_allclose(other.interval(), plain.interval(), atol=1e-9)


@given(rows)
def test_everybody_is_accounted_for(drawn):
    """At risk next month = at risk this month - exits - censored + entries."""
    span, events, entry = columns(drawn)
    durations = entry + span
    table = life_table(durations, events, entry)
    for t in table.ages[:-1]:
        censored = ((durations == t) & ~events).sum()
        assert table.at_risk[t] == table.at_risk[t - 1] - table.events[t - 1] - censored + (entry == t).sum()
    assert table.events.sum() == events.sum()


@pytest.mark.parametrize(("durations", "entry"), [([0, 3], None), ([3, 3], [0, 3]), ([3, 3], [-1, 0])])
def test_impossible_ages_are_refused(durations, entry):
    """Nobody trades for 0 months, or is first seen at or after his end."""
    with pytest.raises(ValueError, match="durations must be"):
        life_table(durations, [True, True], entry)
