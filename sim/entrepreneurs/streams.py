"""The streams of randomness: one for each decision, so that a new one changes nobody's luck in another."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Stream"]


class Stream(IntEnum):
    """One stream for each decision. A number is never reused: add at the end.

    Instruments have streams of their own, by their ids: see `sim.policy.ledger.Now`.
    """

    # the month (two blocks)
    PERSISTENT = 0
    PRODUCT = 1
    CHANCE = 2
    REVIEW = 3
    JUMP = 4
    JUMP_SIZE = 5
    APPLY = 6
    TIE = 7
    # on arrival (three blocks)
    EDUCATION = 8
    ORIGIN = 9
    CHANNEL = 10
    FIRST_SALES = 11
    GAP = 12
    CASH = 13
    RESERVATION = 14
    HOUSE = 15
    # after exit
    AFTER_EXIT = 20
    RESTART = 21
    LEAVE = 22
    # the city
    REPLICATE = 28
    ARRIVALS = 32
