"""One side of the exhibit: a city that runs month by month, and what is drawn of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.kernel import EXIT
from sim.entrepreneurs.leaving import leavers
from sim.model import Pipeline
from sim.scenario.schema import Scenario
from sim.tables import EXIT_REASONS

__all__ = ["Side", "drawn"]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: multiples of it are spread evenly (Knuth's multiplicative hash)."""


def drawn(uid: NDArray[np.int64], grain: int) -> NDArray[np.bool_]:
    """Who is drawn where a dot stands for `grain` founders, a power of two: the same people under every policy.

    Whoever starts again is the same person, and whoever is drawn at a grain is drawn at every finer one.
    """
    person = (uid // 10).astype(np.uint64)
    mixed: NDArray[np.bool_] = ((person * _SPREAD) >> np.uint64(40)) % np.uint64(grain) == 0
    return mixed


class _Counted(Pipeline):
    """A pipeline that counts who comes and goes, and remembers who closed since it was last looked at."""

    def __init__(self, scenario: Scenario, **how: Any) -> None:
        self.arrived = 0
        self.closed = np.zeros(len(EXIT_REASONS), np.int64)
        self.gone: list[tuple[NDArray[np.int64], NDArray[np.int8]]] = []
        super().__init__(scenario, collect=False, **how)
        self.at_start = self.people.size

    def arrive(self) -> None:
        """Newcomers and those who start again."""
        before = self.people.size
        super().arrive()
        self.arrived += self.people.size - before

    def close_shops(self) -> None:
        """Who closes, and why."""
        rows = leavers(self.people)
        reason = (self.people.call[rows] & EXIT) - 1
        self.closed += np.bincount(reason, minlength=len(EXIT_REASONS))
        self.gone.append((self.people.uid[rows].copy(), reason.astype(np.int8)))
        super().close_shops()


class Side:
    """A scenario as it is lived.

    Parameters
    ----------
    scenario
        What is lived.
    past
        The city at the end of the burn-in; see `Pipeline.past`.

    Attributes
    ----------
    scenario : Scenario
    model : Pipeline
    """

    def __init__(self, scenario: Scenario, past: Pipeline | None) -> None:
        self.scenario = scenario
        self.model = _Counted(scenario, past=past)

    @property
    def month(self) -> int:
        """Months lived."""
        return self.model.month

    @property
    def living(self) -> NDArray[np.int64]:
        """Identities of those who trade."""
        uid: NDArray[np.int64] = self.model.people.uid
        return uid

    def step(self) -> None:
        """One month."""
        self.model.step()

    @property
    def spent(self) -> float:
        """Public money so far, CNY."""
        return float(self.model.ledger.entries()["paid"].sum()) / 100

    def counts(self) -> dict[str, Any]:
        """What has come of the city so far, everybody counted: at_start + arrived = living + closed.

        `places` of a stage is -1 where it is open to all.
        """
        model = self.model
        *inside, outside = self._by_place()
        return {
            "at_start": model.at_start,
            "arrived": model.arrived,
            "living": model.people.size,
            "closed": dict(zip(EXIT_REASONS, model.closed.tolist(), strict=True)),
            "spent": self.spent,
            "stages": [
                {"living": int(living), "waiting": int(waiting), "places": stage.capacity}
                for stage, living, waiting in zip(self.scenario.chain, inside, model.houses.waiting, strict=True)
            ],
            "outside": int(outside),
        }

    def _by_place(self) -> NDArray[np.int64]:
        """Who trades in each stage, and outside."""
        houses = self.model.houses
        counted: NDArray[np.int64] = np.bincount(
            houses.stage_of, weights=houses.tenants, minlength=len(houses.stages) + 1
        ).astype(np.int64)
        return counted

    def crowd(self, grain: int) -> dict[str, Any]:
        """Those who are drawn: who is where, who queues for which stage, and who closed since the last look."""
        people, houses = self.model.people, self.model.houses
        rows = np.flatnonzero(drawn(people.uid, grain))
        uid, place = people.uid[rows], houses.stage_of[people.house[rows]]
        waits = people.waiting[rows].astype(int) - 1
        queue = np.flatnonzero(waits >= 0)
        gone = [(who[drawn(who, grain)], why[drawn(who, grain)]) for who, why in self.model.gone]
        self.model.gone.clear()
        return {
            "here": [uid[place == i].tolist() for i in range(len(houses.stages) + 1)],
            "queue": [[int(uid[q]), int(waits[q])] for q in queue],
            "gone": [[int(u), int(r)] for who, why in gone for u, r in zip(who, why, strict=True)],
        }

    def release(self) -> None:
        """Let go of everybody."""
        self.model.release()
