"""The verb that serves the dashboard: app."""

from __future__ import annotations

import sys

import click

from sim.cli.program import Verb, Voice, common, file, option
from sim.cli.scenarios import overrides

__all__ = ["app"]


@click.command(cls=Verb)
@file(required=False)
@option("--port", type=click.IntRange(1, 65535), metavar="N")
@option("--browser/--no-browser", default=True)
@option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N")
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@common
@click.pass_context
def app(
    ctx: click.Context,
    file: str | None,
    port: int | None,
    browser: bool,
    seed: int | None,
    assignments: tuple[str, ...],
) -> None:
    """Serve the dashboard on this machine until it is interrupted."""
    from sim.presentation.dashboard import needs_panel
    from sim.scenario.loader import load

    voice: Voice = ctx.obj
    if file is None and (assignments or seed is not None):
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    own = load(file, overrides(assignments, seed=seed)) if file is not None else None
    needs_panel()
    voice.note(voice.text("app.preparing"))
    from sim.presentation.dashboard.choices import choices
    from sim.presentation.dashboard.serving import run, serve, warm

    if own:
        voice.warn(own.warnings)
    server, address = serve(choices(own), port=port or 0, lang=voice.lang)
    warm()
    if voice.json:
        voice.give({"address": address})
    else:
        voice.say(voice.text("app.ready", address=address))
    sys.stdout.flush()
    if browser:
        server.io_loop.add_callback(click.launch, address)
    run(server)
