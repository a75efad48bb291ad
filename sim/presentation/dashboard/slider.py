"""A slider for a number: between which ends it moves, and by what steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.scenario.shape import Shape

__all__ = ["allowed", "span", "step"]

_UP_TO = 3.0
"""assumed: a slider without a plausible range reaches three times the number of the scenario."""

_BEYOND = 2.0
"""assumed: one with a plausible range reaches twice its upper end, so that a class can leave it and see it."""

_SMALL = 0.5
"""assumed: a share of which nobody believes more than a quarter needs no slider up to 1."""

_STEPS = 200
"""assumed: about as many steps from end to end as a hand can tell apart."""


def allowed(what: Shape) -> tuple[float | None, float | None]:
    """What the schema allows at least and at most, of a number or of an entry of a table; more than 0 begins at 1."""
    from annotated_types import Ge, Gt, Le

    marks: list[Any] = list(what.field.metadata) if what.field else []
    marks += [m for part in _parts(what.field.annotation if what.field else None) for m in part]
    low = next((float(m.ge) for m in marks if isinstance(m, Ge)), None)  # type: ignore[arg-type]
    low = next((float(m.gt) + 1 for m in marks if isinstance(m, Gt)), low)  # type: ignore[arg-type]
    high = next((float(m.le) for m in marks if isinstance(m, Le)), None)  # type: ignore[arg-type]
    return low, high


def _parts(annotation: Any) -> Iterator[tuple[Any, ...]]:
    """What is noted in an annotation such as ``dict[str, Annotated[float, Field(ge=0)]]``."""
    from typing import get_args

    for part in get_args(annotation):
        noted = getattr(part, "__metadata__", ())
        yield tuple(m for field in noted for m in getattr(field, "metadata", ()))
        yield from _parts(part)


def span(
    value: float,
    bounds: tuple[float | None, float | None],
    plausible: tuple[float, float] | None,
    *,
    share: bool = False,
    whole: bool = False,
    nothing: float = 1.0,
) -> tuple[float, float]:
    """The ends of a slider: they hold the value and the plausible range, and never leave what the schema allows.

    `nothing` is how far it reaches where the value is 0 and no range is known.

    They begin at 0, or below it at the plausible end, and reach `_BEYOND` times the plausible range or `_UP_TO` times
    the value, rounded up. A share that may be anything from 0 to 1 reaches 1, unless only small ones are plausible.
    """
    least, most = bounds
    low, high = plausible or (value, value)
    if share and (least, most) == (0.0, 1.0) and not (plausible and _BEYOND * high < _SMALL):
        return 0.0, 1.0
    bottom = min(0.0, low, value)
    top = _rounded(max(_BEYOND * high if plausible else _UP_TO * value, value)) or (0.0 if bottom < 0 else nothing)
    bottom = bottom if least is None else max(bottom, least)
    top = top if most is None else min(top, most)
    return (math.floor(bottom), math.ceil(top)) if whole else (bottom, top)


def _rounded(value: float) -> float:
    """Up to two significant digits: 180 to 180, 1,371 to 1,400; nothing below 0."""
    if value <= 0:
        return 0.0
    power = math.floor(math.log10(value)) - 1
    return round(math.ceil(round(value / 10.0**power, 9)) * 10.0**power, max(-power, 0))


def step(low: float, high: float, *, whole: bool = False) -> float:
    """The least move of a slider: 1, 2 or 5 times a power of ten, and a whole number where the value is one."""
    rough = (high - low) / _STEPS
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    least = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    return max(1.0, round(least)) if whole else least
