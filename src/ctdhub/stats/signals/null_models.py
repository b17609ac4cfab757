"""What may happen to a rate without anything new: the models of the null, and their forecasts.

A departure z of period t from a first fit, relative to it, is

    z = level + slope τ + u + e,    Var e = known + φ scale,

u a first-order autoregression of standard deviation σ whose neighbours are correlated by ρ (a
correlation near 1 is a wandering level), or one earlier shift of the level.  The level is unknown
without limit, the slope has the mean 0 and one of several standard deviations.  Every combination
is a model; its likelihood comes from a Kalman filter that carries z, the level and the slope as
columns (P. de Jong 1991, Ann. Stat. 19:1073), all series and models at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from ctdhub.stats.signals.tails import Floats

SLOPES = (0.0, 0.1, 0.3, 1.0)
"""Standard deviations of the change over all of the past, relative; 0 is no slope."""
RELATED = ((0.0, 0.0), *product((0.15, 0.35, 0.7), (0.6, 0.85, 0.97)))
"""Standard deviation and correlation of neighbours of u; (0, 0) is none."""
SHIFT = 0.5
"""Standard deviation of an earlier shift of the level, relative."""
MOST_PLACES = 24
"""Times of the past at which a shift is looked for, at most."""
STEADY, WANDERS, SHIFTED = 0.7, 0.2, 0.1
NO_SLOPE, EACH_SLOPE = 0.55, 0.15
SPREAD = 1.2
"""How common each family, each slope and (standard deviation of the logarithm around the usual one)
each dispersion is thought before looking.  These, and the grids above, are assumptions: no series
was fitted to set them, and ``benchmarks/signals.py`` shows what they give."""
_AT_ONCE = 200
"""Series that are filtered together, which bounds the memory."""


@dataclass(frozen=True)
class Departures:
    """The past of many series relative to a first fit; arrays of shape (series, periods).

    ``seen`` is 0 where not ``inside``; ``known`` and ``scale`` give the variance of one period.
    ``time`` (periods,) runs over the past from -1/2 to 1/2; ``ahead`` (series,) is the mean time
    of the window's known periods; ``gap`` periods lie in the window.
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
    """For each series and model, shape (series, models): the logarithm of the likelihood, the
    expected departure of the window's mean, its variance, and what of that is u's own; and by
    model, shape (models,), the dispersion, whether it is ``flat`` (no slope, no u, no shift), and
    how common it is thought."""

    likelihood: Floats
    mean: Floats
    variance: Floats
    wandering: Floats
    dispersion: Floats
    flat: np.ndarray
    prior: Floats


def forecasts(past: Departures, dispersions: Floats, usual: float) -> Forecasts:
    """All models.

    Args:
        past: departures.
        dispersions: the grid of φ.
        usual: the φ that is thought the most common before looking.
    """
    n = len(past.seen)
    chunks = [
        _some(_rows(past, slice(k, k + _AT_ONCE)), dispersions) for k in range(0, n, _AT_ONCE)
    ]
    likelihood, mean, variance, wandering = (
        np.concatenate([chunk[j] for chunk in chunks]) for j in range(4)
    )
    families = [(s, b) for s in RELATED for b in SLOPES]
    prior = [_prior(s, b) for s, b in families] + [SHIFTED]
    near = np.exp(-0.5 * (np.log((dispersions + usual / 10) / usual) / SPREAD) ** 2)
    each = np.outer(prior, near).ravel()
    flat = np.zeros(len(prior), dtype=bool)
    flat[0] = True
    return Forecasts(
        likelihood,
        mean,
        variance,
        wandering,
        np.tile(dispersions, len(prior)),
        np.repeat(flat, dispersions.size),
        each / each.sum(),
    )


def _prior(related: tuple[float, float], slope: float) -> float:
    of_slope = NO_SLOPE if slope == 0 else EACH_SLOPE
    return of_slope * (STEADY if related[0] == 0 else WANDERS / (len(RELATED) - 1))


def _rows(past: Departures, at: slice) -> Departures:
    return Departures(
        past.inside[at], past.seen[at], past.known[at], past.scale[at],
        past.time, past.ahead[at], past.gap,
    )  # fmt: skip


def _some(past: Departures, dispersions: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    sigma, rho = (np.repeat(each, dispersions.size) for each in zip(*RELATED, strict=True))
    phi = np.tile(dispersions, len(RELATED))
    found = _filtered(past, phi, sigma, rho)
    parts = [_with_slope(past, found, sigma, rho, slope) for slope in SLOPES]
    shape = (len(past.seen), len(RELATED), 1, dispersions.size)
    by_family = [
        np.concatenate([p[j].reshape(shape) for p in parts], axis=2).reshape(shape[0], -1)
        for j in range(4)
    ]
    shifted = _shifted(past, dispersions)
    return tuple(  # type: ignore[return-value]
        np.concatenate([a, b], axis=1) for a, b in zip(by_family, shifted, strict=True)
    )


@dataclass(frozen=True)
class _Filtered:
    """Sums of products of innovations over their variance, what is known of u at the end."""

    zz: Floats
    z1: Floats
    zt: Floats
    one: Floats
    cross: Floats
    tt: Floats
    logs: Floats
    at_end: tuple[Floats, Floats, Floats]
    variance: Floats


def _filtered(past: Departures, phi: Floats, sigma: Floats, rho: Floats) -> _Filtered:
    shape = (len(past.seen), phi.size)
    zz, z1, zt, one, cross, tt, logs = (np.zeros(shape) for _ in range(7))
    of_z, of_1, of_t = (np.zeros(shape) for _ in range(3))
    p = np.broadcast_to(sigma**2, shape).copy()
    fresh = sigma**2 * (1 - rho**2)
    for k in range(past.seen.shape[1]):
        here = past.inside[:, k]
        if here.any():
            f = p + past.known[:, k, None] + phi * past.scale[:, k, None]
            f = np.where(here[:, None], f, 1.0)
            weight = here[:, None] / f
            v_z, v_1, v_t = past.seen[:, k, None] - of_z, 1 - of_1, past.time[k] - of_t
            w_z, w_1 = weight * v_z, weight * v_1
            zz += w_z * v_z
            z1 += w_z * v_1
            zt += w_z * v_t
            one += w_1 * v_1
            cross += w_1 * v_t
            tt += weight * v_t * v_t
            logs += np.log(f)
            of_z += p * w_z
            of_1 += p * w_1
            of_t += p * weight * v_t
            p *= 1 - p * weight
        of_z *= rho
        of_1 *= rho
        of_t *= rho
        p = rho**2 * p + fresh
    return _Filtered(zz, z1, zt, one, cross, tt, logs, (of_z, of_1, of_t), p)


def _with_slope(
    past: Departures, f: _Filtered, sigma: Floats, rho: Floats, slope: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Likelihood, forecast of the window's mean departure, its variance, and that of u alone."""
    steps = rho[:, None] ** np.arange(past.gap)
    lasting = steps.mean(axis=1)
    sums = np.cumsum(steps, axis=1)[:, :-1] / past.gap
    later = sigma**2 * (1 - rho**2) * (sums**2).sum(axis=1)
    of_z, of_1, of_t = f.at_end
    g1 = 1 - lasting * of_1
    one = np.maximum(f.one, 1e-300)
    if slope == 0:
        level = f.z1 / one
        logs = f.logs + np.log(one) + f.zz - f.z1 * level
        variance = g1**2 / one
        mean = level * g1 + lasting * of_z
    else:
        g2 = past.ahead[:, None] - lasting * of_t
        tt = f.tt + slope**-2
        det = np.maximum(one * tt - f.cross**2, 1e-300)
        level = (tt * f.z1 - f.cross * f.zt) / det
        b = (one * f.zt - f.cross * f.z1) / det
        logs = f.logs + np.log(det) + 2 * np.log(slope) + f.zz - f.z1 * level - f.zt * b
        variance = (tt * g1**2 - 2 * f.cross * g1 * g2 + one * g2**2) / det
        mean = level * g1 + b * g2 + lasting * of_z
    wandering = lasting**2 * f.variance + later
    return -logs / 2, mean, variance + wandering, wandering


def _shifted(past: Departures, dispersions: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """A steady level with one shift at an unknown time of the past; its times are averaged over."""
    length = past.seen.shape[1]
    places = np.unique(np.linspace(2, length - 2, MOST_PLACES).round().astype(int))
    places = places[(places > 0) & (places < length)]
    variance = past.known[:, None] + dispersions[:, None] * past.scale[:, None]
    weight = np.where(past.inside[:, None], 1 / np.where(past.inside[:, None], variance, 1.0), 0.0)
    logs = np.where(past.inside[:, None], np.log(np.where(past.inside[:, None], variance, 1)), 0.0)
    z = past.seen[:, None]
    after = np.cumsum(weight[..., ::-1], axis=2)[..., ::-1][..., places]
    z_after = np.cumsum((weight * z)[..., ::-1], axis=2)[..., ::-1][..., places]
    one = np.maximum(weight.sum(axis=2, keepdims=True), 1e-300)
    z1, zz = (weight * z).sum(axis=2, keepdims=True), (weight * z * z).sum(axis=2, keepdims=True)
    tt = after + SHIFT**-2
    det = np.maximum(one * tt - after**2, 1e-300)
    level = (tt * z1 - after * z_after) / det
    shift = (one * z_after - after * z1) / det
    value = logs.sum(axis=2, keepdims=True) + np.log(det) + 2 * np.log(SHIFT)
    value = -(value + zz - z1 * level - z_after * shift) / 2
    most = value.max(axis=2, keepdims=True)
    chance = np.exp(value - most)
    total = chance.sum(axis=2, keepdims=True)
    chance /= total
    likelihood = (most + np.log(total / places.size))[..., 0]
    each, of_each = level + shift, (tt - 2 * after + one) / det
    mean = (chance * each).sum(axis=2)
    variance = (chance * (of_each + (each - mean[..., None]) ** 2)).sum(axis=2)
    return likelihood, mean, variance, np.zeros_like(mean)


def peaked(past: Departures) -> float:
    """By how much the likelihood of normal errors exaggerates: half of (kurtosis - 1), at least
    1."""
    inside = past.inside
    n = np.maximum(inside.sum(axis=1), 1)
    centred = np.where(inside, past.seen - (past.seen.sum(axis=1) / n)[:, None], 0.0)
    scaled = centred / np.sqrt(np.maximum((centred**2).sum(axis=1) / n, 1e-12))[:, None]
    kurtosis = float((scaled**4).sum() / max(1, inside.sum()))
    return min(5.0, max(1.0, (kurtosis - 1) / 2))
