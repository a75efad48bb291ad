"""The pipeline: entrepreneurs move through the chain, one month after another."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import mesa
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.chain.facility import Facility, Houses
from sim.chain.progress import Bars, Conditions, progress
from sim.chain.removal import Removal, within_places
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.arithmetic import exp, log
from sim.entrepreneurs.columns import MOST_IN_A_MONTH, Columns
from sim.entrepreneurs.draws import poisson, replicate_key
from sim.entrepreneurs.founding import newcomers, total_capacity
from sim.entrepreneurs.kernel import Tally, live
from sim.entrepreneurs.leaving import EMPLOYEE, AfterExit, FormerFounders, close, leavers
from sim.entrepreneurs.rules import Constants
from sim.entrepreneurs.streams import Stream
from sim.errors import RunError, ScenarioError
from sim.evidence.quantity import Label
from sim.market.competition import Competition
from sim.observation import SOLD, Observation, calendar_month, month_label
from sim.policy._instrument import PolicyInstrument
from sim.policy._now import Now
from sim.policy.ledger import Ledger, NegativeCost
from sim.records import Records
from sim.scenario.components import fault
from sim.scenario.messages import problem
from sim.scenario.schema import Horizon, Initial, Scenario
from sim.scenario.source import Place
from sim.surroundings import Held, Surroundings

__all__ = ["Pipeline", "before", "expect_scenario"]


class _Simulated(Scenario):
    """A model's scenario under Mesa 3.5, whose SolaraViz takes any that counts as true for one of Mesa's own kind."""

    @classmethod
    def of(cls, scenario: Scenario) -> Scenario:
        """The same scenario."""
        own = scenario.model_copy()
        object.__setattr__(own, "__class__", cls)
        return own

    def __bool__(self) -> bool:
        return False


class Pipeline(mesa.Model):  # type: ignore[misc]
    """A city's entrepreneurs and the chain they move through; one step is one month.

    Parameters
    ----------
    scenario
        What to simulate.
    rng
        Root seed, a whole number of 0 or more; the scenario's own if None.
    replicate
        Number of the replicate, from 0: each has its own luck.
    threads
        Threads for large populations; no number of threads changes a bit.
    founder
        The agent class of engine `objects`: a subclass of `Entrepreneur` with another `learn`, say.
    collect
        Whether `datacollector` collects each month (the tables do not need it).
    past
        The end of the burn-in (see `Pipeline.past`), if it has been run already; one serves many scenarios.
    surroundings
        Where to write down what others leave to each founder, for `held` in another run.
    held
        Surroundings of another run with the same seed and replicate, held here: see `sim.surroundings`.

    Attributes
    ----------
    people : Columns
        The state of all living entrepreneurs.
    houses : Houses
        The chain's houses; each is a `Facility` agent too.
    month : int
        Month to come, from 0; `running` turns false at the horizon's end.
    capacity : int
        Trading capacity K of all modelled firms when the month begins, CNY/month.
    former_founders : int
        Those who have closed and still live in the city.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        rng: int | None = None,
        replicate: int = 0,
        threads: int = 1,
        founder: type[Entrepreneur] = Entrepreneur,
        collect: bool = True,
        past: Pipeline | None = None,
        surroundings: Surroundings | None = None,
        held: Surroundings | None = None,
        _before: int = 0,
    ) -> None:
        expect_scenario(scenario)
        seed = scenario.seed if rng is None else int(rng)
        super().__init__(rng=seed)
        self.scenario, self.replicate, self._collect = scenario, replicate, collect
        self.key = replicate_key(seed, replicate)
        self.stages = tuple(s.id for s in scenario.chain)
        self.constants = Constants.of(scenario.behaviour, scenario.market.trim)
        self._packed = self.constants.packed()
        self._mix = scenario.arrivals.shares()
        self._after = AfterExit.of(scenario.behaviour.exit)
        self.start = calendar_month(scenario.horizon.start)
        self.month = -_before
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._founder = founder if scenario.engine == "objects" else None
        self._policy = tuple(i.anew() for i in scenario.policy)
        self._settling = [
            i for i in self._policy if i.active and type(i).closed is not PolicyInstrument.closed
        ]  # those that settle accounts with whoever closes

        self.people = Columns(len(self.stages), memory=_memory(scenario))
        self.houses = Houses(scenario.chain)
        self._entry = self.houses.of(0)
        self._conditions = Conditions.of(scenario.chain)
        self.facilities = [Facility(self, self.houses, h) for h in range(self.houses.outside)]
        self.entrepreneurs: list[Entrepreneur] = []
        self._former = FormerFounders()
        self._bars, self._held, self._surroundings = Bars.free(len(self.stages)), None, surroundings
        if held is not None:
            self._held = Held(held, self.houses)
            self._bars = self._held.bars
        if not _before and scenario.initial.kind == "burn_in":
            if past is not None:
                self._settle_in(past)
            elif own := Pipeline.past(scenario, rng=seed, replicate=replicate, threads=threads, founder=founder):
                self._settle_in(own)
                own.release()
        if self._founder:
            self.entrepreneurs = [self._founder(self, self.people, r) for r in range(self.people.size)]

        capacity = total_capacity(self.people, self._packed, self.houses.table.uplift)
        self.competition = Competition(scenario.market, self.start, capacity)
        self.capacity = capacity
        self.ledger = Ledger(self._policy)
        self.observation = Observation(self.stages, self.start, self.people, "panel" in scenario.observe)
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "month": lambda m: m.month,
                "living": lambda m: m.people.size,
                **{place: partial(_living, place=i) for i, place in enumerate(self.observation.places)},
                "former_founders": lambda m: m.former_founders,
            }
        )

    @property
    def scenario(self) -> Scenario:
        """What is simulated. (A property, since Mesa 3.5 would write the model into a scenario that it is given.)"""
        return self._scenario

    @scenario.setter
    def scenario(self, scenario: Scenario) -> None:
        ours = isinstance(scenario, Scenario)  # Mesa 3.5 begins with one of its own
        self._scenario = _Simulated.of(scenario) if ours and hasattr(mesa.Model, "scenario") else scenario

    @property
    def former_founders(self) -> int:
        """Those who have closed and still live in the city."""
        return self._former.size

    @property
    def calendar(self) -> int:
        """The month to come in months since 2000-01."""
        return self.start + self.month

    @property
    def date(self) -> str:
        """The month to come as YYYY-MM."""
        return month_label(self.calendar)

    @property
    def month_key(self) -> tuple[int, int, int]:
        """Key of the month's draws."""
        return (*self.key, self.calendar)

    def step(self) -> None:
        """One month, in the order of the ODD's process overview."""
        self.share_demand()  # 1 demand moves, and is shared among those who trade
        self.arrive()  # 2 newcomers open shops in the first stage; former founders start again
        self.govern()  # 3 each instrument finds who is eligible, acts and pays
        tally = self.live()  # 4 everybody trades, settles, learns, decides, moves on and asks for a place
        self.close_shops()  # 5 those who decided to leave are gone before places are given
        self.progress()  # 6 tenancies end, the best applicants take free places, the weak fall back
        self.observe(tally)  # 7 what happened is written down

    def share_demand(self) -> None:
        """Each channel's log factor A follows from demand and crowding, each house's rent from its tenants.

        Before the horizon the market stands still: A is 0.
        """
        if self.month >= 0:
            self.competition.move(self.calendar, self.capacity)
        if self._held:
            self._held.open_month(self.month, self.competition)
            self._held.set_bars(self.month)
        else:
            self.houses.open_month()
        if self._surroundings:
            self._tenants = self.houses.tenants.copy()

    def arrive(self) -> None:
        """Newcomers open shops, a Poisson number around the expected one; so do former founders who start again."""
        expected = self.scenario.arrivals.expected(self.month, self.calendar % 12 + 1)
        count = poisson(self.key, Stream.ARRIVALS, expected, self.calendar)
        if count > MOST_IN_A_MONTH:
            raise RunError(
                f"{self.date}: {count:,} arrivals in a month; identities are for {MOST_IN_A_MONTH:,} at most"
            )
        known = self._former.end(self.calendar)
        if not count + len(known):
            return
        rents, factor = self.houses.table.rent[self._entry], self.competition.factor
        tenants = self.houses.tenants[self._entry]
        new = newcomers(
            self.people,
            self.calendar,
            count,
            known,
            self._mix,
            self._packed,
            factor,
            rents,
            tenants,
            self.key,
            self.observation.journal,
            self.month,
        )
        if self._founder:
            self.entrepreneurs += [self._founder(self, self.people, r) for r in range(new.start, new.stop)]

    def govern(self) -> None:
        """Each instrument in force acts once, in the scenario's order; relief on rent is granted anew each month."""
        self.people.clear("relief")
        now = self.now()
        date = self.date
        for instrument in self._policy:
            if not instrument.active:
                continue
            try:
                if instrument.in_force(date):
                    instrument.act(self.people, now, self.ledger)
                elif instrument.until is not None and date > instrument.until:
                    instrument.wind_down(self.people, now, self.ledger)
            except Exception as error:
                self._blame(instrument, error)

    def _blame(self, instrument: PolicyInstrument, error: Exception) -> None:
        """A mistake in an instrument of the scenario's own is the user's, and told with its place; others are ours."""
        place = fault(error, type(instrument).cost if isinstance(error, NegativeCost) else None)
        if place is None:
            raise error
        raise RunError(f"policy.{instrument.id}: {place}") from error

    def now(self) -> Now:
        """What instruments may know of the month."""
        return Now(self.month, self.calendar, self.key, self.stages, self.houses.stage_of, self.constants)

    def live(self) -> Tally:
        """Everybody lives his month by himself, in the compiled kernel or agent by agent: the same bits."""
        if not self._founder:
            factor = self.competition.factor
            tally = live(self.people, self._packed, self.houses.block, factor, self.month_key, self._pool)
        else:
            by_house = np.zeros((len(self.houses.tenants), 3), np.int64)
            capacity = 0
            for founder in self.entrepreneurs:
                founder.step()
                *sums, sells = founder.tally()
                by_house[founder.house] += sums
                capacity += sells
            tally = Tally(by_house, capacity)
        self.capacity = tally.capacity
        self.houses.close_month(tally)
        return tally

    def close_shops(self) -> None:
        """Those who decided to close leave; some stay in the city as employees, and some of these start again later."""
        rows = leavers(self.people)
        if not len(rows):
            return
        for instrument in self._settling:
            try:
                instrument.closed(self.people, self.now(), self.ledger, rows)
            except Exception as error:
                self._blame(instrument, error)
        closed, tenants = self.observation.closed, self.houses.tenants
        moved, to = close(self.people, rows, tenants, self._after, self.month_key, self.month, closed, self._former)
        if self._founder:
            agents = self.entrepreneurs
            for row in rows:
                agents[row].remove()
            for source, target in zip(moved, to, strict=True):
                agents[target] = agents[source]
                agents[target].row = int(target)
            del agents[self.people.size :]

    def progress(self) -> None:
        """Tenancies end, the best applicants take the free places from the top stage down, the weak fall back."""
        journal = self.observation.journal
        progress(self.people, self.houses, self._conditions, self._bars, self.month_key, journal, self.month)

    def observe(self, tally: Tally) -> None:
        """The month is written down, and the next one begins."""
        if self._held:
            self._held.close_month(self.month)
        if self._surroundings:
            self._surroundings.note(self.competition, self._tenants, self.houses, self._bars)
        city = (*self.competition.demand, self.competition.crowding, self.former_founders)
        self.observation.observe(self.month, self.people, self.houses, tally, city)
        self.month += 1
        self.running = self.month < self.scenario.horizon.months
        if self._collect:
            self.datacollector.collect(self)

    def records(self, only: Collection[str] | None = None) -> dict[str, Records]:
        """The tables of what has been simulated so far, or some of them, as plain arrays."""
        return self.observation.records(self.replicate, self.people, self.houses, self.ledger, only)

    def tables(self, only: Collection[str] | None = None) -> dict[str, pd.DataFrame]:
        """The same as pandas DataFrames."""
        return {name: table.frame() for name, table in self.records(only).items()}

    def release(self) -> None:
        """Let go of everybody; the tables stay. For many runs in one process: a model and its agents refer to each
        other, so that a hundred megabytes would wait for the garbage collector. The model cannot be used afterwards."""
        self.__dict__.clear()

    # the city before the horizon --------------------------------------------------------------------------------------

    @staticmethod
    def past(
        scenario: Scenario,
        *,
        rng: int | None = None,
        replicate: int = 0,
        threads: int = 1,
        founder: type[Entrepreneur] = Entrepreneur,
    ) -> Pipeline | None:
        """The city at the end of the scenario's burn-in; None if it has none.

        It may be given to all scenarios with an equal `before`, seed and replicate, and is not changed.
        """
        past, months = before(scenario), scenario.initial.months
        if past is None:
            return None
        seed = scenario.seed if rng is None else rng
        city = Pipeline(
            past, rng=seed, replicate=replicate, threads=threads, founder=founder, collect=False, _before=months
        )
        for _ in range(months):
            city.step()
        return city

    def _settle_in(self, past: Pipeline) -> None:
        """Take over the people of a burn-in, scaled to the number and the mean sales that the scenario states.

            copies of the i-th of n people = those k of 0 .. entities - 1 for which floor(k n / entities) = i
            shift = ln(mean_sales / mean R)
            P, theta, b <- + shift
            R, S, first_sales, rent, income <- x exp(shift)

        Both only where the scenario states them. Everybody keeps his house, his waiting list and his peers where the
        chain has the same stage; else he stands outside, as does whoever finds no place left, copies of tenants of
        houses with limited places included. What he has received, and the months spent in stages, start from 0.
        Former founders keep the month in which they leave or start again; with `entities`, their number is scaled and
        none of them starts again.
        """
        initial, people = self.scenario.initial, past.people
        rows = np.argsort(people.uid, kind="stable")
        way = Removal(past.houses, self.houses)
        house, highest = way.house[people.house[rows]], way.stage[people.highest[rows]]
        if initial.entities is not None:
            if not len(rows):
                raise RunError(
                    f"initial.entities: nobody trades at the end of the burn-in who could stand for {initial.entities}"
                )
            copies = np.arange(initial.entities) * len(rows) // initial.entities
            first = np.r_[True, copies[1:] != copies[:-1]]
            rows, house, highest = rows[copies], house[copies], highest[copies]
            seated = self.houses.places[house] < 2**40
            house = np.where(seated & ~first, self.houses.outside + highest, house)
        house = within_places(house, self.houses)
        stage = self.houses.stage_of[house]
        taken = people.take(rows)
        spent = np.zeros((len(self.stages) + 1, len(rows)), np.int16)
        spent[stage, np.arange(len(rows))] = -taken["months_in"]  # so that months from now on are left when he moves
        if initial.entities is not None:
            taken["uid"] = _renumbered(self.start - taken["age"])
        taken.update(
            house=house.astype(np.int16),
            highest=np.maximum(highest, np.where(stage < len(self.stages), stage, 0)).astype(np.int8),
            initial=np.ones(len(rows), np.int8),
            received=np.zeros(len(rows)),
            waiting=way.waiting[people.waiting[rows]].astype(np.int8),
            call=np.zeros(len(rows), np.int8),
            spent=spent,
        )
        if initial.mean_sales is not None and len(rows):
            # an exact sum in whole CNY, so that no order of rows matters
            mean = int(np.floor(taken["smoothed"]).astype(np.int64).sum()) / len(rows)
            shift = log(initial.mean_sales / mean)
            for name in ("level", "potential", "belief"):
                taken[name] = taken[name] + shift
            for name in ("smoothed", "sales", "first_sales", "rent", "income"):
                taken[name] = taken[name] * exp(shift)
        self.people.append(taken)
        self.houses.enter(self.people.house)
        if initial.entities is None:
            self._former.add(past._former.waiting)
        else:
            scale = len(rows) / people.size
            ends, kinds = past._former.waiting[:2]
            month, count = np.unique(ends[kinds == EMPLOYEE], return_counts=True)
            employees = np.repeat(month, (count * scale).astype(np.int64))
            self._former.add(np.stack([employees, *np.zeros((5, len(employees)), np.int64)]))
        way.carry_peers()


def expect_scenario(given: object) -> None:
    """Raise ScenarioError for anything but a scenario: a file's name, say."""
    if not isinstance(given, Scenario):
        raise ScenarioError([problem(Place(""), "", "not_a_scenario", {"found": type(given).__name__})])


def before(scenario: Scenario) -> Scenario | None:
    """What a scenario's burn-in simulates, and nothing that it does not depend on; None if there is no burn-in."""
    if scenario.initial.kind != "burn_in":
        return None
    regime = scenario.burn_in
    past: Scenario = scenario.model_copy(
        update={
            "name": Label(),
            "description": Label(),
            "chain": regime.chain,
            "policy": regime.policy,
            "observe": (),
            "replicates": 1,
            "horizon": Horizon(start=scenario.horizon.start),
            "initial": Initial(months=scenario.initial.months),
        }
    )
    past._burn_in = None
    return past


def _memory(scenario: Scenario) -> dict[str, str]:
    """The columns that instruments and the panel keep, by name: ``<id>.<name>`` -> dtype."""
    kept = {f"{i.id}.{name}": dtype for i in scenario.policy for name, dtype in i.remembers.items()}
    return kept | ({SOLD: "f8"} if "panel" in scenario.observe else {})


def _living(model: Pipeline, place: int) -> int:
    return model.observation.living[place]


def _renumbered(opened: NDArray[Any]) -> NDArray[np.int64]:
    """Fresh identities for people who opened in these calendar months: slots count up within each month."""
    order = np.argsort(opened, kind="stable")
    starts = np.unique(opened[order], return_index=True)[1]
    slot = np.empty(len(opened), np.int64)
    slot[order] = np.arange(len(opened)) - np.repeat(starts, np.diff(np.r_[starts, len(opened)]))
    if slot.max(initial=0) >= MOST_IN_A_MONTH:
        raise RunError(f"initial.entities: more than {MOST_IN_A_MONTH:,} of one opening month; identities do not reach")
    return opened.astype(np.int64) * 10**7 + slot * 10
