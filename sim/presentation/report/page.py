"""The page: parts and a language become one HTML file that needs nothing else, no network, no script, no font."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from sim.presentation.catalogue import Lang, text
from sim.presentation.report.blocks import Part
from sim.presentation.style import FAMILY

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["page", "unchanged"]

_MARK = re.compile(r'<meta name="generator" content="sim report ([0-9a-f]{64})">')

_UNMARKED = "0" * 64

_PLAIN = 0x2E80
"""Letters from here on (Chinese ones, and their marks) are not in every system's fonts."""


def page(parts: Sequence[Part], lang: Lang) -> str:
    """The parts as a page. It carries a digest of itself: see `unchanged`."""
    title = parts[0].title if len(parts) == 1 else text("report.several", lang, count=len(parts))
    running = {"running": _in_css(title), "kind": _in_css(text("report.page.kicker", lang))}
    templates = _templates(lang)
    words = {"lang": lang, "title": title, "parts": parts, "generator": f"sim report {_UNMARKED}"}
    style = templates.get_template("report.css").render(**running)
    font = _font(templates.get_template("report.html").render(style=style, **words))
    whole = templates.get_template("report.html").render(style=font + style, **words)
    return whole.replace(_UNMARKED, _digest(whole), 1)


def unchanged(document: str) -> bool:
    """Whether a document is a report, as it was written: nobody has put anything into it since."""
    found = _MARK.search(document)
    return found is not None and _digest(document.replace(found[1], _UNMARKED, 1)) == found[1]


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def _templates(lang: Lang) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    templates = Environment(
        loader=PackageLoader("sim.presentation.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    templates.globals["say"] = lambda key, **values: text(f"report.page.{key}", lang, **values)
    templates.filters["lines"] = lambda said: Markup("<br>").join(escape(line) for line in str(said).split("\n"))
    templates.filters["address"] = _address
    return templates


def _address(csv: str) -> str:
    """A file as an address that holds it."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(csv.encode()).decode()


def _in_css(said: str) -> str:
    """Text for a string of a style sheet: every letter by its number, so that none ends the string or the sheet."""
    return "".join(f"\\{ord(letter):06x}" for letter in said)


# letters --------------------------------------------------------------------------------------------------------------


_OWN = {
    "400": ("PingFang SC", "PingFangSC-Regular", "Microsoft YaHei", "Noto Sans CJK SC", "NotoSansCJKsc-Regular"),
    "500 900": ("PingFangSC-Semibold", "Microsoft YaHei Bold", "NotoSansCJKsc-Bold", "Noto Sans CJK SC Bold"),
}
"""Chinese fonts of a reader's own system, by weight; they are hinted, and have a real bold."""


def _font(document: str) -> str:
    """Rules for Chinese letters: the system's own, or else those of the shipped font that the page needs.

    These families must be named first, and know their letters: of a font that comes with the page and is named last
    Chromium draws boxes in the lines that it sets first.
    """
    needed = frozenset(letter for letter in document if ord(letter) >= _PLAIN)
    if not needed:
        return ""
    held = base64.b64encode(_cut(needed)).decode()
    faces = [("Own SC", weight, ", ".join(f'local("{name}")' for name in names)) for weight, names in _OWN.items()]
    faces.append((FAMILY, "400", f'url(data:font/woff;base64,{held}) format("woff")'))
    letters = f"unicode-range: U+{_PLAIN:X}-FFFF"
    return "".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; {letters}; src: {source}; }}\n'
        for family, weight, source in faces
    )


@cache
def _cut(letters: frozenset[str]) -> bytes:
    """The shipped font with no other letters than these, as WOFF."""
    from fontTools import subset

    options: Any = subset.Options(flavor="woff", notdef_outline=True, layout_features=[], hinting=False)
    held, whole = io.BytesIO(), files("sim.presentation").joinpath("fonts", "SimSansSC-Regular.otf")
    with as_file(whole) as path, subset.load_font(str(path), options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(sorted(letters)))
        cutter.subset(font)
        subset.save_font(font, held, options)
    return held.getvalue()
