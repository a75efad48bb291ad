"""The part of a report that tells of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes
from sim.presentation.catalogue import labels, outcome, text
from sim.presentation.digits import Measured
from sim.presentation.indices import effects
from sim.presentation.report import answers, basis
from sim.presentation.report.blocks import Figure, Part, Section
from sim.presentation.report.draft import Draft
from sim.presentation.sheet import records
from sim.presentation.sweep import SweepAnswer, branch, named, value
from sim.presentation.sweep_plots import leading, response

if TYPE_CHECKING:
    from sim.experiments.sweep.result import Sweep

__all__ = ["part"]

_DRAWN = 8
"""assumed: outcomes of which a reader looks at a figure."""


def part(found: Sweep, draft: Draft) -> Part:
    """All about one sweep, finished or not."""
    draft.labels = labels(found.manifest["scenario"], draft.lang)
    told, answer = _Sweep(found, draft), SweepAnswer(found, lang=draft.lang)
    sections = answers.sections(answer, draft, {}, draft.say("section.result"))
    figures = Section(draft.say("section.response"), list(told.figures()))
    sections = [figures, *sections, basis.manifest({**found.manifest, "digest": found.digest}, draft)]
    return Part(
        draft.say("kind.sweep"), named(found.manifest, draft.lang), answers.aside(answer), told.answer(), sections
    )


class _Sweep:
    def __init__(self, found: Sweep, draft: Draft) -> None:
        self._found, self._draft = found, draft
        self._axes = Axes(found.manifest["axes"], found.manifest["scenario"], draft.lang)
        self._branches = tuple(dict.fromkeys(found.points["branch"]))

    def answer(self) -> list[str]:
        """From where to where the first two outcomes go."""
        said = [self._seen(name, self._branches) for name in self._found.outcomes[:2]]
        failed = len(self._found.failures)
        return said + (
            [self._draft.say("sweep.failed", failed=f"{failed:,}", runs=f"{len(self._found.runs):,}")] if failed else []
        )

    def _seen(self, name: str, branches: tuple[str, ...]) -> str:
        """At which points an outcome is lowest and highest."""
        draft, found = self._draft, self._found
        rows = found.summary[(found.summary["outcome"] == name) & found.summary["mean"].notna()]
        rows = rows[rows["branch"].isin(branches)]
        called = outcome(name, draft.lang, draft.labels)[0]
        if rows.empty:
            return draft.say("sweep.unknown", outcome=called)
        points = {row["point"]: row for row in records(found.points.drop_duplicates("point"))}
        ends = {}
        least, most = (records(rows.loc[[at]])[0] for at in (rows["mean"].idxmin(), rows["mean"].idxmax()))
        for end, row in (("least", least), ("most", most)):
            ends[end] = draft.amount(row["mean"], row["unit"])
            ends[f"{end}_at"] = self._at(points[row["point"]])
        said = draft.say("sweep.ends", outcome=called, count=len(rows), **ends)
        apart = found.difference(name, most["point"], least["point"])
        by, unit = effects(apart.value, most["unit"], draft.lang)
        measured = Measured(apart.value, apart.low, apart.high).over(by)
        if least["point"] == most["point"] or not measured.bounded:
            return said
        return said + draft.say("sweep.apart", apart=measured.give_or_take(), unit=unit)

    def _at(self, row: Mapping[str, Any]) -> str:
        """The values of a point in words."""
        manifest, lang = self._found.manifest, self._draft.lang
        parts = [f"{self._axes.name(p)} {value(row[p], lang)}" for p in self._found.paths if row.get(p) is not None]
        where = [branch(manifest, str(row["branch"]), lang)] if row["branch"] else []
        return text("sweep.join", lang).join([*where, *parts])

    def figures(self) -> Iterator[Figure]:
        """Each outcome over the number that moves it most, branch by branch."""
        for id in self._branches:
            for name in self._found.outcomes[:_DRAWN]:
                wide, paths = leading(self._found, name, id)
                columns = [*paths, "mean", "ci_low", "ci_high", "n", "unit"]
                shown = wide[columns].rename(columns={p: self._axes.name(p) for p in paths})
                stem = "-".join(filter(None, ("response", id, name))).replace("_", "-")
                draw = partial(response, self._found, name, of=id, lang=self._draft.lang)
                yield self._draft.figure(stem, draw, self._seen(name, (id,)), shown)
