"""The scenario: everything a run depends on, frozen. The parts live with their rules; here they are put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    SerializeAsAny,
    Tag,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from sim.chain.stage import Stage
from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour
from sim.errors import Problem
from sim.evidence.audit import Origin
from sim.evidence.quantity import Label, Parameters, quantity
from sim.market.demand import Market
from sim.policy._instrument import Month, PolicyInstrument, types
from sim.scenario.components import Components, by_type, entry_of, is_own, lasting, source_files
from sim.scenario.shape import instrument
from sim.shown import Shown

__all__ = ["MARK", "Horizon", "Initial", "Regime", "Repeated", "Replicates", "Scenario", "Until"]


MARK = "\0"
"""How the names begin that pydantic gives to the forms of a key in the location of an error; no key of a file does."""

TAGS = (f"{MARK}scalar", f"{MARK}mapping")
"""The names of the two forms of a key."""


def _instrument(value: Any, info: ValidationInfo) -> Any:
    """Each entry of `policy` becomes the instrument that its `type` names, the scenario's own included."""
    if not isinstance(value, Mapping):
        return value
    own, type = by_type(info.context or {}), value.get("type")
    if type not in own and type not in types():
        raise PydanticCustomError("unknown_type", "unknown type")
    return instrument(type, own).model_validate(value)


def _named_in_a_file(entries: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    if entries and info.context is None:
        raise PydanticCustomError("component_in_python", "components are for files; in Python, put objects in `policy`")
    return entries


def _a_list(value: Any) -> Any:
    """Lists are tuples in a frozen model."""
    return tuple(value) if isinstance(value, list) else value


Chain = Annotated[tuple[Stage, ...], Field(min_length=1, max_length=20), BeforeValidator(_a_list)]
Entries = Annotated[
    tuple[Annotated[str, Field(max_length=200)], ...],
    Field(max_length=20, description="the scenario's own instruments: my_grant:VillageGrant is a class of my_grant.py"),
    BeforeValidator(_a_list), AfterValidator(_named_in_a_file),
]  # fmt: skip
Policy = Annotated[
    tuple[Annotated[SerializeAsAny[PolicyInstrument], BeforeValidator(_instrument)], ...],
    Field(max_length=100), BeforeValidator(_a_list),
]  # fmt: skip


class Horizon(Parameters):
    """When the run starts and how long it lasts."""

    start: Month = Field(default="2024-04", description="first month simulated")
    months: int = quantity(120, unit="months", low=1, high=1200, zh="模拟月数", en="months simulated", assumed="ten years, as two five-year plans")  # fmt: skip # noqa: E501


class Regime(Parameters):
    """A chain and a policy: what holds during a burn-in, when it is written out instead of named by a file."""

    chain: Chain
    policy: Policy = ()


def _form(value: Any) -> str:
    return TAGS[isinstance(value, Mapping | Parameters)]


class Initial(Parameters):
    """Who is in the city when the horizon starts.

    `empty`: nobody. `burn_in`: the model itself runs for `months` before the start, under the chain and policy of the
    scenario `under` (a file beside this one, as it stands there, or the two written out; by default the scenario
    itself), so that the chain is occupied. With `entities`, the survivors are scaled to that number, and their sales to
    `mean_sales`.
    """

    kind: Literal["empty", "burn_in"] = Field(default="empty", description="nobody, or the people of a burn-in")
    months: int = quantity(156, unit="months", low=1, high=1200, zh="预热月数", en="months of burn-in", assumed="13 years, the time that the published 100,000 resident talents took")  # fmt: skip # noqa: E501
    under: Annotated[Annotated[str, Tag(TAGS[0])] | Annotated[Regime, Tag(TAGS[1])], Discriminator(_form)] | None = Field(default=None, description="scenario file whose chain and policy hold during the burn-in")  # fmt: skip # noqa: E501
    entities: int | None = quantity(None, unit="count", low=1, high=5 * 10**6, zh="期初主体数", en="entities at the start; null = as the burn-in leaves them", assumed="not scaled: as many as the burn-in leaves")  # fmt: skip # noqa: E501
    mean_sales: float | None = quantity(None, unit="CNY/year", low=1, high=1e9, range=(650000, 800000), zh="期初平均年销售额", en="mean annual sales at the start; null = as the burn-in leaves it", assumed="not scaled: as the burn-in leaves it")  # fmt: skip # noqa: E501


class Until(Parameters):
    """Run replicates until an outcome is known well enough."""

    outcome: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
    half_width: float = quantity(unit="outcome", low=1e-12, high=1e15, zh="区间半宽", en="half-width of the interval")
    max: int = quantity(200, unit="count", low=2, high=100000, zh="最多次数", en="replicates at most", assumed="a bound on computing time")  # fmt: skip # noqa: E501


class Replicates(Parameters):
    """The mapping form of `replicates`."""

    until: Until


Count = Annotated[int, Field(ge=1, le=100000), Tag(TAGS[0])]
Repeated = Annotated[Count | Annotated[Replicates, Tag(TAGS[1])], Discriminator(_form)]


class Scenario(Parameters, Shown):
    """A scenario, all defaults filled in, every number checked."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    name: Label = Label()
    description: Label = Label()
    horizon: Horizon = Horizon()
    seed: int = quantity(1, unit="id", low=0, high=2**63 - 1, zh="随机种子", en="root seed", assumed="any number does")
    replicates: Repeated = 20
    engine: Literal["columns", "objects"] = "columns"
    initial: Initial = Initial()
    arrivals: Arrivals = Arrivals()
    chain: Chain
    market: Market = Market()
    behaviour: Behaviour = Behaviour()
    components: Entries = ()
    policy: Policy = ()
    observe: Annotated[tuple[Literal["panel"], ...], BeforeValidator(_a_list)] = ()

    _file: str = PrivateAttr("")
    _origins: Mapping[str, Origin] = PrivateAttr(default_factory=dict)
    _burn_in: Scenario | None = PrivateAttr(None)
    _odd: tuple[Problem, ...] | None = PrivateAttr(None)
    _own: Components = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Any) -> None:
        """Know the classes of instruments that do not come with the program, those passed in Python included."""
        before = self.initial.under.policy if isinstance(self.initial.under, Regime) else ()
        self._own = dict(context or {})
        for kind in dict.fromkeys(type(i) for i in (*self.policy, *before)):
            if is_own(kind) and kind not in self._own.values():
                self._own = {**self._own, entry_of(kind): kind}
        made = tuple(e for e, kind in self._own.items() if e not in self.components and lasting(kind))
        if made:
            self.__dict__["components"] = (*self.components, *made)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.__dict__ == other.__dict__ and self._burn_in == other._burn_in

    def __hash__(self) -> int:
        return hash(self.hash())

    @property
    def file(self) -> str:
        """The file that it was read from; empty if it was not."""
        return self._file

    @property
    def burn_in(self) -> Scenario:
        """The scenario whose chain and policy hold in the burn-in: this one, unless `initial.under` says another."""
        if isinstance(self.initial.under, Regime) and self._burn_in is None:
            regime = self.initial.under
            self._burn_in = self.model_copy(update={"chain": regime.chain, "policy": regime.policy})
        return self._burn_in or self

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is allowed and yet probably not meant, in the order of the files."""
        return tuple(p for p in self._suspicions if p.severity == "warning")

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What may well be meant and is good to know, in the order of the files."""
        return tuple(p for p in self._suspicions if p.severity == "note")

    @property
    def _suspicions(self) -> tuple[Problem, ...]:
        if self._odd is None:
            from sim.scenario.suspicions import suspicions

            self._odd = tuple(suspicions(self))
        return self._odd

    @property
    def provenance(self) -> dict[str, Origin]:
        """Where every number comes from, by dotted path."""
        from sim.scenario.provenance import provenance

        return provenance(self)

    def why(self, path: str) -> Origin:
        """Where one value comes from; raises ScenarioError if there is no such path."""
        from sim.scenario.provenance import why

        return why(self, path)

    def replace(self, changes: Mapping[str, object]) -> Scenario:
        """A scenario with other values, by dotted path, list items by id: ``{"chain.incubator.places": 80}``.

        A burn-in `under` another scenario stays as it was, so that a reform starts from the same city.

        Raises
        ------
        ScenarioError
            A path does not exist or a value does not fit: all problems.
        """
        from sim.scenario.replacing import replaced

        return replaced(self, changes)

    def resolved(self) -> dict[str, Any]:
        """Every value as plain data, defaults included, in the order of the schema."""
        from sim.scenario.canonical import resolved

        return resolved(self)

    def to_yaml(self) -> str:
        """The resolved scenario as a YAML file that stands by itself."""
        from sim.scenario.canonical import to_yaml

        return to_yaml(self)

    def hash(self) -> str:
        """SHA-256 of all that decides a run's numbers but seed and replicate; names and spelling do not count."""
        from sim.scenario.canonical import digest

        return digest(self)

    @property
    def own(self) -> Components:
        """Instruments that do not come with the program, by entry of `components`."""
        return self._own

    def component_files(self) -> dict[str, bytes]:
        """What must stand beside `to_yaml` for it to be read again: name -> content of each file of `components`."""
        return source_files(self.components, self._own)

    @classmethod
    def json_schema(cls, own: Components | None = None) -> dict[str, Any]:
        """JSON Schema of a scenario file, for editors; `own` are instruments that do not come with the program."""
        from sim.scenario.editor import json_schema

        return json_schema(own or {})
