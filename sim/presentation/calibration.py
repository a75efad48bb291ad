"""The answer of a calibration on the screen: fit, posterior, what the targets leave open, and what was held out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, clean, decimals, labels, outcome, scale, text
from sim.presentation.digits import UNKNOWN, written
from sim.presentation.sheet import Sheet, records

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderableType

    from sim.experiments.calibration.result import Calibration

__all__ = ["CalibrationAnswer", "combination", "cost", "parameter", "plain", "reform", "verdict"]

Row = Mapping[str, Any]

_OPEN, _SETTLED = 0.9, 0.1
"""assumed: shares of the prior's variance above which a combination counts as left open, and below which as settled."""

_SAID = 0.3
"""assumed: parts of a combination, of at most 1, that are worth saying."""

_MOST_SAID = 5

_WAYS = ("direction", "exits")


@dataclass(frozen=True)
class CalibrationAnswer:
    """The answer of a calibration, printable with rich.

    Parameters
    ----------
    calibration
        What was found; only its tables and its manifest are read.
    notes
        Further lines to print below.
    lang
        ``zh`` or ``en``.
    """

    calibration: Calibration
    notes: tuple[str, ...] = ()
    lang: Lang = "en"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The parts from top to bottom."""
        from rich.text import Text

        found = self.calibration
        study = found.manifest["study"]
        sheet = Sheet(self.lang, "calibrate", labels(found.manifest["scenario"], self.lang))
        name = study["name"][self.lang] or study["name"]["en"] or study["name"]["zh"] or study["scenario"]
        size = sheet.say(
            "size",
            parameters=len(study["parameters"]),
            targets=len(study["targets"]),
            points=f"{found.manifest['points']:,}",
            replicates=study["replicates"],
            seed=study["seed"],
        )
        yield Text.assemble((sheet.say("head", name=clean(name)), "bold"), "  ", (size, "dim"))
        yield from self._fit(sheet)
        yield from self._posterior(sheet)
        yield from self._pairs(sheet)
        yield from self._ridge(sheet)
        yield from self._decisions(sheet)
        yield from self._holdout(sheet)
        yield Text("")
        yield from sheet.lines(*self._below(sheet))

    def _fit(self, sheet: Sheet) -> Iterator[RenderableType]:
        rows = records(self.calibration.summary)
        whole = any(row["whole_now"] is not None for row in rows)
        more = ("whole_now", "whole_best") if whole else ()
        table = sheet.table("fit", "outcome", "target", "now", "off", "best", "posterior", *more, "unit")
        table.columns[-1].justify = "left"
        for row in rows:
            by, unit = scale(row["target"], row["unit"], self.lang)
            sd = row["target"] * row["sd"] if row["relative"] else row["sd"]
            target = sheet.say(f"fit.{row['bound']}", value=_number(row["target"] / by), sd=_number(sd / by))
            cells = [
                target,
                _over(row["now"], by),
                UNKNOWN if row["now_miss"] is None else written(row["now_miss"], 1, sign=True),
                _over(row["best"], by),
                _span(sheet, row["posterior_low"], row["posterior_high"], by),
                *(_over(row[column], by) for column in more),
            ]
            sheet.row(table, outcome(row["outcome"], self.lang, sheet.labels)[0], *cells, unit)
        yield from sheet.section("fit.title", table, *self._stays(sheet))

    def _stays(self, sheet: Sheet) -> Iterator[str]:
        """Whether the scenario's own values are among what the calibration finds."""
        from sim.experiments.calibration.result import CLOSE

        found = self.calibration
        outside = [parameter(row, self.lang) for row in records(found.posterior) if not row["inside"]]
        kind = "less" if found.gap > 0 else "more"
        gap = sheet.say(f"gap_{kind}", gap=written(abs(found.gap), 1), close=written(CLOSE, 0))
        if found.reruns:
            yield sheet.say("stay_same", gap=gap)
        elif outside:
            yield sheet.say("stay_outside", outside=sheet.say("ridge.join").join(outside), gap=gap)
        else:
            yield sheet.say("stay_unlikely", gap=gap)

    def _posterior(self, sheet: Sheet) -> Iterator[RenderableType]:
        headings = ("parameter", "prior", "mean", "sd", "span", "now", "distance", "learnt")
        table = sheet.table("posterior", *headings)
        for row in records(self.calibration.posterior):
            places = _places(row["sd"])
            mark = "" if row["inside"] else sheet.say("posterior.outside")
            sheet.row(
                table,
                parameter(row, self.lang),
                _span(sheet, row["prior_low"], row["prior_high"], 1.0, _places(row["prior_sd"])),
                written(row["mean"], places),
                written(row["sd"], places),
                _span(sheet, row["low"], row["high"], 1.0, places),
                written(row["now"], max(places, _fewest(row["now"]))),
                written(row["distance"], 1, sign=True) + mark,
                written(100 * row["narrowed"], 0),
            )
        yield from sheet.section("posterior.title", table, sheet.say("posterior.legend"))

    def _pairs(self, sheet: Sheet) -> Iterator[RenderableType]:
        named = {row["path"]: parameter(row, self.lang) for row in records(self.calibration.posterior)}
        table = sheet.table("pairs", "path", "other", "correlation", left=2)
        for row in records(self.calibration.table("pairs")):
            sheet.row(table, named[row["path"]], named[row["other"]], written(row["correlation"], 2, sign=True))
        yield from sheet.section("pairs.title", table)

    def _ridge(self, sheet: Sheet) -> Iterator[RenderableType]:
        from rich.padding import Padding
        from rich.text import Text

        frame = self.calibration.table("directions")
        variance = frame.groupby("direction")["variance"].first()
        ends = {"widest": int(variance.index[0]), "narrowest": int(variance.index[-1])}
        yield Padding(Text(sheet.say("ridge.title"), "bold cyan"), (1, 0, 0, 1))
        left = {"open": int((variance > _OPEN).sum()), "settled": int((variance < _SETTLED).sum())}
        yield from sheet.lines(sheet.say("ridge.count", total=len(variance), **left))
        for key, direction in ends.items():
            remains = written(100 * float(variance.loc[direction]), 0 if variance.loc[direction] > _SETTLED else 1)
            words = combination(self.calibration, direction, self.lang)
            yield from sheet.lines(sheet.say(f"ridge.{key}", variance=remains, words=words))
        yield from sheet.lines(self._exits(sheet))

    def _exits(self, sheet: Sheet) -> str:
        """The ridge of the one equation, in a sentence."""
        import numpy as np

        from sim.experiments.calibration.posterior import quantile

        frame = self.calibration.table("exits").dropna(subset=["first_year", "later"])
        said: dict[str, str] = {}

        def span(rows: pd.DataFrame, weight: pd.Series[float], key: str) -> None:
            for column, name in (("first_year", "first"), ("later", "later")):
                low, high = quantile(np.array(rows[column], float), np.array(weight, float), (0.05, 0.95))
                said[name + key] = _span(sheet, 100 * low, 100 * high, 1.0, 0)

        after = frame[frame["of"] == "posterior"]
        if after.empty:
            return ""
        span(after, after["weight"], "_all")
        before = frame[(frame["of"] == "prior") & frame["stock"].notna()]
        if before["stock"].sum() <= 0:
            return sheet.say("ridge.exits_one", **said)
        span(before, before["stock"], "")
        both = np.cov(before["first_year"], before["later"], aweights=before["stock"].to_numpy())
        correlation = both[0, 1] / math.sqrt(both[0, 0] * both[1, 1])
        sentence = sheet.say("ridge.exits", correlation=written(correlation, 2, sign=True), **said)
        if partner := self.calibration.manifest["stock_ridge"]:
            names = {row["path"]: parameter(row, self.lang) for row in records(self.calibration.posterior)}
            moves = written(partner["correlation"], 2, sign=True)
            sentence += sheet.say("ridge.partner", name=names[partner["path"]], correlation=moves)
        return sentence

    def _decisions(self, sheet: Sheet) -> Iterator[RenderableType]:
        study = self.calibration.manifest["study"]["decisions"]
        frame = self.calibration.table("decisions")
        share = study["outcome"].startswith(("survival_", "reached_", "share_"))
        unit = sheet.say("decision.points") if share else ""
        table = sheet.table("decision", "reform", "way", "effect", "clear", "verdict", left=2)
        for id in dict.fromkeys(frame["reform"]):
            for way in _WAYS:
                rows = frame[(frame["reform"] == id) & (frame["way"] == way)]
                if rows.empty:
                    continue
                effects = rows["effect"].to_numpy() * (100 if share else 1)
                signs = rows["sign"].tolist()
                clear = " / ".join(str(signs.count(sign)) for sign in (1, -1, 0))
                places = _places(max(abs(effects)) / 10)
                low, high = (written(float(end), places, sign=True) for end in (min(effects), max(effects)))
                span = f"{sheet.say('span', low=low, high=high)} {unit}".rstrip()
                said = sheet.say(f"decision.{verdict(signs)}")
                sheet.row(table, reform(records(rows)[0], self.lang), sheet.say(f"decision.{way}"), span, clear, said)
        named = outcome(study["outcome"], self.lang, sheet.labels)[0]
        legend = sheet.say("decision.legend", outcome=named, count=study["points"])
        yield from sheet.section("decision.title", table, legend)

    def _holdout(self, sheet: Sheet) -> Iterator[RenderableType]:
        rows = records(self.calibration.table("holdout"))
        more = ("whole_now",) if any(row["whole_now"] is not None for row in rows) else ()
        table = sheet.table("holdout", "outcome", "posterior", "now", *more, "band", "meets", "unit")
        table.columns[-1].justify = "left"
        for row in rows:
            by, unit = scale(row["posterior"] or 0.0, row["unit"], self.lang)
            meets = UNKNOWN if row["meets"] is None else sheet.say("holdout.yes" if row["meets"] else "holdout.no")
            cells = [
                _span(sheet, row["posterior_low"], row["posterior_high"], by),
                _over(row["now"], by),
                *(_over(row[column], by) for column in more),
                UNKNOWN if row["band_low"] is None else _span(sheet, row["band_low"], row["band_high"], by),
                meets,
            ]
            sheet.row(table, outcome(row["outcome"], self.lang, sheet.labels)[0], *cells, unit)
        yield from sheet.section("holdout.title", table, sheet.say("nowhere"), self._scored(sheet))

    def _scored(self, sheet: Sheet) -> str:
        scored = self.calibration.manifest["study"]["scored"]
        named = [text(f"facts.fact.{id}.name", self.lang) if _has(f"facts.fact.{id}.name") else id for id in scored]
        return sheet.say("scored", facts=sheet.say("join").join(named)) if scored else ""

    def _below(self, sheet: Sheet) -> Iterator[str]:
        manifest = self.calibration.manifest
        within = self.calibration.table("emulator")["within"].mean()
        numbers = {key: written(manifest[name], 0) for key, name in (("worth", "check_worth"), ("effective",) * 2)}
        count = manifest["study"]["search"]["check"]
        yield sheet.say("tested", count=count, within=written(100 * within, 0), **numbers)
        yield sheet.say("luck")
        yield sheet.say("whole") if manifest["study"]["search"]["whole"] else ""
        yield text("answer.survival_means", self.lang)
        yield text("answer.cannot_validate", self.lang)
        yield from self.notes


def parameter(row: Row, lang: Lang) -> str:
    """What a parameter is called; its path if nobody named it."""
    return clean(re.split("[;；:：]", row[lang])[0] or row["path"])


def reform(row: Row, lang: Lang) -> str:
    """What a reform is called; its id if nobody named it."""
    return clean(row[f"name_{lang}"] or row["name_en"] or row["name_zh"] or row["reform"])


def combination(found: Calibration, direction: int, lang: Lang) -> str:
    """A combination of parameters in words: which rise and which fall along it, the largest parts first."""
    frame = found.table("directions")
    parts = frame[frame["direction"] == direction]
    named = {row["path"]: parameter(row, lang) for row in records(found.posterior)}
    order = parts.reindex(parts["weight"].abs().sort_values(ascending=False, kind="stable").index)
    largest = abs(order["weight"].iloc[0])
    said = [
        text(f"calibrate.ridge.{'up' if weight > 0 else 'down'}", lang, name=named[path])
        for path, weight in zip(order["path"], order["weight"], strict=True)
        if abs(weight) >= _SAID * largest
    ]
    return text("calibrate.ridge.join", lang).join(said[:_MOST_SAID])


def verdict(signs: Sequence[int]) -> str:
    """Whether a sign holds: ``holds`` (one everywhere), ``partly`` (one where it is clear), ``changes``, ``none``."""
    seen = set(signs)
    if {1, -1} <= seen:
        return "changes"
    if seen == {0}:
        return "none"
    return "partly" if 0 in seen else "holds"


def cost(counts: Mapping[str, int], seconds: float, lang: Lang) -> str:
    """What a calibration takes, as a sentence."""
    from sim.presentation.listing import duration

    join = text("cli.calibrate.join", lang)
    parts = join.join(text(f"cli.calibrate.{key}", lang, count=f"{n:,}") for key, n in counts.items() if n)
    return text("cli.calibrate.cost", lang, runs=f"{sum(counts.values()):,}", parts=parts, time=duration(seconds, lang))


def plain(found: Calibration) -> dict[str, Any]:
    """The calibration as plain values, for JSON: every table but the draws."""
    from sim.experiments.calibration.result import TABLES

    kept = ("study", "scenario_hash", "small_hash", "seed", "points", "accepted", "effective", "check_worth")
    tables = {name: records(found.table(name)) for name in TABLES if name not in ("draws", "exits")}
    return {key: found.manifest[key] for key in kept} | tables | {"reruns": found.reruns, "gap": found.gap}


def _has(key: str) -> bool:
    from sim.presentation.catalogue import known

    return known(key, "en") is not None


def _places(spread: float) -> int:
    """Places after the point that show a spread with two digits, none below 0."""
    return 0 if not spread > 0 else min(max(1 - math.floor(math.log10(spread)), 0), 5)


def _fewest(value: float) -> int:
    """Places after the point that a number was written with, at most five."""
    return next((n for n in range(5) if math.isclose(round(value, n), value, rel_tol=1e-9)), 5)


def _number(value: float) -> str:
    places = decimals(value)
    return written(value, min(places, _fewest(value)) if value else 0)


def _over(value: float | None, by: float) -> str:
    return UNKNOWN if value is None else written(value / by, decimals(value / by))


def _span(sheet: Sheet, low: float | None, high: float | None, by: float, places: int | None = None) -> str:
    if low is None or high is None:
        return UNKNOWN
    shown = decimals(max(abs(low), abs(high)) / by) if places is None else places
    return sheet.say("span", low=written(low / by, shown), high=written(high / by, shown))
