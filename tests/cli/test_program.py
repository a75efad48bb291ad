import os
import re
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from sim.cli.command import sim
from sim.cli.program import Option
from sim.presentation.catalogue import keys

HEAVY = ("pandas", "numpy", "numba", "mesa", "matplotlib", "pydantic", "rich", "scipy", "pyarrow", "ruamel.yaml")


def all_commands(command: click.Command = sim):
    yield command
    for verb in getattr(command, "commands", {}).values():
        yield from all_commands(verb)


def test_help_imports_nothing_heavy():
    """`sim --help` imports neither tables nor compilers, validators or plots."""
    code = (
        "import sys, sim.cli.command\n"
        "try: sim.cli.command.sim.main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        f"print(*(m for m in {HEAVY} if m in sys.modules), file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == ""


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_verb_and_option_has_help(lang):
    """Help is in the catalogue for each verb and each option, in both languages."""
    expected = {f"cli.verb.{c.name}" for c in all_commands()}
    expected |= {f"cli.option.{p.name}" for c in all_commands() for p in c.params if isinstance(p, click.Option)}
    assert not expected - set(keys(lang))
    assert all(isinstance(p, click.Argument | Option) for c in all_commands() for p in c.params)


@pytest.mark.parametrize("words", [["--lang", "zh", "run", "--help"], ["run", "--help", "--lang=zh"]])
def test_language_before_or_after_the_verb(command, words):
    """The whole help is in the language that is asked for, wherever that is said."""
    said = command(*words).stdout
    assert said.startswith("用法： sim run [OPTIONS] FILE")
    assert "随机种子" in said
    assert "Root seed" in command("run", "-h").stdout


def test_language_of_the_locale(command, monkeypatch):
    """Without --lang the locale decides."""
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "命令" in command("--help").stdout


def test_help_names_completion_and_exit_codes(command):
    """How the shell completes words, and what exit codes mean, stands in the help."""
    said = command("--help").stdout
    assert 'eval "$(_SIM_COMPLETE=bash_source sim)"' in said
    assert "130 interrupted" in said


def test_the_shell_completes_verbs(command):
    """Click's own completion answers."""
    child = command.start(env={"_SIM_COMPLETE": "bash_complete", "COMP_WORDS": "sim fi", "COMP_CWORD": "1"})
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out.strip(), err) == (0, b"plain,figures", b"")


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (["rnu"], "rnu", "Did you mean 'run'"),
        (["run"], "缺少 FILE", "FILE"),
        (["check"], "缺少", "FILE"),
        (["run", "tiny.yaml", "--sed", "1"], "没有选项 --sed；是否想用 --seed", "--seed"),
        (["run", "tiny.yaml", "--months", "0"], "--months 的值无效", "--months"),
        (["run", "tiny.yaml", "--seed", "-1"], "--seed 的值无效", "--seed"),
        (["run", "tiny.yaml", "--seed", str(2**63)], "--seed 的值无效", "--seed"),
        (["run", "tiny.yaml", "--lang", "fr"], "fr", "--lang"),
        (["figures", "show", "no_such"], "没有名为", "no figure is called 'no_such'"),
        (["figures", "list", "--role", "x"], "policy_parameter", "no role is called 'x'"),
        (["run", "no.yaml"], "找不到文件", "there is no file no.yaml"),
        (["describe", "tiny.yaml", "--why", "chain.hub.place"], "是否想写 chain.hub.places", "chain.hub.places"),
        (["describe", "tiny.yaml", "--set", "seed"], "不是 路径=值 的形式", "is not path=value"),
        (["run", "tiny.yaml", "-o", "."], "已存在", "exists already"),
        (["run", "tiny.yaml", "-o", "tiny.yaml/x"], "无法写入", "cannot be written"),
        (["new", "."], "已存在且不为空", "is not empty"),
    ],
)
def test_mistakes_of_the_user(command, place, words, zh, en):
    """A user's mistake is exit 2 and a message on stderr in his language, and nothing is written."""
    for lang, expected in (("zh", zh), ("en", en)):
        result = command("--lang", lang, *words, code=2)
        assert expected in result.stderr
        assert result.stdout == ""
    assert [p.name for p in place.iterdir()] == ["tiny.yaml"]


def test_a_bug_is_told_from_a_mistake(command, monkeypatch):
    """A bug of ours is exit 1 with how to report it; the traceback is for those who ask."""
    monkeypatch.setattr("sim.evidence.ledger.figure", lambda id: 1 / 0)
    result = command("figures", "show", "x", code=1)
    assert "bug of ours" in result.stderr
    assert "sim figures show x" in result.stderr
    assert "File " not in result.stderr


def test_debug_shows_where(place, monkeypatch):
    """SIM_DEBUG=1 shows the traceback of a bug."""
    monkeypatch.setattr("sim.evidence.ledger.figure", lambda id: 1 / 0)
    monkeypatch.setenv("SIM_DEBUG", "1")
    result = CliRunner().invoke(sim, ["figures", "show", "x"])
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert "Traceback" in result.stderr


def test_no_memory_is_not_a_bug(command, monkeypatch):
    """Too little memory is said in one line, exit 3."""

    def full(id: str) -> None:
        raise MemoryError

    monkeypatch.setattr("sim.evidence.ledger.figure", full)
    assert "not enough memory" in command("figures", "show", "x", code=3).stderr


LONGER = [("compare", "tiny.yaml", "other.yaml", "-n", "2"), ("trace", "tiny.yaml"), ("odd", "--lang", "zh")]


@pytest.mark.parametrize(
    "words",
    [
        ("describe", "tiny.yaml"), ("figures", "list"), ("figures", "list", "--json"), ("--help",), ("odd",),
        ("run", "tiny.yaml", "--no-figures"), *(pytest.param(words, marks=pytest.mark.long) for words in LONGER),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_reader_who_leaves(command, place, words):
    """`| head -1` ends quietly, whatever is said, and however long it takes until something is."""
    (place / "other.yaml").write_text("extends: tiny.yaml\npolicy: null\n", encoding="utf-8")
    with command.start(*words, *([] if words == ("--help",) else ["--quiet"])) as child:
        child.stdout.close()
        assert (child.stderr.read(), child.wait(60)) == (b"", 0)


def test_a_screen_without_chinese(command):
    """Letters that standard output cannot show are replaced, in JSON escaped; nothing crashes."""
    for words in (["figures", "list", "--lang", "zh"], ["figures", "list", "--json"]):
        child = command.start(*words, env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"})
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        assert out.isascii()
    assert b"\\u" in out


@pytest.mark.parametrize(
    "words",
    [
        ("run", "tiny.yaml", "--no-figures"), ("figures", "list"), ("figures", "show", "student_inflow_per_year"),
        ("figures", "audit", "tiny.yaml"), ("describe", "tiny.yaml", "--why", "chain.hub"), ("check", "tiny.yaml"),
        ("compare", "tiny.yaml", "other.yaml", "-n", "2"), ("trace", "tiny.yaml"), ("run", "tiny.yaml", "--dry-run"),
        ("odd",), ("new", "x"), ("--help",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_colour_in_a_pipe(command, place, words):
    """Without a terminal there are no escape codes, nor blanks at the ends of lines."""
    (place / "other.yaml").write_text("extends: tiny.yaml\npolicy: null\n", encoding="utf-8")
    result = command(*words)
    assert "\x1b" not in result.stdout + result.stderr
    assert not re.search(r"[ \t]$", result.stdout, re.MULTILINE)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
@pytest.mark.parametrize(("setting", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_on_a_terminal(command, setting, coloured):
    """On a terminal group headings are coloured, unless NO_COLOR is set."""
    said = on_terminal(command, "run", "tiny.yaml", "--no-figures", "-q", env={"TERM": "xterm-256color", **setting})
    assert (b"\x1b[1;36m" in said) == coloured
    assert b"Trading at 12 months" in said


def on_terminal(command, *words, **options) -> bytes:
    """What a terminal of 100 columns gets from a command."""
    ours, theirs = os.openpty()
    options["env"] = {"COLUMNS": "100", **options["env"]}
    child = command.start(*words, stdin=theirs, stdout=theirs, stderr=theirs, **options)
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    os.close(ours)
    assert child.wait(60) == 0, said
    return said


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_progress_on_a_terminal(command):
    """On a terminal a bar shows how many runs are done; with --quiet it does not."""
    words, environment = ("run", "tiny.yaml", "-n", "20", "--no-figures"), {"TERM": "xterm-256color"}
    assert b"/20 runs" in on_terminal(command, *words, env=environment)
    assert b"/20 runs" not in on_terminal(command, *words, "-q", env=environment)


def test_progress_without_a_terminal(capsys, monkeypatch):
    """A log gets a plain line now and then, at most one each tenth of the way; --quiet and short runs get none."""
    from sim.presentation import screen

    clock = iter([0.0, *range(2, 200, 2)])
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    with screen.progress("en") as tell:
        for done in range(1, 41):
            tell(done, 40)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Simulating: 5/40 runs, 30 a minute"
    assert [int(re.search(r"(\d+)/40", line)[1]) for line in said] == [5, 10, 15, 20, 25, 30, 35, 40]
    with screen.progress("zh") as tell:  # each step takes two seconds: slow ones are heard of each minute
        for done in range(1, 41):
            tell(done, 4_000)
    assert len(capsys.readouterr().err.splitlines()) == 1
    with screen.progress("en", shown=False) as tell:
        assert tell is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(command, place, number):
    """Ctrl-C ends a run within seconds: exit 130, one line, nothing left behind."""
    child = command.start("run", "tiny.yaml", "-n", "100000", "--lang", "zh")
    deadline = time.monotonic() + 60
    while not list(place.glob("runs/.tiny.*.tmp/entrepreneurs.parquet")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err.decode()) == (130, b"", "已中断，没有留下任何文件。\n")
    assert [p.name for p in place.iterdir()] == ["tiny.yaml"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer")
def test_an_interrupt_is_not_lost():
    """A Ctrl-C that arrives in a destructor, where Python drops exceptions, still ends the program, and only once."""
    code = (
        "import os, signal, sys, time, sim.cli, sim.cli.command\n"
        "class Swallows:\n"
        "    def __del__(self): os.kill(os.getpid(), signal.SIGINT); time.sleep(0.01)\n"
        "def work(**_):\n"
        "    Swallows()\n"
        "    try: time.sleep(30)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT); time.sleep(0.5)\n"
        "        print('tidied', flush=True)\n"
        "sim.cli.command.sim.main = work\n"
        "sim.cli.main()\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False)
    assert (found.returncode, found.stdout) == (130, b"tidied\n")
    assert b"Exception ignored" in found.stderr
