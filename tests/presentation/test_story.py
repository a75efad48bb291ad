"""A life reads well in both languages, and each number has its note."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from sim.chain.stage import Stage
from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour, Exit
from sim.experiments.tracing.event import Event
from sim.experiments.tracing.trace import Life, difference, trace
from sim.model import Pipeline
from sim.policy import rent_relief, stipend, training
from sim.presentation import catalogue
from sim.presentation.prose import _broken
from sim.presentation.sentences import money, sentence
from sim.presentation.story import Notes, Story, Twins, plain
from sim.scenario.schema import Horizon, Initial, Scenario

LANGUAGES: tuple[catalogue.Lang, ...] = ("zh", "en")
Small = Callable[..., Scenario]


def _eventful(small: Small) -> Scenario:
    """Of everything something: falls, waiting lists, ends of tenancies, refusals, second shops, an initial stock."""
    chain = (
        Stage(id="village", facilities=2),
        Stage(id="hub", facilities=2, places=2, threshold=4e4, tenancy=4, max_age=20, apply=0.5, falls_back=True),
        Stage(id="park", facilities=1, places=9, threshold=2e5, or_net_income=300.0, apply=0.5, falls_back=True),
    )
    policy = (
        training.Instrument(id="full", courses=1, seats=12, take_up=0.5),
        training.Instrument(id="poor", courses=400, take_up=0.5, budget=400.0),
        stipend.Instrument(id="stipend", eligible_share=0.5, first_after=3),
        rent_relief.Instrument(id="rent", share={"hub": 0.5}),
    )
    return small(
        horizon=Horizon(months=30),
        arrivals=Arrivals(per_year=80.0),
        initial=Initial(kind="burn_in", months=6),
        behaviour=Behaviour(exit=Exit(stays=0.7, restarts=0.5)),
        chain=chain,
        policy=policy,
    )


@cache
def _lives(scenario: Scenario) -> list[Life]:
    past, model = Pipeline.past(scenario), Pipeline(scenario)
    while model.running:
        model.step()
    return [trace(scenario, int(uid), past=past) for uid in model.tables()["entrepreneurs"]["uid"]]


@pytest.fixture(scope="module")
def lives(small: Small) -> list[Life]:
    return _lives(_eventful(small))


def events(lives: Iterable[Life]) -> list[Event]:
    return [event for life in lives for event in life.events]


def printed(what: Any, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(what, crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined]


# sentences ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_has_its_sentence(lives: list[Life], lang: catalogue.Lang) -> None:
    """Whatever happens in an eventful town can be told, with no placeholder, raw float or double mark left in it."""
    told = {e.kind for e in events(lives)}
    assert told >= {
        "admitted", "arrived", "belief", "employee", "fell_back", "first_sales", "first_staff", "ineligible", "jump",
        "leaves", "living", "off_list", "paid", "present", "quit", "refused", "restart", "spell", "tenancy_ended",
        "trait", "turned_away", "unseated",
    }  # fmt: skip
    for event in events(lives):
        said = sentence(event, lang)
        assert not re.search(r"[{}]|None|\d\.\d{7}|，，|；；|（）|, ,| {2}|\(\)", said), said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_is_named_where_lives_part(lives: list[Life], lang: catalogue.Lang) -> None:
    """Each kind of event, and each entry of a month's state, has a name for the line that says what differs."""
    names = {e.kind for m in (m for life in lives for m in life.months) for e in m.events} | {"life", "threshold"}
    names |= set(lives[0].months[0].state) - {"expected", "wanted"}
    assert not {f"trace.what.{n}" for n in names} - set(catalogue.keys(lang))


def test_sentences_have_their_numbers(lives: list[Life]) -> None:
    """Draw, threshold and amounts of an event stand in its sentence."""
    found = next(e for e in events(lives) if e.kind == "quit")
    said = sentence(found, "en")
    assert f"draw {found.draw:.4f} < 0.28" in said
    assert money(found.numbers["believed"], "en") in said
    assert money(found.numbers["wanted"], "en") in said
    assert f"抽签 {found.draw:.4f} < 0.28" in sentence(found, "zh")
    life = next(e for e in events(lives) if e.kind == "ineligible")
    assert f"{life.draw:.4f} ≥ 0.5" in sentence(life, "zh")


def test_a_close_draw_is_shown_on_its_side() -> None:
    """A draw just below its threshold is not rounded up to it, nor a tiny one to nothing."""
    for draw, said in ((0.08699999, "0.08699999 < 0.087"), (0.00000004, "0.00000004 < 0.087"), (0.5, "0.5000 ≥ 0.087")):
        event = Event(
            "quit", 0, "2024-04", {"believed": 1, "annuity": 1, "wanted": 3, "age": 1, "cash": 5}, draw, 0.087
        )
        assert said in sentence(event, "en")


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0.4, "0元", "0 CNY"),
        (-0.4, "0元", "0 CNY"),
        (5260.2, "5,260元", "5,260 CNY"),
        (-552.0, "-552元", "-552 CNY"),
        (12345.0, "1.234万元", "12,345 CNY"),
        (1009445.0, "100.9万元", "1.009 m CNY"),
        (9.161e7, "9,161万元", "91.61 m CNY"),
        (2.5e9, "25亿元", "2.5 bn CNY"),
    ],
)
def test_money_is_read_in_the_readers_units(value: float, zh: str, en: str) -> None:
    """Chinese counts in 万 and 亿, English in millions and billions; four digits are enough."""
    assert money(value, "zh") == zh
    assert money(value, "en") == en


def test_names_are_the_scenarios_own(lives: list[Life]) -> None:
    """Stages and instruments go by the scenario's labels, made harmless."""
    found = next(e for e in events(lives) if e.kind == "paid" and e.numbers["instrument"] == "rent")
    assert sentence(found, "en", {"rent": "Cheap rent"}).startswith("Cheap rent: receives")
    assert "\x1b" not in sentence(found, "en", {"rent": "a\x1b[2J"})


# stories --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_parameter_is_noted_once(lives: list[Life], lang: catalogue.Lang) -> None:
    """Notes are numbered as they are first mentioned, each stands once, and says what is behind its number."""
    said = printed(Story(lives[-1], lang), 1000)
    body, _, below = said.rpartition(catalogue.text("trace.notes", lang))
    numbers = [int(n) for n in re.findall(r"^ *\[(\d+)\] ", below, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    paths = re.findall(r"^ *\[\d+\] ([\w.]+) = ", below, re.M)
    assert len(paths) == len(set(paths)) == len(numbers)
    assert set(paths) == {p for e in lives[-1].events for p in e.parameters}
    marks = [part for mark in re.findall(r"\[([\d,–]+)\]", body) for part in mark.split(",")]
    mentioned = {n for m in marks for n in range(int(m.split("–")[0]), int(m.split("–")[-1]) + 1)}
    assert mentioned == set(numbers)
    assert ("假设：" if lang == "zh" else "assumed: ") in below
    assert "behaviour.entry.cash_median = 30,000" in below


def test_marks_are_short(small: Small) -> None:
    """Numbers in a row are told as a span."""
    notes, scenario = Notes("en"), small()
    paths = [f"behaviour.entry.{n}" for n in ("sales_median", "sales_sd", "gap_mean", "gap_sd", "cash_sd")]
    assert notes.mark(scenario, paths[:3]) == "[1–3]"
    assert notes.mark(scenario, paths[3:]) == "[4,5]"
    assert notes.mark(scenario, [paths[4], paths[0], paths[1]]) == "[1,2,5]"
    assert notes.mark(scenario, ()) == ""
    assert [n for n, _ in notes] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_twin_without_difference_is_told_once(lives: list[Life], lang: catalogue.Lang) -> None:
    """One compared with himself has one story, and the reader is told that nothing differs."""
    life = lives[-1]
    twins = Twins(life, life, difference(life, life), lang)
    said, alone = printed(twins), printed(Story(life, lang))
    assert catalogue.text("trace.same", lang) in said
    assert [line for line in alone.splitlines() if line not in said.splitlines()] == []


def test_twins_part_where_they_differ(small: Small) -> None:
    """The common beginning is told once; after the line that names the month come two columns, or one below another."""
    base = _eventful(small)
    reform = base.model_copy(update={"policy": (), "name": base.name.model_copy(update={"en": "Nothing"})})
    newcomers = [x for x in _lives(base) if x.events[0].kind == "arrived" and x.uid % 10 == 0]
    pairs = ((x, trace(reform, x.uid)) for x in newcomers)
    one, other = next((x, y) for x, y in pairs if (difference(x, y).told or 0) > x.months[0].month)
    apart = difference(one, other)
    assert apart.told is not None
    twins = Twins(one, other, apart, "en", ("a.yaml", "b.yaml"))
    wide, narrow = printed(twins, 140), printed(twins, 80)
    date = next(m.date for m in one.months if m.month == apart.told)
    for said in (wide, narrow):
        assert f"From {date} on it differs: " in said
        assert said.count("Opens a shop") == 1
        together, _, apart_told = said.partition("From ")
        assert "Opens a shop" in together
        assert f" {date}" not in together
        assert f" {date}" in apart_told
        assert "Nothing" in said
        assert "No public money was spent on him" in said
    assert max(cell_len(line) for line in narrow.splitlines()) <= 80
    beside = next(line for line in wide.splitlines() if "Nothing" in line and "Unnamed" in line)
    assert beside.index("Unnamed") < beside.index("Nothing")


def test_twins_of_one_name_go_by_their_files(lives: list[Life]) -> None:
    """Two scenarios of the same name are told apart by file."""
    twins = Twins(lives[0], lives[0], difference(lives[0], lives[1]), "en", ("a.yaml", "b.yaml"))
    assert "(a.yaml)" in printed(twins, 140)
    assert "(b.yaml)" in printed(twins, 140)


def test_a_life_is_plain_data(lives: list[Life]) -> None:
    """A life can be written as JSON, with what stands behind each parameter that it names."""
    data = json.loads(json.dumps(plain(lives[-1]), allow_nan=False))
    assert data["uid"] == lives[-1].uid
    assert {"kind", "month", "date", "numbers", "draw", "threshold", "parameters"} <= set(data["events"][0])
    named = {p for e in data["events"] for p in e["parameters"]}
    assert set(data["parameters"]) == named
    assert all(row["status"] in ("published", "derived", "assumed", "unsourced") for row in data["parameters"].values())


# lines ----------------------------------------------------------------------------------------------------------------

LONG = "他相信将来每月能卖1.388万元（抽签 0.0409 < 0.087），现金1,133万元；“继续”经营 [4,5] and so on, in 1,133 words."


@pytest.mark.parametrize("width", range(24, 90, 3))
def test_lines_break_between_words_and_characters(width: int) -> None:
    """Lines fill the width but never exceed it; numbers and marks stay whole, nothing is lost."""
    lines = list(_broken(LONG, width))
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(LONG.split())
    for whole in ("1.388", "0.0409 < 0.087", "1,133", "[4,5]"):
        assert any(whole in line for line in lines)
    assert not any(line[0] in "，。；：）、”" for line in lines)
