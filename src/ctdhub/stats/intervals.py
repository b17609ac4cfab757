"""An estimate with its interval, and what two of them make: a share, and people outside."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; all None where no measured table answers the question.

    ``width`` is how wide the interval of a share was before it was clipped to 0..1, None for
    other numbers.
    """

    value: float | None
    low: float | None
    high: float | None
    width: float | None = field(default=None, compare=False, repr=False)


NOT_MEASURED = Interval(None, None, None)


def fieller(part: Interval, whole: Interval, correlation: float = 0.0) -> Interval:
    """Interval of ``part / whole``, clipped to 0..1, from the half-widths of the two and the
    correlation of their errors, in -1..1.

    ``width`` is the width before clipping, endless where the share may be anything.

    Where the whole is not clearly above zero the share may be anything.

    >>> share = fieller(Interval(50, 40, 60), Interval(100, 90, 110))
    >>> share.value, round(share.low, 2), round(share.high, 2)
    (0.5, 0.39, 0.62)
    >>> fieller(Interval(1, 0, 9), Interval(2, 0, 10))
    Interval(value=0.0, low=0.0, high=1.0)
    """
    x, y = part.value or 0.0, whole.value or 0.0
    dx = max((part.high or 0) - x, x - (part.low or 0))
    dy = max((whole.high or 0) - y, y - (whole.low or 0))
    a, b, c = y * y - dy * dy, x * y - correlation * dx * dy, x * x - dx * dx
    if a <= 0 or x > y + dx + dy:
        return Interval(0.0, 0.0, 1.0, math.inf)
    value = min(1.0, x / y)
    root = math.sqrt(max(0.0, b * b - a * c))
    low, high = max(0.0, (b - root) / a), min(1.0, (b + root) / a)
    return Interval(value, min(low, value), max(high, value), 2 * root / a)


def ratio(part: Interval, whole: Interval, correlation: float = 0.0) -> Interval:
    """:func:`fieller`, or nothing where one of the two was not measured."""
    if part.value is None or whole.value is None:
        return NOT_MEASURED
    return fieller(part, whole, correlation)


def outside(part: Interval, whole: Interval) -> Interval:
    """People of ``whole`` outside ``part``; the errors of the two add in quadrature."""
    if part.value is None or whole.value is None:
        return NOT_MEASURED
    value = max(0.0, whole.value - part.value)
    half = sum(
        max((a.high or 0) - (a.value or 0), (a.value or 0) - (a.low or 0)) ** 2
        for a in (whole, part)
    )
    spread = round(half**0.5)
    return Interval(value, max(0.0, value - spread), value + spread)
