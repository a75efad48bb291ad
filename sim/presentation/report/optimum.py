"""The part of a report that tells of an optimisation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes
from sim.presentation.catalogue import clean, text, title
from sim.presentation.digits import Measured
from sim.presentation.indices import effects
from sim.presentation.optimisation import OptimumAnswer, called, group, told
from sim.presentation.optimisation_plots import Plots
from sim.presentation.outline import Paragraph, outline
from sim.presentation.report import answers, basis, seen
from sim.presentation.report.blocks import Figure, Part
from sim.presentation.report.draft import Draft
from sim.presentation.sheet import records
from sim.presentation.style import SIZE

if TYPE_CHECKING:
    from sim.experiments.optimisation.result import Optimum

__all__ = ["part"]

_ROW = 0.3
"""Inches of height for a row."""


def part(found: Optimum, draft: Draft) -> Part:
    """All about one optimisation."""
    named = Axes(found.manifest["axes"], found.manifest["scenario"], draft.lang)
    draft.labels = named.labels
    drawn, answer = _Optimum(found, draft, named), OptimumAnswer(found, lang=draft.lang)
    figures: dict[str, list[Figure]] = {text("optimise.front.title", draft.lang): [drawn.front()]}
    if found.recommended is not None:
        figures[text("optimise.ranking.title", draft.lang)] = [drawn.ranking()]
        if found.recommended != "now":
            figures[text("optimise.groups.title", draft.lang)] = [drawn.groups()]
        figures[text("optimise.regret.title", draft.lang)] = [*drawn.regret()]
    sections = answers.sections(answer, draft, figures, draft.say("section.result"))
    study = found.manifest["study"]["name"]
    name = study[draft.lang] or study["en"] or study["zh"] or title(found.manifest["scenario"], draft.lang)
    sentences = list(_answer(answer, draft))
    sections = [
        *(s for s in sections if [b for b in s.blocks if not (isinstance(b, Paragraph) and b.said in sentences)]),
        basis.manifest(found.manifest, draft),
    ]
    said = clean(name) or text("answer.untitled", draft.lang)
    return Part(draft.say("kind.optimisation"), said, answers.aside(answer), sentences, sections)


def _answer(answer: OptimumAnswer, draft: Draft) -> Iterator[str]:
    """What to do, and what it costs: sentences of the answer."""
    parts = outline(answer)
    yield next(block.said for block in parts[0].blocks if isinstance(block, Paragraph))
    heading = text("optimise.effects.title", draft.lang)
    more = [b.said for s in parts if s.title == heading for b in s.blocks if isinstance(b, Paragraph)]
    yield from more[:1]


class _Optimum:
    def __init__(self, found: Optimum, draft: Draft, named: Axes) -> None:
        self._found, self._draft, self._named = found, draft, named
        self._plots = Plots(found, draft.lang)
        frame = found.table("optimal_points")
        aim = found.manifest["aims"][0]["outcome"]
        self._unit = str(frame.loc[frame["outcome"] == aim, "unit"].iloc[0])

    def _called(self, frame: Any) -> Any:
        return frame.assign(policy=[called(str(id), self._draft.lang) for id in frame["policy"]])

    def front(self) -> Figure:
        """What more money buys."""
        points, fresh = self._found.table("optimal_points"), self._found.table("optimal_front")
        said = self._draft.say(
            "seen.front", tried=points["policy"].nunique(), front=fresh.loc[fresh["front"], "policy"].nunique()
        )
        columns = ["policy", "outcome", "value", "unit", "feasible"]
        return self._draft.figure("front", self._plots.front, said, self._called(points[columns]))

    def ranking(self) -> Figure:
        """How far the finalists are behind the best."""
        frame = self._found.table("optimal_ranking")
        rows = [r for r in records(frame) if r["place"] > 1 and r["behind"] is not None]
        by, unit = effects(max((abs(r["behind"]) for r in rows), default=0.0), self._unit, self._draft.lang)
        found = [seen.Named(called(r["policy"], self._draft.lang), Measured.of(r, "behind").over(by)) for r in rows]
        said = seen.differences(found, unit, self._draft)
        height = max(SIZE[1] - 1.4, _ROW * len(frame) + 1.9)
        return self._draft.figure("ranking", self._plots.ranking, said, self._called(frame), height=height)

    def groups(self) -> Figure:
        """Who gains."""
        rows, frame = told(self._found), self._found.table("optimal_groups")
        found = [seen.Named(group(r, self._draft.lang), Measured.of(r, "effect").over(0.01)) for r in rows]
        said = seen.differences(found, self._draft.say("points"), self._draft)
        shown = frame.assign(
            grouping=[text(f"compare.by.{by}", self._draft.lang) for by in frame["grouping"]],
            group=[group(r, self._draft.lang) for r in records(frame)],
        )
        columns = [c for c in shown if c not in ("reason",)]
        height = max(SIZE[1], _ROW * (len(rows) + 3) + 1.6)
        return self._draft.figure("groups", self._plots.groups, said, shown[columns], height=height)

    def regret(self) -> Iterator[Figure]:
        """Regret over the worlds, and where the policy fails."""
        rows = records(self._found.table("optimal_regret"))
        if not rows:
            return
        best = min((r for r in rows if r["mean"] is not None), key=lambda r: r["mean"], default=None)
        said = self._draft.say("seen.nothing")
        if best is not None:
            by, unit = effects(max(r["most"] for r in rows), self._unit, self._draft.lang)
            gap = " " if unit and self._draft.lang == "en" else ""
            mean, most = (f"{Measured(best[key] / by).said()}{gap}{unit}" for key in ("mean", "most"))
            said = self._draft.say("seen.regret", policy=called(best["policy"], self._draft.lang), mean=mean, most=most)
        frame = self._called(self._found.table("optimal_worlds"))
        yield self._draft.figure("regret", self._plots.regret, said, frame)
        policy = self._found.recommended
        if policy not in (None, "now"):
            worlds = self._found.table("optimal_worlds").query("policy == @policy")
            fails = int(worlds["fails"].fillna(False).astype(bool).sum())
            said = self._draft.say("seen.failure", fails=fails, worlds=len(worlds))
            unknowns = self._found.table("optimal_unknowns")
            shown = unknowns.assign(number=[self._named.name(path) for path in unknowns["path"]])
            columns = ["world", "number", "value", "place"]
            yield self._draft.figure("failure", partial(self._plots.failure), said, shown[columns])
