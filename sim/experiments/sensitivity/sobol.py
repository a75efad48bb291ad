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

In a sweep all points have the same replicates. There the mean over them stands for f, and from each product of two
means goes what chance adds to it (`sim.experiments.sensitivity.noise.covariance`), which is unbiased too. Second order
(Saltelli 2002, ibid. 145:280-297): S_ij V = E[f(ba_i) f(ab_j) - f(a) f(b)] - S_i V - S_j V.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from sim.experiments.sensitivity.noise import Values, apart, covariance

__all__ = ["Shares", "indices", "replicated"]

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
    second : (pairs of groups, 3): the same of what two do only together; the pairs are (0, 1), (0, 2), ..., (1, 2), ...
    """

    n: int
    mean: float
    variance: float
    chance: float
    first: Values
    total: Values
    second: Values = field(default_factory=lambda: np.empty((0, 3)))


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
    of_a_run = float(np.r_[ends, again].var())
    square, middles = (ends * again).mean(axis=1), (ends.mean(axis=1), again.mean(axis=1))
    return _intervals(n, mean, of_a_run, _Terms(square, *middles, *_parts(runs, again)), seed)


def replicated(runs: Values, *, second: bool = False, seed: int = 1) -> Shares:
    """Estimate the indices of each number from a sweep.

    Parameters
    ----------
    runs
        Outcome at each point of a Saltelli design, (n, 2 + numbers, replicates): a, a with each number in turn from b,
        (with `second` b with each in turn from a,) b. With one replicate chance counts as the effect of numbers, and
        `chance` is NaN. A row with a point that no replicate knows is left out.
    second
        Whether the design has the second half of the points in between, and second-order shares are wanted.
    seed
        Of the bootstrap, which draws rows.
    """
    known = np.isfinite(runs)
    whole = np.asarray(known.any(axis=2)).all(axis=1)
    runs = runs[whole]
    n, blocks, replicates = runs.shape
    numbers = (blocks - 2) // 2 if second else blocks - 2
    unknown = np.full((numbers, 3), np.nan)
    if n < 2:
        return Shares(n, np.nan, 0.0, np.nan, unknown, unknown)
    found = apart(runs.reshape(-1, replicates))
    ends = runs[:, [0, -1]] - found.common
    mean = float(np.nanmean(ends, axis=2).mean())
    runs = runs - found.common - mean

    def product(one: Values, other: Values) -> Values:
        means, chance = covariance(one, other)
        return means - chance

    a, mixed, b = runs[:, :1], runs[:, 1 : numbers + 1], runs[:, -1:]
    square = (product(a, a) + product(b, b))[:, 0] / 2
    middle = np.nanmean(runs[:, [0, -1]], axis=2).mean(axis=1)
    firsts, totals = product(b, mixed - a), product(a - mixed, a - mixed) / 2
    pairs = np.empty((n, 0))
    if second:
        back = runs[:, numbers + 1 : -1]
        both = ((back[:, i], mixed[:, j]) for i in range(numbers) for j in range(i + 1, numbers))
        of_ends = product(a, b)[:, 0]
        pairs = np.array([product(*pair) - of_ends for pair in both]).reshape(-1, n).T
    terms = _Terms(square, middle, middle, firsts, totals, pairs)
    of_a_run = float(square.mean() - middle.mean() ** 2) + np.nan_to_num(found.shared) + np.nan_to_num(found.own)
    shares = _intervals(n, mean, of_a_run, terms, seed)
    return shares if np.isfinite(found.own) else replace(shares, chance=np.nan)


class _Terms(NamedTuple):
    """What each pair of points, of n, adds to variance and shares."""

    square: Values
    """(n,): to the mean square of f."""
    one: Values
    other: Values
    """(n,): to the two means whose product is the squared mean of f."""
    first: Values
    total: Values
    """(n, groups)."""
    second: Values = np.empty((0, 0))
    """(n, pairs of groups): to what two groups do together, their first-order parts included."""


def _intervals(n: int, mean: float, of_a_run: float, terms: _Terms, seed: int) -> Shares:
    """Shares with the ends of their bootstrap intervals; `of_a_run` is the variance of one run."""
    variance, *shares = (found[0] for found in _shares(np.ones((1, n)), terms))
    unknown = [np.full((len(s), 3), np.nan) for s in shares]
    if not variance > 1e-12 * max(mean * mean, of_a_run, 1e-300):
        return Shares(n, mean, 0.0, 1.0 if of_a_run > 0 else np.nan, *unknown)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES).astype(float)
    bounds = (np.nanquantile(found, (0.025, 0.975), axis=0) for found in _shares(draws, terms)[1:])
    intervals = [np.column_stack([point, *b]) for point, b in zip(shares, bounds, strict=True)]
    return Shares(n, mean, float(variance), max(1.0 - float(variance) / of_a_run, 0.0), *intervals)


def _parts(runs: Values, again: Values) -> tuple[Values, Values]:
    """What each pair adds to the first-order and to the total part of each group, (n, groups)."""
    a, mixed = runs[:, :1], runs[:, 1:-1]
    return again[:, 1:] * (mixed - a), (a - mixed) * (2 * again[:, :1] - a - mixed) / 2


def _shares(weights: Values, terms: _Terms) -> tuple[Values, ...]:
    """Variance of f, and the shares of it, of each sample of pairs; `weights` say how often a pair is in it."""
    size = weights.sum(axis=1)
    product = weights @ terms.square / size
    variance = product - (weights @ terms.one) * (weights @ terms.other) / size**2
    by = np.where(variance > 0, variance, np.nan)[:, None] * size[:, None]
    first, total = weights @ terms.first / by, weights @ terms.total / by
    second = np.empty((len(weights), 0))
    if terms.second.size:
        i, j = np.triu_indices(first.shape[1], 1)
        second = weights @ terms.second / by - first[:, i] - first[:, j]
    return variance, first, total, second
