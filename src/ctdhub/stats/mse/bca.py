"""Bias-corrected and accelerated intervals, and whether they can be trusted.

B. Efron, 1987, J. Am. Stat. Assoc. 82:171; the jackknife leaves out one person of each cell and
weighs by the people in it, as in Chan, Silverman and Vincent 2021.

Where the table carries noise of protection, each replicate carries it twice, and pairs of lists are
chosen more often than on the table itself.  The correction takes that for bias: corrected intervals
of 95 % then held a known population in 89 to 95 of 100 tables, and plain quantiles, which are no
wider, in 97 or 98.  So for such tables the caller asks for plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ctdhub.stats.mse.lists import Floats

FEW = 5
"""Replicates beyond a limit below which it hangs on a handful of draws."""


@dataclass(frozen=True)
class BootstrapInterval:
    """An interval and how it came about.

    Attributes:
        low, high: ends, in people.
        z0: bias correction; 0 where half of the replicates lie below the estimate.
        acceleration: how fast the standard error changes with the estimate.
        mapped: the two shares of replicates that the ends are quantiles at.
        plain: the same without corrections: quantiles at (1 - level) / 2 and (1 + level) / 2.
        replicates: how many.
        degenerate: an end maps to the few smallest or largest replicates.
    """

    low: float
    high: float
    z0: float
    acceleration: float
    mapped: tuple[float, float]
    plain: tuple[float, float]
    replicates: int
    degenerate: tuple[bool, bool]


def bca(
    estimate: float,
    replicates: Floats,
    left_out: Floats,
    weights: Floats,
    level: float,
    *,
    corrected: bool = True,
) -> BootstrapInterval:
    """The interval.

    Args:
        estimate: in people.
        replicates: estimates of the tables of the bootstrap.
        left_out: estimates with one person less in each cell that has people.
        weights: people in those cells.
        level: in 0..1.
        corrected: else the ends are plain quantiles, and the corrections are only told.
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
    mapped = ends
    if corrected:
        mapped = (
            _mapped(normal, z0, a, normal.inv_cdf(ends[0])),
            _mapped(normal, z0, a, normal.inv_cdf(ends[1])),
        )
    low, high = (_quantile(ordered, p) for p in mapped)
    degenerate = tuple(min(p, 1 - p) * n < min(FEW, (1 - level) / 2 * n) - 1e-9 for p in mapped)
    return BootstrapInterval(
        low, high, z0, a, (mapped[0], mapped[1]),
        (_quantile(ordered, ends[0]), _quantile(ordered, ends[1])), n,
        (degenerate[0], degenerate[1]),
    )  # fmt: skip


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
