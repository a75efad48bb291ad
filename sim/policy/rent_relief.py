"""Rent relief by stage (房租减免): a share of last month's rent is refunded to the tenant."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sim.policy._instrument import City, PolicyInstrument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["Instrument"]

Share = Annotated[float, Field(ge=0, le=1)]


@lru_cache
def _by_stage(share: tuple[tuple[str, float], ...], stages: tuple[str, ...]) -> NDArray[np.float64]:
    """By stage, none outside. (Kept here: in the frozen instrument it would be copied along, and break equality.)"""
    by_id = dict(share)
    return np.array([*(by_id.get(s, 0.0) for s in stages), 0.0])


class Instrument(PolicyInstrument):
    """Rent relief by stage."""

    type: Literal["rent_relief"] = "rent_relief"
    share: dict[str, Share] = Field(
        description="stage id -> share of the rent that is refunded, 0 to 1",
        json_schema_extra={"unit": "share", "zh": "减免比例", "en": "share of the rent refunded"},
    )

    def eligible(self, people: Columns, now: Now) -> Rows:
        """Tenants of a stage with relief who have paid rent, and not had all of it refunded."""
        return now.payers(people, self._granted(now))

    def cost(self, people: Columns, now: Now, rows: Rows) -> NDArray[Any]:
        """The share of last month's rent that the present stage grants; several reliefs: the whole rent at most.

            fen = 100 rent min(share, 1 - relief)

        Fractions of a fen are dropped.
        """
        return now.refund(people, rows, self._granted(now))

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """Those who got it count on it.

            relief <- min(relief + share, 1)

        So it enters the income that they believe in when they review their shops this month.
        """
        now.relieve(people, rows, self._granted(now))

    def _granted(self, now: Now) -> NDArray[np.float64]:
        return _by_stage(tuple(self.share.items()), now.stages)

    def estimate(self, city: City) -> float | None:
        """Every place taken, a whole shop each."""
        return sum(share * city.rent.get(s, 0.0) * city.tenants.get(s, 0.0) for s, share in self.share.items())
