"""The pipeline: two drivers and any number of threads give the same bits, and the tables add up."""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sim.chain.facility import Facility
from sim.entrepreneurs import kernel
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.behaviour import Behaviour, Peers
from sim.market.demand import Background, Market
from sim.run import run
from sim.scenario.schema import Horizon, Initial

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
MANY = settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def with_engine(scenario: Any, engine: str) -> Any:
    return scenario.model_copy(update={"engine": engine})


# the same bits ---------------------------------------------------------------------------------------------------------


def engines_agree(data: st.DataObject, scenarios: Any, tables: Any, assert_same: Any) -> None:
    scenario = data.draw(scenarios)
    stages = tuple(s.id for s in scenario.chain)
    by_columns = tables(with_engine(scenario, "columns"))
    event(f"{len(stages)} stages, {scenario.initial.kind}, {len(scenario.policy)} levers")
    assert_same(by_columns, tables(with_engine(scenario, "objects")), stages)


@given(data=st.data())
@FEW
def test_engines_agree(data: st.DataObject, scenarios: Any, tables: Any, assert_same: Any) -> None:
    """Columns and Mesa agents leave identical tables, byte for byte, for random scenarios."""
    engines_agree(data, scenarios, tables, assert_same)


@pytest.mark.long
@given(data=st.data())
@MANY
def test_engines_agree_at_length(data: st.DataObject, scenarios: Any, tables: Any, assert_same: Any) -> None:
    """Columns and Mesa agents leave identical tables over many more random scenarios."""
    engines_agree(data, scenarios, tables, assert_same)


@given(data=st.data())
@FEW
def test_tables_add_up(data: st.DataObject, scenarios: Any, finished: Any, check_books: Any) -> None:
    """In any scenario stocks, flows, lives, moves and money agree with one another exactly."""
    scenario = data.draw(scenarios)
    check_books(scenario, finished(scenario))


@pytest.mark.long
@given(data=st.data())
@MANY
def test_tables_add_up_at_length(data: st.DataObject, scenarios: Any, finished: Any, check_books: Any) -> None:
    """In many more random scenarios stocks, flows, lives, moves and money agree exactly."""
    scenario = data.draw(scenarios)
    check_books(scenario, finished(scenario))
