"""How much each test counts before looking: more where a doubling could be found and need not be.

A hub publishes hundreds of series whose noise is larger than what they count.  Each of them takes
its part of the false discovery rate, and none could be found.  So p-values are divided by weights
with the mean 1 (C. R. Genovese, K. Roeder and L. Wasserman 2006, Biometrika 93:509), which keeps
the rate as long as weights do not rest on what is tested: these rest on the past, the noise and,
of shares, the wholes of the window.  A test whose statistic a doubling moves by μ standard errors
gets the weight that finds the most doublings,

    w = Φ(-(μ/2 + c/μ)) / EACH,

c such that the mean is 1 (K. Roeder and L. Wasserman 2009, Stat. Sci. 24:398).
"""

from __future__ import annotations

import numpy as np

from ctdhub.stats.signals.tails import Floats
from ctdhub.stats.signals.window_tests import Tested

TIMES = 2.0
"""The change that weights are made for: the factor of a number, or of the odds of a share."""
EACH = 0.01
"""Chance at which a test is usually believed: the rate times the part of the tests that are."""
LEAST = 0.1
"""No weight is less: a change may be larger than a doubling."""
_ROUNDS = 60


def of_counts(tested: Tested, there: np.ndarray) -> Floats:
    """Weights of tests of numbers, shape (series,), with the mean 1 over those that are ``there``;
    the error is taken half way between rise and fall.  A series with too many zeros has the weight
    1: how many periods of its window are tested is known from the window alone."""
    mean = np.maximum(tested.expected, 1e-9)

    def deviation(count: Floats) -> Floats:
        own = count + (tested.uneven + tested.drift) * count**2 + tested.noise**2
        return np.asarray(np.sqrt(own))

    rise = (TIMES - 1) * mean / deviation(TIMES * mean)
    fall = (1 - 1 / TIMES) * mean / deviation(mean)
    return _weights((rise + fall) / 2, there & (tested.zeros == 0))


def of_shares(tested: Tested, there: np.ndarray) -> Floats:
    """The same of tests of shares."""
    share = np.clip(tested.expected, 1e-6, 1 - 1e-6)
    moved = share * TIMES / (1 - share + share * TIMES)
    error = np.hypot(tested.error_seen, tested.error_expected)
    return _weights((moved - share) / np.maximum(error, 1e-12), there)


def _weights(moved: Floats, there: np.ndarray) -> Floats:
    from scipy.special import ndtr

    found = np.ones(there.size)
    if not there.any():
        return found
    errors = np.maximum(moved[there], 0.05)
    low, high = -50.0, 400.0
    for _round in range(_ROUNDS):
        middle = (low + high) / 2
        raised = ndtr(-(errors / 2 + middle / errors)).mean() > EACH
        low, high = (middle, high) if raised else (low, middle)
    best = ndtr(-(errors / 2 + high / errors)) / EACH
    found[there] = LEAST + (1 - LEAST) * best
    return found
