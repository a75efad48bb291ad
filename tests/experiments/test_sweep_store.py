"""The store of runs: whole parts or none, damaged ones set aside, one process at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from sim.errors import StoreError
from sim.experiments.sweep import parts as store
from sim.experiments.sweep.parts import Parts, holder, keep_whole, read_part, short, written


def rows(*numbers: int, failed: tuple[int, ...] = ()) -> pa.Table:
    keys = [f"{number:032x}" * 2 for number in numbers]
    phases = ["run" if number in failed else None for number in numbers]
    return pa.table({"key": keys, "value": pa.array(numbers, "float64"), "phase": pa.array(phases, "string")})


def kept(home: Path) -> list[float]:
    return sorted(value for table in Parts(home).tables() for value in table["value"].to_pylist())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two parts of three runs each, one of which failed."""
    with Parts(tmp_path / "home") as parts:
        parts.keep(rows(1, 2, 3))
        parts.keep(rows(4, 5, 6, failed=(5,)))
    return tmp_path / "home"


def test_what_is_kept_is_there_again(home):
    """Rows come back as they were, their keys are known when the folder is opened, and pandas reads it directly."""
    with Parts(home) as parts:
        assert parts.done == {short(f"{number:032x}") for number in range(1, 7)}
        assert parts.failed == {short(f"{5:032x}")}
        assert not parts.damaged
    assert kept(home) == [1, 2, 3, 4, 5, 6]
    assert sorted(pd.read_parquet(home / "parts")["value"]) == [1, 2, 3, 4, 5, 6]


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux shows them")
def test_a_part_is_read_by_no_thread_of_arrows(home):
    """One that is left with Python's memory when the interpreter ends takes the process down: SIGABRT, once in a while.

    See apache/arrow, issue 34314.
    """
    code = """if 1:
        import os, sys
        from pathlib import Path
        import pyarrow.parquet
        from sim.experiments.sweep.parts import read_part
        threads = lambda: set(os.listdir("/proc/self/task"))
        before = threads()
        assert read_part(Path(sys.argv[1])).num_rows == 3
        assert threads() == before
    """
    subprocess.run([sys.executable, "-c", code, str(written(home / "parts")[0])], check=True)


def test_a_flipped_bit_is_found_wherever_it_is(home):
    """One bit anywhere in a part, a cut end or an empty file: the part is set aside, the others are not."""
    part, other = written(home / "parts")
    content = part.read_bytes()
    broken = [
        content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :] for at in range(0, len(content), 97)
    ]
    for number, bad in enumerate((*broken, content[:-1], content[: len(content) // 2], b"")):
        part.write_bytes(bad)
        assert read_part(part) is None
        with pytest.raises(StoreError, match="damaged"):
            kept(home)
        with Parts(home) as parts:
            assert [path.name for path in parts.damaged] == [part.name], number
            assert len(parts.done) == 3
        assert written(home / "parts") == [other]
    part.write_bytes(content)
    assert len(kept(home)) == 6


def test_leftovers_are_cleared(home):
    """What a killed process was writing is removed; a part whose rows are all in others as well is, too."""
    for folder in (home, home / "parts"):
        (folder / ".left.tmp").write_bytes(b"half")
    with Parts(home) as parts:
        parts.keep(rows(1, 3))
    assert len(written(home / "parts")) == 3
    with Parts(home) as parts:
        assert len(parts.done) == 6
    assert kept(home) == [1, 2, 3, 4, 5, 6]
    assert not [path for path in home.rglob("*") if path.suffix == ".tmp"]


def test_failures_can_be_forgotten(home):
    """Only failed runs are taken out; parts without one stay as they are, to the byte."""
    before = {
        path: path.read_bytes() for path in written(home / "parts") if "run" not in read_part(path)["phase"].to_pylist()
    }
    with Parts(home) as parts:
        parts.forget_failures()
        assert len(parts.done) == 5
        assert not parts.failed
    assert kept(home) == [1, 2, 3, 4, 6]
    assert all(path.read_bytes() == content for path, content in before.items())
    with Parts(None) as parts:  # in memory as well
        parts.keep(rows(1, 2, failed=(2,)))
        parts.forget_failures()
        assert parts.done == {short(f"{1:032x}")}
        assert [table.num_rows for table in parts.tables()] == [1]


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    """If writing fails at any step, the error says so, the old file is as it was, and nothing else is left."""
    target = tmp_path / "file"
    keep_whole(target, b"old")
    for step in ("fsync", "replace"):

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(*((os, "fsync", full) if step == "fsync" else (Path, "replace", full)))
            with pytest.raises(StoreError, match=r"cannot be written \(No space left on device\)"):
                keep_whole(target, b"new")
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


def test_ctrl_c_waits_for_a_part(tmp_path, monkeypatch):
    """An interrupt while a part is written comes when it is kept, and what Ctrl-C does otherwise is as it was."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patched, Parts(tmp_path / "home") as parts:
            patched.setattr(store.os, "fsync", lambda _: os.kill(os.getpid(), signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                parts.keep(rows(1, 2))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert kept(tmp_path / "home") == [1, 2]


def test_one_process_at_a_time(home):
    """A folder in which somebody works is refused, naming the process; when that is gone it is free."""
    code = (
        "import sys, time; from pathlib import Path; from sim.experiments.sweep.parts import Parts\n"
        "with Parts(Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    assert holder(home) is None
    other = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"in\n"
        assert holder(home) == str(other.pid)
        with pytest.raises(StoreError, match=rf"another process works in this folder \(process {other.pid}\)"):
            Parts(home).__enter__()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert holder(home) is None
    with Parts(home), pytest.raises(StoreError, match=f"process {os.getpid()}"), Parts(home):
        pass


def test_a_forked_process_does_not_hold_the_lock(home):
    """A pool's process that was forked off lives on without the folder when the one that forked it is gone."""
    code = (
        "import os, sys, time; from pathlib import Path; from sim.experiments.sweep.parts import Parts\n"
        "with Parts(Path(sys.argv[1])):\n"
        "    child = os.fork()\n"
        "    if child: print(child, flush=True); os._exit(0)\n"
        "    os.close(1); time.sleep(60)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, check=True).stdout
    try:
        with Parts(home) as parts:
            assert len(parts.done) == 6
    finally:
        os.kill(int(said), signal.SIGKILL)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    """What is not a sweep is neither replaced nor mixed with one."""
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(StoreError, match="something else than a sweep"), Parts(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    """A file in the way is an error with the folder's name, never a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), Parts(tmp_path / "file" / "home"):
        pass


def test_where_there_are_no_locks_all_may_work(home, monkeypatch):
    """A disk that knows no locks, as some of clusters do, is no reason not to work."""
    import fcntl

    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with store.Parts(home) as parts:
        assert len(parts.done) == 6
