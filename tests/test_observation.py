"""What a run writes down, beside the identities of test_model.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.entrepreneurs.arrivals import CHANNELS
from sim.observation import calendar_month, month_label
from sim.scenario.schema import Horizon, Initial
from sim.statistics.columns import codes
from sim.tables import columns


@pytest.mark.parametrize(("label", "calendar"), [("2000-01", 0), ("2024-04", 291), ("1999-12", -1), ("2123-12", 1487)])
def test_months_have_labels(label: str, calendar: int) -> None:
    """Calendar months count from 2000-01, backwards too."""
    assert calendar_month(label) == calendar
    assert month_label(calendar) == label


def test_tables_are_as_declared(small: Any, tables: Any) -> None:
    """Every table has exactly its declared columns, in order, and no nulls where none are declared."""
    scenario = small(observe=("panel",))
    stages = tuple(s.id for s in scenario.chain)
    found = tables(scenario)
    assert set(found) == {"entrepreneurs", "transitions", "months", "city", "ledger", "panel"}
    for name, frame in found.items():
        declared = columns(name, stages)
        assert list(frame.columns) == [c.name for c in declared], name
        for column in declared:
            assert column.nullable or not frame[column.name].isna().any(), f"{name}.{column.name}"
            kind = str(frame[column.name].dtype).lower()
            assert kind == column.dtype or column.dtype in ("category", "date"), f"{name}.{column.name}"


def test_tables_are_sorted_by_their_keys(small: Any, tables: Any) -> None:
    """Entrepreneurs by identity, the others by month or by person and year, without repeats."""
    found = tables(small(observe=("panel",)))
    keys = {
        "entrepreneurs": ["uid"],
        "months": ["month", "stage"],
        "city": ["month"],
        "ledger": ["month", "instrument", "stage", "education"],
        "panel": ["uid", "year"],
    }
    for name, key in keys.items():
        assert not found[name].duplicated(key).any(), name
        first = found[name][key[0]].to_numpy()
        assert (np.diff(first) >= 0).all(), name
    moves = found["transitions"]
    assert (np.diff(moves["month"]) >= 0).all()


def test_the_panel_is_the_state_at_each_years_end(small: Any) -> None:
    """A row for everyone trading at the end of each year, as he stood then."""
    from sim.model import Pipeline

    model = Pipeline(small(observe=("panel",)))
    seen = []
    while model.running:
        model.step()
        if model.month % 12 == 0:
            order = np.argsort(model.people.uid)
            seen.append([getattr(model.people, n)[order].copy() for n in ("uid", "age", "staff", "channel")])
    panel = model.tables()["panel"]
    for year, columns_then in enumerate(seen, 1):
        rows = panel[panel["year"] == year]
        rows = rows.assign(channel=codes(rows["channel"], CHANNELS))
        for name, then in zip(("uid", "age_months", "employees", "channel"), columns_then, strict=True):
            assert (rows[name].to_numpy() == then).all()


@pytest.mark.parametrize("initial", [Initial(), Initial(kind="burn_in", months=24)], ids=["empty", "burn_in"])
def test_the_panels_sales_are_those_of_twelve_months(small: Any, initial: Initial) -> None:
    """A year's sales are the sum of its months; of a shop younger than a year, its mean month times twelve."""
    from sim.model import Pipeline

    model = Pipeline(small(observe=("panel",), initial=initial))
    sold: dict[int, list[float]] = {}
    years = []
    while model.running:
        model.step()
        for uid, sales in zip(model.people.uid.tolist(), model.people.sales.tolist(), strict=True):
            sold.setdefault(uid, []).append(sales)
        if model.month % 12 == 0:
            years.append({uid: sum(sold[uid][-12:]) / len(sold[uid][-12:]) * 12 for uid in model.people.uid.tolist()})
    panel = model.tables()["panel"]
    assert len(panel) == sum(map(len, years)) > 0
    for year, uid, found in zip(panel["year"], panel["uid"], panel["sales_cny"], strict=True):
        assert found == pytest.approx(years[year - 1][uid], rel=1e-9)


def test_sales_and_staff_of_a_month_are_those_of_its_people(small: Any) -> None:
    """Monthly sales (to the fen a person) and staff are sums over all who traded, those who then closed included."""
    from sim.model import Pipeline

    model = Pipeline(small(policy=()))
    for _ in range(20):
        model.share_demand()
        model.arrive()
        model.govern()
        tally = model.live()
        sales, staff, n = model.people.sales.sum(), model.people.staff.sum(), model.people.size
        model.close_shops()
        model.progress()
        model.observe(tally)
        month = model.tables()["months"].query(f"month == {model.month - 1}")
        assert abs(month["sales_cny"].sum() - sales) <= 0.01 * n + 1e-6
        assert month["employees"].sum() == staff


def test_an_empty_city_has_empty_tables(small: Any, tables: Any) -> None:
    """Where nobody arrives the tables are there, with no rows but the months."""
    nobody = small().arrivals.model_copy(update={"per_year": 0.0})
    found = tables(small(arrivals=nobody, horizon=Horizon(months=5)))
    assert len(found["months"]) == 5 * 5
    assert len(found["city"]) == 5
    assert len(found["entrepreneurs"]) == len(found["transitions"]) == len(found["ledger"]) == 0


def test_former_founders_are_those_who_stayed(small: Any, tables: Any) -> None:
    """Nobody is a former founder of the city if all leave; if none leaves later, they add up."""
    leave = small().behaviour.exit
    behaviour = small().behaviour
    none = behaviour.model_copy(update={"exit": leave.model_copy(update={"stays": 0.0})})
    assert tables(small(behaviour=none))["city"]["former_founders"].max() == 0
    ever = leave.model_copy(update={"stays": 1.0, "leaves_later": 0.0, "restarts": 0.0})
    t = tables(small(behaviour=behaviour.model_copy(update={"exit": ever})))
    people = t["entrepreneurs"]
    assert (people["after_exit"] == "employee").sum() == t["city"]["former_founders"].iloc[-1] > 0
    assert (people.loc[people["after_exit"] == "leaves", "exit_reason"] == "left_city").all()


def test_those_who_start_again_are_the_same_people(small: Any, tables: Any) -> None:
    """A second shop has its founder's education, origin and channel, comes after the first closed, and is promised."""
    leave = small().behaviour.exit.model_copy(update={"stays": 1.0, "restarts": 0.9, "leaves_later": 0.0})
    behaviour = small().behaviour.model_copy(update={"exit": leave})
    people = tables(small(behaviour=behaviour))["entrepreneurs"].set_index("uid")
    again = people[people["attempt"] > 0]
    assert len(again) > 20
    first = people.loc[again.index - 1]
    for trait in ("education", "origin", "channel"):
        assert (again[trait].to_numpy() == first[trait].to_numpy()).all()
    assert (first["after_exit"] == "restart").all()
    assert (again["arrival_month"].to_numpy() > first["exit_month"].to_numpy(int)).all()
