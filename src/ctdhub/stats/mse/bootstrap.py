"""What is drawn at random: tables of the bootstrap, tables behind protected ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ctdhub.stats.mse.lists import Floats, Lists
from ctdhub.stats.mse.seeded_bits import Source

Words = npt.NDArray[np.uint64]


def words(size: int, source: Source) -> Words:
    """Random 64-bit words."""
    return np.frombuffer(source(8 * size), dtype=np.uint64)


def uniform(shape: tuple[int, ...], source: Source) -> Floats:
    """Uniform numbers in (0, 1)."""
    drawn = words(int(np.prod(shape)), source) >> np.uint64(11)
    return ((drawn.astype(np.float64) + 0.5) * 2.0**-53).reshape(shape)


def normal(shape: tuple[int, ...], source: Source) -> Floats:
    """Standard normal numbers."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniform(shape, source)), dtype=np.float64)


def multinomial(n: int, chances: Floats, rows: int, source: Source) -> npt.NDArray[np.int64]:
    """Rows x cells: n people thrown into cells of these chances, independently in each row."""
    from ctdhub.stats.mse import kernels

    out = np.zeros((rows, len(chances)), dtype=np.int64)
    held = words(8 * out.size + 4096, source)
    while True:
        at = np.zeros(1, dtype=np.int64)
        kernels.multinomials(n, chances / chances.sum(), out, held, at)
        if at[0] <= len(held):
            return out
        held = np.concatenate([held, words(len(held), source)])


def resampled(lists: Lists, rows: int, source: Source) -> Floats:
    """Rows x cells: tables as they might have come out.

    Each is the table itself, plus a multinomial draw less its mean, plus the noise of protection
    drawn anew.  Without noise that is the multinomial bootstrap.
    """
    base = np.maximum(lists.y, 0.0)
    n = round(float(base.sum()))
    drawn = multinomial(n, base, rows, source) + (lists.y - base * (n / base.sum()))
    if lists.sigma:
        drawn = drawn + lists.sigma * normal(drawn.shape, source)
    return np.asarray(drawn, dtype=np.float64)


def truths(lists: Lists, rows: int, source: Source) -> npt.NDArray[np.int64]:
    """Rows x cells: whole counts that may lie behind a protected table.

    Every count that is not negative is taken as equally likely before the table is seen, so each
    cell is a normal number around what was released, cut off at -1/2 and rounded.
    """
    from scipy.special import ndtr, ndtri

    if not lists.sigma:
        return np.tile(np.rint(lists.y).astype(np.int64), (rows, 1))
    below = ndtr((-0.5 - lists.y) / lists.sigma)
    u = below + (1 - below) * uniform((rows, len(lists.y)), source)
    drawn = np.maximum(np.rint(lists.y + lists.sigma * ndtri(u)), 0)
    return np.asarray(drawn, dtype=np.int64)
