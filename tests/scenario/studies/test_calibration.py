"""Study files: what they say, what is refused, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.errors import Problem, ScenarioError
from sim.model import before
from sim.scenario import load
from sim.scenario.loader import override
from sim.scenario.messages import in_language
from sim.scenario.studies import is_study, load_study, pinned

SHIPPED = Path(__file__).parents[3] / "scenarios"

STUDY = """\
schema: 1
kind: calibration
scenario: small.yaml
scale: 2
set:
  arrivals.per_year: 60
targets:
  - {outcome: survival_12m, value: 0.7, sd: 0.05, source: [bls_bed]}
  - {outcome: residents, value: {evidence: young_ecom_talent_stock}, sd: 10_000}
  - {outcome: arrivals, value: {evidence: student_inflow_per_year}, sd: 1_000}
parameters:
  - {path: behaviour.money.margin}
  - {path: behaviour.entry.cash_median, prior: log_uniform, range: [1_000, 50_000]}
"""


@pytest.fixture
def study(small: Path, write: Callable[..., Path]) -> Callable[..., Path]:
    """Writes the study above, with parts replaced, beside a small scenario."""

    def _study(*changes: tuple[str, str]) -> Path:
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return write(text, "study.yaml")

    return _study


def refused(path: Path, **overrides: object) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as error:
        load_study(path, overrides)
    return error.value.problems


def test_a_study_says_what_it_is_about(study):
    """The scenario as it stands, the smaller one, ranges from the schema or the study, figures and their bounds."""
    found = load_study(study())
    assert found.whole == load(study().with_name("small.yaml"))
    assert found.small == found.whole.replace({"arrivals.per_year": 60})
    assert found.ranges == {"behaviour.money.margin": (0.04, 0.20), "behaviour.entry.cash_median": (1000, 50000)}
    assert [found.evidence(i) for i in range(3)] == [None, "young_ecom_talent_stock", "student_inflow_per_year"]
    assert [found.bound(i) for i in range(3)] == ["about", "about", "more_than"]
    assert [t.value for t in found.targets] == [0.7, 100_000, 30_000]


def test_an_override_goes_where_its_path_leads(study):
    """A path that starts with a key of the study is the study's; any other is the scenario's while searching."""
    changes = dict(map(override, ("search.start=16", "chain.village.facilities=7", "arrivals.per_year=90", "seed=5")))
    found = load_study(study(), changes)
    assert (found.search.start, found.seed) == (16, 5)
    assert found.small == found.whole.replace({"chain.village.facilities": 7, "arrivals.per_year": 90})
    assert found.set == {"arrivals.per_year": 90, "chain.village.facilities": 7}


@pytest.mark.parametrize(
    ("change", "place", "path", "said"),
    [
        (("kind: calibration", "kind: calibrating"), (2, 7), "kind", "must be calibration"),
        (("scenario: small.yaml", "scenario: smal.yaml"), (3, 11), "", "there is no file"),
        (("scenario: small.yaml", "scenario: ../../x.yaml"), (3, 11), "scenario", "leads out of the folder"),
        (("scale: 2", "scale: 0"), (4, 8), "scale", "must be > 0"),
        (("scale: 2", "scal: 2"), (4, 1), "scal", "did you mean scale?"),
        (("arrivals.per_year: 60", "arrivals.per_yer: 60"), (6, 3), "set.arrivals.per_yer", "arrivals.per_year?"),
        (("arrivals.per_year: 60", "arrivals.per_year: -1"), (6, 22), "set.arrivals.per_year", "must be >= 0"),
        ((", source: [bls_bed]", ""), (8, 5), "targets.0", "needs `evidence`"),
        (("[bls_bed]", "[bls_bad]"), (8, 51), "targets.0.source.0", "did you mean bls_bed?"),
        (("sd: 0.05", "sd: 0"), (8, 45), "targets.0.sd", "must be > 0"),
        (("young_ecom_talent_stock", "young_talent_stock"), (9, 44), "targets.1.value", "no figure is called"),
        (("outcome: residents", "outcome: survival_12m"), (9, 15), "targets.1", "given twice"),
        (("money.margin}", "money.margn}"), (12, 12), "behaviour.money.margn", "did you mean behaviour.money.margin?"),
        (("behaviour.money.margin", "horizon.start"), (12, 12), "horizon.start", "must be a number"),
        (("behaviour.money.margin", "seed"), (12, 12), "seed", "has no plausible range"),
        (("[1_000, 50_000]", "[0, 50_000]"), (13, 12), "behaviour.entry.cash_median", "must be above 0"),
        (("[1_000, 50_000]", "[50_000, 1_000]"), (13, 12), "behaviour.entry.cash_median", "[low, high]"),
        (("[1_000, 50_000]", "[1_000, 1e12]"), (13, 12), "behaviour.entry.cash_median", "must be <= 100000000"),
    ],
)
def test_a_slip_is_told_with_its_place(study, change, place, path, said):
    """One problem, at the line and column of the slip, with what is wrong."""
    (problem,) = refused(study(change))
    assert (problem.line, problem.column) == place, str(problem)
    assert problem.path == path
    assert said in problem.message
    assert problem.file.endswith("study.yaml")


def test_all_slips_are_told_at_once(study):
    """Slips of the study, its values for the scenario, a target and a parameter come together, in their order."""
    path = study(("scale: 2", "scale: no"), ("arrivals.per_year: 60", "arrivals.per_year: x"), ("sd: 0.05", "sd: -1"))
    assert [p.line for p in refused(path)] == [4, 6, 8]
    path = study(("arrivals.per_year: 60", "arrivals.per_year: x"), (", source: [bls_bed]", ""))
    assert [(p.line, p.key) for p in refused(path)] == [(6, "number"), (8, "target_source")]


def test_what_is_fitted_is_not_held_out_or_scored(study):
    """An outcome under both targets and holdout is refused, and so is a target whose fact is scored."""
    path = study()
    path.write_text(path.read_text() + "holdout: [{outcome: residents}]\n")
    assert [p.key for p in refused(path)] == ["fitted_and_held"]
    path = study(("source: [bls_bed]}", "source: [bls_bed], fact: tent}"))
    path.write_text(path.read_text() + "scored: [tent]\n")
    (problem,) = refused(path)
    assert (problem.key, problem.path) == ("fitted_and_scored", "targets.0.fact")
    assert in_language(problem, "zh").message == "事实 tent 用于评分：评分用的不能拿来拟合"


def test_a_reform_that_cannot_be_is_told(study):
    """A value of a reform that the scenario refuses is a slip of the study."""
    path = study()
    path.write_text(path.read_text() + "decisions: {reforms: [{id: more, set: {chain.village.facilities: -1}}]}\n")
    (problem,) = refused(path)
    assert problem.path == "decisions.reforms.0.set.chain.village.facilities"
    assert ">= 1" in problem.message
    assert problem.line == 14


def test_a_wrong_override_is_told(study):
    """An override of neither the study nor the scenario names the nearest path."""
    (problem,) = refused(study(), **{"arrivals.per_yeer": 3})
    assert problem.path == "set.arrivals.per_yeer"
    assert "arrivals.per_year" in problem.message


def test_a_study_is_told_from_a_scenario(study):
    """What says its `kind` is a study; a scenario and what cannot be read are none."""
    assert is_study(study())
    assert not is_study(study().with_name("small.yaml"))
    assert not is_study(study().with_name("nowhere.yaml"))


def test_a_pinned_reform_starts_from_the_same_city():
    """With the burn-in written out, a reform changes the chain after the start and not before it."""
    base = load(SHIPPED / "yiwu.yaml").replace({"initial.under": None, "behaviour.money.margin": 0.12})
    reform = {"chain.incubator.places": 80}
    assert before(base.replace(reform)) != before(base)
    held = pinned(base)
    assert before(held.replace(reform)) == before(held) == before(base)
    assert held.replace(reform).chain[2].places == 80
    classroom = load(SHIPPED / "classroom.yaml")
    assert pinned(classroom) is classroom
