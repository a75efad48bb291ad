"""The rulebook's parameters, grouped as the rules are. No source gives them: each is assumed, with its literature.

The defaults lie within the ranges of the literature and were chosen together, so that newcomers' survival at ages 1
to 5 (0.76, 0.60, 0.50, 0.44, 0.40), their mean sales (0.7 million CNY a year) and the share that starts without staff
(0.75 to 0.90) come out. Many other sets do as well: nothing but the ranges should be read into one number.
"""

from __future__ import annotations

from pydantic import Field

from sim.evidence.quantity import Parameters, quantity

__all__ = ["Behaviour", "Entry", "Exit", "Growth", "Learning", "Money", "Peers"]

_FITTED = "calibrated with the other behaviour numbers (scenarios/studies/calibration.yaml)"


class Entry(Parameters):
    """What a founder brings."""

    sales_median: float = quantity(
        3000.0, unit="CNY/month", low=1, high=1e6, range=(1500, 6000), zh="开店首月销售额中位数",
        en="median sales in the first month",
        assumed="no source gives first sales; students of a local college had 19,444 CNY a year from practice in 2017",
    )  # fmt: skip
    sales_sd: float = quantity(
        1.17, unit="log", low=0, high=4, range=(0.7, 1.4), zh="首月销售额对数标准差",
        en="sd of log first sales", assumed=f"no source; {_FITTED}",
    )  # fmt: skip
    gap_mean: float = quantity(
        0.97, unit="log", low=-3, high=5, range=(0.5, 1.6), zh="潜力与起点之差的均值",
        en="mean gap between potential and entry level",
        assumed=f"shops differ from birth in how far they can grow (Sterk, Sedlacek, Pugsley 2021); {_FITTED}",
    )  # fmt: skip
    gap_sd: float = quantity(
        0.97, unit="log", low=0, high=4, range=(0.4, 1.3), zh="潜力差的标准差",
        en="sd of the gap",
        assumed=f"shops differ from birth in how far they can grow (Sterk, Sedlacek, Pugsley 2021); {_FITTED}",
    )  # fmt: skip
    cash_median: float = quantity(
        30000.0, unit="CNY", low=0.01, high=1e8, range=(5000, 100000), zh="启动资金中位数",
        en="median start cash",
        assumed="no source; people start with one phone or a small shop, one known founder with less than 10,000 CNY",
    )  # fmt: skip
    cash_sd: float = quantity(
        1.0, unit="log", low=0, high=4, range=(0.5, 1.5), zh="启动资金对数标准差",
        en="sd of log start cash", assumed="no source; wide, as some start with one phone and others with a small shop",
    )  # fmt: skip
    optimism: float = quantity(
        0.48, unit="log", low=-2, high=4, range=(0.3, 0.9), zh="入行乐观程度",
        en="optimism at entry",
        assumed=f"founders overrate their chances (Camerer and Lovallo 1999); {_FITTED}",
    )  # fmt: skip


class Growth(Parameters):
    """How sales move."""

    kappa: float = quantity(
        0.066, unit="1/month", low=0, high=1, range=(0.03, 0.2), zh="向潜力靠拢的速度",
        en="speed at which potential draws the level in",
        assumed=f"a new shop wins its customers slowly (Foster, Haltiwanger, Syverson 2016); {_FITTED}",
    )  # fmt: skip
    drift: float = quantity(
        -0.013, unit="log/month", low=-0.5, high=0.5, range=(-0.018, 0), zh="优势被模仿的磨损",
        en="drift of the standing level: imitation wears advantages away",
        assumed=f"no source; imitation wears advantages away; {_FITTED}",
    )  # fmt: skip
    sigma: float = quantity(
        0.11, unit="log/sqrt(month)", low=0, high=2, range=(0.08, 0.18), zh="持久冲击的标准差",
        en="sd of the permanent monthly shock",
        assumed=f"growth is random and much the same in per cent for small and large (Gibrat's law); {_FITTED}",
    )  # fmt: skip
    tau: float = quantity(
        0.42, unit="log", low=0, high=3, range=(0.1, 0.5), zh="产品冲击的标准差",
        en="sd of the transitory product shock",
        assumed=f"no source; products sell well for some months and pass; {_FITTED}",
    )  # fmt: skip
    rho: float = quantity(
        0.84, unit="share", low=0, high=0.999, range=(0.7, 0.92), zh="产品冲击的持续性",
        en="persistence of the product shock",
        assumed=f"no source; products sell well for some months and pass; {_FITTED}",
    )  # fmt: skip
    beta: float = quantity(
        0.27, unit="exponent", low=0, high=2, range=(0.1, 0.4), zh="规模分散风险的指数",
        en="how fast a larger shop's luck averages out",
        assumed=f"the luck of many products averages out (Amaral et al. 1998, Bottazzi and Secchi 2006); {_FITTED}",
    )  # fmt: skip
    diversified_from: float = quantity(
        1500.0, unit="CNY/month", low=1, high=1e7, range=(500, 3600), zh="开始分散风险的月销售额",
        en="monthly sales from which luck averages out (S_1)",
        assumed="the luck of many products averages out (Amaral et al. 1998); no source says from what size on",
    )  # fmt: skip
    jump_chance: float = quantity(
        0.05, unit="1/month", low=0, high=1, range=(0.03, 0.15), zh="爆款或断货的月概率",
        en="chance of a jump: a hit product, or a stock-out or penalty",
        assumed=f"no source; hit products, stock-outs and penalties of platforms come suddenly; {_FITTED}",
    )  # fmt: skip
    jump_mean: float = quantity(
        0.83, unit="log", low=0, high=0.95, range=(0.7, 0.9), zh="跳跃幅度均值",
        en="mean size of a jump; below 1, or its exponential has no mean",
        assumed="a jump multiplies sales by a Pareto number with exponent 1 over this; sales of products online have an exponent near 1.2 (Chevalier and Goolsbee 2003), 1.15 (Brynjolfsson, Hu, Smith 2003)",  # noqa: E501
    )  # fmt: skip
    jump_stays: float = quantity(
        0.5, unit="share", low=0, high=1, range=(0.05, 0.6), zh="跳跃的持久部分",
        en="part of a jump that stays",
        assumed=f"no source; some of a hit's customers stay, as does some of a penalty's harm; {_FITTED}",
    )  # fmt: skip


class Money(Parameters):
    """How sales become income, and income becomes savings."""

    margin: float = quantity(
        0.15, unit="share", low=0, high=1, range=(0.04, 0.20), zh="净利率（租金前）",
        en="margin on sales before rent; platform fees and advertising are in it",
        assumed=f"no source gives margins; {_FITTED}",
    )  # fmt: skip
    saved: float = quantity(
        0.45, unit="share", low=0, high=1, range=(0.2, 0.5), zh="盈余储蓄比例",
        en="share of a surplus that is saved", assumed=f"no source; {_FITTED}",
    )  # fmt: skip
    living_cost: float = quantity(
        2500.0, unit="CNY/month", low=0, high=1e6, range=(2000, 3500), zh="生活费",
        en="living cost of the household", assumed="no source; a modest living in the city",
    )  # fmt: skip
    shop_from: float = quantity(
        43000.0, unit="CNY/month", low=1, high=1e8, range=(10000, 60000), zh="需要一整间店面的月销售额",
        en="monthly sales that fill one shop; below it the founder rents a part in proportion to sales",
        assumed=f"no source; small shops work from a room at home; {_FITTED}",
    )  # fmt: skip
    first_employee_at: float = quantity(
        10000.0, unit="CNY/month", low=100, high=1e8, range=(9000, 12000), zh="雇第一个人的月销售额",
        en="monthly sales at which the first employee is hired (S_e)",
        assumed="no source; individual businesses in Zhejiang had 2.08 people on average at the end of 2023",
    )  # fmt: skip
    staff_exponent: float = quantity(
        0.6, unit="exponent", low=0.1, high=1, range=(0.5, 0.7), zh="用工与用房的规模指数",
        en="staff and floor space grow with sales to this power",
        assumed="no source; staff and space are taken to grow more slowly than sales",
    )  # fmt: skip
    credit_line: float = quantity(
        26000.0, unit="CNY", low=0, high=1e9, range=(0, 50000), zh="亲友与平台信用额度",
        en="credit of family and platforms; below minus this the shop is insolvent",
        assumed=f"no source; family and platforms lend a little; {_FITTED}",
    )  # fmt: skip


class Learning(Parameters):
    """How a founder learns about his own potential (Jovanovic 1982)."""

    prior_weight: float = quantity(
        11.0, unit="months", low=0, high=1000, range=(6, 30), zh="先验的权重",
        en="weight of the prior, in months of observation (n0)",
        assumed=f"founders find out from results how good they are (Jovanovic 1982); {_FITTED}",
    )  # fmt: skip
    least_gain: float = quantity(
        0.053, unit="share", low=0, high=1, range=(0.04, 0.15), zh="学习增益下限",
        en="least gain: how fast an old founder still learns",
        assumed=f"founders find out from results how good they are (Jovanovic 1982); {_FITTED}",
    )  # fmt: skip
    training_lasts: float = quantity(
        12.0, unit="months", low=1, high=240, range=(6, 24), zh="培训效果平均持续月数",
        en="mean life of a training's effect, which fades by 1/this a month",
        assumed="what training adds is mostly gone after about a year (McKenzie 2020)",
    )  # fmt: skip


class Exit(Parameters):
    """When a founder gives up, and what becomes of him."""

    chance_per_year: float = quantity(
        0.033, unit="1/year", low=0, high=1, range=(0.02, 0.05), zh="意外离开的年概率",
        en="yearly chance of leaving for family, health or moving away",
        assumed=f"no source; some leave for family, health or another city, however the shop does; {_FITTED}",
    )  # fmt: skip
    insolvency: bool = Field(default=True, description="insolvent founders close")
    review: float = quantity(
        0.28, unit="1/month", low=0, high=1, range=(0.2, 0.6), zh="每月复盘的概率",
        en="chance that a founder reviews his shop this month",
        assumed=f"savings decide how long an owner can hold on (Holtz-Eakin et al. 1994); {_FITTED}",
    )  # fmt: skip
    annuity_months: float = quantity(
        32.0, unit="months", low=1, high=600, range=(12, 36), zh="积蓄年金化月数",
        en="horizon over which savings are counted as income",
        assumed=f"savings decide how long an owner can hold on (Holtz-Eakin et al. 1994); {_FITTED}",
    )  # fmt: skip
    outside_wage: float = quantity(
        5500.0, unit="CNY/month", low=0, high=1e6, range=(4500, 7000), zh="外部工资",
        en="wage that the founder could earn elsewhere",
        assumed="no source for the city; the documents speak of several thousand CNY during internship",
    )  # fmt: skip
    reservation_share: float = quantity(
        0.254, unit="share", low=0, high=5, range=(0.2, 0.4), zh="保留收入占外部工资比例",
        en="median reservation income as a share of the outside wage",
        assumed=f"to be their own boss, many accept less than a wage (Hamilton 2000); {_FITTED}",
    )  # fmt: skip
    reservation_sd: float = quantity(
        0.43, unit="log", low=0, high=4, range=(0.4, 0.9), zh="保留收入对数标准差",
        en="sd of log reservation income",
        assumed=f"to be their own boss, many accept less than a wage (Hamilton 2000); {_FITTED}",
    )  # fmt: skip
    reservation_potential: float = quantity(
        0.29, unit="elasticity", low=0, high=2, range=(0, 0.5), zh="保留收入对潜力的弹性",
        en="elasticity of reservation income to potential",
        assumed=f"no source; the able are taken to ask for more (compare Hamilton 2000); {_FITTED}",
    )  # fmt: skip
    stays: float = quantity(
        0.25, unit="share", low=0, high=1, range=(0, 0.4), zh="关店后留在义乌的比例",
        en="share of those who close that stays in the city",
        assumed="no source; with a quarter staying, a rough count comes near the published 100,000 residents",
    )  # fmt: skip
    leaves_later: float = quantity(
        0.25, unit="1/year", low=0, high=1, range=(0.1, 0.4), zh="留下者此后每年离开的概率",
        en="yearly chance that a former founder leaves the city",
        assumed="100,000 residents on 30,000 arrivals a year mean that about a quarter leaves each year",
    )  # fmt: skip
    restarts: float = quantity(
        0.15, unit="1/year", low=0, high=1, range=(0, 0.4), zh="留下者每年再创业的概率",
        en="yearly chance that a former founder who stayed starts again", assumed="no source; some try again",
    )  # fmt: skip


class Peers(Parameters):
    """老带新: what is picked up from better peers in the same house."""

    rate: float = quantity(
        0.01, unit="1/month", low=0, high=1, range=(0, 0.03), zh="老带新的速度",
        en="part of the distance to the peers' mean level that is made up in a month; 0 switches it off",
        assumed="the documents describe how experienced founders guide new ones, but no size; set small",
    )  # fmt: skip
    cap: float = quantity(
        0.5, unit="log", low=0, high=5, range=(0.2, 1), zh="老带新距离上限",
        en="largest distance that counts",
        assumed="no source; bounded, so that good neighbours alone cannot make a shop large",
    )  # fmt: skip


class Behaviour(Parameters):
    """The rulebook's parameters."""

    entry: Entry = Entry()
    growth: Growth = Growth()
    money: Money = Money()
    learning: Learning = Learning()
    exit: Exit = Exit()
    peers: Peers = Peers()
