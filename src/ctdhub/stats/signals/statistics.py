"""The statistics of signals: models of the null, seasons, windows, shares."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ctdhub.stats.signals.chances import (
    STEPS,
    TINY,
    Floats,
    Ints,
    at_least,
    binomial,
    negative_binomial,
    widened,
)

# --------------------------------------------------------------------------------------------------
# What may happen to a rate without anything new: the models of the null, and their forecasts.
#
# A departure z of period t from a first fit, relative to it, is
#
#     z = level + slope τ + u + e,    Var e = known + φ scale,
#
# u a first-order autoregression of standard deviation σ whose neighbours are correlated by ρ (a
# correlation near 1 is a wandering level), or one earlier shift of the level.  The level is unknown
# without limit, the slope has the mean 0 and one of several standard deviations; the slope that all
# series of counts have in common is taken out before.  Every combination is a model; its likelihood
# comes from a Kalman filter that carries z, the level and the slope as columns (P. de Jong 1991,
# Ann. Stat. 19:1073), all series and models at once.

SLOPES = (0.0, 0.1, 0.4, 1.6)
"""Standard deviations of the change over all of the past, relative; 0 is no slope."""
_NO_SLOPE_AT_ALL = 1e-5
RELATED = ((0.0, 0.0), *product((0.15, 0.35, 0.7), (0.6, 0.85, 0.97)))
"""Standard deviation and correlation of neighbours of u; (0, 0) is none."""
SHIFTS = (0.4, 1.0)
"""Standard deviations of a shift of the level, relative."""
MOST_PLACES, _LATEST, _NEAR = 24, 12, 2
"""Times of the past at which a shift is looked for, at most; of the last periods each is one, but
for those nearest to an end: one period that is high or low is no new level."""
OF_RELATED = (0.7, *(0.2 / (len(RELATED) - 1),) * (len(RELATED) - 1))
SHIFTED = 0.1
OF_SLOPES = (0.55, 0.15, 0.15, 0.15)
SPREAD = 1.2
"""How common each family, each slope and (standard deviation of the logarithm around the usual one)
each dispersion is thought before looking.  These, and the grids above, are assumptions: no series
was fitted to set them, and ``benchmarks/signals.py`` shows what they give."""
_AT_ONCE = 200
"""Series that are filtered together, which bounds the memory."""


@dataclass(frozen=True)
class Departures:
    """Many series relative to a first fit, past and window; arrays of shape (series, periods).

    ``seen`` is 0 where not ``inside``; ``known`` and ``scale`` give the variance of one period.
    ``time`` (periods,) runs over the past from -1/2 to 1/2; ``ahead`` (series,) is the mean time
    of the window's known periods; the last ``gap`` periods are the window.
    """

    inside: np.ndarray
    seen: Floats
    known: Floats
    scale: Floats
    time: Floats
    ahead: Floats
    gap: int


@dataclass(frozen=True)
class Forecasts:
    """For each series and model, shape (series, models): the expected departure of the window's
    mean, its variance, what of that is u's own, and the ``weight`` of the model, that among models
    of a level alone, by the past alone, being ``of_level``; by model, shape (models,), the
    dispersion, and whether it is ``flat`` (no slope, no u, no shift); and by series the period
    ``since`` when past and window together have another level, nan where they rather have not
    shifted, and the chance that one began ``earlier`` than the window."""

    mean: Floats
    variance: Floats
    wandering: Floats
    weight: Floats
    of_level: Floats
    dispersion: Floats
    flat: np.ndarray
    since: Floats
    earlier: Floats


def forecasts(past: Departures, dispersions: Floats, usual: float) -> Forecasts:
    """All models.

    How common each is among the series is learnt from past and window, with every time of a shift
    as a model, those in the window too: so a level that began shortly before the window is known
    where many series have it, and what moved in the window is laid to none of the others.  The
    weights of a series rest on its own past, on a shift that is not in the window, and on how
    common the models are among the others: its own window takes no part.

    Args:
        past: departures.
        dispersions: the grid of φ.
        usual: the φ that is thought the most common before looking.
    """
    n, length = past.seen.shape
    places, of_place = _places(length)
    arrays = {name: getattr(past, name) for name in ("inside", "seen", "known", "scale", "ahead")}
    chunks = [
        _some(
            replace(past, **{name: a[k : k + _AT_ONCE] for name, a in arrays.items()}),
            dispersions,
            places,
        )
        for k in range(0, n, _AT_ONCE)
    ]
    learnt, likelihood, mean, variance, wandering = (
        np.concatenate([chunk[j] for chunk in chunks]) for j in range(5)
    )
    steady = np.outer(OF_SLOPES, OF_RELATED).ravel()
    near = np.exp(-0.5 * (np.log((dispersions + usual / 10) / usual) / SPREAD) ** 2)
    each = np.repeat(of_place, len(SHIFTS)) / len(SHIFTS)
    prior = np.outer([*steady, *(SHIFTED * each)], near / near.sum()).ravel()
    sharp = peaked(past)
    common = frequencies(learnt / sharp, prior / prior.sum(), STRENGTH)
    own = posterior(learnt / sharp, common)
    others = np.maximum((STRENGTH + n) * common - own, STRENGTH * prior / prior.sum())
    weight = posterior(likelihood / sharp, others[:, : likelihood.shape[1]])
    few = steady.size * dispersions.size
    begun = own[:, few:].reshape(n, places.size, -1).sum(axis=2)
    since = np.where(begun.sum(axis=1) > 0.5, places[begun.argmax(axis=1)], np.nan)
    earlier = begun[:, places < past.seen.shape[1] - past.gap].sum(axis=1)
    shape = (n, -1, dispersions.size)
    chance, of_mean, of_variance = (a[:, few:].reshape(shape) for a in (weight, mean, variance))
    total = np.maximum(chance.sum(axis=1), TINY)
    middle = (chance * of_mean).sum(axis=1) / total
    apart = (chance * (of_variance + (of_mean - middle[:, None]) ** 2)).sum(axis=1) / total
    mean, variance, wandering, weight = (
        np.concatenate([of_all[:, :few], shifted], axis=1)
        for of_all, shifted in (
            (mean, middle), (variance, apart), (wandering, 0 * middle), (weight, total)
        )
    )  # fmt: skip
    flat = np.arange(weight.shape[1]) < dispersions.size
    prior = prior[: likelihood.shape[1]]
    alone = frequencies(likelihood / sharp, prior / prior.sum(), STRENGTH)
    of_level = np.zeros_like(weight)
    of_level[:, flat] = posterior(likelihood / sharp, alone)[:, : dispersions.size]
    of_level /= np.maximum(of_level.sum(axis=1, keepdims=True), TINY)
    dispersion = np.tile(dispersions, steady.size + 1)
    return Forecasts(mean, variance, wandering, weight, of_level, dispersion, flat, since, earlier)


def _places(length: int) -> tuple[Ints, Floats]:
    """Times at which a shift is looked for, every one of the last periods; and how much of all
    periods is nearest to each."""
    near = min(_NEAR, length // 2)
    early = np.linspace(near, length - _LATEST, MOST_PLACES - _LATEST)
    places = np.unique(np.r_[early, np.arange(length - _LATEST, length)].round().astype(int))
    places = places[(places >= near) & (places <= length - near)]
    ends = np.r_[1, (places[1:] + places[:-1]) / 2, length]
    return places, np.diff(ends) / max(1, length - 1)


def _some(past: Departures, dispersions: Floats, places: Ints) -> tuple[Floats, ...]:
    """Likelihood of past and window, that of the past alone, and the forecasts."""
    sigma, rho = (np.repeat(each, dispersions.size) for each in zip(*RELATED, strict=True))
    phi = np.tile(dispersions, len(RELATED))
    before, both = _filtered(past, phi, sigma, rho)
    parts = [
        (_with_slope(past, both, sigma, rho, b)[0], *_with_slope(past, before, sigma, rho, b))
        for b in SLOPES
    ]
    length = past.seen.shape[1]
    learnt = _shifted(past, dispersions, places, length)[0]
    start = length - past.gap
    parts.append((learnt, *_shifted(past, dispersions, places[places < start], start)))
    return tuple(np.concatenate(of_all, axis=1) for of_all in zip(*parts, strict=True))


@dataclass(frozen=True)
class _Filtered:
    """Sums of products of the innovations of departure, level and time over their variance, of the
    logarithms of that; what is known of u at the end, and its variance."""

    products: Floats
    logs: Floats
    at_end: Floats
    variance: Floats


def _filtered(past: Departures, phi: Floats, sigma: Floats, rho: Floats) -> list[_Filtered]:
    """At the end of the past, and of the window."""
    shape, length = (len(past.seen), phi.size), past.seen.shape[1]
    columns = np.stack(np.broadcast_arrays(past.seen, 1.0, past.time))[..., None]
    products, logs, state = np.zeros((3, 3, *shape)), np.zeros(shape), np.zeros((3, *shape))
    p = np.broadcast_to(sigma**2, shape).copy()
    fresh = sigma**2 * (1 - rho**2)
    states = []
    for k in range(length):
        here = past.inside[:, k, None]
        if here.any():
            f = np.where(here, p + past.known[:, k, None] + phi * past.scale[:, k, None], 1.0)
            v = columns[:, :, k] - state
            w = here / f * v
            products += w[:, None] * v
            logs += np.log(f)
            state += p * w
            p *= 1 - p * here / f
        state *= rho
        p = rho**2 * p + fresh
        if k + 1 in (length - past.gap, length):
            states.append(_Filtered(products.copy(), logs.copy(), state.copy(), p.copy()))
    return states


def _with_slope(
    past: Departures, f: _Filtered, sigma: Floats, rho: Floats, slope: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Likelihood, forecast of the window's mean departure, its variance, and that of u alone."""
    (zz, z1, zt), (_z1, one, cross), (_zt, _cross, tt) = f.products
    steps = rho[:, None] ** np.arange(past.gap)
    lasting = steps.mean(axis=1)
    sums = np.cumsum(steps, axis=1)[:, :-1] / past.gap
    later = sigma**2 * (1 - rho**2) * (sums**2).sum(axis=1)
    of_z, of_1, of_t = f.at_end
    g1 = 1 - lasting * of_1
    one, slope = np.maximum(one, 1e-300), max(slope, _NO_SLOPE_AT_ALL)
    g2 = past.ahead[:, None] - lasting * of_t
    tt = tt + slope**-2
    det = np.maximum(one * tt - cross**2, 1e-300)
    level = (tt * z1 - cross * zt) / det
    b = (one * zt - cross * z1) / det
    logs = f.logs + np.log(det) + 2 * np.log(slope) + zz - z1 * level - zt * b
    variance = (tt * g1**2 - 2 * cross * g1 * g2 + one * g2**2) / det
    mean = level * g1 + b * g2 + lasting * of_z
    wandering = lasting**2 * f.variance + later
    return -logs / 2, mean, variance + wandering, wandering


def _shifted(
    past: Departures, dispersions: Floats, places: Ints, until: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """A steady level with one shift at each place, of each standard deviation, and each dispersion,
    by the first periods."""
    inside = past.inside[:, None, :until]
    variance = past.known[:, None, :until] + dispersions[:, None] * past.scale[:, None, :until]
    variance = np.where(inside, variance, 1.0)
    weight, logs = inside / variance, np.log(variance)
    z = past.seen[:, None, :until]
    after = np.cumsum(weight[..., ::-1], axis=2)[..., ::-1][..., places, None]
    z_after = np.cumsum((weight * z)[..., ::-1], axis=2)[..., ::-1][..., places, None]
    one, z1, zz, logs = (
        of.sum(axis=2)[..., None, None] for of in (weight, weight * z, weight * z * z, logs)
    )
    one = np.maximum(one, 1e-300)
    size = np.array(SHIFTS)
    tt = after + size**-2
    det = np.maximum(one * tt - after**2, 1e-300)
    level = (tt * z1 - after * z_after) / det
    shift = (one * z_after - after * z1) / det
    value = logs + np.log(det) + 2 * np.log(size)
    value = -(value + zz - z1 * level - z_after * shift) / 2
    each = value, level + shift, (tt - 2 * after + one) / det, np.zeros_like(value)
    return tuple(np.moveaxis(a, 1, 3).reshape(len(z), -1) for a in each)


def peaked(past: Departures) -> float:
    """By how much the likelihood of normal errors exaggerates: half of (kurtosis - 1), at least
    1."""
    inside = past.inside[:, : -past.gap]
    seen = past.seen[:, : -past.gap]
    n = np.maximum(inside.sum(axis=1), 1)
    centred = np.where(inside, seen - (seen.sum(axis=1) / n)[:, None], 0.0)
    scaled = centred / np.sqrt(np.maximum((centred**2).sum(axis=1) / n, 1e-12))[:, None]
    kurtosis = float((scaled**4).sum() / max(1, inside.sum()))
    return min(5.0, max(1.0, (kurtosis - 1) / 2))


# --------------------------------------------------------------------------------------------------
# Periods that are 0 more often than the others of their series lead to expect.
#
# Such zeros are rather missing reports than counts (the structural zeros of D. Lambert 1992,
# Technometrics 34:1), so the periods that are not 0 are tested, and the zeros by themselves:
# whether the window has more of them than the past.  A fall that such a window shows is a fall, or
# reports that did not come: no number of the file tells which.

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
    rarer[many] = _zeros_at_least(silent[many], m[many], a[many], b[many])
    asked = (bdtrc(silent - 1, m, chance) < ASKED) & exact & (silent > 0)
    return (
        np.where(many, zeros, 0).astype(float),
        rarer,
        np.where(asked, silent, 0).astype(float),
    )


def _zeros_at_least(k: Ints, n: Ints, a: Floats, b: Floats) -> Floats:
    """Chance of k or more of n under a beta-binomial distribution, shape (series,)."""
    from scipy.special import betaln, gammaln

    j, of = np.arange(n.max(initial=0) + 1), n[:, None]
    left = np.maximum(of - j, 0)
    ways = gammaln(of + 1) - gammaln(j + 1) - gammaln(left + 1)
    logs = ways + betaln(j + a[:, None], left + b[:, None]) - betaln(a, b)[:, None]
    among = (j >= k[:, None]) & (j <= of)
    chances = np.exp(logs, where=among, out=np.zeros(among.shape))
    chance: Floats = np.minimum(chances.sum(axis=1), 1.0)
    return chance


# --------------------------------------------------------------------------------------------------
# Empirical Bayes over many series: how common each of several models is among them.

_ROUNDS = 40
OF_LEVEL, OF_OTHERS = 150.0, 70.0
"""Degrees of freedom of the tails of models with a level alone, and of the others: the grid is
coarse, and how common each is has been estimated.  Set by ``benchmarks/signals.py``."""
_MOST, _LEAST = 12, 0.005
"""Models of one series that are used, and the weight from which on they are."""


def frequencies(likelihood: Floats, prior: Floats, strength: float) -> Floats:
    """How common each model is among all series.

    The frequencies are those that make the data likeliest, found by expectation and maximisation
    (A. P. Dempster, N. M. Laird, D. B. Rubin 1977, J. R. Stat. Soc. B 39:1), held near ``prior`` as
    if ``strength`` more series had been seen.

    Args:
        likelihood: logarithms, shape (series, models).
        prior: positive, shape (models,), with the sum 1.
        strength: positive.

    Returns:
        Shape (models,), with the sum 1.
    """
    scaled = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    common = prior
    for _round in range(_ROUNDS):
        # Not by @: its sums differ in their last digits with the number of cores.
        weight = common * np.einsum("i,ij->j", 1 / np.einsum("ij,j->i", scaled, common), scaled)
        common = (strength * prior + weight) / (strength + len(scaled))
    return common


def posterior(likelihood: Floats, common: Floats) -> Floats:
    """The weight of each model for each series, shape (series, models), each row with the sum 1;
    arguments as of, and from, :func:`frequencies`."""
    weight = np.exp(likelihood - likelihood.max(axis=1, keepdims=True)) * common
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def likeliest(weight: Floats) -> tuple[np.ndarray, Floats]:
    """The models of each series that matter: their places and weights, shape (series, few); the
    weights are 0 where there are fewer, and have the sum 1."""
    few = min(_MOST, weight.shape[1])
    top = np.argpartition(-weight, few - 1, axis=1)[:, :few]
    weights = np.take_along_axis(weight, top, axis=1)
    weights = np.where(weights >= _LEAST, weights, 0.0)
    return top, np.asarray(weights / weights.sum(axis=1, keepdims=True))


def averaged(tails: Floats, weight: Floats, flat: np.ndarray) -> Floats:
    """One-sided chances of the models of each series as one, shape (series,); all arrays have the
    shape (series, few), ``flat`` are the models with a level alone."""
    wide = widened(tails, np.where(flat, OF_LEVEL, OF_OTHERS))
    chance: Floats = np.minimum(1.0, (wide * weight).sum(axis=1))
    return chance


# --------------------------------------------------------------------------------------------------
# Seasons as waves, each believed as far as all series together say that there are such waves.

CYCLES = 3
"""Times that each place of the cycle must lie in the past before there is a season."""
_MOST_WAVES = 12
_HEIGHTS = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 0.8]) ** 2
"""Variances that the two coefficients of a wave may have."""
_PRIOR = np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
_GROWTHS = np.array([0.0, 0.3, 1.0, 2.0]) ** 2
"""Variances that the growth of the waves' height over all of the past may have."""
_PRIOR_OF_GROWTH = np.array([0.7, 0.1, 0.1, 0.1])
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


def seasons(
    departure: Floats, inside: np.ndarray, now: np.ndarray, place: np.ndarray, time: Floats
) -> Seasons:
    """Fit the waves of a cycle to relative departures, and by how much their height grows.

    Args:
        departure: of each period from the rate without seasons, relative, shape (series, periods).
        inside: which periods are of the past and known; ``now``: of the window and known.
        place: of each period in its cycle, from 0, shape (periods,).
        time: from -1/2 to 1/2 over the past, shape (periods,).
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
    fitted = np.einsum("nij,nj->ni", inverse, y @ x)
    rest = np.where(inside, y - fitted @ x.T, 0.0)
    error = (rest**2).sum(axis=1) / np.maximum(1, inside.sum(axis=1) - wave.size)
    kept, left = np.zeros_like(fitted), np.zeros_like(fitted)
    for h in waves:
        at = np.flatnonzero(wave == h)
        v = error * inverse[:, at, at].mean(axis=1)
        power = (fitted[:, at] ** 2).sum(axis=1)
        mean, rest_of = _believed(power, at.size, v, apart, _HEIGHTS, _PRIOR)
        kept[:, at] = mean[:, None]
        left[:, at] = rest_of[:, None]
    kept[~apart], left[~apart] = 0.0, 0.0
    height = (fitted * kept) @ x.T
    growing = height * time
    weight = np.where(inside, growing, 0.0)
    size = np.maximum((weight**2).sum(axis=1), 1e-9)
    growth, v = ((y - height) * weight).sum(axis=1) / size, error / size
    usual = (apart * growth / (v + 1)).sum() / ((apart / (v + 1)).sum() + _STRENGTH)
    own = growth - usual
    mean, rest_of = _believed(own**2, 1, v, apart, _GROWTHS, _PRIOR_OF_GROWTH)
    later = (now * growing).sum(axis=1) / np.maximum(1, now.sum(axis=1))
    grown = 1 + (usual + own * mean)[:, None] * time
    factor = np.maximum(0.1, 1 + height * grown)
    asked = ((now * grown) @ x) / np.maximum(1, now.sum(axis=1))[:, None]
    variance = (asked**2 * left).sum(axis=1) + later**2 * rest_of
    return Seasons(factor, variance, kept.sum(axis=1) + mean * apart)


def _believed(
    power: Floats, times: int, v: Floats, apart: np.ndarray, heights: Floats, prior: Floats
) -> tuple[Floats, Floats]:
    """How far estimates are believed, from 0 to 1, and the variance that is left of each.

    Args:
        power: sum of the squares of a series' ``times`` estimates; ``v``: their variance.
        apart: which series have estimates.
        heights: variances that they may have; ``prior``: how common each is thought.
    """
    v, power = np.maximum(v, 1e-12)[:, None], power[:, None]
    total = heights + v
    likelihood = -0.5 * (times * np.log(total) + power / total)
    likelihood = np.where(apart[:, None], likelihood, 0.0)
    weight = posterior(likelihood, frequencies(likelihood, prior, _STRENGTH))
    lean = heights / total
    mean = (weight * lean).sum(axis=1)
    spread = (weight * (lean - mean[:, None]) ** 2).sum(axis=1) * power[:, 0] / times
    return mean, (weight * lean * v).sum(axis=1) + spread


# --------------------------------------------------------------------------------------------------
# Whether the counts of a window differ from what the series' own past leads to expect.
#
# A count y of period t has the variance  m + φ m² + s²:  chance, the series' own dispersion φ (a
# negative binomial), and the known protection noise s.  What m may do by itself (trend, wandering,
# earlier shifts) are the models of ``null_models``; each gives a forecast of the window's sum and a
# tail, and the tails are averaged by how likely the models are (``mixing``).

DISPERSIONS = np.array([0.0, 0.01, 0.03, 0.07, 0.14, 0.22, 0.35, 0.6, 1.0, 1.8])
USUAL = 0.1
"""Dispersion to start from: periods that vary by about a third beyond chance."""
STRENGTH = 6.0
"""How many series the start weighs as much as."""
ENDED = 2.0
"""A trend that all series have in common may end for all at once, which none of them foretells: the
error of a forecast is so many times what it adds from the end of the past to the window."""
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
    the normal error on top the standard deviation ``noise``; ``law`` (n, 6, models) is what
    :func:`chance_of_rise` needs.  ``zeros`` is the number of periods of the past that are 0 where
    that is more than the others lead to expect, else 0: then the periods that are not 0 were
    tested.  ``empty`` is the number of periods of the window that are 0 where
    the past leads to expect far fewer, else 0.  ``since`` is the number of periods before the end
    when another level began, nan where past and window together do not rather show one, and
    ``earlier`` the chance that one began before the window, 0 where periods are ``empty``.
    ``doubled`` is by how many standard errors a doubling (of the number, of the odds of the share)
    would move the test if the past had a level alone; no number of the window is in it.
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
    law: Floats
    zeros: Floats
    empty: Floats
    since: Floats
    earlier: Floats
    doubled: Floats


TIMES = 2.0
"""The change that weights of tests are made for: the factor of a number, or of the odds of a
share."""


def _doubled(mean: Floats, uneven: Floats, noise: Floats, drift: Floats) -> Floats:
    """Standard errors by which a doubling would move a number; half way between rise and fall."""
    mean = np.maximum(mean, 1e-9)
    error, more = (np.sqrt(m + (uneven + drift) * m**2 + noise**2) for m in (mean, TIMES * mean))
    return np.asarray(((TIMES - 1) * mean / more + (1 - 1 / TIMES) * mean / error) / 2)


def _departures(
    past: np.ndarray, window: np.ndarray, time: Floats, ahead: Floats, inside: np.ndarray,
    seen: Floats, known: Floats, scale: Floats,
) -> Departures:  # fmt: skip
    """Departures of the periods of the past, then of the window; of all periods are given."""
    at = np.r_[np.flatnonzero(past), np.flatnonzero(window)]
    seen, known, scale = (np.where(inside, of, 0.0)[:, at] for of in (seen, known, scale))
    return Departures(inside[:, at], seen, known, scale, time[at], ahead, int(window.sum()))


@dataclass(frozen=True)
class _Fit:
    """A first fit of the rate: base (series, periods) without the slope, slope times time; and the
    ``usual`` slope, which one of these series is expected to have before looking."""

    base: Floats
    slope: Floats
    usual: float


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
    time = _times(past)
    fit, waves = _first(y, before, now, noisy, time, season)
    rate = fit.base * np.exp(fit.slope[:, None] * time)
    n, m = before.sum(axis=1), now.sum(axis=1)
    stretch = np.sqrt(n / np.maximum(n - waves.used, 1))[:, None]
    line = (fit.slope[:, None] - fit.usual) * time
    ahead = (now * time).sum(axis=1) / np.maximum(m, 1)
    seen = line + np.where(before, stretch, 1.0) * (y - rate) / rate
    known = 1 / rate + noisy / rate**2
    times = (past, window, time, ahead)
    departures = _departures(*times, before | now, seen, known, np.ones_like(rate))
    forecast = forecasts(departures, DISPERSIONS, USUAL)
    base = (np.where(now, fit.base, 0.0)).sum(axis=1) * np.exp(fit.slope * ahead)
    uneven = (np.where(now, fit.base, 0.0) ** 2).sum(axis=1)
    uneven /= np.maximum(np.where(now, fit.base, 0.0).sum(axis=1), 1e-9) ** 2
    share = _ratio((noisy * before).sum(axis=1), ((noisy + rate) * before).sum(axis=1))
    window_ = _Window(
        (y * now).sum(axis=1),
        base,
        (fit.slope - fit.usual) * ahead,
        uneven,
        (noisy * now).sum(axis=1),
        share,
        _ratio(departures.known[:, : -departures.gap].sum(axis=1), n.astype(float)),
        waves.variance + (ENDED * fit.usual * np.maximum(ahead - 0.5, 0.0)) ** 2,
    )
    expected, error, of_past, up, down, uneven, of_mean, drift, law = _tails(
        window_, forecast, forecast.weight
    )
    steady = fit.slope * ahead - fit.usual * (before * time).sum(axis=1) / np.maximum(n, 1)
    level, _error, _past, level_up, level_down, *plain, _law = _tails(
        replace(window_, line=steady), forecast, forecast.of_level
    )
    down, level_down = (
        np.where(silent, rarer, np.where(zeros > 0, np.minimum(1, 2 * np.minimum(d, rarer)), d))
        for d in (down, level_down)
    )
    return Tested(
        window_.seen, expected, error, of_past, up, down, level, level_up, level_down,
        uneven, of_mean, drift, law, zeros, empty, departures.time.size - forecast.since,
        np.where(empty > 0, 0.0, forecast.earlier), _doubled(level, *plain),
    )  # fmt: skip


def rates(counts: Floats, noise: Floats, past: np.ndarray, season: np.ndarray) -> Floats:
    """What a first fit to the past (level, slope, seasons) expects of each period, as the counts,
    which are all known; arguments as of :func:`count_tests`."""
    time, before = _times(past), np.broadcast_to(past, counts.shape)
    fit, _waves = _first(counts, before, ~before, noise**2, time, season)
    return np.asarray(fit.base * np.exp(fit.slope[:, None] * time))


def _times(past: np.ndarray) -> Floats:
    """The time of each period, from -1/2 to 1/2 over the past."""
    at = np.arange(past.size)
    first, last = at[past].min(initial=0), at[past].max(initial=0)
    return np.asarray((at - (first + last) / 2) / max(1, last - first))


def _first(
    y: Floats, before: np.ndarray, now: np.ndarray, noisy: Floats, time: Floats, season: np.ndarray
) -> tuple[_Fit, Seasons]:
    fit = _fitted(y, before, noisy, time, none(y.shape))
    rate = fit.base * np.exp(fit.slope[:, None] * time)
    waves = seasons((y - rate) / rate, before, now, season, time)
    return (_fitted(y, before, noisy, time, waves) if waves.used.any() else fit), waves


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


def _tails(w: _Window, forecast: Forecasts, weight: Floats) -> tuple[Floats, ...]:
    """Expected sum, errors of the seen and of the expected sum, both tails, and the parts of the
    variance as in :class:`Tested`, averaged over the likeliest models; and the law of these."""
    top, of_each = likeliest(weight)
    mean = np.take_along_axis(forecast.mean, top, axis=1) - w.line[:, None]
    mean = np.minimum(mean, _MOST_TIMES)
    doubt = np.take_along_axis(forecast.variance, top, axis=1) + w.seasons[:, None]
    doubt = np.minimum(doubt, _MOST_DOUBT)
    phi = forecast.dispersion[top]
    of_phi = phi / np.maximum(phi + w.chance[:, None], 1e-9)
    base = np.maximum(w.base, 1e-9)[:, None]
    expected = base * np.maximum(1 + mean, 0.02)
    own = np.minimum(np.take_along_axis(forecast.wandering, top, axis=1), doubt)
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
        averaged(up, of_each, forecast.flat[top]),
        averaged(down, of_each, forecast.flat[top]),
        (of_each * phi * w.uneven[:, None]).sum(axis=1),
        np.sqrt((of_each * error**2).sum(axis=1)),
        (of_each * (drift + (expected / np.maximum(total[:, None], 1e-9) - 1) ** 2)).sum(axis=1),
        np.stack([of_each, expected, count, error, drift, forecast.flat[top]], axis=1),
    )


def chance_of_rise(law: Floats, seen: Floats) -> Floats:
    """What ``p_rise`` of a :class:`Tested` of counts would be, had the window another sum."""
    of_each, expected, count, error, drift, flat = np.moveaxis(law, 1, 0)
    up, use = np.zeros_like(of_each), of_each > 0
    seen = np.broadcast_to(seen[:, None], use.shape)
    up[use] = at_least(seen[use], expected[use], count[use], error[use], drift[use])
    return averaged(up, of_each, flat > 0)


def _fitted(y: Floats, before: np.ndarray, noisy: Floats, time: Floats, waves: Seasons) -> _Fit:
    """Level and slope by Poisson scores; the slope only as far as its own error allows."""
    n = np.maximum(1, before.sum(axis=1))
    shape = np.where(before, waves.factor, 0.0)
    noise = np.sqrt((noisy * before).sum(axis=1)) / 2

    def level_of(slope: Floats) -> tuple[Floats, Floats]:
        """The level, and the rates, with a slope."""
        line = shape * np.exp(np.clip(slope[:, None] * time, -5, 5))
        least = np.maximum(0.5, noise) / np.maximum(shape.sum(axis=1), 1e-9)
        level = (y * before).sum(axis=1) / np.maximum(line.sum(axis=1), 1e-9)
        level = np.maximum(level, least)
        return level, level[:, None] * line

    slope = np.zeros(len(y))
    for _step in range(_NEWTON):
        _level, rate = level_of(slope)
        rest = np.where(before, y - rate, 0.0)
        a, b, c = rate.sum(axis=1), (rate * time).sum(axis=1), (rate * time**2).sum(axis=1)
        det = np.maximum(a * c - b * b, 1e-12)
        u, v = rest.sum(axis=1), (rest * time).sum(axis=1)
        slope = np.clip(slope + np.clip((a * v - b * u) / det, -1, 1), -4, 4)
    _level, rate = level_of(slope)
    rest = np.where(before, y - rate, 0.0)
    curved = np.maximum((rate * time**2).sum(axis=1), 1e-12)
    variance = (rest**2 * time**2).sum(axis=1) / curved**2 * n / np.maximum(n - 2, 1)
    kept = slope * np.maximum(0.0, 1 - variance / np.maximum(slope**2, 1e-12))
    weight = (n > 1) / (np.maximum(variance, 1 / curved) + 1)
    weight /= weight.sum() + STRENGTH
    usual = float(weight @ slope)
    error = float(weight**2 @ (slope - usual) ** 2)
    usual *= max(0.0, 1 - error / max(usual**2, 1e-12))
    return _Fit(level_of(kept)[0][:, None] * waves.factor, kept, usual)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


# --------------------------------------------------------------------------------------------------
# Whether the share of a window differs from what the series' own past leads to expect.
#
# A part x of a whole n has the variance  n p q (1 + (n - 1) ψ) + s² + p² s'²:  a beta-binomial
# count with the series' own dispersion ψ (the correlation of two people of one period), the noise s
# of the part and s' of the whole.  On the scale of the logit of p the share may do what a number
# may do (``null_models``): drift, wander, have shifted earlier.  Shares have no seasons.

PRIOR = 0.02
"""Dispersion to start from: a share of a half that varies by 7 points beyond chance, one of a
tenth by 4 points."""
_MOST_LOGIT = 7.0
"""No share is expected nearer to 0 or 1 than one in a thousand."""
SHARE_DISPERSIONS = np.array([0.0, 0.003, 0.008, 0.02, 0.04, 0.08, 0.16, 0.3])


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
    time = _times(past)
    level, slope = _logistic(np.where(before, x, 0.0), np.where(before, n, 0.0), time)
    line = slope[:, None] * time
    share = 1 / (1 + np.exp(-level[:, None] - line))
    noise_squared = np.where(known, noise**2 + share**2 * noise_of_wholes**2, 0.0)
    inside = (before | now) & (n > 0)
    scale = np.where(inside, n * share * (1 - share), 1.0)
    error = 1 / scale + noise_squared / scale**2
    times = (past, window, time, _ratio((n * now) @ time, whole_now))
    seen, wide = line + (x - share * n) / scale, np.maximum(n - 1, 0.0) / scale
    departures = _departures(*times, inside, seen, error, wide)
    forecast = forecasts(departures, SHARE_DISPERSIONS, PRIOR)
    of_noise = (noise_squared * now).sum(axis=1)
    pairs = (n * np.maximum(n - 1, 0.0) * now).sum(axis=1)
    seen, missing = (x * now).sum(axis=1), np.where(usable, 0.0, np.nan)
    both = [
        _shares_tails(seen, whole_now, pairs, of_noise, level, forecast, w)
        for w in (forecast.weight, forecast.of_level)
    ]
    size = np.maximum(whole_now, 1e-9)
    (expected, error, of_past, up, down), (level, plain, unsure, level_up, level_down) = both
    moved = level * TIMES / (1 - level + level * TIMES) - level
    return Tested(
        *(
            each + missing
            for each in (
                _ratio(seen, whole_now), expected, error / size, of_past, up, down,
                level, level_up, level_down, *(np.full(seen.size, np.nan),) * 6,
                departures.time.size - forecast.since, forecast.earlier,
                moved / np.maximum(np.hypot(plain / size, unsure), 1e-12),
            )
        )
    )  # fmt: skip


def _logistic(x: Floats, n: Floats, time: Floats) -> tuple[Floats, Floats]:
    """Level and slope of the logit of a share, by scores; the slope as far as its error allows."""
    whole = n.sum(axis=1)
    p = (np.clip(x.sum(axis=1), 0.0, whole) + 0.5) / (whole + 1)
    level, slope = np.log(p / (1 - p)), np.zeros(len(x))
    for step in range(2 * _NEWTON):
        q = 1 / (1 + np.exp(-level[:, None] - slope[:, None] * time))
        rest, w = x - n * q, n * q * (1 - q)
        a, b, c = w.sum(axis=1), (w * time).sum(axis=1), (w * time**2).sum(axis=1)
        det = np.maximum(a * c - b * b, 1e-12)
        u, v = rest.sum(axis=1), (rest * time).sum(axis=1)
        if step < _NEWTON:
            level = level + np.clip((c * u - b * v) / det, -1, 1)
            slope = np.clip(slope + np.clip((a * v - b * u) / det, -1, 1), -4, 4)
        elif step > _NEWTON:
            level = level + np.clip(u / np.maximum(a, 1e-9), -1, 1)
        else:
            known = np.maximum((n > 0).sum(axis=1), 3)
            variance = ((rest * time) ** 2).sum(axis=1) / np.maximum(c, 1e-12) ** 2
            variance *= known / (known - 2)
            slope = slope * np.maximum(0.0, 1 - variance / np.maximum(slope**2, 1e-12))
    return np.clip(level, -_MOST_LOGIT, _MOST_LOGIT), slope


def _shares_tails(
    seen: Floats, whole: Floats, pairs: Floats, noise: Floats, level: Floats, forecast: Forecasts,
    weight: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:  # fmt: skip
    """Expected share, error of the part, error of the expected share, and both tails."""
    from scipy.special import expit

    top, of_each = likeliest(weight)
    size = np.maximum(whole, 1e-9)[:, None]
    logit = level[:, None] + np.take_along_axis(forecast.mean, top, axis=1)
    logit = np.clip(logit, -_MOST_LOGIT, _MOST_LOGIT)
    share = expit(logit)
    spread = share * (1 - share)
    plain = np.maximum(size * share * (1 - share), 1e-9)
    inflation = 1 + forecast.dispersion[top] * pairs[:, None] / size
    of_logit = np.sqrt(np.take_along_axis(forecast.variance, top, axis=1))
    doubt = (size * spread * of_logit) ** 2
    up, down = np.zeros_like(of_each), np.zeros_like(of_each)
    use = of_each > 0
    of_seen, of_whole, of_noise = (
        np.broadcast_to(a[:, None], use.shape)[use] for a in (seen, size[:, 0], noise)
    )
    bent = expit(logit[use][:, None] + of_logit[use][:, None] * STEPS)
    error = of_whole[:, None] * (bent - share[use][:, None])
    error = np.sign(STEPS) * np.sqrt(error**2 + of_noise[:, None] * STEPS**2)
    up[use], down[use] = binomial(of_seen, of_whole, share[use], inflation[use], error)
    total = (of_each * share).sum(axis=1)
    apart = (share - total[:, None]) ** 2
    variance = (of_each * (plain * inflation + noise[:, None])).sum(axis=1)
    of_past = (of_each * (doubt / size**2 + apart)).sum(axis=1)
    return (
        total,
        np.sqrt(variance),
        np.sqrt(of_past),
        averaged(up, of_each, forecast.flat[top]),
        averaged(down, of_each, forecast.flat[top]),
    )
