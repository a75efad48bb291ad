"""Records made by hand: a handful of shops whose facts can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.validation.record import Record

SCENARIO: dict[str, Any] = {
    "horizon": {"start": "2024-04", "months": 120},
    "chain": [{"id": "village"}, {"id": "incubator"}],
    "arrivals": {"per_year": 30_000.0},
    "initial": {"kind": "burn_in", "entities": None},
    "behaviour": {"money": {"first_employee_at": 10_000.0, "staff_exponent": 0.6}},
}


def people(duration: Any, event: Any, **columns: Any) -> pd.DataFrame:
    """Newcomers of month 0 with these life times; `columns` replace what is taken by default."""
    duration = np.asarray(duration)
    n = duration.size
    plain = {
        "replicate": 0,
        "uid": np.arange(n) * 10,
        "initial": False,
        "attempt": 0,
        "arrival_month": 0,
        "duration_months": duration,
        "entry_age_months": 0,
        "event": np.broadcast_to(event, n),
        "first_sales_cny": 1_000.0,
        "sales_12m_cny": 12_000.0,
        "employees": 0,
    }
    return pd.DataFrame({**plain, **columns})


def panel(rows: list[tuple[int, int, int, float, int]]) -> pd.DataFrame:
    """A panel of (uid, year, age in months, sales, employees)."""
    return pd.DataFrame(rows, columns=["uid", "year", "age_months", "sales_cny", "employees"])


@pytest.fixture
def record() -> Callable[..., Record]:
    """A record of the given tables; `months` is its horizon, `trials` its trials."""

    def make(tables: dict[str, pd.DataFrame], months: int = 120, trials: Any = None, scenario: Any = None) -> Record:
        settled = {**SCENARIO, "horizon": {"start": "2024-04", "months": months}, **(scenario or {})}
        return Record(tables, settled, trials or {})

    return make


@pytest.fixture
def make_people() -> Callable[..., pd.DataFrame]:
    return people


@pytest.fixture
def make_panel() -> Callable[..., pd.DataFrame]:
    return panel
