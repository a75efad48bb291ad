"""The bytes of a scenario file, before anything is read into them: what it is, how large, in which encoding."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import ScenarioError
from sim.scenario.messages import problem

__all__ = ["MAX_BYTES", "Place", "Text", "name_of", "read", "shown", "stray"]

MAX_BYTES = 256 * 1024
"""Largest file read. The parser takes about a microsecond a character; this keeps any refusal below a second."""

_STRAY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1, 0 = not known."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """The decoded text of a file, and the name by which messages call it."""

    file: str
    content: str

    def place(self, index: int) -> Place:
        """Line and column of a character."""
        head = self.content[:index]
        return Place(self.file, head.count("\n") + 1, index - (head.rfind("\n") + 1) + 1)


def shown(value: Any, limit: int = 60) -> str:
    """A value as messages show it: one line, short, nothing that a terminal would obey."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = value if isinstance(value, str) else repr(value)
    clipped = text if len(text) <= limit else text[:limit] + "…"
    safe = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in clipped)
    return f'"{safe}"' if isinstance(value, str) else safe


def name_of(path: str | os.PathLike[str]) -> str:
    """A file's name as messages show it."""
    return shown(os.fspath(path), 300)[1:-1]


def stray(text: str) -> tuple[int, str] | None:
    """First character that is invisible or steers a terminal: its index, and its number such as ``U+202E``."""
    match = _STRAY.search(text)
    at = match.start() if match else len(text)
    if not text.isascii():
        at = next((i for i, c in enumerate(text[:at]) if ord(c) > 127 and unicodedata.category(c) == "Cf"), at)
    return (at, f"U+{ord(text[at]):04X}") if at < len(text) else None


def read(path: str | os.PathLike[str], said_at: Place | None = None, limit: int = MAX_BYTES) -> Text:
    """Read a text file that a user names.

    Parameters
    ----------
    path
        A regular file of at most `limit` bytes, in UTF-8 with or without a byte-order mark.
    said_at
        Place of the ``extends:`` or ``under:`` that names it, if one does: where a missing file is reported.
    limit
        Largest file read, in bytes.

    Raises
    ------
    ScenarioError
        If it is missing, not a regular file, unreadable, too large, in another encoding, or holds control characters.
        A pipe or a device is refused without waiting for it.
    """
    file = name_of(path)
    raw = _bytes(path, said_at or Place(file), file, limit)
    here = Place(file, 1, 1)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or _looks_wide(raw):
        raise ScenarioError([problem(here, "", "utf16")])
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        good = Text(file, raw[: bad.start].decode("utf-8-sig", "replace"))
        key = "gbk" if _looks_gbk(raw) else "not_utf8"
        raise ScenarioError([problem(good.place(len(good.content)), "", key)]) from None
    text = Text(file, content.replace("\r\n", "\n").replace("\r", "\n"))
    found = stray(text.content)
    if found:
        raise ScenarioError([problem(text.place(found[0]), "", "stray", {"character": found[1]})])
    return text


def _bytes(path: str | os.PathLike[str], place: Place, file: str, limit: int) -> bytes:
    def refuse(key: str) -> ScenarioError:
        return ScenarioError([problem(place, "", key, {"file": file})])

    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise refuse("folder" if Path(path).is_dir() else "not_a_file")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise refuse("not_a_file")
            raw = stream.read(limit + 1)
    except FileNotFoundError:
        raise refuse("missing_file") from None
    except PermissionError:
        raise refuse("no_permission") from None
    except (OSError, ValueError):
        raise refuse("unreadable") from None
    if len(raw) > limit:
        raise ScenarioError(
            [problem(Place(file, 1, 1), "", "too_large", {"file": file, "limit": f"{limit // 1024} kB"})]
        )
    return raw


def _looks_wide(raw: bytes) -> bool:
    """UTF-16 or UTF-32 without a mark: every second byte of the beginning is NUL."""
    head = raw[:64]
    return len(head) >= 4 and (not any(head[0::2]) or not any(head[1::2]))


def _looks_gbk(raw: bytes) -> bool:
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return any("\u4e00" <= c <= "\u9fff" for c in text)
