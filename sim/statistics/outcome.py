"""An outcome of a run: a number with its unit, or the reason why the run cannot know it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A number with its unit, or null with a reason; never 0, infinite or NaN for something unknown."""

    value: float | None
    unit: str
    reason: str | None = None
    error: float | None = None
    """Standard error within the run, where there is a formula for it."""

    @classmethod
    def unknown(cls, unit: str, reason: str) -> Outcome:
        """What the run cannot know."""
        return cls(None, unit, reason)

    @classmethod
    def ratio(cls, above: float, below: float, unit: str, reason: str) -> Outcome:
        """`above / below`, or unknown for `reason` where there is nothing below."""
        return cls(float(above) / float(below), unit) if below > 0 else cls(None, unit, reason)
