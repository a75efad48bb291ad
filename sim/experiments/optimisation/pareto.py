"""What nobody would give up for nothing: points that no other point beats in every objective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mask", "Values", "front", "spread"]

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


def front(values: Values, feasible: Mask | None = None) -> Mask:
    """Which points are on the front: feasible, known, and not dominated by another such point.

    Parameters
    ----------
    values
        (points, objectives), each the more the better.
    feasible
        (points,); all by default.
    """
    allowed: Mask = np.asarray(np.isfinite(values).all(axis=1))
    if feasible is not None:
        allowed = allowed & feasible
    on = allowed.copy()
    for i in np.flatnonzero(allowed):
        others = values[allowed]
        on[i] = not ((others >= values[i]).all(axis=1) & (others > values[i]).any(axis=1)).any()
    return on


def spread(values: Values, count: int) -> list[int]:
    """Numbers of at most `count` different points that lie far from one another, the best of each objective first.

    Distances are in parts of each objective's span; each further point is the one farthest from those chosen.
    """
    if len(values) <= count:
        return list(range(len(values)))
    span = np.ptp(values, axis=0)
    scaled = (values - values.min(axis=0)) / np.where(span > 0, span, 1.0)
    chosen = list(dict.fromkeys(int(k) for k in scaled.argmax(axis=0)))[:count]
    while len(chosen) < count:
        apart = np.sqrt(((scaled[:, None] - scaled[chosen]) ** 2).sum(axis=2)).min(axis=1)
        if not apart.max() > 0:
            break
        chosen.append(int(apart.argmax()))
    return chosen
