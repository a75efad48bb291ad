"""The rulebook: what one entrepreneur does in one month. Each rule is a small pure function and a sentence of the ODD.

Both drivers call these same functions: the Mesa agents as plain Python, the kernel compiled and inlined. So they give
the same bits. Levels are logs of monthly sales in CNY; cash is in whole fen (1/100 CNY); incomes are CNY/month.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import exp, log, nearest, normal
from sim.entrepreneurs.behaviour import Behaviour
from sim.entrepreneurs.compiled import rule

__all__ = [
    "ALIVE",
    "INSOLVENT",
    "LEFT_CITY",
    "QUIT",
    "Constants",
    "Newcomer",
    "believed_income",
    "break_even",
    "capacity",
    "decide",
    "found",
    "learn",
    "move_on",
    "settle",
    "shop",
    "trade",
    "unpacked",
]

ALIVE, INSOLVENT, QUIT, LEFT_CITY = 0, 1, 2, 3

_LEAST_LN_SALES, _MOST_LN_SALES = -5.0, 23.0
"""Sales are kept within exp of these (CNY/month): no sum of fen can then leave 63 bits."""


class Constants(NamedTuple):
    """The behaviour's parameters as the rules use them, worked out once a run."""

    ln_first_sales: float
    first_sales_sd: float
    gap_mean: float
    gap_sd: float
    ln_cash: float
    cash_sd: float
    optimism: float
    kappa: float
    ln_gap_left: float
    drift: float
    sigma: float
    tau: float
    rho: float
    beta: float
    ln_diversified: float
    jump_chance: float
    jump_mean: float
    jump_stays: float
    margin: float
    saved: float
    living_cost: float
    ln_shop: float
    shop_share: float
    ln_first_employee: float
    staff_exponent: float
    space_of_staff: float
    credit_fen: float
    prior_weight: float
    least_gain: float
    chance: float
    review: float
    annuity_fen: float
    ln_reservation: float
    reservation_sd: float
    reservation_potential: float
    peer_rate: float
    peer_cap: float
    training_kept: float
    trim: float

    @classmethod
    def of(cls, b: Behaviour, trim: float) -> Constants:
        """Work the constants out of a scenario's behaviour. `trim` is the market's, CNY/month."""
        e, g, m, x = b.entry, b.growth, b.money, b.exit
        ln_shop, ln_first = log(m.shop_from), log(m.first_employee_at)
        return cls(
            ln_first_sales=log(e.sales_median),
            first_sales_sd=float(e.sales_sd),
            gap_mean=float(e.gap_mean),
            gap_sd=float(e.gap_sd),
            ln_cash=log(e.cash_median * 100.0),
            cash_sd=float(e.cash_sd),
            optimism=float(e.optimism),
            kappa=float(g.kappa),
            ln_gap_left=log(max(1.0 - g.kappa, 1e-300)),
            drift=float(g.drift),
            sigma=float(g.sigma),
            tau=float(g.tau),
            rho=float(g.rho),
            beta=float(g.beta),
            ln_diversified=log(g.diversified_from),
            jump_chance=float(g.jump_chance),
            jump_mean=float(g.jump_mean),
            jump_stays=float(g.jump_stays),
            margin=float(m.margin),
            saved=float(m.saved),
            living_cost=float(m.living_cost),
            ln_shop=ln_shop,
            shop_share=1.0 / m.shop_from,
            ln_first_employee=ln_first,
            staff_exponent=float(m.staff_exponent),
            space_of_staff=exp(m.staff_exponent * (ln_first - ln_shop)),
            credit_fen=m.credit_line * 100.0 if x.insolvency else 1e300,
            prior_weight=float(b.learning.prior_weight),
            least_gain=float(b.learning.least_gain),
            chance=1.0 - exp(log(max(1.0 - x.chance_per_year, 1e-300)) / 12.0),
            review=float(x.review),
            annuity_fen=x.annuity_months * 100.0,
            ln_reservation=log(max(x.outside_wage * x.reservation_share, 1e-300)),
            reservation_sd=float(x.reservation_sd),
            reservation_potential=float(x.reservation_potential),
            peer_rate=float(b.peers.rate),
            peer_cap=float(b.peers.cap),
            training_kept=1.0 - 1.0 / b.learning.training_lasts,
            trim=float(trim),
        )

    def packed(self) -> NDArray[np.float64]:
        """As an array, which costs compiled code a tenth of what the tuple costs to take over; see `unpacked`."""
        return np.array(self)


_MANY = len(Constants._fields)


@rule
def unpacked(packed: NDArray[np.float64]) -> Constants:
    """The constants by name, in compiled code only."""
    return Constants(*to_fixed_tuple(packed, _MANY))


class Newcomer(NamedTuple):
    """What a founder brings."""

    potential: float
    level: float
    belief: float
    cash: float
    reservation: float


@rule
def shop(c: Constants, ln_sales: float) -> tuple[float, float, float]:
    """Sales (CNY/month), floor space (shops) and staff of a shop with these log sales.

    Staff = floor((S / S_e)^0.6) once S >= S_e. A shop is rented whole from `shop_from` on and grows with the same
    power; below, a part of one in proportion to sales.
    """
    sales = exp(ln_sales)
    size = exp(c.staff_exponent * (ln_sales - c.ln_first_employee))
    whole = nearest(size)
    staff = whole - 1.0 if whole > size else whole
    space = sales * c.shop_share if ln_sales < c.ln_shop else size * c.space_of_staff
    return sales, space, staff


@rule
def trade(
    c: Constants, ln_x: float, ln_market: float, smoothed: float, age: float
) -> tuple[float, float, float, float]:
    """He sells: S = exp(ln x + A), floor space, staff, smoothed annual sales R += (12 S - R) / min(12, age + 1)."""
    ln_sales = min(max(ln_x + ln_market, _LEAST_LN_SALES), _MOST_LN_SALES)
    sales, space, staff = shop(c, ln_sales)
    smoothed = smoothed + (12.0 * sales - smoothed) / min(12.0, age + 1.0)
    return sales, space, staff, smoothed


@rule
def settle(c: Constants, cash: float, sales: float, rent: float, reservation: float) -> float:
    """Cash after the month, in fen: the household takes min(living cost, reservation), part of a surplus is saved.

    Public money is not income here: it goes into cash in full when it is paid, so that every fen can be followed.
    """
    surplus = c.margin * sales - rent - min(c.living_cost, reservation)
    return cash + nearest(100.0 * (c.saved * surplus if surplus > 0.0 else surplus))


@rule
def learn(c: Constants, belief: float, ln_x: float, age: float) -> float:
    """Belief about his own potential moves to what he sees, corrected for the growth still to come (Jovanovic 1982).

    The growth to come is that towards potential (kappa); the slow wear of advantages (drift) nobody foresees.
    """
    gain = max(1.0 / (c.prior_weight + age + 1.0), c.least_gain)
    to_come = c.gap_mean * exp(age * c.ln_gap_left)
    return belief + gain * (ln_x + to_come - belief)


@rule
def believed_income(c: Constants, belief: float, ln_market: float, rent: float) -> float:
    """Income that a founder expects at his believed potential, CNY/month; `rent` is that of one shop, after relief.

    What training and the stage's services add is not his own, and he does not count on it.
    """
    sales, space, _ = shop(c, min(max(belief + ln_market, _LEAST_LN_SALES), _MOST_LN_SALES))
    return c.margin * sales - rent * space


@rule
def decide(c: Constants, cash: float, income: float, reservation: float, chance: float, review: float) -> int:
    """Why he closes this month, if he does: by chance, insolvent, or as he reviews his shop and expects too little.

    `income` is what he believes in; the annuity of his cash counts with it. `chance` and `review` are draws.
    """
    too_little = income + max(cash, 0.0) / c.annuity_fen < reservation
    reason = QUIT if (review < c.review and too_little) else ALIVE
    reason = INSOLVENT if cash < -c.credit_fen else reason
    return LEFT_CITY if chance < c.chance else reason


@rule
def move_on(
    c: Constants, potential: float, state: tuple[float, float, float], luck: tuple[float, float, float, float]
) -> tuple[float, float, float]:
    """Level, standing and product shock of next month.

    Potential draws the level in: P += kappa (theta - P). Standing: W += drift + sigma N. Product: u = rho u + tau d N,
    where d = min(1, (exp(P+W) / S_1)^-beta), since a larger shop sells more products, whose luck averages out (Amaral
    et al. 1998; Bottazzi and Secchi 2006). At times a jump +-Exp(j_mean), a hit or a stock-out: a part stays, the rest
    passes.
    """
    level, standing, shock = state
    persistent, product, jump, size = luck
    d = min(1.0, exp(-c.beta * (level + standing - c.ln_diversified)))
    up = size < 0.5
    length = -c.jump_mean * log(2.0 * size if up else 2.0 * (1.0 - size))
    leap = length if up else -length
    leap = leap if jump < c.jump_chance else 0.0
    level = level + c.kappa * (potential - level)
    standing = standing + c.drift + c.sigma * normal(persistent) + c.jump_stays * leap
    shock = c.rho * shock + c.tau * d * normal(product) + (1.0 - c.jump_stays) * leap
    return level, standing, shock


@rule
def peers(c: Constants, own: float, mean: float) -> float:
    """老带新: what is picked up from better peers in the same house; part of a bounded distance to their mean level."""
    return c.peer_rate * min(max(mean - own, 0.0), c.peer_cap)


@rule
def capacity(c: Constants, ln_capacity: float) -> float:
    """What the shop can sell next month without product luck, trimmed and in whole CNY: what others compete with."""
    return nearest(min(exp(min(ln_capacity, _MOST_LN_SALES)), c.trim))


@rule
def break_even(c: Constants, income: float, rent: float) -> float:
    """Log of the monthly sales that leave this income, CNY/month: exact up to one shop, above it by bisection."""
    share = c.margin - rent * c.shop_share
    if income <= 0.0:
        return _LEAST_LN_SALES
    if share > 0.0 and income * c.shop_share <= share:
        return max(log(income / share), _LEAST_LN_SALES)
    low, high = c.ln_shop, _MOST_LN_SALES
    for _ in range(24):
        middle = 0.5 * (low + high)
        enough = believed_income(c, middle, 0.0, rent) >= income
        low = low if enough else middle
        high = middle if enough else high
    return high


@rule
def found(c: Constants, luck: tuple[float, float, float, float], ln_market: float, rent: float) -> Newcomer:
    """What a newcomer brings. He came to found, so he believes at least in breaking even, plus optimism.

    He reckons with the full rent: no relief is granted in the first stage's first month.
    """
    first, gap, cash, reservation = luck
    level = c.ln_first_sales + c.first_sales_sd * normal(first)
    potential = level + c.gap_mean + c.gap_sd * normal(gap)
    start_cash = nearest(exp(c.ln_cash + c.cash_sd * normal(cash)))
    usual = c.ln_first_sales + c.gap_mean
    wanted = exp(
        c.ln_reservation + c.reservation_sd * normal(reservation) + c.reservation_potential * (potential - usual)
    )
    enough = break_even(c, wanted - start_cash / c.annuity_fen, rent)
    belief = max(level + c.gap_mean, enough - ln_market) + c.optimism
    return Newcomer(potential, level, belief, start_cash, wanted)
