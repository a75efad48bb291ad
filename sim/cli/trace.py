"""The verb that tells one life: trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sim.cli.program import Verb, Voice, common, file, option

if TYPE_CHECKING:
    from sim.experiments.tracing.recall import Source
    from sim.experiments.tracing.trace import Life

__all__ = ["trace"]

_PICKS = ("highest", "failed", "typical", "paid")  # `recall.PICKS`, which is not imported for a help text


@click.command(cls=Verb)
@file("run", metavar="RUN")
@option("--entrepreneur", "-e", type=click.IntRange(-(2**63), 2**63 - 1), metavar="UID")
@option("--pick", type=click.Choice(_PICKS))
@option("--replicate", type=click.IntRange(0, 100_000), metavar="N", default=0)
@option("--twin", type=click.Path(), metavar="OTHER")
@common
@click.pass_obj
def trace(voice: Voice, run: str, entrepreneur: int | None, pick: str | None, replicate: int, twin: str | None) -> None:
    """One life as text, or the same life under two policies."""
    if entrepreneur is not None and pick is not None:
        raise click.UsageError(voice.text("trace.both"))
    first = _source(voice, run, replicate)
    second = _source(voice, twin, replicate, first) if twin is not None else None
    picked = None if entrepreneur is not None else pick or "highest"
    uid = first.pick(picked) if picked else entrepreneur
    assert uid is not None
    life = _life(voice, first, uid)
    if second is None:
        _tell(voice, life, picked)
    else:
        _tell_both(voice, life, _life(voice, second, uid), (first.path, second.path), picked)


def _source(voice: Voice, path: str, replicate: int, base: Source | None = None) -> Source:
    from dataclasses import replace

    from sim.experiments.tracing.recall import source
    from sim.pilot import workers

    found = source(path, replicate=replicate, base=base)
    if found.stored is None:
        voice.warn(found.scenario.warnings)
    if found.written_by:
        said = voice.text("trace.version", path=found.path, version=found.written_by)
        voice.note(voice.text("warning", message=said))
    return replace(found, threads=workers(found.scenario, 1)[1])


def _life(voice: Voice, found: Source, uid: int) -> Life:
    from sim.presentation.screen import progress

    months = found.scenario.horizon.months
    with progress(voice.lang, shown=not voice.quiet) as tell:
        return found.trace(uid, tell and (lambda month: tell(month / months, 1)))


def _tell(voice: Voice, life: Life, picked: str | None) -> None:
    from sim.presentation.screen import say
    from sim.presentation.story import Story, plain

    if voice.json:
        voice.give({"picked": picked, **plain(life)})
    else:
        say(Story(life, voice.lang, picked))


def _tell_both(voice: Voice, one: Life, other: Life, paths: tuple[str, str], picked: str | None) -> None:
    from dataclasses import asdict

    from sim.experiments.tracing.trace import difference
    from sim.presentation.screen import say
    from sim.presentation.story import Twins, plain

    apart = difference(one, other)
    if voice.json:
        voice.give({"picked": picked, "difference": asdict(apart), "lives": [plain(one), plain(other)]})
    else:
        say(Twins(one, other, apart, voice.lang, paths, picked))
