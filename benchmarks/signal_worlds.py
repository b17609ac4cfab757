"""Simulated series with a known truth, for ``signals.py``.

Belongs here: generators.  Does not belong here: tests of series, tables.

Each world gives counts (series, periods; nan is missing), which series have a planted change in
their last periods, and for every series the mean and the variance of the window's sum as who knows
the law and its parameters would expect it without the change: the oracle.  Where months are zero at
random the oracle expects the sum of those that are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.panel import Kind

Floats = np.ndarray
SERIES, MONTHS, WINDOW, CHANGED = 400, 72, 6, 32
YEARLY, YEARS, LAST, JUMPS = 300, 12, 3, 30
INFINITE = 1e9


@dataclass(frozen=True)
class World:
    """One draw; ``sd`` is the noise, ``kind`` of the periods, ``season`` their places in a year."""

    counts: Floats
    hit: np.ndarray
    mean: Floats
    variance: Floats
    window: int = WINDOW
    kind: Kind = "month"
    sd: float = 0.0
    wholes: Floats | None = None
    """Of worlds of shares: their counts are parts of these, and the oracle knows them."""


def _drawn(
    rng: np.random.Generator,
    rate: Floats,
    size: float,
    times: float | Floats,
    hit: np.ndarray,
    window: int = WINDOW,
    sd: float = 0.0,
    kind: Kind = "month",
    known: np.ndarray | None = None,
    zeros: float = 0.0,
) -> World:
    """Counts of a rate (series, periods), changed in the window of the series ``hit``."""
    changed = rate.copy()
    changed[hit, -window:] *= times
    y = rng.poisson(
        changed if size >= INFINITE else changed * rng.gamma(size, 1 / size, rate.shape)
    )
    y = np.where(rng.random(rate.shape) < zeros, 0.0, y.astype(float))
    if sd:
        y += np.round(rng.normal(0, sd, y.shape))
    there = np.ones(rate.shape, bool) if known is None else known
    there_now = there[:, -window:] & ((y[:, -window:] != 0) | (zeros == 0))
    now = np.where(there_now, rate[:, -window:], 0.0)
    mean = now.sum(axis=1)
    variance = (now + now**2 * (size < INFINITE) / size).sum(axis=1)
    variance += sd**2 * there_now.sum(axis=1)
    return World(np.where(there, y, np.nan), hit, mean, variance, window, kind, sd)


def _hit(rng: np.random.Generator, series: int, changed: int) -> np.ndarray:
    hit = np.zeros(series, dtype=bool)
    hit[rng.choice(series, changed, replace=False)] = True
    return hit


def _means(rng: np.random.Generator, low: float = 3, high: float = 60, n: int = SERIES) -> Floats:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))[:, None]


def flat(size: float, times: float, sd: float = 0.0, zeros: float = 0.0) -> Callable[..., World]:
    """A steady rate."""

    def draw(rng: np.random.Generator) -> World:
        rate = np.repeat(_means(rng), MONTHS, axis=1)
        return _drawn(rng, rate, size, times, _hit(rng, SERIES, CHANGED), sd=sd, zeros=zeros)

    return draw


def slow(size: float = 5) -> Callable[..., World]:
    """A rate that rises to its double within 18 months."""

    def draw(rng: np.random.Generator) -> World:
        rate = np.repeat(_means(rng), MONTHS, axis=1)
        hit = _hit(rng, SERIES, CHANGED)
        ramp = np.ones(MONTHS)
        ramp[-18:] = 2 ** (np.arange(1, 19) / 18)
        world = _drawn(rng, np.where(hit[:, None], rate * ramp, rate), size, 1.0, hit)
        still = np.zeros(SERIES, dtype=bool)
        null = _drawn(rng, rate, size, 1.0, still)
        return World(world.counts, hit, null.mean, null.variance)

    return draw


def seasons(times: float = 2) -> Callable[..., World]:
    """A sine of the year of its own height and phase."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS)
        height, phase = rng.uniform(0.2, 0.6, (SERIES, 1)), rng.uniform(0, 12, (SERIES, 1))
        rate = _means(rng) * (1 + height * np.sin(2 * np.pi * (t + phase) / 12))
        return _drawn(rng, rate, 5, times, _hit(rng, SERIES, CHANGED))

    return draw


def gaps(times: float = 2) -> Callable[..., World]:
    """Half of the series miss one run of 3 to 11 months."""

    def draw(rng: np.random.Generator) -> World:
        known = np.ones((SERIES, MONTHS), dtype=bool)
        for row in rng.choice(SERIES, SERIES // 2, replace=False):
            length = int(rng.integers(3, 12))
            begin = int(rng.integers(0, MONTHS - WINDOW - length))
            known[row, begin : begin + length] = False
        rate = np.repeat(_means(rng), MONTHS, axis=1)
        return _drawn(rng, rate, 5, times, _hit(rng, SERIES, CHANGED), known=known)

    return draw


def drift(sd: float = 0.0, deviation: float = 0.01) -> Callable[..., World]:
    """A slope of its own in the logarithm of the rate."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS) - (MONTHS - WINDOW)
        rate = _means(rng) * np.exp(rng.normal(0, deviation, (SERIES, 1)) * t)
        return _drawn(rng, rate, 5, 2, _hit(rng, SERIES, CHANGED), sd=sd)

    return draw


def level(times: float = 1.6) -> Callable[..., World]:
    """One earlier shift of the level, up or down."""

    def draw(rng: np.random.Generator) -> World:
        when = rng.integers(10, 60, (SERIES, 1))
        factor = np.where(rng.random((SERIES, 1)) < 0.5, times, 1 / times)
        rate = _means(rng) * np.where(np.arange(MONTHS) >= when, factor, 1.0)
        return _drawn(rng, rate, 5, 2, _hit(rng, SERIES, CHANGED))

    return draw


def related(sd: float = 0.0, rho: float = 0.8, spread: float = 0.35) -> Callable[..., World]:
    """A first-order autoregressive logarithm of the rate, Poisson counts; rho 1 is a random walk
    of steps ``spread``.  The oracle knows the rate until the window begins."""

    def draw(rng: np.random.Generator) -> World:
        u = np.zeros((SERIES, MONTHS))
        step = spread * np.sqrt(1 - rho**2) if rho < 1 else spread
        u[:, 0] = rng.normal(0, spread, SERIES) if rho < 1 else 0.0
        for k in range(1, MONTHS):
            u[:, k] = rho * u[:, k - 1] + rng.normal(0, step, SERIES)
        means = _means(rng)
        hit = _hit(rng, SERIES, CHANGED)
        world = _drawn(rng, means * np.exp(u), INFINITE, 2, hit, sd=sd)
        ahead = np.zeros((2000, WINDOW))
        last = np.zeros(2000)
        for k in range(WINDOW):
            last = rho * last + rng.normal(0, step, 2000)
            ahead[:, k] = last
        start = u[:, MONTHS - WINDOW - 1]
        sums = np.stack(
            [np.exp(rho ** np.arange(1, WINDOW + 1) * s + ahead).sum(axis=1) for s in start]
        )
        mean = means[:, 0] * sums.mean(axis=1)
        variance = mean + means[:, 0] ** 2 * sums.var(axis=1) + sd**2 * WINDOW
        return World(world.counts, hit, mean, variance, sd=sd)

    return draw


def leaving() -> Callable[..., World]:
    """60 more series lose half of their rate with a contributor; the file cannot know.  These are
    not counted as changed, the planted rises are."""

    def draw(rng: np.random.Generator) -> World:
        rate = np.repeat(_means(rng), MONTHS, axis=1)
        hit = _hit(rng, SERIES, CHANGED)
        lost = rng.choice(np.flatnonzero(~hit), 60, replace=False)
        factor = np.ones((SERIES, 1))
        factor[hit], factor[lost] = 2.0, 0.5
        everybody = np.ones(SERIES, dtype=bool)
        world = _drawn(rng, rate, 5, factor, everybody)
        return World(world.counts, hit, world.mean, world.variance)

    return draw


def yearly(growth: float, jumps: int = 0, years: int = YEARS) -> Callable[..., World]:
    """Yearly counts, half of which grow and half fall; some jump by a half in the last years."""

    def draw(rng: np.random.Generator) -> World:
        way = np.where(rng.permutation(YEARLY) < YEARLY // 2, 1 + growth, 1 / (1 + growth))
        rate = _means(rng, 30, 1000, YEARLY) * way[:, None] ** np.arange(years)
        hit = _hit(rng, YEARLY, jumps)
        return _drawn(rng, rate, INFINITE, 1.5, hit, window=min(LAST, years // 3), kind="year")

    return draw


def bending(deviation: float = 0.015) -> Callable[..., World]:
    """Trends that bend twice, each piece with a slope of its own."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS)
        slope = np.zeros((SERIES, MONTHS))
        bends = np.sort(rng.integers(6, MONTHS - WINDOW, (SERIES, 2)), axis=1)
        for at in (np.zeros(SERIES, int), bends[:, 0], bends[:, 1]):
            new = rng.normal(0, deviation, (SERIES, 1))
            slope = np.where(t >= at[:, None], new, slope)
        rate = _means(rng) * np.exp(np.cumsum(slope, axis=1))
        return _drawn(rng, rate, 5, 2, _hit(rng, SERIES, CHANGED))

    return draw


def calendar() -> Callable[..., World]:
    """Every series is low in the same two months, and one of three years has a campaign in May."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS)
        shape = np.where(np.isin(t % 12, (7, 11)), 0.4, 1.0) * np.where(t % 36 == 4, 2.5, 1.0)
        return _drawn(rng, _means(rng) * shape, 5, 2, _hit(rng, SERIES, CHANGED))

    return draw


def unequal() -> Callable[..., World]:
    """One series is a hundred times the largest of the others, and drifts."""

    def draw(rng: np.random.Generator) -> World:
        rate = np.repeat(_means(rng), MONTHS, axis=1)
        rate[0] = 6000 * np.exp(0.01 * np.arange(MONTHS))
        hit = _hit(rng, SERIES, CHANGED)
        hit[0] = False
        return _drawn(rng, rate, 5, 2, hit)

    return draw


def late() -> Callable[..., World]:
    """Half of the series begin 8 to 30 months before the window."""

    def draw(rng: np.random.Generator) -> World:
        begin = np.where(rng.random(SERIES) < 0.5, 0, MONTHS - WINDOW - rng.integers(8, 31, SERIES))
        known = np.arange(MONTHS) >= begin[:, None]
        rate = np.repeat(_means(rng), MONTHS, axis=1)
        return _drawn(rng, rate, 5, 2, _hit(rng, SERIES, CHANGED), known=known)

    return draw


def of_a_hub(sd: float = 20.0) -> Callable[..., World]:
    """Yearly counts of a release: most are smaller than their noise, some a hundred times larger,
    half grow or fall; beyond chance they vary by a lognormal factor."""

    def draw(rng: np.random.Generator) -> World:
        n = 1200
        way = np.exp(rng.choice([0.0, 0.04, -0.04], n, p=[0.5, 0.25, 0.25]))[:, None]
        own = np.exp(rng.normal(0, 0.15, (n, YEARS)) - 0.15**2 / 2)
        rate = _means(rng, 1, 3000, n) * way ** np.arange(YEARS)
        hit = _hit(rng, n, 60)
        world = _drawn(rng, rate * own, INFINITE, 2, hit, LAST, sd, "year")
        mean = rate[:, -LAST:].sum(axis=1)
        of_own = (np.exp(0.15**2) - 1) * (rate[:, -LAST:] ** 2).sum(axis=1)
        return World(world.counts, hit, mean, mean + of_own + LAST * sd**2, LAST, "year", sd)

    return draw


def mixed() -> Callable[..., World]:
    """A quarter each: Poisson, negative binomial of size 2, drift, autocorrelation."""

    def draw(rng: np.random.Generator) -> World:
        parts = [flat(INFINITE, 2)(rng), flat(2, 2)(rng), drift()(rng), related()(rng)]
        each = SERIES // 4
        pick = [slice(k * each, (k + 1) * each) for k in range(4)]
        return World(
            *(
                np.concatenate([getattr(w, name)[at] for w, at in zip(parts, pick, strict=True)])
                for name in ("counts", "hit", "mean", "variance")
            )
        )

    return draw


def recent(
    age: int, times: float = 1.6, part: float = 0.15, up: float = 0.5, apart: int = 0
) -> Callable[..., World]:
    """A part of the series shifted at one time, ``age`` months before the window, up or down; each
    at a time of its own within ``apart`` months before that."""

    def draw(rng: np.random.Generator) -> World:
        when = MONTHS - WINDOW - age - rng.integers(0, apart + 1, (SERIES, 1))
        factor = np.where(rng.random((SERIES, 1)) < up, times, 1 / times)
        shifted = (rng.random((SERIES, 1)) < part) & (np.arange(MONTHS) >= when)
        rate = _means(rng) * np.where(shifted, factor, 1.0)
        return _drawn(rng, rate, 5, 2, _hit(rng, SERIES, CHANGED))

    return draw


def recent_years(age: int, times: float = 1.5, part: float = 0.2) -> Callable[..., World]:
    """The same of yearly counts, ``age`` years before the window."""

    def draw(rng: np.random.Generator) -> World:
        factor = np.where(rng.random((YEARLY, 1)) < 0.5, times, 1 / times)
        shifted = rng.random((YEARLY, 1)) < part
        shifted = shifted & (np.arange(YEARS) >= YEARS - LAST - age)
        rate = _means(rng, 30, 1000, YEARLY) * np.where(shifted, factor, 1.0)
        return _drawn(rng, rate, 50, 1.5, _hit(rng, YEARLY, JUMPS), window=LAST, kind="year")

    return draw


def growing_seasons(
    first: float, last: float, size: float = 5, growth: float = 0.0, peak: bool = False
) -> Callable[..., World]:
    """A sine of the year, or one high month, whose height goes from ``first`` to ``last``; the
    level grows by a factor."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS)
        phase = rng.integers(0, 12, (SERIES, 1))
        wave = np.sin(2 * np.pi * (t + phase) / 12)
        if peak:
            wave = 4.0 * ((t + phase) % 12 == 0) - 1 / 3
        height = (first + (last - first) * t / MONTHS) * rng.uniform(0.5, 1.0, (SERIES, 1))
        rate = _means(rng) * (1 + growth) ** (t / MONTHS) * np.maximum(0.05, 1 + height * wave)
        return _drawn(rng, rate, size, 2, _hit(rng, SERIES, CHANGED))

    return draw


def together(
    times: float, ends: int = 0, part: float = 1.0, size: float = 5, height: float = 0.0
) -> Callable[..., World]:
    """The level of a part of the series goes to so many ``times`` over all months, up to ``ends``
    months before the window; with a sine of the year of that height."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS)
        way = np.where(rng.random((SERIES, 1)) < part, math.log(times) / MONTHS, 0.0)
        until = MONTHS - WINDOW - ends if ends else MONTHS
        wave = height * np.sin(2 * np.pi * (t + rng.integers(0, 12, (SERIES, 1))) / 12)
        rate = _means(rng) * np.exp(way * np.minimum(t, until)) * (1 + wave)
        return _drawn(rng, rate, size, 2, _hit(rng, SERIES, CHANGED))

    return draw


def faster(times: float, begins: int = 0) -> Callable[..., World]:
    """All grow to so many ``times``: from the month ``begins``, or the faster the later."""

    def draw(rng: np.random.Generator) -> World:
        t = np.arange(MONTHS)
        way = np.maximum(t - begins, 0) / (MONTHS - begins) if begins else (t / MONTHS) ** 2
        rate = _means(rng) * times**way
        return _drawn(rng, rate, 5, 2, _hit(rng, SERIES, CHANGED))

    return draw


def shares(
    deviation: float, step: float = 0.0, noise: float = 0.0, size: float = 50, years: int = YEARS
) -> Callable[..., World]:
    """Yearly shares whose logit has a slope of its own, and takes random steps; those of some jump
    to twice their odds in the last years."""

    def draw(rng: np.random.Generator) -> World:
        n = rng.poisson(_means(rng, 30, 1000, YEARLY) * np.exp(rng.normal(0, 0.2, (YEARLY, years))))
        t = np.arange(years) - years + LAST
        logit = rng.normal(-1, 0.7, (YEARLY, 1)) + rng.normal(0, deviation, (YEARLY, 1)) * t
        logit = logit + np.cumsum(rng.normal(0, step, (YEARLY, years)), axis=1) * (step > 0)
        hit = _hit(rng, YEARLY, JUMPS)
        p, moved = (1 / (1 + np.exp(-logit - more)) for more in (0.0, np.log(2)))
        q = np.where(hit[:, None] & (t >= 0), moved, p)
        x = rng.binomial(n, rng.beta(q * size, (1 - q) * size)).astype(float)
        x, whole = (a + np.round(rng.normal(0, noise, a.shape)) * (noise > 0) for a in (x, n))
        m, r = n[:, -LAST:], p[:, -LAST:]
        variance = (m * r * (1 - r) * (1 + (m - 1) / (size + 1))).sum(axis=1)
        variance += LAST * noise**2 * (1 + r.mean(axis=1) ** 2)
        mean = (whole[:, -LAST:] * r).sum(axis=1)
        return World(x, hit, mean, variance, LAST, "year", noise, whole)

    return draw


LATE = (0.97, 0.90, 0.75, 0.50, 0.30)
"""Part of the last five periods that is reported."""


def reports(
    complete: tuple[float, ...], part: float = 1.0, n: int = SERIES, kind: Kind = "month",
    size: float = 5, sd: float = 0.0, low: float = 1.0, times: float = 2.0,
) -> Callable[..., World]:  # fmt: skip
    """The last periods of a part of the series are reported in part; ``low`` multiplies every last
    month of a year.  Only rises are planted: a series is changed if its true number is."""

    def draw(rng: np.random.Generator) -> World:
        periods, window = (MONTHS, WINDOW) if kind == "month" else (YEARS, LAST)
        rate = np.repeat(_means(rng, *(3, 60) if kind == "month" else (30, 1000), n), periods, 1)
        rate *= np.where(np.arange(periods) % 12 == 11, low, 1.0) if kind == "month" else 1.0
        hit = _hit(rng, n, n * CHANGED // SERIES)
        world = _drawn(rng, rate, size, times, hit, window=window, kind=kind)
        y, late = world.counts, rng.random(n) < part
        last = y[:, -len(complete) :]
        kept = rng.binomial(last.astype(int), np.minimum(complete, 1.0)).astype(float)
        kept += rng.poisson(rate[:, -len(complete) :] * np.maximum(np.array(complete) - 1, 0))
        y[:, -len(complete) :] = np.where(late[:, None], kept, last)
        if sd:
            y += np.round(rng.normal(0, sd, y.shape))
        variance = world.variance + sd**2 * window
        return World(y, hit, world.mean, variance, window, kind, sd)

    return draw


def everything_falls(to: float, since: int, kind: Kind = "month") -> Callable[..., World]:
    """All series fall, and all are changed."""

    def draw(rng: np.random.Generator) -> World:
        world = reports((to,) * since, kind=kind, times=1.0)(rng)
        return World(
            world.counts, np.ones(len(world.counts), dtype=bool), world.mean, world.variance,
            world.window, kind,
        )  # fmt: skip

    return draw


REVIEW: dict[str, Callable[..., World]] = {
    "Poisson, x2": flat(INFINITE, 2),
    "Poisson, x1.5": flat(INFINITE, 1.5),
    "size 5, x2": flat(5, 2),
    "size 5, x1.5": flat(5, 1.5),
    "size 5, slow rise to x2": slow(),
    "size 2, x2": flat(2, 2),
    "size 2, x1.5": flat(2, 1.5),
    "size 5, noise 2, x2": flat(5, 2, sd=2),
    "size 5, noise 4, x2": flat(5, 2, sd=4),
    "size 5, noise 8, x2": flat(5, 2, sd=8),
    "seasons, x2": seasons(),
    "gaps, x2": gaps(),
    "30 % of months zero, x2": flat(5, 2, zeros=0.3),
    "drift 1 % a month, x2": drift(),
    "drift, noise 4, x2": drift(sd=4),
    "earlier level shift, x2": level(),
    "autocorrelated, x2": related(),
    "autocorrelated, noise 4": related(sd=4),
    "a contributor leaves": leaving(),
    "yearly, growth 0": yearly(0),
    "yearly, growth 3 %": yearly(0.03),
    "yearly, growth 5 %": yearly(0.05),
    "yearly, growth 10 %": yearly(0.10),
    "yearly, 30 jump, growth 0": yearly(0, JUMPS),
    "yearly, 30 jump, growth 5 %": yearly(0.05, JUMPS),
}
"""The rows of the review."""
OTHER: dict[str, Callable[..., World]] = {
    "random walk, 5 % a month": related(rho=1.0, spread=0.05),
    "random walk, 15 % a month": related(rho=1.0, spread=0.15),
    "trends that bend": bending(),
    "calendar effects": calendar(),
    "one series 100 times": unequal(),
    "half begin late": late(),
    "four kinds mixed": mixed(),
    "six years, growth 5 %": yearly(0.05, JUMPS, 6),
    "seven years, growth 10 %": yearly(0.10, JUMPS, 7),
    "noise 8, Poisson, x3": flat(INFINITE, 3, sd=8),
    "size 1, x3": flat(1, 3),
    "a hub of small groups, x2": of_a_hub(),
}
"""Worlds that the test was not built on."""

AGES = (1, 2, 3, 4, 6, 9, 12, 24)
SHIFTS: dict[str, Callable[..., World]] = {
    **{f"a few shifted {age} months before": recent(age) for age in AGES},
    **{f"half shifted {age} months before": recent(age, part=0.5) for age in (1, 3, 6, 12)},
    **{f"a few x2.5, {age} months before": recent(age, 2.5) for age in (1, 3, 6, 12)},
    **{f"a few fell {age} months before": recent(age, up=0.0) for age in (3, 6)},
    **{f"apart, {age} to {age + 5} months before": recent(age, apart=5) for age in (1, 7)},
    **{f"yearly, shifted {age} years before": recent_years(age) for age in (1, 2, 4)},
}
"""Series that shifted before the window, by the age of the shift."""
SEASONS: dict[str, Callable[..., World]] = {
    "seasons .2 to .8": growing_seasons(0.2, 0.8),
    "seasons 0 to 1, size 20": growing_seasons(0.0, 1.0, 20),
    "seasons .8 to .2": growing_seasons(0.8, 0.2),
    "seasons .2 to .8, level x2": growing_seasons(0.2, 0.8, growth=1.0),
    "one high month, 0 to 1": growing_seasons(0.0, 1.0, 20, peak=True),
    "seasons that stay, .5": growing_seasons(0.5, 0.5),
}
"""Seasons whose height changes, and some that stay."""
TRENDS: dict[str, Callable[..., World]] = {
    "all double": together(2),
    "all fall to a half": together(0.5),
    "all x4": together(4),
    "all fall to a quarter": together(0.25),
    "60 of 100 x4": together(4, part=0.6),
    "all x4, end 3 months before": together(4, 3),
    "all x4, end 6 months before": together(4, 6),
    "all to a quarter, end 6 before": together(0.25, 6),
    "all to a quarter, end 12 before": together(0.25, 12),
    "all x4, end 3 before, Poisson": together(4, 3, size=INFINITE),
    "all double, with seasons": together(2, height=0.5),
    "all fall to a half, with seasons": together(0.5, height=0.5),
    "all x4, ever faster": faster(4),
    "all x3, from half way": faster(3, 36),
}
"""Trends that series have in common, and their ends."""
SHARES: dict[str, Callable[..., World]] = {
    "shares, steady": shares(0.0),
    "shares, drift .05 a year": shares(0.05),
    "shares, drift .1 a year": shares(0.1),
    "shares, drift .2 a year": shares(0.2),
    "shares, drift .1, Poisson": shares(0.1, size=INFINITE),
    "shares, drift .1, noise 10": shares(0.1, noise=10.0),
    "shares, drift .1, 24 years": shares(0.1, years=24),
    "shares, steps of .15 a year": shares(0.0, step=0.15),
}
"""Yearly shares; the power is that of their own test."""
LATENESS: dict[str, Callable[..., World]] = {
    "late": reports(LATE),
    "late, 20 small series": reports(LATE, n=25),
    "late, noise 4": reports(LATE, sd=4.0),
    "late, not by turns": reports((0.97, 0.90, 0.55, 0.65, 0.30)),
    "late, in two months": reports((0.8, 0.4)),
    "late, a third of the series": reports(LATE, part=0.33),
    "a fifth of the series ends": reports((0.0, 0.0, 0.0), part=0.2),
    "late, low Decembers": reports(LATE, low=0.5),
    "low Decembers alone": reports((1.0,), low=0.4),
    "late, the last year": reports((0.6,), kind="year", size=50),
    "late, the last two years": reports((0.85, 0.5), kind="year", size=50),
    "a month made up for": reports((0.8, 0.7, 1.5)),
    "a month too high": reports((1.5,)),
    "everything fell to .5 (true)": everything_falls(0.5, 6),
    "everything fell to .5 in 3 (true)": everything_falls(0.5, 3),
    "everything fell to .7 (true)": everything_falls(0.7, 6),
}
"""Last periods that are not fully reported, and what looks like it."""
KINDS = {
    "review": REVIEW, "other": OTHER, "shifts": SHIFTS, "seasons": SEASONS, "trends": TRENDS,
    "shares": SHARES, "lateness": LATENESS,
}  # fmt: skip
WORLDS = {name: world for kind in KINDS.values() for name, world in kind.items()}
