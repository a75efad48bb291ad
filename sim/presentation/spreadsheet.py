"""Tables for a spreadsheet: CSV that Excel opens with its Chinese right, and in which no cell is a formula."""

from __future__ import annotations

import re
from numbers import Number
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv"]

_BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the system's old code page."""

_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠\t\r]")
"""How a cell begins that a spreadsheet would run, or that hides such a beginning; white space first is no shelter."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def csv(frame: pd.DataFrame) -> str:
    """A table as CSV (RFC 4180) with a byte order mark; its index is left out.

    Numbers stay numbers, what is missing is empty. Text is in quotes, so that no other separator can split it, and what
    a spreadsheet would run as a formula begins with an apostrophe, in headings as well.
    """
    cells = frame.astype(object).where(frame.notna(), None)
    rows: list[tuple[object, ...]] = [tuple(frame.columns), *cells.itertuples(index=False, name=None)]
    return _BOM + "".join(",".join([_cell(value) for value in row]) + "\r\n" for row in rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Number) and not isinstance(value, bool):
        return str(value)
    said = str(value)
    if _FORMULA.match(said) and not _NUMBER.fullmatch(said):
        said = "'" + said
    return '"' + said.replace('"', '""') + '"'
