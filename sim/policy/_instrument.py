"""What every policy instrument is: parameters that a scenario sets, and one verb, `act`.

A file in this folder is an instrument: its name is the `type:` of the scenario, its class `Instrument` the parameters.
"""

from __future__ import annotations

import builtins
import importlib
import pkgutil
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sim.evidence.quantity import Label, Parameters, quantity

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy.ledger import Ledger, Now

__all__ = ["PolicyInstrument", "find", "types"]

Month = Annotated[str, Field(pattern=r"^(19|20|21)\d\d-(0[1-9]|1[0-2])$")]


class PolicyInstrument(Parameters):
    """What all instruments share."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    type: str
    label: Label = Label()
    active: bool = Field(True, description="false switches the instrument off")
    since: Month | None = Field(None, description="first month in which it acts; null = always")
    until: Month | None = Field(None, description="last month in which it acts; null = for ever")
    budget: float | None = quantity(
        None, unit="CNY/year", low=0, high=1e13, zh="年度预算", en="yearly budget; null = no limit",
        assumed="no limit unless the scenario sets one",
    )  # fmt: skip

    def act(self, people: Columns, now: Now, ledger: Ledger) -> None:
        """Do this month's part: find who is eligible, change what the instrument changes, pay through the ledger.

        Draws come from `now.key` and a stream of its own; nothing may depend on the order of rows.
        """
        raise NotImplementedError


def types() -> tuple[str, ...]:
    """The instrument types there are: the files of this folder."""
    import sim.policy

    names = (m.name for m in pkgutil.iter_modules(sim.policy.__path__))
    return tuple(sorted(n for n in names if not n.startswith("_") and n != "ledger"))


def find(type: str) -> builtins.type[PolicyInstrument]:
    """The instrument class of a type. Raises KeyError if there is no such file."""
    if type not in types():
        raise KeyError(type)
    instrument: builtins.type[PolicyInstrument] = importlib.import_module(f"sim.policy.{type}").Instrument
    return instrument
