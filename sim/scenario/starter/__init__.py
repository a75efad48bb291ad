"""The files that a planner starts from: Yiwu at 1:100 as a scenario of its own, a reform, a study and a notebook.

They come with the package, so that a class needs nothing beside it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import StoreError

if TYPE_CHECKING:
    from sim.evidence.audit import Origin
    from sim.scenario.schema import Scenario

__all__ = ["FILES", "SCALED", "classroom", "write"]

FILES = ("scenario.yaml", "reform.yaml", "studies/places.yaml", "first_look.ipynb")

SCALED = "scaled to the size of a class"
"""Why the numbers of a larger classroom are what they are."""


def write(folder: str | os.PathLike[str]) -> list[Path]:
    """Put the starter files into a folder that is new or empty; returns them, in the order of `FILES`.

    Raises StoreError if the folder holds something, or cannot be written.
    """
    path, written = Path(folder), []
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(f"{path}: exists already and is not empty; choose another name")
        for name in FILES:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            written.append(path / name)
            written[-1].write_bytes(files("sim.scenario.starter").joinpath(name).read_bytes())
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    return written


def classroom(*, times: int = 1) -> Scenario:
    """Yiwu at 1:100, with 300 newcomers a year over five years: the scenario of the starter, wherever it is installed.

    Parameters
    ----------
    times
        A city so many times as large: newcomers, places, villages, courses and competitors alike. Chance weighs less.
    """
    from sim.scenario.loader import load

    with as_file(files("sim.scenario.starter").joinpath(FILES[0])) as path:
        small = load(path)
        read = str(path)
    scale = f"1:{100 / times:g}"
    named: dict[str, object] = {
        "name.zh": f"课堂里的义乌（{scale}）",
        "name.en": f"Yiwu in class ({scale})",
        "description.zh": f"义乌的{scale}：新来者、席位、课程与竞争者同比缩小；从空城开始，五年",
        "description.en": f"Yiwu at {scale}: newcomers, places, courses and competitors alike; "
        "from an empty city, five years",
    }
    paths = ["arrivals.per_year", "chain.village.facilities", "policy.training.courses", "market.background.entities"]
    paths += [f"chain.{stage.id}.places" for stage in small.chain if stage.places is not None]
    larger = {path: _times(small.why(path), times) for path in paths}
    found = small.replace(named if times == 1 else named | larger)
    found._origins = {p: replace(o, file=FILES[0]) if o.file == read else o for p, o in found._origins.items()}
    return found


def _times(one: Origin, times: int) -> dict[str, object]:
    """A number so many times as large, with its range."""
    scaled: dict[str, object] = {"value": times * one.value, "assumed": SCALED}
    return scaled | ({"range": [times * end for end in one.range]} if one.range else {})
