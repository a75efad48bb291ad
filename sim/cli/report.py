"""The verb that writes a report: report."""

from __future__ import annotations

from pathlib import Path

import click

from sim.cli.program import Verb, Voice, common, file, option

__all__ = ["report"]


@click.command(cls=Verb)
@file("folders", nargs=-1, required=True, metavar="FOLDER...")
@option("--out", "-o", "report_file", metavar="FILE", type=click.Path())
@option("--no-ranking", is_flag=True)
@option("--jobs", "-j", type=click.IntRange(1), metavar="N")
@option("--force", "overwrite", is_flag=True)
@common
@click.pass_obj
def report(
    voice: Voice,
    folders: tuple[str, ...],
    report_file: str | None,
    no_ranking: bool,
    jobs: int | None,
    overwrite: bool,
) -> None:
    """One offline HTML file about what the folders hold."""
    from sim.presentation.report.page import page
    from sim.presentation.report.write import NAME, compose, keep, open_folder, refuse_other
    from sim.presentation.screen import progress

    path = Path(report_file) if report_file is not None else Path(folders[0]) / NAME
    opened = [open_folder(folder) for folder in folders]
    refuse_other(path, force=overwrite)
    with progress(voice.lang, shown=not voice.quiet) as tell:
        parts = compose(opened, voice.lang, ranking=not no_ranking, jobs=jobs, progress=tell)
    keep(page(parts, voice.lang), path)
    if voice.json:
        told = [
            {
                "kind": each.kind,
                "title": part.title,
                "answer": list(part.answer),
                "sections": [s.title for s in part.sections],
            }
            for each, part in zip(opened, parts, strict=True)
        ]
        voice.give({"file": str(path), "lang": voice.lang, "parts": told})
    else:
        voice.say(voice.text("report.written", file=path))
