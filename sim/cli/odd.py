"""The verb that describes the model: odd."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim.cli.program import Verb, Voice, common, file, option

if TYPE_CHECKING:
    from sim.presentation.odd import Odd

__all__ = ["odd"]


@click.command(cls=Verb)
@file(required=False, metavar="[FILE]")
@option("--out", "-o", "page", type=click.Path(dir_okay=False), metavar="PAGE")
@option("--force", "overwrite", is_flag=True)
@common
@click.pass_obj
def odd(voice: Voice, file: str | None, page: str | None, overwrite: bool) -> None:
    """The ODD protocol of the model, with the values of a scenario if one is given."""
    from sim.presentation.odd import odd

    if page and Path(page).exists() and not overwrite:
        raise _exists(page)
    scenario = None
    if file is not None:
        from sim.scenario.loader import load

        scenario = load(file)
        voice.warn(scenario.warnings)
    written = odd(voice.lang, scenario)
    if page:
        _keep(written, page)
    if voice.json:
        voice.give({"page": page, **written.plain()})
    elif page:
        voice.note(voice.text("odd.written", page=page))
    else:
        voice.say(written.markdown().rstrip("\n"))


def _exists(page: str) -> Exception:
    from sim.errors import StoreError

    return StoreError(f"{page}: exists already; choose another file with -o, or replace it with --force")


def _keep(written: Odd, page: str) -> None:
    """The page as a file, with the folders that it needs."""
    from sim.errors import StoreError

    try:
        Path(page).parent.mkdir(parents=True, exist_ok=True)
        Path(page).write_text(written.markdown(), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{page}: cannot be written ({error.strerror})") from None
