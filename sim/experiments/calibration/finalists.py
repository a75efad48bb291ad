"""Who is best: the likeliest points, the posterior's mean and mode and the scenario as it is, with fresh seeds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sim.experiments.calibration.bench import Bench, Seen
from sim.experiments.calibration.priors import Floats
from sim.experiments.calibration.walkers import Walk

__all__ = ["NOW", "Finalists", "race"]

NOW = "now"
"""How the scenario as it is goes by among the finalists; it comes last."""


class Finalists(NamedTuple):
    """Who was run again, and what came out.

    `outcomes` are means over fresh seeds of the smaller scenario, `whole` those of the whole one, of the best and of
    the scenario as it is.
    """

    names: tuple[str, ...]
    points: tuple[dict[str, Any], ...]
    outcomes: Floats
    log_likelihood: Floats
    whole: Floats

    @property
    def best(self) -> int:
        """The likeliest of the others than the scenario as it is."""
        return int(self.log_likelihood[:-1].argmax())


def race(bench: Bench, seen: Seen, walked: Walk) -> Finalists:
    """Run the likeliest of the points that have been seen again, and others that matter, before one is called best."""
    order = np.argsort(-bench.log_likelihood(seen.outcomes), kind="stable")[: bench.study.search.finalists]
    unit = [*seen.unit[order], walked.draws.mean(axis=0), walked.draws[walked.log_density.argmax()]]
    names = (*(f"point_{i}" for i in range(1, len(order) + 1)), "mean", "mode", NOW)
    points = (*(bench.priors.point(u) for u in unit), {})
    outcomes = bench.again(points)
    likely = bench.log_likelihood(outcomes)
    best = points[int(likely[:-1].argmax())]
    return Finalists(names, points, outcomes, likely, bench.whole([best, {}]))
