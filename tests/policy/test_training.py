"""Training courses: their seats, and how long they help."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.policy import training
from sim.policy.ledger import Ledger

EXAMPLE: dict[str, Any] = {"courses": 40, "seats": 5, "take_up": 0.3, "cost_per_seat": 123.45}
HERE: dict[str, Any] = {}
CHANGED: dict[str, Any] = {"effect": 0.3}
EFFECT = ("training", {"effect": 0.0})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Whoever has traded less than three years."""
    return p["age"] < 36


def test_it_never_seats_more_than_its_courses_hold(town: Any, now: Any) -> None:
    """In a calendar year no more than courses x seats are trained, however many apply; all if there is room."""
    people, ledger = town(), Ledger()
    people.age[:] = 5
    lever = training.Instrument(id="t", courses=31, seats=7, take_up=1.0)
    for month in range(9, 21):
        lever.act(people, now(month), ledger)
    assert ledger.entries()["recipients"].sum() == 31 * 7
    roomy = training.Instrument(id="t", courses=10_000, seats=100, take_up=0.3)
    ledger = Ledger()
    roomy.act(people, now(0), ledger)
    assert abs(ledger.entries()["recipients"].sum() / 2000 - 0.3) < 4 * np.sqrt(0.21 / 2000)


def test_its_effect_fades_within_about_a_year(plain: Any) -> None:
    """Right after a course sales are up by the effect; the gain then fades by a twelfth a month."""
    from sim.model import Pipeline

    lever = training.Instrument(id="t", courses=10**5, seats=100, take_up=1.0, effect=0.1, until="2024-04")
    model = Pipeline(plain(policy=(lever,)))
    twin = Pipeline(plain())
    gains = []
    for _ in range(24):
        model.step()
        twin.step()
        both, a, b = np.intersect1d(model.people.uid, twin.people.uid, return_indices=True)
        trained = both // 10**7 == 291
        gains.append(np.log(model.people.sales[a] / twin.people.sales[b])[trained])
    for month, gain in enumerate(gains):
        np.testing.assert_allclose(gain, np.log(1.1) * (11 / 12) ** month, atol=1e-9)
    assert len(gains[-1]) > 0
