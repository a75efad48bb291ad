"""Levers that move nothing on this chain, in this city, in this horizon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sim.policy._instrument import City, PolicyInstrument
from sim.scenario.checks import by_stage
from sim.scenario.provenance import leaves
from sim.scenario.shape import Shape, fields, shape
from sim.scenario.spending import Suspicion, is_fund, monthly, reasoned

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["idle"]

_EFFECTS = ("effect", "uplift", "mentoring")
"""How parameters are called that say what an instrument does beside paying."""

Reason = tuple[str, str, str]
"""Path below the lever, why it moves nothing, in English and in Chinese."""


def idle(scenario: Scenario, here: City) -> Iterator[Suspicion]:
    """What is set and has no effect."""
    for stage in scenario.chain:
        path = f"chain.{stage.id}"
        if stage.capacity == 0:
            yield _none(f"{path}.places", "the stage has no places", "该阶段没有席位")
        if stage.falls_back and stage.threshold == 0:
            yield _none(f"{path}.falls_back", "there is no threshold to fall below", "没有可跌破的门槛")
    for lever in scenario.policy:
        if not lever.active:
            continue
        never = list(_dates(lever, scenario))
        yield from never
        if any(s.severity == "warning" for s in never):
            continue
        reasons = list(_fund(lever, scenario) if is_fund(lever) else _reasons(lever, scenario, here))
        for below, en, zh in reasons:
            yield _none(f"policy.{lever.id}{below}", en, zh)


def _none(path: str, en: str, zh: str) -> Suspicion:
    return Suspicion(path, "no_effect", {"reason": en, "reason_zh": zh})


# when it acts ---------------------------------------------------------------------------------------------------------


def _dates(lever: PolicyInstrument, scenario: Scenario) -> Iterator[Suspicion]:
    path, start = f"policy.{lever.id}", scenario.horizon.start
    last = _later(start, scenario.horizon.months - 1)
    if lever.since and lever.since > last:
        yield _none(f"{path}.since", f"it starts after the horizon ends ({last})", f"开始于模拟期结束（{last}）之后")
    elif lever.until and lever.until < start and not _in_burn_in(lever, scenario, lever.until):
        yield _none(f"{path}.until", f"it ends before the horizon starts ({start})", f"结束于模拟期开始（{start}）之前")
    elif lever.until and lever.until < start:
        yield Suspicion(f"{path}.until", "only_before", {"start": start}, "note")
    elif _early(lever, scenario):
        yield Suspicion(f"{path}.since", "acts_from_start", {"since": lever.since, "start": start}, "note")
    waits = getattr(lever, "first_after", 0)
    if isinstance(waits, int) and scenario.initial.kind == "empty" and waits >= scenario.horizon.months:
        yield _none(
            f"{path}.first_after", "nobody has worked that long when the horizon ends", "模拟期结束时没有人工作满这么久"
        )


def _early(lever: PolicyInstrument, scenario: Scenario) -> bool:
    """Whether a file says that it starts before the horizon, and it does not."""
    start, said = scenario.horizon.start, f"policy.{lever.id}.since" in scenario._origins
    return said and bool(lever.since) and str(lever.since) < start and not _in_burn_in(lever, scenario, start)


def _in_burn_in(lever: PolicyInstrument, scenario: Scenario, until: str) -> bool:
    """Whether it acts before the horizon: in a burn-in under a policy that has it, and that reaches back so far."""
    initial = scenario.initial
    return (
        initial.kind == "burn_in"
        and any(i.id == lever.id and i.active for i in scenario.burn_in.policy)
        and until >= _later(scenario.horizon.start, -initial.months)
    )


def _later(month: str, months: int) -> str:
    count = int(month[:4]) * 12 + int(month[5:]) - 1 + months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


# whom it reaches ------------------------------------------------------------------------------------------------------


def _fund(fund: PolicyInstrument, scenario: Scenario) -> Iterator[Reason]:
    active = {lever.id for lever in scenario.policy if lever.active}
    if active.isdisjoint(getattr(fund, "covers", ())):
        yield ".covers", "nothing that it covers is switched on", "所覆盖的政策工具均未启用"
    elif fund.budget is None and fund.budget_total is None:
        yield ".budget", "a fund without a budget limits nothing", "没有预算的资金池不起限制作用"


def _reasons(lever: PolicyInstrument, scenario: Scenario, here: City) -> Iterator[Reason]:
    for key in ("budget", "budget_total"):
        if getattr(lever, key) == 0:
            yield f".{key}", "its budget is 0", "预算为 0"
            return
    cost = monthly(lever, here) if here.arrivals else None  # estimates count who arrives, not who is here
    parts = [*_nobody(lever, here, f"policy.{lever.id}", scenario), *_stages(lever, here, cost, scenario)]
    whole = list(_pays_nothing(lever, here)) if cost == 0 and not parts else []
    yield from (*parts, *whole)
    if whole:
        return
    effects = [k for k in fields(type(lever)) if k in _EFFECTS and isinstance(getattr(lever, k), int | float)]
    if effects and not lever.in_cash and not any(getattr(lever, k) for k in effects):
        key = effects[0]
        origin = scenario._origins.get(f"policy.{lever.id}.{key}")
        if origin and not reasoned(origin):
            yield (
                f".{key}",
                "its effect is 0, and the money does not go to founders: it only costs",
                "作用为 0，钱也不发给创业者：只有支出",
            )


def _pays_nothing(lever: PolicyInstrument, here: City) -> Iterator[Reason]:
    """Why an instrument would cost nothing here; nothing, if it does something all the same."""
    zero = [(path, what) for path, value, what in leaves(lever) if _is_zero(value)]
    prices = [path for path, what in zero if (what.unit or "").startswith("CNY")]
    if prices and monthly(_with(lever, dict.fromkeys(prices, 1.0)), here):  # it reaches people, and pays them nothing
        if not any(getattr(lever, key, 0) for key in _EFFECTS):
            key = prices[0].partition(".")[0]
            same = all(path.partition(".")[0] == key for path in prices)
            one = prices[0] if len(prices) == 1 else key if same else ""
            yield f".{one}" if one else "", "it pays nothing", "金额均为 0，什么也没有支付"
        return
    for path, what in zero:
        if path not in _BASE and what.kind != "text" and monthly(_with(lever, {path: _more(what)}), here):
            key, _, entry = path.partition(".")
            if not entry:
                yield f".{key}", "nobody gets anything", "没有人得到任何东西"
                return
    tables = {path.partition(".")[0] for path, _ in zero if "." in path}
    for key in tables:
        held = getattr(lever, key)
        values = held.values() if isinstance(held, Mapping) else held.__dict__.values()
        if all(map(_is_zero, values)):
            yield f".{key}", "every entry is 0", "各项均为 0"
            return
    yield "", "nobody and no place in this city is what it is for", "本情景中没有适用的人或场所"


_BASE = tuple(PolicyInstrument.model_fields)


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and value == 0


def _more(what: Shape) -> object:
    """A value that is not 0: the default, else the upper end of the plausible range, else 1."""
    if what.kind == "flag":
        return True
    default = what.field.get_default() if what.field else None
    limits = what.extra.get("range")
    number = default if isinstance(default, int | float) and default else limits[1] if limits else 1
    return int(number) if what.kind == "whole" else float(number)


def _with(lever: PolicyInstrument, changes: Mapping[str, object]) -> PolicyInstrument:
    """A copy with other values, by path below the lever, one level deep."""
    held = dict(lever.__dict__)
    for path, value in changes.items():
        key, _, entry = path.partition(".")
        if not entry:
            held[key] = value
        elif isinstance(held[key], BaseModel):
            held[key] = held[key].model_copy(update={entry: value})
        elif isinstance(held[key], Mapping):
            held[key] = {**held[key], entry: value}
    return lever.model_copy(update=held)


def _nobody(lever: PolicyInstrument, here: City, path: str, scenario: Scenario) -> Iterator[Reason]:
    """Parameters for an education, origin or channel that nobody has."""
    for below, value, _ in leaves(lever):
        name = below.rpartition(".")[2]
        named = value if isinstance(value, tuple) else (value,)
        if below.rpartition(".")[0] and here.shares.get(name) == 0 and value and f"{path}.{below}" in scenario._origins:
            yield f".{below}", *_absent(name)
        elif below not in _BASE:
            for one in named:
                if isinstance(one, str) and here.shares.get(one) == 0:
                    yield f".{below}", *_absent(one)


def _absent(name: str) -> tuple[str, str]:
    return f"nobody who arrives is {name}: its share in `arrivals` is 0", f"来者中没有 {name}：`arrivals` 中的份额为 0"


def _stages(lever: PolicyInstrument, here: City, cost: float | None, scenario: Scenario) -> Iterator[Reason]:
    """Parameters for a stage without places, or without rent if the rent is what is paid."""
    closed = [stage.id for stage in scenario.chain if stage.capacity == 0]
    for key in fields(type(lever)):
        what, value = shape(type(lever), key), getattr(lever, key, None)
        if not by_stage(key) or what is None or not value:
            continue
        named: Any = (
            value if isinstance(value, Mapping) else dict.fromkeys(value if isinstance(value, tuple) else (value,), 1)
        )
        for stage, part in named.items():
            below = f".{key}.{stage}" if isinstance(value, Mapping) else f".{key}"
            if not part or stage not in here.tenants:
                continue
            if stage in closed:
                yield below, f"the stage {stage} has no places", f"阶段 {stage} 没有席位"
            elif isinstance(value, Mapping) and here.rent[stage] == 0 and cost is not None:
                dear = here._replace(rent={**here.rent, stage: 1.0})
                if monthly(lever, dear) != cost:
                    yield below, "the rent of that stage is 0", "该阶段租金为 0"
