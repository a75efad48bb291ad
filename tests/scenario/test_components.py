"""A scenario's own instruments: found beside it, checked, hashed, written out; and nothing else is executed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from sim.errors import RunError, ScenarioError
from sim.presentation.catalogue import error
from sim.scenario import Scenario, load
from sim.scenario.components import fault
from sim.scenario.messages import in_language
from sim.simulation import simulate

ROOT = Path(__file__).parents[2]
SMALL = (Path(__file__).parent / "small.yaml").read_text()
GRANT = """\
from typing import Literal
from sim.policy import PolicyInstrument, quantity

class VillageGrant(PolicyInstrument):
    type: Literal["village_grant"] = "village_grant"
    amount: float = quantity(3000.0, unit="CNY", low=0, zh="补助", en="grant", assumed="an example")
    months: int = quantity(6, unit="months", low=1, assumed="an example")

    def eligible(self, people, now):
        return (people.age == self.months).nonzero()[0]

    def cost(self, people, now, rows):
        return round(100 * self.amount)
"""
OWN = f"""{SMALL}\
  - {{id: grant, type: village_grant, amount: 500}}
components: ["my_grant:VillageGrant"]
"""


@pytest.fixture
def here(write):
    """A scenario with an instrument of its own, and the folder."""
    write(GRANT, "my_grant.py")
    return write(OWN, "own.yaml").parent


def own_of(scenario: Scenario):
    return next(i for i in scenario.policy if i.id == "grant")


# --- it works like a built-in one -----------------------------------------------------------------------------------


def test_it_is_an_instrument_like_any_other(here):
    """Values, defaults, units, reasons, `--set` and `--why` are those of a built-in instrument."""
    scenario = load(here / "own.yaml", {"policy.grant.months": {"value": 2, "unit": "years", "assumed": "x"}})
    assert (own_of(scenario).amount, own_of(scenario).months) == (500.0, 24)
    assert scenario.why("policy.grant.amount").zh == "补助"
    assert scenario.why("policy.grant.amount").line == 10
    assert scenario.provenance["policy.grant.months"].assumed == "x"
    assert own_of(scenario.replace({"policy.grant.amount": 7})).amount == 7
    assert own_of(scenario.replace({"policy.grant.amount": {"value": 8, "assumed": "x"}})).amount == 8
    assert scenario.replace({"policy.grant.remove": True}).policy[0].id == "rent"


def test_notes_of_its_own_end_with_the_run(here):
    """What an instrument keeps in itself, and not in `remembers`, is no part of the next run of the same scenario."""
    private = "    _paid: set = PrivateAttr(default_factory=set)\n"
    once = """
    def takers(self, people, now, rows):
        return rows[[uid not in self._paid for uid in people.uid[rows].tolist()]]

    def apply(self, people, now, rows):
        self._paid.update(people.uid[rows].tolist())
"""
    source = GRANT.replace("age == self.months", "age >= self.months").replace(
        "from sim.policy", "from pydantic import PrivateAttr\nfrom sim.policy"
    )
    (here / "my_grant.py").write_text(source.replace("\n    def eligible", private + "\n    def eligible") + once)
    scenario = load(here / "own.yaml", {"horizon.months": 24})
    paid = [
        simulate(scenario, replicate=1)["ledger"].query("instrument == 'grant'")["paid_cny"].sum() for _ in range(2)
    ]
    assert paid[0] == paid[1] > 0
    people = simulate(scenario, replicate=1)["entrepreneurs"]
    assert paid[0] == 500 * (people["duration_months"] > 6).sum()


@pytest.mark.parametrize(
    ("entry", "path", "word"),
    [
        ("amuont: 3", "policy.grant.amuont", "did you mean amount?"),
        ("amount: -3", "policy.grant.amount", ">= 0 CNY"),
        ("amount: 5万", "policy.grant.amount", "50_000"),
        ("amount: {value: 3, unit: months}", "policy.grant.amount", "does not fit CNY"),
        ("months: 1.5", "policy.grant.months", "whole number, in months"),
        ("amount: {evidence: nothing}", "policy.grant.amount", "no figure"),
    ],
)
def test_its_parameters_are_validated(problems, write, entry, path, word):
    """Mistakes in its entry are told with place, unit and nearest name."""
    write(GRANT, "my_grant.py")
    (found,) = problems(OWN.replace("amount: 500", entry))
    assert (found.path, found.line) == (path, 10)
    assert word in found.message


def test_a_misspelt_type_gets_the_nearest_of_both(problems, write):
    """Types of the scenario's own are known names; an unknown one points to `components`."""
    write(GRANT, "my_grant.py")
    assert "did you mean village_grant?" in problems(OWN.replace("type: village_", "type: vilage_"))[0].message
    assert "`components:`" in problems(SMALL.replace("rent_relief", "quite_another"))[0].message


def test_a_reform_inherits_it(write, here):
    """What extends a scenario has its instruments, may change them, and may add its own, from a folder below too."""
    write(GRANT.replace("village_grant", "other").replace("VillageGrant", "Other"), "sub/my_grant.py")
    write("extends: ../own.yaml\ncomponents: ['my_grant:Other']\npolicy: [{id: o, type: other}]\n", "sub/a.yaml")
    scenario = load(write("extends: sub/a.yaml\npolicy: [{id: grant, amount: 9}]\n", "b.yaml"))
    assert (own_of(scenario).amount, scenario.policy[-1].amount) == (9, 3000)
    assert scenario.components == ("my_grant:VillageGrant", "sub.my_grant:Other")
    assert set(scenario.component_files()) == {"my_grant.py", "sub/my_grant.py"}


def test_a_burn_in_may_have_one(write, here):
    """`under` brings the instruments of the file it names, and `to_yaml` holds both."""
    text = f"{SMALL}initial: {{kind: burn_in, under: own.yaml}}\n"
    scenario = load(write(text))
    assert own_of(scenario.burn_in).amount == 500
    assert scenario.components == ("my_grant:VillageGrant",)
    assert own_of(load(write(SMALL + "initial: {kind: burn_in}\n")).replace({"initial.under": "own.yaml"}).burn_in)
    assert again_from(scenario, here / "again").hash() == scenario.hash()


def again_from(scenario: Scenario, folder: Path) -> Scenario:
    folder.mkdir()
    (folder / "scenario.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    for name, content in scenario.component_files().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return load(folder / "scenario.yaml")


def test_what_is_written_out_loads_elsewhere(here):
    """The resolved scenario and its component files are enough, in another folder."""
    scenario = load(here / "own.yaml")
    again = again_from(scenario, here / "run")
    assert again.hash() == scenario.hash()
    assert again.resolved() == scenario.resolved()
    assert again.component_files() == scenario.component_files() == {"my_grant.py": GRANT.encode()}


def test_a_folder_name_that_is_no_python_name_is_written_out_too(here, write):
    """A file in a folder such as `2024-plan` comes under a name that can be written in an entry."""
    write(GRANT, "2024-plan/my_grant.py")
    write(OWN, "2024-plan/a.yaml")
    scenario = load(write("extends: 2024-plan/a.yaml\n", "b.yaml"))
    assert again_from(scenario, here / "run").hash() == scenario.hash()


def test_the_hash_depends_on_the_source(here, write):
    """Another line of code, another scenario; an instrument that is named and not used does not count."""
    before = load(here / "own.yaml")
    write(GRANT.replace("== self.months", ">= self.months"), "my_grant.py")
    after = load(here / "own.yaml")
    assert before.hash() != after.hash()
    assert before != after
    plain, named = load(write(SMALL)), load(write(f"{SMALL}components: ['my_grant:VillageGrant']\n"))
    assert plain.hash() == named.hash()
    assert load(here / "own.yaml") == after


def test_two_files_of_one_name_do_not_collide(here, write, tmp_path):
    """Two scenarios in one process keep their own `my_grant`; none is importable under that name."""
    other = GRANT.replace("3000.0", "4000.0")
    write(other, "elsewhere/my_grant.py")
    write(OWN.replace(", amount: 500", ""), "elsewhere/own.yaml")
    one, two = load(here / "own.yaml", {"policy.grant.amount": 3000}), load(tmp_path / "elsewhere" / "own.yaml")
    assert (own_of(one).amount, own_of(two).amount) == (3000, 4000)
    assert type(own_of(one)) is not type(own_of(two))
    assert own_of(one.replace({"seed": 4})).__class__ is own_of(one).__class__
    assert "my_grant" not in sys.modules
    assert not list(tmp_path.rglob("__pycache__"))


def test_annotations_may_be_postponed(here, write):
    """`from __future__ import annotations`, nested models and lists of names work as in a file of the house."""
    text = f"""from __future__ import annotations
PATTERN = "\\d"  # Python warns of it
from sim.evidence.quantity import Parameters
{GRANT}

class Extra(Parameters):
    each: float = quantity(1.0, unit="CNY", low=0, assumed="x")

class Rich(VillageGrant):
    type: Literal["rich"] = "rich"
    extra: Extra = Extra()
    stages: tuple[str, ...] = ()
    kinds: tuple[Literal["a", "b"], ...] = ("a",)
    weights: tuple[float, ...] = quantity((), unit="share", assumed="x")
"""
    write(text, "rich.py")
    entry = "{id: r, type: rich, extra: {each: {value: 2, assumed: y}}, stages: [village], kinds: [b], weights: [0.5]}"
    scenario = load(write(f"{SMALL}  - {entry}\ncomponents: ['rich:Rich']\n"))
    rich = scenario.policy[-1]
    assert (rich.extra.each, rich.stages, rich.kinds, rich.weights) == (2, ("village",), ("b",), (0.5,))
    assert scenario.why("policy.r.stages").value == ("village",)
    assert scenario.why("policy.r.stages").line == 10
    assert again_from(scenario, here / "run").policy[-1].model_dump() == rich.model_dump()
    assert scenario.replace({"policy.r.stages": ["incubator"]}).policy[-1].stages == ("incubator",)
    for wrong, path, word in [
        ("stages: village", "stages", "must be a list"),
        ("stages: [1]", "stages.0", "must be text"),
        ("stages: [vilage]", "stages.0", "did you mean village?"),
        ("kinds: [c]", "kinds.0", "must be a / b"),
        ("weights: [x]", "weights.0", "must be a number"),
        ("extra: {eahc: 3}", "extra.eahc", "did you mean each?"),
    ]:
        with pytest.raises(ScenarioError) as refused:
            load(write(f"{SMALL}  - {{id: r, type: rich, {wrong}}}\ncomponents: ['rich:Rich']\n"))
        (found,) = refused.value.problems
        assert found.path == f"policy.r.{path}"
        assert word in found.message
        assert (found.line, found.column > 1) == (10, True)


def test_objects_do_in_python(here, write):
    """An instrument that was made in Python needs no entry; its file is kept where it has one."""
    kind = type(own_of(load(here / "own.yaml")))
    scenario = load(write(SMALL)).replace({"policy": [kind(id="grant", amount=3.0)]})
    assert scenario.components == ("my_grant:VillageGrant",)
    assert own_of(scenario.replace({"policy.grant.amount": 4})).amount == 4
    assert again_from(scenario, here / "run").hash() == scenario.hash()

    class Made(kind):
        def cost(self, people, now, rows):
            return 1

    made = Scenario(chain=scenario.chain, policy=(Made(id="grant"),))
    plain = Scenario(chain=scenario.chain, policy=(kind(id="grant"),))
    assert made.components == ()
    assert made.hash() != plain.hash()
    assert own_of(made.replace({"policy.grant.amount": {"value": 4, "assumed": "x"}})).cost(None, None, None) == 1
    with pytest.raises(ValueError, match="in Python"):
        Scenario(chain=scenario.chain, components=("my_grant:VillageGrant",))


def test_an_installed_module_is_named_by_its_path(here, write, monkeypatch):
    """A class of an importable module needs no file beside; one module of its own is kept, a package is not."""
    write(GRANT, "site/lone_grant_module.py")
    write("", "site/grant_package/__init__.py")
    write(GRANT, "site/grant_package/grants.py")
    monkeypatch.syspath_prepend(str(here / "site"))
    lone = load(write(OWN.replace("my_grant:", "lone_grant_module:")))
    assert set(lone.component_files()) == {"lone_grant_module.py"}
    packed = load(write(OWN.replace("my_grant:", "grant_package.grants:")))
    assert packed.component_files() == {}
    assert packed.components == ("grant_package.grants:VillageGrant",)
    assert packed.hash() == lone.hash() == load(here / "own.yaml").hash()


def test_editors_know_it(here):
    """The schema of a file has its own instruments; the general one lets a file with `components` have others."""
    text = {"components": ["my_grant:VillageGrant"], "policy": [{"id": "g", "type": "village_grant", "amount": 3}]}
    general = jsonschema.Draft202012Validator(Scenario.json_schema())
    own = jsonschema.Draft202012Validator(Scenario.json_schema(load(here / "own.yaml").own))
    assert general.is_valid(text)
    assert own.is_valid(text)
    text["policy"][0]["amount"] = "3"
    assert not own.is_valid(text)
    assert not general.is_valid({"policy": [{"id": "g", "type": "village_grant"}]})
    assert not general.is_valid({**text, "policy": [{"id": "g", "type": "training", "seats": "3"}]})


# --- what may be named ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("my_grant", "module:Class"),
        ("my_grant.VillageGrant", "module:Class"),
        ("my_grant.py:VillageGrant", "leave out .py"),
        ("my_grant：VillageGrant", "full-width"),
        ("../my_grant:VillageGrant", "module:Class"),
        ("/etc/my_grant:VillageGrant", "module:Class"),
        ("..my_grant:VillageGrant", "module:Class"),
        ("my_grnt:VillageGrant", "did you mean my_grant?"),
        ("my_grant:VilageGrant", "did you mean VillageGrant?"),
        ("sub.my_grant:VillageGrant", "there is no file sub/my_grant.py"),
        ("sim.policy.stipend:Instrument", "comes with the program"),
        ("antigravity:fly", "holds no class"),
        ("folder:X", "is a folder"),
        ("out:VillageGrant", "leads out"),
    ],
)
def test_an_entry_that_names_nothing_good_is_refused(problems, here, entry, word):
    """One error at the entry, with the remedy, and none that follows from it."""
    (here / "folder.py").mkdir()
    outside = here.parent / f"{here.name}.py"
    outside.write_text(GRANT)
    os.symlink(outside, here / "out.py")
    (found,) = problems(OWN.replace("my_grant:VillageGrant", entry))
    assert (found.line, found.column) == (11, 14)
    assert found.path.startswith("components")
    assert word in found.message
    assert in_language(found, "zh").message != found.message


@pytest.mark.parametrize(
    ("change", "to", "at", "word"),
    [
        ("def eligible(self, people, now):", "def eligible(self， people, now):", 9, "SyntaxError"),
        ('"补助"', '"补助', 6, "SyntaxError"),
        ("quantity(3000.0", "quantities(3000.0", 6, "NameError: name 'quantities' is not defined"),
        ("from typing", "import my_other\nfrom typing", 1, "one file"),
        ("from typing", "1/0\nfrom typing", 1, "ZeroDivisionError"),
        ("from typing", "import sys\nsys.exit(0)\nfrom typing", 2, "SystemExit"),
        ("months: int", "months: Month", 7, "Month"),
        ("from typing", "x = " + "1+" * 20_000 + "1\nfrom typing", "", "RecursionError"),
        ("def cost(", "def costs(", 4, "does not say its `cost`"),
        ("def eligible(", "def elligible(", 4, "does not say its `eligible`"),
        ("amount: float", "cost: float = 3.0\n    amount: float", 4, "hides the method"),
        ('    type: Literal["village_grant"] = "village_grant"\n', "", 4, 'type: Literal["village_grant"]'),
        ('"village_grant"', '"Village grant"', 4, 'type: Literal["village_grant"]'),
        ('"village_grant"', '"training"', 4, "comes with the program"),
        ("(PolicyInstrument)", "", 4, "write `class VillageGrant(PolicyInstrument)`"),
        ("    type:", "    model_config = {'frozen': False}\n    type:", 4, "frozen"),
        ("    type:", "    remembers = {'paid': 'bool'}\n    type:", 4, "i1, i2, i4, i8, f8"),
        ("    type:", "    stages: list[str] = []\n    type:", 4, "tuple"),
        ('assumed="an example"', 'evidence="subsidy_bachelor_per_yr"', 4, "did you mean subsidy_bachelor_per_year?"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(problems, write, change, to, at, word):
    """The user's own mistakes are errors at the entry that say file and line there; no traceback, nothing left over."""
    write(GRANT, "my_other.py")
    write(GRANT.replace(change, to), "my_grant.py")
    before = set(sys.modules)
    (found,) = problems(OWN)
    assert (found.line, found.column, found.path) == (11, 14, "components")
    assert (f"my_grant.py:{at}" if at else "my_grant.py") in found.message
    assert word in found.message
    assert str(found).isprintable()
    left = [name for name in set(sys.modules) - before if "my_" in name]
    assert left == [] or (at == 4 and all(name.startswith("sim_component_my_grant_") for name in left))


def test_two_instruments_of_one_type_are_refused(problems, write):
    """A type names one class in a scenario."""
    write(GRANT, "my_grant.py")
    write(GRANT, "other.py")
    (found,) = problems(OWN.replace('["my_grant', '["other:VillageGrant", "my_grant'))
    assert "another instrument of type village_grant (other:VillageGrant)" in found.message


@pytest.mark.parametrize("value", ["my_grant:VillageGrant", "{a: b}", "[3]", "[[a]]"])
def test_components_are_a_list_of_names(problems, write, value):
    """Anything else is one error."""
    write(GRANT, "my_grant.py")
    (found,) = problems(OWN.replace('["my_grant:VillageGrant"]', value))
    assert found.path.startswith("components")


def test_nothing_is_executed_that_is_not_named(write):
    """A file beside a scenario that no entry names stays text, and so does one without the class that is named."""
    bomb = "from pathlib import Path\nPath(__file__).with_suffix('.fired').touch()\n"
    at = write(bomb + GRANT, "my_grant.py").parent
    write(bomb, "other.py")
    load(write(SMALL))
    for entry in ("other:VillageGrant", "my_grant:Other", "my_grant", "other.my_grant:VillageGrant"):
        with pytest.raises(ScenarioError):
            load(write(OWN.replace("my_grant:VillageGrant", entry)))
    assert not list(at.glob("*.fired"))
    load(write(OWN))
    load(write(OWN))
    assert [p.name for p in at.glob("*.fired")] == ["my_grant.fired"]


def test_the_place_of_what_it_raises_in_a_run_is_found(here, write):
    """An exception of the author's method is traced to his file and line; one from elsewhere is not."""
    write(GRANT.replace("round(100 * self.amount)", "1 / 0"), "my_grant.py")
    instrument = own_of(load(here / "own.yaml"))
    with pytest.raises(ZeroDivisionError) as raised:
        instrument.cost(None, None, None)
    assert fault(raised.value) == "my_grant.py:13: ZeroDivisionError: division by zero"
    with pytest.raises(ZeroDivisionError) as elsewhere:
        1 / 0  # noqa: B018
    assert fault(elsewhere.value) is None


@pytest.mark.parametrize("given", ["-1", "-np.ones(len(rows))", "np.where(rows == rows[0], -5, 3)"])
def test_a_negative_cost_is_a_mistake_of_the_component(here, write, given):
    """It would take money that no ledger books; its file and line are told, as of any other mistake."""
    write("import numpy as np\n" + GRANT.replace("round(100 * self.amount)", given), "my_grant.py")
    with pytest.raises(RunError) as raised:
        simulate(load(here / "own.yaml", {"horizon.months": 24}))
    english = str(raised.value)
    assert english.startswith("policy.grant: my_grant.py:13: NegativeCost: a cost must be 0 or more fen (got -")
    assert "费用不得为负" in error(english, "zh")


# --- the README's example -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def readme(tmp_path_factory):
    """The files of the README's example, beside the shipped scenarios."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## An instrument of your own\n")[1].split("\n## ")[0]
    code, scenario = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    folder = tmp_path_factory.mktemp("readme")
    (folder / "yiwu.yaml").write_bytes((ROOT / "scenarios" / "yiwu.yaml").read_bytes())
    (folder / "my_grant.py").write_text(code, encoding="utf-8")
    (folder / "my_city.yaml").write_text(scenario, encoding="utf-8")
    assert len((code + scenario).splitlines()) <= 25
    return folder


SMALLER = {
    "initial": {"kind": "empty", "under": None},
    "arrivals.per_year": {"value": 600, "assumed": "a test"},
    "horizon.months": {"value": 18, "assumed": "a test"},
}


def city(readme: Path, **lever: object) -> Scenario:
    return load(readme / "my_city.yaml", {**SMALLER, **{f"policy.grant.{k}": v for k, v in lever.items()}})


def test_the_readmes_example_pays_whom_it_says(readme):
    """In a run, each village shop is paid 5,000 CNY once, half a year after it opened, and nobody else."""
    from sim.model import Pipeline

    model, due = Pipeline(city(readme), collect=False), 0
    while model.running:
        village = model.houses.stage_of[model.people.house] == 0
        due += np.count_nonzero((model.people.age == 6) & village)
        model.step()
    books = model.tables()["ledger"]
    grants = books[books["instrument"] == "grant"]
    assert grants["recipients"].sum() == due > 100
    assert (grants["paid_cny"] == 5000 * grants["recipients"]).all()
    assert set(grants["stage"]) == {"village"}


def test_the_readmes_example_keeps_the_contract(readme):
    """It stops at its budget, off it changes no bit, and both engines give the same books."""
    from sim.simulation import simulate

    def books(**lever: object):
        return simulate(city(readme, **lever))

    tight = books(budget=60_000)["ledger"]
    grants = tight[tight["instrument"] == "grant"]
    by_year = grants.groupby((grants["month"] + 3) // 12)["paid_cny"].sum()
    assert by_year.max() == 60_000
    none = simulate(city(readme).replace({"policy.grant.remove": True}))
    for off in ({"active": False}, {"since": "2099-01"}, {"budget": 0}):
        tables = books(**off)
        assert all(tables[name].equals(none[name]) for name in ("entrepreneurs", "months", "transitions"))
    objects = simulate(city(readme).replace({"engine": "objects"}))
    assert objects["entrepreneurs"].equals(books()["entrepreneurs"])


def test_the_readmes_example_stands_on_the_command_line(readme):
    """`sim check` and `describe --why` know it, and neither loads the compiler."""
    command = [sys.executable, "-m", "sim"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SIM_LANG": "zh", "PYTHONUTF8": "1"}
    told = subprocess.run(
        [*command, "check", "my_city.yaml", "--json"],
        cwd=readme, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(told.stdout)["files"][0]["valid"]
    why = subprocess.run(
        [*command, "describe", "my_city.yaml", "--why", "policy.grant.months"],
        cwd=readme, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "policy.grant.months = 6" in why.stdout
    heavy = "numba", "mesa", "pandas", "scipy"
    code = f"import sys, sim; sim.load('my_city.yaml').warnings; print([m for m in {heavy} if m in sys.modules])"
    light = subprocess.run(
        [sys.executable, "-c", code], cwd=readme, env=environment, capture_output=True, text=True, check=True
    )
    assert light.stdout.strip() == "[]"
