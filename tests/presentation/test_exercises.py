"""Exercises check themselves: right answers, known slips, and what is no answer."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import sim
from sim.presentation import catalogue
from sim.presentation.exercises import EXERCISES, check


@pytest.fixture(scope="module")
def run() -> sim.Result:
    return sim.run(sim.classroom(), replicates=2)


@pytest.fixture(scope="module")
def survived(run: sim.Result) -> Any:
    """The package's own Kaplan-Meier, which exercises do not use."""
    return run.survival().set_index("age_months")["survival"]


@pytest.fixture(scope="module")
def compared() -> sim.Comparison:
    base = sim.classroom()
    return sim.compare(base, base.replace({"policy.living_stipend.active": False}), replicates=2)


class Sixteen:
    """A sweep of 16 replicates at each point."""

    def __init__(self) -> None:
        import pandas as pd

        self.summary = pd.DataFrame({"n": [16, 16]})


def test_survival_is_worked_out_apart(run: sim.Result, survived: Any) -> None:
    """What exercises take for right, from rows of founders, is what the package's own estimators say."""
    reached = run.summary.set_index("outcome").loc["reached_incubator", "mean"]
    assert (
        check("1.1", reached, run).solved or abs(reached - EXERCISES["1.1"].right(run)) < 1e-3
    )  # pooled, not averaged
    assert check("2.2", survived[36], run).solved
    assert check("2.3", (survived <= 0.5).idxmax(), run).solved
    assert check("2.4", survived[24] / survived[12], run).solved
    people = run.tables["entrepreneurs"]
    first = people[people["attempt"] == 0]
    assert check("2.1", int((~first["event"]).sum()), run).solved
    assert check("2.5", first["exit_reason"].value_counts().index[0], run).solved


def test_known_slips_have_hints_of_their_own(run: sim.Result, survived: Any) -> None:
    """Who slips in a known way is told what he did; all hints of an exercise differ."""
    people = run.tables["entrepreneurs"]
    first = people[people["attempt"] == 0]
    closed = first[first["event"]]
    slips = {
        ("2.1", "closed"): len(closed),
        ("2.2", "late"): (first["duration_months"] > 36).mean(),
        ("2.2", "closed_only"): (closed["duration_months"] > 36).mean(),
        ("2.3", "of_closed"): closed["duration_months"].median(),
        ("2.4", "difference"): survived[12] - survived[24],
        ("2.4", "whole"): survived[24],
    }
    for (id, slip), wrong in slips.items():
        verdict = check(id, wrong, run)
        assert verdict.solved is False
        assert verdict.zh == catalogue.text(f"exercise.{id}.{slip}", "zh")
        assert verdict.en == catalogue.text(f"exercise.{id}.{slip}", "en")


def test_per_cent_is_recognised(run: sim.Result, survived: Any) -> None:
    """Whoever gives 50 for 0.5 hears that it is the unit."""
    assert check("2.2", 100 * survived[36], run).en == catalogue.text("exercise.percent", "en")


def test_displacement_and_replicates(compared: sim.Comparison) -> None:
    """What a comparison and a sweep ask for, and the slips in it."""
    row = compared.summary.set_index("outcome").loc["newcomers_living_end"]
    assert check("3.1", row["effect"] - row["direct"], compared).solved
    assert "sign" in check("3.1", row["direct"] - row["effect"], compared).en or row["effect"] == row["direct"]
    sixteen: Any = Sixteen()
    assert check("4.1", 64, sixteen).solved
    assert check("4.1", 60, sixteen).solved
    assert "0.7" in check("4.1", 32, sixteen).en
    assert "in all" in check("4.1", 4, sixteen).en


@pytest.mark.parametrize("id", EXERCISES)
def test_no_answer_is_no_mistake(id: str, run: sim.Result) -> None:
    """What is shipped (`...`) is met with an invitation in both languages, and nothing is raised."""
    for nothing in (..., None):
        verdict = check(id, nothing, run)
        assert verdict.solved is None
        assert re.search(r"[\u4e00-\u9fff]", verdict.zh)
        assert "..." in verdict.en


@pytest.mark.parametrize("odd", ["fifty", [1, 2], float("nan"), np.array([0.1, 0.2]), {"a": 1}, print])
def test_odd_answers_never_crash(run: sim.Result, odd: Any) -> None:
    """A learner may type anything: he is told that one number is wanted."""
    verdict = check("2.2", odd, run)
    assert (verdict.solved, verdict.en) == (False, catalogue.text("exercise.no_number", "en"))


def test_reasons_by_any_name(run: sim.Result) -> None:
    """A reason may be given by its id or its name in either language; another one gets the hint."""
    right = EXERCISES["2.5"].right(run)
    for name in (
        right,
        f" {str(right).upper()} ",
        *(catalogue.name("exit_reason", str(right), lang) for lang in ("zh", "en")),
    ):
        assert check("2.5", name, run).solved
    for wrong in ("insolvent", 3, "<b>"):
        assert check("2.5", wrong, run).solved is False


def test_an_unknown_exercise(run: sim.Result) -> None:
    """A wrong number of an exercise is the notebook's mistake, and raised."""
    with pytest.raises(KeyError):
        check("9.9", 1, run)


@pytest.mark.parametrize("id", EXERCISES)
def test_every_hint_is_in_the_catalogue(id: str) -> None:
    """Each exercise has what is said of a right answer, a hint, and one for each slip; praise names the answer."""
    for lang in ("zh", "en"):
        for key in ("right", "hint", *EXERCISES[id].slips):
            assert catalogue.known(f"exercise.{id}.{key}", lang), (id, key)
        assert "{right}" in str(catalogue.known(f"exercise.{id}.right", lang))


def test_a_verdict_is_read_anywhere(run: sim.Result) -> None:
    """In a notebook a verdict is a box in which nothing is markup, elsewhere plain text in both languages."""
    verdict = check("2.2", "<script>alert(1)</script>", run)
    html = verdict._repr_html_()
    assert "<script" not in html
    assert verdict.zh in html
    assert verdict.en in html
    assert verdict.zh in repr(verdict)
    assert repr(verdict).startswith("✗ 2.2")
