"""Running text on the screen, Chinese or English: where its lines may break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement

__all__ = ["Prose"]

_PIECE = r"[（「“]?(?:[!-~−–×]+(?: [<≥] [!-~]+)?|[^!-~−–×\s])[，。；：）、”」%]*\s*"
"""What no line breaks in: a word, a number, or one other character; with the marks around it and the space after."""


class Prose:
    """A sentence that breaks between Chinese characters, or words, and nowhere inside a number."""

    def __init__(self, said: str, style: str = "") -> None:
        self._said, self._style = said, style

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.cells import cell_len
        from rich.measure import Measurement

        return Measurement(min(20, cell_len(self._said)), cell_len(self._said))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.text import Text

        for paragraph in self._said.split("\n"):
            yield from (Text(line, self._style) for line in _broken(paragraph, options.max_width))


def _broken(said: str, width: int) -> Iterator[str]:
    """Lines of at most `width` cells, if a piece is not longer; none begins with a closing mark."""
    from rich.cells import cell_len

    line = ""
    for piece in re.findall(_PIECE, said):
        if line and cell_len(line + piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
    yield line.rstrip()
