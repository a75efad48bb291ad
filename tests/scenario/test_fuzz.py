"""Whatever a file holds, it is a scenario or a ScenarioError, in little time and memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import sim
from sim.errors import Problem, ScenarioError
from sim.scenario import load, override
from sim.scenario.messages import _FRAGMENTS, MESSAGES, in_language

SMALL = (Path(__file__).parent / "small.yaml").read_text()
YIWU = (Path(__file__).parents[2] / "scenarios" / "yiwu.yaml").read_text(encoding="utf-8")
quiet = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["village", "burn_in", "stipend", "2024-04", "~", "<<", "：", "evidence", "<mapping>", "a:B"]),
)  # fmt: skip
KEYS = """schema name seed replicates until chain policy id type facilities places share amount value unit range
evidence assumed initial kind under arrivals education by_year market domestic remove before extends components covers
<mapping> x"""
PATHS = """seed chain chain.incubator chain.incubator.places policy.rent.share policy.rent name.zh initial.under
replicates market.domestic.by_year.2024 chain.incubator.id policy.rent.share.incubator components"""
keys, paths = (st.sampled_from(names.split()) for names in (KEYS, PATHS))
trees = st.recursive(scalars, lambda t: st.lists(t, max_size=4) | st.dictionaries(keys, t, max_size=6), max_leaves=25)


def refused(attempt: Callable[[], object]) -> tuple[Problem, ...]:
    """Problems for which it is refused; none if it is not. Any other exception fails the test."""
    try:
        attempt()
    except ScenarioError as error:
        assert error.problems  # noqa: PT017
        return error.problems
    return ()


def outcome(path: Path) -> None:
    for found in refused(lambda: load(path)):
        assert str(found).isprintable()
        assert in_language(found, "zh").message


@quiet
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path, content):
    """Any bytes at all."""
    (tmp_path / "x.yaml").write_bytes(content)
    outcome(tmp_path / "x.yaml")


@quiet
@given(st.text(st.sampled_from("ab:-?,[]{}&*!|>'\"%@`#~ \n\t0123456789.e_x<=：\\"), max_size=80))
@example('"\\UFFFFFFFF": 1')
@example("? [a, b]\n: c")
@example("&a [*a]: 1")
def test_any_yaml_like_text(tmp_path, content):
    """Text made of what means something in YAML."""
    (tmp_path / "x.yaml").write_text(content, encoding="utf-8")
    outcome(tmp_path / "x.yaml")


@quiet
@given(st.dictionaries(keys, trees, max_size=8))
def test_any_tree(tmp_path, tree):
    """Well-formed data of any shape under the names that the schema knows."""
    (tmp_path / "x.yaml").write_text(json.dumps(tree, ensure_ascii=True), encoding="utf-8")
    outcome(tmp_path / "x.yaml")


@quiet
@given(st.data())
def test_a_sound_file_with_a_slip(tmp_path, data):
    """A shipped file with some characters lost, doubled or replaced, as typing does it."""
    text = YIWU
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", " ", "\t", "：", "-", "[", "}", "０", "\n", ": ", "&a ", "!x "]))
            + text[at + data.draw(st.integers(0, 3)) :]
        )
    (tmp_path / "yiwu.yaml").write_text(text, encoding="utf-8")
    outcome(tmp_path / "yiwu.yaml")


@quiet
@given(st.dictionaries(st.text(max_size=12) | paths, trees, max_size=3))
def test_any_replacement(tmp_path, changes):
    """`replace` and `--set` with any path and any value."""
    (tmp_path / "x.yaml").write_text(SMALL)
    scenario = load(tmp_path / "x.yaml")
    found = refused(lambda: scenario.replace(changes)) + refused(lambda: load(tmp_path / "x.yaml", changes))
    assert all(str(p).isprintable() for p in found)


@quiet
@given(st.text(max_size=40))
def test_any_assignment(text):
    """`--set` with any text."""
    assert all(str(p).isprintable() for p in refused(lambda: override(text)))


def test_every_message_exists_in_both_languages():
    """Both sides of the catalogue hold the same arguments."""
    for key, pair in {**MESSAGES, **_FRAGMENTS}.items():
        names = [{name.removesuffix("_zh") for _, name, _, _ in Formatter().parse(t) if name is not None} for t in pair]
        assert names[0] >= names[1] or key == "unusable_figure", key
        assert all(pair), key


def test_what_a_model_refuses_is_said_in_both_languages():
    """Every kind of error that a parameter model raises by itself has its message."""
    code = "".join(p.read_text(encoding="utf-8") for p in Path(sim.__path__[0]).rglob("*.py"))
    kinds = re.findall(r'PydanticCustomError\(\s*"(\w+)"', code)
    assert len(kinds) > 4
    assert set(kinds) <= set(MESSAGES)


HOSTILE = {
    "laughs": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)),
    "deep": "[" * 100_000,
    "large": "#" * 20_000_000,
    "digits": f"{SMALL}seed: {'9' * 5000}\n",
    "misspelt": SMALL.replace("places", "plcaes"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="measures resident memory as Linux counts it")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little(tmp_path, name):
    """Refusing any of them takes less than 100 MB, imports included."""
    (tmp_path / "x.yaml").write_text(HOSTILE[name])
    code = (
        "import re, sys\n"
        "from sim.errors import ScenarioError\n"
        "from sim.scenario import load\n"
        "try: load(sys.argv[1])\n"
        "except ScenarioError: print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.yaml")], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(ran.stdout) < 100 * 1024
