"""Sweep studies: what they say, what is refused, and where."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest

from sim.model import before
from sim.scenario import load
from sim.scenario.messages import in_language
from sim.scenario.schema import Replicates
from sim.scenario.studies import Study, SweepStudy, load_study
from sim.scenario.studies.plan import MOST_POINTS

SWEEP = """\
schema: 1
kind: sweep
scenario: city.yaml
set: {behaviour.money.margin: 0.1}
replicates: 3
outcomes: [survival_36m, living_end]
levers:
  - {path: chain.hub.places, values: [4, 8, 8, 16]}
  - {path: policy.training.courses, values: [0, 4], range: [0, 12]}
uncertainties:
  - {path: behaviour.growth.sigma, values: [0.1, 0.15]}
design: {kind: grid}
"""

BRANCHED = """\
schema: 1
kind: sweep
scenario: city.yaml
levers: [{path: policy.training.courses, range: [0, 12]}]
uncertainties: [{path: behaviour.entry.cash_median, prior: log_uniform}]
design: {kind: latin_hypercube, points: 5}
branches:
  - {id: as_it_is}
  - {id: wide, set: {chain.hub.places: 40}, uncertainties: [], design: {kind: sobol, points: 4}}
  - id: switch
    name: {zh: 开关, en: Switches}
    levers: [{path: policy.rent.active, values: [false, true]}]
    uncertainties: [{path: policy.training.effect, values: [0.0, 0.1]}]
    design: {kind: grid}
"""


def test_a_sweep_says_what_varies(loaded, city):
    """Axes with typed values, each once, levers first; ranges, names and units from the study or the schema."""
    study = loaded(SWEEP)
    assert isinstance(study, SweepStudy)
    (block,) = study.blocks
    places, courses, sigma = block.axes
    assert (places.path, places.role, places.values, places.now) == ("chain.hub.places", "lever", (4, 8, 16), 4)
    assert (courses.values, courses.ends, courses.whole) == ((0, 4), (0, 12), True)
    assert (sigma.role, sigma.values, sigma.unit, sigma.whole) == ("uncertainty", (0.1, 0.15), "log/sqrt(month)", False)
    assert courses.name.en == "courses a year"
    assert (block.id, block.size, study.runs) == ("", 12, 36)
    assert block.scenario.behaviour.money.margin == study.small.behaviour.money.margin == 0.1
    assert study.whole == load(city)
    assert study.scenarios == (block.scenario,)
    assert study.warnings == ()


def test_an_uncertainty_has_its_plausible_range(loaded):
    """Without values and range, an uncertainty varies over what the scenario states, in logs if its prior says so."""
    _, cash = loaded(BRANCHED).blocks[0].axes
    assert (cash.low, cash.high, cash.log) == (5000, 100_000, True)
    assert cash.at(0.5) == pytest.approx(math.sqrt(5000 * 100_000))


def test_branches_stand_beside_one_another(loaded):
    """Each block has its own values, axes and layout, or else the study's; points add up and do not multiply."""
    study = loaded(BRANCHED)
    plain, wide, switch = study.blocks
    assert [len(b.axes) for b in study.blocks] == [2, 1, 2]
    assert [b.size for b in study.blocks] == [5, 4 * (1 + 2), 4]
    assert [b.layout.kind for b in study.blocks] == ["latin_hypercube", "sobol", "grid"]
    assert study.runs == 4 * (5 + 12 + 4)
    assert (plain.scenario.chain[1].places, wide.scenario.chain[1].places) == (4, 40)
    assert switch.axes[0].values == (False, True)
    assert switch.name.zh == "开关"


def test_levers_leave_the_past_alone_and_facts_do_not(loaded):
    """The burn-in of each point is the base's, but for what nobody knows of chain and policy, which was always so."""
    study = loaded(BRANCHED)
    plain, wide, switch = study.blocks
    past = before(study.small)
    assert before(plain.at({"policy.training.courses": 9})) == before(wide.scenario) == past
    assert before(study.small.replace({"policy.training.courses": 9})) != past
    there = switch.at({"policy.training.effect": 0.1, "policy.rent.active": True})
    effects = [i.effect for i in (*there.policy, *there.burn_in.policy) if i.id == "training"]
    assert effects == [0.1, 0.1]
    assert [i.active for i in (*there.policy, *there.burn_in.policy) if i.id == "rent"] == [True, False]
    assert there.hash() == switch.at({"policy.rent.active": True, "policy.training.effect": 0.1}).hash()


def test_a_past_under_another_file_gets_the_facts_that_it_knows(written, write, city):
    """With `under` a file, a fact holds in its policy too where that has the instrument, and its chain stays."""
    text = city.read_text().replace("24}", "24, under: past.yaml}")
    city.write_text(text)
    past = "schema: 1\nchain: [{id: village, facilities: 3}]\npolicy: [{id: training, type: training}]\n"
    write(past, "past.yaml")
    study = load_study(
        written(
            BRANCHED,
            ("uncertainties: [{path: policy.training.effect, values: [0.0, 0.1]}]",
             "uncertainties: [{path: policy.training.effect, values: [0.0]}, {path: chain.hub.places, values: [9]}]"),
        )
    )  # fmt: skip
    there = study.blocks[2].at({"policy.training.effect": 0.0, "chain.hub.places": 9})
    assert [s.id for s in there.burn_in.chain] == ["village"]
    assert there.burn_in.chain[0].facilities == 3
    assert [i.effect for i in there.burn_in.policy] == [0.0]
    assert there.chain[1].places == 9


def test_a_block_can_be_sent_to_a_worker(loaded):
    """A block is the same after pickling, its scenarios included."""
    block = loaded(BRANCHED).blocks[2]
    again = pickle.loads(pickle.dumps(block))
    point = {"policy.rent.active": True, "policy.training.effect": 0.1}
    assert again.at(point).hash() == block.at(point).hash()


def test_replicates_may_depend_on_what_is_seen(loaded):
    """`until` is read as in a scenario; the most runs count."""
    study = loaded(SWEEP, ("replicates: 3", "replicates: {until: {outcome: survival_36m, half_width: 0.01, max: 50}}"))
    assert isinstance(study.replicates, Replicates)
    assert study.replicates.until.half_width == 0.01
    assert study.runs == 12 * 50
    assert ("replicates.until.outcome", "survival_36m") in list(study.named_outcomes)


def test_an_override_extends_a_study(loaded):
    """Replicates and points are keys of the study; other paths go to its scenario."""
    study = loaded(BRANCHED, **{"replicates": 7, "design.points": 9, "behaviour.money.margin": 0.15})
    assert (study.replicates, study.blocks[0].size) == (7, 9)
    assert study.small.behaviour.money.margin == 0.15


SLIPS = [
    (SWEEP, ("kind: sweep", "kind: sweeep"), (2, 7), "kind", "did you mean sweep?"),
    (SWEEP, ("hub.places", "hub.place"), (8, 12), "chain.hub.place", "did you mean chain.hub.places?"),
    (SWEEP, ("8, 8, 16", "8, -8, 16"), (8, 45), "chain.hub.places", "must be >= 0"),
    (SWEEP, ("8, 8, 16", "8, 8.5, 16"), (8, 45), "chain.hub.places", "must be a whole number"),
    (SWEEP, ("8, 8, 16", "8, [8], 16"), (8, 45), "levers.0.values.2", "must be a single value"),
    (SWEEP, ("values: [4, 8, 8, 16]", "values: []"), (8, 30), "levers.0.values", "must have >= 1 entries"),
    (SWEEP, (", values: [4, 8, 8, 16]", ", range: [1, 9]"), (8, 12), "chain.hub.places", "a grid needs `values"),
    (SWEEP, (", values: [4, 8, 8, 16]", ""), (8, 12), "chain.hub.places", "a grid needs `values"),
    (SWEEP, ("chain.hub.places", "seed"), (8, 12), "seed", "no part of the city"),
    (SWEEP, ("chain.hub.places", "policy.training"), (8, 12), "policy.training", "more than a single value"),
    (SWEEP, ("behaviour.growth.sigma, values: [0.1, 0.15]", "policy.training.courses, values: [1]"),
     (11, 12), "policy.training.courses", "given twice"),
    (SWEEP, ("survival_36m, living_end", "living_end, living_end"), (6, 24), "outcomes.1", "given twice"),
    (SWEEP, ("{kind: grid}", "{kind: gird}"), (12, 16), "design.kind", "did you mean grid?"),
    (SWEEP, ("{kind: grid}", "{points: 3}"), (12, 1), "design.kind", "is required"),
    (SWEEP, ("{kind: grid}", "grid"), (12, 9), "design", "must be a mapping of keys"),
    (SWEEP, ("{kind: grid}", "{kind: sobol, points: 48}"), (12, 31), "design.points", "32 or 64 (got 48)"),
    (SWEEP, ("{kind: grid}", "{kind: sobol, pionts: 32}"), (12, 23), "design.pionts", "did you mean points?"),
    (SWEEP, ("{kind: grid}", "{kind: morris, levels: 5}"), (12, 32), "design.levels", "must be even"),
    (SWEEP, ("{kind: grid}", "{kind: sobol, points: 1_048_576}"), (12, 1), "design", "makes 5242880 points; at most"),
    (SWEEP, ("design: {kind: grid}\n", ""), (1, 1), "design", "is required"),
    (SWEEP, ("replicates: 3", "replicates: {until: {outcome: x}}"),
     (5, 14), "replicates.until.half_width", "required"),
    (SWEEP, ("replicates: 3", "replicates: {until: {outcome: arrivals, half_width: 1, max: 1}}"),
     (5, 61), "replicates.until.max", "must be >= 2 (got 1)"),
    (BRANCHED, ("range: [0, 12]", "range: [12, 0]"), (4, 42), "policy.training.courses", "[low, high]"),
    (BRANCHED, ("range: [0, 12]", "range: [0, 1.5]"), (4, 42), "policy.training.courses", "must be a whole number"),
    (BRANCHED, ("range: [0, 12]", "range: [-1, 12]"), (4, 42), "policy.training.courses", "must be >= 0"),
    (BRANCHED, (", range: [0, 12]", ""), (4, 17), "policy.training.courses", "a lever needs `values"),
    (BRANCHED, ("behaviour.entry.cash_median", "arrivals.growth_per_year"),
     (5, 24), "arrivals.growth_per_year", "above 0"),
    (BRANCHED, ("behaviour.entry.cash_median", "chain.hub.uplift, range: [0.01, 3]"),
     (5, 42), "chain.hub.uplift", "must be <="),
    (BRANCHED, ("behaviour.entry.cash_median", "horizon.start, range: [1, 3]"),
     (5, 39), "horizon.start", "must be a number"),
    (BRANCHED, ("cash_median, prior: log_uniform", "cash_median, prior: log"),
     (5, 60), "uncertainties.0.prior", "uniform / log"),
    (BRANCHED, ("behaviour.entry.cash_median", "arrivals.per_year"), (5, 24), "arrivals.per_year", "outside its"),
    (BRANCHED, ("chain.hub.places: 40", "chain.hub.places: -4"),
     (9, 40), "branches.wide.set.chain.hub.places", "must be >= 0"),
    (BRANCHED, ("id: switch", "id: wide"), (7, 1), "branches", '"wide" is given twice'),
    (BRANCHED, ("values: [false, true]", "values: [no, true]"),
     (12, 50), "policy.rent.active", "must be true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "change", "place", "path", "said"), SLIPS)
def test_a_slip_is_told_with_its_place(written, refused, text, change, place, path, said):
    """One problem, at the line and column of the slip, with what is wrong, in English and in Chinese."""
    (problem,) = refused(written(text, change))
    assert (problem.path, problem.line, problem.column) == (path, *place), str(problem)
    assert said in problem.message
    assert problem.file.endswith("study.yaml")
    assert any("一" <= c <= "鿿" for c in in_language(problem, "zh").message)


def test_all_slips_are_told_at_once(written, refused):
    """Slips of form, of levers, of uncertainties, of branches and of the design come together, in their order."""
    path = written(
        BRANCHED,
        ("range: [0, 12]", "range: [0, -12]"),
        ("cash_median", "cash_medium"),
        ("chain.hub.places: 40", "chain.hub.palces: 40"),
        ("values: [0.0, 0.1]", "values: [0.0, -0.1, x]"),
    )
    assert [p.line for p in refused(path)] == [4, 5, 9, 13, 13]


def test_a_slip_of_form_hides_no_other(written, refused):
    """Where keys are misspelt or of the wrong type, paths and values elsewhere are looked at all the same."""
    path = written(
        SWEEP,
        ("replicates: 3", "replicats: 3"),
        ("[survival_36m, living_end]", "[survival_36m, survival_36m]"),
        ("hub.places", "hub.place"),
        ("range: [0, 12]", "rnge: [0, 12]"),
        ("growth.sigma, values: [0.1, 0.15]", "growth.sigma, values: [0.1, [0.15]]"),
        ("{kind: grid}", "{kind: gird}"),
    )
    assert [(p.line, p.key) for p in refused(path)] == [
        (5, "unknown_key"), (6, "given_twice"), (8, "unknown_path"), (9, "unknown_key"), (11, "single_value"),
        (12, "one_of"),
    ]  # fmt: skip


def test_a_slip_of_set_hides_no_other(written, refused):
    """Where a value that is set is wrong, levers and outcomes are looked at with the others that are set."""
    path = written(
        SWEEP,
        ("{behaviour.money.margin: 0.1}", "{chain.hub.place: 3, behaviour.money.margin: 0.1, seed: 4}"),
        ("8, 8, 16", "8, -8, 16"),
        ("policy.training.courses", "policy.training.course"),
    )
    found = [(p.line, p.key) for p in refused(path)]
    assert found == [(4, "unknown_path"), (4, "study_wide"), (8, "bound"), (9, "unknown_path")]


def test_what_is_the_whole_study_s_is_not_set(written, refused):
    """Seed and replicates are keys of the study, and all branches share its engine: none of them is passed over."""
    path = written(BRANCHED, ("chain.hub.places: 40", "chain.hub.places: 40, engine: objects, seed: 3"))
    assert [(p.path, p.key) for p in refused(path)] == [
        ("branches.wide.set.engine", "study_wide"), ("branches.wide.set.seed", "study_wide"),
    ]  # fmt: skip


def test_nothing_varies(written, refused):
    """A study without levers and uncertainties is refused."""
    text = "schema: 1\nkind: sweep\nscenario: city.yaml\ndesign: {kind: latin_hypercube, points: 3}\n"
    (problem,) = refused(written(text))
    assert problem.key == "nothing_varies"


def test_a_study_of_another_kind_is_refused(written, refused):
    """Who wants a calibration is told that this is a sweep; a file without a kind is told what it lacks."""
    with pytest.raises(Exception, match=r"study.yaml:2:7 kind: must be calibration \(got \"sweep\"\)"):
        load_study(written(SWEEP), only=Study)
    (problem,) = refused(written(SWEEP, ("kind: sweep\n", "")))
    assert (problem.path, problem.key) == ("kind", "missing")


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (("policy.training.courses", "policy.rent.share.hub"), "policy.rent.share.hub", "switched off"),
        (("set: {behaviour.money.margin: 0.1}", "set: {policy.training.since: 2035-01}"), "policy.training.courses",
         "starts after the horizon ends"),
    ],
)  # fmt: skip
def test_a_lever_without_effect_is_warned_of(loaded, change, path, reason):
    """A lever of an instrument that does nothing, wherever the others stand, is no mistake and is told."""
    text = SWEEP.replace("values: [0, 4], range: [0, 12]", "values: [0, 1]")
    (warning,) = loaded(text, change).warnings
    assert (warning.severity, warning.path, warning.key) == ("warning", path, "no_effect")
    assert reason in warning.message
    assert warning.line == 9


def test_a_lever_that_another_switches_on_has_effect(loaded):
    """A share of an instrument that is off is no warning if whether it is on varies too."""
    text = SWEEP.replace("values: [0, 4], range: [0, 12]", "values: [0, 1]")
    both = "{path: policy.rent.active, values: [false, true]}\n  - {path: policy.rent.share.hub"
    assert loaded(text, ("{path: policy.training.courses", both)).warnings == ()


def test_a_million_runs_are_asked_about(loaded):
    """Very many runs are a warning, more points than anybody runs an error."""
    found = loaded(BRANCHED, **{"design.points": MOST_POINTS - 100}).warnings
    assert [w.key for w in found] == ["many_runs"]


def test_the_scenario_may_lie_above_and_no_farther(written, write, city, tmp_path):
    """A study finds its scenario in the folder above its own."""
    write(SWEEP.replace("city.yaml", "../city.yaml"), "studies/study.yaml")
    assert load_study(tmp_path / "studies" / "study.yaml").path == str(Path(tmp_path, "studies", "study.yaml"))
