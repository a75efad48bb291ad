"""ACCEPTANCE 1-15, 19 and 23: what a scenario file is made of."""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.scenario import load
from sim.scenario.document import MAX_DEPTH, MAX_NODES, parse, parse_value
from sim.scenario.source import MAX_BYTES, shown

SMALL = (Path(__file__).parent / "small.yaml").read_text()


def only(found, line, column, *words):
    assert len(found) == 1, [str(p) for p in found]
    assert (found[0].line, found[0].column) == (line, column), str(found[0])
    for word in words:
        assert word in found[0].message


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system",
        "!!python/name:os.system",
        "!foo",
        "!!set",
        "!!int",
        "!<tag:yaml.org,2002:str>",
    ],
)
def test_a_tag_is_refused_and_nothing_is_executed(problems, tmp_path, tag):
    """No tag is looked up, whatever it names."""
    found = problems(f"{SMALL}name: {tag} ['touch {tmp_path}/done']\n")
    only(found, 10, 7, "tag")
    assert not (tmp_path / "done").exists()


def test_billion_laughs_is_refused_by_count(write):
    """Aliases are counted as what they stand for, before anything is copied out."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(ScenarioError, match=str(MAX_NODES)) as refused:
        parse(write("\n".join(lines)))
    assert refused.value.problems[0].line <= 6


def test_modest_aliases_are_read(write):
    """An anchor used twice is no crime."""
    root = parse(write("a: &a {x: 1}\nb: *a\n")).root
    assert root.value["b"].value["x"].value == 1


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "&a a: &b [1, [*b]]"])
def test_a_recursive_alias_is_refused(problems, text):
    """An alias may not stand inside what it names."""
    assert "stands inside" in problems(text)[-1].message


def test_an_unknown_alias_is_refused(problems):
    """An alias needs its anchor before it."""
    only(problems("a: *b\n"), 1, 4, "anchor")


def test_a_duplicate_key_names_the_first_line(problems):
    """The second of two equal keys is where the mistake is; the first is named."""
    only(problems(f"{SMALL}seed: 1\nseed: 2\n"), 11, 1, "seed", "line 10")


def test_a_duplicate_key_is_found_at_any_depth(problems):
    """Duplicates hide in flow mappings too."""
    found = problems(SMALL.replace("facilities: 3", "facilities: 3, facilities: 4"))
    only(found, 3, 34, "facilities", "line 3")


def test_no_stays_text(write):
    """YAML 1.2: NO is a country, not a truth value."""
    scenario = load(write(f"{SMALL}name: {{en: NO}}\n"))
    assert scenario.name.en == "NO"


@pytest.mark.parametrize(("word", "meant"), [("NO", "false"), ("yes", "true"), ("On", "true"), ("off", "false")])
def test_no_in_a_bool_field_gets_a_hint(problems, word, meant):
    """A true/false field says what to write instead."""
    found = problems(SMALL.replace("places: 40", f"waiting_list: {word}"))
    only(found, 6, 19, "true or false", word, f"write {meant}")


@pytest.mark.parametrize("text", ["010", "-010", "+08", "00", "0_1", "01.5"])
def test_a_leading_zero_is_ambiguous(problems, text):
    """010 is ten to some and eight to others."""
    only(problems(SMALL.replace("places: 40", f"places: {text}")), 6, 13, "ambiguous")


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.INF", "+.inf", "1e999", "-1e999"])
def test_numbers_are_finite(problems, text):
    """NaN and infinity are refused, however they are written."""
    only(problems(SMALL.replace("threshold: 1_000_000", f"threshold: {text}")), 7, 16, "finite")


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, str(2**63), "0x" + "f" * 4000, "0o" + "7" * 4000])
def test_huge_integers_are_refused(problems, text):
    """Neither 5,000 digits nor 2^63 upset anything, and the message stays short."""
    found = problems(f"{SMALL}seed: {text}\n")
    only(found, 10, 7, "64 bits")
    assert len(found[0].message) < 200


def test_a_negative_seed_is_refused(problems):
    """Seeds count from 0."""
    only(problems(f"{SMALL}seed: -1\n"), 10, 7, ">= 0", "-1")


def test_the_largest_seed_is_accepted(write):
    """2^63 - 1 is a seed like any other."""
    assert load(write(f"{SMALL}seed: {2**63 - 1}\n")).seed == 2**63 - 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_deep_nesting_is_refused_by_depth(write, opening):
    """100,000-fold nesting ends at the limit, not in the stack."""
    text = (opening * 100_000)[: MAX_BYTES - 10]
    with pytest.raises(ScenarioError, match=f"more than {MAX_DEPTH} deep"):
        parse(write(text))


def test_too_many_values_are_refused(write):
    """The number of values is bounded, so that reading is."""
    with pytest.raises(ScenarioError, match="more than"):
        parse(write("a: [" + "1," * (MAX_NODES + 1) + "]"))


@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
def test_gbk_is_recognised(problems, encoding):
    """A file saved by an old Windows editor is told to be saved as UTF-8, at its first odd byte."""
    only(problems(f"{SMALL}name: {{zh: 义乌电商}}\n".encode(encoding)), 10, 12, "GBK", "UTF-8")


def test_other_bytes_are_not_called_gbk(problems):
    """What is no text at all is only said not to be UTF-8."""
    found = problems(b"name: \xff\xff\xff\n")
    only(found, 1, 7, "UTF-8")
    assert "GBK" not in found[0].message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused(problems, encoding):
    """UTF-16 is named, with or without its mark."""
    only(problems(SMALL.encode(encoding)), 1, 1, "UTF-16")


def test_a_byte_order_mark_is_accepted(write):
    """UTF-8 with a mark is UTF-8, and columns do not shift."""
    assert load(write(b"\xef\xbb\xbf" + SMALL.encode())).chain[1].places == 40


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_endings_of_other_systems_are_lines(write, problems, ending):
    """Windows files load, and their lines are counted."""
    assert load(write(SMALL.replace("\n", ending))).chain[1].places == 40
    assert problems(f"{SMALL}seed: -1\n".replace("\n", ending))[0].line == 10


@pytest.mark.parametrize(
    "text", ["a:\n\tb: 1\n", "chain:\n\t- {id: x}\n", "a:\n  b: 1\n\tc: 2\n", "a: 1\n \tb:\n  - 2\n"]
)
def test_tab_indentation_gets_a_hint(problems, text):
    """The message says tab, not what a parser thinks of it."""
    assert "tab" in problems(text)[0].message


@pytest.mark.parametrize(
    "text",
    [
        "seed：1\n",
        f"{SMALL}seed：1\n",
        f"seed：1\n{SMALL}",
        f"{SMALL}horizon: {{months：12}}\n",
        f"{SMALL}horizon:\n  months：12\n",
    ],
)
def test_a_full_width_colon_gets_a_hint(problems, text):
    """A colon from a Chinese keyboard is pointed out."""
    assert "full-width" in problems(text)[0].message


def test_full_width_digits_get_a_hint(problems):
    """So are full-width digits."""
    only(problems(SMALL.replace("places: 40", "places: ４０")), 6, 13, "whole number", "full-width")


@pytest.mark.parametrize("text", ["5万", "1.2亿"])
def test_chinese_numerals_get_a_hint(problems, text):
    """5万 is a way to write 50,000 that YAML does not know."""
    only(problems(SMALL.replace("threshold: 1_000_000", f"threshold: {text}")), 7, 16, "50_000")


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x07", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\u200b", "\u2028", "\ufeff"]
)
@pytest.mark.parametrize("escaped", [False, True])
def test_control_characters_are_refused_and_never_echoed(problems, character, escaped):
    """Raw or as an escape, in a value or a key: the code point is named, the character is not printed."""
    inside = f"\\U{ord(character):08x}" if escaped else character
    for text in (f'{SMALL}name: {{en: "a{inside}[31mb"}}\n', f'{SMALL}"x{inside}y": 1\n'):
        found = problems(text)
        assert f"U+{ord(character):04X}" in found[0].message
        assert found[0].line == 10
        assert all(c == "\n" or c.isprintable() for p in found for c in str(p))


def test_what_is_shown_of_a_value_is_always_printable():
    """`shown` is the only way by which a value enters a message."""
    everything = "".join(map(chr, range(0x3000)))
    for i in range(0, len(everything), 60):
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") for c in shown(everything[i : i + 60]))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "nothing"),
        ("# only a comment\n", "nothing"),
        ("- a\n", "a list"),
        ("hello\n", "hello"),
        ("~\n", "nothing"),
        ("12\n", "12"),
    ],
)
def test_a_file_holds_a_mapping(problems, text, word):
    """An empty file, a list and a scalar are refused."""
    found = problems(text)
    assert "mapping" in found[0].message
    assert word in found[0].message


def test_two_documents_are_refused(problems):
    """A second document is refused where it starts."""
    only(problems(f"{SMALL}---\nschema: 1\n"), 10, 1, "second document")


@pytest.mark.parametrize("text", ["%YAML 1.1\n---\na: NO\n", "%TAG ! tag:x,2000:\n---\na: 1\n"])
def test_directives_cannot_change_the_rules(problems, text):
    """A directive may not bring YAML 1.1 or tags back."""
    assert "1.2" in problems(text)[0].message


def test_a_large_file_is_refused_by_size(problems):
    """A file of 20 MB is never parsed."""
    found = problems(b"#" * 20_000_000)
    assert "larger than" in found[0].message


def test_a_missing_file_is_named(tmp_path):
    """A missing file is a message, not a traceback."""
    with pytest.raises(ScenarioError, match="there is no file"):
        load(tmp_path / "missing.yaml")


def test_a_folder_is_refused(tmp_path):
    """So is a folder."""
    with pytest.raises(ScenarioError, match="is a folder"):
        load(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    """Nobody writes into this pipe: opening it would wait for ever."""
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ScenarioError, match="pipe or a device"):
        load(tmp_path / "pipe.yaml")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no devices")
def test_a_device_is_refused():
    """/dev/zero has no end."""
    with pytest.raises(ScenarioError, match="pipe or a device"):
        load("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_no_permission_is_said(small):
    """A file that may not be read says so."""
    small.chmod(0)
    with pytest.raises(ScenarioError, match="no permission"):
        load(small)


def test_no_permission_is_said_by_the_message(small, monkeypatch):
    """The same for root, who is never refused: the system's answer is replaced."""

    def refuse(*_: object) -> int:
        raise PermissionError(13, "denied")

    monkeypatch.setattr("sim.scenario.source.os.open", refuse)
    with pytest.raises(ScenarioError, match="no permission"):
        load(small)


@pytest.mark.parametrize("path", ["a\x00b.yaml", "x" * 5000, "esc\x1b[31m.yaml"])
def test_odd_file_names_are_refused_quietly(path):
    """A path that no system knows is a message too, and is not echoed raw."""
    with pytest.raises(ScenarioError) as refused:
        load(path)
    assert all(c.isprintable() for c in str(refused.value))


def test_the_largest_file_is_parsed_in_bounded_work(write):
    """The worst file within the limits costs a bounded number of parser steps (measured as events)."""
    text = "a:\n" + "  - 1\n" * (MAX_NODES - 10)
    begin = time.process_time()
    parse(write(text))
    assert time.process_time() - begin < 30  # a runaway, not a speed limit


def test_a_value_for_set_is_read_by_the_same_rules():
    """`--set` reads YAML values, and refuses what a file refuses."""
    assert parse_value("40_000", "--set").value == 40_000
    assert parse_value("[a, NO]", "--set").value[1].value == "NO"
    for text in ("010", "!!python/name:os.system x", "\x1b", "*a", "a: b: c"):
        with pytest.raises(ScenarioError):
            parse_value(text, "--set")


@pytest.mark.parametrize("text", ["schema: 1\nchain:\n", "a: {b: }\n", "a:\n  - 1\n  -\n"])
def test_a_forgotten_value_is_not_taken_for_null(problems, text):
    """Nothing after a colon or a dash is an error that names the way out; null must be written."""
    assert any("write null" in p.message for p in problems(text))
