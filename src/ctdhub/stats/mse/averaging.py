"""All log-linear models with pairs of lists: the best by BIC, and their average.

BIC = -2 log-likelihood + log(people seen) x (parameters), the smaller the better (G. Schwarz, 1978,
Ann. Stat. 6:461).  A pair that nobody is on counts as a parameter like any other: it was chosen
too.  Up to five lists all models are tried, beyond that those that forward and backward search by
BIC come across.  Only models whose finite and unique estimates exist take part.

The interval of one model takes log(people on no list) as normal (A. Chao, 1987, Biometrics 43:783);
its variance is that of the intercept, plus 1 / (people on no list) for chance itself, plus what
the noise of protection adds.  The average weighs models by exp(-BIC / 2) (A. E. Raftery, 1995,
Sociol. Methodol. 25:111): point and interval are the median and quantiles of the mixture.

Where counts carry noise the likelihood of a cell is that of a normal number with variance
mean + sigma^2, at the same fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ctdhub.stats.mse.lists import Bools, Floats, Lists
from ctdhub.stats.mse.loglinear import design

ALL = 5
"""Lists up to which every model is tried: 2^10 models."""
_AT_ONCE = 4096
_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True)
class Averaged:
    """The best model and the average of all.

    Attributes:
        best: its estimate, in people, with its interval.
        pairs: places of the pairs in the best model.
        average: median of the mixture, with its interval.
        weight: of the best model among all, in 0..1.
        models: how many took part.
    """

    best: tuple[float, float, float]
    pairs: tuple[int, ...]
    average: tuple[float, float, float]
    weight: float
    models: int


@dataclass(frozen=True)
class _Fitted:
    """Models that exist: chosen pairs, BIC, log of people on no list, its standard error."""

    chosen: Bools
    bic: Floats
    hidden: Floats
    error: Floats


def averaged(lists: Lists, level: float) -> Averaged | None:
    """Search and average; None where no model has finite estimates."""
    found = _everywhere(lists) if len(lists.names) <= ALL else _nearby(lists)
    if not found.bic.size:
        return None
    weights = np.exp(-(found.bic - found.bic.min()) / 2)
    weights /= weights.sum()
    k = int(found.bic.argmin())
    kept = weights > _LEAST_WEIGHT
    ends = (0.5, (1 - level) / 2, (1 + level) / 2)

    def people(chosen: Bools) -> tuple[float, float, float]:
        parts = (found.hidden[chosen], found.error[chosen], weights[chosen])
        middle, low, high = (lists.seen + np.exp(_quantile(*parts, p)) for p in ends)
        return float(middle), float(low), float(high)

    only = np.zeros(len(weights), dtype=bool)
    only[k] = True
    pairs = tuple(int(p) for p in np.flatnonzero(found.chosen[k]))
    return Averaged(people(only), pairs, people(kept), float(weights[k]), len(weights))


def _everywhere(lists: Lists) -> _Fitted:
    pairs = design(len(lists.names)).pairs
    numbers = np.arange(2**pairs)
    return _fitted(lists, (numbers[:, None] >> np.arange(pairs) & 1).astype(bool))


def _nearby(lists: Lists) -> _Fitted:
    """Models met by adding or taking away one pair, beginning with the lists alone, while the
    best one of each round improves."""
    pairs = design(len(lists.names)).pairs
    known: dict[bytes, Bools] = {}
    parts: list[_Fitted] = []
    here, best = np.zeros(pairs, dtype=bool), np.inf
    while True:
        around = [here, *(here ^ flip for flip in np.eye(pairs, dtype=bool))]
        fresh = [m for m in around if m.tobytes() not in known]
        if not fresh:
            break
        known |= {m.tobytes(): m for m in fresh}
        found = _fitted(lists, np.array(fresh).reshape(-1, pairs))
        parts.append(found)
        if not found.bic.size or found.bic.min() >= best:
            break
        best, here = float(found.bic.min()), found.chosen[found.bic.argmin()]
    return _Fitted(
        np.concatenate([f.chosen for f in parts]),
        np.concatenate([f.bic for f in parts]),
        np.concatenate([f.hidden for f in parts]),
        np.concatenate([f.error for f in parts]),
    )


def _fitted(lists: Lists, chosen: Bools) -> _Fitted:
    parts = [
        _some(lists, chosen[start : start + _AT_ONCE]) for start in range(0, len(chosen), _AT_ONCE)
    ]
    return _Fitted(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _some(lists: Lists, chosen: Bools) -> tuple[Bools, Floats, Floats, Floats]:
    d = design(len(lists.names))
    y = np.broadcast_to(lists.y, (len(chosen), len(lists.y)))
    finite, cells = d.columns(y, chosen)
    good = d.exists(y, finite, cells)
    chosen, y, finite, cells = chosen[good], y[good], finite[good], cells[good]
    if not len(chosen):
        return chosen, np.empty(0), np.empty(0), np.empty(0)
    b, means = d.fit(y, finite, cells)
    inverse = d.covariance(means, finite)
    variance = inverse[:, 0, 0] + np.exp(-b[:, 0])
    if lists.sigma:
        slope = inverse[:, 0] @ d.x.T * cells
        variance = variance + lists.sigma**2 * (slope**2).sum(axis=1)
    cost = np.log(max(lists.seen, 2.0)) * (
        finite[:, : 1 + d.lists].sum(axis=1) + chosen.sum(axis=1)
    )
    bic = cost - 2 * _likelihood(y, means, cells, lists.sigma)
    return chosen, bic, b[:, 0], np.sqrt(variance)


def _likelihood(y: Floats, means: Floats, cells: Bools, sigma: float) -> Floats:
    """Log-likelihood of each model, but for what is the same in all."""
    if sigma:
        spread = means + sigma**2
        return -np.asarray(((y - means) ** 2 / spread + np.log(spread)).sum(axis=1)) / 2
    safe = np.where(cells, means, 1.0)
    return np.asarray((y * np.log(safe) - means).sum(axis=1))


def _quantile(middles: Floats, errors: Floats, weights: Floats, p: float) -> float:
    """Quantile of a mixture of normal numbers, by bisection."""
    from scipy.special import ndtr

    low = float((middles - 9 * errors).min())
    high = float((middles + 9 * errors).max())
    total = float(weights.sum())
    for _step in range(80):
        x = (low + high) / 2
        if float(weights @ ndtr((x - middles) / errors)) < p * total:
            low = x
        else:
            high = x
    return (low + high) / 2
