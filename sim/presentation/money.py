"""The money of one scenario, as its answer shows it: planned against disbursed, and the price of survivors and jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.presentation.catalogue import Labels, Lang, text
from sim.presentation.digits import UNKNOWN, Measured
from sim.presentation.sheet import Sheet, records
from sim.statistics.fiscal import funds

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from sim.simulation import Result

__all__ = ["money"]

_MONEY = ("planned", "claimed", "paid")

_PER = {"arrival": 0, "survivor_36m": 36, "survivor_60m": 60, "job_year": 0}
"""What money is divided by, and the age that somebody must reach within the horizon to count."""

_TO_SPARE = 24
"""assumed: months that a run must go on beyond that age, or all that is paid would stand over its first arrivals."""


def money(result: Result, lang: Lang, labels: Labels | None = None) -> Iterator[RenderableType]:
    """Tables of `Result.budgets` and `Result.unit_costs`; nothing where no instrument is active."""
    sheet, budgets = Sheet(lang, "money", labels or {}), result.budgets()
    if len(budgets):
        yield from _by_instrument(budgets, sheet, bool(funds(result.scenario["policy"])))
        yield from _per_unit(result.unit_costs(), result.months, sheet)


def _by_instrument(budgets: pd.DataFrame, sheet: Sheet, funded: bool) -> Iterator[RenderableType]:
    """Sums over the years of the run."""
    table = sheet.table("instrument", "name", "planned", "claimed", "paid", "share")
    years = sorted(set(budgets["year"]))
    whole = years[-2] if len(years) > 1 else years[0]  # the last year may be covered in part
    table.add_column(sheet.say("instrument.in_year", year=whole), justify="right")
    for id, rows in budgets.groupby("instrument", sort=False):
        planned, claimed, paid = (
            float(rows[f"{what}_cny"].sum(skipna=False)) for what in ("planned", "claimed", "paid")
        )
        share = f"{100 * paid / planned:.0f} %" if planned > 0 else UNKNOWN
        yearly = float(rows.loc[rows["year"] == whole, "paid_cny"].sum())
        sums = (sheet.money(Measured(x)) for x in (planned, claimed, paid))
        sheet.row(table, sheet.name("policy", str(id)), *sums, share, sheet.money(Measured(yearly)))
    yield from sheet.section("instrument.title", table, text("answer.funded", sheet.lang) if funded else "")


def _per_unit(unit_costs: pd.DataFrame, months: int, sheet: Sheet) -> Iterator[RenderableType]:
    per = [of for of, age in _PER.items() if months >= age + _TO_SPARE]
    table = sheet.table("unit", "rate", *per)
    for rate, rows in unit_costs.groupby("discount", sort=False):
        by = {row["per"]: row["value"] for row in records(rows)}
        values = (Measured.of({"value": by[of]}, "value", "value", "value").said() for of in per)
        said = sheet.say("unit.discounted", rate=f"{100 * float(str(rate)):.3g}") if rate else sheet.say("unit.plain")
        sheet.row(table, said, *values)
    yield from sheet.section("unit.title", table, sheet.say("unit.means"))
