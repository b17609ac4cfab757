"""Whether the share of a window differs from the share in the series' own past.

A part x of a whole n has the variance  n p q (1 + (n - 1) ψ) + s² + p² s'²:  a beta-binomial count
with the series' own dispersion ψ (the correlation of two people of one period), the noise s of the
part and s' of the whole.  The share p is that of all of the past together.
"""

from __future__ import annotations

import numpy as np

from ctdhub.stats.signals.dispersion import Residuals, spread
from ctdhub.stats.signals.tails import Floats, binomial, widened
from ctdhub.stats.signals.window_tests import Tested

PRIOR = 0.02
"""Dispersion to start from: a share of a half that varies by 7 points beyond chance, one of a
tenth by 4 points."""


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
    before, now = known & past, known & window
    x, n = np.where(known, counts, 0.0), np.where(known, np.maximum(wholes, 0.0), 0.0)
    whole_before, whole_now = (n * before).sum(axis=1), (n * now).sum(axis=1)
    usable = (whole_before > 0) & (whole_now > 0)
    p = _ratio((x * before).sum(axis=1), whole_before)
    p = np.clip(p, 0.5 / np.maximum(whole_before, 1.0), 1 - 0.5 / np.maximum(whole_before, 1.0))
    share = p[:, None]
    spread_of_one = share * (1 - share)
    noise_squared = np.where(known, noise**2 + share**2 * noise_of_wholes**2, 0.0)
    by_chance = n * spread_of_one + noise_squared
    scale = n * np.maximum(n - 1, 0.0) * spread_of_one
    part = _ratio(n * before, whole_before[:, None])
    kept = 1 - 2 * part + (part**2).sum(axis=1, keepdims=True)
    own = spread(
        Residuals(
            inside=before,
            seen=np.where(before, x - share * n, 0.0),
            known=np.where(before, by_chance, 0.0),
            scale=np.where(before, scale, 0.0),
            kept=np.where(before, np.maximum(kept, 0.0), 0.0),
        ),
        PRIOR,
    )
    variance = by_chance + own.dispersion[:, None] * scale
    total = (variance * now).sum(axis=1) * own.stretch(now.sum(axis=1))
    of_noise = (noise_squared * now).sum(axis=1)
    grown = (whole_now / np.maximum(whole_before, 1e-9)) ** 2
    of_share = grown * (variance * before).sum(axis=1) * own.stretch(before.sum(axis=1))
    seen = (x * now).sum(axis=1)
    plain = np.maximum(whole_now * p * (1 - p), 1e-9)
    up, down = binomial(
        seen,
        np.maximum(whole_now, 1e-9),
        p,
        np.maximum(1.0, (total - of_noise) / plain),
        np.sqrt(of_noise + of_share),
    )
    of_scale = (scale * now).sum(axis=1) + grown * (scale * before).sum(axis=1)
    degrees = own.degrees(total + of_share, of_scale)
    missing = np.where(usable, 0.0, np.nan)
    return Tested(
        _ratio(seen, whole_now) + missing,
        p + missing,
        np.sqrt(total) / np.maximum(whole_now, 1e-9) + missing,
        np.sqrt(of_share) / np.maximum(whole_now, 1e-9) + missing,
        widened(up, degrees) + missing,
        widened(down, degrees) + missing,
        own.dispersion,
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(
        part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0
    )
