"""What a planner reads and sees of a comparison: numbers with as many digits as they bear, words, figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from rich.cells import cell_len
from rich.console import Console

from sim.chain.stage import Stage
from sim.evidence.quantity import Label
from sim.experiments.comparison.compare import compare
from sim.experiments.comparison.result import Comparison, open_comparison
from sim.policy import fund, rent_relief, stipend
from sim.presentation.changes import changes
from sim.presentation.comparison import PairedAnswer, names
from sim.presentation.comparison_plots import Plots, figures, forest, gains, plane, split
from sim.presentation.digits import Measured, count, written
from sim.presentation.price_tables import verdict
from sim.presentation.sheet import Sheet

EVIL = "[bold]房租 $x_1$[/] <script>alert(1)</script>"


@pytest.fixture(scope="module")
def found(small: Any) -> Comparison:
    """Three reforms over five years: a label full of markup, a chain with a new stage, and none at all."""
    city = {"arrivals": small().arrivals.model_copy(update={"per_year": 60.0})}
    horizon = small().horizon.model_copy(update={"months": 60})
    chain = (*small().chain, Stage(id="tower", facilities=1, places=2, threshold=2e5, apply=0.5))
    reforms = {
        "evil": small(name=Label(zh=EVIL, en=EVIL), policy=(), horizon=horizon, **city),
        "tower": small(name=Label(zh="高楼", en="A tower"), chain=chain, horizon=horizon, **city),
        "same": small(name=Label(zh="照旧", en="As it is"), horizon=horizon, **city),
    }
    return compare(small(replicates=9, horizon=horizon, **city), reforms, replicates=3)


def said(found: Comparison, lang: Any, width: int = 100) -> str:
    """The answer as it is printed."""
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    with console.capture() as held:
        console.print(PairedAnswer(found, lang=lang))
    return held.get()


# digits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "half", "expected"),
    [
        (0.02398, 0.0036, "+0.024 ± 0.004"),
        (0.16312, 0.0291, "+0.163 ± 0.029"),
        (-5490.2, 223.0, "−5,490 ± 220"),
        (1234.5, 560.0, "+1,200 ± 600"),
        (-0.00004, 0.0001, "0.000 ± <0.001"),
        (17.7, 17.4, "+17.7 ± 17.4"),
        (3.0, 0.0, "+3.00"),
        (0.0, 0.0, "0"),
        (math.nan, math.nan, "–"),
    ],
)
def test_a_difference_is_written_as_well_as_it_is_known(value: float, half: float, expected: str) -> None:
    """The half-width of an interval has one digit, two if the first is 1 or 2, and the number ends where it ends."""
    assert Measured(value, value - half, value + half).give_or_take() == expected


def test_a_lopsided_interval_is_written_by_its_nearer_end() -> None:
    """A price that may be far higher keeps the digits that its lower end bears."""
    assert Measured(1361.0, 680.0, 115_000.0).span("en") == "700 to 115,000"
    assert Measured(1361.0, 680.0, 115_000.0).said() == "1,400"
    assert Measured(1361.0, 680.0, 115_000.0).span("zh") == "700 至 115,000"


def test_zero_has_no_sign_and_minus_is_a_minus() -> None:
    """A number that rounds to 0 keeps its places but no sign; below 0 it has a minus, not a hyphen."""
    assert [written(x, 1, sign=True) for x in (0.0, -0.04, 0.04, -1.26, 1.26)] == ["0", "0.0", "0.0", "−1.3", "+1.3"]
    assert [count(x) for x in (0, 3, 3.25, 1234.4)] == ["0", "3", "3.2", "1,234"]
    assert count(-3.0, sign=True) == "−3"


# words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [80, 100])
def test_the_answer_fits_its_width_in_both_languages(found: Comparison, lang: str, width: int) -> None:
    """No line is wider than the screen, no line of running text begins with a closing mark, no placeholder is left."""
    lines = said(found, lang, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not [line for line in lines if line.strip()[:1] in tuple("，。；：）、”%")]
    assert not [line for line in lines if "{" in line or "nan" in line.lower().split()]
    assert EVIL in said(found, lang, 200)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["3 reforms", "3 pairs of runs", "asks for 9 replicates; -n 9", "Through others (displacement): net",
                "the very same trade as in the base run", "nobody gets to any stage earlier", "with chain.tower",
                "without policy.stipend", "Changes nothing.", "costs the same, as many survive"]),
        ("zh", ["3个改革方案", "3对模拟", "要求重复9次；用 -n 9", "保住", "经由他人（挤出）：净变化",
                "在营的与基准是同一批人", "没有人因此提前", "增加 chain.tower", "去掉 policy.stipend", "没有改动。",
                "花钱不变，存活不变"]),
    ],
)  # fmt: skip
def test_the_answer_says_what_a_planner_asks(found: Comparison, lang: str, words: list[str]) -> None:
    """Who is saved and lost, through whom, what changed, what is the same, how many pairs: all in words."""
    told = said(found, lang, 1000)
    for word in words:
        assert word in told, word


def test_saved_lost_and_net_add_up_in_print(found: Comparison) -> None:
    """The net of the sentence is saved less lost, and the two parts of it add up to it."""
    counts = found.twins.query("scenario == 'evil' and grouping == 'all' and at == '36m'")
    mean = counts.groupby("part")[["saved", "lost"]].mean()
    net = mean["saved"] - mean["lost"]
    told = said(found, "en", 1000)
    assert f"lost {count(mean.loc['whole', 'lost'])}, net {count(net['whole'], sign=True)};" in told
    assert f"lost {count(mean.loc['direct', 'lost'])}, net {count(net['direct'], sign=True)}. Through" in told
    assert f"(displacement): net {count(net['whole'] - net['direct'], sign=True)}." in told
    row = found.costs.query("scenario == 'evil' and age_months == 36 and money == 'received'").iloc[0]
    assert row["extra_survivors"] == pytest.approx(net["whole"])


def test_reforms_go_by_their_titles_where_these_tell_them_apart(small: Any, plain: Any) -> None:
    """Two reforms of one title, and one without, go by the names that tables give them."""
    city = plain(horizon=small().horizon.model_copy(update={"months": 2}))
    titled = city.model_copy(update={"name": Label(zh="甲", en="A")})
    other = city.model_copy(update={"name": Label(zh="乙", en="B")})
    found = compare(city, {"x": titled, "y": titled, "z": other, "w": city}, replicates=2)
    assert names(found, "zh") == {"base": "基准", "x": "x", "y": "y", "z": "乙", "w": "w"}


@pytest.mark.parametrize(
    ("money", "survivors", "en", "zh"),
    [
        ((5, 4, 6), (2, 1, 3), "costs money, more survive; 2.5 CNY (2.0 to 3.0) for each", "每多一个存活者花2.5元"),
        ((-5, -6, -4), (-2, -3, -1), "saves money, fewer survive; 2.5 CNY (2.0 to 3.0) saved", "每少一个存活者省2.5元"),
        ((-5, -6, -4), (2, 1, 3), "saves money, more survive; at least as good", "两方面都不逊于基准"),
        ((5, 4, 6), (-2, -3, -1), "costs money, fewer survive; no better", "两方面都不优于基准"),
        ((5, 4, 6), (0, 0, 0), "costs money, as many survive; no better", "存活不变，两方面都不优于基准"),
        ((5, 4, 6), (2, -1, 5), "costs money, extra survivors cannot be told from 0", "存活增减与0没有显著差别"),
    ],
)  # fmt: skip
def test_a_price_in_words(money: Any, survivors: Any, en: str, zh: str) -> None:
    """Costs and survivors give a verdict; a price stands there only if both have the same sign for sure."""
    row: dict[str, Any] = {}
    for what, (mean, low, high) in {"cny": money, "survivors": survivors}.items():
        row |= {f"extra_{what}": mean, f"extra_{what}_low": low, f"extra_{what}_high": high}
    priced = money[0] * survivors[0] > 0 and survivors[1] * survivors[2] > 0
    price = (2.5, 2.0, 3.0) if priced else (None, None, None)
    row |= dict(zip(("cny_per_survivor", "ci_low", "ci_high"), price, strict=True))
    assert verdict(row, Sheet("en", "compare")).startswith(en)
    assert zh in verdict(row, Sheet("zh", "compare"))


def test_what_a_reform_changes(small: Any) -> None:
    """Paths with the value before and after; entries that come or go by their path only; labels are no change."""
    reform = small(
        policy=(
            stipend.Instrument(id="stipend", eligible_share=0.8, budget=None, label=Label(en="Another word")),
            rent_relief.Instrument(id="rent", active=False, share=small().policy[1].share),
            rent_relief.Instrument(id="more", share={"park": 0.5}),
        )
    )
    told = changes(small().resolved(), reform.resolved(), "en")
    assert told == (
        "Changes: policy.stipend.budget 60,000 → null, policy.rent.active true → false, without policy.training, "
        "with policy.more."
    )
    assert changes(small().resolved(), small().resolved(), "zh") == "没有改动。"
    later = small().chain[1:]
    much = small(chain=tuple(s.model_copy(update={"apply": 0.1, "tenancy": 5, "threshold": 1.0}) for s in later))
    listed = changes(small(chain=later).resolved(), much.resolved(), "en")
    assert listed.count("→") == 8
    assert listed.endswith("1 more.")


# figures --------------------------------------------------------------------------------------------------------------


def texts(ax: Any) -> list[str]:
    """All texts of the axes."""
    ticks = [t.get_text() for t in ax.get_yticklabels()]
    legend = [t.get_text() for t in ax.get_legend().get_texts()] if ax.get_legend() else []
    around = (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel())
    return [*ticks, *legend, *(t.get_text() for t in ax.texts), *around]


def axes() -> Any:
    return Figure().add_subplot()


def test_figures_are_drawn_and_the_same_again(found: Comparison, tmp_path: Path) -> None:
    """Each figure is there as SVG and PNG, byte for byte the same from memory and from disk; no markup is live."""
    (tmp_path / "run").mkdir()
    found.write(tmp_path / "run")
    files = figures(found, tmp_path / "a", lang="zh")
    again = figures(open_comparison(tmp_path / "run"), tmp_path / "b", lang="zh")
    expected = ["survival", "reached", "split", "split_sales", "plane", "gains_1", "gains_2", "gains_3"]
    assert [f.name for f in files] == [f"{name}.{end}" for name in expected for end in ("svg", "png")]
    for one, other in zip(files, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert b"<script" not in one.read_bytes()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_label_of_a_figure_is_cut(found: Comparison, lang: Any) -> None:
    """All that is written in a figure lies inside it, long names included."""
    plots = Plots(found, lang)
    draw = {"forest": plots.forest, "split": plots.split, "plane": plots.plane, "gains": plots.gains}
    for name, on in draw.items():
        figure = Figure(figsize=(9.6, 7.0), layout="constrained")
        ax = on(figure.add_subplot())
        figure.draw_without_rendering()
        inside = figure.bbox.padded(1.0)
        low, high = sorted(ax.get_ylim())
        shown = [t for y, t in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True) if low <= y <= high]
        for piece in (*ax.texts, *shown, ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label):
            box = piece.get_window_extent()
            if piece.get_text():
                assert inside.contains(box.x0, box.y0), (name, piece.get_text())
                assert inside.contains(box.x1, box.y1), (name, piece.get_text())


def test_the_forest_shows_each_effect_with_its_interval(found: Comparison) -> None:
    """Dots stand at the effects in percentage points, lines reach from end to end, and the number is beside them."""
    effects = found.summary
    ax = forest(effects, axes(), outcomes=["survival_36m"], names=names(found, "en"))
    rows = effects[effects["outcome"] == "survival_36m"].set_index("scenario")
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots, 100 * rows["effect"])
    spans = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2 and line.get_marker() != "o"]
    known = rows[rows["ci_high"] > rows["ci_low"]]
    assert [100 * known["ci_low"].iloc[0], 100 * known["ci_high"].iloc[0]] in [pytest.approx(s) for s in spans]
    beside = Measured.of(rows.loc["evil"], "effect", "ci_low", "ci_high").over(0.01).give_or_take()
    assert beside in texts(ax)
    assert EVIL in texts(ax)


def test_bars_of_the_split_end_where_the_numbers_say() -> None:
    """The direct bar starts at 0; displacement is put on top of it, or on the other side of 0 if its sign differs."""
    parts = np.array([(3.0, 2.0), (-5.0, 1.0), (0.0, 0.0)])
    effects = pd.DataFrame(parts, columns=["direct", "displacement"], index=["a", "b", "c"])
    effects = effects.assign(effect=parts.sum(axis=1), ci_low=parts.sum(axis=1) - 1, ci_high=parts.sum(axis=1) + 1)
    effects = effects.assign(outcome="newcomers_living_end", unit="persons").reset_index(names="scenario")
    ax = split(effects, axes())
    bars = [(round(p.get_y() + 0.25), p.get_x(), p.get_x() + p.get_width()) for p in ax.patches if p.get_width()]
    assert bars == [(0, 0.0, 3.0), (0, 3.0, 5.0), (1, 0.0, -5.0), (1, 0.0, 1.0)]
    assert {"direct", "displacement"} <= set(texts(ax))


@pytest.mark.parametrize(
    ("lang", "word"), [("zh", "各次模拟均与基准无差别"), ("en", "No difference to the base in any run")]
)
def test_a_reform_without_any_effect_gets_a_sentence(found: Comparison, lang: Any, word: str) -> None:
    """Where nothing differs the figure says so, rather than a column of dots at 0."""
    mine = found.gains[found.gains["scenario"] == "same"]
    assert word in texts(gains(mine, axes(), lang=lang))
    same = found.summary[found.summary["scenario"] == "same"]
    assert word in texts(forest(same, axes(), lang=lang))
    assert word in texts(split(same, axes(), lang=lang))
    assert word not in texts(gains(found.gains[found.gains["scenario"] == "evil"], axes(), lang=lang))


def test_gains_are_told_by_every_grouping(found: Comparison) -> None:
    """Each grouping has a heading, and each of its groups a row, in the words of the catalogue."""
    mine = found.gains[found.gains["scenario"] == "evil"]
    shown = texts(gains(mine, axes()))
    assert {"Education", "Channel", "Year of opening", "Highest stage in base"} <= set(shown)
    assert {"bachelor", "live-streaming", "2024", "incubator"} <= set(shown)
    assert "livestream" not in shown


def test_the_plane_has_dearer_above_and_more_to_the_right(found: Comparison) -> None:
    """Each reform stands at its extra survivors and its extra money, and 0 lies within both axes."""
    ax = plane(found.costs, axes(), names=names(found, "en"))
    rows = found.costs.query("age_months == 36 and money == 'received'")
    dots = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert dots == list(zip(rows["extra_survivors"], rows["extra_cny"], strict=True))
    for low, high in (ax.get_xlim(), ax.get_ylim()):
        assert low < 0 < high
    corners = {t.get_text(): t.get_position() for t in ax.texts}
    assert corners["costs money\nmore survive"] > corners["costs money\nfewer survive"]
    assert corners["costs money\nmore survive"][1] > corners["saves money\nmore survive"][1]


def test_nothing_to_show_is_said(found: Comparison) -> None:
    """Empty tables give figures that say so."""
    for drawn in (
        forest(found.summary[:0], axes()),
        split(found.summary[:0], axes()),
        plane(found.costs[:0], axes()),
        gains(found.gains[:0], axes()),
    ):
        assert "nothing to show" in texts(drawn)


def test_a_fund_is_shown_with_what_it_covers(small: Any, found: Comparison) -> None:
    """A reform's fund has what is claimed and paid of it, and a word that this is not to be added; else no word."""
    horizon = small().horizon.model_copy(update={"months": 12})
    purse = fund.Instrument(id="purse", covers=("training",), budget=30_000.0)
    reform = small(policy=(*small().policy, purse), horizon=horizon)
    money = compare(small(horizon=horizon), {"funded": reform}, replicates=2)
    by = money.budgets.query("scenario == 'funded'").groupby("instrument")[["claimed_cny", "paid_cny"]].sum()
    assert by.loc["purse"].tolist() == by.loc["training"].tolist()
    assert by.loc["purse", "paid_cny"] > 0
    for lang, word in (("en", "A fund shows"), ("zh", "专项资金一行")):
        assert word in said(money, lang)
        assert word not in said(found, lang)
