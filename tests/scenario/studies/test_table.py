"""Tables of points: what they hold, what is refused, and in which row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sim.scenario.studies import SweepStudy, load_study

STUDY = """\
schema: 1
kind: sweep
scenario: city.yaml
uncertainties: [{path: behaviour.growth.sigma, name: {zh: 波动, en: shock}}]
design: {kind: table, file: points.csv}
"""

POINTS = """\
chain.hub.places,behaviour.growth.sigma,policy.training.active,horizon.start
8,0.1,true,2024-04
8.0, .15 ,false,2025-01

null,0.1,true,2024-04
"""


@pytest.fixture
def table(written: Callable[..., Path], write: Callable[..., Path]) -> Callable[..., Path]:
    """Writes the study above and its table, with parts replaced."""

    def _table(*changes: tuple[str, str], text: str = STUDY) -> Path:
        points = POINTS
        for old, new in changes:
            assert old in points, old
            points = points.replace(old, new)
        write(points, "points.csv")
        return written(text)

    return _table


def test_a_table_holds_points(table):
    """Each row is a point, typed as the scenario's keys are; columns that the study does not name are levers."""
    study = load_study(table(), only=SweepStudy)
    (block,) = study.blocks
    assert block.rows == ((8, 0.1, True, "2024-04"), (8, 0.15, False, "2025-01"), (None, 0.1, True, "2024-04"))
    assert [type(v) for v in block.rows[1]] == [int, float, bool, str]
    assert [a.role for a in block.axes] == ["lever", "uncertainty", "lever", "lever"]
    assert (block.axes[1].ends, block.axes[1].name.en) == ((0.1, 0.15), "shock")
    assert block.axes[2].values == (True, False)
    assert (block.size, study.runs) == (3, 12)


def test_parquet_and_csv_are_the_same(table, written, tmp_path):
    """The same table from pandas has the same points, whatever pandas makes of whole numbers beside nulls."""
    csv = load_study(table(), only=SweepStudy).blocks[0].rows
    frame = pd.read_csv(tmp_path / "points.csv")
    assert frame["chain.hub.places"].dtype == float
    frame.astype({"chain.hub.places": "Int64"}).to_parquet(tmp_path / "points.parquet")
    found = load_study(written(STUDY, ("points.csv", "points.parquet")), only=SweepStudy)
    assert found.blocks[0].rows == csv


@pytest.mark.parametrize(
    ("change", "place", "path", "said"),
    [
        (("hub.places", "hub.place"), (1, 1), "chain.hub.place", "did you mean chain.hub.places?"),
        (("growth.sigma", "growth.drift"), (1, 1), "behaviour.growth.sigma", "has no column"),
        (("horizon.start\n", "chain.hub.places\n"), (1, 1), "", '"chain.hub.places" is given twice'),
        (("\n8,0.1", "\n-8,0.1"), (2, 1), "chain.hub.places", "must be >= 0"),
        (("\n8,0.1", "\n8.5,0.1"), (2, 1), "chain.hub.places", "must be a whole number"),
        (("8.0,", "eight,"), (3, 1), "chain.hub.places", "must be a whole number"),
        (("null,0.1", "null,-0.1"), (5, 1), "behaviour.growth.sigma", "must be >= 0"),
        (("null,0.1", "null,"), (5, 1), "behaviour.growth.sigma", "has no value"),
        (("null,0.1", "null,1e999"), (5, 1), "behaviour.growth.sigma", "finite number"),
        (("2025-01", "2025-13"), (3, 1), "horizon.start", "must be a month"),
        (("false", "no"), (3, 1), "policy.training.active", "must be true or false"),
        (("8,0.1,true,", "8,0.1,"), (2, 1), "", "has 3 cells, and the first line has 4"),
        (("8,0.1,true,2024-04\n", '8,0.1,true,"2024-04\n'), (5, 1), "", "cannot be read"),
    ],
)
def test_a_slip_is_told_with_its_row(table, refused, change, place, path, said):
    """One problem, in the file of the table, at the line of the row."""
    (problem,) = refused(table(change))
    assert (problem.path, problem.line, problem.column) == (path, *place), str(problem)
    assert said in problem.message
    assert problem.file.endswith("points.csv")


def test_all_rows_are_told_at_once_and_not_too_many(table, refused):
    """Slips of all columns come together, by row; of a column that is wrong throughout, some."""
    problems = refused(table(("\n8,0.1", "\n-8,-0.1"), ("2025-01", "soon"), ("null,0.1", "-9,0.1")))
    assert [(p.line, p.path.rpartition(".")[2]) for p in problems] == [
        (2, "places"), (2, "sigma"), (3, "start"), (5, "places")
    ]  # fmt: skip
    many = "chain.hub.places,behaviour.growth.sigma\n" + "".join(f"-{i},0.1\n" for i in range(1, 500))
    path = table()
    path.with_name("points.csv").write_text(many)
    assert 3 <= len(refused(path)) <= 50


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("points.xlsx", b"", "must be a .csv or .parquet file"),
        ("nowhere.csv", None, "there is no file"),
        ("nowhere.parquet", None, "there is no file"),
        ("../points.csv", None, "leads out of the folder"),
        ("empty.csv", b"", "the table is empty"),
        ("head.csv", b"behaviour.growth.sigma\n", "the table is empty"),
        ("points.csv", "behaviour.growth.sigma\n波动\n".encode("gbk"), "looks like GBK"),
        ("points.parquet", b"PAR1 and no more", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(written, write, refused, name, content, said):
    """A missing, empty, foreign or damaged file is one problem."""
    if content is not None:
        write(content, name)
    problems = refused(written(STUDY, ("points.csv", "../" + name if name.startswith("..") else name)))
    assert [said in p.message for p in problems] == [True], problems


def test_a_column_of_lists_is_refused(written, refused, tmp_path):
    """What is not a single value cannot be a point's; NaN is none either."""
    frame = pd.DataFrame({"behaviour.growth.sigma": [0.1, 0.2], "chain.hub.places": [[1], [2]]})
    frame.to_parquet(tmp_path / "points.parquet")
    path = written(STUDY, ("points.csv", "points.parquet"))
    assert [(p.path, p.key) for p in refused(path)] == [("chain.hub.places", "not_single")]
    pd.DataFrame({"behaviour.growth.sigma": [0.1, float("inf")]}).to_parquet(tmp_path / "points.parquet")
    assert [(p.line, p.key) for p in refused(path)] == [(2, "not_finite")]


def test_a_large_table_is_checked_quickly(written, write, monkeypatch):
    """Of 20,000 rows of numbers only the extremes are tried: if these fit, all do."""
    write("behaviour.growth.sigma\n" + "".join(f"{0.08 + i / 1e6:.6f}\n" for i in range(20_000)), "points.csv")
    tried = []
    from sim.scenario.studies.varying import Ground

    usual = Ground.against
    monkeypatch.setattr(Ground, "against", lambda self, *args: tried.append(args) or usual(self, *args))
    assert load_study(written(STUDY), only=SweepStudy).blocks[0].size == 20_000
    assert len(tried) == 2
