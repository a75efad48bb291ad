"""Element 7 of the protocol: each process in full, with its equations and its parameters."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sim.chain.admission import RULES
from sim.chain.stage import Stage
from sim.entrepreneurs import founding, rules
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour
from sim.market.demand import Market
from sim.model import Pipeline
from sim.policy._instrument import PolicyInstrument
from sim.presentation.catalogue import labels, name
from sim.presentation.odd.details import outputs
from sim.presentation.odd.markdown import Section
from sim.presentation.odd.overview import instruments
from sim.presentation.odd.parameters import parameter_table, stated_table
from sim.presentation.odd.source import blocks, calls, phases
from sim.presentation.odd.words import Words, safe
from sim.scenario.shape import fields, shape

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["PARTS", "rulebook", "submodels"]

PARTS: dict[str, tuple[str, ...]] = {
    "share_demand": (
        "sim.market.competition.Competition",
        "sim.market.competition.Path",
        "sim.chain.facility.Houses.open_month",
    ),
    "arrive": (
        "sim.entrepreneurs.arrivals.Arrivals.expected",
        "sim.entrepreneurs.draws.poisson",
        "sim.entrepreneurs.founding.newcomers",
    ),
    "govern": (),
    "live": (),
    "close_shops": ("sim.entrepreneurs.leaving.after_exit",),
    "progress": (
        "sim.chain.progress.progress",
        "sim.chain.facility.seat",
        *(f"sim.chain.admission.{rule}" for rule in RULES),
    ),
    "observe": (),
}
"""What each phase of the month consists of, beside its own docstring; the rulebook is found by what calls it."""

_SHORT = 60
"""A first paragraph of fewer letters only repeats the name of the instrument."""

_METHODS = ("eligible", "takers", "cost", "apply", "act", "wind_down", "closed")
_NOT_THE_MODEL = ("estimate",)
_TECHNICAL = ("unpacked",)
"""A rule by decoration only: it hands constants to compiled code."""


def rulebook() -> dict[str, Callable[..., Any]]:
    """The rules by name."""
    own = {n: f for n, f in vars(rules).items() if inspect.isfunction(f) and f.__module__ == rules.__name__}
    return {n: f for n, f in own.items() if not n.startswith("_") and n not in _TECHNICAL}


def _reached(function: Callable[..., Any]) -> list[str]:
    """The rules that a function calls, and those that these call, in the order of the text."""
    found: list[str] = []
    book = rulebook()
    for called in calls(function):
        if called in book and called not in found and book[called] is not function:
            found += [called, *(r for r in _reached(book[called]) if r != called)]
    return list(dict.fromkeys(found))


def submodels(words: Words, scenario: Scenario | None) -> Iterator[Section]:
    """Element 7, a section for each phase of the month, in the month's order."""
    yield Section(1, words.head("element_7"), words.prose("submodels"))
    told: set[str] = set()
    for phase in phases(Pipeline.step):
        if phase.method not in PARTS:
            words.complaints.append(f"sim.model.Pipeline.{phase.method}: no submodel says what it does")
        said = words.phrase(f"sim.model.Pipeline.step.{phase.method}", phase.said)
        opening = [words.doc(f"sim.model.Pipeline.{phase.method}")]
        opening += [_told(words, part) for part in PARTS.get(phase.method, ())]
        if phase.method == "govern":
            opening.append(words.prose("instruments"))
        if phase.method == "arrive":
            opening += _rules(words, founding._found, told)
        yield Section(2, said[:1].upper() + said[1:], "\n\n".join(opening))
        yield from _below(words, phase.method, scenario, told)
    words.complaints += [f"{rules.__name__}.{rule}: described nowhere" for rule in rulebook() if rule not in told]
    if tuple(PARTS) != (order := tuple(p.method for p in phases(Pipeline.step))):
        words.complaints.append(f"sim.model.Pipeline.step: submodels are {tuple(PARTS)}, and the month is {order}")
    arithmetic = ("sim.entrepreneurs.draws", "sim.entrepreneurs.draws.word_to_uniform", "sim.entrepreneurs.arithmetic")
    yield Section(2, words.head("numbers"), "\n\n".join(words.doc(part) for part in arithmetic))


def _below(words: Words, phase: str, scenario: Scenario | None, told: set[str]) -> Iterator[Section]:
    """What a phase has below its heading."""
    if phase == "share_demand":
        yield _parameters(words, Market, "market", scenario)
    elif phase == "arrive":
        yield _parameters(words, Arrivals, "arrivals", scenario)
    elif phase == "govern":
        said = parameter_table(words, PolicyInstrument)
        yield Section(3, words.head("common"), said)
        yield from (_instrument(words, type, kind) for type, kind in instruments(scenario))
        for i in scenario.policy if scenario else ():
            yield _stated(words, scenario, "policy", i)
    elif phase == "live":
        yield from _verbs(words, told)
        yield from _behaviour(words, scenario)
    elif phase == "progress":
        yield Section(3, words.head("of_a_stage"), parameter_table(words, Stage))
        for stage in scenario.chain if scenario else ():
            yield _stated(words, scenario, "chain", stage)
    elif phase == "observe":
        yield from outputs(words)


def _parameters(words: Words, model: Any, path: str, scenario: Scenario | None) -> Section:
    said = f"{words.doc(f'{model.__module__}.{model.__qualname__}')}\n\n"
    return Section(
        3, words.head("parameters", path=path), said + parameter_table(words, model, path, scenario=scenario)
    )


def _stated(words: Words, scenario: Scenario | None, section: str, entry: Stage | PolicyInstrument) -> Section:
    """A stage or an instrument as the scenario has it."""
    assert scenario is not None
    called = safe(labels(scenario.resolved(), words.lang)[entry.id])
    said = stated_table(words, type(entry), f"{section}.{entry.id}", scenario)
    return Section(3, words.head("stated", name=called, path=f"{section}.{entry.id}"), said)


def _told(words: Words, part: str) -> str:
    return f"**{words.head('called', name=part.rpartition('.')[2])}** {words.doc(part)}"


def _rules(words: Words, function: Callable[..., Any], told: set[str]) -> list[str]:
    """The rules that a function comes down to, each told once in the whole."""
    reached = _reached(function)
    new, known = ([rule for rule in reached if (rule in told) is before] for before in (False, True))
    told.update(new)
    above = words.head("above", rules=words.head("comma").join(f"`{rule}`" for rule in known))
    return [*(_told(words, f"{rules.__name__}.{rule}") for rule in new), *([above] if known else [])]


def _verbs(words: Words, told: set[str]) -> Iterator[Section]:
    """A founder's month: each verb of the agent, and the rules that it calls."""
    for verb in (*(p.method for p in phases(Entrepreneur.step)), "tally"):
        part = f"sim.entrepreneurs.agent.Entrepreneur.{verb}"
        said = [words.doc(part), *_rules(words, getattr(Entrepreneur, verb), told)]
        yield Section(3, words.head(f"verb_{verb}"), "\n\n".join(said))


def _behaviour(words: Words, scenario: Scenario | None) -> Iterator[Section]:
    for group in fields(Behaviour):
        what = shape(Behaviour, group)
        assert what is not None
        assert what.model is not None
        yield _parameters(words, what.model, f"behaviour.{group}", scenario)


def _instrument(words: Words, type: str, kind: type[PolicyInstrument]) -> Section:
    """An instrument: what it is, what it does in its own words, its parameters."""
    module, own = kind.__module__, f"{kind.__module__}.{kind.__qualname__}"
    said = []
    if module.startswith("sim."):
        said.append(words.doc(module))
    title, *more = blocks(kind.__doc__)
    if len(title.text) > _SHORT or not said:
        said.append(words.doc(own, kind.__doc__))
    elif more:
        said.append(words.doc(own, kind.__doc__).partition("\n\n")[2])
    if "cost" in vars(kind):
        said.append(words.head("in_cash" if kind.in_cash else "in_kind"))
    said += [f"**{_label(words, n)}** {words.doc(f'{owner}.{n}', doc)}" for owner, n, doc in _functions(kind)]
    said.append(parameter_table(words, kind, without=PolicyInstrument))
    return Section(
        3, words.head("instrument", name=name("policy", type, words.lang), type=type), "\n\n".join(filter(None, said))
    )


def _label(words: Words, method: str) -> str:
    return words.head(f"m_{method}") if method in _METHODS else words.head("called", name=method.lstrip("_"))


def _functions(kind: type[PolicyInstrument]) -> Iterator[tuple[str, str, str]]:
    """The documented functions of an instrument's file: owner, name and docstring; its own in a month's order."""
    owned = {n: _doc(f) for n, f in vars(kind).items()}
    order = sorted(owned, key=lambda n: _METHODS.index(n) if n in _METHODS else len(_METHODS))
    yield from ((f"{kind.__module__}.{kind.__qualname__}", n, owned[n]) for n in order if owned[n])
    if not kind.__module__.startswith("sim."):
        return
    module = importlib.import_module(kind.__module__)
    for n, thing in vars(module).items():
        if getattr(thing, "__module__", "") != module.__name__ or thing is kind or n.startswith("_"):
            continue
        if inspect.isclass(thing):
            yield from ((f"{module.__name__}.{n}", m, doc) for m, f in vars(thing).items() if (doc := _doc(f)))
        elif doc := _doc(thing):
            yield module.__name__, n, doc


def _doc(thing: Any) -> str:
    """The docstring of a function or property that belongs to the model; else nothing."""
    function = thing.fget if isinstance(thing, property) else inspect.unwrap(thing) if callable(thing) else None
    if not inspect.isfunction(function) or function.__name__ in _NOT_THE_MODEL:
        return ""
    return function.__doc__ or ""
