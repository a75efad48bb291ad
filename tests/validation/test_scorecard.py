"""What passes, what counts, and what a coin would pass as well."""

import pytest

from sim.validation.fact import Fact, Part, found, measured
from sim.validation.nulls import NULLS
from sim.validation.record import NotKnown
from sim.validation.scorecard import MODEL, Line, lines, measures, score

ONE = (Part("x", 0.0, 1.0, "share"),)


def fact(id="a", use="scored", parts=ONE, measure=None):
    return Fact(id, None, "size", parts, measure or (lambda record: {"x": 0.5}), (), "high", use)


@pytest.mark.parametrize(
    ("low", "high", "inside", "outside"),
    [(0.2, 0.4, (0.2, 0.3, 0.4), (0.19, 0.41)), (None, 0.4, (-9.0, 0.4), (0.41,)), (0.2, None, (0.2, 9.0), (0.1,))],
)
def test_a_band_holds_both_ends(low, high, inside, outside):
    """A band includes its ends; a side that is open has none."""
    part = Part("x", low, high, "share")
    assert all(map(part.holds, inside))
    assert not any(map(part.holds, outside))


def test_all_parts_must_hold():
    """A fact of two numbers passes when both means are in their bands, and their spread is that between replicates."""
    two = fact(parts=(Part("x", 0.0, 1.0, "share"), Part("y", None, 5.0, "ratio")))
    finding = found(two, [{"x": 0.9, "y": 4.0}, {"x": 1.0, "y": 5.0}])
    assert finding.passed
    assert finding.mean(two.parts[1]) == 4.5
    assert finding.sd(two.parts[1]) == pytest.approx(0.5**0.5)
    assert not found(two, [{"x": 0.9, "y": 5.5}]).passed
    assert found(two, [{"x": 0.9, "y": 5.5}]).sd(two.parts[0]) is None


def test_unknown_is_not_failed():
    """What no replicate knows is neither passed nor failed, and keeps its reason; one that knows it is enough."""
    finding = found(fact(), [NotKnown("few", count=3, needed=30)] * 2)
    assert finding.passed is None
    assert finding.reason == NotKnown("few", count=3, needed=30)
    assert found(fact(), [NotKnown("few"), {"x": 0.5}]).passed


def test_a_number_that_is_none_is_not_known(record):
    """NaN and infinity are no values."""
    assert measured(fact(measure=lambda record: {"x": float("nan")}), record({})) == NotKnown("no_number", part="x")


def test_the_score_counts_what_it_should():
    """Fitted and unknown facts do not count; of those that count, the ones that a null passes are counted apart."""
    facts = [fact(id) for id in "abcd"] + [fact("e", use="fitted")]
    good, bad, unknown = {"x": 0.5}, {"x": 2.0}, NotKnown("few")
    model = {"a": good, "b": good, "c": bad, "d": unknown, "e": bad}
    coin = {"a": bad, "b": good, "c": unknown, "d": good, "e": good}
    card = lines([{MODEL: model, NULLS[0]: coin, NULLS[1]: dict.fromkeys("abcde", unknown)}], facts)
    assert isinstance(card[0], Line)
    assert [line.easy for line in card] == [False, True, False, True, True]
    found = score(card)
    assert (found.passed, found.known, found.hard_passed, found.hard_known, found.unknown) == (2, 3, 1, 2, 1)


def test_a_run_without_a_panel_has_no_nulls(record, make_people):
    """Where a null model cannot be fitted, the model is scored all the same."""
    survive = fact(measure=lambda record: {"x": record.survival(12)})
    seen = record({"entrepreneurs": make_people([120] * 40, False)})
    out = measures(seen, chosen=[survive])
    assert out[MODEL]["a"] == {"x": 1.0}
    assert all(isinstance(out[kind]["a"], NotKnown) for kind in NULLS)
