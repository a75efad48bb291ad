"""Who is best of a few, with a stated probability: run again and again, together, until the best is separated.

The procedure of Kim and Nelson (2001, ACM Transactions on Modeling and Computer Simulation 11:251-273). All who are
left are run with the same seeds; one is out as soon as another leads by more than chance can explain:

    mean_i(r) < mean_l(r) - W_il(r),    W_il(r) = max(0, delta / 2r (h2 S2_il / delta2 - r))
    h2 = 2 eta (n - 1),    eta = ((2 alpha / (k - 1))^(-2 / (n - 1)) - 1) / 2

with S2_il the variance of the difference of i and l in the first n replicates, k who compete, and `delta` the
indifference zone: the smallest difference that would matter. If the best leads by delta or more, it is named with a
probability of 1 - alpha at least, whatever the correlation between runs of the same seed; outcomes are taken to be
normal. Looking only after each few replicates throws nobody out who would have stayed.

What the runs of a race say of the winner is a little too good, since it won by them: its value is told by other runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Observe", "Race", "Rules", "race"]

Values = NDArray[np.float64]

Observe = Callable[[Sequence[int], int, int], Values]
"""Called with who, the first replicate and how many: gives the objective, (who, replicates), the more the better."""


@dataclass(frozen=True)
class Rules:
    """What holds for a race.

    Parameters
    ----------
    delta : the smallest difference that matters, above 0, in the objective's unit
    confidence : probability with which the one that is named is the best, or not worse than it by `delta`
    first, most : replicates before anybody can be out, 2 at least, and at most
    step : replicates between two looks
    """

    delta: float
    confidence: float = 0.95
    first: int = 8
    most: int = 64
    step: int = 4

    def h2(self, competing: int) -> float:
        """The constant of the continuation region."""
        if competing < 2:
            return 0.0
        beta = 2 * (1 - self.confidence) / (competing - 1)
        eta = (float(beta ** (-2 / (self.first - 1))) - 1) / 2
        return max(2 * eta * (self.first - 1), 0.0)


@dataclass(frozen=True)
class Race:
    """How it went.

    Attributes
    ----------
    values : (who, replicates): the objective; NaN after somebody was out
    out : replicates after which each was out; 0 for those who were not
    separated : whether one alone was left, or the rest cannot lie farther apart than `delta`
    """

    values: Values
    out: tuple[int, ...]
    separated: bool

    @property
    def left(self) -> tuple[int, ...]:
        """Who was not out: with the stated probability the best is among them."""
        return tuple(i for i, after in enumerate(self.out) if not after)

    @property
    def order(self) -> list[int]:
        """Who is left by their means, the best first; then the others by how far they were behind the best.

        Each is compared with the best over the replicates that both have; who never had one comes last.
        """
        known = np.isfinite(self.values)
        means = np.where(known, self.values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        first = max(self.left or range(len(self.out)), key=lambda i: (known[i].any(), means[i], -i))
        both = known & known[first]
        gap = np.where(both, self.values[first] - self.values, 0.0).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
        return sorted(range(len(self.out)), key=lambda i: (self.out[i] > 0, not both[i].any(), gap[i], i))

    @property
    def best(self) -> int:
        """Who is named."""
        return self.order[0]


def race(observe: Observe, competing: int, rules: Rules) -> Race:
    """Run a race.

    One of whom a value is not known is out.

    Raises
    ------
    ValueError
        Nobody competes, the indifference zone is not above 0, or the first look comes before the second replicate.
    """
    if competing < 1 or not rules.delta > 0 or not 2 <= rules.first <= rules.most:
        raise ValueError("a race needs somebody who competes, delta above 0, and 2 <= first <= most")
    out = np.zeros(competing, dtype=int)
    values = np.full((competing, rules.most), np.nan)
    h2, done = rules.h2(competing), 0
    while True:
        left = np.flatnonzero(out == 0)
        more = min(rules.first if not done else rules.step, rules.most - done)
        values[left, done : done + more] = observe([int(i) for i in left], done, more)
        done += more
        out[left[~np.isfinite(values[left, :done]).all(axis=1)]] = done
        left = np.flatnonzero(out == 0)
        means = values[left, :done].mean(axis=1)
        early = values[left, : rules.first]
        spread = (early[:, None] - early[None]).var(axis=2, ddof=1)
        width = np.maximum(rules.delta / (2 * done) * (h2 * spread / rules.delta**2 - done), 0.0)
        beaten = (means[:, None] < means[None] - width).any(axis=1)
        out[left[beaten]] = done
        closed = bool((width[np.ix_(~beaten, ~beaten)] == 0).all())
        if len(left) - beaten.sum() <= 1 or closed or done >= rules.most:
            separated = bool(len(left) - beaten.sum() == 1 or (closed and len(left) > 0))
            return Race(values[:, :done], tuple(int(o) for o in out), separated)
