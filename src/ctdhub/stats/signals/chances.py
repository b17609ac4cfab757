"""Chances of a sum at least, or at most, as large as the one seen."""

import numpy as np
import numpy.typing as npt

# --------------------------------------------------------------------------------------------------
# Tail probabilities of a window's sum: negative binomial or binomial, with an error on top.
#
# A sum that is seen is a count plus a normal error (protection noise, the error of the estimated
# mean), so its tail is the tail of the count averaged over the error on an even grid.  Between
# whole numbers the tail goes on by the incomplete beta function, which lies above the steps: the
# cautious side.

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_EDGE, _STEP = 6.0, 0.25
"""The grid of the normal error, in standard deviations."""
STEPS = np.arange(-_EDGE, _EDGE + _STEP / 2, _STEP)
_WEIGHTS = np.exp(-STEPS * STEPS / 2)
_WEIGHTS /= _WEIGHTS.sum()
_POISSON = 1e7
"""Size of a negative binomial at which it equals a Poisson distribution to seven digits."""
TINY = 1e-300


def negative_binomial(
    seen: Floats, mean: Floats, variance: Floats, error: Floats, drift: Floats | float = 0.0
) -> tuple[Floats, Floats]:
    """Chances of a sum at least, and at most, as large as the one seen.

    A count of mean m and size r is k or more with the chance I(k, r) at m / (m + r), I the
    regularised incomplete beta function (NIST Digital Library, 8.17); its variance is m + m²/r.

    Args:
        seen: sums, shape (n,); may be negative where noise was added.
        mean: expected sums, shape (n,), not negative.
        variance: of the count without the error, shape (n,); taken as ``mean`` where it is less.
        error: standard deviation of the normal error, shape (n,).
        drift: variance of the logarithm of the mean, shape (n,): the mean is lognormal.

    Returns:
        Two arrays of shape (n,), in 0..1.

    >>> up, down = negative_binomial(*(np.array([x]) for x in (3.0, 1.0, 1.0, 0.0)))
    >>> round(float(up[0]), 4), round(float(down[0]), 4)  # a Poisson count of mean 1
    (0.0803, 0.981)
    """
    from scipy.special import betainc

    mean, r, place = _shape(mean, variance)
    x = seen[:, None] - _skewed(error, mean, np.broadcast_to(drift, mean.shape))
    a = np.maximum(x, TINY)
    more = betainc(np.maximum(x + 1, TINY), r, place)
    up = np.where(x > 0, more + _step(a, r, place) / a, 1.0)
    return _averaged(up), _averaged(np.where(x > -1, 1 - more, 0.0))


def at_least(
    seen: Floats, mean: Floats, variance: Floats, error: Floats, drift: Floats | float = 0.0
) -> Floats:
    """The first of the two chances of :func:`negative_binomial` alone, shape (n,)."""
    from scipy.special import betainc

    mean, r, place = _shape(mean, variance)
    x = seen[:, None] - _skewed(error, mean, np.broadcast_to(drift, mean.shape))
    return _averaged(np.where(x > 0, betainc(np.maximum(x, TINY), r, place), 1.0))


def _shape(mean: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """The mean, above zero, with size and place of the incomplete beta function as columns."""
    mean = np.maximum(mean, 1e-9)
    size = mean * mean / np.maximum(variance - mean, mean * mean / _POISSON)
    return mean, size[:, None], (mean / (mean + size))[:, None]


def _step(a: Floats, b: Floats, p: Floats) -> Floats:
    """By a how much of 1 / a the incomplete beta function falls from a to a + 1, and by how much of
    1 / b it rises from b to b + 1 (NIST Digital Library, 8.17.20 and 21): so that a tail that goes
    with another is not computed a second time."""
    from scipy.special import betaln

    chances: Floats = np.exp(a * np.log(p) + b * np.log1p(-p) - betaln(a, b))
    return chances


def binomial(
    seen: Floats, of: Floats, share: Floats, inflation: Floats, error: Floats
) -> tuple[Floats, Floats]:
    """The same for a part of a whole: a binomial count whose variance is inflated.

    Part and whole are divided by the inflation, which keeps the share and makes its variance
    right: the effective sample size of E. L. Korn and B. I. Graubard (1998), Survey Methodology
    24:193.

    Args:
        seen: parts, shape (n,).
        of: wholes, shape (n,), positive.
        share: expected shares, shape (n,), in 0..1.
        inflation: variance of the part over that of a binomial count, shape (n,), at least 1.
        error: standard deviation of the normal error of the part, shape (n,); or the error itself
            at each point of the grid of a normal variable, shape (n, grid).

    >>> up, down = binomial(*(np.array([x]) for x in (3.0, 4.0, 0.5, 1.0, 0.0)))
    >>> round(float(up[0]), 4), round(float(down[0]), 4)  # 5 and 15 of 16 throws of four coins
    (0.3125, 0.9375)
    """
    from scipy.special import betainc

    n, d = of[:, None], inflation[:, None]
    p = np.clip(share, 1e-9, 1 - 1e-9)[:, None]
    x = seen[:, None] - (error if error.ndim > 1 else error[:, None] * STEPS)
    a, b, inside = x / d, (n - x) / d, x < n
    tail = betainc(np.maximum(a + inside, TINY), np.maximum(b + ~inside, TINY), p)
    a, b = np.maximum(a, TINY), np.maximum(b, TINY)
    up = tail + np.where(inside, _step(a, b, p) * (1 / a + 1 / b), 0.0)
    up = np.where(x > 0, np.where(x < n + d, up, 0.0), 1.0)
    return _averaged(up), _averaged(np.where(inside, np.where(x > -d, 1 - tail, 0.0), 1.0))


def _skewed(error: Floats, mean: Floats, drift: Floats) -> Floats:
    """A normal error plus that of a lognormal mean, as one error with the variance and, to first
    order, the third moment of the sum; on the grid of a normal variable, shape (n, grid)."""
    third = mean**3 * drift**2
    total = mean**2 * drift + error**2
    skewed = third > 1e-4 * total**1.5
    scale = np.where(skewed, total**2 / np.where(skewed, third, 1.0), 1.0)
    a = np.where(skewed, np.sqrt(np.log1p(total / scale**2)), 0.0)[:, None]
    bent = scale[:, None] * np.expm1(a * STEPS - a * a / 2)
    steps: Floats = np.where(skewed[:, None], bent, np.sqrt(total)[:, None] * STEPS)
    return steps


def _averaged(tail: Floats) -> Floats:
    """A tail at each point of the grid of the error, averaged over the error; shape (n,)."""
    averaged: Floats = tail @ _WEIGHTS
    return np.clip(averaged, 0.0, 1.0)


def widened(chance: Floats, degrees: Floats) -> Floats:
    """A one-sided chance after its variance was estimated: from a normal to Student's tail.

    The chance is turned into the normal quantile that it has, and the t distribution says how
    likely so large a quantile is with that many degrees of freedom.

    Args:
        chance: shape (n,), in 0..1.
        degrees: degrees of freedom of the estimated variance, shape (n,), positive.

    >>> float(widened(np.array([0.025]), np.array([4.0]))[0]) > 0.05
    True
    """
    from scipy.special import ndtri, stdtr

    z = ndtri(np.clip(chance, TINY, 1 - 1e-16))
    chances: Floats = stdtr(degrees, z)
    return chances
