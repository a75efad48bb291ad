"""Made-up tables of a run: the lives are drawn at random, and the tables agree with one another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sim.tables import EXIT_REASONS, OUTSIDE

STAGES = ("village", "maker_space", "incubator", "accelerator", "park")
EDUCATION = ("secondary", "associate", "bachelor", "master", "phd")
PLACES = (-1, 20, 10, 0, 5)


def made_up(n: int = 500, months: int = 72, seed: int = 1, stages: tuple[str, ...] = STAGES) -> dict[str, pd.DataFrame]:
    """Tables of one replicate with `n` people, a tenth of them from before the horizon."""
    rng = np.random.default_rng(seed)
    arrival = np.sort(np.concatenate((-rng.integers(1, 30, n // 10), rng.integers(0, months, n - n // 10))))
    initial = arrival < 0
    frailty = rng.gamma(2.0, 0.5, n)
    first_month = np.maximum(arrival, 0)
    life = rng.geometric(np.clip(0.03 * frailty, 1e-4, 1)).astype(int)
    exit_month = first_month + life - 1
    event = exit_month < months
    last = np.where(event, exit_month, months - 1)
    entry = first_month - arrival
    people = pd.DataFrame(
        {
            "replicate": np.zeros(n, np.int16),
            "uid": (291 + arrival) * 10**7 + np.arange(n) * 10,
            "cohort": pd.Categorical(
                [f"{2024 + (3 + a) // 12}-{(3 + a) % 12 + 1:02d}" for a in arrival.tolist()], ordered=False
            ),
            "attempt": np.where(rng.random(n) < 0.05, 1, 0).astype(np.int8),
            "initial": initial,
            "education": pd.Categorical.from_codes(rng.integers(0, 5, n), categories=list(EDUCATION)),
            "origin": pd.Categorical(["graduate"] * n, categories=["graduate", "returnee"]),
            "channel": pd.Categorical(rng.choice(["domestic", "livestream"], n)),
            "arrival_month": arrival.astype(np.int16),
            "exit_month": pd.array(np.where(event, exit_month, 0), dtype="Int16"),
            "exit_reason": pd.Categorical.from_codes(
                np.where(event, rng.integers(0, 3, n), -1), categories=list(EXIT_REASONS)
            ),
            "duration_months": (last - arrival + 1).astype(np.int16),
            "entry_age_months": entry.astype(np.int16),
            "event": event,
            "sales_12m_cny": np.where(rng.random(n) < 0.1, 0.0, rng.lognormal(12, 1.8, n)),
            "employees": rng.poisson(1.5, n).astype(np.int32),
            "received_cny": np.round(rng.gamma(0.5, 8000.0, n), 2),
        }
    )
    people.loc[~event, "exit_month"] = pd.NA
    moves = [
        pd.DataFrame({"row": np.arange(n)[~initial], "month": arrival[~initial], "from": -1, "to": 0, "why": "arrived"})
    ]
    stage, month = np.zeros(n, int), first_month.copy()
    for _ in range(4):  # up to four moves, some of which skip a stage, none after the exit
        month = month + rng.geometric(0.05, n) - (month == first_month)
        to = stage + np.where(rng.random(n) < 0.2, 2, 1)
        goes = (month < last) & (to < len(stages))
        month = np.where(goes, month, months)
        rows = np.flatnonzero(goes)
        moves.append(
            pd.DataFrame({"row": rows, "month": month[rows], "from": stage[rows], "to": to[rows], "why": "admitted"})
        )
        stage = np.where(goes, to, stage)
    gone = np.flatnonzero(event)
    reasons = people["exit_reason"].astype(object).to_numpy()[gone]
    moves.append(pd.DataFrame({"row": gone, "month": last[gone], "from": stage[gone], "to": -1, "why": reasons}))
    log = pd.concat(moves).sort_values(["month", "row"], kind="stable").reset_index(drop=True)
    people["stage"] = people["highest_stage"] = pd.Categorical.from_codes(stage, categories=[*stages, OUTSIDE])
    transitions = pd.DataFrame(
        {
            "replicate": np.zeros(len(log), np.int16),
            "uid": people["uid"].to_numpy()[log["row"]],
            "month": log["month"].astype(np.int16),
            "from_stage": pd.Categorical.from_codes(log["from"], categories=[*stages, OUTSIDE]),
            "to_stage": pd.Categorical.from_codes(log["to"], categories=[*stages, OUTSIDE]),
            "reason": pd.Categorical(log["why"]),
        }
    )
    grid = pd.MultiIndex.from_product([range(months), range(len(stages) + 1)]).to_frame(index=False, name=["m", "k"])
    by_month = pd.DataFrame(
        {
            "replicate": np.zeros(len(grid), np.int16),
            "month": grid["m"].astype(np.int16),
            "stage": pd.Categorical.from_codes(grid["k"], categories=[*stages, OUTSIDE]),
            "living": rng.integers(0, 6, len(grid)),
            "places": np.array([*PLACES[: len(stages)], -1])[grid["k"]],
            "waiting": rng.integers(0, 4, len(grid)),
        }
    )
    payments = rng.integers(0, months, 200)
    ledger = pd.DataFrame(
        {
            "replicate": np.zeros(200, np.int16),
            "month": payments.astype(np.int16),
            "instrument": pd.Categorical(rng.choice(["stipend", "rent"], 200)),
            "stage": pd.Categorical(rng.choice(list(stages), 200), categories=list(stages)),
            "education": pd.Categorical(rng.choice(list(EDUCATION), 200), categories=list(EDUCATION)),
            "recipients": rng.integers(1, 5, 200),
            "paid_cny": np.round(rng.gamma(1, 5000, 200), 2),
        }
    )
    return {"entrepreneurs": people, "transitions": transitions, "months": by_month, "ledger": ledger}


@pytest.fixture(scope="session")
def make() -> Callable[..., dict[str, pd.DataFrame]]:
    return made_up


@pytest.fixture(scope="session")
def tables() -> dict[str, pd.DataFrame]:
    return made_up()


@pytest.fixture(scope="session")
def stages() -> tuple[str, ...]:
    return STAGES
