"""Axes: what lies at which place between 0 and 1."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario.studies.axes import Axis

EVEN = [(i + 0.5) / 60_000 for i in range(60_000)]


def test_a_range_is_filled_evenly_from_end_to_end():
    """Uniform in the range, and in logs with `log`: ends, middle, and the mean of the log-uniform prior."""
    axis = Axis("x", "lever", low=2.0, high=8.0)
    assert [axis.at(u) for u in (0, 0.5, 1)] == [2, 5, 8]
    log = Axis("x", "uncertainty", low=2.0, high=8.0, log=True)
    assert [log.at(u) for u in (0, 0.5, 1)] == [2, pytest.approx(4), 8]
    assert sum(map(log.at, EVEN)) / len(EVEN) == pytest.approx((8 - 2) / math.log(8 / 2), rel=1e-6)


def test_whole_numbers_share_the_way_equally():
    """Each whole number of the range, the ends included, has the same part; in logs the part is ln((k + 1) / k)."""
    axis = Axis("n", "lever", low=3.0, high=8.0, whole=True)
    assert Counter(map(axis.at, EVEN)) == dict.fromkeys(range(3, 9), 10_000)
    assert all(type(axis.at(u)) is int for u in (0, 0.3, 1))
    log = Axis("n", "uncertainty", low=1.0, high=4.0, log=True, whole=True)
    counts = Counter(map(log.at, EVEN))
    for k in range(1, 5):
        assert counts[k] / len(EVEN) == pytest.approx(math.log((k + 1) / k) / math.log(5), abs=1e-4)


def test_values_share_the_way_equally():
    """Values of any kind divide the way into equal parts, in their order."""
    axis = Axis("c", "lever", values=("a", None, True))
    assert Counter(map(axis.at, EVEN)) == {"a": 20_000, None: 20_000, True: 20_000}
    assert (axis.at(0), axis.at(1), axis.ends) == ("a", True, ("a", True))


@given(
    low=st.floats(1e-6, 1e6), factor=st.floats(1.01, 1e6), share=st.floats(0, 1), log=st.booleans(), whole=st.booleans()
)
def test_the_way_back_leads_to_the_same_value(low, factor, share, log, whole):
    """`at(place(x))` is x, to rounding; a whole number's place is the middle of its part; nothing leaves the range."""
    high = low * factor
    if whole:
        low, high = math.ceil(low), math.ceil(low) + math.ceil(factor)
    axis = Axis("x", "uncertainty", low=low, high=high, log=log, whole=whole)
    value = axis.at(share)
    assert low <= value <= high
    assert 0 <= axis.place(value) <= 1 + 1e-12
    assert axis.at(axis.place(value)) == (value if whole else pytest.approx(value, rel=1e-9))


def test_places_of_values():
    """A value's place is the middle of its part; what is none of the values has no place."""
    axis = Axis("c", "lever", values=("a", "b"))
    assert [axis.place(v) for v in ("a", "b")] == [0.25, 0.75]
    with pytest.raises(ValueError, match="c: 'c' is none of its values"):
        axis.place("c")
    with pytest.raises(ValueError, match="no number"):
        Axis("x", "lever", low=0.0, high=1.0).place("a")
