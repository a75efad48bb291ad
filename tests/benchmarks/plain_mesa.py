"""The same small pipeline as one would write it first: plain Mesa agents, `math`, `random`. The engines' yardstick."""

from __future__ import annotations

import math

import mesa


class PlainFounder(mesa.Agent):
    """A founder with attributes of his own, and the month's rules written out in his `step`."""

    def __init__(self, model: PlainPipeline) -> None:
        super().__init__(model)
        luck = model.random
        self.level = luck.gauss(8.0, 1.0)
        self.potential = self.level + luck.gauss(1.0, 0.9)
        self.standing = self.shock = self.smoothed = 0.0
        self.belief = self.potential + 0.6
        self.cash = math.exp(luck.gauss(10.3, 1.0))
        self.reservation = 1650.0 * math.exp(luck.gauss(0.0, 0.6))
        self.age = 0
        self.stage = 0
        self.months_in = 0

    def step(self) -> None:
        """Trade, settle, learn, decide, move on."""
        luck = self.model.random
        ln_x = self.level + self.standing + self.shock
        sales = math.exp(ln_x)
        self.staff = int((sales / 10000.0) ** 0.6) if sales >= 10000.0 else 0
        self.smoothed += (12 * sales - self.smoothed) / min(12, self.age + 1)
        rent = 1500.0 * (sales / 30000.0 if sales < 30000.0 else (sales / 30000.0) ** 0.6)
        surplus = 0.1 * sales - rent - min(2500.0, self.reservation)
        self.cash += 0.35 * surplus if surplus > 0 else surplus
        gain = max(1 / (12 + self.age + 1), 0.08)
        self.belief += gain * (ln_x + 1.0 * 0.92**self.age - self.belief)
        hoped = math.exp(self.belief)
        hoped = 0.1 * hoped - 1500.0 * (hoped / 30000.0 if hoped < 30000.0 else (hoped / 30000.0) ** 0.6)
        d = min(1.0, math.exp(-0.2 * (self.level + self.standing - 7.3)))
        self.level += 0.08 * (self.potential - self.level)
        self.standing += -0.006 + 0.12 * luck.gauss(0.0, 1.0)
        self.shock = 0.85 * self.shock + 0.3 * d * luck.gauss(0.0, 1.0)
        if luck.random() < 0.08:
            self.shock += luck.choice((-1, 1)) * luck.expovariate(1 / 0.6)
        self.age += 1
        self.months_in += 1
        too_little = hoped + max(self.cash, 0.0) / 24 < self.reservation
        if luck.random() < 0.0025 or self.cash < -10000.0 or (luck.random() < 0.4 and too_little):
            self.model.seats[self.stage] += 1
            self.remove()


class PlainPipeline(mesa.Model):
    """A chain of five stages with seats; the best applicants move up."""

    thresholds = (0.0, 3e5, 1e6, 3e6, 1e7)

    def __init__(self, founders: int, arrivals: int, seed: int = 1) -> None:
        super().__init__(rng=seed)
        self.arrivals = arrivals
        self.seats = [10**9, 20, 40, 10, 20]
        for _ in range(founders):
            PlainFounder(self)

    def step(self) -> None:
        """One month."""
        for _ in range(self.arrivals):
            PlainFounder(self)
        self.agents.do("step")
        for stage in range(4, 0, -1):
            fits = [a for a in self.agents if a.stage < stage and a.smoothed >= self.thresholds[stage]]
            fits.sort(key=lambda a: -a.smoothed)
            for founder in fits[: self.seats[stage]]:
                self.seats[founder.stage] += 1
                self.seats[stage] -= 1
                founder.stage, founder.months_in = stage, 0
