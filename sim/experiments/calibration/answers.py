"""What a calibration found, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.experiments.calibration.bench import EXIT, Bench, Seen
from sim.experiments.calibration.emulator import Emulator
from sim.experiments.calibration.finalists import Finalists
from sim.experiments.calibration.posterior import directions, marginals, pairs, quantile
from sim.experiments.calibration.priors import Floats
from sim.experiments.calibration.walkers import Walk

__all__ = ["Found", "answers", "later_exit"]

_PAIRS = 8
"""assumed: pairs of parameters whose correlation is told."""

_DRAWS = 1000
"""assumed: draws that are kept of the posterior."""

_WAYS = 5
"""assumed: directions that are told, the widest and the narrowest."""

_SPAN = (0.025, 0.5, 0.975)


class Found(NamedTuple):
    """All that a search left behind.

    `start` fills the prior; `seen` are all points that the emulator was learnt from; `check` are posterior points that
    it never saw, with the weights that make them draws from the posterior without emulator; `walked` is the posterior.
    """

    bench: Bench
    start: Seen
    seen: Seen
    check: Seen
    weights: Floats
    emulator: Emulator
    walked: Walk
    finalists: Finalists


def answers(found: Found) -> dict[str, pd.DataFrame]:
    """The tables of a calibration by name, as `sim.tables` declares them, but for `decisions`."""
    priors, draws = found.bench.priors, found.walked.draws
    return {
        "fit": _fit(found),
        "posterior": _posterior(found),
        "pairs": pairs(draws, priors, _PAIRS),
        "directions": directions(draws).table(priors),
        "holdout": _holdout(found),
        "emulator": _tested(found),
        "finalists": _finalists(found),
        "exits": _exits(found),
        "draws": _draws(found),
    }


def later_exit(first: npt.ArrayLike, last: npt.ArrayLike) -> Floats:
    """Yearly survival from 12 to 60 months: (S(60) / S(12))^(1/4); NaN where nobody lives at 12 months."""
    s1, s5 = np.asarray(first, float), np.asarray(last, float)
    kept: Floats = np.where(s1 > 0, s5 / np.where(s1 > 0, s1, 1.0), np.nan) ** 0.25
    return kept


def _levels(found: Found, k: int) -> dict[str, float]:
    """An outcome at the best point, as it is, on the whole scenario, and over the posterior."""
    last = found.finalists
    low, median, high = quantile(found.check.outcomes[:, k], found.weights, _SPAN)
    return {
        "best": last.outcomes[last.best, k],
        "now": last.outcomes[-1, k],
        "whole_best": last.whole[0, k],
        "whole_now": last.whole[1, k],
        "posterior": median,
        "posterior_low": low,
        "posterior_high": high,
    }


def _fit(found: Found) -> pd.DataFrame:
    """Fitted against target."""
    bench, last = found.bench, found.finalists
    misses = bench.targets.misses(last.outcomes[:, : bench.fitted])
    rows = [
        {
            "outcome": target.outcome,
            "unit": bench.units[k],
            "bound": bench.study.bound(k),
            "target": target.value,
            "sd": target.sd,
            "relative": target.log,
            "figure": bench.study.evidence(k),
            "source": ", ".join(target.source) or None,
            "fact": target.fact,
            **_levels(found, k),
            "best_miss": misses[last.best, k],
            "now_miss": misses[-1, k],
        }
        for k, target in enumerate(bench.study.targets)
    ]
    return pd.DataFrame(rows)


def _holdout(found: Found) -> pd.DataFrame:
    """What is predicted, and was never fitted."""
    rows: list[dict[str, Any]] = []
    for held in found.bench.study.holdout:
        k = found.bench.outcomes.index(held.outcome)
        low, high = held.band or (np.nan, np.nan)
        levels = _levels(found, k)
        meets = held.band and levels["posterior_low"] <= high and levels["posterior_high"] >= low
        known: Mapping[str, Any] = {"band_low": low, "band_high": high, "meets": None if meets is None else bool(meets)}
        rows.append({"outcome": held.outcome, "unit": found.bench.units[k], **known, **levels})
    columns = ["outcome", "unit", "band_low", "band_high", "meets", *_levels(found, 0)]
    return pd.DataFrame(rows, columns=columns).astype({"meets": object})


def _posterior(found: Found) -> pd.DataFrame:
    """Each parameter: prior, posterior, where the scenario and the best point stand."""
    study, last = found.bench.study, found.finalists
    frame = marginals(found.walked.draws, found.bench.priors)
    origins = [study.about(path) for path in frame["path"]]
    best = last.points[last.best]
    frame.insert(1, "unit", [origin.unit or "" for origin in origins])
    frame.insert(2, "prior", [p.prior for p in study.parameters])
    frame.insert(8, "best", [float(best[path]) for path in frame["path"]])
    return frame.assign(zh=[o.zh for o in origins], en=[o.en for o in origins])


def _tested(found: Found) -> pd.DataFrame:
    """The emulator against runs that it never saw: points of the posterior."""
    bench, emulator, k = found.bench, found.emulator, found.bench.fitted
    run = found.check.outcomes[:, :k] / bench.times[:k]
    said = emulator(found.check.unit)
    rows = []
    for i, scale in enumerate(bench.scales[:k]):
        off = (scale.to(run[:, i]) - scale.to(said[:, i]))[np.isfinite(run[:, i])]
        size = float(np.mean(scale.slope(run[:, i])))
        rows.append(
            {
                "outcome": bench.outcomes[i],
                "unit": bench.units[i],
                "explained": emulator.explained[i],
                "stated_error": emulator.error[i] * size * bench.times[i],
                "bias": float(off.mean()) * size * bench.times[i],
                "error": float(np.sqrt((off**2).mean())) * size * bench.times[i],
                "within": float((np.abs(off) <= 1.96 * emulator.error[i]).mean()),
            }
        )
    return pd.DataFrame(rows)


def _finalists(found: Found) -> pd.DataFrame:
    last = found.finalists
    best = [number == last.best for number in range(len(last.names))]
    return pd.DataFrame({"name": last.names, "log_likelihood": last.log_likelihood, "best": best})


def _exits(found: Found) -> pd.DataFrame:
    """First-year survival and yearly survival after it, of points of the prior and of the posterior.

    `stock` is a point's likelihood by the resident stock alone (1 at the published number), `weight` what the point
    counts in the posterior.
    """
    bench = found.bench
    parts = []
    for of, seen in (("prior", found.start), ("posterior", found.check)):
        first, last = (seen.outcomes[:, bench.outcomes.index(name)] for name in EXIT)
        stock = np.full(len(first), np.nan)
        if "residents" in bench.targets.outcomes:
            k = bench.targets.outcomes.index("residents")
            stock = np.exp(-0.5 * bench.targets.misses(seen.outcomes[:, : bench.fitted])[:, k] ** 2)
        weight = found.weights if of == "posterior" else np.full(len(first), 1 / len(first))
        later = later_exit(first, last)
        parts.append(pd.DataFrame({"of": of, "first_year": first, "later": later, "stock": stock, "weight": weight}))
    return pd.concat(parts, ignore_index=True)


def _draws(found: Found) -> pd.DataFrame:
    """Draws from the posterior, evenly from the whole walk: draw, path, value."""
    draws, priors = found.walked.draws, found.bench.priors
    some = draws[np.linspace(0, len(draws) - 1, min(_DRAWS, len(draws))).astype(int)]
    number = np.repeat(np.arange(len(some)), priors.size)
    return pd.DataFrame({"draw": number, "path": list(priors.paths) * len(some), "value": priors.values(some).ravel()})
