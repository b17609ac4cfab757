"""Which pairs of lists depend on each other: forward selection by overlaps, many tables at once.

Rule (L. Chan, B. W. Silverman and K. Vincent, 2021, J. Am. Stat. Assoc. 116:1297).  Begin with the
lists alone.  For each pair that is absent compare the people on both lists with the number that
the present model expects: p is the smaller of the two Poisson tails.  Of the pairs with p below
the threshold enter the one with the smallest p whose model has finite and unique estimates; go on
until none is left.  The estimate is the people seen plus exp(intercept).

Where counts carry noise of protection, a sum of m cells has the variance mean + m sigma^2, and the
two tails are those of a normal number: otherwise noise would be taken for dependence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.stats.mse.lists import Bools, Floats
from ctdhub.stats.mse.loglinear import Design, design

Places = npt.NDArray[np.intp]

THRESHOLD = 0.02
"""The default of Chan, Silverman and Vincent."""
_NOBODY = 1e-9
"""Overlaps up to this are rounding of zero."""


@dataclass(frozen=True)
class Selected:
    """What was chosen for each of many tables.

    Attributes:
        people: estimated population; infinite where not even the lists alone can be fitted.
        alone: the same from the lists alone, no pair entered.
        chosen: tables x pairs.
        order: pairs of the first table, as they entered, each with its p.
    """

    people: Floats
    alone: Floats
    chosen: Bools
    order: tuple[tuple[int, float], ...]


def select(
    y: Floats,
    lists: int,
    sigma: float = 0.0,
    threshold: float = THRESHOLD,
    *,
    held: Bools | None = None,
) -> Selected:
    """Select for each table and estimate.

    Args:
        y: tables x cells.
        lists: how many there are.
        sigma: noise of each cell, in people.
        threshold: of p; a pair enters below it.
        held: pairs that are taken as given in every table, and nothing is selected; those that
            no finite estimate exists with make ``people`` infinite.
    """
    d = design(lists)
    chosen = np.zeros((len(y), d.pairs), dtype=bool)
    refused = chosen.copy()
    finite, cells = d.columns(y, chosen)
    fits = d.exists(y, finite, cells)
    b, means = d.fit(y, finite, cells)
    alone = _people(y, b, fits)
    if held is not None:
        return Selected(_given(d, y, held), alone, np.tile(held, (len(y), 1)), ())
    order: list[tuple[int, float]] = []
    going = np.flatnonzero(fits)
    for _step in range(d.pairs):
        if not going.size:
            break
        p = _tails(y[going] @ d.both, means[going] @ d.both, d.both.sum(axis=0), sigma)
        p[chosen[going]] = 1.0
        entered = _enter(d, y, going, chosen, refused, p, threshold)
        moved = going[entered >= 0]
        if going[0] == 0 and entered[0] >= 0:
            order.append((int(entered[0]), float(p[0, entered[0]])))
        finite, cells = d.columns(y[moved], chosen[moved])
        b[moved], means[moved] = d.fit(y[moved], finite, cells, b[moved])
        going = moved
    return Selected(_people(y, b, fits), alone, chosen, tuple(order))


def _people(y: Floats, b: Floats, fits: Bools) -> Floats:
    return np.where(fits, y.sum(axis=1) + np.exp(np.where(fits, b[:, 0], 0.0)), np.inf)


def _given(d: Design, y: Floats, held: Bools) -> Floats:
    """Estimates with these pairs."""
    finite, cells = d.columns(y, np.tile(held, (len(y), 1)))
    fits = d.exists(y, finite, cells)
    return _people(y, d.fit(y, finite, cells)[0], fits)


def _enter(
    d: Design, y: Floats, going: Places, chosen: Bools, refused: Bools, p: Floats, threshold: float
) -> Places:
    """Enter the best pair of each table into ``chosen``; gives its place, or -1 where none may.

    A pair whose model has no finite estimates has none in any larger model either, so it is
    refused for good.
    """
    entered = np.full(len(going), -1)
    open_ = np.arange(len(going))
    while open_.size:
        at = going[open_]
        best = np.where(refused[at], 1.0, p[open_])
        pair = best.argmin(axis=1)
        small = best[np.arange(len(at)), pair] < threshold
        open_, at, pair = open_[small], at[small], pair[small]
        tried = chosen[at]
        tried[np.arange(len(at)), pair] = True
        finite, cells = d.columns(y[at], tried)
        good = d.exists(y[at], finite, cells)
        chosen[at[good], pair[good]] = True
        entered[open_[good]] = pair[good]
        refused[at[~good], pair[~good]] = True
        open_ = open_[~good]
    return entered


def _tails(seen: Floats, expected: Floats, cells: Floats, sigma: float) -> Floats:
    """The smaller of the two tail probabilities of each overlap.

    Without noise these are P(X <= seen) = Q(seen + 1, expected) and P(X >= seen) =
    P(seen, expected), P and Q the regularised incomplete gamma functions: the Poisson tails at
    whole numbers, and continuous between them.  Overlaps are fractions where links between records
    are taken to be wrong, and one of 1.01 must be hardly more surprising than one of 1.
    """
    from scipy.special import gammainc, gammaincc, ndtr

    if sigma:
        z = (seen - expected) / np.sqrt(np.maximum(expected, 0.0) + cells * sigma**2)
        return np.asarray(ndtr(-np.abs(z)))
    x = np.where(seen > _NOBODY, seen, 0.0)
    low = gammaincc(x + 1, expected)
    high = np.where(x > 0, gammainc(np.where(x > 0, x, 1.0), expected), 1.0)
    return np.asarray(np.minimum(low, high))
