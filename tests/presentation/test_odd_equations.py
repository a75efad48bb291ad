"""The equations of the ODD, worked out as they are printed, give what the code gives."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from sim.chain.admission import score
from sim.chain.facility import Houses
from sim.chain.stage import Stage
from sim.entrepreneurs import rules
from sim.entrepreneurs.arithmetic import normal
from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour
from sim.entrepreneurs.rules import Constants
from sim.market.competition import Competition
from sim.market.demand import Background, Market
from sim.policy.ai_tools import Instrument as Tools
from sim.policy.ai_tools import innovation
from sim.presentation.odd.source import blocks

B = Behaviour()
C = Constants.of(B, 1_000_000.0)
PARAMETERS: dict[str, Any] = {k: v for group in B.model_dump().values() for k, v in group.items()} | {"trim": C.trim}
FUNCTIONS: dict[str, Callable[..., float]] = {
    **{"ln": math.log, "exp": math.exp, "min": min, "max": max, "floor": math.floor},
}
WORDS = {"rent of a shop": "shop_rent", "S*": "S_star"}
LIVES = np.random.default_rng(5).uniform(size=(40, 12))


def python(formula: str) -> str:
    """A printed formula as Python: products are written side by side or with x, powers with ^."""
    for said, name in WORDS.items():
        formula = formula.replace(said, name)
    formula = re.sub(r"\bln ([A-Za-z]\w*)", r"ln(\1)", re.sub(r"\bln x\b", "ln_x", formula))
    tokens = re.findall(r"\d+(?:\.\d+)?|[A-Za-z]\w*|<=|>=|[-+*/^()<>,]", formula)
    out: list[str] = []
    for token in ("*" if t == "x" else "**" if t == "^" else t for t in tokens):
        before = out[-1] if out else "("
        called = before in (*FUNCTIONS, "space", "mean") and token == "("
        if (
            re.match(r"[\w)]", before[-1])
            and re.match(r"[\w(]", token)
            and not called
            and {before, token}.isdisjoint(("and", "or", "if"))
        ):
            out.append("*")
        out.append(token)
    return " ".join(out)


def worked_out(doc: str | None, known: Mapping[str, Any]) -> dict[str, Any]:
    """The names after all lines of a docstring's equations, in their order; lines that need words are left out."""
    names = {**FUNCTIONS, **PARAMETERS, **known}
    (text,) = (b.text for b in blocks(doc) if b.equation)
    text = re.sub(r"\n +(x |\+ )", r" \1", text)  # a line that goes on
    left, decided = "", False
    for line in text.splitlines():
        match = re.fullmatch(r"([\w*, ]*?) *(?:=|<-) (.+?)(?: {3,}(if .+|otherwise))?", line.strip())
        if not match:
            continue
        name, formula, case = match.groups()
        left, decided = (name, False) if name else (left, decided)
        *more, formula = formula.split(" = ")  # W = u = tr = 0
        for one in (left, *more):
            one = {"ln x": "ln_x", "ln S": "ln_S", "rent of a shop": "shop_rent"}.get(one, one)
            holds = not case or case == "otherwise" or eval(python(case[3:]), {}, names)
            if holds and not decided and one not in known.get("given", ()):
                names[one] = eval(python(formula), {}, names)
                decided = bool(case)
    return names


def test_formulas_are_read_as_they_are_written():
    """Side by side is a product, x is a product, ^ a power, and a function takes its argument."""
    assert python("2 a (b + c)^2 x exp(d) / ln S") == "2 * a * ( b + c ) ** 2 * exp ( d ) / ln ( S )"
    assert worked_out("One.\n\n    y = 1    if a > 1\n      = 2    otherwise\n\nEnd.", {"a": 2})["y"] == 1
    assert worked_out("One.\n\n    y = 1    if a > 1\n      = 2    otherwise\n\nEnd.", {"a": 0})["y"] == 2


def test_a_wrong_equation_is_noticed():
    """The comparison can fail: another sign or factor in the print gives another number than the code."""
    known = {"b": 8.0, "ln_x": 9.0, "a": 3.0}
    said = str(rules.learn.__doc__)
    for wrong in (said.replace("ln x + to_come", "ln x - to_come"), said.replace("(1 - kappa)^a", "(1 - kappa)")):
        assert wrong != said
        assert worked_out(wrong, known)["b"] != pytest.approx(rules.learn(C, 8.0, 9.0, 3.0), rel=1e-9)


@pytest.mark.parametrize("life", LIVES[:8])
def test_shop_and_trade(life):
    """Sales, staff, space and smoothed sales."""
    smoothed, age, level, lift, market = 1e6 * life[0], 40 * life[1] // 1, 5 + 12 * life[2], 0.1 * life[3], life[4]
    ln_x = level + math.log(1 + lift)
    sales, space, staff, after = rules.trade(C, ln_x, market, smoothed, age)
    shown = worked_out(rules.shop.__doc__, {"S": sales, "given": ("S",)})
    assert (shown["staff"], shown["space"]) == pytest.approx((staff, space), rel=1e-9)
    trade = worked_out(
        str(rules.trade.__doc__).replace(", kept within -5 and 23", ""),
        {"P": level, "W": 0.0, "u": 0.0, "tr": 0.0, "uplift": lift, "A": market, "R": smoothed, "a": age, "S": sales},
    )
    assert trade["ln_x"] == pytest.approx(ln_x, rel=1e-9)
    assert math.exp(trade["ln_S"]) == pytest.approx(sales, rel=1e-9)
    assert trade["R"] == pytest.approx(after, rel=1e-9)


@pytest.mark.parametrize("life", LIVES[:8])
def test_settle(life):
    """Cash, to the fen."""
    cash, sales, rent, reservation = 1e6 * life[0] // 1, 5e4 * life[1] ** 4, 3000 * life[2], 4000 * life[3]
    shown = worked_out(
        rules.settle.__doc__, {"cash": cash, "S": sales, "shop_rent": rent, "space": 1.0, "reservation": reservation}
    )
    assert shown["cash"] == pytest.approx(rules.settle(C, cash, sales, rent, reservation), abs=0.51)


@pytest.mark.parametrize("life", LIVES[:8])
def test_learn_from_oneself_and_from_peers(life):
    """Belief, and standing."""
    belief, ln_x, age, level, near = 5 + 5 * life[0], 5 + 5 * life[1], 60 * life[2] // 1, 8 + life[3], 8 + life[4]
    shown = worked_out(rules.learn.__doc__, {"b": belief, "ln_x": ln_x, "a": age})
    assert shown["b"] == pytest.approx(rules.learn(C, belief, ln_x, age), rel=1e-9)
    shown = worked_out(rules.peers.__doc__, {"P": level, "W": 0.0, "mean": lambda own: near})
    assert shown["W"] == pytest.approx(rules.peers(C, level, near), abs=1e-12)


@pytest.mark.parametrize("life", LIVES)
def test_decide(life):
    """The believed income, and the reason to close: the first that holds."""
    belief, market, rent, cash, wanted = (
        4 + 6 * life[0],
        life[1] - 0.5,
        2000 * life[2],
        1e7 * (life[3] - 0.4),
        3e3 * life[4],
    )
    chance, review = life[5] ** 6, life[6]
    income = rules.believed_income(C, belief, market, rent)
    known = {"b": belief, "A": market, "shop_rent": rent, "relief": 0.0}
    doc = str(rules.believed_income.__doc__).replace("ln S_b = b + A", "S_b = exp(b + A)")
    assert "ln S_b = b + A" in str(rules.believed_income.__doc__)
    assert worked_out(doc, {**known, "space": lambda s: rules.shop(C, math.log(s))[1]})["believed"] == pytest.approx(
        income, rel=1e-9, abs=1e-6
    )
    names = {**FUNCTIONS, **PARAMETERS, "U_chance": chance, "U_review": review, "cash": cash, "believed": income}
    (text,) = (b.text for b in blocks(rules.decide.__doc__) if b.equation)
    holds = {k: eval(python(v), {}, {**names, "reservation": wanted}) for k, v in re.findall(r"(\w+): +(.+)", text)}
    expected = next((reason for reason, is_so in holds.items() if is_so), None)
    codes = {None: rules.ALIVE, "left_city": rules.LEFT_CITY, "insolvent": rules.INSOLVENT, "quit": rules.QUIT}
    assert rules.decide(C, cash, income, wanted, chance, review) == codes[expected]


@pytest.mark.parametrize("life", LIVES)
def test_move_on(life):
    """Level, standing and shock, with and without a jump; its size has the stated exponential law."""
    theta, level, standing, shock = 12 * life[0], 11 * life[1], life[2] - 0.5, life[3] - 0.5
    luck = tuple(life[4:8])
    jump, size = luck[2:]
    up = size < 0.5
    length = -B.growth.jump_mean * math.log(2 * size if up else 2 * (1 - size))  # quantile of Exp(jump_mean)
    leap = (length if up else -length) if jump < B.growth.jump_chance else 0.0
    shown = worked_out(
        rules.move_on.__doc__,
        {"theta": theta, "P": level, "W": standing, "u": shock, "N_1": normal(luck[0]), "N_2": normal(luck[1]),
         "J": leap, "given": ("J",)},
    )  # fmt: skip
    found = rules.move_on(C, theta, (level, standing, shock), luck)
    assert (shown["P"], shown["W"], shown["u"]) == pytest.approx(found, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("life", LIVES[:8])
def test_capacity_and_score(life):
    """What others compete with, and the rank that joins size and growth."""
    level, lift = 16 * life[0], life[1]
    shown = worked_out(rules.capacity.__doc__, {"P": level, "W": 0.0, "tr": 0.0, "uplift": lift})
    assert rules.capacity(C, level + math.log(1 + lift)) == pytest.approx(shown["capacity"], abs=0.51)
    assert worked_out(score.__doc__, {"S": life[2], "R": life[3]})["score"] == score(life[3], life[2], 0, 0.0)


@pytest.mark.parametrize("life", LIVES[:8])
def test_found(life):
    """What a newcomer brings, and the sales that he must believe in."""
    market, rent = life[4] - 0.5, 2500 * life[5]
    n = rules.found(C, tuple(life[:4]), market, rent)
    draws = {f"N_{i + 1}": normal(life[i]) for i in range(4)}
    wanted = n.reservation - n.cash / (100 * B.exit.annuity_months)
    needed = math.exp(rules.break_even(C, wanted, rent))
    shown = worked_out(rules.found.__doc__, {**draws, "A": market, "S_star": needed})
    got = (shown["P"], shown["theta"], shown["reservation"], shown["b"])
    assert got == pytest.approx((n.level, n.potential, n.reservation, n.belief), rel=1e-9)
    assert shown["cash"] == pytest.approx(n.cash, abs=0.51)
    known = {"S_star": needed, "shop_rent": rent, "space": lambda s: rules.shop(C, math.log(s))[1]}
    (text,) = (b.text for b in blocks(rules.break_even.__doc__) if b.equation)
    left, _ = (
        eval(python(side), {}, {**FUNCTIONS, **PARAMETERS, **known, "income": 0.0}) for side in text.split(" = ")
    )
    assert left == pytest.approx(max(wanted, 0.0), abs=max(0.01 * abs(wanted), 1.0))


def test_crowding_of_the_market():
    """The log factor of a channel, with more capacity than at the start."""
    market = Market(background=Background(entities=50, capacity=1000.0, growth_per_year=0.1), displacement=0.7)
    competition = Competition(market, 300, 20_000)
    competition.move(330, 90_000)
    growth = math.log(1 + market.domestic.growth_after) * 30 / 12
    sizes = {"entities": 50, "capacity": 1000.0, "growth_per_year": 0.1, "t": 30}
    lines = "".join(b.text for b in blocks(Competition.__doc__) if b.equation).splitlines()
    later = eval(python(lines[2].partition(" = ")[2]), {}, sizes)
    for old, new in (("B(t)", "B_t"), ("B(0)", "B_0"), ("K(t)", "K_t"), ("K(0)", "K_0")):
        lines[1] = lines[1].replace(old, new)
    known = {"B_t": math.floor(later), "B_0": 50_000, "K_t": 90_000, "K_0": 20_000}
    crowding = eval(python(lines[1].partition(" = ")[2]), {}, known)
    assert competition.crowding == pytest.approx(crowding, rel=1e-12)
    formula = (
        lines[0].partition(" = ")[2].replace("D(t)", "D_t").replace("D(0)", "D_0").replace("crowding(t)", "crowding")
    )
    known = {**FUNCTIONS, "D_t": growth, "D_0": 0.0, "displacement": 0.7, "crowding": crowding}
    assert competition.factor[0] == pytest.approx(eval(python(formula), {}, known), rel=1e-9)


def test_rent_of_a_crowded_house():
    """Below the usual number of tenants the rent is as stated, above it rises."""
    stage = Stage(id="village", facilities=2, rent=900.0, crowding=0.4, usual_tenants=10)
    houses = Houses([stage])
    houses.open_month(np.array([7, 35, 0]))
    for house, tenants in enumerate((7, 35)):
        known = {"tenants": tenants, "usual_tenants": 10, "crowding": 0.4, "rent": 900.0}
        assert houses.table.rent[house] == pytest.approx(worked_out(Houses.open_month.__doc__, known)["shop_rent"])


@pytest.mark.parametrize(("month", "calendar"), [(0, 4), (2, 6), (14, 9), (-1, 3), (-20, 8)])
def test_expected_arrivals(month, calendar):
    """Growth by whole years, before and after the start, and the season."""
    arrivals = Arrivals(per_year=1000.0, growth_per_year=0.1, past_growth_per_year=0.2, summer_share=0.6)
    doc = str(Arrivals.expected.__doc__).replace("from the start on", "if month >= 0").replace("before it", "otherwise")
    doc = doc.replace("in June to September", "if summer > 0").replace("in other months", "otherwise")
    known = {**arrivals.model_dump(), "month": month, "summer": 6 <= calendar <= 9}
    assert arrivals.expected(month, calendar) == pytest.approx(worked_out(doc, known)["expected"], rel=1e-12)


def test_spread_of_tools():
    """The coefficient of innovation solves its equation, and the chance of a month is the stated one."""
    tools = Tools(id="tools")
    p, _ = innovation(tools.uptake / tools.ceiling, tools.imitation, math.log)
    q = tools.imitation
    decay = math.exp(-(p + q) / 2)
    assert (1 - decay) / (1 + decay * q / p) == pytest.approx(tools.uptake / tools.ceiling, rel=1e-9)
    shown = worked_out(Tools.chance.__doc__, {"p": p, "q": q, "s": 0.3})
    assert tools.chance(0.3, math.log) == pytest.approx(shown["chance"], rel=1e-9)
