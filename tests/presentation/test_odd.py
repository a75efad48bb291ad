"""The ODD says what the code does, in both languages; and each way of drifting apart is noticed."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

import sim
import sim.presentation.odd.details as details
import sim.presentation.odd.overview as overview
import sim.presentation.odd.submodels as submodels
from sim.chain.stage import Stage
from sim.entrepreneurs import behaviour, rules
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.arrivals import Arrivals
from sim.entrepreneurs.behaviour import Behaviour
from sim.entrepreneurs.columns import COLUMNS, Field
from sim.entrepreneurs.streams import Stream
from sim.evidence.quantity import Parameters, quantity
from sim.market.demand import Market
from sim.model import Pipeline
from sim.policy import _instrument, stipend
from sim.presentation.odd import Odd, drift, odd
from sim.presentation.odd.source import attributes, blocks, find, fingerprint, phases
from sim.presentation.odd.words import CONCEPTS, _texts
from sim.scenario import load
from sim.scenario.schema import Horizon, Initial, Scenario
from sim.simulation import simulate
from sim.tables import TABLES, Column

LANGUAGES = ("zh", "en")
CITY = Path(__file__).parents[2] / "scenarios" / "yiwu.yaml"
SYMBOLS = {
    *(
        "A",
        "B",
        "D",
        "E",
        "F",
        "J",
        "K",
        "N",
        "N_1",
        "N_2",
        "N_3",
        "N_4",
        "S*",
        "S_b",
        "U",
        "d",
        "e",
        "i",
        "k",
        "p",
        "q",
    ),
    *("s", "t", "t_i", "t_k", "t_first", "t_last", "x", "y", "V_i", "V_k", "V_first", "V_last", "T_leave", "T_restart"),
    *("U_apply", "U_chance", "U_review", "Exp", "exp", "ln", "min", "max", "floor"),
}
"""What an equation may hold beside state variables and parameters: functions, draws, and what its text defines."""


@pytest.fixture(scope="module", params=LANGUAGES)
def written(request: pytest.FixtureRequest) -> Odd:
    return odd(request.param)


@pytest.fixture(scope="module")
def english() -> Odd:
    return odd("en")


def element(protocol: Odd, number: str) -> str:
    """An element of the protocol with all below it."""
    below = (s for s in protocol.sections if s.number.split(".")[: number.count(".") + 1] == number.split("."))
    return "\n\n".join(f"# {s.title}\n\n{s.body}" for s in below)


def rows(text: str) -> Iterator[list[str]]:
    """The rows of all tables of a text, headings included."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def numbers(model: BaseModel, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a parameter model by dotted path."""
    for key, value in model:
        here = f"{path}.{key}" if path else key
        if isinstance(value, BaseModel):
            yield from numbers(value, here)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield here, value


# the protocol and the code agree ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_has_drifted(lang):
    """No text is missing, out of date or left over; whoever changes the code is told which words to look at again."""
    assert drift(lang) == []


def test_seven_elements_and_eleven_concepts(written):
    """The protocol has its seven elements, then the sources; the fourth has the eleven design concepts."""
    assert [s.number for s in written.sections if s.level == 1] == list("12345678")
    assert len(CONCEPTS) == 11
    concepts = [s for s in written.sections if s.level == 2 and s.number.startswith("4.")]
    assert len({s.title for s in concepts}) == 11
    assert all(len(s.body) > 80 for s in concepts)


def test_both_languages_say_the_same_things():
    """Sections, equations, tables, rows and names in code type correspond one to one."""
    zh, en = odd("zh"), odd("en")
    for one, other in zip(zh.sections, en.sections, strict=True):
        assert (one.level, one.number) == (other.level, other.number)
        assert one.body.count("```text") == other.body.count("```text"), one.number
        first = [row[0] for row in rows(one.body) if row[0].startswith("`")]
        assert first == [row[0] for row in rows(other.body) if row[0].startswith("`")], one.number
        assert len(list(rows(one.body))) == len(list(rows(other.body))), one.number
        assert one.body.count("\n\n") == other.body.count("\n\n"), one.number


def test_headings_agree():
    """Headings, units and equation words stand in both languages with the same placeholders, and each is used."""
    for section in ("heading", "unit"):
        zh, en = _texts("zh")[section], _texts("en")[section]
        assert set(zh) == set(en)
        for key in en:
            assert set(re.findall(r"\{(\w+)\}", zh[key])) == set(re.findall(r"\{(\w+)\}", en[key])), key
    code = "".join(path.read_text("utf-8") for path in Path(overview.__file__).parent.glob("*.py"))
    dynamic = r"element_\d|draw_\w+|verb_\w+|m_\w+|col_\w+|value_\w+|use_\w+|in_cash|in_kind|" + "|".join(CONCEPTS)
    for key in _texts("en")["heading"]:
        assert re.fullmatch(dynamic, key) or f'"{key}"' in code, key
    equations = "\n".join(re.findall(r"```text\n(.*?)```", odd("en").markdown(), re.DOTALL))
    for said in _texts("zh")["equation"]:
        assert said in equations, said


def test_every_name_in_an_equation_is_explained():
    """What stands in an equation is a state variable, a parameter, a symbol of one, or mathematics."""
    text = odd("zh").markdown()  # whose equations have no English words
    told = {name.rpartition(".")[2] for name in re.findall(r"`([a-z_][\w.]*)`", text)}
    told |= {row[1] for row in rows(element(odd("zh"), "2"))}
    for equation in re.findall(r"```text\n(.*?)```", text, re.DOTALL):
        assert set(re.findall(r"[A-Za-z][\w*]*", equation)) <= told | SYMBOLS, equation


def test_every_state_variable_is_there(written):
    """Every column of the state stands in element 2, with its unit and meaning."""
    found = {row[0]: row for row in rows(element(written, "2.1.1")) if len(row) == 6}
    for column in COLUMNS:
        assert f"`{column}`" in found, column
        assert all(found[f"`{column}`"][i] for i in (2, 3, 5)), column


def test_fixed_state_variables_are_those_that_never_change():
    """In a run with every instrument, exactly the variables that the ODD calls fixed keep their first value."""
    full = load(CITY.with_name("yiwu_full_policy.yaml"))
    scenario = full.replace({"initial.kind": "empty", "initial.under": None, "arrivals.per_year": 3000})
    chain = tuple(
        s.model_copy(update={"places": s.places and 2, "threshold": s.threshold / 30, "or_net_income": None})
        for s in scenario.chain
    )
    policy = tuple(
        i.model_copy(update={"take_up": 0.3} if "take_up" in type(i).model_fields else {}) for i in full.policy
    )
    model = Pipeline(scenario.model_copy(update={"chain": chain, "policy": policy}), collect=False)
    changed, was = set[str](), model.people.take(np.zeros(0, np.int64))
    for _ in range(48):
        model.step()
        now = model.people.take(np.argsort(model.people.uid))
        _, mine, theirs = np.intersect1d(now["uid"], was["uid"], return_indices=True)
        changed |= {name for name in COLUMNS if (now[name][mine] != was[name][theirs]).any()}
        was = now
    assert set(COLUMNS) - changed == set(overview.FIXED)


def test_the_month_is_in_the_order_of_a_run(written):
    """The processes of element 3 and the submodels of element 7 follow one another as they do in a running model."""
    seen: list[str] = []

    def watched(owner: type, names: list[str]) -> type:
        def noting(name: str) -> Any:
            def method(self: Any, *given: Any) -> Any:
                seen.append(name)
                return getattr(super(kind, self), name)(*given)

            return method

        kind = type(owner.__name__, (owner,), {name: noting(name) for name in names})
        return kind

    methods = [n for n, f in vars(Pipeline).items() if inspect.isfunction(f) and not n.startswith("_")]
    verbs = [n for n, f in vars(Entrepreneur).items() if inspect.isfunction(f) and not n.startswith("_")]
    inner = ("step", "now", "luck", "tally")
    city = watched(Pipeline, [n for n in methods if n not in inner])
    scenario = Scenario(
        chain=(Stage(id="village", facilities=1),), engine="objects", arrivals=Arrivals(per_year=600.0),
        horizon=Horizon(months=2),
    )  # fmt: skip
    model = city(scenario, founder=watched(Entrepreneur, [n for n in verbs if n not in inner]), collect=False)
    seen.clear()
    model.step()
    order = list(dict.fromkeys(seen))
    table = [row[1].strip("`") for row in rows(element(written, "3.1"))][1:]
    assert table == order
    titles = [s.title for s in written.sections if s.level == 2 and s.number.startswith("7.")]
    said = [row[2] for row in rows(element(written, "3.1")) if row[0].isdigit()]
    assert [t.casefold() for t in titles[: len(said)]] == [s.casefold() for s in said]


@pytest.mark.parametrize(("model", "path"), [(Behaviour, "behaviour"), (Market, "market"), (Arrivals, "arrivals")])
def test_every_parameter_has_its_present_default(written, model, path):
    """Every number of behaviour, market and arrivals stands in element 7 under its path, with value and source."""
    found: dict[str, list[str]] = {}
    for section in written.sections:
        if match := re.search(rf"`({path}[\w.]*)`$", section.title):
            found |= {f"{match[1]}.{row[0].strip('`')}": row for row in rows(section.body)}
    expected = dict(numbers(model(), path))
    assert len(expected) > 9
    for name, value in expected.items():
        row = found[name]
        assert float(row[3].replace(",", "")) == pytest.approx(value, rel=1e-9), name
        assert row[1], name
        assert row[-1], name


def test_every_instrument_is_a_submodel(written):
    """Each file of the policy folder has a section with all parameters of its own, and says who, what and how much."""
    folder = Path(_instrument.__file__).parent
    types = [p.stem for p in folder.glob("*.py") if not p.stem.startswith("_") and p.stem != "ledger"]
    assert len(types) >= 13
    for type in types:
        (section,) = (s for s in written.sections if f"`{type}`" in s.title)
        own = set(_instrument.find(type).model_fields) - set(_instrument.PolicyInstrument.model_fields)
        shown = {row[0].strip("`").split(".")[0] for row in rows(section.body)}
        assert own <= shown, type
        assert section.body.count("**") >= 2, type


def test_every_rule_is_described(written):
    """Each function that the rulebook's file marks as a rule stands in element 7, once."""
    tree = ast.parse(Path(rules.__file__).read_text("utf-8"))
    marked = [
        f.name
        for f in tree.body
        if isinstance(f, ast.FunctionDef) and any(isinstance(d, ast.Name) and d.id == "rule" for d in f.decorator_list)
    ]
    assert set(marked) - set(submodels.rulebook()) == {"unpacked"}
    for rule in submodels.rulebook():
        assert len(re.findall(rf"\*\*`{rule}`[.。]\*\*", element(written, "7"))) == 1, rule


def test_every_stream_and_admission_rule_is_described(written):
    """Streams stand with the design concept, admission rules with the submodel."""
    assert [row[0] for row in rows(element(written, "4.9"))][1:] == [str(s.value) for s in Stream]
    for rule in ("merit", "lottery", "waiting", "score"):
        assert f"**`{rule}`" in element(written, "7.6")


def test_the_tables_of_a_run_are_the_outputs(written):
    """Element 7 describes the tables that a run leaves behind: no more, no fewer, with all their columns."""
    scenario = Scenario(
        chain=(Stage(id="village", facilities=1),), arrivals=Arrivals(per_year=60.0), horizon=Horizon(months=2),
        observe=("panel",),
    )  # fmt: skip
    assert {*simulate(scenario), "summary"} == set(details.RUN_TABLES)
    for name in details.RUN_TABLES:
        (section,) = (s for s in written.sections if s.title.endswith(f"`{name}`") and s.number.startswith("7.7."))
        assert [row[0].strip("`") for row in rows(section.body)][1:] == [c.name for c in TABLES[name]]


# each way of drifting apart is noticed ----------------------------------------------------------------------------


def _a_column(patch: pytest.MonkeyPatch) -> str:
    patch.setitem(COLUMNS, "mood", Field("f8", "share", "how he feels"))
    return "COLUMNS.mood"


def _a_parameter(patch: pytest.MonkeyPatch) -> str:
    class Fashion(Parameters):
        """What is worn."""

        skirts: float = quantity(0.5, unit="share", low=0, high=1, en="length of skirts", assumed="no source")

    class More(Behaviour):
        fashion: Fashion = Fashion()

    Fashion.__module__, Fashion.__qualname__ = behaviour.__name__, "Fashion"
    patch.setattr(behaviour, "Fashion", Fashion, raising=False)
    patch.setattr(submodels, "Behaviour", More)
    return "Fashion.skirts: says nothing"


def _a_phase(patch: pytest.MonkeyPatch) -> str:
    def step(self: Any) -> None:
        self.share_demand()  # 1 demand moves, and is shared among those who trade
        self.observe(None)  # 2 what happened is written down

    patch.setattr(Pipeline, "step", step)
    return "the month is"


def _a_number_of_a_phase(patch: pytest.MonkeyPatch) -> str:
    def step(self: Any) -> None:
        self.share_demand()  # 2 demand moves, and is shared among those who trade

    patch.setattr(Pipeline, "step", step)
    return "share_demand is step 1, not 2"


def _a_rule(patch: pytest.MonkeyPatch) -> str:
    def bribe(c: Any) -> float:
        """What he pays under the table."""
        return 0.0

    bribe.__module__ = rules.__name__
    patch.setattr(rules, "bribe", bribe, raising=False)
    return "rules.bribe: described nowhere"


def _an_equation(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(rules.learn, "__doc__", str(rules.learn.__doc__).replace("max(1", "min(1"))
    return "rules.learn: out of date"


def _a_silent_rule(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(rules.settle, "__doc__", None)
    return "rules.settle: says nothing"


def _an_instrument(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(stipend.Instrument.eligible, "__doc__", "Everybody.")
    return "stipend.Instrument.eligible: out of date"


def _a_stream(patch: pytest.MonkeyPatch) -> str:
    patch.setattr(Stream, "__doc__", str(Stream.__doc__).replace("    TIE : month\n", "    KNOT : month\n"))
    return "Stream.TIE"


def _an_output(patch: pytest.MonkeyPatch) -> str:
    patch.setitem(TABLES, "city", (*TABLES["city"], Column("noise", "float64", "", "how loud it is")))
    return "city.noise"


def _a_submodel_of_no_phase(patch: pytest.MonkeyPatch) -> str:
    patch.setitem(submodels.PARTS, "tax", ())
    return "submodels are"


def _a_left_over_text(patch: pytest.MonkeyPatch) -> str:
    patch.setitem(_texts("zh")["code"], "sim.entrepreneurs.rules.gone", ["00000000", "没有了"])
    return "left over"


def _a_lost_equation(patch: pytest.MonkeyPatch) -> str:
    of, said = _texts("zh")["code"]["sim.entrepreneurs.rules.trade"]
    patch.setitem(_texts("zh")["code"], "sim.entrepreneurs.rules.trade", [of, said.replace("{1}", "")])
    return "must hold {1}"


@pytest.mark.parametrize(
    "change",
    [
        *(_a_column, _a_parameter, _a_phase, _a_number_of_a_phase, _a_rule, _an_equation, _a_silent_rule),
        *(_an_instrument, _a_stream, _an_output, _a_submodel_of_no_phase, _a_left_over_text, _a_lost_equation),
    ],
)
def test_drift_is_noticed(monkeypatch, change):
    """A change of the code that the words do not follow is a complaint that names it."""
    told = change(monkeypatch)
    assert any(told in complaint for complaint in drift("zh"))


def test_prose_that_rests_on_changed_code_is_noticed(monkeypatch):
    """English prose is tied to the docstrings that it rests on, and says the new fingerprint."""
    monkeypatch.setattr(rules.decide, "__doc__", "He tosses a coin.")
    complaints = [c for c in drift("en") if c.startswith("prose.")]
    assert {c.split(":")[0] for c in complaints} >= {"prose.adaptation", "prose.objectives", "prose.basic_principles"}
    rests = _texts("en")["prose"]["objectives"]["rests"]
    said = fingerprint(*("\n\n".join(b.text for b in blocks(find(name).__doc__)) for name in rests))
    assert any(c.startswith("prose.objectives") and f"now {said}" in c for c in complaints)


def test_a_new_column_is_described_without_being_asked(monkeypatch):
    """English needs no second text: what the code says of a new column is in element 2."""
    monkeypatch.setitem(COLUMNS, "mood", Field("f8", "share", "how he feels"))
    assert "| `mood` |  | how he feels | real |" in element(odd("en"), "2")


# reading the code -------------------------------------------------------------------------------------------------


def test_a_docstring_is_paragraphs_and_equations():
    """Sections are left out, lists keep their lines, and an equation is what is indented."""
    doc = """First, in
    two lines.

        x = y
          + z

    Then:

    1. one
       more
    2. two

    Parameters
    ----------
    x
        Nothing.
    """
    assert blocks(doc) == [
        ("First, in two lines.", False),
        ("x = y\n  + z", True),
        ("Then:", False),
        ("1. one more\n2. two", False),
    ]
    assert blocks(None) == []


def test_attributes_are_read_up_to_the_next_section():
    """Names, what follows the colon, and descriptions over several lines."""
    doc = """A class.

    Attributes
    ----------
    size : share
        How large
        it is.
    bare

    Notes
    -----
    None.
    """
    assert attributes(doc) == {"size": ("share", "How large it is."), "bare": ("", "")}
    assert attributes("Nothing.") == {}


def test_phases_are_calls_of_its_own_methods():
    """Assigned results count; other calls and plain statements do not."""

    class Machine:
        def step(self, other: Any) -> None:
            """Do it."""
            self.first()  # 1 the first thing
            other.call()
            found = self.second(3)  # the second thing
            print(found)

    assert phases(Machine.step) == [("first", "1", "the first thing"), ("second", "", "the second thing")]


def test_a_fingerprint_sees_words_and_not_line_breaks():
    """Wrapping a docstring anew asks for nothing; a changed word, or words moved to another text, do."""
    assert fingerprint("a b\n c") == fingerprint("a  b c") != fingerprint("a b d")
    assert fingerprint("a b", "c") != fingerprint("a", "b c")


def test_what_is_not_there_is_an_error():
    """A name that the code has lost is told, not skipped."""
    assert find("sim.chain.progress.progress").__name__ == "progress"
    with pytest.raises(LookupError, match=r"sim\.chain\.progress\.gone"):
        find("sim.chain.progress.gone")


# a scenario's values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_values_are_those_of_the_scenario(lang):
    """With a scenario, tables hold its numbers and their sources, stage by stage and instrument by instrument."""
    scenario = load(CITY).replace({"chain.incubator.places": 77, "behaviour.growth.kappa": 0.07})
    said = odd(lang, scenario)
    (incubator,) = (s for s in said.sections if s.title.endswith("`chain.incubator`"))
    held = {row[0]: row for row in rows(incubator.body)}
    assert held["`places`"][3] == "77"
    assert "n_incubation_bases" in held["`facilities`"][-1]
    assert any(row[0] == "`kappa`" and row[3] == "0.07" for row in rows(element(said, "7.4")))
    (drivers,) = (list(rows(s.body)) for s in said.sections if s.number == "6")
    used = {row[1].strip("`") for row in drivers[1:] if row[-1]}
    assert used == {
        "student_inflow_per_year",
        "ecom_txn_2013",
        "ecom_txn_2024_implied",
        "ecom_txn_2025",
        "cbec_txn_2025",
    }
    assert {s.title.partition("`")[2].strip("`") for s in said.sections if "`policy." in s.title} == {
        f"policy.{i.id}" for i in scenario.policy
    }


def test_own_instruments_and_labels_are_no_markup():
    """A scenario's own instrument is described in its own words; a label cannot become HTML or break a table."""

    class Gift(sim.policy.PolicyInstrument):
        """A gift <b>for</b> all."""

        type: str = "gift"
        size: float = quantity(5.0, unit="CNY", low=0, assumed="<i>mine</i> | yours")

        def eligible(self, people: Any, now: Any) -> Any:
            """Everybody."""
            return np.arange(people.size)

        def cost(self, people: Any, now: Any, rows: Any) -> int:
            """A little."""
            return 500

    label = {"en": "<script>x</script>"}
    scenario = Scenario(
        name=label,
        chain=(Stage(id="village", label=label, facilities=1),),
        policy=(Gift(id="gift"),),
        initial=Initial(),
    )
    text = odd("zh", scenario).markdown()
    assert "A gift \\<b>for\\</b> all." in text
    assert "Everybody." in text
    assert "\\<i>mine\\</i> \\| yours" in text
    assert not re.search(r"(?<!\\)<(script|b|i)>", text)
