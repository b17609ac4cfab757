"""Drawing positions with given weights, for all people at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def pick(rng: np.random.Generator, n: int, weights: ArrayLike) -> Ints:
    """n positions drawn with the given weights."""
    cumulative = np.cumsum(np.asarray(weights, float))
    found = np.searchsorted(cumulative / cumulative[-1], rng.random(n), side="right")
    chosen: Ints = np.minimum(found, len(cumulative) - 1)
    return chosen


def pick_rows(rng: np.random.Generator, weights: NDArray[np.float64], row: Ints) -> Ints:
    """One position per person, drawn with the weights in the person's row of a matrix."""
    cumulative = np.cumsum(weights, axis=1)
    cumulative /= cumulative[:, -1:]
    found = (rng.random(len(row))[:, None] >= cumulative[row]).sum(axis=1)
    chosen: Ints = np.minimum(found, weights.shape[1] - 1)
    return chosen
