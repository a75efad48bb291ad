"""Markdown: sections with numbers, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Section", "document", "numbered", "table"]


@dataclass
class Section:
    """A heading and what stands below it, up to the next heading. `level` is 1 for an element of the protocol."""

    level: int
    title: str
    body: str = ""
    number: str = ""

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def numbered(sections: Iterable[Section]) -> list[Section]:
    """The same sections with their numbers: 1, 1.1, 1.1.1, ..."""
    counts = [0, 0, 0, 0]
    out = []
    for section in sections:
        counts[section.level - 1] += 1
        counts[section.level :] = [0] * (4 - section.level)
        out.append(Section(section.level, section.title, section.body, ".".join(map(str, counts[: section.level]))))
    return out


def document(title: str, opening: str, sections: Sequence[Section]) -> str:
    """All of it as one Markdown text, which ends with a newline."""
    parts = [f"# {title}", opening]
    for s in sections:
        parts += [f"{'#' * (s.level + 1)} {s.number} {s.title}", s.body]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty columns are left out, and so is a table without rows."""
    rows = list(rows)
    if not rows:
        return ""
    kept = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    lines = [[heads[i] for i in kept], ["---"] * len(kept), *([row[i] for i in kept] for row in rows)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(said: str) -> str:
    return " ".join(said.split()).replace("|", "\\|")
