"""The tables that a run leaves behind: every column's name, type, unit and meaning, declared once.

The declarations travel in the Parquet metadata, so that a stored run explains itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["EXIT_REASONS", "OUTSIDE", "TABLES", "Column", "columns"]

OUTSIDE = "outside"
"""The place of those who trade on outside the chain: a stage id that no chain may use."""

EXIT_REASONS = ("insolvent", "quit", "left_city")


@dataclass(frozen=True)
class Column:
    """A column: `dtype` is an Arrow type name, `category` (text from a small set) or `date` (YYYY-MM text)."""

    name: str
    dtype: str
    unit: str
    en: str
    nullable: bool = False


def _c(name: str, dtype: str, unit: str, en: str, nullable: bool = False) -> Column:
    return Column(name, dtype, unit, en, nullable)


_REPLICATE = _c("replicate", "int16", "count", "replicate, from 0")
_UID = _c("uid", "int64", "id", "identity: cohort month since 2000-01 x 10^7 + arrival slot x 10 + attempt")
_MONTH = _c("month", "int16", "months", "month since the horizon's start, from 0")

TABLES: dict[str, tuple[Column, ...]] = {
    "entrepreneurs": (
        _REPLICATE,
        _UID,
        _c("cohort", "category", "YYYY-MM", "month in which the shop was opened"),
        _c("attempt", "int8", "count", "0 for a first shop, 1 for the first restart, ..."),
        _c("initial", "bool", "", "was already trading when the horizon started"),
        _c("education", "category", "", "secondary, associate, bachelor, master or phd"),
        _c("origin", "category", "", "graduate, returnee, local or merchant_child"),
        _c("channel", "category", "", "domestic, livestream or cross_border"),
        _c("arrival_month", "int16", "months", "month of arrival since the horizon's start; negative if initial"),
        _c("exit_month", "int16", "months", "month of exit; null while alive", True),
        _c("exit_reason", "category", "", "insolvent, quit or left_city; null while alive", True),
        _c("after_exit", "category", "", "employee (stays in the city), restart or leaves; null while alive", True),
        _c("duration_months", "int16", "months", "months traded until exit or the end of the horizon"),
        _c("entry_age_months", "int16", "months", "age when observation began: 0 for newcomers"),
        _c("event", "bool", "", "true = exit observed, false = censored at the horizon's end"),
        _c("stage", "category", "", "stage at exit or at the end"),
        _c("highest_stage", "category", "", "highest stage reached"),
        _c("months_in_*", "int16", "months", "months spent in each stage since the horizon's start"),
        _c("first_sales_cny", "float64", "CNY/month", "sales in the first month"),
        _c("sales_12m_cny", "float64", "CNY/year", "smoothed annual sales at exit or at the end"),
        _c("employees", "int32", "persons", "staff beside the owner at exit or at the end"),
        _c("skill", "float32", "log", "potential: log of mature monthly sales in CNY"),
        _c("received_cny", "float64", "CNY", "public money spent on him, in cash or in kind, exact to the fen"),
    ),
    "transitions": (
        _REPLICATE,
        _UID,
        _MONTH,
        _c("from_stage", "category", "", "stage left; null on arrival", True),
        _c("to_stage", "category", "", "stage entered; null on exit", True),
        _c("facility", "int16", "id", "facility entered; -1 outside the chain or on exit"),
        _c("reason", "category", "", "arrived, admitted, tenancy_ended, fell_back, or an exit reason"),
    ),
    "months": (
        _REPLICATE,
        _MONTH,
        _c("stage", "category", "", "stage, or outside"),
        _c("date", "date", "YYYY-MM", "calendar month"),
        _c("living", "int64", "count", "entrepreneurs in the stage at the end of the month"),
        _c("arrivals", "int64", "count", "new shops opened in the stage during the month"),
        _c("admitted", "int64", "count", "moved into the stage from another"),
        _c("left", "int64", "count", "moved out of the stage to another"),
        _c("closed", "int64", "count", "exits from the stage"),
        _c("waiting", "int64", "count", "applicants for the stage who were turned away this month"),
        _c("places", "int64", "count", "places of the stage; -1 where it is open"),
        _c("sales_cny", "float64", "CNY/month", "sales of those who traded in the stage this month"),
        _c("employees", "int64", "persons", "staff of those who traded in the stage this month"),
    ),
    "city": (
        _REPLICATE,
        _MONTH,
        _c("date", "date", "YYYY-MM", "calendar month"),
        _c("demand_domestic", "float64", "log", "log demand index of the domestic channel, 0 at the start"),
        _c("demand_livestream", "float64", "log", "the same for live-streaming"),
        _c("demand_cross_border", "float64", "log", "the same for cross-border"),
        _c("crowding", "float64", "ratio", "trading capacity of all firms relative to the start"),
        _c("former_founders", "int64", "persons", "former founders who still live in the city"),
    ),
    "panel": (
        _REPLICATE,
        _UID,
        _c("year", "int16", "years", "years since the horizon's start, from 1"),
        _c("age_months", "int16", "months", "age of the shop"),
        _c("stage", "category", "", "stage"),
        _c("sales_cny", "float64", "CNY/year", "smoothed annual sales"),
        _c("employees", "int32", "persons", "staff beside the owner"),
    ),
    "cohorts": (
        _REPLICATE,
        _c("cohort", "category", "YYYY-MM", "cohort month, or all"),
        _c("group", "category", "", "all, or attribute=value"),
        _c("age_months", "int16", "months", "age"),
        _c("at_risk", "int64", "count", "trading at the start of this month of age"),
        _c("events", "int64", "count", "exits during this month of age"),
        _c("survival", "float64", "share", "Kaplan-Meier estimate at the end of this month of age"),
        _c("ci_low", "float64", "share", "lower end of the 95 % log-log interval", True),
        _c("ci_high", "float64", "share", "upper end of the 95 % log-log interval", True),
    ),
    "ledger": (
        _REPLICATE,
        _MONTH,
        _c("instrument", "category", "", "id of the policy instrument"),
        _c("stage", "category", "", "stage of the recipients"),
        _c("education", "category", "", "education of the recipients"),
        _c("recipients", "int64", "count", "payments made"),
        _c("paid_cny", "float64", "CNY", "public money paid, exact to the fen"),
        _c("refused", "int64", "count", "claims refused because a budget was spent"),
        _c("refused_cny", "float64", "CNY", "what these claims would have cost"),
        _c("lent_cny", "float64", "CNY", "loans of banks paid out; no public money"),
        _c("repaid_cny", "float64", "CNY", "loans paid back by the founders, with the interest that they bear"),
        _c("lost_cny", "float64", "CNY", "loans that founders who closed did not pay back"),
    ),
    "summary": (
        _c("outcome", "string", "", "name of the outcome"),
        _c("mean", "float64", "", "mean over replicates", True),
        _c("sd", "float64", "", "standard deviation between replicates", True),
        _c("ci_low", "float64", "", "lower end of the 95 % Student-t interval of the mean", True),
        _c("ci_high", "float64", "", "upper end of the 95 % Student-t interval of the mean", True),
        _c("p10", "float64", "", "tenth percentile between replicates", True),
        _c("p90", "float64", "", "ninetieth percentile between replicates", True),
        _c("n", "int64", "count", "replicates that know the outcome"),
        _c("unit", "string", "", "unit of the outcome"),
        _c("reason", "string", "", "why the outcome cannot be known from this run", True),
    ),
}


def columns(table: str, stages: Sequence[str] = ()) -> tuple[Column, ...]:
    """Columns of a table, with ``months_in_*`` written out for the stages of a chain (and for outside)."""
    out: list[Column] = []
    for column in TABLES[table]:
        if column.name.endswith("_*"):
            prefix = column.name[:-1]
            out += [Column(prefix + s, column.dtype, column.unit, column.en) for s in (*stages, OUTSIDE)]
        else:
            out.append(column)
    return tuple(out)
