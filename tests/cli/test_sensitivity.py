"""`sim sensitivity`, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.experiments.sweep.sweep import sweep

STUDY = """\
schema: 1
kind: sweep
name: {zh: "[bold]扫描[/]", en: "[bold]Sweep[/]"}
scenario: tiny.yaml
replicates: 2
outcomes: [survival_12m, sales_mean_cny, survival_60m]
levers: [{path: chain.hub.places, values: [1, 6], range: [1, 6]}]
uncertainties: [{path: behaviour.money.margin, values: [0.05, 0.1, 0.2]}]
branches:
  - {id: coarse, name: {zh: 粗网格, en: Coarse grid}, design: {kind: grid}}
  - {id: paths, design: {kind: morris, trajectories: 4}}
  - {id: many, design: {kind: sobol, points: 8}}
"""


@pytest.fixture
def swept(place: Path) -> Path:
    (place / "study.yaml").write_text(STUDY, encoding="utf-8")
    sweep(place / "study.yaml", place / "out")
    return place / "out"


def test_it_answers_beside_the_sweep(command, swept):
    """The answer stands on the screen and beside the sweep, in both languages, with figures, and is shown again."""
    said = command("sensitivity", "out", "--lang", "en").stdout
    command.caveats(said, "en")
    for part in ("[bold]Sweep[/]", "Coarse grid", "Alone (%)", "Size (mu*)", "margin on sales", "hub[red]", "Sobol"):
        assert part in said
    assert "Known at 2 of 6 points only" in said  # in two years, survival at five is known where all are gone
    figures = {p.name for p in (swept / "sensitivity" / "figures").glob("*.svg")}
    assert {
        "coarse_survival_12m_bars.svg",
        "many_survival_12m_cells.svg",
        "paths_survival_12m_screening.svg",
    } <= figures
    again = command("sensitivity", "out/sensitivity", "--lang", "zh").stdout
    for part in ("粗网格", "单独（%）", "净利率", "偶然"):
        assert part in again


def test_it_tells_machines(command, swept):
    """As JSON: every index with its interval; an outcome, a method and two paths of the user's choice."""
    words = "sensitivity", "out", "--outcome", "survival_12m", "--no-figures"
    found = command.json(*words)
    assert found["methods"] == {"coarse": "anova", "paths": "morris", "many": "sobol"}
    assert {row["outcome"] for row in found["indices"]} == {"survival_12m"}
    margin = [r for r in found["indices"] if r["path"] == "behaviour.money.margin" and r["measure"] == "first"]
    assert all(row["low"] <= row["value"] <= row["high"] for row in margin)
    over = command.json(*words, "--over", "chain.hub.places", "behaviour.money.margin")
    assert {row["path"] for row in over["cells"]} == {"chain.hub.places"}


def test_mistakes_are_told(command, swept, place):
    """No sweep, no such outcome, a method that a design does not allow: exit 2, one line, in the user's language."""
    said = command("sensitivity", "out", "--outcome", "survival_12", "--lang", "zh", code=2).stderr
    assert said == "错误：survival_12：不是这次参数扫描的结果（最接近的是 survival_12m）\n"
    assert "coarse" in command("sensitivity", "out", "--method", "sobol", "--lang", "zh", code=2).stderr
    (place / "empty").mkdir()
    assert "empty" in command("sensitivity", "empty", code=2).stderr
