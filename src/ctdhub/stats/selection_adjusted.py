"""The largest of many sums: which are shown, and intervals that allow for their having been picked.

Whoever lists the largest of m sums lists those whose noise went up, and ordinary intervals miss
below.  So a sum is shown as Benjamini and Hochberg (1995) choose among the m candidates, at
1 - level, and the intervals of the R that are listed have level 1 - R (1 - level) / m: then the
expected share of intervals that miss, among those listed, is at most 1 - level (Y. Benjamini and
D. Yekutieli, 2005, J. Am. Stat. Assoc. 100:71, false coverage-statement rate).  ``dp`` does
the same for the cells of a published table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TypeVar

from ctdhub.stats.intervals import Interval

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


def largest(answers: Mapping[Key, Interval], level: float, most: int) -> dict[Key, Interval]:
    """The largest of the clear candidates, the largest first, with intervals for so few of so many.

    Args:
        answers: see :func:`clear`.
        most: how many at most.
    """
    found = sorted(clear(answers, level), key=lambda key: -(answers[key].value or 0))[:most]
    while found:
        by = _wider(len(found), len(answers), level)
        listed = {key: _scaled(answers[key], by) for key in found}
        kept = [key for key in found if (listed[key].low or 0) > 0]
        if len(kept) == len(found):
            return listed
        found = kept
    return {}


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


def _scaled(answer: Interval, by: float) -> Interval:
    value, half = answer.value or 0.0, by * _half(answer)
    return Interval(value, max(0, math.floor(value - half)), math.ceil(value + half))
