"""Verbs about scenario files: new, check, describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sim.cli.program import Verb, Voice, common, file, option
from sim.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from sim.evidence.audit import Origin, Row
    from sim.scenario.schema import Scenario

__all__ = ["check", "describe", "doubts", "new", "overrides"]


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
        named = dict(zip(("scenario", "reform", "study", "notebook"), files, strict=True))
        voice.say(voice.text("new.done", files="\n".join(f"  {f}" for f in files), **named))


@click.command(cls=Verb)
@file("files", nargs=-1, metavar="FILE...")
@option("--schema", is_flag=True)
@common
@click.pass_context
def check(ctx: click.Context, files: tuple[str, ...], schema: bool) -> None:
    """All errors of the files at once."""
    voice: Voice = ctx.obj
    if schema:
        return voice.give(_schema(files))
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


def _schema(files: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of studies if a file is one; else that of scenarios, with the instruments of these files' own."""
    from sim.scenario.loader import load
    from sim.scenario.schema import Scenario
    from sim.scenario.studies import is_study

    if any(map(is_study, files)):
        from sim.scenario.studies.editor import json_schema

        return json_schema()
    return Scenario.json_schema({entry: kind for name in files for entry, kind in load(name).own.items()})


def _problems(name: str) -> Sequence[Problem]:
    """What is wrong with a file, or else what is odd and what is good to know."""
    from sim.scenario.loader import load
    from sim.scenario.studies import is_study

    try:
        if is_study(name):
            from sim.experiments.outcomes import unknowable_outcomes, unknown_outcomes
            from sim.scenario.studies import load_study

            study = load_study(name, further=unknown_outcomes)
            return [*study.warnings, *unknowable_outcomes(study)]
        scenario = load(name)
        return [*doubts(scenario), *scenario.notes]
    except ScenarioError as error:
        return error.problems


def doubts(scenario: Scenario) -> Sequence[Problem]:
    """What is odd with a scenario to be run. Raises ScenarioError if it waits for an outcome that no run has."""
    if isinstance(scenario.replicates, int):
        return scenario.warnings
    from sim.simulation import waits_in_vain

    found = waits_in_vain(scenario)
    if _wrong(found):
        raise ScenarioError(found)
    return [*found, *scenario.warnings]


def _wrong(problems: Sequence[Problem], severity: str = "error") -> int:
    return sum(p.severity == severity for p in problems)


def _plain(voice: Voice, name: str, problems: Sequence[Problem]) -> dict[str, Any]:
    from dataclasses import asdict

    from sim.scenario.messages import in_language

    kept = ("file", "line", "column", "path", "severity", "message")
    told = [{key: asdict(in_language(p, voice.lang))[key] for key in kept} for p in problems]
    return {"file": name, "valid": not _wrong(problems), "problems": told}


def _tell(voice: Voice, name: str, problems: Sequence[Problem]) -> None:
    from sim.presentation.catalogue import clean

    for problem in problems:
        voice.say(_note(voice, problem) if problem.severity == "note" else voice.problem(problem))
    errors, warnings = _wrong(problems), _wrong(problems, "warning")
    key = "check.found" if errors or warnings else "check.valid"
    voice.note(voice.text(key, file=clean(name), errors=errors, warnings=warnings))


def _note(voice: Voice, found: Problem) -> str:
    """What is good to know, as a line in the user's language."""
    from dataclasses import replace

    from sim.scenario.messages import in_language

    said = in_language(found, voice.lang)
    return str(replace(said, message=voice.text("check.note", message=said.message)))


@click.command(cls=Verb)
@file()
@option("--why", metavar="PATH")
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@common
@click.pass_obj
def describe(voice: Voice, file: str, why: str | None, assignments: tuple[str, ...]) -> None:
    """The resolved scenario, or where one of its values comes from."""
    from sim.evidence.audit import audit
    from sim.scenario.loader import load

    scenario = load(file, overrides(assignments))
    voice.warn(scenario.warnings)
    if why is not None:
        rows = audit(_asked(scenario, why))
        if voice.json:
            flat = [row.flat() for row in rows]
            voice.give(flat[0] if [row["path"] for row in flat] == [why] else {"path": why, "values": flat})
        else:
            _explain(voice, why, rows)
    elif voice.json:
        voice.give({"file": file, "hash": scenario.hash(), "scenario": scenario.resolved()})
    else:
        voice.say(scenario.to_yaml().rstrip("\n"))


def _explain(voice: Voice, path: str, rows: Sequence[Row]) -> None:
    """One value in full, or those of a section in a table."""
    from sim.presentation.listing import audit_table, explanation
    from sim.presentation.screen import say

    if rows[0].origin.path == path:
        voice.say(explanation(rows[0], voice.lang))
        return
    for part in audit_table(rows, voice.lang):
        say(part, wide=True)


def _asked(scenario: Scenario, path: str) -> list[Origin]:
    """Where the value at a path comes from; of a section, each of its values."""
    below = [key for key in scenario.provenance if key.startswith(f"{path}.")]
    return [scenario.why(key) for key in below or [path]]


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
