"""Whether the share of a window differs from what the series' own past leads to expect.

A part x of a whole n has the variance  n p q (1 + (n - 1) ψ) + s² + p² s'²:  a beta-binomial count
with the series' own dispersion ψ (the correlation of two people of one period), the noise s of the
part and s' of the whole.  On the scale of the logit of p the share may do what a number may do
(``null_models``): drift, wander, have shifted earlier.  Shares have no seasons.
"""

from __future__ import annotations

import numpy as np

from ctdhub.stats.signals.empirical_bayes import averaged, likeliest, mixed
from ctdhub.stats.signals.null_models import Departures, Forecasts, forecasts, peaked
from ctdhub.stats.signals.tails import Floats, binomial
from ctdhub.stats.signals.window_tests import STRENGTH, Tested

PRIOR = 0.02
"""Dispersion to start from: a share of a half that varies by 7 points beyond chance, one of a
tenth by 4 points."""
DISPERSIONS = np.array([0.0, 0.003, 0.008, 0.02, 0.04, 0.08, 0.16, 0.3])


def share_tests(
    counts: Floats,
    wholes: Floats,
    noise: Floats,
    noise_of_wholes: Floats,
    past: np.ndarray,
    window: np.ndarray,
) -> Tested:
    """Test the share of every series.

    Args:
        counts, wholes: shape (series, periods), nan where missing.
        noise, noise_of_wholes: standard deviations of the protection noise, same shape.
        past, window: which periods belong to each, shape (periods,).

    Returns:
        ``seen`` and ``expected`` are shares in 0..1, nan where a window or a past has no whole.
    """
    known = ~np.isnan(counts) & ~np.isnan(wholes)
    x, n = np.where(known, counts, 0.0), np.where(known, np.maximum(wholes, 0.0), 0.0)
    before, now = known & past & (n > 0), known & window
    whole_before, whole_now = (n * before).sum(axis=1), (n * now).sum(axis=1)
    usable = (whole_before > 0) & (whole_now > 0)
    p = _ratio((x * before).sum(axis=1), whole_before)
    p = np.clip(p, 0.5 / np.maximum(whole_before, 1.0), 1 - 0.5 / np.maximum(whole_before, 1.0))
    share, spread = p[:, None], (p * (1 - p))[:, None]
    noise_squared = np.where(known, noise**2 + share**2 * noise_of_wholes**2, 0.0)
    scale = np.where(before, n * spread, 1.0)
    at = np.arange(past.size)
    first, last = at[past].min(initial=0), at[past].max(initial=0)
    time = (at - (first + last) / 2) / max(1, last - first)
    departures = Departures(
        inside=before[:, past],
        seen=np.where(before, (x - share * n) / scale, 0.0)[:, past],
        known=np.where(before, 1 / scale + noise_squared / scale**2, 0.0)[:, past],
        scale=np.where(before, np.maximum(n - 1, 0.0) / scale, 0.0)[:, past],
        time=time[past],
        ahead=_ratio((n * now) @ time, whole_now),
        gap=int(window.sum()),
    )
    found = forecasts(departures, DISPERSIONS, PRIOR)
    weight = mixed(found.likelihood / peaked(departures), found.prior, STRENGTH)
    of_level = weight * found.flat
    of_level /= np.maximum(of_level.sum(axis=1, keepdims=True), 1e-300)
    of_noise = (noise_squared * now).sum(axis=1)
    pairs = (n * np.maximum(n - 1, 0.0) * now).sum(axis=1)
    seen, missing = (x * now).sum(axis=1), np.where(usable, 0.0, np.nan)
    both = [_tails(seen, whole_now, pairs, of_noise, p, found, w) for w in (weight, of_level)]
    size = np.maximum(whole_now, 1e-9)
    (expected, error, of_past, up, down), (level, _e, _p, level_up, level_down) = both
    return Tested(
        *(
            each + missing
            for each in (
                _ratio(seen, whole_now), expected, error / size, of_past, up, down,
                level, level_up, level_down, *(np.full(seen.size, np.nan),) * 5,
            )
        )
    )  # fmt: skip


def _tails(
    seen: Floats, whole: Floats, pairs: Floats, noise: Floats, p: Floats, found: Forecasts,
    weight: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:  # fmt: skip
    """Expected share, error of the part, error of the expected share, and both tails."""
    top, of_each = likeliest(weight)
    spread, size = (p * (1 - p))[:, None], np.maximum(whole, 1e-9)[:, None]
    least = np.minimum(p, 1 - p)[:, None] / 50
    share = np.clip(
        p[:, None] + spread * np.take_along_axis(found.mean, top, axis=1), least, 1 - least
    )
    plain = np.maximum(size * share * (1 - share), 1e-9)
    inflation = 1 + found.dispersion[top] * pairs[:, None] / size
    doubt = (size * spread) ** 2 * np.take_along_axis(found.variance, top, axis=1)
    error = np.sqrt(noise[:, None] + doubt)
    up, down = np.zeros_like(of_each), np.zeros_like(of_each)
    use = of_each > 0
    of_seen, of_whole = (np.broadcast_to(a[:, None], use.shape)[use] for a in (seen, size[:, 0]))
    up[use], down[use] = binomial(of_seen, of_whole, share[use], inflation[use], error[use])
    total = (of_each * share).sum(axis=1)
    apart = (share - total[:, None]) ** 2
    variance = (of_each * (plain * inflation + noise[:, None])).sum(axis=1)
    of_past = (of_each * (doubt / size**2 + apart)).sum(axis=1)
    return (
        total,
        np.sqrt(variance),
        np.sqrt(of_past),
        averaged(up, of_each, found.flat[top]),
        averaged(down, of_each, found.flat[top]),
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
