"""Estimators on samples drawn from known laws."""

import math

import numpy as np
import pytest
from scipy.stats import gennorm

from sim.validation.estimators import fits, hazard_ratio, slope, subbotin

AGES = 12.0 * np.arange(1, 11)


@pytest.mark.parametrize("shape", [0.6, 1.0, 1.3, 2.0, 4.0])
def test_subbotin_finds_the_shape(shape):
    """The shape of an exponential-power sample is found within a few per cent, wherever it lies and however wide."""
    x = 5.0 + 0.3 * gennorm.rvs(shape, size=20_000, random_state=1)
    assert subbotin(x) == pytest.approx(shape, rel=0.06)


def test_subbotin_has_the_likelihood_of_scipy():
    """At its maximum no other shape has a higher likelihood, by scipy's density with the scale that fits it best."""
    x = gennorm.rvs(1.2, size=3_000, random_state=2)
    x -= np.median(x)

    def likelihood(b):
        return gennorm.logpdf(x, b, scale=(b * np.mean(np.abs(x) ** b)) ** (1 / b)).sum()

    best = subbotin(x)
    assert likelihood(best) > max(likelihood(best * 0.97), likelihood(best * 1.03))


def test_a_shape_needs_different_numbers():
    """Numbers that are all equal have no shape."""
    with pytest.raises(ValueError, match="differ"):
        subbotin(np.ones(10))


def test_slope_is_that_of_a_line():
    """Points on a line have its slope, and numpy's regression agrees on a cloud; equal x have none."""
    x = np.array([1.0, 2.0, 4.0])
    assert slope(x, 3 - 0.5 * x) == pytest.approx(-0.5)
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 500))
    assert slope(a, b) == pytest.approx(np.polyfit(a, b, 1)[0])
    assert math.isnan(slope([1, 1], [0, 1]))


def test_hazard_ratio_of_known_hazards():
    """Two hazards that are constant over the year have the ratio that was put in, and one hazard the ratio 1."""
    rng = np.random.default_rng(4)
    size = np.arange(90_000)
    hazard = np.where(size < 30_000, 0.6, np.where(size < 60_000, 0.4, 0.2))
    closed = rng.random(size.size) < 1 - np.exp(-hazard)
    assert hazard_ratio(size, closed) == pytest.approx(3.0, rel=0.05)
    assert hazard_ratio(size, rng.random(size.size) < 0.3) == pytest.approx(1.0, rel=0.05)


def test_hazard_ratio_unknown():
    """Where no large shop closed there is no ratio."""
    assert math.isnan(hazard_ratio([1, 2, 3], [True, False, False]))


@pytest.mark.parametrize(
    ("law", "parameters", "curve"),
    [
        ("exponential", (0.02,), lambda t: np.exp(-0.02 * t)),
        ("loglogistic", (30.0, 1.4), lambda t: 1 / (1 + (t / 30) ** 1.4)),
        ("lognormal", (40.0, 1.1), lambda t: 0.5 * np.vectorize(math.erfc)(np.log(t / 40) / 1.1 / math.sqrt(2))),
    ],
)
def test_fits_find_the_law(law, parameters, curve):
    """A survival curve of one of the laws gives its parameters back without an error; the others have one."""
    found = fits(AGES, curve(AGES))
    assert found[law].parameters == pytest.approx(parameters, rel=1e-3)
    assert found[law].error < 1e-5
    assert all(fit.error > 0.002 for name, fit in found.items() if name != law)


def test_fits_of_a_sample():
    """Survival counted from exponential life times is told from a log-logistic one."""
    lives = np.random.default_rng(5).exponential(45.0, 200_000)
    found = fits(AGES, [(lives > age).mean() for age in AGES])
    assert found["exponential"].parameters[0] == pytest.approx(1 / 45, rel=0.01)
    assert found["exponential"].error < 0.004 < found["loglogistic"].error
