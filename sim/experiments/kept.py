"""What experiments leave behind: a few tables and a manifest, in memory or in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from sim.errors import StoreError
from sim.shown import Shown
from sim.store import TableWriter, manifest_of, read_table, to_arrow, to_pandas, verify, write_manifest

__all__ = ["Kept", "opened"]


class Kept(Shown):
    """Tables, as `sim.tables` declares them, and a manifest that says what they rest on.

    Attributes
    ----------
    manifest
        What they rest on: each kind says what is in it.
    folder
        Where it was read from, if it was.
    """

    kind: ClassVar[str]
    """What the manifest calls it."""
    verb: ClassVar[str]
    """The command that makes it, for messages."""
    names: ClassVar[tuple[str, ...]]
    """Its tables."""

    def __init__(
        self, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], folder: Path | None = None
    ) -> None:
        self.manifest, self._tables, self.folder = manifest, tables, folder

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """A stored one. Raises StoreError if the folder is none, or is damaged."""
        return cls(*opened(folder, cls.kind, cls.verb, cls.names), Path(folder))

    def table(self, name: str) -> pd.DataFrame:
        """One of its tables, with the types that are declared, whether it was stored or not."""
        return to_pandas(to_arrow(name, self._tables[name], ()))

    def write(self, folder: Path) -> None:
        """Write the tables and the manifest into the folder; what an earlier one left there is replaced."""
        try:
            (folder / "manifest.json").unlink(missing_ok=True)  # so that no half of this passes for a whole
            writer = TableWriter(folder, ())
            writer.write({name: self._tables[name] for name in self.names})
            writer.close()
            if "study_text" in self.manifest:
                (folder / "study.yaml").write_text(self.manifest["study_text"], encoding="utf-8")
            write_manifest(folder, {**self.manifest, "kind": self.kind, "rows": writer.rows})  # last: now it is whole
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror or error})") from error


def opened(
    folder: Path | str, kind: str, verb: str, names: tuple[str, ...]
) -> tuple[Mapping[str, Any], dict[str, pd.DataFrame]]:
    """Manifest and tables of a folder that `verb` wrote. Raises StoreError if it is none, or is damaged."""
    path, manifest = Path(folder), manifest_of(folder, kind, verb)
    for name in names:
        verify(path, name, manifest)
    return manifest, {name: read_table(path, name) for name in names}
