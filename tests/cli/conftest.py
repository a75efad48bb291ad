import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cli.command import sim
from sim.presentation.catalogue import text

TINY = """\
schema: 1
name: {zh: "[bold]小城[/] <script>alert(1)</script>", en: "[bold]Tiny[/] <script>alert(1)</script>"}
horizon: {start: 2024-04, months: 24}
replicates: 2
arrivals: {per_year: {value: 50, range: [10, 100], assumed: small}}
chain:
  - {id: village, facilities: 1}
  - {id: hub, label: {zh: "枢纽[red]", en: "hub[red]"}, facilities: 1, places: 3, threshold: 100_000, tenancy: 12}
policy:
  - {id: rent, type: rent_relief, label: {en: Cheap rent}, share: {hub: 0.5}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a tiny scenario in it, and no language or colour set from outside."""
    for name in ("SIM_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "SIM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return tmp_path


class Command:
    """The command `sim`, in this process or in one of its own."""

    def __call__(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(sim, words)
        assert result.exit_code == code, f"{result.exit_code}: {result.output}"
        assert "Traceback" not in result.output
        return result

    def json(self, *words: str, code: int = 0):
        return json.loads(self(*words, "--json", code=code).stdout)

    def caveats(self, said: str, lang: str) -> None:
        """An answer says what survival means, and what cannot be validated, however its lines break."""
        flat = "".join(said.split())
        for key in ("answer.survival_means", "answer.cannot_validate"):
            assert "".join(text(key, lang).split()) in flat, key

    def start(self, *words: str, **options) -> subprocess.Popen:
        path = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", **options.pop("env", {})}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([sys.executable, "-m", "sim", *words], env=environment, **pipes)


@pytest.fixture
def command(place: Path) -> Command:
    return Command()
