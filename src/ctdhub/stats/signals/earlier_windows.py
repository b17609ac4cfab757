"""How often earlier windows missed what their own past led to expect: the null put to the test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.panel import SeriesPanel
from ctdhub.stats.signals.window_tests import count_tests

CHANCE = 0.05
"""Two-sided chance from which on a window has missed."""
_FEWEST_SERIES, _MOST_SERIES, _WINDOWS = 20, 200, 2
_TIMES_WINDOW = 2
"""Times the window that the past of an earlier window must have."""


@dataclass(frozen=True)
class Missed:
    """``windows`` earlier windows, of which the part ``share`` missed."""

    windows: int
    share: float

    @property
    def too_often(self) -> bool:
        """Whether the share lies two standard errors above one and a half times the chance."""
        error = math.sqrt(CHANCE * (1 - CHANCE) / self.windows)
        return self.share > 1.5 * CHANCE + 2 * error


def missed(
    panel: SeriesPanel, begin: int, start: int, length: int, season: np.ndarray
) -> Missed | None:
    """Test the number of each series in the windows before the one that is looked at.

    Args:
        begin, start: first period of the past, and of the window.
        length: of the window.
        season: place of each period in its cycle.

    Returns:
        None with fewer than 20 series, or too short a past.
    """
    at = np.arange(len(panel.periods))
    rows = np.unique(np.linspace(0, len(panel.names) - 1, _MOST_SERIES).round().astype(int))
    counts, noise = panel.counts[rows], panel.noise[rows]
    found = []
    for k in range(1, _WINDOWS + 1):
        first = start - k * length
        if first - begin < max(4, _TIMES_WINDOW * length) or len(panel.names) < _FEWEST_SERIES:
            break
        past, window = (at >= begin) & (at < first), (at >= first) & (at < first + length)
        here = (~np.isnan(counts[:, past])).sum(axis=1) >= 4
        here &= (~np.isnan(counts[:, window])).sum(axis=1) >= math.ceil(length / 2)
        if here.any():
            tested = count_tests(counts[here], noise[here], past, window, season)
            found.append(2 * np.minimum(tested.p_rise, tested.p_fall) < CHANCE)
    if not found:
        return None
    every = np.concatenate(found)
    return Missed(every.size, float(every.mean()))
