"""What the page asks for, done one thing after another in a thread of its own, and told to it as plain messages.

An order is a mapping with ``do``, a message one with ``is``. Whatever comes from a browser is checked here: only known
orders, levers and scenarios, only finite numbers.
"""

from __future__ import annotations

import math
import os
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from sim.errors import ScenarioError, SimError
from sim.evidence.audit import audit, counts
from sim.presentation.catalogue import Lang, clean, error, keys, known, labels, name, outcome, short, text, title
from sim.presentation.dashboard.session import Session
from sim.presentation.dashboard.telling import frame, headline
from sim.scenario.messages import in_language

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

__all__ = ["Choice", "Conductor"]

Message = dict[str, Any]

_MOST_AT_ONCE = 12
"""Months in one step."""

_SLICE = 0.4
"""Seconds that a run goes on before it shows itself."""

_FIGURES_EVERY = 6
"""Months after which figures are drawn anew while it plays; at once when it stops."""

_FIGURES_SHARE = 4.0
"""assumed: figures take a quarter of the time at most: a large city has them drawn less often."""


@dataclass(frozen=True)
class Choice:
    """A scenario that a visitor may choose: how it is called, and how it is read."""

    names: Mapping[str, str]
    read: Callable[[], Scenario]


class Conductor:
    """One visitor's exhibit.

    Parameters
    ----------
    choices
        The scenarios that may be chosen; the first is opened.
    tell
        Called with each message, from the conductor's thread.
    lang
        The language at first.
    draw
        Called with a function that draws with matplotlib: where and when that is done is for the page to say.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        tell: Callable[[Message], None],
        *,
        lang: Lang = "en",
        draw: Callable[[Callable[[], None]], object] = lambda job: job(),
    ) -> None:
        self.lang: Lang = lang
        self._choices, self._tell, self._draw = choices, tell, draw
        self._chosen = 0
        self._session: Session | None = None
        self._orders: deque[Mapping[str, Any]] = deque()
        self._ordered = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._drawn, self._drawn_at, self._drawing = -1, 0.0, 0.0

    # the thread -------------------------------------------------------------------------------------------------------

    def take(self, order: Mapping[str, Any]) -> None:
        """Put an order at the end of the queue; returns at once."""
        with self._ordered:
            if self._closed:
                return
            self._orders.append(order)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="sim-dashboard")
                self._thread.start()
            self._ordered.notify()

    def close(self) -> None:
        """The visitor has left: what is under way ends with its month, and everything is let go of."""
        with self._ordered:
            self._closed = True
            self._orders.clear()
            self._ordered.notify()
        if self._thread is None:
            self._let_go()

    def _work(self) -> None:
        while True:
            with self._ordered:
                while not self._orders and not self._closed:
                    self._ordered.wait()
                if self._closed:
                    break
                order = self._orders.popleft()
            try:
                self.obey(order)
            except Exception as bug:  # the visitor is told, and may go on
                if os.environ.get("SIM_DEBUG"):
                    traceback.print_exc()
                what = clean(f"{type(bug).__name__}: {bug}"[:200])
                self._tell({"is": "trouble", "said": text("app.bug", self.lang, what=what)})
                self._tell({"is": "done", "what": str(order.get("do"))})
        self._let_go()

    def _let_go(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    def _overtaken(self) -> bool:
        """Whether a later order makes the present one pointless."""
        return self._closed or any(o.get("do") in ("set", "restore", "open") for o in list(self._orders))

    def obey(self, order: Mapping[str, Any]) -> None:
        """Do what an order says, and tell what came of it; unknown orders are passed over."""
        doing = _ORDERS.get(str(order.get("do")))
        if doing is None:
            return
        try:
            doing(self, order)
        except CancelledError:
            pass
        except ScenarioError as wrong:
            said = [in_language(p, self.lang) for p in wrong.problems]
            self._trouble(" ".join(clean(f"{p.path}: {p.message}" if p.path else p.message) for p in said))
        except SimError as wrong:
            self._trouble(error(str(wrong), self.lang))
        except (KeyError, TypeError, ValueError, OverflowError):
            self._trouble(text("app.trouble", self.lang))
        if not self._closed:
            self._tell({"is": "done", "what": str(order.get("do"))})

    def _trouble(self, said: str) -> None:
        if self._session:  # levers go back before it is said why
            self._tell(self._values())
        self._tell({"is": "trouble", "said": said})

    # orders -----------------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The visitor's session, opened when it is first needed."""
        if self._session is None:
            self._session = Session(self._choices[self._chosen].read())
        return self._session

    def hello(self, order: Mapping[str, Any]) -> None:
        """The page has come up, or changes its language: all its words, levers, and the present month."""
        if order.get("lang") in ("zh", "en"):
            self.lang = order["lang"]
        self._tell(self._words())
        self.session  # noqa: B018  the words are read while a large city is prepared
        self._all()

    def open(self, order: Mapping[str, Any]) -> None:
        """Another scenario, by its number in the list."""
        which = int(order["which"])
        if not 0 <= which < len(self._choices):
            raise KeyError(which)
        self._let_go()
        self._chosen = which
        self._all()

    def seed(self, order: Mapping[str, Any]) -> None:
        """Another luck, from the start."""
        self.session.reseed(int(order["seed"]))
        self._all()

    def reset(self, order: Mapping[str, Any]) -> None:
        """From the start again, with what the levers say."""
        self.session.reset()
        self._show(again=True)
        self._figures()

    def step(self, order: Mapping[str, Any]) -> None:
        """Some months more."""
        self.session.step(min(max(int(order.get("months", 1)), 1), _MOST_AT_ONCE))
        self._show()
        self._grown()

    def run(self, order: Mapping[str, Any]) -> None:
        """So many months as a slice of time holds."""
        self.session.run(_SLICE)
        self._show()
        if self.session.ended:
            self._figures()

    def set(self, order: Mapping[str, Any]) -> None:
        """A lever says something else; null is what the base says."""
        value = order["value"]
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value)):
            raise ValueError(value)
        self._moved(self.session.move({str(order["path"]): value}, self._overtaken))

    def restore(self, order: Mapping[str, Any]) -> None:
        """All levers as in the base."""
        self._moved(self.session.restore(self._overtaken))

    def figures(self, order: Mapping[str, Any]) -> None:
        """The figures of the present month."""
        self._figures()

    def life(self, order: Mapping[str, Any]) -> None:
        """One founder's life."""
        from sim.presentation.dashboard.life import plain

        uid = int(order["uid"])
        lives = self.session.lives(uid)
        self._tell({"is": "life", **plain(lives, uid, self.lang, ended=self.session.ended)})

    def yaml(self, order: Mapping[str, Any]) -> None:
        """The reform as a file."""
        content = self.session.to_yaml({lang: text("app.suffix", lang) for lang in ("zh", "en")})
        self._tell({"is": "file", "name": self._file("yaml"), "type": "application/yaml", "content": content})
        if self.session.reformed.components:
            self._tell({"is": "note", "said": text("app.components", self.lang)})

    def csv(self, order: Mapping[str, Any]) -> None:
        """The outcomes so far as a table."""
        from sim.presentation.spreadsheet import csv

        found = self.session.outcomes()
        named = labels(self.session.scenario.resolved(), self.lang)
        found.insert(1, "name", [outcome(id, self.lang, named)[0] for id in found["outcome"]])
        self._tell({"is": "file", "name": self._file("csv"), "type": "text/csv", "content": csv(found)})

    def _file(self, ending: str) -> str:
        """A name for a download that no file system minds."""
        kind = "reform" if self.session.wanted else "base"
        return f"{kind}_month_{self.session.month}.csv" if ending == "csv" else f"{kind}.{ending}"

    # messages ---------------------------------------------------------------------------------------------------------

    def _words(self) -> Message:
        words = {key.removeprefix("app."): known(key, self.lang) for key in keys(self.lang) if key.startswith("app.")}
        offered = [clean(c.names[self.lang]) for c in self._choices]
        return {"is": "words", "lang": self.lang, "words": words, "choices": offered, "chosen": self._chosen}

    def _all(self) -> None:
        session = self.session
        named = labels(session.scenario.resolved(), self.lang)
        stages = [clean(short(name("stage", s.id, self.lang, named))) for s in session.scenario.chain]
        self._tell(
            {
                "is": "scenario",
                "title": clean(title(session.scenario.resolved(), self.lang)) or text("answer.untitled", self.lang),
                "stages": stages,
                "seed": str(session.scenario.seed),
                "chosen": self._chosen,
                "sections": session.levers.plain(self.lang),
                "caveat": self._caveat(session.scenario),
            }
        )
        self._tell(self._values())
        self._show(again=True)
        self._figures()

    def _caveat(self, scenario: Scenario) -> str:
        """How much of it is assumed, what survival means, and what cannot be validated."""
        number = counts(audit(scenario.provenance.values()))
        assumed = number["assumed"] + number["unsourced"]
        return text("app.caveat", self.lang, assumed=assumed, total=sum(number.values()))

    def _values(self) -> Message:
        return {"is": "values", "values": self.session.values()}

    def _moved(self, whole: bool) -> None:
        self._tell(self._values())
        if whole:
            self._show(anew=True)
            self._figures()

    def _show(self, **how: bool) -> None:
        session = self.session
        picture = session.picture()
        self._tell({"is": "frame", **frame(picture, self.lang), "said": headline(picture, self.lang), **how})

    def _grown(self) -> None:
        """Draw the figures again if they are old enough, and not too dear."""
        session = self.session
        late = session.month - self._drawn >= _FIGURES_EVERY
        if session.ended or (late and monotonic() - self._drawn_at > _FIGURES_SHARE * self._drawing):
            self._figures()

    def _figures(self) -> object:
        started = monotonic()
        session, lang = self.session, self.lang
        months, month = session.months, session.month
        self._drawn = month
        if not month:
            return self._tell({"is": "figures", "month": 0})
        people = session.people()

        def job() -> None:
            from sim.presentation.dashboard.figures import draw

            if self._closed:
                return
            drawn = draw(people, months, lang)
            self._drawing, self._drawn_at = monotonic() - started, monotonic()
            self._tell({"is": "figures", "month": month, **drawn})

        return self._draw(job)


_ORDERS: dict[str, Callable[[Conductor, Mapping[str, Any]], None]] = {
    "hello": Conductor.hello,
    "open": Conductor.open,
    "seed": Conductor.seed,
    "reset": Conductor.reset,
    "step": Conductor.step,
    "run": Conductor.run,
    "set": Conductor.set,
    "restore": Conductor.restore,
    "figures": Conductor.figures,
    "life": Conductor.life,
    "yaml": Conductor.yaml,
    "csv": Conductor.csv,
}
