"""How much of the variance of an outcome each group of uncertain numbers carries: Sobol indices, and chance's part.

An outcome of a run is f(x) + e: what the numbers x make it on average, and chance. Indices are shares of the variance
of f alone. To tell the two apart, the two ends of the design are run a second time with other luck; products of two
runs with different luck then hold no chance on average, where squares of one would count it as everybody's effect.

First order (Saltelli et al. 2010, Computer Physics Communications 181:259-270): S_i V = E[f(b) (f(ab_i) - f(a))], the
variance that would go if group i alone became known. Total (Jansen 1999, ibid. 117:35-43): T_i V = E[(f(a) -
f(ab_i))^2] / 2, what would be left if all but group i became known. With second runs a', b': b' in the place of b, and
(a - ab_i) (2 a' - a - ab_i) in the place of the square. Both are unbiased; without chance they are the estimators
named. SALib's estimators, with which they are compared in the tests, know one run a point, and count chance as the
effect of every number that changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shares", "indices"]

Values = NDArray[np.float64]

_RESAMPLES = 1_000
"""assumed: enough for the ends of a 95 % interval to two digits."""


@dataclass(frozen=True)
class Shares:
    """What was found of one outcome.

    Attributes
    ----------
    n : pairs of points used
    mean : of the outcome over all a and b
    variance : of f, in the outcome's unit squared; 0 if it cannot be told from 0
    chance : share of chance in the variance of one run
    first, total : (groups, 3): share of `variance`, and the ends of its 95 % bootstrap interval; NaN without variance
    """

    n: int
    mean: float
    variance: float
    chance: float
    first: Values
    total: Values


def indices(runs: Values, again: Values, *, seed: int = 1) -> Shares:
    """Estimate the indices of each group.

    Parameters
    ----------
    runs
        Outcome at each point of `designs.radial`, (n, 2 + groups). A pair with an unknown value (NaN) is left out.
    again
        Outcome of a and b with other luck, (n, 2).
    seed
        Of the bootstrap, which draws pairs.
    """
    whole = ~(np.isnan(runs).any(axis=1) | np.isnan(again).any(axis=1))
    runs, again = runs[whole], again[whole]
    n, groups = len(runs), runs.shape[1] - 2
    unknown = np.full((groups, 3), np.nan)
    if n < 2:
        return Shares(n, np.nan, 0.0, np.nan, unknown, unknown)
    mean = float(runs[:, [0, -1]].mean())
    runs, again = runs - mean, again - again.mean()
    ends = runs[:, [0, -1]]
    parts = _parts(runs, again)
    one = np.ones((1, n))
    variance, first, total = (found[0] for found in _shares(one, ends, again, *parts))
    of_a_run = float(np.r_[ends, again].var())
    if not variance > 1e-12 * max(mean * mean, of_a_run, 1e-300):
        return Shares(n, mean, 0.0, 1.0 if of_a_run > 0 else np.nan, unknown, unknown)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(float)
    _, firsts, totals = _shares(draws, ends, again, *parts)
    bounds = (np.nanquantile(found, (0.025, 0.975), axis=0) for found in (firsts, totals))
    intervals = [np.column_stack([point, *b]) for point, b in zip((first, total), bounds, strict=True)]
    return Shares(n, mean, float(variance), max(1.0 - float(variance) / of_a_run, 0.0), *intervals)


def _parts(runs: Values, again: Values) -> tuple[Values, Values]:
    """What each pair adds to the first-order and to the total part of each group, (n, groups)."""
    a, mixed = runs[:, :1], runs[:, 1:-1]
    return again[:, 1:] * (mixed - a), (a - mixed) * (2 * again[:, :1] - a - mixed) / 2


def _shares(weights: Values, ends: Values, again: Values, first: Values, total: Values) -> tuple[Values, ...]:
    """Variance of f, and the shares of it, of each sample of pairs; `weights` say how often a pair is in it."""
    size = weights.sum(axis=1)
    product = weights @ (ends * again).mean(axis=1) / size
    variance = product - (weights @ ends.mean(axis=1)) * (weights @ again.mean(axis=1)) / size**2
    by = np.where(variance > 0, variance, np.nan)[:, None] * size[:, None]
    return variance, weights @ first / by, weights @ total / by
