"""Whether two numbers of people, or two shares, differ beyond the noise.

Rule.  Each number has a normal error whose quantile z at the release's level gives its interval.
Where K pairs of one chart are compared at once, every half-width is made wider by z(K) / z, with
z(K) the quantile at level ``1 - (1 - level)/K`` (Bonferroni).  Two numbers differ where the wider
intervals have no point in common.  The standard deviation of a difference is at most the sum of
the two standard deviations, whatever the correlation; counts of one release were fitted together,
so that their errors may have any.  With independent errors the rule is stricter than a test of the
difference (N. Schenker and J. F. Gentleman, 2001, The American Statistician 55:182): what it calls
different is, and what it does not may still be.  What links may have missed or merged is added to
the ends as it is (``stats.once``): it is a bound and no noise.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal

from ctdhub.stats.intervals import Interval

Verdict = Literal["more", "fewer", "same"]


def widening(level: float, compared: int) -> float:
    """How much wider intervals are taken where so many pairs are compared at once.

    Args:
        level: of the intervals, in 0..1.

    >>> round(widening(0.95, 1), 2), round(widening(0.95, 20), 2)
    (1.0, 1.54)
    """
    quantile = NormalDist().inv_cdf
    return quantile(1 - (1 - level) / 2 / max(1, compared)) / quantile((1 + level) / 2)


def verdict(
    one: Interval,
    other: Interval,
    wider: float = 1.0,
    doubles: tuple[float, float] = (0.0, 0.0),
    merged: float = 0.0,
) -> Verdict | None:
    """Whether the first of two numbers is more than the second, fewer, or neither beyond doubt.

    Args:
        wider: see :func:`widening`.
        doubles: the most people, or the largest share, that may be counted twice in each.
        merged: the most that may be counted too little in either.

    Returns:
        None where one of the two was not measured.

    >>> verdict(Interval(50, 40, 60), Interval(90, 70, 110))
    'fewer'
    >>> verdict(Interval(50, 40, 60), Interval(75, 60, 90))
    'same'
    """
    ends = []
    for number, twice in zip((one, other), doubles, strict=True):
        if number.value is None or number.low is None or number.high is None:
            return None
        value = number.value
        low, high = value - wider * (value - number.low), value + wider * (number.high - value)
        ends.append((low - twice, high + merged))
    if ends[0][0] > ends[1][1]:
        return "more"
    return "fewer" if ends[1][0] > ends[0][1] else "same"
