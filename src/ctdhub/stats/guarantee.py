"""What a guarantee means for one person."""

from __future__ import annotations

import math


def sure_afterwards(epsilon: float, before: float) -> float:
    """How sure a suspicion can become, rounded up; odds grow by e^epsilon at most (Bayes' rule).

    Args:
        before: how sure somebody was, in 0..1 without the ends.

    >>> sure_afterwards(1.0, 0.1)
    0.232
    """
    odds = math.exp(min(epsilon, 700.0)) * before / (1 - before)
    return math.ceil(1000 * odds / (1 + odds)) / 1000
