"""Points from a table: a CSV or Parquet file beside the study, whose columns are paths of the scenario."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.errors import Problem, ScenarioError
from sim.evidence.quantity import Label
from sim.scenario.document import number
from sim.scenario.messages import nearest, problem
from sim.scenario.source import Place, name_of, read, shown
from sim.scenario.studies.axes import Axis, Role, Uncertainty, Value, Varied
from sim.scenario.studies.varying import Ground, fitted

__all__ = ["Row", "Table", "read_table", "table_axes"]

Row = tuple[Value, ...]

_MOST_BYTES = 64 << 20
"""Largest table read: a million rows of some columns."""

_CONSTANTS = {"null": None, "~": None, "true": True, "false": False}


@dataclass(frozen=True)
class Table:
    """A table as it was read: a value for each column in each row; `lines` says where each row stands in the file."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    lines: tuple[int, ...]

    def place(self, row: int) -> Place:
        """Where a row stands: its line in a CSV file, its number, counted from 1, in another."""
        return Place(self.file, self.lines[row], 1)


def read_table(path: Path, said_at: Place, key: str = "design.file") -> Table:
    """Read a table.

    Parameters
    ----------
    path
        A ``.csv`` file (UTF-8, commas, a first line of paths) or a ``.parquet`` file.
    said_at, key
        Where the study names it, and under which key.

    Raises
    ------
    ScenarioError
        It cannot be read, has no columns or rows, a column twice, or rows of another length.
    """
    if path.suffix.lower() == ".csv":
        return _csv(path, said_at)
    if path.suffix.lower() == ".parquet":
        return _parquet(path, said_at, key)
    raise ScenarioError([problem(said_at, key, "table_form", {"found": shown(path.name)})])


def _csv(path: Path, said_at: Place) -> Table:
    text = read(path, said_at, _MOST_BYTES)
    reader = csv.reader(io.StringIO(text.content, newline=""), strict=True)
    rows: list[Row] = []
    lines: list[int] = []
    problems: list[Problem] = []
    columns: tuple[str, ...] = ()
    try:
        columns = tuple(cell.strip() for cell in next(reader, []))
        for cells in reader:
            if not cells:
                continue  # an empty line
            place = Place(text.file, reader.line_num, 1)
            if len(cells) != len(columns):
                problems.append(problem(place, "", "table_row", {"found": len(cells), "most": len(columns)}))
                continue
            rows.append(tuple(_cell(c, place, columns[i], problems) for i, c in enumerate(cells)))
            lines.append(reader.line_num)
    except csv.Error as bad:
        problems.append(problem(Place(text.file, reader.line_num, 1), "", "table_broken", {"reason": str(bad)}))
    return _sound(Table(text.file, columns, tuple(rows), tuple(lines)), problems)


def _cell(text: str, place: Place, column: str, problems: list[Problem]) -> Value:
    """A cell as a plain scalar of YAML."""
    text = text.strip()
    if not text:
        problems.append(problem(place, column, "no_value"))
        return None
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    key, value = number(text)
    if key:
        problems.append(problem(place, column, key, {"found": shown(text)[1:-1]}))
    return value  # type: ignore[no-any-return]


def _parquet(path: Path, said_at: Place, key: str) -> Table:
    import pyarrow
    from pyarrow import parquet

    file = name_of(path)
    if not path.is_file():
        raise ScenarioError([problem(said_at, key, "missing_file", {"file": file})])
    if path.stat().st_size > _MOST_BYTES:
        said = {"file": file, "limit": f"{_MOST_BYTES >> 20} MB"}
        raise ScenarioError([problem(said_at, key, "too_large", said)])
    try:
        frame = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as bad:
        reason = shown(str(bad).splitlines()[0], 200)[1:-1]
        raise ScenarioError([problem(Place(file), "", "table_broken", {"reason": reason})]) from None
    columns = tuple(frame.column_names)
    problems: list[Problem] = []
    single = pyarrow.types
    for name, kind in zip(columns, frame.schema.types, strict=True):
        plain = (single.is_integer, single.is_floating, single.is_boolean, single.is_string, single.is_large_string)
        if not any(is_kind(kind) for is_kind in (*plain, single.is_null)):
            problems.append(problem(Place(file), shown(name)[1:-1], "not_single"))
    if problems:
        raise ScenarioError(problems)
    rows = tuple(zip(*(column.to_pylist() for column in frame.columns), strict=True))
    for line, row in enumerate(rows, 1):
        wrong = (c for c, v in zip(columns, row, strict=True) if isinstance(v, float) and not abs(v) < float("inf"))
        problems += [problem(Place(file, line, 1), c, "not_finite", {"found": "NaN / inf"}) for c in wrong]
    return _sound(Table(file, columns, rows, tuple(range(1, len(rows) + 1))), problems)


def _sound(table: Table, problems: list[Problem]) -> Table:
    """The table, if nothing is wrong with its form."""
    twice = [c for i, c in enumerate(table.columns) if c in table.columns[:i]]
    problems += [problem(Place(table.file, 1, 1), "", "given_twice", {"found": shown(c)}) for c in twice]
    if not table.columns or not (table.rows or problems):
        problems.append(problem(Place(table.file), "", "table_empty"))
    if problems:
        raise ScenarioError(problems)
    return table


def table_axes(
    table: Table, declared: Sequence[Varied], ground: Ground, problems: list[Problem]
) -> tuple[tuple[Axis, ...], tuple[Row, ...]]:
    """The columns as axes, and the rows, each value as its key holds it.

    Parameters
    ----------
    table
        The table.
    declared
        What the study says of some columns; all others are levers.
    ground
        The scenario in which they vary.
    problems
        Is told of columns that are no path, and of cells that do not fit.
    """
    said = {entry.path: entry for entry in declared}
    places = [table.place(row) for row in range(len(table.rows))]
    axes, columns = [], []
    for column, path in enumerate(table.columns):
        cells = [row[column] for row in table.rows]
        try:
            what = ground.shape(path, Place(table.file, 1, 1), cells[0])
        except ScenarioError as error:
            problems += error.problems
            continue
        values = [fitted(cell, what) for cell in cells]
        problems += ground.misfits(path, values, what, places)
        role: Role = "uncertainty" if isinstance(said.get(path), Uncertainty) else "lever"
        name = said[path].name if path in said else Label()
        axes.append(ground.named(path, role, what, *_extent(values), name=name))
        columns.append(values)
    for path in said:
        if path not in table.columns:
            near = nearest(path, table.columns)
            problems.append(problem(Place(table.file, 1, 1), path, "no_column", {"found": shown(path), "near": near}))
    return tuple(axes), tuple(zip(*columns, strict=True))


def _extent(values: Sequence[Value]) -> tuple[tuple[Value, ...], tuple[float, float] | None]:
    """The values of a column, each once, or the range of its numbers."""
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(values) and min(numbers) < max(numbers):
        return (), (min(numbers), max(numbers))
    return tuple(dict.fromkeys(values)), None
