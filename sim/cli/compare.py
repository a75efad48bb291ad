"""The verb that compares policies: compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli.program import Verb, Voice, common, file, option, refuse_others

if TYPE_CHECKING:
    from sim.experiments.comparison.result import Comparison
    from sim.scenario.schema import Scenario

__all__ = ["compare"]


@click.command(cls=Verb)
@file("base", metavar="BASE")
@file("reforms", nargs=-1, metavar="REFORM...")
@option("--out", "-o", metavar="DIR", type=click.Path())
@option("--replicates", "-n", "pairs", type=click.IntRange(2, 100_000), metavar="N")
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@option("--jobs", "-j", type=click.IntRange(1), metavar="N")
@option("--discount", type=click.FloatRange(0, 1), metavar="RATE")
@option("--force", is_flag=True)
@option("--no-figures", is_flag=True)
@common
@click.pass_context
def compare(
    ctx: click.Context,
    base: str,
    reforms: tuple[str, ...],
    out: str | None,
    pairs: int | None,
    seed: int | None,
    jobs: int | None,
    discount: float | None,
    force: bool,
    no_figures: bool,
) -> None:
    """The same people under several policies; or a comparison that is stored, again."""
    voice: Voice = ctx.obj
    if not reforms:
        return _again(ctx, base)
    _distinct(voice, base, reforms)
    first, *others = _scenarios(voice, (base, *reforms))
    from sim.experiments.comparison.compare import compare as run_comparison
    from sim.experiments.comparison.compare import pairs_of
    from sim.pilot import workers
    from sim.presentation.comparison_plots import figures
    from sim.presentation.screen import progress
    from sim.statistics.fiscal import DISCOUNT
    from sim.store import free_name, seal, whole_folder

    rate = DISCOUNT if discount is None else discount
    jobs = min(workers(first, jobs)[0], pairs_of(first, pairs))
    folder = Path(out) if out is not None else free_name(Path("runs"), f"{Path(base).stem}-compare")
    with whole_folder(folder, force=force) as part:
        with progress(voice.lang, shown=not voice.quiet) as tell:
            found = run_comparison(first, *others, replicates=pairs, seed=seed, jobs=jobs, discount=rate, progress=tell)
        found.write(part)
        if not no_figures:
            figures(found, part / "figures", lang=voice.lang)
            seal(part)
    return _answer(voice, found, folder)


def _distinct(voice: Voice, base: str, reforms: tuple[str, ...]) -> None:
    """Refuse a file that is given twice: its effect would be none, or that of another."""
    seen = {Path(base).resolve()}
    for reform in reforms:
        path = Path(reform).resolve()
        if path in seen:
            key = "compare.is_base" if path == Path(base).resolve() else "compare.twice"
            raise click.UsageError(voice.text(key, file=reform))
        seen.add(path)


def _again(ctx: click.Context, folder: str) -> None:
    """The answer of a comparison that is stored."""
    voice: Voice = ctx.obj
    if not Path(folder).is_dir():
        raise click.UsageError(voice.text("compare.one", file=folder))
    refuse_others(ctx, "compare.done", "base", folder=folder)
    from sim.experiments.comparison.result import open_comparison

    _answer(voice, open_comparison(folder), Path(folder))


def _scenarios(voice: Voice, files: tuple[str, ...]) -> list[Scenario]:
    """The base and the reforms; what is odd in a file that all extend is said once."""
    from sim.errors import Problem, ScenarioError
    from sim.scenario.loader import load

    found, wrong = [], dict[Problem, None]()
    for name in files:
        try:
            found.append(load(name))
        except ScenarioError as error:
            wrong |= dict.fromkeys(error.problems)
    if wrong:
        raise ScenarioError(wrong)
    voice.warn(dict.fromkeys(p for scenario in found for p in scenario.warnings))
    return found


def _answer(voice: Voice, found: Comparison, folder: Path) -> None:
    from sim.presentation.comparison import PairedAnswer, plain
    from sim.presentation.screen import say

    if voice.json:
        voice.give(plain(found) | {"folder": str(folder)})
    else:
        said = "compare.stored" if found.folder else "run.folder"
        say(PairedAnswer(found, notes=(voice.text(said, folder=folder),), lang=voice.lang))
