"""One look for all figures: the palette, the type, the frame, and labels beside what they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.presentation.catalogue import Lang, axis_number, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "FAMILY", "GREY", "PALETTE", "End", "apart", "canvas", "dress", "family", "ink", "label_ends", "numbers", "ramp",
    "style",
]  # fmt: skip

FAMILY = "Sim Sans SC"

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
"""Colour-blind safe (Okabe and Ito 2008), without the yellow, which a projector washes out."""

GREY = "#6b6b6b"

SIZE = (9.6, 5.4)
"""Inches, the shape of a slide."""


@cache
def family() -> list[str]:
    """Font families, best first; the first call registers the Chinese font that comes with the package."""
    from matplotlib import font_manager

    with as_file(files("sim.presentation").joinpath("fonts", "SimSansSC-Regular.otf")) as path:
        font_manager.fontManager.addfont(path)
    return [FAMILY, "DejaVu Sans"]


@contextmanager
def style() -> Iterator[None]:
    """The look, for as long as the block lasts: nothing global is changed. Dollar signs in names are no formulas."""
    from matplotlib import interactive, is_interactive, rc_context

    look: dict[Any, Any] = {
        "font.family": family(),
        "font.size": 13,
        "axes.titlesize": 17,
        "axes.unicode_minus": False,
        "text.parse_math": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "sim",
        "figure.constrained_layout.w_pad": 0.12,
        "figure.constrained_layout.h_pad": 0.1,
        "figure.dpi": 100,
        "savefig.dpi": 150,
    }
    with rc_context(look):
        yield
        shown = is_interactive()  # Jupyter switches it on when pyplot is first imported, which may be in here
    interactive(shown)


def canvas(ax: Axes | None) -> Axes:
    """The axes to draw on: those given, or those of a new figure of slide size."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=SIZE, layout="constrained")[1]


def dress(ax: Axes, title: str, x: str, y: str, note: str = "") -> None:
    """Title, axis names with their units, a light grid, and no box; the same on axes that somebody else made.

    `note` stands small under the title.
    """
    font: dict[str, Any] = {"fontfamily": family()}
    ax.set_title(title, loc="left", pad=30 if note else 14, fontsize=17, **font)
    ax.annotate(note, (0, 1), (0, 12), xycoords="axes fraction", textcoords="offset points", color=GREY, fontsize=11)
    ax.set_xlabel(x, color=GREY, fontsize=13, **font)
    ax.set_ylabel(y, color=GREY, fontsize=13, **font)
    ax.tick_params(which="both", length=0, labelcolor=GREY, labelsize=12, labelfontfamily=family())
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color("#b0b0b0")
    ax.grid(axis="y", color="#e3e3e3", linewidth=0.8)
    ax.set_axisbelow(True)


def nothing(ax: Axes, lang: Lang, said: str = "") -> Axes:
    """Say that there is nothing to show, or `said`."""
    ax.text(0.5, 0.5, said or text("figure.empty", lang), transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def numbers(axis: Any, lang: Lang) -> None:
    """Write an axis' ticks as the language writes numbers."""
    axis.set_major_formatter(lambda value, _: axis_number(value, lang))


def ramp(n: int) -> list[str]:
    """`n` colours for an ordered series, dark to light: viridis, which the colour-blind can read, less its pale end."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["viridis"](0.85 * i / max(n - 1, 1))) for i in range(n)]


_READABLE = 4.5
"""Contrast that letters need (WCAG 2.2, 1.4.3)."""


@cache
def ink(colour: str) -> str:
    """The colour for letters on white: darkened as far as it takes to read them."""
    from matplotlib.colors import to_hex, to_rgb

    rgb = to_rgb(colour)
    while 1.05 / (_luminance(rgb) + 0.05) < _READABLE:
        red, green, blue = rgb
        rgb = 0.97 * red, 0.97 * green, 0.97 * blue
    return to_hex(rgb)


def _luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance of a colour in sRGB (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class End(NamedTuple):
    """Where a line ends, and its name."""

    y: float
    name: str
    colour: str


def label_ends(ax: Axes, ends: Sequence[End], gap: float = 0.058) -> None:
    """Names at the right edge, each at the height of its line's end, pushed apart by `gap` (share of the axis' height).

    Heights go through the axes' own scale, so that a logarithmic axis is no different.
    """
    to_axes = ax.transData + ax.transAxes.inverted()
    placed = sorted(((to_axes.transform((ax.get_xlim()[0], end.y))[1], end) for end in ends), key=lambda p: p[0])
    heights = apart([height for height, _ in placed], gap)
    for height, (_, end) in zip(heights, placed, strict=True):
        ax.annotate(
            end.name, (1, height), (8, 0), xycoords="axes fraction", textcoords="offset points", color=ink(end.colour),
            va="center", annotation_clip=False,
        )  # fmt: skip


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Heights from 0 to 1 in rising order, pushed apart by `gap`: up first, and down again from the top."""
    spread: list[float] = []
    for height in heights:
        spread.append(max(height, spread[-1] + gap) if spread else max(height, 0.0))
    excess = max(spread[-1] - 1.0, 0.0) if spread else 0.0
    for i in range(len(spread) - 1, -1, -1):
        spread[i] = min(spread[i], (spread[i + 1] - gap) if i + 1 < len(spread) else spread[i] - excess)
    return spread
