"""Tables of whole, non-negative numbers near noisy ones: projection, raking, apportionment."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from ctdhub.dp import noise

Floats = npt.NDArray[np.float64]


def simplex(noisy: Floats, total: float) -> Floats:
    """The nearest non-negative table that sums to ``total`` (Duchi and others 2008).

    >>> simplex(np.array([5.0, 3.0, -4.0]), 6.0).tolist()
    [4.0, 2.0, 0.0]
    """
    if total <= 0:
        return np.zeros_like(noisy)
    falling = np.sort(noisy, axis=None)[::-1]
    shift = (np.cumsum(falling) - total) / np.arange(1, noisy.size + 1)
    nearest: Floats = np.maximum(noisy - shift[np.flatnonzero(falling > shift)[-1]], 0.0)
    return nearest


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


def spread(noisy: Floats, total: int, source: noise.Bits = os.urandom) -> npt.NDArray[np.int64]:
    """Codes of ``total`` records whose table is near a noisy one-way table, in random order."""
    held = np.repeat(np.arange(noisy.size), apportion(simplex(noisy, float(total)), total))
    return held[noise.permutation(total, source)]
