"""What a run is asked for as, and the key under which what came of it is kept.

The key of a run is the SHA-256 of all that decides its numbers: the canonical resolved scenario at its point, root
seed, replicate, outcomes and version of the model. How a scenario is spelt, and how its point came about, is not in it.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import RunError, ScenarioError

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.scenario.studies.block import Block

__all__ = ["Base", "Order", "Values", "asked", "differing", "model_version", "point_id", "run_key"]

Values = Mapping[str, object]
"""Values by dotted path, as for `Scenario.replace`."""

_ROOMS = ("", "chain", "entrepreneurs", "evidence", "market", "policy", "statistics")
"""Where what decides a run's numbers is written."""


class Base:
    """What points change: a scenario, or a block of a study.

    It travels to the processes that run it, and is unpacked there once. What travels is pickled by one process of ours
    for another, and never read from a file.
    """

    def __init__(self, what: Scenario | Block) -> None:
        self._what = what

    @property
    def what(self) -> Scenario | Block:
        """The scenario or the block."""
        return self._what

    @property
    def scenario(self) -> Scenario:
        """What is run where nothing is changed."""
        what = self.what
        return what.scenario if hasattr(what, "scenario") else what

    @property
    def name(self) -> str:
        """The id of the block; empty for a scenario."""
        return str(getattr(self.what, "id", ""))

    def at(self, values: Values) -> Scenario:
        """The scenario at a point. Raises ScenarioError if there is none."""
        what = self.what
        if hasattr(what, "at"):
            return what.at(values)  # type: ignore[arg-type]
        return what.replace(values) if values else what

    @cached_property
    def packed(self) -> tuple[str, bytes]:
        """All of it in bytes, and their SHA-256. Raises RunError if it cannot leave this process."""
        from sim.scenario.components import carried, lasting

        own = self.scenario.own
        try:
            content = pickle.dumps(self.what) if all(map(lasting, own.values())) else _by_code(self.what)
            content = pickle.dumps((carried(own), content))
        except Exception as error:
            raise RunError(
                f"the scenario cannot be sent to another process: {type(error).__name__}: {error}"
            ) from error
        return hashlib.sha256(content).hexdigest(), content

    def __reduce__(self) -> tuple[Any, ...]:
        return _Received, self.packed


class _Received(Base):
    """A base in another process."""

    def __init__(self, sha: str, content: bytes) -> None:
        self.__dict__["packed"] = sha, content

    @property
    def what(self) -> Scenario | Block:
        """The scenario or the block, unpacked once in a process."""
        sha, content = self.packed
        if sha not in _unpacked:
            from sim.scenario.components import restore

            modules, inner = pickle.loads(content)
            restore(modules)
            _unpacked[sha] = pickle.loads(inner)
        return _unpacked[sha]


_unpacked: dict[str, Scenario | Block] = {}


def _by_code(what: Scenario | Block) -> bytes:
    """Pickled with the code of the classes of a notebook, which no other process can have by their names."""
    import cloudpickle

    content: bytes = cloudpickle.dumps(what)
    return content


class Order(NamedTuple):
    """A run that is wanted; `point` is the SHA-256 of its scenario."""

    key: str
    base: Base
    values: Values
    replicate: int
    seed: int
    point: str = ""


@cache
def model_version() -> str:
    """SHA-256 over the package's sources, its evidence and the packages that numbers depend on."""
    import sim
    from sim.evidence.ledger import digest
    from sim.versions import SEED_SCHEME, versions

    found = hashlib.sha256(json.dumps([versions(), SEED_SCHEME, digest()], sort_keys=True).encode())
    root = Path(sim.__file__).parent
    for room in _ROOMS:
        for path in sorted((root / room).glob("*.py")):
            found.update(path.read_bytes())
    found.update((root / "experiments" / "points.py").read_bytes())
    return found.hexdigest()


def differing(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """The packages that differ between two versions of the model, in words; empty if only its own sources do."""
    names = sorted({*here, *there})
    return ", ".join(f"{n} {here.get(n)} / {there.get(n)}" for n in names if here.get(n) != there.get(n))


def point_id(base: Base, values: Values) -> str:
    """SHA-256 of the scenario at a point; of a point that cannot be, of its values.

    Raises ScenarioError if a path does not exist.
    """
    try:
        return base.at(values).hash()
    except ScenarioError as error:
        if any(p.key == "unknown_path" for p in error.problems):
            raise
        plain = [base.scenario.hash(), sorted((path, repr(value)) for path, value in values.items())]
        return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def run_key(point: str, about: str, seed: int, replicate: int) -> str:
    """The key of one run at a point, in hexadecimal; `about` says what else decides it (see `asked`)."""
    return hashlib.sha256(f"{point}:{about}:{seed}:{replicate}".encode()).hexdigest()


def asked(engine: str, outcomes: Sequence[str]) -> str:
    """What decides the rows of all runs of a study alike."""
    return json.dumps([engine, sorted(outcomes), model_version()])
