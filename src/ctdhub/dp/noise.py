"""Exact discrete Gaussian noise, and the bits of a charge that it is drawn from.

N_Z(0, sigma squared) puts probability proportional to exp(-k^2 / (2 sigma squared)) on each
integer k.  It is drawn by inversion with lazily revealed bits.  A uniform U in [0, 1) is known by
its first 64 bits; the cumulative probabilities F(k) are known rounded down to 64 bits, from
whole numbers whose error is bounded.  Unless the 64 bits of U equal one of those words, they
decide the outcome; where they do (about once in 2^60 draws) more bits of U are drawn and compared
with sharper bounds until the outcome is certain.  No floating point enters a decision, nothing is
cut off: the sampler is exact, and delta owes it nothing.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

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
    reach, spare = _reach(sigma2, width + 4), 32
    scaled = _scaled_tails(sigma2, width, spare, reach + 2)
    while any(high - low > 1 for low, high in scaled):
        spare *= 2
        scaled = _scaled_tails(sigma2, width, spare, reach + 2)
    one = 1 << width
    below = scaled[1 : reach + 1][::-1]  # F(k) = P(N >= -k) for k = -reach..-1
    above = [(one - high, one - low) for low, high in scaled[1 : reach + 2]]  # k = 0..reach
    return reach, below + above


def _reach(sigma2: Fraction, width: int) -> int:
    """A number m with exp(-m^2 / (2 sigma squared)) < 2^-width (0.7 exceeds ln 2)."""
    return math.isqrt(math.ceil(2 * sigma2 * width * Fraction(7, 10))) + 2


def _scaled_tails(sigma2: Fraction, width: int, spare: int, n: int) -> list[tuple[int, int]]:
    """Integers that enclose 2^width P(N >= j) for the first n j, with ``spare`` bits beyond.

    Weights w(j) = exp(-j^2 x) with x = 1 / (2 sigma squared) are whole numbers of units of
    2^-bits that are never too large.  What they lack, in units: at most 3 for the first ratio
    exp(-x), 7 for its square, as each product that is rounded down lacks what its factors, none
    of them above 1, lack and one unit more: 3 + 8 j for the ratio exp(-(2 j + 1) x), 8 j^2 for
    w(j), and less than 8 (last + 2)^3 for any sum of them.
    """
    last = _reach(sigma2, width + spare)
    bits = width + spare + 3 * (last + 2).bit_length() + 4
    one = 1 << bits
    ratio = max(_exp(sigma2, bits) - 1, 0)
    step = ratio * ratio >> bits
    weights, weight = [], one
    for _ in range(last + 1):
        weights.append(weight)
        weight = weight * ratio >> bits
        ratio = ratio * step >> bits
    lacks = 8 * (last + 2) ** 3
    beyond = 2 * (weight + lacks) * one // (one - ratio - lacks)  # more than all that follow
    sums = list(accumulate(reversed(weights)))[: -n - 1 : -1]
    least = 2 * sums[1] + one
    more = lacks + beyond
    most = least + 2 * more
    return [((s << width) // most, -(-((s + more) << width) // least)) for s in sums]


def _exp(sigma2: Fraction, bits: int) -> int:
    """exp(-1 / (2 sigma squared)) in units of 2^-bits, less than one unit off before rounding down.

    The decimal module rounds an exponential correctly; the exponent is at most 128.
    """
    with localcontext(prec=bits * 31 // 100 + 10):
        x = Decimal(sigma2.denominator) / Decimal(2 * sigma2.numerator)
        return int((-x).exp() * (1 << bits))


# --------------------------------------------------------------------------------------------------
# All randomness of one charge, as streams of one secret.
#
# A charge that is cut off is finished with the bits that it would have drawn, so that nobody pays
# twice for one answer and nobody gets two answers for one payment.  Each use has a stream of its
# own: a key by HKDF with SHA-256 (RFC 5869) from the secret and the name of the use, and the key
# stream of AES-256 in counter mode (NIST SP 800-38A) under that key, from counter 0.  A key serves
# one stream alone, so that a counter never meets the same key twice.  Whoever knows the secret and
# the release knows the exact counts.

SIZE = 32
"""Bytes of a secret."""

_ABOUT = b"ctdhub stream of a charge 1: "


@dataclass(frozen=True)
class ChargeSecret:
    """The secret of one charge.

    Attributes:
        value: :data:`SIZE` bytes of the operating system.

    >>> one = ChargeSecret(bytes(32))
    >>> one.stream("people")(4) == one.stream("people")(4) != one.stream("sources")(4)
    True
    """

    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) != SIZE:
            raise ValueError("the secret of a charge has another size")

    def __repr__(self) -> str:
        return "ChargeSecret(…)"

    @classmethod
    def fresh(cls) -> "ChargeSecret":
        """A new one from the operating system."""
        return cls(os.urandom(SIZE))

    def stream(self, use: str) -> Bits:
        """The bits of one use, from their beginning.

        Args:
            use: its name; a name asked for twice gives the same bits twice.
        """
        key = HKDF(hashes.SHA256(), 32, None, _ABOUT + use.encode()).derive(self.value)
        drawing = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return lambda size: drawing.update(bytes(size))
