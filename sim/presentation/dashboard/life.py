"""One founder's life as the page shows it: what was the same under both policies, then side by side, as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.experiments.tracing.trace import difference
from sim.presentation.catalogue import Lang, clean, text
from sim.presentation.story import Notes, Twins, _lines, _received

if TYPE_CHECKING:
    from sim.experiments.tracing.trace import Event, Life

__all__ = ["plain"]


def plain(lives: Sequence[Life | None], uid: int, lang: Lang, *, ended: bool) -> dict[str, Any]:
    """A life on both sides so far, as `sim trace` tells it; None where he never came.

    `ended` is whether the run is over: before, whoever still trades is told of as of today.
    """
    known = [life if ended or life is None else _until_now(life) for life in lives]
    notes = Notes(lang)
    told: dict[str, Any] = {"uid": uid, "who": text("app.life.who", lang, uid=uid), "together": [], "where": ""}
    one, other = known
    if one and other:
        twins = Twins(one, other, difference(one, other), lang)
        told["together"], *sides = (_rows(part) for part in twins._told(notes))
        told["where"] = twins._where()
    else:
        sides = [_rows(list(_lines(life, life.events, lang, notes))) if life else [] for life in known]
        told["where"] = text("app.life.one_side", lang)
    told["sides"] = sides
    told["received"] = [_received(life, lang) if life else text("app.life.never", lang) for life in known]
    told["notes"] = [[number, clean(said)] for number, said in notes]
    told["below"] = [text(key, lang) for key in ("trace.how", "answer.survival_means", "answer.cannot_validate")]
    return told


def _until_now(life: Life) -> Life:
    """His life with an open end."""
    last = life.months[-1]
    events = tuple(_still(event) for event in last.events)
    return replace(life, months=(*life.months[:-1], replace(last, events=events)))


def _still(event: Event) -> Event:
    return replace(event, kind="living_yet") if event.kind == "living" else event


def _rows(told: Sequence[tuple[int, str, str]]) -> list[list[Any]]:
    """Month, date or dates, sentence."""
    return [list(line) for line in told]
