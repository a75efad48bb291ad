"""What the axes of a study are called: with their stage, their instrument or their channel."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from sim.presentation.catalogue import Labels, Lang, clean, known, labels, name, short, text

__all__ = ["Axes"]

_KINDS = {"chain": "stage", "policy": "policy", "market": "channel"}
"""What the second part of a path is, by the first."""

_SYMBOL = re.compile(r"[a-zA-Z]{1,3}")
"""A letter or its name (``eta: ...``) says nothing by itself."""

_LABEL = 30
"""assumed: letters of a line beside a figure."""


class Axes:
    """Names of axes.

    Parameters
    ----------
    axes
        Each as plain values: path, and its name in both languages, as ``name: {zh:, en:}`` or as ``zh`` and ``en``.
    scenario
        The resolved scenario.
    lang
        ``zh`` or ``en``.
    """

    def __init__(self, axes: Iterable[Mapping[str, Any]], scenario: Mapping[str, Any], lang: Lang) -> None:
        self._lang = lang
        self.labels: Labels = labels(scenario, lang)
        self._axes: dict[str, Mapping[str, Any]] = {}
        for axis in axes:
            self._axes.setdefault(axis["path"], axis)

    def about(self, path: str) -> Mapping[str, Any]:
        """All that is known of an axis."""
        return self._axes[path]

    def name(self, path: str) -> str:
        """What an axis is called; its path if nobody named it."""
        axis = self._axes[path]
        both = axis.get("name", axis)
        whole = both[self._lang] or both["en"] or both["zh"]
        first = re.split("[;；:：]", whole)[0]
        said = clean(short(whole if _SYMBOL.fullmatch(first) else first)) or path
        room, *parts = path.split(".")
        kind = _KINDS.get(room)
        if kind is None or len(parts) < 2 or (kind == "channel" and known(f"channel.{parts[0]}", self._lang) is None):
            return said
        part = short(name(kind, parts[0], self._lang, self.labels))
        if part in said:
            return said
        last = self.labels.get(parts[-1]) if room == "policy" else None
        if last:
            return text("sensitivity.part_of_stage", self._lang, part=part, name=said, stage=short(last))
        return text("sensitivity.part", self._lang, part=part, name=said)

    def label(self, path: str) -> str:
        """The name in lines that leave room for a figure."""
        return textwrap.fill(self.name(path), _LABEL)
