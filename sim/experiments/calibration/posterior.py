"""What a sample of the posterior says: of each parameter, of pairs, and of what the targets leave open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.experiments.calibration.priors import UNIT_SD, Floats, Priors

__all__ = ["Directions", "along", "directions", "marginals", "pairs", "quantile"]

QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


def marginals(draws: Floats, priors: Priors) -> pd.DataFrame:
    """Each parameter, of draws from the unit cube, shape (n, d).

    Returns
    -------
    DataFrame
        path; prior_low, prior_high, prior_mean, prior_sd; now (the scenario's value); mean, sd, low (2.5 %), p25,
        median, p75, high (97.5 %), in the parameter's unit; narrowed: 1 - variance over that of the prior, where the
        prior is uniform (0: the targets say nothing of it); distance: (now - mean) / sd; inside: whether now is between
        low and high.
    """
    values = priors.values(draws)
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    prior_mean, prior_sd = priors.moments()
    low, p25, median, p75, high = np.quantile(values, QUANTILES, axis=0)
    return pd.DataFrame(
        {
            "path": priors.paths,
            "prior_low": priors.low,
            "prior_high": priors.high,
            "prior_mean": prior_mean,
            "prior_sd": prior_sd,
            "now": priors.now,
            "mean": mean,
            "sd": sd,
            "low": low,
            "p25": p25,
            "median": median,
            "p75": p75,
            "high": high,
            "narrowed": 1 - draws.var(axis=0, ddof=1) / UNIT_SD**2,
            "distance": (priors.now - mean) / sd,
            "inside": (low <= priors.now) & (priors.now <= high),
        }
    )


def pairs(draws: Floats, priors: Priors, count: int) -> pd.DataFrame:
    """The `count` pairs of parameters that hang together most: path, other, correlation; in the cube's coordinates."""
    found = np.atleast_2d(np.corrcoef(draws, rowvar=False))
    i, j = np.triu_indices(priors.size, 1)
    order = np.argsort(-np.abs(found[i, j]), kind="stable")[:count]
    paths = np.array(priors.paths, object)
    return pd.DataFrame({"path": paths[i[order]], "other": paths[j[order]], "correlation": found[i, j][order]})


class Directions(NamedTuple):
    """Eigenvectors of the posterior's covariance in units of the prior's standard deviations, the widest first.

    A `variance` near 1 is a combination of parameters that the targets leave as it was; near 0 one that they settle.
    Larger than 1 is possible where the posterior lies at the edges of the prior.
    """

    variance: Floats
    vectors: Floats
    """Shape (d, d), a direction each row, its largest component positive."""

    def table(self, priors: Priors) -> pd.DataFrame:
        """direction (from 1), variance, path, weight: of all directions."""
        count = priors.size
        return pd.DataFrame(
            {
                "direction": np.repeat(np.arange(1, count + 1), count),
                "variance": np.repeat(self.variance, count),
                "path": list(priors.paths) * count,
                "weight": self.vectors.ravel(),
            }
        )


def directions(draws: Floats) -> Directions:
    """The directions in which draws from the unit cube, shape (n, d), scatter: see `Directions`."""
    variance, columns = np.linalg.eigh(np.cov(draws, rowvar=False) / UNIT_SD**2)
    vectors = columns.T[::-1]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return Directions(variance[::-1], vectors * np.sign(largest))


def along(
    draws: Floats, log_density: Floats, direction: Floats, shares: npt.ArrayLike, window: float = 0.05
) -> npt.NDArray[np.int64]:
    """Draws along a direction: at each of `shares` of the projections, the likeliest draw within `window` of it."""
    place = (draws - draws.mean(axis=0)) @ direction
    rank = np.empty(len(place))
    rank[np.argsort(place, kind="stable")] = (np.arange(len(place)) + 0.5) / len(place)
    found = []
    for share in np.asarray(shares, float):
        near = np.abs(rank - share) <= window / 2
        found.append(int(np.where(near, log_density, -np.inf).argmax()))
    return np.array(found)


def quantile(values: Floats, weights: Floats, shares: Sequence[float]) -> Floats:
    """Quantiles of weighted values, shape (n,), linear between the middles of the weights; NaN if nothing is known."""
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return np.full(np.shape(shares), np.nan)
    order = np.argsort(values[known], kind="stable")
    x, w = values[known][order], weights[known][order]
    found: Floats = np.interp(np.asarray(shares), (np.cumsum(w) - w / 2) / w.sum(), x)
    return found
