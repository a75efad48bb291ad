"""The streams of randomness: one for each decision, so that a new one changes nobody's luck in another."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Stream"]


class Stream(IntEnum):
    """One stream for each decision. A number is never reused: add at the end.

    Instruments have streams of their own, by their ids: see `sim.policy._now.Now`.

    Attributes
    ----------
    PERSISTENT : month
        The permanent shock to standing, N_1.
    PRODUCT : month
        The shock to the product, N_2.
    CHANCE : month
        Whether he leaves for family, health or another city.
    REVIEW : month
        Whether he reviews his shop.
    JUMP : month
        Whether a jump comes.
    JUMP_SIZE : month
        Its sign and size.
    APPLY : month
        Whether he applies for a place.
    TIE : month
        Who is first among equals, and the lottery for places.
    EDUCATION : life
        His education.
    ORIGIN : life
        His origin.
    CHANNEL : life
        The sales channel that he starts with.
    FIRST_SALES : life
        His level at entry.
    GAP : life
        How far his potential lies above it.
    CASH : life
        His start cash.
    RESERVATION : life
        The income for which he stays.
    HOUSE : life
        In which house of the first stage he opens.
    AFTER_EXIT : closing
        Whether he stays in the city when he has closed.
    RESTART : closing
        In how many months he would start again.
    LEAVE : closing
        In how many months he would leave the city.
    REPLICATE : run
        The key of a replicate.
    ARRIVALS : calendar month
        How many come.
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
