"""Which of many uncertain numbers are worth measuring one by one: a regression over points where all of them vary.

Few pairs of a radial design were tried instead (Campolongo, Saltelli and Cariboni 2011, Computer Physics Communications
182:978-988): eight of them missed the number that carries most of survival, for as many runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.experiments.sensitivity.result import KNOWN

__all__ = ["Key", "Values", "screen"]

Values = NDArray[np.float64]

Key = tuple[str, str]
"""Outcome, and ``level`` or ``effect``."""


def screen(points: Values, labels: Sequence[str], ends: Mapping[Key, Values], top: int) -> pd.DataFrame:
    """The part of each outcome's variance that each group carries in a linear regression, and who is singled out.

    Parameters
    ----------
    points
        (n, 2, numbers) in the unit cube.
    labels
        Group of each number.
    ends
        Outcomes there, (replicates, n, 2); the mean is taken, and what is NaN in any is left out.
    top
        How many groups to single out: those with the largest part of any outcome.

    Returns
    -------
    DataFrame
        outcome, kind, group, linear, chosen. With fewer than two points for each number, each is regressed on alone.
    """
    groups, of = list(dict.fromkeys(labels)), np.array(labels)
    x = points.reshape(-1, len(labels)) - 0.5
    rows, most = [], dict.fromkeys(groups, 0.0)
    for (outcome, kind), values in ends.items():
        y = values.mean(axis=0).ravel()
        known = ~np.isnan(y)
        slopes = _slopes(x[known], y[known] - y[known].mean()) if known.sum() > 2 else np.zeros(len(labels))
        variance = float(y[known].var()) if known.any() else 0.0
        for group in groups:
            part = float((slopes[of == group] ** 2).sum() / 12 / variance) if variance > 0 else 0.0
            rows.append({"outcome": outcome, "kind": kind, "group": group, "linear": part})
            most[group] = max(most[group], part)
    chosen = sorted((g for g in groups if g != KNOWN), key=lambda g: -most[g])[:top]
    return pd.DataFrame(rows).assign(chosen=lambda f: f["group"].isin(chosen))


def _slopes(x: Values, y: Values) -> Values:
    """Slopes of a regression of y on all columns of x, or, where points are few, on each alone."""
    x = x - x.mean(axis=0)
    if len(x) < 2 * x.shape[1]:
        return np.asarray(x.T @ y / (x**2).sum(axis=0))
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0])
