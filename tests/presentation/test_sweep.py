"""The answer of a sweep: names, values and failures as a planner reads them."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from sim.experiments.sweep.estimate import Cost, Status
from sim.presentation.catalogue import Lang
from sim.presentation.sweep import SweepAnswer, cost, plain, progress_of, said, value

MANIFEST = {
    "study": {
        "name": {"zh": "", "en": "[b]Try[/]"},
        "branches": [{"id": "more", "name": {"zh": "更多", "en": "More"}}],
    },
    "file": "study.yaml",
    "scenario": {"chain": [], "policy": []},
    "axes": [
        {"branch": "", "path": "chain.hub.places", "name": {"zh": "席位", "en": "places"}},
        {"branch": "more", "path": "policy.rent.active", "name": {"zh": "", "en": ""}},
    ],
    "outcomes": {"survival_36m": "share", "spent_cny": "CNY"},
    "points": 3,
    "replicates": 2,
    "seed": 7,
}


class Found:
    """What an answer reads of a sweep, made up: one point fails, one does not know what it cost."""

    manifest = MANIFEST
    outcomes = ("survival_36m", "spent_cny")
    paths = ("chain.hub.places", "policy.rent.active")
    damaged = (Path("parts/a.parquet"),)
    digest = "0123456789abcdef" * 4
    points = pd.DataFrame(
        {
            "branch": ["", "", "more", "more"],
            "number": [0, 1, 0, 1],
            "point": ["a", "b", "c", "c"],
            "chain.hub.places": [10.0, 2500.0, 10.0, 10.0],
            "policy.rent.active": [None, None, True, True],
        }
    )
    summary = pd.DataFrame(
        [
            ("", "a", "survival_36m", 0.5, 0.01, 0.48, 0.52, 2, "share"),
            ("", "b", "survival_36m", 0.6, 0.01, 0.58, 0.62, 2, "share"),
            ("more", "c", "survival_36m", None, None, None, None, 0, "share"),
            ("", "a", "spent_cny", 2e6, 1e5, 1.9e6, 2.1e6, 2, "CNY"),
            ("", "b", "spent_cny", 3e6, None, None, None, 1, "CNY"),
            ("more", "c", "spent_cny", None, None, None, None, 0, "CNY"),
        ],
        columns=["branch", "point", "outcome", "mean", "sd", "ci_low", "ci_high", "n", "unit"],
    )
    failures = pd.DataFrame(
        [
            (
                "more",
                "c",
                10.0,
                True,
                r,
                7,
                "timeout" if r else "run",
                "no result after 5 s" if r else "ValueError: [b]x[/]",
            )
            for r in (0, 1, 2)
        ],
        columns=["branch", "point", "chain.hub.places", "policy.rent.active", "replicate", "seed", "phase", "message"],
    )
    runs = pd.DataFrame(index=range(6))


def written(lang: Lang, found: object = None, width: int = 160) -> str:
    sink = io.StringIO()
    Console(file=sink, width=width, markup=False, highlight=False).print(SweepAnswer(found or Found(), lang=lang))
    return sink.getvalue()


def test_every_point_is_shown():
    """Of few points each has a row: values, means with half of the interval in the outcome's unit, or a dash."""
    text = written("en")
    assert "[b]Try[/]  3 points, 6 runs, seed 7" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "10 – 50.0 ± 2.0 2.00 ± 0.10" in lines
    assert "2,500 – 60.0 ± 2.0 3.00" in lines
    assert "More 10 yes – –" in lines
    assert "places" in text
    assert "policy.rent.active" in text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_failures_are_grouped(lang):
    """Failures of one kind are one row with their number, the most frequent first; markup is inert."""
    lines = [" ".join(line.split()) for line in written(lang).splitlines()]
    first, second = {
        "en": ("2 took too long no result after 5 s More, places 10, policy.rent.active yes; replicate 1",
               "1 the run ValueError: [b]x[/] More, places 10, policy.rent.active yes; replicate 0"),
        "zh": ("2 超时 5秒内没有结果 更多、席位 10、policy.rent.active 是；第 1 次重复",
               "1 模拟 ValueError: [b]x[/] 更多、席位 10、policy.rent.active 是；第 0 次重复"),
    }[lang]  # fmt: skip
    assert lines.index(first) + 1 == lines.index(second)


def test_of_many_points_the_ends_are_shown():
    """The lowest and the highest of each outcome, with the values there."""

    more = dict.fromkeys(("arrivals", "living_end", "sales_gini"), "")

    class Many(Found):
        outcomes = (*Found.outcomes, *more)
        manifest = MANIFEST | {"outcomes": MANIFEST["outcomes"] | more}

    lines = [" ".join(line.split()) for line in written("en", Many()).splitlines()]
    assert "Trading at 36 months lowest 50.0 48.0 to 52.0 % places 10" in lines
    assert "highest 60.0 58.0 to 62.0 % places 2,500" in lines
    assert any(line.startswith("First shops opened") and line.endswith("– –") for line in lines)


def test_plain_values():
    """The machine's answer has no NaN, and every point under its name."""
    found = plain(Found())
    assert found["summary"][2]["mean"] is None
    assert set(found["values"]) == {"a", "b", "c"}
    assert (found["failed"], found["damaged"], found["digest"]) == (3, ["parts/a.parquet"], Found.digest)


@pytest.mark.parametrize(
    ("found", "zh", "en"),
    [
        (None, "–", "–"),
        (True, "是", "yes"),
        (0.25, "0.25", "0.25"),
        (1e6, *["1,000,000"] * 2),
        ("x\x1b", *["x\ufffd"] * 2),
    ],
)
def test_values_are_written(found, zh, en):
    """Values of an axis as they are read, control marks replaced."""
    assert (value(found, "zh"), value(found, "en")) == (zh, en)


def test_how_far_it_is():
    """Done, wanted and failed by phase; with a rule on replicates, what is wanted is the most."""
    status = Status(MANIFEST, 6, 4, {"timeout": 1, "set up": 2}, (Path("x"),), None, "12 on node")
    text = progress_of(status, "en")
    assert "4 of 6 runs done, 3 of them failed" in text
    assert "  took too long: 1\n  setting up the scenario: 2\ndamaged parts, whose runs" in text
    assert text.endswith("process 12 on node is at work")
    rule = Status({**MANIFEST, "replicates": {"until": {}}}, 6, 4)
    assert "最多6次" in progress_of(rule, "zh")
    assert said(status)["failed"] == {"timeout": 1, "set up": 2}
    assert "kept besides: 7 runs that the study" in progress_of(Status(MANIFEST, 6, 4, others=7), "en")


def test_what_it_takes():
    """A cost in words."""
    assert cost(Cost(3, 6000, 7200, 3_000_000), "en").startswith(
        "3 points, 6,000 runs at most, about 2 hours and 3.0 MB"
    )
