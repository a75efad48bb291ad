"""Rent relief: a share of last month's rent, by stage."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.policy import rent_relief
from sim.policy.ledger import Ledger

EXAMPLE: dict[str, Any] = {"share": {"house": 0.5, "park": 0.33}}
HERE: dict[str, Any] = {"share": {"village": 0.5}}
CHANGED: dict[str, Any] = {"share": {"house": 0.1}}
EFFECT = ("relief", {"share": {"house": 0.0, "park": 0.0}})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Tenants of the house and the park who paid rent."""
    return np.isin(p["stage"], (1, 2)) & (p["rent"] > 0)


def test_it_is_a_share_of_last_months_rent(town: Any, act: Any, stage_of: Any) -> None:
    """Tenants get the stated share of the rent they paid last month, to the fen, and count on it this month."""
    people = town()
    lever = rent_relief.Instrument(id="rent", share={"house": 0.5, "park": 0.25})
    given, _ = act(lever, people, 0, Ledger())
    share = np.array([0, 0.5, 0.25, 0])[stage_of[people.house]]
    assert (np.abs(given - 100 * share * people.rent) < 1).all()
    assert (people.relief == np.where(people.rent > 0, share, 0.0)).all()


def test_it_is_never_more_than_the_rent(town: Any, now: Any) -> None:
    """Two reliefs for one stage add up, to the whole rent at most."""
    people, ledger = town(), Ledger()
    for name in ("a", "b"):
        rent_relief.Instrument(id=name, share={"house": 0.8}).act(people, now(0), ledger)
    assert people.relief.max() == 1.0
    assert (people.received <= 100 * people.rent).all()
