"""What the figures and sentences about indices say, from tables made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from sim.experiments.sensitivity.found import Sensitivity
from sim.findings import FINDINGS
from sim.presentation.axes import Axes
from sim.presentation.catalogue import outcome
from sim.presentation.indices import IndicesAnswer
from sim.presentation.indices_plots import bars, cells, figures, screening
from sim.presentation.screen import say

SCENARIO = {
    "name": {"zh": "", "en": "City"},
    "chain": [{"id": "incubator", "label": {"zh": "孵化器", "en": "Incubator"}}],
    "policy": [{"id": "rent", "type": "rent_relief", "label": {"zh": "", "en": "Cheap rent"}}],
}

AXES = [
    {"path": "chain.incubator.places", "name": {"zh": "席位", "en": "places"}, "unit": "count"},
    {
        "path": "policy.rent.share.incubator",
        "name": {"zh": "减免比例", "en": "share refunded; all of it"},
        "unit": "share",
    },
    {"path": "behaviour.money.margin", "name": {"zh": "", "en": ""}, "unit": "share"},
]

PATHS = [axis["path"] for axis in AXES]


def frame(name, rows):
    kinds = {c.name: c.dtype for c in FINDINGS[name]}
    table = pd.DataFrame(rows, columns=list(kinds))
    return table.astype({n: k for n, k in kinds.items() if k in ("float64", "int64")})


def made(method="morris") -> Sensitivity:
    key = {"branch": "", "outcome": "survival_36m"}
    row = key | {"unit": "share", "method": method, "points": 40, "designed": 40, "replicates": 2.0, "mean": 0.5}
    row |= {"p10": 0.4, "p90": 0.6, "sd": 0.1, "chance": 0.25, "reason": None}
    measures = {"morris": ("mu_star", "mu", "sigma"), "sobol": ("first", "total")}[method]
    indices = [
        key | {"method": method, "path": path, "measure": m, "value": v, "low": v - 0.02, "high": v + 0.02, "floor": f}
        for path, v, f in zip(PATHS, (0.1, 0.3, 0.03), (0.04,) * 3, strict=True)
        for m in measures
    ]
    pairs = [key | {"path": PATHS[0], "other": PATHS[1], "second": 0.2, "second_low": 0.1, "second_high": 0.3}]
    grid = [
        key
        | {
            "path": PATHS[0],
            "other": PATHS[1],
            "place": x,
            "other_place": y,
            "value": f"{10 * x:g}",
            "other_value": str(y),
        }
        | {"mean": x + y, "low": x + y - 0.1, "high": x + y + 0.1, "n": 5}
        for x in (0.2, 0.8)
        for y in (0.1, 0.5, 0.9)
    ]
    tables = {"outcomes": [row], "indices": indices, "pairs": pairs if method == "sobol" else [], "cells": grid}
    study = {"name": {"zh": "研究", "en": "Study"}, "branches": []}
    manifest = {"study": study, "scenario": SCENARIO, "axes": AXES, "methods": {"": method}, "runs": 80, "failed": 0}
    return Sensitivity(
        manifest | {"seed": 1}, {f"sensitivity_{n}": frame(f"sensitivity_{n}", rows) for n, rows in tables.items()}
    )


def test_axes_are_named_with_what_they_belong_to():
    """A stage's or an instrument's number bears its name, of which the first phrase is said; or the path stands."""
    english, chinese = (Axes(AXES, SCENARIO, lang) for lang in ("en", "zh"))
    assert [english.name(path) for path in PATHS] == [
        "Incubator: places", "Cheap rent: share refunded (Incubator)", "behaviour.money.margin"
    ]  # fmt: skip
    assert chinese.name(PATHS[0]) == "孵化器：席位"


@pytest.mark.parametrize(("lang", "says"), [("en", "Survivors at 36 months"), ("zh", "满36个月仍在经营的人数")])
def test_outcomes_of_an_optimisation_have_names(lang, says):
    """Survivors, the survival of a group and the whole cost are called something else than their ids."""
    assert outcome("survivors_36m", lang)[0] == says
    assert outcome("survival_36m_education_phd", lang)[0] not in ("", "survival_36m_education_phd")
    assert outcome("cost_cny", lang)[0] != "cost_cny"


def test_ranks_need_more_than_chance():
    """A number whose interval is not above the floor has no rank."""
    ranked = made().ranked("", "survival_36m")
    assert ranked["path"].tolist() == [PATHS[1], PATHS[0], PATHS[2]]
    assert ranked["rank"].tolist()[:2] == [1, 2]
    assert pd.isna(ranked["rank"].iloc[2])


def test_the_answer_says_what_acts_together(capsys):
    """Shares of pairs that are clear are told; effects on a share are in percentage points."""
    say(IndicesAnswer(made("sobol"), lang="en"))
    assert "together carry 20 % (10 to 30)" in " ".join(capsys.readouterr().out.split())
    say(IndicesAnswer(made(), lang="en"))
    assert "Effects in points" in capsys.readouterr().out


def test_figures_draw_what_the_tables_say(tmp_path):
    """A bar each number from the largest, a line each part of the other number, a point each number; the same bytes."""
    found = made()
    ax = bars(found, "", "survival_36m")
    assert [round(patch.get_width()) for patch in ax.patches] == [30, 10, 3]
    lines = cells(found, "", "survival_36m").get_lines()
    assert len(lines) == 3
    assert lines[0].get_ydata().tolist() == pytest.approx([30, 90])
    assert len(screening(found, "", "survival_36m").containers) == 3
    first, again = (figures(found, tmp_path / name, lang="zh") for name in ("a", "b"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert len(first) == 6
