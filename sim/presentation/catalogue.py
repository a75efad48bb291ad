"""Every word that a user reads, in Chinese and English, and how numbers are written in each.

Importing this reads nothing; the first text reads one small file.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

__all__ = [
    "Labels",
    "Lang",
    "assumption",
    "axis_number",
    "clean",
    "decimals",
    "error",
    "keys",
    "known",
    "labels",
    "language",
    "name",
    "outcome",
    "reason",
    "reason_key",
    "scale",
    "short",
    "text",
    "title",
    "unit",
]

Lang = Literal["zh", "en"]
Labels = Mapping[str, str]
"""Id of a stage or an instrument -> the label that the scenario gives it."""

_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "zh": ((1e8, "亿"), (1e4, "万")),
    "en": ((1e9, "bn"), (1e6, "m")),
}
"""Largest first: what a number is divided by, and what then stands before its unit."""

_FAMILIES = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "survival": r"survival_(?P<months>\d+)m",
        "survivors": r"survivors_(?P<months>\d+)m",
        "survival_of": r"survival_(?P<months>\d+)m_(?P<by>education|origin|channel)_(?P<group>\w+)",
        "rmst": r"rmst_(?P<months>\d+)m",
        "reached": r"reached_(?P<stage>\w+)",
        "months_to": r"months_to_(?P<stage>\w+)",
        "occupancy": r"occupancy_(?P<stage>\w+)",
        "waiting": r"waiting_(?P<stage>\w+)",
        "sales_quantile": r"sales_p(?P<percent>\d+)_cny",
        "share_over": r"share_over_(?P<million>\d+)m_cny",
        "spent_per_survivor": r"spent_per_survivor_(?P<months>\d+)m_cny",
    }.items()
}
"""Outcomes that differ by an age, a stage, a group or a threshold only."""


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(files("sim.presentation").joinpath("locale", name).read_text("utf-8"))


@cache
def _read(lang: Lang) -> Mapping[str, str]:
    """The texts of a language by dotted key."""
    texts: dict[str, str] = {}

    def flatten(branch: Mapping[str, object], prefix: str) -> None:
        for key, value in branch.items():
            if isinstance(value, Mapping):
                flatten(value, f"{prefix}{key}.")
            else:
                texts[prefix + key] = str(value)

    flatten(_load(f"{lang}.toml"), "")
    return texts


@cache
def _assumptions() -> Mapping[str, str]:
    """The reasons of our defaults and of the files that come with the program, clause by clause, in Chinese."""
    return _load("assumptions.zh.toml")


def language(explicit: str | None = None) -> Lang:
    """The language to speak: `explicit`, else SIM_LANG, else the locale (LC_ALL, LC_MESSAGES, LANG), else English.

    Raises ValueError if `explicit` is neither ``zh`` nor ``en``.
    """
    if explicit is not None:
        if explicit not in ("zh", "en"):
            raise ValueError(f"language must be zh or en (got {explicit!r})")
        return explicit  # type: ignore[return-value]
    named = (os.environ.get(variable) for variable in ("SIM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, named), "").lower().startswith("zh") else "en"


def keys(lang: Lang) -> tuple[str, ...]:
    """All keys of a language, dotted, in the order of the file."""
    return tuple(_read(lang))


def text(key: str, lang: Lang, **values: object) -> str:
    """The text of a dotted key with its ``{placeholders}`` filled in. Raises KeyError for an unknown key."""
    return _read(lang)[key].format_map(values)


def known(key: str, lang: Lang) -> str | None:
    """The text of a dotted key as it stands; None if there is none."""
    return _read(lang).get(key)


def name(kind: str, id: str, lang: Lang, labels: Labels | None = None) -> str:
    """What to call a stage, an instrument, an education, ...: the scenario's own label, the catalogue's, or the id."""
    return clean((labels or {}).get(id) or _read(lang).get(f"{kind}.{id}") or id)


def outcome(id: str, lang: Lang, labels: Labels | None = None) -> tuple[str, str]:
    """Name and one-line definition of an outcome (the id and nothing if it is new); `labels` names the stages."""
    for kind, pattern in _FAMILIES.items():
        if match := pattern.fullmatch(id):
            values = match.groupdict()
            if "stage" in values:
                values["stage"] = short(name("stage", values["stage"], lang, labels))
            if "by" in values:
                values["group"] = name(values.pop("by"), values["group"], lang)
            return text(f"outcome.{kind}.name", lang, **values), text(f"outcome.{kind}.definition", lang, **values)
    if f"outcome.{id}.name" not in _read(lang):
        return clean(id), ""
    return text(f"outcome.{id}.name", lang), text(f"outcome.{id}.definition", lang)


@cache
def _patterns(section: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The English texts of a section as patterns."""
    return tuple(
        (key, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(value))))
        for key, value in _read("en").items()
        if key.startswith(f"{section}.")
    )


def reason_key(english: str) -> str | None:
    """Which of the reasons of `sim.statistics` this is (``open``, ``too_short``, ...), if it is one of them."""
    return next(
        (key.removeprefix("reason.") for key, pattern in _patterns("reason") if pattern.fullmatch(english)), None
    )


def reason(english: str, lang: Lang, labels: Labels | None = None) -> str:
    """Why an outcome is not known, in the reader's language; what is not in the catalogue stays as it is."""
    for key, pattern in _patterns("reason"):
        if match := pattern.fullmatch(english):
            values = match.groupdict()
            if "stage" in values:
                values["stage"] = short(name("stage", values["stage"], lang, labels))
            if "reason" in values:
                values["reason"] = reason(values["reason"], lang, labels)
            return clean(text(key, lang, **values))
    return clean(english)


def assumption(english: str, lang: Lang) -> str:
    """Why a number is assumed, in the reader's language; a reason that is not one of ours stays as it was typed."""
    if lang == "zh":
        told = [_assumptions().get(clause) for clause in english.split("; ")]
        if None not in told:
            return "；".join(filter(None, told))
    return clean(english)


def error(english: str, lang: Lang) -> str:
    """What an error of ours says, in the reader's language; what is not in the catalogue stays as it is."""
    for key, pattern in _patterns("error"):
        if match := pattern.fullmatch(english):
            return clean(text(key, lang, **match.groupdict()))
    return clean(english)


def title(scenario: Mapping[str, Any], lang: Lang) -> str:
    """The name of a resolved scenario, in the reader's language if it has one in it; empty if it has none."""
    return _either(scenario["name"], lang)


def labels(scenario: Mapping[str, Any], lang: Lang) -> dict[str, str]:
    """What a resolved scenario calls its stages and instruments, by id.

    What has no label in the reader's language goes by the catalogue's name of its id or type, else by its other label.
    """
    named = {}
    for section, kind, by in (("chain", "stage", "id"), ("policy", "policy", "type")):
        for entry in scenario[section]:
            label = entry["label"]
            found = label[lang] or known(f"{kind}.{entry[by]}", lang) or _either(label, lang)
            named[entry["id"]] = found or entry["id"]
    return named


def _either(label: Mapping[str, str], lang: Lang) -> str:
    return label[lang] or label["en" if lang == "zh" else "zh"]


def unit(id: str, lang: Lang) -> str:
    """A unit as it is read; an unknown one as it stands."""
    return _read(lang).get(f"unit.{id}", id)


def _scale(value: float, lang: Lang) -> tuple[float, str]:
    return next((s for s in _SCALES[lang] if abs(value) >= s[0]), (1.0, ""))


def scale(value: float, id: str, lang: Lang) -> tuple[float, str]:
    """What to divide numbers like `value` (in unit `id`) by, and the unit that they then have: 万元, m CNY, %, ..."""
    if id == "share":
        return 0.01, unit(id, lang)
    by, prefix = _scale(value, lang)
    return by, prefix + (" " if lang == "en" and prefix and unit(id, lang) else "") + unit(id, lang)


def decimals(value: float) -> int:
    """Places after the point that give `value` three significant digits: none from 100 on, four at most."""
    if not math.isfinite(value) or value == 0:
        return 1
    return min(max(2 - math.floor(math.log10(abs(value))), 0), 4)


def axis_number(value: float, lang: Lang) -> str:
    """A round number on an axis: 50,000 or 1.5 m in English, 5万 in Chinese."""
    by, prefix = _scale(value, lang)
    return f"{value / by:,.6g}" + (" " if lang == "en" and prefix else "") + prefix


def short(name: str) -> str:
    """A name without what it adds in brackets, for narrow places."""
    return re.sub(r"\s*[（(][^（(]*[）)]\s*$", "", name) or name


def clean(name: str) -> str:
    """A user's text without control and direction marks, which could rewrite the line that it stands in."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)
