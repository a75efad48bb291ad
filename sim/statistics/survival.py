"""How long shops live: cohort survival, competing risks, landmark survival, hazards.

Unless asked otherwise these are about newcomers, the first shops opened within the horizon. With ``who="everybody"``
the initial stock and restarts count too; the stock was seen only from the age that it had when the horizon started
(left truncation), so it is at risk only from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.statistics.columns import Ints, Table, Who, category, counted, factor
from sim.statistics.funnel import first_reached
from sim.statistics.lifetable import LifeTable, LogRank, incidence, life_tables, loglog, logrank
from sim.tables import columns

__all__ = ["CAUTION", "causes", "cohort_table", "compare", "hazard", "landmark_survival", "survival", "tidy"]

CAUTION = {
    "highest_stage": {
        "en": "grouped by what happened later: those who live longer had more time to move up (immortal-time bias)",
        "zh": "按事后到达的阶段分组：活得久的人才有时间升级（不朽时间偏差）",
    }
}
"""What a reader must be told beside a curve, by grouping column."""

_BY = ("education", "origin", "channel", "highest_stage")


def survival(
    entrepreneurs: pd.DataFrame, by: str | None = None, *, who: Who = "newcomers", level: float = 0.95
) -> pd.DataFrame:
    """Kaplan-Meier survival by month of age.

    Parameters
    ----------
    entrepreneurs : table of one or more replicates (pooled)
    by : a text column to group by (education, origin, channel, cohort, ...), or None for all together.
        `highest_stage` is known only afterwards and suffers immortal-time bias: only those who live long can move far,
        so its curves must not be read as what a stage does. `landmark_survival` is free of it. The frame's
        ``attrs["caution"]`` says so, in both languages.
    level : of the pointwise log-log intervals

    Returns
    -------
    DataFrame
        group, age_months, at_risk, events, survival, ci_low, ci_high (null where survival is 0 or 1). Ages at which
        nobody is at risk have no row.
    """
    frame = tidy(*_Lives(entrepreneurs, who).by(by), level)
    if by in CAUTION:
        frame.attrs["caution"] = CAUTION[by]
    return frame


def compare(entrepreneurs: pd.DataFrame, by: str, *, who: Who = "newcomers") -> LogRank:
    """Log-rank test of equal survival between the groups of column `by`."""
    return logrank(_Lives(entrepreneurs, who).by(by)[0])


def hazard(
    entrepreneurs: pd.DataFrame, by: str | None = None, *, width: int = 1, who: Who = "newcomers"
) -> pd.DataFrame:
    """Exits per person-month at risk, in bands of `width` months of age.

    Returns
    -------
    DataFrame
        group, age_from, age_to (both within the band), person_months, events, hazard (1/month).
    """
    table, labels = _Lives(entrepreneurs, who).by(by)
    starts = np.arange(0, table.ages.size, width)
    if not starts.size:
        exposure = events = table.at_risk
    else:
        exposure, events = (np.add.reduceat(x, starts, axis=1) for x in (table.at_risk, table.events))
    group, band = np.nonzero(exposure)
    return pd.DataFrame(
        {
            "group": category(group, labels),
            "age_from": starts[band] + 1,
            "age_to": np.minimum(starts[band] + width, table.ages.size),
            "person_months": exposure[group, band],
            "events": events[group, band],
            "hazard": events[group, band] / exposure[group, band],
        }
    )


def causes(entrepreneurs: pd.DataFrame, *, who: Who = "newcomers", level: float = 0.95) -> pd.DataFrame:
    """Cumulative incidence of each exit reason (Aalen-Johansen): the share that has left for that reason by an age.

    Returns
    -------
    DataFrame
        exit_reason, age_months, at_risk, events, incidence, ci_low, ci_high. At any age the incidences and the survival
        add to 1.
    """
    lives = _Lives(entrepreneurs, who)
    everyone, _ = lives.by(None)
    reasons, labels = factor(entrepreneurs["exit_reason"])
    events = lives.count(reasons, len(labels)).events
    at_risk = everyone.at_risk[0]
    result = incidence(at_risk, events)
    low, high = result.interval(level)
    cause, age = np.nonzero(np.broadcast_to(at_risk > 0, events.shape))
    return pd.DataFrame(
        {
            "exit_reason": category(cause, labels),
            "age_months": age + 1,
            "at_risk": at_risk[age],
            "events": events[cause, age],
            "incidence": result.cumulative[cause, age],
            "ci_low": low[cause, age],
            "ci_high": high[cause, age],
        }
    )


def landmark_survival(
    entrepreneurs: pd.DataFrame,
    transitions: pd.DataFrame,
    stages: Sequence[str],
    *,
    landmark: int = 12,
    level: float = 0.95,
) -> pd.DataFrame:
    """Survival of the newcomers who were alive at age `landmark`, by the highest stage they had reached by then.

    Nobody is grouped by what happened after the clock starts, so there is no immortal-time bias (Anderson, Cain and
    Gelber 1983). The curves start at 1 at the landmark and are conditional on living that long. They still compare
    different people: selection into a stage is not taken out.

    Returns
    -------
    DataFrame
        As `survival`; group is ``stage_at_<landmark>m=<stage>``, ages start at landmark + 1.
    """
    reached = first_reached(entrepreneurs, transitions, stages) <= landmark
    stage = reached.sum(axis=0) - 1  # whoever reached a stage has reached all before it
    durations = entrepreneurs["duration_months"].to_numpy()
    beyond = counted(entrepreneurs, "newcomers") & (durations > landmark)
    table = life_tables(
        durations[beyond],
        entrepreneurs["event"].to_numpy(bool)[beyond],
        stage[beyond],
        len(stages),
        np.full(int(beyond.sum()), landmark),
    )
    return tidy(table, [f"stage_at_{landmark}m={s}" for s in stages], level)


def cohort_table(entrepreneurs: Table, *, level: float = 0.95) -> pd.DataFrame:
    """The `cohorts` table of one replicate: newcomers' survival by monthly cohort and by group.

    Group "all" is there for each monthly cohort and for cohort "all"; education, origin, channel and highest_stage only
    for cohort "all". On highest_stage see `survival`: immortal-time bias.
    """
    lives = _Lives(entrepreneurs, "newcomers")
    tables = [lives.by(column) for column in (None, "cohort", "education", "origin", "channel", "highest_stage")]
    cohorts = ["all", *(label.removeprefix("cohort=") for label in tables[1][1])]
    groups = ["all", *(label for _, labels in tables[2:] for label in labels)]
    months, rest = len(cohorts) - 1, len(groups) - 1
    stacked = LifeTable(*(np.concatenate(x) for x in zip(*((t.at_risk, t.events) for t, _ in tables), strict=True)))
    values = _tidy(stacked, level)
    row = values.pop("group")
    cohort = np.append(np.arange(1 + months), np.zeros(rest, int))[row]
    group = np.append(np.zeros(1 + months, int), np.arange(1, 1 + rest))[row]
    replicate = entrepreneurs["replicate"].to_numpy()[0] if len(entrepreneurs) else 0
    values |= {
        "replicate": np.full(len(row), replicate, np.int16),
        "cohort": category(cohort, cohorts),
        "group": category(group, groups),
        "age_months": values["age_months"].astype(np.int16),
        "at_risk": values["at_risk"].astype(np.int64),
        "events": values["events"].astype(np.int64),
    }
    return pd.DataFrame({column.name: values[column.name] for column in columns("cohorts")})


class _Lives:
    """The lives of those who count, to be counted by group."""

    def __init__(self, entrepreneurs: Table, who: Who) -> None:
        self._people, self._rows = entrepreneurs, counted(entrepreneurs, who)
        self._durations = self._of("duration_months")
        self._events = self._of("event").astype(bool)
        self._entry = None if who == "newcomers" else self._of("entry_age_months")

    def _of(self, column: str) -> Any:
        return self._people[column].to_numpy()[self._rows]

    def by(self, column: str | None) -> tuple[LifeTable, list[str]]:
        """Life tables of the groups of a column, or of all, and their labels."""
        if column is None:
            return self.count(np.zeros(len(self._rows), np.intp), 1), ["all"]
        groups, labels = factor(self._people[column])
        return self.count(groups, len(labels)), [f"{column}={label}" for label in labels]

    def count(self, groups: Ints, n_groups: int) -> LifeTable:
        """Life tables of groups by number, negative for those left out; all have the same ages."""
        return life_tables(self._durations, self._events, groups[self._rows], n_groups, self._entry)


def tidy(table: LifeTable, labels: list[str], level: float = 0.95) -> pd.DataFrame:
    """Survival of the groups of a life table as a tidy frame: see `survival`."""
    values = _tidy(table, level)
    return pd.DataFrame(values | {"group": category(values["group"], labels)})


def _tidy(table: LifeTable, level: float) -> dict[str, Any]:
    """Columns of `tidy`, groups by number."""
    group, age = np.nonzero(table.at_risk)
    survival = table.survival[group, age]
    low, high = loglog(survival, survival * np.sqrt(table.greenwood[group, age]), level)
    return {
        "group": group,
        "age_months": age + 1,
        "at_risk": table.at_risk[group, age],
        "events": table.events[group, age],
        "survival": survival,
        "ci_low": low,
        "ci_high": high,
    }
