"""Rent relief by stage (房租减免): a share of last month's rent is refunded to the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from sim.policy._instrument import PolicyInstrument

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy.ledger import Ledger, Now

__all__ = ["Instrument"]

Share = Annotated[float, Field(ge=0, le=1)]


class Instrument(PolicyInstrument):
    """Rent relief by stage."""

    type: Literal["rent_relief"] = "rent_relief"
    share: dict[str, Share] = Field(
        description="stage id -> share of the rent that is refunded, 0 to 1",
        json_schema_extra={"unit": "share", "zh": "减免比例", "en": "share of the rent refunded"},
    )

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Refund the share of last month's rent that the present stage grants; those who got it count on it."""
        by_stage = np.array([*(self.share.get(s, 0.0) for s in now.stages), 0.0])
        granted = by_stage[now.stage_of][people.house]
        rows = granted.nonzero()[0]
        share = np.minimum(granted[rows], 1.0 - people.relief[rows])  # several reliefs: the whole rent at most
        paid = ledger.pay(self.id, people, now, rows, 100.0 * people.rent[rows] * share, budget=self.budget)
        people.relief[paid] = np.minimum(people.relief[paid] + granted[paid], 1.0)
