"""The verb that serves the dashboard: what it refuses, and that only this machine's own pages reach it."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sim.presentation.dashboard import page, serving
from sim.presentation.dashboard.choices import of

FONT = "fonts/SimSansSC-Regular.otf"


class Served:
    """A running `sim app`."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child
        self.said = b""
        while b"\n" not in self.said:
            self.said += child.stdout.read1(200)
        self.address = re.search(r"http://\S+/", self.said.decode())[0]
        self.port = urlsplit(self.address).port

    def status(self, path: str = "", **headers: str) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(self.address + path, headers=headers)) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code

    def shake(self, origin: str, host: str | None = None) -> int:
        """The status that opening a web socket is answered with."""
        asked = {
            "Host": host or f"127.0.0.1:{self.port}",
            "Origin": origin,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "bokeh, token",
        }
        lines = ["GET /ws HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
        with closing(socket.create_connection(("127.0.0.1", self.port), 20)) as line:
            line.sendall("\r\n".join(lines).encode())
            return int(line.recv(200).split()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("app")  # no scenario folder here: the package's own, or the checkout's
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1"}
    words = [sys.executable, "-m", "sim", "app", "--no-browser", "--lang", "en"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(words, cwd=folder, env=environment, **pipes)
    with child:
        yield Served(child)
        child.kill()


def test_it_says_where_it_is(served):
    """The address is on standard output, a page is there, and so is the Chinese font."""
    assert f"The dashboard is at http://127.0.0.1:{served.port}/" in served.said.decode()
    assert served.status() == 200
    assert served.status(FONT) == 200
    assert served.status("scenarios/classroom.yaml") == 404


def test_it_listens_on_this_machine_only(served):
    """The only listening socket of the port is bound to 127.0.0.1."""
    bound = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines = Path(table).read_text().splitlines()[1:] if Path(table).exists() else []
        cells = [line.split() for line in lines]
        bound += [c[1] for c in cells if c[3] == "0A" and int(c[1].rpartition(":")[2], 16) == served.port]
    assert bound == [f"0100007F:{served.port:04X}"]


@pytest.mark.parametrize("path", ["", FONT, "static/js/bokeh.min.js", "autoload.js", "favicon.ico", "nowhere"])
def test_a_foreign_host_is_refused(served, path):
    """Whatever is asked for under another host's name is refused: a name bound to this machine opens nothing."""
    for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1", "localhost:1"):
        assert served.status(path, Host=host) == 403, host
    assert served.status(path, Host=f"LocalHost:{served.port}") in (200, 400, 404)


def test_a_foreign_page_gets_no_socket(served):
    """A page of another origin cannot open the socket; our own can."""
    for origin in ("http://evil.example", "https://evil.example:443", "null", "http://127.0.0.1:1", "http://localhost"):
        assert served.shake(origin) == 403, origin
    assert served.shake(f"http://127.0.0.1:{served.port}", host="evil.example") == 403
    assert served.shake(f"http://127.0.0.1:{served.port}") == 101
    assert served.shake(f"http://localhost:{served.port}") == 101


def test_a_port_that_is_taken(served, command):
    """The port is named, and the exit code is that of invalid input."""
    said = command("app", "--no-browser", "--port", str(served.port), "--lang", "zh", code=2)
    assert f"端口 {served.port} 不能使用" in said.stderr


def test_an_interrupt_ends_it(served):
    """Ctrl-C ends it at once with one line, and what strangers tried has left no trace on the screen."""
    served.shake("http://evil.example")
    served.child.send_signal(signal.SIGINT)
    assert served.child.wait(20) == 130
    lines = served.child.stderr.read().decode().splitlines()
    assert lines[-1] == "Interrupted; nothing is left behind."
    assert len(lines) == 2  # and that it was preparing


def test_mistakes_are_told_before_anything_is_served(command, place):
    """A file with a mistake, a value that does not fit, and a value without a file are told as by every verb."""
    assert "missing.yaml" in command("app", "missing.yaml", "--no-browser", code=2).stderr
    assert "chain.hub.places" in command("app", "tiny.yaml", "--set", "chain.hub.places=-1", code=2).stderr
    assert "FILE" in command("app", "--seed", "3", "--no-browser", code=2).stderr
    assert "--host" in command("app", "--host", "0.0.0.0", code=2).stderr


@pytest.mark.parametrize(("lang", "said"), [("en", "the dashboard needs Panel"), ("zh", "看板需要 Panel")])
def test_without_panel(command, monkeypatch, lang, said):
    """Where Panel is not installed, the message says what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = command("app", "--no-browser", "--lang", lang, code=2).stderr
    assert said in found
    assert "pip install 'entrepreneur-pipeline[app]'" in found


def visitor(address: str, leave: threading.Event) -> None:
    """Somebody who opens the page and stays until he is told to leave."""
    from bokeh.client import pull_session

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    session = pull_session(url=address)
    leave.wait(30)
    session.close()
    loop.close()


def test_a_closed_page_is_forgotten(small, monkeypatch):
    """Each visitor has a page of his own, which is closed when his browser has gone."""
    closed: list[int] = []
    monkeypatch.setattr(serving, "_FREED_AFTER", 200)
    monkeypatch.setattr(page.Page, "close", lambda self: closed.append(id(self)))

    async def until(true) -> None:
        for _ in range(300):
            if true():
                return
            await asyncio.sleep(0.1)
        raise AssertionError("waited in vain")

    async def visits() -> None:
        server, address = serving.serve([of(small())])
        server.start()
        leave = [threading.Event(), threading.Event()]
        there = [asyncio.create_task(asyncio.to_thread(visitor, address, event)) for event in leave]
        await until(lambda: len(server.get_sessions("/")) == 2)
        leave[0].set()
        await until(lambda: len(server.get_sessions("/")) == len(closed) == 1)
        leave[1].set()
        await until(lambda: len(set(closed)) == 2)
        await asyncio.gather(*there)
        server.stop()

    asyncio.run(visits())
