"""Figures as SVG for an HTML page: no letters that need a font, no ids that meet, nothing that is not drawn."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.presentation.style import SIZE, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["svg"]

_LEFT_OUT = re.compile(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", re.DOTALL)

_IDS = re.compile(r'(\bid="|"#|url\(#)')

_PATHS = re.compile(r'\b(d|points)="([^"]*)"')

_BETWEEN = re.compile(r">\s+<")

_LONG = re.compile(r"-?\d+\.\d{3,}")


def svg(draw: Callable[[Axes], Axes], name: str, *, height: float = SIZE[1]) -> str:
    """Draw on axes of slide width, `height` inches high. `name` is one that no other figure of the page has.

    The same figure gives the same text.
    """
    from matplotlib.figure import Figure

    held = io.StringIO()
    with style():
        figure = Figure(figsize=(SIZE[0], height), layout="constrained")
        draw(figure.add_subplot())
        nothing: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(held, format="svg", metadata=nothing)
    return _element(held.getvalue(), name)


def _element(document: str, name: str) -> str:
    """The SVG element of a document, with ids of its own and coordinates of a hundredth of a point."""
    body = _LEFT_OUT.sub("", document[document.index("<svg") :])
    head, _, rest = body.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    assert box
    rest = _IDS.sub(rf"\g<1>{name}-", rest)
    rest = _PATHS.sub(lambda found: f'{found[1]}="{_short(found[2])}"', rest)
    return f'<svg {box[0]} aria-hidden="true" focusable="false">{_BETWEEN.sub("><", rest).strip()}'


def _short(path: str) -> str:
    return " ".join(_LONG.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), path).split())
