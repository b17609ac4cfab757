"""Numbers that are rounded together, so that they still add up."""

from __future__ import annotations

import math
from collections.abc import Sequence


def whole(values: Sequence[float]) -> list[int]:
    """Whole numbers near the values whose sum is the rounded sum of the values.

    The largest remainders are rounded up.

    >>> whole([0.4, 0.4, 0.4]), whole([-1.5, 2.6])
    ([1, 0, 0], [-2, 3])
    """
    floors = [math.floor(v) for v in values]
    missing = round(math.fsum(values)) - sum(floors)
    order = sorted(range(len(values)), key=lambda i: (floors[i] - values[i], i))
    for i in order[:missing]:
        floors[i] += 1
    return floors
