"""How large shops are: at the start, and how unequal at the end of the run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.statistics.columns import Floats
from sim.statistics.scale import gini, hill, top_share
from sim.validation.fact import Fact, Part
from sim.validation.record import NotKnown, Record, enough

__all__ = ["FACTS"]


def _without_staff(record: Record) -> Mapping[str, float]:
    """Newcomers whom the panel sees in their first month."""
    first = record.arrived == 12 * record.panel["year"].to_numpy() - 1
    enough(int(first.sum()))
    return {"share": float(np.mean(record.panel["employees"].to_numpy()[first] == 0))}


def _sales(record: Record) -> Floats:
    """Annual sales of all who trade at the end, CNY: the initial stock and second shops are in the market too."""
    people = record.table("entrepreneurs")
    living: Floats = people["sales_12m_cny"].to_numpy()[~people["event"].to_numpy(bool)]
    if not living.size or living.sum() <= 0:
        raise NotKnown("nobody_trades")
    return living


def _concentration(record: Record) -> Mapping[str, float]:
    sales = _sales(record)
    shares = {"gini": gini(sales), "top_1": top_share(sales, 0.01), "top_10": top_share(sales, 0.1)}
    return {id: float("nan") if value is None else value for id, value in shares.items()}


def _tail(record: Record) -> Mapping[str, float]:
    found = hill(_sales(record))
    if found.value is None:
        raise NotKnown("small_tail")
    return {"exponent": found.value}


FACTS = (
    Fact(
        "start_without_staff", 7, "size", (Part("share", 0.75, 0.90, "share"),), _without_staff,
        ("eurostat_bd",), "high", "fitted",
    ),
    Fact(
        "concentration", 9, "size",
        (Part("gini", 0.75, 0.95, "ratio"), Part("top_1", 0.20, 0.60, "share"), Part("top_10", 0.60, 0.92, "share")),
        _concentration, ("marketplaces",), "medium",
    ),
    Fact(
        "tail", 10, "size", (Part("exponent", 0.9, 1.6, "exponent"),), _tail,
        ("axtell_2001", "heinrich_dai_2016"), "high",
    ),
)  # fmt: skip
