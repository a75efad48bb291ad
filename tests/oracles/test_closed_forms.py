"""Cases that can be solved on paper: life times, absorbing chains, seats as a loss system, ruin, Little's law.

Seeds are fixed, so that a test passes or fails for good; bounds are four standard errors.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import gamma

from sim.chain.stage import Stage
from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour, Entry, Exit, Growth, Money, Peers
from sim.market.demand import Background, Market
from sim.scenario.schema import Horizon


def even(per_year: float) -> Arrivals:
    """The same number expected in every month."""
    return Arrivals(per_year=per_year, summer_share=1 / 3)


def test_lives_end_geometrically_when_only_chance_ends_them(plain: Any, by_chance: Any, tables: Any) -> None:
    """With a constant monthly chance p of leaving, survival is (1-p)^t and every exit is by chance."""
    p = 0.04
    scenario = plain(behaviour=by_chance(p), arrivals=even(20_000.0), horizon=Horizon(months=48))
    people = tables(scenario)["entrepreneurs"]
    assert set(people["exit_reason"].dropna()) == {"left_city"}
    assert set(people["after_exit"].dropna()) == {"leaves"}
    for t in (1, 6, 12, 36):
        watched = people[people["arrival_month"] <= 48 - t]
        alive = ((watched["duration_months"] > t) | ((watched["duration_months"] == t) & ~watched["event"])).mean()
        expected = (1 - p) ** t
        assert abs(alive - expected) < 4 * sqrt(expected * (1 - expected) / len(watched))


def test_those_living_are_poisson_when_nobody_waits(plain: Any, by_chance: Any, finished: Any) -> None:
    """Without seats N(t) is Poisson: mean and variance are lambda times the sum of survival (M/G/infinity)."""
    p, monthly, replicates = 0.06, 10.0, 250
    scenario = plain(behaviour=by_chance(p), arrivals=even(12 * monthly), horizon=Horizon(months=24))
    counts = np.array(
        [finished(scenario, replicate=r).datacollector.get_model_vars_dataframe()["living"] for r in range(replicates)]
    )
    for t in (0, 5, 23):
        mean = monthly * sum((1 - p) ** a for a in range(1, t + 2))
        n = counts[:, t]
        assert abs(n.mean() - mean) < 4 * sqrt(mean / replicates)
        assert abs(n.var(ddof=1) - mean) < 4 * sqrt((mean + 2 * mean**2) / replicates)
        cuts = np.unique(stats.poisson.ppf([0.2, 0.4, 0.6, 0.8], mean))
        observed = np.bincount(np.searchsorted(cuts, n), minlength=len(cuts) + 1)
        expected = np.diff(np.r_[0, stats.poisson.cdf(cuts, mean), 1]) * replicates
        assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_those_living_are_poisson_for_any_life_times(plain: Any, finished: Any, tables: Any) -> None:
    """With the whole rulebook but no contact among founders N(t) is still Poisson, its mean from measured survival."""
    behaviour = Behaviour(peers=Peers(rate=0.0), exit=Exit(restarts=0.0))
    months, monthly, replicates = 18, 12.0, 200
    many = plain(behaviour=behaviour, arrivals=even(60_000.0), horizon=Horizon(months=months))
    cohort = tables(many, rng=9)["entrepreneurs"].query("arrival_month == 0")
    left = cohort["exit_month"].fillna(months).to_numpy(int)
    survival = [(left > a).mean() for a in range(months)]
    scenario = plain(behaviour=behaviour, arrivals=even(12 * monthly), horizon=Horizon(months=months))
    final = np.array([finished(scenario, replicate=r).people.size for r in range(replicates)])
    mean = monthly * sum(survival)
    assert abs(final.mean() - mean) < 4 * sqrt(mean / replicates + (monthly * months) ** 2 * 0.25 / len(cohort))
    assert abs(final.var(ddof=1) / final.mean() - 1) < 4 * sqrt(2 / replicates)


# absorbing chain --------------------------------------------------------------------------------------------------


def test_the_chain_is_an_absorbing_markov_chain_when_moves_are_constant_hazards(
    plain: Any, by_chance: Any, tables: Any
) -> None:
    """With open doors and constant chances, visits, absorption and life times are those of N = (I - Q)^-1.

    A founder goes to the highest stage that his draw reaches, so with chances b < a he skips the middle with chance b.
    """
    p, a, b, months = 0.08, 0.15, 0.05, 150
    low, middle, top = ({"id": name, "facilities": 1} for name in ("low", "middle", "top"))
    chain = (Stage(**low), Stage(**middle, apply=a), Stage(**top, apply=b))
    stay = 1 - p
    q = stay * np.array([[1 - a, a - b, b], [0, 1 - b, b], [0, 0, 1]])
    n = np.linalg.inv(np.eye(3) - q)
    absorbed = n @ np.diag([p, p, p])
    scenario = plain(chain=chain, behaviour=by_chance(p), arrivals=even(4000.0), horizon=Horizon(months=months))
    everyone = tables(scenario)["entrepreneurs"]
    people = everyone[everyone["arrival_month"] < 24]  # all of them gone by the end
    assert people["event"].all()
    size = len(people)
    for i, stage in enumerate(("low", "middle", "top")):
        spent = people[f"months_in_{stage}"]
        assert abs(spent.mean() - n[0, i]) < 4 * spent.std() / sqrt(size), stage
        share = (people["stage"] == stage).mean()
        assert abs(share - absorbed[0, i]) < 4 * sqrt(share * (1 - share) / size), stage
    life = people["duration_months"]
    assert abs(life.mean() - (n @ np.ones(3))[0]) < 4 * life.std() / sqrt(size)
    for k in (1, 12, 40):
        gone = 1 - np.linalg.matrix_power(q, k)[0].sum()
        assert abs((life <= k).mean() - gone) < 4 * sqrt(gone * (1 - gone) / size)
    skipped = (people["months_in_middle"] == 0) & (people["months_in_top"] + (people["stage"] == "top") > 0)
    straight = stay * b / (1 - stay * (1 - a))
    assert abs(skipped.mean() - straight) < 4 * sqrt(straight * (1 - straight) / size)


# seats ------------------------------------------------------------------------------------------------------------


def loss_system(seats: int, rate: float, leave: float) -> tuple[float, float]:
    """Blocking and mean occupancy: each month tenants leave by chance, then Poisson applicants take what is free."""
    n = np.arange(seats + 1)
    departs = np.array([[stats.binom.pmf(i - j, i, leave) if j <= i else 0 for j in n] for i in n])
    admits = np.array([[stats.poisson.pmf(k - j, rate) if k >= j else 0 for k in n] for j in n])
    admits[:, -1] = [stats.poisson.sf(seats - j - 1, rate) for j in n]
    month = departs @ admits
    values, vectors = np.linalg.eig(month.T)
    pi = np.real(vectors[:, np.argmax(np.real(values))])
    pi /= pi.sum()
    left = pi @ departs
    admitted = sum(left[j] * sum(min(x, seats - j) * stats.poisson.pmf(x, rate) for x in range(80)) for j in n)
    return 1 - admitted / rate, float(pi @ n)


def test_seats_are_a_loss_system_in_monthly_ticks(plain: Any, by_chance: Any, tables: Any) -> None:
    """Blocking and occupancy are those of the monthly chain; Erlang's formula is off by more than a twentieth."""
    seats, leave, applicants = 8, 0.2, 2.0
    arrivals = even(12 * applicants / (1 - leave))
    # only those of one month of age may apply, and all do: applicants are the month's newcomers who stayed
    house = Stage(id="house", facilities=2, places=seats // 2, apply=1.0, max_age=1, waiting_list=False)
    chain = (Stage(id="open", facilities=1), house)
    scenario = plain(chain=chain, behaviour=by_chance(leave), arrivals=arrivals, horizon=Horizon(months=600))
    blocked, occupied = [], []
    for replicate in range(20):
        months = tables(scenario, replicate=replicate)["months"]
        rows = months[(months["stage"] == "house") & (months["month"] >= 60)]
        blocked.append(rows["waiting"].sum() / (rows["waiting"].sum() + rows["admitted"].sum()))
        occupied.append(rows["living"].mean())
    blocking, occupancy = loss_system(seats, applicants, leave)
    for found, exact in ((blocked, blocking), (occupied, occupancy)):
        assert abs(np.mean(found) - exact) < 4 * np.std(found, ddof=1) / sqrt(len(found))
    load = applicants / leave
    erlang = load**seats / gamma(seats + 1) / sum(load**k / gamma(k + 1) for k in range(seats + 1))
    assert abs(np.mean(blocked) / erlang - 1) > 0.05


# ruin -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drift", [-15.0, 0.0, 25.0])
def test_insolvency_is_the_ruin_of_a_random_walk(drift: float, plain: Any, tables: Any) -> None:
    """Cash that moves by independent amounts is ruined by T as Brownian motion is, the barrier 0.5826 sigma away."""
    tau, months, start, credit = 0.08, 60, 1500.0, 500.0
    mean = 3000.0 * exp(tau**2 / 2)
    sigma = mean * sqrt(exp(tau**2) - 1)
    growth = Growth(kappa=0.0, drift=0.0, sigma=0.0, tau=tau, rho=0.0, beta=0.0, jump_chance=0.0)
    money = Money(margin=1.0, saved=1.0, living_cost=mean - drift, credit_line=credit)
    leave = Exit(chance_per_year=0.0, review=0.0, outside_wage=1e5, reservation_sd=0.0, restarts=0.0)
    scenario = plain(
        chain=(Stage(id="home", facilities=1, rent=0.0),),
        arrivals=even(90_000.0),
        behaviour=Behaviour(
            entry=Entry(sales_sd=0.0, gap_mean=0.0, gap_sd=0.0, cash_median=start, cash_sd=0.0),
            growth=growth, money=money, exit=leave, peers=Peers(rate=0.0),
        ),
        horizon=Horizon(months=months + 3),
    )  # fmt: skip
    people = tables(scenario)["entrepreneurs"].query("arrival_month < 3")
    assert set(people["exit_reason"].dropna()) == {"insolvent"}
    # the first month's product luck is 0: the walk proper begins after it
    ruined = ((people["duration_months"] <= months) & people["event"]).mean()
    height = start + credit + (3000.0 - mean + drift)
    steps = months - 1

    def ruin(barrier: float) -> float:
        root = sigma * sqrt(steps)
        return float(
            stats.norm.cdf((-barrier - drift * steps) / root)
            + exp(-2 * drift * barrier / sigma**2) * stats.norm.cdf((-barrier + drift * steps) / root)
        )

    exact = ruin(height + 0.5826 * sigma)
    assert abs(ruined - exact) < 4 * sqrt(exact * (1 - exact) / len(people)) + 0.004
    assert abs(ruined - ruin(height)) > 0.015  # without the correction it is off


# Little -----------------------------------------------------------------------------------------------------------


def test_littles_law_holds_exactly_on_a_run_to_empty(small: Any, by_chance: Any, tables: Any) -> None:
    """When everyone has gone, the months lived, summed over people, are the people trading, summed over months."""
    arrivals = Arrivals(per_year=400.0, growth_per_year=-0.5)
    t = tables(small(arrivals=arrivals, behaviour=by_chance(0.12), horizon=Horizon(months=300), policy=()))
    people, months = t["entrepreneurs"], t["months"]
    assert people["event"].all()
    assert months["living"].iloc[-1] == 0
    traded = {}
    for stage, rows in months.groupby("stage", observed=True):
        traded[stage] = (rows["living"].shift(fill_value=0) + rows["arrivals"]).sum()
        assert people[f"months_in_{stage}"].sum() == traded[stage], stage
    assert people["duration_months"].sum() == sum(traded.values()) == months["living"].sum() + len(people)
    assert traded["park"] > 0


# the market -------------------------------------------------------------------------------------------------------


def test_with_full_displacement_the_city_cannot_outsell_its_demand(plain: Any, tables: Any) -> None:
    """With eta = 1, constant demand and no product luck, all firms' expected sales together never change."""
    behaviour = Behaviour(growth=Growth(tau=0.0, jump_chance=0.0), peers=Peers(rate=0.0))
    base, grows = 300 * 5000.0, 0.05
    market = plain().market.model_copy(
        update={
            "displacement": 1.0,
            "trim": 1e10,
            "background": Background(entities=300, capacity=5000.0, growth_per_year=grows),
        }
    )
    t = tables(plain(behaviour=behaviour, market=market, horizon=Horizon(months=60)))
    months, city, people = t["months"], t["city"], t["entrepreneurs"]
    sales = months.groupby("month")["sales_cny"].sum()
    first = people.groupby("arrival_month")["first_sales_cny"].sum().reindex(sales.index, fill_value=0.0)
    background = base * (1 + grows) ** (sales.index / 12) / city["crowding"]
    assert city["crowding"].iloc[-1] > 1.5
    incumbents = sales - first  # newcomers are not yet part of the capacity that others feel
    total = (incumbents + background).to_numpy()
    assert np.abs(total / base - 1).max() < 1e-3
    free = market.model_copy(update={"displacement": 0.0})
    free = tables(plain(behaviour=behaviour, market=free, horizon=Horizon(months=60)))
    unshared = free["months"].groupby("month")["sales_cny"].sum()
    assert unshared.iloc[-1] > 1.3 * sales.iloc[-1]


def test_one_giant_does_not_crowd_the_city(plain: Any, tables: Any) -> None:
    """A firm counts with the trim at most, so crowding is bounded by people times trim."""
    market = Market(trim=2000.0, background=Background(entities=100, capacity=1000.0, growth_per_year=0.0))
    t = tables(plain(market=market))
    living = t["months"].groupby("month")["living"].sum()
    bound = 1 + living.shift(fill_value=0) * 2000.0 / 1e5
    assert (t["city"]["crowding"].to_numpy() <= bound.to_numpy() + 1e-12).all()
    assert t["city"]["crowding"].iloc[-1] > 1
