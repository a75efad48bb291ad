"""The store of runs: Parquet parts are the only ledger, and what is in them is never run again.

A part is named by the keys of its runs and by its own checksum. It is written under another name, synced and renamed,
and its folder is synced: a part is whole or not there. One process at a time has the folder. Nothing here knows what a
run is: a row has a `key`, which names it, a `phase`, which is null unless it failed, and other columns.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from sim.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Parts", "holder", "keep_whole", "read_part", "short", "written"]

_DAMAGED = "damaged"
"""Folder beside the parts for those that cannot be read."""

_LOCK = ".lock"

_held: weakref.WeakSet[_Lock] = weakref.WeakSet()


class Parts:
    """The parts in a folder, which is made if it is not there; without a folder, in memory.

    Open it with ``with``: it is locked, leftovers of a killed process are cleared, and damaged parts are set aside.

    Parameters
    ----------
    home
        The folder of the study; the parts lie in ``home/name``.
    name
        Folder of the parts.
    kind
        What the folder is of, for messages.

    Attributes
    ----------
    done
        Keys of all runs that are kept, failed ones included (see `short`).
    failed
        Keys of those that failed.
    damaged
        Parts that were set aside when the folder was opened.
    """

    def __init__(self, home: Path | None, name: str = "parts", *, kind: str = "sweep") -> None:
        self.home, self.folder, self.kind = home, home / name if home else None, kind
        self.done: set[bytes] = set()
        self.failed: set[bytes] = set()
        self.damaged: list[Path] = []
        self._tables: list[pa.Table] = []
        self._lock: _Lock | None = None

    def __enter__(self) -> Parts:
        if self.home is None or self.folder is None:
            return self
        new = not self.home.exists()
        if not new and not self.folder.is_dir() and {p.name for p in self.home.iterdir()} - {_LOCK}:
            raise StoreError(f"{self.home}: holds something else than a {self.kind}; choose another folder with -o")
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self._lock = _Lock(self.home / _LOCK)
            self.folder.mkdir(exist_ok=True)
            self._repair(self.folder)
        except OSError as error:
            self.__exit__()
            raise not_written(self.home, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.release()

    def _repair(self, folder: Path) -> None:
        """Clear what a killed process left, set aside what is damaged, and know the keys of the rest."""
        assert self.home is not None
        for left in (*self.home.glob(".*.tmp"), *folder.glob(".*.tmp")):
            left.unlink(missing_ok=True)
        for part in written(folder):
            table = read_part(part, ["key", "phase"])
            if table is None or table.num_columns < 2:
                aside = self.home / _DAMAGED
                aside.mkdir(exist_ok=True)
                self.damaged.append(part.replace(aside / part.name))
            elif not self._learn(table):
                part.unlink()  # a retry was killed between writing the new part and removing the old one

    def _learn(self, table: pa.Table) -> bool:
        """Take up the keys of a table; False if it has no new one."""
        before = len(self.done)
        for key, phase in zip(table["key"].to_pylist(), table["phase"].to_pylist(), strict=True):
            self.done.add(short(key))
            if phase is not None:
                self.failed.add(short(key))
        return len(self.done) > before

    def keep(self, table: pa.Table) -> None:
        """Keep the rows of new runs, for good when this returns. Raises StoreError if they cannot be written."""
        if self.folder is None:
            self._tables.append(table)
        else:
            with _uninterrupted():
                content = _parquet(table)
                name = hashlib.sha256("".join(table["key"].to_pylist()).encode()).hexdigest()[:16]
                keep_whole(self.folder / f"{name}-{_checksum(content)}.parquet", content)
        self._learn(table)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """What is kept, part by part; of the columns that are asked for, those that a part has."""
        if self.folder is None:
            yield from (t.select([c for c in columns if c in t.column_names]) if columns else t for t in self._tables)
            return
        for part in written(self.folder):
            table = read_part(part, columns)
            if table is not None:
                yield table
            elif part.exists():  # else another process has just replaced it
                raise StoreError(f"{part}: damaged, it does not match its checksum; run the {self.kind} again")

    def forget_failures(self) -> None:
        """Take failed runs out of the parts, so that they are run again; the other rows stay as they are."""
        if not self.failed:
            return
        import pyarrow.compute as pc

        if self.folder is None:
            self._tables = [t.filter(pc.is_null(t["phase"])) for t in self._tables]
        else:
            for part in written(self.folder):
                table = read_part(part)
                if table is None or table["phase"].null_count == table.num_rows:
                    continue
                sound = table.filter(pc.is_null(table["phase"]))
                if sound.num_rows:
                    self.keep(sound)
                part.unlink()
        self.done -= self.failed
        self.failed.clear()


def short(key: str) -> bytes:
    """A key in half its bits, which is enough to tell runs apart, as it is held in memory."""
    return bytes.fromhex(key[:32])


def written(folder: Path) -> list[Path]:
    """The parts of a folder, in one order."""
    return sorted(folder.glob("*.parquet"))


def read_part(path: Path, columns: Sequence[str] | None = None) -> pa.Table | None:
    """A part, or those of some columns that it has; None if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pa.OSFile(str(path)) as there:
            # memory of Arrow's own: to let go of Python's, its threads need the interpreter, which may just be ending
            content = there.read_buffer()
        if path.stem.partition("-")[2] != _checksum(content):
            return None
        file = pq.ParquetFile(pa.BufferReader(content))
        names = [c for c in columns if c in file.schema_arrow.names] if columns else None
        return file.read(names, use_threads=False)
    except (OSError, ValueError, pa.ArrowException):
        return None


def keep_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and for good. Raises StoreError if it cannot be."""
    part = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise not_written(path.parent, error) from error


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until this is done: within it, the Parquet writer would be left half made, and complain."""
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return
    caught: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda *what: caught.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if caught:
        usual(*caught[0])


def _sync(folder: Path) -> None:
    """Make a new name in a folder last, where a system knows how."""
    if os.name == "posix":
        at = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)


def not_written(folder: Path, error: OSError) -> StoreError:
    """What is said of a folder that cannot be written."""
    return StoreError(f"{folder}: cannot be written ({error.strerror or error})")


def _parquet(table: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    texts = [f.name for f in table.schema if pa.types.is_string(f.type) and f.name != "key"]
    pq.write_table(
        table, sink, compression="zstd", use_dictionary=texts, write_page_checksum=True, row_group_size=1 << 16
    )
    return bytes(sink.getvalue())


def _checksum(content: bytes | pa.Buffer) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


# one process at a time ------------------------------------------------------------------------------------------------


class _Lock:
    """A lock file, held while this process lives. Raises StoreError, with the process that has it, if another does."""

    def __init__(self, path: Path) -> None:
        self._at: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _taken(self._at):
            os.close(self._at)
            raise StoreError(f"{path.parent}: another process works in this folder (process {_said(path)})")
        _held.add(self)
        with suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(self._at, 0)
            os.pwrite(self._at, f"{os.getpid()} {socket.gethostname()}".encode(), 0)

    def release(self, *, empty: bool = True) -> None:
        """Let others have the folder."""
        if self._at is not None:
            if empty:
                with suppress(OSError):
                    os.ftruncate(self._at, 0)
            os.close(self._at)
        self._at = None


def _taken(at: int) -> bool:
    """Take the lock of an open file; False if another process has it. Where there are no such locks, all may."""
    try:
        import fcntl

        fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except (ImportError, OSError):
        return True
    return True


def _said(path: Path) -> str:
    """The process that a lock file names, with its machine if that is another."""
    with suppress(OSError):
        pid, _, host = path.read_text(encoding="utf-8", errors="replace").strip().partition(" ")
        return pid if not host or host == socket.gethostname() else f"{pid} on {host}"
    return "?"


def holder(home: Path) -> str | None:
    """The process that works in a folder, if one does. (To try the lock would be to hold it for a moment.)"""
    said = _said(home / _LOCK)
    if not said.isdigit():
        return said if " on " in said else None
    try:
        os.kill(int(said), 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return said


def _let_go() -> None:
    """A process that is forked off must not hold the lock when the one that took it is gone."""
    for lock in list(_held):
        lock.release(empty=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
