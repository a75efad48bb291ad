"""A scenario at a glance: when and who, the chain stage by stage, the policy, and how much of it is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.presentation.catalogue import Lang, clean, labels, title
from sim.presentation.digits import UNKNOWN
from sim.presentation.prose import Prose
from sim.presentation.sheet import Sheet

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from sim.chain.stage import Stage
    from sim.scenario.schema import Scenario

__all__ = ["Profile"]


@dataclass(frozen=True)
class Profile:
    """A scenario, printable with rich.

    Parameters
    ----------
    scenario
        The scenario.
    lang
        ``zh`` or ``en``.
    """

    scenario: Scenario
    lang: Lang = "en"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Heading, chain, policy, and what is assumed."""
        from rich.text import Text

        plain = self.scenario.resolved()
        sheet = Sheet(self.lang, "profile", labels(plain, self.lang))
        horizon, often = self.scenario.horizon, self.scenario.replicates
        rule = sheet.say("runs", count=often) if isinstance(often, int) else sheet.say("until", count=often.until.max)
        size = sheet.say("size", start=horizon.start, months=horizon.months, runs=rule, seed=self.scenario.seed)
        name = clean(title(plain, self.lang)) or sheet.say("untitled")
        yield Text.assemble((name, "bold"), "  ", (size, "dim"))
        about = plain["description"]
        yield from sheet.lines(clean(about[self.lang] or about["en"] or about["zh"]))
        yield from self._chain(sheet)
        yield from self._policy(sheet)
        yield Text("")
        yield Prose(self._assumed(sheet))

    def _chain(self, sheet: Sheet) -> Iterator[RenderableType]:
        headings = ("stage", "houses", "places", "threshold", "age", "tenancy", "rent")
        table = sheet.table("chain", *headings)
        for stage in self.scenario.chain:
            sheet.row(table, sheet.name("stage", stage.id), *self._stage(stage, sheet))
        yearly = sheet.say("chain.arrivals", count=f"{self.scenario.arrivals.per_year:,.0f}")
        yield from sheet.section("chain.title", table, yearly)

    def _stage(self, stage: Stage, sheet: Sheet) -> Iterator[str]:
        """The cells of a stage; what it does not ask for, or does not limit, is a dash."""
        yield f"{stage.facilities:,}"
        yield sheet.say("chain.open") if stage.places is None else f"{stage.capacity:,}"
        yield f"{stage.threshold:,.0f}" if stage.threshold else UNKNOWN
        yield UNKNOWN if stage.max_age is None else f"{stage.max_age}"
        yield UNKNOWN if stage.tenancy is None else f"{stage.tenancy}"
        yield f"{stage.rent:,.0f}"

    def _policy(self, sheet: Sheet) -> Iterator[RenderableType]:
        table = sheet.table("policy", "instrument", "when", "budget", left=2)
        for instrument in self.scenario.policy:
            since, until = instrument.since or "", instrument.until or ""
            when = sheet.say("policy.always") if not (since or until) else f"{since}–{until}"
            when = when if instrument.active else sheet.say("policy.off")
            budget = UNKNOWN if instrument.budget is None else f"{instrument.budget:,.0f}"
            sheet.row(table, sheet.name("policy", instrument.id), when, budget)
        yield from sheet.section("policy.title", table)
        if not self.scenario.policy:
            yield from sheet.lines(sheet.say("policy.none"))

    def _assumed(self, sheet: Sheet) -> str:
        from sim.evidence.audit import audit, counts

        number = counts(audit(self.scenario.provenance.values()))
        total, assumed = sum(number.values()), number["assumed"] + number["unsourced"]
        return sheet.say("assumed", total=total, assumed=assumed, published=total - assumed)
