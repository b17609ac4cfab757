"""The largest of many sums: which stand out from the noise, and which are picked.

Whoever lists the largest of many sums by their values lists those whose noise went up.  So sums are
picked, and put in order, by values that are shrunk towards what each was expected to be; what is
printed of a picked sum is its own interval, the same as wherever else it is asked for.  How many
sums are clear of zero is counted as Benjamini and Hochberg (1995) choose among the candidates, at
1 - level; ``dp`` chooses the cells of a published table in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import TypeVar

from ctdhub.stats.intervals import Interval
from ctdhub.stats.precision import is_precise

Key = TypeVar("Key")


def clear(answers: Mapping[Key, Interval], level: float) -> list[Key]:
    """The candidates that stand out from the noise when all are looked at, the clearest first.

    Args:
        answers: every candidate, with its interval at ``level``; those that were not measured
            count as candidates that do not stand out.
    """
    held = {key: _times(answer) for key, answer in answers.items()}
    order = sorted(held, key=lambda key: -held[key])
    for r in range(len(order), 0, -1):
        if held[order[r - 1]] > _wider(r, len(order), level):
            return order[:r]
    return []


def adjusted(candidates: Mapping[Key, tuple[Interval, float]], z: float) -> dict[Key, float]:
    """Values shrunk towards what each was expected to be, so that the largest are not those whose
    noise went up (empirical Bayes; B. Efron, 2011, J. Am. Stat. Assoc. 106:1602).

    A value y with standard error s and expectation m becomes ``lambda y + (1 - lambda) m``,
    ``lambda = t m^2 / (t m^2 + s^2)``; t, the squared relative difference of true values from
    their expectation, is fitted by moments over all candidates at once.  These values say which
    candidates are the largest and in which order; they are no estimates to print without the
    words "adjusted for selection".

    Args:
        candidates: by key the answer and its expectation, in people.
        z: normal quantile of the intervals' level.

    >>> found = adjusted({"a": (Interval(90, 0, 180), 10), "b": (Interval(60, 50, 70), 50)}, 1.96)
    >>> found["a"] < found["b"]
    True
    """
    known = {k: (a.value or 0, _half(a) / z, m) for k, (a, m) in candidates.items()}
    squares = sum(m * m for _y, _s, m in known.values())
    over = sum((y - m) ** 2 - s * s for y, s, m in known.values())
    spread = max(0.0, over / squares) if squares else 0.0
    found = {}
    for key, (y, s, m) in known.items():
        between = spread * m * m
        weight = between / (between + s * s) if between + s * s else 1.0
        found[key] = weight * y + (1 - weight) * m
    return found


def picked(candidates: Mapping[Key, tuple[Interval, float]], z: float, most: int) -> list[Key]:
    """The largest candidates by their adjusted values, the largest first.

    Only those are picked whose value, and whose adjusted value with the same interval, are both
    precise enough for a number of people.  With this rule the intervals of the picks hold their
    level as they are (`benchmarks/corridors.py`); they need not be widened for having been picked.

    Args:
        candidates, z: see :func:`adjusted`.
        most: how many at most.
    """
    size = adjusted(candidates, z)

    def is_clear(key: Key, value: float) -> bool:
        answer, half = candidates[key][0], _half(candidates[key][0])
        around = Interval(value, value - half, value + half)
        return bool(answer.low) and value > half and is_precise(around, "people")

    held = [
        key
        for key, (answer, _m) in candidates.items()
        if is_clear(key, answer.value or 0) and is_clear(key, size[key])
    ]
    return sorted(held, key=lambda key: -size[key])[:most]


def _half(answer: Interval) -> float:
    return (answer.high or 0) - (answer.value or 0)


def _times(answer: Interval) -> float:
    """Value by half-width; 0 where the interval holds zero or nothing was measured."""
    if not answer.value or not answer.low:
        return 0.0
    return answer.value / max(_half(answer), 1e-9)


def _wider(listed: int, candidates: int, level: float) -> float:
    """How many times as wide the intervals of so many of the candidates are."""
    normal, outside = NormalDist(), (1 - level) / 2
    return normal.inv_cdf(1 - outside * listed / candidates) / normal.inv_cdf(1 - outside)
