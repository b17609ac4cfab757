"""The peel: groups of at least k records under a subset of masked columns become classes.

The subset that covers most of the remaining records for its cost is masked in them, until none
covers any.  A group can only shrink as others are peeled off, so that an old count is an upper
bound: subsets wait in a heap and only the first is counted anew (lazy greedy, Minoux 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from ctdhub.kanon.classes import Classes, Subset
from ctdhub.kanon.groups import bounds


def peel(classes: Classes, subsets: Sequence[Subset]) -> None:
    """Settle open parts in groups of at least k, the subset that covers most records for its
    cost first, until none covers any."""
    parts = classes.open()
    weights = classes.count[parts]
    heap = [
        (-bound / classes.costs[list(subset)].sum(), subset)
        for subset, bound in bounds(classes, parts, weights, len(parts), subsets)
    ]
    heapq.heapify(heap)
    while heap:
        _, subset = heapq.heappop(heap)
        _, group = np.unique(classes.keys(parts, subset), return_inverse=True)
        covered = np.bincount(group, classes.count[parts])[group] >= classes.k
        worth = classes.count[parts[covered]].sum() / classes.costs[list(subset)].sum()
        if worth == 0:
            continue
        if heap and -worth > heap[0][0]:
            heapq.heappush(heap, (-worth, subset))
            continue
        classes.settle(parts[covered], group[covered], subset)
        parts = parts[~covered]
