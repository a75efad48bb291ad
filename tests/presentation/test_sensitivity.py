"""What rests on assumptions, as a planner reads it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim.experiments.sensitivity.analysis import Plan, _manifest
from sim.experiments.sensitivity.result import KNOWN, OTHERS, Variance, declared
from sim.presentation.catalogue import Lang
from sim.presentation.sensitivity import VarianceAnswer, called, plain
from sim.presentation.sensitivity_plots import carriers, figures
from sim.scenario import load

CITY = Path(__file__).parents[2] / "scenarios" / "yiwu.yaml"
MARGIN, RENT, PARK = "behaviour.money.margin", "chain.village.rent", "policy.rent.share.incubator"


def share(outcome: str, group: str, members: int, first: tuple[float, ...], total: tuple[float, ...]) -> dict:
    parts = {"first": first, "total": total}
    numbers = {f"{p}{end}": v for p, vs in parts.items() for end, v in zip(("", "_low", "_high"), vs, strict=True)}
    return {"outcome": outcome, "kind": "level", "group": group, "members": members, **numbers}


def row(outcome: str, unit: str, own: float, kind: str = "level", **changes) -> dict:
    spread = {"p10": own / 2, "p50": own, "p90": own * 1.5, "sd": own / 3, "pairs": 8}
    carried = {"assumed": 0.9, "known": 0.08, "chance": 0.02, "reason": None}
    return {"outcome": outcome, "kind": kind, "unit": unit, "logs": False, "own": own, **spread, **carried, **changes}


@pytest.fixture(scope="module")
def found() -> Variance:
    """Made up: the margin carries most of survival, the rent less, and the rest cannot be told from chance."""
    unknown = {"sd": None, "assumed": None, "known": None, "chance": None, "reason": "no number that varies changes it"}
    outcomes = [
        row("survival_36m", "share", 0.49),
        row("sales_mean_cny", "CNY/year", 720_000.0, pairs=7),
        row("living_end", "persons", -2.0, kind="effect", **unknown),
    ]
    shares = [
        share("survival_36m", OTHERS, 101, (0.2, 0.1, 0.3), (0.3, 0.2, 0.4)),
        share("survival_36m", RENT, 1, (0.1, 0.02, 0.2), (0.2, 0.1, 0.3)),
        share("survival_36m", MARGIN, 1, (0.35, 0.2, 0.5), (0.4, 0.3, 0.6)),
        share("survival_36m", PARK, 1, (-0.01, -0.03, 0.01), (0.001, -0.01, 0.02)),
        share("survival_36m", KNOWN, 4, (0.08, 0.0, 0.1), (0.1, 0.05, 0.2)),
        share("sales_mean_cny", MARGIN, 1, (0.1, -0.2, 0.4), (0.2, -0.1, 0.5)),
    ]
    plan = Plan(load(CITY), load(CITY.with_name("reform_no_policy.yaml")))
    screening = pd.DataFrame(
        [{"outcome": "survival_36m", "kind": "level", "group": MARGIN, "linear": 0.4, "chosen": True}]
    )
    run = {
        "outcome": "survival_36m",
        "kind": "level",
        "pair": 0,
        "block": 0,
        "replicate": 0,
        "value": 0.5,
    }
    return Variance(
        _manifest(plan, 1234, [OTHERS, RENT, MARGIN, PARK, KNOWN]) | {"basis": {**_basis(plan), "pairs": 8}},
        declared("variance_outcomes", pd.DataFrame(outcomes)),
        declared("variance_shares", pd.DataFrame(shares)),
        declared("variance_screening", screening),
        declared("variance_runs", pd.DataFrame([run])),
        {},
    )


def _basis(plan: Plan) -> dict:
    return _manifest(plan, 1234, [])["basis"]


def said(found: Variance, lang: Lang) -> str:
    from rich.console import Console

    console = Console(width=200, markup=False, emoji=False, highlight=False)
    with console.capture() as held:
        console.print(VarianceAnswer(found, ("runs/x",), lang))
    return held.get()


def test_the_answer_ranks_and_says_what_to_measure(found: Variance) -> None:
    """Ranks go by the total share; what may be nothing has none; the sentence names the first, and its gain."""
    lines = said(found, "en").splitlines()
    ranks = [line.split()[0] for line in lines if re.match(r" *\d +(profit|Taobao|[a-z])", line.strip())]
    assert ranks[:2] == ["1", "2"]
    text = "\n".join(lines)
    margin = found.manifest["varied"][MARGIN]["en"]
    assert (
        f"Most worth finding out first: {margin}; then Taobao village: {found.manifest['varied'][RENT]['en']}." in text
    )
    assert f"Knowing “{margin}” alone would cut the variance of “Trading at 36 months” by about 35 %." in text
    assert "“Mean annual sales” by about" not in text
    assert "Mean annual sales: only 7 of 8 pairs" in text
    assert "1,234 runs" in text
    assert "90 %" in text
    assert "runs/x" in text


def test_the_answer_is_chinese_throughout(found: Variance) -> None:
    """In Chinese no English word is left outside of paths, files and brackets."""
    text = re.sub(r"[\w./]*[._/][\w./]*|（[^）]*）", "", said(found, "zh"))
    assert not re.findall(r"[A-Za-z]{2,}", text)
    assert "下一步应当调查什么" in text
    assert "最值得先查清的是" in text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_numbers_are_called_by_their_place(found: Variance, lang: Lang) -> None:
    """A number of a stage, an instrument or a channel is called with it, and a group by what it holds."""
    stage = {"zh": "淘宝村", "en": "Taobao village"}[lang]
    assert called(found, RENT, lang).startswith(stage)
    relief, incubator = {"zh": ("房租减免", "孵化器"), "en": ("Rent relief", "incubator")}[lang]
    assert called(found, PARK, lang).startswith(relief)
    assert incubator in called(found, PARK, lang)
    assert re.search(r"\d+", called(found, OTHERS, lang))
    names = [called(found, path, lang) for path in found.manifest["varied"]]
    assert len(set(names)) == len(names)


def test_plain_values(found: Variance) -> None:
    """JSON has every share with its rank, and null where nothing is known."""
    told = plain(found)
    first, _, effect = told["outcomes"]
    assert [s["group"] for s in first["shares"]] == [MARGIN, OTHERS, RENT, KNOWN, PARK]
    assert [s["rank"] for s in first["shares"]] == [1, None, 2, None, None]
    assert effect["shares"] == []
    assert effect["assumed"] is None
    assert told["measure_next"] == [MARGIN, RENT]


def test_figures(found: Variance, tmp_path: Path) -> None:
    """A bar for each group, as long as its total share; an outcome of which nothing is known says so; same bytes."""
    ax = carriers(found, "survival_36m", Figure().add_subplot(), lang="zh")
    ends = {round(bar.get_x() + bar.get_width(), 6) for bar in ax.patches if bar.get_width() > 0}
    assert {40.0, 30.0, 20.0, 10.0} <= ends
    assert not carriers(found, "living_end", Figure().add_subplot(), kind="effect").patches
    least = replace(found, outcomes=found.outcomes.iloc[[0, 2]])
    one, other = (figures(least, tmp_path / name, lang="en") for name in ("a", "b"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]
    assert {p.name for p in one} >= {"survival_36m.svg", "effect_living_end.png"}
