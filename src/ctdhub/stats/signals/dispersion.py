"""How unsteady each series is: its own past, steadied by what all series have in common.

A series of few periods says little about how much it varies, so its estimate leans on the mean of
all series, and that on a public prior where there are few series: empirical Bayes as G. K. Smyth
(2004), Stat. Appl. Genet. Mol. Biol. 3:3, does for variances.  Two rules keep it cautious: no
series counts as steadier than its own past was, unless that may be chance or protection noise, and
none as steadier than chance alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.signals.tails import Floats

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
