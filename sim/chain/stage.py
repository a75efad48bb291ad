"""A stage of the chain: its houses, places, threshold, tenancy and what it gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from sim.evidence.quantity import Label, Parameters, quantity

__all__ = ["Stage"]


class Stage(Parameters):
    """One link of the chain. The order in the scenario is the order of the chain; the first must be open to all."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    label: Label = Label()
    facilities: int = quantity(unit="count", low=1, high=10000, zh="场所数量", en="houses of this stage")
    places: int | None = quantity(
        None, unit="count", low=0, high=10**9, zh="每处席位", en="places in each house; null = open to all",
        assumed="open to all unless the scenario sets a number",
    )  # fmt: skip
    threshold: float = quantity(
        0.0, unit="CNY/year", low=0, high=1e12, zh="入驻门槛：年销售额", en="annual sales that an applicant needs",
        assumed="none unless the scenario sets one",
    )  # fmt: skip
    or_net_income: float | None = quantity(
        None, unit="CNY/month", low=0, high=1e9, zh="或月净收入", en="monthly income that opens the door as well",
        assumed="none unless the scenario sets one",
    )  # fmt: skip
    growth: float | None = quantity(
        None, unit="1/year", low=-1, high=10, zh="所需年增长（本月销售额×12，比平滑年销售额）",
        en="growth that an applicant needs: 12 x this month's sales over smoothed annual sales",
        assumed="none unless the scenario sets one",
    )  # fmt: skip
    max_age: int | None = quantity(
        None, unit="months", low=1, high=1200, zh="入驻年龄上限", en="oldest shop that is let in",
        assumed="none unless the scenario sets one",
    )  # fmt: skip
    tenancy: int | None = quantity(
        None, unit="months", low=1, high=1200, zh="孵化期限", en="months a tenant may stay; null = no end",
        assumed="none unless the scenario sets one",
    )  # fmt: skip
    uplift: float = quantity(
        0.0, unit="share", low=-0.5, high=2, range=(0, 0.15), zh="服务对销售额的作用",
        en="what the stage's services add to sales", assumed="field studies find causal effects around zero",
    )  # fmt: skip
    rent: float = quantity(
        1500.0, unit="CNY/month", low=0, high=1e7, range=(500, 4000), zh="每间店面月租",
        en="rent of one shop before any relief", assumed="no source; taken as the market rent of a shop in a village",
    )  # fmt: skip
    crowding: float = quantity(
        0.0, unit="elasticity", low=0, high=3, range=(0, 1), zh="租金对拥挤的弹性",
        en="elasticity of rent to tenants per house relative to `usual_tenants`",
        assumed="rent stays as it is unless the scenario lets it rise with crowding",
    )  # fmt: skip
    usual_tenants: int = quantity(
        500, unit="count", low=1, high=10**9, range=(100, 5000), zh="通常租户数",
        en="tenants per house at which rent is as stated",
        assumed="no source; a Taobao village has at least 100 active shops",
    )  # fmt: skip
    apply: float = quantity(
        0.1, unit="1/month", low=0, high=1, range=(0.02, 0.3), zh="达标者每月申请的概率",
        en="chance that someone who may apply does so this month",
        assumed="no source; many who qualify do not apply at once, or ever",
    )  # fmt: skip
    admission: Literal["merit", "lottery", "waiting", "score"] = Field(
        "merit", description="how applicants are ranked when places are scarce"
    )
    waiting_list: bool = Field(True, description="those turned away stay on the list")
    falls_back: bool = Field(False, description="below half the threshold for two quarters, a tenant steps back")

    @model_validator(mode="after")
    def _possible(self) -> Stage:
        if self.id == "outside":
            raise PydanticCustomError("reserved_id", "{found} is taken; choose another id", {"found": self.id})
        return self

    @property
    def capacity(self) -> int:
        """Places of all houses together; -1 if the stage is open."""
        return -1 if self.places is None else self.places * self.facilities
