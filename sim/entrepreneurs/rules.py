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
    """Sales (CNY/month), floor space (shops) and staff (persons beside the owner) of a shop with these log sales.

        S = exp(ln S)
        staff = floor((S / first_employee_at)^staff_exponent)
        space = (S / shop_from)^staff_exponent    if S >= shop_from
              = S / shop_from                     otherwise

    Nobody is employed below `first_employee_at`. A shop is rented whole from `shop_from` on and grows with the same
    power as staff; below, a part of one in proportion to sales.
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
    """He sells what his shop is able to, moved by the log factor A of his channel (see the market).

        ln x = P + W + u + tr + ln(1 + uplift)
        ln S = ln x + A, kept within -5 and 23
        R <- R + (12 S - R) / min(12, a + 1)

    `uplift` is what the services of his stage add. R, CNY/year, is 12 times the mean of the months so far in the first
    year, and smooths over about twelve months afterwards. The bounds of ln S only keep sums within whole numbers.
    """
    ln_sales = min(max(ln_x + ln_market, _LEAST_LN_SALES), _MOST_LN_SALES)
    sales, space, staff = shop(c, ln_sales)
    smoothed = smoothed + (12.0 * sales - smoothed) / min(12.0, age + 1.0)
    return sales, space, staff, smoothed


@rule
def settle(c: Constants, cash: float, sales: float, rent: float, reservation: float) -> float:
    """Cash after the month, in whole fen: the household comes first, and part of a surplus is saved.

        rent = rent of a shop x space
        income = margin S - rent
        surplus = income - min(living_cost, reservation)
        cash <- cash + 100 x (saved surplus)    if surplus > 0
             <- cash + 100 x surplus            otherwise

    Public money is not income here: it goes into cash in full when it is paid, so that every fen can be followed.
    """
    surplus = c.margin * sales - rent - min(c.living_cost, reservation)
    return cash + nearest(100.0 * (c.saved * surplus if surplus > 0.0 else surplus))


@rule
def learn(c: Constants, belief: float, ln_x: float, age: float) -> float:
    """Belief about his own potential moves to what he sees, corrected for the growth still to come (Jovanovic 1982).

        gain = max(1 / (prior_weight + a + 1), least_gain)
        to_come = gap_mean (1 - kappa)^a
        b <- b + gain (ln x + to_come - b)

    The growth to come is that towards potential (kappa); the slow wear of advantages (drift) nobody foresees.
    """
    gain = max(1.0 / (c.prior_weight + age + 1.0), c.least_gain)
    to_come = c.gap_mean * exp(age * c.ln_gap_left)
    return belief + gain * (ln_x + to_come - belief)


@rule
def believed_income(c: Constants, belief: float, ln_market: float, rent: float) -> float:
    """Income that a founder expects at his believed potential, CNY/month, with the present rent less relief.

        ln S_b = b + A
        believed = margin S_b - rent of a shop x (1 - relief) x space(S_b)

    What training and the stage's services add is not his own, and he does not count on it.
    """
    sales, space, _ = shop(c, min(max(belief + ln_market, _LEAST_LN_SALES), _MOST_LN_SALES))
    return c.margin * sales - rent * space


@rule
def decide(c: Constants, cash: float, income: float, reservation: float, chance: float, review: float) -> int:
    """Why he closes this month, if he does: by chance, insolvent, or as he reviews his shop and expects too little.

        left_city:  U_chance < 1 - (1 - chance_per_year)^(1/12)
        insolvent:  cash < -100 credit_line
        quit:       U_review < review  and  believed + max(cash, 0) / (100 annuity_months) < reservation

    The first that holds is the reason. The U are draws between 0 and 1. Savings count as an income spread over
    `annuity_months` (compare Holtz-Eakin et al. 1994). `insolvency: false` switches the second off.
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

        d = min(1, (exp(P + W) / diversified_from)^-beta)
        J = +Exp(jump_mean) or -Exp(jump_mean), as likely, with chance jump_chance; else 0
        P <- P + kappa (theta - P)
        W <- W + drift + sigma N_1 + jump_stays J
        u <- rho u + tau d N_2 + (1 - jump_stays) J

    Potential draws the level in. Standing wanders in proportion to size (Gibrat's law) and wears away as others
    imitate. A larger shop sells more products, whose luck averages out: so d falls with size (Amaral et al. 1998;
    Bottazzi and Secchi 2006). A jump is a hit product, or a stock-out or penalty: a part stays, the rest passes with
    the product. N_1 and N_2 are standard normal draws; d is worked out with P and W as they were.
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
    """What is picked up from better peers in the same house: part of a bounded distance to their mean.

        W <- W + rate min(max(mean(P + W) - (P + W), 0), cap)

    The mean is that of all who traded in the house last month, himself included; where he was alone, or outside the
    chain, there is nothing to pick up. (老带新: the experienced guide the new.)
    """
    return c.peer_rate * min(max(mean - own, 0.0), c.peer_cap)


@rule
def capacity(c: Constants, ln_capacity: float) -> float:
    """What the shop can sell next month without product luck, in whole CNY/month: what others compete with.

        capacity = min(exp(P + W + tr + ln(1 + uplift)), trim)

    It is trimmed (`market.trim`), so that one giant cannot dominate the sum. Who closes this month does not count.
    """
    return nearest(min(exp(min(ln_capacity, _MOST_LN_SALES)), c.trim))


@rule
def break_even(c: Constants, income: float, rent: float) -> float:
    """Log of the monthly sales S* that leave a given income, CNY/month.

        margin S* - rent of a shop x space(S*) = income

    Exact up to one shop, above it by bisection; no income to speak of needs no sales to speak of.
    """
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

        P = ln(sales_median) + sales_sd N_1
        theta = P + gap_mean + gap_sd N_2
        cash = 100 cash_median exp(cash_sd N_3)
        reservation = outside_wage reservation_share
                      x exp(reservation_sd N_4 + reservation_potential (theta - ln(sales_median) - gap_mean))
        b = max(P + gap_mean, ln S* - A) + optimism
        W = u = tr = 0

    S* are the sales that leave his reservation income less what his savings give, cash / (100 annuity_months). He
    reckons with the full rent: no relief is granted in the first stage's first month. (Optimism: Camerer and Lovallo
    1999; reservation below a wage: Hamilton 2000; potentials that differ from birth: Sterk, Sedlacek, Pugsley 2021.)
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
