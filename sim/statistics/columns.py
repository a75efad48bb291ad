"""Reading a table's columns as plain arrays: whole numbers in place of text, and the rows that count as newcomers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Floats", "Ints", "Mask", "Who", "category", "codes", "counted", "factor"]

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

Who = Literal["newcomers", "everybody"]
"""Newcomers: first shops opened within the horizon. Everybody: the initial stock and restarts as well."""


def counted(entrepreneurs: pd.DataFrame, who: Who) -> Mask:
    """Which rows count, shape (rows,)."""
    if who == "everybody":
        return np.ones(len(entrepreneurs), bool)
    new: Mask = ~entrepreneurs["initial"].to_numpy(bool) & (entrepreneurs["attempt"].to_numpy() == 0)
    return new


def category(numbers: npt.NDArray[Any], labels: Sequence[str]) -> pd.Categorical:
    """A text column of `labels` by their numbers."""
    return pd.Categorical.from_codes(numbers, dtype=_dtype(tuple(labels)))


@lru_cache
def _dtype(labels: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(list(labels), dtype=object))


def codes(column: pd.Series[Any], order: Sequence[str]) -> Ints:
    """Position of each value in `order`, shape (rows,); -1 where it is null or not there."""
    values = column.array
    if isinstance(values, pd.Categorical):
        found: Ints = np.append(_positions(tuple(values.categories), tuple(order)), -1)[values.codes]
        return found
    return pd.Index(list(order), dtype=object).get_indexer(pd.Index(column.astype(object)))


@lru_cache
def _positions(known: tuple[object, ...], order: tuple[str, ...]) -> Ints:
    place = {label: position for position, label in enumerate(order)}
    return np.array([place.get(label, -1) for label in known], np.intp)  # type: ignore[call-overload]


def factor(column: pd.Series[Any]) -> tuple[Ints, list[str]]:
    """Codes and labels of a column: in the order of its categories, or sorted if it is plain text. Null is -1."""
    values = column.array
    if isinstance(values, pd.Categorical):
        return values.codes.astype(np.intp), [str(c) for c in values.categories]
    numbers, labels = pd.factorize(column, sort=True)
    return numbers, [str(label) for label in labels]
