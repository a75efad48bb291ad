"""Where every number of a scenario comes from: published, derived from what is published, assumed, or unsourced."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sim.errors import EvidenceError
from sim.evidence.ledger import Figure, convert, figure, sources
from sim.shown import Shown

__all__ = ["STATUSES", "Origin", "Row", "audit", "counts"]

STATUSES = ("published", "derived", "assumed", "unsourced")


@dataclass(frozen=True)
class Origin(Shown):
    """One number of a scenario and where it comes from.

    `path` is dotted, list items by id (``policy.living_stipend.amount.bachelor``); `range` is the plausible range, in
    `unit`. `line` and `column` count from 1; 0 means that the place is not known (a default, a ``--set``). `zh` and
    `en` say what the number is.
    """

    path: str
    value: Any
    unit: str | None = None
    range: tuple[float, float] | None = None
    evidence: str | None = None
    assumed: str | None = None
    file: str = ""
    line: int = 0
    column: int = 0
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class Row:
    """One line of an audit: a number, its status (one of `STATUSES`), and the figure it cites."""

    origin: Origin
    status: str
    figure: Figure | None = None

    @property
    def agrees(self) -> bool:
        """False if the number cites a figure and says something else; a figure's bound is respected."""
        return self.figure is None or _agrees(self.origin, self.figure)

    def flat(self) -> dict[str, Any]:
        """The line as plain values, for a table or for JSON."""
        origin, cited = self.origin, self.figure
        return {
            "path": origin.path,
            "value": origin.value,
            "unit": origin.unit or (cited.unit if cited else None),
            "range": list(origin.range) if origin.range else None,
            "status": self.status,
            "evidence": origin.evidence,
            "zh": cited.zh if cited else None,
            "en": cited.en if cited else None,
            "date": cited.date if cited else None,
            "bound": cited.bound if cited else None,
            "use": cited.use if cited else None,
            "source": cited.source if cited else None,
            "publisher": "; ".join(sources()[id].publisher for id in cited.sources) if cited else None,
            "agrees": self.agrees,
            "assumed": origin.assumed,
            "file": origin.file,
            "line": origin.line,
            "column": origin.column,
        }


def _agrees(origin: Origin, cited: Figure) -> bool:
    number, held = origin.value, cited.value
    if not isinstance(number, int | float) or not isinstance(held, int | float):
        return number == held or (isinstance(held, tuple) and list(held) == list(number or ()))
    try:
        published = convert(held, cited.unit, origin.unit or cited.unit)
    except EvidenceError:
        return False
    if math.isclose(number, published, rel_tol=1e-6):
        return True
    return (cited.bound == "more_than" and number > published) or (
        cited.bound in ("less_than", "at_most") and number < published
    )


def _classify(origin: Origin) -> Row:
    if origin.evidence is not None:
        cited = figure(origin.evidence)
        return Row(origin, "derived" if cited.derived else "published", cited)
    return Row(origin, "unsourced" if origin.assumed is None else "assumed")


def audit(origins: Iterable[Origin]) -> list[Row]:
    """One row for each origin, in the given order.

    Raises
    ------
    EvidenceError
        An origin cites a figure that does not exist.
    """
    return [_classify(origin) for origin in origins]


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows have each status, all of `STATUSES` included."""
    found = Counter(row.status for row in rows)
    return {status: found[status] for status in STATUSES}
