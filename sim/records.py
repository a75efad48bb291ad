"""A table as plain arrays, as a run leaves it. Thousands of runs are read from these, without a pandas frame each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Coded", "Nullable", "Records", "Values", "coded"]


class Coded(NamedTuple):
    """A text column by number; a pandas Categorical has the same names for both."""

    codes: NDArray[Any]
    """Position in `categories`; -1 is null."""
    categories: tuple[str, ...]

    def pandas(self) -> pd.Categorical:
        """The same for pandas."""
        return pd.Categorical.from_codes(self.codes, dtype=_dtype(self.categories), validate=False)


class Nullable(NamedTuple):
    """A column of whole numbers some of which are null."""

    numbers: NDArray[Any]
    null: NDArray[np.bool_]

    def pandas(self) -> pd.arrays.IntegerArray:
        """The same for pandas."""
        return pd.arrays.IntegerArray(self.numbers, self.null)


Held = NDArray[Any] | Coded | Nullable


def coded(codes: NDArray[Any], labels: Sequence[str]) -> Coded:
    """A text column of `labels`, in the smallest type that has room for their numbers, as pandas wants it."""
    kind = next(k for k in (np.int8, np.int16, np.int32) if len(labels) < np.iinfo(k).max)
    return Coded(codes.astype(kind, copy=False), tuple(labels))


class Values(NamedTuple):
    """A column, with what statistics read of a pandas Series."""

    array: Held

    def to_numpy(self, dtype: Any = None) -> NDArray[Any]:
        """The plain array. Raises TypeError for text and numbers some of which are null."""
        if isinstance(self.array, tuple):
            raise TypeError("only a plain column is an array")
        return np.asarray(self.array, dtype)


class Records:
    """A table as plain columns of equal length, by name."""

    def __init__(self, columns: Mapping[str, Held]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        first = next(iter(self.columns.values()))
        return len(first[0] if isinstance(first, tuple) else first)

    def __getitem__(self, name: str) -> Values:
        return Values(self.columns[name])

    def frame(self) -> pd.DataFrame:
        """The table for everybody else."""
        columns = {n: c.pandas() if isinstance(c, tuple) else c for n, c in self.columns.items()}
        return pd.DataFrame(columns, copy=False)


@lru_cache
def _dtype(labels: tuple[str, ...]) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(labels))
