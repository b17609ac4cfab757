"""Shares of the answers to one question: they add up to the whole, and so do their roundings."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctdhub.core.narrow import FINE
from ctdhub.stats.intervals import Interval
from ctdhub.stats.precision import is_precise
from ctdhub.stats.rounding import whole

COARSE, DECIMAL = 100, 1000
"""Steps in 1 of shares that are written as whole per cent, and with one decimal."""


def added_up(shares: Sequence[Interval], *, complete: bool) -> tuple[Interval, ...]:
    """Shares rounded together, by largest remainder, to the steps in which they are written.

    Noise may make shares of one whole exceed it: then, and where they are all answers that there
    are, each is divided by their sum.  What the shares that may be printed leave of the whole is
    rounded with them.  They have one decimal only where all of them are that precise.  A share too
    small or too precise for the step keeps its value.  Intervals grow where a rounded value lies
    outside.

    Args:
        shares: values and intervals in 0..1, of answers that exclude each other.
        complete: whether these are all answers to the question.

    >>> halves = [Interval(0.465, 0.4, 0.5), Interval(0.535, 0.5, 0.6)]
    >>> [one.value for one in added_up(halves, complete=True)]
    [0.47, 0.53]
    """
    total = math.fsum(one.value or 0.0 for one in shares)
    over = total if total > 1 or (complete and total > 0) else 1.0
    scaled = [_with_value(one, (one.value or 0.0) / over) for one in shares]
    values = [one.value or 0.0 for one in scaled]
    shown = [k for k, one in enumerate(scaled) if (one.low or 0) > 0 and is_precise(one, "share")]
    wide = {k: _half_width(scaled[k]) for k in shown}
    fine = all(half + 1 / DECIMAL < FINE for half in wide.values())
    steps = DECIMAL if fine else COARSE
    together = [
        k for k in shown if values[k] * steps >= 1 and (fine or wide[k] * steps >= 1 - 1e-9)
    ]
    rest = 1 - math.fsum(values[k] for k in together)
    rounded = whole([*(values[k] * steps for k in together), rest * steps])
    for k, value in zip(together, rounded, strict=False):  # the last one is the rest
        values[k] = value / steps
    return tuple(_with_value(one, value) for one, value in zip(scaled, values, strict=True))


def _half_width(share: Interval) -> float:
    value = share.value or 0.0
    return max((share.high or 0.0) - value, value - (share.low or 0.0))


def _with_value(share: Interval, value: float) -> Interval:
    if share.value is None or share.low is None or share.high is None:
        return share
    return Interval(value, min(share.low, value), max(share.high, value), share.width)
