"""Where to look for good policies: points that fill the space, then optuna towards what is good and allowed.

The first objective is sought alone, by a tree-structured Parzen estimator (Watanabe 2023, arXiv:2304.11127); several
together by NSGA-II (Deb et al. 2002, IEEE Transactions on Evolutionary Computation 6:182-197), which starts from the
best that the first search has seen. Every policy is run with the same seeds; a seed is never searched over.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.experiments.designs import hypercube
from sim.experiments.optimisation.pareto import Mask, Values, front, spread
from sim.experiments.optimisation.problem import Problem, Reading

__all__ = ["See", "Seen", "distinct", "search"]

See = Callable[[Values], list[Reading]]
"""Called with places in the unit cube, (n, levers)."""

_ASKED = 8
"""assumed: policies that are proposed at a time; run together on many cores they are known a little later."""

_POPULATION = 24
"""assumed: policies of a generation; large enough for a front, small enough for several generations."""

_APART = 0.05
"""assumed: policies closer than this part of the levers' ranges (root mean square) are one."""


class Seen(NamedTuple):
    """Policies that were run: places, (n, levers); what their runs say; objectives; and which are allowed."""

    places: Values
    readings: list[Reading]
    objectives: Values
    feasible: Mask

    def best(self) -> list[int]:
        """Numbers of the allowed policies, the best by the first objective first."""
        known = self.feasible & np.isfinite(self.objectives).all(axis=1)
        order = np.argsort(-self.objectives[:, 0], kind="stable")
        return [int(i) for i in order if known[i]]


def search(problem: Problem, see: See, base: Reading, *, points: int, start: int, seed: int) -> Seen:
    """Look for good policies.

    Parameters
    ----------
    problem
        What is to be decided.
    see
        Runs policies.
    base
        The scenario as it is, with the same seeds.
    points, start
        How many policies to run, and how many of these fill the space.
    seed
        Of the search. The same seed gives the same policies.
    """
    return _Search(problem, see, base, seed).run(points, start)


class _Search:
    def __init__(self, problem: Problem, see: See, base: Reading, seed: int) -> None:
        self._problem, self._see, self._base, self._seed = problem, see, base, seed
        self._names = [axis.path for axis in problem.axes]
        self._places = np.empty((0, len(self._names)))
        self._readings: list[Reading] = []

    def run(self, points: int, start: int) -> Seen:
        first = hypercube(len(self._names), min(start, points), seed=self._seed)
        now = self._problem.now()
        if now is not None:
            first[0] = now
        self._look(first)
        several = len(self._problem.aims) > 1
        alone = (points - len(first)) // 2 if several else points - len(first)
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # optuna warns that what it is asked for may change
            self._one(optuna, alone)
            if several:
                self._all(optuna, points - len(first) - alone)
        return self._seen()

    def _look(self, places: Values) -> None:
        self._places = np.concatenate([self._places, places])
        self._readings += self._see(places)

    def _seen(self) -> Seen:
        objectives = np.array([self._problem.objectives(r) for r in self._readings])
        feasible = np.array([self._problem.feasible(r, self._base) for r in self._readings])
        return Seen(self._places, self._readings, objectives, feasible)

    def _one(self, optuna: Any, count: int) -> None:
        """Towards the best of the first objective."""
        cube = {name: optuna.distributions.FloatDistribution(0, 1) for name in self._names}
        sampler = optuna.samplers.TPESampler(
            seed=self._seed % 2**32, multivariate=True, constant_liar=True, n_startup_trials=1
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for place, reading in zip(self._places, self._readings, strict=True):
            values, missed = self._told(reading)
            if np.isfinite(values[0]):
                params = dict(zip(self._names, map(float, place), strict=True))
                study.add_trial(
                    optuna.trial.create_trial(
                        params=params, distributions=cube, value=float(values[0]), constraints=dict(missed)
                    )
                )
        for first in range(0, count, _ASKED):
            self._ask(optuna, study, cube, min(_ASKED, count - first), 1)

    def _all(self, optuna: Any, count: int) -> None:
        """Towards the front of all objectives."""
        if count < 1:
            return
        cube = {name: optuna.distributions.FloatDistribution(0, 1) for name in self._names}
        size = min(_POPULATION, max(count // 2, 2))
        sampler = optuna.samplers.NSGAIISampler(
            population_size=size, seed=self._seed % 2**32, crossover=optuna.samplers.nsgaii.SBXCrossover()
        )
        study = optuna.create_study(directions=["maximize"] * len(self._problem.aims), sampler=sampler)
        parents = self._parents(size)
        for place in parents:
            study.enqueue_trial(dict(zip(self._names, map(float, place), strict=True)))
        known = {place.tobytes(): reading for place, reading in zip(self._places, self._readings, strict=True)}
        for trial in [study.ask(cube) for _ in parents]:
            place = np.array([trial.params[name] for name in self._names])
            self._tell(optuna, study, trial, known[place.tobytes()], len(self._problem.aims))
        for first in range(0, count, size):
            self._ask(optuna, study, cube, min(size, count - first), len(self._problem.aims))

    def _parents(self, count: int) -> Values:
        """The first generation: the front of what was seen, the best by the first objective, and others."""
        seen = self._seen()
        on = np.flatnonzero(front(seen.objectives, seen.feasible))
        chosen = [int(on[i]) for i in spread(seen.objectives[on], count // 2)]
        order = dict.fromkeys([*chosen, *seen.best(), *range(len(seen.places))])
        different = {seen.places[i].tobytes(): i for i in reversed(order)}
        return seen.places[sorted(different.values(), key=list(order).index)[:count]]

    def _ask(self, optuna: Any, study: Any, cube: Mapping[str, Any], count: int, aims: int) -> None:
        trials = [study.ask(cube) for _ in range(count)]
        self._look(np.array([[trial.params[name] for name in self._names] for trial in trials]))
        for trial, reading in zip(trials, self._readings[-count:], strict=True):
            self._tell(optuna, study, trial, reading, aims)

    def _tell(self, optuna: Any, study: Any, trial: Any, reading: Reading, aims: int) -> None:
        values, missed = self._told(reading)
        if not np.isfinite(values[:aims]).all():
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for name, by in missed.items():
            trial.set_constraint(name, by)
        study.tell(trial, [float(v) for v in values[:aims]])

    def _told(self, reading: Reading) -> tuple[Values, Mapping[str, float]]:
        missed = self._problem.violations(reading, self._base)
        return self._problem.objectives(reading), {k: float(v) if np.isfinite(v) else 1.0 for k, v in missed.items()}


def distinct(places: Values, order: Sequence[int], count: int) -> list[int]:
    """The first `count` of the points in `order` that lie apart from one another."""
    chosen: list[int] = []
    for i in order:
        if all(np.sqrt(((places[i] - places[j]) ** 2).mean()) >= _APART for j in chosen):
            chosen.append(i)
        if len(chosen) == count:
            break
    return chosen
