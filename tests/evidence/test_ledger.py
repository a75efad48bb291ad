"""The ledger is whole, consistent, and the same as what was read from the documents."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from types import MappingProxyType

import pytest
from ruamel.yaml import YAML

from sim.errors import EvidenceError
from sim.evidence import ledger

SHARED = Path(ledger.__file__).parents[3] / "shared" / "evidence" / "evidence.yaml"  # beside a checkout, if at all
SAME_BOUND = {"exact": "exact", "approx": "about", "gt": "more_than", "lt": "less_than", "upper": "at_most"}
DAY = r"(\d{4}(-\d\d(-\d\d)?|-Q[1-4])?~?|\d{3}X)"
DATE = re.compile(rf"{DAY}|({DAY}|\.\.)/({DAY}|\.\.)")

FIGURES = ledger.figures()
SOURCES = ledger.sources()
DERIVED = [id for id, figure in FIGURES.items() if figure.derived]


def result(id: str) -> float:
    """The formula's result, its inputs computed rather than read where they are derived themselves."""
    figure = FIGURES[id]
    if not figure.derived:
        assert isinstance(figure.value, int | float), f"{id} is used in a formula and is not a number"
        return figure.value
    values = {name: result(name) for name in figure.inputs}
    return float(eval(figure.derived, {"__builtins__": {}}, values))


def test_ids_are_snake_case_and_names_are_in_both_languages() -> None:
    """Every figure has an id that can stand in a formula, and a name in zh and in en."""
    for id, figure in FIGURES.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", id), id
        assert figure.id == id
        assert re.search(r"[\u4e00-\u9fff]|AI", figure.zh), id
        assert figure.en, id


def test_a_doubled_id_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are unique because the parser refuses a second entry of the same name."""
    text = Path(ledger.__file__).with_name("figures.yaml").read_text(encoding="utf-8")
    first = next(iter(FIGURES))
    (tmp_path / "figures.yaml").write_text(text + f"{first}: {{}}\n", encoding="utf-8")
    monkeypatch.setattr(ledger, "files", lambda _: tmp_path)
    with pytest.raises(Exception, match=f'duplicate key "{first}"'):
        ledger._read("figures.yaml")


def test_every_figure_is_dated_and_sourced() -> None:
    """Every figure names known sources and an ISO date."""
    for id, figure in FIGURES.items():
        assert DATE.fullmatch(figure.date), (id, figure.date)
        assert figure.sources, id
        assert set(figure.sources) <= set(SOURCES), id


def test_closed_lists_hold() -> None:
    """Bounds, roles and uses come from the closed lists."""
    for id, figure in FIGURES.items():
        assert figure.bound in ledger.BOUNDS, id
        assert figure.role in ledger.ROLES, id
        assert figure.use in ledger.USES, id


def test_figures_rest_on_documents() -> None:
    """No figure rests on an unverified outside source."""
    for id, figure in FIGURES.items():
        assert all(SOURCES[source].kind == "document" and SOURCES[source].verified for source in figure.sources), id
    outside = [source for source in SOURCES.values() if source.kind == "outside"]
    assert outside
    assert not any(source.verified for source in outside)
    assert set(SOURCES) == {"A", "B", "C", "D", "E"} | {source.id for source in outside}


def test_sources_are_complete() -> None:
    """Every source has names in both languages, a publisher, a date and a note on its reliability."""
    for id, source in SOURCES.items():
        assert re.search(r"[\u4e00-\u9fff]", source.zh), id
        assert all((source.en, source.publisher, source.about, source.reliability)), id
        assert DATE.fullmatch(source.date), (id, source.date)


def test_lost_conflicts_say_why() -> None:
    """A rejected figure says why, in both languages, and loses to a figure that is not rejected itself."""
    for id, figure in FIGURES.items():
        assert (figure.use == "rejected") == (figure.why is not None), id
        if figure.why is not None:
            assert set(figure.why) == {"zh", "en"}, id
            assert all(figure.why.values()), id
        if figure.lost_to is not None:
            assert figure.why is not None, id
            assert FIGURES[figure.lost_to].use != "rejected", id


@pytest.mark.parametrize("id", DERIVED)
def test_derived_figures_recompute(id: str) -> None:
    """A derived figure is its formula's result, rounded."""
    value = FIGURES[id].value
    assert isinstance(value, int | float)
    digits = len(f"{value}".replace(".", "").strip("0")) if isinstance(value, float) else 6
    assert math.isclose(value, result(id), rel_tol=0.51 * 10.0 ** (1 - min(digits, 7)))


@pytest.mark.parametrize("id", DERIVED)
def test_derived_figures_are_as_good_as_their_inputs(id: str) -> None:
    """A derived figure uses nothing rejected, is no stronger than its weakest input, and names all their sources."""
    figure = FIGURES[id]
    inputs = [FIGURES[name] for name in figure.inputs]
    assert inputs
    assert max(ledger.USES.index(other.use) for other in inputs) <= ledger.USES.index(figure.use) < 2
    assert set(figure.sources) == {source for other in inputs for source in other.sources}


def test_the_derived_figures_that_the_model_needs_are_there() -> None:
    """The anchors of the calibration, with the values that were derived by hand."""
    assert FIGURES["ecom_txn_2024_implied"].value == 492_336_000_000
    assert FIGURES["domestic_txn_2025"].value == 385_819_000_000
    assert FIGURES["mean_sales_per_entity_2025"].value == 667_204
    assert FIGURES["mean_sales_per_entity_2024"].value == 772_050
    assert FIGURES["attendances_per_course"].value == 75
    assert FIGURES["phd_equal_third"].value == 83333.33
    assert FIGURES["ai_uptake_2024"].value == 0.2125
    assert FIGURES["college_projects_per_year"].value == 328.8


def test_no_quotations() -> None:
    """The ledger holds figures, never sentences of the documents: no quotes, and no long run of Chinese."""
    text = Path(ledger.__file__).with_name("figures.yaml").read_text(encoding="utf-8")
    assert "quote:" not in text
    for figure in FIGURES.values():
        for part in (figure.zh, figure.en, str(figure.value), figure.notes):
            assert not re.search(r"[\u4e00-\u9fff，、]{30,}", part), figure.id


@pytest.mark.skipif(not SHARED.is_file(), reason="the documents' own ledger is not on this machine")
def test_nothing_was_lost_or_changed() -> None:
    """Every figure read from the documents that is more than context is here, with the same value, bound, role, use."""
    read = {entry["id"]: entry for entry in YAML(typ="safe").load(SHARED.read_text(encoding="utf-8"))}
    missing = [id for id, entry in read.items() if entry["role"] != "context" and id not in FIGURES]
    assert not missing
    for id, figure in FIGURES.items():
        if figure.derived:
            continue
        entry = read[id]
        held = list(figure.value) if isinstance(figure.value, tuple) else figure.value
        assert held == entry["value"], id
        assert type(held) is type(entry["value"]), id
        assert (figure.bound, figure.role, figure.use) == (SAME_BOUND[entry["bound"]], entry["role"], entry["use"]), id


def test_a_misspelt_id_names_the_nearest() -> None:
    """A miss names the nearest id, and nothing if none is near."""
    with pytest.raises(EvidenceError, match=r"'ecom_txn_2052'.*nearest: 'ecom_txn_2025'"):
        ledger.figure("ecom_txn_2052")
    with pytest.raises(EvidenceError, match=r"'\?\?\?'$"):
        ledger.figure("???")


def test_values_are_converted() -> None:
    """A value comes in the unit asked for, and whole numbers stay whole."""
    months = ledger.value("subsidy_duration_years", "months")
    assert (months, type(months)) == (36, int)
    assert ledger.value("student_inflow_per_year", "count/year") == 30000
    assert ledger.value("ecom_txn_growth_2025", "1/year") == 0.1248
    assert ledger.value("mean_sales_per_entity_2025", "CNY/month") == pytest.approx(667204 / 12)
    assert ledger.value("chain_order")[0] == "taobao_village"  # type: ignore[index]


@pytest.mark.parametrize(
    ("id", "unit"),
    [
        ("cert_livestream_start", "months"),  # a calendar year is no duration
        ("d_trainees_per_year", "persons/year"),  # attendances are not persons
        ("subsidy_bachelor_per_year", "CNY/year"),  # a person's stipend is not a total
        ("ecom_txn_growth_2025", "1/month"),  # a monthly rate is not a twelfth of a yearly one
        ("chain_order", "count"),
        ("stage1_entry_rule", "CNY"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(id: str, unit: str) -> None:
    """Units that measure something else raise an error that names the figure and both units."""
    with pytest.raises(EvidenceError, match=rf"{id}.*{FIGURES[id].unit}.*{unit}"):
        ledger.value(id, unit)


def test_units_convert_there_and_back() -> None:
    """Any two units of one kind convert into one another without loss."""
    for unit, (kind, _) in ledger._UNITS.items():
        for to, (other, _) in ledger._UNITS.items():
            if kind == other:
                assert ledger.convert(ledger.convert(7.0, unit, to), to, unit) == pytest.approx(7.0)


def test_rejected_figures_are_refused_unless_asked_for() -> None:
    """A figure that lost a conflict is not used by accident; the error says why and what to use."""
    with pytest.raises(EvidenceError, match=r"rejected: .*use 'ecom_txn_2024_implied'"):
        ledger.value("d_ecom_txn_2024")
    assert ledger.value("d_ecom_txn_2024", allow_rejected=True) == 521_000_000_000


def test_the_digest_follows_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """The evidence hash changes with a value, and not with the order of the file."""
    before = ledger.digest()
    assert re.fullmatch(r"[0-9a-f]{64}", before)
    turned = MappingProxyType(dict(reversed(FIGURES.items())))
    monkeypatch.setattr(ledger, "figures", lambda: turned)
    assert ledger.digest() == before
    changed = dict(FIGURES, ecom_txn_2025=dataclasses.replace(FIGURES["ecom_txn_2025"], value=553_779_000_001))
    monkeypatch.setattr(ledger, "figures", lambda: changed)
    assert ledger.digest() != before


def test_search_narrows() -> None:
    """Search takes either language, joins its conditions, and refuses an unknown role."""
    assert FIGURES["subsidy_phd_total_cap"] in ledger.search("博士")
    assert FIGURES["subsidy_phd_total_cap"] in ledger.search("PHD", role="policy_parameter", source="B", use="default")
    assert not ledger.search("博士", source="E")
    assert len(ledger.search()) == len(FIGURES)
    with pytest.raises(EvidenceError, match="no role is called 'targets'"):
        ledger.search(role="targets")


def test_the_ledger_is_read_once() -> None:
    """Repeated calls give the same frozen mapping."""
    assert ledger.figures() is ledger.figures()
    with pytest.raises(TypeError):
        ledger.figures()["x"] = None  # type: ignore[index]
