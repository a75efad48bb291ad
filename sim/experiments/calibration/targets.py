"""What outcomes should be, and how likely a point is by it.

A target is a Gaussian around its value; a bound ("more than 30,000") is one-sided: on its good side all is as likely as
at the bound, beyond it the Gaussian falls. Targets are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.experiments.calibration.priors import Floats
from sim.scenario.studies import Study

__all__ = ["Targets"]

_SIDE = {"exact": 0, "about": 0, "more_than": 1, "at_most": -1, "less_than": -1}
"""1: only what falls short is unlikely; -1: only what exceeds."""


@dataclass(frozen=True)
class Targets:
    """Targets as arrays: `value` and `sd` in the outcome's unit, or in logs where `log`; `side` as in `_SIDE`."""

    outcomes: tuple[str, ...]
    value: Floats
    sd: Floats
    side: npt.NDArray[np.int64]
    log: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, study: Study) -> Targets:
        """The targets of a study."""
        sides = [_SIDE[study.bound(i)] for i in range(len(study.targets))]
        return cls(
            tuple(t.outcome for t in study.targets),
            np.array([t.value for t in study.targets]),
            np.array([t.sd for t in study.targets]),
            np.array(sides),
            np.array([t.log for t in study.targets]),
        )

    def misses(self, outcomes: npt.ArrayLike, more: npt.ArrayLike = 0.0) -> Floats:
        """How far outcomes, shape (..., n), are from their targets, in sd; 0 on the good side of a bound.

        `more` is a variance to add to the targets' own (an emulator's, say), in the unit of `sd`.
        """
        x = np.asarray(outcomes, float)
        known = np.where(self.log, np.log(np.where(self.log & (x > 0), x, 1.0)), x)
        aim = np.where(self.log, np.log(np.where(self.log, self.value, 1.0)), self.value)
        z = (known - aim) / np.sqrt(self.sd**2 + np.asarray(more, float))
        z = np.where((self.side > 0) & (z > 0) | (self.side < 0) & (z < 0), 0.0, z)
        bad: Floats = np.where(self.log & ~(x > 0), np.nan, z)
        return bad

    def log_likelihood(self, outcomes: npt.ArrayLike, more: npt.ArrayLike = 0.0) -> Floats:
        """Log-likelihood less that of hitting every target, -1/2 sum z^2; -inf where an outcome is not known.

        With `more`, the widths 1/sqrt(sd^2 + more) of two-sided targets count too: an emulator that is less sure is
        no better for it.
        """
        z = self.misses(outcomes, more)
        widths = np.where(self.side == 0, np.log1p(np.asarray(more, float) / self.sd**2), 0.0)
        found: Floats = -0.5 * (z**2 + np.broadcast_to(widths, z.shape)).sum(axis=-1)
        return np.where(np.isnan(found), -np.inf, found)
