"""How rules are compiled: the same plain Python functions that the Mesa agents call, inlined into the kernel.

`rule` leaves a function as it is for Python and makes it known to the compiler. Options are written out on each, since
numba inherits them from the caller and keeps the first it sees; without inlining, a loop does not vectorise.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

__all__ = ["kernel", "rule", "rules_digest", "widest"]

_F = TypeVar("_F", bound=Callable[..., Any])

_ROOMS = ("entrepreneurs", "chain", "policy")
"""Where compiled functions live, which call one another across files."""


@cache
def rules_digest() -> str:
    """SHA-256 over the sources of everything that is compiled: the key of the compile cache."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((Path(__file__).parent.parent / room).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def rule(function: _F) -> _F:
    """A rule: plain Python for the agents, inlined machine code for the kernel, which alone calls that: no wrappers."""
    how = {"fastmath": False, "error_model": "numpy", "forceinline": True}
    return register_jitable(**how, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)  # type: ignore[no-any-return]


def kernel(function: _F) -> _F:
    """A compiled loop. The cache is keyed by all rule sources: numba's own does not see an edit in another file."""
    previous = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_cache_folder())
    try:
        return numba.njit(fastmath=False, error_model="numpy", nogil=True, cache=True)(function)  # type: ignore[no-any-return]
    finally:
        numba.config.CACHE_DIR = previous


@intrinsic  # type: ignore[untyped-decorator]
def widest(typingctx: object) -> tuple[object, Callable[..., object]]:
    """In compiled code: vectors as wide as the machine has them. The compiler takes half of AVX-512 if not told."""

    def codegen(context: object, builder: ir.IRBuilder, signature: object, args: tuple[ir.Value, ...]) -> ir.Value:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` knows no strings
        return context.get_dummy_value()  # type: ignore[attr-defined]

    return types.void(), codegen


def _cache_folder() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"rules-{rules_digest()[:16]}"
    for base in (home / "entrepreneur-pipeline", Path(tempfile.gettempdir()) / f"entrepreneur-pipeline-{os.getuid()}"):
        folder = base / name
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            mine = all(f.lstat().st_uid == os.getuid() and not f.is_symlink() for f in (base, folder))
        except OSError:
            continue
        if mine and os.access(folder, os.W_OK):  # what is read from there is executed: nobody else may have made it
            return folder
    return Path(tempfile.mkdtemp(prefix="entrepreneur-pipeline-"))
