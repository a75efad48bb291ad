"""From the runs of a sweep to what its outcomes are sensitive to, branch by branch."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.errors import SimError
from sim.experiments.designs import BlockDesign
from sim.experiments.sensitivity.found import LEADING, TABLES, Sensitivity
from sim.experiments.sensitivity.methods import Laid, Method, Row, cells, fitting, told
from sim.experiments.sensitivity.noise import Values
from sim.experiments.sweep.result import Sweep
from sim.findings import FINDINGS
from sim.scenario.studies.axes import Axis
from sim.scenario.studies.plan import Sobol

__all__ = ["laid", "runs_of", "sensitivity"]

_USUAL = ("survival_36m", "living_end", "employees_total", "sales_median_cny", "spent_cny")
"""Outcomes that are looked at where nobody asks for some."""


def sensitivity(
    sweep: Sweep,
    outcomes: Sequence[str] = (),
    *,
    method: Method | None = None,
    over: tuple[str, str] | None = None,
) -> Sensitivity:
    """Tell what the outcomes of a sweep are sensitive to.

    Parameters
    ----------
    sweep
        Finished or not: points that no run knows yet are left out.
    outcomes
        Which; by default those that the study names.
    method
        ``sobol``, ``morris``, ``anova`` or ``pawn``, for all branches; by default the best that each design allows.
    over
        Two paths over which outcomes are laid out in cells; by default the two that matter most together.

    Raises
    ------
    SimError
        The sweep has no such outcome, no such path, or no design that the method can use.
    """
    names = _chosen(sweep, outcomes)
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    methods: dict[str, str] = {}
    for design in sweep.plan.blocks:
        branch, here = design.block.id, laid(design)
        use = _method(branch, here, method)
        methods[branch] = use
        pair = _pair(branch, here, over)
        for name in names:
            key = {"branch": branch, "outcome": name}
            runs = runs_of(sweep, branch, name)
            row, rows, pairs = told(here, runs, use, seed=sweep.study.seed + 1)
            unit = sweep.manifest["outcomes"][name]
            tables["sensitivity_outcomes"].append(key | {"unit": unit, "method": use} | row)
            tables["sensitivity_indices"] += [key | {"method": use} | r for r in rows]
            tables["sensitivity_pairs"] += [key | r for r in pairs]
            two = pair or _most(rows, pairs, LEADING[use])
            if two is not None:
                tables["sensitivity_cells"] += [key | r for r in _cells(here, runs, two, design.block.axes)]
    frames = {name: _frame(name, rows) for name, rows in tables.items()}
    return Sensitivity(_manifest(sweep, methods), frames)


def laid(design: BlockDesign) -> Laid:
    """The points of a block as methods take them."""
    block, unit = design.block, design.unit
    assert block.layout is not None
    if unit is None:
        rows = [[axis.place(values[axis.path]) for axis in block.axes] for values in design.values]
        unit = np.array(rows, float).reshape(len(rows), len(block.axes))
    second = isinstance(block.layout, Sobol) and block.layout.second_order
    return Laid(block.layout.kind, design.paths, unit, second)


def runs_of(sweep: Sweep, branch: str, outcome: str) -> Values:
    """An outcome at the points of a branch in the order of the design, (points, replicates); NaN where not known."""
    points = sweep.points[sweep.points["branch"] == branch].sort_values("number")["point"]
    wide = sweep.runs.set_index(["point", "replicate"])[outcome].unstack("replicate")
    found: Values = wide.reindex(points.to_numpy()).to_numpy(float)
    return found if found.shape[1] else np.full((len(points), 1), np.nan)


def _chosen(sweep: Sweep, outcomes: Sequence[str]) -> tuple[str, ...]:
    for name in outcomes:
        if name not in sweep.outcomes:
            raise SimError(f"{name}: is no outcome of this sweep{_nearest(name, sweep.outcomes)}")
    if outcomes:
        return tuple(dict.fromkeys(outcomes))
    return sweep.study.outcomes or tuple(n for n in _USUAL if n in sweep.outcomes) or sweep.outcomes[: len(_USUAL)]


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (nearest: {near[0]})" if near else ""


def _method(branch: str, here: Laid, method: Method | None) -> Method:
    allowed = fitting(here.kind)
    if method is None:
        return allowed[0]
    if method not in allowed:
        where = f" of branch {branch}" if branch else ""
        raise SimError(f"{method}: cannot use the design {here.kind}{where}; it allows {', '.join(allowed)}")
    return method


def _pair(branch: str, here: Laid, over: tuple[str, str] | None) -> tuple[str, str] | None:
    """The two paths that were asked for, if this branch varies both."""
    if over is None:
        return None
    for path in over:
        if path not in here.paths:
            raise SimError(f"{path}: does not vary in this sweep{_nearest(path, here.paths)}")
    return over


def _most(rows: Sequence[Row], pairs: Sequence[Row], leading: str) -> tuple[str, str] | None:
    """The two that carry most only together; where that is not known, the two that matter most."""
    clear = [p for p in pairs if p["second_low"] is not None and p["second_low"] > 0]
    if clear:
        best = max(clear, key=lambda p: p["second"])
        return best["path"], best["other"]
    ranked = sorted((r for r in rows if r["measure"] == leading), key=lambda r: -r["value"])
    return (ranked[0]["path"], ranked[1]["path"]) if len(ranked) > 1 else None


def _cells(here: Laid, runs: Values, pair: tuple[str, str], axes: Sequence[Axis]) -> Iterator[Row]:
    first, other = (next(axis for axis in axes if axis.path == path) for path in pair)
    for row in cells(here, runs, pair):
        said = {"value": _said(first, row["place"]), "other_value": _said(other, row["other_place"])}
        yield {"path": pair[0], "other": pair[1], **said, **row}


def _said(axis: Axis, place: float) -> str:
    """The value at a place, to three digits."""
    value = axis.at(min(max(place, 0.0), 1.0))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def _frame(name: str, rows: Sequence[Row]) -> pd.DataFrame:
    numbers = {c.name: "float64" for c in FINDINGS[name] if c.dtype == "float64"}
    return pd.DataFrame(rows, columns=[c.name for c in FINDINGS[name]]).astype(numbers)


def _manifest(sweep: Sweep, methods: dict[str, str]) -> dict[str, Any]:
    kept = ("study", "file", "scenario", "axes", "seed", "outcomes", "model_version", "evidence_hash", "versions")
    runs = len(sweep.runs)
    return {name: sweep.manifest[name] for name in kept} | {
        "methods": methods,
        "runs": runs,
        "failed": len(sweep.failures),
        "digest": sweep.digest,
        "units": {name: {c.name: c.unit for c in FINDINGS[name]} for name in TABLES},
    }
