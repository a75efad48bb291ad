"""Survivors in number, and survival of one group, against the tables that other statistics make."""

from __future__ import annotations

import pytest

from sim.entrepreneurs.arrivals import EDUCATION
from sim.experiments.points import counted_for_all, measure
from sim.scenario.schema import Horizon
from sim.simulation import run
from sim.statistics.twins import stakes, twins


@pytest.fixture(scope="module")
def ran(plain):
    """Two years of a small city."""
    scenario = plain(horizon=Horizon(months=24))
    result = run(scenario, replicates=1, seed=3)
    tables = {name: result.table(name) for name in ("entrepreneurs", "transitions", "months", "city", "ledger")}
    return scenario, result, tables


def test_survivors_are_those_of_the_twins(ran):
    """As many newcomers reach an age as where two policies are compared; the number is of the whole city."""
    scenario, _, tables = ran
    names = [s.id for s in scenario.chain]
    pairs = twins(tables, tables, months=24, stages=names)
    counted = stakes(pairs, tables["ledger"], tables["ledger"], ages=(6, 12)).set_index("age_months")
    found = measure(tables, scenario, ["survivors_6m", "survivors_12m", "survivors_36m"])
    for age in (6, 12):
        assert found[f"survivors_{age}m"].value == counted.loc[age, "base_survivors"] > 0
        assert found[f"survivors_{age}m"].value <= counted.loc[age, "people"]
    assert found["survivors_36m"].value is None
    assert counted_for_all("survivors_12m")
    assert not counted_for_all("survival_12m_education_phd")


def test_a_groups_survival_is_its_curve(ran):
    """The survival of each education is the point of its Kaplan-Meier curve."""
    scenario, result, tables = ran
    curve = result.survival(by="education").set_index(["group", "age_months"])["survival"]
    for education in EDUCATION:
        found = measure(tables, scenario, [f"survival_12m_education_{education}"])
        value = found[f"survival_12m_education_{education}"].value
        if (f"education={education}", 12) in curve.index:
            assert value == pytest.approx(curve[f"education={education}", 12])
        else:
            assert value is None
    assert any((f"education={e}", 12) in curve.index for e in EDUCATION)
