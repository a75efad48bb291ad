"""The monthly rules written a second time, from the model's text, in plain numpy and scipy: the kernel must agree.

Nothing here uses the rulebook, its constants or its arithmetic; only the parameters and the (separately tested) draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from sim.chain.facility import Houses
from sim.chain.progress import Bars, Conditions, progress
from sim.chain.stage import Stage
from sim.entrepreneurs.behaviour import Behaviour
from sim.entrepreneurs.columns import Columns, identity
from sim.entrepreneurs.draws import replicate_key, uniforms
from sim.entrepreneurs.founding import newcomers
from sim.entrepreneurs.journal import REASONS, Journal
from sim.entrepreneurs.kernel import APPLIES, EXIT, FALLS_BACK, TENANCY_OVER, House, live
from sim.entrepreneurs.rules import Constants
from sim.entrepreneurs.streams import Stream

MONTH = 300
KEY = replicate_key(11, 0)
MARKET = (0.13, -0.4, 0.02)
INSOLVENT, QUIT, LEFT_CITY = 1, 2, 3


def a_town(n: int, houses: int, seed: int) -> Columns:
    """People in every state a founder can be in: young and old, rich and in debt, tiny and huge."""
    rng = np.random.default_rng(seed)
    people = Columns(3)
    people.append(
        {
            "uid": identity(250, rng.permutation(10**5)[:n]),
            "age": rng.integers(0, 60, n),
            "channel": rng.integers(0, 3, n),
            "potential": rng.normal(9, 1.5, n),
            "level": rng.normal(8.5, 1.5, n),
            "standing": rng.normal(0, 0.8, n),
            "shock": rng.normal(0, 0.4, n),
            "training": rng.choice([0.0, 0.05], n),
            "belief": rng.normal(9, 1, n),
            "cash": np.round(rng.normal(1e6, 3e6, n)),
            "reservation": rng.lognormal(7.5, 0.6, n),
            "relief": rng.choice([0.0, 0.5, 1.0], n),
            "smoothed": rng.lognormal(11, 1.5, n),
            "house": rng.integers(0, houses, n),
            "waiting": rng.integers(1, 3, n) * (rng.random(n) < 0.1),
            "months_in": rng.integers(0, 14, n),
            "low_months": rng.integers(0, 8, n),
            "spent": np.zeros((4, n)),
        }
    )
    return people


def month_by_the_text(p: dict[str, Any], b: Behaviour, h: House, trim: float) -> dict[str, Any]:
    """Steps 4 to 8 of the month, for arrays."""
    e, g, m, learning, leave = b.entry, b.growth, b.money, b.learning, b.exit
    u = {s: uniforms(KEY, s, p["uid"], MONTH) for s in Stream if s < 8}
    market = np.array(MARKET)[p["channel"]]
    rent_of_shop, uplift = h.rent[p["house"]], h.uplift[p["house"]]

    def floor_space(sales: Any) -> Any:
        return np.where(sales < m.shop_from, sales / m.shop_from, (sales / m.shop_from) ** m.staff_exponent)

    # 4 trade
    ln_x = p["level"] + p["standing"] + p["shock"] + p["training"] + uplift
    sales = np.exp(ln_x + market)
    staff = np.where(sales >= m.first_employee_at, np.floor((sales / m.first_employee_at) ** m.staff_exponent), 0)
    smoothed = p["smoothed"] + (12 * sales - p["smoothed"]) / np.minimum(12, p["age"] + 1)
    # 5 settle: relief is refunded by the instrument next month, so the rent is paid in full
    rent = rent_of_shop * floor_space(sales)
    surplus = m.margin * sales - rent - np.minimum(m.living_cost, p["reservation"])
    cash = p["cash"] / 100 + np.where(surplus > 0, m.saved * surplus, surplus)
    # 6 learn
    gain = np.maximum(1 / (learning.prior_weight + p["age"] + 1), learning.least_gain)
    still_to_come = e.gap_mean * (1 - g.kappa) ** p["age"]
    belief = p["belief"] + gain * (ln_x + still_to_come - p["belief"])
    ability = p["level"] + p["standing"]
    distance = np.clip(h.peer_level[p["house"]] - ability, 0, b.peers.cap)
    standing = p["standing"] + b.peers.rate * distance
    # 7 decide
    believed_sales = np.exp(belief + market)
    believed = m.margin * believed_sales - rent_of_shop * (1 - p["relief"]) * floor_space(believed_sales)
    hopeless = believed + np.maximum(cash, 0) / leave.annuity_months < p["reservation"]
    reason = np.where((u[Stream.REVIEW] < leave.review) & hopeless, QUIT, 0)
    if leave.insolvency:
        reason = np.where(cash < -m.credit_line, INSOLVENT, reason)
    reason = np.where(u[Stream.CHANCE] < 1 - (1 - leave.chance_per_year) ** (1 / 12), LEFT_CITY, reason)
    # 8 move on
    d = np.minimum(1, (np.exp(p["level"] + standing) / g.diversified_from) ** -g.beta)
    size = u[Stream.JUMP_SIZE]
    length = -g.jump_mean * np.log(2 * np.minimum(size, 1 - size))
    jump = np.where(u[Stream.JUMP] < g.jump_chance, np.where(size < 0.5, length, -length), 0)
    level = p["level"] + g.kappa * (p["potential"] - p["level"])
    standing = standing + g.drift + g.sigma * norm.ppf(u[Stream.PERSISTENT]) + g.jump_stays * jump
    shock = g.rho * p["shock"] + g.tau * d * norm.ppf(u[Stream.PRODUCT]) + (1 - g.jump_stays) * jump
    training = p["training"] * (1 - 1 / learning.training_lasts)
    sells = np.minimum(np.exp(level + standing + training + uplift), trim)
    return {
        "sales": sales,
        "staff": staff,
        "smoothed": smoothed,
        "rent": rent,
        "income": m.margin * sales - rent,
        "cash": cash,
        "belief": belief,
        "reason": reason,
        "level": level,
        "standing": standing,
        "shock": shock,
        "training": training,
        "age": p["age"] + 1,
        "capacity": sells[reason == 0].sum(),
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_month_is_as_the_text_says(seed: int) -> None:
    """Trade, settle, learn, decide and move on agree with a second reading of the text to 1e-9, cash to the fen."""
    rng = np.random.default_rng(seed)
    houses, n, trim = 5, 3000, 50_000.0
    base = Behaviour()
    behaviour = base.model_copy(
        update={
            "growth": base.growth.model_copy(update={"kappa": [0.03, 0.2, 0.08, 1.0][seed], "jump_chance": 0.15}),
            "exit": base.exit.model_copy(update={"insolvency": seed != 1, "chance_per_year": 0.3}),
            "money": base.money.model_copy(update={"staff_exponent": 0.5 + seed / 15, "credit_line": 3000.0}),
            "peers": base.peers.model_copy(update={"rate": 0.03}),
        }
    )
    house = House(
        rent=rng.uniform(0, 4000, houses), uplift=np.log1p(rng.uniform(-0.1, 0.2, houses)),
        peer_level=np.r_[-1e9, rng.uniform(6, 11, houses - 1)],
        tenancy=np.array([6, 12, 3, np.inf, 9.0]), floor=np.array([-1, 3e4, 6e4, 1e5, 2e4]),
        bar=np.array([1e4, 1e5, 3e5, np.inf, 1e6]), bar_income=np.array([np.inf, 300, 1e3, np.inf, 0]),
        apply=np.array([0.1, 0.5, 1.0, 0.0, 0.02]),
    )  # fmt: skip
    people = a_town(n, houses, seed)
    before = people.take(np.arange(n))
    tally = live(people, Constants.of(behaviour, trim).packed(), np.array(house), MARKET, (*KEY, MONTH))
    told = month_by_the_text(before, behaviour, house, trim)
    for name in ("sales", "smoothed", "rent", "income", "belief", "level", "standing", "shock", "training"):
        np.testing.assert_allclose(getattr(people, name), told[name], rtol=1e-9, atol=1e-9, err_msg=name)
    assert (np.abs(people.cash - 100 * told["cash"]) <= 0.5 + 1e-6 * np.abs(told["sales"])).all()
    for name in ("staff", "age"):
        assert (getattr(people, name) == told[name]).all(), name
    assert (people.call & EXIT == told["reason"]).all()
    at, u = before["house"], uniforms(KEY, Stream.APPLY, before["uid"], MONTH)
    low = np.where(told["smoothed"] < house.floor[at], before["low_months"] + 1, 0)
    worthy = (told["smoothed"] >= house.bar[at]) | (told["income"] >= house.bar_income[at])
    asks = {
        TENANCY_OVER: before["months_in"] + 1 >= house.tenancy[at],
        FALLS_BACK: low >= 6,
        APPLIES: (worthy & (u < house.apply[at])) | (before["waiting"] > 0),
    }
    assert (people.months_in == before["months_in"] + 1).all()
    assert (people.low_months == low).all()
    for bit, should in asks.items():
        assert (((people.call & bit) > 0) == should).all(), bit
        assert 0 < should.mean() < 1, bit
    assert set(told["reason"]) == {0, QUIT, LEFT_CITY, *([INSOLVENT] if behaviour.exit.insolvency else [])}
    assert abs(tally.capacity - told["capacity"]) <= 0.5 * n
    by_house = np.bincount(before["house"], np.floor(100 * told["sales"]), houses)
    assert (np.abs(tally.by_house[:, 0] - by_house) <= 1 + 1e-9 * by_house).all()
    assert (tally.by_house[:, 2] >> 40 == np.bincount(before["house"], minlength=houses)).all()
    assert (tally.by_house[:, 2] % 2**40 == np.bincount(before["house"], told["staff"], houses)).all()


def test_newcomers_are_as_the_text_says() -> None:
    """What a founder brings, and that he believes at least in breaking even, agree with a second reading."""
    b, n, rents = Behaviour(), 4000, np.array([0.0, 900.0, 3000.0])
    e, m, leave = b.entry, b.money, b.exit
    uid = identity(280, np.arange(n))
    shares = tuple(np.array(s) for s in ([0.0, 0.5, 0.8, 1.0, 1.0], [0.4, 0.4, 0.9, 1.0], [0.5, 0.8, 1.0]))
    people, tenants = Columns(1), np.zeros(3, np.int64)
    constants, journal = Constants.of(b, 1e6).packed(), Journal()
    newcomers(people, 280, n, np.zeros((0, 4), np.int64), shares, constants, MARKET, rents, tenants, KEY, journal, 3)  # type: ignore[arg-type]
    rows = people.take(np.arange(n))
    assert (rows["uid"] == uid).all()
    u = {s: uniforms(KEY, s, uid, 0) for s in Stream}
    for name, stream, share in zip(
        ("education", "origin", "channel"), (Stream.EDUCATION, Stream.ORIGIN, Stream.CHANNEL), shares, strict=True
    ):
        assert (rows[name] == np.searchsorted(share, u[stream], side="right")).all()
    assert (rows["house"] == np.floor(3 * u[Stream.HOUSE])).all()
    assert (tenants == np.bincount(rows["house"])).all()
    month, who, left, entered, reason = journal.events
    assert (who == uid).all()
    assert {*month, *left, *reason} == {3, -1, 0}
    assert (entered == rows["house"]).all()
    level = np.log(e.sales_median) + e.sales_sd * norm.ppf(u[Stream.FIRST_SALES])
    gap = e.gap_mean + e.gap_sd * norm.ppf(u[Stream.GAP])
    cash = e.cash_median * np.exp(e.cash_sd * norm.ppf(u[Stream.CASH]))
    wish = leave.outside_wage * leave.reservation_share
    relative = level + gap - np.log(e.sales_median) - e.gap_mean
    wish *= np.exp(leave.reservation_sd * norm.ppf(u[Stream.RESERVATION]) + leave.reservation_potential * relative)
    for name, value in (("level", level), ("potential", level + gap), ("reservation", wish)):
        np.testing.assert_allclose(rows[name], value, rtol=1e-8, atol=1e-9, err_msg=name)
    assert (np.abs(rows["cash"] - 100 * cash) <= 0.5 + 1e-6 * cash).all()
    believed_at_least = level + e.gap_mean + e.optimism
    assert (rows["belief"] >= believed_at_least - 1e-8).all()
    lifted = rows["belief"] > believed_at_least + 1e-8
    assert 0.05 < lifted.mean() < 0.95
    market = np.array(MARKET)[rows["channel"]]
    sales = np.exp(rows["belief"] - e.optimism + market)
    space = np.where(sales < m.shop_from, sales / m.shop_from, (sales / m.shop_from) ** m.staff_exponent)
    income = m.margin * sales - rents[rows["house"]] * space + rows["cash"] / 100 / leave.annuity_months
    np.testing.assert_allclose(income[lifted], rows["reservation"][lifted], rtol=1e-4)
    assert (income[~lifted] >= rows["reservation"][~lifted] * (1 - 1e-4)).all()


# step 9, one person at a time -------------------------------------------------------------------------------------


def progress_by_the_text(people: Columns, stages: list[Stage], houses: Houses) -> dict[int, tuple[int, str]]:
    """Who goes where and why: uid -> (stage, reason); outside is `len(stages)`."""
    outside = len(stages)
    rows = {int(u): i for i, u in enumerate(people.uid)}
    where = {u: int(houses.stage_of[people.house[i]]) for u, i in rows.items()}
    taken = {s: sum(w == s for w in where.values()) for s in range(outside)}
    apply, tie = (dict(zip(rows, uniforms(KEY, s, people.uid, MONTH), strict=True)) for s in (Stream.APPLY, Stream.TIE))
    tenancy = [*(s.tenancy or np.inf for s in stages), np.inf]
    over = {u for u, i in rows.items() if people.months_in[i] >= tenancy[where[u]]}
    for u in over:
        taken[where[u]] -= 1
    moves: dict[int, tuple[int, str]] = {}
    for s in range(outside - 1, 0, -1):
        stage = stages[s]
        applicants = []
        for u, i in rows.items():
            higher = s > where[u] if where[u] < outside else (
                s > people.highest[i] or (s == people.highest[i] and stage.tenancy is None)
            )  # fmt: skip
            large = people.smoothed[i] >= stage.threshold or (
                stage.or_net_income is not None and people.income[i] >= stage.or_net_income
            )
            young = stage.max_age is None or people.age[i] <= stage.max_age
            grows = stage.growth is None or 12 * people.sales[i] >= (1 + stage.growth) * people.smoothed[i]
            asks = apply[u] < stage.apply or u in over or people.waiting[i] == s + 1
            if u not in moves and higher and large and young and grows and asks:
                applicants.append(u)
        rank = {
            "merit": lambda u: people.smoothed[rows[u]],
            "lottery": lambda u: tie[u],
            "waiting": lambda u: -(people.waiting_since[rows[u]] if people.waiting[rows[u]] == s + 1 else MONTH),  # noqa: B023
            "score": lambda u: min(12 * people.sales[rows[u]], 4 * people.smoothed[rows[u]]),
        }[stage.admission]
        free = 10**9 if stage.places is None else stage.capacity - taken[s]
        for u in sorted(applicants, key=lambda u: (-rank(u), tie[u]))[:free]:
            moves[u] = (s, "admitted")
            taken[s] += 1
            if u not in over:
                taken[where[u]] = taken.get(where[u], 0) - 1
    for u in over - moves.keys():
        moves[u] = (outside, "tenancy_ended")
    weak = [
        u for u, i in rows.items()
        if u not in moves and where[u] < outside and stages[where[u]].falls_back and people.low_months[i] >= 6
    ]  # fmt: skip
    for u in sorted(weak, key=lambda u: (where[u], -people.smoothed[rows[u]])):
        back = where[u] - 1
        room = stages[back].places is None or taken[back] < stages[back].capacity
        moves[u] = (back if room else outside, "fell_back")
        taken[where[u]] -= 1
        if room:
            taken[back] += 1
    return moves


@given(data=st.data())
@settings(max_examples=40)
def test_places_change_hands_as_the_text_says(data: st.DataObject, scenarios: Any) -> None:
    """Tenancies, admissions by every rule, skipped stages, waiting lists and fall-backs agree, person by person."""
    scenario = data.draw(scenarios)
    stages = list(scenario.chain)
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    houses, n = Houses(stages), 60
    people = Columns(len(stages))
    stage_of, room = houses.stage_of, houses.places.copy()
    house, highest = [], []
    for _ in range(n):
        open_houses = np.flatnonzero(room > 0)
        h = int(rng.choice(open_houses))
        room[h] -= 1
        house.append(h)
        highest.append(min(int(stage_of[h]), h - houses.outside) if stage_of[h] == len(stages) else int(stage_of[h]))
    people.append(
        {
            "uid": identity(250, rng.permutation(1000)[:n]),
            "age": rng.integers(0, 40, n),
            "sales": rng.lognormal(8.5, 1.5, n),
            "smoothed": np.round(rng.lognormal(11, 1.3, n), -3),  # ties
            "income": rng.normal(500, 2000, n),
            "house": house,
            "highest": highest,
            "waiting": rng.integers(0, len(stages) + 1, n) * rng.integers(0, 2, n),
            "waiting_since": rng.integers(MONTH - 3, MONTH, n),
            "months_in": rng.integers(0, 14, n),
            "spent": np.zeros((len(stages) + 1, n)),
        }
    )
    exactly = rng.random(n) < 0.3  # at a threshold to the last bit
    people.smoothed[:] = np.where(exactly, rng.choice([max(s.threshold, 1) for s in stages], n), people.smoothed)
    people.low_months[:] = np.where(rng.random(n) < 0.4, rng.integers(0, 9, n), 0)
    people.waiting[people.waiting == 1] = 0
    falling = np.array([s.falls_back and i > 0 for i, s in enumerate(stages)] + [False])[stage_of[people.house]]
    people.low_months[~falling] = 0
    houses.enter(people.house)
    told = progress_by_the_text(people, stages, houses)
    # what the kernel would have marked: everyone is let in to ask, as a superset changes nothing
    tenancy = np.array([s.tenancy or np.inf for s in stages] + [np.inf])[stage_of[people.house]]
    people.call[:] = 16 | np.where(people.months_in >= tenancy, 4, 0) | np.where(people.low_months >= 6, 8, 0)
    uid, before = people.uid.copy(), people.take(np.arange(n))
    done = {}
    journal = Journal()
    progress(people, houses, Conditions.of(stages), Bars.free(len(stages)), (*KEY, MONTH), journal, 7)
    moves = journal.events
    assert (moves.month == 7).all()
    for who, entered, reason in zip(moves.uid.tolist(), moves.entered, moves.reason, strict=True):
        assert who not in done
        done[who] = (int(stage_of[entered]), REASONS[reason])
    assert done == told
    # a move begins a new stay, and the old one is booked
    moved = np.isin(uid, list(done))
    assert (people.months_in == np.where(moved, 0, before["months_in"])).all()
    assert (people.low_months == np.where(moved, 0, before["low_months"])).all()
    booked = np.zeros((len(stages) + 1, n))
    booked[stage_of[before["house"]], np.arange(n)] = np.where(moved, before["months_in"], 0)
    assert (people.spent == booked).all()
    now = stage_of[people.house]
    assert (people.highest == np.maximum(before["highest"], np.where(now < len(stages), now, 0))).all()
    assert (houses.tenants == np.bincount(people.house, minlength=len(houses.tenants))).all()
    assert (houses.tenants <= houses.places).all()
