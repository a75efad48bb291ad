"""A scenario's own instruments (`components: ["my_grant:VillageGrant"]`), from files beside it or installed modules.

Nothing is executed but the module that an entry names, and that only after its text was found to hold the class.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import sys
import threading
import traceback
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from sim.errors import Problem, ScenarioError
from sim.policy._instrument import PolicyInstrument
from sim.policy._instrument import types as built_in_types
from sim.scenario.contract import type_name, unfit
from sim.scenario.document import REFUSED, Node
from sim.scenario.merge import beside
from sim.scenario.messages import nearest, problem
from sim.scenario.source import Place, read, shown

__all__ = [
    "Components",
    "by_type",
    "carried",
    "clashes",
    "components",
    "entry_of",
    "fault",
    "fingerprint",
    "is_own",
    "lasting",
    "restore",
    "source_files",
    "unclear",
]

Components = Mapping[str, type[PolicyInstrument]]
"""Entry, as ``module:Class``, -> the class."""

_SUFFIX = ".py"
_PREFIX = "sim_component_"
_texts: dict[str, str] = {}  # of the modules executed here, by name
_lock = threading.RLock()


class _Refusal(Exception):
    """A message key and its arguments."""

    def __init__(self, key: str, **arguments: object) -> None:
        self.key, self.arguments = key, arguments


class _Found(NamedTuple):
    """Where a module's source is: `module` is what an entry of the resolved scenario calls it."""

    module: str
    path: Path
    text: str
    beside: bool


# what a file names ----------------------------------------------------------------------------------------------------


def components(root: Node, home: Path, first: str, problems: list[Problem]) -> Components:
    """The classes that the entries of `components` name, by entry as it is written in a file in `home`.

    Parameters
    ----------
    root
        The merged scenario.
    home
        Folder of the scenario, without links: no file outside is read.
    first
        The scenario's file, for entries that none of its files says (``--set``).
    problems
        Gets what is wrong, each at its entry, which is then marked as refused.
    """
    node = root.value.get("components") if isinstance(root.value, dict) else None
    if node is None or not isinstance(node.value, list):
        return {}
    classes: dict[str, type[PolicyInstrument]] = {}
    for entry in node.value:
        if entry.value is REFUSED:
            continue
        try:
            name, instrument = _component(entry, home, entry.place.file if entry.place.line else first)
            problems += clashes({name: instrument}, classes, entry.place, "components")
            classes[name] = instrument
        except _Refusal as refusal:
            problems.append(problem(entry.place, "components", refusal.key, refusal.arguments))
            entry.value = REFUSED
        except ScenarioError as error:
            problems += error.problems
            entry.value = REFUSED
    return classes


def unclear(root: Node) -> bool:
    """Whether nobody can tell which types there are, since an entry was refused."""
    node = root.value.get("components") if isinstance(root.value, dict) else None
    if node is None:
        return False
    return not isinstance(node.value, list) or any(entry.value is REFUSED for entry in node.value)


def clashes(some: Components, others: Components, place: Place, path: str) -> list[Problem]:
    """A problem for each type that is another class here and there."""
    known = by_type(others)
    return [
        problem(place, path, "component_twice", {"found": name, "other": entry_of(known[name])})
        for name, instrument in by_type(some).items()
        if known.get(name, instrument) is not instrument
    ]


def by_type(own: Components) -> Mapping[str, type[PolicyInstrument]]:
    """The same classes by the `type:` that scenario files know them by."""
    return {type_name(instrument): instrument for instrument in own.values()}


def _component(entry: Node, home: Path, file: str) -> tuple[str, type[PolicyInstrument]]:
    if not isinstance(entry.value, str):
        raise _Refusal("text", found=shown(entry.value), hint="")
    module, colon, name = entry.value.partition(":")
    sound = all(part.isidentifier() for part in (name, *module.split("."))) and not module.endswith(_SUFFIX)
    if not colon or not sound:
        raise _Refusal("component_form", found=shown(entry.value), hint=_slip(entry.value))
    found = _beside(entry, module, home, file) or _installed(module, file)
    at = found.path.name
    try:
        with _unheard():
            tree = ast.parse(found.text, str(found.path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _broken(error, found.path) from None
    held = {n.name: n.lineno for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    if name not in held:
        raise _Refusal("component_no_class", file=at, found=shown(name), near=nearest(name, held))
    instrument = getattr(_module(found), name, None)
    refused = unfit(instrument, built_in_types())
    if refused:
        key, arguments = refused
        raise _Refusal(key, at=f"{at}:{held[name]}", **{"name": name, **arguments})
    assert isinstance(instrument, type)
    return f"{found.module}:{name}", instrument


def _slip(entry: str) -> tuple[str, ...] | str:
    if "：" in entry:
        return ("half_colon",)
    return ("no_suffix",) if f"{_SUFFIX}:" in entry or entry.endswith(_SUFFIX) else ""


def _beside(entry: Node, module: str, home: Path, file: str) -> _Found | None:
    """The file of that name in the folder of the scenario file that names it; a dot leads into a folder."""
    relative = Path(*module.split(".")).with_suffix(_SUFFIX)
    named = Node(relative.as_posix(), entry.place)
    joined = Path(beside(file, named, "components", home))
    if not joined.exists() and not joined.is_symlink():
        return None
    text = read(joined, entry.place).content
    real = joined.resolve()
    parts = real.relative_to(home).with_suffix("").parts
    if real.suffix == _SUFFIX and all(part.isidentifier() for part in parts):
        return _Found(".".join(parts), real, text, True)
    return _Found(f"{relative.stem}_{_sha(text)[:8]}", real, text, True)


def _installed(module: str, file: str) -> _Found:
    """The source of an importable module, found without importing anything."""
    parts = module.split(".")
    try:
        spec = importlib.util.find_spec(parts[0])
        for depth in range(2, len(parts) + 1):
            inside = spec.submodule_search_locations if spec else None
            spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:depth]), inside) if inside else None
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.origin or not spec.origin.endswith(_SUFFIX):
        relative = "/".join(parts) + _SUFFIX
        there = {p.stem for p in Path(file).parent.glob(f"*{_SUFFIX}")}
        raise _Refusal("component_missing", file=relative, module=module, near=nearest(module, there))
    return _Found(module, Path(spec.origin), read(spec.origin).content, False)


# what is executed -----------------------------------------------------------------------------------------------------


@contextmanager
def _unheard() -> Iterator[None]:
    """Warnings are for the author; what matters of them is said in `unfit`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _module(found: _Found) -> ModuleType:
    """The module, executed once; a file's under a name of its own, so that two files of one name are two modules."""
    own = _sha(f"{found.path}\n{found.text}")[:12]
    name = f"{_PREFIX}{found.path.stem}_{own}" if found.beside else found.module
    with _lock:
        if name in sys.modules:
            return sys.modules[name]
        try:
            with _unheard():
                return _executed(name, found) if found.beside else importlib.import_module(name)
        except (Exception, SystemExit) as error:
            raise _broken(error, found.path) from None


def _executed(name: str, found: _Found) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, found.path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    code: CodeType = compile(found.text, str(found.path), "exec", dont_inherit=True)  # leaves no __pycache__ behind
    sys.modules[name] = module  # annotations are looked up there
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    _texts[name] = found.text
    return module


def _broken(error: BaseException, path: Path) -> _Refusal:
    """What the author's module raised, and its line there."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line = error.lineno or 0
    else:
        line = _line(error, {str(path)})[1]
    at = f"{path.name}:{line}" if line else path.name
    lacking = isinstance(error, ModuleNotFoundError) and path.with_name(f"{error.name}{_SUFFIX}").exists()
    hint = ("one_file",) if lacking else ""
    return _Refusal("component_broken", at=at, reason=_said(error), hint=hint)


def _line(error: BaseException, files: Container[str]) -> tuple[str, int]:
    """The innermost of these files in which something was raised, and the line; empty and 0 if in none."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next(((f.filename, f.lineno or 0) for f in frames if f.filename in files), ("", 0))


def _said(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else str(error).strip().partition("\n")[0]
    return shown(f"{type(error).__name__}: {said}" if said else type(error).__name__, 300)[1:-1]


def fault(error: BaseException, method: object = None) -> str | None:
    """Where in a scenario's own instrument something was raised during a run, and what; None if it was not there.

    `method` is to blame if the error was raised elsewhere.
    """
    files = {str(sys.modules[name].__file__) for name in _texts if name in sys.modules}
    file, line = _line(error, files)
    code = getattr(method, "__code__", None)
    if not file and code and code.co_filename in files:
        file, line = code.co_filename, code.co_firstlineno
    return f"{Path(file).name}:{line}: {_said(error)}" if file else None


# what stands behind a class -------------------------------------------------------------------------------------------


def is_own(instrument: type[PolicyInstrument]) -> bool:
    """Whether it is not one of those that come with the program."""
    return not instrument.__module__.startswith("sim.policy.")


def entry_of(instrument: type[PolicyInstrument]) -> str:
    """What `components` would call a class that was passed in Python."""
    module = sys.modules.get(instrument.__module__)
    name = Path(str(module.__file__)).stem if instrument.__module__ in _texts and module else instrument.__module__
    return f"{name}:{instrument.__qualname__}"


def lasting(instrument: type[PolicyInstrument]) -> bool:
    """Whether the class can be had again by its entry: not if it was made in a script, a notebook or a function."""
    module = sys.modules.get(instrument.__module__)
    path = str(getattr(module, "__file__", None) or "")
    return instrument.__module__ != "__main__" and instrument.__qualname__.isidentifier() and path.endswith(_SUFFIX)


def source(instrument: type[PolicyInstrument]) -> str:
    """The text of the module that makes the class; of the class alone if it has no file; its name if it has no text."""
    if instrument.__module__ in _texts:
        return _texts[instrument.__module__]
    try:
        if lasting(instrument):
            return read(str(sys.modules[instrument.__module__].__file__)).content
        return inspect.getsource(instrument)
    except (OSError, TypeError, ScenarioError):
        return f"{instrument.__module__}:{instrument.__qualname__}"


def source_files(entries: Iterable[str], own: Components) -> dict[str, bytes]:
    """Files that must stand beside a scenario file for its `components` to be found: name -> content.

    What is part of an installed package stays there.
    """
    files = {}
    for entry in entries:
        instrument, module = own.get(entry), entry.partition(":")[0]
        if instrument and (instrument.__module__ in _texts or "." not in module):
            files[module.replace(".", "/") + _SUFFIX] = source(instrument).encode()
    return files


def carried(own: Components) -> dict[str, tuple[str, str]]:
    """The modules of these classes that were executed here: name -> file and text, for `restore` in another process."""
    names = {kind.__module__ for kind in own.values() if kind.__module__ in _texts}
    return {name: (str(sys.modules[name].__file__), _texts[name]) for name in names}


def restore(modules: Mapping[str, tuple[str, str]]) -> None:
    """Execute modules that another process sends, under the names that they have there; the files need not be here."""
    for name, (path, text) in modules.items():
        with _lock, _unheard():
            if name not in sys.modules:
                _executed(name, _Found(name, Path(path), text, True))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(instruments: Iterable[Any]) -> dict[str, str]:
    """SHA-256 of the source of each type that does not come with the program."""
    own = {type(i) for i in instruments if is_own(type(i))}
    return {type_name(c): _sha(source(c)) for c in own}
