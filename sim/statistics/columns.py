"""Reading a table's columns as plain arrays: whole numbers in place of text, and the rows that count as newcomers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.records import Coded, Records, Values, coded

__all__ = ["Floats", "Ints", "Mask", "Table", "Who", "category", "codes", "counted", "factor"]

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

Table = pd.DataFrame | Records
"""A table as a run leaves it, or as a frame: statistics that thousands of runs are told by read both."""

Who = Literal["newcomers", "everybody"]
"""Newcomers: first shops opened within the horizon. Everybody: the initial stock and restarts as well."""


def counted(entrepreneurs: Table, who: Who) -> Mask:
    """Which rows count, shape (rows,)."""
    if who == "everybody":
        return np.ones(len(entrepreneurs), bool)
    new: Mask = ~entrepreneurs["initial"].to_numpy(bool) & (entrepreneurs["attempt"].to_numpy() == 0)
    return new


def category(numbers: npt.NDArray[Any], labels: Sequence[str]) -> pd.Categorical:
    """A text column of `labels` by their numbers."""
    return coded(numbers, labels).pandas()


def codes(column: pd.Series[Any] | Values, order: Sequence[str]) -> Ints:
    """Position of each value in `order`, shape (rows,); -1 where it is null or not there."""
    values = column.array
    if isinstance(values, pd.Categorical | Coded):
        found: Ints = np.append(_positions(tuple(values.categories), tuple(order)), -1)[values.codes]
        return found
    return pd.Index(list(order), dtype=object).get_indexer(pd.Index(np.asarray(values, object)))


@lru_cache
def _positions(known: tuple[object, ...], order: tuple[str, ...]) -> Ints:
    place = {label: position for position, label in enumerate(order)}
    return np.array([place.get(label, -1) for label in known], np.intp)  # type: ignore[call-overload]


def factor(column: pd.Series[Any] | Values) -> tuple[Ints, list[str]]:
    """Codes and labels of a column: in the order of its categories, or sorted if it is plain text. Null is -1."""
    values = column.array
    if isinstance(values, pd.Categorical | Coded):
        return values.codes.astype(np.intp), [str(c) for c in values.categories]
    numbers, labels = pd.factorize(np.asarray(values, object), sort=True)
    return numbers, [str(label) for label in labels]
