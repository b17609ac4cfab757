"""Distinct rows, the classes of their records, and hashes that make masking a subtraction.

A *part* is a number of records with the same cells that share one fate.  At first each distinct row
is one part; a part is divided where only some of its records move.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Subset = tuple[int, ...]
"""Columns that a class masks, by position, ascending."""

OPEN = -1
"""The class of a part that has none yet."""

_GOLDEN, _FIRST, _SECOND = (
    np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


class Classes:
    """The state of a search: every record lies in one part, every part in one class or in none.

    Args:
        codes: n x d table of non-negative integers, one code per value of a column.
        k: the least number of records of a class, at least 1.
        costs: what a masked cell of each column costs, all positive.

    Distinct rows of at least k records are classes of their own from the start: nothing is masked
    in them.

    >>> held = Classes(np.array([[0], [0], [1]]), 2, np.ones(1))
    >>> held.count[held.open()].tolist(), held.masked().tolist()
    ([1], [[False], [False], [False]])
    """

    def __init__(
        self, codes: npt.NDArray[np.int32], k: int, costs: npt.NDArray[np.float64]
    ) -> None:
        n, self.columns = codes.shape
        self.k, self.costs = k, costs
        hashes = _hashes(codes)
        _, first, inverse, count = np.unique(
            hashes.sum(0, dtype=np.uint64),
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        self.rows = codes[first]
        self._inverse = inverse
        self._hashes = np.ascontiguousarray(hashes[:, first])
        self._whole: Words = self._hashes.sum(0, dtype=np.uint64)
        self.parts = len(first)
        room = self.parts + n  # each record can part from its kind once more
        self.row: Integers = np.resize(np.arange(self.parts), room)
        self.count: Integers = np.zeros(room, np.int64)
        self.count[: self.parts] = count
        self.home: Integers = np.full(room, OPEN)
        self.masks: list[Subset] = []
        self.total: Integers = np.zeros(room, np.int64)
        self.cost: npt.NDArray[np.float64] = np.zeros(room)
        full = np.flatnonzero(count >= k)
        self.home[full] = [self.add((), int(size)) for size in count[full]]

    def add(self, mask: Subset, records: int = 0) -> int:
        """A new class that masks those columns."""
        self.masks.append(mask)
        new = len(self.masks) - 1
        self.total[new] = records
        self.cost[new] = self.costs[list(mask)].sum()
        return new

    def open(self) -> Integers:
        """Parts without a class."""
        return np.flatnonzero(self.home[: self.parts] == OPEN)

    def donors(self) -> Integers:
        """Parts of classes with more than k records."""
        homes = self.home[: self.parts]
        return np.flatnonzero((homes != OPEN) & (self.total[homes] > self.k))

    def spare(self, parts: Integers) -> Integers:
        """How many records each part could give away, if it were the only one of its class."""
        return np.minimum(self.count[parts], self.total[self.home[parts]] - self.k)

    def keys(self, parts: Integers, mask: Subset) -> Words:
        """Hashes of the parts' rows without the masked columns."""
        rows = self.row[parts]
        key = self._whole[rows]
        for column in mask:
            key = key - self._hashes[column, rows]
        return key

    def hashes(self, parts: Integers) -> tuple[Words, Words]:
        """Hashes of the parts' rows, and the d x parts hashes of which they are the sums."""
        rows = self.row[parts]
        return self._whole[rows], self._hashes[:, rows]

    def settle(self, parts: Integers, group: Integers, mask: Subset) -> None:
        """Make a class that masks ``mask`` of each group of open parts.

        Args:
            group: for each part the number of its group; equal numbers are one class.
        """
        _, place = np.unique(group, return_inverse=True)
        sizes = np.bincount(place, self.count[parts]).astype(np.int64)
        new = np.array([self.add(mask, int(size)) for size in sizes], np.int64)
        self.home[parts] = new[place]

    def move(self, part: int, records: int, home: int) -> None:
        """Move records of a settled part, or all of an open one, to a class."""
        if self.home[part] != OPEN:
            part = self.release(part, records)
        self.home[part] = home
        self.total[home] += records

    def release(self, part: int, records: int) -> int:
        """Take some records of a settled part out of their class; gives the open part they form."""
        self.total[self.home[part]] -= records
        if records == self.count[part]:
            self.home[part] = OPEN
            return part
        self.count[part] -= records
        new, self.parts = self.parts, self.parts + 1
        self.row[new], self.count[new], self.home[new] = self.row[part], records, OPEN
        return new

    def dissolve(self, home: int) -> Integers:
        """Take the class apart; gives its parts, which are open again."""
        parts = np.flatnonzero(self.home[: self.parts] == home)
        self.home[parts] = OPEN
        self.total[home] = 0
        return parts

    def masked(self) -> npt.NDArray[np.bool_]:
        """n x d: which cells are suppressed.  Records of open parts have none suppressed.

        Records with the same cells are alike: which of them moved is a matter of their order.
        """
        masks = np.zeros((len(self.masks) + 1, self.columns), bool)  # the last one is OPEN's
        for home, mask in enumerate(self.masks):
            masks[home, list(mask)] = True
        parts = np.argsort(self.row[: self.parts], kind="stable")
        homes = np.repeat(self.home[parts], self.count[parts])
        result = np.empty((len(self._inverse), self.columns), bool)
        result[np.argsort(self._inverse, kind="stable")] = masks[homes]
        return result


def weigh(values: Iterable[float], columns: int) -> npt.NDArray[np.float64]:
    """Costs scaled so that the cheapest column costs 1.

    Raises:
        ValueError: not one positive number per column.
    """
    costs = np.array(list(values), float)
    if costs.shape != (columns,) or not (np.isfinite(costs) & (costs > 0)).all():
        raise ValueError("each column has one cost, a positive number")
    scaled: npt.NDArray[np.float64] = costs / costs.min(initial=np.inf)
    return scaled


def _hashes(codes: npt.NDArray[np.int32]) -> Words:
    """d x n: a 64-bit word per cell that depends on column and code (splitmix64, Steele, Lea and
    Flood 2014).  That two of a million rows collide under one mask has a chance below 1e-7."""
    cells = codes.T.astype(np.uint64)
    cells += (np.arange(1, len(cells) + 1, dtype=np.uint64) << np.uint64(32))[:, None]
    mixed = (cells * _GOLDEN).astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    result: Words = mixed ^ (mixed >> np.uint64(31))
    return result
