"""What is believed of unknown parameters beforehand: independent, uniform over a range, in logs where it spans decades.

Everything that searches works in the unit cube, in which the prior is uniform; `Priors` leads there and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.scenario.studies import Study

__all__ = ["UNIT_SD", "Floats", "Priors", "fill"]

Floats = npt.NDArray[np.float64]

UNIT_SD = 12**-0.5
"""Standard deviation of a uniform number between 0 and 1."""


@dataclass(frozen=True)
class Priors:
    """Independent priors of the parameters at `paths`, uniform from `low` to `high`, in logs where `log`.

    `whole` marks parameters that are whole numbers; `now` holds the values that the scenario has.
    """

    paths: tuple[str, ...]
    low: Floats
    high: Floats
    log: npt.NDArray[np.bool_]
    whole: npt.NDArray[np.bool_]
    now: Floats

    @classmethod
    def of(cls, study: Study) -> Priors:
        """The priors that a study states."""
        values = [study.about(p.path).value for p in study.parameters]
        ends = np.array([study.ranges[p.path] for p in study.parameters], float)
        log = np.array([p.prior == "log_uniform" for p in study.parameters])
        whole = np.array([isinstance(value, int) for value in values])
        paths = tuple(p.path for p in study.parameters)
        return cls(paths, ends[:, 0], ends[:, 1], log, whole, np.array(values, float))

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return len(self.paths)

    def values(self, unit: npt.ArrayLike) -> Floats:
        """Points of the unit cube, shape (..., size), as values of the parameters."""
        u = np.asarray(unit, float)
        low, high = self._ends()
        scaled = low + u * (high - low)
        # a log and its exponential round; the range's own ends must not be left
        found = np.clip(np.where(self.log, np.exp(np.where(self.log, scaled, 0.0)), scaled), self.low, self.high)
        rounded: Floats = np.where(self.whole, np.rint(found), found)
        return rounded

    def unit(self, values: npt.ArrayLike) -> Floats:
        """Values of the parameters as points of the unit cube; outside of it where they leave the range."""
        x = np.asarray(values, float)
        low, high = self._ends()
        inner: Floats = (np.where(self.log, np.log(np.where(self.log, x, 1.0)), x) - low) / (high - low)
        return inner

    def _ends(self) -> tuple[Floats, Floats]:
        safe = np.where(self.log, self.low, 1.0), np.where(self.log, self.high, 1.0)
        return np.where(self.log, np.log(safe[0]), self.low), np.where(self.log, np.log(safe[1]), self.high)

    def point(self, unit: Sequence[float] | Floats) -> dict[str, float | int]:
        """A point of the unit cube as values by path, for `Scenario.replace`."""
        values = self.values(unit)
        return {p: int(v) if w else float(v) for p, v, w in zip(self.paths, values, self.whole, strict=True)}

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each prior, in the parameters' own units.

        Uniform: (a + b) / 2 and (b - a) / sqrt(12). Log-uniform: E[x] = (b - a) / ln(b/a), E[x^2] = (b^2 - a^2) /
        (2 ln(b/a)).
        """
        a, b = self.low, self.high
        ratio = np.where(self.log, np.log(np.where(self.log, b, np.e) / np.where(self.log, a, 1.0)), 1.0)
        mean = np.where(self.log, (b - a) / ratio, (a + b) / 2)
        square = np.where(self.log, (b**2 - a**2) / (2 * ratio) - mean**2, (b - a) ** 2 / 12)
        return mean, np.sqrt(square)

    def quantiles(self, share: float) -> Floats:
        """The value below which `share` of each prior lies."""
        return self.values(np.full(self.size, share))


def fill(priors: Priors, count: int, seed: int) -> Floats:
    """`count` points that fill the unit cube evenly (scrambled Sobol), shape (count, size)."""
    from scipy.stats import qmc

    power = max(int(np.ceil(np.log2(count))), 0)
    found: Floats = qmc.Sobol(priors.size, rng=np.random.default_rng(seed)).random_base2(power)[:count]
    return found
