"""Draws from a density that can only be evaluated: differential-evolution Markov chains (ter Braak 2006).

Each walker proposes to move by a part of the difference of two others, so that moves have the size and the slant of the
density by themselves. One half of the walkers moves at a time, by differences within the other half. They walk in the
normal quantiles of the unit cube's coordinates: there are no walls there, and a flat density is a normal one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sim.experiments.calibration.priors import Floats

__all__ = ["Walk", "walk"]

_LEAP = 10
"""Every so many steps a walker proposes the whole difference, which leads from one hill to another."""

_JITTER = 1e-4
"""What is added to each proposal, so that walkers cannot stay in one plane."""


_EDGE = 1e-9
"""How near to the cube's walls a walker may start."""


class Walk(NamedTuple):
    """Draws of all walkers, shape (draws, d), their log-densities, and how well the walkers moved."""

    draws: Floats
    log_density: Floats
    accepted: float
    """Share of the proposed moves that were made."""
    effective: float
    """Independent draws that these are worth, for the mean of the worst parameter."""


def walk(
    log_density: Callable[[Floats], Floats],
    start: Floats,
    *,
    steps: int,
    settle: int,
    keep: int,
    seed: int,
) -> Walk:
    """Walk about the unit cube.

    Parameters
    ----------
    log_density
        Of points of the cube, shape (n, d); up to a constant.
    start
        Where the walkers stand first, shape (n, d), n even and more than 2 d.
    steps, settle, keep
        Steps in all, those at the beginning that do not count, and each how many steps walkers are looked at.
    """
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(seed)
    at, (n, d) = ndtri(np.clip(start, _EDGE, 1 - _EDGE)), start.shape
    if n % 2 or n <= 2 * d:
        raise ValueError(f"the walkers must be even in number and more than {2 * d} (got {n})")
    usual = 2.38 / np.sqrt(2 * d)  # the best for a normal density
    height = log_density(ndtr(at))
    halves = np.arange(n // 2), np.arange(n // 2, n)
    seen, heights, moves = [], [], 0
    for step in range(steps):
        part = 1.0 if step % _LEAP == _LEAP - 1 else usual
        for mine, others in (halves, halves[::-1]):
            first = rng.integers(len(others), size=len(mine))
            second = (first + rng.integers(1, len(others), size=len(mine))) % len(others)
            jump = part * (at[others[first]] - at[others[second]]) + rng.normal(0, _JITTER, (len(mine), d))
            proposed = at[mine] + jump
            there = log_density(ndtr(proposed))
            crowding = ((at[mine] ** 2 - proposed**2) / 2).sum(axis=1)  # how many of the cube's points go there
            go = np.log(rng.random(len(mine))) < there - height[mine] + crowding
            at[mine[go]], height[mine[go]] = proposed[go], there[go]
            moves += int(go.sum())
        if step >= settle and (step - settle) % keep == 0:
            seen.append(ndtr(at))
            heights.append(height.copy())
    draws = np.array(seen)
    return Walk(draws.reshape(-1, d), np.concatenate(heights), moves / (steps * n), _effective(draws))


def _effective(draws: Floats) -> float:
    """Independent draws that a walk, shape (steps, walkers, d), is worth: from the spread of means of stretches of it.

    The walk is cut into ten; the mean of a stretch that is worth m draws scatters by variance / m.
    """
    parts = [part for part in np.array_split(draws, 10) if len(part)]
    means = np.array([part.mean(axis=(0, 1)) for part in parts])
    between, within = means.var(axis=0, ddof=1), draws.reshape(-1, draws.shape[2]).var(axis=0)
    worth = np.where(between > 0, within / np.where(between > 0, between, 1.0), np.inf) * len(parts)
    return float(min(worth.min(), draws.shape[0] * draws.shape[1]))
