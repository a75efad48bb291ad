"""How a policy fares in worlds that nobody can rule out: its regret in each, and in which of them it fails.

Regret in a world is what another of the policies compared would have brought there more (Savage 1951). Where a policy
fails is told by boxes (PRIM; Friedman and Fisher 1999, Statistics and Computing 9:123-143; Bryant and Lempert 2010,
Technological Forecasting & Social Change 77:34-49): ranges of a few uncertain numbers within which it mostly fails
(density), and which hold most of its failures (coverage). The quasi-p-value of a limit is the probability that as many
failures or more would lie in the box by chance if that limit were not there. It is small too easily, since the box was
looked for: so the whole search is also made with failures dealt out at random.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sim.experiments.optimisation.pareto import Mask, Values

__all__ = ["Box", "Limit", "boxes", "regret"]

_LEAST = 0.05
"""assumed: part of all worlds that a box must hold; the usual smallest mass of PRIM."""

_SIGNIFICANT = 0.05
"""assumed: a limit whose quasi-p-value is not below this is taken off."""

_PEEL = 0.15
"""assumed: part that is peeled off at a time; 0.05 is the usual one, but is led astray by a few hundred worlds."""

_ANY = 0.01
"""Least density of what PRIM gives back; below it, nothing of its way would be."""

_SHUFFLED = 19
"""Times that failures are dealt out at random; that none gives as good a box has a chance of 1 in 20 if all is chance
(Barnard 1963, Journal of the Royal Statistical Society B 25:294)."""

_MOST = 2
"""assumed: boxes that somebody can keep in mind."""

_FEWEST = 8
"""assumed: failures, and successes, from which a box can be told."""


def regret(values: Values, feasible: Mask | None = None) -> Values:
    """Regret of each policy in each world, (worlds, policies), never below 0.

    Parameters
    ----------
    values
        Objective, (worlds, policies), the more the better; in a world where one is not known nobody's regret is.
    feasible
        (worlds, policies): only what is feasible there is what another would have brought, unless nothing is. All by
        default.
    """
    best = values if feasible is None else np.where(feasible | ~feasible.any(axis=1, keepdims=True), values, -np.inf)
    found = np.maximum(best.max(axis=1, keepdims=True) - values, 0.0)
    known: Values = np.where(np.isfinite(values).all(axis=1, keepdims=True), found, np.nan)
    return known


@dataclass(frozen=True)
class Limit:
    """Where a box ends: ``low`` or ``high`` is None where the number may be anything that far; with quasi-p-values."""

    low: float | None
    high: float | None
    low_p: float | None
    high_p: float | None


@dataclass(frozen=True)
class Box:
    """Ranges within which a policy mostly fails.

    Attributes
    ----------
    limits : by name of the number; those that are not named may be anything
    coverage : share of all failures that lie inside
    density : share of failures among the worlds inside
    mass : share of all worlds inside
    """

    limits: Mapping[str, Limit]
    coverage: float
    density: float
    mass: float


def boxes(worlds: pd.DataFrame, fails: Sequence[bool] | Mask, *, density: float = 0.8, seed: int = 1) -> list[Box]:
    """Where a policy fails, the box that holds most failures first.

    There is none where failures, or successes, are few, nor where as good a box is found when the same failures are
    dealt out to the worlds at random (once in `_SHUFFLED` times).

    Parameters
    ----------
    worlds
        A row for each world, a column for each uncertain number.
    fails
        In which worlds it does.
    density
        What a box should have; where none has, the densest is given.
    seed
        Of the dealing.
    """
    interest, draws = np.asarray(fails, dtype=int), np.random.default_rng(seed)
    frame, left = worlds.astype(float).reset_index(drop=True), np.full(len(worlds), True)
    found: list[Box] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what else could be installed
        while len(found) < _MOST and min(interest[left].sum(), (1 - interest[left]).sum()) >= _FEWEST:
            rest = frame[left].reset_index(drop=True)
            limits, strength = _strongest(rest, interest[left], density)
            dealt = (_strongest(rest, draws.permutation(interest[left]), density)[1] for _ in range(_SHUFFLED))
            if not limits or any(other >= strength for other in dealt):
                break
            within = _inside(frame, limits) & left
            caught = float(interest[within].sum())
            shares = caught / float(interest.sum()), caught / float(within.sum()), float(within.mean())
            found.append(Box(limits, *shares))
            left &= ~within
    return found


def _strongest(worlds: pd.DataFrame, interest: Mask, density: float) -> tuple[dict[str, Limit], float]:
    """The best box, and how far it is from chance, in standard deviations."""
    from ema_workbench.analysis import prim

    search = prim.Prim(worlds, interest, threshold=_ANY, mass_min=_LEAST, peel_alpha=_PEEL)
    limits = _chosen(search.find_box(), density)
    within = _inside(worlds, limits)
    n, caught, share = int(within.sum()), float(interest[within].sum()), float(interest.mean())
    return limits, (caught - n * share) / float(np.sqrt(n * share * (1 - share)))


def _inside(worlds: pd.DataFrame, limits: Mapping[str, Limit]) -> Mask:
    within = np.full(len(worlds), True)
    for name, limit in limits.items():
        column = worlds[name].to_numpy(float)
        within &= column >= (-np.inf if limit.low is None else limit.low)
        within &= column <= (np.inf if limit.high is None else limit.high)
    return within


def _chosen(box: Any, density: float) -> dict[str, Limit]:
    """Limits of the box with most failures among the dense ones on the way, those taken off that say nothing."""
    trajectory: pd.DataFrame = box.peeling_trajectory
    dense = trajectory[(trajectory["density"] >= density) & (trajectory["res_dim"] > 0)]
    on_the_way = dense["coverage"] if len(dense) else trajectory["density"]
    box.select(int(on_the_way.index[int(on_the_way.to_numpy().argmax())]))
    while idle := _idle(box):
        box.drop_restriction(idle)
    ends, p = box.box_lims[box._cur_box], box.qp[box._cur_box]
    limits = {}
    for name, probabilities in p.items():
        sides = zip(ends[name], probabilities, strict=True)
        (low, low_p), (high, high_p) = ((float(v), float(q)) if q >= 0 else (None, None) for v, q in sides)
        limits[str(name)] = Limit(low, high, low_p, high_p)
    return limits


def _idle(box: Any) -> str | None:
    """The number whose limits say least, if none of them is significant."""
    p: Mapping[str, Sequence[float]] = box.qp[box._cur_box]
    least = {name: min(q for q in both if q >= 0) for name, both in p.items()}
    worst = max(least, key=lambda name: least[name], default=None)
    return worst if worst is not None and least[worst] >= _SIGNIFICANT else None
