"""Levers that move nothing: whatever the instrument, told with place and reason, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.policy._instrument import types
from sim.scenario import load
from sim.scenario.messages import in_language

SMALL = (Path(__file__).parent / "small.yaml").read_text()
NOBODY = "arrivals: {channel: {domestic: 1, livestream: 0, cross_border: 0}, origin: {graduate: 0, local: 1}}\n"


def told(write, text: str, key: str = "no_effect") -> list[tuple[str, str]]:
    scenario = load(write(text))
    found = [p for p in (*scenario.warnings, *scenario.notes) if p.key == key]
    assert all(p.line > 0 and in_language(p, "zh").message != p.message for p in found)
    return [(p.path, p.message) for p in found]


@pytest.mark.parametrize(
    ("lever", "path", "word"),
    [
        ("{id: a, type: stipend, eligible_share: 0}", "policy.a.eligible_share", "nobody gets"),
        ("{id: a, type: stipend, founders_qualify: false}", "policy.a.founders_qualify", "nobody gets"),
        (
            "{id: a, type: stipend, amount: {associate: 0, bachelor: 0, master: 0, phd: 0}}",
            "policy.a.amount",
            "pays nothing",
        ),
        ("{id: a, type: training, seats: 0}", "policy.a.seats", "nobody gets"),
        ("{id: a, type: training, effect: 0}", "policy.a.effect", "only costs"),
        ("{id: a, type: training, budget: 0}", "policy.a.budget", "budget is 0"),
        ("{id: a, type: training, budget_total: 0}", "policy.a.budget_total", "budget is 0"),
        ("{id: a, type: rent_relief, share: {incubator: 0, village: 0}}", "policy.a.share", "every entry is 0"),
        ("{id: a, type: award, amount: 0}", "policy.a.amount", "pays nothing"),
        ("{id: a, type: contest, teams: 0}", "policy.a.teams", "nobody gets"),
        ("{id: a, type: loan, take_up: 0}", "policy.a.take_up", "nobody gets"),
        ("{id: a, type: fund, covers: [rent], budget: null}", "policy.a.budget", "limits nothing"),
    ],
)
def test_a_lever_that_moves_nothing_is_told(write, lever, path, word):
    """The key that stops it is named, with the reason."""
    ((at, message),) = told(write, f"{SMALL}  - {lever}\n")
    assert at == path
    assert word in message


@pytest.mark.parametrize(
    ("lever", "path"),
    [
        ("{id: a, type: certificate, channel: livestream}", "policy.a.channel"),
        ("{id: a, type: stipend}", "policy.a"),
        ("{id: a, type: college_park}", "policy.a"),
    ],
)
def test_a_lever_for_people_who_do_not_come_is_told(write, lever, path):
    """A certificate for a channel, or a stipend for graduates, that nobody has."""
    ((at, _),) = told(write, f"{SMALL}  - {lever}\n{NOBODY}")
    assert at == path


@pytest.mark.parametrize("part", ["places: 0", "rent: 0"])
def test_relief_for_a_stage_without_places_or_rent_is_told(write, part):
    """And only for that stage."""
    text = SMALL.replace("places: 40", part).replace("{incubator: 0.5}", "{incubator: 0.5, village: 0.5}")
    found = dict(told(write, text))
    assert "policy.rent.share.incubator" in found
    assert "policy.rent.share.village" not in found


@pytest.mark.parametrize("kind", [t for t in types() if t not in ("fund", "rent_relief")])
def test_no_instrument_is_idle_by_default(write, kind):
    """With its defaults every instrument moves something in a city like ours, or says on which key it waits."""
    scenario = load(write(f"{SMALL}  - {{id: a, type: {kind}}}\n  - {{id: f, type: fund, covers: [a]}}\n"))
    assert [p.path for p in scenario.warnings if p.key == "no_effect"] == []


def test_who_gives_a_reason_for_no_effect_means_it(write):
    """A course without effect is a finding of some studies; cash has its own; inactive levers are not looked at."""
    assert told(write, f"{SMALL}  - {{id: a, type: training, effect: {{value: 0, assumed: as in a trial}}}}\n") == []
    assert told(write, f"{SMALL}  - {{id: a, type: training, seats: 0, active: false}}\n") == []
    assert told(write, f"{SMALL}  - {{id: a, type: overseas, effect: 0}}\n") == []  # there is the grant
    assert told(write, f"{SMALL}  - {{id: a, type: stipend}}\narrivals: {{per_year: 0}}\n") == []


def test_a_fund_of_what_is_switched_off_is_told(write):
    """It limits nobody."""
    text = f"{SMALL}  - {{id: f, type: fund, covers: [t]}}\n  - {{id: t, type: training, active: false}}\n"
    assert told(write, text) == [("policy.f.covers", "has no effect here: nothing that it covers is switched on")]


# --- dates ----------------------------------------------------------------------------------------------------------

HORIZON = "horizon: {start: 2024-04, months: 24}\n"
BURN_IN = "initial: {kind: burn_in, months: 24, under: %s}\n"


@pytest.mark.parametrize(
    ("dates", "start", "key"),
    [
        ("since: 2026-04", "", "no_effect"),
        ("since: 2026-03", "", None),
        ("since: 2024-06, until: 2025-01", "", None),
        ("until: 2024-03", "", "no_effect"),
        ("until: 2024-04", "", None),
        ("until: 2024-03", BURN_IN % "x.yaml", "only_before"),
        ("until: 2022-04", BURN_IN % "x.yaml", "only_before"),
        ("until: 2022-03", BURN_IN % "x.yaml", "no_effect"),
        ("until: 2024-03", BURN_IN % "small.yaml", "no_effect"),
        ("since: 2024-03", "", "acts_from_start"),
        ("since: 2024-04", "", None),
        ("since: 2024-03", BURN_IN % "x.yaml", None),
        ("since: 2024-03", BURN_IN % "small.yaml", "acts_from_start"),
    ],
)
def test_dates_outside_the_horizon_are_told(write, small, dates, start, key):
    """To the month: what never acts is a warning, what acts otherwise than its dates say is a note."""
    text = f"{SMALL}  - {{id: t, type: training, {dates}}}\n{HORIZON}{start}"
    scenario = load(write(text))
    assert [p.key for p in (*scenario.warnings, *scenario.notes)] == ([key] if key else [])
    assert all(p.path.startswith("policy.t.") and p.line == 10 for p in (*scenario.warnings, *scenario.notes))
    assert len(scenario.warnings) == (key == "no_effect")


def test_a_stipend_after_the_end_is_told(write):
    """Nobody works two years in a horizon of two years that starts from an empty city."""
    text = f"{SMALL}  - {{id: s, type: stipend, first_after: %d}}\n{HORIZON}"
    assert [path for path, _ in told(write, text % 24)] == ["policy.s.first_after"]
    assert told(write, text % 23) == []
