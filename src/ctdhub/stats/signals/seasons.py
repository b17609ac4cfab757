"""Seasons as waves, each believed as far as all series together say that there are such waves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.empirical_bayes import mixed
from ctdhub.stats.signals.tails import Floats

CYCLES = 3
"""Times that each place of the cycle must lie in the past before there is a season."""
_MOST_WAVES = 12
_HEIGHTS = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 0.8]) ** 2
"""Variances that the two coefficients of a wave may have."""
_PRIOR = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
_STRENGTH = 6.0


@dataclass(frozen=True)
class Seasons:
    """``factor`` (series, periods) multiplies the rate, about 1; ``variance`` (series,) is that of
    the window's mean factor; ``used`` (series,) how many coefficients it has in effect."""

    factor: Floats
    variance: Floats
    used: Floats


def none(shape: tuple[int, int]) -> Seasons:
    """No season."""
    return Seasons(np.ones(shape), np.zeros(shape[0]), np.zeros(shape[0]))


def seasons(departure: Floats, inside: np.ndarray, now: np.ndarray, place: np.ndarray) -> Seasons:
    """Fit the waves of a cycle to relative departures.

    Args:
        departure: of each period from the rate without seasons, relative, shape (series, periods).
        inside: which periods are of the past and known; ``now``: of the window and known.
        place: of each period in its cycle, from 0, shape (periods,).
    """
    length = int(place.max(initial=0)) + 1
    times = inside.astype(float) @ (place[:, None] == np.arange(length))
    apart = (times.min(axis=1) >= CYCLES) & (length > 1)
    if not apart.any():
        return none(inside.shape)
    waves = range(1, min(_MOST_WAVES, length // 2) + 1)
    columns, of_wave = [np.ones(place.size)], [0]
    for h in waves:
        angle = 2 * np.pi * h * place / length
        for column in (np.cos(angle),) if 2 * h == length else (np.cos(angle), np.sin(angle)):
            columns.append(column)
            of_wave.append(h)
    x, wave = np.stack(columns, axis=1), np.array(of_wave)
    inner = (x[:, :, None] * x[:, None, :]).reshape(place.size, -1)
    gram = (inside.astype(float) @ inner).reshape(-1, wave.size, wave.size)
    gram[~apart] = np.eye(wave.size)
    inverse = np.linalg.pinv(gram, hermitian=True)
    y = np.where(inside, departure, 0.0)
    found = np.einsum("nij,nj->ni", inverse, y @ x)
    rest = np.where(inside, y - found @ x.T, 0.0)
    error = (rest**2).sum(axis=1) / np.maximum(1, inside.sum(axis=1) - wave.size)
    kept, left = np.zeros_like(found), np.zeros_like(found)
    for h in waves:
        at = np.flatnonzero(wave == h)
        v = error * inverse[:, at, at].mean(axis=1)
        v = np.maximum(v, 1e-12)[:, None]
        total = _HEIGHTS + v
        power = (found[:, at] ** 2).sum(axis=1)[:, None]
        likelihood = -0.5 * (at.size * np.log(total) + power / total)
        likelihood[~apart] = 0.0
        weight = mixed(likelihood, _PRIOR, _STRENGTH)
        lean = _HEIGHTS / total
        mean = (weight * lean).sum(axis=1)
        spread = (weight * (lean - mean[:, None]) ** 2).sum(axis=1) * power[:, 0] / at.size
        kept[:, at] = mean[:, None]
        left[:, at] = ((weight * lean * v).sum(axis=1) + spread)[:, None]
    kept[~apart], left[~apart] = 0.0, 0.0
    asked = (now.astype(float) @ x) / np.maximum(1, now.sum(axis=1))[:, None]
    factor = np.maximum(0.1, 1 + (found * kept) @ x.T)
    return Seasons(factor, (asked**2 * left).sum(axis=1), kept.sum(axis=1))
