"""Numbers with what is known of them: as many digits as their interval bears, and no more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.presentation.catalogue import Lang, decimals, text

__all__ = ["UNKNOWN", "Measured", "count", "written"]

UNKNOWN = "–"

_MOST = 3
"""assumed: places after the point at most; a thousandth of a percentage point is one founder in 100,000."""


class Measured(NamedTuple):
    """A number and its interval; NaN where it is not known."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def of(cls, row: Mapping[str, Any], *columns: str) -> Measured:
        """A column of a row with the two that hold its interval, by default ``<column>_low`` and ``<column>_high``.

        Null is NaN.
        """
        names = columns if len(columns) > 1 else (columns[0], f"{columns[0]}_low", f"{columns[0]}_high")
        return cls(*(math.nan if row[name] is None else float(row[name]) for name in names))

    def over(self, divisor: float) -> Measured:
        """In a unit that is `divisor` times as large."""
        return Measured(*(x / divisor for x in self))

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return not math.isnan(self.value)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval, of more than a point: one of length 0 is no certainty."""
        return self.high > self.low

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0

    @property
    def places(self) -> int:
        """Places after the point, below 0 for tens and hundreds: those of the way to the nearer end of the interval.

        That is written with one digit; with two where the first is 1 or 2, or where an end that is not 0 would be 0.
        """
        half = min(self.high - self.value, self.value - self.low)
        if not half > 0:
            return min(decimals(self.value), _MOST)
        power = math.floor(math.log10(half))
        places = (1 if half < 3 * 10**power else 0) - power
        nearest = min(abs(self.low), abs(self.high))
        return min(places + (self.clear and round(nearest, places) == 0), _MOST)

    def said(self, *, sign: bool = False) -> str:
        """The number."""
        return written(self.value, self.places, sign=sign)

    def span(self, lang: Lang) -> str:
        """Its interval; a dash where there is none."""
        if not self.bounded:
            return UNKNOWN
        low, high = (written(end, self.places) for end in (self.low, self.high))
        return text("compare.span", lang, low=low, high=high)

    def give_or_take(self) -> str:
        """A difference and the half-width of its interval, which must be even."""
        if not self.bounded:
            return self.said(sign=True)
        half, places = (self.high - self.low) / 2, self.places
        width = written(half, places) if round(half, places) > 0 else f"<{written(10.0**-places, places)}"
        return f"{self.said(sign=True)} ± {width}"


def written(value: float, places: int, *, sign: bool = False) -> str:
    """A number rounded to `places` after the point (below 0: to tens, hundreds), with a real minus; 0 has no sign."""
    if math.isnan(value):
        return UNKNOWN
    if value == 0:
        return "0"
    rounded = round(value, places)
    digits = f"{abs(rounded):,.{max(places, 0)}f}"
    if rounded == 0:
        return digits
    return ("−" if rounded < 0 else "+" if sign else "") + digits


def count(people: float, *, sign: bool = False) -> str:
    """People, or a mean of people."""
    return written(people, 0 if abs(people) >= 100 or float(people).is_integer() else 1, sign=sign)
