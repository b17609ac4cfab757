"""The bootstrap of lists: what is drawn at random, and intervals of it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from ctdhub.stats.mse.lists import Floats, Lists

# --------------------------------------------------------------------------------------------------
# Intervals of the bootstrap: plain quantiles, and the corrected ones that other software prints.
#
# What is shown are quantiles at (1 - level) / 2 and (1 + level) / 2.  The bias-corrected and
# accelerated interval (B. Efron, 1987, J. Am. Stat. Assoc. 82:171; the jackknife leaves out one
# person of each cell and weighs by the people in it, as in Chan, Silverman and Vincent 2021) is
# kept next to it for comparison.  It takes for bias that the selection of pairs differs from table
# to table: on sparse lists an end then maps to the few smallest replicates or to their middle, and
# of intervals of 95 % fewer hold a known population (``benchmarks/estimate.py``).


@dataclass(frozen=True)
class BootstrapInterval:
    """An interval as other software makes it, and how it came about.

    Attributes:
        corrected: its ends, in people: bias-corrected and accelerated.
        z0: bias correction; 0 where half of the replicates lie below the estimate.
        acceleration: how fast the standard error changes with the estimate.
        mapped: the two shares of replicates that the corrected ends are quantiles at.
        replicates: how many.
    """

    corrected: tuple[float, float]
    z0: float
    acceleration: float
    mapped: tuple[float, float]
    replicates: int


def bootstrap_interval(
    estimate: float, replicates: Floats, left_out: Floats, weights: Floats, level: float
) -> BootstrapInterval:
    """The corrected interval.

    Args:
        estimate: in people.
        replicates: estimates of the tables of the bootstrap; infinite ones are allowed.
        left_out: estimates with one person less in each cell that has people.
        weights: people in those cells.
        level: in 0..1.
    """
    normal, n = NormalDist(), len(replicates)
    ordered = np.sort(replicates)
    below = (replicates < estimate).sum() + (replicates == estimate).sum() / 2
    z0 = normal.inv_cdf(min(max(below / n, 0.5 / n), 1 - 0.5 / n))
    whole = np.isfinite(left_out)
    mean = float(np.average(left_out[whole], weights=weights[whole])) if whole.any() else 0.0
    off = np.where(whole, mean - left_out, 0.0)
    squares = float((weights * off**2).sum())
    a = float((weights * off**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    first, last = (
        _mapped(normal, z0, a, normal.inv_cdf(end)) for end in ((1 - level) / 2, (1 + level) / 2)
    )
    corrected = _quantile(ordered, first), _quantile(ordered, last)
    return BootstrapInterval(corrected, z0, a, (first, last), n)


def plain(replicates: Floats, level: float) -> tuple[float, float]:
    """Quantiles at (1 - level) / 2 and (1 + level) / 2."""
    ordered = np.sort(replicates)
    return _quantile(ordered, (1 - level) / 2), _quantile(ordered, (1 + level) / 2)


def _mapped(normal: NormalDist, z0: float, a: float, z: float) -> float:
    slope = 1 - a * (z0 + z)
    if slope <= 0:  # beyond the pole: as far out as there are replicates
        return 1.0 if z > 0 else 0.0
    return normal.cdf(z0 + (z0 + z) / slope)


def _quantile(ordered: Floats, p: float) -> float:
    """Linear between replicates; infinite ones are allowed."""
    place = p * (len(ordered) - 1)
    k = int(place)
    low, high = float(ordered[k]), float(ordered[min(k + 1, len(ordered) - 1)])
    return low if low == high or place == k else low + (place - k) * (high - low)


# --------------------------------------------------------------------------------------------------
# Random bits that belong to a table: the same table always gives the same intervals.
#
# A reader must be able to cite an interval and to find it again, so the bits are not fresh: they
# are the output of SHAKE-256 (an extendable-output hash, FIPS 202) over the table itself.  Nobody
# can choose them, as one can choose a seed until a result pleases, and nobody needs to store them.
# No secret hangs on them: all they are used on is either published already or belongs to the user.

Source = Callable[[int], bytes]
"""Gives that many random bytes; each call gives new ones.  :func:`os.urandom` is one."""

_BLOCK = 2**20


def bits_of(lists: Lists, purpose: str) -> Source:
    """The random bits of a table for one purpose; purposes are independent of each other.

    >>> lists = Lists(("a", "b"), (5.0, 6.0, 2.0))
    >>> bits_of(lists, "x")(3) == bits_of(lists, "x")(3) != bits_of(lists, "y")(3)
    True
    """
    content = json.dumps(["ctdhub estimate 1", purpose, lists.names, lists.counts, lists.sigma])
    key = hashlib.sha256(content.encode()).digest()
    rest, block = b"", 0

    def source(size: int) -> bytes:
        nonlocal rest, block
        parts, have = [rest], len(rest)
        while have < size:
            parts.append(hashlib.shake_256(key + block.to_bytes(8, "big")).digest(_BLOCK))
            have, block = have + _BLOCK, block + 1
        joined = b"".join(parts)
        rest = joined[size:]
        return joined[:size]

    return source


# --------------------------------------------------------------------------------------------------
# What is drawn at random: tables of the bootstrap.

Words = npt.NDArray[np.uint64]


def words(size: int, source: Source) -> Words:
    """Random 64-bit words."""
    return np.frombuffer(source(8 * size), dtype=np.uint64)


def uniform(shape: tuple[int, ...], source: Source) -> Floats:
    """Uniform numbers in (0, 1)."""
    drawn = words(int(np.prod(shape)), source) >> np.uint64(11)
    return ((drawn.astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)


def normal(shape: tuple[int, ...], source: Source) -> Floats:
    """Standard normal numbers."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform(shape, source)), dtype=np.float64)


def multinomial(n: int, chances: Floats, rows: int, source: Source) -> npt.NDArray[np.int64]:
    """Rows x cells: n people thrown into cells of these chances, independently in each row."""
    from ctdhub.stats.mse import kernels

    out = np.zeros((rows, len(chances)), dtype=np.int64)
    stock = words(8 * out.size + 4096, source)
    while True:
        at = np.zeros(1, dtype=np.int64)
        kernels.multinomials(n, chances / chances.sum(), out, stock, at)
        if at[0] <= len(stock):
            return out
        stock = np.concatenate([stock, words(len(stock), source)])


def resampled(lists: Lists, rows: int, source: Source) -> Floats:
    """Rows x cells: tables as they might have come out.

    Each is the table itself, plus a multinomial draw less its mean, plus the noise of protection
    drawn anew.  Without noise that is the multinomial bootstrap.
    """
    base = np.maximum(lists.y, 0.0)
    n = round(float(base.sum()))
    drawn = multinomial(n, base, rows, source) + (lists.y - base * (n / base.sum()))
    if lists.sigma:
        drawn = drawn + lists.sigma * normal(drawn.shape, source)
    return np.asarray(drawn, dtype=np.float64)


def with_chance_of_seen(people: Floats, seen: float, chance: Floats) -> Floats:
    """Estimates of resampled tables, spread by what tables of as many people do not show: that n of
    N people are seen is chance as well, with the variance N (N - n) / n of the estimate.

    Args:
        people: the estimate of the table, then those of the resampled ones.
        seen: how many people are on its lists.
        chance: a standard normal number for each of the resampled ones.
    """
    value = float(people[0])
    if not np.isfinite(value):
        return people
    spread = max(0.0, value * (value / max(seen, 1.0) - 1)) ** 0.5
    return np.append(value, people[1:] + spread * chance)


# --------------------------------------------------------------------------------------------------
# What one method found: a number with its interval, or why there is none.

Name = Literal[
    "independent", "stepwise", "halved", "doubled", "differ", "at_least",
    "independent_strata", "stepwise_strata",
]  # fmt: skip
Why = Literal["no_finite_estimate", "few_lists", "nobody_on_three", "too_wide"]


@dataclass(frozen=True)
class Method:
    """What one method found.

    Attributes:
        name: of the method.
        value, low, high: people in the population, seen and unseen, with the interval at the
            result's level; None where ``why`` says so.
        why: why there is no number; None where there is one.
        pairs: lists that depend on each other, by name, where the method names some.
        bootstrap: how the interval came about, where it is one of the bootstrap.
    """

    name: Name
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: Why | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    bootstrap: BootstrapInterval | None = None
