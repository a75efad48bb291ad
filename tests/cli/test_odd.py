"""`sim odd` writes the protocol, in both languages, for the model or for a scenario."""

import pytest

TITLES = {"en": "Purpose and patterns", "zh": "目的与模式"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_markdown(command, lang):
    """One title, the seven elements and the sources as its chapters, and nothing on standard error."""
    result = command("odd", "--lang", lang)
    lines = result.stdout.splitlines()
    assert sum(line.startswith("# ") for line in lines) == 1
    chapters = [line for line in lines if line.startswith("## ")]
    assert chapters[0] == f"## 1 {TITLES[lang]}"
    assert len(chapters) == 8
    assert result.stderr == ""


def test_it_goes_into_a_file(command, place):
    """The file holds what the screen would; it is not replaced unasked."""
    shown = command("odd").stdout
    result = command("odd", "-o", "texts/odd.md")
    page = place / "texts" / "odd.md"
    assert result.stdout == ""
    assert "texts/odd.md" in result.stderr
    assert page.read_text("utf-8") == shown
    page.write_text("mine", "utf-8")
    assert "已存在" in command("odd", "-o", "texts/odd.md", "--lang", "zh", code=2).stderr
    assert page.read_text("utf-8") == "mine"
    command("odd", "-o", "texts/odd.md", "--force", "--quiet")
    assert page.read_text("utf-8") == shown


def test_a_folder_that_cannot_be_is_said(command, place):
    """Where nothing can be written, the reason is told."""
    (place / "file").write_text("", "utf-8")
    assert "cannot be written" in command("odd", "-o", "file/odd.md", code=2).stderr


def test_it_is_data(command):
    """As JSON: title, opening and the sections, numbered, which together hold all of the text."""
    data = command.json("odd", "--lang", "zh")
    assert data["page"] is None
    assert data["sections"][0] == {"level": 1, "title": TITLES["zh"], "body": "", "number": "1"}
    text = command("odd", "--lang", "zh").stdout
    for section in data["sections"]:
        assert f"{section['number']} {section['title']}\n" in text
        assert section["body"].strip() in text


def test_it_holds_a_scenarios_values(command):
    """With a file, its own numbers and labels stand in the tables; a label is no markup."""
    said = command("odd", "tiny.yaml", "--lang", "en").stdout
    assert "`chain.hub`" in said
    assert (
        "| `per_year` | people who come to found, per year, in the first year of the horizon | persons/year | 50 |"
        in said
    )
    assert "<script>" not in said.replace("\\<script>", "")
    assert "`chain.hub`" not in command("odd", "--lang", "en").stdout


def test_a_wrong_file_is_a_message(command, place):
    """A scenario with a mistake is refused with its place."""
    (place / "wrong.yaml").write_text("schema: 1\nchain: []\n", "utf-8")
    assert "wrong.yaml:2" in command("odd", "wrong.yaml", code=2).stderr
