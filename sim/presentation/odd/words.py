"""The words of the ODD in one language, each checked against the code that it is about.

English comes from the code: docstrings, notes beside fields, phrases of the schema. What no docstring can say (why the
model is as it is) stands in `odd.en.toml`, with the code that it rests on. Chinese stands in `odd.zh.toml`, by the name
of the code element. Each entry carries a fingerprint of what it was written for: when that changes, it is out of date
until someone has looked at it again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from sim.presentation.catalogue import Lang, clean
from sim.presentation.odd.source import Block, blocks, find, fingerprint, plain

__all__ = ["CONCEPTS", "Words", "safe"]

CONCEPTS = (
    "basic_principles",
    "emergence",
    "adaptation",
    "objectives",
    "learning",
    "prediction",
    "sensing",
    "interaction",
    "stochasticity",
    "collectives",
    "observation",
)
"""The design concepts of the protocol, in its order."""


@cache
def _texts(lang: Lang) -> dict[str, Any]:
    return tomllib.loads(files("sim.presentation").joinpath("locale", f"odd.{lang}.toml").read_text("utf-8"))


class Words:
    """Texts in one language. `complaints` collects what is missing or out of date, instead of failing at once.

    Parameters
    ----------
    lang
        The language.
    """

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self.complaints: list[str] = []
        self._used: set[tuple[str, str]] = set()

    def head(self, key: str, **values: object) -> str:
        """A heading or a short phrase, with its ``{placeholders}`` filled in."""
        self._used.add(("heading", key))
        found = _texts(self.lang)["heading"].get(key)
        if found is None:
            self.complaints.append(f"heading.{key}: no text in odd.{self.lang}.toml")
            return key
        return str(found).format_map(values)

    def prose(self, key: str) -> str:
        """A text of ours that no docstring holds; in English it is checked against the code that it rests on."""
        self._used.add(("prose", key))
        entry = _texts("en")["prose"].get(key)
        if entry is None:
            self.complaints.append(f"prose.{key}: no text in odd.en.toml")
            return ""
        if self.lang == "en":
            self._check(f"prose.{key}", entry["of"], *map(_said, entry["rests"]))
            return _flowing(entry["text"])
        return _flowing(self._translated("prose", key, entry["text"]))

    def phrase(self, name: str, english: str) -> str:
        """A phrase of the code, such as the meaning of a column; `name` is what it belongs to."""
        if not english:
            self.complaints.append(f"{name}: says nothing of itself")
            return ""
        if not name.startswith("sim."):
            return safe(english)
        if self.lang == "en":
            return clean(english)
        return self._translated("code", name, english)

    def doc(self, name: str, doc: str | None = None) -> str:
        """The docstring of a module, class or function as Markdown, equations included; `doc` instead of its own."""
        doc = find(name).__doc__ if doc is None else doc
        if not doc:
            self.complaints.append(f"{name}: says nothing of itself")
            return ""
        if not name.startswith("sim."):
            return "\n\n".join(safe(block.text) for block in blocks(doc))
        if self.lang == "en":
            return "\n\n".join(map(_shown, blocks(doc)))
        said = self._translated("code", name, plain(doc))
        if said == plain(doc):  # there is none
            return "\n\n".join(map(_shown, blocks(doc)))
        return self._with_equations(name, said, [b for b in blocks(doc) if b.equation])

    def unit(self, id: str) -> str | None:
        """A unit that only state variables have; None if it is not such a one."""
        found = _texts(self.lang)["unit"].get(id)
        return None if found is None else str(found)

    def first(self, name: str) -> str:
        """The first sentence of a docstring."""
        said = self.doc(name).partition("\n")[0]
        return re.split(r"(?<=[.。])(?=\s|$)" if self.lang == "en" else r"(?<=。)", said)[0]

    def _with_equations(self, name: str, said: str, equations: list[Block]) -> str:
        """Equations in the place of their marks, ``{1}``, ``{2}``, ..., each of which is a paragraph."""
        marks = [f"{{{i}}}" for i in range(1, len(equations) + 1)]
        if re.findall(r"^\{\d\}$", said, re.MULTILINE) != marks:
            self.complaints.append(
                f"{name}: the Chinese must hold {', '.join(marks) or 'no mark'}, each in its own line"
            )
            return said
        for mark, equation in zip(marks, equations, strict=True):
            said = said.replace(mark, _shown(Block(self._equation(equation.text), equation=True)))
        return said

    def _equation(self, text: str) -> str:
        """An equation with its words (if, otherwise, ...) in the language; names and signs stay."""
        words = _texts(self.lang)["equation"]
        for said in sorted(words, key=len, reverse=True):
            text = re.sub(rf"(?<![\w.]){re.escape(said)}(?!\w)", words[said], text)
        return text

    def _translated(self, section: str, key: str, english: str) -> str:
        """The Chinese of an English text; the English itself where there is none."""
        self._used.add((section, key))
        entry = _texts(self.lang)[section].get(key)
        if entry is None:
            self.complaints.append(f"{key}: no Chinese, fingerprint {fingerprint(english)}, of: {english}")
            return english
        self._check(key, entry[0], english)
        return str(entry[1]).strip()

    def _check(self, key: str, of: str, *english: str) -> None:
        if of != fingerprint(*english):
            now = fingerprint(*english)
            self.complaints.append(f"{key}: out of date, written for {of}, now {now}: {' | '.join(english)}")

    def unused(self) -> Iterator[str]:
        """Complaints of texts that nothing has asked for."""
        for section in ("prose", "code"):
            for key in _texts(self.lang).get(section, ()):
                if (section, key) not in self._used:
                    yield f"{section}.{key}: left over in odd.{self.lang}.toml"


def _flowing(said: str) -> str:
    """Paragraphs without their line breaks; Chinese has no space there."""
    said = re.sub(r"(?<=[^\x00-\x7f\n])\n(?=[^\n])|(?<=[^\n])\n(?=[^\x00-\x7f\n])", "", said.strip())
    return re.sub(r"(?<!\n)\n(?!\n)", " ", said)


def _said(name: str) -> str:
    return plain(find(name).__doc__)


def _shown(block: Block) -> str:
    return f"```text\n{block.text}\n```" if block.equation else _lines(block.text)


def _lines(said: str) -> str:
    """A paragraph without marks that rewrite a line."""
    return "\n".join(map(clean, said.splitlines()))


def safe(said: str) -> str:
    """A user's text, which is no HTML."""
    return clean(said).replace("<", "\\<")
