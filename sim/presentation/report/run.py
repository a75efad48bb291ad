"""The part of a report that tells of a run."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sim.presentation import plots
from sim.presentation.answer import FEW, Answer, plain
from sim.presentation.catalogue import clean, labels, outcome, scale, text, title
from sim.presentation.digits import Measured
from sim.presentation.money import money
from sim.presentation.outline import Grid, Paragraph, outline
from sim.presentation.report import assumptions, basis, seen
from sim.presentation.report.blocks import Block, Figure, Part, Section, Tile
from sim.presentation.report.draft import Draft

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.sensitivity.result import Variance
    from sim.experiments.sensitivity.swings import Swings
    from sim.scenario.schema import Scenario
    from sim.simulation import Result

__all__ = ["part"]

_BY = {"cohort_year": "survival_by_cohort", "highest_stage": "survival_by_stage", "education": "survival_by_education"}
"""Curves beside those of all, and what the figure is called."""

_LEADING = (36, 12)

_LABEL = 40
"""assumed: letters of a name that leave a figure room for what it shows."""


def part(
    result: Result,
    scenario: Scenario | None,
    stated: Mapping[str, Any],
    draft: Draft,
    ranking: Swings | Variance | None,
) -> Part:
    """All about one run, whose manifest is `stated`.

    `scenario` is what was run, for where its numbers come from; None if that is not known. `ranking` says what rests on
    which assumption; None if nobody asked.
    """
    draft.labels = labels(result.scenario, draft.lang)
    run = _Run(result, draft)
    sections = [
        Section(draft.say("section.reading"), run.reading(scenario)),
        Section(text("group.survival", draft.lang), list(run.survival())),
        Section(draft.say("section.flow"), list(run.flow())),
        Section(draft.say("section.occupancy"), list(run.crowding())),
        Section(draft.say("section.size"), list(run.size())),
        Section(draft.say("section.money"), list(run.money())),
    ]
    if scenario is not None:
        sections.append(assumptions.section(scenario, draft, ranking))
    sections.append(basis.figures(scenario, draft))
    sections.append(basis.manifest(stated, draft))
    return Part(draft.say("kind.run"), _title(result.scenario, draft), run.aside(), run.answer(), sections, run.tiles())


def _title(scenario: Mapping[str, Any], draft: Draft) -> str:
    return clean(title(scenario, draft.lang)) or text("answer.untitled", draft.lang)


class _Run:
    def __init__(self, result: Result, draft: Draft) -> None:
        self._result, self._draft = result, draft
        self._rows = plain(result.summary)
        named = draft.labels
        self._outline = outline(Answer(result.summary, replicates=result.replicates, labels=named, lang=draft.lang))
        drawn = {id: textwrap.shorten(label, _LABEL, placeholder="…") for id, label in named.items()}
        self._words: dict[str, Any] = {"lang": draft.lang, "labels": drawn}

    # the answer -------------------------------------------------------------------------------------------------------

    def aside(self) -> str:
        """How much was run."""
        result, horizon = self._result, self._result.scenario["horizon"]
        said = {"start": horizon["start"], "months": result.months, "seed": result.scenario["seed"]}
        key = "run.aside_one" if result.replicates == 1 else "run.aside"
        return self._draft.say(key, replicates=result.replicates, **said)

    def _known(self, id: str) -> Measured | None:
        row = self._rows.get(id)
        return Measured.of(row, "mean", "ci_low", "ci_high") if row and row["mean"] is not None else None

    def _level(self, id: str, by: float = 0.0) -> str:
        """An outcome with its interval, in its unit (of money, without what it is for), or over `by` without one."""
        found = self._known(id)
        assert found is not None
        of = str(self._rows[id]["unit"]).partition("/")[0]
        of = "" if of == "persons" and self._draft.lang == "en" else of
        divisor, unit = (by, "") if by else scale(found.value, of, self._draft.lang)
        number = found.over(divisor)
        gap = " " if unit and self._draft.lang == "en" else ""
        said = f"{number.said()}{gap}{unit}"
        return self._draft.say("span", number=said, span=number.span(self._draft.lang)) if number.bounded else said

    def _age(self) -> int | None:
        return next((age for age in _LEADING if self._known(f"survival_{age}m")), None)

    def answer(self) -> list[str]:
        """The answer in two sentences."""
        draft, age = self._draft, self._age()
        if age is None:
            return [draft.say("run.short", months=self._result.months)]
        parts = [draft.say("run.alive", people=self._level(f"survival_{age}m", 0.001), age=draft.years(age))]
        if age == 36 and self._known("survival_60m"):
            parts.append(draft.say("run.later", people=self._level("survival_60m", 0.001), age=draft.years(60)))
        if (stage := self._middle()) and self._known(f"reached_{stage}"):
            reached = self._level(f"reached_{stage}", 0.001)
            parts.append(draft.say("run.reached", people=reached, stage=draft.name("stage", stage)))
        first = draft.say("run.first", parts=draft.listed(parts))
        return [first, self._second()]

    def _middle(self) -> str:
        """The stage that the model is about, or the first after that where all start."""
        later = self._result.stages[1:]
        return "incubator" if "incubator" in later else later[0] if later else ""

    def _second(self) -> str:
        draft = self._draft
        spent, sales = self._known("spent_cny"), self._known("sales_median_cny")
        said = [draft.say("run.living", people=self._level("newcomers_living_end"))]
        if sales:
            said.append(draft.say("run.sales", sales=self._level("sales_median_cny")))
        if spent and spent.value > 0:
            said.append(draft.say("run.spent", money=self._level("spent_cny"), months=self._result.months))
            if self._known("spent_per_survivor_36m_cny"):
                each = self._level("spent_per_survivor_36m_cny")
                said.append(draft.say("run.each", money=each, age=draft.years(36)))
        else:
            said.append(draft.say("run.free"))
        return draft.say("run.second", parts=draft.listed(said))

    def tiles(self) -> list[Tile]:
        """The numbers to look at first."""
        age, stage = self._age(), self._middle()
        wanted = [f"survival_{age}m", f"reached_{stage}", "newcomers_living_end", "spent_per_survivor_36m_cny"]
        found = []
        for id in wanted:
            number = self._known(id)
            if number is not None:
                by, unit = scale(number.value, self._rows[id]["unit"], self._draft.lang)
                scaled = number.over(by)
                span = scaled.span(self._draft.lang) if scaled.bounded else ""
                name = outcome(id, self._draft.lang, self._draft.labels)[0]
                found.append(Tile(name, scaled.said(), unit, span and self._draft.say("interval", span=span)))
        return found

    def reading(self, scenario: Scenario | None) -> list[Block]:
        """What words mean, and what cannot be said."""
        from sim.evidence.audit import audit, counts

        draft = self._draft
        said = [text(f"answer.{key}", draft.lang) for key in ("survival_means", "intervals_mean")]
        if 1 < self._result.replicates < FEW:
            said.append(text("answer.few", draft.lang, few=FEW))
        if scenario is not None:
            numbers = counts(audit(scenario.provenance.values()))
            rest = numbers["assumed"] + numbers["unsourced"]
            said.append(draft.say("assumed_count", assumed=rest, total=sum(numbers.values())))
        return [*map(Paragraph, said), Paragraph(text("answer.cannot_validate", draft.lang), "strong")]

    def _outcomes(self, group: str) -> Iterator[Block]:
        """The outcomes of one group, and why some are not known."""
        whole, *notes = self._outline[0].blocks
        assert isinstance(whole, Grid)
        heading = text(f"group.{group}", self._draft.lang)
        mine = whole.under(heading)
        if mine.lines:
            said = (note.said for note in notes if isinstance(note, Paragraph))
            yield from self._draft.noted([mine._replace(caption=self._draft.say("outcomes", group=heading))], said)

    # sections ---------------------------------------------------------------------------------------------------------

    def survival(self) -> Iterator[Block]:
        """Curves with bands and numbers at risk; the outcomes."""
        yield self._curves(None, "survival")
        yield from self._outcomes("survival")
        for by, name in _BY.items():
            yield self._curves(by, name)

    def _curves(self, by: str | None, name: str) -> Figure:
        from functools import partial

        curves, key = self._result.survival(by), f"figure.{name}"
        said = text(key, self._draft.lang) if by != "education" else self._draft.say("figure.survival_by_education")
        draw = partial(plots.survival, curves, title=said, **self._words)
        columns = ["group", "age_months", "at_risk", "events", "survival", "ci_low", "ci_high"]
        shown = curves[columns].assign(group=[self._group(str(group)) for group in curves["group"]])
        yearly = shown["age_months"] % 12 == 0 if shown["age_months"].max() >= 24 else shown["age_months"] > 0
        return self._draft.figure(name, draw, seen.survival(curves, self._draft), shown, few=yearly)

    def _group(self, group: str) -> str:
        kind, _, value = group.partition("=")
        if kind == "all":
            return self._draft.say("all")
        return value if kind == "cohort_year" else self._draft.name("stage" if kind == "highest_stage" else kind, value)

    def flow(self) -> Iterator[Block]:
        """Where those who arrive go, and how far and how fast."""
        moves = self._result.flow()
        arrived = int(moves["moves"].iloc[0]) if len(moves) else 0
        shown = moves.assign(per_thousand=1000 * moves["moves"] / max(arrived, 1))
        yield self._draft.figure(
            "flow", lambda ax: plots.flow(moves, ax, **self._words), seen.flow(moves, self._draft), shown
        )
        reach = self._result.funnel()
        columns = ["stage", "reached_share", "conversion", "months_median", "sojourn_median", "occupancy", "waiting"]
        said = self._draft.say("seen.funnel", parts=self._draft.listed(self._reached(reach)))
        yield self._draft.figure("funnel", lambda ax: plots.funnel(reach, ax, **self._words), said, reach[columns])
        yield from self._outcomes("chain")

    def _reached(self, reach: pd.DataFrame) -> Iterator[str]:
        for stage, share in zip(reach["stage"], reach["reached_share"], strict=True):
            if share == share:
                name = self._draft.name("stage", str(stage))
                yield self._draft.say("seen.of", name=name, number=self._draft.percent(float(share)))

    def crowding(self) -> Iterator[Block]:
        """How full the chain is, and who waits."""
        months, start = self._result.occupancy(), self._result.scenario["horizon"]["start"]
        means = months.groupby(["stage", "month"], observed=True, sort=False)[
            ["living", "places", "utilisation", "waiting"]
        ]
        mean = means.mean().reset_index()
        limited = mean[mean["utilisation"].notna()].reset_index(drop=True)
        june = limited["month"] % 12 == 11
        for name, column in (("occupancy", "utilisation"), ("waiting", "waiting")):
            draw = getattr(plots, name)

            def drawn(ax: Any, draw: Any = draw) -> Any:
                return draw(months, ax, start=start, **self._words)

            columns = (
                ["stage", "month", "living", "places", column]
                if column == "utilisation"
                else ["stage", "month", column]
            )
            yield self._draft.figure(name, drawn, seen.monthly(months, column, self._draft), limited[columns], few=june)

    def size(self) -> Iterator[Block]:
        """How large shops are."""
        tail = self._result.sizes()
        few = (tail.index % 10 == 0).tolist()
        import pandas as pd

        draw = self._draft.figure(
            "sizes", lambda ax: plots.sizes(tail, ax, **self._words), seen.sizes(tail, self._draft), tail,
            few=pd.Series(few, dtype=bool),
        )  # fmt: skip
        yield draw
        yield from self._outcomes("scale")

    def money(self) -> Iterator[Block]:
        """What was planned, claimed and paid, by instrument and year; what a survivor costs."""
        yearly, budgets = self._result.spending(), self._result.budgets()
        if yearly.empty and budgets.empty:
            yield Paragraph(self._draft.say("run.no_policy"))
            return
        shown = budgets[["year", "instrument", "planned_cny", "claimed_cny", "paid_cny"]]
        said = seen.spending(yearly, self._draft)
        yield self._draft.figure("spending", lambda ax: plots.spending(yearly, ax, **self._words), said, shown)
        yield from self._draft.blocks(money(self._result, self._draft.lang, self._draft.labels))
        yield from self._outcomes("money")
