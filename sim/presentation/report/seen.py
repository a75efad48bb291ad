"""What is to be seen in a figure, in a sentence or two, computed from its data: for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sim.presentation.alluvial import of_thousand
from sim.presentation.digits import Measured
from sim.presentation.report.draft import Draft
from sim.tables import ARRIVED, EXIT_REASONS, OUTSIDE, STILL_THERE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Named", "differences", "flow", "monthly", "sizes", "spending", "survival"]

_AGES = (60, 36, 12)

_YEAR = 12


class Named(NamedTuple):
    """A number and what it is of."""

    name: str
    number: Measured


def survival(curves: pd.DataFrame, draft: Draft, called: dict[str, str] | None = None) -> str:
    """Survival at the ages that all groups have reached, or of the group that lives longest and shortest."""
    if curves.empty:
        return draft.say("seen.nothing")
    groups = {
        str(group): rows.set_index("age_months")["survival"] for group, rows in curves.groupby("group", observed=True)
    }
    if len(groups) == 1:
        only = next(iter(groups.values()))
        at = [
            draft.say("seen.alive", share=draft.percent(only[a]), age=draft.years(a))
            for a in reversed(_AGES)
            if a in only
        ]
        return draft.say("seen.survival", parts=draft.listed(at)) if at else draft.say("seen.nothing")
    age = next((a for a in _AGES if sum(a in rows for rows in groups.values()) >= 2), None)
    if age is None:
        return draft.say("seen.young")
    known = {group: float(rows[age]) for group, rows in groups.items() if age in rows}
    names = {group: (called or {}).get(group) or _group(group, draft) for group in known}
    least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    ends = {"most": names[most], "most_share": draft.percent(known[most])}
    ends |= {"least": names[least], "least_share": draft.percent(known[least])}
    return draft.say("seen.groups", age=draft.years(age), **ends)


def _group(group: str, draft: Draft) -> str:
    kind, _, value = group.partition("=")
    if kind == "cohort_year":
        return draft.say("seen.cohort", year=value)
    return draft.name("stage" if kind == "highest_stage" else kind, value)


def flow(moves: pd.DataFrame, draft: Draft) -> str:
    """Where those who arrive end, out of a thousand."""
    arrived = int(moves.loc[moves["source"] == ARRIVED, "moves"].sum())
    if not arrived:
        return draft.say("seen.nothing")

    def people(mask: pd.Series[bool]) -> str:
        return of_thousand(int(moves.loc[mask, "moves"].sum()) / arrived)

    first = str(moves.loc[moves["source"] == ARRIVED, "target"].iloc[0])
    source, target = moves["source"], moves["target"]
    still = target == STILL_THERE
    on = (source == first) & ~target.isin([STILL_THERE, *EXIT_REASONS])
    return draft.say(
        "seen.flow",
        stage=draft.name("stage", first),
        still=people(still & (source == first)),
        closed=people(target.isin(EXIT_REASONS)),
        on=people(on),
        chain=people(still & ~source.isin([first, OUTSIDE])),
        outside=people(still & (source == OUTSIDE)),
    )


def monthly(months: pd.DataFrame, column: str, draft: Draft) -> str:
    """The last year of a month by month figure, stage by stage."""
    limited = months.dropna(subset=["utilisation"])
    last = limited[limited["month"] > limited["month"].max() - _YEAR]
    means = last.groupby("stage", observed=True, sort=False)[column].mean()
    if means.empty:
        return draft.say("seen.nothing")
    percent = column == "utilisation"
    said = [
        draft.say("seen.of", name=draft.name("stage", str(stage)), number=draft.percent(x) if percent else _plain(x))
        for stage, x in means.items()
    ]
    return draft.say(f"seen.{column}", parts=draft.listed(said))


def _plain(value: float) -> str:
    return Measured(value).said()


def sizes(tail: pd.DataFrame, draft: Draft) -> str:
    """What half, a tenth and a hundredth of the shops sell at least."""
    if tail.empty:
        return draft.say("seen.nothing")

    def reached(share: float) -> str:
        above = tail[tail["share_above"] >= share]["sales_cny"]
        return draft.amount(float(above.max()) if len(above) else 0.0, "CNY")

    return draft.say("seen.sizes", half=reached(0.5), tenth=reached(0.1), hundredth=reached(0.01))


def spending(yearly: pd.DataFrame, draft: Draft) -> str:
    """What is paid in a middle year, and for what most."""
    if yearly.empty:
        return draft.say("seen.nothing")
    years = sorted(set(yearly["year"]))
    year = years[-2] if len(years) > 1 else years[0]  # the last may be covered in part
    paid = yearly[yearly["year"] == year].set_index("instrument")["paid_cny"]
    most = str(paid.idxmax())
    said = {"instrument": draft.name("policy", most), "share": draft.percent(float(paid.max() / paid.sum()))}
    return draft.say("seen.spending", year=year, paid=draft.amount(float(paid.sum()), "CNY"), **said)


def differences(found: Sequence[Named], unit: str, draft: Draft) -> str:
    """The largest and the smallest of some differences, and how many of them may be 0."""
    known = [each for each in found if each.number.known]
    if not known:
        return draft.say("seen.nothing")
    clear = [each for each in known if each.number.clear]
    if not clear:
        return draft.say("seen.none_clear", count=len(known))
    most, least = (pick(clear, key=lambda each: each.number.value) for pick in (max, min))
    unit = f" {unit}" if unit and draft.lang == "en" else unit
    said = [f"{each.name} {each.number.give_or_take()}{unit}" for each in dict.fromkeys((most, least))]
    rest = (
        draft.say("seen.unclear", unsure=len(known) - len(clear), count=len(known)) if len(known) > len(clear) else ""
    )
    key = "seen.one" if len(said) == 1 else "seen.ends"
    return draft.say(key, most=said[0], least=said[-1]) + rest
