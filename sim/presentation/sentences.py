"""What happened to an entrepreneur, each event as a sentence in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Labels, Lang, name, short, text

if TYPE_CHECKING:
    from sim.experiments.tracing.event import Event

__all__ = ["money", "sentence"]

_MONEY = (
    "annuity", "believed", "break_even", "cash", "closest", "guess", "highest", "household", "income", "lent", "lowest",
    "paid", "refused", "rent", "repaid", "sales", "wanted",
)  # fmt: skip
_STAGES = ("stage", "left", "entered")
_TRAITS = ("education", "origin", "channel")


def sentence(event: Event, lang: Lang, named: Labels | None = None) -> str:
    """An event as a sentence, without its notes. `named` has the scenario's labels of stages and instruments."""
    return _Sentence(event, lang, named or {}).told()


@dataclass(frozen=True)
class _Sentence:
    event: Event
    lang: Lang
    named: Labels

    def told(self) -> str:
        e = self.event
        return text(f"trace.event.{self._key()}", self.lang, **{**self._values(e.numbers), **self._parts()})

    def _key(self) -> str:
        """Which of a kind's sentences it is."""
        n, kind = self.event.numbers, self.event.kind
        choices = {
            "arrived": "arrived_again" if n.get("attempt") else "arrived",
            "belief": f"belief_{n.get('by')}",
            "jump": "jump_up" if n.get("up") else "jump_down",
            "paid": "paid" if n.get("in_cash") else "paid_in_kind",
            "employee": "employee" if n.get("date") else "employee_for_good",
            "off_list": f"off_list_{n.get('why')}",
            "leaves": "leaves" if n.get("by_choice") else "leaves_anyway",
        }
        return choices.get(kind, kind)

    def _values(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """Numbers as they are read."""
        values: dict[str, Any] = dict(numbers)
        for key, value in numbers.items():
            if key in _MONEY and isinstance(value, int | float):
                values[key] = money(value, self.lang)
            elif key in _STAGES:
                values[key] = short(name("stage", value, self.lang, self.named))
            elif key in _TRAITS:
                values[key] = name(key, value, self.lang)
            elif key == "instrument":
                values[key] = name("policy", value, self.lang, self.named)
        return values

    def _parts(self) -> dict[str, str]:
        """What is put together from several numbers."""
        e, n = self.event, self.event.numbers
        drew = self._drew()
        parts = {"drew": drew, "credit": money(-(e.threshold or 0.0), self.lang)}
        parts["drawn_in_brackets"] = self._part("brackets", drew=drew) if drew else ""
        if e.kind == "trait":
            parts["drawn"] = _decimals(e.draw or 0.0, e.threshold)
            kinds = {
                "trait": text(f"heading.{n['trait']}", self.lang),
                "value": name(n["trait"], n["value"], self.lang),
            }
            return parts | kinds | {key: f"{n[key]:.4g}" for key in ("low", "high")}
        if e.kind == "first_staff":
            parts["threshold"] = money(e.threshold or 0.0, self.lang)
        if e.kind == "jump":
            parts["size_draw"] = _decimals(n["size_draw"])
            parts |= {key: _change(n[key], self.lang, factor=n["size"] >= 1) for key in ("size", "stays")}
        if e.kind in ("insolvent", "overdrawn"):
            parts["debt"] = money(n["debt"] if e.kind == "overdrawn" else -n["cash"], self.lang)
        if e.kind in ("paid", "helped"):
            parts["effects"] = "".join(self._effect(what, size) for what, size in n["effects"].items())
        if e.kind in ("admitted", "turned_away"):
            parts |= self._application(n)
        if e.kind in ("fell_back", "off_list"):
            parts |= {key: money(n[key], self.lang) for key in ("found", "needed") if key in n}
        if e.kind == "spell":
            ends = dict.fromkeys(money(n[key], self.lang) for key in ("lowest", "highest"))
            parts["range"] = text("trace.to", self.lang).join(ends)
            parts["more"] = "".join(self._spell(n))
        return parts

    def _part(self, key: str, **values: object) -> str:
        return text(f"trace.part.{key}", self.lang, **values)

    def _drew(self) -> str:
        """The draw, and what it was held against; without a threshold, how many have a lower one."""
        u, limit = self.event.draw, self.event.threshold
        if u is None:
            return ""
        if limit is None:
            if self.event.kind == "arrived":
                return self._part("draw", draw=_decimals(u))
            return self._part("quantile", draw=_decimals(u), percent=int(100 * u))
        key = "hit" if u < limit else "miss"
        key = f"{key}_for_life" if self.event.numbers.get("for_life") else key
        return self._part(key, draw=_decimals(u, limit), threshold=f"{limit:.4g}")

    def _effect(self, column: str, size: float | str) -> str:
        if isinstance(size, str):
            return self._part("trait", trait=text(f"heading.{column}", self.lang), value=name(column, size, self.lang))
        if column == "relief":
            return self._part("relief", size=f"{100 * size:.4g}")
        if column in ("training", "level", "standing", "shock", "potential", "belief"):
            return self._part(column, size=_change(size, self.lang))
        return self._part("other", column=column, size=f"{size:+,.6g}")

    def _application(self, n: Mapping[str, Any]) -> dict[str, str]:
        limits = {"found": money(n["found"], self.lang), "needed": money(n["needed"], self.lang)}
        if n["admitted"] and n["applicants"] > n["admitted"]:
            queue = self._part("queue", applicants=n["applicants"], admitted=n["admitted"], last=self._rank(n["last"]))
        else:
            queue = self._part("all_in" if n["admitted"] else "full", applicants=n["applicants"])
        return {
            "condition": self._part(f"by_{n['by']}", **limits),
            "asked": self._part(f"asked_{n['asked']}", drew=self._drew(), waited=n["waited"]),
            "queue": queue,
            "listed": self._part("listed") if n.get("listed") else "",
        }

    def _rank(self, value: float | str) -> str:
        """A rank under the stage's rule of admission."""
        rule = self.event.numbers["rule"]
        if isinstance(value, str):
            return self._part("rank_waiting", rank=value)
        return self._part(f"rank_{rule}", rank=_decimals(value) if rule == "lottery" else money(value, self.lang))

    def _spell(self, n: Mapping[str, Any]) -> Iterator[str]:
        values = self._values(n)
        if n["reviews"]:
            yield self._part("reviews", reviews=n["reviews"], closest=values["closest"], wanted=values["wanted"])
        if n["short"]:
            yield self._part("short", short=n["short"], wanted=values["wanted"])
        for instrument, (times, paid) in n["paid"].items():
            called = name("policy", instrument, self.lang, self.named)
            yield self._part("paid", instrument=called, times=times, paid=money(paid, self.lang))
        for key in ("listed", "idle"):
            for stage, months in n[key].items():
                yield self._part(f"{key}_for", stage=short(name("stage", stage, self.lang, self.named)), months=months)


def money(value: float, lang: Lang) -> str:
    """An amount as it is read: 5,260元, 12.35万元; 5,260 CNY, 1.235 m CNY."""
    for by, unit in ((1e8, "亿元"), (1e4, "万元")) if lang == "zh" else ((1e9, " bn CNY"), (1e6, " m CNY")):
        if abs(value) >= by:
            return f"{value / by:,.4g}{unit}"
    return f"{round(value) + 0:,}{'元' if lang == 'zh' else ' CNY'}"


def _change(share: float, lang: Lang, *, factor: bool = False) -> str:
    """A change as it is read: +34%, −27%; as a factor: 3.58倍, × 3.58."""
    if factor:
        return text("trace.part.factor", lang, factor=f"{1 + share:,.3g}")
    return f"{'+' if share >= 0 else '−'}{100 * abs(share):.2g}{'%' if lang == 'zh' else ' %'}"


def _decimals(draw: float, limit: float | None = None) -> str:
    """A draw with as many decimals, four at least, as it takes to see on which side of the limit it is."""
    for places in range(4, 17):
        said = f"{draw:.{places}f}"
        if 0 < float(said) < 1 and (limit is None or (float(said) < limit) == (draw < limit)):
            return said
    return repr(draw)
