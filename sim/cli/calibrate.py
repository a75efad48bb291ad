"""The verb that fits what is not known to what is: calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli import INTERRUPTED
from sim.cli.program import Verb, Voice, common, file, option, refuse_others
from sim.cli.scenarios import overrides

if TYPE_CHECKING:
    from sim.experiments.calibration.result import Calibration
    from sim.scenario.studies import Study

__all__ = ["calibrate"]


@click.command(cls=Verb)
@file("study", metavar="STUDY|DIR")
@option("--out", "-o", "kept", metavar="DIR", type=click.Path())
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@option("--jobs", "-j", type=click.IntRange(1), metavar="N")
@option("--dry-run", is_flag=True)
@option("--no-figures", is_flag=True)
@common
@click.pass_context
def calibrate(
    ctx: click.Context,
    study: str,
    kept: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    jobs: int | None,
    dry_run: bool,
    no_figures: bool,
) -> None:
    """Calibrate a scenario as a study says, going on from what its folder holds; or show a stored calibration again."""
    voice: Voice = ctx.obj
    if Path(study).is_dir():
        refuse_others(ctx, "calibrate.stored", "study", folder=study)
        from sim.experiments.calibration.result import open_calibration

        return _answer(voice, open_calibration(study), Path(study))
    from sim.scenario.studies import Study, load_study

    plan = load_study(study, overrides(assignments, seed=seed), only=Study)
    from sim.errors import ScenarioError
    from sim.experiments.calibration.calibrate import calibrate as run_study
    from sim.experiments.outcomes import unknown_outcomes
    from sim.pilot import workers
    from sim.presentation.calibration_plots import figures
    from sim.presentation.screen import progress
    from sim.store import seal

    if wrong := tuple(unknown_outcomes(plan)):
        raise ScenarioError(wrong)
    jobs = workers(plan.small.replace({"replicates": 100}), jobs)[0]
    if dry_run:
        return _estimate(voice, plan, jobs)
    folder = Path(kept) if kept is not None else Path("runs") / Path(study).stem
    try:
        with progress(voice.lang, shown=not voice.quiet) as tell:
            found = run_study(plan, folder, jobs=jobs, progress=tell)
    except KeyboardInterrupt:
        click.echo(voice.text("calibrate.interrupted", folder=folder), err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    found.write(folder)
    if not no_figures:
        figures(found, folder / "figures", lang=voice.lang)
        seal(folder)
    return _answer(voice, found, folder)


def _estimate(voice: Voice, plan: Study, jobs: int) -> None:
    from sim.experiments.calibration.calibrate import runs
    from sim.pilot import estimate
    from sim.presentation.calibration import cost

    counts = runs(plan)
    small = sum(counts.values()) - counts["whole"]
    seconds = estimate(plan.small.replace({"replicates": small}), jobs=jobs).seconds
    if counts["whole"]:
        seconds += estimate(plan.whole.replace({"replicates": counts["whole"]}), jobs=jobs).seconds
    if voice.json:
        voice.give({"runs": counts, "seconds": seconds})
    else:
        voice.say(cost(counts, seconds, voice.lang))


def _answer(voice: Voice, found: Calibration, folder: Path) -> None:
    from sim.presentation.calibration import CalibrationAnswer, plain
    from sim.presentation.screen import say

    if voice.json:
        voice.give(plain(found) | {"folder": str(folder)})
    else:
        said = voice.text("compare.stored" if found.folder else "run.folder", folder=folder)
        say(CalibrationAnswer(found, notes=(said,), lang=voice.lang))
