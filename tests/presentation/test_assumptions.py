"""Why a number is assumed, as a planner reads it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.evidence.audit import Origin, Row, audit
from sim.evidence.quantity import Parameters
from sim.presentation import catalogue
from sim.presentation.listing import audit_table, explanation
from sim.scenario import load
from sim.scenario.starter import SCALED
from sim.scenario.studies import OptimisationStudy, load_study

ROOT = Path(sim.__file__).parent
CITY = Path(__file__).parents[2] / "scenarios" / "yiwu.yaml"
SHIPPED = (*CITY.parent.glob("*.yaml"), *(ROOT / "scenario" / "starter").glob("*.yaml"))
INTERNAL = re.compile(r"silences|derived \d|conflict \d|MODEL|§|\.md\b")


def quantities(model: type[Parameters] = Parameters) -> Iterator[Mapping[str, Any]]:
    """What every parameter of the package says of itself."""
    for child in model.__subclasses__():
        if child.__module__.startswith("sim."):
            yield from (
                f.json_schema_extra for f in child.model_fields.values() if isinstance(f.json_schema_extra, dict)
            )
        yield from quantities(child)


for _file in ROOT.rglob("*.py"):
    if "import quantity" in (_text := _file.read_text(encoding="utf-8")) or "Parameters, quantity" in _text:
        importlib.import_module(".".join(("sim", *_file.relative_to(ROOT).with_suffix("").parts)))
UNITS = {extra["unit"] for extra in quantities() if "unit" in extra}
DEFAULTS = {extra["assumed"] for extra in quantities() if "assumed" in extra}
FILES = {origin.assumed for file in SHIPPED for origin in load(file).provenance.values() if origin.assumed}
PRICES = set(load_study(CITY.parent / "studies" / "budget.yaml", only=OptimisationStudy).assumed_prices.values())
OURS = sorted(DEFAULTS | FILES | PRICES | {SCALED})


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return audit(load(CITY).provenance.values())


def english(said: str) -> list[str]:
    """English words outside brackets, where literature is cited."""
    return re.findall(r"[A-Za-z]{2,}", re.sub(r"（[^）]*）", "", said))


def test_there_are_reasons() -> None:
    """The walk finds the reasons of defaults and of files, so that the tests below test something."""
    assert len(DEFAULTS) > 50
    assert len(FILES - DEFAULTS) > 30
    assert len(PRICES) == 1


@pytest.mark.parametrize("reason", OURS)
def test_a_reason_is_said_in_chinese(reason: str) -> None:
    """Each reason of ours has a Chinese text, and in English stays as it is."""
    assert re.search(r"[\u4e00-\u9fff]", catalogue.assumption(reason, "zh")), reason
    assert catalogue.assumption(reason, "en") == reason


@pytest.mark.parametrize("reason", OURS)
def test_a_reason_needs_no_other_paper(reason: str) -> None:
    """Whoever installed the package has no notes of ours to look things up in."""
    assert not INTERNAL.search(reason + catalogue.assumption(reason, "zh"))


def test_no_chinese_reason_is_left_over() -> None:
    """A reason that is reworded in English loses its Chinese text: nothing stands in the file that nobody says."""
    assert set(catalogue._assumptions()) == {clause for reason in OURS for clause in reason.split("; ")}


@pytest.mark.parametrize("typed", ["听老王说的", "what Mr Wang said", "no source; what Mr Wang said", ""])
def test_a_users_reason_stays_as_typed(typed: str) -> None:
    """What is not ours is never translated, not even in part."""
    assert catalogue.assumption(typed, "zh") == catalogue.assumption(typed, "en") == typed


def test_a_reason_cannot_rewrite_the_screen() -> None:
    """Control and direction marks of a user's reason are shown as what they are: unreadable."""
    assert "\x1b" not in catalogue.assumption("\x1b[2J", "zh")


def test_why_is_chinese_throughout(rows: list[Row]) -> None:
    """`describe --why` in Chinese gives no English reason and no bare unit, for any number of the city."""
    for row in rows:
        path, *said = explanation(row, "zh").splitlines()
        assert row.origin.unit == "id" or not english(path.partition(" = ")[2]), path
        if row.figure is None:
            assert said[-1].startswith("假设：")
            assert not english(said[-1]), said[-1]


def test_the_audit_is_chinese_throughout(rows: list[Row]) -> None:
    """`figures audit` in Chinese names every number and gives no English reason."""
    table = next(iter(audit_table(rows, "zh")))
    _, names, values, _, _, behind = (list(map(str, column._cells)) for column in table.columns)  # type: ignore[union-attr]
    assert all(names)
    assert not [said for said in values if english(said)]
    assert not [said for said, row in zip(behind, rows, strict=True) if row.figure is None and english(said)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_why_answers_in_words(rows: list[Row], lang: catalogue.Lang) -> None:
    """Value, unit, range, place, and the evidence or the assumption."""
    said = {row.origin.path: explanation(row, lang) for row in rows}
    for word in (
        "40",
        "30–60",
        "yiwu.yaml:",
        catalogue.assumption("rules for public bases ask for 30 to 60 tenants", lang),
    ):
        assert word in said["chain.incubator.places"]
    for word in ("student_inflow_per_year", "2024-04", "B"):
        assert word in said["arrivals.per_year"]
    assert f"0.066 {catalogue.text('measure.1/month', lang)}\n" in said["behaviour.growth.kappa"]


@pytest.mark.parametrize(
    ("origin", "first", "last"),
    [
        (Origin("a.b", None, "CNY/year", assumed="mine"), "a.b = null", "假设：mine"),
        (Origin("a.b", True), "a.b = true", "默认值"),
        (Origin("a.b", 3, "count"), "a.b = 3", "没有说明来源"),
        (Origin("a.b", 5, "persons/year", evidence="student_inflow_per_year"), "a.b = 5 人/年", "与之不符"),
    ],
)
def test_why_of_odd_values(origin: Origin, first: str, last: str) -> None:
    """Nothing, a switch, a bare number and one that contradicts its figure are told apart."""
    lines = explanation(audit([origin])[0], "zh").splitlines()
    assert lines[0] == first
    assert lines[-1].endswith(last)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_unit_has_words(lang: catalogue.Lang) -> None:
    """No parameter shows a unit as the files spell it, unless that is how it is read."""
    assert not [
        u for u in UNITS if catalogue.known(f"measure.{u}", lang) is None and catalogue.known(f"unit.{u}", lang) is None
    ]
