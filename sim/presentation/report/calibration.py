"""The part of a report that tells of a calibration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.presentation.calibration import CalibrationAnswer, parameter, reform, verdict
from sim.presentation.calibration_plots import Plots
from sim.presentation.catalogue import clean, labels, outcome, text
from sim.presentation.outline import Paragraph, outline
from sim.presentation.report import answers, basis
from sim.presentation.report.blocks import Figure, Part
from sim.presentation.report.draft import Draft
from sim.presentation.sheet import records
from sim.presentation.style import SIZE

if TYPE_CHECKING:
    from sim.experiments.calibration.result import Calibration

__all__ = ["part"]

_ROW = 0.5
"""Inches of height for a parameter."""


def part(found: Calibration, draft: Draft) -> Part:
    """All about one calibration."""
    draft.labels = labels(found.manifest["scenario"], draft.lang)
    told, answer = _Calibration(found, draft), CalibrationAnswer(found, lang=draft.lang)
    figures = {
        text("calibrate.posterior.title", draft.lang): [told.marginals()],
        text("calibrate.ridge.title", draft.lang): [told.directions(), told.exits()],
        text("calibrate.decision.title", draft.lang): [told.decisions()],
    }
    sections = [
        *answers.sections(answer, draft, figures, draft.say("section.result")),
        basis.manifest(found.manifest, draft),
    ]
    study = found.manifest["study"]
    name = clean(study["name"][draft.lang] or study["name"]["en"] or study["name"]["zh"] or study["scenario"])
    sentences = list(told.answer(answer))
    return Part(draft.say("kind.calibration"), name, answers.aside(answer), sentences, sections)


class _Calibration:
    def __init__(self, found: Calibration, draft: Draft) -> None:
        self._found, self._draft = found, draft
        self._plots = Plots(found, draft.lang)

    def answer(self, answer: CalibrationAnswer) -> Iterator[str]:
        """Whether the scenario's own values may stay, and what is left open: two sentences of the answer."""
        for key in ("fit", "ridge"):
            heading = text(f"calibrate.{key}.title", self._draft.lang)
            section = next((s for s in outline(answer) if s.title == heading), None)
            said = [b.said for b in section.blocks if isinstance(b, Paragraph)] if section else []
            if said:
                yield said[-1] if key == "fit" else said[0]

    def marginals(self) -> Figure:
        """What was learnt of each parameter."""
        posterior = self._found.posterior
        rows = records(posterior.sort_values("narrowed", ascending=False, kind="stable"))
        parts = [
            self._draft.say("seen.of", name=parameter(r, self._draft.lang), number=self._draft.percent(r["narrowed"]))
            for r in rows[:3]
        ]
        said = self._draft.say("seen.marginals", parts=self._draft.listed(parts))
        columns = [
            "path",
            "prior_low",
            "prior_high",
            "mean",
            "sd",
            "low",
            "p25",
            "median",
            "p75",
            "high",
            "now",
            "narrowed",
        ]
        shown = posterior[columns].assign(number=[parameter(r, self._draft.lang) for r in records(posterior)])
        shown = shown[["number", *columns]]
        tall = max(SIZE[1], _ROW * len(posterior) + 1.4)
        return self._draft.figure("marginals", self._plots.marginals, said, shown, height=tall)

    def directions(self) -> Figure:
        """What the targets leave open."""
        variance = self._found.table("directions").groupby("direction")["variance"].first()
        ends = {
            "most": self._draft.percent(float(variance.iloc[0])),
            "least": self._draft.percent(float(variance.iloc[-1])),
        }
        said = self._draft.say("seen.directions", count=len(variance), **ends)
        return self._draft.figure("directions", self._plots.directions, said, variance.rename("variance").reset_index())

    def exits(self) -> Figure:
        """First-year against later exit."""
        frame = self._found.table("exits").dropna(subset=["first_year", "later"])
        after = frame[(frame["of"] == "posterior") & (frame["weight"] > 0)]
        if after.empty:
            said = self._draft.say("seen.nothing")
        else:
            ends = {
                f"{key}_{end}": self._draft.percent(float(after[key].quantile(q)))
                for key in ("first_year", "later")
                for end, q in (("low", 0.05), ("high", 0.95))
            }
            said = self._draft.say("seen.exits", **ends)
        shown = frame.assign(of=[self._draft.say(f"calibration.{of}") for of in frame["of"]])
        return self._draft.figure("exits", self._plots.exits, said, shown)

    def decisions(self) -> Figure:
        """Whether decisions hold along what is left open."""
        frame, draft = self._found.table("decisions"), self._draft
        parts = []
        for _, rows in frame.groupby("reform", sort=False):
            held = text(f"calibrate.decision.{verdict(rows['sign'].tolist())}", draft.lang)
            parts.append(draft.say("seen.of", name=reform(records(rows)[0], draft.lang), number=held))
        which = outcome(self._found.manifest["study"]["decisions"]["outcome"], draft.lang, draft.labels)[0]
        said = draft.say("seen.decisions", outcome=which, parts=draft.listed(parts))
        ways = [text(f"calibrate.decision.{way}", draft.lang) for way in frame["way"]]
        shown = frame.assign(way=ways, reform=[reform(r, draft.lang) for r in records(frame)])
        columns = ["reform", "way", "position", "first_year", "later", "effect", "low", "high"]
        return draft.figure("decisions", self._plots.decisions, said, shown[columns], height=SIZE[1] + 0.8)
