"""A made-up town for instruments to act in, month by month."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.entrepreneurs.behaviour import Behaviour
from sim.entrepreneurs.columns import Columns, identity
from sim.entrepreneurs.draws import replicate_key
from sim.entrepreneurs.rules import Constants
from sim.policy._now import Now
from sim.policy.ledger import Ledger

STAGES = ("village", "house", "park")
STAGE_OF = np.array([0, 0, 1, 1, 2, 3, 3, 3], np.int8)
CONSTANTS = Constants.of(Behaviour(), trim=3e6)


def _town(*policy: Any, n: int = 2000, seed: int = 0) -> Columns:
    rng = np.random.default_rng(seed)
    people = Columns(len(STAGES), memory={f"{i.id}.{name}": kind for i in policy for name, kind in i.remembers.items()})
    level = rng.normal(9.5, 1.5, n)
    people.append(
        {
            "uid": identity(280, rng.permutation(n)) + (rng.random(n) < 0.1),
            "age": rng.integers(0, 60, n),
            "education": rng.integers(0, 5, n),
            "origin": rng.integers(0, 4, n) * (rng.random(n) < 0.5),
            "channel": rng.integers(0, 3, n),
            "house": rng.integers(0, len(STAGE_OF), n),
            "rent": np.round(rng.lognormal(6, 1, n), 3) * (rng.random(n) < 0.9),
            "cash": np.round(rng.normal(0, 1e6, n)),
            "level": level,
            "potential": level + 0.5,
            "belief": level + 0.5,
            "sales": np.round(np.exp(level)),
            "smoothed": np.round(12 * np.exp(level + rng.normal(0, 0.1, n))),
            "income": np.round(0.1 * np.exp(level)),
            "staff": rng.integers(0, 12, n) * (rng.random(n) < 0.5),
            "spent": np.zeros((len(STAGES) + 1, n)),
        }
    )
    return people


def _now(month: int) -> Now:
    return Now(month, 291 + month, replicate_key(1, 0), STAGES, STAGE_OF, CONSTANTS)


def _act(instrument: Any, people: Columns, month: int, ledger: Ledger) -> tuple[Any, Any]:
    received, cash = people.received.copy(), people.cash.copy()
    people.relief[:] = 0.0
    instrument.act(people, _now(month), ledger)
    return people.received - received, people.cash - cash


def _copied(people: Columns, rows: Any = None) -> Columns:
    names = people.memories
    copy = Columns(len(STAGES), memory={name: str(getattr(people, name).dtype.str[1:]) for name in names})
    copy.append(people.take(np.arange(people.size) if rows is None else np.asarray(rows, np.int64)))
    return copy


@pytest.fixture(scope="session")
def town() -> Callable[..., Columns]:
    """2,000 people of all kinds in the houses of three stages and outside; instruments given may remember them."""
    return _town


@pytest.fixture(scope="session")
def now() -> Callable[[int], Now]:
    """The month of this number; month 0 is 2024-04."""
    return _now


@pytest.fixture(scope="session")
def act() -> Callable[..., tuple[Any, Any]]:
    """Let an instrument act once in a town: what each was given, and what came into his cash, in fen."""
    return _act


@pytest.fixture(scope="session")
def copied() -> Callable[..., Columns]:
    """A copy of a town, or of some of its rows, memories included."""
    return _copied


@pytest.fixture(scope="session")
def stage_of() -> Any:
    """Stage of each house of the town; the last is outside."""
    return STAGE_OF
