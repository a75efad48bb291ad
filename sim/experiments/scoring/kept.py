"""A scorecard on disk: what each replicate said of each fact, and the manifest that says what it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from sim.errors import StoreError
from sim.evidence.ledger import digest
from sim.experiments.kept import opened
from sim.experiments.scoring.scorecard import Scorecard
from sim.findings import FINDINGS
from sim.store import TableWriter, write_manifest
from sim.validation.fact import Fact, Finding
from sim.validation.nulls import NULLS
from sim.validation.record import NotKnown
from sim.validation.registry import facts
from sim.validation.scorecard import MODEL, Line
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["KIND", "keep", "open_scorecard"]

KIND = "scorecard"

_TABLE = "scorecard"


def keep(found: Scorecard, folder: Path) -> None:
    """Write a scorecard into a folder that `sim.store.whole_folder` made."""
    columns = [column.name for column in FINDINGS[_TABLE]]
    rows = pd.DataFrame((row for line in found.lines for row in _rows(line)), columns=columns)
    writer = TableWriter(folder, ())
    writer.write({_TABLE: rows})
    writer.close()
    manifest = {
        "kind": KIND,
        "scenario": found.scenario,
        "evidence_hash": digest(),
        "seed": found.seed,
        "seed_scheme": SEED_SCHEME,
        "replicates": found.replicates,
        "stored": found.stored,
        "versions": versions(),
        "git_commit": commit(),
        "rows": writer.rows,
    }
    write_manifest(folder, manifest)


def _rows(line: Line) -> Iterator[tuple[Any, ...]]:
    """A row for each value, or one that says why there is none."""
    for who, finding in {MODEL: line.model, **line.nulls}.items():
        if finding.reason is not None:
            why = finding.reason
            yield line.fact.id, who, None, -1, None, None, None, why.key, json.dumps(why.values, ensure_ascii=False)
            continue
        for part in line.fact.parts:
            for replicate, value in enumerate(finding.values[part.id]):
                yield line.fact.id, who, part.id, replicate, value, part.low, part.high, None, None


def open_scorecard(folder: Path | str) -> Scorecard:
    """A stored scorecard. Raises StoreError if the folder is none, is damaged, or holds facts that are others now."""
    manifest, tables = opened(folder, KIND, "sim facts", (_TABLE,))
    table = tables[_TABLE]
    by = {str(id): rows for id, rows in table.groupby("fact", sort=False)}
    known = {fact.id: fact for fact in facts()}
    if other := [id for id, rows in by.items() if id not in known or not _same(known[id], rows)]:
        raise StoreError(f"{folder}: its fact {other[0]} is not that of this version; run `sim facts` again")
    lines = []
    for id, rows in by.items():
        model, *nulls = (_finding(known[id], rows[rows["who"] == who]) for who in (MODEL, *NULLS))
        lines.append(Line(known[id], model, dict(zip(NULLS, nulls, strict=True))))
    plain = manifest["scenario"], tuple(lines), int(manifest["replicates"]), int(manifest["seed"])
    return Scorecard(*plain, stored=bool(manifest["stored"]))


def _same(fact: Fact, rows: pd.DataFrame) -> bool:
    """Whether a fact still has the parts and bands that it was scored by."""
    bands = {part.id: (part.low, part.high) for part in fact.parts}
    stored = rows.dropna(subset=["part"]).drop_duplicates("part")
    then = {r["part"]: tuple(None if pd.isna(r[e]) else r[e] for e in ("low", "high")) for _, r in stored.iterrows()}
    return not then or then == bands


def _finding(fact: Fact, rows: pd.DataFrame) -> Finding:
    why = rows["reason"].dropna()
    if len(why):
        return Finding(fact, {}, NotKnown(str(why.iloc[0]), **json.loads(rows["reason_values"].iloc[0])))
    values = {str(part): tuple(of.sort_values("replicate")["value"]) for part, of in rows.groupby("part", sort=False)}
    return Finding(fact, values)
