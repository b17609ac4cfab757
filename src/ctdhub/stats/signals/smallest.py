"""The smallest rise that would have been found, in four of five cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ctdhub.stats.signals.tails import Floats, at_least
from ctdhub.stats.signals.window_tests import Tested

POWER = 0.8
MOST = 50.0
"""No rise beyond so many times what is expected is looked for."""
_ROUNDS = 22


def smallest_rises(tested: Tested, believed: Floats, least: float) -> Floats:
    """The least factor on what is expected with which a series would be believed to have risen.

    A sum is believed from the one on whose two-sided chance is ``believed``; a factor is found with
    the chance :data:`POWER` that the sum reaches it.

    Args:
        tested: counts.
        believed: the largest two-sided p-value that is believed, shape (series,), nan for
            a series that was not tested.
        least: people in the window without whom there is no rise.

    Returns:
        Shape (series,); nan where the series was not tested, or no factor up to :data:`MOST` does.
    """
    expected = np.maximum(np.nan_to_num(tested.expected, nan=1.0), 1e-6)
    uneven, noise, drift = (np.nan_to_num(a) for a in (tested.uneven, tested.noise, tested.drift))

    def reached(seen: Floats, times: Floats) -> Floats:
        mean = expected * times
        variance = mean + uneven * mean**2
        return at_least(seen, mean, variance, noise, drift)

    one = np.ones(expected.size)
    widest = 2 * MOST * expected + 20 * noise + 10 * least
    bound = _solved(lambda x: reached(x, one) <= believed / 2, 0 * one, widest)
    bound = np.maximum(bound, least)
    found = _solved(lambda f: reached(bound, f) >= POWER, one, MOST * one)
    unknown = np.isnan(tested.expected) | np.isnan(believed) | (found > 0.99 * MOST)
    return np.where(unknown, np.nan, found)


def _solved(enough: Callable[[Floats], np.ndarray], low: Floats, high: Floats) -> Floats:
    """The least value between two ends that is enough, by halving."""
    for _round in range(_ROUNDS):
        middle = (low + high) / 2
        there = enough(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high
