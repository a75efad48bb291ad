"""Field experiments inside the model, for the facts that were found by field experiments.

Whoever is treated is compared with himself: in a second run the same people have the same luck and no treatment, and
everybody else's demand, rents, neighbours and places are held as without it (see `sim.surroundings`). So each pair is a
person and his own control, nobody is displaced, and no other difference is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import PrivateAttr

from sim.model import Pipeline
from sim.observation import calendar_month, month_label
from sim.policy import ai_tools, award, certificate, college_park, training
from sim.policy._instrument import PolicyInstrument
from sim.scenario.schema import Horizon, Scenario
from sim.simulation import Tables
from sim.surroundings import Surroundings
from sim.validation.record import NotKnown
from sim.validation.treatment import INCUBATOR

if TYPE_CHECKING:
    from sim.entrepreneurs.columns import Columns
    from sim.policy._instrument import Rows
    from sim.policy._now import Now

__all__ = ["GRANT", "RUNS", "City", "trials"]

GRANT = 300_000.0
"""assumed: CNY in one sum, what winners of the field experiment got (about 50,000 USD, mckenzie_2017): for most shops
many times a year's profit."""

_YEAR = 12
_FOLLOWED = 36
"""Months from the grant to the count of survivors, as in the source."""

RUNS = 6
"""Model runs that all trials of a replicate take."""

Trial = pd.DataFrame | NotKnown


@dataclass(frozen=True)
class City:
    """One replicate of the scenario as it is, from which trials depart.

    Attributes
    ----------
    past : its burn-in
    tables : of the run without any treatment
    around : its surroundings, to be held
    run_done : called after each run
    """

    scenario: Scenario
    seed: int
    replicate: int
    past: Pipeline | None
    tables: Tables
    around: Surroundings
    run_done: Callable[[], None]
    threads: int = 1

    def live(
        self,
        changes: Mapping[str, Any],
        months: int | None = None,
        *,
        note: Surroundings | None = None,
        held: Surroundings | None = None,
        at: Mapping[int, Callable[[Pipeline], None]] | None = None,
    ) -> Tables:
        """Run the scenario with some of its parts replaced, over `months`; `at` looks in after so many months."""
        start = self.scenario.horizon.start
        horizon = {"horizon": Horizon(start=start, months=months)} if months else {}
        model = Pipeline(
            self.scenario.model_copy(update={"observe": (), **horizon, **changes}),
            rng=self.seed,
            replicate=self.replicate,
            threads=self.threads,
            collect=False,
            past=self.past,
            surroundings=note,
            held=held,
        )
        while model.running:
            model.step()
            if at and model.month in at:
                at[model.month](model)
        tables = model.tables()
        model.release()
        self.run_done()
        return tables

    def long_enough(self, months: int) -> None:
        """Raise NotKnown if the horizon is shorter."""
        if self.scenario.horizon.months < months:
            raise NotKnown("short_for_trial", months=self.scenario.horizon.months, needed=months)

    def without(self, *types: str) -> tuple[PolicyInstrument, ...]:
        """The scenario's instruments but those of some types, and funds, which count on those that they cover."""
        return tuple(i for i in self.scenario.policy if i.type not in (*types, "fund"))

    def own(self, kind: type[PolicyInstrument], **fits: object) -> dict[str, Any]:
        """Parameters of the scenario's own instrument of a kind; empty, for the defaults, where it has none."""
        name = kind.model_fields["type"].default
        for instrument in self.scenario.policy:
            if instrument.type == name and all(getattr(instrument, k) == v for k, v in fits.items()):
                return instrument.model_dump()
        return dict(fits)


def _free(kind: type[PolicyInstrument], parameters: Mapping[str, Any], **changes: object) -> Any:
    """An instrument that runs for a trial: always, and without a budget."""
    free = {"active": True, "since": None, "until": None, "budget": None, "budget_total": None}
    return kind.model_validate({**parameters, **free, **changes})


def trials(city: City) -> dict[str, Trial]:
    """All trials of one replicate: name -> its table, or why it cannot be run."""
    out: dict[str, Trial] = {}
    each: dict[str, Callable[[City], pd.DataFrame]] = {"training": _training, "grant": _grant, "lottery": _lottery}
    for name, trial in each.items():
        try:
            out[name] = trial(city)
        except NotKnown as why:
            out[name] = why
    return out | _published(city)


# training -------------------------------------------------------------------------------------------------------------


class _Course(training.Instrument):
    """Training with a seat for everybody, which keeps a list of those who came."""

    _came: list[NDArray[np.int64]] = PrivateAttr(default_factory=list)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """A course, and a line on the list."""
        super().apply(people, now, rows)
        self._came.append(people.uid[rows].copy())


def _training(city: City) -> pd.DataFrame:
    """All who arrive in the first year are offered courses in their first twelve months; sales a year later.

    Columns: uid; taker, whether he came; sales_control and sales_trial, annual sales at the end of the second year,
    CNY; 0 if closed.
    """
    city.long_enough(2 * _YEAR)
    others, own = city.without("training"), city.own(training.Instrument)
    course = _free(_Course, own, id="facts_trial", courses=10**6, seats=10**5, max_age=_YEAR)
    around = Surroundings(city.scenario.chain)
    control = city.live({"policy": others}, 2 * _YEAR, note=around)["entrepreneurs"]
    trial = city.live({"policy": (*others, course)}, 2 * _YEAR, held=around)["entrepreneurs"]
    first = control["arrival_month"].between(0, _YEAR - 1) & (control["attempt"] == 0)
    uid = control["uid"].to_numpy()[first]
    sales = {f"sales_{run}": _living_sales(people, uid) for run, people in (("control", control), ("trial", trial))}
    came = np.concatenate([np.zeros(0, np.int64), *course._came])
    return pd.DataFrame({"uid": uid, "taker": np.isin(uid, came), **sales})


def _living_sales(people: pd.DataFrame, uid: NDArray[np.int64]) -> NDArray[np.float64]:
    rows = people["uid"].searchsorted(uid)
    sales: NDArray[np.float64] = np.where(people["event"], 0.0, people["sales_12m_cny"])[rows]
    return sales


# money ----------------------------------------------------------------------------------------------------------------


class _Grant(award.Instrument):
    """An award that keeps a list of who got it when."""

    _paid: list[tuple[int, NDArray[np.int64]]] = PrivateAttr(default_factory=list)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """A line on the list."""
        self._paid.append((now.month, people.uid[rows].copy()))


def _grant(city: City) -> pd.DataFrame:
    """All first shops that reach one year of age in the first year get a grant; who trades three years later.

    Columns: uid; alive_control, alive_trial.
    """
    months = _YEAR + _FOLLOWED
    city.long_enough(months)
    last = month_label(calendar_month(city.scenario.horizon.start) + _YEAR - 1)
    grant = _free(_Grant, {}, id="facts_trial", amount=GRANT, first_after=_YEAR, eligible_share=1.0, until=last)
    trial = city.live({"policy": (*city.scenario.policy, grant)}, months, held=city.around)
    month = np.concatenate([np.full(len(uid), month) for month, uid in grant._paid] or [np.zeros(0, int)])
    uid = np.concatenate([np.zeros(0, np.int64), *(uid for _, uid in grant._paid)])
    until = month + _FOLLOWED
    control = _alive(city.tables["entrepreneurs"], uid, until)
    return pd.DataFrame(
        {"uid": uid, "alive_control": control, "alive_trial": _alive(trial["entrepreneurs"], uid, until)}
    )


def _alive(people: pd.DataFrame, uid: NDArray[np.int64], until: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each still trades when month `until` begins."""
    ends = people["exit_month"].fillna(np.iinfo(np.int16).max).to_numpy(np.int64)
    found: NDArray[np.bool_] = ends[people["uid"].searchsorted(uid)] >= until
    return found


# incubation -----------------------------------------------------------------------------------------------------------


def _lottery(city: City) -> pd.DataFrame:
    """Incubators admit by lot; who won a place in the first year, against himself with all incubators closed.

    Columns: uid; alive_control, alive_trial at the horizon's end, `months` or more after the admission.
    """
    city.long_enough(_YEAR + 36)
    chain = city.scenario.chain
    if all(stage.id != INCUBATOR for stage in chain):
        raise NotKnown("no_incubator")

    def with_incubator(**changes: object) -> dict[str, Any]:
        return {"chain": tuple(s.model_copy(update=changes) if s.id == INCUBATOR else s for s in chain)}

    lot = with_incubator(admission="lottery")
    around = Surroundings(lot["chain"])
    trial = city.live(lot, note=around)
    control = city.live(with_incubator(admission="lottery", places=0), held=around)
    moves, months = trial["transitions"], city.scenario.horizon.months - _YEAR
    won = (moves["to_stage"] == INCUBATOR) & (moves["reason"] == "admitted") & (moves["month"] < _YEAR)
    uid = np.unique(moves["uid"].to_numpy()[won])
    end = np.full(len(uid), city.scenario.horizon.months)
    runs = {"control": control, "trial": trial}
    alive = {f"alive_{run}": _alive(tables["entrepreneurs"], uid, end) for run, tables in runs.items()}
    return pd.DataFrame({"uid": uid, **alive, "months": months})


# instruments with published figures -----------------------------------------------------------------------------------


class _Park(college_park.Instrument):
    """The college's park, which keeps a list of its projects."""

    _projects: list[NDArray[np.int64]] = PrivateAttr(default_factory=list)

    def apply(self, people: Columns, now: Now, rows: Rows) -> None:
        """A line on the list for each new project."""
        new = rows[people.memory(self.id, "entered")[rows] == 0]
        self._projects.append(people.uid[new].copy())
        super().apply(people, now, rows)


_TYPES = ("ai_tools", "certificate", "college_park")


def _published(city: City) -> dict[str, Trial]:
    """AI tools, certificates and the college's park as the scenario has them, else by default; all start with the run.

    Tables: ``ai_tools`` (users, living: half a year after the launch); ``certificates`` (kind, per_year: of the first
    year); ``college`` (uid, firm: projects of the first year, and whether they were seen with staff within three).
    """
    needed = 3 * _YEAR
    try:
        city.long_enough(needed)
    except NotKnown as why:
        return dict.fromkeys(("ai_tools", "certificates", "college"), why)
    park = _free(_Park, city.own(college_park.Instrument), id="facts_park")
    marketer = city.own(certificate.Instrument, channel="all") | {"channel": "all"}
    added = (
        _free(ai_tools.Instrument, city.own(ai_tools.Instrument), id="facts_ai"),
        _free(certificate.Instrument, city.own(certificate.Instrument, channel="livestream"), id="facts_livestream"),
        _free(certificate.Instrument, {"places": _MARKETERS} | marketer, id="facts_marketer"),
        park,
    )
    users: list[dict[str, int]] = []

    def look(model: Pipeline) -> None:
        used = model.people.memory("facts_ai", "user")
        users.append({"users": int(np.count_nonzero(used)), "living": model.people.size})

    projects: list[int] = []
    policy = {"policy": (*city.without(*_TYPES), *added), "observe": ("panel",)}
    looks = {_YEAR // 2: look, _YEAR: lambda model: projects.append(len(park._projects))}
    tables = city.live(policy, needed, at=looks)
    books = tables["ledger"][tables["ledger"]["month"] < _YEAR]
    issued = books.groupby("instrument", observed=True)["recipients"].sum()
    kinds = ("livestream", "marketer")
    per_year = [int(issued.get(f"facts_{kind}", 0)) for kind in kinds]
    uid = np.concatenate([np.zeros(0, np.int64), *park._projects[: projects[0]]])
    seen = [tables[name].loc[tables[name]["employees"] > 0, "uid"] for name in ("panel", "entrepreneurs")]
    return {
        "ai_tools": pd.DataFrame(users),
        "certificates": pd.DataFrame({"kind": kinds, "per_year": per_year}),
        "college": pd.DataFrame({"uid": uid, "firm": np.isin(uid, pd.concat(seen))}),
    }


_MARKETERS = 206
"""assumed: internet-marketer certificates a year, as in `scenarios/yiwu_full_policy.yaml`."""
