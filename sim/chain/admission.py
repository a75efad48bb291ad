"""Who gets a place when there are fewer places than applicants: each rule is a plain function that ranks applicants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RULES", "Applicants", "admit", "lottery", "merit", "score", "waiting"]


class Applicants(NamedTuple):
    """What the rules may look at; all of shape (applicants,)."""

    uid: NDArray[np.int64]
    smoothed: NDArray[np.float64]  # annual sales, CNY/year
    sales: NDArray[np.float64]  # this month, CNY/month
    waiting_since: NDArray[Any]  # calendar month
    luck: NDArray[np.float64]  # a draw between 0 and 1


def merit(a: Applicants) -> NDArray[np.float64]:
    """The larger first, by smoothed annual sales."""
    return a.smoothed


def lottery(a: Applicants) -> NDArray[np.float64]:
    """Everyone has the same chance: what a field experiment needs."""
    return a.luck


def waiting(a: Applicants) -> NDArray[np.float64]:
    """Who has waited longest first."""
    return -a.waiting_since.astype(float)


def score(a: Applicants) -> NDArray[np.float64]:
    """Present run-rate, 12 x this month's sales, but no more than four times the smoothed: size and growth together."""
    return np.minimum(12.0 * a.sales, 4.0 * a.smoothed)


RULES: dict[str, Callable[[Applicants], NDArray[np.float64]]] = {
    "merit": merit,
    "lottery": lottery,
    "waiting": waiting,
    "score": score,
}


def admit(rule: str, applicants: Applicants, free: int) -> NDArray[np.int64]:
    """Indices of those admitted, best first: at most `free`. Ties go by lot, so the order of rows never matters."""
    rank = RULES[rule](applicants)
    return np.lexsort((applicants.uid, applicants.luck, -rank))[:free]
