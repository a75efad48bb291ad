"""The same people under several policies: what is due to a reform, what to others, and that the books of both agree."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import sim
from sim.entrepreneurs.behaviour import Growth, Peers
from sim.errors import ScenarioError, SimError, StoreError
from sim.experiments.comparison.compare import PAIRS, compare
from sim.experiments.comparison.result import TABLES, Comparison, open_comparison
from sim.market.demand import Background, Market, Series
from sim.model import Pipeline
from sim.policy import stipend, training
from sim.policy._instrument import PolicyInstrument, find, types
from sim.scenario.schema import Horizon, Initial, Replicates, Scenario, Until
from sim.surroundings import Surroundings

PARTS = ("effect", "ci_low", "ci_high", "direct", "direct_low", "direct_high", "displacement")
"""What is 0 where a reform does nothing."""

FACTOR = 1.2
"""By how much `Lift` raises everybody's capacity."""


class Lift(PolicyInstrument):
    """Raises everybody's capacity by the same factor, for good: those there at first, then each newcomer."""

    type: Literal["lift"] = "lift"

    def eligible(self, people: Any, now: Any) -> Any:
        """Whoever has not had it."""
        return np.arange(people.size) if now.month == 0 else (people.age == 0).nonzero()[0]

    def cost(self, people: Any, now: Any, rows: Any) -> int:
        """100 CNY."""
        return 10_000

    def apply(self, people: Any, now: Any, rows: Any) -> None:
        """The factor, on his standing: it neither fades nor is learned from."""
        people.standing[rows] += np.log(FACTOR)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def reforms(small: Any) -> dict[str, Scenario]:
    """A reform that changes much, one of the chain, and one that is the base."""
    chain = list(small().chain)
    chain[1] = chain[1].model_copy(update={"places": 6})
    return {
        "money": small(policy=(stipend.Instrument(id="stipend", eligible_share=0.2),)),
        "seats": small(chain=tuple(chain)),
        "same": small(),
    }


@pytest.fixture(scope="module")
def found(small: Any, reforms: Any) -> Comparison:
    """These reforms against the small scenario, three pairs."""
    return compare(small(), reforms, replicates=3)


# nothing from nothing -------------------------------------------------------------------------------------------------


def test_a_reform_that_is_the_base_does_exactly_nothing(found: Comparison) -> None:
    """Every effect is 0, nobody is saved or lost, no life differs, and each scenario's own tables are the base's."""
    mine = {name: found.table(name).query("scenario == 'same'") for name in TABLES}
    effects = mine["effects"][mine["effects"]["n"] > 0]
    assert len(effects) > 15
    assert (effects[list(PARTS)].fillna(0.0) == 0).to_numpy().all()
    assert effects["effect"].notna().all()
    assert (effects["base"] == effects["reform"]).all()
    assert not mine["twins"][["saved", "lost", "net", "months_gained", "sales_gained_cny"]].to_numpy().any()
    assert (mine["twins"]["unchanged_alive"] + mine["twins"]["unchanged_closed"] == mine["twins"]["n"]).all()
    assert mine["twins"]["n"].sum() > 1000
    assert not mine["graduation"][["earlier", "later", "gained", "forgone"]].to_numpy().any()
    assert mine["lives"].empty
    assert set(mine["costs"]["quadrant"].dropna()) == {"no_difference"}
    for name in ("unit_costs", "budgets"):
        base = found.table(name).query("scenario == 'base'").drop(columns="scenario").reset_index(drop=True)
        same = mine[name].drop(columns="scenario").reset_index(drop=True)
        pd.testing.assert_frame_equal(base, same, check_exact=True)


@pytest.mark.parametrize("engine", ["columns", "objects"])
@pytest.mark.parametrize("kind", ["empty", "burn_in"])
def test_a_run_in_its_own_surroundings_is_itself(
    small: Any, tables: Any, assert_same: Any, engine: str, kind: str
) -> None:
    """Held where it was, the base run gives the same tables to the last bit: there is no direct effect of nothing."""
    initial = Initial(kind="burn_in", months=18) if kind == "burn_in" else Initial()
    scenario = small(engine=engine, initial=initial, arrivals=small().arrivals.model_copy(update={"per_year": 120.0}))
    around, stages = Surroundings(scenario.chain), tuple(s.id for s in scenario.chain)
    plain, noted = tables(scenario), tables(scenario, surroundings=around)
    assert_same(plain, noted, stages)
    assert_same(plain, tables(scenario, held=around), stages)
    assert len(around.months) == scenario.horizon.months


def test_effects_are_differences_of_runs(small: Any, reforms: Any, found: Comparison) -> None:
    """Base and reform are what `sim.run` gives for each alone, and the effect is the mean of their differences."""
    runs = (sim.run(scenario, replicates=3) for scenario in (small(), reforms["seats"]))
    alone = [run.summary.set_index("outcome")["mean"] for run in runs]
    rows = found.summary.query("scenario == 'seats'").set_index("outcome")
    for id in ("survival_12m", "reached_maker_space", "sales_mean_cny", "spent_cny", "employees_total"):
        assert rows.loc[id, "base"] == pytest.approx(alone[0][id], rel=1e-12)
        assert rows.loc[id, "reform"] == pytest.approx(alone[1][id], rel=1e-12)
        assert rows.loc[id, "effect"] == pytest.approx(alone[1][id] - alone[0][id], rel=1e-9)
        parts = rows.loc[id, "direct"] + rows.loc[id, "displacement"]
        assert parts == pytest.approx(rows.loc[id, "effect"], rel=1e-9)
    assert rows.loc["reached_maker_space", "effect"] > 0


# through others -------------------------------------------------------------------------------------------------------


def told(kind: str) -> dict[str, Any]:
    """The parameters under which an instrument pays somebody of the small scenario: see tests/policy."""
    file = Path(__file__).parents[1] / "policy" / f"test_{kind}.py"
    spec = importlib.util.spec_from_file_location(f"example_of_{kind}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {**module.EXAMPLE, **getattr(module, "HERE", {})}


@pytest.fixture(scope="module")
def apart(small: Any) -> Callable[..., Scenario]:
    """The small scenario without anything that one founder feels of another: demand, seats, rents, neighbours."""
    chain = tuple(s.model_copy(update={"places": None, "crowding": 0.0}) for s in small().chain)
    behaviour = small().behaviour.model_copy(update={"peers": Peers(rate=0.0)})
    market = small().market.model_copy(update={"displacement": 0.0})

    def make(*policy: PolicyInstrument) -> Scenario:
        scenario: Scenario = small(chain=chain, behaviour=behaviour, market=market, policy=policy)
        return scenario

    return make


@pytest.mark.parametrize("kind", types())
def test_where_nobody_feels_another_the_whole_effect_is_direct(kind: str, apart: Any) -> None:
    """Without interference the direct effect of each instrument is its whole effect, to the last bit."""
    lever = find(kind)(id="lever", type=kind, **told(kind)) if kind != "fund" else training.Instrument(id="lever")
    limit = (find(kind)(id="fund", type=kind, **told(kind)),) if kind == "fund" else ()
    found = compare(apart(*((lever,) if limit else ())), {"reform": apart(lever, *limit)}, replicates=2)
    effects = found.summary[found.summary["n"] > 0]
    assert (effects["effect"] != 0).any()
    known = effects[effects["split_reason"].isna()]
    assert len(known) > 15
    assert (known["direct"] == known["effect"]).all()
    assert (known["displacement"] == 0).all()
    whole, direct = (found.twins[found.twins["part"] == part].drop(columns="part") for part in ("whole", "direct"))
    pd.testing.assert_frame_equal(whole.reset_index(drop=True), direct.reset_index(drop=True), check_exact=True)


def test_where_people_meet_part_of_the_effect_is_displacement(small: Any) -> None:
    """With scarce seats and demand, what raises everybody's capacity displaces some: net survivors are fewer."""
    market = small().market.model_copy(update={"displacement": 1.0, "background": Background(entities=1)})
    base, reform = small(market=market), small(market=market, policy=(*small().policy, Lift(id="lift")))
    found = compare(base, {"lift": reform}, replicates=2)
    rows = found.summary.set_index("outcome")
    assert rows.loc["sales_mean_cny", "direct"] > 0
    assert rows.loc["sales_mean_cny", "displacement"] < -0.5 * rows.loc["sales_mean_cny", "direct"]
    months = found.gains.query("grouping == 'all' and at == 'end'").set_index("part")["months_gained"]
    assert months["whole"] < months["direct"]


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("others", [0, 200])
def test_total_sales_stay_within_the_closed_form_bound(by_chance: Any, plain: Any, eta: float, others: int) -> None:
    """What raises everybody's capacity by g leaves total sales within the bound that follows from shared demand.

    MODEL.md section 2 and `Competition`: with demand fixed, a shop of ability x sells x exp(A), where

        A = -eta ln((B + K) / C)

    K is the capacity of all modelled shops as the month begins, B that of the others, C both at the start. Let X be the
    sum of x over modelled shops in this month. X is not K, which leaves out the luck of the month and its newcomers.
    If nobody closes and no place is scarce, a reform that multiplies each x by g multiplies X and K, so that modelled
    sales S = X exp(A) change by

        S' / S = g ((B + K) / (B + g K))^eta

    which is g for eta = 0 (sales rise as the effect says), and 1 for eta = 1 and B = 0 (one founder's gain is
    another's loss). With eta = 1 the sales of all, T = C (B + X) / (B + K), change by

        T' / T = (B + g X) (B + K) / ((B + g K) (B + X)) = 1 + (g - 1) B (X - K) / ((B + g K) (B + X))

    so that |T' / T - 1| <= (g - 1) |X - K| / (B + X): of a gain of 20 % in capacity, total sales keep at most 20 % of
    the share that the month's luck and its newcomers have in them. In the first month K is still that of the base (it
    is counted as the month begins), so that S' / S = g. With everybody else held as in the base run, S' / S = g in
    every month.
    """
    flat = Series(growth_after=0.0)
    parts: dict[str, Any] = {
        "horizon": Horizon(months=30),
        "initial": Initial(kind="burn_in", months=12),
        "behaviour": by_chance(0.0, growth=Growth(beta=0.0)),
        "market": Market(
            domestic=flat, livestream=flat, cross_border=flat, displacement=eta, trim=1e10,
            background=Background(entities=others, growth_per_year=0.0),
        ),
    }  # fmt: skip
    scenario = plain(**parts)
    past, around = Pipeline.past(scenario), Surroundings(scenario.chain)

    def run(policy: tuple[Any, ...], **how: Any) -> tuple[Any, Any]:
        model = Pipeline(plain(**parts, policy=policy), past=past, collect=False, **how)
        while model.running:
            model.step()
        found = model.tables()
        return found["months"].groupby("month")["sales_cny"].sum().to_numpy(float), found["city"]["crowding"].to_numpy()

    lift = (Lift(id="lift"),)
    (base, crowding), (whole, crowded), (held, _) = run((), surroundings=around), run(lift), run(lift, held=around)
    background = others * scenario.market.background.capacity
    start = background + Pipeline(scenario, past=past, collect=False).capacity
    capacity = crowding * start - background
    expected = FACTOR * ((background + capacity) / (background + FACTOR * capacity)) ** eta
    expected[0] = FACTOR
    assert background == 0 or 0.1 < capacity[-1] / background < 10
    np.testing.assert_allclose(held / base, FACTOR, rtol=1e-4)
    np.testing.assert_allclose(whole / base, expected, rtol=1e-4)
    if eta == 1.0:
        ability = base * crowding
        total, after = base + background / crowding, whole + background / crowded
        bound = (FACTOR - 1) * abs(ability - capacity) / (background + ability)
        assert (abs(after / total - 1) <= bound + 1e-4)[1:].all()
        assert (bound[1:] < 0.6 * (FACTOR - 1)).all()


# the same bytes -------------------------------------------------------------------------------------------------------


def test_jobs_and_repetition_change_no_byte(small: Any, reforms: Any, found: Comparison, tmp_path: Path) -> None:
    """One job or two, now or again, the same seed leaves the same files; another seed leaves others."""
    for name, how in {"two": {"jobs": 2}, "again": {}, "other": {"seed": 7}}.items():
        (tmp_path / name).mkdir()
        compare(small(), reforms, replicates=3, **how).write(tmp_path / name)
    (tmp_path / "one").mkdir()
    found.write(tmp_path / "one")
    one = contents(tmp_path / "one")
    assert {f"{name}.parquet" for name in TABLES} <= set(one)
    assert one == contents(tmp_path / "two") == contents(tmp_path / "again")
    assert all(one[f"{name}.parquet"] != contents(tmp_path / "other")[f"{name}.parquet"] for name in ("twins", "lives"))


def test_what_is_stored_is_what_was_in_memory(found: Comparison, tmp_path: Path) -> None:
    """Each table and all that the manifest says come back as they were, and a copy of the copy is the same."""
    (tmp_path / "a").mkdir()
    found.write(tmp_path / "a")
    again = open_comparison(tmp_path / "a")
    for name in TABLES:
        pd.testing.assert_frame_equal(found.table(name), again.table(name), check_exact=True, obj=name)
    for attribute in ("base", "reforms", "replicates", "seed", "discount", "asked"):
        assert getattr(again, attribute) == getattr(found, attribute)
    (tmp_path / "b").mkdir()
    again.write(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_damaged_or_foreign_folder_is_refused(small: Any, found: Comparison, tmp_path: Path) -> None:
    """A table that does not match its checksum is not read, and a run is no comparison."""
    folder = tmp_path / "a"
    folder.mkdir()
    found.write(folder)
    content = bytearray((folder / "twins.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "twins.parquet").write_bytes(content)
    assert len(open_comparison(folder).gains)
    with pytest.raises(StoreError, match="damaged"):
        _ = open_comparison(folder).twins
    (tmp_path / "run").mkdir()
    sim.run(small(), replicates=1, folder=tmp_path / "run")
    with pytest.raises(StoreError, match="not one of `sim compare`"):
        open_comparison(tmp_path / "run")


# what can be compared -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        (20, None, PAIRS),
        (3, None, 3),
        (3, 4, 4),
        (Replicates(until=Until(outcome="survival_12m", half_width=1.0)), None, 5),
    ],
)
def test_the_number_of_pairs(plain: Any, rule: Any, given: int | None, expected: int) -> None:
    """As many pairs as the base scenario has replicates, at most `PAIRS` unless more are asked for."""
    base = plain(replicates=rule, horizon=Horizon(months=2))
    found = compare(base, base, replicates=given)
    assert found.replicates == expected
    assert found.twins["replicate"].nunique() == expected


def test_only_chain_and_policy_may_differ(small: Any) -> None:
    """Each value of arrivals, behaviour, market, horizon or initial state that differs is told, with both values."""
    other = small(
        arrivals=small().arrivals.model_copy(update={"per_year": 100.0}),
        market=small().market.model_copy(update={"displacement": 0.25}),
        horizon=Horizon(months=24),
    )
    with pytest.raises(ScenarioError) as wrong:
        compare(small(), {"mine": other})
    said = [str(p) for p in wrong.value.problems]
    assert [p.path for p in wrong.value.problems] == ["horizon.months", "arrivals.per_year", "market.displacement"]
    assert all(line.startswith("mine") for line in said)
    assert "is 24 here and 36 in the base scenario" in said[0]


def test_reforms_have_names_of_their_own(plain: Any, tmp_path: Path) -> None:
    """Reforms of one file name, or without any, are told apart; 'base' and a name given twice are refused."""
    city = plain(horizon=Horizon(months=2))
    files = []
    for name in ("a/r.yaml", "b/r.yaml", "base.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(city.to_yaml(), encoding="utf-8")
        files.append(sim.load(file))
    found = compare(city, *files, city, {"r_2": city}, replicates=2)
    assert list(found.reforms) == ["r", "r_3", "base_2", "reform_4", "r_2"]


def test_what_cannot_be_compared_is_said(plain: Any) -> None:
    """No reform, one called base, two of one name, one replicate, something that is no scenario: each is refused."""
    city = plain(horizon=Horizon(months=2))
    with pytest.raises(SimError, match="at least one reform"):
        compare(city)
    with pytest.raises(SimError, match="cannot be called 'base'"):
        compare(city, {"base": city})
    with pytest.raises(SimError, match="two reforms are called 'x'"):
        compare(city, {"x": city}, {"x": city})
    with pytest.raises(SimError, match="needs 2 or more"):
        compare(city, city, replicates=1)
    for wrong in ((city, "reform.yaml"), ("base.yaml", city)):
        with pytest.raises(ScenarioError, match=r"give a scenario"):
            compare(*wrong)  # type: ignore[arg-type]


def test_public_names(small: Any) -> None:
    """`sim.compare`, `sim.Comparison` and `sim.open_comparison` are these."""
    assert (sim.compare, sim.Comparison, sim.open_comparison) == (compare, Comparison, open_comparison)
    assert {"compare", "Comparison", "open_comparison"} <= set(sim.__all__)
