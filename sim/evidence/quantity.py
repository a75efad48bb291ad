"""A parameter with what a planner must know of it: unit, bounds, plausible range, and where the number comes from."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Label", "Parameters", "quantity"]


class Parameters(BaseModel):
    """The base of every parameter model: frozen, strict, no unknown keys, no NaN and no infinity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Label(Parameters):
    """A name in Chinese and English."""

    zh: str = Field(default="", max_length=200)
    en: str = Field(default="", max_length=200)


def quantity(
    default: Any = ...,
    *,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    range: tuple[float, float] | None = None,
    evidence: str | None = None,
    assumed: str | None = None,
    zh: str = "",
    en: str = "",
) -> Any:
    """A pydantic field that carries its unit and its source.

    Parameters
    ----------
    default
        The default value, in `unit`; `...` makes the field required.
    unit
        Unit as written in the ledger, such as ``CNY/month``, ``share``, ``log``, ``months``, ``count``.
    low, high
        Hard bounds (inclusive): a value outside is an error.
    range
        Plausible range for sensitivity runs: a default outside it is a mistake of ours.
    evidence
        Id of the figure that the default comes from.
    assumed
        Why the default is what it is, if no source gives it. Exactly one of `evidence` and `assumed` is given
        unless the field is required.
    zh, en
        What the parameter is, in one short phrase.
    """
    extra: dict[str, Any] = {
        "unit": unit,
        "range": list(range) if range else None,
        "evidence": evidence,
        "assumed": assumed,
        "zh": zh,
        "en": en,
    }
    return Field(default, ge=low, le=high, json_schema_extra={k: v for k, v in extra.items() if v is not None})
