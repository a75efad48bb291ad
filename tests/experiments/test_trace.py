"""A life as it is told is the life that the run holds, and its draws are those of the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from pydantic import PrivateAttr, ValidationError

import sim.experiments.tracing.witness
from sim.entrepreneurs.arithmetic import exp, log, normal
from sim.entrepreneurs.arrivals import CHANNELS, Arrivals
from sim.entrepreneurs.behaviour import Behaviour, Exit, Growth, Peers
from sim.entrepreneurs.draws import replicate_key, uniform
from sim.entrepreneurs.rules import Newcomer
from sim.entrepreneurs.streams import Stream
from sim.errors import RunError, SimError, StoreError
from sim.experiments.tracing.recall import PICKS, Source, check, source
from sim.experiments.tracing.trace import CLOSED, Event, Life, NobodyError, difference, received, trace
from sim.experiments.tracing.witness import Relived
from sim.market.demand import Series
from sim.model import Pipeline
from sim.observation import calendar_month
from sim.policy import rent_relief, stipend, training
from sim.policy._instrument import Draw, PolicyInstrument, find, types
from sim.scenario.schema import Horizon, Initial, Scenario
from sim.simulation import run
from sim.store import read_manifest, whole_folder, write_manifest

Small = Callable[..., Scenario]
Tables = dict[str, pd.DataFrame]

RESTLESS = Behaviour(exit=Exit(stays=0.9, restarts=0.9, chance_per_year=0.3))
"""Many close, and most start again: second shops are told as well."""


class Gift(PolicyInstrument):
    """An instrument of somebody else's: it draws twice, and pays whether or not the second draw is low."""

    type: str = "gift"

    def eligible(self, people: Any, now: Any) -> Any:
        return now.drawn(self, people, (people.age == 2).nonzero()[0], 0.7, Draw.ELIGIBLE, for_life=True)

    def takers(self, people: Any, now: Any, rows: Any) -> Any:
        now.drawn(self, people, rows, 1e-9)
        return rows

    def cost(self, people: Any, now: Any, rows: Any) -> int:
        return 12345


class Once(Gift):
    """Another: it notes in itself whom it has paid."""

    _paid: set[int] = PrivateAttr(default_factory=set)

    def takers(self, people: Any, now: Any, rows: Any) -> Any:
        return rows[[uid not in self._paid for uid in people.uid[rows].tolist()]]

    def apply(self, people: Any, now: Any, rows: Any) -> None:
        self._paid.update(people.uid[rows].tolist())


class Turn(PolicyInstrument):
    """Another: with three months of age he is paid, and sells across the border from then on."""

    type: str = "turn"

    def eligible(self, people: Any, now: Any) -> Any:
        return (people.age == 3).nonzero()[0]

    def cost(self, people: Any, now: Any, rows: Any) -> int:
        return 100

    def apply(self, people: Any, now: Any, rows: Any) -> None:
        people.channel[rows] = CHANNELS.index("cross_border")


def short(small: Small, **changes: Any) -> Scenario:
    chosen: dict[str, Any] = {"horizon": Horizon(months=24), "arrivals": Arrivals(per_year=60.0), **changes}
    return small(**chosen)


@cache
def _tables(scenario: Scenario) -> Tables:
    model = Pipeline(scenario)
    while model.running:
        model.step()
    return model.tables()


def people(scenario: Scenario) -> list[int]:
    return [int(uid) for uid in _tables(scenario)["entrepreneurs"]["uid"]]


@cache
def lives(scenario: Scenario, every: int = 1) -> list[Life]:
    past = Pipeline.past(scenario)
    return [trace(scenario, uid, past=past) for uid in people(scenario)[::every]]


def events(scenario: Scenario, kind: str, every: int = 1) -> list[tuple[Life, Event]]:
    return [(life, e) for life in lives(scenario, every) for e in life.events if e.kind == kind]


# the run's own life ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["newcomers", "restarts", "initial", "objects"])
def test_the_life_told_is_the_life_stored(small: Small, kind: str) -> None:
    """Of every person, closure, moves, money, size and what becomes of him are told as the tables have them."""
    changes: dict[str, dict[str, Any]] = {
        "newcomers": {},
        "restarts": {"behaviour": RESTLESS},
        "initial": {"initial": Initial(kind="burn_in", months=18), "horizon": Horizon(months=12)},
        "objects": {"engine": "objects", "horizon": Horizon(months=12)},
    }
    scenario = short(small, **changes[kind])
    tables = _tables(scenario)
    told = lives(scenario)
    assert len(told) > 50
    for life in told:
        assert check(life, tables["entrepreneurs"], tables["transitions"]) == (), life.uid
    second, initial = (tables["entrepreneurs"][c].astype(bool).sum() for c in ("attempt", "initial"))
    assert (second > 5) == (kind == "restarts")
    assert (initial > 20) == (kind == "initial")


def test_both_engines_tell_the_same(small: Small) -> None:
    """A life is told alike whether the kernel or agents lived it."""
    columns, objects = short(small), short(small, engine="objects")
    for uid in people(columns)[::9]:
        assert trace(columns, uid).months == trace(objects, uid).months


def test_watching_changes_nothing(small: Small, assert_same: Any) -> None:
    """A run in which someone is watched leaves the same tables as one in which nobody is."""
    scenario = short(small)
    watched = Relived(scenario, people(scenario)[3])
    while watched.running:
        watched.step()
    assert_same(watched.tables(), _tables(scenario), watched.stages)


def test_it_stops_where_he_closes(small: Small) -> None:
    """No month after his closure is simulated, since none belongs to his story."""
    scenario = short(small)
    row = next(r for r in _tables(scenario)["entrepreneurs"].itertuples() if r.event and r.exit_month < 12)
    seen: list[int] = []
    life = trace(scenario, int(row.uid), month_done=seen.append)
    assert max(seen) == row.exit_month + 1
    assert life.closed is not None
    assert life.closed.month == row.exit_month


def test_another_rule_is_noticed(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """If his start or his month worked out again is not what the engine wrote, there is an error and no story."""
    scenario = short(small)
    uid = people(scenario)[5]
    with monkeypatch.context() as wrong:
        wrong.setattr(sim.experiments.tracing.witness, "found", lambda *a: Newcomer(1.0, 2.0, 3.0, 4.0, 5.0))
        with pytest.raises(RunError, match=f"{uid} differs from the run in potential, level"):
            trace(scenario, uid)
    monkeypatch.setattr(sim.experiments.tracing.witness._Witness, "settle", lambda self: None)
    with pytest.raises(RunError, match=f"{uid} differs from the run in cash"):
        trace(scenario, uid)


def test_a_stored_row_that_differs_is_noticed(small: Small) -> None:
    """A stored closure, stage, sum or move that is not the told one is named."""
    scenario = short(small)
    tables = _tables(scenario)
    life = next(x for x in lives(scenario, 3) if x.closed)
    rows = tables["entrepreneurs"].astype(object)
    for name in ("exit_month", "exit_reason", "after_exit", "stage", "highest_stage", "received_cny", "employees"):
        altered = rows.copy()
        altered.loc[altered["uid"] == life.uid, name] = "other" if isinstance(altered[name].iloc[0], str) else 999
        assert check(life, altered, tables["transitions"]) == (name,)
    moves = tables["transitions"]
    assert check(life, rows, moves[moves["reason"] != "arrived"]) == ("transitions",)


# events and their draws -----------------------------------------------------------------------------------------------


def drawn(scenario: Scenario, stream: Stream, event: Event, uid: int, on_arrival: bool = False) -> float:
    month = 0 if on_arrival else calendar_month(scenario.horizon.start) + event.month
    return uniform(*replicate_key(scenario.seed, 0), stream, uid, month)


@pytest.mark.parametrize(
    ("kind", "stream"),
    [
        ("arrived", Stream.HOUSE),
        ("entry_level", Stream.FIRST_SALES),
        ("potential", Stream.GAP),
        ("start_cash", Stream.CASH),
        ("reservation", Stream.RESERVATION),
    ],
)
def test_what_he_brought_is_his_draw(small: Small, kind: str, stream: Stream) -> None:
    """The draws of arrival are those of his identity, and what is told follows from them."""
    scenario = short(small)
    for life, event in events(scenario, kind, every=7):
        u = drawn(scenario, stream, event, life.uid, on_arrival=True)
        assert event.draw == u
        entry = scenario.behaviour.entry
        if kind == "start_cash":
            assert event.numbers["cash"] == pytest.approx(entry.cash_median * exp(entry.cash_sd * normal(u)), abs=0.01)
        if kind == "arrived":
            assert event.numbers["facility"] == int(u * 4) + 1


def test_a_trait_is_where_the_draw_falls(small: Small) -> None:
    """Education and channel are the shares between which the draw lies."""
    scenario = short(small)
    found = events(scenario, "trait", every=5)
    assert {e.numbers["trait"] for _, e in found} == {"education", "channel"}
    for life, event in found:
        stream = Stream[event.numbers["trait"].upper()]
        assert event.draw == drawn(scenario, stream, event, life.uid, on_arrival=True)
        assert event.numbers["low"] <= event.draw < event.numbers["high"] == event.threshold
        assert scenario.why(event.parameters[0]).value == pytest.approx(event.numbers["high"] - event.numbers["low"])


@pytest.mark.parametrize(
    ("kind", "stream", "path"),
    [
        ("jump", Stream.JUMP, "behaviour.growth.jump_chance"),
        ("quit", Stream.REVIEW, "behaviour.exit.review"),
        ("left_city", Stream.CHANCE, "behaviour.exit.chance_per_year"),
    ],
)
def test_a_draw_below_its_chance_is_told(small: Small, kind: str, stream: Stream, path: str) -> None:
    """Each jump and each closure that a draw decided is told with that draw, below the chance that it names."""
    scenario = short(small)
    found = events(scenario, kind)
    assert found
    for life, event in found:
        assert event.draw == drawn(scenario, stream, event, life.uid)
        assert event.draw < event.threshold
        assert event.parameters[0] == path
        if kind != "left_city":
            assert event.threshold == scenario.why(path).value
    if kind == "left_city":
        assert found[0][1].threshold == pytest.approx(1 - (1 - scenario.behaviour.exit.chance_per_year) ** (1 / 12))


def test_no_jump_goes_untold(small: Small) -> None:
    """In every month that he trades on, a draw below the chance of a jump is an event, and no other is."""
    scenario = short(small)
    chance = scenario.behaviour.growth.jump_chance
    for life in lives(scenario, every=6):
        for month in life.months:
            fell = uniform(*replicate_key(1, 0), Stream.JUMP, life.uid, calendar_month(month.date)) < chance
            closed = any(e.kind in CLOSED for e in month.events)
            assert ("jump" in {e.kind for e in month.events}) == (fell and not closed)


def test_a_jump_is_what_sales_do(plain: Small) -> None:
    """Where nothing but jumps moves sales, next month's sales are this month's times the told size."""
    still = Growth(kappa=0.0, drift=0.0, sigma=0.0, tau=0.0, jump_stays=1.0)
    leaving = Exit(review=0.0, chance_per_year=0.0, insolvency=False)
    scenario = plain(
        horizon=Horizon(months=12),
        arrivals=Arrivals(per_year=60.0),
        behaviour=Behaviour(growth=still, exit=leaving, peers=Peers(rate=0.0)),
    )
    jumps = 0
    for life in lives(scenario, every=4):
        for before, after in pairwise(life.months):
            size = next((e.numbers["size"] for e in before.events if e.kind == "jump"), 0.0)
            assert after.state["sales"] / before.state["sales"] == pytest.approx(1 + size)
            jumps += size != 0
    assert jumps > 3


def test_a_jump_is_as_large_as_its_draw(small: Small) -> None:
    """Its size is the quantile of a two-sided exponential, and the part that stays that of the parameter."""
    scenario = short(small)
    growth, found = scenario.behaviour.growth, events(scenario, "jump", every=3)
    assert {e.numbers["up"] for _, e in found} == {True, False}
    for life, e in found:
        u = drawn(scenario, Stream.JUMP_SIZE, e, life.uid)
        leap = -growth.jump_mean * log(2 * min(u, 1 - u)) * (1 if u < 0.5 else -1)
        assert e.numbers["size_draw"] == u
        assert e.numbers["up"] == (u < 0.5)
        assert e.numbers["size"] == pytest.approx(exp(leap) - 1)
        assert e.numbers["stays"] == pytest.approx(exp(growth.jump_stays * leap) - 1)


def test_who_reviews_and_wants_no_more_goes_on(small: Small) -> None:
    """In a month of review he gives up if the income told is less than he wants, and only then, whatever the policy.

    Relief counts in that income, and a new channel's market.
    """
    policy = (
        rent_relief.Instrument(id="rent", share={"village": 0.9}),
        Turn(id="turn", type="turn"),
    )
    market = small().market.model_copy(update={"cross_border": Series(growth_after=1.0)})
    scenario = short(small, policy=policy, market=market)
    reviewed = 0
    for life in lives(scenario):
        for month in life.months:
            closed = {e.kind for e in month.events} & set(CLOSED)
            if month.state["reviewed"] and not closed & {"left_city", "insolvent"}:
                reviewed += 1
                assert ("quit" in closed) == (month.state["expected"] < month.state["wanted"])
    assert reviewed > 100
    assert any("channel" in e.numbers["effects"] for _, e in events(scenario, "paid"))


def test_he_quits_for_what_is_told(small: Small) -> None:
    """Who gives up believes in less than he wants, annuity included; who runs out of money is beyond his credit."""
    scenario = short(small)
    quits, failures = events(scenario, "quit"), events(scenario, "insolvent")
    assert quits
    for _, e in quits:
        assert e.numbers["believed"] + e.numbers["annuity"] < e.numbers["wanted"]
        months = scenario.behaviour.exit.annuity_months
        assert e.numbers["annuity"] == pytest.approx(max(e.numbers["cash"], 0) / months)
    for _, e in failures:
        assert e.numbers["cash"] < e.threshold == -scenario.behaviour.money.credit_line


def test_applications_tell_who_was_before_him(small: Small) -> None:
    """Who got a place ranked at least as high as the last; who did not ranked no higher, where places were short."""
    scenario = short(small, arrivals=Arrivals(per_year=240.0))
    found = [e for life in lives(scenario, every=5) for m in life.months for e in m.events]
    admitted = [e for e in found if e.kind == "admitted"]
    refused = [e for e in found if e.kind == "turned_away"]
    assert admitted
    assert refused
    for e in admitted + refused:
        last, n = e.numbers["last"], e.numbers
        assert n["found"] >= n["needed"]
        assert 0 <= n["admitted"] <= n["applicants"]
        if last is not None:
            assert n["rank"] >= last if e in admitted else n["rank"] <= last
        if n["asked"] == "drew":
            assert e.draw < e.threshold
    assert any(e.numbers["last"] is not None for e in refused)
    assert {e.numbers["asked"] for e in admitted} >= {"drew", "listed"}


# policy ---------------------------------------------------------------------------------------------------------------


def _instruments() -> tuple[Any, ...]:
    """Every instrument that needs no more than its defaults, and rent relief."""
    made = [rent_relief.Instrument(id="relief", share={"village": 0.4})]
    for kind in types():
        try:
            made.append(find(kind)(id=f"the_{kind}", type=kind))
        except ValidationError:
            continue
    return tuple(made)


def test_every_instrument_is_told(small: Small) -> None:
    """Whatever instruments a scenario has, what is told of each adds up to what the run's books say he received."""
    scenario = short(small, policy=_instruments())
    tables = _tables(scenario)
    paid = tables["ledger"].groupby(tables["ledger"]["instrument"].astype(str))["paid_cny"].sum()
    told: dict[str, float] = {}
    for life in lives(scenario):
        assert check(life, tables["entrepreneurs"], tables["transitions"]) == (), life.uid
        for instrument, (_, sum_) in received(life.months).items():
            told[instrument] = told.get(instrument, 0.0) + sum_
    assert len(told) > 3
    assert told == pytest.approx(paid[paid > 0].to_dict())


def test_a_payment_names_what_it_comes_from(small: Small) -> None:
    """A stipend names the amount of his degree, no other's, and the draw that settled his eligibility for life."""
    scenario = short(small)
    found = events(scenario, "paid")
    stipends = [e for _, e in found if e.numbers["instrument"] == "stipend"]
    assert stipends
    for e in stipends:
        amounts = [p for p in e.parameters if ".amount." in p]
        assert [scenario.why(p).value for p in amounts] == [e.numbers["paid"]]
        assert e.parameters[0] in (amounts[0], "policy.stipend.eligible_share")
        assert e.numbers["for_life"]
        assert e.draw < e.threshold == 0.8
    courses = [e for _, e in found if e.numbers["instrument"] == "training"]
    assert {e.numbers["effects"].get("training") for e in courses} >= {0.07}
    assert not any(e.numbers["in_cash"] for e in courses)
    assert any(e.numbers["in_cash"] for e in stipends)


def test_notes_of_one_life_are_not_those_of_the_next(small: Small) -> None:
    """An instrument that notes whom it has paid pays him again when his life is lived again."""
    scenario = short(small, policy=(Once(id="gift", type="gift"),))
    first, again = events(scenario, "paid"), events(scenario, "paid")
    assert len(first) == len(again) > 0


def test_the_draw_told_is_the_one_that_granted(small: Small) -> None:
    """A payment is told with a draw below its chance; one above it excludes only if it is drawn for life."""
    scenario = short(small, policy=(Gift(id="gift", type="gift"),))
    paid, out = events(scenario, "paid"), events(scenario, "ineligible")
    assert paid
    assert out
    assert {(e.threshold, e.numbers["paid"], e.numbers["in_cash"]) for _, e in paid} == {(0.7, 123.45, True)}
    assert all(e.draw < 0.7 for _, e in paid)
    assert all(e.draw >= 0.7 == e.threshold for _, e in out)


def test_what_he_did_not_get_is_told(small: Small) -> None:
    """A claim that a spent budget refuses, a course without a seat, and a draw that excludes for life are events."""
    policy = (
        training.Instrument(id="full", courses=1, seats=12, take_up=0.9),
        training.Instrument(id="poor", courses=400, take_up=0.9, budget=400.0),
        stipend.Instrument(id="stipend", eligible_share=0.2, first_after=2),
    )
    scenario = short(small, policy=policy)
    told = {(e.kind, e.numbers.get("instrument")) for life in lives(scenario, 2) for e in life.events}
    assert ("unseated", "full") in told
    assert ("refused", "poor") in told
    assert ("ineligible", "stipend") in told


# telling --------------------------------------------------------------------------------------------------------------


def test_every_month_is_told(small: Small) -> None:
    """Each month of a life has an event or lies in a spell, but for single months in which nothing happened."""
    scenario = short(small)
    for life in lives(scenario, every=3):
        spells = [e for e in life.events if e.kind == "spell"]
        covered = {e.month + k for e in spells for k in range(e.numbers["months"])}
        with_events = {e.month for e in life.events if e.kind != "spell"}
        assert not covered & with_events
        left = sorted({m.month for m in life.months} - covered - with_events)
        assert not any(b - a == 1 for a, b in pairwise(left))
        assert not any(m.state["reviewed"] for m in life.months if m.month in left)
        assert [e.month for e in life.events] == sorted(e.month for e in life.events)


def test_what_goes_on_is_told_once(small: Small) -> None:
    """A rent relief is told when it begins, and counted in the spells that follow."""
    scenario = short(
        small, policy=(rent_relief.Instrument(id="rent", share={"village": 0.5}),), chain=small().chain[:1]
    )
    for life in lives(scenario, every=8):
        in_full = [e for e in life.events if e.kind == "paid"]
        times = received(life.months).get("rent", (0, 0.0))[0]
        assert len(in_full) == min(times, 1)
        assert sum(e.numbers["paid"].get("rent", (0, 0))[0] for e in life.events if e.kind == "spell") <= times


def test_the_initial_stock_begins_with_the_horizon(small: Small) -> None:
    """Of those who traded before the horizon, the story starts with how they stood then, and says for how long."""
    scenario = short(small, initial=Initial(kind="burn_in", months=12), horizon=Horizon(months=6))
    rows = _tables(scenario)["entrepreneurs"]
    first = rows[rows["initial"]].iloc[0]
    life = trace(scenario, int(first["uid"]))
    assert life.events[0].kind == "present"
    assert life.events[0].month == 0
    assert life.events[0].numbers["age"] == first["entry_age_months"]
    assert "arrived" not in {e.kind for e in life.events}


@pytest.mark.parametrize("uid", [0, 2911000000, 2920000001, 10**15])
def test_nobody_is_named_with_the_nearest(small: Small, uid: int) -> None:
    """An identity that nobody has is an error that names the nearest, how many there are, and their range."""
    scenario = short(small, horizon=Horizon(months=6))
    with pytest.raises(
        NobodyError, match=rf"nobody is {uid} in this run \(nearest: 29\d+; there are \d+, from 29"
    ) as e:
        trace(scenario, uid)
    assert e.value.exit_code == 2


# two policies ---------------------------------------------------------------------------------------------------------


def test_he_is_his_own_twin(small: Small) -> None:
    """A life compared with itself differs in no month."""
    scenario = short(small)
    life = trace(scenario, people(scenario)[8])
    apart = difference(life, trace(scenario, life.uid))
    assert (apart.exact, apart.told, apart.what) == (None, None, ())


def test_the_first_difference_is_where_money_differs(plain: Small) -> None:
    """Where nobody feels another, one whose stipend is doubled lives the same life until it is paid, or for good."""
    once = stipend.Instrument(id="stipend", eligible_share=1.0, first_after=6)
    twice = once.model_copy(update={"amount": stipend.Amount(associate=1e4, bachelor=2e4, master=4e4, phd=16e4)})
    base, reform = (short(plain, policy=(instrument,)) for instrument in (once, twice))
    paid = 0
    for one, other in zip(lives(base, 4), lives(reform, 4), strict=True):
        apart, first = difference(one, other), next((e.month for e in one.events if e.kind == "paid"), None)
        assert (apart.exact, apart.told) == (first, first)
        assert apart.what == (() if first is None else ("paid",))
        paid += first is not None
    assert paid > 3


def test_the_far_effects_of_a_policy_are_slight(small: Small) -> None:
    """Whoever competes with those who are paid has other numbers from some month on, which no story need tell."""
    base, reform = short(small), short(small, policy=())
    apart = [difference(a, b) for a, b in zip(lives(base, 3), lives(reform, 3), strict=True)]
    assert any(d.exact is not None and d.told is None for d in apart)
    assert all(d.told is None or d.exact <= d.told for d in apart)


def test_only_a_rule_may_differ(small: Small) -> None:
    """Where another threshold decides the same, it is the rule that differs, not what happens."""
    base = short(small, policy=(stipend.Instrument(id="stipend", eligible_share=0.9, first_after=3),))
    reform = short(small, policy=(stipend.Instrument(id="stipend", eligible_share=1.0, first_after=3),))
    for one in lives(base):
        if any(e.kind == "paid" for e in one.events):
            apart = difference(one, trace(reform, one.uid))
            assert apart.what == ("threshold",)
            return
    pytest.fail("nobody was paid")


# whose life -----------------------------------------------------------------------------------------------------------


def stored(scenario: Scenario, folder: Any, replicates: int = 2) -> Any:
    with whole_folder(folder) as part:
        run(scenario, replicates=replicates, folder=part)
    return folder


def test_picks_are_who_they_say(small: Small) -> None:
    """The picked reached the highest stage, failed early, closed at the median age, got most; the same each time."""
    scenario = short(small)
    rows = _tables(scenario)["entrepreneurs"].set_index("uid")
    picked = {how: Source("x", scenario, scenario.seed, 0).pick(how) for how in PICKS}
    assert picked == {how: Source("x", scenario, scenario.seed, 0).pick(how) for how in PICKS}
    stages = [s.id for s in scenario.chain]
    reached = rows["highest_stage"].astype(object).map(stages.index)
    assert reached[picked["highest"]] == reached.max()
    assert rows["received_cny"][picked["paid"]] == rows["received_cny"].max() > 0
    failed = rows.loc[picked["failed"]]
    assert failed["exit_reason"] in ("quit", "insolvent")
    assert failed["duration_months"] <= 12
    closed = rows[rows["event"]]["duration_months"]
    assert abs(rows["duration_months"][picked["typical"]] - closed.median()) == abs(closed - closed.median()).min()


def test_a_stored_run_is_told_again(small: Small, tmp_path: Any) -> None:
    """A run folder gives any of its replicates, checked against its tables; a replicate that it has not is an error."""
    scenario = short(small)
    folder = stored(scenario, tmp_path / "run")
    for replicate in (0, 1):
        found = source(str(folder), replicate=replicate)
        uid = found.pick("highest")
        assert found.trace(uid).months == trace(scenario, uid, replicate=replicate).months
    with pytest.raises(SimError, match="has no replicate 2"):
        source(str(folder), replicate=2)
    with pytest.raises(NobodyError, match="nearest"):
        source(str(folder)).trace(7)


def test_a_run_that_tells_another_life_is_refused(small: Small, tmp_path: Any) -> None:
    """A stored life that differs is a bug if this version wrote it, and else the other version's."""
    scenario, other = short(small), short(small, seed=5)
    folder = stored(scenario, tmp_path / "run")
    stored(other, tmp_path / "other")
    (folder / "entrepreneurs.parquet").write_bytes((tmp_path / "other" / "entrepreneurs.parquet").read_bytes())
    write_manifest(folder, read_manifest(folder))
    uid = next(u for u in people(other) if u in people(scenario))
    with pytest.raises(RunError, match=f"the life of {uid} lived again differs from the stored one in"):
        source(str(folder)).trace(uid)
    manifest = read_manifest(folder)
    write_manifest(folder, {**manifest, "versions": {**manifest["versions"], "entrepreneur-pipeline": "0.0.1"}})
    assert source(str(folder)).written_by == "0.0.1"
    with pytest.raises(StoreError, match=r"version 0\.0\.1 wrote it"):
        source(str(folder)).trace(uid)


def test_a_changed_scenario_is_damage(small: Small, tmp_path: Any) -> None:
    """A run folder whose scenario is not that of its manifest is damaged."""
    folder = stored(short(small), tmp_path / "run", replicates=1)
    text = (folder / "scenario.yaml").read_text(encoding="utf-8")
    (folder / "scenario.yaml").write_text(text.replace("per_year: 60.0", "per_year: 61.0"), encoding="utf-8")
    with pytest.raises(StoreError, match="damaged, it is not the scenario"):
        source(str(folder))


def test_twins_share_seed_and_burn_in(small: Small, tmp_path: Any) -> None:
    """Another scenario takes the seed of the one it is compared with; a run with another seed has no twins in it."""
    base = Source("base", short(small, seed=3), 3, 0)
    path = tmp_path / "other.yaml"
    path.write_text(short(small, seed=8).to_yaml(), encoding="utf-8")
    assert source(str(path), base=base).seed == 3
    folder = stored(short(small, seed=8), tmp_path / "run", replicates=1)
    with pytest.raises(SimError, match="was run with seed 8, not 3"):
        source(str(folder), base=base)
    burnt: dict[str, Any] = {"initial": Initial(kind="burn_in", months=6), "horizon": Horizon(months=6)}
    one = Source("a", short(small, **burnt), 3, 0)
    longer = Source("b", short(small, **{**burnt, "horizon": Horizon(months=7)}), 3, 0, base=one)
    other = Source("c", short(small, **burnt, policy=()), 3, 0, base=one)
    assert longer._past is one._past
    assert other._past is not one._past
