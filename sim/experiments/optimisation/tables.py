"""What an optimisation found, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.evidence.ledger import digest
from sim.experiments.optimisation.optimise import Found, confirming
from sim.experiments.optimisation.pareto import Values, front
from sim.experiments.optimisation.problem import COST, SPENT, Reading
from sim.experiments.optimisation.robustness import boxes, regret
from sim.experiments.outcomes import known_outcomes
from sim.experiments.sweep.orders import model_version
from sim.findings import FINDINGS
from sim.scenario.studies.axes import Axis
from sim.scenario.studies.optimisation import OptimisationStudy
from sim.statistics.paired import student
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["described", "tables"]

Row = dict[str, Any]


def tables(study: OptimisationStudy, found: Found) -> dict[str, pd.DataFrame]:
    """The tables of `sim.experiments.optimisation.result.TABLES`."""
    worlds, unknowns, regrets, told = _robust(study, found)
    rows: dict[str, Iterable[Row]] = {
        "optimal_points": _points(study, found),
        "optimal_levers": _levers(found),
        "optimal_ranking": _ranking(found),
        "optimal_effects": _effects(study, found),
        "optimal_groups": _groups(found),
        "optimal_front": _front(study, found),
        "optimal_constraints": _constraints(found),
        "optimal_worlds": worlds,
        "optimal_unknowns": unknowns,
        "optimal_regret": regrets,
        "optimal_boxes": told,
    }
    return {name: _frame(name, of) for name, of in rows.items()}


def _frame(name: str, rows: Iterable[Row]) -> pd.DataFrame:
    numbers = {c.name: "float64" for c in FINDINGS[name] if c.dtype == "float64"}
    return pd.DataFrame(rows, columns=[c.name for c in FINDINGS[name]]).astype(numbers)


def units(study: OptimisationStudy, names: Iterable[str]) -> dict[str, str]:
    """Units of some outcomes."""
    known = {**known_outcomes([s.id for s in study.block.scenario.chain]), COST: "CNY"}
    return {n: known.get(n, "persons" if n.startswith("survivors_") else "share") for n in names}


def _objectives(found: Found) -> list[str]:
    """Outcomes of the objectives, and the cost."""
    return list(dict.fromkeys([*(aim.outcome for aim in found.problem.aims), COST]))


def _ahead(found: Found, readings: Sequence[Reading]) -> Values:
    """Objectives and cost of some policies, the more the better."""
    signs = {aim.outcome: aim.sign for aim in found.problem.aims}
    return np.array([[signs.get(n, -1.0) * r.mean(n) for n in _objectives(found)] for r in readings])


def _points(study: OptimisationStudy, found: Found) -> Iterator[Row]:
    of = units(study, _objectives(found))
    readings = [*found.seen.readings, found.base]
    allowed = np.append(found.seen.feasible, found.problem.feasible(found.base, found.base))
    on = front(_ahead(found, readings), allowed)
    for policy in found.policies:
        at = -1 if policy is None else policy  # the scenario as it is stands last
        for name in _objectives(found):
            values = {"outcome": name, "unit": of[name], "value": readings[at].mean(name)}
            yield {"policy": found.name(policy), **values, "feasible": bool(allowed[at]), "front": bool(on[at])}


def _levers(found: Found) -> Iterator[Row]:
    for policy in found.policies:
        point = found.point(policy)
        for axis in found.problem.axes:
            value = point.get(axis.path, axis.now)
            extra = found.problem.extra(axis, value)
            yield {"policy": found.name(policy), "path": axis.path, **_written(value), "declared_cny": extra}


def _written(value: object) -> Row:
    """A value as a number, if it is one, and as text."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:.10g}" if number else {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[call-overload]
    return {"value": float(value) if number else None, "label": text}  # type: ignore[arg-type]


def _ranking(found: Found) -> Iterator[Row]:
    run = found.race
    if run is None:
        return
    sign, best = found.problem.aims[0].sign, run.values[run.best]
    for place, who in enumerate(run.order, start=1):
        values = run.values[who]
        both = np.isfinite(values) & np.isfinite(best)
        behind = student((best - values)[both]).columns("behind")
        allowed = bool(not run.out[who] or np.isfinite(values[: run.out[who]]).all())
        known = np.isfinite(values)
        mean = sign * float(values[known].mean()) if known.any() else None
        row = {"policy": found.name(found.entered[who]), "place": place, "mean": mean}
        told = {"replicates": run.out[who] or run.values.shape[1], "left": who in run.left, "allowed": allowed}
        yield row | behind | told


def _effects(study: OptimisationStudy, found: Found) -> Iterator[Row]:
    if found.confirmed is None:
        return
    policy, base = found.confirmed
    equity = [found.problem.equity.overall] if found.problem.equity else []
    names = list(dict.fromkeys([*_objectives(found), SPENT, *equity]))
    for name in names:
        yield {"outcome": name, "unit": units(study, [name])[name], **_paired(base.values[name], policy.values[name])}


def _paired(base: Values, policy: Values) -> Row:
    """Means and their paired difference, with intervals, over the replicates that know both."""
    both = np.isfinite(base) & np.isfinite(policy)
    parts = {"base": base[both], "policy": policy[both], "effect": (policy - base)[both]}
    row: Row = {"n": int(both.sum())}
    for name, values in parts.items():
        row |= student(values).columns(name)
    return row


def _groups(found: Found) -> Iterator[Row]:
    if found.confirmed is None:
        return
    policy, base = found.confirmed
    for (grouping, group), outcome in found.problem.groups.items():
        row = {"grouping": grouping, "group": group, "outcome": outcome}
        yield row | _paired(base.values[outcome], policy.values[outcome])


def _front(study: OptimisationStudy, found: Found) -> Iterator[Row]:
    of = units(study, _objectives(found))
    *shown, base = found.shown
    on = front(_ahead(found, shown)) if shown else ()
    for policy, reading, edge in zip(found.front, shown, on, strict=True):
        for name in _objectives(found):
            value = student(reading.values[name]).columns("value")
            more = student(reading.values[name] - base.values[name]).columns("effect")
            row = {"policy": found.name(policy), "outcome": name, "unit": of[name]}
            yield row | value | more | {"front": bool(edge)}


def _constraints(found: Found) -> Iterator[Row]:
    if found.confirmed is not None:
        for name, missed in found.problem.violations(*found.confirmed).items():
            yield {"constraint": name, "missed": missed}


def _robust(study: OptimisationStudy, found: Found) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    """Tables of worlds, unknowns, regret and boxes; empty where no worlds were run."""
    worlds = found.worlds
    if worlds is None:
        return [], [], [], []
    sign = found.problem.aims[0].sign
    missed = regret(worlds.aim, worlds.feasible == 1)
    whole = np.isfinite(missed).all(axis=1)
    rows, regrets = [], []
    for k, policy in enumerate(worlds.policies):
        for number in range(len(worlds.values)):
            state = {"feasible": _maybe(worlds.feasible[number, k]), "fails": _maybe(worlds.failed[number, k])}
            told = {"value": sign * worlds.aim[number, k], "cost_cny": worlds.cost[number, k]}
            rows.append({"world": number, "policy": found.name(policy), **told, "regret": missed[number, k], **state})
        if whole.any():
            mine, allowed = missed[whole, k], worlds.feasible[whole, k] == 1
            low, most = float(np.quantile(mine, 0.9)), float(mine.max())
            shares = {
                "best": float(((mine == 0) & allowed).mean()),
                "allowed": float(allowed.mean()),
                "fails": _share(worlds.failed[whole, k]),
            }
            means = {"mean": float(mine.mean()), "p90": low, "most": most}
            regrets.append({"policy": found.name(policy), **means, **shares, "worlds": int(whole.sum())})
    axes = [axis for axis in study.block.axes if axis.role == "uncertainty"]
    unknowns = [
        {"world": n, "path": axis.path, "value": _written(w[axis.path])["value"], "place": axis.place(w[axis.path])}
        for n, w in enumerate(worlds.values)
        for axis in axes
    ]
    return rows, unknowns, regrets, list(_boxes(study, found, axes))


def _maybe(value: float) -> bool | None:
    return None if np.isnan(value) else bool(value)


def _boxes(study: OptimisationStudy, found: Found, axes: Sequence[Axis]) -> Iterator[Row]:
    """Where the recommended policy fails; limits of numbers only, others by their place among the values."""
    worlds = found.worlds
    assert worlds is not None
    failed = worlds.failed[:, worlds.policies.index(found.winner)]
    known = np.isfinite(failed)
    numbers = {a.path: all(_written(w[a.path])["value"] is not None for w in worlds.values) for a in axes}
    frame = pd.DataFrame(
        {a.path: [float(w[a.path]) if numbers[a.path] else a.place(w[a.path]) for w in worlds.values] for a in axes}  # type: ignore[arg-type]
    )
    told = boxes(frame[known], failed[known] == 1, density=study.robustness.threshold, seed=study.seed)
    for number, box in enumerate(told, start=1):
        shares = {"coverage": box.coverage, "density": box.density, "mass": box.mass}
        for path, limit in box.limits.items():
            ends = {"low": limit.low, "high": limit.high, "low_p": limit.low_p, "high_p": limit.high_p}
            yield {"box": number, **shares, "path": path, **ends}


def described(study: OptimisationStudy, found: Found) -> dict[str, Any]:
    """The manifest of an optimisation, without its rows and checksums; no clock, so that a rerun gives the same."""
    run, problem = found.race, found.problem
    rivals = [] if run is None else [found.name(found.entered[i]) for i in run.left if i != run.best]
    return {
        "study": study.model_dump(mode="json", by_alias=True),
        "study_text": study.text,
        "file": study.file,
        "scenario": study.whole.resolved(),
        "scenario_hash": study.whole.hash(),
        "small_hash": study.small.hash(),
        "axes": [_axis(axis) for axis in study.block.axes],
        "assumed_prices": study.assumed_prices,
        "aims": [{"outcome": a.outcome, "more": a.more} for a in problem.aims],
        "recommended": found.name(found.winner) if found.won else None,
        "leader": found.name(found.entered[run.best]) if run is not None and found.won else None,
        "separated": bool(run and run.separated),
        "rivals": [] if run is not None and run.separated else rivals,
        "confidence": found.rules.confidence,
        "indifference": found.rules.delta,
        "raced": 0 if run is None else int(run.values.shape[1]),
        "confirmed": confirming(study) if found.won else 0,
        "budget": problem.budget,
        "over": _over(found),
        "cheapest": min((r.mean(COST) for r in found.seen.readings), default=None),
        "robust": _robust_choice(found),
        "fails": _fails(found),
        "points": len(found.seen.places),
        "allowed": int(found.seen.feasible.sum()),
        "runs": found.runs,
        "failed": len(found.failed),
        "failure": found.failed[0] if found.failed else None,
        "evidence_hash": digest(),
        "model_version": model_version(),
        "seed": study.seed,
        "seed_scheme": SEED_SCHEME,
        "versions": versions(),
        "git_commit": commit(),
        "units": {name: {c.name: c.unit for c in columns} for name, columns in FINDINGS.items()},
    }


def _fails(found: Found) -> float | None:
    """In what share of the worlds the recommended policy fails."""
    if found.worlds is None:
        return None
    return _share(found.worlds.failed[:, found.worlds.policies.index(found.winner)])


def _share(failed: Values) -> float | None:
    """Share of worlds that failed, of those where it is known."""
    known = failed[np.isfinite(failed)]
    return float(known.mean()) if known.size else None


def _over(found: Found) -> float | None:
    """In what share of the runs that tell its effect the recommended policy goes over the budget."""
    if found.confirmed is None or found.problem.budget is None:
        return None
    return float((found.confirmed[0].values[COST] > found.problem.budget).mean())


def _axis(axis: Axis) -> dict[str, Any]:
    """An axis as plain values."""
    low, high = (None, None) if np.isnan(axis.low) else (axis.low, axis.high)
    kept = {"path": axis.path, "role": axis.role, "values": list(axis.values), "low": low, "high": high}
    return {**kept, "log": axis.log, "whole": axis.whole, "unit": axis.unit, "zh": axis.name.zh, "en": axis.name.en}


def _robust_choice(found: Found) -> str | None:
    """Of the policies that were compared in other worlds, the one whose worst regret but for a tenth is least.

    Only those count that keep to budget and equity in as many worlds as the recommended one.
    """
    worlds = found.worlds
    if worlds is None:
        return None
    missed, allowed = regret(worlds.aim, worlds.feasible == 1), (worlds.feasible == 1).mean(axis=0)
    whole = np.isfinite(missed).all(axis=1)
    if not whole.any():
        return None
    mine = allowed[worlds.policies.index(found.winner)]
    worst = np.where(allowed >= mine, np.quantile(missed[whole], 0.9, axis=0), np.inf)
    return found.name(worlds.policies[int(worst.argmin())])
