"""Intervals of the bootstrap: plain quantiles, and the corrected ones that other software prints.

What is shown are quantiles at (1 - level) / 2 and (1 + level) / 2.  The bias-corrected and
accelerated interval (B. Efron, 1987, J. Am. Stat. Assoc. 82:171; the jackknife leaves out one
person of each cell and weighs by the people in it, as in Chan, Silverman and Vincent 2021) is kept
next to it for comparison.  It takes for bias that the selection of pairs differs from table to
table: on sparse lists an end then maps to the few smallest replicates or to their middle, and of
intervals of 95 % fewer hold a known population (``benchmarks/estimate.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ctdhub.stats.mse.lists import Floats


@dataclass(frozen=True)
class BootstrapInterval:
    """An interval and how it came about.

    Attributes:
        low, high: ends, in people: plain quantiles.
        corrected: the same, bias-corrected and accelerated.
        z0: bias correction; 0 where half of the replicates lie below the estimate.
        acceleration: how fast the standard error changes with the estimate.
        mapped: the two shares of replicates that the corrected ends are quantiles at.
        replicates: how many.
    """

    low: float
    high: float
    corrected: tuple[float, float]
    z0: float
    acceleration: float
    mapped: tuple[float, float]
    replicates: int


def bootstrap_interval(
    estimate: float, replicates: Floats, left_out: Floats, weights: Floats, level: float
) -> BootstrapInterval:
    """Both intervals.

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
    ends = ((1 - level) / 2, (1 + level) / 2)
    mapped = (
        _mapped(normal, z0, a, normal.inv_cdf(ends[0])),
        _mapped(normal, z0, a, normal.inv_cdf(ends[1])),
    )
    corrected = (_quantile(ordered, mapped[0]), _quantile(ordered, mapped[1]))
    return BootstrapInterval(*plain(replicates, level), corrected, z0, a, mapped, n)


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
