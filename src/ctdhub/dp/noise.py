"""Exact discrete Gaussian noise from the operating system's generator.

N_Z(0, sigma squared) puts probability proportional to exp(-k^2 / (2 sigma squared)) on each
integer k.  It is drawn by inversion with lazily revealed bits.  A uniform U in [0, 1) is known by
its first 64 bits; the cumulative probabilities F(k) are known rounded down to 64 bits, from
decimal arithmetic whose error is bounded.  Unless the 64 bits of U equal one of those words, they
decide the outcome; where they do (about once in 2^60 draws) more bits of U are drawn and compared
with sharper bounds until the outcome is certain.  No floating point enters a decision, nothing is
cut off: the sampler is exact, and delta owes it nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ctdhub.dp import kernels

Bits = Callable[[int], bytes]
"""Gives that many random bytes; in the product always :func:`os.urandom`."""

MIN_SIGMA2 = Fraction(1, 256)
MAX_SIGMA2 = Fraction(10**10)

_AT_ONCE = 2**16
"""So many draws at a time, which fit a processor's cache."""


class Sampler:
    """The discrete Gaussian of one rational sigma squared.

    Args:
        sigma2: sigma squared, from 1/256 to 10^10.
        bits: width of a word, 8 or 64; narrow words exist to test the rare branch.

    >>> Sampler(Fraction(100)).draw(3).dtype
    dtype('int64')
    """

    def __init__(self, sigma2: Fraction, bits: int = 64) -> None:
        if not MIN_SIGMA2 <= sigma2 <= MAX_SIGMA2:
            raise ValueError("sigma squared is out of range")
        self.sigma2, self.bits = sigma2, bits
        self.reach, bounds = _cumulative(sigma2, bits)
        self._words = np.array([low for low, _ in bounds], dtype=f"u{bits // 8}")

    def draw(self, size: int, source: Bits = os.urandom) -> npt.NDArray[np.int64]:
        """``size`` independent draws."""
        drawn = np.empty(size, dtype=np.int64)
        for start in range(0, size, _AT_ONCE):
            part = drawn[start : start + _AT_ONCE]
            part[:] = self._draw(part.size, source)
        return drawn

    def _draw(self, size: int, source: Bits) -> npt.NDArray[np.int64]:
        words = np.frombuffer(source(size * self.bits // 8), dtype=self._words.dtype)
        place = np.searchsorted(self._words, words, side="right")  # first word above
        drawn = place.astype(np.int64) - self.reach
        # The first word is 0, so that place is never 0, and the last is the greatest of all.
        for i in np.flatnonzero(self._words[place - 1] == words):
            drawn[i] = self._resolve(int(words[i]), source)
        return drawn

    def _resolve(self, known: int, source: Bits) -> int:
        """The outcome for a uniform whose first bits are ``known``, drawing more as needed."""
        width = self.bits
        while True:
            more = source(self.bits // 8)
            known, width = known << self.bits | int.from_bytes(more, "little"), width + self.bits
            reach, bounds = _cumulative(self.sigma2, width)
            certain_below = 1  # upper bound of F(k - 1), in units of 2^-width
            for k, (low, high) in enumerate(bounds, start=-reach):
                if known < low:
                    if known >= certain_below:
                        return k
                    break
                certain_below = high


@lru_cache(maxsize=256)
def sampler(sigma2: Fraction) -> Sampler:
    """The sampler of that sigma squared; its table is made once."""
    return Sampler(sigma2)


def permutation(size: int, source: Bits = os.urandom) -> npt.NDArray[np.int64]:
    """A random order of ``size`` things."""
    order = np.arange(size)
    kernels.shuffle(order, words(size, source))
    return order


def words(size: int, source: Bits = os.urandom) -> npt.NDArray[np.uint64]:
    """``size`` random 64-bit words."""
    return np.frombuffer(source(8 * size), dtype=np.uint64)


def uniform(size: int, source: Bits = os.urandom) -> npt.NDArray[np.float64]:
    """Uniform numbers in [0, 1) for tie-breaking; never for noise."""
    return (words(size, source) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _cumulative(sigma2: Fraction, width: int) -> tuple[int, list[tuple[int, int]]]:
    """Bounds of F(k) for k = -reach..reach in units of 2^-width.

    Returns:
        ``reach`` and, for each k, neighbouring integers that enclose F(k).  The first pair is
        (0, 1) and the last is (2^width - 1, 2^width): P(N >= m) <= exp(-m^2 / (2 sigma squared)).
    """
    reach = _reach(sigma2, width + 4)
    spare = 64
    scaled = _scaled_tails(sigma2, width, spare)[: reach + 2]
    while any(high - low > 1 for low, high in scaled):
        spare *= 2
        scaled = _scaled_tails(sigma2, width, spare)[: reach + 2]
    one = 1 << width
    below = scaled[1 : reach + 1][::-1]  # F(k) = P(N >= -k) for k = -reach..-1
    above = [(one - high, one - low) for low, high in scaled[1 : reach + 2]]  # k = 0..reach
    return reach, below + above


def _reach(sigma2: Fraction, width: int) -> int:
    """A number m with exp(-m^2 / (2 sigma squared)) < 2^-width (0.7 exceeds ln 2)."""
    return math.isqrt(math.ceil(2 * sigma2 * width * Fraction(7, 10))) + 2


def _scaled_tails(sigma2: Fraction, width: int, spare: int) -> list[tuple[int, int]]:
    """Integers that enclose 2^width P(N >= j), computed with ``spare`` bits beyond ``width``."""
    last = _reach(sigma2, width + spare)
    digits = (width + spare) * 31 // 100 + 2 * len(str(last)) + 10
    with localcontext(prec=digits + width):
        one = Decimal(1 << width)
        return [
            (
                int((low * one).to_integral_value(ROUND_FLOOR)),
                int((high * one).to_integral_value(ROUND_CEILING)),
            )
            for low, high in _tails(sigma2, last, digits)
        ]


def _tails(sigma2: Fraction, last: int, digits: int) -> list[tuple[Decimal, Decimal]]:
    """Bounds of P(N >= j) for j = 0..last, from ``digits``-digit decimals.

    With u = 10^(1 - digits), exp(-x) has a relative error of at most (x + 1) u; a weight is a
    product of at most (j + 1)^2 such factors, and a sum of at most last + 1 weights adds u for
    each.  ``error`` is four times what these come to.
    """
    with localcontext(prec=digits):
        x = Decimal(sigma2.denominator) / Decimal(2 * sigma2.numerator)
        error = 16 * Decimal(last + 2) ** 2 * (x + 2) * Decimal(10) ** (1 - digits)
        ratio = (-x).exp()  # weight(j + 1) / weight(j) = exp(-(2j + 1) x)
        step = ratio * ratio
        weights = [Decimal(1)]
        for _ in range(last + 1):
            weights.append(weights[-1] * ratio)
            ratio *= step
        beyond = 2 * weights.pop() / (1 - ratio)  # more than all weights after ``last``
        sums = [Decimal(0)]
        for weight in reversed(weights):
            sums.append(sums[-1] + weight)
        sums = sums[:0:-1]
        half = sums[1]
        most = 1 + 2 * (half * (1 + error) + beyond)
        least = 1 + 2 * half * (1 - error)
        return [
            (s * (1 - error) / most * (1 - error), (s * (1 + error) + beyond) / least * (1 + error))
            for s in sums
        ]
