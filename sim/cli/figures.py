"""Verbs about the evidence: figures list, show, audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim.cli.program import Verb, VerbGroup, Voice, common, file, option, refuse_others

if TYPE_CHECKING:
    from sim.experiments.sensitivity.analysis import Plan
    from sim.experiments.sensitivity.result import Variance

__all__ = ["figures"]


@click.group(cls=VerbGroup)
@common
def figures() -> None:
    """The evidence ledger."""


@figures.command("list", cls=Verb)
@option("--search", metavar="TEXT")
@option("--role", metavar="ROLE")
@option("--source", metavar="ID")
@option("--use", metavar="USE")
@common
@click.pass_obj
def list_(voice: Voice, search: str | None, role: str | None, source: str | None, use: str | None) -> None:
    """The figures that fit."""
    from sim.evidence import ledger
    from sim.presentation.listing import figure_table
    from sim.presentation.screen import say

    found = ledger.search(search, role, source, use)
    if voice.json:
        voice.give([_plain(figure) for figure in found])
    else:
        say(figure_table(found, voice.lang), wide=True)
        voice.note(voice.text("figures.count", count=len(found)))


@figures.command(cls=Verb)
@click.argument("id")
@common
@click.pass_obj
def show(voice: Voice, id: str) -> None:
    """All that is known of one figure."""
    from dataclasses import asdict

    from sim.evidence import ledger
    from sim.presentation.listing import figure_card
    from sim.presentation.screen import say

    figure = ledger.figure(id)
    if voice.json:
        voice.give(_plain(figure) | {"sources": [asdict(ledger.sources()[s]) for s in figure.sources]})
    else:
        say(figure_card(figure, voice.lang), wide=True)


@figures.command(cls=Verb)
@file("what", metavar="FILE|DIR")
@option("--status", type=click.Choice(["published", "derived", "assumed", "unsourced"]))
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@option("--variance", is_flag=True)
@option("--effect", metavar="REFORM", type=click.Path())
@option("--only", metavar="PATH", multiple=True)
@option("--top", "singled", type=click.IntRange(1, 100), metavar="N", default=16)
@option("--pairs", "point_pairs", type=click.IntRange(2, 100_000), metavar="N", default=128)
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@option("--out", "-o", metavar="DIR", type=click.Path())
@option("--dry-run", is_flag=True)
@option("--force", is_flag=True)
@option("--no-figures", is_flag=True)
@common
@click.pass_context
def audit(
    ctx: click.Context,
    what: str,
    status: str | None,
    assignments: tuple[str, ...],
    variance: bool,
    effect: str | None,
    only: tuple[str, ...],
    singled: int,
    point_pairs: int,
    seed: int | None,
    out: str | None,
    dry_run: bool,
    force: bool,
    no_figures: bool,
) -> None:
    """Which numbers of a scenario are published, derived, assumed; and what rests on the assumed ones."""
    voice: Voice = ctx.obj
    if Path(what).is_dir():
        refuse_others(ctx, "audit.stored", "what", what=what)
        from sim.experiments.sensitivity.result import open_variance

        return _variance(voice, open_variance(what), Path(what))
    if not variance:
        refuse_others(ctx, "audit.needs_variance", "what", "status", "assignments", what=what)
        return _statuses(voice, what, status, assignments)
    if status is not None:
        raise click.UsageError(voice.text("audit.no_status"))
    from sim.cli.scenarios import overrides
    from sim.experiments.sensitivity.analysis import Plan
    from sim.scenario.loader import load

    scenario = load(what, overrides(assignments))
    voice.warn(scenario.warnings)
    reform = load(effect) if effect is not None else None
    plan = Plan(scenario, reform, only, pairs=point_pairs, top=singled, seed=seed)
    if dry_run:
        return _estimate(voice, plan)
    folder = Path(out) if out is not None else _free(what)
    return _take_apart(voice, plan, folder, force=force, draw=not no_figures)


def _free(file: str) -> Path:
    from sim.store import free_name

    return free_name(Path("runs"), f"{Path(file).stem}-audit")


def _statuses(voice: Voice, file: str, status: str | None, assignments: tuple[str, ...]) -> None:
    """The audit itself, which runs nothing."""
    from sim.cli.scenarios import overrides
    from sim.evidence.audit import audit, counts
    from sim.presentation.listing import audit_table
    from sim.presentation.screen import say
    from sim.scenario.loader import load

    scenario = load(file, overrides(assignments))
    rows = audit(scenario.provenance.values())
    if voice.json:
        numbers = [row.flat() for row in rows if status in (None, row.status)]
        voice.give({"file": file, "counts": counts(rows), "numbers": numbers})
    else:
        for part in audit_table(rows, voice.lang, status):
            say(part, wide=True)
        voice.note(voice.text("audit.hint", file=file))


def _take_apart(voice: Voice, plan: Plan, folder: Path, *, force: bool, draw: bool) -> None:
    """Run the plan, write its folder, and say what came out."""
    from sim.experiments.sensitivity.analysis import sensitivity
    from sim.presentation.screen import progress
    from sim.presentation.sensitivity_plots import figures
    from sim.store import seal, whole_folder

    with whole_folder(folder, force=force) as part:
        with progress(voice.lang, shown=not voice.quiet) as tell:
            found = sensitivity(plan, progress=tell)
        found.write(part)
        if draw:
            figures(found, part / "figures", lang=voice.lang)
            seal(part)
    _variance(voice, found, folder)


def _estimate(voice: Voice, plan: Plan) -> None:
    from sim.experiments.sensitivity.analysis import seconds
    from sim.presentation.listing import duration

    expected, numbers = seconds(plan), len(plan.unknown.vary)
    if voice.json:
        return voice.give({"numbers": numbers, "runs": plan.runs, "seconds": expected})
    time = duration(expected, voice.lang)
    return voice.say(voice.text("audit.cost", numbers=numbers, runs=f"{plan.runs:,}", time=time))


def _variance(voice: Voice, found: Variance, folder: Path) -> None:
    from sim.presentation.screen import say
    from sim.presentation.sensitivity import VarianceAnswer, plain

    if voice.json:
        voice.give(plain(found) | {"folder": str(folder)})
    else:
        said = "compare.stored" if found.folder else "run.folder"
        say(VarianceAnswer(found, notes=(voice.text(said, folder=folder),), lang=voice.lang))


def _plain(figure: Any) -> dict[str, Any]:
    """A figure as plain values."""
    from dataclasses import asdict

    return {**asdict(figure), "inputs": figure.inputs}
