"""Verbs about scenario files: new, check, describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from sim.cli.program import Verb, Voice, common, file, option
from sim.errors import Problem, ScenarioError

__all__ = ["check", "describe", "new", "overrides"]


@click.command(cls=Verb)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@common
@click.pass_obj
def new(voice: Voice, folder: str) -> None:
    """A starter folder."""
    from sim.scenario.starter import write

    files = [str(path) for path in write(folder)]
    if voice.json:
        voice.give({"folder": folder, "files": files})
    else:
        voice.say(voice.text("new.done", files="\n".join(f"  {f}" for f in files), scenario=files[0], reform=files[1]))


@click.command(cls=Verb)
@file("files", nargs=-1, metavar="FILE...")
@option("--schema", is_flag=True)
@common
@click.pass_context
def check(ctx: click.Context, files: tuple[str, ...], schema: bool) -> None:
    """All errors of the files at once."""
    voice: Voice = ctx.obj
    if schema:
        from sim.scenario.schema import Scenario

        return voice.give(Scenario.json_schema())
    if not files:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    found = {name: _problems(name) for name in files}
    if voice.json:
        voice.give({"files": [_plain(voice, name, problems) for name, problems in found.items()]})
    else:
        for name, problems in found.items():
            _tell(voice, name, problems)
    if any(map(_wrong, found.values())):
        ctx.exit(2)
    return None


def _problems(name: str) -> Sequence[Problem]:
    """What is wrong with a file, or else what is odd."""
    from sim.scenario.loader import load

    try:
        return load(name).warnings
    except ScenarioError as error:
        return error.problems


def _wrong(problems: Sequence[Problem]) -> int:
    return sum(p.severity == "error" for p in problems)


def _plain(voice: Voice, name: str, problems: Sequence[Problem]) -> dict[str, Any]:
    from dataclasses import asdict

    from sim.scenario.messages import in_language

    kept = ("file", "line", "column", "path", "severity", "message")
    told = [{key: asdict(in_language(p, voice.lang))[key] for key in kept} for p in problems]
    return {"file": name, "valid": not _wrong(problems), "problems": told}


def _tell(voice: Voice, name: str, problems: Sequence[Problem]) -> None:
    from sim.presentation.catalogue import clean

    for problem in problems:
        voice.say(voice.problem(problem))
    errors = _wrong(problems)
    key = "check.found" if problems else "check.valid"
    voice.note(voice.text(key, file=clean(name), errors=errors, warnings=len(problems) - errors))


@click.command(cls=Verb)
@file()
@option("--why", metavar="PATH")
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@common
@click.pass_obj
def describe(voice: Voice, file: str, why: str | None, assignments: tuple[str, ...]) -> None:
    """The resolved scenario, or where one of its values comes from."""
    from sim.evidence.audit import audit
    from sim.presentation.listing import explanation
    from sim.scenario.loader import load

    scenario = load(file, overrides(assignments))
    voice.warn(scenario.warnings)
    if why is not None:
        row = audit([scenario.why(why)])[0]
        if voice.json:
            voice.give(row.flat())
        else:
            voice.say(explanation(row, voice.lang))
    elif voice.json:
        voice.give({"file": file, "hash": scenario.hash(), "scenario": scenario.resolved()})
    else:
        voice.say(scenario.to_yaml().rstrip("\n"))


def overrides(assignments: tuple[str, ...], **settings: object) -> dict[str, object]:
    """What ``--set`` and options of their own change, by dotted path; ``horizon__months`` is ``horizon.months``.

    Raises ScenarioError with every assignment that cannot be read.
    """
    from sim.scenario.loader import override

    changes: dict[str, object] = {}
    problems: list[Problem] = []
    for assignment in assignments:
        try:
            path, value = override(assignment)
            changes[path] = value
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return changes | {key.replace("__", "."): value for key, value in settings.items() if value is not None}
