"""A month of the exhibit in words: numbers as they are read, and the answer so far in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.presentation.catalogue import Lang, scale, text
from sim.presentation.digits import written

__all__ = ["frame", "headline", "money", "month"]


def month(date: str, lang: Lang) -> str:
    """A month as it is said: 2027年3月, Mar 2027."""
    year, number = date.split("-")
    return text("app.date", lang, year=year, month=text("app.months", lang).split()[int(number) - 1])


def money(cny: float, lang: Lang, *, sign: bool = False, unit: str = "CNY") -> str:
    """An amount in CNY with its unit; without it (``count``) where it stands beside."""
    by, unit = scale(cny, unit, lang)
    gap = " " if lang == "en" and unit else ""
    amount = round(cny / by, 0 if abs(cny / by) >= 10 else 1)
    return f"{written(amount, 0 if amount.is_integer() else 1, sign=sign)}{gap}{unit}"


def frame(picture: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """A picture of `Session.picture` with its numbers written out; on the reform's side also how they differ."""
    base, _ = picture["sides"]
    sides = [side | {"numbers": _numbers(side, side is not base and base, lang)} for side in picture["sides"]]
    return {**picture, "sides": sides, "date": month(picture["date"], lang)}


def _numbers(side: Mapping[str, Any], base: Any, lang: Lang) -> dict[str, list[str]]:
    """By name: the number, and under it how it differs from the base, or what it consists of."""

    def two(now: float, before: float, said: str = "") -> list[str]:
        return [said or f"{now:,.0f}", "" if not base or now == before else written(now - before, 0, sign=True)]

    closed, others = sum(side["closed"].values()), sum(base["closed"].values()) if base else 0
    waiting = sum(s["waiting"] for s in side["stages"])
    waited = sum(s["waiting"] for s in base["stages"]) if base else 0
    why = [f"{text(f'app.exit.{r}', lang)} {n:,}" for r, n in side["closed"].items() if n]
    spent = money(side["spent"], lang, unit="count")
    extra = side["spent"] - base["spent"] if base else 0.0
    return {
        "living": two(side["living"], base["living"] if base else 0),
        "arrived": two(side["at_start"] + side["arrived"], base["at_start"] + base["arrived"] if base else 0),
        "closed": two(closed, others),
        "waiting": two(waiting, waited),
        "spent": [spent, money(extra, lang, sign=True, unit="count") if round(extra) else ""],
        "why": why,
    }


def headline(picture: Mapping[str, Any], lang: Lang) -> str:
    """The answer so far: who trades on either side, who is saved and lost, and for how much money."""
    if not picture["changed"]:
        return text("app.say.start" if not picture["month"] else "app.say.same", lang)
    if not picture["month"]:
        return text("app.say.ready", lang)
    base, reform = picture["sides"]
    extra = reform["spent"] - base["spent"]
    key = "even" if not round(extra) else "more" if extra > 0 else "less"
    return text(
        "app.say.differ",
        lang,
        date=month(picture["date"], lang),
        base=f"{base['living']:,}",
        reform=f"{reform['living']:,}",
        saved=f"{picture['saved']:,}",
        lost=f"{picture['lost']:,}",
        money=text(f"app.say.{key}", lang, money=money(abs(extra), lang)),
    )
