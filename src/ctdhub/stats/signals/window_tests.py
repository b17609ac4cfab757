"""Whether the counts of a window differ from what the series' own past leads to expect.

A count y of period t has the variance  m + φ m² + s²:  chance, the series' own dispersion φ (a
negative binomial), and the known protection noise s.  The expected count m is the mean of the
past; from three years on each period of the year has a mean of its own, which leans on the mean of
all by how much the periods of the year differ beyond chance (an empirical Bayes mean).  The error
of the estimated mean, the noise of the window and the correlation of neighbouring periods all add
to the variance of the window's sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.dispersion import Residuals, spread
from ctdhub.stats.signals.tails import Floats, negative_binomial, widened

PRIOR = 0.1
"""Dispersion to start from: periods that vary by about a third beyond chance."""
CYCLES = 3
"""Times that each period of the year must lie in the past before it has a mean of its own."""


@dataclass(frozen=True)
class Tested:
    """A window beside its past, for each series; all arrays have shape (n,).

    ``seen`` and ``expected`` are what the window has and what the past leads to expect: sums of
    counts, or shares in 0..1; ``error_seen`` and ``error_expected`` are their standard errors;
    ``p_rise`` and ``p_fall`` are one-sided chances; ``dispersion`` is the series' own.
    """

    seen: Floats
    expected: Floats
    error_seen: Floats
    error_expected: Floats
    p_rise: Floats
    p_fall: Floats
    dispersion: Floats


@dataclass(frozen=True)
class Means:
    """Fitted means (series, periods), what each past period weighs in the window's expected sum,
    and the part of its own value that each fitted mean contains."""

    fitted: Floats
    weight: Floats
    leverage: Floats


def count_tests(
    counts: Floats, noise: Floats, past: np.ndarray, window: np.ndarray, season: np.ndarray
) -> Tested:
    """Test every series.

    Args:
        counts: shape (series, periods), nan where missing.
        noise: standard deviation of the protection noise, same shape, 0 where there is none.
        past, window: which periods belong to each, shape (periods,).
        season: place of each period in its year, from 0, shape (periods,); all 0 without seasons.
    """
    known = ~np.isnan(counts)
    before, now = known & past, known & window
    y = np.where(known, counts, 0.0)
    means = _means(y, before, now, season)
    m = means.fitted
    noise_squared = np.where(known, noise, 0.0) ** 2
    residuals = Residuals(
        inside=before,
        seen=np.where(before, y - m, 0.0),
        known=np.where(before, m + noise_squared, 0.0),
        scale=np.where(before, m * m, 0.0),
        kept=np.where(before, np.maximum(0.0, 1 - means.leverage), 0.0),
    )
    own = spread(residuals, PRIOR)
    phi = own.dispersion[:, None]
    variance = m + phi * m * m + noise_squared
    seen, expected = (y * now).sum(axis=1), (m * now).sum(axis=1)
    total = (variance * now).sum(axis=1)
    stretched = total * own.stretch(now.sum(axis=1))
    of_noise = (noise_squared * now).sum(axis=1)
    of_mean = (means.weight**2 * variance * before).sum(axis=1)
    of_mean *= own.stretch(before.sum(axis=1))
    up, down = negative_binomial(seen, expected, stretched - of_noise, np.sqrt(of_noise + of_mean))
    scale = (m * m * now).sum(axis=1) + (means.weight**2 * m * m * before).sum(axis=1)
    degrees = own.degrees(stretched + of_mean, scale)
    return Tested(
        seen,
        expected,
        np.sqrt(stretched),
        np.sqrt(of_mean),
        widened(up, degrees),
        widened(down, degrees),
        own.dispersion,
    )


def _means(y: Floats, before: np.ndarray, now: np.ndarray, season: np.ndarray) -> Means:
    """Expected counts of all periods, from the past alone."""
    n = np.maximum(1, before.sum(axis=1))[:, None]
    level = (y * before).sum(axis=1, keepdims=True) / n
    places = int(season.max(initial=0)) + 1
    one_hot = (season[:, None] == np.arange(places)).astype(float)
    times = before @ one_hot
    apart = (times.min(axis=1, keepdims=True) >= CYCLES) & (places > 1)
    each = np.divide((y * before) @ one_hot, times, out=np.zeros_like(times), where=times > 0)
    lean = _lean(y, before, each @ one_hot.T, each, times) * apart
    fitted = level + lean * (each @ one_hot.T - level)
    sizes = np.maximum(1.0, times @ one_hot.T)
    asked = now @ one_hot
    weight = (1 - lean) * now.sum(axis=1, keepdims=True) / n + lean * (asked @ one_hot.T) / sizes
    return Means(np.maximum(fitted, 0.0), weight * before, ((1 - lean) / n + lean / sizes) * before)


def _lean(y: Floats, before: np.ndarray, near: Floats, each: Floats, times: Floats) -> Floats:
    """How far the means of the places of the year are believed, in 0..1, shape (series, 1)."""
    places = times.shape[1]
    if places < 2:
        return np.zeros((y.shape[0], 1))
    within = ((y - near) ** 2 * before).sum(axis=1)
    within /= np.maximum(1.0, before.sum(axis=1) - places)
    chance = within * (1 / np.maximum(times, 1.0)).mean(axis=1)
    between = each.var(axis=1, ddof=1)
    real = np.maximum(0.0, between - chance)
    lean: Floats = np.divide(real, real + chance, out=np.zeros_like(real), where=real > 0)
    return lean[:, None]
