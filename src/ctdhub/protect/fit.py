"""Denoised, non-negative targets out of noisy tables: post-processing, free of privacy cost.

Belongs here: the protected total spread over one-way tables, pairs and corridors.
Does not belong here: records (``synthesise``, ``polish``); anything that saw exact counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.protect.count import Counts
from ctdhub.protect.measure import Question, Workload
from ctdhub.protect.plan import CORRIDOR, Columns

Floats = npt.NDArray[np.float64]

KEEP_SIGMAS = 3.2
"""A corridor is kept in the records when its noisy count reaches so many sigmas (public)."""

_CERTAIN = 9.0
"""A residual of three sigmas (nine squared) is kept however unlikely the pooled variance has it."""


@dataclass(frozen=True)
class Targets:
    """What the records should look like; every table sums to ``people``.

    Attributes:
        one_way: by column.
        pairs: by two columns in schema order, raked to the one-way tables; the pair CORRIDOR is
            not among them.
        corridor: integer table citizenship x country, None where not both are released.
        by_corridor: by column, table corridor (flat) x values, raked to the corridors.
        weight: 1 / sigma squared by table, for weighing one table's misfit against another's.
    """

    people: int
    one_way: dict[str, Floats]
    pairs: dict[Columns, Floats]
    corridor: npt.NDArray[np.int64] | None
    by_corridor: dict[str, Floats]
    weight: dict[Columns, float]


def targets(noisy: Counts, questions: Workload, people: int) -> Targets:
    """Targets for exactly ``people`` records."""
    by = {q.columns: q for q in questions}
    one = {t[0]: simplex(noisy[t].astype(float), people) for t in by if len(t) == 1}
    corridor = None
    if CORRIDOR in by:
        corridor = _corridor(noisy[CORRIDOR], by[CORRIDOR].sigma, *(one[n] for n in CORRIDOR))
        one |= {CORRIDOR[0]: corridor.sum(1) * 1.0, CORRIDOR[1]: corridor.sum(0) * 1.0}
    pairs: dict[Columns, Floats] = {
        t: pair(noisy[t], one[t[0]], one[t[1]], q.sigma)
        for t, q in by.items()
        if len(t) == 2 and t != CORRIDOR
    }
    thirds: dict[str, Floats] = {}
    if corridor is not None:
        for t, q in by.items():
            if q.kind == "corridor_by":
                name = next(n for n in t if n not in CORRIDOR)
                thirds[name] = _by_corridor(noisy[t], q, name, corridor, one, pairs)
    return Targets(
        people, one, pairs, corridor, thirds, {t: 1 / float(q.sigma2) for t, q in by.items()}
    )


def simplex(noisy: Floats, total: float) -> Floats:
    """The nearest non-negative table that sums to ``total`` (Duchi and others 2008).

    >>> simplex(np.array([5.0, 3.0, -4.0]), 6.0).tolist()
    [4.0, 2.0, 0.0]
    """
    if total <= 0:
        return np.zeros_like(noisy)
    falling = np.sort(noisy)[::-1]
    shift = (np.cumsum(falling) - total) / np.arange(1, noisy.size + 1)
    nearest: Floats = np.maximum(noisy - shift[np.flatnonzero(falling > shift)[-1]], 0.0)
    return nearest


def pair(noisy: npt.NDArray[np.int64], rows: Floats, cols: Floats, sigma: float) -> Floats:
    """A pair of columns denoised towards independence and raked to its one-way tables.

    Residuals from independence are taken inside the margins and shrunk by an empirical Bayes rule:
    their standard deviation is a multiple of the expected count, the multiple pooled over the
    table; a residual beyond three sigmas stands whatever the pooled rule says of it.
    """
    people = rows.sum()
    if people <= 0:
        return np.zeros(noisy.shape)
    expected = np.outer(rows, cols) / people
    residual = noisy - expected
    residual -= residual.mean(1, keepdims=True)
    residual -= residual.mean(0, keepdims=True)
    freedom = (rows.size - 1) * (cols.size - 1) / residual.size
    kept = shrink(residual, expected, sigma, freedom)
    return rake(np.maximum(expected + kept, 0.0), rows, cols)


def shrink(residual: Floats, expected: Floats, sigma: float, freedom: float) -> Floats:
    """Residuals shrunk towards zero as far as noise of that sigma explains them.

    Args:
        freedom: degrees of freedom of the residuals for each cell, from 0 to 1.
    """
    prior = np.sum(expected**2)
    if freedom <= 0 or prior <= 0:
        return np.zeros_like(residual)
    square, noise2 = residual**2, sigma**2
    pooled = max(0.0, (square.sum() / freedom - residual.size * noise2) / prior)
    spread = pooled * expected**2
    keep = np.maximum(spread / (spread + noise2), 1 - _CERTAIN * noise2 / np.maximum(square, 1e-9))
    shrunk: Floats = residual * np.clip(keep, 0.0, 1.0)
    return shrunk


def rake(table: Floats, rows: Floats, cols: Floats, rounds: int = 4) -> Floats:
    """Iterative proportional fitting to two margins of equal sum; rows hold exactly.

    A row or column that must hold people but has none gets the other margin's proportions.
    """
    table = table.copy()
    people = max(rows.sum(), 1e-9)
    empty = (table.sum(1) <= 0) & (rows > 0)
    table[empty] = np.outer(rows[empty], cols) / people
    empty = (table.sum(0) <= 0) & (cols > 0)
    table[:, empty] = np.outer(rows, cols[empty]) / people
    for _ in range(rounds):
        table *= (cols / np.maximum(table.sum(0), 1e-12))[None, :]
        table *= (rows / np.maximum(table.sum(1), 1e-12))[:, None]
    return table


def apportion(shares: Floats, total: int) -> npt.NDArray[np.int64]:
    """Whole numbers near ``shares`` that sum to ``total``, by largest remainder.

    >>> apportion(np.array([1.4, 1.4, 0.2]), 3).tolist()
    [2, 1, 0]
    """
    top = shares.max()
    shares = shares / top if top > 0 else np.ones_like(shares)
    exact = shares * (total / shares.sum())
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole).ravel(), kind="stable")
    flat: npt.NDArray[np.int64] = whole.ravel()
    flat[order[: total - int(flat.sum())]] += 1
    return flat.reshape(shares.shape)


def _corridor(
    noisy: npt.NDArray[np.int64], sigma: float, rows: Floats, cols: Floats
) -> npt.NDArray[np.int64]:
    """The corridor table: what stands out of its noise stays; the rest of each country is spread.

    The rest goes to the other cells by both countries' rests, and by how much likelier the noisy
    count is for a corridor of two sigmas than for an empty one.
    """
    people = round(rows.sum())
    kept = np.where(noisy >= KEEP_SIGMAS * sigma, noisy, 0)
    if people <= 0 or kept.sum() >= people:
        return apportion(kept * 1.0, people)
    rest_rows = simplex(rows - kept.sum(1), people - int(kept.sum()))
    rest_cols = simplex(cols - kept.sum(0), people - int(kept.sum()))
    likelier = np.exp(2.0 * np.clip(noisy / sigma, -KEEP_SIGMAS, KEEP_SIGMAS) - 2.0)
    spread = np.where(kept > 0, 0.0, np.outer(rest_rows, rest_cols) * likelier)
    rest = rake(spread, rest_rows, rest_cols, rounds=10)
    return kept + apportion(np.where(kept > 0, 0.0, rest), people - int(kept.sum()))


def _by_corridor(
    noisy: npt.NDArray[np.int64],
    q: Question,
    name: str,
    corridor: npt.NDArray[np.int64],
    one: dict[str, Floats],
    pairs: dict[Columns, Floats],
) -> Floats:
    """A column within the corridors: what its pairs with both countries say, then its own table."""
    table = np.moveaxis(noisy, q.columns.index(name), 2).reshape(corridor.size, -1).astype(float)
    origin, place = (_oriented(pairs, name, c) for c in CORRIDOR)
    share = one[name] / max(one[name].sum(), 1e-9)
    shares = [p / np.maximum(p.sum(1, keepdims=True), 1e-12) for p in (origin, place)]
    here = np.flatnonzero(corridor.ravel())
    i, j = np.unravel_index(here, corridor.shape)
    base = shares[0][i] * shares[1][j] / np.maximum(share, 1e-12)
    base = np.where(base.sum(1, keepdims=True) > 0, base, share)
    size = corridor.ravel()[here].astype(float)
    expected = base / np.maximum(base.sum(1, keepdims=True), 1e-12) * size[:, None]
    residual = table[here] - expected
    residual -= residual.mean(1, keepdims=True)
    fitted = np.maximum(expected + shrink(residual, expected, q.sigma, 1 - 1 / share.size), 0.0)
    result = np.zeros(table.shape)
    result[here] = rake(fitted, size, one[name])
    return result


def _oriented(pairs: dict[Columns, Floats], name: str, country: str) -> Floats:
    """The pair of a country column (rows) and a column."""
    return pairs[country, name] if (country, name) in pairs else pairs[name, country].T
