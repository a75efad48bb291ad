"""What the notebooks promise, without running them: `.ci/run` executes them with `pytest --nbmake notebooks`."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sim.evidence.ledger import figures
from sim.presentation.exercises import EXERCISES, Verdict

HERE = Path(__file__).parents[2] / "notebooks"
STARTER = files("sim.scenario.starter").joinpath("first_look.ipynb")
BOOKS = (*sorted(HERE.glob("*.ipynb")), STARTER)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{2,}")

book = pytest.fixture(params=BOOKS, ids=lambda path: path.name)(
    lambda request: json.loads(request.param.read_text("utf-8"))
)


def cells(book: dict[str, Any], kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


def test_there_are_six() -> None:
    """Six notebooks, numbered in the order in which they are read, and nothing beside them."""
    assert [path.name[:3] for path in BOOKS[:-1]] == [f"0{n}_" for n in range(1, 7)]
    assert {path.suffix for path in HERE.iterdir() if path.is_file()} == {".ipynb"}


def test_stripped(book: dict[str, Any]) -> None:
    """No outputs, no counts, no metadata but the kernel: what differs between two versions was written by somebody."""
    assert set(book["metadata"]) == {"kernelspec", "language_info"}
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    assert book["metadata"]["language_info"] == {"name": "python"}
    assert [cell["id"] for cell in book["cells"]] == [f"cell-{n:02d}" for n in range(1, len(book["cells"]) + 1)]
    for cell in book["cells"]:
        assert cell["metadata"] == {}
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_both_languages(book: dict[str, Any]) -> None:
    """Each text says it in Chinese, then in English in a quoted block; so does each text that holds numbers."""
    for said in cells(book, "markdown"):
        lines = said.split("\n")
        chinese = [line for line in lines if not line.startswith(">")]
        english = [line for line in lines if line.startswith(">")]
        assert CHINESE.search("".join(chinese)), said
        alone = len(lines) == 1 and lines[0].startswith("#") and "·" in lines[0]
        assert alone or ENGLISH.search("".join(english)), said
        assert not CHINESE.search("".join(english)), said
    for code in cells(book, "code"):
        for call in (n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Call)):
            written = all(isinstance(argument, ast.Constant | ast.JoinedStr) for argument in call.args)
            if isinstance(call.func, ast.Name) and call.func.id in ("tell", "say") and written:
                zh, en = (ast.unparse(argument) for argument in call.args)
                assert CHINESE.search(zh), zh
                assert not CHINESE.search(en), en


def test_a_question_and_a_guess(book: dict[str, Any]) -> None:
    """The first text asks a question, and the reader guesses before he is told."""
    first, *others = cells(book, "markdown")
    assert "**问题：" in first
    assert "**The question:" in first
    assert any("猜" in said and "uess" in said for said in others)


def test_small_cells(book: dict[str, Any]) -> None:
    """A cell fits a small screen: at most 25 lines of at most 100 letters, and comments are in both languages."""
    for code in cells(book, "code"):
        lines = code.split("\n")
        assert len(lines) <= 25, code
        assert max(map(len, lines)) <= 100, max(lines, key=len)
        for line in lines:
            comment = line.partition("  # ")[2]
            assert not CHINESE.search(comment) or ENGLISH.search(comment.partition(" / ")[2]), line


def test_it_stands_by_itself(book: dict[str, Any]) -> None:
    """No absolute path, no address, nothing that fetches, no file but what it writes or what lies beside it."""
    for code in cells(book, "code"):
        assert not re.search(r"""["'](/|~|[A-Za-z]:\\|\.\.)""", code), code
        assert not re.search(r"https?:|!pip|%pip|urllib|requests|socket|fsspec", code), code
        for name in re.findall(r"sim\.load\(\"(.*?)\"\)|sim\.sweep\(\"(.*?)\"\)", code):
            assert STARTER.parent.joinpath(*"".join(name).split("/")).is_file()


def test_figures_that_are_cited_exist(book: dict[str, Any]) -> None:
    """An id of the ledger that a notebook names is in it."""
    for code in cells(book, "code"):
        for listed in re.findall(r"^ids = (\[.*?\])", code, re.MULTILINE):
            assert set(ast.literal_eval(listed)) <= set(figures())


def test_every_exercise_is_asked() -> None:
    """Each exercise has a text and a cell that waits for an answer, in the notebook whose number it has."""
    asked: list[str] = []
    for path in BOOKS:
        book = json.loads(path.read_text("utf-8"))
        texts = "\n".join(cells(book, "markdown"))
        for code in cells(book, "code"):
            for id in re.findall(r'check\("([\d.]+)"', code):
                asked.append(id)
                assert path.name.startswith(f"0{id[0]}_")
                assert "answer = ..." in code
                assert f"**练习 {id}**" in texts or f"**{id}**" in texts
                assert f"**Exercise {id}**" in texts or f"**{id}**" in texts
    assert asked == list(EXERCISES)


RIGHT = {
    "2.1": "(~people['event']).sum()",
    "2.2": "(1 - books['closed'] / books['at_risk']).loc[:36].prod()",
    "2.3": "result.survival().query('survival <= 0.5')['age_months'].min()",
    "2.4": "result.survival().set_index('age_months')['survival'].pipe(lambda s: s[24] / s[12])",
    "2.5": "people['exit_reason'].value_counts().index[0]",
}
WRONG = {"2.1": "people['event'].sum()", "2.2": "by_a", "2.3": "lasted[closed].median()", "2.4": "0.5", "2.5": "'rich'"}


@pytest.mark.long
@pytest.mark.parametrize(("answers", "solved"), [(RIGHT, True), (WRONG, False), ({}, None)])
def test_a_learner_works_through_survival(answers: dict[str, str], solved: bool | None, monkeypatch: Any) -> None:
    """Who fills in what the texts ask for hears that it is right; a wrong answer gets a hint, none an invitation."""
    monkeypatch.setenv("SIM_LANG", "en")
    book = json.loads(BOOKS[1].read_text("utf-8"))
    space: dict[str, Any] = {}
    verdicts: list[Verdict] = []
    for code in cells(book, "code"):
        exercise = re.search(r'check\("([\d.]+)".*\)$', code)
        if exercise and exercise[1] in answers:
            code = code.replace("answer = ...", f"answer = {answers[exercise[1]]}")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code.replace("check(", "verdict = check(") if exercise else code, space)
        if exercise:
            verdicts.append(space["verdict"])
    assert [v.id for v in verdicts] == [id for id in EXERCISES if id.startswith("2.")]
    assert [v.solved for v in verdicts] == [solved] * len(verdicts)
    from matplotlib import pyplot as plt

    plt.close("all")
