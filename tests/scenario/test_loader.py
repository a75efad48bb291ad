"""ACCEPTANCE 16-18 and 20-22: what a scenario file may say, what it may extend, and what `--set` may change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.evidence import ledger
from sim.scenario import load, override
from sim.scenario.messages import in_language

SMALL = (Path(__file__).parent / "small.yaml").read_text()


def said(found) -> list[tuple[int, int, str, str]]:
    return [(p.line, p.column, p.path, p.message) for p in found]


# --- keys and values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "path", "near"),
    [
        (f"{SMALL}horizn: {{months: 3}}\n", 10, "horizn", "horizon"),
        (f"{SMALL}behaviour: {{growth: {{kapa: 0.1}}}}\n", 10, "behaviour.growth.kapa", "kappa"),
        (SMALL.replace("threshold:", "treshold:"), 7, "chain.incubator.treshold", "threshold"),
        (SMALL.replace("share:", "shares:"), 9, "policy.rent.shares", "share"),
        (f"{SMALL}arrivals: {{education: {{bachlor: 0.1}}}}\n", 10, "arrivals.education.bachlor", "bachelor"),
        (SMALL.replace("places: 40", "places: {valu: 40}"), 6, "chain.incubator.places.valu", "value"),
        (SMALL.replace("rent_relief", "rent_releif"), 9, "policy.rent.type", "rent_relief"),
        (f"{SMALL}initial: {{kind: burnin}}\n", 10, "initial.kind", "burn_in"),
    ],
)
def test_a_misspelt_name_gets_the_nearest(problems, text, line, path, near):
    """At any depth, the message names the place, the path and the name that is probably meant."""
    found = problems(text)
    assert (found[0].line, found[0].path) == (line, path)
    assert f"did you mean {near}?" in found[0].message


def test_nine_errors_come_all_at_once_in_order(problems):
    """Errors of every layer (YAML, types, bounds, figures, units, combinations) are told together, in file order."""
    text = """\
schema: 1
seed: 010
horizn: {months: 3}
replicates: "40"
arrivals:
  per_year: {evidence: student_inflow_per_yer}
  education: {secondary: 0.5, associate: 0.6, bachelor: 0, master: 0, phd: 0}
chain:
  - {id: village, facilities: 3}
  - {id: incubator, facilities: 2, places: -3, tenancy: 0}
  - {id: park, facilities: {value: 2, unit: CNY/month, assumed: x}}
policy:
  - {id: rent, type: rent_relief, share: {incubatr: 0.5}}
seed: 3
"""
    found = problems(text)
    assert said(found) == [
        (2, 7, "seed", "010 is ambiguous: decimal or octal? Drop the leading zero, or quote it if it is text"),
        (3, 1, "horizn", "unknown key; did you mean horizon?"),
        (4, 13, "replicates", 'must be a whole number (got "40"); remove the quotes'),
        (
            6,
            24,
            "arrivals.per_year",
            'no figure is called "student_inflow_per_yer"; did you mean student_inflow_per_year?',
        ),
        (7, 3, "arrivals.education", "shares must add to 1 (they add to 1.1)"),
        (10, 44, "chain.incubator.places", "must be >= 0 places (got -3)"),
        (10, 57, "chain.incubator.tenancy", "must be >= 1 months (got 0)"),
        (11, 45, "chain.park.facilities", 'unit "CNY/month" does not fit count'),
        (13, 53, "policy.rent.share.incubatr", 'the chain has no stage "incubatr"; did you mean incubator?'),
        (14, 1, "", 'key "seed" is given twice; first on line 2'),
    ]


def test_a_problem_reads_as_the_design_says(problems, monkeypatch, tmp_path):
    """file:line:col path: bound, unit, value found."""
    monkeypatch.chdir(tmp_path)
    problems(SMALL.replace("40", "-3"))
    with pytest.raises(ScenarioError) as refused:
        load("x.yaml")
    assert str(refused.value) == "x.yaml:6:13 chain.incubator.places: must be >= 0 places (got -3)"


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ('places: "40"', 13, 'whole number (got "40"); remove the quotes'),
        ("places: 4.5", 13, "whole number (got 4.5)"),
        ("places: true", 13, "whole number (got true)"),
        ("places: [1]", 5, "whole number (got a list)"),
        ("places: 1,000", 13, "without commas"),
        ('rent: "1500"', 11, "number, in CNY/month"),
        ("apply: 10%", 12, "write 5% as 0.05"),
        ("label: {zh: 12}", 17, "must be text (got 12); put it in quotes"),
        ("label: 孵化器", 12, "must be a mapping"),
        ("admission: luck", 16, "merit / lottery / waiting / score"),
        ("waiting_list: 1", 19, "true or false"),
        ("tenancy: 0", 14, ">= 1 months (got 0)"),
        ("places: -1", 13, ">= 0 places (got -1)"),
        ("id: X", 9, "lower-case"),
    ],
)
def test_wrong_types_and_bounds_are_told(problems, change, column, words):
    """Every message names what is wanted, its unit, and what was found."""
    key = change.split(":")[0]
    text = SMALL.replace("- id: incubator", "- id: X") if key == "id" else SMALL.replace("places: 40", change)
    found = problems(text)
    assert words in found[0].message
    assert found[0].column == column


def test_the_largest_numbers_upset_nothing(problems):
    """A value far outside its bounds is a message."""
    assert "<= 1200 months" in problems(f"{SMALL}horizon: {{months: {10**18}}}\n")[0].message


def test_required_keys_are_asked_for(problems):
    """A missing key is reported at the mapping that lacks it."""
    assert said(problems("schema: 1\n")) == [(1, 1, "chain", "is required")]
    found = problems("chain:\n  - {id: village}\n")
    assert said(found) == [(2, 5, "chain.village.facilities", "is required")]


def test_a_merge_key_points_to_extends(problems):
    """YAML 1.2 has no merge keys."""
    assert "extends" in problems(f"{SMALL}behaviour: {{<<: {{a: 1}}}}\n")[0].message


# --- quantities ------------------------------------------------------------------------------------------------------


def test_a_figure_gives_its_value_in_the_unit_of_the_key(write):
    """Years become months where months are asked for."""
    scenario = load(write(SMALL.replace("places: 40", "tenancy: {evidence: subsidy_duration_years}")))
    assert scenario.chain[1].tenancy == 12 * ledger.value("subsidy_duration_years")


def test_a_given_unit_is_converted(write):
    """So does a value given in another unit of the same kind; its range goes along."""
    scenario = load(write(SMALL.replace("places: 40", "tenancy: {value: 3, unit: years, range: [2, 4], assumed: x}")))
    assert scenario.chain[1].tenancy == 36
    assert scenario.why("chain.incubator.tenancy").range == (24, 48)


@pytest.mark.parametrize(
    ("quantity", "word"),
    [
        ("{value: 1, unit: months, assumed: x}", "does not fit count"),
        ("{evidence: nothing_such}", "no figure is called"),
        ("{evidence: student_inflow_per_year}", "does not fit"),
        ("{evidence: n_incubation_bases, assumed: x}", "not both"),
        ("{value: 44, evidence: n_incubation_bases}", "is not what figure"),
        ("{assumed: x, range: [1, 2]}", "needs `value` or `evidence`"),
        ("{value: 1, range: [2, 1], assumed: x}", "range"),
        ("{value: 1, range: [1], assumed: x}", "range"),
        ("{value: 1, assumed: 3}", "text"),
        ("{value: {value: 1}}", "whole number"),
        ("{value: NO}", "whole number"),
        ("{evidence: [a]}", "text"),
        ("{evidence: d_ecom_entities_2024}", "rejected"),
    ],
)
def test_an_unsound_quantity_is_refused(problems, quantity, word):
    """A quantity's unit, figure and range are checked."""
    found = problems(SMALL.replace("facilities: 2", f"facilities: {quantity}"))
    assert len(found) == 1
    assert found[0].path.startswith("chain.incubator.facilities")
    assert word in found[0].message


# --- combinations and warnings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        (SMALL.replace("facilities: 3", "facilities: 3, places: 9"), "chain.village.places", "open to all"),
        (SMALL.replace("facilities: 3", "facilities: 3, places: 0"), "chain.village.places", "open to all"),
        (SMALL.replace("facilities: 3", "facilities: 3, threshold: 9"), "chain.village.threshold", "open to all"),
        (SMALL.replace("incubator", "village"), "chain", "given twice; first on line 3"),
        (SMALL.replace("id: village", "id: outside"), "chain.outside", "choose another id"),
        (f"{SMALL}  - {{id: rent, type: training}}\n", "policy", "given twice; first on line 9"),
        (f"{SMALL}  - {{id: s, type: stipend, amount: {{secondary: 5}}}}\n", "policy.s.amount.secondary", "nobody"),
        (f"{SMALL}  - {{id: t, type: training, since: 2025-02, until: 2025-01}}\n", "policy.t.until", "ends before"),
        (f"{SMALL}  - {{id: t, type: ai_tools, until: 2022-12}}\n", "policy.t.until", "before it starts (2023-10)"),
        (
            f"{SMALL}  - {{id: t, type: ai_tools, until: 2024}}\n",
            "policy.t.until",
            "a month such as 2024-04 (got 2024)",
        ),
        (f"{SMALL}horizon: {{start: 2024}}\n", "horizon.start", "a month such as 2024-04 (got 2024)"),
        (f"{SMALL}initial: {{mean_sales: 700_000}}\n", "initial.mean_sales", "burn_in"),
        (f"{SMALL}initial: {{entities: 5}}\n", "initial.entities", "burn_in"),
        (f"{SMALL}initial: {{kind: burn_in, mean_sales: 700_000}}\n", "initial.mean_sales", "entities"),
        (f"{SMALL}market: {{domestic: {{by_year: {{1066: 3}}}}}}\n", "market.domestic.by_year.1066", "1066"),
        (f"{SMALL}market: {{domestic: {{by_year: {{2020: 0}}}}}}\n", "market.domestic.by_year.2020", "> 0 CNY/year"),
        (f"{SMALL}arrivals: {{origin: {{local: 0.2}}}}\n", "arrivals.origin", "add to 1.2"),
    ],
)
def test_impossible_combinations_are_errors(problems, text, path, word):
    """What cannot be together is refused, at the place of the one that is too much."""
    found = problems(text)
    assert [p.path for p in found] == [path]
    assert word in found[0].message
    assert found[0].line > 0


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        (SMALL.replace("share: {incubator: 0.5}", "share: {incubator: 0}"), "policy.rent.share", "no effect"),
        (SMALL.replace("places: 40", "rent: 0"), "policy.rent.share.incubator", "no effect"),
        (SMALL.replace("places: 40", "places: 0"), "chain.incubator.places", "no effect"),
        (f"{SMALL}  - {{id: t, type: training, since: 2090-01}}\n", "policy.t.since", "no effect"),
        (f"{SMALL}  - {{id: t, type: training, courses: 0}}\n", "policy.t.courses", "no effect"),
        (
            f"{SMALL}  - {{id: s, type: stipend, amount: {{bachelor: 1}}}}\n",
            "policy.s.amount.bachelor",
            "0.0001 times the published 10000",
        ),
        (f"{SMALL}arrivals: {{per_year: 300}}\n", "arrivals.per_year", "0.01 times the published 30000"),
        (f"{SMALL}behaviour: {{money: {{margin: 0.9}}}}\n", "behaviour.money.margin", "plausible range 0.04 .. 0.2"),
        (
            f"{SMALL}  - {{id: s, type: training, seats: {{value: 9, range: [30, 60], assumed: x}}}}\n",
            "policy.s.seats",
            "plausible range 30 .. 60",
        ),
    ],
)
def test_suspicious_values_are_warnings(write, text, path, word):
    """What is allowed and probably not meant is said, with its place, and does not stop anything."""
    found = [p for p in load(write(text)).warnings if p.path == path]
    assert found, [str(p) for p in load(write(text)).warnings]
    assert word in found[0].message
    assert found[0].severity == "warning"
    assert found[0].line > 0


@pytest.mark.parametrize(
    ("lever", "path", "words"),
    [
        ("type: stipend, amount: {associate: {value: 500, unit: CNY/person/year}}", "amount.associate", "0.1 times"),
        ("type: stipend, amount: {master: 2}", "amount.master", "0.0001 times the published 20000"),
        ("type: stipend, amount: {master: 3}", "amount.master", "in 万? Then write 30000"),
        ("type: stipend, amount: {master: 777}", "amount.master", "0.039 times the published 20000"),
        ("type: contest, prize: {second: 80}", "prize.second", "0.01 times the published 8000"),
        ("type: training, courses: 4000", "courses", "10 times the published 400"),
        ("type: training, budget: 12_000", "budget", "0.0001 times the published 120000000 (d_special_fund_2024)"),
        ("type: fund, covers: [rent], budget: 1.2", "budget", "in 亿? Then write 120000000"),
        ("type: fund, covers: [rent], budget: {value: 1, unit: CNY/month}", "budget", "12 lies outside"),
    ],
)
def test_a_slip_of_units_is_told(write, lever, path, words):
    """500 for 5,000, 2 for 2 万, 1.2 for 1.2 亿: also with a unit, and for a budget, whose figure is the fund's."""
    found = [p for p in load(write(f"{SMALL}  - {{id: a, {lever}}}\n")).warnings if p.path == f"policy.a.{path}"]
    assert [words in p.message for p in found] == [True]
    assert found[0].line == 10


@pytest.mark.parametrize(
    "lever", ["type: stipend, amount: {master: 1500}", "type: stipend, amount: {master: {value: 2, assumed: x}}"]
)
def test_another_number_is_no_slip(write, lever):
    """A number of the same order is a plan, and so is one with a reason."""
    assert load(write(f"{SMALL}  - {{id: a, {lever}}}\n")).warnings == ()


FUND = f"""{SMALL}\
  - {{id: stipend, type: stipend}}
  - {{id: pool, type: fund, covers: [rent, stipend], budget: 900_000_000}}
"""


@pytest.mark.parametrize(
    ("covers", "path", "word"),
    [
        ("[rent, stipnd]", "policy.pool.covers.1", "did you mean stipend?"),
        ("[rent, pool]", "policy.pool.covers.1", '"pool" is a fund'),
        ("[rent, other]", "policy.pool.covers.1", '"other" is a fund'),
        ("rent", "policy.pool.covers", "must be a list"),
        ("[3]", "policy.pool.covers.0", "put it in quotes"),
        ("[]", "policy.pool.covers", ">= 1 entries"),
        ("{rent: 1}", "policy.pool.covers", "must be a list"),
    ],
)
def test_a_fund_covers_instruments_of_the_policy(problems, covers, path, word):
    """Each by its id, with the nearest name for a misspelt one; neither itself nor another fund."""
    text = FUND.replace("[rent, stipend]", covers) + "  - {id: other, type: fund, covers: [rent]}\n"
    (found,) = problems(text)
    assert (found.path, found.line) == (path, 11)
    assert word in found.message


def test_a_fund_forgets_what_is_removed(write, small):
    """Who drops an instrument need not mend the fund; who renames it must."""
    write(FUND, "fund.yaml")
    dropped = "extends: fund.yaml\npolicy:\n  - {id: rent, remove: true}\n"
    assert load(write(dropped)).policy[-1].covers == ("stipend",)
    assert load(write(FUND)).replace({"policy.rent.remove": True}).policy[-1].covers == ("stipend",)
    assert load(write(FUND), {"policy.rent.remove": True}).policy[-1].covers == ("stipend",)
    with pytest.raises(ScenarioError, match="no instrument"):
        load(write("extends: fund.yaml\npolicy:\n  - {id: pool, covers: [rend]}\n"))


def test_a_list_is_replaced_as_a_whole(write):
    """By a reform, by `--set` and in Python; `--why` knows its line."""
    write(FUND, "fund.yaml")
    assert load(write("extends: fund.yaml\npolicy: [{id: pool, covers: [rent]}]\n")).policy[-1].covers == ("rent",)
    scenario = load(write(FUND), dict([override("policy.pool.covers=[rent]")]))
    assert scenario.policy[-1].covers == ("rent",)
    assert load(write(FUND)).replace({"policy.pool.covers": ["rent"]}) == scenario
    assert load(write(FUND)).why("policy.pool.covers").value == ("rent", "stipend")
    assert load(write(FUND)).why("policy.pool.covers").line == 11


def test_a_falling_threshold_is_a_warning(write):
    """A threshold that falls along the chain is probably a slip."""
    text = SMALL.replace("policy:", "  - {id: park, facilities: 1, threshold: 500_000}\npolicy:")
    (found,) = load(write(text)).warnings
    assert found.path == "chain.park.threshold"


def test_an_assumed_value_is_no_slip_of_units(write):
    """Who gives a reason means it."""
    text = f"{SMALL}arrivals: {{per_year: {{value: 300, range: [100, 500], assumed: a class}}}}\n"
    assert load(write(text)).warnings == ()


# --- extends ---------------------------------------------------------------------------------------------------------


def test_extends_merges_deeply_and_by_id(write, small):
    """A reform says only what it changes; the order of the chain stays."""
    reform = write(
        "extends: small.yaml\nhorizon: {months: 12}\nchain:\n  - {id: incubator, places: 80}\n"
        "  - {id: park, facilities: 1}\n  - {id: accelerator, facilities: 1, before: park}\n"
        "policy:\n  - {id: course, type: training, before: rent}\n"
    )
    scenario = load(reform)
    assert [s.id for s in scenario.chain] == ["village", "incubator", "accelerator", "park"]
    assert (scenario.chain[1].places, scenario.chain[1].threshold) == (80, 1_000_000)
    assert (scenario.horizon.months, scenario.horizon.start) == (12, "2024-04")
    assert [p.id for p in scenario.policy] == ["course", "rent"]
    assert load(small).chain[1].places == 40


def test_an_entry_can_be_removed_and_a_list_cleared(write, small):
    """`remove: true` drops one entry, `null` all."""
    one = "extends: small.yaml\npolicy:\n  - {id: rent, remove: true}\nchain:\n  - {id: incubator, remove: true}\n"
    assert load(write(one)).policy == ()
    assert len(load(write(one)).chain) == 1
    assert load(write("extends: small.yaml\npolicy: null\n")).policy == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("policy: []\n", "policy: null"),
        ("policy:\n  - {id: rend, remove: true}\n", "did you mean rent?"),
        ("chain:\n  - {id: park, facilities: 1, after: incubatr}\n", "did you mean incubator?"),
        ("chain: null\n", "must be a list"),
        ("chain:\n  - {facilities: 1}\n", "is required"),
    ],
)
def test_unclear_changes_are_refused(problems, small, text, word):
    """An empty list changes nothing of what it extends, so it is asked what is meant."""
    assert word in problems(f"extends: small.yaml\n{text}")[0].message


def test_errors_of_the_base_are_reported_in_the_base(problems, write):
    """A mistake belongs to the file that makes it, wherever it shows."""
    write(SMALL.replace("40", "-4"), "base.yaml")
    found = problems("extends: base.yaml\nseed: -1\n")
    assert [(Path(p.file).name, p.line) for p in found] == [("x.yaml", 2), ("base.yaml", 6)]


@pytest.mark.parametrize(
    "name", ["../../x.yaml", "../x.yaml", "/etc/passwd", "C:\\x.yaml", "sub/../../x.yaml", "~/../../x"]
)
def test_extends_stays_inside_the_folder(problems, tmp_path, name):
    """Neither ``..`` nor an absolute path leads out, whether or not something is there."""
    (tmp_path.parent / "x.yaml").write_text(SMALL)
    (found,) = [p for p in problems(f"extends: {name}\n") if p.path == "extends"]
    assert (found.line, found.column) == (1, 10)
    assert "leads out" in found.message


def test_a_link_leading_out_is_refused(problems, tmp_path, write):
    """A symbolic link is followed before it is judged, and so is a linked folder."""
    outside = tmp_path.parent / f"outside-{tmp_path.name}"
    outside.mkdir()
    (outside / "a.yaml").write_text(SMALL)
    os.symlink(outside / "a.yaml", tmp_path / "link.yaml")
    os.symlink(outside, tmp_path / "folder")
    for name in ("link.yaml", "folder/a.yaml"):
        assert "leads out" in problems(f"extends: {name}\n")[0].message


def test_a_link_inside_is_followed(tmp_path, write, small):
    """A link that stays inside is nobody's harm."""
    os.symlink(small, tmp_path / "link.yaml")
    assert load(write("extends: link.yaml\n")).chain[1].places == 40


def test_a_file_further_down_may_extend_within_the_tree(write, small):
    """The tree is that of the first file: what lies below may go up, but not out."""
    write("extends: ../small.yaml\n", "sub/a.yaml")
    assert load(write("extends: sub/a.yaml\n")).chain[1].places == 40


@pytest.mark.parametrize("length", [1, 2, 3, 30])
def test_a_circle_is_named(write, length):
    """A file that extends itself by a detour, or a chain without end, is refused where it closes."""
    for i in range(length):
        write(f"extends: f{(i + 1) % length}.yaml\n", f"f{i}.yaml")
    with pytest.raises(ScenarioError, match=r"circle: .*f0\.yaml -> "):
        load(write("seed: 1\nextends: f1.yaml\n", "f0.yaml") if length > 1 else write("extends: f0.yaml\n", "f0.yaml"))


def test_links_in_a_circle_are_refused(problems, tmp_path):
    """So are links that point at each other."""
    os.symlink(tmp_path / "b.yaml", tmp_path / "a.yaml")
    os.symlink(tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert problems("extends: a.yaml\n")


@pytest.mark.parametrize(("kind", "word"), [("pipe", "pipe"), ("folder", "folder"), ("missing", "no file")])
def test_extends_to_what_is_no_file(problems, tmp_path, kind, word):
    """A pipe, a folder and a missing file are reported at the `extends:` that names them."""
    if kind == "pipe":
        os.mkfifo(tmp_path / "target")
    if kind == "folder":
        (tmp_path / "target").mkdir()
    (found,) = problems("extends: target\n")
    assert (found.line, found.column) == (1, 10)
    assert word in found.message


@pytest.mark.parametrize("value", ["[a]", "12", "''", "{a: 1}"])
def test_extends_is_a_file_name(problems, value):
    """Anything but text is refused."""
    assert "file name" in problems(f"extends: {value}\n")[0].message


# --- under -----------------------------------------------------------------------------------------------------------


def test_a_reform_burns_in_under_the_base(write):
    """`under` names the file whose chain and policy hold before the start, also for those who extend it."""
    base = write(f"{SMALL}initial: {{kind: burn_in, under: base.yaml}}\n", "base.yaml")
    reform = write("extends: base.yaml\npolicy: null\nchain:\n  - {id: incubator, places: 80}\n")
    scenario = load(reform)
    assert (scenario.chain[1].places, scenario.burn_in.chain[1].places) == (80, 40)
    assert (scenario.policy, scenario.burn_in.policy) == ((), load(base).policy)
    assert load(base, {"chain.incubator.places": 80}).burn_in.chain[1].places == 40


def test_without_under_the_scenario_burns_in_under_itself(small):
    """Null means itself."""
    scenario = load(small)
    assert scenario.burn_in is scenario
    changed = scenario.replace({"chain.incubator.places": 80})
    assert changed.burn_in is changed


@pytest.mark.parametrize("name", ["../x.yaml", "missing.yaml", "/etc/passwd"])
def test_under_follows_the_rules_of_extends(problems, name):
    """It may not lead out either, and must exist."""
    found = problems(f"{SMALL}initial: {{kind: burn_in, under: {name}}}\n")
    assert (found[0].line, found[0].column) == (10, 33)


# --- overrides -------------------------------------------------------------------------------------------------------


def test_overrides_reach_any_value(small):
    """Dotted paths, list items by id; the file keeps the rest."""
    changes = dict([override("chain.incubator.places=80"), override("policy.rent.share.incubator=0.9")])
    scenario = load(
        small, {**changes, "horizon.months": 12, "policy.rent.budget": 4e7, "arrivals.channel.domestic": 0.55}
    )
    assert scenario.chain[1].places == 80
    assert scenario.policy[0].model_dump()["share"] == {"incubator": 0.9}
    assert (scenario.horizon.months, scenario.policy[0].budget) == (12, 4e7)
    assert load(small, {"policy": None}).policy == ()
    assert load(small, {"policy.rent.remove": True}).policy == ()
    assert (
        load(small, dict([override("chain.incubator.tenancy={value: 2, unit: years, assumed: x}")])).chain[1].tenancy
        == 24
    )


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("chain.incubatr.places", "chain.incubator.places"),
        ("chain.incubator.place", "chain.incubator.places"),
        ("policy.rent.shar.incubator", "policy.rent.share.incubator"),
        ("behavior.growth.kappa", "behaviour.growth.kappa"),
        ("horizon.month", "horizon.months"),
    ],
)
def test_an_unknown_path_gets_the_nearest(small, path, near):
    """`--set` refuses a path that does not exist."""
    for attempt in (lambda: load(small, {path: 1}), lambda: load(small).replace({path: 1})):
        with pytest.raises(ScenarioError, match=f"did you mean {near}") as refused:
            attempt()
        assert refused.value.problems[0].path == path


@pytest.mark.parametrize("text", ["places", "=3", "a=010", "a=!!python/name:os.system x"])
def test_an_unsound_assignment_is_refused(text):
    """`path=value`, the value in YAML."""
    with pytest.raises(ScenarioError):
        override(text)


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        ("policy.rent.budget=1e400", "policy.rent.budget", "finite"),
        ("chain.incubator={places:3}", "chain.incubator", "no value"),
        ("policy.rent=null", "policy.rent", "policy.rent.remove=true"),
        ("chain.incubator=5", "chain.incubator", "chain.incubator.remove=true"),
        ("market.domestic.by_year.20=1e12", "market.domestic.by_year.20", "calendar year"),
    ],
)
def test_what_is_wrong_with_an_assignment_is_told_with_its_path(small, text, path, word):
    """Of several `--set`, one sees which is meant; a file that extends another is not blamed for it."""
    base = small.with_name("base.yaml")
    base.write_text("extends: small.yaml\nmarket: {domestic: {by_year: {2024: 1e11}}}\n")
    with pytest.raises(ScenarioError) as refused:
        load(base, dict([override(text)]))
    (found,) = refused.value.problems
    assert (found.file, found.path) == ("--set", path)
    assert word in found.message


@pytest.mark.parametrize("chain", ["{incubator: {places: 3}}", "null", "5"])
def test_a_broken_chain_is_the_only_error(problems, small, chain):
    """Nobody knows the stages of a chain that cannot be read: an instrument that names one is not wrong for it."""
    (found,) = problems(f"extends: small.yaml\nchain: {chain}\n")
    assert found.path == "chain"


def test_errors_of_one_table_come_all_at_once(problems):
    """A wrong key does not wait until the values are mended."""
    found = problems(f"{SMALL}market: {{domestic: {{by_year: {{2024: -1, 24: 3}}}}}}\n")
    assert [p.path.rpartition(".")[2] for p in found] == ["2024", "24"]


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ("36", (24, 48)),
        ("{value: 3, unit: years, assumed: x}", (24, 48)),
        ("{value: 36, range: [30, 40], assumed: x}", (30, 40)),
        ("60", None),
        ("null", None),
    ],
)
def test_a_number_keeps_the_range_of_the_one_that_it_replaces(write, value, limits):
    """A range stated below holds, in the unit of the key, for a new number that lies in it and states none itself."""
    stated = "tenancy: {value: 3, unit: years, range: [2, 4], assumed: x}"
    base = write(SMALL.replace("places: 40", stated), "base.yaml")
    between = write("extends: base.yaml\nchain: [{id: incubator, tenancy: 30}]\n", "between.yaml")
    path, changes = "chain.incubator.tenancy", dict([override(f"chain.incubator.tenancy={value}")])
    plain = changes if value.startswith("{") or value == "null" else {path: int(value)}
    for found in (load(base, changes), load(between, changes), load(base).replace(plain)):
        assert found._origins[path].range == limits


# --- languages -------------------------------------------------------------------------------------------------------


def test_problems_can_be_said_in_chinese(problems):
    """A problem remembers its template, so that the same one can be said in either language."""
    (found,) = problems(SMALL.replace("40", "-3"))
    assert in_language(found, "zh").message == "必须 >= 0 places（实为 -3）"
    assert in_language(found, "en") == found


def test_a_misspelt_id_gets_the_nearest_one(tmp_path):
    """A misspelt id makes a new entry, which lacks what the meant one has: the error names that one."""
    shutil.copy(Path(__file__).parents[2] / "scenarios" / "yiwu.yaml", tmp_path)
    reform = tmp_path / "reform.yaml"
    reform.write_text("schema: 1\nextends: yiwu.yaml\nchain:\n  - {id: incubater}\npolicy:\n  - {id: rentt}\n")
    with pytest.raises(ScenarioError) as found:
        load(reform)
    assert [str(p).rpartition("; ")[2] for p in found.value.problems] == [
        "did you mean incubator?",
        "did you mean rent?",
    ]
