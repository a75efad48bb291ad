"""What training, money and incubation do, as field experiments found them (see `sim.experiments.scoring.trials`).

In a trial each person is compared with himself: the same person with the same luck, with the treatment and without, all
others living as they do without it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.statistics.columns import Ints, Mask
from sim.statistics.funnel import first_entered
from sim.statistics.lifetable import life_tables
from sim.validation.fact import Fact, Part
from sim.validation.record import NotKnown, Record, enough

__all__ = ["FACTS", "INCUBATOR", "LANDMARK", "incubated"]

INCUBATOR = "incubator"
"""Id of the stage that is an incubator."""

LANDMARK, _UNTIL = 24, 60
"""assumed: incubated or not is told at two years of age, before most tenancies end, and survival to five, months."""


def _take_up(record: Record) -> Mapping[str, float]:
    offered = record.trial("training")
    enough(len(offered))
    return {"share": float(offered["taker"].mean())}


def _training(record: Record) -> Mapping[str, float]:
    """Sales of a year, those who closed at zero; of all who were offered it, and of those who came."""
    offered = record.trial("training")
    takers = offered[offered["taker"]]
    enough(len(takers))
    return {"offered": _gain(offered), "takers": _gain(takers)}


def _gain(rows: pd.DataFrame) -> float:
    without = float(rows["sales_control"].sum())
    return float(rows["sales_trial"].sum()) / without - 1 if without > 0 else float("nan")


def _grant(record: Record) -> Mapping[str, float]:
    return {"points": _points(record.trial("grant"))}


def _points(rows: pd.DataFrame) -> float:
    enough(len(rows))
    return float(rows["alive_trial"].mean() - rows["alive_control"].mean())


def incubated(record: Record) -> tuple[Ints, Mask]:
    """Newcomers who trade beyond the landmark (rows of `record.new`), and which of these have been in an incubator."""
    if INCUBATOR not in record.stages:
        raise NotKnown("no_incubator")
    new = record.new
    entered = first_entered(new, record.table("transitions"), record.stages)[record.stages.index(INCUBATOR)]
    beyond = np.flatnonzero(new["duration_months"].to_numpy() > LANDMARK)
    return beyond, entered[beyond] <= LANDMARK


def _incubator(record: Record) -> Mapping[str, float]:
    """Survival from two to five years of age by who is or was in an incubator at two, and a lottery among applicants.

    Grouping at an age, and counting only from there on, keeps out that only those who live long can be incubated
    (immortal-time bias); without that the raw gap would be larger still.
    """
    beyond, inside = incubated(record)
    if record.months < _UNTIL:
        raise NotKnown("too_short_for_age", months=record.months, age=_UNTIL)
    enough(int(inside.sum()))
    duration, event = (record.new[name].to_numpy()[beyond] for name in ("duration_months", "event"))
    table = life_tables(duration, event, inside.astype(np.intp), 2, np.full(beyond.size, LANDMARK))
    without, with_it = table.survival[:, _UNTIL - 1]
    return {"raw": float(with_it - without), "lottery": _points(record.trial("lottery"))}


FACTS = (
    Fact(
        "training_take_up", 17, "treatment", (Part("share", 0.15, 0.40, "share"),), _take_up,
        ("online_training_experiment",), "medium", "fitted",
    ),
    Fact(
        "training", 17, "treatment",
        (Part("offered", 0.0, 0.04, "share"), Part("takers", None, 0.10, "share")), _training,
        ("online_training_experiment", "mckenzie_2020"), "medium",
    ),
    Fact(
        "grant", 18, "treatment", (Part("points", 0.15, 0.40, "points"),), _grant, ("mckenzie_2017",), "high",
    ),
    Fact(
        "incubator", 19, "treatment",
        (Part("raw", 0.10, None, "points"), Part("lottery", -0.10, 0.05, "points")), _incubator,
        ("schwartz_2013", "amezcua", "nbia_1997"), "medium",
    ),
)  # fmt: skip
"""The take-up is an input: `policy.training.take_up` was set after this very experiment."""
