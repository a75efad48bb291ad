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
    position = pd.Index(list(order), dtype=object)
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = position.get_indexer(column.cat.categories.astype(object))
        return np.append(known, -1)[column.cat.codes.to_numpy()]
    return position.get_indexer(pd.Index(column.astype(object)))


def factor(column: pd.Series[Any]) -> tuple[Ints, list[str]]:
    """Codes and labels of a column: in the order of its categories, or sorted if it is plain text. Null is -1."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.intp), [str(c) for c in column.cat.categories]
    numbers, labels = pd.factorize(column, sort=True)
    return numbers, [str(label) for label in labels]
