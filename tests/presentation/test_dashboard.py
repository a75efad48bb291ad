"""The dashboard without a browser: levers, the two sides, what is told of them, and what may be asked."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import weakref
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.chain.stage import Stage
from sim.errors import ScenarioError, SimError
from sim.evidence.audit import audit, counts
from sim.evidence.quantity import Label
from sim.experiments.tracing.trace import trace
from sim.policy import stipend
from sim.presentation.dashboard import dashboard, needs_panel
from sim.presentation.dashboard import session as session_room
from sim.presentation.dashboard.choices import choices, of
from sim.presentation.dashboard.conductor import Choice, Conductor
from sim.presentation.dashboard.figures import COLOURS, draw, sizes
from sim.presentation.dashboard.levers import Lever, Levers
from sim.presentation.dashboard.session import Session
from sim.presentation.dashboard.side import drawn
from sim.presentation.dashboard.slider import span
from sim.presentation.dashboard.telling import headline, money
from sim.scenario.schema import Horizon, Initial
from sim.simulation import simulate

LANGUAGES = ("zh", "en")
SHIPPED = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def classroom():
    return sim.load(SHIPPED / "classroom.yaml")


@pytest.fixture(scope="module")
def everything():
    return sim.load(SHIPPED / "yiwu_full_policy.yaml")


@pytest.fixture
def session(small) -> Session:
    return Session(small(horizon=Horizon(months=18)))


def ended(session: Session) -> Session:
    while not session.ended:
        session.step()
    return session


def plain_tables(scenario):
    tables = simulate(scenario)
    tables.pop("cohorts")
    return tables


# levers -----------------------------------------------------------------------------------------------------------


def test_whatever_has_a_unit_is_a_lever(everything):
    """Every number is reached, but horizon, seed and start, which both sides share, and what the first stage asks."""
    levers = Levers(everything)
    expected = {p for p in everything.provenance if p.split(".")[0] not in ("horizon", "seed", "initial")}
    expected -= {"chain.village.threshold", "chain.village.apply"}
    expected |= {f"policy.{i.id}.active" for i in everything.policy}
    assert set(levers) == expected
    shown = [lever.path for section in levers.sections for lever in section.levers]
    assert len(shown) == len(set(shown))


def test_a_class_sees_few_levers_at_first(classroom):
    """Places, thresholds, rents and what the scenario says of policy are seen at once; no behaviour is."""
    main = {p for p in Levers(classroom) if isinstance(x := Levers(classroom)[p], Lever) and x.main}
    assert {"chain.incubator.places", "policy.rent.share.incubator", "policy.training.courses"} <= main
    assert not {p for p in main if p.startswith("behaviour.")}
    assert len(main) < 40


def test_sliders_hold_value_and_plausible_range_and_stay_in_bounds(everything):
    """No slider leaves what the schema allows, nor leaves out what the scenario says or what is plausible."""
    for section in Levers(everything).sections:
        for lever in section.levers:
            origin, (least, most) = lever.row.origin, lever.bounds
            inside = [origin.value, *(origin.range or ())]
            assert lever.low <= min(inside), lever.path
            assert max(inside) <= lever.high, lever.path
            assert lever.low < lever.high, lever.path
            assert least is None or least <= lever.low, lever.path
            assert most is None or lever.high <= most, lever.path
            assert 0 < lever.step <= (lever.high - lever.low), lever.path


def test_both_ends_of_every_slider_are_sound(classroom):
    """Whatever a visitor pulls to the end gives a scenario (but a stipend for an education that nobody has left)."""
    levers = Levers(classroom.replace({"arrivals.education.secondary": 0.1, "arrivals.education.associate": 0.5}))
    for lever in (lever for section in levers.sections for lever in section.levers if ".education." not in lever.path):
        for end in (lever.low, lever.high):
            assert levers.changed({lever.path: end}).why(lever.path).value == pytest.approx(end), lever.path
    with pytest.raises(ScenarioError, match="nobody who arrives has this education"):
        levers.changed({"arrivals.education.phd": 1.0})


@pytest.mark.parametrize(
    ("value", "bounds", "plausible", "share", "expected"),
    [
        (0.85, (0.0, 1.0), (0.7, 1.0), True, (0.0, 1.0)),
        (0.011, (0.0, 1.0), (0.003, 0.03), True, (0.0, 0.06)),
        (1371.0, (0.0, None), None, False, (0.0, 4200.0)),
        (-0.013, (-0.5, 0.5), (-0.018, 0.0), False, (-0.018, 0.0)),
        (0.0, (0.0, None), None, False, (0.0, 1.0)),
    ],
)
def test_ends_of_a_slider(value, bounds, plausible, share, expected):
    """Ends follow the plausible range, else the value, rounded; shares reach 1 unless only small ones are plausible."""
    assert span(value, bounds, plausible, share=share) == expected


def test_shares_make_room(classroom):
    """When one share of a mix moves the others keep their proportions, and all add to 1."""
    changed = Levers(classroom).changed({"arrivals.education.bachelor": 0.5})
    mix = changed.arrivals.education
    assert mix.bachelor == 0.5
    assert sum(mix.model_dump().values()) == pytest.approx(1.0)
    assert mix.associate / mix.master == pytest.approx(0.60 / 0.045)
    alone = Levers(classroom).changed({"arrivals.origin.graduate": 0.4})
    assert alone.arrivals.origin.local == pytest.approx(0.2)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_levers_are_named_with_unit_and_source(everything, lang):
    """Each lever has a name, what stands behind it, and whether that is published or assumed."""
    for section in Levers(everything).plain(lang):
        assert section["title"]
        for lever in section["levers"]:
            assert lever["name"], lever["path"]
            assert not lever["name"].startswith(("chain.", "policy.")), lever["path"]
            assert lever["status"] in ("published", "derived", "assumed")
            assert lever["behind"]
    rent = next(s for s in Levers(everything).plain(lang) if s["id"] == "rent")["levers"][0]
    assert (rent["by"], rent["unit"]) == (0.01, "%")


# two sides --------------------------------------------------------------------------------------------------------


def test_the_dashboard_runs_what_sim_runs(session, assert_same):
    """At the end both sides hold the tables of a plain run of the same scenario and seed, to the last bit."""
    session.move({"chain.incubator.places": 4, "policy.training.active": False})
    ended(session)
    stages = tuple(s.id for s in session.scenario.chain)
    for side, scenario in ((session.base, session.scenario), (session.reform, session.reformed)):
        assert_same(side.model.tables(), plain_tables(scenario), stages)
    assert session.reformed == session.scenario.replace({"chain.incubator.places": 4, "policy.training.active": False})


def test_a_lever_moved_halfway_counts_from_the_start(session, assert_same):
    """Wherever the class is when it moves a lever, the reform is the one that began with it."""
    session.step(7)
    assert session.move({"policy.rent.share.incubator": 0.25})
    assert session.reform.month == session.base.month == 7
    ended(session)
    stages = tuple(s.id for s in session.scenario.chain)
    assert_same(session.reform.model.tables(), plain_tables(session.reformed), stages)


def test_a_move_that_is_given_up_is_made_good(session):
    """If a later order overtakes a lever, nothing is shown of a reform that has not caught up."""
    session.step(6)
    assert not session.move({"chain.incubator.places": 1}, given_up=lambda: True)
    assert session.reform.month == 0
    session.step()
    assert session.reform.month == session.base.month == 7


def test_everybody_is_counted(session):
    """Who was there and who came is who trades and who closed; each trades in one place; dots are people."""
    session.move({"chain.incubator.places": 6})
    while not session.ended:
        session.step(3)
        for side in session.picture()["sides"]:
            assert side["at_start"] + side["arrived"] == side["living"] + sum(side["closed"].values())
            assert sum(s["living"] for s in side["stages"]) + side["outside"] == side["living"]
            assert [len(h) for h in side["here"]] == [*(s["living"] for s in side["stages"]), side["outside"]]
            assert {u for u, _ in side["queue"]} <= {u for here in side["here"] for u in here}
    people = session.base.model.tables(only={"entrepreneurs"})["entrepreneurs"]
    assert session.picture()["sides"][0]["closed"] == people["exit_reason"].value_counts().to_dict() | {
        r: n for r, n in session.picture()["sides"][0]["closed"].items() if not n
    }
    assert session.base.spent == pytest.approx(people["received_cny"].sum())


def test_who_leaves_is_seen_once(session):
    """Everybody who has closed since the last look is told with his reason, once."""
    seen: list[list[int]] = []
    while not session.ended:
        session.step(2)
        seen += session.picture()["sides"][0]["gone"]
    people = session.base.model.tables(only={"entrepreneurs"})["entrepreneurs"]
    gone = people[people["event"]]
    reasons = ("insolvent", "quit", "left_city")
    assert sorted((u, reasons[r]) for u, r in seen) == sorted(
        zip(gone["uid"].tolist(), gone["exit_reason"].astype(str), strict=True)
    )


def test_the_same_people_are_drawn_on_both_sides(small):
    """Whether somebody is drawn depends on the person alone, and the drawn of a coarser grain are among a finer's."""
    uid = np.arange(2910000000, 2910000000 + 40960, 10, dtype=np.int64)
    assert drawn(uid, 1).all()
    for grain in (2, 8, 64):
        assert drawn(uid, grain).mean() == pytest.approx(1 / grain, rel=0.3)
        assert (drawn(uid, grain) <= drawn(uid, grain // 2)).all()
        assert (drawn(uid, grain) == drawn(uid + 1, grain)).all()  # his second shop


def test_large_cities_are_drawn_in_part(small, monkeypatch):
    """No side draws more than is good for an eye; the counts are of everybody all the same."""
    monkeypatch.setattr(session_room, "MOST_DRAWN", 50)
    session = ended(Session(small(horizon=Horizon(months=18))))
    picture = session.picture()
    assert picture["grain"] > 1
    for side in picture["sides"]:
        assert sum(map(len, side["here"])) < 2 * 50
        assert side["living"] > 100


def test_saved_and_lost_are_counted_person_by_person(session):
    """Saved are those who trade under the reform only, lost those who trade in the base only."""
    session.move({"policy.stipend.active": False, "policy.rent.active": False})
    ended(session)
    base, reform = set(session.base.living.tolist()), set(session.reform.living.tolist())
    assert session.apart() == {"saved": len(reform - base), "lost": len(base - reform)}
    assert base != reform
    sides = session.picture()["sides"]
    assert [set(s["only"]) for s in sides] == [base - reform, reform - base]


def test_both_sides_begin_in_the_same_city(small):
    """A burn-in is run once, and a reform that does not change it begins with the same people."""
    scenario = small(initial=Initial(kind="burn_in", months=12, under={"chain": small().chain, "policy": ()}))
    session = Session(scenario)
    assert session.base.model.at_start > 0
    session.move({"chain.incubator.places": 9})
    assert len(session._pasts) == 1
    assert session.base.living.tolist() == session.reform.living.tolist()
    picture = session.picture()["sides"][0]
    assert picture["at_start"] == picture["living"]
    ended(session)
    assert session.base.model.tables(only={"months"})["months"]["living"].tolist() == (
        plain_tables(scenario)["months"]["living"].tolist()
    )


def test_reset_and_another_seed(session):
    """Reset begins again with the same luck and levers; another seed is other luck, on both sides."""
    session.move({"chain.incubator.places": 6})
    first = ended(session).picture()
    session.reset()
    assert (session.month, session.wanted) == (0, {"chain.incubator.places": 6})
    assert ended(session).picture()["sides"] == first["sides"]
    session.reseed(99)
    assert session.scenario.seed == session.reformed.seed == 99
    assert ended(session).picture()["sides"] != first["sides"]


def test_levers_go_back(session):
    """A lever that says what the base says is no change; all of them can be undone."""
    session.move({"chain.incubator.places": 6, "policy.rent.active": False})
    session.move({"chain.incubator.places": 2})  # the base's
    assert session.wanted == {"policy.rent.active": False}
    assert session.values() == {"policy.rent.active": False}
    session.move({"arrivals.education.bachelor": 0.5})
    assert set(session.values()) == {"policy.rent.active"} | {
        f"arrivals.education.{e}" for e in ("associate", "bachelor", "master", "phd")
    }
    session.move({"arrivals.education.master": None})  # it had only made room
    assert session.wanted == {"policy.rent.active": False}
    session.restore()
    assert session.reformed == session.scenario
    assert session.values() == {}


def test_a_wrong_value_changes_nothing(session):
    """A value that the schema does not allow is refused with its bound, and the reform stays."""
    session.move({"chain.incubator.places": 6})
    with pytest.raises(ScenarioError, match=r"chain\.incubator\.places"):
        session.move({"chain.incubator.places": -1})
    with pytest.raises(KeyError):
        session.move({"horizon.months": 3})
    assert session.wanted == {"chain.incubator.places": 6}
    assert session.reformed.why("chain.incubator.places").value == 6


def test_sessions_are_apart(small):
    """What one visitor does changes nothing for another, though both have the same frozen scenario."""
    scenario = small()
    one, other = Session(scenario), Session(scenario)
    one.move({"chain.incubator.places": 0})
    one.step(12)
    assert (other.month, other.wanted, other.base.living.size) == (0, {}, 0)
    assert ended(other).picture()["sides"] == ended(Session(scenario)).picture()["sides"]


# what is taken home -----------------------------------------------------------------------------------------------


def test_the_exported_scenario_runs_and_gives_the_same_numbers(classroom, tmp_path):
    """The file loads by itself, under a name that says reform, and `sim.run` of it agrees with the dashboard."""
    session = Session(classroom.replace({"seed": 5, "horizon.months": 24}))
    session.move({"chain.incubator.places": 15, "policy.living_stipend.active": False})
    ended(session)
    path = tmp_path / "reform.yaml"
    path.write_text(session.to_yaml({"zh": "（改革）", "en": " (reform)"}), encoding="utf-8")
    loaded = sim.load(path)
    assert loaded.hash() == session.reformed.hash()
    assert loaded.name.en == "Classroom (reform)"
    result = sim.run(loaded, replicates=1)
    ours = session.outcomes().set_index("outcome")
    theirs = result.summary.set_index("outcome")["mean"]
    known = ours["reform"].notna()
    assert ours.index.tolist() == theirs.index.tolist()
    assert ours.loc[known, "reform"].to_numpy(float) == pytest.approx(theirs[known].to_numpy(float), rel=1e-12)
    assert (ours.loc[known, "reform"] - ours.loc[known, "base"]).to_numpy(float) == pytest.approx(
        ours.loc[known, "difference"].to_numpy(float), nan_ok=True
    )
    session.restore()
    assert session.to_yaml({"zh": "（改革）", "en": " (reform)"}) == session.scenario.to_yaml()


def test_a_life_is_the_one_that_was_drawn(session):
    """A life told is that of the run so far, on both sides; who came on one side only has no life on the other."""
    session.move({"policy.rent.active": False, "policy.stipend.active": False})
    session.step(14)
    uid = int(session.base.living[3])
    one, other = session.lives(uid)
    assert one.uid == other.uid == uid
    assert [m.month for m in one.months][-1] == 13
    until = session.scenario.replace({"horizon.months": 14})
    assert one.events == trace(until, uid).events
    both = set(session.people()[0]["uid"]) & set(session.people()[1]["uid"])
    alone = [u for u in session.people()[1]["uid"] if u not in both]
    for somebody in alone[:1]:
        assert session.lives(somebody)[0] is None
    assert session.lives(17) == [None, None]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_figures_grow_in_both_languages(session, lang):
    """Both figures are drawn as SVG whose letters are shapes, and for a city in which nobody has come as well."""
    session.step(14)
    for people in (session.people(), [p.iloc[:0] for p in session.people()]):
        drawn_now = draw(people, session.months, lang)
        assert set(drawn_now) == {"survival", "sizes"}
        for svg in drawn_now.values():
            assert svg.rstrip().endswith("</svg>")
            assert "<text" not in svg
            assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"|"http://www.w3.org/[^"]*"', "", svg)


def test_sizes_are_a_distribution(session):
    """The share that sells at least so much falls from at most 1 to one shop's share."""
    ended(session)
    people = session.people()[0]
    tail = sizes(people)
    there = people[~people["event"] & (people["attempt"] == 0) & ~people["initial"]]
    assert (np.diff(tail["share_above"]) < 0).all()
    assert tail["share_above"].iloc[-1] == pytest.approx(1 / len(there))
    assert tail["sales_cny"].iloc[-1] == there["sales_12m_cny"].max()


@pytest.mark.parametrize(
    ("amount", "lang", "said"),
    [(64_000, "zh", "6.4万元"), (60_000, "zh", "6万元"), (1.6e8, "en", "160 m CNY"), (191_891, "en", "191,891 CNY")],
)
def test_money_is_said_shortly(amount, lang, said):
    """An amount has at most two figures after its unit, and no idle zero."""
    assert money(amount, lang) == said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sentence_says_who_is_saved_and_what_it_costs(session, lang):
    """Before anything is changed, changed and run, the sentence says what to do; then what came of it."""
    said = {headline(session.picture(), lang)}
    session.move({"policy.rent.active": False})
    said.add(headline(session.picture(), lang))
    ended(session)
    told = headline(session.picture(), lang)
    session.restore()
    said.add(headline(session.picture(), lang))
    assert len({*said, told}) == 4
    assert f"{session.base.living.size:,}" in told
    assert "2025" in told


# what a browser may ask -------------------------------------------------------------------------------------------


class Heard(list):
    """The messages of a conductor."""

    def of(self, kind: str) -> list[dict]:
        return [m for m in self if m["is"] == kind]


@pytest.fixture
def conductor(small):
    heard = Heard()
    named = small(name=Label(zh="<img src=x onerror=alert(1)>", en="=cmd|' /C calc'!A0"), horizon=Horizon(months=12))
    made = Conductor([of(named), of(small())], heard.append, lang="en")
    made.heard = heard
    yield made
    made.close()


def test_a_visit(conductor):
    """Hello tells words, levers and month 0; steps tell months; a lever tells the reform; the end tells figures."""
    conductor.obey({"do": "hello"})
    kinds = [m["is"] for m in conductor.heard]
    assert kinds == ["words", "scenario", "values", "frame", "figures", "done"]
    assert conductor.heard.of("words")[0]["words"]["play"] == "Play"
    conductor.obey({"do": "step", "months": 5})
    conductor.obey({"do": "set", "path": "chain.incubator.places", "value": 7})
    conductor.obey({"do": "run"})
    frame = conductor.heard.of("frame")[-1]
    assert (frame["month"], frame["ended"], frame["changed"]) == (12, True, True)
    assert frame["sides"][1]["stages"][2]["places"] == 2 * 7
    assert conductor.heard.of("values")[-1]["values"] == {"chain.incubator.places": 7}
    assert conductor.heard.of("figures")[-1]["survival"].rstrip().endswith("</svg>")
    conductor.obey({"do": "hello", "lang": "zh"})
    assert conductor.heard.of("words")[-1]["words"]["play"] == "播放"
    assert conductor.heard.of("frame")[-1]["month"] == 12


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_it_rests_on_is_said(conductor, lang):
    """With each scenario comes how many of its numbers are assumed, as the audit counts them."""
    conductor.obey({"do": "hello", "lang": lang})
    number = counts(audit(conductor.session.scenario.provenance.values()))
    said = conductor.heard.of("scenario")[-1]["caveat"]
    assert {str(number["assumed"] + number["unsourced"]), str(sum(number.values()))} <= set(re.findall(r"\d+", said))
    assert ("无法验证" if lang == "zh" else "cannot be validated") in said


def test_another_scenario_and_another_seed(conductor):
    """A scenario is chosen by its number only; a seed begins again."""
    conductor.obey({"do": "open", "which": 1})
    assert conductor.heard.of("frame")[-1]["months"] == 36
    conductor.obey({"do": "step"})
    conductor.obey({"do": "seed", "seed": 12})
    assert conductor.heard.of("scenario")[-1]["seed"] == "12"
    assert conductor.heard.of("frame")[-1]["month"] == 0


@pytest.mark.parametrize(
    "order",
    [
        {"do": "open", "which": 2},
        {"do": "open", "which": "../../etc/passwd"},
        {"do": "set", "path": "horizon.months", "value": 10**6},
        {"do": "set", "path": "__class__", "value": 1},
        {"do": "set", "path": "chain.incubator.places", "value": float("nan")},
        {"do": "set", "path": "chain.incubator.places", "value": "1"},
        {"do": "set", "path": "chain.incubator.places", "value": [1]},
        {"do": "set", "path": "chain.incubator.places", "value": -3},
        {"do": "set", "path": "chain.incubator.places", "value": True},
        {"do": "set", "path": "policy.rent.active", "value": 3},
        {"do": "set"},
        {"do": "seed", "seed": -1},
        {"do": "seed", "seed": "x"},
        {"do": "seed", "seed": 1e400},
        {"do": "step", "months": "many"},
        {"do": "life", "uid": None},
    ],
)
def test_nonsense_is_answered_and_changes_nothing(conductor, order):
    """Whatever a browser sends that is not sound is answered with a sentence, never with a traceback."""
    conductor.obey({"do": "hello"})
    before = conductor.session.picture()
    conductor.obey(order)
    trouble = conductor.heard.of("trouble")
    assert trouble
    assert trouble[-1]["said"]
    assert "Traceback" not in trouble[-1]["said"]
    assert conductor.heard[-1]["is"] == "done"
    assert conductor.session.picture() == before


def test_unknown_orders_are_passed_over(conductor):
    """An order that there is none of does nothing, and is not looked up anywhere."""
    for order in ({"do": "_let_go"}, {"do": "close"}, {"do": None}, {}):
        conductor.obey(order)
    assert conductor.heard == []


def test_files_to_take_home(conductor):
    """The scenario comes as YAML, the outcomes as CSV in which a name that looks like a formula is inert."""
    conductor.obey({"do": "step", "months": 12})
    conductor.obey({"do": "yaml"})
    conductor.obey({"do": "csv"})
    scenario, table = conductor.heard.of("file")
    assert scenario["name"] == "base.yaml"
    assert table["name"].endswith(".csv")
    rows = table["content"].splitlines()
    assert rows[0].lstrip("\ufeff") == '"outcome","name","unit","base","reform","difference","reason"'
    assert not [cell for row in rows[1:] for cell in row.split(",") if cell.startswith(('"=', '"@', "=", "@"))]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_life_as_plain_text(conductor, lang):
    """A life is told as sentences with their months, both sides, their notes, and what it is not."""
    conductor.obey({"do": "hello", "lang": lang})
    conductor.obey({"do": "set", "path": "policy.rent.active", "value": False})
    conductor.obey({"do": "step", "months": 10})
    uid = conductor.heard.of("frame")[-1]["sides"][0]["here"][0][0]
    conductor.obey({"do": "life", "uid": uid})
    (life,) = conductor.heard.of("life")
    assert str(uid) in life["who"]
    assert all(isinstance(m, int) and said for m, _, said in [*life["together"], *life["sides"][0]])
    assert life["notes"]
    assert len(life["received"]) == 2
    assert "trading today" in str(life) or "至今仍在经营" in str(life)
    conductor.obey({"do": "life", "uid": 17})
    assert conductor.heard.of("life")[-1]["sides"] == [[], []]


def test_orders_are_obeyed_in_turn_and_one_visitor_does_not_wait_for_another(small):
    """While one visitor's city is being read, another plays on; each gets his answers in order."""
    gate, reading = threading.Event(), threading.Event()

    def slow():
        reading.set()
        assert gate.wait(30)
        return small()

    told = threading.Event()
    quick, held = Heard(), Heard()
    one = Conductor([Choice({"zh": "慢", "en": "slow"}, slow)], held.append)

    def hear(message):
        quick.append(message)
        if message["is"] == "done" and message["what"] == "figures":
            told.set()

    other = Conductor([of(small())], hear)
    one.take({"do": "step"})
    assert reading.wait(30)
    for order in ("hello", "step", "step", "figures"):
        other.take({"do": order})
    assert told.wait(60)
    assert held == []
    assert [m["what"] for m in quick.of("done")] == ["hello", "step", "step", "figures"]
    assert quick.of("frame")[-1]["month"] == 2
    gate.set()
    one.close()
    other.close()


def test_a_visitor_who_leaves_is_let_go_of(small):
    """When a page is closed its session is freed, its thread ends, and later orders are not taken."""
    heard, done = Heard(), threading.Event()

    def hear(message):
        heard.append(message)
        if message["is"] == "done":
            done.set()

    conductor = Conductor([of(small())], hear)
    conductor.take({"do": "step"})
    assert done.wait(60)
    gone = weakref.ref(conductor.session)
    thread = conductor._thread
    conductor.close()
    thread.join(30)
    assert not thread.is_alive()
    gc.collect()
    assert gone() is None
    count = len(heard)
    conductor.take({"do": "step"})
    assert len(heard) == count


# the page ---------------------------------------------------------------------------------------------------------


def test_the_page_asks_for_nothing_abroad():
    """Its program names no other machine, and brings in no other module."""
    for file in files("sim.presentation.dashboard").iterdir():
        if file.name.endswith((".js", ".css")):
            source = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(
                r"https?:|//cdn|@import|\bimport\b\s*[({\"']|innerHTML|insertAdjacentHTML|eval\(", source
            ), file


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, WCAG 2.1."""
    light = []
    for colour in (one, other):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(light) / min(light)


def test_letters_and_dots_can_be_told_from_what_they_stand_on():
    """Letters have a contrast of 4.5 on every ground of the page, and dots and lines one of 3."""
    style = files("sim.presentation.dashboard").joinpath("page.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{6});", style))
    assert (colours["base"], colours["reform"]) == COLOURS
    for ground in (colours["paper"], colours["card"]):
        for letters in ("ink", "soft", "base-ink", "reform-ink"):
            assert contrast(colours[letters], ground) >= 4.5, (letters, ground)
        for dots in ("base", "reform", "only"):
            assert contrast(colours[dots], ground) >= 3, (dots, ground)


def test_every_word_of_the_page_is_in_the_catalogue():
    """Each text that the page's program asks for stands in the catalogue, under `app`."""
    from sim.presentation.catalogue import keys

    known = {key.removeprefix("app.") for key in keys("en") if key.startswith("app.")}
    folder = files("sim.presentation.dashboard")
    source = "".join(folder.joinpath(f"{name}.js").read_text("utf-8") for name in ("page", "levers", "chain"))
    asked = set(re.findall(r'word\("([\w.]+)"', source)) | set(re.findall(r'button\("(\w+)"', source))
    asked |= set(re.findall(r'\), "(\w+)"(?:, "[\w-]+")?\)', source))
    assert len(asked) > 40
    assert asked <= known


def test_a_notebook_shows_it(small):
    """In a notebook the last line of a cell shows the dashboard, and what is sent names no other machine."""
    shown = dashboard(small(), lang="zh")

    async def model():
        return shown.get_root()

    root = asyncio.run(model())
    assert type(root).__name__ == "ReactiveESM"
    assert "http" not in root.esm.replace("http://www.w3.org/2000/svg", "")
    assert root.importmap == {}
    assert not root.data.fill
    assert shown._conductor.lang == "zh"


def test_the_default_is_the_classroom(monkeypatch, tmp_path):
    """Without a file the shipped classroom comes first; where only the package is installed, the starter's."""
    assert choices()[0].names["en"] == "Classroom"
    assert {"Classroom", "Yiwu's incubation chain", "No policy"} <= {c.names["en"] for c in choices()}
    own = sim.load(SHIPPED / "yiwu.yaml")
    assert [c.names["en"] for c in choices(own)].count("Yiwu's incubation chain") == 1
    assert choices(own)[0].names["en"] == "Yiwu's incubation chain"
    monkeypatch.setattr("sim.presentation.dashboard.choices.shipped", dict)
    (only,) = choices()
    assert only.read() == sim.classroom()


def test_what_is_no_scenario_is_refused():
    """A file's name in place of a scenario is an error that says so."""
    with pytest.raises(ScenarioError):
        dashboard("scenarios/classroom.yaml")


def test_without_panel_it_says_what_to_install(monkeypatch):
    """Where Panel is missing, the error names the extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SimError, match=re.escape("pip install 'entrepreneur-pipeline[app]'")) as refused:
        needs_panel()
    assert refused.value.exit_code == 2


def test_many_stages_and_one(small):
    """A chain of one open stage, and one without policy, have their picture and levers too."""
    single = Session(small(chain=(Stage(id="village", facilities=1),), policy=()))
    single.step(3)
    (stage,) = single.picture()["sides"][0]["stages"]
    assert stage["places"] == -1
    assert stage["living"] > 0
    assert "policy" not in {p.split(".")[0] for p in Levers(single.scenario)}


def test_own_numbers_of_an_instrument_are_levers(small):
    """An instrument made in Python has its numbers as levers, and its switch."""
    levers = Levers(small(policy=(stipend.Instrument(id="mine"),)))
    assert "policy.mine.amount.bachelor" in set(levers)
    assert levers["policy.mine.active"].on
    assert isinstance(pd.DataFrame(levers.plain("en")), pd.DataFrame)
