"""The verb that scores the model on stylised facts: facts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli.program import Verb, Voice, common, file, option

if TYPE_CHECKING:
    from sim.experiments.scoring.scorecard import Scorecard

__all__ = ["facts"]


@click.command(cls=Verb)
@file("what", metavar="FILE|RUN")
@option("--replicates", "-n", "scored", type=click.IntRange(1, 100_000), metavar="N")
@option("--jobs", "-j", type=click.IntRange(1), metavar="N")
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@option("--out", "-o", "card", metavar="DIR", type=click.Path())
@option("--force", is_flag=True)
@common
@click.pass_obj
def facts(
    voice: Voice,
    what: str,
    scored: int | None,
    jobs: int | None,
    assignments: tuple[str, ...],
    card: str | None,
    force: bool,
) -> None:
    """The scorecard of a scenario, or of a stored run as far as its tables reach; or one that is stored, again."""
    if Path(what).is_dir() and (scored or jobs or assignments):
        raise click.UsageError(voice.text("facts.stored", folder=what))

    def score() -> Scorecard:
        return _stored(voice, what) if Path(what).is_dir() else _fresh(voice, what, scored, jobs, assignments)

    if card is None:
        return _answer(voice, score())
    from sim.experiments.scoring.kept import keep
    from sim.store import whole_folder

    with whole_folder(Path(card), force=force) as part:
        found = score()
        keep(found, part)
    return _answer(voice, found, card)


def _fresh(voice: Voice, file: str, scored: int | None, jobs: int | None, assignments: tuple[str, ...]) -> Scorecard:
    from sim.cli.scenarios import overrides
    from sim.experiments.scoring.scorecard import score_scenario
    from sim.pilot import workers
    from sim.presentation.screen import progress
    from sim.scenario.loader import load

    scenario = load(file, overrides(assignments))
    voice.warn(scenario.warnings)
    jobs, threads = workers(scenario, jobs)
    with progress(voice.lang, shown=not voice.quiet) as tell:
        return score_scenario(scenario, replicates=scored, jobs=jobs, threads=threads, progress=tell)


def _stored(voice: Voice, folder: str) -> Scorecard:
    from sim.experiments.scoring.kept import KIND, open_scorecard
    from sim.experiments.scoring.scorecard import score_run
    from sim.presentation.screen import progress
    from sim.simulation import open_run
    from sim.store import read_manifest

    if read_manifest(Path(folder)).get("kind") == KIND:
        return open_scorecard(folder)
    with progress(voice.lang, shown=not voice.quiet) as tell:
        return score_run(open_run(folder), progress=tell)


def _answer(voice: Voice, found: Scorecard, folder: str | None = None) -> None:
    from sim.presentation.scorecard import Card, plain
    from sim.presentation.screen import say

    if voice.json:
        voice.give(plain(found, voice.lang) | ({"folder": folder} if folder else {}))
    else:
        say(Card(found, voice.lang))
        if folder:
            voice.note(voice.text("run.folder", folder=folder))
