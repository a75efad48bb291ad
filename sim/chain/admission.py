"""Who gets a place when there are fewer than applicants: each rule is a plain function that ranks an applicant."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.compiled import kernel, rule

__all__ = ["RULES", "best", "lottery", "merit", "rank", "score", "waiting"]


@rule
def merit(smoothed: float, sales: float, since: int, luck: float) -> float:
    """The larger first, by smoothed annual sales (CNY/year)."""
    return smoothed


@rule
def lottery(smoothed: float, sales: float, since: int, luck: float) -> float:
    """Everyone has the same chance, by a draw between 0 and 1: what a field experiment needs."""
    return luck


@rule
def waiting(smoothed: float, sales: float, since: int, luck: float) -> float:
    """Who has waited longest first: `since` is the calendar month in which the wait began."""
    return -float(since)


@rule
def score(smoothed: float, sales: float, since: int, luck: float) -> float:
    """Size and growth together: the present run-rate, within bounds.

        score = min(12 S, 4 R)

    R smooths over a year, so a short peak raises the score to four times R at most.
    """
    return min(12.0 * sales, 4.0 * smoothed)


RULES: dict[str, Callable[[float, float, int, float], float]] = {
    "merit": merit,
    "lottery": lottery,
    "waiting": waiting,
    "score": score,
}
"""By the name in a scenario; a rule's place here is its number in `rank`."""


@rule
def rank(number: int, smoothed: float, sales: float, since: int, luck: float) -> float:
    """An applicant's rank under rule `number` of `RULES`: higher is better."""
    if number == 0:
        return merit(smoothed, sales, since, luck)
    if number == 1:
        return lottery(smoothed, sales, since, luck)
    if number == 2:
        return waiting(smoothed, sales, since, luck)
    return score(smoothed, sales, since, luck)


@rule
def _better(a: int, b: int, ranks: NDArray[np.float64], luck: NDArray[np.float64], uid: NDArray[np.int64]) -> bool:
    if ranks[a] != ranks[b]:
        return bool(ranks[a] > ranks[b])
    if luck[a] != luck[b]:
        return bool(luck[a] < luck[b])
    return bool(uid[a] < uid[b])


@kernel
def best(ranks: NDArray[np.float64], luck: NDArray[np.float64], uid: NDArray[np.int64], free: int) -> NDArray[np.int64]:
    """Indices of the `free` applicants of highest rank, best first. Ties go by lot, so the order of rows never matters.

    A heap of those admitted so far, the worst on top: most applicants cost one comparison.
    """
    heap = np.empty(min(free, ranks.size), np.int64)
    size = 0
    for i in range(ranks.size):
        if size < heap.size:
            at = size
            size += 1
            heap[at] = i
            while at > 0 and _better(heap[(at - 1) // 2], heap[at], ranks, luck, uid):
                up = (at - 1) // 2
                heap[up], heap[at] = heap[at], heap[up]
                at = up
        elif size > 0 and _better(i, heap[0], ranks, luck, uid):
            heap[0] = i
            _sink(heap, size, ranks, luck, uid)
    for last in range(size - 1, 0, -1):
        heap[0], heap[last] = heap[last], heap[0]
        _sink(heap, last, ranks, luck, uid)
    return heap


@rule
def _sink(
    heap: NDArray[np.int64], size: int, ranks: NDArray[np.float64], luck: NDArray[np.float64], uid: NDArray[np.int64]
) -> None:
    at = 0
    while 2 * at + 1 < size:
        down = 2 * at + 1
        if down + 1 < size and _better(heap[down], heap[down + 1], ranks, luck, uid):
            down += 1
        if not _better(heap[at], heap[down], ranks, luck, uid):
            break
        heap[at], heap[down] = heap[down], heap[at]
        at = down
