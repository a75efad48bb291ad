"""A replicate lived again with an eye on one entrepreneur: what happened to him in each month, and by what draws.

Every draw is a function of who and when, so a life can be gone through again. Others are not looked at one by one. His
month is worked out a second time, by the Mesa agent's rules on a copy of his row, and must agree with what the engine
wrote to the last bit: no other story is told than the run's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.admission import rank
from sim.chain.progress import WORST, Conditions, _wishes
from sim.entrepreneurs.agent import Entrepreneur
from sim.entrepreneurs.arithmetic import exp
from sim.entrepreneurs.columns import Columns
from sim.entrepreneurs.draws import uniform
from sim.entrepreneurs.kernel import EXIT, TENANCY_OVER, Tally
from sim.entrepreneurs.leaving import AfterExit, after_exit
from sim.entrepreneurs.rules import believed_income, break_even, found, move_on
from sim.entrepreneurs.streams import Stream
from sim.errors import RunError
from sim.experiments.tracing.seen import Act, Application, Arrival, Decision, Drawn, Leaving, Month, Move, Row
from sim.model import Pipeline
from sim.policy._instrument import Draw, PolicyInstrument
from sim.policy._now import Now, Rows
from sim.policy.ledger import Ledger
from sim.scenario.schema import Scenario

__all__ = ["Relived"]


class Relived(Pipeline):
    """A pipeline that notes what happens to one entrepreneur.

    Parameters
    ----------
    uid
        Whom to watch.
    rng, replicate, threads, past
        As for `Pipeline`.

    Attributes
    ----------
    seen : list of Month
        His months so far, within the horizon.
    """

    def __init__(
        self,
        scenario: Scenario,
        uid: int,
        *,
        rng: int | None = None,
        replicate: int = 0,
        threads: int = 1,
        past: Pipeline | None = None,
    ) -> None:
        self.uid = uid
        self.seen: list[Month] = []
        self._act: Act | None = None
        self._row = -1
        watched = scenario.model_copy(update={"policy": tuple(_Watched(i, self) for i in scenario.policy)})
        watched._burn_in = scenario.burn_in
        super().__init__(watched, rng=rng, replicate=replicate, threads=threads, collect=False, past=past)
        self.ledger = _Books(self.ledger, self)  # type: ignore[assignment]
        self._asked = Conditions.of(scenario.chain)
        self._find()

    @property
    def present(self) -> bool:
        """Whether he is trading."""
        return self._row >= 0

    def luck(self, stream: Stream, *, on_arrival: bool = False) -> float:
        """His draw of a stream: this month's, or one of those that he came with."""
        return float(uniform(*self.key, stream, self.uid, 0 if on_arrival else self.calendar))

    def row(self) -> Row:
        """His columns now."""
        taken = self.people.take(np.array([self._row]))
        return {name: values[0].item() for name, values in taken.items() if name != "spent"}

    def _find(self) -> None:
        if not (self.present and self._row < self.people.size and self.people.uid[self._row] == self.uid):
            found = np.flatnonzero(self.people.uid == self.uid)
            self._row = int(found[0]) if len(found) else -1

    # the phases of his month ------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """Newcomers; he may be one of them."""
        there = self.present
        super().arrive()
        self._find()
        if self.present:
            row = self.row()
            market = self.competition.factor[row["channel"]]
            arrival = None if there else self._arrival(row, market)
            self.seen.append(Month(self.month, self.calendar, market, row, arrival))

    def _arrival(self, row: Row, market: float) -> Arrival:
        c, rent = self.constants, self.houses.table.rent[row["house"]].item()
        luck = {s: self.luck(Stream(s), on_arrival=True) for s in range(Stream.EDUCATION, Stream.HOUSE + 1)}
        four = (luck[Stream.FIRST_SALES], luck[Stream.GAP], luck[Stream.CASH], luck[Stream.RESERVATION])
        self._agree(found(c, four, market, rent)._asdict(), row)
        enough = break_even(c, row["reservation"] - row["cash"] / c.annuity_fen, rent)
        return Arrival({Stream(s): u for s, u in luck.items()}, exp(row["level"] + c.gap_mean + market), exp(enough))

    def now(self) -> Now:
        """What instruments may know; what they draw for him is heard."""
        heard = _Heard(*super().now())
        heard.relived = self
        return heard

    @contextmanager
    def watching(self, instrument: PolicyInstrument) -> Iterator[None]:
        """Note what an instrument does to him meanwhile."""
        if not self.present:
            yield
            return
        self._act = act = Act(instrument, self.row())
        yield
        self._act, act.after = None, self.row()
        if act.draws or act.refused or act.unseated or act.after != act.before:
            month = self.seen[-1]
            (month.settled if month.end else month.acts).append(act)

    def live(self) -> Tally:
        """Everybody's month; his is worked out on a copy before, and compared."""
        if not self.present:
            return super().live()
        month = self.seen[-1]
        month.start = self.row()
        month.market = self.competition.factor[month.start["channel"]]  # an instrument may have changed his channel
        month.rent = self.houses.table.rent[month.start["house"]].item()
        again = Columns(len(self.stages), 1)
        again.append(self.people.take(np.array([self._row])))
        _Witness(self, again).step()
        tally = super().live()
        month.end = self.row()
        self._agree({name: v[0].item() for name, v in again.take(np.array([0])).items() if name != "spent"}, month.end)
        month.decision = self._decision(month)
        return tally

    def _decision(self, month: Month) -> Decision:
        c, start, end = self.constants, month.start, month.end
        luck = {Stream(s): self.luck(Stream(s)) for s in range(Stream.PERSISTENT, Stream.TIE + 1)}
        # the rule itself says how far a jump goes, when nothing else moves
        still = c._replace(kappa=0.0, drift=0.0, sigma=0.0, tau=0.0, jump_stays=1.0)
        four = (luck[Stream.PERSISTENT], luck[Stream.PRODUCT], luck[Stream.JUMP], luck[Stream.JUMP_SIZE])
        return Decision(
            luck,
            believed=believed_income(c, end["belief"], month.market, month.rent * (1.0 - start["relief"])),
            annuity=max(end["cash"], 0.0) / c.annuity_fen,
            household=min(c.living_cost, end["reservation"]),
            leap=move_on(still, 0.0, (0.0, 0.0, 0.0), four)[1],
        )

    def close_shops(self) -> None:
        """Shops close; his may be among them."""
        if self.present and (reason := self.seen[-1].end["call"] & EXIT):
            who, why = np.array([self.uid]), np.array([reason], np.int8)
            after, wait = after_exit(who, why, AfterExit.of(self.scenario.behaviour.exit), self.month_key)
            self.seen[-1].leaving = Leaving(int(after[0]), int(wait[0]), self.luck(Stream.AFTER_EXIT))
        super().close_shops()
        if self.present:
            self._find()

    def progress(self) -> None:
        """Places change hands; it is noted what he asked for, and who was before him."""
        if not self.present:
            return super().progress()
        month, before = self.seen[-1], self.row()
        qualified, asked = self._wishes(sure=True), self._wishes()
        over = bool(before["call"] & TENANCY_OVER)
        was = self.people.house.copy() if any(asked) else np.zeros(0, np.int16)
        super().progress()
        month.closing = after = self.row()
        stage_of = self.houses.stage_of
        left, entered = int(stage_of[before["house"]]), int(stage_of[after["house"]])
        moved = after["months_in"] == 0
        for t in range(len(self.stages) - 1, 0, -1):
            if qualified[t]:
                since = before["waiting_since"] if before["waiting"] == t + 1 else None
                how = self._queue(t, was) if asked[t] else {}
                month.applications.append(Application(t, asked[t], since, over, self._ranked(t, before, since), **how))
            if moved and entered == t:
                break
        if moved:
            admitted = entered < len(self.stages) and asked[entered]
            reason = "admitted" if admitted else "tenancy_ended" if over else "fell_back"
            month.move = Move(left, before["months_in"], entered, after["house"], reason)
        return None

    def _wishes(self, *, sure: bool = False) -> list[bool]:
        """The stages that he asks for; `sure`: that he could ask for."""
        asked = self._asked
        if sure:
            asked = asked.copy()
            asked[Conditions._fields.index("apply")] = 1.0
        rows = np.array([self._row])
        return _wishes(self.people.state, rows, self.houses.stage_of, asked, self.month_key, np.empty(1))[:, 0].tolist()  # type: ignore[no-any-return]

    def _ranked(self, stage: int, row: Row, since: int | None) -> float:
        """His rank among those who ask for a stage."""
        rule, begun = (
            int(self._asked[Conditions._fields.index("admission"), stage]),
            self.calendar if since is None else since,
        )
        return float(rank(rule, row["smoothed"], row["sales"], begun, self.luck(Stream.TIE)))

    def _queue(self, stage: int, was: NDArray[np.int16]) -> dict[str, Any]:
        """How many asked for a stage and were admitted, and the rank of the last who was. `was`: everybody's house."""
        left = self.houses.stage_of[was]
        came = (self.people.months_in == 0) & (self.houses.stage_of[self.people.house] == stage)
        admitted = int((came & ((left < stage) | (left == len(self.stages)))).sum())
        state, rank_of_last, *_ = self._bars.entry[stage].tolist()
        return {
            "applicants": admitted + int(self.houses.waiting[stage]),
            "admitted": admitted,
            "last": rank_of_last if state == WORST else None,
        }

    def _agree(self, again: Row, row: Row) -> None:
        wrong = [name for name, value in again.items() if value != row[name]]
        if wrong:
            raise RunError(f"{self.date}: worked out again, {self.uid} differs from the run in {', '.join(wrong)}")


class _Witness(Entrepreneur):
    """Him once more, on a copy of his row; no agent of the model."""

    def __init__(self, model: Pipeline, people: Columns) -> None:
        self.model, self.people, self.row = model, people, 0


class _Watched:
    """An instrument that acts as it always does, while someone watches."""

    def __init__(self, instrument: Any, relived: Relived) -> None:
        self._instrument, self._relived = instrument, relived

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instrument, name)

    def anew(self) -> _Watched:
        return _Watched(self._instrument.anew(), self._relived)

    def act(self, *how: Any) -> None:
        with self._relived.watching(self._instrument):
            self._instrument.act(*how)

    def wind_down(self, *how: Any) -> None:
        with self._relived.watching(self._instrument):
            self._instrument.wind_down(*how)

    def closed(self, *how: Any) -> None:
        with self._relived.watching(self._instrument):
            self._instrument.closed(*how)


class _Heard(Now):
    """What an instrument may know of the month, where what it draws for him is heard."""

    relived: Relived

    def _his(self, rows: Rows) -> bool:
        return self.relived._act is not None and bool((rows == self.relived._row).any())

    def drawn(
        self,
        instrument: PolicyInstrument,
        people: Columns,
        rows: Rows,
        chance: float,
        draw: Draw = Draw.TAKE_UP,
        *,
        for_life: bool = False,
    ) -> Rows:
        if self._his(rows):
            assert self.relived._act is not None
            value = self.lots(instrument, people, np.array([self.relived._row]), draw, for_life=for_life)
            self.relived._act.draws.append(Drawn(float(value[0]), float(chance), for_life))
        return super().drawn(instrument, people, rows, chance, draw, for_life=for_life)

    def seated(self, instrument: PolicyInstrument, people: Columns, rows: Rows, places: int) -> Rows:
        served = super().seated(instrument, people, rows, places)
        if self._his(rows) and not self._his(served):
            assert self.relived._act is not None
            self.relived._act.unseated = True
        return served


class _Books:
    """The ledger, where what is refused to him, lent to him and collected from him is noted."""

    def __init__(self, ledger: Ledger, relived: Relived) -> None:
        self._ledger, self._relived = ledger, relived

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def _of(self, rows: Rows, fen: Any) -> int:
        at = np.flatnonzero(np.asarray(rows) == self._relived._row)
        return int(np.broadcast_to(fen, np.shape(rows))[at[0]]) if len(at) else 0

    def pay(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: Any, **how: Any) -> Rows:
        served = self._ledger.pay(instrument, people, now, rows, fen, **how)
        act = self._relived._act
        if act is not None and not (served == self._relived._row).any():
            act.refused += self._of(rows, fen)
        return served

    def lend(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: Any, **how: Any) -> Any:
        if self._relived._act is not None:
            self._relived._act.lent += self._of(rows, fen)
        return self._ledger.lend(instrument, people, now, rows, fen, **how)

    def collect(self, instrument: PolicyInstrument, people: Columns, now: Now, rows: Rows, fen: Any, **how: Any) -> Any:
        if self._relived._act is not None:
            self._relived._act.repaid += self._of(rows, fen)
        return self._ledger.collect(instrument, people, now, rows, fen, **how)
