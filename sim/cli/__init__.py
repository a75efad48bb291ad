"""The command `sim`: one file per group of verbs, and no logic. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

__all__ = ["INTERRUPTED", "main"]

INTERRUPTED = 130

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_AGAIN = 0.2
"""Seconds."""


def main() -> NoReturn:
    """The entry point: Ctrl-C and a request to end both end the run tidily, and at once."""
    try:
        for number in [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _interrupt)
        from sim.cli.command import sim

        sim.main(prog_name="sim")
    except KeyboardInterrupt:  # while the program itself was still being imported
        pass
    except SystemExit as leaving:
        if leaving.code != INTERRUPTED:
            raise
    sys.stderr.flush()
    os._exit(INTERRUPTED)  # threads of the interrupted run may still be at work, and nobody waits for them


def _interrupt(number: int, frame: Any) -> None:
    """Interrupt, but not the tidying up after an interrupt.

    A destructor or a callback in which the signal happens to arrive swallows the exception: so again a moment later.
    """
    if isinstance(sys.exc_info()[1], KeyboardInterrupt):
        return
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    raise KeyboardInterrupt
