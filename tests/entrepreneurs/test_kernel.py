"""The compiled month: vector instructions, any size, and cash that moves by its own rules only."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from sim.entrepreneurs import kernel
from sim.entrepreneurs.compiled import rules_digest
from sim.model import Pipeline


def cpu_has(*features: str) -> bool:
    found = llvm.get_host_cpu_features()
    return any(found.get(f) for f in features)


@pytest.mark.skipif(not cpu_has("avx2", "neon"), reason="no vector instructions on this machine")
def test_the_month_is_compiled_to_vector_instructions(small: Any) -> None:
    """Multiplications of the month are there for several doubles at once, and none is fused with an addition.

    (Each vector loop has a scalar copy for the rows that are left over, so both kinds are found.)
    """
    fresh = numba.njit(fastmath=False, error_model="numpy", nogil=True)(kernel._live.py_func)
    fresh.compile(kernel._live.signatures[0] if kernel._live.signatures else signature(small))
    code = fresh.inspect_asm(fresh.signatures[0])
    if platform.machine() in ("aarch64", "arm64"):
        packed, single = r"\bfmul\s+v\d+\.2d", r"\bfmul\s+d\d+"
    else:
        packed, single = r"\bvmulpd\b.*%[yz]mm", r"\bvmulsd\b"
    packed_count, single_count = (len(re.findall(p, code)) for p in (packed, single))
    assert packed_count > 150
    assert packed_count > 0.7 * single_count
    assert "vfmadd" not in code  # a fused multiply-add rounds once, and Python twice


def signature(small: Any) -> Any:
    Pipeline(small()).step()
    return kernel._live.signatures[0]


@pytest.mark.parametrize("kind", ["stipend", "rent", "training"])
def test_cash_moves_by_settling_and_by_the_ledger_only(kind: str, small: Any) -> None:
    """Replayed month by month, cash is what it was, what was paid in cash, and the settled surplus, to the fen."""
    scenario = small(policy=tuple(p for p in small().policy if p.id == kind))
    model, money = Pipeline(scenario), scenario.behaviour.money
    people, paid_out = model.people, 0.0
    for _ in range(30):
        model.share_demand()
        model.arrive()
        before, received = people.cash.copy(), people.received.copy()
        model.govern()
        given = people.received - received
        assert (people.cash == before + (0 if kind == "training" else given)).all()
        paid = people.cash.copy()
        tally = model.live()
        surplus = people.income - np.minimum(money.living_cost, people.reservation)
        assert (people.cash == paid + np.round(100 * np.where(surplus > 0, money.saved * surplus, surplus))).all()
        kept = people.cash[(people.call & kernel.EXIT) == 0].sum()
        model.close_shops()
        model.progress()
        assert people.cash.sum() == kept
        model.observe(tally)
        paid_out += given.sum()
    assert paid_out == model.ledger.entries()["paid"].sum() > 0


def test_the_key_of_the_compile_cache_follows_every_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest that names the cache covers every file with a compiled function: a stale kernel is silently wrong."""
    seen, read = set(), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: seen.add(path.name) or read(path))
    rules_digest.__wrapped__()
    sources = Path(kernel.__file__).parent.parent.rglob("*.py")
    compiled = {p.name for p in sources if re.search(r"^@(kernel|rule)$", p.read_text(encoding="utf-8"), re.M)}
    assert {"rules.py", "arithmetic.py", "admission.py", "progress.py", "ledger.py"} <= compiled
    assert compiled <= seen


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700])
def test_a_month_of_many_is_the_month_of_each(size: int, small: Any) -> None:
    """Rows in chunks, in one call or alone, come out the same: nobody's month depends on his neighbours."""
    from sim.entrepreneurs.columns import COLUMNS, Columns

    model = Pipeline(small(arrivals=small().arrivals.model_copy(update={"per_year": 4000.0})))
    for _ in range(6):
        model.step()
    rows = model.people.take(np.arange(model.people.size))
    assert model.people.size > 700

    def lived(which: Any) -> tuple[dict[str, Any], Any]:
        people = Columns(len(model.stages), capacity=4)
        people.append({k: v[..., which] for k, v in rows.items()})
        tally = kernel.live(
            people, model.constants.packed(), model.houses.block, model.competition.factor, model.month_key
        )
        return people.take(np.arange(people.size)), tally

    together, tally = lived(np.arange(size))
    parts = [lived(np.arange(a, min(a + 100, size))) for a in range(0, size, 100)]
    for name in COLUMNS:
        joined = np.concatenate([p[0][name] for p in parts]) if parts else together[name][:0]
        assert (joined == together[name]).all(), name
    assert sum((p[1].capacity for p in parts), 0) == tally.capacity
    assert (sum((p[1].by_house for p in parts), np.zeros_like(tally.by_house)) == tally.by_house).all()
