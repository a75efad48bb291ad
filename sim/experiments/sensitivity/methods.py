"""What the points of one design tell of one outcome, by the method that fits the design, as rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from sim.experiments.sensitivity.factorial import factorial
from sim.experiments.sensitivity.morris import screening
from sim.experiments.sensitivity.noise import Values, apart
from sim.experiments.sensitivity.pawn import pawn
from sim.experiments.sensitivity.sobol import Shares, replicated
from sim.statistics.paired import student

__all__ = ["METHODS", "Laid", "Method", "cells", "fitting", "told"]

Method = Literal["sobol", "morris", "anova", "pawn"]

METHODS: tuple[Method, ...] = ("sobol", "morris", "anova", "pawn")

_FITTING: dict[str, tuple[Method, ...]] = {
    "sobol": ("sobol", "pawn"),
    "morris": ("morris", "pawn"),
    "grid": ("anova", "pawn"),
    "latin_hypercube": ("pawn",),
    "table": ("pawn",),
}
"""Methods for each layout of points, the best first."""

_BINS = 4
"""assumed: parts of a range for the plot of two numbers; each then has a sixteenth of the points."""

_NOTHING = "no number that varies changes it"
_FEW = "too few points know it"

Row = dict[str, Any]


@dataclass(frozen=True)
class Laid:
    """The points of one design.

    Parameters
    ----------
    kind
        Of the layout: ``sobol``, ``morris``, ``grid``, ``latin_hypercube`` or ``table``.
    paths
        What varies.
    unit
        Places of the points, in the order of the design, (points, numbers), in parts of each range.
    second
        Whether a Sobol design has what second order needs.
    """

    kind: str
    paths: tuple[str, ...]
    unit: Values
    second: bool = False

    @property
    def numbers(self) -> int:
        """How many vary."""
        return len(self.paths)


def fitting(kind: str) -> tuple[Method, ...]:
    """Methods that a layout of points allows, the best first."""
    return _FITTING[kind]


def told(laid: Laid, runs: Values, method: Method, *, seed: int) -> tuple[Row, list[Row], list[Row]]:
    """What a method tells of an outcome.

    Parameters
    ----------
    laid
        The points.
    runs
        The outcome in the order of the design, (points, replicates); NaN where it is not known.
    method
        One of `fitting`.
    seed
        Of the bootstrap.

    Returns
    -------
    tuple
        The outcome's row (what chance and the numbers make of it); a row for each number and measure; a row for each
        two numbers, where the design tells what they do together.
    """
    found = apart(_sample(laid, runs))
    known = found.means[np.isfinite(found.means)]
    row: Row = {"points": int(np.isfinite(runs).any(axis=1).sum()), "designed": len(runs)}
    row |= {"replicates": found.runs, "reason": None}
    row |= dict.fromkeys(("mean", "p10", "p90", "sd", "chance"))
    if known.size < 2:
        return row | {"reason": _FEW}, [], []
    low, high = np.quantile(known, (0.1, 0.9))
    row |= {"mean": float(known.mean()), "p10": float(low), "p90": float(high), "sd": found.variance**0.5}
    row |= {"chance": found.chance if np.isfinite(found.own) else None}
    if not np.ptp(known) > 1e-12 * abs(known).max():
        return row | {"reason": _NOTHING}, [], []
    rows, pairs = _TOLD[method](laid, runs, seed)
    return (row if rows else row | {"reason": _FEW}), rows, pairs


def _sample(laid: Laid, runs: Values) -> Values:
    """Points that stand for the whole space: of a Sobol design, the ends of its rows; else all."""
    if laid.kind != "sobol":
        return runs
    by = runs.reshape(-1, _step(laid), runs.shape[1])
    return by[:, [0, -1]].reshape(-1, runs.shape[1])


def _step(laid: Laid) -> int:
    return (2 if laid.second else 1) * laid.numbers + 2


def _sobol(laid: Laid, runs: Values, seed: int) -> tuple[list[Row], list[Row]]:
    return _shares(laid, replicated(runs.reshape(-1, _step(laid), runs.shape[1]), second=laid.second, seed=seed))


def _anova(laid: Laid, runs: Values, seed: int) -> tuple[list[Row], list[Row]]:
    found = factorial(laid.unit, runs, seed=seed)
    return ([], []) if found is None else _shares(laid, found)


def _shares(laid: Laid, found: Shares) -> tuple[list[Row], list[Row]]:
    if not found.variance > 0:
        return [], []
    rows = [
        _row(path, measure, values)
        for path, *both in zip(laid.paths, found.first, found.total, strict=True)
        for measure, values in zip(("first", "total"), both, strict=True)
    ]
    names = combinations(laid.paths, 2) if len(found.second) else ()
    pairs = [
        {"path": path, "other": other, "second": v, "second_low": low, "second_high": high}
        for (path, other), (v, low, high) in zip(names, found.second, strict=True)
    ]
    return rows, pairs


def _morris(laid: Laid, runs: Values, seed: int) -> tuple[list[Row], list[Row]]:
    shape = -1, laid.numbers + 1
    unit = laid.unit.reshape(*shape, laid.numbers)
    found = screening(unit, runs.reshape(*shape, runs.shape[1]), seed=seed)
    if found.n < 2:
        return [], []
    rows = []
    for k, path in enumerate(laid.paths):
        rows.append(_row(path, "mu_star", found.mu_star[k], found.floor[k]))
        rows += [_row(path, "mu", found.mu[k]), _row(path, "sigma", found.sigma[k])]
    return rows, []


def _pawn(laid: Laid, runs: Values, seed: int) -> tuple[list[Row], list[Row]]:
    found = pawn(laid.unit, apart(runs).means, seed=seed)
    if not np.isfinite(found.floor).all():
        return [], []
    return [_row(p, "pawn", v, f) for p, v, f in zip(laid.paths, found.median, found.floor, strict=True)], []


_TOLD = {"sobol": _sobol, "anova": _anova, "morris": _morris, "pawn": _pawn}


def _row(path: str, measure: str, values: Sequence[float] | Values, floor: float | None = None) -> Row:
    value, low, high = map(float, values)
    known = floor if floor is not None and np.isfinite(floor) else None
    return {"path": path, "measure": measure, "value": value, "low": low, "high": high, "floor": known}


def cells(laid: Laid, runs: Values, pair: tuple[str, str]) -> list[Row]:
    """Mean of an outcome over two numbers, each cut into its levels or else into parts of equally many points.

    Returns
    -------
    list
        A row for each cell that has points: place and other_place (of its two parts: means of all points there, in
        parts of the ranges), mean, n points, low and high (95 %, over its points; null for one).
    """
    means = apart(runs).means
    known = np.isfinite(means)
    at = [laid.unit[known, laid.paths.index(path)] for path in pair]
    parts = [_cut(x) for x in at]
    middles = [{p: float(x[cut == p].mean()) for p in np.unique(cut)} for x, cut in zip(at, parts, strict=True)]
    rows = []
    for here in np.unique(parts[0]):
        for there in np.unique(parts[1]):
            inside = (parts[0] == here) & (parts[1] == there)
            if inside.any():
                mean = student(means[known][inside])
                ends = {"low": mean.low, "high": mean.high} if inside.sum() > 1 else {"low": None, "high": None}
                places = {"place": middles[0][here], "other_place": middles[1][there]}
                rows.append({**places, "mean": mean.value, **ends, "n": int(inside.sum())})
    return rows


def _cut(x: Values) -> Values:
    levels, which = np.unique(x, return_inverse=True)
    if len(levels) <= 2 * _BINS:
        return np.asarray(which, float)
    ends = np.quantile(x, np.linspace(0, 1, _BINS + 1)[1:-1])
    return np.asarray(np.searchsorted(ends, x, side="right"), float)
