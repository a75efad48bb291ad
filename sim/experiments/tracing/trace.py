"""One life, told: each event with its draw, its threshold and its parameters; and the same life under two policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any

from sim.entrepreneurs.streams import Stream
from sim.errors import SimError
from sim.experiments.tracing.event import Event, Setting
from sim.experiments.tracing.events import after_horizon, before_horizon, events
from sim.experiments.tracing.seen import Month as Seen
from sim.experiments.tracing.witness import Relived
from sim.model import Pipeline
from sim.observation import month_label
from sim.scenario.schema import Scenario
from sim.shown import Shown

__all__ = [
    "AFTERWARDS",
    "CLOSED",
    "MOVED",
    "Difference",
    "Event",
    "Life",
    "Month",
    "NobodyError",
    "difference",
    "nobody",
    "received",
    "tell",
    "trace",
]

CLOSED = ("insolvent", "quit", "left_city")
AFTERWARDS = ("employee", "restart", "leaves")
MOVED = ("admitted", "tenancy_ended", "fell_back")
LASTING = ("paid", "helped", "repaid", "refused", "unseated", "turned_away")

Key = tuple[Any, ...]

_NOT_HIS = ("applicants", "admitted", "last", "needed")
"""Numbers of an event that are others' or the rule's: they may differ while his life does not."""

_ALIKE, _CASH = 0.01, 1.0
"""assumed: two lives are told as one while their numbers differ by less than 1 %, or cash by less than 1 CNY. Shops
that compete feel a policy for others from its first month on, but so little that no story tells it."""


class NobodyError(SimError):
    """There is no entrepreneur of this identity in the run."""


@dataclass(frozen=True)
class Month:
    """A month of a life: what happened, and how he stood.

    `state` has sales and wanted and expected income (CNY/month; expected counts the annuity of his cash), smoothed
    annual sales (CNY/year), cash (CNY), staff, whether he reviewed his shop, the stages that he waits for and that he
    qualified for without asking (or None).
    """

    month: int
    date: str
    events: tuple[Event, ...]
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Life(Shown):
    """A life within the horizon, month by month; `highest` is the highest stage that he reached."""

    scenario: Scenario
    uid: int
    seed: int
    replicate: int
    months: tuple[Month, ...]
    highest: str

    @property
    def closed(self) -> Event | None:
        """The event of closing, if he closed."""
        return next((e for e in self.months[-1].events if e.kind in CLOSED), None)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The whole story: events, and the quiet spells between them."""
        return tell(self.months)

    def __repr__(self) -> str:
        return f"<Life of {self.uid} over {len(self.months)} months>"


def trace(
    scenario: Scenario,
    uid: int,
    *,
    seed: int | None = None,
    replicate: int = 0,
    threads: int = 1,
    month_done: Callable[[int], None] | None = None,
    past: Pipeline | None = None,
) -> Life:
    """Live a replicate again and tell one entrepreneur's life in it; it stops where he closes.

    Parameters
    ----------
    uid
        Identity, as in the `entrepreneurs` table.
    seed, replicate, threads, month_done, past
        As for `sim.simulate`.

    Raises
    ------
    NobodyError
        Nobody of this identity arrives, nor was there at the start.
    RunError
        His month worked out again differs from what the engine wrote: a bug.
    """
    model = Relived(scenario, uid, rng=seed, replicate=replicate, threads=threads, past=past)
    first_shop = uid % 10 == 0
    while model.running and (model.present or not model.seen):
        model.step()
        if month_done:
            month_done(model.month)
        if first_shop and not model.seen and model.calendar > uid // 10**7:
            break  # his cohort has come without him
    if not model.seen:
        raise nobody(uid, model.tables()["entrepreneurs"]["uid"].tolist())
    setting, last = Setting(scenario), model.seen[-1]
    told = [list(events(seen, setting)) for seen in model.seen]
    if not model.seen[0].arrival:
        told[0].insert(0, before_horizon(model.seen[0], setting))
    if model.present:
        told[-1].append(after_horizon(last, setting))
    months = tuple(
        Month(seen.month, month_label(seen.calendar), said, _state(seen, setting))
        for seen, said in zip(model.seen, _once(told), strict=True)
    )
    highest = setting.places[(last.closing or last.end)["highest"]]
    return Life(scenario, uid, scenario.seed if seed is None else seed, replicate, months, highest)


def nobody(uid: int, known: Sequence[int]) -> NobodyError:
    """The error for an identity that is not among those known: names the nearest and the range."""
    if not known:
        return NobodyError(f"nobody is {uid} in this run: it has no entrepreneurs")
    near, low, high = min(known, key=lambda other: (abs(other - uid), other)), min(known), max(known)
    return NobodyError(f"nobody is {uid} in this run (nearest: {near}; there are {len(known)}, from {low} to {high})")


def _once(told: Sequence[Sequence[Event]]) -> Iterator[tuple[Event, ...]]:
    """Without what needs telling but once: the first staff, a draw for life; debt again within a year."""
    before: dict[tuple[str, Any], int] = {}
    for said in told:
        kept = []
        for event in said:
            key = (event.kind, event.numbers.get("instrument"))
            again = key in before
            if event.kind == "overdrawn":
                again = again and event.month - before[key] < 12
            if not (again and event.kind in ("first_staff", "ineligible", "overdrawn")):
                kept.append(event)
                before[key] = event.month
        yield tuple(kept)


def _state(seen: Seen, setting: Setting) -> dict[str, Any]:
    d, end = seen.decision, seen.end
    assert d is not None
    idle = [a.stage for a in seen.applications if not a.asked]
    return {
        "stage": setting.at(end["house"])[0],
        "sales": end["sales"],
        "smoothed": end["smoothed"],
        "cash": end["cash"] / 100,
        "staff": end["staff"],
        "reviewed": d.luck[Stream.REVIEW] < setting.constants.review,
        "expected": d.believed + d.annuity,
        "wanted": end["reservation"],
        "listed": setting.places[seen.listed - 1] if seen.listed else None,
        "idle": setting.places[idle[0]] if idle else None,
    }


# quiet spells ---------------------------------------------------------------------------------------------------------


def tell(months: Sequence[Month]) -> tuple[Event, ...]:
    """Events in full, but what goes on from month to month (a rent relief, a waiting list) only when it begins.

    Months without news become events of kind ``spell``: how he fared, and what went on.
    """
    story: list[Event] = []
    quiet: list[Month] = []
    going_on: set[Key] = set()
    for month in months:
        news = [e for e in month.events if _key(e) not in going_on]
        if news:
            story += [*_spell(quiet), *news]
            quiet = []
        else:
            quiet.append(month)
        moved = any(e.kind in MOVED for e in month.events)
        going_on = set() if moved else {key for e in month.events if (key := _key(e))}
    return (*story, *_spell(quiet))


def _key(event: Event) -> Key | None:
    """What makes an event of next month the same again; None if it is news whenever it happens."""
    about = {name: event.numbers[name] for name in ("instrument", "stage") if name in event.numbers}
    return (event.kind, *about.values()) if event.kind in LASTING else None


def received(months: Sequence[Month]) -> dict[str, tuple[int, float]]:
    """What each instrument paid for him: how often, and CNY in all."""
    sums: dict[str, tuple[int, float]] = {}
    for event in _all(months, "paid"):
        times, paid = sums.get(event.numbers["instrument"], (0, 0.0))
        sums[event.numbers["instrument"]] = (times + 1, paid + event.numbers["paid"])
    return {instrument: (times, round(paid, 2)) for instrument, (times, paid) in sums.items()}


def _all(months: Sequence[Month], kind: str) -> list[Event]:
    return [e for month in months for e in month.events if e.kind == kind]


def _spell(quiet: Sequence[Month]) -> list[Event]:
    """A spell as one event; nothing for a single month in which he did not even review his shop."""
    states = [month.state for month in quiet]
    reviews = [s for s in states if s["reviewed"]]
    if not quiet or (len(quiet) == 1 and not reviews):
        return []
    numbers: dict[str, Any] = {
        "until": quiet[-1].date,
        "months": len(quiet),
        "lowest": min(s["sales"] for s in states),
        "highest": max(s["sales"] for s in states),
        "cash": states[-1]["cash"],
        "staff": states[-1]["staff"],
        "reviews": len(reviews),
        "closest": min((s["expected"] for s in reviews), default=None),
        "wanted": states[-1]["wanted"],
        "short": sum(s["expected"] < s["wanted"] for s in states),
        "paid": received(quiet),
        "listed": dict(Counter(s["listed"] for s in states if s["listed"])),
        "idle": dict(Counter(s["idle"] for s in states if s["idle"])),
    }
    leaving = ("behaviour.exit.review", "behaviour.exit.annuity_months", "behaviour.exit.reservation_share")
    behind = (*(leaving if reviews else ()), *(f"chain.{stage}.apply" for stage in numbers["idle"]))
    return [Event("spell", quiet[0].month, quiet[0].date, numbers, parameters=behind)]


# twins ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """Where two lives part: the first month in which anything differs, and the first in which it is worth telling.

    `what` names what differs then: kinds of events, ``threshold`` if only a rule does, ``life`` if one has closed, or
    entries of `Month.state`. None if nothing ever does.
    """

    exact: int | None
    told: int | None
    what: tuple[str, ...] = ()


def difference(one: Life, other: Life) -> Difference:
    """Where two lives of the same person part. Months count from the horizon's start."""
    exact = None
    for a, b in zip_longest(one.months, other.months):
        if a == b:
            continue
        at = (a or b).month
        exact = at if exact is None else exact
        what = _differing(a, b) if a and b else ("life",)
        if what:
            return Difference(exact, at, what)
    return Difference(exact, None)


def _differing(a: Month, b: Month) -> tuple[str, ...]:
    kinds = [{e.kind for e in month.events} for month in (a, b)]
    if kinds[0] != kinds[1]:
        return tuple(sorted(kinds[0] ^ kinds[1]))
    if len(a.events) != len(b.events):
        return tuple(sorted(kinds[0]))
    events = [name for x, y in zip(a.events, b.events, strict=True) if (name := _differing_event(x, y))]
    states = [name for name, value in a.state.items() if not _alike(name, value, b.state[name])]
    return tuple(dict.fromkeys(events)) or tuple(n for n in states if n not in ("expected", "wanted"))


def _differing_event(x: Event, y: Event) -> str | None:
    """Its kind, or ``threshold`` where all is the same but what it was held against; None if nothing differs."""
    ours, theirs = ({n: v for n, v in e.numbers.items() if n not in _NOT_HIS} for e in (x, y))
    if (x.kind, x.draw) != (y.kind, y.draw) or not _alike("", ours, theirs):
        return x.kind
    limits = [(e.threshold, e.numbers.get("needed"), e.parameters) for e in (x, y)]
    return None if limits[0] == limits[1] else "threshold"


def _alike(name: str, x: Any, y: Any) -> bool:
    if isinstance(x, Mapping) and isinstance(y, Mapping):
        return x.keys() == y.keys() and all(_alike(n, x[n], y[n]) for n in x)
    if not isinstance(x, float) or not isinstance(y, float):
        return bool(x == y)
    return abs(x - y) <= _ALIKE * max(abs(x), abs(y)) + (_CASH if name in ("cash", "debt") else 0.0)
