"""What one visitor plays with: a scenario and its reform, the same people under both, month by month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.model import Pipeline, before
from sim.observation import month_label
from sim.presentation.dashboard.levers import Levers, Switch
from sim.presentation.dashboard.side import Side

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiments.tracing.trace import Life
    from sim.scenario.schema import Scenario

__all__ = ["MOST_DRAWN", "SIDES", "Session"]

SIDES = ("base", "reform")

MOST_DRAWN = 1000
"""assumed: dots on a side that an eye takes in as a crowd, and a school's computer moves without stumbling."""

_YEARS, _GROWS = 3.0, 1.75
"""assumed: founders who will trade, in years of arrivals, and over those who trade at the start; to choose how many
a dot stands for so that this need not change while one watches."""


class Session:
    """A base and a reform of it, run in step. Nothing is shared between sessions.

    Parameters
    ----------
    scenario
        The base: the scenario as it was loaded.

    Attributes
    ----------
    levers : Levers
        Those of the base.
    wanted : dict
        What the levers say where they say something else than the base, by path.
    base, reform : Side
    grain : int
        Founders that a dot stands for, a power of two.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.levers = Levers(scenario)
        self.wanted: dict[str, float | bool] = {}
        self._reformed = scenario
        self._pasts: list[tuple[Scenario, Pipeline]] = []
        self.reset()

    @property
    def scenario(self) -> Scenario:
        """The base."""
        return self._scenario

    @property
    def reformed(self) -> Scenario:
        """The base with what the levers say; the base itself if they say nothing."""
        return self._reformed

    @property
    def month(self) -> int:
        """Months lived, the same on both sides but while the reform catches up."""
        return self.base.month

    @property
    def months(self) -> int:
        """Months in all."""
        return self._scenario.horizon.months

    @property
    def ended(self) -> bool:
        """Whether the horizon's end is reached."""
        return self.month >= self.months

    @property
    def date(self) -> str:
        """The last month that was lived, YYYY-MM; before the first, the one that begins."""
        return month_label(self.base.model.start + max(self.month - 1, 0))

    # what a visitor does ----------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Both sides begin again, with what the levers say."""
        self.base = Side(self._scenario, self._past(self._scenario))
        self.reform = Side(self._reformed, self._past(self._reformed))
        expected = max(_GROWS * self.base.living.size, _YEARS * self._scenario.arrivals.per_year)
        self.room = expected
        self.grain = 1
        self._coarsen(expected)

    def reseed(self, seed: int) -> None:
        """Both sides begin again, with another luck. Raises ScenarioError for a seed that is none."""
        self._scenario = self._scenario.replace({"seed": seed})
        self.levers = Levers(self._scenario)
        self._reformed = self.levers.changed(self.wanted)
        self._pasts.clear()
        self.reset()

    def step(self, months: int = 1) -> None:
        """Both sides live so many months, at most to the horizon's end."""
        self._catch_up()
        for _ in range(min(months, self.months - self.month)):
            self.base.step()
            self.reform.step()

    def run(self, seconds: float) -> None:
        """Both sides live for so long, a month at least, at most to the horizon's end."""
        end = monotonic() + seconds
        self.step()
        while not self.ended and monotonic() < end:
            self.step()

    def move(self, changes: Mapping[str, float | bool | None], given_up: Callable[[], bool] = lambda: False) -> bool:
        """Levers say something else, or again what the base says (None); the reform lives anew up to the present month.

        Returns False if it was given up on the way, which is asked each month; the next move goes on from there.

        Raises
        ------
        KeyError
            There is no such lever.
        ScenarioError
            A value does not fit; nothing has changed then.
        """
        undone = {path: None for moved in changes if changes[moved] is None for path in self.levers.together(moved)}
        changes = {**changes, **undone}
        wanted = self.wanted | {p: v for p, v in changes.items() if v is not None}
        wanted = {p: v for p, v in wanted.items() if changes.get(p, v) is not None and v != self._now(p)}
        reformed = self.levers.changed(wanted)
        self.wanted, self._reformed = wanted, reformed
        self.reform = Side(reformed, self._past(reformed))
        return self._catch_up(given_up)

    def restore(self, given_up: Callable[[], bool] = lambda: False) -> bool:
        """All levers say again what the base says; see `move`."""
        return self.move(dict.fromkeys(self.wanted), given_up)

    def _catch_up(self, given_up: Callable[[], bool] = lambda: False) -> bool:
        """The reform lives up to the base's month; False if that was given up."""
        while self.reform.month < self.month:
            if given_up():
                return False
            self.reform.step()
        return True

    def close(self) -> None:
        """Let go of everybody; the session cannot be used afterwards."""
        self.base.release()
        self.reform.release()
        self._pasts.clear()

    def _now(self, path: str) -> Any:
        lever = self.levers[path]
        return lever.on if isinstance(lever, Switch) else lever.row.origin.value

    def _past(self, scenario: Scenario) -> Pipeline | None:
        """The city at the end of the burn-in: run once for all scenarios that begin in the same one."""
        wanted = before(scenario)
        if wanted is None:
            return None
        for known, past in self._pasts:
            if known == wanted:
                return past
        city = Pipeline.past(scenario)
        assert city is not None
        self._pasts = [*self._pasts[:1], (wanted, city)]  # the base's, and the last reform's if that is another
        return city

    # what a visitor sees ----------------------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        """The present month as plain data: counts of everybody, and where the drawn ones are."""
        self._catch_up()
        self._coarsen(max(self.base.living.size, self.reform.living.size))
        sides = [side.counts() | side.crowd(self.grain) for side in (self.base, self.reform)]
        here = [set().union(*map(set, side["here"])) for side in sides]
        for side, mine, others in zip(sides, here, here[::-1], strict=True):
            side["only"] = sorted(mine - others)
        return {
            "month": self.month,
            "months": self.months,
            "date": self.date,
            "ended": self.ended,
            "grain": self.grain,
            "room": int(self.room / self.grain),
            "changed": bool(self.wanted),
            "sides": sides,
            **self.apart(),
        }

    def values(self) -> dict[str, float | bool]:
        """What the reform's levers say where that is not what the base says, shares that made room included."""
        origins = self._reformed.provenance
        moved = {p: origins[p].value for p in self.levers if p in origins and origins[p].value != self._now(p)}
        return moved | {p: v for p, v in self.wanted.items() if isinstance(v, bool)}

    def _coarsen(self, people: float) -> None:
        while people / self.grain > MOST_DRAWN:
            self.grain *= 2

    def apart(self) -> dict[str, int]:
        """Who trades now under the reform and not in the base (`saved`), and the other way round (`lost`)."""
        base, reform = self.base.living, self.reform.living
        both = int(np.isin(reform, base).sum())
        return {"saved": int(reform.size) - both, "lost": int(base.size) - both}

    def people(self) -> list[pd.DataFrame]:
        """The table `entrepreneurs` of both sides so far."""
        return [side.model.tables(only={"entrepreneurs"})["entrepreneurs"] for side in (self.base, self.reform)]

    def outcomes(self) -> pd.DataFrame:
        """The outcomes so far: outcome, unit, base, reform, difference, and why one is not known."""
        import pandas as pd

        from sim.statistics.summary import outcomes

        found = []
        for side in (self.base, self.reform):
            stages = tuple(s.id for s in side.scenario.chain)
            found.append(outcomes(side.model.tables(), months=side.month, stages=stages))
        rows = []
        for id, one in found[0].items():
            other = found[1][id]
            known = one.value is not None and other.value is not None
            rows.append(
                {
                    "outcome": id,
                    "unit": one.unit,
                    "base": one.value,
                    "reform": other.value,
                    "difference": other.value - one.value if known else None,  # type: ignore[operator]
                    "reason": one.reason or other.reason,
                }
            )
        return pd.DataFrame(rows, columns=["outcome", "unit", "base", "reform", "difference", "reason"])

    def lives(self, uid: int) -> list[Life | None]:
        """One founder's life so far on each side; None where he never came.

        Each is lived again to be told, and must be the one that was drawn.
        """
        from sim.experiments.tracing.trace import NobodyError, trace

        told: list[Life | None] = []
        for side in (self.base, self.reform) if self.wanted else (self.base,):
            until = side.scenario.replace({"horizon.months": max(side.month, 1)})
            try:
                told.append(trace(until, uid, past=self._past(until)))
            except NobodyError:
                told.append(None)
        return told if self.wanted else told * 2

    def to_yaml(self, suffix: Mapping[str, str]) -> str:
        """The reform as a file that stands by itself, named after the base with a suffix in each language."""
        reformed = self._reformed
        if self.wanted:
            named = {f"name.{lang}": f"{getattr(reformed.name, lang)[:150]}{said}" for lang, said in suffix.items()}
            reformed = reformed.replace(named)
        return reformed.to_yaml()
