"""AI tools: their spread is Bass's curve through the one published point, and a user sells more from then on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from sim.entrepreneurs.arithmetic import log
from sim.entrepreneurs.behaviour import Behaviour, Growth, Peers
from sim.evidence import ledger as evidence
from sim.model import Pipeline
from sim.policy import ai_tools
from sim.policy.ledger import Ledger
from sim.scenario.schema import Horizon

EXAMPLE: dict[str, Any] = {"subscription": 123.45}
HERE: dict[str, Any] = {}
CHANGED: dict[str, Any] = {"effect": 0.3}
EFFECT = ("standing", {"effect": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Whoever does not use them yet."""
    return p["lever.user"] != 1


def bass(p: float, q: float, years: Any) -> Any:
    """Share of those who would ever adopt that has done so (Bass 1969, equation 9)."""
    late = np.exp(-(p + q) * np.asarray(years, float))
    return (1 - late) / (1 + q / p * late)


FITS = [(0.2125 / 0.8, 0.3), (0.2125 / 0.8, 0.0), (0.2125, 0.6), (0.2125 / 0.4, 0.3), (1e-6, 0.6), (0.999, 0.1)]


@pytest.mark.parametrize(("adopted", "q"), FITS)
def test_innovation_leads_to_the_known_use_after_half_a_year(adopted: float, q: float) -> None:
    """Bass's closed form with the fitted p goes through the point; so does his differential equation."""
    p, month = ai_tools.innovation(adopted, q, log)
    assert p > 0
    assert month == pytest.approx(math.exp(-(p + q) / 12), rel=1e-12)
    assert bass(p, q, 0.5) == pytest.approx(adopted, rel=1e-9)
    curve = solve_ivp(lambda _, f: (p + q * f) * (1 - f), (0, 0.5), [0.0], rtol=1e-10, atol=1e-14)
    assert curve.y[0, -1] == pytest.approx(adopted, rel=1e-7)


def test_without_imitation_it_is_a_constant_hazard() -> None:
    """With q = 0 the hazard is -2 ln(1 - F), and no use at all is no innovation."""
    assert ai_tools.innovation(0.2125, 0.0, log)[0] == pytest.approx(-2 * math.log(1 - 0.2125), rel=1e-12)
    assert ai_tools.innovation(0.0, 0.3, log)[0] < 1e-12


@pytest.mark.parametrize(("ceiling", "q"), [(0.8, 0.3), (0.4, 0.6), (1.0, 0.0)])
def test_the_chances_of_the_months_lead_along_basss_curve(ceiling: float, q: float) -> None:
    """Where each month the expected number adopts, the share after t months is F(t/12), with no error of steps."""
    lever = ai_tools.Instrument(id="ai", ceiling=ceiling, imitation=q)
    p, _ = ai_tools.innovation(0.2125 / ceiling, q, log)
    share = 0.0
    for month in range(1, 61):
        share += (1 - share) * lever.chance(share, log)
        assert share == pytest.approx(bass(p, q, month / 12), rel=1e-10)


@pytest.mark.parametrize(("ceiling", "q"), [(0.8, 0.3), (0.4, 0.6), (1.0, 0.0)])
def test_use_spreads_along_basss_curve(town: Any, now: Any, ceiling: float, q: float) -> None:
    """In a large town the share of users is ceiling x F(t), month by month, within the error of sampling."""
    n, lever = 100_000, ai_tools.Instrument(id="ai", ceiling=ceiling, imitation=q)
    people, ledger = town(lever, n=n), Ledger()
    used = []
    for month in range(48):
        lever.act(people, now(month), ledger)
        used.append(people.memory("ai", "user").mean())
    p, _ = ai_tools.innovation(0.2125 / ceiling, q, log)
    told = ceiling * bass(p, q, np.arange(1, 49) / 12)
    assert told[5] == pytest.approx(0.2125)
    assert (np.abs(np.array(used) - told) < 4 * np.sqrt(told * (1 - told) / n)).all()


def test_the_published_use_is_users_over_shops_half_a_year_after_the_launch() -> None:
    """17,000 of 80,000 shops, from October 2023 to the end of March 2024."""
    lever = ai_tools.Instrument(id="ai")
    assert lever.uptake == evidence.value("ai_users_2024", "count") / evidence.value("shops_trade_city", "count")
    assert lever.since == evidence.figure("ai_launch_2023").value == "2023-10"
    assert lever.effect < evidence.figure("ai_order_uplift").value


def test_nobody_uses_them_before_their_launch(small: Any, tables: Any) -> None:
    """The first subsidies are paid in October 2023, unless the scenario says otherwise."""
    early = Horizon(start="2023-06", months=12)
    for since, first in (({}, 4), ({"since": None}, 0), ({"since": "2024-01"}, 7)):
        lever = ai_tools.Instrument(id="ai", imitation=0.0, uptake=0.7, **since)
        assert tables(small(policy=(lever,), horizon=early))["ledger"]["month"].min() == first


def test_a_user_sells_more_from_then_on(plain: Any) -> None:
    """From the month of adoption sales are up by the effect, and stay so; others sell what they would have sold."""
    lever = ai_tools.Instrument(id="ai", effect=0.1)
    alike = Behaviour(growth=Growth(beta=0.0), peers=Peers(rate=0.0))  # a larger shop has the same luck
    model, twin = Pipeline(plain(policy=(lever,), behaviour=alike)), Pipeline(plain(behaviour=alike))
    for _ in range(24):
        model.step()
        twin.step()
        _, a, b = np.intersect1d(model.people.uid, twin.people.uid, return_indices=True)
        user = model.people.memory("ai", "user")[a]
        gain = np.log(model.people.sales[a] / twin.people.sales[b])
        np.testing.assert_allclose(gain, np.log(1.1) * user, atol=1e-9)
    assert 0.2 < user.mean() < 0.8


def test_each_user_is_paid_for_once(small: Any, tables: Any) -> None:
    """One subscription a person, to the fen, whatever happens later."""
    lives = tables(small(policy=(ai_tools.Instrument(id="ai", subscription=199.99),)))["entrepreneurs"]
    assert set(lives["received_cny"]) == {0.0, 199.99}


def test_the_provider_is_paid_and_not_the_user(town: Any, act: Any) -> None:
    """The subsidy is given in kind."""
    lever = ai_tools.Instrument(id="ai")
    given, cash = act(lever, town(lever), 0, Ledger())
    assert set(given) == {0, 20_000}
    assert not cash.any()


def test_some_never_take_them_up(town: Any, now: Any) -> None:
    """In the end the users are the ceiling's share, the same people whatever the speed."""
    ends = []
    for q in (0.0, 5.0):
        lever = ai_tools.Instrument(id="ai", ceiling=0.6, uptake=0.55, imitation=q)
        people = town(lever, n=10_000)
        for month in range(60):
            lever.act(people, now(month), Ledger())
        ends.append(people.memory("ai", "user").copy())
    assert (ends[0] == ends[1]).all()
    assert abs(ends[0].mean() - 0.6) < 4 * np.sqrt(0.24 / 10_000)


def test_use_beyond_the_ceiling_is_refused() -> None:
    """The published use must be attainable."""
    with pytest.raises(ValidationError, match="uptake must be below ceiling"):
        ai_tools.Instrument(id="ai", ceiling=0.2)


def test_the_estimate_is_the_closed_form_of_a_settled_city(town: Any) -> None:
    """New users a year are those who, arriving at a constant rate and closing at a constant hazard, ever adopt."""
    from sim.policy._instrument import City

    lever = ai_tools.Instrument(id="ai", subscription=100.0)
    p, _ = ai_tools.innovation(0.2125 / 0.8, 0.3, log)
    leaving = -math.log(0.75)
    flows = solve_ivp(  # potential adopters: not yet users, users; a founder a year
        lambda _, x: [1 - x[0] * (p + 0.3 * x[1] / (x[0] + x[1]) + leaving),
                      x[0] * (p + 0.3 * x[1] / (x[0] + x[1])) - leaving * x[1]],
        (0, 100), [1.0, 0.0], rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    users_a_year = leaving * flows.y[1, -1] * 0.8
    city = City(arrivals=1200.0, shares={}, tenants={}, rent={})
    assert lever.estimate(city) == pytest.approx(1200 * users_a_year * 100 / 12, rel=1e-6)
