"""From a study file to indices: a scenario whose outcome is a known function of its numbers gives the known indices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sim.errors import SimError, StoreError
from sim.experiments.sensitivity.found import open_sensitivity
from sim.experiments.sensitivity.swept import laid, runs_of, sensitivity
from sim.experiments.sweep.sweep import sweep

PARTS = '''
import math
from typing import Literal

from sim.policy import PolicyInstrument, quantity


def number(name):
    return quantity(0.5, unit="1", low=0, high=1, range=(0, 1), zh=name, en=name, assumed="a test")


class Known(PolicyInstrument):
    """Everybody who comes is paid once, by a function of x, y and z that is known."""

    type: Literal["known"] = "known"
    ishigami: bool = False
    x: float = number("x")
    y: float = number("y")
    z: float = number("z")

    def eligible(self, people, now):
        return (people.age == 0).nonzero()[0]

    def cost(self, people, now, rows):
        value = 10 + 4 * self.x + 2 * self.y + 12 * (self.x - 0.5) * (self.y - 0.5)
        if self.ishigami:
            a, b, c = ((2 * u - 1) * math.pi for u in (self.x, self.y, self.z))
            value = 12 + math.sin(a) + 7 * math.sin(b) ** 2 + 0.1 * c**4 * math.sin(a)
        return round(100_000 * value)
'''

CITY = """
schema: 1
components: ["parts:Known"]
horizon: {months: 2}
replicates: 1
initial: {kind: empty, under: null}
arrivals: {per_year: {value: 600, assumed: a test}}
chain: [{id: village, facilities: {value: 1, assumed: a test}}]
policy: [{id: known, type: known}]
"""

STUDY = """
schema: 1
kind: sweep
name: {en: Known}
scenario: city.yaml
replicates: 2
outcomes: [spent_cny, arrivals]
"""

X, Y, Z = (f"policy.known.{n}" for n in "xyz")

ALL = "uncertainties: [{path: policy.known.x}, {path: policy.known.y}, {path: policy.known.z}]\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "parts.py").write_text(PARTS, encoding="utf-8")
    (tmp_path / "city.yaml").write_text(CITY, encoding="utf-8")
    return tmp_path


def swept(place: Path, text: str, folder: Path | None = None):
    (place / "study.yaml").write_text(STUDY + text, encoding="utf-8")
    return sweep(place / "study.yaml", folder)


def index(found, path: str, measure: str):
    rows = found.indices.query("outcome == 'spent_cny' and path == @path and measure == @measure")
    return rows.iloc[0]


def test_known_indices_come_back(place):
    """Of 4x + 2y + 12(x - 1/2)(y - 1/2), paid to everybody, the shares of x, y and both are 4/8, 1/8 and 3/8.

    The arrivals, which are chance, are told apart; they are the same at every point, and have no indices.
    """
    two = "uncertainties: [{path: policy.known.x}, {path: policy.known.y}]\n"
    runs = swept(place, two + "design: {kind: sobol, points: 64, second_order: true}\n", place / "out")
    found = sensitivity(runs)
    truth = {(X, "first"): 4, (X, "total"): 7, (Y, "first"): 1, (Y, "total"): 4}
    for (path, measure), eighths in truth.items():
        row = index(found, path, measure)
        assert row["value"] == pytest.approx(eighths / 8, abs=0.15)
        assert row["low"] <= eighths / 8 <= row["high"]
    pair = found.pairs.query("outcome == 'spent_cny'").iloc[0]
    assert 0 < pair["second_low"] <= 3 / 8 <= pair["second_high"]
    assert found.ranked("", "spent_cny")["path"].tolist() == [X, Y]
    rows = found.outcomes.set_index("outcome")
    assert 0 < rows.loc["spent_cny", "chance"] < 0.5
    assert rows.loc["arrivals", "reason"] == "no number that varies changes it"
    cells = found.cells.query("outcome == 'spent_cny'")
    assert set(cells["path"]) | set(cells["other"]) == {X, Y}
    found.write(place / "out" / "sensitivity")
    again = open_sensitivity(place / "out" / "sensitivity")
    for name in ("outcomes", "indices", "pairs", "cells"):
        assert getattr(again, name).equals(getattr(found, name))
    found.write(place / "out" / "sensitivity")  # is replaced
    with pytest.raises(StoreError, match="sensitivity"):
        open_sensitivity(place / "out")


@pytest.mark.long
def test_ishigami_comes_back(place):
    """Of Ishigami's function, paid to everybody, first, total and second order are its closed form to within 0.06."""
    (place / "city.yaml").write_text(CITY.replace("type: known", "type: known, ishigami: true"), encoding="utf-8")
    found = sensitivity(swept(place, ALL + "design: {kind: sobol, points: 512, second_order: true}\n"))
    one, two, both = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 8 * 0.01 * np.pi**8 / 225
    whole = one + two + both
    ours = [index(found, path, measure)["value"] for measure in ("first", "total") for path in (X, Y, Z)]
    assert_allclose(ours, np.array([one, two, 0, one + both, two, both]) / whole, atol=0.06)
    assert_allclose(found.pairs["second"], [0, both / whole, 0], atol=0.1)


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """A screening, two grids that share a point, and a hypercube, side by side."""
    place = tmp_path_factory.mktemp("every")
    (place / "parts.py").write_text(PARTS, encoding="utf-8")
    (place / "city.yaml").write_text(CITY, encoding="utf-8")
    text = f"""{ALL}branches:
  - {{id: screening, design: {{kind: morris, trajectories: 6}}}}
  - id: grid
    design: {{kind: grid}}
    uncertainties: [{{path: {X}, values: [0, 0.5, 1]}}, {{path: {Z}, values: [0, 0.5]}}]
  - {{id: line, design: {{kind: grid}}, uncertainties: [{{path: {X}, values: [1, 0.25]}}]}}
  - {{id: filled, design: {{kind: latin_hypercube, points: 60}}}}
"""
    return swept(place, text)


def test_every_design_has_its_analysis(every):
    """Each branch is told by its own method, and all but the line of x alone rank x and not z."""
    found = sensitivity(every, ["spent_cny"])
    methods = {"screening": "morris", "grid": "anova", "line": "anova", "filled": "pawn"}
    assert found.manifest["methods"] == methods
    for branch in ("screening", "grid", "filled"):
        ranked = found.ranked(branch, "spent_cny")
        assert ranked["path"].iloc[0] == X
        assert ranked.set_index("path").loc[Z].isna()["rank"]
    grid = found.ranked("grid", "spent_cny").set_index("path")
    assert grid.loc[X, "first"] == pytest.approx(1, abs=0.05)  # with y at 1/2, nothing else does anything
    slope = found.ranked("screening", "spent_cny").set_index("path").loc[X, "mu"]
    assert slope == pytest.approx(every.runs["spent_cny"].mean() * 4 / 13, rel=0.6)  # 4 of 13, more or less by y
    pawn = sensitivity(every, ["spent_cny"], method="pawn")
    assert set(pawn.manifest["methods"].values()) == {"pawn"}


def test_runs_stand_in_the_designs_order(every):
    """Runs of a branch are its points in their order, and a run that two branches share counts for both."""
    grid, line = (runs_of(every, branch, "spent_cny") for branch in ("grid", "line"))
    assert len(every.runs) == 2 * every.points["point"].nunique() < 2 * len(every.points)
    assert (np.diff(grid.reshape(3, 2, 2), axis=0) > 0).all()  # x is slowest
    assert (grid.reshape(3, 2, 2)[2, 1] == line[0]).all()  # x = 1, z as it is
    assert (line[0] > line[1]).all()
    here = laid(every.plan.blocks[2])
    assert (here.kind, here.unit[:, 0].tolist()) == ("grid", [0.25, 0.75])


def test_what_is_not_there_is_said(every):
    """An outcome or a path that the sweep has not, and a method that a design does not allow, are errors."""
    with pytest.raises(SimError, match=r"spent_cn: is no outcome of this sweep \(nearest: spent_cny\)"):
        sensitivity(every, ["spent_cn"])
    with pytest.raises(SimError, match=r"policy\.known\.zz: does not vary in this sweep \(nearest: policy\.known\.z\)"):
        sensitivity(every, over=("policy.known.zz", X))
    with pytest.raises(
        SimError, match="sobol: cannot use the design morris of branch screening; it allows morris, pawn"
    ):
        sensitivity(every, method="sobol")
