"""Results in a notebook: the answer that the screen shows, in the reader's language, which is the locale's."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import labels, language, title
from sim.presentation.markup import html

if TYPE_CHECKING:
    from sim.evidence.audit import Origin
    from sim.experiments.calibration.result import Calibration
    from sim.experiments.comparison.result import Comparison
    from sim.experiments.optimisation.result import Optimum
    from sim.experiments.scoring.scorecard import Scorecard
    from sim.experiments.sensitivity.found import Sensitivity
    from sim.experiments.sensitivity.result import Variance
    from sim.experiments.sweep.result import Sweep
    from sim.experiments.tracing.trace import Life
    from sim.scenario.schema import Scenario
    from sim.simulation import Result

__all__ = ["show", "speak", "tell"]


def show(found: Any) -> str:
    """A result, a scenario, a life, ... as HTML (see `sim.shown.Shown`)."""
    for kind in type(found).__mro__:
        if kind.__name__ in _SHOWN:
            return _SHOWN[kind.__name__](found)
    raise TypeError(type(found).__name__)


def speak(lang: str) -> Callable[[str, str], str]:
    """Choose the language of tables from here on; returns a function that chooses between two texts alike.

    Raises ValueError if `lang` is neither ``zh`` nor ``en``.
    """
    os.environ["SIM_LANG"] = language(lang)
    return lambda zh, en: zh if lang == "zh" else en


def tell(zh: str, en: str) -> None:
    """Show a sentence that holds computed numbers in both languages, set as the text of the notebooks is: Markdown."""
    from IPython.display import Markdown, display

    quoted = "\n".join(f"> {line}".rstrip() for line in en.split("\n"))
    display(Markdown(f"{zh}\n\n{quoted}"))  # type: ignore[no-untyped-call]


def _why(origin: Origin) -> str:
    """Where a number comes from, as HTML."""
    from rich.console import Group
    from rich.text import Text

    from sim.evidence.audit import audit
    from sim.presentation.listing import explanation

    first, *others = explanation(audit([origin])[0], language()).splitlines()
    return html(Group(Text(first, "bold"), *map(Text, others)))


def _scenario(found: Scenario) -> str:
    """A scenario as HTML: its chain, its policy, and how much of it is assumed."""
    from sim.presentation.profile import Profile

    return html(Profile(found, language()))


def _run(result: Result) -> str:
    """The outcomes of a run as HTML."""
    from sim.presentation.answer import Answer
    from sim.presentation.money import money

    lang = language()
    named = labels(result.scenario, lang)
    paid = tuple(money(result, lang, named))
    name = title(result.scenario, lang)
    answer = Answer(result.summary, name=name, replicates=result.replicates, labels=named, money=paid, lang=lang)
    return html(answer, folded=True)


def _comparison(found: Comparison) -> str:
    """What each reform does, as HTML."""
    from sim.presentation.comparison import PairedAnswer

    return html(PairedAnswer(found, lang=language()), folded=True)


def _sweep(found: Sweep) -> str:
    """The outcomes of a sweep at its points, and what failed, as HTML."""
    from sim.presentation.sweep import SweepAnswer

    return html(SweepAnswer(found, lang=language()))


def _sensitivity(found: Sensitivity) -> str:
    """What a sweep's outcomes are sensitive to, as HTML."""
    from sim.presentation.indices import IndicesAnswer

    return html(IndicesAnswer(found, lang=language()), folded=True)


def _calibration(found: Calibration) -> str:
    """Fit, posterior, and what the targets leave open, as HTML."""
    from sim.presentation.calibration import CalibrationAnswer

    return html(CalibrationAnswer(found, lang=language()), folded=True)


def _optimum(found: Optimum) -> str:
    """What to do with a budget, and how sure that is, as HTML."""
    from sim.presentation.optimisation import OptimumAnswer

    return html(OptimumAnswer(found, lang=language()), folded=True)


def _scorecard(found: Scorecard) -> str:
    """Which facts hold, as HTML."""
    from sim.presentation.scorecard import Card

    return html(Card(found, language()))


def _life(found: Life) -> str:
    """A life, event by event, as HTML."""
    from sim.presentation.story import Story

    return html(Story(found, language()), folded=True)


def _variance(found: Variance) -> str:
    """What rests on each assumption, as HTML."""
    from sim.presentation.sensitivity import VarianceAnswer

    return html(VarianceAnswer(found, lang=language()), folded=True)


_SHOWN: dict[str, Callable[[Any], str]] = {
    "Calibration": _calibration,
    "Comparison": _comparison,
    "Life": _life,
    "Optimum": _optimum,
    "Origin": _why,
    "Result": _run,
    "Scenario": _scenario,
    "Scorecard": _scorecard,
    "Sensitivity": _sensitivity,
    "Sweep": _sweep,
    "Variance": _variance,
}
"""By the name of the class: to bring in all of them would take seconds."""
