"""Whether the counts of a window differ from what the series' own past leads to expect.

A count y of period t has the variance  m + φ m² + s²:  chance, the series' own dispersion φ (a
negative binomial), and the known protection noise s.  What m may do by itself (trend, wandering,
earlier shifts) are the models of ``null_models``; each gives a forecast of the window's sum and a
tail, and the tails are averaged by how likely the models are (``mixing``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.empirical_bayes import averaged, likeliest, mixed
from ctdhub.stats.signals.null_models import Departures, Forecasts, forecasts, peaked
from ctdhub.stats.signals.seasons import Seasons, none, seasons
from ctdhub.stats.signals.tails import Floats, negative_binomial
from ctdhub.stats.signals.zeros import too_many_zeros

DISPERSIONS = np.array([0.0, 0.01, 0.03, 0.07, 0.14, 0.22, 0.35, 0.6, 1.0, 1.8])
USUAL = 0.1
"""Dispersion to start from: periods that vary by about a third beyond chance."""
STRENGTH = 6.0
"""How many series the start weighs as much as."""
_NEWTON = 4
_MOST_DOUBT, _MOST_TIMES = 1e4, 1e6
"""A past that leaves the logarithm of a rate so uncertain (its variance), or leads to expect so
many times its own first fit, says nothing: the chances are about a half, whatever is seen."""


@dataclass(frozen=True)
class Tested:
    """A window beside its past, for each series; all arrays have shape (n,).

    ``seen`` and ``expected`` are what the window has and what the past leads to expect: sums of
    counts, or shares in 0..1; ``error_seen`` and ``error_expected`` are their standard errors;
    ``p_rise`` and ``p_fall`` are one-sided chances.  ``level``, ``level_rise`` and ``level_fall``
    are what is expected and the chances if the past had a level alone.  A window's count has the
    variance expected + ``uneven`` expected², its mean the variance ``drift`` in the logarithm, and
    the normal error on top the standard deviation ``noise``.  ``zeros`` is the number of periods of
    the past that are 0 where that is more than the others lead to expect, else 0: then the periods
    that are not 0 were tested.  ``empty`` is the number of periods of the window that are 0 where
    the past leads to expect far fewer, else 0.
    """

    seen: Floats
    expected: Floats
    error_seen: Floats
    error_expected: Floats
    p_rise: Floats
    p_fall: Floats
    level: Floats
    level_rise: Floats
    level_fall: Floats
    uneven: Floats
    noise: Floats
    drift: Floats
    zeros: Floats
    empty: Floats


@dataclass(frozen=True)
class _Fit:
    """A first fit of the rate: base (series, periods) without the slope, slope times time."""

    base: Floats
    slope: Floats


def count_tests(
    counts: Floats, noise: Floats, past: np.ndarray, window: np.ndarray, season: np.ndarray
) -> Tested:
    """Test every series.

    Args:
        counts: shape (series, periods), nan where missing.
        noise: standard deviation of the protection noise, same shape, 0 where there is none.
        past, window: which periods belong to each, shape (periods,).
        season: place of each period in its cycle, from 0, shape (periods,); all 0 without seasons.
    """
    known = ~np.isnan(counts)
    zeros, rarer, empty = too_many_zeros(counts, noise, past, window)
    silent = (zeros > 0) & ~((counts > 0) & window).any(axis=1)
    known &= (zeros == 0)[:, None] | (counts != 0) | (silent[:, None] & window)
    before, now = known & past, known & window
    y = np.where(known, counts, 0.0)
    noisy = np.where(known, noise, 0.0) ** 2
    at = np.arange(past.size)
    first, last = at[past].min(initial=0), at[past].max(initial=0)
    time = (at - (first + last) / 2) / max(1, last - first)
    flat = none(counts.shape)
    fit = _fitted(y, before, noisy, time, flat)
    rate = fit.base * np.exp(fit.slope[:, None] * time)
    waves = seasons((y - rate) / rate, before, now, season)
    if (waves.used > 0).any():
        fit = _fitted(y, before, noisy, time, waves)
    rate = fit.base * np.exp(fit.slope[:, None] * time)
    n, m = before.sum(axis=1), now.sum(axis=1)
    stretch = np.sqrt(n / np.maximum(n - waves.used, 1))[:, None]
    line = fit.slope[:, None] * time
    ahead = (now * time).sum(axis=1) / np.maximum(m, 1)
    departures = Departures(
        inside=before[:, past],
        seen=np.where(before, line + stretch * (y - rate) / rate, 0.0)[:, past],
        known=np.where(before, 1 / rate + noisy / rate**2, 0.0)[:, past],
        scale=before[:, past].astype(float),
        time=time[past],
        ahead=ahead,
        gap=int(window.sum()),
    )
    found = forecasts(departures, DISPERSIONS, USUAL)
    weight = mixed(found.likelihood / peaked(departures), found.prior, STRENGTH)
    of_level = weight * found.flat
    of_level /= np.maximum(of_level.sum(axis=1, keepdims=True), 1e-300)
    base = (np.where(now, fit.base, 0.0)).sum(axis=1) * np.exp(fit.slope * ahead)
    uneven = (np.where(now, fit.base, 0.0) ** 2).sum(axis=1)
    uneven /= np.maximum(np.where(now, fit.base, 0.0).sum(axis=1), 1e-9) ** 2
    share = _ratio((noisy * before).sum(axis=1), ((noisy + rate) * before).sum(axis=1))
    window_ = _Window(
        (y * now).sum(axis=1),
        base,
        fit.slope * ahead,
        uneven,
        (noisy * now).sum(axis=1),
        share,
        _ratio(departures.known.sum(axis=1), n.astype(float)),
        waves.variance,
    )
    expected, error, of_past, up, down, uneven, of_mean, drift = _tails(window_, found, weight)
    level, _error, _past, level_up, level_down, *_ = _tails(window_, found, of_level)
    down, level_down = (
        np.where(silent, rarer, np.where(zeros > 0, np.minimum(1, 2 * np.minimum(d, rarer)), d))
        for d in (down, level_down)
    )
    return Tested(
        window_.seen, expected, error, of_past, up, down, level, level_up, level_down,
        uneven, of_mean, drift, zeros, empty,
    )  # fmt: skip


@dataclass(frozen=True)
class _Window:
    """The window of every series, shape (n,): sum, first fit, logarithm of the trend in it,
    unevenness of its periods, noise, share of noise in the past's variance, the relative variance
    of chance and noise in one period, variance of seasons."""

    seen: Floats
    base: Floats
    line: Floats
    uneven: Floats
    noise: Floats
    of_noise: Floats
    chance: Floats
    seasons: Floats


def _tails(w: _Window, found: Forecasts, weight: Floats) -> tuple[Floats, ...]:
    """Expected sum, errors of the seen and of the expected sum, both tails, and the parts of the
    variance as in :class:`Tested`, averaged over the likeliest models."""
    top, of_each = likeliest(weight)
    mean = np.take_along_axis(found.mean, top, axis=1) - w.line[:, None]
    mean = np.minimum(mean, _MOST_TIMES)
    doubt = np.take_along_axis(found.variance, top, axis=1) + w.seasons[:, None]
    doubt = np.minimum(doubt, _MOST_DOUBT)
    phi = found.dispersion[top]
    of_phi = phi / np.maximum(phi + w.chance[:, None], 1e-9)
    base = np.maximum(w.base, 1e-9)[:, None]
    expected = base * np.maximum(1 + mean, 0.02)
    own = np.minimum(np.take_along_axis(found.wandering, top, axis=1), doubt)
    of_noise = (doubt - own) * w.of_noise[:, None]
    drift = own + (doubt - own - of_noise) * (base / expected) ** 2
    expected = expected * (1 + (doubt - own) * of_phi)
    count = expected + phi * expected**2 * w.uneven[:, None]
    error = np.sqrt(w.noise[:, None] + base**2 * of_noise)
    up, down = np.zeros_like(of_each), np.zeros_like(of_each)
    use = of_each > 0
    seen = np.broadcast_to(w.seen[:, None], use.shape)
    up[use], down[use] = negative_binomial(
        seen[use], expected[use], count[use], error[use], drift[use]
    )
    total = (of_each * expected).sum(axis=1)
    variance = (of_each * (count + w.noise[:, None])).sum(axis=1)
    of_past = error**2 - w.noise[:, None] + expected**2 * drift + (expected - total[:, None]) ** 2
    return (
        total,
        np.sqrt(variance),
        np.sqrt((of_each * of_past).sum(axis=1)),
        averaged(up, of_each, found.flat[top]),
        averaged(down, of_each, found.flat[top]),
        (of_each * phi * w.uneven[:, None]).sum(axis=1),
        np.sqrt((of_each * error**2).sum(axis=1)),
        (of_each * (drift + (expected / np.maximum(total[:, None], 1e-9) - 1) ** 2)).sum(axis=1),
    )


def _fitted(y: Floats, before: np.ndarray, noisy: Floats, time: Floats, waves: Seasons) -> _Fit:
    """Level and slope by Poisson scores; the slope only as far as its own error allows."""
    n = np.maximum(1, before.sum(axis=1))
    shape = np.where(before, waves.factor, 0.0)
    least = np.maximum(0.5, np.sqrt((noisy * before).sum(axis=1)) / 2) / np.maximum(
        shape.sum(axis=1), 1e-9
    )
    level = np.maximum((y * before).sum(axis=1) / np.maximum(shape.sum(axis=1), 1e-9), least)
    slope = np.zeros(len(y))
    for _step in range(_NEWTON):
        rate = level[:, None] * shape * np.exp(np.clip(slope[:, None] * time, -5, 5))
        rest = np.where(before, y - rate, 0.0)
        a, b, c = rate.sum(axis=1), (rate * time).sum(axis=1), (rate * time**2).sum(axis=1)
        det = np.maximum(a * c - b * b, 1e-12)
        u, v = rest.sum(axis=1), (rest * time).sum(axis=1)
        slope = np.clip(slope + np.clip((a * v - b * u) / det, -1, 1), -4, 4)
        spread = np.exp(np.clip(slope[:, None] * time, -5, 5))
        level = np.maximum(
            (y * before).sum(axis=1) / np.maximum((shape * spread).sum(axis=1), 1e-9), least
        )
    rate = level[:, None] * shape * np.exp(np.clip(slope[:, None] * time, -5, 5))
    rest = np.where(before, y - rate, 0.0)
    variance = (rest**2 * time**2).sum(axis=1) / np.maximum(
        (rate * time**2).sum(axis=1), 1e-12
    ) ** 2
    variance *= n / np.maximum(n - 2, 1)
    kept = slope * np.maximum(0.0, 1 - variance / np.maximum(slope**2, 1e-12))
    spread = np.exp(kept[:, None] * time)
    level = np.maximum(
        (y * before).sum(axis=1) / np.maximum((shape * spread).sum(axis=1), 1e-9), least
    )
    return _Fit(level[:, None] * waves.factor, kept)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
