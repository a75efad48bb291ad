"""Every parameter of the package says what it is, in what unit, and where its default comes from."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import sim
from sim.evidence import ledger
from sim.evidence.quantity import Parameters

ROOT = Path(sim.__file__).parent


def subclasses(model: type[Parameters]) -> Iterator[type[Parameters]]:
    """All parameter models, after importing every file of the package that defines one."""
    for child in model.__subclasses__():
        yield child
        yield from subclasses(child)


def quantities() -> Iterator[Any]:
    for file in sorted(ROOT.rglob("*.py")):
        if "import Parameters" in file.read_text(encoding="utf-8"):
            importlib.import_module(".".join(("sim", *file.relative_to(ROOT).with_suffix("").parts)))
    for model in dict.fromkeys(subclasses(Parameters)):
        if not model.__module__.startswith("sim."):
            continue
        for name, field in model.model_fields.items():
            if isinstance(field.json_schema_extra, dict) and "unit" in field.json_schema_extra:
                yield pytest.param(field, field.json_schema_extra, id=f"{model.__module__}.{model.__name__}.{name}")


QUANTITIES = list(quantities())


def bound(field: FieldInfo, kind: type[Ge] | type[Le], otherwise: float) -> float:
    found = [getattr(mark, kind.__name__.lower()) for mark in field.metadata if isinstance(mark, kind)]
    return found[0] if found else otherwise


def test_there_are_parameters() -> None:
    """The walk finds the rooms' parameters, so that the tests below test something."""
    rooms = {str(case.id).split(".")[1] for case in QUANTITIES}
    assert rooms >= {"entrepreneurs", "chain", "market", "policy", "scenario"}
    assert len(QUANTITIES) > 60


@pytest.mark.parametrize(("field", "extra"), QUANTITIES)
def test_a_default_has_one_origin(field: FieldInfo, extra: dict[str, Any]) -> None:
    """A default comes from a figure or from a stated assumption, never both, never neither."""
    assert not ("evidence" in extra and "assumed" in extra)
    if field.default is not PydanticUndefined:
        assert extra.get("evidence") or extra.get("assumed")


@pytest.mark.parametrize(("field", "extra"), QUANTITIES)
def test_a_default_is_within_its_bounds_and_range(field: FieldInfo, extra: dict[str, Any]) -> None:
    """The default lies in the plausible range, and the range within the hard bounds."""
    low, high = bound(field, Ge, -math.inf), bound(field, Le, math.inf)
    assert low < high
    first, last = extra.get("range", (low, high))
    assert low <= first < last <= high
    if isinstance(field.default, int | float):
        assert first <= field.default <= last


@pytest.mark.parametrize(("field", "extra"), QUANTITIES)
def test_a_parameter_is_named_in_both_languages(field: FieldInfo, extra: dict[str, Any]) -> None:
    """A parameter has a short name in zh and in en."""
    assert extra["zh"].strip()
    assert extra["en"].strip()


@pytest.mark.parametrize(("field", "extra"), [case for case in QUANTITIES if "evidence" in case.values[1]])
def test_a_default_from_a_figure_is_that_figure(field: FieldInfo, extra: dict[str, Any]) -> None:
    """A default that cites a figure has its value, in a unit that fits; the figure is not rejected."""
    published = ledger.value(extra["evidence"], extra["unit"])
    assert isinstance(published, int | float)
    assert field.default == pytest.approx(published, rel=1e-9)
