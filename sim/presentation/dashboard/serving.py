"""The server of the dashboard: on this machine only, for its own pages only, each visitor with a model of his own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.resources import as_file, files
from typing import Any

import panel as pn
from bokeh.server.server import Server
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

from sim.errors import SimError
from sim.presentation.catalogue import Lang
from sim.presentation.dashboard.conductor import Choice
from sim.presentation.dashboard.page import FONT, Page

__all__ = ["ADDRESS", "run", "serve", "warm"]

ADDRESS = "127.0.0.1"

_FREED_AFTER = 10_000
"""Milliseconds after which a visitor who has gone is forgotten."""


class _Foreign(Matcher):
    """Matches requests for another host: a page elsewhere whose name has been bound to this machine (DNS rebinding)."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = frozenset(hosts)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return None if request.host.lower() in self._hosts else {}


class _Refused(RequestHandler):
    """Says no, whatever is asked."""

    def prepare(self) -> None:
        self.send_error(403)


class _Letters(RequestHandler):
    """The Chinese font that comes with the package."""

    def get(self) -> None:
        """Its bytes."""
        self.set_header("Content-Type", "font/otf")
        self.set_header("Cache-Control", "max-age=86400")
        with as_file(files("sim.presentation").joinpath("fonts", FONT)) as path:
            self.finish(path.read_bytes())


def serve(choices: Sequence[Choice], *, port: int = 0, lang: Lang = "en") -> tuple[Server, str]:
    """A server that is ready to `run`, and its address.

    Requests for another host than this one, and sockets that are opened by a page of another origin, are refused (403).

    Parameters
    ----------
    choices
        The scenarios that a visitor may choose; the first is opened.
    port
        0 for any that is free.
    lang
        The language at first.

    Raises
    ------
    SimError
        The port is taken.
    """
    port = _free(port)
    hosts = [f"{ADDRESS}:{port}", f"localhost:{port}"]

    def visit() -> Page:
        page = Page(choices, lang=lang, fill=True, font=f"fonts/{FONT}", sizing_mode="stretch_both", margin=0)
        pn.state.on_session_destroyed(lambda context: page.close())
        return page

    server = _server(visit, port, hosts)
    server._tornado.default_router.rules.insert(0, Rule(_Foreign(hosts), _Refused))
    return server, f"http://{hosts[0]}/"


def run(server: Server) -> None:
    """Serve until the program is interrupted; what strangers try is refused without a word here."""
    if not os.environ.get("SIM_DEBUG"):
        for library in ("bokeh", "tornado"):
            logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    server.start()
    server.io_loop.start()


def _server(visit: Callable[[], Page], port: int, hosts: list[str]) -> Server:
    import signal

    before = signal.getsignal(signal.SIGINT)  # Panel puts its own in place; ours ends the program as it ends every verb
    pn.extension()
    try:
        return pn.io.server.get_server(
            {"/": visit},
            port=port,
            address=ADDRESS,
            websocket_origin=hosts,
            title="sim",
            extra_patterns=[(f"/fonts/{FONT}", _Letters)],
            unused_session_lifetime_milliseconds=_FREED_AFTER,
            check_unused_sessions_milliseconds=_FREED_AFTER // 2,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def _free(port: int) -> int:
    """The port, or any that is free. Raises SimError if it is taken."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise SimError(f"port {port} cannot be used ({error.strerror or error})") from error
        return int(probe.getsockname()[1])


def warm() -> None:
    """Live two months of the classroom: what is compiled at first use does not keep the first visitor waiting."""
    from sim.presentation.dashboard.session import Session
    from sim.scenario.starter import classroom

    session = Session(classroom())
    session.step(2)
    session.picture()
    session.close()
