"""Outcomes as smooth functions of the parameters, learnt from points that have been run.

Each outcome, as a log or a logit where it can be one, is a polynomial of second order in the parameters' place within
their prior ranges. It is fitted by least squares; points that the targets make likely count most, and what is bent or
crossed is held down as much as predicts best with each point left out in turn (the errors left out are exact: the
residual over 1 - leverage). How far it is off there is the emulator's error, which the likelihood takes in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.experiments.calibration.priors import Floats

__all__ = ["Emulator", "Scale", "features"]

_HOLDS = 10.0 ** np.arange(-4, 4)
"""assumed: how strongly second-order terms may be held down, relative to the points' weight."""


@dataclass(frozen=True)
class Scale:
    """The scale on which an outcome is emulated: ``log``, ``logit`` or ``plain``; plain ones stay between the ends."""

    kind: str
    low: float
    high: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Scale:
        """The scale that suits what has been seen of an outcome: a logit within 0 and 1, a log above 0."""
        x = np.asarray(values, float)
        x = x[np.isfinite(x)]
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
        kind = "logit" if low > 0 and high < 1 else "log" if low > 0 and high > 1 else "plain"
        return cls(kind, low, high)

    def to(self, values: npt.ArrayLike) -> Floats:
        """Outcomes on the scale; NaN where they cannot be."""
        x = np.asarray(values, float)
        if self.kind == "plain":
            return x
        inside = (x > 0) & ((x < 1) | (self.kind == "log"))
        safe = np.where(inside, x, 0.5)
        found: Floats = np.where(inside, np.log(safe) - (np.log1p(-safe) if self.kind == "logit" else 0.0), np.nan)
        return found

    def back(self, scaled: npt.ArrayLike) -> Floats:
        """Outcomes in their own unit."""
        y = np.asarray(scaled, float)
        if self.kind == "plain":
            clipped: Floats = np.clip(y, self.low, self.high)
            return clipped
        found: Floats = np.exp(y) if self.kind == "log" else 1 / (1 + np.exp(-y))
        return found

    def slope(self, values: npt.ArrayLike) -> Floats:
        """How much an outcome changes for a small change on the scale, at these outcomes."""
        x = np.asarray(values, float)
        if self.kind == "plain":
            return np.ones_like(x)
        found: Floats = x if self.kind == "log" else x * (1 - x)
        return found


def features(unit: npt.ArrayLike) -> Floats:
    """1, x_i and x_i x_j (i <= j) of points of the unit cube, x from -1 to 1; shape (n, 1 + d + d (d + 1) / 2)."""
    x = 2 * np.atleast_2d(np.asarray(unit, float)) - 1
    i, j = np.triu_indices(x.shape[1])
    return np.concatenate([np.ones((len(x), 1)), x, x[:, i] * x[:, j]], axis=1)


class Emulator:
    """Outcomes of any point of the unit cube.

    Parameters
    ----------
    unit
        Points that have been run, shape (n, d).
    outcomes
        What came out, in their units, shape (n, k); a row with a NaN is left out.
    scales
        On which scale each outcome is emulated.
    weight
        What each point counts, shape (n,).

    Attributes
    ----------
    error
        Standard error of each outcome on its scale, from points left out in turn, shape (k,).
    explained
        Share of the outcomes' variance that is emulated, points left out in turn, shape (k,).
    """

    def __init__(self, unit: Floats, outcomes: Floats, scales: tuple[Scale, ...], weight: Floats) -> None:
        self.scales = scales
        y = np.stack([scale.to(outcomes[:, i]) for i, scale in enumerate(scales)], axis=1)
        known = np.isfinite(y).all(axis=1)
        a, y, w = features(unit[known]), y[known], weight[known] / weight[known].mean()
        self.beta, left = self._fit(a, y, w)
        self.error = np.sqrt(np.average(left**2, axis=0, weights=w))
        spread = np.average((y - np.average(y, axis=0, weights=w)) ** 2, axis=0, weights=w)
        self.explained = 1 - self.error**2 / np.where(spread > 0, spread, np.inf)

    @staticmethod
    def _fit(a: Floats, y: Floats, w: Floats) -> tuple[Floats, Floats]:
        """Coefficients of each outcome under the penalty that predicts it best, and its errors left out in turn."""
        d = int((np.sqrt(9 + 8 * (a.shape[1] - 1)) - 3) / 2)  # 1 + d + d (d + 1) / 2 columns
        bent = np.r_[np.full(1 + d, 1e-6), np.ones(a.shape[1] - 1 - d)]
        weighted = a * np.sqrt(w)[:, None]
        gram, aim = weighted.T @ weighted, weighted.T @ (np.sqrt(w)[:, None] * y)
        beta, left = np.zeros((a.shape[1], y.shape[1])), np.full(y.shape, np.inf)
        loss = np.full(y.shape[1], np.inf)
        for hold in _HOLDS:
            inverse = np.linalg.inv(gram + hold * np.diag(bent))
            coefficients = inverse @ aim
            leverage = ((weighted @ inverse) * weighted).sum(axis=1)
            errors = (y - a @ coefficients) / np.maximum(1 - leverage, 1e-9)[:, None]
            found = np.average(errors**2, axis=0, weights=w)
            better = found < loss
            beta[:, better], left[:, better], loss[better] = coefficients[:, better], errors[:, better], found[better]
        return beta, left

    def __call__(self, unit: npt.ArrayLike) -> Floats:
        """Outcomes at points of the unit cube, shape (n, k), in their units."""
        y = features(unit) @ self.beta
        return np.stack([scale.back(y[:, i]) for i, scale in enumerate(self.scales)], axis=1)

    def variance(self, outcomes: Floats, log: npt.NDArray[np.bool_]) -> Floats:
        """The emulator's error variance at outcomes, shape (n, k), in their units, or of their logs where `log`."""
        slope = np.stack([scale.slope(outcomes[:, i]) for i, scale in enumerate(self.scales)], axis=1)
        relative = slope / np.where(log & (outcomes > 0), outcomes, 1.0)
        found: Floats = (relative * self.error) ** 2
        return found
