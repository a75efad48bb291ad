"""The best policy within a budget: search, ranking with fresh seeds, and what becomes of the winner elsewhere.

1. The scenario as it is, and policies that fill the space and that optuna proposes, with the same seeds.
2. The best that are allowed, and that lie apart from one another, race with fresh seeds, together with the scenario as
   it is (`sim.experiments.optimisation.ranking`). Who breaks the budget or the equity there is out.
   Of those who are seen to be as good as the best but for what does not matter, the cheapest is recommended.
3. Its effect and price, and who gains, are told by runs with yet other seeds: neither search nor race has seen them, so
   that nothing is too good because it won. The same holds for the front.
4. The winner, others that did well and the scenario as it is are run in worlds that nobody can rule out.

Every run is kept (`sim.experiments.sweep.runs`): what was interrupted goes on where it was. The same study gives the
same result, however many workers there are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.errors import RunError, ScenarioError
from sim.experiments.designs import hypercube, there
from sim.experiments.optimisation.bench import CONFIRM, FRESH, Bench, Point
from sim.experiments.optimisation.pareto import Values, front, spread
from sim.experiments.optimisation.problem import COST, Problem, Reading
from sim.experiments.optimisation.ranking import Race, Rules, race
from sim.experiments.optimisation.result import NOW, Optimum
from sim.experiments.optimisation.search import Seen, distinct, search
from sim.experiments.optimisation.stated import stated
from sim.experiments.outcomes import unknown_outcomes
from sim.experiments.sweep.executors import Where
from sim.experiments.sweep.runs import Runs
from sim.scenario.studies import load_study
from sim.scenario.studies.axes import Value
from sim.scenario.studies.optimisation import OptimisationStudy
from sim.simulation import Progress
from sim.statistics.paired import student

if TYPE_CHECKING:
    from distributed import Security

__all__ = ["Found", "Worlds", "confirming", "optimise", "runs"]

_STEP = 4
"""assumed: replicates between two looks of the race."""

_MATTERS, _LEAST = 0.1, 0.001
"""assumed: part of what the best policy seems to gain, and of the objective's value now, below which a difference would
change nobody's mind; the larger of the two counts."""

_FRONT = 8
"""assumed: policies of the front that are run again; more would not be read."""

_COMPARED = 2
"""assumed: policies beside the winner and the scenario as it is that are run in other worlds."""


class Worlds(NamedTuple):
    """Policies in worlds that nobody can rule out: (worlds, policies) each, the last policy the scenario as it is."""

    policies: tuple[int | None, ...]
    values: list[dict[str, Value]]
    aim: Values
    cost: Values
    feasible: Values
    failed: Values
    """1 where the policy fails, NaN where that is not known."""


class Found(NamedTuple):
    """What was run and found; policies are numbers of `seen`, None is the scenario as it is."""

    problem: Problem
    base: Reading
    seen: Seen
    rules: Rules
    entered: tuple[int | None, ...]
    race: Race | None
    winner: int | None
    won: bool
    confirmed: tuple[Reading, Reading] | None
    """Of the winner and of the scenario as it is, from runs that had no part in choosing."""
    front: tuple[int | None, ...]
    shown: list[Reading]
    """Of the front, from runs that had no part in choosing, and of the scenario as it is from the same, last."""
    worlds: Worlds | None
    runs: int
    failed: tuple[str, ...]
    """Why each run that failed did."""

    @property
    def policies(self) -> list[int | None]:
        """All policies that were run, the scenario as it is first, and once."""
        return [None, *(i for i in range(len(self.seen.places)) if not self.problem.as_it_is(self.point(i)))]

    def point(self, policy: int | None) -> Point:
        """Levers of a policy, by path."""
        return {} if policy is None else self.problem.point(self.seen.places[policy])

    def name(self, policy: int | None) -> str:
        """What a policy is called in the tables: by the number under which the search found it."""
        return NOW if policy is None else f"p{policy + 1}"


def optimise(
    study: OptimisationStudy | str | os.PathLike[str],
    folder: Path | str | None = None,
    *,
    budget: float | None = None,
    executor: Executor | None = None,
    jobs: int = 1,
    dask: str | None = None,
    security: Security | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Optimum:
    """Find the policy that a study asks for.

    Parameters
    ----------
    study
        A study of kind `optimisation`, or its file: what can be decided, what is wanted, and what must hold.
    folder
        Where runs are kept; what is there already is not run again. Nothing is kept without one.
    budget
        CNY over the horizon, instead of the budget of a study that is given as a file.
    executor, jobs, dask, security, timeout
        Who makes the runs, as for `sim.sweep`; no choice of them changes the result.
    progress
        Told how many runs are done.

    Raises
    ------
    ScenarioError
        The study is wrong: all problems.
    RunError
        Not even the scenario as it is can be run, or nobody can make runs.
    StoreError
        The folder cannot be written, or another process works in it.
    """
    from sim.experiments.optimisation.tables import described, tables

    if not isinstance(study, OptimisationStudy):
        changes = {} if budget is None else {"budget": budget}
        study = load_study(study, changes, only=OptimisationStudy)
    if wrong := tuple(unknown_outcomes(study)):
        raise ScenarioError(wrong)
    problem = stated(study)
    apart = timeout is not None or bool(study.block.scenario.own)
    where, home = Where(jobs, executor, dask, security, apart), None if folder is None else Path(folder)
    with Runs(home, where, kind="policy search", timeout=timeout) as store:
        bench = Bench(problem, study.block, store, study.seed, progress, sum(runs(study).values()))
        found = _find(study, problem, bench)
    return Optimum(described(study, found), tables(study, found))


def runs(study: OptimisationStudy) -> dict[str, int]:
    """How many runs each part of an optimisation takes, at most."""
    ranking, search_, robust = study.ranking, study.search, study.robustness
    axes = any(axis.role == "uncertainty" for axis in study.block.axes)
    return {
        "search": (1 + search_.points) * search_.replicates,
        "ranking": (1 + ranking.finalists) * ranking.max,
        "confirm": 2 * confirming(study),
        "front": (2 + _FRONT) * ranking.first,
        "worlds": (2 + _COMPARED) * robust.points * robust.replicates if axes else 0,
    }


def confirming(study: OptimisationStudy) -> int:
    """Replicates of the winner that had no part in choosing it."""
    return max(2 * study.ranking.first, study.ranking.max // 2)


def _find(study: OptimisationStudy, problem: Problem, bench: Bench) -> Found:
    replicates = study.search.replicates
    base = bench.see([{}], replicates)[0]
    for aim in problem.aims:
        if not np.isfinite(base.values[aim.outcome]).all():
            raise RunError(f"{aim.outcome} is not known of the scenario as it is: there is nothing to compare with")

    def see(places: Values) -> list[Reading]:
        return bench.see([problem.point(place) for place in places], replicates)

    def point(policy: int | None) -> Point:
        return {} if policy is None else problem.point(seen.places[policy])

    seen = search(problem, see, base, points=study.search.points, start=study.search.start, seed=study.seed)
    rules = _rules(study, problem, base, seen)
    new = [i for i in seen.best() if not problem.as_it_is(point(i))]
    entered: list[int | None] = [*distinct(seen.places, new, study.ranking.finalists)]
    if problem.feasible(base, base):
        entered.append(None)
    costs: list[Values] = []
    run = _race(problem, bench, [point(p) for p in entered], rules, costs) if entered else None
    won = run is not None and bool(run.left)
    winner = entered[_thrifty(run, costs, rules)] if run is not None and won else None
    confirmed = None
    if won:
        both = bench.see([point(winner), {}], confirming(study), fresh=CONFIRM)
        confirmed = both[0], both[1]
    on = _front(problem, seen, winner if won else None)
    shown = bench.see([*(point(p) for p in on), {}], study.ranking.first, fresh=CONFIRM)
    worlds = None
    if run is not None and won:
        others = [p for p in (entered[i] for i in run.order) if p not in (None, winner)]
        compared = (*([] if winner is None else [winner]), *others[:_COMPARED], None)
        worlds = _worlds(study, problem, bench, compared, [point(p) for p in compared])
    return Found(
        problem, base, seen, rules, tuple(entered), run, winner, won, confirmed, tuple(on), shown, worlds, bench.done,
        tuple(bench.failed.values()),
    )  # fmt: skip


def _rules(study: OptimisationStudy, problem: Problem, base: Reading, seen: Seen) -> Rules:
    """The race's rules: what matters of the first objective, and how sure it must be."""
    first, ranking = problem.aims[0], study.ranking
    now = base.mean(first.outcome)
    gain = max((float(seen.objectives[i, 0]) - first.sign * now for i in seen.best()[:1]), default=0.0)
    matters = first.matters or max(_MATTERS * gain, _LEAST * abs(now)) or float(np.finfo(float).tiny)
    return Rules(matters, ranking.confidence, ranking.first, ranking.max, _STEP)


def _race(
    problem: Problem, bench: Bench, points: Sequence[Point], rules: Rules, costs: list[Values]
) -> Race:  # fmt: skip
    """Run policies against one another with fresh seeds; who is seen to break the rules is out.

    `costs` takes up what each costs in its replicates.
    """
    so_far: list[dict[str, list[Values]]] = [{} for _ in points]
    against: dict[str, list[Values]] = {}

    def observe(who: Sequence[int], first: int, count: int) -> Values:
        *readings, base = bench.see([*(points[i] for i in who), {}], count, first=first, fresh=FRESH)
        _add(against, base)
        known = []
        for i, reading in zip(who, readings, strict=True):
            _add(so_far[i], reading)
            allowed = problem.feasible(_joined(so_far[i]), _joined(against))
            aim = problem.aims[0]
            known.append(aim.sign * reading.values[aim.outcome] if allowed else np.full(count, np.nan))
        return np.array(known)

    run = race(observe, len(points), rules)
    costs += [np.concatenate(parts[COST]) for parts in so_far]
    return run


def _thrifty(run: Race, costs: Sequence[Values], rules: Rules) -> int:
    """Who is recommended: of those who are seen not to be worse than the best by what matters, the cheapest."""
    best = run.values[run.best]
    near = [run.best]
    for who in run.order:
        both = np.isfinite(run.values[who]) & np.isfinite(best)
        allowed = not run.out[who] or np.isfinite(run.values[who, : run.out[who]]).all()
        if who != run.best and allowed and student((best - run.values[who])[both]).high <= rules.delta:
            near.append(who)

    def dearer(who: int) -> float:
        """By how much, with the same luck."""
        return float((costs[who] - costs[run.best][: len(costs[who])]).mean())

    return min(near, key=lambda who: (dearer(who), near.index(who)))


def _add(to: dict[str, list[Values]], reading: Reading) -> None:
    for name, values in reading.values.items():
        to.setdefault(name, []).append(values)


def _joined(parts: dict[str, list[Values]]) -> Reading:
    return Reading({name: np.concatenate(values) for name, values in parts.items()})


def _front(problem: Problem, seen: Seen, winner: int | None) -> list[int | None]:
    """Policies of the front that are run again: of all objectives, and of the cost if it is none of them."""
    values = seen.objectives
    if all(aim.outcome != COST for aim in problem.aims):
        values = np.column_stack([values, [-reading.mean(COST) for reading in seen.readings]])
    on = np.flatnonzero(front(values, seen.feasible))
    chosen = [int(on[i]) for i in spread(values[on], _FRONT)]
    there = [None if problem.as_it_is(problem.point(seen.places[i])) else i for i in chosen]
    return list(dict.fromkeys([*there, *([] if winner is None else [winner])]))


def _worlds(
    study: OptimisationStudy, problem: Problem, bench: Bench, policies: tuple[int | None, ...], points: Sequence[Point]
) -> Worlds | None:
    """Policies in worlds that fill the space of what nobody knows; the same luck in each."""
    axes = [axis for axis in study.block.axes if axis.role == "uncertainty"]
    count = study.robustness.points
    if not axes or not count:
        return None
    places = hypercube(len(axes), count, seed=(study.seed + FRESH) % 2**63)
    values = [there(axes, place) for place in places]
    aim = problem.aims[0]
    shape = count, len(points)
    aims, costs, feasible, failed = (np.full(shape, np.nan) for _ in range(4))
    everywhere = [{**world, **point} for world in values for point in points]
    found = bench.see(everywhere, study.robustness.replicates)
    for number in range(count):
        readings = found[number * len(points) : (number + 1) * len(points)]
        base = readings[-1]
        for k, reading in enumerate(readings):
            aims[number, k] = aim.sign * reading.mean(aim.outcome)
            costs[number, k] = reading.mean(COST)
            feasible[number, k] = problem.feasible(reading, base)
            failed[number, k] = _fails(study, problem, reading, base)
    return Worlds(policies, values, aims, costs, feasible, failed)


def _fails(study: OptimisationStudy, problem: Problem, reading: Reading, base: Reading) -> float:
    """1 if a policy fails, 0 if not, NaN if that is not known: by default, no gain or over the budget."""
    fails = study.robustness.fails
    if fails is not None:
        more = reading.mean(fails.outcome) - (base.mean(fails.outcome) if fails.against == "base" else 0.0)
        return float(more <= fails.below) if np.isfinite(more) else np.nan
    aim = problem.aims[0]
    gain = aim.sign * (reading.mean(aim.outcome) - base.mean(aim.outcome))
    over = problem.budget is not None and reading.mean(COST) > problem.budget
    return float(gain <= 0 or over) if np.isfinite(gain) else np.nan
