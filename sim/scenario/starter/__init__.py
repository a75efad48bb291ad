"""The files that a planner starts from: a small chain that stands by itself, and a reform of it."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from sim.errors import StoreError

__all__ = ["FILES", "write"]

FILES = ("scenario.yaml", "reform.yaml")


def write(folder: str | os.PathLike[str]) -> list[Path]:
    """Put the starter files into a folder that is new or empty; returns them, the scenario first.

    Raises StoreError if the folder holds something, or cannot be written.
    """
    path, written = Path(folder), []
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(f"{path}: exists already and is not empty; choose another name")
        path.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            written.append(path / name)
            written[-1].write_bytes(files("sim.scenario.starter").joinpath(name).read_bytes())
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    return written
