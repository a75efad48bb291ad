"""Where to look: points of the unit cube from which Sobol indices can be estimated.

The radial design of Saltelli (2002, Computer Physics Communications 145:280-297): from each of `n` pairs of points
(a, b): a, then a with each group of coordinates in turn taken from b, then b.

The pairs are a Latin hypercube. The usual Sobol sequence needs an axis for each coordinate of a and of b, 210 for the
city: there, with up to 256 points, some axes still follow one another (correlations of 0.94), so that b repeats a in a
coordinate and a number seems to do nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["hypercube", "radial"]


def hypercube(axes: int, n: int, *, seed: int) -> NDArray[np.float64]:
    """A Latin hypercube, shaped (n, axes): on each axis one point in each n-th part (McKay et al. 1979)."""
    draws = np.random.default_rng(seed)
    cells = draws.permuted(np.tile(np.arange(n), (axes, 1)), axis=1).T
    return (cells + draws.random((n, axes))) / n


def radial(groups: Sequence[str], n: int, *, seed: int) -> NDArray[np.float64]:
    """The design, shaped (n, 2 + number of groups, coordinates): a, a with one group from b, b.

    Parameters
    ----------
    groups
        What group each coordinate belongs to; the groups are taken in the order in which they first come.
    n
        Pairs of points.
    seed
        The same seed, number of coordinates and n give the same pairs, however they are grouped.
    """
    of = np.array(groups)
    names = list(dict.fromkeys(groups))
    pairs = hypercube(2 * len(of), n, seed=seed)
    a, b = pairs[:, : len(of)], pairs[:, len(of) :]
    swapped = [np.where(of == name, b, a) for name in names]
    return np.stack([a, *swapped, b], axis=1)
