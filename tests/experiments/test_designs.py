"""Designs: the points of a study, against their closed forms and against SALib's own estimators."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from SALib.analyze import morris as morris_indices
from SALib.analyze import sobol as sobol_indices

from sim.experiments.designs import hypercube, layout, points, saltelli, there, trajectories
from sim.experiments.outcomes import known_outcomes, unknowable_outcomes, unknown_outcomes, wanted
from sim.experiments.points import OUTCOMES
from sim.scenario.studies import SweepStudy, load_study

SHIPPED = Path(__file__).parents[2] / "scenarios" / "classroom.yaml"

STUDY = """\
schema: 1
kind: sweep
scenario: city.yaml
levers:
  - {path: chain.incubator.places, values: [4, 9, 18]}
  - {path: policy.training.courses, values: [0, 4], range: [0, 7]}
uncertainties:
  - {path: behaviour.growth.sigma, values: [0.1], range: [0.08, 0.18]}
design: {kind: grid}
"""

PATHS = ("chain.incubator.places", "policy.training.courses", "behaviour.growth.sigma")


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., SweepStudy]:
    """The study above with another design, or other values by path."""
    for name in ("classroom.yaml", "yiwu.yaml"):
        (tmp_path / name).write_text(SHIPPED.with_name(name).read_text())
    (tmp_path / "city.yaml").write_text("schema: 1\nextends: classroom.yaml\n")

    def _study(design: str = "{kind: grid}", more: str = "", **overrides: object) -> SweepStudy:
        (tmp_path / "study.yaml").write_text(STUDY.replace("{kind: grid}", design) + more)
        return load_study(tmp_path / "study.yaml", overrides, only=SweepStudy)

    return _study


# points of studies ----------------------------------------------------------------------------------------------------


def test_a_grid_is_the_product_of_its_values(study):
    """Every combination once, the last axis changing fastest, by number, slice and iteration."""
    (made,) = points(study()).blocks
    assert [tuple(p.values()) for p in made.values] == list(product((4, 9, 18), (0, 4), (0.1,)))
    assert made.paths == tuple(made.values[0]) == PATHS
    assert list(made.values[4:1:-2]) == [made.values[4], made.values[2]]
    assert made.values[-1] == made.values[5]
    assert made.unit is None
    with pytest.raises(IndexError):
        made.values[6]


def test_a_latin_hypercube_has_one_point_in_each_part(study):
    """Of 16 points each 16th of a range has one; values and whole numbers come equally often; types are kept."""
    (made,) = points(study("{kind: latin_hypercube, points: 24}")).blocks
    assert len(made.values) == 24
    columns = {path: [p[path] for p in made.values] for path in PATHS}
    assert sorted(int((s - 0.08) / 0.10 * 24) for s in columns[PATHS[2]]) == list(range(24))
    assert {v: columns[PATHS[0]].count(v) for v in columns[PATHS[0]]} == {4: 8, 9: 8, 18: 8}
    assert {v: columns[PATHS[1]].count(v) for v in columns[PATHS[1]]} == dict.fromkeys(range(8), 3)
    assert all(type(v) is int for v in columns[PATHS[1]])


@pytest.mark.parametrize(
    "design",
    ["{kind: latin_hypercube, points: 9}", "{kind: sobol, points: 8}", "{kind: morris, trajectories: 5, levels: 6}"],
)
def test_a_seed_gives_the_same_points_again(study, design):
    """The same seed the same points, 0 too; another seed others; and each point is one of its place in the cube."""
    for seed in (0, 5):
        made, again = (points(study(design, seed=seed)).blocks[0] for _ in range(2))
        assert list(made.values) == list(again.values)
    other = points(study(design, seed=6)).blocks[0]
    assert list(other.values) != list(made.values)
    assert list(made.values) == [there(made.block.axes, row) for row in made.unit]
    assert ((made.unit >= 0) & (made.unit <= 1)).all()


@pytest.mark.parametrize(
    ("design", "key", "more"),
    [
        ("{kind: sobol, points: 8}", "design.points", 32),
        ("{kind: morris, trajectories: 3}", "design.trajectories", 8),
    ],
)
def test_an_extended_sequence_keeps_its_points(study, design, key, more):
    """More points of a Sobol sequence, and more trajectories, come after the old ones."""
    few, many = points(study(design)).blocks[0], points(study(design, **{key: more})).blocks[0]
    assert len(many.values) > len(few.values)
    assert list(many.values[: len(few.values)]) == list(few.values)


def test_second_order_keeps_the_points_of_first_order(study):
    """Asking for interactions adds runs and loses none."""
    first = points(study("{kind: sobol, points: 8}")).blocks[0]
    second = points(study("{kind: sobol, points: 8, second_order: true}")).blocks[0]
    assert len(second.values) == 8 * (2 * 3 + 2)
    assert {tuple(p.values()) for p in first.values} <= {tuple(p.values()) for p in second.values}


def test_blocks_stand_one_after_another(study):
    """Blocks of the same axes, layout and seed have the same points; the design counts all."""
    more = "branches: [{id: a}, {id: b, set: {behaviour.money.margin: 0.2}}]\n"
    design = points(study("{kind: sobol, points: 4}", more))
    one, other = design.blocks
    assert [b.block.id for b in design.blocks] == ["a", "b"]
    assert list(one.values) == list(other.values)
    assert design.size == 2 * 4 * 5
    assert one.block.at(one.values[0]).hash() != other.block.at(other.values[0]).hash()


def test_a_table_is_its_rows(study, tmp_path):
    """Points of a table come as they stand, doubles included."""
    rows = [(4, 0, 0.1), (9, 3, 0.12), (4, 0, 0.1)]
    text = ",".join(PATHS) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    (tmp_path / "points.csv").write_text(text)
    (made,) = points(study("{kind: table, file: points.csv}")).blocks
    assert [tuple(p.values()) for p in made.values] == rows


def test_every_point_is_a_scenario(study):
    """What a design makes, the scenario takes."""
    (made,) = points(study("{kind: sobol, points: 4}")).blocks
    for values in made.values:
        scenario = made.block.at(values)
        assert {path: scenario.why(path).value for path in PATHS} == values


# designs in the unit cube, read by SALib ------------------------------------------------------------------------------


def ishigami(u):
    """Ishigami and Homma (1990), a = 7, b = 0.1, of points of the unit cube."""
    x = (2 * u - 1) * np.pi
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def problem(axes):
    return {"num_vars": axes, "names": [f"x{i}" for i in range(axes)], "bounds": [[0, 1]] * axes}


def test_sobol_points_are_in_the_order_that_salib_reads():
    """SALib's estimator recovers Ishigami's indices, the closed form, from the rows as they come."""
    v1, v2, v13 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 8 * 0.01 * np.pi**8 / 225
    y = ishigami(saltelli(3, 1024, seed=0, second_order=True))
    found = sobol_indices.analyze(problem(3), y, calc_second_order=True, seed=1)
    assert found["S1"] == pytest.approx(np.array([v1, v2, 0]) / (v1 + v2 + v13), abs=0.02)
    assert found["ST"] == pytest.approx(np.array([v1 + v13, v2, v13]) / (v1 + v2 + v13), abs=0.02)
    assert found["S2"][0, 2] == pytest.approx(v13 / (v1 + v2 + v13), abs=0.04)


def test_saltelli_rows_are_crossed():
    """Of each base point: a, a with one coordinate of b for each axis, b; and a and b fill the cube evenly."""
    rows = saltelli(2, 64, seed=3).reshape(64, 4, 2)
    a, ab0, ab1, b = rows.transpose(1, 0, 2)
    assert (ab0 == np.column_stack([b[:, 0], a[:, 1]])).all()
    assert (ab1 == np.column_stack([a[:, 0], b[:, 1]])).all()
    for column in (*a.T, *b.T):
        assert np.bincount((column * 64).astype(int)).tolist() == [1] * 64


def test_trajectories_move_one_axis_at_a_time():
    """Along a trajectory each axis moves once, by the step of the levels; elementary effects of a line are exact."""
    unit = trajectories(3, 6, levels=4, seed=2)
    steps = np.diff(unit.reshape(6, 4, 3), axis=1)
    assert (np.count_nonzero(steps, axis=2) == 1).all()
    assert (np.count_nonzero(steps, axis=1) == 1).all()
    assert abs(steps[steps != 0]) == pytest.approx(2 / 3)
    slopes = np.array([3.0, -1.0, 0.0])
    found = morris_indices.analyze(problem(3), unit, unit @ slopes, num_levels=4, seed=1)
    assert np.asarray(found["mu"]) == pytest.approx(slopes, abs=1e-12)


def test_a_hypercube_has_one_point_in_each_part():
    """On each axis, one point in each n-th part."""
    cells = np.sort((hypercube(5, 40, seed=0) * 40).astype(int), axis=0)
    assert (cells == np.arange(40)[:, None]).all()


def test_the_size_is_known_beforehand(study):
    """Every layout makes as many points as the study said it would."""
    for design in ("{kind: grid}", "{kind: latin_hypercube, points: 7}", "{kind: sobol, points: 2, second_order: true}",
                   "{kind: morris, trajectories: 2}"):  # fmt: skip
        (block,) = study(design).blocks
        assert len(layout(block, seed=1).values) == block.size


# outcomes of studies --------------------------------------------------------------------------------------------------


def test_outcomes_of_a_sweep(study):
    """All usual ones by default, with what replicates wait for; families at any age; others are told, with places."""
    usual = wanted(study(replicates={"until": {"outcome": "survival_18m", "half_width": 0.1}}))
    assert {"survival_36m", "reached_park", "spent_cny", "residents", "survival_18m"} <= set(usual)
    named = "outcomes: [survivors_24m, survival_24m_education_phd, living_end]\n"
    assert wanted(study(more=named)) == ("survivors_24m", "survival_24m_education_phd", "living_end")
    assert list(unknown_outcomes(study(more=named))) == []
    (told,) = unknown_outcomes(study(more="outcomes: [living_end, reached_incubater]\n"))
    assert (told.path, told.line, told.severity) == ("outcomes.1", 10, "error")
    assert "did you mean reached_incubator?" in told.message


def test_more_outcomes_have_the_units_in_which_they_are_measured():
    """What a run's summary does not hold is known under the name and in the unit that measuring it gives."""
    known = known_outcomes(["village", "hub"])
    assert list(known)[-len(OUTCOMES) :] == list(OUTCOMES)
    assert {name: known[name] for name in OUTCOMES} == {name: extra.unit for name, extra in OUTCOMES.items()}


def test_outcomes_that_one_block_lacks_are_told(study):
    """An outcome must be known to every block; by default only such outcomes are measured."""
    more = "branches: [{id: a}, {id: b, set: {chain.park.remove: true}}]\n"
    assert "reached_park" not in wanted(study(more=more))
    assert "reached_incubator" in wanted(study(more=more))
    (told,) = unknown_outcomes(study(more=f"{more}outcomes: [reached_park]\n"))
    assert told.path == "outcomes.0"


def test_ages_that_no_run_reaches_are_warned_of(study):
    """A survival beyond the horizon is a warning, unless the horizon varies and reaches it."""
    more = "outcomes: [survival_60m, survival_72m, survivors_84m]\n"
    assert [w.path for w in unknowable_outcomes(study(more=more))] == ["outcomes.1", "outcomes.2"]
    longer = "branches: [{id: a, levers: [{path: horizon.months, values: [60, 72]}]}]\n"
    assert [w.path for w in unknowable_outcomes(study(more=longer + more))] == ["outcomes.2"]
