"""Results in a notebook: a table of what came out, with words in the reader's language, which is the locale's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.presentation.catalogue import Labels, Lang, decimals, known, labels, language, outcome, reason, unit
from sim.presentation.comparison import names, words
from sim.presentation.digits import written

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.comparison.result import Comparison
    from sim.simulation import Result

__all__ = ["comparison", "run"]

_RUN = ("outcome", "mean", "sd", "ci_low", "ci_high", "p10", "p90", "n", "unit", "reason")

_COMPARISON = (
    "scenario", "outcome", "base", "reform", "effect", "ci_low", "ci_high", "direct", "displacement", "n", "unit",
    "reason",
)  # fmt: skip


def run(result: Result) -> str:
    """The outcomes of a run as HTML."""
    lang = language()
    return _html(result.summary, _RUN, lang, labels(result.scenario, lang), {})


def comparison(found: Comparison) -> str:
    """The paired effects of a comparison as HTML."""
    lang = language()
    return _html(found.summary, _COMPARISON, lang, words(found, lang), names(found, lang))


def _html(table: pd.DataFrame, columns: Sequence[str], lang: Lang, said: Labels, scenarios: Mapping[str, str]) -> str:
    """Some columns of a table, ids as names and shares in %; what is not known is a dash."""
    shown = table[list(columns)].astype(object).where(table[list(columns)].notna(), None)
    by = table["unit"].map(lambda id: 0.01 if id == "share" else 1.0)
    shown["outcome"] = [outcome(id, lang, said)[0] for id in shown["outcome"]]
    shown["unit"] = [unit(id, lang) for id in shown["unit"]]
    shown["reason"] = [reason(why, lang, said) if why else "" for why in shown["reason"]]
    if scenarios:
        shown["scenario"] = [scenarios[id] for id in shown["scenario"]]
    for name in columns:
        if table[name].dtype.kind == "f":
            shown[name] = [written(x, decimals(x)) for x in table[name] / by]
    shown.columns = [known(f"notebook.{name}", lang) or name for name in columns]
    html: str = shown.to_html(index=False, escape=True)
    return html
