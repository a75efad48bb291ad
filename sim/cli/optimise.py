"""The verb that spends a budget: optimise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli import INTERRUPTED
from sim.cli.program import Verb, Voice, common, file, option, refuse_others
from sim.cli.sweep import SOME_FAILED, by_whom, security

if TYPE_CHECKING:
    from sim.experiments.optimisation.result import Optimum
    from sim.scenario.studies.optimisation import OptimisationStudy

__all__ = ["optimise"]

_MANY = 1_000
"""assumed: runs that are worth starting workers for."""


@click.command(cls=Verb)
@file("study", metavar="STUDY|DIR")
@option("--budget", "ceiling", metavar="CNY", type=click.FloatRange(0, 1e14))
@option("--out", "-o", "kept", metavar="DIR", type=click.Path())
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@by_whom
@option("--dry-run", is_flag=True)
@option("--no-figures", is_flag=True)
@common
@click.pass_context
def optimise(
    ctx: click.Context,
    study: str,
    ceiling: float | None,
    kept: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    jobs: int | None,
    dask: str | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    timeout: float | None,
    dry_run: bool,
    no_figures: bool,
) -> None:
    """The best policy within a budget; or an optimisation that is stored, again."""
    voice: Voice = ctx.obj
    if Path(study).is_dir():
        return _again(ctx, study)
    by = security(voice, jobs, dask, tls_ca, tls_cert, tls_key)
    from sim.cli.scenarios import overrides
    from sim.experiments.outcomes import unknown_outcomes
    from sim.scenario.studies import load_study
    from sim.scenario.studies.optimisation import OptimisationStudy

    changes = overrides(assignments, seed=seed, budget=ceiling)
    plan = load_study(study, changes, only=OptimisationStudy, further=unknown_outcomes)
    voice.warn(plan.warnings)
    from sim.experiments.optimisation.optimise import optimise as run_study
    from sim.experiments.optimisation.optimise import runs
    from sim.pilot import workers
    from sim.presentation.optimisation_plots import figures
    from sim.presentation.screen import progress
    from sim.store import seal

    if jobs is None and (dask is not None or sum(runs(plan).values()) < _MANY):
        jobs = 1
    jobs = workers(plan.small.replace({"replicates": _MANY}), jobs)[0]
    if dry_run:
        return _estimate(voice, plan, jobs)
    folder = Path(kept) if kept is not None else Path("runs") / Path(study).stem
    try:
        with progress(voice.lang, shown=not voice.quiet) as tell:
            found = run_study(plan, folder, jobs=jobs, dask=dask, security=by, timeout=timeout, progress=tell)
    except KeyboardInterrupt:
        click.echo(voice.text("optimise.interrupted", folder=folder), err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    found.write(folder)
    if not no_figures:
        figures(found, folder / "figures", lang=voice.lang)
        seal(folder)
    _answer(voice, found, folder)
    if found.manifest["failed"]:
        ctx.exit(SOME_FAILED)
    return None


def _again(ctx: click.Context, folder: str) -> None:
    """The answer of an optimisation that is stored."""
    voice: Voice = ctx.obj
    refuse_others(ctx, "optimise.stored", "study", folder=folder)
    from sim.experiments.optimisation.result import open_optimum

    _answer(voice, open_optimum(folder), Path(folder))


def _estimate(voice: Voice, plan: OptimisationStudy, jobs: int) -> None:
    from sim.experiments.optimisation.optimise import runs
    from sim.pilot import estimate
    from sim.presentation.optimisation import cost

    counts = runs(plan)
    seconds = estimate(plan.small.replace({"replicates": sum(counts.values())}), jobs=jobs).seconds
    if voice.json:
        voice.give({"runs": counts, "seconds": seconds})
    else:
        voice.say(cost(counts, seconds, voice.lang))


def _answer(voice: Voice, found: Optimum, folder: Path) -> None:
    from sim.presentation.optimisation import OptimumAnswer, plain
    from sim.presentation.screen import say

    if voice.json:
        voice.give(plain(found) | {"folder": str(folder)})
    else:
        said = "compare.stored" if found.folder else "run.folder"
        say(OptimumAnswer(found, notes=(voice.text(said, folder=folder),), lang=voice.lang))
