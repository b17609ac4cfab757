"""What a test of a series is called: a break, in line with its trend, or as usual; and its size."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from ctdhub.stats.signals.tails import Floats
from ctdhub.stats.signals.window_tests import Tested

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
Way = Literal["rise", "fall"]
Verdict = Literal["break", "trend", "usual", ""]
"""Beyond what the past leads to expect; away from its level, but in line with its trend, or as such
series move by themselves; none of these."""
IN_LINE = 0.5
"""Part of a movement that a trend leads to expect, to be in line with it."""


@dataclass(frozen=True)
class Judged:
    """Of every series, shape (n,): two-sided chances, with the models of the null and with a level
    alone, which are rises, ratios with their interval, size, weight; nan where not tested."""

    tested: Tested
    p: Floats
    p_level: Floats
    rises: np.ndarray
    ratio: tuple[Floats, Floats, Floats]
    size: Floats
    weight: Floats
    q: Floats
    q_level: Floats

    def way(self, row: int, rate: float) -> Way:
        """Beyond what is expected or, where that is believed by nobody, away from the level."""
        if self.verdict(row, rate) in ("trend", "usual"):
            return "rise" if self.tested.seen[row] > self.tested.level[row] else "fall"
        return "rise" if self.rises[row] else "fall"

    def verdict(self, row: int, rate: float) -> Verdict:
        """What to call the movement of a series."""
        if self.q[row] <= rate:
            return "break"
        if not self.q_level[row] <= rate:
            return ""
        t = self.tested
        moved, led = t.seen[row] - t.level[row], t.expected[row] - t.level[row]
        return "trend" if moved and led / moved >= IN_LINE else "usual"


def judged_by(
    tested: Tested, size: Floats, least: float, there: np.ndarray, weight: Floats
) -> Judged:
    """What the tests of a kind say.

    Args:
        size: what turns ``seen`` and ``expected`` into people, shape (n,).
        least: a rise needs so many people in the window, a fall so many expected there.
        there: which series are tested, shape (n,).
        weight: of each test (``weights``), shape (n,).

    Too few people make the p-value 1: the test still counts among all, so that small series are
    not chosen because they happened to be large."""
    rises = tested.p_rise <= tested.p_fall
    people = np.where(rises, tested.seen, tested.expected) * size
    enough = people >= least
    p, p_level = (
        np.where(there, np.where(enough, np.minimum(1.0, 2 * np.minimum(up, down)), 1.0), np.nan)
        for up, down in (
            (tested.p_rise, tested.p_fall),
            (tested.level_rise, tested.level_fall),
        )
    )
    error = np.hypot(tested.error_seen, tested.error_expected)
    away = np.maximum(0.0, np.abs(tested.seen - tested.expected) - Z * error) * size
    empty = np.full(p.size, np.nan)
    return Judged(
        tested, p, p_level, rises, _ratio(tested, error), away, weight, empty.copy(), empty.copy()
    )


def _ratio(tested: Tested, error: Floats) -> tuple[Floats, Floats, Floats]:
    """Seen over expected with an interval on the scale of logarithms; where nothing is left of what
    was expected, from 0 to the upper end of what was seen."""
    expected = np.maximum(tested.expected, 1e-9)
    value = np.maximum(tested.seen, 0.0) / expected
    safe = np.maximum(tested.seen, 1e-9)
    relative = np.sqrt(
        (tested.error_expected / expected) ** 2
        + (tested.error_seen**2) / (expected * np.minimum(safe, expected))
    )
    low, high = (value * np.exp(sign * np.minimum(Z * relative, 50)) for sign in (-1, 1))
    gone = value <= 0
    return value, np.where(gone, 0.0, low), np.where(gone, Z * error / expected, high)
