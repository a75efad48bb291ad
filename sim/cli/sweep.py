"""Verbs about many runs: sweep, status, resume, expand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sim.cli import INTERRUPTED
from sim.cli.program import Verb, Voice, common, file, option
from sim.cli.scenarios import overrides

if TYPE_CHECKING:
    from distributed import Security

    from sim.experiments.sweep.result import Sweep
    from sim.scenario.studies import SweepStudy

__all__ = ["by_whom", "expand", "resume", "security", "status", "sweep"]

SOME_FAILED = 3

_F = TypeVar("_F", bound=Callable[..., Any])

_SHORT = 15.0
"""assumed: seconds of work that are not worth starting workers for."""


_MANY = 1000
"""assumed: runs that are worth it in any case."""


class _More(click.ParamType):  # type: ignore[type-arg]  # no generic in older versions
    """``+4``: so many more; ``4``: so many in all."""

    name = "+N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, bool]:
        """The number, and whether it is in addition."""
        digits = str(value).removeprefix("+")
        if not (digits.isascii() and digits.isdigit() and 1 <= int(digits) <= 100_000):
            self.fail(f"{value!r} is neither +N nor N", param, ctx)
        return int(digits), str(value).startswith("+")


def by_whom(verb: _F) -> _F:
    """The options that say who makes the runs."""
    path = click.Path(exists=True, dir_okay=False)
    verb = option("--timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS")(verb)
    for name in ("key", "cert", "ca"):
        verb = option(f"--tls-{name}", type=path, metavar="FILE")(verb)
    verb = option("--dask", metavar="ADDRESS")(verb)
    return option("--jobs", "-j", type=click.IntRange(1), metavar="N")(verb)


def security(
    voice: Voice, jobs: int | None, dask: str | None, ca: str | None, cert: str | None, key: str | None
) -> Security | None:
    """Certificates for a scheduler by TLS, if any were given. Raises UsageError for options that exclude each other."""
    tls = {"tls_ca_file": ca, "tls_client_cert": cert, "tls_client_key": key}
    if any(tls.values()) and dask is None:
        raise click.UsageError(voice.text("sweep.tls"))
    if dask is not None and jobs is not None:
        raise click.UsageError(voice.text("sweep.jobs_or_dask"))
    if not any(tls.values()):
        return None
    from distributed import Security

    return Security(**tls, require_encryption=True)


@click.command(cls=Verb)
@file("study", metavar="STUDY")
@option("--out", "-o", "kept", metavar="DIR", type=click.Path())
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@by_whom
@option("--retry", is_flag=True)
@option("--dry-run", is_flag=True)
@common
@click.pass_obj
def sweep(
    voice: Voice,
    /,
    study: str,
    kept: str | None,
    assignments: tuple[str, ...],
    seed: int | None,
    dry_run: bool,
    **whom: Any,
) -> None:
    """Run a study at all its points, going on from what its folder holds."""
    if whom["jobs"] and not dry_run:
        _start(whom["jobs"])
    from sim.experiments.outcomes import unknown_outcomes
    from sim.scenario.studies import SweepStudy, load_study

    asked = load_study(study, overrides(assignments, seed=seed), only=SweepStudy, further=unknown_outcomes)
    _warn(voice, asked)
    if dry_run:
        return _estimate(voice, asked, whom["jobs"])
    return _go(voice, asked, Path(kept) if kept is not None else Path("runs") / Path(study).stem, **whom)


@click.command(cls=Verb)
@file("folder", metavar="DIR")
@common
@click.pass_obj
def status(voice: Voice, folder: str) -> None:
    """How far a sweep is."""
    from sim.experiments.sweep.estimate import status as read_status
    from sim.presentation.sweep import progress_of, said

    found = read_status(folder)
    if voice.json:
        voice.give(said(found) | {"folder": folder})
    else:
        voice.say(progress_of(found, voice.lang))


@click.command(cls=Verb)
@file("folder", metavar="DIR")
@by_whom
@option("--retry", is_flag=True)
@common
@click.pass_obj
def resume(voice: Voice, /, folder: str, **whom: Any) -> None:
    """Go on with a sweep where it was."""
    from sim.experiments.sweep.folder import study_in

    _go(voice, study_in(Path(folder)), Path(folder), **whom)


@click.command(cls=Verb)
@file("folder", metavar="DIR")
@option("--replicates", "-n", "more", type=_More())
@option("--study", "extended", metavar="STUDY", type=click.Path())
@by_whom
@option("--retry", is_flag=True)
@common
@click.pass_context
def expand(
    ctx: click.Context, /, folder: str, more: tuple[int, bool] | None, extended: str | None, **whom: Any
) -> None:
    """More replicates of a sweep, or the points of a study that was extended."""
    voice: Voice = ctx.obj
    from sim.experiments.outcomes import unknown_outcomes
    from sim.experiments.sweep.folder import manifest_of, study_in
    from sim.scenario.studies import SweepStudy, load_study

    home = Path(folder)
    if (more is None) == (extended is None):
        raise click.UsageError(voice.text("sweep.how_more"), ctx)
    if extended is not None:
        manifest_of(home)
        study = load_study(extended, only=SweepStudy, further=unknown_outcomes)
        _warn(voice, study)
        return _go(voice, study, home, **whom)
    assert more is not None
    rule = manifest_of(home)["replicates"]
    now = rule if isinstance(rule, int) else rule["until"]["max"]
    count = more[0] if more[1] else more[0] - now
    if count < 1:
        raise click.UsageError(voice.text("sweep.no_more", now=now), ctx)
    return _go(voice, study_in(home, more=count), home, **whom)


def _warn(voice: Voice, study: SweepStudy) -> None:
    from sim.experiments.outcomes import unknowable_outcomes

    voice.warn((*study.warnings, *unknowable_outcomes(study)))


def _estimate(voice: Voice, study: SweepStudy, jobs: int | None) -> None:
    from dataclasses import asdict

    from sim.experiments.sweep.estimate import cost
    from sim.presentation.sweep import cost as as_a_sentence

    expected = cost(study, jobs=jobs or _processors())
    if voice.json:
        voice.give(asdict(expected))
    else:
        voice.say(as_a_sentence(expected, voice.lang))


def _go(
    voice: Voice,
    study: SweepStudy,
    folder: Path,
    *,
    jobs: int | None,
    dask: str | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    timeout: float | None,
    retry: bool,
) -> None:
    """Make what is missing, and say what came out."""
    by = security(voice, jobs, dask, tls_ca, tls_cert, tls_key)
    workers = jobs or (1 if dask else _workers(study))
    _start(workers)
    import scipy.special  # noqa: F401  (it and the answer come last; they are brought in while workers start)

    from sim.experiments.sweep.sweep import sweep as make
    from sim.presentation.screen import progress
    from sim.presentation.sweep import SweepAnswer  # noqa: F401

    try:
        with progress(voice.lang, shown=not voice.quiet) as tell:
            found = make(
                study, folder, jobs=workers, dask=dask, security=by, timeout=timeout, retry=retry, progress=tell
            )
    except KeyboardInterrupt:
        if not (folder / "manifest.json").exists():
            raise
        click.echo(voice.text("sweep.interrupted", folder=folder), err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    _answer(voice, found, folder)
    if len(found.failures):
        raise click.exceptions.Exit(SOME_FAILED)


def _start(workers: int) -> None:
    """Let workers start while this process brings in what it needs itself."""
    if workers > 1:
        from sim.experiments.sweep.cell import prepare

        prepare(workers)


def _answer(voice: Voice, found: Sweep, folder: Path) -> None:
    from sim.presentation.screen import say
    from sim.presentation.sweep import SweepAnswer, plain

    if voice.json:
        voice.give(plain(found) | {"folder": str(folder)})
    else:
        say(SweepAnswer(found, notes=(voice.text("run.folder", folder=folder),), lang=voice.lang))


def _workers(study: SweepStudy) -> int:
    """As many as there are processors; one, in this process, where all of it is short."""
    if study.runs > _MANY or any(block.scenario.own for block in study.blocks):
        return _processors()
    from sim.experiments.sweep.estimate import seconds_of_a_run
    from sim.experiments.sweep.plan import Plan

    return 1 if seconds_of_a_run(Plan(study), 1) * study.runs < _SHORT else _processors()


def _processors() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
