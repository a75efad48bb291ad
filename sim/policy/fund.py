"""A special fund (专项资金): it pays nothing itself, but limits what other instruments spend together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sim.evidence.quantity import quantity
from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._now import Now
    from sim.policy.ledger import Ledger

__all__ = ["Instrument"]


def _each_once(ids: Any) -> Any:
    """To cover an instrument twice is to cover it; lists are tuples in a frozen model."""
    return tuple(dict.fromkeys(ids)) if isinstance(ids, list | tuple) and all(isinstance(i, str) for i in ids) else ids


class Instrument(PolicyInstrument):
    """A special fund: one purse for several instruments.

    Of the instruments it covers, those that come first in the scenario's order draw on it first each month. Each stays
    within its own budget as well.
    """

    type: Literal["fund"] = "fund"
    covers: Annotated[tuple[str, ...], BeforeValidator(_each_once)] = Field(
        min_length=1, max_length=100, description="ids of the instruments that it pays for"
    )
    budget: float | None = quantity(120_000_000.0, unit="CNY/year", low=0, high=1e13, range=(50_000_000, 200_000_000), zh="年度资金", en="yearly fund for all that it covers; null = no limit", evidence="d_special_fund_2024")  # fmt: skip # noqa: E501

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Nothing: the ledger knows the fund, and asks it before it pays what the fund covers."""

    def estimate(self, city: City) -> float | None:
        """Nothing of its own: what it covers is counted there."""
        return 0.0
