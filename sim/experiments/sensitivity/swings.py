"""What rests on each assumption, told quickly: every assumed number at both ends of its range, one at a time.

Runs are of a smaller city that starts empty (see `sim.experiments.sensitivity.smaller`), and each is paired with one
that has the scenario's own values and the same luck. Unlike `sim.experiments.sensitivity.analysis` this does not see
what numbers do only together, and takes a few hundred runs instead of some thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.errors import StoreError
from sim.evidence.ledger import digest
from sim.experiments.kept import Kept
from sim.experiments.outcomes import known_outcomes
from sim.experiments.points import counted_for_all, evaluate
from sim.experiments.sensitivity.smaller import divisor, from_empty, scaled
from sim.experiments.sensitivity.uncertainty import Uncertain, Uncertainties, uncertainties
from sim.experiments.sweep.orders import model_version
from sim.scenario.schema import Scenario
from sim.simulation import Progress

__all__ = ["REPLICATES", "Swings", "keep", "kept", "swings"]

REPLICATES = 4
"""assumed: pairs of runs at each end; the interval of their mean tells most numbers that matter from chance."""

_LEVEL = 0.95

_TABLE = "swings"


@dataclass(frozen=True)
class Swings:
    """What each assumed number moves.

    Attributes
    ----------
    table
        A row for each number, end of its range and outcome: path, end (``low``, ``high``), value (there; in the
        number's unit), outcome, effect (mean of the pairs, in the outcome's unit), ci_low, ci_high (95 % Student-t
        interval of that mean; null where the pairs do not tell), n (pairs that know it).
    base, units
        The outcomes with the scenario's own values; their units. What is counted for the whole city is so here as well.
    unknown
        What varies, what does not, and why.
    by, replicates
        One founder stands for so many; pairs of runs.
    """

    table: pd.DataFrame
    base: dict[str, float]
    units: dict[str, str]
    unknown: Uncertainties
    by: int
    replicates: int

    @property
    def numbers(self) -> tuple[Uncertain, ...]:
        """The numbers that were moved."""
        return _assumed(self.unknown)

    def ranked(self, outcome: str) -> pd.DataFrame:
        """A row for each number, the largest move first: what it does at both ends, and whether that can be chance.

        path, rank (null where neither end can be told from chance), and for each end value_<end>, effect_<end>,
        ci_low_<end>, ci_high_<end>.
        """
        mine = self.table[self.table["outcome"] == outcome]
        wide = mine.pivot(index="path", columns="end", values=["value", "effect", "ci_low", "ci_high"])
        wide.columns = pd.Index([f"{pair[0]}_{pair[1]}" for pair in wide.columns.to_list()])
        clear = pd.DataFrame({e: (wide[f"ci_low_{e}"] > 0) | (wide[f"ci_high_{e}"] < 0) for e in ("low", "high")})
        size = pd.DataFrame({e: wide[f"effect_{e}"].abs() for e in ("low", "high")})
        order = pd.DataFrame({"_clear": clear.any(axis=1), "_size": size.where(clear).max(axis=1).fillna(0.0)})
        order["_all"] = size.max(axis=1).fillna(0.0)
        found = wide.join(order).sort_values(["_clear", "_size", "_all"], ascending=False, kind="stable")
        rank = found["_clear"].cumsum().where(found["_clear"]).astype("Int64")
        return found.assign(rank=rank).drop(columns=list(order)).reset_index()


def swings(
    scenario: Scenario,
    outcomes: Sequence[str],
    *,
    replicates: int = REPLICATES,
    founders: int = 2_000,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Swings:
    """Move each assumed number that has a range to both of its ends.

    Parameters
    ----------
    scenario
        Whose outcomes are in question.
    outcomes
        Names, as for `sim.experiments.points.evaluate`.
    replicates
        Pairs of runs at each end.
    founders
        About how many newcomers a run has.
    jobs
        Runs at a time; no number of them changes a bit.
    progress
        Told how many runs are done.
    """
    unknown, by, city = uncertainties(scenario), divisor(scenario, founders), from_empty(scenario)
    moves = [
        (number, end, unknown.moved(number, share))
        for number in _assumed(unknown)
        for end, share in (("low", 0.0), ("high", 1.0))
    ]
    points: list[dict[str, object]] = [{}]
    own = {path: row.origin.value for path, row in unknown.rows.items()}
    place = []  # of the point that each end is; one where the scenario has its number already is the scenario itself
    for number, _, at in moves:
        if at[number.path] != own[number.path]:
            points.append(at)
        place.append(0 if at[number.path] == own[number.path] else len(points) - 1)
    changes = [scaled(city, by, values) for values in points]
    frame = evaluate(city, changes, outcomes, replicates=replicates, seed=scenario.seed, jobs=jobs, progress=progress)
    values = frame[list(outcomes)].to_numpy(float).reshape(len(points), replicates, len(outcomes))
    values = values * [by if counted_for_all(name) else 1.0 for name in outcomes]
    base, rows = values[0], []
    for (number, end, at), found in zip(moves, values[place], strict=True):
        for name, differences in zip(outcomes, (found - base).T, strict=True):
            rows.append(
                {"path": number.path, "end": end, "value": at[number.path], "outcome": name, **_mean(differences)}
            )
    columns = ["path", "end", "value", "outcome", "effect", "ci_low", "ci_high", "n"]
    levels = dict(
        zip(outcomes, (float(np.nanmean(v)) if np.isfinite(v).any() else np.nan for v in base.T), strict=True)
    )
    known = known_outcomes([stage.id for stage in scenario.chain])
    units = {name: known.get(name, "share") for name in outcomes}
    return Swings(pd.DataFrame(rows, columns=columns), levels, units, unknown, by, replicates)


def keep(found: Swings, scenario: Scenario, folder: Path) -> None:
    """Write swings into a folder, which is made, for `kept`. Raises StoreError if the disk does not let us."""
    _Kept({**_rests_on(scenario), **_plain(found)}, {_TABLE: found.table}).write(folder)


def kept(scenario: Scenario, outcomes: Sequence[str], folder: Path) -> Swings | None:
    """Swings that were kept, if they are those of this scenario, these outcomes and this version of the model."""
    try:
        found = _Kept.open(folder)
    except StoreError:
        return None
    manifest, rests_on = found.manifest, _rests_on(scenario)
    if any(manifest.get(key) != value for key, value in rests_on.items()) or list(manifest["base"]) != list(outcomes):
        return None
    base = {name: float("nan") if value is None else float(value) for name, value in manifest["base"].items()}
    size = int(manifest["by"]), int(manifest["replicates"])
    return Swings(found.table(_TABLE), base, dict(manifest["units"]), uncertainties(scenario), *size)


class _Kept(Kept):
    kind, verb, names = "swings", "sim report", (_TABLE,)


def _rests_on(scenario: Scenario) -> dict[str, Any]:
    version = {"evidence_hash": digest(), "model_version": model_version()}
    return {"scenario_hash": scenario.hash(), "seed": scenario.seed, **version}


def _plain(found: Swings) -> dict[str, Any]:
    base = {name: value if np.isfinite(value) else None for name, value in found.base.items()}
    return {"base": base, "units": found.units, "by": found.by, "replicates": found.replicates}


def _assumed(unknown: Uncertainties) -> tuple[Uncertain, ...]:
    return tuple(u for u in unknown.vary if not u.known)


def _mean(differences: NDArray[np.float64]) -> dict[str, float | int]:
    """Mean of paired differences with its interval; what never differs has one of length 0."""
    from scipy.special import stdtrit

    known = differences[np.isfinite(differences)]
    n = known.size
    if not n:
        return {"effect": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n": 0}
    mean = float(known.mean())
    if n < 2:
        return {"effect": mean, "ci_low": np.nan, "ci_high": np.nan, "n": n}
    half = float(stdtrit(n - 1, 0.5 + _LEVEL / 2) * known.std(ddof=1) / n**0.5)
    return {"effect": mean, "ci_low": mean - half, "ci_high": mean + half, "n": n}
