"""The verb that says what the outcomes of a sweep are sensitive to: sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.program import Verb, Voice, common, option

if TYPE_CHECKING:
    from sim.experiments.sensitivity.found import Sensitivity

__all__ = ["sensitivity"]


@click.command(cls=Verb)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@option("--outcome", "outcomes", metavar="NAME", multiple=True)
@option("--method", "estimator", type=click.Choice(["sobol", "morris", "anova", "pawn"]))
@option("--over", metavar="PATH PATH", nargs=2)
@option("--no-figures", is_flag=True)
@common
@click.pass_obj
def sensitivity(
    voice: Voice,
    folder: str,
    outcomes: tuple[str, ...],
    estimator: Any,
    over: tuple[str, str] | None,
    no_figures: bool,
) -> None:
    """What the outcomes of a sweep are sensitive to; or an analysis that is stored, again."""
    from sim.experiments.sensitivity.found import open_sensitivity
    from sim.store import read_manifest

    if read_manifest(Path(folder)).get("kind") == "sensitivity":
        return _answer(voice, open_sensitivity(folder), Path(folder))
    from sim.experiments.sensitivity.swept import sensitivity as explain
    from sim.experiments.sweep.result import open_sweep
    from sim.presentation.indices_plots import figures
    from sim.store import seal

    found = explain(open_sweep(folder), outcomes, method=estimator, over=over)
    beside = Path(folder) / "sensitivity"
    found.write(beside)
    if not no_figures:
        figures(found, beside / "figures", lang=voice.lang)
        seal(beside)
    return _answer(voice, found, beside)


def _answer(voice: Voice, found: Sensitivity, folder: Path) -> None:
    from sim.presentation.indices import IndicesAnswer, plain
    from sim.presentation.screen import say

    if voice.json:
        voice.give(plain(found) | {"folder": str(folder)})
    else:
        said = "compare.stored" if found.folder else "run.folder"
        say(IndicesAnswer(found, notes=(voice.text(said, folder=folder),), lang=voice.lang))
