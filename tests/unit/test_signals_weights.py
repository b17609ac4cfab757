"""Weights of tests: what they may rest on."""

from __future__ import annotations

import numpy as np

from ctdhub.stats.signals.find import LEAST, find, q_values
from ctdhub.stats.signals.panel import Period, SeriesPanel

YEARS, NOISE = 12, 20.0


def hub(rng: np.random.Generator, means: np.ndarray) -> SeriesPanel:
    rate = np.repeat(means[:, None], YEARS, axis=1)
    counts = rng.poisson(rate) + np.round(rng.normal(0, NOISE, rate.shape))
    return SeriesPanel(
        names=tuple(f"s{k}" for k in range(len(means))),
        periods=tuple(Period("year", 2010 + k) for k in range(YEARS)),
        counts=counts,
        wholes=np.full(rate.shape, np.nan),
        noise=np.full(rate.shape, NOISE),
        noise_of_wholes=np.zeros(rate.shape),
    )


def test_weights_have_the_mean_one_and_do_not_rest_on_the_window() -> None:
    rng = np.random.default_rng(2)
    panel = hub(rng, np.exp(rng.uniform(1, 7, 200)))
    moved = panel.counts.copy()
    moved[:, -3:] += 40
    weights = []
    for counts in (panel.counts, moved):
        given = SeriesPanel(
            panel.names, panel.periods, counts, panel.wholes, panel.noise, panel.noise_of_wholes
        )
        by_row = {f.row: f.tests[0].weight for f in find(given).findings}
        weights.append([by_row[row] for row in sorted(by_row)])
    assert np.allclose(*weights)
    assert np.isclose(np.mean(weights[0]), 1, atol=0.01)
    assert min(weights[0]) >= LEAST
    assert max(weights[0]) > 2


def test_weights_of_series_with_gaps_do_not_rest_on_the_gaps_of_the_window() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(np.exp(rng.uniform(1, 5, (80, 1))), (80, YEARS)).astype(float)
    counts[rng.random(counts.shape) < 0.45] = 0
    fewer, none = counts.copy(), np.zeros_like(counts)
    weights = []
    for given in (counts, fewer):
        found = find(
            SeriesPanel(
                tuple(f"s{k}" for k in range(80)),
                tuple(Period("year", 2010 + k) for k in range(YEARS)),
                given,
                np.full(given.shape, np.nan),
                none,
                none,
            )
        ).findings
        assert sum(f.zeros > 0 for f in found) > 20
        weights.append([f.tests[0].weight for f in sorted(found, key=lambda f: f.row)])
        fewer[:, -3:] = np.where(rng.random((80, 3)) < 0.5, 0, counts[:, -3:])
    assert np.allclose(*weights)
    assert np.isclose(np.mean(weights[0]), 1, atol=0.01)


def test_equal_weights_change_nothing_and_their_scale_neither() -> None:
    p = np.random.default_rng(1).random(50) ** 3
    assert np.allclose(q_values(p), q_values(p, np.full(50, 3.0)))
    assert np.allclose(q_values(p, np.arange(1.0, 51)), q_values(p, np.arange(1.0, 51) * 7))
