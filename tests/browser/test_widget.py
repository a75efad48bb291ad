"""The dashboard as a widget in a real JupyterLab, with the network switched off."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CELL = "import sim\nsim.dashboard(sim.classroom(), lang='zh')"
NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": None, "outputs": [], "source": CELL}
    ],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def lab(tmp_path) -> Iterator[str]:
    """The address of a notebook in a JupyterLab of its own."""
    (tmp_path / "class.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)}
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--ServerApp.token=class", "--allow-root"]
    quiet = ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    words = [sys.executable, "-m", "jupyterlab", *options, *quiet]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as child:
        found = None
        while found is None:
            found = re.search(r"http://127\.0\.0\.1:\d+/", child.stderr.readline())
        yield f"{found[0]}lab/tree/class.ipynb?token=class"
        child.terminate()
        child.communicate()


@pytest.mark.long
def test_it_plays_in_a_cell(lab, visit):
    """The last line of a cell shows the dashboard, it plays, Chinese has its letters, and nothing is asked abroad."""
    watched = visit()
    page = watched.page
    page.goto(lab)
    page.locator(".jp-CodeCell").first.click(timeout=60_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
    page.keyboard.press("Shift+Enter")
    page.locator(".sim.ready.lettered").wait_for(timeout=60_000)
    page.locator("button.run").click()
    page.locator("[role=progressbar][aria-valuenow='60']").wait_for(timeout=60_000)
    assert page.locator(".side.base .dots circle").count() > 500
    page.locator("figure img").first.wait_for()
    assert watched.abroad == []
    assert [said for said in watched.complaints if "sim" in said or "reactive" in said.lower()] == []
