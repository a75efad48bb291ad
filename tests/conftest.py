"""Scenarios made in Python, random ones too, and the ways to run and compare them."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from sim.chain.stage import Stage
from sim.entrepreneurs.arrivals import Arrivals, ChannelMix, EducationMix, OriginMix
from sim.entrepreneurs.behaviour import Behaviour, Entry, Exit, Growth, Learning, Money, Peers
from sim.evidence.quantity import Parameters
from sim.market.demand import Background, Market, Series
from sim.model import Pipeline
from sim.policy import rent_relief, stipend, training
from sim.scenario.schema import Horizon, Initial, Regime, Scenario
from sim.store import to_arrow
from sim.tables import OUTSIDE

os.environ.pop("COLUMNS", None)  # tests that are spread over cores are told a width; what they print into has none
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job: programs that are tested heed it
    signal.signal(signal.SIGINT, signal.default_int_handler)

EVERY_PHASE_BUT = {Phase.explain, *([Phase.shrink] if os.environ.get("NO_SHRINK") else [])}
settings.register_profile(
    "model",
    deadline=None,
    derandomize=True,
    print_blob=True,
    phases=[p for p in Phase if p not in EVERY_PHASE_BUT],
    report_multiple_bugs=False,
)
settings.load_profile("model")

FLOWS = ("living", "arrivals", "admitted", "left", "closed")

# the whole chain, small -------------------------------------------------------------------------------------------


def _chain(**first: Any) -> tuple[Stage, ...]:
    """A chain small enough for a few hundred founders, its seats scarce; `first` changes the village."""
    return (
        Stage(**{"id": "village", "facilities": 4, "crowding": 0.5, "usual_tenants": 5, **first}),
        Stage(id="maker_space", facilities=2, places=3, threshold=3e4, or_net_income=2000.0, tenancy=6, uplift=0.05,
              apply=0.5),
        Stage(id="incubator", facilities=2, places=2, threshold=6e4, max_age=24, tenancy=9, falls_back=True, apply=0.5),
        Stage(id="park", facilities=1, places=3, threshold=1e6, or_net_income=1500.0, falls_back=True, apply=0.5,
              waiting_list=False),
    )  # fmt: skip


def _policy() -> tuple[Any, ...]:
    return (
        stipend.Instrument(id="stipend", eligible_share=0.8, budget=60000.0),
        rent_relief.Instrument(id="rent", share={"village": 0.2, "maker_space": 0.5, "incubator": 1.0}),
        training.Instrument(id="training", courses=10, seats=3, take_up=0.1),
    )


def _small(**changes: Any) -> Scenario:
    chosen: dict[str, Any] = {
        "horizon": Horizon(months=36),
        "arrivals": Arrivals(per_year=240.0),
        "chain": _chain(),
        "policy": _policy(),
        "market": Market(background=Background(entities=500)),
        "replicates": 1,
        **changes,
    }
    return Scenario(**chosen)


@pytest.fixture(scope="session")
def small() -> Callable[..., Scenario]:
    """A small scenario with all instruments and scarce seats; keywords replace its parts."""
    return _small


@pytest.fixture(scope="session")
def small_chain() -> Callable[..., tuple[Stage, ...]]:
    """The small scenario's chain; keywords change its first stage."""
    return _chain


@pytest.fixture(scope="session")
def plain() -> Callable[..., Scenario]:
    """One open stage, no policy, nobody else in the market, nothing that makes one founder feel another."""

    def make(**changes: Any) -> Scenario:
        chosen: dict[str, Any] = {
            "arrivals": Arrivals(per_year=240.0, summer_share=1 / 3),
            "chain": (Stage(id="village", facilities=1),),
            "market": Market(
                domestic=Series(growth_after=0.0),
                livestream=Series(growth_after=0.0),
                cross_border=Series(growth_after=0.0),
                displacement=0.0,
                background=Background(entities=0),
            ),
            "behaviour": Behaviour(peers=Peers(rate=0.0)),
            "replicates": 1,
            **changes,
        }
        return Scenario(**chosen)

    return make


@pytest.fixture(scope="session")
def by_chance() -> Callable[[float], Behaviour]:
    """Behaviour in which founders close by a constant monthly chance only, and never start again."""

    def make(chance: float, **parts: Any) -> Behaviour:
        leaving = Exit(chance_per_year=1 - (1 - chance) ** 12, insolvency=False, review=0.0, restarts=0.0)
        return Behaviour(exit=leaving, **{"peers": Peers(rate=0.0), **parts})

    return make


# running and comparing --------------------------------------------------------------------------------------------


def _finished(scenario: Scenario, **how: Any) -> Pipeline:
    model = Pipeline(scenario, **how)
    while model.running:
        model.step()
    return model


@pytest.fixture(scope="session")
def finished() -> Callable[..., Pipeline]:
    """A pipeline run to the end of its horizon."""
    return _finished


@pytest.fixture(scope="session")
def tables() -> Callable[..., dict[str, pd.DataFrame]]:
    """The tables of one replicate."""

    def make(scenario: Scenario, **how: Any) -> dict[str, pd.DataFrame]:
        return _finished(scenario, **how).tables()

    return make


def _bytes(name: str, frame: pd.DataFrame, stages: tuple[str, ...]) -> bytes:
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(to_arrow(name, frame, stages), sink)
    return sink.getvalue()


@pytest.fixture(scope="session")
def assert_same() -> Callable[..., None]:
    """Assert that two runs' tables agree to the last bit: as frames, and as Parquet files."""

    def check(a: dict[str, pd.DataFrame], b: dict[str, pd.DataFrame], stages: tuple[str, ...]) -> None:
        assert a.keys() == b.keys()
        for name in a:
            pd.testing.assert_frame_equal(a[name], b[name], check_exact=True, obj=name)
            assert _bytes(name, a[name], stages) == _bytes(name, b[name], stages), name

    return check


def _check_books(scenario: Scenario, model: Pipeline) -> None:
    t = model.tables()
    people, months, moves, ledger = (t[k] for k in ("entrepreneurs", "months", "transitions", "ledger"))
    places = (*(s.id for s in scenario.chain), OUTSIDE)
    horizon = scenario.horizon.months
    # one life each
    assert people["uid"].is_unique
    assert not people["event"].eq(people["exit_month"].isna()).any()
    assert people["exit_reason"].isna().eq(~people["event"]).all()
    last = people["exit_month"].fillna(horizon - 1).astype(int)
    assert (people["duration_months"] == last - people["arrival_month"] + 1).all()
    assert (people["initial"] == (people["arrival_month"] < 0)).all()
    first = people[people["attempt"] == 0]
    assert (first["uid"] // 10**7 == first["arrival_month"].astype(int) + model.start).all()
    spent = people[[f"months_in_{p}" for p in places]].sum(axis=1)
    assert (spent == people["duration_months"] - people["entry_age_months"]).all()
    assert people[[f"months_in_{p}" for p in places]].min(axis=None) >= 0
    # stocks and flows
    wide = {c: months.pivot(index="month", columns="stage", values=c)[list(places)].to_numpy() for c in FLOWS}
    final = people.loc[~people["event"], "stage"].value_counts().reindex(places, fill_value=0).to_numpy()
    assert (wide["living"][-1] == final).all()
    assert (wide["left"].sum(axis=1) == wide["admitted"].sum(axis=1)).all()
    net = wide["arrivals"] + wide["admitted"] - wide["left"] - wide["closed"]
    start = wide["living"][0] - net[0]
    assert (wide["living"] == start + net.cumsum(axis=0)).all()
    assert start.sum() == people["initial"].sum()
    assert start.sum() + wide["arrivals"].sum() == final.sum() + people["event"].sum()
    for i, stage in enumerate(scenario.chain):
        assert stage.capacity < 0 or (wide["living"][:, i] <= stage.capacity).all()
    # moves, as lived by each person and as counted by each stage
    counted = {
        "arrivals": moves[moves["reason"] == "arrived"].groupby(["month", "to_stage"], observed=False).size(),
        "closed": moves[moves["to_stage"].isna()].groupby(["month", "from_stage"], observed=False).size(),
        "left": moves[moves["from_stage"].notna() & moves["to_stage"].notna()]
        .groupby(["month", "from_stage"], observed=False)
        .size(),
    }
    for name, count in counted.items():
        index = pd.MultiIndex.from_product([range(horizon), places])
        table = count.reindex(index, fill_value=0).to_numpy().reshape(horizon, -1)
        assert (table == wide[name]).all(), name
    ordered = moves.assign(step=np.arange(len(moves))).sort_values(["uid", "step"], kind="stable")
    same = ordered["uid"].to_numpy()[1:] == ordered["uid"].to_numpy()[:-1]
    left, entered = (ordered[c].astype(object).to_numpy() for c in ("from_stage", "to_stage"))
    assert (entered[:-1][same] == left[1:][same]).all()
    ends = ordered.groupby("uid").tail(1).set_index("uid")["to_stage"]
    alive = people[~people["event"] & people["uid"].isin(ends.index)]
    assert (ends.loc[alive["uid"]].astype(object).to_numpy() == alive["stage"].astype(object).to_numpy()).all()
    assert set(moves.loc[moves["reason"] == "arrived", "uid"]) == set(people.loc[~people["initial"], "uid"])
    rank = {p: i for i, p in enumerate(places[:-1])} | {OUTSIDE: -1}
    reached = moves[moves["to_stage"].notna()]
    reached = reached.assign(rank=reached["to_stage"].astype(object).map(rank)).groupby("uid")["rank"].max()
    new = people[~people["initial"]].set_index("uid")["highest_stage"].astype(object).map(rank)
    assert (reached.loc[new.index].clip(lower=0) == new).all()
    # money
    assert round(100 * people["received_cny"].sum()) == round(100 * ledger["paid_cny"].sum())
    assert (ledger[["paid_cny", "refused_cny", "lent_cny", "repaid_cny", "lost_cny"]].sum(axis=1) > 0).all()
    cents = 100 * np.r_[people["received_cny"], ledger["paid_cny"]]
    assert (abs(cents - np.round(cents)) < 1e-4).all()
    sales = np.round(100 * months["sales_cny"])
    assert (sales >= 0).all()
    assert np.isfinite(people.select_dtypes("number").fillna(0).to_numpy(float)).all()


@pytest.fixture(scope="session")
def check_books() -> Callable[[Scenario, Pipeline], None]:
    """Assert every exact identity between the tables of a finished run."""
    return _check_books


@pytest.fixture(scope="session")
def shuffled() -> Callable[[Pipeline, int], None]:
    """Put a model's people into another order of rows."""

    def shuffle(model: Pipeline, seed: int) -> None:
        people = model.people
        order = np.random.default_rng(seed).permutation(people.size)
        for block in people._blocks.values():
            block[:, : people.size] = block[:, : people.size][:, order]

    return shuffle


# random scenarios -------------------------------------------------------------------------------------------------


def _plausible(kind: type[Parameters], **fixed: Any) -> st.SearchStrategy[Any]:
    """Any parameters of a kind, each inside its plausible range, or as `fixed` says."""
    parts: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        extra = field.json_schema_extra
        limits = extra.get("range") if isinstance(extra, dict) else None
        if name in fixed:
            parts[name] = fixed[name]
        elif isinstance(limits, list) and field.annotation is float:
            parts[name] = st.floats(*map(float, limits))
        elif isinstance(limits, list):
            parts[name] = st.integers(*map(int, limits))
    return st.builds(kind, **parts)


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


_SOME = st.integers(1, 4)
_SALES = st.sampled_from([0.0, 1e4, 4e4, 1e5, 3e5])


def _stage(id: str, first: bool) -> st.SearchStrategy[Stage]:
    shared: dict[str, Any] = {
        "id": st.just(id),
        "facilities": _SOME,
        "uplift": st.sampled_from([-0.05, 0.0, 0.15]),
        "rent": st.sampled_from([0.0, 800.0, 3000.0]),
        "crowding": st.sampled_from([0.0, 0.4, 1.0]),
        "usual_tenants": st.integers(1, 20),
        "tenancy": _maybe(st.integers(1, 12)),
    }
    if first:
        return st.builds(Stage, **shared)
    return st.builds(
        Stage,
        **shared,
        places=_maybe(st.integers(0, 6)),
        threshold=_SALES,
        or_net_income=_maybe(st.sampled_from([200.0, 3000.0])),
        growth=_maybe(st.sampled_from([-0.5, 0.0, 0.2])),
        max_age=_maybe(st.integers(1, 36)),
        apply=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
        admission=st.sampled_from(["merit", "lottery", "waiting", "score"]),
        waiting_list=st.booleans(),
        falls_back=st.booleans(),
    )


@st.composite
def _chains(draw: st.DrawFn) -> tuple[Stage, ...]:
    return tuple(draw(_stage(f"s{i}", i == 0)) for i in range(draw(st.integers(1, 5))))


@st.composite
def _policies(draw: st.DrawFn, stages: tuple[str, ...]) -> tuple[Any, ...]:
    shares = st.dictionaries(st.sampled_from(stages), st.floats(0, 1, width=16), max_size=3)
    budget = _maybe(st.sampled_from([0.0, 777.77, 2e4]))
    when = {"active": st.booleans(), "since": _maybe(st.just("2024-09")), "until": _maybe(st.just("2025-03"))}
    kinds = [
        lambda i: _plausible(stipend.Instrument, id=st.just(i), budget=budget, first_after=st.integers(0, 14), **when),
        lambda i: st.builds(rent_relief.Instrument, id=st.just(i), share=shares, budget=budget, **when),
        lambda i: _plausible(
            training.Instrument, id=st.just(i), budget=budget, courses=st.integers(0, 6), seats=st.integers(0, 9),
            take_up=st.floats(0, 1), **when
        ),
    ]  # fmt: skip
    chosen = draw(st.lists(st.sampled_from(kinds), max_size=4))
    return tuple(draw(kind(f"lever_{i}")) for i, kind in enumerate(chosen))


_BEHAVIOUR = st.builds(
    Behaviour,
    entry=_plausible(Entry),
    growth=_plausible(Growth),
    money=_plausible(Money),
    learning=_plausible(Learning),
    exit=_plausible(Exit, insolvency=st.booleans()),
    peers=_plausible(Peers),
)


@st.composite
def _markets(draw: st.DrawFn) -> Market:
    years = st.dictionaries(st.sampled_from(["2023", "2024", "2026"]), st.floats(1e9, 1e12), max_size=3)
    return Market(
        domestic=Series(by_year=draw(years)),
        cross_border=Series(by_year=draw(years), growth_before=0.1, growth_after=0.05),
        displacement=draw(st.floats(0, 1)),
        trim=draw(st.sampled_from([3e3, 3e5, 3e6])),
        background=Background(entities=draw(st.sampled_from([0, 5, 500]))),
    )


@st.composite
def _initials(draw: st.DrawFn) -> Initial:
    if draw(st.booleans()):
        return Initial()
    under = None
    if draw(st.booleans()):
        chain = draw(_chains())
        under = Regime(chain=chain, policy=draw(_policies(tuple(s.id for s in chain))))
    entities = draw(_maybe(st.integers(1, 60)))
    mean = draw(_maybe(st.sampled_from([5e4, 7e5]))) if entities else None
    return Initial(kind="burn_in", months=draw(st.integers(1, 18)), under=under, entities=entities, mean_sales=mean)


@st.composite
def _scenarios(draw: st.DrawFn) -> Scenario:
    chain = draw(_chains())
    return Scenario(
        seed=draw(st.integers(0, 2**63 - 1)),
        replicates=1,
        horizon=Horizon(
            start=draw(st.sampled_from(["2024-04", "2000-01", "1999-06"])), months=draw(st.integers(1, 30))
        ),
        arrivals=Arrivals(
            per_year=draw(st.sampled_from([24.0, 60.0, 150.0])),
            growth_per_year=draw(st.sampled_from([-0.2, 0.0, 0.17])),
            education=EducationMix(secondary=0.2, associate=0.2, bachelor=0.2, master=0.2, phd=0.2),
            origin=OriginMix(graduate=0.7, returnee=0.1, local=0.1, merchant_child=0.1),
            channel=ChannelMix(domestic=0.5, livestream=0.25, cross_border=0.25),
        ),
        initial=draw(_initials()),
        chain=chain,
        market=draw(_markets()),
        behaviour=draw(_BEHAVIOUR),
        policy=draw(_policies(tuple(s.id for s in chain))),
        observe=draw(st.sampled_from([(), ("panel",)])),
    )


@pytest.fixture(scope="session")
def scenarios() -> st.SearchStrategy[Scenario]:
    """Random small scenarios: chains of one to five stages, instruments, behaviour, burn-in."""
    return _scenarios()
