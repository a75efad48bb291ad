"""An audit says of each number whether it is published, derived, assumed or unsourced."""

from __future__ import annotations

import json

import pytest

from sim.errors import EvidenceError
from sim.evidence.audit import STATUSES, Origin, audit, counts

ORIGINS = [
    Origin("arrivals.per_year", 30000.0, "persons/year", (30000, 40000), evidence="student_inflow_per_year"),
    Origin("policy.stipend.amount.phd", 83333.33, "CNY/person/year", evidence="phd_equal_third"),
    Origin("chain.incubator.places", 40, "count", (30, 60), assumed="silences B", file="x.yaml", line=4, column=9),
    Origin("chain.incubator.tenancy", 36, "months", file="x.yaml", line=5, column=9),
]


def test_each_number_has_its_status() -> None:
    """A figure makes a number published, a formula derived, a reason assumed, and nothing at all unsourced."""
    assert [row.status for row in audit(ORIGINS)] == list(STATUSES)


def test_counts_add_up() -> None:
    """Every status is counted, also those that no number has."""
    assert counts(audit(ORIGINS[:1] * 3)) == {"published": 3, "derived": 0, "assumed": 0, "unsourced": 0}


def test_rows_name_the_figure_and_the_place() -> None:
    """A row carries the figure's names, date and source, the number's place, and is plain JSON."""
    first, _, third, _ = (row.flat() for row in audit(ORIGINS))
    assert first["zh"]
    assert first["en"]
    assert (first["source"], first["date"], first["bound"]) == ("B", "2024-04", "more_than")
    assert (third["file"], third["line"], third["column"], third["assumed"]) == ("x.yaml", 4, 9, "silences B")
    assert json.loads(json.dumps(first)) == first


@pytest.mark.parametrize(
    ("value", "unit", "evidence", "agrees"),
    [
        (36, "months", "subsidy_duration_years", True),
        (24, "months", "subsidy_duration_years", False),
        (35000, "persons/year", "student_inflow_per_year", True),
        (25000, "persons/year", "student_inflow_per_year", False),
        (200000, "CNY/person", "subsidy_phd_total_cap", True),
        (300000, "CNY/person", "subsidy_phd_total_cap", False),
        (36, "CNY", "subsidy_duration_years", False),
        (None, None, "subsidy_duration_years", False),
    ],
)
def test_a_number_that_departs_from_its_figure_shows(value: object, unit: str, evidence: str, agrees: bool) -> None:
    """A number that cites a figure must be that figure, within its bound and in a unit that fits."""
    (row,) = audit([Origin("x", value, unit, evidence=evidence)])
    assert row.agrees is agrees


def test_an_unknown_figure_is_an_error() -> None:
    """An audit does not pass over a citation of nothing."""
    with pytest.raises(EvidenceError, match="no figure is called"):
        audit([Origin("x", 1, evidence="studnt_inflow")])
