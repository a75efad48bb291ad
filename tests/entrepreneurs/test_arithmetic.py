"""Portable exp, log and normal quantile: their error bounds, and the same bits in Python and compiled."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.entrepreneurs.arithmetic import exp, log, nearest, normal

FUNCTIONS = {"exp": exp, "log": log, "normal": normal, "nearest": nearest}


def compiled(rule: Callable[[float], float]) -> Callable[[float], float]:
    @numba.njit(error_model="numpy")
    def call(x: float) -> float:
        return rule(x)

    return call  # type: ignore[no-any-return]


MACHINE = {name: compiled(rule) for name, rule in FUNCTIONS.items()}


def ulps(found: float, exact: mpmath.mpf) -> float:
    return float(abs(mpmath.mpf(found) - exact) / math.ulp(float(exact)))


def grid(low: float, high: float, count: int) -> list[float]:
    rng = np.random.default_rng(8)
    return [float(low), float(high), *rng.uniform(low, high, count).tolist()]


@pytest.mark.parametrize("span", [1e-3, 1.0, 20.0, 600.0])
def test_exp_is_within_2_ulp(span: float) -> None:
    """exp is within 2 units in the last place of the exact value, near 0 and over its whole range."""
    assert max(ulps(exp(x), mpmath.exp(mpmath.mpf(x))) for x in grid(-span, span, 4000)) <= 2.0


def test_log_is_within_2_ulp() -> None:
    """log is within 2 units in the last place (3e-16 near 1) from the least draw to the largest number."""
    xs = [10**e for e in grid(-307, 308, 3000)] + grid(1e-10, 3.0, 3000) + grid(0.9, 1.1, 3000)
    for x in xs:
        exact = mpmath.log(mpmath.mpf(x))
        assert abs(log(x) - exact) <= max(2 * math.ulp(float(exact)), 3e-16), x


def test_normal_is_within_its_bound() -> None:
    """The quantile is within 1.2e-9 of the exact one, relatively, wherever a draw can fall."""
    mpmath.mp.dps = 40
    least = 0.5 / 2**32
    us = [least, 1 - least, 0.02425, 0.97575, *grid(least, 1 - least, 2000), *(10**-e for e in grid(1, 9.9, 1000))]
    for u in us:
        if u == 0.5:
            continue
        exact = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(u) - 1)
        assert abs((normal(u) - exact) / exact) < 1.2e-9, u


def test_normal_is_monotone_across_its_seams() -> None:
    """The quantile does not step back where its central and outer parts meet."""
    for seam in (0.02425, 0.97575):
        values = [normal(seam + k * 1e-7) for k in range(-50, 51)]
        assert all(np.diff(values) > 0)


@given(st.floats(-700, 700))
@example(600.0)
@example(-600.0)
@example(0.0)
def test_exp_has_the_same_bits_compiled(x: float) -> None:
    """exp gives the same bits in Python and compiled, clipped or not."""
    assert MACHINE["exp"](x) == exp(x)


@given(st.floats(min_value=2.3e-308, max_value=1.7e308))
@example(1.0)
@example(math.sqrt(2))
def test_log_has_the_same_bits_compiled(x: float) -> None:
    """log gives the same bits in Python and compiled for every normal number."""
    assert MACHINE["log"](x) == log(x)


@given(st.integers(0, 2**32 - 1))
@example(0)
@example(2**32 - 1)
@example(2**31)
def test_normal_has_the_same_bits_compiled(word: int) -> None:
    """The quantile gives the same bits in Python and compiled for every draw, and is symmetric."""
    u = (word + 0.5) / 2**32
    assert MACHINE["normal"](u) == normal(u)
    assert normal(1.0 - u) == -normal(u)


@given(st.floats(-(2.0**51), 2.0**51))
def test_nearest_rounds_as_python_does(x: float) -> None:
    """nearest is round-half-to-even, in Python and compiled."""
    assert nearest(x) == round(x) == MACHINE["nearest"](x)


def test_exp_is_clipped() -> None:
    """Beyond 600 exp stands still instead of leaving the range of floats."""
    assert exp(1e9) == exp(600.0) < 1e300
    assert exp(-1e9) == exp(-600.0) > 0
    assert exp(0.0) == 1.0
    assert log(1.0) == 0.0
    assert normal(0.5) == 0.0
