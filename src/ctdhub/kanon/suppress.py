"""Local suppression: mask as few cells as needed so that every class has at least k records.

Rows of at least k records stay whole.  From cheap subsets of columns to dear ones, groups of at
least k are peeled off and groups of nearly k are completed; what is left is put into clusters.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ctdhub.kanon.borrow import borrow
from ctdhub.kanon.classes import Classes, Subset, weigh
from ctdhub.kanon.clusters import cluster
from ctdhub.kanon.peel import peel

MOST_SUBSETS = 60_000
"""Subsets of one size that are tried: six of 19 columns, four of 27, three of 60."""

PEEL_WORK, BORROW_WORK = 4_000_000_000, 100_000_000
"""Rows times subsets that one round may count, at some 15 ns each; past that it is left out."""

BORROW_SUBSETS = 12_000
"""Subsets of one round for which completing groups is tried, at some 0.5 ms each."""

Report = Callable[[float], None]


def suppress(
    codes: npt.NDArray[np.int32],
    k: int,
    costs: Sequence[float] | None = None,
    report: Report | None = None,
) -> npt.NDArray[np.bool_]:
    """Which cells to suppress so that every class of equal rows has at least k records.

    A suppressed cell is a value of its own.  The answer is the same for the same table.

    Args:
        codes: n x d table of non-negative integers, one code per value of a column.
        k: the least number of records of a class; at least 1, and at most n unless n is 0.
        costs: what a suppressed cell of each column costs, positive; all the same by default.
        report: is told the share of the work that is done.

    Returns:
        n x d, true where the cell is to be suppressed.

    Raises:
        ValueError: k or the costs are out of range.

    >>> suppress(np.array([[0, 0], [0, 1], [1, 0], [1, 0]], np.int32), 2).tolist()
    [[False, True], [False, True], [False, False], [False, False]]
    """
    n, columns = codes.shape
    prices = weigh([1.0] * columns if costs is None else costs, columns)
    if k < 1 or 0 < n < k:
        raise ValueError("k is at least 1 and at most the number of records")
    if n == 0 or columns == 0:
        return np.zeros((n, columns), bool)
    classes = Classes(codes, k, prices)
    everyone = max(1, int(classes.count[classes.open()].sum()))
    for subsets in _rounds(prices):
        parts = classes.open()
        if not len(parts):
            break
        if len(subsets) * len(parts) > PEEL_WORK:
            continue
        peel(classes, subsets)
        rows = len(classes.open()) + len(classes.donors())
        if len(subsets) <= BORROW_SUBSETS and len(subsets) * rows <= BORROW_WORK:
            borrow(classes, subsets)
        if report is not None:
            report(1 - int(classes.count[classes.open()].sum()) / everyone)
    cluster(classes)
    return classes.masked()


def _rounds(costs: npt.NDArray[np.float64]) -> list[list[Subset]]:
    """Subsets in rounds of about equal cost, cheap ones first; with equal costs by size."""
    rounds: dict[int, list[Subset]] = {}
    for size in range(1, len(costs) + 1):
        if math.comb(len(costs), size) > MOST_SUBSETS:
            break
        for subset in itertools.combinations(range(len(costs)), size):
            rounds.setdefault(round(costs[list(subset)].sum()), []).append(subset)
    return [sorted(rounds[cost]) for cost in sorted(rounds)]
