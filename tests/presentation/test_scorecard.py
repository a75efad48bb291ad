"""What the scorecard says, in either language, on the screen and for machines."""

import json

import pytest

from sim.experiments.scoring.scorecard import Scorecard
from sim.presentation.scorecard import Card, fact_name, plain, reason
from sim.presentation.screen import say
from sim.validation.fact import Finding
from sim.validation.nulls import NULLS
from sim.validation.record import NotKnown
from sim.validation.registry import facts
from sim.validation.scorecard import Line

SCENARIO = {"name": {"zh": "[bold]小城", "en": "[bold]Tiny"}}


def middle(part):
    """A value in the middle of the band, or just inside it."""
    if part.low is None:
        return 0.9 * part.high
    return 1.1 * part.low if part.high is None else (part.low + part.high) / 2


def beyond(part):
    """A value outside the band."""
    return part.low / 3 - 1 if part.high is None else 1.3 * part.high + 0.1


def finding(fact, at=middle, replicates=2):
    return Finding(fact, {part.id: (at(part),) * replicates for part in fact.parts})


def card(unknown=(), failing=(), easy=(), replicates=2):
    """All facts hold, but for those that fail or are not known; null models pass the easy ones only."""
    lines = []
    for fact in facts():
        model = finding(fact, beyond if fact.id in failing else middle, replicates)
        if fact.id in unknown:
            model = Finding(fact, {}, NotKnown("too_short_for_age", months=24, age=108))
        null = finding(fact, middle if fact.id in easy else beyond)
        if fact.family == "city":
            null = Finding(fact, {}, NotKnown("not_in_a_null"))
        lines.append(Line(fact, model, dict.fromkeys(NULLS, null)))
    return Scorecard(SCENARIO, tuple(lines), replicates, 7)


def shown(capsys, found, lang):
    say(Card(found, lang))
    return capsys.readouterr().out


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_fact_is_shown_within_a_hundred_columns(capsys, lang):
    """All facts stand on the card, with the scenario's name inert; the table stays within the usual width."""
    from rich.cells import cell_len

    said = shown(capsys, card(), lang)
    flat = "".join(said.split())
    for fact in facts():
        first = fact_name(fact, lang).split("，")[0].split(",")[0][:8]
        assert "".join(first.split()) in flat, fact.id
    assert "[bold]" in said
    table = said[: said.index("±", said.rindex("✓"))]
    assert max(cell_len(line) for line in table.splitlines()) <= 100


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "en",
            ("11 of 12 scored facts hold (92 %)", "Of the 11 that no null model passes, 10 hold", "Closing rises"),
        ),
        ("zh", ("计分的12项事实中有11项成立（92%）", "11项是空模型通不过的，成立10项", "关店风险随店龄先升后降")),
    ],
)
def test_the_verdict_counts(capsys, lang, expected):
    """The sentence has the score, of all and of those that no null model passes, and names what fails."""
    flat = "".join(shown(capsys, card(failing=("hazard_shape",), easy=("concentration",)), lang).split())
    assert all("".join(text.split()) in flat for text in expected)


@pytest.mark.parametrize(("lang", "why"), [("en", "the run is 24 months long"), ("zh", "模拟只有24个月")])
def test_what_is_not_known_has_a_footnote(capsys, lang, why):
    """A fact that cannot be known has a dash and a footnote with the reason, one for all that share it."""
    said = shown(capsys, card(unknown=("tent", "gibrat")), lang)
    assert said.count("–[1]") == 2
    assert said.count("[1] ") >= 1
    assert why in said


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_answer_carries_its_basis(capsys, lang):
    """Below stand what survival means, what it rests on, and that flows between stages cannot be validated."""
    from sim.presentation.catalogue import text

    flat = "".join(shown(capsys, card(), lang).split())
    for key in ("answer.survival_means", "answer.cannot_validate", "facts.basis", "facts.nulls", "facts.unverified"):
        assert "".join(text(key, lang).split()) in flat, key
    single = shown(capsys, card(replicates=1), lang)
    assert "±0" not in single


def test_json_holds_all(capsys):
    """Machines get every number with band, unit, spread and verdict, the null models and the reasons; never NaN."""
    told = json.loads(json.dumps(plain(card(unknown=("hazard_shape",), failing=("grant",)), "en"), allow_nan=False))
    assert told["score"] == {
        "passed": 10, "known": 11, "passed_no_null_passes": 10, "known_no_null_passes": 11, "unknown": 1,
    }  # fmt: skip
    by_id = {fact["id"]: fact for fact in told["facts"]}
    assert list(by_id) == [fact.id for fact in facts()]
    grant = by_id["grant"]
    assert grant["passed"] is False
    assert grant["parts"]["points"]["low"] == 0.15
    assert grant["parts"]["points"]["values"] == [grant["parts"]["points"]["mean"]] * 2
    assert set(grant["nulls"]) == set(NULLS)
    assert by_id["hazard_shape"]["passed"] is None
    assert "24 months" in by_id["hazard_shape"]["reason"]
    assert by_id["survival_1y"]["use"] == "fitted"
    assert not by_id["survival_1y"]["counts"]
    assert any("cannot be validated" in note for note in told["notes"])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_reason_has_words(lang):
    """Each reason that the facts, the null models and the trials give is in the catalogue, with its values."""
    import re
    from pathlib import Path

    import sim

    root = Path(sim.__file__).parent
    files = [*(root / "validation").glob("*.py"), root / "experiments" / "scoring" / "trials.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    keys = set(re.findall(r'NotKnown\(\s*"(\w+)"', source)) | {"no_panel", "no_table"}
    assert len(keys) > 12
    values = {"months": 1, "age": 2, "needed": 3, "count": 4, "table": "x", "part": "y"}
    for key in keys:
        assert reason(NotKnown(key, **values), lang) != key
