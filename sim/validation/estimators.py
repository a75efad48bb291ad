"""Estimators that `sim.statistics` does not have: of the shapes of growth rates and of life times."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.statistics.columns import Floats

__all__ = ["Fit", "fits", "hazard_ratio", "slope", "subbotin"]


def subbotin(x: npt.ArrayLike) -> float:
    """Shape b of the exponential-power (Subbotin) density, by maximum likelihood.

    f(x) = b / (2 a G(1/b)) exp(-|(x - m)/a|^b): b = 2 is the normal, b = 1 the Laplace density, a tent on log paper.
    The location m is the sample's median, the scale is profiled out, a^b = b mean |x - m|^b, so that the log-likelihood
    of one number is ln b - ln 2 - ln G(1/b) - ln a - 1/b (Bottazzi and Secchi 2006). Sought between 0.2 and 10.

    Parameters
    ----------
    x : numbers, shape (n,), not all equal

    Raises
    ------
    ValueError
        If there are fewer than two different numbers.
    """
    from scipy.optimize import minimize_scalar

    values = np.asarray(x, float)
    away = np.abs(values - np.median(values))
    away = away[away > 0]
    if away.size < 2:
        raise ValueError("a shape needs numbers that differ")
    logs = np.log(away)

    def loss(ln_b: float) -> float:
        b = math.exp(ln_b)
        ln_scale = math.log(b * float(np.mean(np.exp(b * logs)))) / b
        return -(ln_b - math.lgamma(1 / b) - ln_scale - 1 / b)

    best = minimize_scalar(loss, bounds=(math.log(0.2), math.log(10.0)), method="bounded", options={"xatol": 1e-4})
    return math.exp(best.x)


def slope(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Least-squares slope of y on x, shape (n,) each; NaN where all x are equal."""
    a = np.asarray(x, float)
    a = a - a.mean()
    square = float(a @ a)
    return float(a @ np.asarray(y, float)) / square if square > 0 else math.nan


def hazard_ratio(size: npt.ArrayLike, closed: npt.ArrayLike) -> float:
    """How many times the hazard of the smallest third of shops is that of the largest.

    Hazards are -ln(1 - share closed) of one period, so that the ratio does not depend on its length. NaN where nobody
    of the largest third closed, or everybody of the smallest.

    Parameters
    ----------
    size : at the beginning of the period, shape (n,)
    closed : whether the shop closed within it
    """
    x, gone = np.asarray(size, float), np.asarray(closed, bool)
    low, high = np.quantile(x, [1 / 3, 2 / 3])
    least, most = gone[x <= low].mean(), gone[x > high].mean() if (x > high).any() else 0.0
    if most <= 0 or most >= 1 or least >= 1:
        return math.nan
    return math.log1p(-least) / math.log1p(-most)


class Fit(NamedTuple):
    """A law of life times as fitted to a survival curve, and its largest error."""

    parameters: tuple[float, ...]
    error: float


def fits(ages: npt.ArrayLike, survival: npt.ArrayLike) -> dict[str, Fit]:
    """Exponential, log-logistic and lognormal laws fitted to a survival curve by least squares.

    Parameters
    ----------
    ages : > 0, shape (n,), n >= 3
    survival : P(T > age), strictly between 0 and 1

    Returns
    -------
    dict
        By name: ``exponential`` (rate; exp(-rate t)), ``loglogistic`` (median, shape; 1/(1 + (t/median)^shape)) and
        ``lognormal`` (median, sd of ln t). The error is the largest distance at these ages, in shares.
    """
    from scipy.optimize import least_squares
    from scipy.special import expit, ndtr

    t, s = np.asarray(ages, float), np.asarray(survival, float)
    logs = np.log(t)

    def exponential(p: Floats) -> Floats:
        curve: Floats = np.exp(-np.exp(p[0]) * t)
        return curve

    def loglogistic(p: Floats) -> Floats:
        curve: Floats = expit(-np.exp(p[1]) * (logs - p[0]))
        return curve

    def lognormal(p: Floats) -> Floats:
        curve: Floats = ndtr(-(logs - p[0]) / np.exp(p[1]))
        return curve

    rate = -math.log(s[-1]) / t[-1]
    middle = math.log(math.log(2) / rate)
    laws = {
        "exponential": (exponential, [math.log(rate)]),
        "loglogistic": (loglogistic, [middle, 0.0]),
        "lognormal": (lognormal, [middle, 0.0]),
    }
    out = {}
    for name, (law, start) in laws.items():
        best = least_squares(lambda p, law=law: law(p) - s, start).x
        out[name] = Fit(tuple(np.exp(best).tolist()), float(np.abs(law(best) - s).max()))
    return out
