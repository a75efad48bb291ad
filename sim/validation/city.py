"""The city's own figures. The published value comes from the ledger; how far the model may be off is assumed here.

Several are inputs of the model, or targets of its calibration: these are shown, so that a slip would be seen, and never
counted. Figures of instruments that a scenario does not have are scored on it with them added, as a trial (see
`sim.experiments.scoring.trials`): that the base scenario does without AI tools says nothing about the model of their
spread.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.evidence.ledger import value
from sim.statistics.columns import Floats, Mask
from sim.validation.fact import Fact, Part
from sim.validation.record import NotKnown, Record, enough

__all__ = ["FACTS"]

_JIN = 10_000_000.0
"""Annual sales that a graduate of 2023 had within about a year (figure `case_jin_sales`), CNY."""


def _figure(id: str) -> float:
    found = value(id)
    assert isinstance(found, int | float)
    return float(found)


def _talent(record: Record) -> Mapping[str, float]:
    """Founders who trade when the horizon starts, and former ones who stayed; all came within the burn-in."""
    people, city = record.table("entrepreneurs"), record.table("city")
    _whole(record)
    _lived_in(record)
    if record.scenario["initial"]["entities"] is not None:
        raise NotKnown("scaled_start")
    return {"persons": int(people["initial"].sum()) + float(city["former_founders"].iloc[0])}


def _whole(record: Record) -> None:
    """Raise NotKnown for a city on another scale than the published one: its counts cannot be compared."""
    if record.scenario["arrivals"]["per_year"] < 0.5 * _figure("student_inflow_per_year"):
        raise NotKnown("small_city")


def _lived_in(record: Record) -> None:
    """Raise NotKnown for a city that is empty at the start."""
    if record.scenario["initial"]["kind"] == "empty":
        raise NotKnown("empty_start")


def _mean_sales(record: Record) -> Mapping[str, float]:
    """Everybody who trades at the end of the first year."""
    return {"mean": float(record.panel["sales_cny"].to_numpy()[record.panel["year"].to_numpy() == 1].mean())}


def _by_channel(record: Record, channel: str) -> tuple[Floats, Mask]:
    """Sales of those who trade at the end of the first year, and whether they are of a channel."""
    first = record.panel[record.panel["year"] == 1]
    if "channel" not in first:
        raise NotKnown("no_table", table="panel.channel")
    return first["sales_cny"].to_numpy(), (first["channel"] == channel).to_numpy()


def _cross_border(record: Record) -> Mapping[str, float]:
    sales, inside = _by_channel(record, "cross_border")
    return {"sales": float(sales[inside].sum() / sales.sum()), "entities": float(inside.mean())}


def _livestream(record: Record) -> Mapping[str, float]:
    sales, inside = _by_channel(record, "livestream")
    return {"sales": float(sales[inside].sum() / sales.sum())}


def _ai_users(record: Record) -> Mapping[str, float]:
    found = record.trial("ai_tools").iloc[0]
    _lived_in(record)
    return {"share": float(found["users"] / found["living"])}


def _certificates(record: Record) -> Mapping[str, float]:
    found = record.trial("certificates").set_index("kind")["per_year"]
    _whole(record)
    return {kind: float(found[kind]) for kind in ("livestream", "marketer")}


def _college_firms(record: Record) -> Mapping[str, float]:
    """A project has become a firm once it has staff beside the founder, seen once a year or when it closes."""
    projects = record.trial("college")
    enough(len(projects))
    return {"share": float(projects["firm"].mean())}


def _early_success(record: Record) -> Mapping[str, float]:
    """Newcomers seen at such sales by a year of age, over all who were seen at that age or had closed before."""
    arrived, panel = record.arrived, record.panel
    young = (arrived >= 0) & (panel["age_months"].to_numpy() <= 12) & (panel["sales_cny"].to_numpy() >= _JIN)
    observed = np.count_nonzero(record.new["arrival_month"].to_numpy() < 12 * record.years)
    if not observed:
        raise NotKnown("nobody_arrived")
    return {"share": np.unique(panel["uid"].to_numpy()[young]).size / observed}


def _around(id: str, part: str, less: float, more: float, unit: str) -> Part:
    """A band around a published figure, from a share `less` below it to a share `more` above."""
    figure = _figure(id)
    return Part(part, figure * (1 - less), figure * (1 + more), unit)


def _facts() -> tuple[Fact, ...]:
    """assumed: all bands; see the definitions in the catalogue for what they rest on."""
    talent = _around("young_ecom_talent_stock", "persons", 0.2, 0.2, "persons")
    cross_border = (
        _around("cbec_share_2025", "sales", 0.2, 0.2, "share"),
        Part("entities", 0.5 * _figure("cbec_entity_share_2025"), _figure("cbec_entity_share_2025"), "share"),
    )
    livestream = Part("sales", 25e9 / _figure("ecom_txn_2025"), 90e9 / _figure("ecom_txn_2025"), "share")
    issued = (Part("livestream", 1_551.0, 2_028.0, "count/year"), Part("marketer", 169.0, 244.0, "count/year"))
    return (
        Fact(
            "resident_talent", None, "city", (talent,), _talent,
            ("young_ecom_talent_stock", "student_inflow_per_year"), "medium", "fitted",
        ),
        Fact(
            "mean_sales", None, "city", (Part("mean", 650_000.0, 800_000.0, "CNY/year"),), _mean_sales,
            ("mean_sales_per_entity_2024", "mean_sales_per_entity_2025"), "medium", "fitted",
        ),
        Fact(
            "cross_border", None, "city", cross_border, _cross_border,
            ("cbec_share_2025", "cbec_entity_share_2025"), "medium", "fitted",
        ),
        Fact("livestream", None, "city", (livestream,), _livestream, ("live_share_2025",), "low", "fitted"),
        Fact(
            "ai_users", None, "city", (_around("ai_uptake_2024", "share", 0.1, 0.1, "share"),), _ai_users,
            ("ai_uptake_2024",), "medium", "fitted",
        ),
        Fact(
            "certificates", None, "city", issued, _certificates,
            ("cert_livestream_cum", "cert_marketer_cum"), "high", "fitted",
        ),
        Fact(
            "college_firms", None, "city", (Part("share", 0.25, 0.38, "share"),), _college_firms,
            ("college_firms_per_project",), "low",
        ),
        Fact(
            "early_success", None, "city", (Part("share", 1 / 30_000, 0.01, "share"),), _early_success,
            ("case_jin_sales",), "low",
        ),
    )  # fmt: skip


FACTS = _facts()
