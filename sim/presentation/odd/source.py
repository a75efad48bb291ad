"""What the code says of itself: docstrings in blocks, the order of calls, the notes beside fields."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

__all__ = [
    "Block",
    "Phase",
    "attribute_note",
    "attributes",
    "blocks",
    "calls",
    "find",
    "fingerprint",
    "phases",
    "plain",
]


class Block(NamedTuple):
    """A paragraph of a docstring; equations stand by themselves, and are said in no language."""

    text: str
    equation: bool = False


class Phase(NamedTuple):
    """A step of the month as the code calls it: the method, and the number and the words beside the call."""

    method: str
    number: str
    said: str


def find(name: str) -> Any:
    """The module, class or function of a dotted name. Raises LookupError if there is none."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[cut:]:
                found = getattr(found, part)
        except AttributeError:
            break
        return found
    raise LookupError(f"the code has no {name}")


def blocks(doc: str | None) -> list[Block]:
    """A docstring as paragraphs and equations, without its sections (Parameters, Attributes, Returns, ...).

    An equation is a paragraph that is indented by four spaces or more; a list is a paragraph of its own.
    """
    out: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(doc or "")):
        lines = paragraph.splitlines()
        if len(lines) > 1 and re.fullmatch(r"-{3,}", lines[1]):
            break
        if lines and all(line.startswith("    ") for line in lines):
            out.append(Block(textwrap.dedent(paragraph), equation=True))
        elif lines:
            out.append(Block(_joined(lines)))
    return out


def _joined(lines: list[str]) -> str:
    """Lines as one, but for the items of a list."""
    said = ""
    for line in map(str.strip, lines):
        said += ("\n" if re.match(r"(\d+\.|-) ", line) else " ") + line
    return said.strip()


def plain(doc: str | None) -> str:
    """All of a docstring that the ODD shows, as one text."""
    return "\n\n".join(block.text for block in blocks(doc))


def fingerprint(*said: str) -> str:
    """Eight hexadecimal digits that change when a text does; how it is broken into lines does not count."""
    words = "\0".join(" ".join(text.split()) for text in said)
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def attributes(doc: str | None) -> dict[str, tuple[str, str]]:
    """The section Attributes of a docstring: name -> (what follows the colon, description)."""
    lines = iter(inspect.cleandoc(doc or "").splitlines())
    for line in lines:
        if line.strip() == "Attributes":
            next(lines, None)
            break
    out: dict[str, tuple[str, str]] = {}
    name = ""
    for line in lines:
        if re.fullmatch(r"-{3,}", line):
            del out[name]  # the heading of another section
            break
        if line.startswith(" ") and name:
            kind, said = out[name]
            out[name] = (kind, f"{said} {line.strip()}".strip())
        elif line.strip():
            name, _, kind = (part.strip() for part in line.partition(" : "))
            out[name] = (kind, "")
    return out


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(textwrap.dedent(source))


def _body(what: Any) -> list[ast.stmt]:
    first = _tree(inspect.getsource(what)).body[0]
    assert isinstance(first, ast.FunctionDef | ast.ClassDef)
    return first.body


def attribute_note(owner: type, name: str) -> str:
    """The text that stands below an attribute of a class; empty if none does."""
    body = _body(owner)
    for statement, after in pairwise(body):
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
        if isinstance(target, ast.Name) and target.id == name and isinstance(after, ast.Expr):
            value = after.value
            return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    return ""


def calls(function: Callable[..., Any]) -> list[str]:
    """Names that a function calls, in the order of its text: ``learn`` and ``self.learn`` are both ``learn``."""
    found = (node for statement in _body(function) for node in ast.walk(statement) if isinstance(node, ast.Call))
    placed = sorted((node.lineno, node.col_offset, _called(node)) for node in found)
    return list(dict.fromkeys(name for _, _, name in placed if name))


def _called(node: ast.Call) -> str:
    target = node.func
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


def phases(step: Callable[..., Any]) -> list[Phase]:
    """The methods of its own object that `step` calls, in order, with the comment beside each: ``# 4 everybody``."""
    lines = textwrap.dedent(inspect.getsource(step)).splitlines()
    return list(_phases(step, lines))


def _phases(step: Callable[..., Any], lines: list[str]) -> Iterator[Phase]:
    for statement in _body(step):
        call = getattr(statement, "value", None)
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "self":
            _, _, comment = lines[statement.lineno - 1].partition("#")
            number, said = re.fullmatch(r"\s*(\d*)\s*(.*)", comment).groups()  # type: ignore[union-attr]
            yield Phase(call.func.attr, number, said)
