"""Each fact on tables small enough to know the answer beforehand."""

import math

import numpy as np
import pandas as pd
import pytest

from sim.evidence.ledger import figures, sources
from sim.presentation.catalogue import known
from sim.validation.fact import CERTAINTIES, USES, measured
from sim.validation.record import NotKnown
from sim.validation.registry import FAMILIES, facts, fitted
from sim.validation.treatment import INCUBATOR

BY_ID = {fact.id: fact for fact in facts()}


def value(id, record):
    found = measured(BY_ID[id], record)
    assert not isinstance(found, NotKnown), (id, found.key, found.values)
    return found


def why(id, record):
    found = measured(BY_ID[id], record)
    assert isinstance(found, NotKnown), (id, found)
    return found.key


# the registry ---------------------------------------------------------------------------------------------------------


def test_facts_are_complete():
    """Ids are unique, families known, bands not empty, and name, definition, parts and sources are in the books."""
    assert len(BY_ID) == len(facts())
    documented = set(sources()) | set(figures())
    for fact in facts():
        assert fact.family in FAMILIES
        assert fact.certainty in CERTAINTIES
        assert fact.use in USES
        assert fact.parts
        for part in fact.parts:
            assert (part.low is None) or (part.high is None) or part.low < part.high
            assert (part.low, part.high) != (None, None)
        for lang in ("zh", "en"):
            keys = [f"facts.fact.{fact.id}.name", f"facts.fact.{fact.id}.definition", f"facts.family.{fact.family}"]
            keys += [f"facts.certainty.{fact.certainty}"]
            keys += [f"facts.fact.{fact.id}.part.{p.id}" for p in fact.parts if len(fact.parts) > 1]
            keys += [f"facts.source.{id}" for id in fact.sources if id not in figures()]
            assert all(known(key, lang) for key in keys), [k for k in keys if not known(k, lang)]
            for part in fact.parts:
                assert known(f"facts.unit.{part.unit}", lang) is not None
        assert all(id in documented or id in ("marketplaces", "zou_2019", "platform_study") for id in fact.sources)


def test_what_was_fitted_is_never_scored():
    """Levels of survival, start without staff, stock, mean sales and growth rates are fitted; the others are not."""
    levels = {"survival_1y", "survival_5y", "start_without_staff", "resident_talent", "mean_sales"}
    assert levels | {"tent", "gibrat"} <= fitted()
    others = {"hazard_shape", "life_times", "exit_by_size", "concentration", "tail", "cohort_growth", "break_outs"}
    assert not fitted() & (others | {"training", "grant", "incubator", "college_firms", "early_success"})


# survival -------------------------------------------------------------------------------------------------------------


def test_survival_is_the_share_alive(record, make_people):
    """Of ten newcomers two close in the first year, and five by the fifth."""
    months = [5, 12, 20, 36, 60, 120, 120, 120, 120, 120]
    seen = record({"entrepreneurs": make_people(months, np.array(months) < 120)})
    assert value("survival_1y", seen)["survival"] == pytest.approx(0.8)
    assert value("survival_5y", seen) == pytest.approx({"survival_36m": 0.6, "survival_60m": 0.5})


def test_a_short_run_does_not_know_old_age(record, make_people):
    """What nobody was observed long enough for is not known, and says why."""
    seen = record({"entrepreneurs": make_people([24] * 5, False)}, months=24)
    for id in ("survival_5y", "hazard_shape", "life_times"):
        assert why(id, seen) == "too_short_for_age"


def lives(hazard, n=400_000, seed=1):
    """Durations with a hazard by month of age from 1, censored at 120."""
    u = np.random.default_rng(seed).random(n)
    cumulative = 1 - np.cumprod(1 - np.asarray(hazard))
    duration = np.searchsorted(cumulative, u) + 1
    return np.minimum(duration, 120), duration <= 120


def test_the_hazards_shape(record, make_people):
    """A hazard of 1, 2 and 1 % in the first half-year, up to four years and after nine has just that shape."""
    hazard = np.repeat([0.01, 0.02, 0.012, 0.01], [6, 42, 48, 24])
    found = value("hazard_shape", record({"entrepreneurs": make_people(*lives(hazard))}))
    assert found["rise"] == pytest.approx(2.0, abs=0.1)
    assert 12 <= found["peak_age"] <= 48
    assert found["late"] == pytest.approx(0.5, abs=0.03)


def test_exponential_lives_are_told(record, make_people):
    """A constant hazard fits an exponential law; one that falls by a tenfold does not, and a lognormal law is near."""
    coin = value("life_times", record({"entrepreneurs": make_people(*lives(np.full(120, 0.016)))}))
    assert coin["exponential_error"] < 0.005
    falling = 0.06 / (1 + np.arange(120) / 10)
    mixed = value("life_times", record({"entrepreneurs": make_people(*lives(falling))}))
    assert mixed["exponential_error"] > 0.06
    assert mixed["best_error"] < 0.02


def test_exit_by_size(record, make_panel):
    """Of 30 small shops 15 are gone a year later, of 30 large ones 3: hazards of ln 2 and -ln 0.9."""
    rows = [(i * 10, 1, 20, 1_000.0 + i, 0) for i in range(90)]
    stay = [i for i in range(90) if not (i < 15 or 60 <= i < 63)]
    rows += [(i * 10, 2, 32, 1_000.0 + i, 0) for i in stay]
    found = value("exit_by_size", record({"panel": make_panel(rows)}, months=24))
    assert found["ratio"] == pytest.approx(math.log(2) / -math.log(0.9))


# size -----------------------------------------------------------------------------------------------------------------


def test_start_without_staff(record, make_panel):
    """Only newcomers seen in their first month count: not the old, not second shops, not the initial stock."""
    rows = [(i * 10, 1, 1, 1e4, int(i < 8)) for i in range(40)]
    rows += [(1_000, 1, 2, 1e4, 9), (1_011, 1, 1, 1e4, 9), (1_020, 1, 50, 1e4, 9)]
    assert value("start_without_staff", record({"panel": make_panel(rows)}))["share"] == pytest.approx(0.8)
    assert why("start_without_staff", record({"panel": make_panel(rows[:5])})) == "few"


def test_concentration_of_a_pareto(record, make_people):
    """Sales by quantiles of a Pareto law of exponent 1.5 have its Gini 1/(2a - 1), its top shares and its exponent."""
    n, a = 200_000, 1.5
    sales = ((np.arange(n) + 0.5) / n) ** (-1 / a)
    seen = record({"entrepreneurs": make_people([12] * n, False, sales_12m_cny=sales)})
    found = value("concentration", seen)
    assert found["gini"] == pytest.approx(1 / (2 * a - 1), abs=0.01)
    assert found["top_10"] == pytest.approx(0.1 ** (1 - 1 / a), abs=0.01)
    assert found["top_1"] == pytest.approx(0.01 ** (1 - 1 / a), abs=0.015)
    assert value("tail", seen)["exponent"] == pytest.approx(a, rel=0.01)


def test_the_closed_have_no_size(record, make_people):
    """Only who trades at the end is counted."""
    seen = record({"entrepreneurs": make_people([12, 12], [True, True])})
    assert why("concentration", seen) == "nobody_trades"


# growth ---------------------------------------------------------------------------------------------------------------


def test_cohorts_against_age_one(record, make_panel):
    """Ten shops of 1 + 1 persons at age 1, five of 1 + 3 at age 5: survivors x 2, total x 1; no other year counts."""
    rows = [(i * 10, 2, 13 + i, 1e5, 1) for i in range(10)] + [(i * 10, 6, 61 + i, 1e5, 3) for i in range(5)]
    rows += [(i * 10, 1, 1 + i, 1e5, 7) for i in range(10)] + [(i * 10, 7, 73 + i, 1e5, 7) for i in range(5)]
    found = value("cohort_growth", record({"panel": make_panel(sorted(rows))}))
    assert found == pytest.approx({"survivors": 2.0, "total": 1.0})
    assert (
        why("cohort_growth", record({"panel": make_panel(sorted(r for r in rows if r[1] < 6))})) == "too_short_for_age"
    )


def test_growth_of_survivors(record, make_panel):
    """Growth with a slope of -0.1 below and 0 above the median, and Laplace noise, is found so."""
    rng = np.random.default_rng(6)
    n = 40_000
    size = np.sort(rng.normal(11, 1.5, n))
    noise = rng.laplace(0, 0.2, n)
    growth = 0.1 * np.maximum(11 - size, 0) + noise
    rows = [(i * 10, 1, 20, math.exp(s), 0) for i, s in enumerate(size)]
    rows += [(i * 10, 2, 32, math.exp(s + g), 0) for i, (s, g) in enumerate(zip(size, growth, strict=True))]
    rows += [(10**7, 1, 30, 5e9, 0)]  # gone by the second year: no growth
    rows += [(10**7 + 10, 1, 11, 1.0, 0), (10**7 + 10, 2, 23, 1e9, 0)]  # opened in the first: no whole year
    seen = record({"panel": make_panel(rows)}, months=24)
    found = value("gibrat", seen)
    assert found["large"] == pytest.approx(0.0, abs=0.01)
    assert found["all"] == pytest.approx(-0.05, abs=0.005)
    plain = [(i * 10, y, 20, math.exp(11 + y * g), 0) for i, g in enumerate(noise) for y in (1, 2)]
    assert value("tent", record({"panel": make_panel(plain)}, months=24))["shape"] == pytest.approx(1.0, abs=0.03)


def test_break_outs(record, make_people, make_panel):
    """Two of 100 newcomers are seen at 10 million in five years, another later only; 10 of 40 firms grow fast."""
    new = make_people([120] * 100, False)
    rows = [(0, 2, 24, 2e7, 0), (0, 3, 36, 3e7, 0), (10, 5, 60, 1e7, 0), (20, 6, 72, 9e7, 0), (30, 4, 48, 9e6, 0)]
    for i in range(40):
        late = 18 if i < 10 else 17  # 10 x 1.2^3 = 17.28
        rows += [(10**6 + i * 10, 1 + k, 200 + 12 * k, 1e6, staff) for k, staff in enumerate((10, 1, 99, late))]
    found = value("break_outs", record({"entrepreneurs": new, "panel": make_panel(sorted(rows))}))
    assert found == pytest.approx({"reach_10m": 0.02, "high_growth": 0.25})


# treatment ------------------------------------------------------------------------------------------------------------


def test_training_effects(record):
    """Takers sell 5 % more, a quarter came, the offered gain what takers' sales weigh; the closed count as zero."""
    taker = np.arange(200) % 4 == 0
    control = np.where(np.arange(200) % 2 == 1, 0.0, 100.0)
    trial = pd.DataFrame({"taker": taker, "sales_control": control, "sales_trial": control * np.where(taker, 1.05, 1)})
    seen = record({}, trials={"training": trial})
    assert value("training_take_up", seen)["share"] == 0.25
    assert value("training", seen) == pytest.approx({"offered": 0.025, "takers": 0.05})


def test_a_grant_in_points(record):
    """Survival of 50 % without and 80 % with a grant is an effect of 30 points."""
    alive = pd.DataFrame({"alive_control": [True, False] * 50, "alive_trial": [True] * 80 + [False] * 20})
    assert value("grant", record({}, trials={"grant": alive}))["points"] == pytest.approx(0.3)
    assert why("grant", record({})) == "no_trial"
    assert why("grant", record({}, trials={"grant": NotKnown("short_for_trial")})) == "short_for_trial"


def test_the_raw_gap_is_free_of_immortal_time(record, make_people):
    """Incubated or not is told at two years: who enters later, or dies before, does not shift the gap."""
    durations = [60 + i for i in range(40)] + [30] * 60 + [10] * 50 + [120] * 20
    event = [d < 120 for d in durations]
    new = make_people(durations, event)
    inside = [*range(30), *range(40, 50)]  # 30 of those who outlive five years, 10 of those who die at 30 months
    moves = pd.DataFrame(
        {
            "replicate": 0,
            "uid": [i * 10 for i in inside] + [i * 10 for i in range(150, 170)],
            "month": [20] * len(inside) + [23 + 1] * 20,  # the last twenty enter after two years
            "to_stage": pd.Categorical([INCUBATOR] * (len(inside) + 20), categories=["village", INCUBATOR]),
        }
    )
    lottery = pd.DataFrame({"alive_control": [True] * 40, "alive_trial": [True] * 38 + [False] * 2})
    seen = record({"entrepreneurs": new, "transitions": moves}, trials={"lottery": lottery})
    found = value("incubator", seen)
    beyond_five = 29 / 40  # of the incubated: who closes at 60 months is not beyond
    others = (10 + 20) / (10 + 50 + 20)
    assert found["raw"] == pytest.approx(beyond_five - others)
    assert found["lottery"] == pytest.approx(-0.05)


# the city -------------------------------------------------------------------------------------------------------------


def test_resident_talent(record, make_people):
    """The initial stock and the former founders at the start; an empty or a scaled city does not know it."""
    stock = make_people([200] * 7, False, initial=[True] * 5 + [False] * 2)
    tables = {"entrepreneurs": stock, "city": pd.DataFrame({"former_founders": [3, 9]})}
    assert value("resident_talent", record(tables))["persons"] == 8
    for initial, key in (({"kind": "empty"}, "empty_start"), ({"kind": "burn_in", "entities": 9}, "scaled_start")):
        assert why("resident_talent", record(tables, scenario={"initial": initial})) == key
    small = {"arrivals": {"per_year": 300.0}}
    assert why("resident_talent", record(tables, scenario=small)) == "small_city"


def test_channels(record, make_people, make_panel):
    """Shares of a channel in shops and in sales of the first year's end; where shops turn to later is not asked."""
    new = make_people([120] * 4, False, channel="cross_border")
    rows = [(0, 1, 5, 100.0, 0), (10, 1, 5, 300.0, 0), (20, 1, 5, 600.0, 0), (30, 2, 9, 1e6, 0)]
    panel = make_panel(rows).assign(channel=["domestic", "livestream", "cross_border", "domestic"])
    seen = record({"entrepreneurs": new, "panel": panel})
    assert value("cross_border", seen) == pytest.approx({"sales": 0.6, "entities": 1 / 3})
    assert value("livestream", seen)["sales"] == pytest.approx(0.3)
    assert value("mean_sales", seen)["mean"] == pytest.approx(1000 / 3)
    assert why("cross_border", record({"entrepreneurs": new, "panel": make_panel(rows)})) == "no_table"


def test_published_instruments(record):
    """Users over shops, certificates by kind, firms over projects; few projects tell nothing."""
    trials = {
        "ai_tools": pd.DataFrame({"users": [20], "living": [100]}),
        "certificates": pd.DataFrame({"kind": ["livestream", "marketer"], "per_year": [1_700, 200]}),
        "college": pd.DataFrame({"firm": [True] * 30 + [False] * 70}),
    }
    seen = record({}, trials=trials)
    assert value("ai_users", seen)["share"] == 0.2
    assert value("certificates", seen) == {"livestream": 1_700, "marketer": 200}
    assert value("college_firms", seen)["share"] == 0.3
    assert why("college_firms", record({}, trials=trials | {"college": trials["college"][:10]})) == "few"


def test_early_success(record, make_people, make_panel):
    """One of 50 newcomers is seen at 10 million by a year of age; another later only; the stock does not count."""
    new = make_people([120] * 50, False)
    rows = [(0, 1, 12, 2e7, 0), (10, 2, 24, 2e7, 0), (10**6, 1, 40, 2e7, 0)]
    assert value("early_success", record({"entrepreneurs": new, "panel": make_panel(rows)}))["share"] == 1 / 50


def test_a_fact_without_its_table_is_not_known(record, make_people):
    """Without a panel, what is read from it is not known, and no number is made up."""
    seen = record({"entrepreneurs": make_people([120] * 3, False)})
    for id in ("exit_by_size", "tent", "gibrat", "cohort_growth", "break_outs", "early_success", "mean_sales"):
        assert why(id, seen) == "no_panel"
