"""The contract of every instrument in the folder: who is paid, how much at most, and where the money is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.entrepreneurs.arrivals import Arrivals, EducationMix, OriginMix
from sim.entrepreneurs.columns import Columns, identity
from sim.entrepreneurs.draws import replicate_key, uniforms
from sim.entrepreneurs.streams import Stream
from sim.policy import rent_relief, stipend, training
from sim.policy._instrument import find, types
from sim.policy.ledger import Ledger, Now
from sim.scenario.schema import Horizon

KEY = replicate_key(1, 0)
STAGES = ("village", "house", "park")
STAGE_OF = np.array([0, 0, 1, 1, 2, 3, 3, 3], np.int8)

EXAMPLES: dict[str, dict[str, Any]] = {
    "stipend": {"eligible_share": 0.7, "first_after": 2},
    "rent_relief": {"share": {"house": 0.5, "park": 0.33}},
    "training": {"courses": 40, "seats": 5, "take_up": 0.3, "cost_per_seat": 123.45},
}
"""For each type, parameters under which it pays somebody in `town`. A new instrument needs its line here."""

CHANGED: dict[str, dict[str, Any]] = {
    "stipend": {"amount": stipend.Amount(associate=1.0, bachelor=2.0, master=3.0, phd=4.0)},
    "rent_relief": {"share": {"house": 0.1}},
    "training": {"effect": 0.3},
}
"""For each type, other parameters that give another outcome."""

HERE: dict[str, dict[str, Any]] = {"rent_relief": {"share": {"village": 0.5}}}
"""What must differ for it to pay somebody every month of the small scenario."""

MAY_BE_PAID: dict[str, Callable[[dict[str, Any]], Any]] = {
    "stipend": lambda p: (p["age"] >= 2) & (p["age"] < 38) & ((p["age"] - 2) % 12 == 0) & (p["origin"] == 0)
    & (p["uid"] % 10 == 0) & (p["education"] > 0),
    "rent_relief": lambda p: np.isin(STAGE_OF[p["house"]], (1, 2)) & (p["rent"] > 0),
    "training": lambda p: p["age"] < 36,
}  # fmt: skip
"""For each type, whom the text lets it pay."""


def town(n: int = 2000, seed: int = 0) -> Columns:
    rng = np.random.default_rng(seed)
    people = Columns(len(STAGES))
    people.append(
        {
            "uid": identity(280, rng.permutation(n)) + (rng.random(n) < 0.1),
            "age": rng.integers(0, 60, n),
            "education": rng.integers(0, 5, n),
            "origin": rng.integers(0, 4, n) * (rng.random(n) < 0.5),
            "house": rng.integers(0, len(STAGE_OF), n),
            "rent": np.round(rng.lognormal(6, 1, n), 3) * (rng.random(n) < 0.9),
            "cash": np.round(rng.normal(0, 1e6, n)),
            "spent": np.zeros((4, n)),
        }
    )
    return people


def now(month: int) -> Now:
    return Now(month, 291 + month, KEY, STAGES, STAGE_OF)


def example(kind: str, **more: Any) -> Any:
    assert kind in EXAMPLES, f"give sim/policy/{kind}.py a line in EXAMPLES and in MAY_BE_PAID"
    return find(kind)(id="lever", type=kind, **{**EXAMPLES[kind], **more})


def act(instrument: Any, people: Columns, month: int, ledger: Ledger) -> tuple[Any, Any]:
    """Act once; what each was given, and what came into his cash, in fen."""
    received, cash = people.received.copy(), people.cash.copy()
    instrument.act(people, now(month), ledger)
    return people.received - received, people.cash - cash


every_instrument = pytest.mark.parametrize("kind", types())


@every_instrument
def test_it_pays_somebody_and_only_the_eligible(kind: str) -> None:
    """Money goes to some of those whom the instrument is for, and to nobody else."""
    people = town()
    given, _ = act(example(kind), people, 3, Ledger())
    allowed = MAY_BE_PAID[kind](people.take(np.arange(people.size)))
    assert (given > 0).any()
    assert not (given[~allowed] != 0).any()


@every_instrument
def test_every_fen_is_in_the_books_and_in_somebodys_hands(kind: str) -> None:
    """What was given is in the ledger to the fen; what was given in cash is in somebody's cash, the rest in kind."""
    people, ledger = town(), Ledger()
    for month in range(5):
        given, cash = act(example(kind), people, month, ledger)
        assert (given == np.round(given)).all()
        assert ((cash == given) | (cash == 0)).all()
        assert (cash == (0 if kind == "training" else given)).all()
    books = ledger.entries()
    assert books["paid"].sum() == people.received.sum() > 0
    assert set(books["instrument"]) == {"lever"}


@every_instrument
@pytest.mark.parametrize("budget", [0.0, 0.01, 500.0, 4321.09, 20_000.0])
def test_it_stops_at_its_budget(kind: str, budget: float) -> None:
    """In no calendar year is more spent than the yearly budget, and a new year brings a new one."""
    instrument, people, ledger = example(kind, budget=budget), town(), Ledger()
    for month in range(21):  # 2024-04 .. 2025-12
        people.age[:] = (people.age + 1) % 60
        instrument.act(people, now(month), ledger)
    books = ledger.entries()
    by_year = pd.Series(books["paid"]).groupby((books["month"] + 291) // 12).sum()
    assert (by_year <= round(100 * budget)).all()
    if budget > 10_000:
        assert len(by_year) == 2
        assert (by_year > 0.5 * 100 * budget).all()


@every_instrument
def test_a_short_budget_goes_by_lot_and_not_by_row(kind: str) -> None:
    """When money is short, the same people get it whatever the order of rows, and not the first by identity."""
    one, other = town(), town()
    order = np.random.default_rng(1).permutation(len(other))
    for block in other._blocks.values():
        block[:, : len(other)] = block[:, : len(other)][:, order]
    full = town()
    example(kind).act(full, now(0), Ledger())
    instrument = example(kind, budget=full.received.sum() / 200)  # half of what it would take
    for people in (one, other):
        instrument.act(people, now(0), Ledger())
    assert (one.received[order] == other.received).all()
    assert (one.relief[order] == other.relief).all()
    assert (one.training[order] == other.training).all()
    ranks = np.argsort(np.argsort(full.uid[full.received > 0]))
    funded = ranks[one.received[full.received > 0] > 0]
    assert 0 < len(funded) < len(ranks)
    assert funded.max() > len(funded)


@every_instrument
def test_switched_off_it_changes_no_bit(kind: str, small: Any, tables: Any, assert_same: Any) -> None:
    """Inactive, in no month or without money, an instrument leaves every life as it is."""
    none, stages = tables(small(policy=())), tuple(s.id for s in small().chain)
    for off in ({"active": False}, {"since": "2099-01"}, {"until": "1999-12"}, {"budget": 0.0}):
        lever = example(kind, **{**HERE.get(kind, {}), **off})
        assert_same(none, tables(small(policy=(lever,))), stages)


@every_instrument
def test_it_acts_from_its_first_to_its_last_month(kind: str, small: Any, tables: Any) -> None:
    """`since` and `until` are the first and the last month with payments in the ledger."""
    lever = example(kind, **{**HERE.get(kind, {}), "since": "2025-01", "until": "2025-08"})
    months = tables(small(policy=(lever,)))["ledger"]["month"]
    assert (months.min(), months.max()) == (9, 16)


@every_instrument
def test_a_changed_copy_of_one_that_has_acted_forgets_nothing(kind: str) -> None:
    """What an instrument keeps between months does not leak into a copy with other parameters, nor break equality."""
    used, twin = example(kind), example(kind)
    for instrument in (used, twin):
        instrument.act(town(), now(0), Ledger())
    assert used == twin
    fresh, copied = town(), town()
    example(kind, **CHANGED[kind]).act(fresh, now(0), Ledger())
    used.model_copy(update=CHANGED[kind]).act(copied, now(0), Ledger())
    twin.act(unchanged := town(), now(0), Ledger())
    copied_same, unchanged_same = (
        all((getattr(fresh, c) == getattr(other, c)).all() for c in ("cash", "received", "training", "relief"))
        for other in (copied, unchanged)
    )
    assert copied_same
    assert not unchanged_same


# the ledger -------------------------------------------------------------------------------------------------------


def test_the_books_sum_by_month_stage_and_education() -> None:
    """Each entry of the books is the sum of what people of that stage and education got that month."""
    people, ledger, rows = town(), Ledger(), []
    for month in (0, 7):
        given, _ = act(example("training"), people, month, ledger)
        got = given > 0
        stage, education = STAGE_OF[people.house[got]], people.education[got]
        rows.append(pd.DataFrame({"month": month, "stage": stage, "education": education, "paid": given[got]}))
    told = pd.concat(rows).groupby(["month", "stage", "education"])["paid"].agg(["size", "sum"])
    books = pd.DataFrame(ledger.entries()).set_index(["month", "stage", "education"])
    assert (told["size"] == books["recipients"].reindex(told.index)).all()
    assert (told["sum"] == books["paid"].reindex(told.index)).all()
    assert len(told) == len(books)


def test_two_instruments_keep_two_budgets() -> None:
    """What one instrument spends leaves the other's budget as it was."""
    people, ledger = town(), Ledger()
    lever = training.Instrument(id="a", courses=4000, take_up=0.5, budget=3000.0, cost_per_seat=100.0)
    for name in ("a", "b"):
        lever.model_copy(update={"id": name}).act(people, now(0), ledger)
    books = pd.DataFrame(ledger.entries()).groupby("instrument")["paid"].sum()
    assert books.to_dict() == {"a": 300_000, "b": 300_000}


# each by itself ---------------------------------------------------------------------------------------------------


def test_the_stipend_is_paid_by_degree_at_months_12_24_and_36(small: Any, tables: Any) -> None:
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


def test_the_same_people_are_eligible_for_a_stipend_every_year() -> None:
    """Eligibility is drawn once for each person, with the stated share."""
    people, ledger, paid = town(4000), Ledger(), []
    people.origin[:], people.education[:] = 0, 1
    people.uid[:] = people.uid // 10 * 10
    for age in (12, 24, 36):
        people.age[:] = age
        given, _ = act(stipend.Instrument(id="s", eligible_share=0.3), people, age, ledger)
        paid.append(given > 0)
    assert (paid[0] == paid[1]).all()
    assert (paid[0] == paid[2]).all()
    assert abs(paid[0].mean() - 0.3) < 4 * np.sqrt(0.21 / 4000)
    assert (paid[0] == (uniforms(KEY, Stream.ELIGIBILITY, people.uid, 0) < 0.3)).all()


def test_founders_who_do_not_count_as_working_get_no_stipend() -> None:
    """The switch takes the stipend from founders."""
    given, _ = act(stipend.Instrument(id="s", first_after=0, founders_qualify=False), town(), 0, Ledger())
    assert not given.any()


def test_rent_relief_is_a_share_of_last_months_rent() -> None:
    """Tenants get the stated share of the rent they paid last month, to the fen, and count on it this month."""
    people = town()
    lever = rent_relief.Instrument(id="rent", share={"house": 0.5, "park": 0.25})
    given, _ = act(lever, people, 0, Ledger())
    share = np.array([0, 0.5, 0.25, 0])[STAGE_OF[people.house]]
    assert (np.abs(given - 100 * share * people.rent) < 1).all()
    assert (people.relief == np.where(people.rent > 0, share, 0.0)).all()


def test_relief_is_never_more_than_the_rent() -> None:
    """Two reliefs for one stage add up, to the whole rent at most."""
    people, ledger = town(), Ledger()
    for name in ("a", "b"):
        rent_relief.Instrument(id=name, share={"house": 0.8}).act(people, now(0), ledger)
    assert people.relief.max() == 1.0
    assert (people.received <= 100 * people.rent).all()


def test_training_never_seats_more_than_its_courses_hold() -> None:
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


def test_the_effect_of_training_fades_within_about_a_year(plain: Any) -> None:
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
