"""A column of a table: name, type, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Column"]


@dataclass(frozen=True)
class Column:
    """A column: `dtype` is an Arrow type name, `category` (text from a small set) or `date` (YYYY-MM text)."""

    name: str
    dtype: str
    unit: str
    en: str
    nullable: bool = False
