"""The contract of every instrument in the folder: who is paid, how much at most, where the money is, what it changes.

Each claim is tested for every file of sim/policy. What a claim must know of an instrument stands beside the tests of
its own rules, in tests/policy/test_<type>.py: see `NAMES`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.entrepreneurs.columns import COLUMNS, Columns
from sim.model import Pipeline
from sim.policy import training
from sim.policy._instrument import City, PolicyInstrument, find, types
from sim.policy.ledger import Ledger

NAMES = {
    "EXAMPLE": "parameters under which it pays somebody of the `town` within a year",
    "HERE": "what must differ for it to pay somebody of the `small` scenario; {} if nothing",
    "MAY_BE_PAID": "columns (with `stage` and `calendar`) -> mask: whom the text lets it pay, apart from `eligible`",
    "CHANGED": "other parameters that give another outcome",
    "EFFECT": "(a column that its effect raises, parameters that switch the effect off)",
}
"""What tests/policy/test_<type>.py must define, with what meaning."""

FUND = "fund"
"""Pays nobody itself: its budget holds for what others spend."""

every_instrument = pytest.mark.parametrize("kind", [kind for kind in types() if kind != FUND])


@cache
def _told(kind: str) -> ModuleType:
    file = Path(__file__).with_name(f"test_{kind}.py")
    assert file.exists(), f"give sim/policy/{kind}.py a tests/policy/{file.name}, with {', '.join(NAMES)}"
    spec = importlib.util.spec_from_file_location(f"told_of_{kind}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(kind: str, name: str) -> Any:
    """What the instrument's own test file says."""
    module = _told(kind)
    article = "an" if name[0] in "AEIOU" else "a"
    assert hasattr(module, name), f"give tests/policy/test_{kind}.py {article} {name}: {NAMES[name]}"
    return getattr(module, name)


def example(kind: str, **more: Any) -> Any:
    """An instrument that pays somebody of the town."""
    return find(kind)(id="lever", type=kind, **{**told(kind, "EXAMPLE"), **more})


def here(kind: str, **more: Any) -> Any:
    """An instrument that pays somebody of the small scenario."""
    return example(kind, **{**told(kind, "HERE"), **more})


@pytest.fixture(scope="module")
def at_first_pay(town: Any, act: Any, copied: Any) -> Callable[..., tuple[Columns, int, Any]]:
    """The town as it is when an instrument pays for the first time, the month, and what it then gives to each."""

    def find_it(instrument: Any) -> tuple[Columns, int, Any]:
        people, ledger = town(instrument), Ledger()
        for month in range(24):
            before = copied(people)
            given, _ = act(instrument, people, month, ledger)
            if (given > 0).any():
                return before, month, given
        pytest.fail(f"EXAMPLE of tests/policy/test_{instrument.type}.py pays nobody of the town in two years")

    return find_it


@pytest.fixture(scope="module")
def nothing(small: Any, tables: Any) -> dict[str, pd.DataFrame]:
    """Tables of the small scenario without any policy."""
    found: dict[str, pd.DataFrame] = tables(small(policy=()))
    return found


def by_uid(people: Columns) -> dict[int, tuple[Any, ...]]:
    """Everything that is kept of each person."""
    columns = [getattr(people, c) for c in (*COLUMNS, *people.memories)]
    return {int(uid): tuple(c[i] for c in columns) for i, uid in enumerate(people.uid)}


def paid_by_year(ledger: Ledger) -> dict[int, int]:
    """Fen paid in each calendar year."""
    books = ledger.entries()
    paid = pd.Series(books["paid"]).groupby((books["month"] + 291) // 12).sum()
    return {int(year): int(fen) for year, fen in paid.items()}  # type: ignore[call-overload]


# who --------------------------------------------------------------------------------------------------------------


@every_instrument
def test_it_pays_somebody_and_only_the_eligible(kind: str, town: Any, now: Any, act: Any, stage_of: Any) -> None:
    """In a year money goes to some of those whom the instrument is for, and to nobody else."""
    instrument, ledger = example(kind), Ledger()
    people, paid = town(instrument), 0
    for month in range(12):
        columns = people.take(np.arange(people.size))
        columns |= {"stage": stage_of[people.house], "calendar": now(month).calendar}
        given, cash = act(instrument, people, month, ledger)
        allowed = told(kind, "MAY_BE_PAID")(columns)
        assert not (given[~allowed] != 0).any()
        assert not (cash[~allowed] > 0).any()
        assert (given >= 0).all()
        paid += (given > 0).sum()
        people.age += 1
    assert paid > 0


@every_instrument
@pytest.mark.parametrize("priority", ["lot", "merit"])
def test_when_money_is_short_lot_or_merit_decides(
    kind: str, priority: str, at_first_pay: Any, act: Any, copied: Any
) -> None:
    """The same people get it whatever the order of rows: by lot not the first by row or identity, else the largest."""
    people, month, claims = at_first_pay(example(kind, priority=priority))
    instrument = example(kind, priority=priority, budget=float(claims.sum() / 200))  # half of what it would take
    order = np.random.default_rng(1).permutation(people.size)
    shuffled = copied(people, order)
    given, _ = act(instrument, people, month, Ledger())
    act(instrument, shuffled, month, Ledger())
    assert by_uid(people) == by_uid(shuffled)
    claimed, got = claims > 0, given > 0
    assert 0 < got.sum() < claimed.sum()
    assert not (got & ~claimed).any()
    if priority == "merit":
        assert people.smoothed[got].min() >= people.smoothed[claimed & ~got].max()
    else:
        for first in (np.arange(people.size), people.uid):
            ranks = np.argsort(np.argsort(first[claimed]))[got[claimed]]
            assert ranks.max() >= len(ranks)


# how much ---------------------------------------------------------------------------------------------------------


@every_instrument
def test_every_fen_is_in_the_books_and_in_somebodys_hands(kind: str, town: Any, act: Any) -> None:
    """What was given is in the ledger to the fen; given in cash it is in somebody's cash, in kind it is not.

    What else comes into cash is a loan, and what else leaves it goes back to the bank: no public money.
    """
    instrument, ledger, lent = example(kind), Ledger(), 0.0
    people = town(instrument)
    for month in range(12):
        given, cash = act(instrument, people, month, ledger)
        assert (given == np.round(given)).all()
        lent += (cash - given * instrument.in_cash).sum()
        books = ledger.entries()
        if not (books["lent"].any() or books["repaid"].any()):
            assert (cash == given * instrument.in_cash).all()
        people.age += 1
    assert books["paid"].sum() == people.received.sum() > 0
    assert books["lent"].sum() - books["repaid"].sum() == lent
    assert set(books["instrument"]) == {"lever"}


@every_instrument
@pytest.mark.parametrize("purse", ["budget", "budget_total", "fund", "fund_total"])
@pytest.mark.parametrize("budget", [0.0, 0.01, 500.0, 4321.09, 20_000.0])
def test_it_stops_at_its_budget(kind: str, purse: str, budget: float, town: Any, act: Any) -> None:
    """Neither in a year nor in all is more spent than may be, by itself or by a fund; and nothing is held back.

    Where a claim is refused, less is left than the largest claim in a run without limits; and a new year brings a new
    yearly budget.
    """
    limit = {"budget": budget} if purse in ("budget", "fund") else {"budget_total": budget}
    fund = find(FUND)(id="fund", covers=("lever",), **{"budget": None, "budget_total": None} | limit)
    instrument = example(kind, **({} if "fund" in purse else limit))
    people, ledger = town(instrument), Ledger([fund] if "fund" in purse else [])
    free, largest = town(instrument), 0.0
    for month in range(21):  # 2024-04 .. 2025-12
        for some in (people, free):
            some.age[:] = (some.age + 1) % 60
        act(instrument, people, month, ledger)
        largest = max(largest, act(example(kind), free, month, Ledger())[0].max())
    books = pd.DataFrame(ledger.entries())
    months = books.groupby("month")[["paid", "refused_fen"]].sum()
    span = (months.index + 291) // 12 if "budget" in limit else np.zeros(len(months), int)
    left = round(100 * budget) - months.groupby(span)["paid"].cumsum()
    assert (left >= 0).all()
    assert (left < months["refused_fen"].clip(upper=largest))[months["refused_fen"] > 0].all()
    assert months["refused_fen"].sum() > 0 or budget > 1000


@every_instrument
@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
def test_what_is_refused_is_booked(kind: str, part: float, at_first_pay: Any, act: Any) -> None:
    """Paid and refused together are what a budget without limit pays, in number and to the fen."""
    people, month, claims = at_first_pay(example(kind))
    ledger = Ledger()
    given, _ = act(example(kind, budget=float(claims.sum() / 100) * part), people, month, ledger)
    books = pd.DataFrame(ledger.entries())
    assert books["paid"].sum() == given.sum()
    assert books["paid"].sum() + books["refused_fen"].sum() == claims.sum()
    assert (books["refused"].sum() > 0) == (part < 1)
    assert part == 1 or claims.sum() * part - given.sum() < claims[given < claims].max()
    assert ((books["recipients"] > 0) == (books["paid"] > 0)).all()
    assert ((books["refused"] > 0) == (books["refused_fen"] > 0)).all()


@every_instrument
def test_the_first_estimate_is_about_right(kind: str, nothing: Any, small: Any, tables: Any) -> None:
    """Planner's arithmetic, where there is any, comes within a factor of three of what a run without limits pays."""
    lever, scenario = here(kind), small(policy=())
    last_year = nothing["months"][nothing["months"]["month"] >= 24]
    tenants = last_year.groupby("stage", observed=False)["living"].mean()
    mix = scenario.arrivals
    city = City(
        arrivals=mix.per_year,
        shares={**mix.education.model_dump(), **mix.origin.model_dump(), **mix.channel.model_dump()},
        tenants={s.id: float(tenants[s.id]) for s in scenario.chain},
        rent={s.id: s.rent for s in scenario.chain},
    )
    guess = lever.estimate(city)
    if guess is None:
        return
    assert guess >= 0
    ledger = tables(small(policy=(lever,)))["ledger"]
    paid = ledger.loc[ledger["month"] >= 24, "paid_cny"].sum() / 12
    assert paid / 3 <= guess <= 3 * paid


# what it changes --------------------------------------------------------------------------------------------------


@every_instrument
def test_its_effect_has_the_sign_that_it_says(kind: str, town: Any, act: Any) -> None:
    """All else frozen, the effect raises its column for some of those who are reached, and touches nobody else's."""
    column, without = told(kind, "EFFECT")
    lever, idle = example(kind), example(kind, **without)
    one, other = town(lever), town(idle)
    books, others = Ledger(), Ledger()
    reached = np.zeros(one.size, bool)
    for month in range(12):
        known = {name: getattr(one, name).copy() for name in one.memories}
        given, cash = act(lever, one, month, books)
        act(idle, other, month, others)
        reached |= (given != 0) | (cash != 0)
        for name, was in known.items():
            reached |= getattr(one, name) != was
        gain = getattr(one, column) - getattr(other, column)
        if gain.any():
            assert (gain[reached] >= 0).all()
            assert not gain[~reached].any()
            return
    pytest.fail(f"EXAMPLE has no effect on {column} within a year")


@every_instrument
@pytest.mark.parametrize(
    "off",
    [{"active": False}, {"since": "2099-01"}, {"until": "1999-12"}, {"budget": 0.0}, {"budget_total": 0.0}],
    ids=lambda off: next(iter(off)),
)
def test_switched_off_it_changes_no_bit(
    kind: str, off: dict[str, Any], nothing: Any, small: Any, tables: Any, assert_same: Any
) -> None:
    """Inactive, in no month or without money, it leaves every life as it is, and pays nothing.

    Without money the claims are refused, and stand in the ledger as that: nothing else may.
    """
    found = tables(small(policy=(here(kind, **off),)))
    ledger = found["ledger"]
    refused = (ledger["refused"] > 0) & (ledger[["paid_cny", "lent_cny", "repaid_cny"]] == 0).all(axis=1)
    assert refused.any() == any(name.startswith("budget") for name in off)
    found["ledger"] = nothing["ledger"] if refused.all() else ledger[~refused]
    assert_same(nothing, found, tuple(s.id for s in small().chain))


@every_instrument
def test_it_acts_from_its_first_to_its_last_month(kind: str, small: Any, tables: Any) -> None:
    """Nothing is granted before `since` and after `until`; only what is owed to those who close may be paid later."""
    settles = find(kind).closed is not PolicyInstrument.closed
    months = tables(small(policy=(here(kind, since="2024-12", until="2026-01"),)))["ledger"]
    granted = months[(months["lent_cny"] > 0) | (months["paid_cny"] > 0)]
    assert granted["month"].min() >= 8
    assert months.loc[(months["lent_cny" if settles else "paid_cny"]) > 0, "month"].max() <= 21


# the same whoever computes it -------------------------------------------------------------------------------------


@every_instrument
def test_both_engines_and_any_order_of_rows_give_the_same_bits(
    kind: str, small: Any, tables: Any, shuffled: Any, assert_same: Any
) -> None:
    """Columns, objects and columns in another order every month lead to the same tables, before and when money ends."""
    paid = tables(small(policy=(here(kind),)))["ledger"]["paid_cny"].sum()
    assert paid > 0, f"HERE of tests/policy/test_{kind}.py: nobody of the small scenario is paid"
    scenario = small(policy=(here(kind, budget_total=round(paid / 2, 2)),))
    columns, stages = tables(scenario), tuple(s.id for s in scenario.chain)
    assert (columns["ledger"]["refused"] > 0).any()
    assert_same(columns, tables(scenario.model_copy(update={"engine": "objects"})), stages)
    model = Pipeline(scenario)
    while model.running:
        shuffled(model, model.month)
        model.step()
    assert_same(columns, model.tables(), stages)


@every_instrument
def test_what_it_knows_of_a_person_stays_with_the_person(kind: str, town: Any, act: Any, copied: Any) -> None:
    """When rows are taken out and others move into the gaps, each who stays is treated as if nothing had moved."""
    instrument, rng = example(kind), np.random.default_rng(2)
    people, ledger = town(instrument), Ledger()
    for month in range(14):
        act(instrument, people, month, ledger)
        people.age += 1
    known = by_uid(people)
    assert all(np.any(getattr(people, name)) for name in people.memories)
    gone = np.sort(rng.permutation(people.size)[:700])
    tidy = copied(people, np.setdiff1d(np.arange(people.size), gone))
    tidy = copied(tidy, np.argsort(tidy.uid))
    people.remove(gone)
    assert by_uid(people) == {int(uid): known[int(uid)] for uid in tidy.uid}
    for month in range(14, 28):
        for some in (people, tidy):
            act(instrument, some, month, ledger)
            some.age += 1
    assert by_uid(people) == by_uid(tidy)


@every_instrument
def test_a_changed_copy_of_one_that_has_acted_forgets_nothing(kind: str, town: Any, act: Any) -> None:
    """What an instrument keeps between months does not leak into a copy with other parameters, nor break equality."""
    used, twin, changed = example(kind), example(kind), told(kind, "CHANGED")

    def lived(instrument: Any) -> dict[int, tuple[Any, ...]]:
        people, ledger = town(instrument), Ledger()
        for month in range(12):
            act(instrument, people, month, ledger)
            people.age += 1
        return by_uid(people)

    plain = lived(used)
    assert lived(twin) == plain
    assert used == twin
    assert lived(used.model_copy(update=changed)) == lived(example(kind, **changed)) != plain
    assert lived(used) == plain


# the ledger -------------------------------------------------------------------------------------------------------


def _course(**more: Any) -> training.Instrument:
    return training.Instrument(**{"id": "a", "courses": 4000, "take_up": 0.5, "cost_per_seat": 100.0, **more})


def test_the_books_sum_by_month_stage_and_education(town: Any, act: Any, stage_of: Any) -> None:
    """Each entry of the books is the sum of what people of that stage and education got that month."""
    people, ledger, rows = town(), Ledger(), []
    for month in (0, 7):
        given, _ = act(_course(), people, month, ledger)
        got = given > 0
        stage, education = stage_of[people.house[got]], people.education[got]
        rows.append(pd.DataFrame({"month": month, "stage": stage, "education": education, "paid": given[got]}))
    sums = pd.concat(rows).groupby(["month", "stage", "education"])["paid"].agg(["size", "sum"])
    books = pd.DataFrame(ledger.entries()).set_index(["month", "stage", "education"])
    assert (sums["size"] == books["recipients"].reindex(sums.index)).all()
    assert (sums["sum"] == books["paid"].reindex(sums.index)).all()
    assert len(sums) == len(books)


def test_two_instruments_keep_two_budgets(town: Any, now: Any) -> None:
    """What one instrument spends leaves the other's budget as it was."""
    people, ledger = town(), Ledger()
    for name in ("a", "b"):
        _course(id=name, budget=3000.0).act(people, now(0), ledger)
    books = pd.DataFrame(ledger.entries()).groupby("instrument")["paid"].sum()
    assert books.to_dict() == {"a": 300_000, "b": 300_000}


def test_a_fund_limits_what_its_instruments_spend_together(town: Any, now: Any) -> None:
    """First come, first served among the instruments that a fund covers; another's money is not touched."""
    fund = find(FUND)(id="f", covers=("a", "b"), budget=4000.0)
    people, ledger = town(), Ledger([fund])
    for name in ("a", "b", "c"):
        _course(id=name, budget=3000.0).act(people, now(0), ledger)
    books = pd.DataFrame(ledger.entries()).groupby("instrument")["paid"].sum()
    assert books.to_dict() == {"a": 300_000, "b": 100_000, "c": 300_000}


@pytest.fixture
def begun(small: Any, tables: Any) -> Callable[..., tuple[int, int]]:
    """First and last month in which courses are held."""

    def months(**when: Any) -> tuple[int, int]:
        found = tables(small(policy=(_course(**when),)))["ledger"]["month"]
        return int(found.min()), int(found.max())

    return months


def test_since_and_until_are_the_first_and_the_last_month(begun: Any) -> None:
    """Both months count, and each may be left open."""
    assert begun(since="2025-01", until="2025-08") == (9, 16)
    assert begun(since="2025-01") == (9, 35)
    assert begun(until="2025-08") == (0, 16)
