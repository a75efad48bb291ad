"""Two doors stay shut: no pickle is loaded from disk, and no network is used unless somebody asks for it.

An audit hook (PEP 578) sits in each Python process, workers of a sweep included, and notes whoever tries a handle.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HOOK = '''
"""Notes each pickled object that is looked up, and each address that is touched, with the files of the call stack."""

import json
import os
import sys

NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
           "socket.sendmsg", "urllib.Request", "http.client.connect")


def note(event, arguments):
    if event != "pickle.find_class" and event not in NETWORK:
        return
    frame, stack = sys._getframe(1), []
    while frame:
        stack.append(frame.f_code.co_filename)
        frame = frame.f_back
    line = json.dumps({"event": event, "what": [repr(a) for a in arguments], "stack": stack})
    fd = os.open(os.environ["DOORS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, line.encode() + b"\\\\n")
    os.close(fd)


sys.addaudithook(note)
'''.replace("\\\\n", "\\n")

RUN = """
import json, sys
from sim.cli.command import sim
for words in json.loads(sys.argv[1]):
    try:
        sim.main(words)
    except SystemExit as left:
        if left.code:
            sys.exit(f"{words}: {left.code}")
"""

CITY = """\
schema: 1
horizon: {months: 24}
replicates: 2
arrivals: {per_year: {value: 60, assumed: small}}
chain: [{id: village, facilities: 1}, {id: hub, facilities: 1, places: 3, threshold: 50_000, tenancy: 12}]
policy: [{id: prize, type: award, eligible_share: 1.0, first_after: 3}]
"""

SWEEP = """\
schema: 1
kind: sweep
scenario: city.yaml
replicates: 2
levers: [{path: chain.hub.places, values: [1, 2, 4]}]
outcomes: [survival_12m]
design: {kind: grid}
"""

OPTIMISE = """\
schema: 1
kind: optimisation
scenario: city.yaml
levers: [{path: policy.prize.amount, range: [0, 60_000]}]
uncertainties: [{path: behaviour.money.margin}]
objectives: [{outcome: survivors_12m}]
search: {points: 8, start: 4, replicates: 2}
ranking: {finalists: 2, first: 2, max: 4}
robustness: {points: 4, replicates: 1}
"""

CALIBRATE = """\
schema: 1
kind: calibration
scenario: city.yaml
targets: [{outcome: survival_12m, value: 0.8, sd: 0.1, why: {en: a test}}]
parameters: [{path: behaviour.exit.chance_per_year, range: [0.02, 0.30]}, {path: behaviour.money.margin}]
search: {start: 8, optimise: 8, waves: 1, wave: 8, check: 8, reference: 8, finalists: 2, replicates: 2, whole: 1}
holdout: [{outcome: survival_24m, band: [0.5, 0.9]}]
decisions: {points: 2, replicates: 2, reforms: [{id: more, set: {chain.hub.places: 4}}]}
"""

FILES = {
    "city.yaml": CITY,
    "reform.yaml": "schema: 1\nextends: city.yaml\npolicy: null\n",
    "sweep.yaml": SWEEP,
    "optimise.yaml": OPTIMISE,
    "calibrate.yaml": CALIBRATE,
}

VERBS = (
    "new fresh", "check city.yaml reform.yaml sweep.yaml", "describe city.yaml --why chain.hub.places", "figures list",
    "run city.yaml -o run --no-figures", "compare city.yaml reform.yaml -n 2 -o compared --no-figures", "trace run",
    "sweep sweep.yaml -o swept -j 1", "sensitivity swept --no-figures",
)  # fmt: skip

MORE = (
    "figures show student_inflow_per_year", "figures audit city.yaml", "odd", "run city.yaml --dry-run", "facts run",
    "run city.yaml -o drawn", "run city.yaml --engine objects --months 6 --no-figures", "status swept",
    "trace city.yaml --twin reform.yaml", "expand swept --replicates +1 -j 1", "sensitivity swept",
)  # fmt: skip

LONGER = (
    "facts city.yaml -n 1", "optimise optimise.yaml -o optimised -j 1", "calibrate calibrate.yaml -o calibrated -j 1",
)  # fmt: skip

REPORTS = ("report run -o run.html", "report compared -o compared.html", "report swept -o swept.html")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a small city and its studies."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def watched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run verbs in a process of their own, under watch; returns who touched what."""
    home = tmp_path_factory.mktemp("doors")
    (home / "sitecustomize.py").write_text(HOOK, encoding="utf-8")

    def run(*code: str, before: str = RUN) -> list[dict[str, Any]]:
        path = os.pathsep.join([str(home), str(Path(__file__).parents[1])])
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "PYTHONUTF8": "1",
            "MPLBACKEND": "Agg",
            "DOORS": str(home / "log"),
        }
        words = [sys.executable, "-c", before, *code]
        found = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stderr[-3000:]
        noted = (home / "log").read_text("utf-8").splitlines() if (home / "log").exists() else []
        return [json.loads(line) for line in noted]

    return run


def verbs(*lines: str) -> str:
    return json.dumps([line.split() for line in lines])


def pickles(noted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was unpickled, but for numba's own compile cache, and what the code in it holds.

    That is compiled code, as Python's `.pyc` files are: numba writes it and reads it again, in a folder that only the
    user can write (`sim.entrepreneurs.compiled`), under a name that holds the hash of all rules.
    """
    numba = tuple(os.path.join("numba", "core", file) for file in ("caching.py", "serialize.py"))
    looked_up = [entry for entry in noted if entry["event"] == "pickle.find_class"]
    return [entry for entry in looked_up if not any(file.endswith(numba) for file in entry["stack"])]


def addresses(noted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in noted if entry["event"] != "pickle.find_class"]


def told(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{e['event']} {e['what']} in {e['stack'][:4]}" for e in entries[:5]]


def test_the_watch_sees(watched: Any) -> None:
    """The hook notes a pickle that is loaded, and an address that is asked for: silence means that nothing happened."""
    code = (
        "import collections, pickle, socket\n"
        "pickle.loads(pickle.dumps(collections.OrderedDict))\n"
        "socket.getaddrinfo('127.0.0.1', 80)\n"
        "socket.socket().bind(('127.0.0.1', 0))\n"
    )
    noted = watched(before=code)
    assert [e["event"] for e in noted] == ["pickle.find_class", "socket.getaddrinfo", "socket.bind"]
    assert len(pickles(noted)) == 1
    assert len(addresses(noted)) == 2


@pytest.mark.parametrize("more", [(), pytest.param(MORE + REPORTS, marks=pytest.mark.long)], ids=["few", "all"])
def test_verbs_keep_both_doors_shut(watched: Any, place: Path, more: tuple[str, ...]) -> None:
    """Checking, running, comparing, tracing, scoring, sweeping and reporting load no pickle and touch no network."""
    from sim.cli.command import sim

    known = [line for line in (*VERBS, *more) if line.split()[0] in sim.commands]
    noted = watched(verbs(*known))
    assert told(pickles(noted)) == []
    assert told(addresses(noted)) == []
    assert (place / "swept" / "sensitivity" / "manifest.json").exists()


@pytest.mark.long
def test_studies_keep_both_doors_shut(watched: Any, place: Path) -> None:
    """Scorecard, optimisation, calibration and variance audit load no pickle and touch no network."""
    noted = watched(verbs(*LONGER))
    assert told(pickles(noted)) == []
    assert told(addresses(noted)) == []


@pytest.mark.long
def test_nothing_that_is_left_is_a_pickle(watched: Any, place: Path) -> None:
    """Files of runs and studies are tables, texts and pictures; none begins as a pickle does, and none has its name."""
    swept = "sweep sweep.yaml -o swept -j 1", "sensitivity swept"
    watched(verbs("run city.yaml -o run", "compare city.yaml reform.yaml -n 2 -o compared", *swept, *LONGER[1:]))
    left = [path for path in place.rglob("*") if path.is_file()]
    assert {path.suffix for path in left} <= {".yaml", ".json", ".parquet", ".svg", ".png", ".lock", ".txt", ""}
    assert [path for path in left if path.read_bytes()[:1] == b"\x80"] == []


@pytest.mark.long
def test_two_workers_stay_at_home(watched: Any, place: Path) -> None:
    """The workers of `--jobs 2` talk over the loopback of this machine alone, and nobody asks a name server.

    Dask looks up which address this machine would speak from: a datagram socket is pointed at an address, which sends
    nothing, and is closed.
    """
    noted = watched(verbs("sweep sweep.yaml -o swept -j 2"))
    touched = addresses(noted)
    assert touched, "workers must have talked"
    home = ("127.0.0.1", "'::1'", "localhost")
    outside = [e for e in touched if not any(name in "".join(e["what"]) for name in home)]
    pointed = [e for e in outside if e["event"] == "socket.connect" and "type=2" in e["what"][0]]
    assert all(e["stack"][0].endswith(os.path.join("distributed", "utils.py")) for e in pointed)
    assert told([e for e in outside if e not in pointed]) == []
    # messages between processes, how Dask names them, and what travels in them (`sim.experiments.sweep.orders.Base`)
    wire = {"dask", "distributed", "multiprocessing", "orders.py"}
    from_disk = [e for e in pickles(noted) if not any(wire & {*Path(file).parts} for file in e["stack"])]
    assert told(from_disk) == []


def test_an_instrument_of_ones_own_is_no_pickle(watched: Any, place: Path) -> None:
    """A stored run with an instrument of its own is read again from text: the file beside it, not an object."""
    own = (
        "from typing import Literal\nfrom sim.policy import PolicyInstrument, quantity\n"
        "class Mine(PolicyInstrument):\n    type: Literal['mine'] = 'mine'\n"
        "    def eligible(self, people, now):\n        return people.age.nonzero()[0]\n"
        "    def cost(self, people, now, rows):\n        return 100\n"
    )
    (place / "mine.py").write_text(own, encoding="utf-8")
    (place / "own.yaml").write_text("extends: city.yaml\ncomponents: ['mine:Mine']\npolicy: [{id: m, type: mine}]\n")
    noted = watched(verbs("run own.yaml -o own --no-figures", "trace own", "facts own"))
    assert told(pickles(noted) + addresses(noted)) == []
