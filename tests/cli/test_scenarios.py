import json
import re
from pathlib import Path

import jsonschema
import pytest

import sim
from sim.scenario.starter import FILES

ROOT = Path(__file__).parents[2]


def inside(folder):
    """Files of a folder, by relative path."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_new_makes_a_folder_that_works(command, place):
    """The starter's scenario, reform and study are valid without a warning, and the reform changes the scenario."""
    said = command("new", "my city").stdout
    assert inside(place / "my city") == sorted(FILES)
    files = [f"my city/{name}" for name in FILES if name.endswith(".yaml")]
    assert command.json("check", *files)["files"] == [{"file": f, "valid": True, "problems": []} for f in files]
    hashes = {command.json("describe", f)["hash"] for f in files[:2]}
    assert len(hashes) == 2
    for line in ("sim run my city/scenario.yaml", "sim sweep my city/studies/places.yaml", "my city/first_look.ipynb"):
        assert line in said


def test_what_new_proposes_runs(command, place):
    """Every command that `new` proposes works as it stands, and the study tells what places do."""
    command("new", "city")
    command("run", "city/scenario.yaml", "-n", "2", "--no-figures")
    assert (
        "孵化器席位翻倍"
        in command("compare", "city/scenario.yaml", "city/reform.yaml", "-n", "2", "--lang", "zh").stdout
    )
    told = command.json("sweep", "city/studies/places.yaml", "-o", "out", "-j", "1")
    assert (told["points"], told["runs"], told["failed"]) == (12, 48, 0)
    reached = {row["point"]: row["mean"] for row in told["summary"] if row["outcome"] == "reached_incubator"}
    at = {tuple(v[p] for p in sorted(v) if p.startswith("chain.")): reached[k] for k, v in told["values"].items()}
    assert at[(27, 500_000)] > at[(9, 500_000)] > at[(9, 2_000_000)]


def test_the_starter_is_the_classroom():
    """The starter stands by itself, and is the city of scenarios/classroom.yaml but for its name and its replicates."""
    ours, theirs = sim.classroom().resolved(), sim.load(ROOT / "scenarios" / "classroom.yaml").resolved()
    for plain in (ours, theirs):
        for key in ("name", "description", "replicates"):
            del plain[key]
    assert ours == theirs


@pytest.mark.parametrize("times", [1, 3, 10])
def test_a_larger_classroom(times):
    """A city so many times as large has so many times the people, places and courses, and says at what scale."""
    small, large = sim.classroom(), sim.classroom(times=times)
    assert large.arrivals.per_year == times * small.arrivals.per_year
    assert [s.capacity for s in large.chain[1:]] == [times * s.capacity for s in small.chain[1:]]
    assert large.why("policy.training.courses").value == 4 * times
    assert large.market.background.entities == times * small.market.background.entities
    assert f"1:{100 / times:g}" in large.name.en
    assert large.why("chain.incubator.threshold").file == "scenario.yaml"
    assert not large.warnings


@pytest.mark.long
def test_the_starters_notebook_runs(command, place, monkeypatch):
    """The notebook runs where it lies, as Jupyter would run its cells."""
    command("new", "city")
    monkeypatch.chdir("city")
    monkeypatch.setenv("SIM_LANG", "en")
    from matplotlib import pyplot as plt

    space = {}
    for cell in json.loads(Path("first_look.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
    plt.close("all")
    assert space["study"].points["point"].nunique() == 12
    assert inside(Path()) == sorted(FILES)


def test_new_never_overwrites(command, place):
    """A folder with something in it is refused and stays as it is; an empty one is filled."""
    (place / "empty").mkdir()
    command("new", "empty")
    (place / "empty" / "scenario.yaml").write_text("mine")
    command("new", "empty", code=2)
    assert (place / "empty" / "scenario.yaml").read_text() == "mine"


def test_new_says_its_files_in_json(command):
    """--json before the verb names the files."""
    assert json.loads(command("--json", "new", "x").stdout)["files"] == [f"x/{name}" for name in FILES]


@pytest.mark.parametrize(
    ("lang", "word", "count"), [("en", "must be >= 0", "errors: 3"), ("zh", "必须 >= 0", "3个错误")]
)
def test_check_lists_every_error(command, place, lang, word, count):
    """All errors of all files come at once as file:line:col path: message, in the user's language; exit 2."""
    text = (place / "tiny.yaml").read_text(encoding="utf-8")
    (place / "bad.yaml").write_text(text.replace("places: 3", "places: -3").replace("horizon", "horizn") + "sed: 1\n")
    result = command("check", "bad.yaml", "tiny.yaml", "--lang", lang, code=2)
    places = re.findall(r"^bad\.yaml:(\d+):\d+ ([\w.]+): \S", result.stdout, re.MULTILINE)
    assert places == [("3", "horizn"), ("8", "chain.hub.places"), ("11", "sed")]
    assert f"chain.hub.places: {word}" in result.stdout
    assert count in result.stderr
    assert "tiny.yaml" in result.stderr


def test_check_shows_warnings(command, place):
    """A warning is marked as one and is no failure."""
    (place / "odd.yaml").write_text("schema: 1\nextends: tiny.yaml\narrivals: {per_year: 7}\n")
    assert "odd.yaml:3:22 arrivals.per_year: warning: 7 lies outside" in command("check", "odd.yaml").stdout
    assert "警告：" in command("check", "odd.yaml", "--lang", "zh").stdout
    assert command.json("check", "odd.yaml")["files"][0]["problems"][0]["severity"] == "warning"


def test_check_shows_notes(command, place):
    """What is good to know is said by `check`, marked as a note, and is neither a warning nor a failure."""
    more = "policy: [{id: pay, type: stipend, eligible_share: {value: 0.31, assumed: x}}]\n"
    (place / "odd.yaml").write_text(f"schema: 1\nextends: tiny.yaml\narrivals: {{per_year: 30_000}}\n{more}")
    said = command("check", "odd.yaml")
    assert re.search(r"odd\.yaml:4:\d+ policy\.pay: note: pay: about \d+ million CNY a year", said.stdout)
    assert "warning" not in said.output
    assert "policy.pay: 提示：" in command("check", "odd.yaml", "--lang", "zh").stdout
    (told,) = command.json("check", "odd.yaml")["files"][0]["problems"]
    assert told["severity"] == "note"
    assert "note" not in command("describe", "odd.yaml").output


OWN = """\
from typing import Literal
from sim.policy import PolicyInstrument, quantity
class Mine(PolicyInstrument):
    type: Literal["mine"] = "mine"
    amount: float = quantity(3.0, unit="CNY", low=0, zh="金额", assumed="x")
    def eligible(self, people, now):
        return people.age.nonzero()[0]
    def cost(self, people, now, rows):
        return 100
"""


def test_an_instrument_of_ones_own(command, place):
    """`check`, `describe`, `figures audit` and the schema know it; what is wrong with its file is no traceback."""
    (place / "mine.py").write_text(OWN)
    (place / "own.yaml").write_text(
        "extends: tiny.yaml\ncomponents: ['mine:Mine']\npolicy: [{id: m, type: mine, budget: 1e6}]\n"
    )
    assert command.json("check", "own.yaml")["files"][0]["valid"]
    assert "policy.m.amount = 3" in command("describe", "own.yaml", "--why", "policy.m.amount").stdout
    assert "policy.m.amount" in command("figures", "audit", "own.yaml").stdout
    (place / "all.yaml").write_text(command("describe", "own.yaml").stdout)
    assert command.json("describe", "all.yaml")["hash"] == command.json("describe", "own.yaml")["hash"]
    schema = json.loads(command("check", "--schema", "own.yaml").stdout)
    assert "policy_mine" in schema["$defs"]
    (place / "mine.py").write_text(OWN.replace("return 100", "return (100"))
    said = command("run", "own.yaml", code=2).stderr
    assert said.startswith("own.yaml:2:14 components: mine.py:9 cannot be used: SyntaxError")


def test_check_in_json(command):
    """--json gives each problem with its place, and still exits with 2."""
    found = command.json("check", "tiny.yaml", "no.yaml", code=2)["files"]
    assert [entry["valid"] for entry in found] == [True, False]
    assert set(found[1]["problems"][0]) == {"file", "line", "column", "path", "severity", "message"}


def test_check_quietly(command):
    """--quiet leaves only what is wrong."""
    assert command("check", "tiny.yaml", "--quiet").output == ""


def test_schema_for_editors(command):
    """--schema prints a sound JSON Schema."""
    schema = json.loads(command("check", "--schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "chain" in schema["properties"]


def test_describe_gives_a_file_that_stands_alone(command, place):
    """What describe prints is a scenario file with the same hash, and --set shows in it."""
    (place / "all.yaml").write_text(command("describe", "tiny.yaml", "--set", "chain.hub.places=7").stdout)
    assert "places: 7" in (place / "all.yaml").read_text()
    changed = command.json("describe", "tiny.yaml", "--set", "chain.hub.places=7")
    assert command.json("describe", "all.yaml")["hash"] == changed["hash"]
    assert changed["scenario"]["chain"][1]["places"] == 7


def test_describe_why(command):
    """--why names value, unit, place and source; in JSON under the audit's names."""
    said = command("describe", "tiny.yaml", "--why", "arrivals.per_year", "--lang", "zh").stdout
    assert "arrivals.per_year = 50" in said
    assert "tiny.yaml:5:" in said
    told = command.json("describe", "tiny.yaml", "--why", "chain.hub.places")
    assert (told["value"], told["file"], told["line"], told["status"]) == (3, "tiny.yaml", 8, "unsourced")


def test_describe_why_of_a_section(command):
    """--why of a section tells each of its numbers: in a table, and in JSON as a list."""
    said = command("describe", "tiny.yaml", "--why", "chain.hub").stdout
    assert re.search(r"^chain\.hub\.places +3 ", said, re.MULTILINE)
    assert "chain.hub.tenancy" in said
    assert "chain.village" not in said
    told = command.json("describe", "tiny.yaml", "--why", "chain.hub")
    assert told["path"] == "chain.hub"
    assert {row["path"].rpartition(".")[0] for row in told["values"]} == {"chain.hub"}
    assert len(said.splitlines()) == len(told["values"]) + 3
    said = command("describe", "tiny.yaml", "--why", "chain.hab", code=2).stderr
    assert "chain.hab" in said


def test_all_bad_settings_at_once(command):
    """Each --set that cannot be read is named."""
    said = command("describe", "tiny.yaml", "--set", "one", "--set", "two", code=2).stderr
    assert '"one"' in said
    assert '"two"' in said
