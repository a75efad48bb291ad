"""What reforms cost, as an answer shows it: the price of a survivor, unit costs, budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import text
from sim.presentation.digits import UNKNOWN, Measured
from sim.presentation.sheet import Sheet, records
from sim.statistics.fiscal import funds

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from sim.experiments.comparison.result import Comparison

__all__ = ["budgets", "each", "extra", "price", "unit_costs", "verdict"]

_PER = ("arrival", "survivor_36m", "survivor_60m", "job_year")

Row = Mapping[str, Any]


def verdict(row: Row, sheet: Sheet) -> str:
    """A row of `costs` in words: whether it costs money, whether more survive, and what follows from both."""
    money, survivors = (_sign(Measured.of(row, f"extra_{what}")) for what in ("cny", "survivors"))
    both = sheet.say("both", money=sheet.say(f"money.{money}"), survivors=sheet.say(f"survivors.{survivors}"))
    if (money, survivors) in (("less", "more"), ("less", "same"), ("same", "more")):
        return both + sheet.say("dominant")
    if (money, survivors) in (("more", "less"), ("more", "same"), ("same", "less")):
        return both + sheet.say("dominated")
    cost = Measured.of(row, "cny_per_survivor", "ci_low", "ci_high")
    if money == survivors and cost.bounded:
        return both + sheet.say(f"price.{money}", each=sheet.money(cost, "CNY"))
    return both


def _sign(difference: Measured) -> str:
    if difference.value == 0 and not difference.bounded:
        return "same"
    if not difference.clear:
        return "unsure"
    return "more" if difference.value > 0 else "less"


def price(rows: Sequence[Row], sheet: Sheet) -> Iterator[RenderableType]:
    """Extra money over extra survivors of one reform, by age and by the money that is counted."""
    table = sheet.table("price", "counted", "survivors", "money", "each")
    verdicts = []
    for row in (r for r in rows if r["quadrant"]):
        if row["money"] == "received":
            verdicts.append(sheet.say("price.verdict", age=row["age_months"], verdict=verdict(row, sheet)))
        money = sheet.say(f"price.{row['money']}", age=row["age_months"])
        sheet.row(table, money, extra(row, "survivors", sheet), extra(row, "cny", sheet), each(row, sheet))
    yield from sheet.section("price.title", table, *verdicts)


def extra(row: Row, what: str, sheet: Sheet) -> str:
    """More money (``cny``) or more survivors (``survivors``) than in the base run."""
    found = Measured.of(row, f"extra_{what}")
    if what == "cny":
        return sheet.money(found, difference=True)
    return sheet.doubt(found) + found.give_or_take()


def each(row: Row, sheet: Sheet) -> str:
    """The price of a survivor, where there is one that is known."""
    found = Measured.of(row, "cny_per_survivor", "ci_low", "ci_high")
    return sheet.money(found) if found.bounded else UNKNOWN + sheet.mark(row["reason"])


def unit_costs(costs: pd.DataFrame, sheet: Sheet) -> Iterator[RenderableType]:
    """All that is paid, over arrivals, survivors and job-years: of each scenario, undiscounted and discounted."""
    table = sheet.table("unit", "scenario", *_PER)
    by: dict[tuple[str, float], dict[str, Row]] = {}
    for row in records(costs):
        by.setdefault((row["scenario"], row["discount"]), {})[row["per"]] = row
    for (id, rate), found in by.items():
        said = sheet.say("unit.discounted", rate=f"{100 * rate:.3g}") if rate else sheet.names[id]
        sheet.row(table, said, *(_unit_cost(found[per], sheet) for per in _PER))
    yield from sheet.section("unit.title", table)


def _unit_cost(row: Row, sheet: Sheet) -> str:
    return Measured.of(row, "value", "value", "value").said() + sheet.mark(row["reason"])


def budgets(found: Comparison, sheet: Sheet) -> Iterator[RenderableType]:
    """Planned against disbursed over all years, where there is a budget."""
    table = sheet.table("budget", "scenario", "instrument", "planned", "claimed", "paid", "share", left=2)
    limited = found.budgets.dropna(subset=["planned_cny"])
    sums = limited.groupby(["scenario", "instrument"], sort=False).sum(numeric_only=True).reset_index()
    for row in records(sums):
        planned, claimed, paid = (float(row[f"{what}_cny"]) for what in ("planned", "claimed", "paid"))
        share = f"{100 * paid / planned:.0f} %" if planned else UNKNOWN
        money = (sheet.money(Measured(x)) for x in (planned, claimed, paid))
        sheet.row(table, sheet.names[row["scenario"]], sheet.name("policy", row["instrument"]), *money, share)
    funded = any(funds(scenario["policy"]) for scenario in (found.base, *found.reforms.values()))
    lines = (sheet.say("budget.years"), text("answer.funded", sheet.lang) if funded else "")
    yield from sheet.section("budget.title", table, *lines)
