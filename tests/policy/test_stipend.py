"""The living stipend: to whom, how much, how often."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.entrepreneurs.arrivals import Arrivals, EducationMix, OriginMix
from sim.policy import stipend
from sim.policy.ledger import Ledger
from sim.scenario.schema import Horizon

EXAMPLE: dict[str, Any] = {"eligible_share": 0.7, "first_after": 2}
HERE: dict[str, Any] = {}
CHANGED: dict[str, Any] = {"amount": stipend.Amount(associate=1.0, bachelor=2.0, master=3.0, phd=4.0)}
EFFECT = ("cash", {"amount": stipend.Amount(associate=0.0, bachelor=0.0, master=0.0, phd=0.0)})


def MAY_BE_PAID(p: dict[str, Any]) -> Any:
    """Graduates with a degree, in their first shop, who have traded 2, 14 or 26 months."""
    return np.isin(p["age"], (2, 14, 26)) & (p["origin"] == 0) & (p["uid"] % 10 == 0) & (p["education"] > 0)


def test_it_is_paid_by_degree_at_months_12_24_and_36(small: Any, tables: Any) -> None:
    """Nothing before 12 months, at most three payments, each of the amount of the degree, to graduates' first shops."""
    lever = stipend.Instrument(id="stipend", eligible_share=1.0)
    scenario = small(
        policy=(lever,),
        horizon=Horizon(months=60),
        arrivals=Arrivals(
            per_year=240.0,
            education=EducationMix(secondary=0.1, associate=0.3, bachelor=0.3, master=0.2, phd=0.1),
            origin=OriginMix(graduate=0.6, returnee=0.2, local=0.1, merchant_child=0.1),
        ),
    )
    people = tables(scenario)["entrepreneurs"]
    amount = people["education"].astype(str).map({"secondary": 0, "associate": 5000, "bachelor": 10_000, "master": 20_000, "phd": 83_333.33})  # fmt: skip # noqa: E501
    # in the month in which he has traded 12, 24 or 36 months already, so he trades in that month as well
    times = ((people["duration_months"] - 1) // 12).clip(0, 3)
    due = (people["origin"] == "graduate") & (people["attempt"] == 0)
    np.testing.assert_allclose(people["received_cny"], (amount * times).where(due, 0.0), atol=0.005)
    assert (people["received_cny"][(people["education"] == "phd")] <= 250_000).all()
    assert times[due].max() == 3


def test_the_same_people_are_eligible_every_year(town: Any, act: Any) -> None:
    """Eligibility is drawn once for each person, with the stated share."""
    people, ledger, paid = town(n=4000), Ledger(), []
    people.origin[:], people.education[:] = 0, 1
    people.uid[:] = people.uid // 10 * 10
    for age in (12, 24, 36):
        people.age[:] = age
        given, _ = act(stipend.Instrument(id="s", eligible_share=0.3), people, age, ledger)
        paid.append(given > 0)
    assert (paid[0] == paid[1]).all()
    assert (paid[0] == paid[2]).all()
    assert abs(paid[0].mean() - 0.3) < 4 * np.sqrt(0.21 / 4000)


def test_founders_who_do_not_count_as_working_get_none(town: Any, act: Any) -> None:
    """The switch takes the stipend from founders."""
    given, _ = act(stipend.Instrument(id="s", first_after=0, founders_qualify=False), town(), 0, Ledger())
    assert not given.any()


def test_a_front_loaded_doctor_gets_the_same_in_all(town: Any, act: Any) -> None:
    """40, 32 and 28 % of 250,000 CNY instead of three thirds: the total is the same but for the thirds' last fen."""
    people, ledger = town(n=1), Ledger()
    people.origin[:], people.education[:] = 0, 4
    people.uid[:] = people.uid // 10 * 10
    paid = []
    for age in (12, 24, 36):
        people.age[:] = age
        lever = stipend.Instrument(id="s", eligible_share=1.0, doctor="front_loaded")
        paid.append(int(act(lever, people, age, ledger)[0][0]))
    assert np.abs(np.array(paid) - [10_000_000, 8_000_000, 7_000_000]).max() <= 1
