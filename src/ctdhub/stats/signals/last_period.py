"""Whether the last period of a file is over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ctdhub.stats.signals.panel import SeriesPanel
from ctdhub.stats.signals.periods import IN_A_CYCLE, Period
from ctdhub.stats.signals.window_tests import count_tests

UNLIKELY, MOST = 0.001, 2 / 3
"""A last period is unfinished if the total of all series is so unlikely, and at most this part of
what is expected, and that of the period before is not."""
_FEWEST = 6


def until(panel: SeriesPanel, last: Period) -> SeriesPanel | None:
    """The panel up to a period; None where that leaves nothing, or the kinds differ."""
    first = panel.periods[0]
    n = last.place - first.place + 1
    if last.kind != first.kind or n < 1:
        return None
    return _cut(panel, min(n, len(panel.periods)))


def finished(panel: SeriesPanel) -> tuple[SeriesPanel, Period | None]:
    """The panel without an unfinished last period, and that period, None where there is none."""
    n = len(panel.periods)
    if n < _FEWEST or not _far_below(panel, n) or _far_below(panel, n - 1):
        return panel, None
    return _cut(panel, n - 1), panel.periods[-1]


def _far_below(panel: SeriesPanel, n: int) -> bool:
    """Whether the total of the last of the first n periods is far below those before."""
    counts = panel.counts[:, :n]
    here = ~np.isnan(counts[:, -1])
    if not here.any():
        return False
    held = counts[here]
    known = ~np.isnan(held)
    means = np.nanmean(held, axis=1, keepdims=True)
    total = np.where(known, held, means).sum(axis=0)[None]
    noise = np.sqrt((np.where(known, panel.noise[here, :n], 0.0) ** 2).sum(axis=0))[None]
    at = np.arange(n)
    cycle = IN_A_CYCLE[panel.periods[0].kind] > 1
    season = np.array([p.in_cycle for p in panel.periods[:n]]) if cycle else 0 * at
    tested = count_tests(total, noise, at < n - 1, at == n - 1, season)
    return bool(tested.p_fall[0] < UNLIKELY and tested.seen[0] <= MOST * tested.expected[0])


def _cut(panel: SeriesPanel, n: int) -> SeriesPanel:
    arrays = {
        name: getattr(panel, name)[:, :n]
        for name in ("counts", "wholes", "noise", "noise_of_wholes")
    }
    return replace(panel, periods=panel.periods[:n], **arrays)
