"""How many records a subset of masked columns would put into groups of at least k."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ctdhub.kanon.classes import Classes, Integers, Subset, Words


def bounds(
    classes: Classes, parts: Integers, weights: Integers, first: int, subsets: Sequence[Subset]
) -> Iterator[tuple[Subset, int]]:
    """For each subset, at most how many records of the ``first`` parts lie in groups of k or more.

    Groups are counted in slots that several may share, so a bound is never too low; subsets whose
    bound is zero are left out.

    Args:
        weights: what each part adds to its group.
        subsets: in lexicographic order, which saves most of the subtractions.
    """
    whole, hashes = classes.hashes(parts)
    shift = _shift(len(parts))
    mine, added = weights[:first], weights.astype(np.float64)
    head: Subset = ()
    base: Words = whole
    for subset in subsets:
        if subset[:-1] != head:
            head, base = subset[:-1], whole
            for column in head:
                base = base - hashes[column]
        slot = ((base - hashes[subset[-1]]) >> shift).view(np.int64)
        bound = int(mine[np.bincount(slot, added)[slot[:first]] >= classes.k].sum())
        if bound:
            yield subset, bound


def meet(keys: Words, first: int) -> npt.NDArray[np.bool_]:
    """Which keys may be equal to one of the ``first`` keys: all that are, and a few others."""
    slot = (keys >> _shift(first)).view(np.int64)
    taken = np.zeros(1 << 64 - int(_shift(first)), bool)
    taken[slot[:first]] = True
    return taken[slot]


def _shift(n: int) -> np.uint64:
    """Takes a hash to one of at least 4 n slots."""
    return np.uint64(64 - max(12, math.ceil(math.log2(4 * n + 1))))
