"""The tables that a run leaves behind: every column's name, type, unit and meaning, declared once.

The declarations travel in the Parquet metadata, so that a stored run explains itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.column import Column
from sim.findings import FINDINGS

__all__ = ["ARRIVED", "EXIT_REASONS", "OUTSIDE", "STILL_THERE", "TABLES", "Column", "columns"]

OUTSIDE = "outside"
"""The place of those who trade on outside the chain: a stage id that no chain may use."""

EXIT_REASONS = ("insolvent", "quit", "left_city")

ARRIVED, STILL_THERE = "arrived", "still_there"
"""Where the flow along the chain begins, and where it ends for those who trade when the run does."""


def _c(name: str, dtype: str, unit: str, en: str, nullable: bool = False) -> Column:
    return Column(name, dtype, unit, en, nullable)


_REPLICATE = _c("replicate", "int16", "count", "replicate, from 0")
_UID = _c("uid", "int64", "id", "identity: cohort month since 2000-01 x 10^7 + arrival slot x 10 + attempt")
_MONTH = _c("month", "int16", "months", "month since the horizon's start, from 0")
_REFORM = _c("scenario", "string", "", "name of the reform")
_SCENARIO = _c("scenario", "string", "", "name of the reform, or base")
_AT = _c("at", "string", "", "36m, 60m: months of age; end: of the horizon")
_PART = _c("part", "string", "", "whole, or direct: with others' demand and seats held as in the base run")


def _mean(name: str, unit: str, en: str) -> tuple[Column, ...]:
    """A mean over replicates with its interval."""
    ends = (("low", "lower"), ("high", "upper"))
    interval = "end of its 95 % Student-t interval over replicates"
    return (
        _c(name, "float64", unit, en, True),
        *(_c(f"{name}_{end}", "float64", unit, f"{which} {interval}", True) for end, which in ends),
    )


_TAKEN_APART = (
    _c("outcome", "string", "", "name of the outcome"),
    _c("kind", "string", "", "level: of the scenario itself; effect: of going over to the reform"),
)


def _interval(name: str, en: str) -> tuple[Column, ...]:
    """A share with its bootstrap interval."""
    ends = (_c(f"{name}_{end}", "float64", "share", f"{end} end of its 95 % interval", True) for end in ("low", "high"))
    return (_c(name, "float64", "share", en, True), *ends)


_QUANTILES = (("low", 2.5), ("p25", 25), ("median", 50), ("p75", 75), ("high", 97.5))


def _levels() -> tuple[Column, ...]:
    """An outcome at the points that a calibration looks at."""
    return (
        _c("best", "float64", "", "at the best point, fresh seeds", True),
        _c("now", "float64", "", "in the scenario as it is, fresh seeds", True),
        _c("whole_best", "float64", "", "at the best point, on the whole scenario", True),
        _c("whole_now", "float64", "", "in the whole scenario as it is", True),
        _c("posterior", "float64", "", "posterior median", True),
        _c("posterior_low", "float64", "", "lower end of the central 95 % of the posterior", True),
        _c("posterior_high", "float64", "", "upper end of the central 95 % of the posterior", True),
    )


TABLES: dict[str, tuple[Column, ...]] = {
    "entrepreneurs": (
        _REPLICATE,
        _UID,
        _c("cohort", "category", "YYYY-MM", "month in which the shop was opened"),
        _c("attempt", "int8", "count", "0 for a first shop, 1 for the first restart, ..."),
        _c("initial", "bool", "", "was already trading when the horizon started"),
        _c("education", "category", "", "secondary, associate, bachelor, master or phd"),
        _c("origin", "category", "", "graduate, returnee, local or merchant_child"),
        _c("channel", "category", "", "domestic, livestream or cross_border; at exit or at the end"),
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
        _c("channel", "category", "", "channel at the end of the year"),
        _c(
            "sales_cny",
            "float64",
            "CNY/year",
            "the year's sales; of a shop younger than a year, its monthly mean times 12",
        ),
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
    # of what rests on assumptions
    "variance_outcomes": (
        *_TAKEN_APART,
        _c("unit", "string", "", "unit of the outcome"),
        _c("logs", "bool", "", "taken apart in logs"),
        _c("own", "float64", "", "median of a few runs with the scenario's own values", True),
        _c("p10", "float64", "", "tenth percentile over the plausible values", True),
        _c("p50", "float64", "", "median over the plausible values", True),
        _c("p90", "float64", "", "ninetieth percentile over the plausible values", True),
        _c("sd", "float64", "", "standard deviation over them, without chance; of the log if logs", True),
        _c("assumed", "float64", "share", "of one run's variance: assumed numbers alone", True),
        _c("known", "float64", "share", "of one run's variance: published and derived ones, also with assumed", True),
        _c("chance", "float64", "share", "of one run's variance: chance", True),
        _c("pairs", "int64", "count", "pairs of points that know the outcome"),
        _c("reason", "string", "", "why nothing is known", True),
    ),
    "variance_shares": (
        *_TAKEN_APART,
        _c("group", "string", "", "path of a number, or of shares that add to 1; others, known"),
        _c("members", "int64", "count", "numbers in the group"),
        *_interval("first", "first-order share of the variance that is not chance"),
        *_interval("total", "total share of the variance that is not chance"),
    ),
    "variance_screening": (
        *_TAKEN_APART,
        _c("group", "string", "", "path of a number, or of shares that add to 1; known"),
        _c("linear", "float64", "share", "share of the variance in a linear regression, chance included"),
        _c("chosen", "bool", "", "singled out to be measured"),
    ),
    "variance_runs": (
        *_TAKEN_APART,
        _c("pair", "int64", "count", "pair of points, from 0"),
        _c("block", "int64", "count", "0: first point; then with each group from the second; -1: second point"),
        _c("replicate", "int64", "count", "luck, from 0"),
        _c("value", "float64", "", "the outcome, in its unit", True),
    ),
    # of a comparison
    "effects": (
        _REFORM,
        _c("outcome", "string", "", "name of the outcome"),
        _c("unit", "string", "", "unit of the outcome, and of all numbers that have no unit here"),
        _c("base", "float64", "", "mean over replicates in the base run", True),
        _c("reform", "float64", "", "mean over replicates under the reform", True),
        _c("effect", "float64", "", "mean of reform - base, paired by replicate", True),
        _c("ci_low", "float64", "", "lower end of the effect's 95 % Student-t interval over replicates", True),
        _c("ci_high", "float64", "", "upper end of the effect's 95 % Student-t interval over replicates", True),
        _c("sd", "float64", "", "standard deviation of the paired differences", True),
        _c("se", "float64", "", "standard error of the effect", True),
        *_mean("direct", "", "effect with others' demand and seats held as in the base run"),
        *_mean("displacement", "", "effect that comes through others: effect - direct"),
        _c("variance_reduction", "float64", "ratio", "replicates needed without pairing, over those with it", True),
        _c("variance_reduction_low", "float64", "ratio", "lower end of its 95 % interval (Pitman-Morgan)", True),
        _c("variance_reduction_high", "float64", "ratio", "upper end of its 95 % interval (Pitman-Morgan)", True),
        _c("n", "int64", "count", "replicates that know the outcome under both policies"),
        _c("reason", "string", "", "why replicates were left out, or why there is no effect", True),
        _c("split_reason", "string", "", "why direct effect and displacement are null", True),
        _c("variance_reason", "string", "", "why the variance reduction is null", True),
    ),
    "twins": (
        _REFORM,
        _REPLICATE,
        _PART,
        _AT,
        _c("grouping", "string", "", "all, education, origin, channel, cohort_year or base_highest_stage"),
        _c("group", "string", "", "value of the grouping; channel and highest stage are those of the base run"),
        _c("n", "int64", "persons", "newcomers who arrived at least that long before the end"),
        _c("saved", "int64", "persons", "alive at that age under the reform, not in the base run"),
        _c("lost", "int64", "persons", "alive at that age in the base run, not under the reform"),
        _c("unchanged_alive", "int64", "persons", "alive at that age in both"),
        _c("unchanged_closed", "int64", "persons", "closed by that age in both"),
        _c("net", "int64", "persons", "saved - lost"),
        _c("months_gained", "int64", "months", "months of trading gained by these n within the horizon, their sum"),
        _c("months_gained_mean", "float64", "months", "the same per person", True),
        _c("sales_gained_cny", "float64", "CNY/year", "sales gained by these n at the end, their sum; closed: 0"),
    ),
    "gains": (
        _REFORM,
        _PART,
        _AT,
        _c("grouping", "string", "", "all, education, origin, channel, cohort_year or base_highest_stage"),
        _c("group", "string", "", "value of the grouping; channel and highest stage are those of the base run"),
        _c("replicates", "int64", "count", "replicates that have anybody in the group"),
        _c("n", "int64", "persons", "people in all of them"),
        _c("saved_per_1000", "float64", "per 1000", "saved, of 1,000 people of the group", True),
        _c("lost_per_1000", "float64", "per 1000", "lost, of 1,000 people of the group", True),
        _c("net_per_1000", "float64", "per 1000", "saved - lost, of 1,000 people of the group", True),
        _c("net_low", "float64", "per 1000", "lower end of its 95 % interval over replicates", True),
        _c("net_high", "float64", "per 1000", "upper end of its 95 % interval over replicates", True),
        _c("months_gained", "float64", "months", "months of trading gained per person within the horizon", True),
        _c("months_low", "float64", "months", "lower end of its 95 % interval over replicates", True),
        _c("months_high", "float64", "months", "upper end of its 95 % interval over replicates", True),
        _c("reason", "string", "", "why the intervals are null or of length 0", True),
    ),
    "graduation": (
        _REFORM,
        _REPLICATE,
        _c("stage", "string", "", "stage entered, or a later one"),
        _c("n", "int64", "persons", "newcomers"),
        _c("earlier", "int64", "persons", "there under both policies, at a lower age under the reform"),
        _c("later", "int64", "persons", "there under both policies, at a higher age under the reform"),
        _c("same", "int64", "persons", "there under both policies at the same age"),
        _c("gained", "int64", "persons", "there under the reform only"),
        _c("forgone", "int64", "persons", "there in the base run only"),
        _c("neither", "int64", "persons", "there under neither"),
        _c("months_earlier", "float64", "months", "mean over those there under both; negative if later", True),
    ),
    "lives": (
        _c("scenario", "category", "", "name of the reform"),
        _REPLICATE,
        _UID,
        _c("base_exit_month", "int16", "months", "month of exit in the base run; null while alive", True),
        _c("reform_exit_month", "int16", "months", "month of exit under the reform; null while alive", True),
        _c("base_highest_stage", "category", "", "highest stage reached in the base run"),
        _c("reform_highest_stage", "category", "", "highest stage reached under the reform"),
        _c("months_gained", "int16", "months", "months of trading gained within the horizon"),
        _c("class_36m", "category", "", "saved, lost, unchanged_alive or unchanged_closed; null if too late", True),
    ),
    "costs": (
        _REFORM,
        _c("age_months", "int64", "months", "age at which survivors are counted"),
        _c("money", "string", "", "received (by the people among whom survivors are counted) or ledger (all paid)"),
        *_mean("extra_cny", "CNY", "public money, reform - base, mean of a replicate"),
        *_mean("extra_survivors", "persons", "survivors, reform - base, mean of a replicate"),
        _c("quadrant", "string", "", "dearer_and_more, cheaper_and_more, ... by these means", True),
        _c("cny_per_survivor", "float64", "CNY/person", "extra money over extra survivors, both of one sign", True),
        _c("ci_low", "float64", "CNY/person", "lower end of its 95 % interval (Fieller)", True),
        _c("ci_high", "float64", "CNY/person", "upper end of its 95 % interval (Fieller)", True),
        _c("n", "int64", "count", "replicates"),
        _c("reason", "string", "", "why the ratio or its interval is null", True),
    ),
    "unit_costs": (
        _SCENARIO,
        _c("discount", "float64", "1/year", "yearly rate at which money and what it buys are discounted"),
        _c("per", "string", "", "arrival, survivor_36m, survivor_60m or job_year"),
        _c("unit", "string", "", "unit of the value"),
        _c("value", "float64", "", "all that the ledger holds over all of these, mean over replicates", True),
        _c("reason", "string", "", "why replicates were left out, or why the value is null", True),
    ),
    "budgets": (
        _SCENARIO,
        _c("year", "int64", "year", "calendar year"),
        _c("instrument", "string", "", "id of the policy instrument"),
        _c("planned_cny", "float64", "CNY", "budget of the whole calendar year; null without one", True),
        _c("claimed_cny", "float64", "CNY", "paid, and refused for want of budget; mean over replicates"),
        _c(
            "paid_cny",
            "float64",
            "CNY",
            "paid (of a fund: by what it covers, where it counts too); mean over replicates",
        ),
        _c("share_disbursed", "float64", "share", "paid / planned, mean over replicates", True),
    ),
    # of a calibration
    "fit": (
        _c("outcome", "string", "", "name of the outcome that is fitted"),
        _c("unit", "string", "", "unit of the outcome, and of all numbers that have no unit here"),
        _c("bound", "string", "", "exact, about, more_than, at_most or less_than the target"),
        _c("target", "float64", "", "what it should be"),
        _c("sd", "float64", "", "standard deviation of that; of its log where relative"),
        _c("relative", "bool", "", "compared in logs"),
        _c("figure", "string", "", "id of the figure that the target is", True),
        _c("source", "string", "", "ids of the sources that it leans on", True),
        _c("fact", "string", "", "id of the fact of the scorecard that it fits", True),
        *_levels(),
        _c("best_miss", "float64", "sd", "how far the best point misses the target; 0 on a bound's good side", True),
        _c("now_miss", "float64", "sd", "how far the scenario as it is misses it", True),
    ),
    "posterior": (
        _c("path", "string", "", "the parameter"),
        _c("unit", "string", "", "its unit, and that of all numbers that have no unit here"),
        _c("prior", "string", "", "uniform or log_uniform"),
        _c("prior_low", "float64", "", "lower end of the prior"),
        _c("prior_high", "float64", "", "upper end of the prior"),
        _c("prior_mean", "float64", "", "mean of the prior"),
        _c("prior_sd", "float64", "", "standard deviation of the prior"),
        _c("now", "float64", "", "value in the scenario as it is"),
        _c("best", "float64", "", "value at the best point"),
        _c("mean", "float64", "", "posterior mean"),
        _c("sd", "float64", "", "posterior standard deviation"),
        *(_c(n, "float64", "", f"{q} % quantile of the posterior") for n, q in _QUANTILES),
        _c("narrowed", "float64", "share", "1 - variance over the prior's, where that is uniform; 0: nothing learnt"),
        _c("distance", "float64", "sd", "(now - mean) / sd"),
        _c("inside", "bool", "", "whether the value as it is lies in the central 95 %"),
        _c("zh", "string", "", "what the parameter is, in Chinese"),
        _c("en", "string", "", "what the parameter is"),
    ),
    "pairs": (
        _c("path", "string", "", "a parameter"),
        _c("other", "string", "", "another"),
        _c("correlation", "float64", "", "their correlation in the posterior, where the prior is uniform"),
    ),
    "directions": (
        _c("direction", "int64", "", "1 is the combination of parameters that the posterior leaves widest"),
        _c("variance", "float64", "ratio", "posterior variance along it, over that of the prior"),
        _c("path", "string", "", "a parameter"),
        _c("weight", "float64", "", "its part in the combination, in units of the prior's standard deviation"),
    ),
    "holdout": (
        _c("outcome", "string", "", "name of the outcome that is predicted and never fitted"),
        _c("unit", "string", "", "unit of all numbers that have no unit here"),
        _c("band_low", "float64", "", "lower end of what others found", True),
        _c("band_high", "float64", "", "upper end of what others found", True),
        _c("meets", "bool", "", "whether the predicted interval and the band overlap; null without a band", True),
        *_levels(),
    ),
    "emulator": (
        _c("outcome", "string", "", "name of the outcome"),
        _c("unit", "string", "", "unit of all numbers that have no unit here"),
        _c("explained", "float64", "share", "variance that is emulated, points left out in turn", True),
        _c("stated_error", "float64", "", "standard error, points left out in turn", True),
        _c("bias", "float64", "", "mean error at points that were never seen", True),
        _c("error", "float64", "", "root mean square error there", True),
        _c("within", "float64", "share", "of these points within 1.96 stated errors", True),
    ),
    "finalists": (
        _c("name", "string", "", "point_1, ..., mean and mode of the posterior, or now: the scenario as it is"),
        _c("log_likelihood", "float64", "log", "with fresh seeds; 0 is every target hit"),
        _c("best", "bool", "", "the likeliest, the scenario as it is left out"),
    ),
    "exits": (
        _c("of", "string", "", "prior or posterior"),
        _c("first_year", "float64", "share", "survival at 12 months", True),
        _c("later", "float64", "1/year", "yearly survival from 12 to 60 months", True),
        _c("stock", "float64", "ratio", "likelihood by the resident stock alone, 1 at the published number", True),
        _c("weight", "float64", "share", "what the point counts"),
    ),
    "decisions": (
        _c("way", "string", "", "direction (the widest of the posterior) or exits (the ridge of the resident stock)"),
        _c("position", "float64", "share", "how far along"),
        _c("reform", "string", "", "id of the reform"),
        _c("name_zh", "string", "", "its name in Chinese"),
        _c("name_en", "string", "", "its name"),
        _c("first_year", "float64", "share", "survival at 12 months at this point", True),
        _c("later", "float64", "1/year", "yearly survival from 12 to 60 months at this point", True),
        _c("effect", "float64", "", "reform - base on the outcome that the study names, mean of pairs", True),
        _c("low", "float64", "", "lower end of its 95 % Student-t interval", True),
        _c("high", "float64", "", "upper end of its 95 % Student-t interval", True),
        _c("sign", "int64", "", "1, -1, or 0 where the interval holds 0"),
    ),
    "draws": (
        _c("draw", "int64", "", "number of a draw from the posterior"),
        _c("path", "string", "", "a parameter"),
        _c("value", "float64", "", "its value, in the parameter's unit"),
    ),
    **FINDINGS,
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
