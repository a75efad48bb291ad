"""The page as a Panel component: one for each visitor, in a browser of its own or in a notebook's cell."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import panel as pn
import param

from sim.presentation.catalogue import Lang
from sim.presentation.dashboard.conductor import Choice, Conductor

__all__ = ["FONT", "Page"]

FONT = "SimSansSC-Regular.otf"

_HERE = files("sim.presentation.dashboard")

_DRAWING = ThreadPoolExecutor(1, thread_name_prefix="sim-figures")
"""matplotlib's style is global to a process, so that figures are drawn one after another, whoever they are for."""


def _source() -> str:
    """The page's program in one module: the browser asks for no other file."""
    style = f"const STYLE = {json.dumps(_HERE.joinpath('page.css').read_text('utf-8'))};\n"
    parts = (_HERE.joinpath(f"{name}.js").read_text("utf-8") for name in ("chain", "levers", "page"))
    return style + "\n".join(parts)


class Page(pn.custom.JSComponent):
    """The exhibit of one visitor.

    Parameters
    ----------
    choices
        The scenarios that may be chosen; the first is opened.
    lang
        The language at first.
    fill
        Whether it fills the window.
    font
        Address of the Chinese font; if it is empty, the page asks for the font itself.
    """

    fill = param.Boolean(default=False)
    font = param.String(default="")

    _esm = _source()

    def __init__(self, choices: Sequence[Choice] = (), *, lang: Lang = "en", **params: Any) -> None:
        super().__init__(**{"sizing_mode": "stretch_width", **params})  # type: ignore[no-untyped-call]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._conductor = Conductor(choices, self._say, lang=lang, draw=self._draw)

    def _handle_msg(self, msg: Any) -> None:
        """An order from the page: done in the conductor's thread, so that nobody else waits for it."""
        if not isinstance(msg, dict):
            return
        self._loop = asyncio.get_running_loop()
        if msg.get("do") == "font":
            content = files("sim.presentation").joinpath("fonts", FONT).read_bytes()
            self._send_msg({"is": "font", "content": b64encode(content).decode()})
            self._send_msg({"is": "done", "what": "font"})
        else:
            self._conductor.take(msg)

    def _say(self, message: dict[str, Any]) -> None:
        """Tell the page something, from whatever thread."""
        self._later(lambda: self._send_msg(message))

    def _later(self, job: Callable[[], None]) -> None:
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(job)

    def _draw(self, job: Callable[[], None]) -> None:
        """Draw beside everything else; in a notebook in its own thread, whose style of matplotlib is the user's."""
        if self.fill:
            _DRAWING.submit(job)
        else:
            self._later(job)

    def close(self) -> None:
        """The visitor has left."""
        self._conductor.close()
