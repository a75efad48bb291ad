"""What each assumption moves: paired, told from chance, kept and found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim.experiments.sensitivity.swings import Swings, keep, kept, swings
from sim.experiments.sensitivity.uncertainty import uncertainties
from sim.scenario import load

CITY = """\
schema: 1
horizon: {months: 24}
arrivals: {per_year: {value: 60, range: [30, 120], assumed: small}}
chain:
  - {id: village, facilities: 1}
  - {id: hub, facilities: 1, places: {value: 3, range: [3, 9], assumed: few}, threshold: 100_000}
behaviour: {exit: {chance_per_year: {value: 0.05, range: [0, 0.9], assumed: a wide guess}}}
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    file = tmp_path_factory.mktemp("city") / "city.yaml"
    file.write_text(CITY, encoding="utf-8")
    return load(file)


@pytest.fixture(scope="module")
def found(city) -> Swings:
    return swings(city, ("survival_12m", "arrivals"), replicates=3, jobs=2)


def test_every_assumed_number_goes_to_both_ends(city, found):
    """Each assumed number that has a range is at both of its ends, and no published one is."""
    assumed = [u.path for u in uncertainties(city).vary if not u.known]
    rows = found.table[found.table["outcome"] == "arrivals"]
    assert list(rows["path"]) == [path for path in assumed for _ in range(2)]
    ends = rows.pivot(index="path", columns="end", values="value").loc["behaviour.exit.chance_per_year"]
    assert (ends["low"], ends["high"]) == (0.0, 0.9)


def test_what_must_move_moves(found):
    """Leaving at random moves survival down at its upper end; the number of arrivals moves arrivals; both are clear."""
    lives = found.ranked("survival_12m").set_index("path").loc["behaviour.exit.chance_per_year"]
    assert lives["effect_high"] < -0.2 < 0 <= lives["effect_low"]
    ranked = found.ranked("arrivals")
    assert ranked["path"].iloc[0] == "arrivals.per_year"
    assert all(path.startswith("arrivals.") for path in ranked.loc[ranked["rank"].notna(), "path"])


def test_the_same_luck_makes_no_noise(found):
    """What changes nothing has an effect of exactly 0 with an interval of length 0: pairs share their luck."""
    rows = found.table[(found.table["outcome"] == "arrivals") & ~found.table["path"].str.startswith("arrivals.")]
    assert (rows[["effect", "ci_low", "ci_high"]] == 0).all(axis=None)
    place = found.table[(found.table["path"] == "chain.hub.places") & (found.table["end"] == "low")]
    assert (place["effect"] == 0).all()  # where it is already


def test_the_mean_is_that_of_the_pairs(city, found):
    """An effect is the mean of what the runs differ by, pair by pair, as simulated one by one."""
    from sim.experiments.points import measure
    from sim.experiments.sensitivity.smaller import from_empty
    from sim.simulation import simulate

    small = from_empty(city)
    moved = small.replace({"behaviour.exit.chance_per_year": 0.9})
    values = [
        [measure(simulate(s, replicate=r), s, ["survival_12m"])["survival_12m"].value for r in range(3)]
        for s in (small, moved)
    ]
    rows = found.table.set_index(["path", "end", "outcome"])
    effect = rows.loc[("behaviour.exit.chance_per_year", "high", "survival_12m"), "effect"]
    assert effect == pytest.approx(np.mean(np.subtract(*values[::-1])))


def test_totals_are_those_of_the_whole_city(city):
    """Runs of one founder in ten still tell the arrivals of the whole city; shares are as they are."""
    large = swings(city.replace({"arrivals.per_year": 1_000}), ("arrivals", "survival_12m"), replicates=1, founders=200)
    assert large.by == 10
    assert 1_600 < large.base["arrivals"] < 2_400
    assert 0 < large.base["survival_12m"] < 1


def test_unclear_ones_have_no_rank():
    """A number whose intervals hold 0 at both ends comes after all told from chance, however large it looks."""
    rows = [
        ("a", "low", -9.0, -20.0, 2.0), ("a", "high", 9.0, -2.0, 20.0),
        ("b", "low", -1.0, -1.5, -0.5), ("b", "high", 0.0, 0.0, 0.0),
        ("c", "low", -2.0, -2.5, -1.5), ("c", "high", 8.0, -1.0, 17.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["path", "end", "effect", "ci_low", "ci_high"])
    table = table.assign(outcome="x", value=0.0, n=3)
    ranked = Swings(table, {"x": 0.0}, {"x": ""}, None, 1, 3).ranked("x")
    assert list(ranked["path"]) == ["c", "b", "a"]
    assert list(ranked["rank"].fillna(0)) == [1, 2, 0]


def test_they_are_kept_for_this_scenario_only(city, found, tmp_path):
    """What was kept comes back the same; for another scenario, other outcomes or a damaged file it does not."""
    keep(found, city, tmp_path)
    again = kept(city, ("survival_12m", "arrivals"), tmp_path)
    assert again is not None
    pd.testing.assert_frame_equal(again.table, found.table, check_dtype=False)
    assert (again.base, again.units, again.by, again.replicates) == (
        found.base,
        found.units,
        found.by,
        found.replicates,
    )
    assert kept(city.replace({"seed": 2}), ("survival_12m", "arrivals"), tmp_path) is None
    assert kept(city, ("survival_12m",), tmp_path) is None
    (tmp_path / "swings.parquet").write_bytes(b"PAR1")
    assert kept(city, ("survival_12m", "arrivals"), tmp_path) is None
