"""Tables as plain arrays: what pandas would have made of them, and what statistics read of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.experiments.points import OUTCOMES, measure, watched
from sim.records import Nullable, Records, coded
from sim.simulation import records, simulate
from sim.statistics import summary
from sim.statistics.columns import codes, factor


@pytest.mark.parametrize("labels", [0, 1, 126, 127, 128, 32_766, 32_768])
def test_text_by_number_is_what_pandas_makes(labels: int) -> None:
    """Whatever the number of labels, codes have the type that pandas gives them, nulls included."""
    names = [f"n{i}" for i in range(labels)]
    numbers = np.arange(-1, labels)
    held = coded(numbers, names)
    theirs = pd.Categorical.from_codes(numbers, dtype=pd.CategoricalDtype(names))
    assert held.pandas().codes.dtype == theirs.codes.dtype
    pd.testing.assert_series_equal(pd.Series(held.pandas()), pd.Series(theirs))


def test_a_table_and_its_frame_say_the_same() -> None:
    """Length, plain columns, text and nulls; text is no plain array."""
    table = Records(
        {
            "text": coded(np.array([1, -1, 0]), ("a", "b")),
            "count": Nullable(np.array([3, 0, 5]), np.array([False, True, False])),
            "value": np.array([0.5, 1.5, 2.5]),
        }
    )
    frame = table.frame()
    assert len(table) == len(frame) == 3
    assert frame["text"].astype(object).where(frame["text"].notna(), None).tolist() == ["b", None, "a"]
    assert frame["count"].isna().tolist() == [False, True, False]
    assert (table["value"].to_numpy() == frame["value"].to_numpy()).all()
    for order in (["a", "b"], ["b"], ["c", "a"]):
        assert (codes(table["text"], order) == codes(frame["text"], order)).all()
    assert factor(table["text"])[1] == factor(frame["text"])[1]
    for name in ("text", "count"):
        with pytest.raises(TypeError):
            table[name].to_numpy()


def test_outcomes_are_the_same_from_both(small: Any) -> None:
    """Every outcome told from plain arrays is the one told from frames."""
    there = watched(small(), [*OUTCOMES])
    plain, frames = records(there), simulate(there)
    usual = summary.outcomes(frames, months=there.horizon.months, stages=[s.id for s in there.chain])
    asked = [*usual, *OUTCOMES, "survivors_12m", "survival_6m", "survival_6m_education_bachelor"]
    assert len(asked) > 40
    assert measure(plain, there, asked) == measure(frames, there, asked)
