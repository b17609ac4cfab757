"""Periods that are 0 more often than the others of their series lead to expect.

Such zeros are rather missing reports than counts (the structural zeros of D. Lambert 1992,
Technometrics 34:1), so the periods that are not 0 are tested, and the zeros by themselves: whether
the window has more of them than the past.  A fall that such a window shows is a fall, or reports
that did not come: no number of the file tells which.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ctdhub.stats.signals.tails import Floats

Ints = npt.NDArray[np.int64]

UNLIKELY = 0.001
"""Chance of so many zeros below which they are too many."""
ASKED = 0.01
"""Chance of so many zeros in the window below which it is asked whether reports are missing."""
_LEAST_DISPERSION = 0.2
_TOGETHER = 2.0
"""Periods without reports come in runs: so many count as one."""


def too_many_zeros(
    counts: Floats, noise: Floats, past: np.ndarray, window: np.ndarray
) -> tuple[Floats, Floats, Floats]:
    """Zeros of the past where there are too many, else 0; the chance of so many in the window; and
    the zeros of the window where the periods that are not 0 lead to expect far fewer, else 0.

    Args:
        counts, noise: shape (series, periods); series with noise have no zeros to speak of.
        past, window: which periods belong to each, shape (periods,).

    Returns:
        Three arrays of shape (series,); the chance is 1 where there are not too many.
    """
    from scipy.special import bdtrc

    known = ~np.isnan(counts)
    before, now = known & past, known & window
    empty = known & (counts == 0)
    n, zeros = before.sum(axis=1), (empty & before).sum(axis=1)
    y = np.where(before & ~empty, counts, 0.0)
    left = np.maximum(n - zeros, 1)
    mean = y.sum(axis=1) / left
    spread = np.where(before & ~empty, (y - mean[:, None]) ** 2, 0.0).sum(axis=1)
    spread /= np.maximum(left - 1, 1)
    safe = np.maximum(mean, 1e-9)
    phi = np.maximum((spread - safe) / safe**2, _LEAST_DISPERSION)
    chance = (1 + phi * safe) ** (-1 / phi)
    exact = (zeros < n) & ~noise.any(axis=1)
    many = (bdtrc(zeros - 1, n, chance) < UNLIKELY) & exact
    rarer = np.ones(n.size)
    a, b = (zeros + 0.5) / _TOGETHER, (n - zeros + 0.5) / _TOGETHER
    silent, m = (empty & now).sum(axis=1), now.sum(axis=1)
    rarer[many] = _at_least(silent[many], m[many], a[many], b[many])
    asked = (bdtrc(silent - 1, m, chance) < ASKED) & exact & (silent > 0)
    return (
        np.where(many, zeros, 0).astype(float),
        rarer,
        np.where(asked, silent, 0).astype(float),
    )


def _at_least(k: Ints, n: Ints, a: Floats, b: Floats) -> Floats:
    """Chance of k or more of n under a beta-binomial distribution, shape (series,)."""
    from scipy.special import betaln, gammaln

    j, of = np.arange(n.max(initial=0) + 1), n[:, None]
    left = np.maximum(of - j, 0)
    ways = gammaln(of + 1) - gammaln(j + 1) - gammaln(left + 1)
    logs = ways + betaln(j + a[:, None], left + b[:, None]) - betaln(a, b)[:, None]
    among = (j >= k[:, None]) & (j <= of)
    chances = np.exp(logs, where=among, out=np.zeros(among.shape))
    found: Floats = np.minimum(chances.sum(axis=1), 1.0)
    return found
