"""Verbs about the evidence: figures list, show, audit."""

from __future__ import annotations

from typing import Any

import click

from sim.cli.program import Verb, VerbGroup, Voice, common, file, option

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
@file()
@option("--status", type=click.Choice(["published", "derived", "assumed", "unsourced"]))
@option("--set", "assignments", metavar="PATH=VALUE", multiple=True)
@common
@click.pass_obj
def audit(voice: Voice, file: str, status: str | None, assignments: tuple[str, ...]) -> None:
    """Which numbers of a scenario are published, derived, assumed."""
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


def _plain(figure: Any) -> dict[str, Any]:
    """A figure as plain values."""
    from dataclasses import asdict

    return {**asdict(figure), "inputs": figure.inputs}
