"""Privacy accounting in zero-concentrated differential privacy (zCDP).

The unit is one person: neighbouring inputs differ by one person added or taken away, a person is
one row, and one row lies in one cell of each table.  So each table of counts has L2 sensitivity 1
and the discrete Gaussian with parameter sigma squared costs rho = 1 / (2 sigma squared) (Canonne,
Kamath and Steinke 2020, "The Discrete Gaussian for Differential Privacy", theorem 4).  Costs add.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

_GRAIN = 256
"""Sigma squared is a multiple of 1/256, rounded up: rational, so that noise can be exact."""


def gaussian_rho(sigma2: Fraction) -> Fraction:
    """Cost of discrete Gaussian noise at L2 sensitivity 1: 1 / (2 sigma squared), exactly.

    >>> gaussian_rho(Fraction(50))
    Fraction(1, 100)
    """
    if sigma2 <= 0:
        raise ValueError("sigma squared must be positive")
    return 1 / (2 * sigma2)


def sigma2_for(rho: float | Fraction) -> Fraction:
    """The least multiple of 1/256 whose noise on a table of sensitivity 1 costs at most ``rho``.

    >>> sigma2_for(0.01)
    Fraction(50, 1)
    """
    if rho <= 0:
        raise ValueError("rho must be positive")
    return Fraction(math.ceil(_GRAIN / (2 * Fraction(rho))), _GRAIN)


def split(rho: float, shares: Sequence[float]) -> tuple[float, ...]:
    """What is left of a cost, then the part of each share: at most ``rho`` together, exactly.

    Args:
        shares: of ``rho``, from 0, together below 1.

    >>> parts = split(0.2, (0.05, 0.1))
    >>> sum(map(Fraction, parts)) <= Fraction(0.2), [round(p, 6) for p in parts]
    (True, [0.17, 0.01, 0.02])
    """
    if min(shares, default=0) < 0 or sum(map(Fraction, shares)) >= 1:
        raise ValueError("shares lie between 0 and 1, and leave something")
    parts = [Fraction(rho) * Fraction(share) for share in shares]
    return tuple(_down(part) for part in (Fraction(rho) - sum(parts), *parts))


def _down(exact: Fraction) -> float:
    """The largest float that is not above it."""
    near = float(exact)
    return near if Fraction(near) <= exact else math.nextafter(near, -math.inf)


def delta_of(rho: float, epsilon: float) -> float:
    """The least delta known for which rho-zCDP implies (epsilon, delta): always an upper bound.

    Canonne, Kamath and Steinke (2020), proposition 12 and corollary 13: the minimum over alpha > 1
    of exp((alpha - 1)(alpha rho - epsilon)) / (alpha - 1) * (1 - 1/alpha)^alpha.  Every alpha
    gives a true bound, so that an inexact minimum errs on the safe side only.

    >>> delta_of(0.1, 3.0) < math.exp(-((3.0 - 0.1) ** 2) / (4 * 0.1))
    True
    """
    if rho < 0 or epsilon < 0:
        raise ValueError("rho and epsilon must not be negative")
    if rho == 0:
        return 0.0

    def falls(alpha: float) -> bool:  # the derivative of the logarithm grows with alpha
        return (2 * alpha - 1) * rho - epsilon + math.log1p(-1 / alpha) < 0

    _low, high = _halved(1.0 + 1e-9, (epsilon + 1) / (2 * rho) + 2, falls)
    log_delta = (
        (high - 1) * (high * rho - epsilon) + high * math.log1p(-1 / high) - math.log(high - 1)
    )
    # The floor keeps a delta too small for a float from becoming 0, which would be no bound.
    return min(1.0, math.exp(max(-700.0, min(0.0, log_delta))) * (1 + 1e-9))


@lru_cache(maxsize=1024)
def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon known for which rho-zCDP implies (epsilon, delta), rounded up.

    >>> epsilon_of(0.0, 1e-8)
    0.0
    """
    _check_delta(delta)
    if rho <= 0:
        return 0.0
    most = rho + 2 * math.sqrt(rho * math.log(1 / delta))  # Bun and Steinke 2016: valid
    return _halved(0.0, most, lambda middle: delta_of(rho, middle) > delta)[1]


@lru_cache(maxsize=1024)
def rho_of(epsilon: float, delta: float) -> float:
    """The most rho that still implies (epsilon, delta), rounded down.

    >>> 0.23 < rho_of(4.0, 1e-8) < 0.24
    True
    """
    _check_delta(delta)
    if epsilon <= 0:
        return 0.0
    return _halved(0.0, epsilon + 1.0, lambda middle: delta_of(middle, epsilon) <= delta)[0]


def _halved(low: float, high: float, is_low: Callable[[float], bool]) -> tuple[float, float]:
    """The ends of an interval that is halved 200 times, or until it is as short as floats allow.

    Args:
        is_low: whether the middle becomes the lower end.
    """
    for _ in range(200):
        before = (low, high)
        middle = (low + high) / 2
        if is_low(middle):
            low = middle
        else:
            high = middle
        if (low, high) == before:  # and so it would stay
            break
    return low, high


def _check_delta(delta: float) -> None:
    if not 0 < delta < 1:
        raise ValueError("delta must lie between 0 and 1")
