"""The command and its verbs, in the order in which they are used."""

from __future__ import annotations

import click

from sim.cli.app import app
from sim.cli.calibrate import calibrate
from sim.cli.compare import compare
from sim.cli.facts import facts
from sim.cli.figures import figures
from sim.cli.odd import odd
from sim.cli.optimise import optimise
from sim.cli.program import Option, Program, common
from sim.cli.report import report
from sim.cli.runs import run
from sim.cli.scenarios import check, describe, new
from sim.cli.sensitivity import sensitivity
from sim.cli.sweep import expand, resume, status, sweep
from sim.cli.trace import trace

__all__ = ["sim"]


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
    """The program; its verbs are added below."""


for verb in (
    new, check, describe, figures, run, compare, sweep, status, resume, expand, sensitivity, calibrate,
    optimise, facts, trace, odd, report, app,
):  # fmt: skip
    sim.add_command(verb)
