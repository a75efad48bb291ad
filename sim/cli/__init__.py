"""The command `sim`: one file per group of verbs, and no logic. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

__all__ = ["INTERRUPTED", "main"]

INTERRUPTED = 130

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main() -> NoReturn:
    """The entry point: Ctrl-C and a request to end both end the run tidily, and at once."""
    try:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _interrupt)
        from sim.cli.command import sim

        sim.main(prog_name="sim")
    except KeyboardInterrupt:  # while the program itself was still being imported
        print("interrupted", file=sys.stderr)
    except SystemExit as leaving:
        if leaving.code != INTERRUPTED:
            raise
    sys.stderr.flush()
    os._exit(INTERRUPTED)  # threads of the interrupted run may still be at work, and nobody waits for them


def _interrupt(number: int, frame: Any) -> NoReturn:
    """Once; what is tidied up after it is not interrupted again."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
