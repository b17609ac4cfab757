"""Empirical Bayes over many series: how common each of several models is among them."""

from __future__ import annotations

import numpy as np

from ctdhub.stats.signals.tails import Floats, widened

_ROUNDS = 40
OF_LEVEL, OF_OTHERS = 150.0, 70.0
"""Degrees of freedom of the tails of models with a level alone, and of the others: the grid is
coarse, and how common each is has been estimated.  Set by ``benchmarks/signals.py``."""
_MOST, _LEAST = 12, 0.005
"""Models of one series that are used, and the weight from which on they are."""


def mixed(likelihood: Floats, prior: Floats, strength: float) -> Floats:
    """The weight of each model for each series.

    The weights that all series have in common are those that make the data likeliest, found by
    expectation and maximisation (A. P. Dempster, N. M. Laird, D. B. Rubin 1977, J. R. Stat. Soc. B
    39:1), held near ``prior`` as if ``strength`` more series had been seen.

    Args:
        likelihood: logarithms, shape (series, models).
        prior: positive, shape (models,), with the sum 1.
        strength: positive.

    Returns:
        Shape (series, models), each row with the sum 1.
    """
    scaled = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    common = prior
    for _round in range(_ROUNDS):
        weight = scaled * common
        weight /= weight.sum(axis=1, keepdims=True)
        common = (strength * prior + weight.sum(axis=0)) / (strength + len(weight))
    found = scaled * common
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def likeliest(weight: Floats) -> tuple[np.ndarray, Floats]:
    """The models of each series that matter: their places and weights, shape (series, few); the
    weights are 0 where there are fewer, and have the sum 1."""
    few = min(_MOST, weight.shape[1])
    top = np.argpartition(-weight, few - 1, axis=1)[:, :few]
    found = np.take_along_axis(weight, top, axis=1)
    found = np.where(found >= _LEAST, found, 0.0)
    return top, np.asarray(found / found.sum(axis=1, keepdims=True))


def averaged(tails: Floats, weight: Floats, flat: np.ndarray) -> Floats:
    """One-sided chances of the models of each series as one, shape (series,); all arrays have the
    shape (series, few), ``flat`` are the models with a level alone."""
    wide = widened(tails, np.where(flat, OF_LEVEL, OF_OTHERS))
    found: Floats = np.minimum(1.0, (wide * weight).sum(axis=1))
    return found
