"""The founders' contest: who enters, who wins what, when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim.policy import contest
from sim.policy._instrument import Draw
from sim.policy.contest import Prize, Winners
from sim.policy.ledger import Ledger

EXAMPLE: dict[str, Any] = {"teams": 300, "effect": 0.05}
HERE: dict[str, Any] = {"teams": 40}
CHANGED: dict[str, Any] = {"prize": Prize(first=1.0, second=2.0, third=3.0)}
EFFECT = ("training", {"effect": 0.0})

JUNE = 2  # months after 2024-04


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """In June, shops that have traded for 1 to 35 months."""
    return (p["calendar"] % 12 == 5) & (p["age"] > 0) & (p["age"] <= 35)


def exact(**more: Any) -> contest.Instrument:
    """A jury that sees nothing but sales, and room for everybody."""
    return contest.Instrument(**{"id": "c", "teams": 10**6, "noise_sd": 0.0, "max_age": 1200, **more})


def test_prizes_go_by_rank(town: Any, act: Any) -> None:
    """A jury without noise gives 15,000, twice 8,000 and six times 5,000 to the nine largest, in that order."""
    people = town()
    given, cash = act(exact(), people, JUNE, Ledger())
    traded = np.flatnonzero(people.age >= 1)
    best = traded[np.argsort(-people.smoothed[traded])][:9]
    assert given[best].tolist() == [1_500_000, *[800_000] * 2, *[500_000] * 6]
    assert given.sum() == given[best].sum() == cash.sum() == 6_100_000


def test_it_is_held_once_a_year_in_its_month(town: Any, act: Any) -> None:
    """Four years see four contests, all in the stated month."""
    ledger, people = Ledger(), town()
    for month in range(48):
        act(contest.Instrument(id="c", month=11), people, month, ledger)
    books = ledger.entries()
    assert np.unique(books["month"]).tolist() == [7, 19, 31, 43]
    assert books["recipients"].sum() == 4 * 9


@pytest.mark.parametrize("teams", [0, 1, 4, 9, 100])
def test_no_more_win_than_enter(teams: int, town: Any, act: Any) -> None:
    """With fewer teams than prizes the best prizes are given, and the others are not."""
    given, _ = act(contest.Instrument(id="c", teams=teams), town(), JUNE, Ledger())
    prizes = [1_500_000, *[800_000] * 2, *[500_000] * 6]
    assert np.sort(given[given > 0])[::-1].tolist() == prizes[:teams]


def test_every_young_shop_is_as_likely_to_enter(town: Any, now: Any) -> None:
    """If all who enter win, the winners are the teams: chance tells who of the young ones, and not their sales."""
    lever = contest.Instrument(id="c", teams=200, winners=Winners(first=200))
    people = town()
    young = lever.eligible(people, now(JUNE))
    assert (np.sort(young) == np.flatnonzero((people.age >= 1) & (people.age < 36))).all()
    times = np.zeros(people.size)
    for year in range(60):
        team = lever.takers(people, now(JUNE + 12 * year), young)
        assert len(np.unique(team)) == 200
        times[team] += 1
    share = 200 / len(young)
    assert abs(times[young].var() / (60 * share * (1 - share)) - 1) < 0.2
    assert abs(stats.spearmanr(times[young], people.smoothed[young]).statistic) < 4 / np.sqrt(len(young))


def test_the_noise_is_normal_with_its_spread(town: Any, now: Any) -> None:
    """Two shops compete: the smaller wins as often as a normal difference of sd sqrt(2) noise says."""
    lever = exact(noise_sd=0.8)
    people = town(n=2)
    people.age[:], people.smoothed[:] = 5, (100_000.0, 200_000.0)
    years = 4000
    wins = sum(int(lever.takers(people, now(12 * year), np.array([0, 1]))[0]) == 0 for year in range(years))
    expected = stats.norm.cdf(-np.log(2.0) / (0.8 * np.sqrt(2)))
    assert abs(wins / years - expected) < 4 * np.sqrt(expected * (1 - expected) / years)


def test_merit_counts_the_less_the_more_noise_there_is(town: Any, now: Any) -> None:
    """From pure merit to a lottery, winners' sales fall towards those of all teams."""
    people, rows = town(), np.arange(2000)
    sales = np.log(people.smoothed)
    means = [sales[exact(noise_sd=sd).takers(people, now(JUNE), rows)].mean() for sd in (0.0, 1.0, 3.0, 10.0)]
    assert means == sorted(means, reverse=True)
    assert means[0] - sales.mean() > 4


def test_normal_draws_are_normal_and_a_persons_own(town: Any, now: Any) -> None:
    """`now.normals` is the normal quantile of the draw for NOISE: standard normal, the same in any order of rows."""
    people, lever = town(), exact()
    rows = np.random.default_rng(0).permutation(people.size)
    drawn = now(0).normals(lever, people, rows)
    assert stats.kstest(drawn, "norm").pvalue > 0.001
    np.testing.assert_allclose(drawn, stats.norm.ppf(now(0).lots(lever, people, rows, Draw.NOISE)), rtol=1e-8)
    assert (now(1).normals(lever, people, rows) != drawn).all()
    assert (
        now(1).normals(lever, people, rows, for_life=True) == now(0).normals(lever, people, rows, for_life=True)
    ).all()


def test_logs_are_the_portable_ones(now: Any) -> None:
    """`now.logs` gives for each number, to the last bit, what `now.ln` gives for one."""
    values = np.random.default_rng(0).lognormal(10, 3, 500)
    assert now(0).logs(values).tolist() == [now(0).ln(v) for v in values.tolist()]


def test_a_prize_is_money_and_no_renown_by_default(town: Any, act: Any) -> None:
    """By default nothing but cash and what was received changes."""
    people, before = town(), town()
    act(contest.Instrument(id="c"), people, JUNE, Ledger())
    for name in ("training", "standing", "level", "potential", "relief"):
        assert (getattr(people, name) == getattr(before, name)).all()
    assert (people.cash != before.cash).sum() == 9
