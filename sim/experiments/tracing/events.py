"""What was seen of an entrepreneur's month, told as events: what happened, by which draw, under which parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.chain.stage import Stage
from sim.entrepreneurs.arithmetic import exp
from sim.entrepreneurs.arrivals import CHANNELS, EDUCATION, ORIGINS
from sim.entrepreneurs.columns import COLUMNS
from sim.entrepreneurs.kernel import EXIT, LOW_MONTHS
from sim.entrepreneurs.leaving import EMPLOYEE, GONE, RESTART
from sim.entrepreneurs.rules import LEFT_CITY, QUIT
from sim.entrepreneurs.streams import Stream
from sim.experiments.tracing.event import Event, Setting, Teller
from sim.experiments.tracing.seen import Act, Application, Arrival, Decision, Drawn, Leaving, Month, Move, Row
from sim.observation import month_label

__all__ = ["after_horizon", "before_horizon", "events"]

_TRAITS = {
    "education": (EDUCATION, Stream.EDUCATION),
    "origin": (ORIGINS, Stream.ORIGIN),
    "channel": (CHANNELS, Stream.CHANNEL),
}

_AFTER = {EMPLOYEE: "employee", RESTART: "restart", GONE: "leaves"}

_NEVER = 10**6
"""Months: what `sim.entrepreneurs.leaving` gives for never."""


def events(seen: Month, setting: Setting) -> tuple[Event, ...]:
    """What happened to him in a month, in the order of the month."""
    tell = Teller(seen)
    found: list[Event] = []
    if seen.arrival:
        found += _arrival(tell, seen.arrival, setting)
    for act in seen.acts:
        found += _act(tell, act, setting)
    if seen.decision:
        found += _trade(tell, seen.decision, setting)
    found += _chain(tell, setting)
    if seen.decision and seen.end["call"] & EXIT:
        found.append(_exit(tell, seen.decision, setting))
    for act in seen.settled:
        found += _act(tell, act, setting)
    if seen.leaving:
        found.append(_afterwards(tell, seen.leaving, setting))
    return tuple(found)


# arriving -------------------------------------------------------------------------------------------------------------


def _arrival(tell: Teller, arrival: Arrival, setting: Setting) -> Iterator[Event]:
    row, luck, attempt = tell.seen.opening, arrival.luck, tell.seen.opening["uid"] % 10
    stage, facility = setting.at(row["house"])
    traits: dict[str, Any] = {trait: names[row[trait]] for trait, (names, _) in _TRAITS.items()}
    count = setting.scenario.chain[0].facilities
    where: dict[str, Any] = {"stage": stage, "facility": facility, "facilities": count, "house": row["house"]}
    yield tell(
        "arrived",
        f"chain.{stage}.facilities",
        draw=luck[Stream.HOUSE],
        uid=row["uid"],
        attempt=attempt,
        **where,
        **traits,
    )
    if not attempt:
        for (trait, (_, stream)), cumulated in zip(_TRAITS.items(), setting.scenario.arrivals.shares(), strict=True):
            low, high = ([0.0, *cumulated.tolist()[:-1], 1.0][row[trait] + k] for k in (0, 1))
            if high - low < 1.0:
                what: dict[str, Any] = {"trait": trait, "value": traits[trait], "low": low, "high": high}
                path = f"arrivals.{trait}.{traits[trait]}"
                yield tell("trait", path, draw=luck[stream], threshold=high, **what)
    entry, leaving, market = "behaviour.entry", "behaviour.exit", tell.seen.market
    yield tell(
        "entry_level", f"{entry}.sales_median", f"{entry}.sales_sd",
        draw=luck[Stream.FIRST_SALES], sales=exp(row["level"] + market),
    )  # fmt: skip
    yield tell(
        "potential", f"{entry}.gap_mean", f"{entry}.gap_sd", draw=luck[Stream.GAP], sales=exp(row["potential"] + market)
    )
    yield tell("start_cash", f"{entry}.cash_median", f"{entry}.cash_sd", draw=luck[Stream.CASH], cash=row["cash"] / 100)
    yield tell(
        "reservation", f"{leaving}.outside_wage", f"{leaving}.reservation_share", f"{leaving}.reservation_sd",
        f"{leaving}.reservation_potential", draw=luck[Stream.RESERVATION], income=row["reservation"],
    )  # fmt: skip
    own = arrival.guess >= arrival.break_even
    behind = [f"{entry}.gap_mean"] if own else ["behaviour.money.margin", f"{leaving}.annuity_months"]
    yield tell(
        "belief", f"{entry}.optimism", *behind, sales=exp(row["belief"] + market), guess=arrival.guess,
        break_even=arrival.break_even, by="guess" if own else "break_even",
    )  # fmt: skip


# policy ---------------------------------------------------------------------------------------------------------------


def _act(tell: Teller, act: Act, setting: Setting) -> Iterator[Event]:
    """What an instrument did, whatever its type: told by what changed in his row, in the books and in its draws."""
    before, after = act.before, act.after
    paid, cash = after["received"] - before["received"], after["cash"] - before["cash"] - act.lent + act.repaid
    changed = _effects(before, after)
    hit = next((d for d in reversed(act.draws) if d.value < d.chance), None)
    missed = next((d for d in act.draws if d.for_life and d.value >= d.chance), None)
    his = [setting.at(before["house"])[0], *(names[before[trait]] for trait, (names, _) in _TRAITS.items())]
    numbers = setting.of_instrument(act.instrument.id, his)
    told = {d.chance for d in (hit, missed) if d} | {paid / 100, act.refused / 100, act.lent / 100}
    told |= {size for size in changed.values() if not isinstance(size, str)}
    near = [p for p, v in numbers.items() if any(abs(v - t) < 1e-9 * abs(v) for t in told)]
    paths = (*near, *(p for p in numbers if p not in near))

    def happened(kind: str, drawn: Drawn | None = hit, **more: Any) -> Event:
        luck = (drawn.value, drawn.chance) if drawn else (None, None)
        for_life = drawn is not None and drawn.for_life
        about = {"instrument": act.instrument.id, "for_life": for_life, **more}
        return tell(kind, *paths, draw=luck[0], threshold=luck[1], **about)

    if paid > 0:
        yield happened("paid", paid=paid / 100, in_cash=cash > 0, effects=changed)
    elif changed:
        yield happened("helped", effects=changed)
    if act.lent:
        yield happened("lent", lent=act.lent / 100)
    if act.repaid:
        yield happened("repaid", None, repaid=act.repaid / 100)
    if act.refused:
        yield happened("refused", refused=act.refused / 100)
    if act.unseated:
        yield happened("unseated")
    if missed:
        yield happened("ineligible", missed)


def _effects(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float | str]:
    """What changed in his row beside money and the instrument's own memory: logs as shares, traits by their ids."""
    changed: dict[str, float | str] = {}
    for name, column in COLUMNS.items():
        if name in ("cash", "received") or before[name] == after[name]:
            continue
        if name in _TRAITS:
            changed[name] = _TRAITS[name][0][after[name]]
        elif column.unit.startswith("log"):
            changed[name] = round(exp(after[name] - before[name]) - 1.0, 12)  # so that 0.07 is 0.07 again
        else:
            changed[name] = after[name] - before[name]
    return changed


# trading and deciding -------------------------------------------------------------------------------------------------


def _trade(tell: Teller, d: Decision, setting: Setting) -> Iterator[Event]:
    start, end, c, money = tell.seen.start, tell.seen.end, setting.constants, "behaviour.money"
    if start["age"] == 0:
        yield tell(
            "first_sales", f"{money}.margin", f"{money}.living_cost", sales=end["sales"], rent=end["rent"],
            income=end["income"], household=d.household, cash=end["cash"] / 100,
        )  # fmt: skip
    if start["staff"] == 0 < end["staff"]:
        yield tell(
            "first_staff", f"{money}.first_employee_at", f"{money}.staff_exponent",
            threshold=float(setting.scenario.behaviour.money.first_employee_at), staff=end["staff"], sales=end["sales"],
        )  # fmt: skip
    if start["cash"] >= 0 > end["cash"] and not end["call"] & EXIT:
        yield tell("overdrawn", f"{money}.credit_line", threshold=-c.credit_fen / 100, debt=-end["cash"] / 100)
    if d.luck[Stream.JUMP] < c.jump_chance and not end["call"] & EXIT:
        growth = "behaviour.growth"
        yield tell(
            "jump", f"{growth}.jump_chance", f"{growth}.jump_mean", f"{growth}.jump_stays",
            draw=d.luck[Stream.JUMP], threshold=c.jump_chance, size_draw=d.luck[Stream.JUMP_SIZE],
            up=d.leap > 0, size=exp(d.leap) - 1.0, stays=exp(c.jump_stays * d.leap) - 1.0,
        )  # fmt: skip


def _exit(tell: Teller, d: Decision, setting: Setting) -> Event:
    end, c = tell.seen.end, setting.constants
    stage, _ = setting.at(end["house"])
    reason = end["call"] & EXIT
    cash = {"stage": stage, "age": end["age"], "cash": end["cash"] / 100}
    if reason == LEFT_CITY:
        path, draw = "behaviour.exit.chance_per_year", d.luck[Stream.CHANCE]
        return tell("left_city", path, draw=draw, threshold=c.chance, **cash)
    if reason == QUIT:
        leaving = "behaviour.exit"
        return tell(
            "quit", f"{leaving}.review", f"{leaving}.annuity_months", "behaviour.money.margin",
            f"{leaving}.outside_wage", f"{leaving}.reservation_share",
            draw=d.luck[Stream.REVIEW], threshold=c.review, believed=d.believed, annuity=d.annuity,
            wanted=end["reservation"], **cash,
        )  # fmt: skip
    return tell("insolvent", "behaviour.money.credit_line", threshold=-c.credit_fen / 100, **cash)


def _afterwards(tell: Teller, leaving: Leaving, setting: Setting) -> Event:
    """What becomes of him; who leaves for family, health or another city does not stay, whatever he draws."""
    exit, after = setting.scenario.behaviour.exit, _AFTER[leaving.after]
    gone = tell.seen.end["call"] & EXIT == LEFT_CITY
    ever = leaving.wait < _NEVER
    then = {
        "wait": leaving.wait if ever else None,
        "date": month_label(tell.seen.calendar + leaving.wait) if ever else None,
        "next_uid": tell.seen.end["uid"] + 1 if leaving.after == RESTART else None,
    }
    paths = {"employee": ["leaves_later"], "restart": ["restarts"], "leaves": []}[after]
    if gone:
        return tell(after, by_choice=False)
    behind = [f"behaviour.exit.{p}" for p in ("stays", *paths)]
    more = then if leaving.after != GONE else {}
    return tell(after, *behind, draw=leaving.luck, threshold=float(exit.stays), by_choice=True, **more)


# the chain ------------------------------------------------------------------------------------------------------------


def _chain(tell: Teller, setting: Setting) -> Iterator[Event]:
    seen = tell.seen
    if not seen.end or seen.end["call"] & EXIT:
        return
    move, listed = seen.move, seen.listed
    admitted = move is not None and move.reason == "admitted"
    if seen.start["waiting"] and not listed and not admitted:
        yield _off_list(tell, setting.scenario.chain[seen.start["waiting"] - 1])
    for asked in seen.applications:
        entered = admitted and move is not None and move.entered == asked.stage
        if asked.asked and not entered:
            yield _application(tell, asked, setting, "turned_away", listed=listed == asked.stage + 1)
        elif entered and move is not None:
            _, facility = setting.at(move.house)
            yield _application(
                tell, asked, setting, "admitted", left=setting.places[move.left], months=move.months, facility=facility,
                house=move.house,
            )  # fmt: skip
    if move and not admitted:
        yield _removal(tell, move, setting)


def _application(tell: Teller, asked: Application, setting: Setting, kind: str, **more: Any) -> Event:
    end, stage = tell.seen.end, setting.scenario.chain[asked.stage]
    by_sales = end["smoothed"] >= stage.threshold
    by_draw = asked.since is None and not asked.over and tell.seen.decision is not None
    paths = ["threshold" if by_sales else "or_net_income", *(["apply"] if by_draw else []), "places", "facilities"]
    paths += [name for name in ("max_age", "growth") if getattr(stage, name) is not None]
    rule = stage.admission
    ranks = {"rank": asked.rank, "last": asked.last}
    if rule == "waiting":
        ranks = {k: None if v is None else month_label(int(-v)) for k, v in ranks.items()}  # type: ignore[misc]
    return tell(
        kind,
        *(f"chain.{stage.id}.{name}" for name in paths if getattr(stage, name) is not None),
        draw=tell.seen.decision.luck[Stream.APPLY] if by_draw and tell.seen.decision else None,
        threshold=float(stage.apply) if by_draw else None,
        stage=stage.id,
        by="sales" if by_sales else "income",
        found=end["smoothed"] if by_sales else end["income"],
        needed=float(stage.threshold if by_sales else stage.or_net_income or 0.0),
        asked="listed" if asked.since is not None else "over" if asked.over else "drew",
        waited=0 if asked.since is None else tell.seen.calendar - asked.since,
        applicants=asked.applicants,
        admitted=asked.admitted,
        rule=rule,
        **ranks,
        **more,
    )


def _off_list(tell: Teller, stage: Stage) -> Event:
    """He waited, and does not qualify any more: too small, too old, or not growing."""
    end = tell.seen.end
    large = end["smoothed"] >= stage.threshold or (stage.or_net_income or float("inf")) <= end["income"]
    why = "threshold" if not large else "growth" if stage.max_age is None or end["age"] <= stage.max_age else "max_age"
    return tell("off_list", f"chain.{stage.id}.{why}", stage=stage.id, why=why, age=end["age"], found=end["smoothed"])


def _removal(tell: Teller, move: Move, setting: Setting) -> Event:
    """A tenancy that ended, or a step back."""
    left, (entered, facility), end = setting.places[move.left], setting.at(move.house), tell.seen.end
    where: dict[str, Any] = {
        "left": left,
        "entered": entered,
        "facility": facility,
        "house": move.house,
        "months": move.months,
    }
    if move.reason == "tenancy_ended":
        return tell(move.reason, f"chain.{left}.tenancy", threshold=float(move.months), **where)
    stage = setting.scenario.chain[move.left]
    low: dict[str, Any] = {"low_months": LOW_MONTHS, "found": end["smoothed"], "needed": float(stage.threshold)}
    return tell(move.reason, f"chain.{left}.threshold", threshold=stage.threshold / 2, **where, **low)


# the horizon's ends ---------------------------------------------------------------------------------------------------


def before_horizon(seen: Month, setting: Setting) -> Event:
    """He was there already when the horizon began; what came before is not recorded."""
    return _standing(Teller(seen), "present", seen.opening, setting)


def after_horizon(seen: Month, setting: Setting) -> Event:
    """He is still there when the horizon ends."""
    return _standing(Teller(seen), "living", seen.closing, setting)


def _standing(tell: Teller, kind: str, row: Row, setting: Setting) -> Event:
    stage, facility = setting.at(row["house"])
    traits: dict[str, Any] = {trait: names[row[trait]] for trait, (names, _) in _TRAITS.items()}
    size = {"sales": row["sales"], "staff": row["staff"], "cash": row["cash"] / 100}
    return tell(kind, stage=stage, facility=facility, age=row["age"], uid=row["uid"], **traits, **size)
