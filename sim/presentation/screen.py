"""The screen: where text goes, how wide it may be, and how far a run is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sim.presentation.catalogue import Lang, text

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["progress", "say"]

_WIDTH = 100
"""Columns of text that no terminal bounds."""

_STEP, _EVERY, _AT_LATEST = 0.1, 10.0, 60.0
"""assumed: without a terminal a line each tenth of the way, but at most one in 10 s, and at least one in 60 s."""


def say(what: RenderableType, *, wide: bool = False) -> None:
    """Print to standard output: colours only on a terminal, none with NO_COLOR, markup in names inert.

    `wide`: lines that go into a file or another program are not folded.
    """
    from rich.console import Console

    bound = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = None if bound else 1000 if wide else _WIDTH
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    with console.capture() as held:
        console.print(what, crop=False)
    print(*map(str.rstrip, held.get().splitlines()), sep="\n")


@contextmanager
def progress(lang: Lang, *, shown: bool = True) -> Iterator[Callable[[float, int], None] | None]:
    """Told how far a run is, as `sim.simulation.run` tells it: a bar on standard error with rate and time left.

    Where standard error is no terminal, a plain line now and then; None if it is not to be shown.
    """
    if not shown:
        yield None
        return
    if not sys.stderr.isatty():
        yield _lines(lang)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text("progress.start", lang), total=None, done="")

        def tell(done: float, total: int) -> None:
            speed = bar.tasks[0].speed or 0.0
            said = text("progress.rate", lang, done=int(done), total=total, rate=f"{60 * speed:,.0f}")
            bar.update(task, total=total, completed=done, done=said, description=text("progress.run", lang))

        yield tell


def _lines(lang: Lang) -> Callable[[float, int], None]:
    """Plain lines for a log file or another program; none for a run that ends soon."""
    started = last = time.monotonic()
    step = 0.0

    def tell(done: float, total: int) -> None:
        nonlocal last, step
        now = time.monotonic()
        if now - last < (_EVERY if done >= (step + _STEP) * total else _AT_LATEST):
            return
        last, step = now, done / total
        rate = f"{60 * done / (now - started):,.0f}"
        said = text("progress.rate", lang, done=int(done), total=total, rate=rate)
        print(text("progress.line", lang, what=text("progress.run", lang), rate=said), file=sys.stderr, flush=True)

    return tell
