"""A report in a real browser, without a network: all is there, can be read, printed and taken along; nothing is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import sim

BAD = """</style></title><script>window.hacked=1</script><img src=x onerror="window.hacked=2">"""

TAG = '<img src=x onerror="window.hacked=4">'

TOWN = f"""\
schema: 1
name: {{zh: '小城{BAD}', en: 'Town{BAD}'}}
horizon: {{start: 2024-04, months: 60}}
replicates: 3
arrivals: {{per_year: {{value: 90, range: [30, 150], assumed: small}}}}
chain:
  - {{id: village, facilities: 1}}
  - {{id: hub, label: {{zh: '{TAG}枢纽', en: '{TAG}hub'}}, facilities: 1, places: 3, threshold: 60_000, tenancy: 12}}
policy:
  - {{id: rent, type: rent_relief, label: {{zh: "=cmd|'!A0", en: "=cmd|'!A0"}}, share: {{hub: 0.5}}, budget: 90_000}}
"""

REFORM = """\
schema: 1
extends: town.yaml
name: {zh: '免租<script>window.hacked=3</script>', en: 'Free<script>window.hacked=3</script>'}
policy:
  - {id: rent, share: {hub: 1}, budget: 5_000_000}
chain:
  - {id: hub, places: 30}
"""

WIDE, NARROW = 1366, 390

PAGE = (176, 260)
"""Room that A4 leaves within the margins of the style sheet, mm."""

CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const curve = v => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * curve(r) + .7152 * curve(g) + .0722 * curve(b);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || e.closest("svg")) continue;
    seen++;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(e.tagName + " " + e.className + ": " + e.textContent.slice(0, 40));
  }
  return {seen, poor};
}"""

CHINESE = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const elements = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (/[\\u4e00-\\u9fff]/.test(walker.currentNode.textContent) && e.checkVisibility()) elements.add(e);
  }
  let number = 0;
  for (const e of elements) { e.setAttribute("data-zh", number++); }
  return number;
}"""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[tuple[str, str], Path]:
    """Reports of a run, with its assumptions ranked, and of a comparison, in both languages."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "town.yaml").write_text(TOWN, encoding="utf-8")
    (folder / "reform.yaml").write_text(REFORM, encoding="utf-8")
    base, reform = sim.load(folder / "town.yaml"), sim.load(folder / "reform.yaml")
    (folder / "run").mkdir()
    sim.run(base, folder=folder / "run")
    (folder / "pair").mkdir()
    sim.compare(base, reform, replicates=3).write(folder / "pair")
    return {
        (kind, lang): sim.report(folder / kind, folder / f"{kind}_{lang}.html", lang)
        for kind in ("run", "pair")
        for lang in ("zh", "en")
    }


each = pytest.mark.parametrize(("kind", "lang"), [(k, lang) for k in ("run", "pair") for lang in ("zh", "en")])


def opened(visit: Any, file: Path, **options: Any) -> Any:
    watched = visit(offline=True, **options)
    watched.page.goto(file.as_uri())
    return watched


@each
def test_it_opens_offline_and_runs_nothing(visit, files, kind, lang):
    """No request leaves the page, nothing is said on the console, and no script of any name has run."""
    watched, file = visit(offline=True), files[kind, lang]
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    watched.page.goto(file.as_uri())
    watched.page.wait_for_timeout(300)
    assert watched.page.evaluate("window.hacked") is None
    assert watched.page.evaluate("document.images.length + document.scripts.length") == 0
    assert "<script>window.hacked" in watched.page.inner_text("body")
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    watched.assert_quiet()


@each
def test_every_figure_is_there(visit, files, kind, lang):
    """Each figure has a size, a picture with something in it, and words for who does not see it."""
    page = opened(visit, files[kind, lang]).page
    figures = page.locator("figure").all()
    assert len(figures) >= (9 if kind == "run" else 5)
    for figure in figures:
        box = figure.locator("svg").bounding_box()
        assert box["width"] > 500
        assert box["height"] > 150
        picture = figure.get_by_role("img")
        assert len(picture.get_attribute("aria-label")) > 20
        assert figure.locator("svg path").count() > 10


@each
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_scrolls_sideways(visit, files, kind, lang, width):
    """On a desk and on a telephone the page is as wide as the screen; what is wider scrolls in a frame of its own."""
    page = opened(visit, files[kind, lang]).page
    page.set_viewport_size({"width": width, "height": 800})
    for summary in page.locator("summary").all():
        summary.evaluate("e => e.parentElement.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.evaluate(
            "Math.max(...[...document.querySelectorAll('p,h1,h2,dd')].map(e => e.getBoundingClientRect().right))"
        )
        <= width
    )


@each
def test_all_text_stands_out(visit, files, kind, lang):
    """Every letter outside of figures has a contrast of 4.5 or more against what is behind it."""
    page = opened(visit, files[kind, lang]).page
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 200
    assert found["poor"] == []


def test_poor_contrast_is_noticed(visit, files):
    """The test above can fail: a pale line is found."""
    page = opened(visit, files["pair", "en"]).page
    page.evaluate("document.querySelector('h1').style.color = '#999'")
    assert len(page.evaluate(CONTRAST)["poor"]) == 1


@pytest.mark.parametrize("kind", ["run", "pair"])
def test_chinese_shows_no_boxes(visit, files, kind):
    """Every Chinese letter that is seen is drawn from a font that has it: that of the page, or one of the system's."""
    watched = opened(visit, files[kind, "zh"])
    page = watched.page
    number = page.evaluate(CHINESE)
    assert number > 100
    session = watched.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    ids = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": "[data-zh]"})["nodeIds"]
    own = "e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent).join('')"
    for element, node in zip(page.locator("[data-zh]").all(), ids, strict=True):
        letters = len(re.findall(r"[\u4e00-\u9fff]", element.evaluate(own)))
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        latin = ("Liberation", "DejaVu", "Arial", "Roboto", "Segoe", "Helvetica")
        chinese = sum(font["glyphCount"] for font in fonts if not font["familyName"].startswith(latin))
        assert chinese >= letters, (element.evaluate(own)[:60], fonts)


@each
def test_it_prints_on_a4(visit, files, kind, lang, tmp_path):
    """More pages than one, with their numbers; no figure is higher than a page, and none is let be cut."""
    page = opened(visit, files[kind, lang]).page
    document = page.pdf(prefer_css_page_size=True)
    sizes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", document)
    assert len(sizes) > 2
    assert {(round(float(w) / 72 * 25.4), round(float(h) / 72 * 25.4)) for w, h in sizes} == {(210, 297)}
    page.emulate_media(media="print")
    dot = 96 / 25.4
    page.set_viewport_size({"width": round(PAGE[0] * dot), "height": round(PAGE[1] * dot)})
    figures = page.locator("figure").all()
    assert all(f.evaluate("e => getComputedStyle(e).breakInside") == "avoid" for f in figures)
    assert max(f.bounding_box()["height"] for f in figures) < PAGE[1] * dot
    assert max(f.locator("svg").bounding_box()["width"] for f in figures) <= PAGE[0] * dot


def test_data_can_be_taken_along(visit, files):
    """The file of a figure is downloaded from the page itself; Excel will show its Chinese, and run nothing."""
    page = opened(visit, files["run", "zh"], accept_downloads=True).page
    figure = page.locator("#f1-spending")
    figure.locator("summary").click()
    assert figure.locator("table").is_visible()
    with page.expect_download() as taken:
        figure.get_by_role("link").click()
    said = Path(taken.value.path()).read_bytes()
    assert taken.value.suggested_filename == "f1-spending.csv"
    assert said.startswith(b"\xef\xbb\xbf")
    assert "\"'=cmd|'!A0\"" in said.decode("utf-8-sig")
    assert "预算" in said.decode("utf-8-sig")


def test_the_keyboard_is_enough(visit, files):
    """The first key leads past the contents, links of the contents to their sections, and a fold opens by Enter."""
    page = opened(visit, files["run", "en"]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('nav') !== null")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#part-1-1"
    summary = page.locator("#f1-survival summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#f1-survival table").is_visible()


def test_the_title_runs_along_the_pages(visit, files):
    """The name of the scenario, whatever is in it, is a string of the style sheet and ends no rule of it."""
    page = opened(visit, files["run", "en"]).page
    rules = page.evaluate("[...document.styleSheets[0].cssRules].length")
    last = page.evaluate("[...document.styleSheets[0].cssRules].at(-1).cssText.slice(0, 12)")
    assert rules > 50
    assert last.startswith("@media print")
