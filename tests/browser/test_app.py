"""The dashboard in a real browser, against the real `sim app`, with the network switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim
from sim.simulation import simulate

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """The classroom over two years, with names that would like to be markup."""
    names = {f"{what}.{lang}": f"{said}{HOSTILE}" for what in ("name", "chain.park.label", "policy.rent.label")
             for lang, said in (("zh", "义乌"), ("en", "Yiwu"))}  # fmt: skip
    path = tmp_path_factory.mktemp("app") / "hostile.yaml"
    path.write_text(sim.classroom().replace({"horizon.months": 24, **names}).to_yaml(), encoding="utf-8")
    return sim.load(path)


@pytest.fixture(scope="module")
def address(scenario) -> Iterator[str]:
    """Where a `sim app` of that scenario is."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    words = [sys.executable, "-m", "sim", "app", scenario.file, "--no-browser", "--lang", "zh", "--json", "--quiet"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, cwd=ROOT) as child:
        yield json.loads(b"".join(child.stdout.readline() for _ in range(3)))["address"]
        child.kill()


class Visit:
    """A visitor of the dashboard."""

    def __init__(self, watched, address: str) -> None:
        self.watched, self.page = watched, watched.page
        self.page.goto(address)
        self.page.locator(".sim.ready.lettered").wait_for(timeout=60_000)
        self.until("month", 0)
        self.settled()

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def until(self, what: str, value: object) -> None:
        """Wait until the page is in a month, or shows a text."""
        if what == "month":
            self.page.locator(f"[role=progressbar][aria-valuenow='{value}']").wait_for(timeout=60_000)
        else:
            self.page.locator(what, has_text=str(value)).first.wait_for(timeout=60_000)

    def settled(self) -> None:
        """Wait until all that was asked is answered, and no lever is held."""
        self.page.locator(".sim[aria-busy=false]:not(:has(.held))").wait_for(timeout=60_000)

    def number(self, side: str, name: str) -> int:
        return int(self.text(f".side.{side} .figure.{name} b").replace(",", ""))

    def pull(self, path: str, steps: int) -> None:
        """Move a slider by keys."""
        slider = self.page.locator(f"input[type=range][data-path='{path}']")
        for _ in range(abs(steps)):
            slider.press("ArrowRight" if steps > 0 else "ArrowLeft")
        self.settled()
        self.page.locator(".lever.changed").first.wait_for()

    def run(self) -> None:
        self.page.locator("button.run").click()
        self.page.locator("button.run:disabled").wait_for(timeout=60_000)
        self.settled()
        self.page.locator("figure img").last.wait_for(timeout=60_000)  # nothing moves any more

    def saved(self, button: str) -> bytes:
        with self.page.expect_download() as download:
            self.page.locator(button).click()
        return Path(download.value.path()).read_bytes()


@pytest.fixture
def come(visit, address):
    """Open the dashboard in a browser session of its own."""

    def make(**options) -> Visit:
        return Visit(visit(accept_downloads=True, **options), address)

    return make


def test_move_a_lever_run_compare_and_take_it_home(come, scenario, tmp_path):
    """A lever is moved and the run played to its end: the numbers are the model's, and so are those of the file."""
    visitor = come()
    visitor.pull("chain.incubator.places", 4)
    visitor.page.locator("input[role=switch][data-path='policy.training.active']").uncheck(force=True)
    visitor.until(".moved", "1")
    visitor.run()
    reform = scenario.replace({"chain.incubator.places": 13, "policy.training.active": False})
    for side, one in (("base", scenario), ("reform", reform)):
        people = simulate(one)["entrepreneurs"]
        assert visitor.number(side, "living") == (~people["event"]).sum()
        assert visitor.number(side, "closed") == people["event"].sum()
        assert visitor.number(side, "arrived") == len(people)
        assert visitor.page.locator(f".side.{side} .dots circle:not(.closing)").count() == (~people["event"]).sum()
    assert visitor.text(".headline").startswith("到2026年3月，改革下有")
    path = tmp_path / "reform.yaml"
    path.write_bytes(visitor.saved("button.yaml"))
    loaded = sim.load(path)
    assert loaded.hash() == reform.hash()
    assert "改革" in loaded.name.zh
    table = visitor.saved("button.csv").decode("utf-8-sig")
    assert table.startswith('"outcome"')
    assert '"survival_12m"' in table
    visitor.page.locator("figure img").first.wait_for()
    visitor.watched.assert_quiet()


def test_play_pause_step_and_reset(come):
    """Months run by themselves until they are paused; one more comes by hand; then all begins again."""
    visitor = come()
    visitor.page.locator("button", has_text="慢").click()
    visitor.page.locator("button.play").click()
    visitor.page.locator("[role=progressbar]:not([aria-valuenow='0']):not([aria-valuenow='1'])").wait_for()
    visitor.page.locator("button.play").click()
    visitor.settled()
    month = int(visitor.page.locator("[role=progressbar]").get_attribute("aria-valuenow"))
    assert 2 <= month < 24
    visitor.page.wait_for_timeout(400)
    assert visitor.page.locator("[role=progressbar]").get_attribute("aria-valuenow") == str(month)
    living = visitor.number("base", "living")
    assert visitor.page.locator(".side.base .dots circle:not(.closing)").count() == living > 0
    visitor.page.locator("button.step").click()
    visitor.until("month", month + 1)
    visitor.page.locator("button.reset").click()
    visitor.until("month", 0)
    visitor.settled()
    assert visitor.number("base", "living") == 0
    visitor.watched.assert_quiet()


def test_a_founder_s_life_by_mouse_and_by_keys(come):
    """A click on a dot tells that founder's life on both sides, and so do arrow and Enter; Escape closes it."""
    visitor = come(reduced_motion="reduce")
    visitor.pull("chain.maker_space.places", -5)
    visitor.run()
    life = visitor.page.locator(".life")
    dot = visitor.page.locator(".side.base .dots circle").nth(20)
    box = dot.bounding_box()
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    life.wait_for(timeout=60_000)
    told = life.inner_text()
    assert dot.get_attribute("data-uid") in told
    assert "来本市开店" in told
    assert visitor.page.locator(".ring[visibility=visible]").count() >= 1
    visitor.page.keyboard.press("Escape")
    life.wait_for(state="hidden")
    visitor.page.locator("svg.chain").last.press("ArrowRight")
    visitor.until(".spoken", "创业者")
    visitor.page.keyboard.press("Enter")
    life.wait_for(timeout=60_000)
    assert visitor.text(".spoken").split()[-1] in visitor.text(".life h2")
    visitor.watched.assert_quiet()


def test_two_browsers_are_apart(come):
    """What one visitor does is not seen by another, who plays on while the first one's city runs."""
    one, other = come(), come()
    one.pull("chain.incubator.places", 3)
    one.run()
    other.page.locator("button.step").click()
    other.until("month", 1)
    one.until("month", 24)
    assert other.page.locator(".lever.changed").count() == 0
    assert other.number("base", "living") < one.number("base", "living")
    one.watched.assert_quiet()
    other.watched.assert_quiet()


def test_the_whole_page_in_both_languages(come):
    """Every word changes with the language, and stays with the visitor who changed it."""
    chinese, english = come(), come()
    english.page.get_by_role("button", name="EN", exact=True).click()
    english.until("button.play", "Play")
    english.page.locator("button.step").click()
    english.until(".date", "Apr 2024")
    english.settled()
    assert english.page.evaluate("document.documentElement.lang") == "en"
    words = english.page.locator(".sim").inner_text().replace("中文", "")
    names = english.page.locator("option, .choice, .stage").all_inner_texts()
    assert not [c for c in words if "\u4e00" <= c <= "\u9fff"]
    assert names
    assert chinese.text("button.play") == "播放"
    english.watched.assert_quiet()


def test_chinese_has_letters(come):
    """The font comes from the program itself, is used, and has a glyph for every letter on the page: no boxes."""
    from importlib.resources import as_file, files

    from matplotlib.ft2font import FT2Font

    visitor = come()
    visitor.run()
    faces = visitor.page.evaluate("[...document.fonts].map(f => [f.family, f.status])")
    assert ["Sim Sans SC", "loaded"] in [[family.strip('"'), status] for family, status in faces]
    family = visitor.page.locator(".sim").evaluate("e => getComputedStyle(e).fontFamily")
    assert family.startswith('"Sim Sans SC"')
    with as_file(files("sim.presentation").joinpath("fonts", "SimSansSC-Regular.otf")) as path:
        known = set(map(chr, FT2Font(str(path)).get_charmap()))
    shown = "".join(visitor.page.locator(".sim").all_text_contents()) + "".join(
        visitor.page.locator("option").all_text_contents()
    )
    assert {c for c in shown if c >= "\u2e80"} <= known
    assert len({c for c in shown if "\u4e00" <= c <= "\u9fff"}) > 150
    visitor.watched.assert_quiet()


def test_names_are_inert(come):
    """Markup in a scenario's name and labels is shown as it was typed, and nothing of it runs."""
    visitor = come()
    visitor.page.locator("button.step").click()
    visitor.until("month", 1)
    assert visitor.page.evaluate("window.hacked") is None
    assert visitor.page.locator(".sim script, .sim img[src=x], option img").count() == 0
    assert HOSTILE in visitor.page.locator("option").first.text_content()
    assert "<script>" in visitor.page.locator(".section-name", has_text="义乌").first.text_content()
    visitor.watched.assert_quiet()


def test_mistakes_are_told(come):
    """A number that does not fit is refused with a sentence, and the lever goes back; a seed must be a number."""
    visitor = come()
    number = visitor.page.locator("input.number[data-path='chain.incubator.places']")
    number.fill("-4")
    number.press("Enter")
    visitor.until(".notice.trouble", "chain.incubator.places")
    visitor.settled()
    assert number.input_value() == "9"
    visitor.page.locator("input.seed").fill("x")
    visitor.page.locator("input.seed").press("Enter")
    visitor.until(".notice.trouble", "随机种子")
    visitor.page.locator("input.seed").fill("7")
    visitor.page.locator("input.seed").press("Enter")
    visitor.page.locator("button.step").click()
    visitor.until("month", 1)
    visitor.watched.assert_quiet()


def test_no_lever_is_lost(come):
    """Levers moved in one breath are all heard, and no answer takes one out of the visitor's hand."""
    visitor = come()
    one, other = (visitor.page.locator(f"input[type=range][data-path='chain.{stage}.places']")
                  for stage in ("incubator", "maker_space"))  # fmt: skip
    before = float(other.input_value())
    visitor.page.locator("input[role=switch][data-path='policy.training.active']").uncheck(force=True)
    for _ in range(4):
        one.press("ArrowRight")
    other.press("ArrowLeft")
    visitor.settled()
    assert one.input_value() == "13"
    assert float(other.input_value()) == before - 1
    assert visitor.page.locator(".lever.changed").count() == 2
    other.press("ArrowLeft")
    visitor.page.locator(".lever", has=other).locator(".back").click()
    visitor.settled()
    assert float(other.input_value()) == before
    content = visitor.saved("button.yaml").decode("utf-8")
    assert "places: 13" in content
    assert "active: false" in content
    visitor.watched.assert_quiet()


def test_motion_is_spared(come):
    """Who asked his system for less motion sees founders set down, not walking."""
    visitor = come(reduced_motion="reduce")
    visitor.page.locator("button.step").click()
    visitor.until("month", 1)
    dot = visitor.page.locator(".dots circle").first
    assert dot.evaluate("e => getComputedStyle(e).transitionProperty") == "none"
    assert visitor.page.locator(".closing, .fading").count() == 0


def test_every_parameter_is_found(come):
    """Searching brings up what is not shown at first, by name or by path."""
    visitor = come()
    hidden = visitor.page.locator("input[type=range][data-path='behaviour.exit.outside_wage']")
    assert not hidden.is_visible()
    visitor.page.locator("input.search").fill("outside_wage")
    hidden.wait_for()
    assert visitor.page.locator(".lever:visible").count() == 1
    visitor.page.locator(".lever:visible .tag").click()
    visitor.until(".lever .why", "behaviour.exit.outside_wage")
    visitor.page.locator("input.search").fill("挤出")
    visitor.page.locator("input[type=range][data-path='market.displacement']").wait_for()
    visitor.watched.assert_quiet()
