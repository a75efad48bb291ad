"""Verbs that run the model: run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli.program import Verb, Voice, common, file, option
from sim.cli.scenarios import doubts, overrides

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.simulation import Result

__all__ = ["run"]


@click.command(cls=Verb)
@file()
@option("--out", "-o", metavar="DIR", type=click.Path())
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@option("--replicates", "-n", type=click.IntRange(1, 100_000), metavar="N")
@option("--months", type=click.IntRange(1, 1200), metavar="N")
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@option("--engine", type=click.Choice(["columns", "objects"]))
@option("--jobs", "-j", type=click.IntRange(1), metavar="N")
@option("--threads", type=click.IntRange(1), metavar="N")
@option("--dry-run", is_flag=True)
@option("--force", is_flag=True)
@option("--no-figures", is_flag=True)
@common
@click.pass_obj
def run(
    voice: Voice,
    file: str,
    out: str | None,
    seed: int | None,
    replicates: int | None,
    months: int | None,
    assignments: tuple[str, ...],
    engine: str | None,
    jobs: int | None,
    threads: int | None,
    dry_run: bool,
    force: bool,
    no_figures: bool,
) -> None:
    """Run a scenario, write its folder, and say what came out."""
    from sim.scenario.loader import load

    settings = {"seed": seed, "replicates": replicates, "horizon__months": months, "engine": engine}
    scenario = load(file, overrides(assignments, **settings))
    voice.warn(doubts(scenario))
    from sim.pilot import workers

    jobs, threads = workers(scenario, jobs, threads)
    if dry_run:
        return _estimate(voice, scenario, jobs)
    from sim.presentation.catalogue import labels
    from sim.presentation.plots import figures
    from sim.presentation.screen import progress
    from sim.simulation import run as run_scenario
    from sim.store import free_name, seal, whole_folder

    folder = Path(out) if out is not None else free_name(Path("runs"), Path(file).stem)
    with whole_folder(folder, force=force) as part:
        with progress(voice.lang, shown=not voice.quiet) as tell:
            result = run_scenario(scenario, jobs=jobs, threads=threads, folder=part, progress=tell)
        if not no_figures:
            named = labels(result.scenario, voice.lang)
            figures(result, part / "figures", lang=voice.lang, labels=named, start=scenario.horizon.start)
            seal(part)
    _answer(voice, scenario, result, folder)
    return None


def _estimate(voice: Voice, scenario: Scenario, jobs: int) -> None:
    from dataclasses import asdict

    from sim.pilot import estimate
    from sim.presentation.listing import cost

    found = estimate(scenario, jobs=jobs)
    if voice.json:
        voice.give(asdict(found))
    else:
        voice.say(cost(found, voice.lang))


def _answer(voice: Voice, scenario: Scenario, result: Result, folder: Path) -> None:
    from sim.evidence.audit import audit, counts
    from sim.presentation.answer import Answer, plain, show
    from sim.presentation.catalogue import labels, title
    from sim.presentation.money import money
    from sim.presentation.sheet import records

    if voice.json:
        voice.give(
            {
                "scenario": result.scenario,
                "hash": scenario.hash(),
                "seed": scenario.seed,
                "replicates": result.replicates,
                "summary": plain(result.summary),
                "unit_costs": records(result.unit_costs()),
                "budgets": records(result.budgets()),
                "folder": str(folder),
            }
        )
        return
    number = counts(audit(scenario.provenance.values()))
    named = labels(result.scenario, voice.lang)
    answer = Answer(
        result.summary,
        name=title(result.scenario, voice.lang),
        replicates=result.replicates,
        labels=named,
        money=tuple(money(result, voice.lang, named)),
        assumed=(number["assumed"] + number["unsourced"], sum(number.values()), scenario.file),
        notes=(voice.text("run.folder", folder=folder),),
        lang=voice.lang,
    )
    show(answer)
