"""Randomness: the published generator, one stream for each decision, and distributions that are what they say."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.entrepreneurs.draws import _poisson, lane, philox, poisson, replicate_key, uniform, uniforms, word_to_uniform
from sim.entrepreneurs.streams import Stream

WORD = st.integers(0, 2**32 - 1)

# Random123, kat_vectors: philox4x32 10, counter, key, words
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@numba.njit(error_model="numpy")
def compiled(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    return philox(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_generator_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    """Philox4x32-10 gives the words of Random123's known-answer file, in Python and compiled."""
    assert philox(*counter, *key) == words
    assert compiled(*counter, *key) == words


@given(WORD, WORD, st.integers(-1200, 2**31), WORD, WORD, WORD)
def test_python_and_machine_code_draw_the_same_words(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> None:
    """The same words in Python and compiled, in months before 2000 too."""
    assert philox(c0, c1, c2, c3, k0, k1) == compiled(c0, c1, c2, c3, k0, k1)


@given(st.integers(-(10**10), 2**62), st.integers(-1200, 3000), st.sampled_from(Stream))
def test_one_draw_is_one_word_of_its_block(uid: int, month: int, stream: Stream) -> None:
    """A draw alone, drawn with others, and taken from its block are one number, for any identity."""
    key = replicate_key(5, 2)
    alone = uniform(*key, int(stream), uid, month)
    words = philox(uid & 0xFFFFFFFF, (uid >> 32) & 0xFFFFFFFF, month, stream // 4, *key)
    assert alone == word_to_uniform(words[stream % 4]) == word_to_uniform(lane(words, stream % 4))
    assert alone == uniforms(key, stream, np.array([7, uid]), month)[1]


def test_a_draw_is_strictly_between_0_and_1() -> None:
    """The least and the largest word give numbers inside (0, 1), so that their logarithms exist."""
    assert 0.0 < word_to_uniform(0) < 1e-9
    assert 1.0 - 1e-9 < word_to_uniform(2**32 - 1) < 1.0


def test_streams_share_no_number() -> None:
    """Every stream has its own number, and the month's and arrival's streams stand where kernels expect them."""
    assert len({int(s) for s in Stream}) == len(list(Stream)) == len(Stream.__members__)
    first = (Stream.PERSISTENT, Stream.JUMP, Stream.EDUCATION, Stream.GAP, Stream.AFTER_EXIT)
    assert [s // 4 for s in first] == [0, 1, 2, 3, 5]


@pytest.mark.parametrize("stream", [Stream.PERSISTENT, Stream.REVIEW, Stream.APPLY, Stream.EDUCATION, Stream.RESTART])
def test_draws_are_uniform_and_do_not_know_each_other(stream: Stream) -> None:
    """Draws are uniform over people, over months, and uncorrelated with neighbours, months and other streams."""
    key, people = replicate_key(1, 0), np.arange(40_000) * 10 + 291 * 10**7
    u = uniforms(key, stream, people, 291)
    months = np.array([uniform(*key, int(stream), 2910000010, m) for m in range(4000)])
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert stats.kstest(months, "uniform").pvalue > 1e-3
    next_month, other = uniforms(key, stream, people, 292), uniforms(key, Stream.CHANCE, people, 291)
    for v in (np.roll(u, 1), next_month, other, uniforms(replicate_key(1, 1), stream, people, 291)):
        assert abs(np.corrcoef(u, v)[0, 1]) < 4 / np.sqrt(len(u))


def test_every_replicate_has_its_own_key() -> None:
    """Seeds up to 2^63 and replicates give keys that never coincide."""
    seeds = [0, 1, 2, 2**32, 2**32 + 1, 2**62, 2**63 - 1]
    keys = {replicate_key(seed, replicate) for seed in seeds for replicate in range(2000)}
    assert len(keys) == len(seeds) * 2000


@pytest.mark.parametrize("mean", [0.0, 0.3, 5.0, 8.0, 31.0, 2500.0])
def test_arrivals_are_poisson(mean: float) -> None:
    """Counts have the mean, the variance and the distribution of Poisson numbers, for small and large means."""
    key, n = replicate_key(3, 0), 20_000 if mean < 100 else 4000
    counts = np.array([poisson(key, Stream.ARRIVALS, mean, m) for m in range(n)])
    assert abs(counts.mean() - mean) <= 4 * np.sqrt(mean / n)
    assert abs(counts.var() - mean) <= 4 * np.sqrt((mean + 2 * mean**2) / n)
    if mean:
        cuts = np.unique(stats.poisson.ppf(np.linspace(0.02, 0.98, 15), mean))
        observed = np.bincount(np.searchsorted(cuts, counts), minlength=len(cuts) + 1)
        expected = np.diff(np.r_[0, stats.poisson.cdf(cuts, mean), 1]) * n
        assert stats.chisquare(observed, expected).pvalue > 1e-3


@given(st.floats(0, 300), st.integers(0, 5000), st.integers(0, 2**63 - 1))
def test_machine_code_counts_as_python_does(mean: float, month: int, seed: int) -> None:
    """Inlined between other things, where the optimiser knows more, the generator gives the same words."""
    key = replicate_key(seed, 0)
    assert poisson(key, Stream.ARRIVALS, mean, month) == _poisson.py_func(*key, Stream.ARRIVALS >> 2, mean, month)


@given(st.floats(0, 300), st.floats(0, 50), st.integers(0, 5000))
def test_more_expected_never_means_fewer(mean: float, more: float, month: int) -> None:
    """With the same luck a larger mean never gives a smaller number, so that more arrivals only add people."""
    key = replicate_key(1, 0)
    assert poisson(key, Stream.ARRIVALS, mean, month) <= poisson(key, Stream.ARRIVALS, mean + more, month)
