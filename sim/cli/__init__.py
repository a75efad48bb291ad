"""The command `sim`: one file per group of verbs, and no logic. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

import click

from sim.cli.figures import figures
from sim.cli.program import INTERRUPTED, Option, Program, common
from sim.cli.runs import run
from sim.cli.scenarios import check, describe, new

__all__ = ["main", "sim"]


def _version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    """Say which version this is, and end."""
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"entrepreneur-pipeline {version('entrepreneur-pipeline')}")
    except PackageNotFoundError:  # run from a checkout
        click.echo("entrepreneur-pipeline")
    ctx.exit()


@click.group("sim", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, cls=Option)
@common
def sim() -> None:
    """The program; its verbs follow in the order in which they are used."""


for verb in (new, check, describe, figures, run):
    sim.add_command(verb)


def main() -> NoReturn:
    """The entry point: Ctrl-C and a request to end both end the run tidily, and at once."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), _interrupt)
    try:
        sim.main(prog_name="sim")
    except SystemExit as leaving:
        if leaving.code != INTERRUPTED:
            raise
    sys.stderr.flush()
    os._exit(INTERRUPTED)  # threads of the interrupted run may still be at work, and nobody waits for them


def _interrupt(number: int, frame: Any) -> NoReturn:
    """Once; what is tidied up after it is not interrupted again."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise KeyboardInterrupt
