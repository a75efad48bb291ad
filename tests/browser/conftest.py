"""A real Chromium with the network switched off but for this machine, and pages that remember what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder needs a browser."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_QUIET))
        yield browser
        browser.close()


class Watched:
    """A page of its own browser session, and what it asked for and complained of."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1366, "height": 800}, locale="en-GB", **options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.abroad: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        at = urlsplit(request.url)
        if at.scheme not in ("data", "blob", "file") and at.hostname not in ("127.0.0.1", "localhost"):
            self.abroad.append(request.url)

    def assert_quiet(self) -> None:
        """Nothing was said on the console, and nothing was asked of another machine."""
        assert self.complaints == []
        assert self.abroad == []


@pytest.fixture
def visit(chromium) -> Iterator[Any]:
    """Open a watched page, in a browser session of its own; all are closed when the test ends."""
    opened: list[Watched] = []

    def make(**options: Any) -> Watched:
        opened.append(Watched(chromium, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()
