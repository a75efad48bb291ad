"""The folder of a sweep beside its parts: a study that stands by itself, and the manifest.

study.yaml      the study as it was run, about scenario.yaml; `sim sweep` takes it
scenario.yaml   the scenario with the study's `set`, every default written out
manifest.json   what it all rests on; no clock
points.parquet  the points, once their names are known
parts/          the runs
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import store
from sim.errors import StoreError
from sim.evidence.ledger import digest
from sim.experiments.outcomes import SURVIVORS, known_outcomes
from sim.experiments.sweep.orders import differing, model_version
from sim.experiments.sweep.parts import keep_whole
from sim.experiments.sweep.plan import Plan, described
from sim.scenario.studies import SweepStudy, load_study
from sim.versions import SEED_SCHEME, commit, versions

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["KIND", "begin", "keep_points", "manifest_of", "most", "read_points", "study_in"]

KIND = "sweep"

_SAME = ("seed", "outcomes", "engine")
"""What runs of one folder share, so that whoever reads the parts by himself mixes nothing."""


def begin(home: Path | None, plan: Plan) -> dict[str, Any]:
    """Write what is new of the study into its folder.

    Raises StoreError if the folder holds runs of another model, or of a study that does not go with this one.
    """
    manifest = _manifest(plan)
    if home is None:
        return manifest
    if not (home / "manifest.json").exists():
        _write(home, plan, manifest)
        return manifest
    before = manifest_of(home)
    if wrong := _other_model(before, manifest) or _other_study(before, manifest):
        raise StoreError(f"{home}: {wrong}; choose another folder with -o")
    if before["stamp"] == manifest["stamp"]:
        return before
    fewer = most(manifest["replicates"]) < most(before["replicates"])
    manifest["changed"] = before["changed"] or before["design"] != manifest["design"] or fewer
    if plan.study.path == str(home / "study.yaml"):  # what its author wrote is told as he wrote it
        manifest |= {name: before[name] for name in ("study_text", "file")}
        manifest["study"] = before["study"] | {"replicates": manifest["replicates"]}
    _write(home, plan, manifest)
    return manifest


def manifest_of(home: Path) -> dict[str, Any]:
    """The manifest of a sweep. Raises StoreError if the folder has none."""
    return store.manifest_of(home, KIND, "sim sweep")


def study_in(home: Path, *, more: int = 0) -> SweepStudy:
    """The study of a folder, or the same with so many more replicates of each point."""
    manifest = manifest_of(home)
    changes: dict[str, object] = {}
    if more:
        rule = manifest["study"]["replicates"]
        changes = {"replicates" if isinstance(rule, int) else "replicates.until.max": most(rule) + more}
    study = load_study(home / "study.yaml", changes, only=SweepStudy)
    if _bases(study) != manifest["bases"]:
        raise StoreError(f"{home}: damaged, study.yaml or scenario.yaml are not those of manifest.json")
    return study


def _manifest(plan: Plan) -> dict[str, Any]:
    study = plan.study
    plain = study.model_dump(mode="json", by_alias=True)
    return {
        "kind": KIND,
        "study": plain,
        "study_text": study.text,
        "file": study.file,
        "scenario": study.small.resolved(),
        "bases": _bases(study),
        "engine": study.small.engine,
        "axes": described(plan),
        "outcomes": _units(plan),
        "seed": study.seed,
        "points": plan.size,
        "replicates": plain["replicates"],
        "evidence_hash": digest(),
        "model_version": model_version(),
        "seed_scheme": SEED_SCHEME,
        "versions": versions(),
        "git_commit": commit(),
        "design": _design(study),
        "stamp": _stamp(plan),
        "changed": False,  # whether the folder may hold runs that the study does not ask for any more
    }


def most(rule: int | Mapping[str, Any]) -> int:
    """Replicates of a point at most, by a study's `replicates` as plain values."""
    return rule if isinstance(rule, int) else int(rule["until"]["max"])


def _design(study: SweepStudy) -> str:
    """SHA-256 of where it is run, however the study says it."""
    blocks = [(b.id, b.scenario.hash(), b.axes, b.rows or b.layout) for b in study.blocks]
    return hashlib.sha256(repr(blocks).encode()).hexdigest()


def _stamp(plan: Plan) -> str:
    """SHA-256 of what is run, however the study says it."""
    study = plan.study
    text = repr((_design(study), study.replicates, study.seed, plan.outcomes, study.small.engine))
    return hashlib.sha256(text.encode()).hexdigest()


def _bases(study: SweepStudy) -> dict[str, str]:
    """What each block is run with where nothing varies."""
    return {block.id: block.scenario.hash() for block in study.blocks}


def _units(plan: Plan) -> dict[str, str]:
    """The outcomes, and their units."""
    known: dict[str, str] = {}
    for base in plan.bases:
        known |= known_outcomes([stage.id for stage in base.scenario.chain])
    return {name: known.get(name, "persons" if SURVIVORS.fullmatch(name) else "share") for name in plan.outcomes}


def _other_model(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if before["model_version"] == now["model_version"]:
        return ""
    what = differing(before["versions"], now["versions"]) or "its own files differ"
    return f"holds runs of another version of the model ({what}), and the two are never mixed"


def _other_study(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    wrong = [name for name in _SAME if before[name] != now[name]]
    wrong += [
        f"scenario of {id}" if id else "scenario"
        for id, base in before["bases"].items()
        if now["bases"].get(id, base) != base
    ]
    return f"holds a study that does not go with this one (another {', another '.join(wrong)})" if wrong else ""


def keep_points(home: Path, plan: Plan, stamp: str) -> None:
    """Write the points, whose names take a while to tell; `stamp` is that of the manifest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if read_points(home, stamp) is None:
        sink = pa.BufferOutputStream()
        pq.write_table(plan.table().replace_schema_metadata({"stamp": stamp}), sink, compression="zstd")
        keep_whole(home / "points.parquet", bytes(sink.getvalue()))


def read_points(home: Path, stamp: str) -> pa.Table | None:
    """The points that were written; None if they are not those of this study."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(home / "points.parquet") as file:
            table = file.read(use_threads=False)
    except (OSError, ValueError, pa.ArrowException):
        return None
    return table.replace_schema_metadata() if (table.schema.metadata or {}).get(b"stamp") == stamp.encode() else None


# a study that stands by itself ----------------------------------------------------------------------------------------


def _write(home: Path, plan: Plan, manifest: Mapping[str, Any]) -> None:
    """Write the folder, the manifest last: with it the sweep has begun."""
    study = plan.study
    plain, tables = _own(study)
    files = study.small.component_files() | tables
    files["scenario.yaml"] = study.small.to_yaml().encode()
    files["study.yaml"] = "".join(_lines(plain, manifest["file"])).encode()
    files["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
    for name, content in files.items():
        keep_whole(home / name, content)
    if _stamp(Plan(study_in(home))) != manifest["stamp"]:
        raise StoreError(f"{home}: the study does not read back as it was written")


def _own(study: SweepStudy) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The study as plain values, about the files beside it; and the tables among these."""
    plain = study.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    plain |= {"seed": study.seed, "replicates": study.model_dump(mode="json")["replicates"]}
    plain.pop("set", None)  # the scenario beside it has it
    tables: dict[str, bytes] = {}
    for number, entry in enumerate((plain, *plain.get("branches", ()))):
        layout = entry.get("design") or {}
        if layout.get("kind") == "table":
            table = Path(study.path).parent / layout["file"]
            name = f"tables/{number}{table.suffix}"
            tables[name], layout["file"] = table.read_bytes(), name
    return {"schema": 1, **plain, "scenario": "scenario.yaml"}, tables


def _lines(plain: Mapping[str, Any], file: str) -> Iterator[str]:
    """A study file."""
    yield f"# {file}\n"
    for key, value in plain.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{key}:\n"
            yield from (f"  - {json.dumps(entry, ensure_ascii=False)}\n" for entry in value)
        else:
            yield f"{key}: {json.dumps(value, ensure_ascii=False)}\n"
