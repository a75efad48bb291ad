"""Randomness without state: every draw is a function of (key, stream, who, month) by Philox4x32-10.

A person's luck depends on who he is and on the month, never on policy, order, threads or what others draw. Streams are
numbered once (see `sim.entrepreneurs.streams`); four of them share a block, which is one call of the generator.

Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC '11.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.entrepreneurs.arithmetic import exp, product
from sim.entrepreneurs.compiled import kernel, rule
from sim.entrepreneurs.streams import Stream

__all__ = ["lane", "philox", "poisson", "replicate_key", "uniform", "uniforms", "word_to_uniform"]

_MASK = 0xFFFFFFFF


@rule
def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Four words of 32 bits from a counter of four and a key of two.

    No number here has more than 63 bits, in Python as in compiled code.
    """
    for _ in range(10):
        high0, low0 = product(0xD2511F53, c0)
        high1, low1 = product(0xCD9E8D57, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


@rule
def word_to_uniform(word: int) -> float:
    """A word of 32 bits as a number strictly between 0 and 1: (word + 1/2) / 2^32."""
    return (word + 0.5) * 2.3283064365386963e-10


@rule
def lane(words: tuple[int, int, int, int], index: int) -> int:
    """Word `index` of a block, by selects."""
    first = words[1] if index == 1 else words[0]
    last = words[3] if index == 3 else words[2]
    return last if index >= 2 else first


@rule
def uniform(k0: int, k1: int, stream: int, uid: int, month: int) -> float:
    """The draw of `stream` for person `uid` in calendar month `month`, strictly between 0 and 1."""
    words = philox(uid & 0xFFFFFFFF, (uid >> 32) & 0xFFFFFFFF, month, stream >> 2, k0, k1)
    return word_to_uniform(lane(words, stream & 3))


@kernel
def _uniforms(k0: int, k1: int, stream: int, uid: NDArray[np.int64], month: int) -> NDArray[np.float64]:
    out = np.empty(uid.size)
    for i in range(uid.size):
        out[i] = uniform(k0, k1, stream, uid[i], month)
    return out


def uniforms(key: tuple[int, int], stream: int, uid: NDArray[np.int64], month: int) -> NDArray[np.float64]:
    """The draws of `stream` for many persons: shape of `uid`, each strictly between 0 and 1."""
    return _uniforms(key[0], key[1], int(stream), uid, month)


def replicate_key(seed: int, replicate: int) -> tuple[int, int]:
    """Key of a replicate: the first two words of the REPLICATE stream of the root seed."""
    words: Any = philox(replicate, 0, 0, Stream.REPLICATE >> 2, seed & _MASK, seed >> 32)
    return words[0], words[1]


@kernel
def _poisson(k0: int, k1: int, block: int, mean: float, month: int) -> int:
    total, part = 0, 0
    while mean > 0.0:
        step = min(mean, 8.0)
        high, low, _, _ = philox(part, 0xFFFFFFFF, month, block, k0, k1)
        u = (high * 4294967296.0 + low + 0.5) * 2.0**-64
        term = exp(-step)
        cumulated = term
        count = 0
        while u > cumulated and count < 200:
            count += 1
            term *= step / count
            cumulated += term
        total += count
        mean -= step
        part += 1
    return total


def poisson(key: tuple[int, int], stream: Stream, mean: float, month: int) -> int:
    """A Poisson number of mean `mean`, by inversion of independent parts of mean 8 at most.

    Sums of independent Poisson numbers are Poisson; the parts keep exp(-mean) far from underflow.
    """
    return int(_poisson(key[0], key[1], stream >> 2, float(mean), month))
