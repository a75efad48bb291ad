"""The tables that are found from many runs: what an outcome is sensitive to, and which policy is best.

Declared as those of a run are (`sim.tables`, which holds them too).
"""

from __future__ import annotations

from collections.abc import Mapping

from sim.column import Column

__all__ = ["FINDINGS"]


def _text(name: str, en: str, nullable: bool = False) -> Column:
    return Column(name, "string", "", en, nullable)


def _number(name: str, en: str, unit: str = "", nullable: bool = True) -> Column:
    return Column(name, "float64", unit, en, nullable)


def _count(name: str, en: str, unit: str = "count") -> Column:
    return Column(name, "int64", unit, en)


def _yes(name: str, en: str) -> Column:
    return Column(name, "bool", "", en)


def _interval(name: str, en: str, unit: str = "", of: str = "95 % interval") -> tuple[Column, ...]:
    ends = (("low", "lower"), ("high", "upper"))
    return (
        _number(name, en, unit),
        *(_number(f"{name}_{end}", f"{which} end of its {of}", unit) for end, which in ends),
    )


_BRANCH = _text("branch", "branch of the study; empty if it has none")
_OUTCOME = _text("outcome", "name of the outcome")
_UNIT = _text("unit", "unit of the outcome, and of all numbers that have no unit here")
_METHOD = _text("method", "sobol, morris, anova or pawn")
_POLICY = _text("policy", "the policy: now is the scenario as it is")

_STUDENT = "95 % Student-t interval over replicates"

FINDINGS: Mapping[str, tuple[Column, ...]] = {
    # of a sensitivity analysis
    "sensitivity_outcomes": (
        _BRANCH,
        _OUTCOME,
        _UNIT,
        _METHOD,
        _count("points", "points at which the outcome is known", "points"),
        _count(
            "designed", "points of the design; where not all are known, mind that those are no fair sample", "points"
        ),
        _number("replicates", "replicates of a point, harmonic mean", "count"),
        _number("mean", "mean over the points"),
        _number("p10", "10 % quantile over the points"),
        _number("p90", "90 % quantile over the points"),
        _number("sd", "standard deviation over the points that is not chance"),
        _number("chance", "share of chance in the variance of one run; null with one replicate", "share"),
        _text("reason", "why there are no indices", True),
    ),
    "sensitivity_indices": (
        _BRANCH,
        _OUTCOME,
        _METHOD,
        _text("path", "the number that varies"),
        _text("measure", "first, total (shares of the variance), mu_star, mu, sigma (effects over the range), pawn"),
        _number("value", "the index"),
        _number("low", "lower end of its 95 % bootstrap interval"),
        _number("high", "upper end of its 95 % bootstrap interval"),
        _number("floor", "what a number without any effect has: mu_star on average, pawn in 95 of 100 cases at most"),
    ),
    "sensitivity_pairs": (
        _BRANCH,
        _OUTCOME,
        _text("path", "a number that varies"),
        _text("other", "another"),
        *_interval("second", "share of the variance that the two carry only together", "share", "95 % interval"),
    ),
    "sensitivity_cells": (
        _BRANCH,
        _OUTCOME,
        _text("path", "a number that varies"),
        _text("other", "another"),
        _number("place", "place of the part in the first's range, from 0 to 1", "share"),
        _number("other_place", "the same in the other's", "share"),
        _text("value", "the first number there"),
        _text("other_value", "the other there"),
        _number("mean", "mean of the outcome over the cell's points"),
        _number("low", "lower end of its 95 % interval over these points"),
        _number("high", "upper end of it"),
        _count("n", "points of the cell", "points"),
    ),
    # of an optimisation; all numbers are the whole city's
    "optimal_points": (
        _POLICY,
        _OUTCOME,
        _UNIT,
        _number("value", "mean over the search's replicates: the best of many such means are too good"),
        _yes("feasible", "whether the policy keeps to the budget and the equity, as far as these runs tell"),
        _yes("front", "whether no other policy that does is as good in all objectives and better in one"),
    ),
    "optimal_levers": (
        _POLICY,
        _text("path", "the lever"),
        _number("value", "its value, in the lever's unit; null if that is no number"),
        _text("label", "its value, written out"),
        _number("declared_cny", "what it costs beside the ledger", "CNY", nullable=False),
    ),
    "optimal_ranking": (
        _POLICY,
        _count("place", "1 is the best"),
        _number("mean", "mean of the first objective over the race's replicates"),
        *_interval("behind", "the best's mean less this one's, over the replicates that both have", of=_STUDENT),
        _count("replicates", "replicates that it was run with"),
        _yes("left", "whether it was still in the race at its end"),
        _yes("allowed", "whether it kept to budget and equity; who did not was out"),
    ),
    "optimal_effects": (
        _OUTCOME,
        _UNIT,
        *_interval("base", "mean of the scenario as it is", of=_STUDENT),
        *_interval("policy", "mean under the recommended policy", of=_STUDENT),
        *_interval("effect", "mean of the paired differences", of=_STUDENT),
        _count("n", "replicates, none of which had a part in choosing the policy"),
    ),
    "optimal_groups": (
        _text("grouping", "education, origin or channel"),
        _text("group", "value of the grouping"),
        _OUTCOME,
        *_interval("base", "survival in the scenario as it is", "share", _STUDENT),
        *_interval("policy", "survival under the recommended policy", "share", _STUDENT),
        *_interval("effect", "mean of the paired differences", "share", _STUDENT),
        _count("n", "replicates in which somebody of the group is seen that long under both"),
    ),
    "optimal_front": (
        _POLICY,
        _OUTCOME,
        _UNIT,
        *_interval("value", "mean over runs with fresh seeds", of=_STUDENT),
        *_interval("effect", "mean of the paired differences from the scenario as it is", of=_STUDENT),
        _yes("front", "whether it is still on the front by these runs"),
    ),
    "optimal_constraints": (
        _text("constraint", "budget, or grouping.group"),
        _number("missed", "by how much the recommended policy misses it; above 0 it does", nullable=False),
    ),
    "optimal_regret": (
        _POLICY,
        _number("mean", "mean regret over the worlds, in the first objective's unit"),
        _number("p90", "90 % quantile of it"),
        _number("most", "largest regret"),
        _number("best", "share of worlds in which it is the best of those compared and allowed", "share"),
        _number("allowed", "share of worlds in which it keeps to budget and equity", "share"),
        _number("fails", "share of worlds in which it fails", "share"),
        _count("worlds", "worlds in which all are known", "worlds"),
    ),
    "optimal_worlds": (
        _count("world", "number of the world"),
        _POLICY,
        _number("value", "mean of the first objective"),
        _number("cost_cny", "money booked and declared", "CNY"),
        _number("regret", "what another of those compared would have brought more"),
        Column("feasible", "bool", "", "whether it keeps to budget and equity there", True),
        Column("fails", "bool", "", "whether it fails there", True),
    ),
    "optimal_unknowns": (
        _count("world", "number of the world"),
        _text("path", "what nobody knows"),
        _number("value", "its value there, in its unit; null if that is no number"),
        _number("place", "its place in its range, from 0 to 1", "share"),
    ),
    "optimal_boxes": (
        _count("box", "1 holds most failures"),
        _number("coverage", "share of all failures that lie in the box", "share"),
        _number("density", "share of failures among the worlds in the box", "share"),
        _number("mass", "share of all worlds in the box", "share"),
        _text("path", "what nobody knows and the box limits"),
        _number("low", "lower limit, in its unit; null if there is none"),
        _number("high", "upper limit; null if there is none"),
        _number("low_p", "quasi-p-value of the lower limit", "share"),
        _number("high_p", "quasi-p-value of the upper limit", "share"),
    ),
    "swings": (
        _text("path", "an assumed number"),
        _text("end", "low or high: the end of its range that it was moved to"),
        _number("value", "the number there, in its unit"),
        _text("outcome", "name of the outcome"),
        _number("effect", "mean of the paired differences from the scenario, in the outcome's unit"),
        _number("ci_low", "lower end of its 95 % interval"),
        _number("ci_high", "upper end of its 95 % interval"),
        _count("n", "pairs of runs that know it"),
    ),
    "scorecard": (
        _text("fact", "id of a fact"),
        _text("who", "model, or a null model"),
        _text("part", "which of its numbers; null where it is not known", nullable=True),
        _count("replicate", "replicate, from 0; -1 where it is not known"),
        _number("value", "its value, in the unit of the part"),
        _number("low", "lower end of its band; null if that is open"),
        _number("high", "upper end of its band; null if that is open"),
        _text("reason", "why it is not known", nullable=True),
        _text("reason_values", "what fills the reason's text, as JSON", nullable=True),
    ),
}
"""Columns by table."""
