"""Village mentor groups: whom they guide, and how much sooner potential is reached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.chain.stage import Stage
from sim.entrepreneurs.behaviour import Behaviour, Growth
from sim.entrepreneurs.rules import Constants
from sim.model import Pipeline
from sim.policy import mentors
from sim.policy.ledger import Ledger

EXAMPLE: dict[str, Any] = {"villages": 0.5, "max_age": 30, "allowance": 123.45}
HERE: dict[str, Any] = {"villages": 1.0}
CHANGED: dict[str, Any] = {"mentoring": 0.3}
EFFECT = ("level", {"mentoring": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Newcomers in the first of two villages."""
    return (p["age"] < 30) & (p["house"] == 0)


def _gaps(scenario: Any, months: int) -> dict[int, float]:
    """Potential less level of each founder, after so many months."""
    model = Pipeline(scenario, collect=False)
    for _ in range(months):
        model.step()
    people = model.people
    return dict(zip(people.uid.tolist(), (people.potential - people.level).tolist(), strict=True))


@pytest.mark.parametrize("faster", [0.0, 0.1, 0.3])
def test_the_gap_to_potential_closes_faster_by_the_stated_part(plain: Any, faster: float) -> None:
    """In each of the first months a gap shrinks by 1 - f kappa beside the usual 1 - kappa; a surplus does not."""
    lever = mentors.Instrument(id="m", villages=1.0, max_age=6, mentoring=faster)
    behaviour = plain().behaviour
    guided, alone = _gaps(plain(policy=(lever,)), 15), _gaps(plain(), 15)
    both = np.array(sorted(guided.keys() & alone.keys()))
    gap, usual = (np.array([some[uid] for uid in both]) for some in (guided, alone))
    months = 291 + 15 - both // 10**7  # that he has traded
    assert set(np.minimum(months, 6)) == set(range(1, 7))
    left = (1 - faster * behaviour.growth.kappa) ** np.minimum(months, 6)
    np.testing.assert_allclose(gap, usual * np.where(usual > 0, left, 1.0), rtol=1e-9, atol=1e-12)
    assert (usual < 0).any()


def test_nobody_is_guided_past_his_potential(town: Any, now: Any) -> None:
    """At the highest speeds that can be set, the level comes to the potential and stays there."""
    people = town()
    whole = Constants.of(Behaviour(growth=Growth(kappa=1.0)), 1e7)
    people.potential[::2] = people.level[::2] - 1.0
    level, potential = people.level.copy(), people.potential.copy()
    mentors.guide(people, now(0)._replace(constants=whole), np.arange(people.size), 1.0)
    np.testing.assert_allclose(people.level, np.maximum(level, potential), rtol=1e-12)


@pytest.mark.parametrize(("share", "guided"), [(0.0, 0), (0.34, 3), (0.46, 5), (1.0, 10)])
def test_the_stated_share_of_villages_has_a_group(plain: Any, share: float, guided: int) -> None:
    """So many villages, rounded, and all newcomers in them; with more groups, the same villages keep theirs."""
    lever = mentors.Instrument(id="m", villages=share, max_age=4)
    chain = (Stage(id="village", facilities=10), Stage(id="house", facilities=3, places=5, threshold=5e4, apply=1.0))
    model = Pipeline(plain(policy=(lever,), chain=chain), collect=False)
    for _ in range(12):
        model.step()
    people, ledger = model.people, Ledger()
    before = people.received.copy()
    lever.act(people, model.now(), ledger)
    served = people.received > before
    assert (served == (people.house < guided) & (people.age < 4)).all()
    assert set(people.house[served]) == set(range(guided))
    assert (people.house >= 10).any()


def test_a_year_of_guidance_costs_the_yearly_allowance(town: Any, now: Any) -> None:
    """Twelve months add up to the allowance to the fen, for each who is guided throughout; it is not his money."""
    people, ledger = town(), Ledger()
    cash = people.cash.copy()
    people.age[:] = 3
    lever = mentors.Instrument(id="m", villages=1.0, allowance=123.47)
    for month in range(7, 19):
        lever.act(people, now(month), ledger)
    books = pd.DataFrame(ledger.entries())
    newcomers = (people.house < 2).sum()
    assert books["paid"].sum() == 12_347 * newcomers
    assert set(books.groupby("month")["recipients"].sum()) == {newcomers}
    assert set(people.received) == {0, 12_347}
    assert (people.cash == cash).all()
