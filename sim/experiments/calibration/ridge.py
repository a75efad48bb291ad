"""What the targets leave open, and whether decisions hold along it.

Two ways through the parameters are walked: the combination of them that the posterior leaves widest, and the ridge of
the one published equation, the resident stock, along which first-year exit trades against later exit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim.experiments.calibration.answers import Found, later_exit
from sim.experiments.calibration.bench import EXIT, FRESH
from sim.experiments.calibration.posterior import along, directions
from sim.experiments.calibration.priors import Floats
from sim.scenario.studies import pinned
from sim.statistics.paired import student

__all__ = ["decisions", "partner"]

_NEAR = 1.0
"""assumed: within so many sd of the stock, a point is on its ridge."""

_STOCK = "residents"


def decisions(found: Found) -> pd.DataFrame:
    """The effect of each reform at points along both ways.

    Returns
    -------
    DataFrame
        way (``direction`` or ``exits``), position (0 to 1: the share of the ridge that lies before), reform, name_zh,
        name_en, first_year (survival at 12 months), later (yearly survival from 12 to 60 months, both at that point),
        effect, low, high (of the reform on the outcome in the outcome's unit; paired, 95 % Student-t), sign (1, -1; 0
        where the interval holds 0); a row for each way, point and reform.
    """
    study = found.bench.study
    wanted = study.decisions
    shares = (np.arange(wanted.points) + 0.5) / wanted.points
    ways = {"direction": _across(found, shares), "exits": _exits(found, shares)}
    rows: list[dict[str, Any]] = []
    for way, places in ways.items() if wanted.reforms else ():
        for share, unit in zip(shares, places, strict=False):  # no places without a stock to be on the ridge of
            rows += [{"way": way, "position": float(share), **row} for row in _effects(found, unit)]
    columns = [
        "way",
        "position",
        "reform",
        "name_zh",
        "name_en",
        "first_year",
        "later",
        "effect",
        "low",
        "high",
        "sign",
    ]
    return pd.DataFrame(rows, columns=columns)


def partner(found: Found) -> dict[str, Any] | None:
    """The parameter that moves most with first-year survival along the ridge of the stock, and their correlation.

    Over points of the prior, weighted by the likelihood of the stock alone; None without a stock.
    """
    bench, start = found.bench, found.start
    if _STOCK not in bench.targets.outcomes:
        return None
    column = bench.targets.outcomes.index(_STOCK)
    weight = np.exp(-0.5 * bench.targets.misses(start.outcomes[:, : bench.fitted])[:, column] ** 2)
    first = start.outcomes[:, bench.outcomes.index(EXIT[0])]
    known = np.isfinite(first) & np.isfinite(weight)
    if weight[known].sum() <= 0:
        return None
    both = np.cov(start.unit[known].T, first[known], aweights=weight[known])
    spread = np.sqrt(np.diag(both))
    correlation = both[-1, :-1] / np.where(spread[:-1] * spread[-1] > 0, spread[:-1] * spread[-1], np.inf)
    most = int(np.abs(correlation).argmax())
    return {"path": bench.priors.paths[most], "correlation": float(correlation[most])}


def _across(found: Found, shares: Floats) -> Floats:
    """Points of the posterior along its widest direction."""
    walked = found.walked
    return walked.draws[along(walked.draws, walked.log_density, directions(walked.draws).vectors[0], shares)]


def _exits(found: Found, shares: Floats) -> Floats:
    """Points of the prior that have the published stock, from many to few first-year exits."""
    bench, start = found.bench, found.start
    if _STOCK not in bench.targets.outcomes:
        return np.zeros((0, bench.priors.size))
    column = bench.targets.outcomes.index(_STOCK)
    miss = np.abs(bench.targets.misses(start.outcomes[:, : bench.fitted])[:, column])
    near = np.flatnonzero(miss <= max(_NEAR, float(np.sort(miss)[min(len(shares), len(miss)) - 1])))
    first = start.outcomes[near, bench.outcomes.index(EXIT[0])]
    order = near[np.argsort(first, kind="stable")]
    chosen: Floats = start.unit[order[(shares * len(order)).astype(int)]]
    return chosen


def _effects(found: Found, unit: Floats) -> list[dict[str, Any]]:
    """The effect of every reform at one point: the same people, from the same city."""
    bench = found.bench
    study, wanted = bench.study, bench.study.decisions
    there = pinned(study.small.replace(bench.priors.point(unit)))
    names = tuple(dict.fromkeys((wanted.outcome, *EXIT)))
    points: list[dict[str, Any]] = [{}, *(reform.set for reform in wanted.reforms)]
    seed = study.seed + FRESH
    frame = bench.runs.points(there, points, names, replicates=wanted.replicates, seed=seed, told=bench.tell)
    values = frame[list(names)].to_numpy(float).reshape(len(points), wanted.replicates, len(names))
    first, last = (float(values[0, :, names.index(name)].mean()) for name in EXIT)
    rows = []
    for number, reform in enumerate(wanted.reforms, 1):
        gained = values[number, :, 0] - values[0, :, 0]
        effect = student(gained[np.isfinite(gained)])
        sign = int(effect.low > 0) - int(effect.high < 0)
        rows.append(
            {
                "reform": reform.id,
                "name_zh": reform.name.zh,
                "name_en": reform.name.en,
                "first_year": first,
                "later": float(later_exit(first, last)),
                "effect": effect.value,
                "low": effect.low,
                "high": effect.high,
                "sign": sign,
            }
        )
    return rows
