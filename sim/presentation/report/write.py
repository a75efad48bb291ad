"""From results or their folders to a report: what is opened, how it is told, and where the file goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sim.errors import SimError, StoreError
from sim.evidence.ledger import digest
from sim.experiments.calibration.result import Calibration, open_calibration
from sim.experiments.comparison.result import Comparison, open_comparison
from sim.experiments.optimisation.result import Optimum, open_optimum
from sim.experiments.scoring.kept import open_scorecard
from sim.experiments.scoring.scorecard import Scorecard
from sim.experiments.sensitivity.found import Sensitivity, open_sensitivity
from sim.experiments.sensitivity.result import Variance, open_variance
from sim.experiments.sensitivity.swings import Swings, kept, swings
from sim.experiments.sensitivity.swings import keep as keep_swings
from sim.experiments.sweep.parts import keep_whole
from sim.experiments.sweep.result import Sweep, open_sweep
from sim.pilot import workers
from sim.presentation.catalogue import Lang, language
from sim.presentation.report import (
    assumptions,
    audit,
    calibration,
    comparison,
    indices,
    optimum,
    run,
    scorecard,
    sweep,
)
from sim.presentation.report.blocks import Part
from sim.presentation.report.draft import Draft
from sim.presentation.report.page import page, unchanged
from sim.scenario.loader import load
from sim.scenario.schema import Scenario
from sim.simulation import Progress, Result, open_run
from sim.store import read_manifest, seal
from sim.versions import SEED_SCHEME, commit, versions

__all__ = ["NAME", "Opened", "compose", "keep", "open_folder", "refuse_other", "report"]

NAME = "report.html"
"""What a report is called in a run folder."""

_OPEN: Mapping[str, Callable[[Path], Any]] = {
    "run": open_run,
    "comparison": open_comparison,
    "sweep": open_sweep,
    "sensitivity": open_sensitivity,
    "variance": open_variance,
    "calibration": open_calibration,
    "optimisation": open_optimum,
    "scorecard": open_scorecard,
}
"""How a folder is opened, by the kind that its manifest states; a run states none."""

_MANY = 100
"""More runs than any machine has processors."""

_KINDS: Mapping[type, str] = {
    Result: "run",
    Comparison: "comparison",
    Sweep: "sweep",
    Sensitivity: "sensitivity",
    Variance: "variance",
    Calibration: "calibration",
    Optimum: "optimisation",
    Scorecard: "scorecard",
}

_TELL: Mapping[str, Callable[[Any, Draft], Part]] = {
    "sweep": sweep.part,
    "sensitivity": indices.part,
    "variance": audit.part,
    "calibration": calibration.part,
    "optimisation": optimum.part,
}
"""Those of which nothing else has to be known."""


class Opened(NamedTuple):
    """A result, what its manifest calls it (``run``, ``comparison``, ...), and the manifest."""

    kind: str
    found: Any
    manifest: Mapping[str, Any]


def report(what: Any, file: Path | str | None = None, lang: str | None = None, *, ranking: bool = True) -> Path:
    """Write one offline HTML file that tells of results.

    Parameters
    ----------
    what
        A result (of `sim.run`, `sim.compare`, ...), a folder that a verb wrote, or several of these in a list.
    file
        Where to; by default ``report.html`` in the first folder.
    lang
        ``zh`` or ``en``; by default that of the locale.
    ranking
        Rank the assumptions behind runs by what rests on them, which makes a few hundred small runs.

    Returns
    -------
    Path
        The file. One that is there is replaced if it is a report that nobody has edited.

    Raises
    ------
    StoreError
        A folder is none of ours, or damaged; the file is there and is something else, or cannot be written.
    """
    opened = [_opened(each) for each in (what if isinstance(what, list | tuple) else [what])]
    home = getattr(opened[0].found, "folder", None) if opened else None
    if not opened or (file is None and home is None):
        raise StoreError("the result was not stored: say where the report goes" if opened else "nothing to report")
    path = Path(file) if file is not None else Path(str(home)) / NAME
    refuse_other(path)
    keep(page(compose(opened, language(lang), ranking=ranking), language(lang)), path)
    return path


# opening --------------------------------------------------------------------------------------------------------------


def open_folder(folder: Path | str) -> Opened:
    """What a folder holds, whatever verb wrote it. Raises StoreError if it is none of ours, or is damaged."""
    manifest = read_manifest(Path(folder))
    kind = str(manifest.get("kind", "run"))
    if kind not in _OPEN:
        raise StoreError(f"{folder}: holds a {kind!r}, which this version cannot report")
    return Opened(kind, _OPEN[kind](Path(folder)), manifest)


def _opened(what: Any) -> Opened:
    if isinstance(what, str | Path):
        return open_folder(what)
    kind = _KINDS.get(type(what))
    if kind is None:
        raise StoreError(f"{type(what).__name__}: is no result, nor the folder of one")
    return Opened(kind, what, getattr(what, "manifest", None) or _stated(what))


def _stated(found: Result | Scorecard) -> dict[str, Any]:
    """What a manifest would say of a result that was not stored."""
    source = found.source if isinstance(found, Result) else None
    rows = {"scenario_hash": source.hash(), "engine": source.engine} if source is not None else {}
    rows |= {"evidence_hash": digest(), "seed": found.scenario["seed"], "seed_scheme": SEED_SCHEME}
    return rows | {"replicates": found.replicates, "versions": versions(), "git_commit": commit()}


# telling --------------------------------------------------------------------------------------------------------------


def compose(
    opened: Sequence[Opened],
    lang: Lang,
    *,
    ranking: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[Part]:
    """The parts of a report, one for each result.

    Assumptions behind a run are ranked by an audit of the same scenario, if one is among the results; else by moving
    each, in `jobs` runs at a time (by default as many as there are processors), of which `progress` is told; and not at
    all without `ranking`.
    """
    audits = [each for each in opened if each.kind == "variance"]

    def told(each: Opened, draft: Draft) -> Part:
        if each.kind == "scorecard":
            return scorecard.part(each.found, each.manifest, draft)
        if each.kind == "comparison":
            return comparison.part(each.found, _read(each.found.folder), draft)
        if each.kind != "run":
            return _TELL[each.kind](each.found, draft)
        source = _source(each.found)
        ranked = next((a.found for a in audits if source and a.manifest["scenario_hash"] == source.hash()), None)
        if ranked is None and ranking and source is not None:
            ranked = _swings(source, each.found.folder, jobs, progress)
        return run.part(each.found, source, each.manifest, draft, ranked)

    return [told(each, Draft(lang, f"f{number}")) for number, each in enumerate(opened, 1)]


def _swings(scenario: Scenario, folder: Path | None, jobs: int | None, progress: Progress | None) -> Swings:
    """What each assumption moves: as it was kept beside a run, or from runs, and then kept if that is possible."""
    asked = assumptions.outcomes(scenario)
    beside = folder / "assumptions" if folder is not None else None
    if beside is not None and (found := kept(scenario, asked, beside)) is not None:
        return found
    at_once = workers(scenario.replace({"replicates": _MANY}), jobs)[0]
    made = swings(scenario, asked, jobs=at_once, progress=progress)
    if beside is not None:
        with suppress(StoreError, OSError):
            beside.mkdir(exist_ok=True)
            keep_swings(made, scenario, beside)
    return made


def _source(found: Result) -> Scenario | None:
    """The scenario of a run; None where it cannot be read any more."""
    try:
        return found.source
    except SimError:
        return None


def _read(folder: Path | None) -> Scenario | None:
    try:
        return load(folder / "scenario.yaml") if folder is not None else None
    except SimError:
        return None


# keeping --------------------------------------------------------------------------------------------------------------


def refuse_other(path: Path, *, force: bool = False) -> None:
    """Raise StoreError if there is a file that is no report of ours, or one that somebody edited."""
    if force or not path.exists():
        return
    try:
        ours = path.is_file() and unchanged(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        ours = False
    if not ours:
        raise StoreError(f"{path}: exists already; choose another file with -o, or replace it with --force")


def keep(document: str, path: Path) -> None:
    """Write a report whole or not at all; in a run folder its checksum goes into the manifest."""
    keep_whole(path, document.encode())
    if (path.parent / "manifest.json").is_file():
        seal(path.parent, path.name)
