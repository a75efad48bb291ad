"""The direct effect against its definition: what a policy does to one person when nobody else gets it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from sim.entrepreneurs.behaviour import Peers
from sim.market.demand import Background
from sim.model import Pipeline
from sim.policy._instrument import PolicyInstrument
from sim.scenario.schema import Horizon, Scenario
from sim.surroundings import Surroundings


class Push(PolicyInstrument):
    """Lifts sales of everybody, or of one person only, every month."""

    type: Literal["push"] = "push"
    only: int | None = None
    effect: float = 0.5

    def eligible(self, people: Any, now: Any) -> Any:
        """Everybody, or the one."""
        return np.arange(people.size) if self.only is None else (people.uid == self.only).nonzero()[0]

    def cost(self, people: Any, now: Any, rows: Any) -> int:
        """Nothing."""
        return 0

    def apply(self, people: Any, now: Any, rows: Any) -> None:
        """The lift."""
        people.training[rows] = self.effect


@pytest.fixture(scope="module")
def city(request: pytest.FixtureRequest) -> Any:
    """A small scenario in which founders compete for demand and seats; its background is so large that one is nobody.

    Nobody learns from his neighbours, and houses are never crowded: in houses of two or three, whom one displaces
    changes their level, and who stays on raises his own rent.
    """
    small, chain = (request.getfixturevalue(name) for name in ("small", "small_chain"))
    market = small().market.model_copy(update={"background": Background(entities=10**6), "displacement": 1.0})
    behaviour = small().behaviour.model_copy(update={"peers": Peers(rate=0.0)})

    def scenario(*policy: PolicyInstrument) -> Scenario:
        parts = {"chain": chain(crowding=0.0), "market": market, "behaviour": behaviour, "horizon": Horizon(months=36)}
        changed: Scenario = small(**parts, policy=policy)
        return changed

    return scenario


def lives(scenario: Scenario, **surroundings: Surroundings) -> Any:
    """The entrepreneurs by identity."""
    model = Pipeline(scenario, collect=False, **surroundings)
    while model.running:
        model.step()
    return model.tables()["entrepreneurs"].set_index("uid")


def test_the_held_run_gives_each_person_what_the_policy_does_to_him_alone(city: Any) -> None:
    """With surroundings held, a policy for all gives a person the life that he has when only he gets it."""
    around = Surroundings(city().chain)
    base = lives(city(), surroundings=around)
    held, whole = lives(city(Push(id="push")), held=around), lives(city(Push(id="push")))
    known = ["exit_month", "exit_reason", "highest_stage", "stage", "months_in_maker_space", "months_in_incubator"]
    first = base[base["attempt"] == 0].index
    lifted = [uid for uid in first if held.loc[uid, "highest_stage"] != base.loc[uid, "highest_stage"]]
    displaced = [uid for uid in first if held.loc[uid, "highest_stage"] != whole.loc[uid, "highest_stage"]]
    assert len(lifted) > 5
    assert len(displaced) > 5
    for uid in (*lifted[:12], *displaced[:12], *first[:100:10]):
        alone = lives(city(Push(id="push", only=int(uid))))
        assert held.loc[uid, known].equals(alone.loc[uid, known]), uid
        np.testing.assert_allclose(held.loc[uid, "sales_12m_cny"], alone.loc[uid, "sales_12m_cny"], rtol=1e-4)
