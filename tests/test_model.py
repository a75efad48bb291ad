"""The pipeline: two drivers and any number of threads give the same bits, and the tables add up."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import mesa
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, reject, settings
from hypothesis import strategies as st

from sim.chain.facility import Facility
from sim.entrepreneurs import kernel
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.behaviour import Behaviour, Exit, Peers
from sim.errors import RunError
from sim.market.demand import Background
from sim.model import Pipeline
from sim.scenario.schema import Horizon, Initial
from sim.simulation import run

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
MANY = settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def with_engine(scenario: Any, engine: str) -> Any:
    return scenario.model_copy(update={"engine": engine})


# the same bits ----------------------------------------------------------------------------------------------------


def settled(run: Any) -> Any:
    """What a run gives; a burn-in that leaves nobody to scale up is not an example."""
    try:
        return run()
    except RunError:
        return reject()


def engines_agree(data: st.DataObject, scenarios: Any, tables: Any, assert_same: Any) -> None:
    scenario = data.draw(scenarios)
    stages = tuple(s.id for s in scenario.chain)
    event(f"{len(stages)} stages, {scenario.initial.kind}, {len(scenario.policy)} levers")
    by_columns = settled(lambda: tables(with_engine(scenario, "columns")))
    assert_same(by_columns, tables(with_engine(scenario, "objects")), stages)


@given(data=st.data())
@FEW
def test_engines_agree(data: st.DataObject, scenarios: Any, tables: Any, assert_same: Any) -> None:
    """Columns and Mesa agents leave identical tables, byte for byte, for random scenarios."""
    engines_agree(data, scenarios, tables, assert_same)


def test_engines_agree_through_the_whole_chain(small: Any, tables: Any, assert_same: Any) -> None:
    """They agree on a scenario in which every kind of move occurs."""
    scenario = small(horizon=Horizon(months=60))
    by_columns, by_objects = (tables(with_engine(scenario, e)) for e in ("columns", "objects"))
    assert_same(by_columns, by_objects, tuple(s.id for s in scenario.chain))


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
    check_books(scenario, settled(lambda: finished(scenario)))


@pytest.mark.long
@given(data=st.data())
@MANY
def test_tables_add_up_at_length(data: st.DataObject, scenarios: Any, finished: Any, check_books: Any) -> None:
    """In many more random scenarios stocks, flows, lives, moves and money agree exactly."""
    scenario = data.draw(scenarios)
    check_books(scenario, settled(lambda: finished(scenario)))


@pytest.mark.parametrize("engine", ["columns", "objects"])
def test_no_bit_depends_on_the_order_of_rows(
    engine: str, small: Any, tables: Any, assert_same: Any, shuffled: Any
) -> None:
    """Putting the people into another order of rows each month leaves the same tables."""
    from sim.model import Pipeline

    scenario = with_engine(small(observe=("panel",)), engine)
    model = Pipeline(scenario)
    while model.running:
        shuffled(model, model.month)
        model.step()
    assert_same(tables(scenario), model.tables(), model.stages)


@given(data=st.data())
@FEW
def test_no_random_scenario_depends_on_the_order_of_rows(
    data: st.DataObject, scenarios: Any, tables: Any, assert_same: Any, shuffled: Any
) -> None:
    """Nor does the order of rows matter in any random scenario."""
    from sim.model import Pipeline

    scenario = data.draw(scenarios)
    model = settled(lambda: Pipeline(scenario))
    while model.running:
        shuffled(model, model.month)
        model.step()
    assert_same(tables(scenario), model.tables(), model.stages)


@pytest.mark.parametrize("engine", ["columns", "objects"])
def test_a_finished_run_leaves_nothing_behind(small: Any, engine: str) -> None:
    """Thousands of runs in one process: nobody holds on to a model that is done."""
    before = weakref.WeakSet[Pipeline]()
    for replicate in range(2):
        model = Pipeline(small(engine=engine), replicate=replicate)
        model.step()
        before.add(model)
    del model
    gc.collect()
    assert not len(before)


def test_threads_change_no_bit(small: Any, tables: Any, assert_same: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, two and five threads leave the same tables."""
    monkeypatch.setattr(kernel, "THREADS_FROM", 1)
    scenario = small(arrivals=small().arrivals.model_copy(update={"per_year": 6000.0}))
    alone = tables(scenario)
    assert alone["months"].groupby("month")["living"].sum().max() > 1000  # several chunks for each thread
    for threads in (2, 5):
        assert_same(alone, tables(scenario, threads=threads), tuple(s.id for s in scenario.chain))


def test_replicates_alone_or_together_and_any_jobs_are_the_same(small: Any, assert_same: Any) -> None:
    """Replicates run together, alone, or two at a time leave the same tables."""
    from sim.simulation import simulate

    scenario = small()
    stages = tuple(s.id for s in scenario.chain)
    together, two = run(scenario, replicates=3), run(scenario, replicates=3, jobs=2)
    for replicate in range(3):
        alone = simulate(scenario, replicate=replicate)
        for result in (together, two):
            assert_same(alone, {name: result.table(name, replicate) for name in alone}, stages)
    pd.testing.assert_frame_equal(together.summary, two.summary, check_exact=True)


def test_the_same_seed_repeats_and_another_does_not(small: Any, tables: Any, assert_same: Any) -> None:
    """A run repeats itself to the last bit; another seed or another replicate gives other people."""
    scenario = small()
    once = tables(scenario)
    assert_same(once, tables(scenario), tuple(s.id for s in scenario.chain))
    for other in (tables(scenario, rng=2), tables(scenario, replicate=1)):
        assert not set(once["entrepreneurs"]["first_sales_cny"]) & set(other["entrepreneurs"]["first_sales_cny"])


# what must not matter ---------------------------------------------------------------------------------------------


NOTHING = ({"eligible_share": 0.0}, {"share": {"park": 0.0}}, {"seats": 0})


@pytest.mark.parametrize("how", ["none", "inactive", "nothing to give", "not yet", "over", "no budget"])
def test_a_policy_that_does_nothing_changes_no_bit(how: str, small: Any, tables: Any, assert_same: Any) -> None:
    """No policy, one switched off, out of its dates, or with nothing to give: the same lives to the last bit."""
    levers = {
        "none": (),
        "inactive": tuple(p.model_copy(update={"active": False}) for p in small().policy),
        "nothing to give": tuple(p.model_copy(update=none) for p, none in zip(small().policy, NOTHING, strict=True)),
        "not yet": tuple(p.model_copy(update={"since": "2099-01"}) for p in small().policy),
        "over": tuple(p.model_copy(update={"until": "2024-03"}) for p in small().policy),
        "no budget": tuple(p.model_copy(update={"budget": 0.0}) for p in small().policy),
    }[how]  # fmt: skip
    found = tables(small(policy=levers))
    assert (found["ledger"]["paid_cny"] == 0).all()
    assert found["ledger"].empty == (how != "no budget")  # without money claims are refused, and booked as refused
    without = tables(small(policy=()))
    assert_same(without, {**found, "ledger": without["ledger"]}, tuple(s.id for s in small().chain))


def test_the_policy_of_the_small_scenario_matters(small: Any, tables: Any) -> None:
    """The instruments that the tests above switch off do change lives when they are on."""
    on, off = tables(small())["entrepreneurs"], tables(small(policy=()))["entrepreneurs"]
    assert len(tables(small())["ledger"]["instrument"].unique()) == 3
    assert not on["sales_12m_cny"].equals(off["sales_12m_cny"])


def test_the_small_scenario_exercises_the_whole_chain(small: Any, tables: Any) -> None:
    """Every kind of move and exit, full houses and waiting lists occur in the scenario that the tests above run."""
    found = tables(small(horizon=Horizon(months=60)))
    counts = found["transitions"]["reason"].value_counts()
    assert (counts > 0).all(), counts
    assert found["months"].groupby("stage", observed=True)["waiting"].max().loc["maker_space":"park"].min() > 0
    assert set(found["entrepreneurs"]["after_exit"].dropna()) == {"employee", "restart", "leaves"}


def test_a_budget_that_never_binds_is_no_budget(small: Any, tables: Any, assert_same: Any) -> None:
    """A yearly budget of ten billion gives the same lives as none."""
    loose = tuple(p.model_copy(update={"budget": 1e10}) for p in small().policy)
    free = tuple(p.model_copy(update={"budget": None}) for p in small().policy)
    assert_same(tables(small(policy=free)), tables(small(policy=loose)), tuple(s.id for s in small().chain))


def test_more_places_than_people_are_places_without_limit(small: Any, small_chain: Any, tables: Any) -> None:
    """Seats above the population give the same lives as seats without limit; only the stated places differ."""
    runs = []
    for places in (10_000, None):
        chain = tuple(s if i == 0 else s.model_copy(update={"places": places}) for i, s in enumerate(small_chain()))
        runs.append(tables(small(chain=chain)))
    for name in runs[0]:
        many, unlimited = (t[name].drop(columns="places", errors="ignore") for t in runs)
        pd.testing.assert_frame_equal(many, unlimited, check_exact=True, obj=name)


def test_the_past_does_not_depend_on_the_horizon(small: Any, finished: Any, tables: Any) -> None:
    """The first 30 months of a run of 60 are a run of 30, and a run may pause to be looked at."""
    from sim.model import Pipeline

    short = tables(small(horizon=Horizon(months=30)))
    model = Pipeline(small(horizon=Horizon(months=60)))
    for _ in range(30):
        model.step()
    paused = model.tables()
    while model.running:
        model.step()
    full = finished(small(horizon=Horizon(months=60))).tables()
    for name, frame in model.tables().items():
        pd.testing.assert_frame_equal(frame, full[name], check_exact=True, obj=name)
        pd.testing.assert_frame_equal(paused[name], short[name], check_exact=True, obj=name)
    for name in ("months", "transitions", "city"):
        first = full[name][full[name]["month"] < 30]
        pd.testing.assert_frame_equal(first, short[name], check_exact=True, obj=name)


def test_more_arrivals_leave_the_earlier_ones_as_they_were(plain: Any, tables: Any) -> None:
    """Where founders do not touch each other, doubling the arrivals adds people and changes nobody's life."""
    arrivals = plain().arrivals
    few = tables(plain())["entrepreneurs"].set_index("uid")
    many = tables(plain(arrivals=arrivals.model_copy(update={"per_year": 480.0})))["entrepreneurs"].set_index("uid")
    assert len(many) > 1.8 * len(few)
    kept = many.loc[few.index]
    assert (kept.astype(str) == few.astype(str)).all(axis=None)


def test_the_chain_does_not_change_who_arrives(small: Any, small_chain: Any, tables: Any) -> None:
    """Other upper stages leave every newcomer's traits and luck as they were; other rents change no trait either."""
    traits = ["uid", "cohort", "education", "origin", "channel", "arrival_month", "skill"]
    chain = small_chain()
    base = tables(small())["entrepreneurs"]
    wider = (*chain[:1], *(s.model_copy(update={"facilities": 9, "places": 9}) for s in chain[1:]))
    dearer = small_chain(rent=2500.0, facilities=9)
    for other in (wider, chain[:1], dearer):
        people = tables(small(chain=other))["entrepreneurs"]
        first, same = (t.loc[t["attempt"] == 0, traits].reset_index(drop=True) for t in (base, people))
        pd.testing.assert_frame_equal(first, same, check_exact=True)


def test_founders_who_cannot_touch_each_other_do_not(plain: Any, tables: Any) -> None:
    """Without displacement a background changes nothing but the recorded crowding; with it, it does."""
    runs = {}
    for eta in (0.0, 1.0):
        for entities in (0, 100):
            market = plain().market.model_copy(
                update={"displacement": eta, "background": Background(entities=entities, growth_per_year=0.5)}
            )
            runs[eta, entities] = tables(plain(market=market))["entrepreneurs"]
    pd.testing.assert_frame_equal(runs[0.0, 0], runs[0.0, 100], check_exact=True)
    assert not runs[1.0, 0]["sales_12m_cny"].equals(runs[1.0, 100]["sales_12m_cny"])


# a city that is there already -------------------------------------------------------------------------------------


def test_a_burn_in_under_the_same_chain_leaves_the_seats_taken(small: Any, finished: Any) -> None:
    """The horizon starts where the burn-in ended: same people, stages and peers."""
    from sim.model import Pipeline

    scenario = small(initial=Initial(kind="burn_in", months=24))
    before = Pipeline(scenario, _before=24)
    for _ in range(24):
        before.step()
    model = Pipeline(scenario)
    order = np.argsort(before.people.uid)
    for name in ("uid", "age", "level", "cash", "belief", "house", "highest", "months_in", "smoothed"):
        assert (getattr(model.people, name) == getattr(before.people, name)[order]).all(), name
    assert (model.houses.tenants == before.houses.tenants).all()
    assert (model.houses.table.peer_level == before.houses.table.peer_level).all()
    assert model.former_founders == before.former_founders > 0


def test_a_city_is_scaled_to_its_number_and_mean(small: Any, check_books: Any, finished: Any) -> None:
    """A burn-in scaled up holds exactly the stated entities, their mean sales, and no more tenants than places."""
    from sim.model import Pipeline

    scenario = small(initial=Initial(kind="burn_in", months=24, entities=777, mean_sales=700000.0))
    model = Pipeline(scenario)
    assert model.people.size == 777
    assert len(np.unique(model.people.uid)) == 777
    assert model.people.smoothed.mean() == pytest.approx(700000.0, rel=1e-4)
    assert (model.houses.tenants <= model.houses.places).all()
    check_books(scenario, finished(scenario))


def test_a_burn_in_under_another_chain_fits_the_people_into_this_one(
    small: Any, small_chain: Any, check_books: Any, finished: Any
) -> None:
    """Stages that the chain does not have leave their people outside it, at most at the stage before."""
    from sim.scenario.schema import Regime

    village, *_, park = small_chain()
    initial = Initial(kind="burn_in", months=30, under=Regime(chain=small_chain()))
    scenario = small(chain=(village, park.model_copy(update={"places": 1})), initial=initial, policy=())
    model = finished(scenario)
    check_books(scenario, model)
    assert model.people.highest.max() <= 1


def test_a_burn_in_that_leaves_nobody_cannot_be_scaled(small: Any) -> None:
    """Scaling nobody up to a city is refused with a reason."""
    from sim.model import Pipeline

    none = small().arrivals.model_copy(update={"per_year": 0.0})
    with pytest.raises(RunError, match=r"initial\.entities"):
        Pipeline(small(arrivals=none, initial=Initial(kind="burn_in", months=3, entities=10)))


# a Mesa model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["columns", "objects"])
def test_a_pipeline_is_a_mesa_model(engine: str, small: Any) -> None:
    """Its agents are its houses (and founders), it collects a row a month, and it stops at the horizon's end."""
    from sim.model import Pipeline

    model = Pipeline(with_engine(small(), engine), rng=7)
    assert isinstance(model, mesa.Model)
    months = 0
    while model.running:
        model.step()
        months += 1
        houses = [a for a in model.agents if isinstance(a, Facility)]
        founders = [a for a in model.agents if isinstance(a, Entrepreneur)]
        assert len(houses) == 9
        assert sum(h.tenants for h in houses) <= model.people.size
        assert len(founders) == (model.people.size if engine == "objects" else 0)
        assert all(h.places is None or h.tenants <= h.places for h in houses)
    assert months == 36
    collected = model.datacollector.get_model_vars_dataframe()
    assert len(collected) == 36
    places = ["village", "maker_space", "incubator", "park", "outside"]
    assert (collected[places].sum(axis=1) == collected["living"]).all()
    assert {h.stage for h in houses} == {"village", "maker_space", "incubator", "park"}
    assert all(h.rent > 0 and h.waiting >= 0 for h in houses)


def test_agents_are_views_of_their_rows(small: Any) -> None:
    """Each agent reads and writes his own row, whoever left before him."""
    from sim.model import Pipeline

    model = Pipeline(with_engine(small(), "objects"))
    for _ in range(20):
        model.step()
    assert [a.row for a in model.entrepreneurs] == list(range(model.people.size))
    assert [a.uid for a in model.entrepreneurs] == model.people.uid.tolist()
    model.entrepreneurs[3].cash += 100
    assert model.people.cash[3] == model.entrepreneurs[3].cash


def test_a_subclass_changes_results_through_its_own_verb_only(small: Any, tables: Any, assert_same: Any) -> None:
    """A founder class that overrides nothing changes no bit; one that never learns changes lives, not arrivals."""

    class Same(Entrepreneur):
        def learn(self) -> None:
            super().learn()

    class Stubborn(Entrepreneur):
        def learn(self) -> None:
            """Keep the first belief, and hear no peer."""

    behaviour = Behaviour(peers=Peers(rate=0.0), exit=Exit(chance_per_year=0.3))
    scenario = with_engine(small(behaviour=behaviour, horizon=Horizon(months=15)), "objects")
    stages = tuple(s.id for s in scenario.chain)
    usual = tables(scenario)
    assert_same(usual, tables(scenario, founder=Same), stages)
    stubborn = tables(scenario, founder=Stubborn)
    lives, others = usual["entrepreneurs"], stubborn["entrepreneurs"]
    assert others["duration_months"].mean() != lives["duration_months"].mean()
    first, same = (t[t["attempt"] == 0] for t in (lives, others))
    assert (first["uid"].to_numpy() == same["uid"].to_numpy()).all()
    young = first["duration_months"].to_numpy() == 1
    gone = young & first["event"].to_numpy() & (first["exit_reason"] == "left_city").to_numpy()
    assert gone.any()
    assert (same["exit_reason"][gone.tolist()] == "left_city").all()  # chance does not ask what he believes


def test_a_file_name_is_no_scenario() -> None:
    """Whoever gives a file's name is told to load it."""
    import sim

    for use in (sim.run, sim.simulate, sim.Pipeline):
        with pytest.raises(sim.ScenarioError, match=r'give a scenario: sim\.load\("file\.yaml"\) \(got str\)'):
            use("scenarios/yiwu.yaml")  # type: ignore[operator]
