"""A run on disk: a folder with its tables as Parquet, its scenario and its manifest, whole or not there at all."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import StoreError
from sim.tables import Column, columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "TableWriter",
    "free_name",
    "manifest_of",
    "read_manifest",
    "read_table",
    "seal",
    "size",
    "to_arrow",
    "to_pandas",
    "verify",
    "whole_folder",
    "write_manifest",
]


def arrow_schema(table: str, stages: Sequence[str]) -> pa.Schema:
    """The Arrow schema of a table, with each column's unit and meaning in its metadata."""
    import pyarrow as pa

    def kind(column: Column) -> pa.DataType:
        if column.dtype == "category":
            return pa.dictionary(pa.int16(), pa.string())
        if column.dtype in ("date", "string"):
            return pa.string()
        return pa.type_for_alias("bool" if column.dtype == "bool" else column.dtype)

    fields = [
        pa.field(c.name, kind(c), c.nullable, {"unit": c.unit, "description": c.en}) for c in columns(table, stages)
    ]
    return pa.schema(fields, {"table": table})


def to_arrow(table: str, frame: pd.DataFrame, stages: Sequence[str]) -> pa.Table:
    """A frame as declared in `sim.tables`; a column that does not fit is a mistake of ours and raises."""
    import pyarrow as pa

    schema = arrow_schema(table, stages)
    return pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False).replace_schema_metadata(
        schema.metadata
    )


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """A table as a DataFrame: text from a small set is categorical, whole numbers that can be null are nullable."""
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int16(): pd.Int16Dtype(), pa.int64(): pd.Int64Dtype()}
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(ignore_metadata=True, strings_to_categorical=False)
    for field in table.schema:
        if field.nullable and field.type in nullable:
            frame[field.name] = pd.array(table[field.name].to_numpy(), dtype=nullable[field.type])
    return frame


class TableWriter:
    """Writes tables replicate by replicate, a row group each, so that memory does not grow with their number."""

    def __init__(self, folder: Path, stages: Sequence[str]) -> None:
        self._folder, self._stages = folder, tuple(stages)
        self._open: dict[str, Any] = {}
        self.rows: dict[str, int] = {}

    def write(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Append one replicate's tables."""
        for name, frame in tables.items():
            data = to_arrow(name, frame, self._stages)
            if name not in self._open:
                self._open[name] = _parquet(self._folder / f"{name}.parquet", data.schema)
            self._open[name].write_table(data, row_group_size=max(len(frame), 1))
            self.rows[name] = self.rows.get(name, 0) + len(frame)

    def close(self) -> None:
        """Finish the files."""
        for writer in self._open.values():
            writer.close()
        self._open.clear()


def _parquet(target: Any, schema: pa.Schema) -> Any:
    """A Parquet file to write to; page checksums, since a flipped bit would else be silently wrong."""
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=1,
        write_page_checksum=True,
        use_dictionary=[f.name for f in schema if str(f.type).startswith(("dictionary", "string"))],
    )


def size(tables: Mapping[str, pd.DataFrame], stages: Sequence[str]) -> int:
    """Bytes that tables would take on disk."""
    import pyarrow as pa

    total = 0
    for name, frame in tables.items():
        data, sink = to_arrow(name, frame, stages), pa.BufferOutputStream()
        with _parquet(sink, data.schema) as writer:
            writer.write_table(data, row_group_size=max(len(frame), 1))
        total += sink.getvalue().size
    return total


def verify(folder: Path, name: str, manifest: Mapping[str, Any]) -> None:
    """Compare a table's file with its checksum in the manifest (pages have their own, the file's footer has none).

    Raises StoreError if the file is missing or differs.
    """
    path = folder / f"{name}.parquet"
    stated = manifest.get("sha256", {}).get(path.name)
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise StoreError(f"{folder}: has no table {name!r} (is it a run folder?)") from None
    if stated is not None and found != stated:
        raise StoreError(f"{path}: damaged, it does not match its checksum in manifest.json; run the scenario again")


def read_table(
    folder: Path, name: str, replicate: int | None = None, only: Sequence[str] | None = None
) -> pd.DataFrame:
    """A stored table, or one replicate or some columns of it. Raises StoreError if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{name}.parquet"
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = list(only) if only else None
            data = file.read(names) if replicate is None else file.read_row_group(replicate, names)
    except FileNotFoundError:
        raise StoreError(f"{folder}: has no table {name!r} (is it a run folder?)") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(f"{path}: damaged, cannot be read ({error})") from error
    return to_pandas(data)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises StoreError if it is missing or damaged."""
    path = folder / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(f"{folder}: is not a run folder (no manifest.json)") from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: damaged, cannot be read ({error})") from error


def manifest_of(folder: Path | str, kind: str, verb: str) -> dict[str, Any]:
    """The manifest of a folder that `verb` wrote. Raises StoreError if it is none."""
    manifest = read_manifest(Path(folder))
    if manifest.get("kind") != kind:
        raise StoreError(f"{folder}: is a run folder, but not one of `{verb}`")
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest, with the checksum of every file that the folder holds."""
    _write_json(folder, {**manifest, "sha256": _checksums(folder)})


def _write_json(folder: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def seal(folder: Path, *names: str) -> None:
    """Take what was added to a run folder after the run (figures, a report) into its manifest's checksums.

    With `names`, only these files: the others keep the checksums that they have, so that damage to them stays to be
    seen. A manifest that keeps none (that of a sweep, whose parts are named by what they hold) is left as it is.
    """
    manifest = read_manifest(folder)
    if not names:
        return write_manifest(folder, manifest)
    if "sha256" not in manifest:
        return None
    sums = {**manifest["sha256"], **{name: _checksum(folder / name) for name in names}}
    return _write_json(folder, {**manifest, "sha256": dict(sorted(sums.items()))})


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder but the manifest, by relative path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    return {p.relative_to(folder).as_posix(): _checksum(p) for p in files}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_name(parent: Path, stem: str) -> Path:
    """A folder that neither exists nor is being written: ``parent/stem``, or ``stem-2``, ``stem-3``, ..."""
    taken = {path.name for path in parent.iterdir()} if parent.is_dir() else set()
    taken |= {_final_name(name) for name in taken}
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return parent / name


def _final_name(part: str) -> str:
    """What a folder that is being written will be called; empty if it is none."""
    found = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}\.tmp", part)
    return found[1] if found else ""


def _hold(folder: Path) -> int | None:
    """Lock a folder while this process lives; None if another has it (or the system knows no such locks)."""
    try:
        import fcntl

        at = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(at)
        return None
    return at


def _clear_dead(path: Path) -> None:
    """Remove what runs that were killed left beside `path`: unfinished folders that no living process holds."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        held = _hold(part)
        if held is not None:
            shutil.rmtree(part, ignore_errors=True)
            os.close(held)


@contextmanager
def whole_folder(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Write a folder under another name beside it and rename it when it is whole; on any failure nothing is left.

    Raises StoreError if `path` exists and `force` is not given, or if the disk does not let us.
    """
    if path.exists() and not force:
        raise StoreError(f"{path}: exists already; choose another folder with -o, or replace it with --force")
    if path.exists() and not (path / "manifest.json").is_file():
        raise StoreError(f"{path}: is not a run folder, and is not replaced")
    beside = f".{path.name}.{uuid.uuid4().hex[:8]}"
    part, old = path.parent / f"{beside}.tmp", path.parent / f"{beside}.old"
    held: int | None = None
    new_parents = [p for p in path.parents if not p.exists()]
    _clear_dead(path)
    try:
        part.mkdir(parents=True)
        held = _hold(part)
        yield part
        for file in part.rglob("*"):
            if file.is_file():
                with file.open("rb") as f:
                    os.fsync(f.fileno())
        if force and path.exists():
            path.rename(old)
        try:
            part.rename(path)  # fails if a folder of that name has come to be meanwhile
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if held is not None:
            os.close(held)
        for parent in new_parents:  # innermost first; one that holds something stays
            with suppress(OSError):
                parent.rmdir()
