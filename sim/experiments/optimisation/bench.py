"""Where policies are run: a point of levers, and of what nobody knows, as runs of the study's scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sim.experiments.optimisation.pareto import Values
from sim.experiments.optimisation.problem import Problem, Reading
from sim.experiments.sweep.orders import Base
from sim.experiments.sweep.runs import Request, Runs
from sim.scenario.studies.axes import Value
from sim.scenario.studies.block import Block
from sim.simulation import Progress

__all__ = ["CONFIRM", "FRESH", "Bench", "Point"]

Point = Mapping[str, Value]

FRESH, CONFIRM = 7919, 2 * 7919
"""What is added to the seed for runs that must not share the luck of the search, and for runs that must not share that
of the ranking either."""

_SEEDS = 2**63


class Bench:
    """Runs policies of a study, and counts the runs.

    Parameters
    ----------
    problem
        What is to be decided.
    block
        The study's scenario.
    runs
        The store, with those who fill it.
    seed
        Of the search.
    progress, total
        Told how many of about so many runs are done.

    Attributes
    ----------
    failed
        Runs that failed, and why. The outcomes of such a run are not known, and its policy is not allowed.
    """

    def __init__(
        self, problem: Problem, block: Block, runs: Runs, seed: int, progress: Progress | None, total: int
    ) -> None:
        self._problem, self._base, self._runs, self._seed = problem, Base(block), runs, seed
        self._tell, self._total, self._done = progress, total, 0
        self.failed: dict[tuple[object, ...], str] = {}

    @property
    def done(self) -> int:
        """Runs that were asked for so far."""
        return self._done

    def see(self, points: Sequence[Point], count: int, *, first: int = 0, fresh: int = 0) -> list[Reading]:
        """What runs of some policies say.

        Parameters
        ----------
        points
            Levers, and what nobody knows, by path; an empty one is the scenario as it is.
        count, first
            How many replicates, and the first of them.
        fresh
            What is added to the seed: 0, `FRESH` or `CONFIRM`.
        """
        seed = (self._seed + fresh) % _SEEDS
        wanted = [
            Request(self._base, point, replicate, seed) for point in points for replicate in range(first, first + count)
        ]
        names = self._problem.outcomes
        frame = self._runs.rows(wanted, names, told=self._counted())
        for request, phase, message in zip(wanted, frame["phase"], frame["message"], strict=True):
            if phase is not None:
                key = *sorted(request.values.items()), request.replicate, request.seed
                self.failed[key] = f"{phase}: {message}"
        values: Values = frame[list(names)].to_numpy(float).reshape(len(points), count, len(names))
        return [
            self._problem.read(point, dict(zip(names, of.T, strict=True)))
            for point, of in zip(points, values, strict=True)
        ]

    def _counted(self) -> Callable[[int], None]:
        def tell(more: int) -> None:
            self._done += more
            if self._tell:
                self._tell(min(self._done, self._total), self._total)

        return tell
