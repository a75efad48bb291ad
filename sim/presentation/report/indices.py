"""The part of a report that tells what a sweep's outcomes are sensitive to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.presentation.axes import Axes
from sim.presentation.catalogue import clean, outcome, text, title
from sim.presentation.digits import Measured
from sim.presentation.indices import IndicesAnswer, branches, effects
from sim.presentation.indices_plots import bars, cells, screening
from sim.presentation.outline import outline
from sim.presentation.report import basis
from sim.presentation.report.blocks import Block, Figure, Part, Section
from sim.presentation.report.draft import Draft
from sim.presentation.sheet import records
from sim.presentation.style import SIZE

if TYPE_CHECKING:
    from sim.experiments.sensitivity.found import Sensitivity

__all__ = ["part"]

_LEADING = {"morris": "mu_star", "pawn": "pawn"}

_MOST, _ROW = 10, 0.46
"""assumed: bars of a figure, and the inches of each."""


def part(found: Sensitivity, draft: Draft) -> Part:
    """All about one analysis."""
    told = _Indices(found, draft)
    draft.labels = told.axes.labels
    study = found.manifest["study"]["name"]
    name = study[draft.lang] or study["en"] or study["zh"] or title(found.manifest["scenario"], draft.lang)
    head = outline(IndicesAnswer(found, lang=draft.lang))[0]
    sections = [*told.sections(), basis.manifest(found.manifest, draft)]
    said = clean(name) or text("answer.untitled", draft.lang)
    return Part(draft.say("kind.sensitivity"), said, head.aside, list(told.answer()), sections)


class _Indices:
    def __init__(self, found: Sensitivity, draft: Draft) -> None:
        self._found, self._draft = found, draft
        self.axes = Axes(found.manifest["axes"], found.manifest["scenario"], draft.lang)
        self._branches = branches(found, draft.lang)

    def answer(self) -> Iterator[str]:
        """What matters most to the first outcomes."""
        said = [s for row in records(self._found.outcomes) if (s := self._leading(row))]
        yield from said[:2] or [text("indices.none_ranked", self._draft.lang)]

    def _leading(self, row: dict[str, Any]) -> str:
        """The three numbers that matter most to an outcome; empty if none does."""
        ranked = [r for r in records(self._found.ranked(row["branch"], row["outcome"])) if r["rank"] is not None][:3]
        if row["reason"] is not None or not ranked:
            return ""
        leading = _LEADING.get(row["method"], "total")
        by, unit = (0.01, "%") if leading == "total" else (1.0, "")
        if leading == "mu_star":
            by, unit = effects(ranked[0]["mu_star"], row["unit"], self._draft.lang)
        gap = " " if unit and unit != "%" and self._draft.lang == "en" else ""
        parts = [
            self._draft.say(
                "seen.of",
                name=self.axes.name(r["path"]),
                number=f"{Measured.of(r, leading).over(by).said()}{gap}{unit}",
            )
            for r in ranked
        ]
        named = outcome(row["outcome"], self._draft.lang, self.axes.labels)[0]
        branch = self._branches.get(row["branch"], "")
        where = self._draft.say("indices.branch", branch=branch) if branch else ""
        key = f"indices.{row['method']}"
        return self._draft.say(key, outcome=named, parts=self._draft.listed(parts), branch=where)

    def sections(self) -> Iterator[Section]:
        """The answer's sections, branch by branch, each outcome with its figures."""
        ids = {name: id for id, name in self._branches.items()}
        branch = next(iter(self._branches))
        rows = {(r["branch"], outcome(r["outcome"], self._draft.lang, self.axes.labels)[0]): r for r in self._rows()}
        for section in outline(IndicesAnswer(self._found, lang=self._draft.lang)):
            branch = ids.get(section.title, branch) if not section.blocks else branch
            blocks: list[Block] = list(section.blocks)
            if row := rows.get((branch, section.title)):
                blocks = [*self._figures(row), *blocks]
            if blocks:
                name = section.title or self._draft.say("section.reading")
                several = len(self._branches) > 1 and section.title
                said = {"fact": self._branches[branch], "part": name}
                yield Section(self._draft.say("of_fact", **said) if several else name, blocks)

    def _rows(self) -> list[dict[Any, Any]]:
        return records(self._found.outcomes)

    def _figures(self, row: dict[str, Any]) -> Iterator[Figure]:
        key, lang = (row["branch"], row["outcome"]), self._draft.lang
        ranked = self._found.ranked(*key)
        if row["reason"] is not None or ranked.empty:
            return
        stem = "-".join(filter(None, key)).replace("_", "-")
        said = self._leading(row) or text("indices.none_ranked", lang)
        shown = ranked.assign(number=[self.axes.name(path) for path in ranked["path"]])
        measures = [c for c in shown if c not in ("rank", "number", "path")]
        shown = shown[["rank", "number", "path", *measures]]
        height = max(SIZE[1], _ROW * min(len(ranked), _MOST) + 1.8)
        draw = {"bars": bars, "screening": screening} if row["method"] == "morris" else {"bars": bars}
        for kind, plot in draw.items():
            tall = height if kind == "bars" else SIZE[1]
            yield self._draft.figure(
                f"{kind}-{stem}", partial(_on, plot, self._found, key, lang), said, shown, height=tall
            )
        table = self._found.cells
        mine = table[(table["branch"] == key[0]) & (table["outcome"] == key[1])]
        if len(mine):
            most, least = mine.loc[mine["mean"].idxmax()], mine.loc[mine["mean"].idxmin()]
            ends = {}
            for end, at in (("most", most), ("least", least)):
                ends[end] = self._draft.amount(float(at["mean"]), row["unit"])
                ends[f"{end}_at"] = self._draft.listed(
                    f"{self.axes.name(at[path])} {at[value]}"
                    for path, value in (("path", "value"), ("other", "other_value"))
                )
            columns = ["value", "other_value", "mean", "low", "high"]
            names = {
                "value": self.axes.name(mine["path"].iloc[0]),
                "other_value": self.axes.name(mine["other"].iloc[0]),
            }
            said = self._draft.say("seen.cells", **ends)
            draw_cells = partial(_on, cells, self._found, key, lang)
            yield self._draft.figure(f"cells-{stem}", draw_cells, said, mine[columns].rename(columns=names))


def _on(plot: Any, found: Sensitivity, key: tuple[str, str], lang: Any, ax: Any) -> Any:
    return plot(found, *key, ax, lang=lang)
