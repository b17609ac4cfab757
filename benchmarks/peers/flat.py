"""The test of counts as it was before trends were part of the null: the baseline of the benchmark.

Belongs here: a past without trend, level shifts or forecast errors, for comparison alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.chances import Floats, negative_binomial, widened

PRIOR_DEGREES = 4.0
"""How many periods the common dispersion weighs as much as, beside a series' own."""
PRIOR_PAIRS = 30.0
"""The same for the correlation of neighbouring periods."""
_FEWEST = 8
"""Periods from which a series has a correlation of its own."""
_MOST_RELATED = 0.9


@dataclass(frozen=True)
class Residuals:
    """The past of many series beside its fitted means; all arrays have shape (series, periods).

    Attributes:
        inside: which periods are used; all else below is 0 elsewhere.
        seen: observed less fitted.
        known: variance that is known: of chance, and of the protection noise.
        scale: what the dispersion is multiplied with to give the rest of the variance.
        kept: how often the squared residuals, summed, hold the variance of each period on average,
            because the fitted mean follows the period itself; about 1.
    """

    inside: np.ndarray
    seen: Floats
    known: Floats
    scale: Floats
    kept: Floats


@dataclass(frozen=True)
class Spread:
    """Dispersion of each series, what it rests on, and correlation of neighbours; shape (n,).

    ``information`` is one over the variance of the dispersion's estimate.
    """

    dispersion: Floats
    information: Floats
    related: Floats

    def degrees(self, total: Floats, scale: Floats) -> Floats:
        """Degrees of freedom of a variance ``total`` that holds ``dispersion * scale``.

        F. E. Satterthwaite (1946), Biometrics Bulletin 2:110: twice its square over its variance.
        """
        total = np.maximum(total, 1e-9)
        of_estimate = np.maximum(scale * scale / self.information, 1e-12 * total * total)
        found: Floats = np.clip(2 * total * total / of_estimate, 1.0, 1e6)
        return found

    def stretch(self, periods: Floats) -> Floats:
        """Variance of a sum of neighbouring periods over that of independent ones, from 1 up."""
        r = self.related
        longest = int(periods.max(initial=1))
        lags = np.arange(1, max(2, longest))[None, :]
        weight = np.maximum(0.0, 1 - lags / np.maximum(periods, 1)[:, None])
        return np.asarray(1 + 2 * (weight * r[:, None] ** lags).sum(axis=1))


def spread(past: Residuals, prior: float) -> Spread:
    """Estimate the spread of every series.

    Args:
        past: residuals.
        prior: dispersion to start from; it weighs as much as ``PRIOR_DEGREES`` periods of one
            series.
    """
    explained = (past.kept * past.scale).sum(axis=1)
    own = (past.seen**2).sum(axis=1) - (past.kept * past.known).sum(axis=1)
    own = np.divide(own, explained, out=np.zeros_like(own), where=explained > 0)
    info = _information(past, explained, np.full(own.size, prior))
    start = PRIOR_DEGREES / (2 * prior**2)
    common = max(0.0, float((start * prior + info @ own) / (start + info.sum())))
    scale = max(common, prior / 10)
    info = _information(past, explained, np.full(own.size, scale))
    start = PRIOR_DEGREES / (2 * scale**2)
    shrunk = (start * common + info * own) / (start + info)
    dispersion = np.maximum(0.0, np.maximum(own - _doubt(past, explained, scale), shrunk))
    at = np.maximum(dispersion, scale)
    information = _information(past, explained, at) + PRIOR_DEGREES / (2 * at**2)
    return Spread(dispersion, information, _related(past, dispersion))


def _information(past: Residuals, explained: Floats, dispersion: Floats) -> Floats:
    """One over the variance of the moment estimate of the dispersion, errors taken as normal."""
    variance = past.known + dispersion[:, None] * past.scale
    of_squares = 2 * (past.kept * variance**2).sum(axis=1)
    found: Floats = np.divide(
        explained**2, of_squares, out=np.zeros_like(explained), where=of_squares > 0
    )
    return found


def _doubt(past: Residuals, explained: Floats, scale: float) -> Floats:
    """The part of the standard error of a dispersion that known variance adds, not few periods."""
    of_itself = scale * past.scale
    squares = 2 * (past.kept * ((past.known + of_itself) ** 2 - of_itself**2)).sum(axis=1)
    found: Floats = np.sqrt(
        np.divide(squares, explained**2, out=np.zeros_like(explained), where=explained > 0)
    )
    return found


def _related(past: Residuals, dispersion: Floats) -> Floats:
    """Correlation of neighbouring periods, never below 0: its own, leaning on that of all."""
    variance = past.kept * (past.known + dispersion[:, None] * past.scale)
    scaled = np.divide(
        past.seen, np.sqrt(variance), out=np.zeros_like(past.seen), where=variance > 0
    )
    both = past.inside[:, 1:] & past.inside[:, :-1]
    periods, pairs = past.inside.sum(axis=1), both.sum(axis=1)
    product = (scaled[:, 1:] * scaled[:, :-1] * both).sum(axis=1)
    square = (scaled**2).sum(axis=1)
    enough = (periods >= _FEWEST) & (pairs > 0) & (square > 0)
    own = np.zeros(periods.size)
    np.divide(product * periods, np.maximum(square * pairs, 1e-300), out=own, where=enough)
    own += np.where(enough, 1 / np.maximum(periods, 1), 0.0)  # the bias of a fitted mean
    weight = np.where(enough, pairs, 0)
    common = float(weight @ own / max(1.0, weight.sum()))
    found = (weight * own + PRIOR_PAIRS * common) / (weight + PRIOR_PAIRS)
    return np.clip(found, 0.0, _MOST_RELATED)


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


def chances(
    counts: Floats, noise: Floats, window: int, season: np.ndarray, least: float = 10
) -> Floats:
    """Two-sided chances, 1 where too few people were seen or expected."""
    at = np.arange(counts.shape[1])
    start = at.size - window
    past = at < start if season.any() else (at < start) & (at >= start - max(4, 2 * window))
    tested = count_tests(counts, noise, past, at >= start, season)
    rise = tested.p_rise <= tested.p_fall
    people = np.where(rise, tested.seen, tested.expected)
    p = np.minimum(1.0, 2 * np.minimum(tested.p_rise, tested.p_fall))
    return np.where(people >= least, p, 1.0)
