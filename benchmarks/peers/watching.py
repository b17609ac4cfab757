"""Other ways to watch many series, written plainly from their publications, beside ours.

Belongs here: peers of ``ctdhub signals``.  Does not belong here: the simulation (``signals.py``).

Each takes counts (series, periods; nan is missing) and the number of last periods to look at, and
gives a truth value for each series: alarm or none.  None of them knows of protection noise, so
noisy counts are rounded and negative ones set to 0, as their users would do.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from ctdhub.stats.signals.find import q_values

Floats = np.ndarray


def _split(counts: Floats, window: int) -> tuple[Floats, Floats]:
    whole = np.maximum(0, np.round(counts))
    return whole[:, :-window], whole[:, -window:]


def poisson_conditional(counts: Floats, window: int, rate: float) -> Floats:
    """Window beside past given their sum (J. Przyborowski and H. Wilenski 1940, Biometrika
    31:313), two-sided, Benjamini-Hochberg."""
    past, now = _split(counts, window)
    n, k = (~np.isnan(past)).sum(axis=1), (~np.isnan(now)).sum(axis=1)
    x = np.nansum(now, axis=1)
    total = np.nansum(past, axis=1) + x
    share = k / (n + k)
    up, down = stats.binom.sf(x - 1, total, share), stats.binom.cdf(x, total, share)
    return np.asarray(q_values(np.minimum(1, 2 * np.minimum(up, down))) <= rate)


def negative_binomial_z(counts: Floats, window: int, rate: float) -> Floats:
    """Normal z of the window's mean with a negative-binomial variance by moments,
    Benjamini-Hochberg."""
    past, now = _split(counts, window)
    n, k = (~np.isnan(past)).sum(axis=1), (~np.isnan(now)).sum(axis=1)
    mean, variance = np.nanmean(past, axis=1), np.nanvar(past, axis=1, ddof=1)
    size = np.maximum(0, (variance - mean) / np.maximum(mean, 1e-9) ** 2)
    model = np.maximum(mean + size * mean**2, 1e-9)
    z = (np.nanmean(now, axis=1) - mean) / np.sqrt(model * (1 / k + 1 / n))
    return np.asarray(q_values(2 * stats.norm.sf(np.abs(z))) <= rate)


def farrington_flexible(counts: Floats, window: int, alpha: float = 0.01) -> Floats:
    """In the manner of A. Noufaily et al. (2013), Stat. Med. 32:1206: a quasi-Poisson regression
    on trend and season, large residuals of the past weighed down, a negative-binomial upper limit;
    an alarm where any period of the window is above it.  Harmonics stand for its ten-level factor.
    """
    past, now = _split(counts, window)
    found = np.zeros(len(counts), dtype=bool)
    t = np.arange(counts.shape[1])
    turn = 2 * np.pi * t / 12
    design = np.stack([np.ones_like(turn), t / t.size, np.sin(turn), np.cos(turn)], axis=1)
    for i in range(len(counts)):
        known = ~np.isnan(past[i])
        x, y = design[: past.shape[1]][known], past[i][known]
        beta, spread = _quasi_poisson(x, y, np.ones(y.size))
        mu = np.exp(np.clip(x @ beta, -20, 20))
        anscombe = 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / (mu ** (1 / 6) * np.sqrt(spread))
        weights = np.where(anscombe > 2.58, (2.58 / np.maximum(anscombe, 2.58)) ** 2, 1.0)
        beta, spread = _quasi_poisson(x, y, weights * y.size / weights.sum())
        ahead = np.exp(np.clip(design[past.shape[1] :] @ beta, -20, 20))
        if spread > 1.0001:
            limit = stats.nbinom.ppf(1 - alpha / 2, ahead / (spread - 1), 1 / spread)
        else:
            limit = stats.poisson.ppf(1 - alpha / 2, ahead)
        found[i] = bool(np.any(now[i] > limit))
    return found


def _quasi_poisson(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, float]:
    """Coefficients of a log-linear model by reweighted least squares, and its dispersion."""
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(max(y.mean(), 0.1))
    for _step in range(25):
        mu = np.exp(np.clip(x @ beta, -20, 20))
        w = weights * mu
        target = x @ beta + (y - mu) / mu
        normal = x.T @ (w[:, None] * x) + 1e-9 * np.eye(x.shape[1])
        fresh = np.linalg.solve(normal, x.T @ (w * target))
        if np.abs(fresh - beta).max() < 1e-8:
            break
        beta = fresh
    mu = np.exp(np.clip(x @ beta, -20, 20))
    spread = float((weights * (y - mu) ** 2 / mu).sum() / max(1, y.size - x.shape[1]))
    return beta, max(1.0, spread)


def ears_c3(counts: Floats, window: int) -> Floats:
    """C3 of the Early Aberration Reporting System (L. Hutwagner et al. 2003, J. Urban Health
    80:i89): seven periods two before, three in a row added up; an alarm anywhere in the window."""
    whole = np.maximum(0, np.round(counts))
    n = counts.shape[1]
    c2 = np.full(counts.shape, np.nan)
    for t in range(n - window - 2, n):
        base = whole[:, t - 9 : t - 2]
        sd = np.maximum(np.nanstd(base, axis=1, ddof=1), 0.2)
        c2[:, t] = (whole[:, t] - np.nanmean(base, axis=1)) / sd
    over = np.nan_to_num(np.maximum(0, c2 - 1))
    c3 = over[:, 2:] + over[:, 1:-1] + over[:, :-2]
    return np.asarray((c3[:, -window:] > 2).any(axis=1))
