"""Exercises whose answers check themselves: `check` works the right answer out from the run that the learner has before
him, and says in Chinese and English what is right, or what may have gone wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, known, text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sim.experiments.comparison.result import Comparison
    from sim.experiments.sweep.result import Sweep
    from sim.simulation import Result

__all__ = ["EXERCISES", "Exercise", "Verdict", "check"]

_LANGUAGES: tuple[Lang, ...] = ("zh", "en")

_COLOURS = {True: "#009E73", False: "#D55E00", None: "#6b6b6b"}
_MARKS = {True: "✓", False: "✗", None: "…"}


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer.

    Attributes
    ----------
    solved
        Whether it is right; None while there is none.
    zh, en
        What is said.
    """

    id: str
    solved: bool | None
    zh: str
    en: str

    def __repr__(self) -> str:
        return f"{_MARKS[self.solved]} {self.id}  {self.zh}\n     {self.en}"

    def _repr_html_(self) -> str:
        colour, mark = _COLOURS[self.solved], _MARKS[self.solved]
        box = f"border-left: 4px solid {colour}; padding: .3em .9em; margin: .4em 0; max-width: 54em; line-height: 1.6"
        said = f'<b style="color: {colour}">{mark} {escape(self.id)}</b>&ensp;{escape(self.zh)}'
        return f'<div style="{box}">{said}<br><span style="color: #6b6b6b">{escape(self.en)}</span></div>'


@dataclass(frozen=True)
class Exercise:
    """A question about a run, a comparison or a sweep.

    Parameters
    ----------
    right
        What it asks for, of that.
    slips
        What those get who slip in a known way, by the key of the hint that is for them.
    within
        How far off an answer may be, as a share of what is right.
    """

    right: Callable[[Any], float | str]
    slips: Mapping[str, Callable[[Any], float]] = field(default_factory=dict)
    within: float = 0.005


def check(id: str, answer: object, of: Result | Comparison | Sweep) -> Verdict:
    """Say whether an answer is right; nothing is ever raised for a wrong one.

    Parameters
    ----------
    id
        Of the exercise, as the notebook has it: ``2.1``.
    answer
        The learner's; ``...`` or None where there is none yet.
    of
        The run, comparison or sweep that the question is about.

    Raises
    ------
    KeyError
        There is no such exercise.
    """
    exercise = EXERCISES[id]
    if answer is None or answer is ...:
        return _said(id, None, "exercise.try")
    right = exercise.right(of)
    if isinstance(right, str):
        solved = isinstance(answer, str) and answer.strip().casefold() in _names(right)
        return _said(id, solved, f"exercise.{id}.{'right' if solved else 'hint'}", right)
    number = _number(answer)
    if number is None:
        return _said(id, False, "exercise.no_number")
    if _near(number, right, exercise.within):
        return _said(id, True, f"exercise.{id}.right", right)
    return _said(id, False, _hint(id, exercise, number, right, of))


def _hint(id: str, exercise: Exercise, number: float, right: float, of: Any) -> str:
    """The key of the hint that helps most: for a known slip, for % instead of a share, or the exercise's own."""
    for slip, wrong in exercise.slips.items():
        if _near(number, wrong(of), exercise.within):
            return f"exercise.{id}.{slip}"
    if _near(number, 100 * right, exercise.within):
        return "exercise.percent"
    return f"exercise.{id}.hint"


def _said(id: str, solved: bool | None, key: str, right: float | str = "") -> Verdict:
    said = {lang: text(key, lang, right=_written(right, lang)) for lang in _LANGUAGES}
    return Verdict(id, solved, **said)


def _written(right: float | str, lang: Lang) -> str:
    if isinstance(right, str):
        return known(f"exit_reason.{right}", lang) or right
    return f"{right:,.0f}" if float(right).is_integer() else f"{right:.3g}"


def _names(id: str) -> set[str]:
    """What one may call an exit reason: its id, and its name in either language."""
    return {id, *(str(known(f"exit_reason.{id}", lang) or id).casefold() for lang in _LANGUAGES)}


def _number(answer: object) -> float | None:
    try:
        found = float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _near(number: float, right: float, within: float) -> bool:
    return math.isclose(number, right, rel_tol=within, abs_tol=1e-9)


# what is right: from rows of founders, without the package's own statistics -------------------------------------------


def _newcomers(run: Result) -> pd.DataFrame:
    """First shops of those who came during the run."""
    people = run.table("entrepreneurs")
    return people[~people["initial"] & (people["attempt"] == 0)]


def _surviving(run: Result) -> NDArray[np.float64]:
    """Share that trades on after 0, 1, 2, ... months of age, each lifetime counted as long as it was seen."""
    import numpy as np

    people = _newcomers(run)
    lasted, closed = people["duration_months"].to_numpy(), people["event"].to_numpy(bool)
    share = [1.0]
    for age in range(1, int(lasted.max()) + 1):
        at_risk = int((lasted >= age).sum())
        share.append(share[-1] * (1 - int((closed & (lasted == age)).sum()) / at_risk))
    return np.array(share)


def _reached(run: Result, stage: str) -> float:
    people = _newcomers(run)
    place = {id: at for at, id in enumerate(run.stages)}
    return float((people["highest_stage"].astype(object).map(place) >= place[stage]).mean())


def _half(run: Result) -> float:
    """Age in months at which half have closed."""
    return float((_surviving(run) <= 0.5).argmax())


def _commonest(run: Result) -> str:
    return str(_newcomers(run)["exit_reason"].astype(object).dropna().value_counts().index[0])


def _closed(run: Result) -> pd.DataFrame:
    people = _newcomers(run)
    return people[people["event"].to_numpy(bool)]


def _effect(found: Comparison, column: str) -> float:
    rows = found.summary
    return float(rows.loc[rows["outcome"] == "newcomers_living_end", column].iloc[0])


def _replicates(found: Sweep) -> float:
    return float(found.summary["n"].max())


EXERCISES: Mapping[str, Exercise] = {
    "1.1": Exercise(
        lambda run: _reached(run, "incubator"),
        {"now": lambda run: float((_newcomers(run)["stage"].astype(object) == "incubator").mean())},
    ),
    "2.1": Exercise(
        lambda run: float(len(_newcomers(run)) - len(_closed(run))), {"closed": lambda run: float(len(_closed(run)))}
    ),
    "2.2": Exercise(
        lambda run: float(_surviving(run)[36]),
        {
            "late": lambda run: float((_newcomers(run)["duration_months"] > 36).mean()),
            "closed_only": lambda run: float((_closed(run)["duration_months"] > 36).mean()),
        },
    ),
    "2.3": Exercise(
        _half,
        {
            "of_closed": lambda run: float(_closed(run)["duration_months"].median()),
            "of_all": lambda run: float(_newcomers(run)["duration_months"].median()),
        },
    ),
    "2.4": Exercise(
        lambda run: float(_surviving(run)[24] / _surviving(run)[12]),
        {
            "whole": lambda run: float(_surviving(run)[24]),
            "difference": lambda run: float(_surviving(run)[12] - _surviving(run)[24]),
            "other": lambda run: float(1 - _surviving(run)[24] / _surviving(run)[12]),
        },
    ),
    "2.5": Exercise(_commonest),
    "3.1": Exercise(
        lambda found: _effect(found, "effect") - _effect(found, "direct"),
        {
            "sign": lambda found: _effect(found, "direct") - _effect(found, "effect"),
            "sum": lambda found: _effect(found, "direct") + _effect(found, "effect"),
        },
    ),
    "4.1": Exercise(
        lambda found: 4 * _replicates(found),
        {"twice": lambda found: 2 * _replicates(found), "factor": lambda found: 4.0},
        within=0.15,
    ),
}
"""All exercises, by the number that the notebooks give them."""
