"""Demand by channel: exact at the figures, straight in logs between them; and how firms share it."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.market.competition import Competition, Path
from sim.market.demand import Background, Market, Series

SERIES = Series(by_year={"2021": 2e9, "2023": 8e9, "2024": 4e9}, growth_before=0.25, growth_after=0.10)


@pytest.mark.parametrize(("year", "figure"), [(2021, 2e9), (2023, 8e9), (2024, 4e9)])
def test_a_figure_stands_at_the_middle_of_its_year(year: int, figure: float) -> None:
    """At mid-year the path is the year's figure."""
    assert Path(SERIES).at(year + 0.5) == pytest.approx(log(figure), abs=1e-14)


@given(st.floats(0, 1))
def test_between_figures_the_log_is_a_straight_line(share: float) -> None:
    """Between two figures the path is linear in logs, also across a year without figure."""
    path = Path(SERIES)
    assert path.at(2021.5 + 2 * share) == pytest.approx(log(2e9) + share * log(4), abs=1e-9)
    assert path.at(2023.5 + share) == pytest.approx(log(8e9) - share * log(2), abs=1e-9)


@given(st.floats(0, 50))
def test_beyond_the_figures_it_grows_as_stated(years: float) -> None:
    """Before the first and after the last figure the path grows at the stated yearly rates."""
    path = Path(SERIES)
    assert path.at(2024.5 + years) == pytest.approx(log(4e9) + years * log(1.10), abs=1e-9)
    assert path.at(2021.5 - years) == pytest.approx(log(2e9) - years * log(1.25), abs=1e-9)


def test_without_figures_it_grows_evenly() -> None:
    """A channel without figures grows at its later rate, before and after."""
    path = Path(Series(growth_after=0.12))
    for year in (1990.0, 2010.0, 2030.0):
        assert path.at(year + 1) - path.at(year) == pytest.approx(log(1.12), abs=1e-12)


def test_the_factor_is_demand_less_crowding() -> None:
    """A = growth of demand since the start - eta x log crowding; at the start it is 0 for every channel."""
    market = Market(
        domestic=Series(growth_after=0.2), livestream=Series(growth_after=0.0), cross_border=Series(growth_after=-0.1),
        displacement=0.7, background=Background(entities=10, capacity=100.0, growth_per_year=0.0),
    )  # fmt: skip
    city = Competition(market, start=291, capacity=500)
    city.move(291, 500)
    assert city.factor == (0.0, 0.0, 0.0)
    city.move(303, 2000)
    assert city.crowding == pytest.approx(3000 / 1500)
    for found, growth in zip(city.factor, (0.2, 0.0, -0.1), strict=True):
        assert found == pytest.approx(log(1 + growth) - 0.7 * log(2), abs=1e-12)


def test_the_background_grows_as_stated() -> None:
    """With nobody but the background, crowding is its growth."""
    market = Market(background=Background(entities=1000, capacity=1000.0, growth_per_year=0.08))
    city = Competition(market, start=291, capacity=0)
    city.move(291 + 24, 0)
    assert city.crowding == pytest.approx(1.08**2, rel=1e-6)


def test_nobody_at_the_start_means_nobody_to_displace() -> None:
    """In an empty market without background, crowding is 1 whoever comes."""
    city = Competition(Market(background=Background(entities=0)), start=291, capacity=0)
    city.move(300, 10**6)
    assert city.crowding == 1.0


def test_a_year_must_be_a_year() -> None:
    """Figures are keyed by calendar years."""
    for year in ("24", "3024", "２０２４", "x"):
        with pytest.raises(ValueError, match="is not a year"):
            Series(by_year={year: 1.0})
