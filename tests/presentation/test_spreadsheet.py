"""CSV for a spreadsheet: nothing in it is run, numbers are numbers, and Chinese is Chinese."""

import csv as reader
import io

import numpy as np
import pandas as pd
import pytest

from sim.presentation.spreadsheet import csv


def read(said: str) -> list[list[str]]:
    assert said[0] == "\ufeff"
    return list(reader.reader(io.StringIO(said[1:], newline="")))


@pytest.mark.parametrize(
    "bad",
    ["=cmd|' /C calc'!A0", "+1+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n@x", "＝1", "-1+1", "−=1"[1:], "-"],
)
def test_what_would_run_is_text(bad):
    """A cell, or a heading, that a spreadsheet would take for a formula begins with an apostrophe, and is whole."""
    rows = read(csv(pd.DataFrame({bad: [bad]})))
    assert rows == [["'" + bad], ["'" + bad]]


def test_a_category_is_text_too():
    """What holds for text holds for categories."""
    assert read(csv(pd.DataFrame({"a": pd.Categorical(["=1", "b"])}))) == [["a"], ["'=1"], ["b"]]


def test_numbers_stay_numbers():
    """Negative numbers, whole and not, are written as they are and without quotes; so is text that is a number."""
    frame = pd.DataFrame({"a": [-3, 4], "b": [-0.5, 1e-7], "c": ["-3.5", "+1e5"], "d": np.array([-1, 2], np.int16)})
    assert csv(frame).splitlines()[1:] == ['-3,-0.5,"-3.5",-1', '4,1e-07,"+1e5",2']


def test_what_is_missing_is_empty():
    """NaN, None, NA and NaT leave their cell empty, and true and false are words."""
    frame = pd.DataFrame({"a": [np.nan], "b": [None], "c": pd.array([None], "Int64"), "d": [pd.NaT], "e": [True]})
    assert csv(frame).splitlines()[1] == ',,,,"True"'


def test_text_comes_back():
    """Quotes, commas, line breaks, other separators and Chinese are read as they were; the index is left out."""
    said = ['a "b", c', "一行\n两行", "a;=1", "义乌"]
    assert read(csv(pd.DataFrame({"名称": said}, index=[7, 8, 9, 10]))) == [["名称"], *([s] for s in said)]


def test_an_empty_table_has_its_headings():
    """A table without rows is its headings; without columns it is one empty line."""
    assert read(csv(pd.DataFrame({"a": [], "b": []}))) == [["a", "b"]]
