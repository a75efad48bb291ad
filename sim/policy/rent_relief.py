"""Rent relief by stage (房租减免): a share of last month's rent is refunded to the tenant."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from sim.policy._instrument import PolicyInstrument

__all__ = ["Instrument"]


class Instrument(PolicyInstrument):
    """Rent relief by stage."""

    type: Literal["rent_relief"] = "rent_relief"
    share: dict[str, float] = Field(description="stage id -> share of the rent that is refunded, 0 to 1")

    @field_validator("share")
    @classmethod
    def _shares(cls, value: dict[str, float]) -> dict[str, float]:
        for stage, share in value.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{stage}: must be between 0 and 1 (got {share})")
        return value
