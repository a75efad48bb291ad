"""A run on disk: whole or not there, never overwritten, and damage is noticed."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim.errors import StoreError
from sim.simulation import open_run, run
from sim.store import TableWriter, free_name, read_manifest, read_table, seal, whole_folder


def checksums(folder: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != "manifest.json"}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, small: Any) -> tuple[Path, Any]:
    """A run folder, and the same run in memory."""
    path = tmp_path_factory.mktemp("runs") / "one"
    scenario = small(observe=("panel",))
    with whole_folder(path) as part:
        run(scenario, replicates=2, folder=part)
    return path, run(scenario, replicates=2)


def test_tables_come_back_as_they_were(stored: tuple[Path, Any]) -> None:
    """Every table read from disk equals the one in memory, whole and by replicate, with units in the metadata."""
    import pyarrow.parquet as pq

    path, kept = stored
    again = open_run(path)
    assert set(again.tables) == set(kept.tables)
    for name in kept.tables:
        pd.testing.assert_frame_equal(again.tables[name], kept.tables[name], check_exact=True, obj=name)
        if name != "summary":
            one = read_table(path, name, replicate=1).reset_index(drop=True)
            assert set(one["replicate"]) <= {1}
            assert len(one) == len(kept.table(name, 1))
        units = [f.metadata[b"unit"] for f in pq.read_schema(path / f"{name}.parquet")]
        assert len(units) == len(kept.tables[name].columns)


def test_the_manifest_knows_every_file(stored: tuple[Path, Any]) -> None:
    """Checksums and row counts of the manifest are those of the files."""
    path, kept = stored
    manifest = read_manifest(path)
    assert manifest["sha256"] == checksums(path)
    assert manifest["rows"] == {name: len(kept.tables[name]) for name in kept.tables}
    assert manifest["seed"] == 1
    assert manifest["replicates"] == 2


def test_what_is_added_later_is_sealed(stored: tuple[Path, Any], tmp_path: Path) -> None:
    """A figure that is added after the run gets its checksum too, and the rest of the manifest stays."""
    shutil.copytree(stored[0], tmp_path / "run")
    (tmp_path / "run/figure.svg").write_text("<svg/>")
    seal(tmp_path / "run")
    before, after = read_manifest(stored[0]), read_manifest(tmp_path / "run")
    assert after["sha256"] == {**before["sha256"], "figure.svg": sha256(b"<svg/>").hexdigest()}
    assert {**after, "sha256": None} == {**before, "sha256": None}


def test_the_same_run_gives_the_same_bytes(stored: tuple[Path, Any], tmp_path: Path, small: Any) -> None:
    """A run written twice gives the same files."""
    with whole_folder(tmp_path / "again") as part:
        run(small(observe=("panel",)), replicates=2, folder=part)
    assert checksums(tmp_path / "again") == checksums(stored[0])
    assert (tmp_path / "again/manifest.json").read_bytes() == (stored[0] / "manifest.json").read_bytes()


def half_written(path: Path, error: Exception) -> None:
    with whole_folder(path) as part:
        (part / "half.txt").write_text("half")
        raise error


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """If writing fails in the middle, neither the folder nor a part of it is left."""
    with pytest.raises(ZeroDivisionError):
        half_written(tmp_path / "run", ZeroDivisionError())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_plainly(tmp_path: Path) -> None:
    """An error of the disk becomes a StoreError that names the folder, and nothing is left."""
    with pytest.raises(StoreError, match=r"run: cannot be written.*No space left"):
        half_written(tmp_path / "run", OSError(28, os.strerror(28)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_seen_before_it_is_whole(tmp_path: Path) -> None:
    """While a run is written its name does not exist."""
    with whole_folder(tmp_path / "run") as part:
        (part / "manifest.json").write_text("{}")
        assert not (tmp_path / "run").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_nothing_is_overwritten_silently(tmp_path: Path) -> None:
    """An existing folder is refused; with force a run folder is replaced whole, and another folder never."""
    path = tmp_path / "run"
    with whole_folder(path) as part:
        (part / "manifest.json").write_text("{}")
        (part / "old").write_text("old")
    with pytest.raises(StoreError, match="exists already"), whole_folder(path):
        pass
    with pytest.raises(ZeroDivisionError), whole_folder(path, force=True):
        raise ZeroDivisionError
    assert (path / "old").exists()
    with whole_folder(path, force=True) as part:
        (part / "manifest.json").write_text("{}")
    assert [p.name for p in path.iterdir()] == ["manifest.json"]
    other = tmp_path / "photos"
    other.mkdir()
    with pytest.raises(StoreError, match="not a run folder"), whole_folder(other, force=True):
        pass
    assert other.is_dir()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "run"]


def test_names_count_up(tmp_path: Path) -> None:
    """A free name is the stem, or the stem with the next number."""
    assert free_name(tmp_path, "yiwu").name == "yiwu"
    (tmp_path / "yiwu").mkdir()
    (tmp_path / "yiwu-2").mkdir()
    assert free_name(tmp_path, "yiwu").name == "yiwu-3"


def test_a_flipped_bit_in_a_table_is_noticed(stored: tuple[Path, Any], tmp_path: Path) -> None:
    """Whichever bit of a table's pages is flipped, reading says so or gives the true table, never another."""
    source = stored[0] / "entrepreneurs.parquet"
    true = read_table(stored[0], "entrepreneurs")
    whole = source.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    noticed = 0
    positions = range(4, footer, max(footer // 150, 1))
    for at in positions:
        broken = bytearray(whole)
        broken[at] ^= 1 << (at % 8)
        (tmp_path / "entrepreneurs.parquet").write_bytes(broken)
        try:
            found = read_table(tmp_path, "entrepreneurs")
        except StoreError:
            noticed += 1
        else:
            pd.testing.assert_frame_equal(found, true, check_exact=True)
    assert noticed > 0.9 * len(positions)


@pytest.mark.parametrize("cut", [0, 3, 1000, -1])
def test_a_truncated_table_is_noticed(cut: int, stored: tuple[Path, Any], tmp_path: Path) -> None:
    """A table that was cut off anywhere cannot be read."""
    (tmp_path / "months.parquet").write_bytes((stored[0] / "months.parquet").read_bytes()[:cut])
    with pytest.raises(StoreError, match="damaged"):
        read_table(tmp_path, "months")


def test_what_is_not_a_run_is_said_so(tmp_path: Path) -> None:
    """A missing table, a missing and a broken manifest are StoreErrors that name the place."""
    with pytest.raises(StoreError, match="no table 'months'"):
        read_table(tmp_path, "months")
    with pytest.raises(StoreError, match=r"no manifest\.json"):
        open_run(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        open_run(tmp_path)


def test_a_frame_that_does_not_fit_its_declaration_is_refused(stored: tuple[Path, Any], tmp_path: Path) -> None:
    """A missing column is a mistake of ours, and is not written."""
    writer = TableWriter(tmp_path, ("village",))
    with pytest.raises(KeyError):
        writer.write({"city": stored[1].table("city", 0).drop(columns="crowding")})


def test_a_flipped_bit_anywhere_in_a_sealed_run_is_refused(stored: tuple[Path, Any], tmp_path: Path) -> None:
    """Whichever byte of a table's file changes, its footer too, opening the run and asking for the table says so."""
    for name in ("months", "summary"):
        whole = (stored[0] / f"{name}.parquet").read_bytes()
        for at in range(0, len(whole), max(len(whole) // 40, 1)):
            folder = tmp_path / f"{name}{at}"
            shutil.copytree(stored[0], folder)
            broken = bytearray(whole)
            broken[at] ^= 1
            (folder / f"{name}.parquet").write_bytes(broken)
            with pytest.raises(StoreError, match="damaged"):
                open_run(folder).tables[name]
            shutil.rmtree(folder)


def test_what_a_killed_run_left_is_cleared_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    """An unfinished folder goes with the next run to the same place, unless its process lives."""
    dead = tmp_path / ".out.00000000.tmp"
    dead.mkdir()
    (dead / "months.parquet").write_bytes(b"half")
    with whole_folder(tmp_path / "out") as living:
        assert not dead.exists()
        with whole_folder(tmp_path / "out") as second:
            assert living.exists()
            (second / "manifest.json").write_text("{}")
        shutil.rmtree(tmp_path / "out")
        (living / "manifest.json").write_text("{}")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
