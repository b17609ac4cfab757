"""Lists and their overlaps: how many people are on each combination of lists.

A cell is a combination of lists.  With K lists there are 2^K - 1; cell number c (from 1) has the
lists k whose bit ``c >> k & 1`` is set.  People on none of the lists have no cell: how many they
are is the question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MOST_LISTS = 10
"""More lists than this have over a thousand cells, nearly all of them empty."""


@dataclass(frozen=True)
class Lists:
    """People by combination of lists.

    Attributes:
        names: of the lists, sorted, so that the order of a file's columns changes nothing.
        counts: people in the cells 1 .. 2^K - 1.  Whole numbers where they were counted; where
            they come from a protected release they carry its noise and may be negative.
        sigma: standard deviation of that noise in each cell, in people; 0 where counted.

    Raises:
        ValueError: the parts do not fit each other.
    """

    names: tuple[str, ...]
    counts: tuple[float, ...]
    sigma: float = 0.0

    def __post_init__(self) -> None:
        if len(self.counts) != 2 ** len(self.names) - 1 or not 0 < len(self.names) <= MOST_LISTS:
            raise ValueError("a table has a count for each combination of its lists")
        if list(self.names) != sorted(set(self.names)):
            raise ValueError("lists are named once, in order")
        if self.sigma < 0 or not np.isfinite(self.sigma) or not np.isfinite(self.counts).all():
            raise ValueError("counts and their noise are finite numbers")

    @classmethod
    def of(
        cls, names: Sequence[str], cells: Mapping[tuple[bool, ...], float], sigma: float = 0.0
    ) -> Lists:
        """From people by combination, given in the order of ``names``; the cell of nobody's list
        is not read.

        >>> Lists.of(["b", "a"], {(True, False): 5, (True, True): 2}).counts
        (0.0, 5.0, 2.0)
        """
        order = sorted(range(len(names)), key=lambda k: names[k])
        counts = [0.0] * 2 ** len(names)
        for on, people in cells.items():
            counts[sum(1 << place for place, k in enumerate(order) if on[k])] += float(people)
        return cls(tuple(names[k] for k in order), tuple(counts[1:]), float(sigma))

    @cached_property
    def y(self) -> Floats:
        """The counts as an array."""
        return np.array(self.counts)

    @cached_property
    def on(self) -> Bools:
        """Cells x lists: which cell is on which list."""
        return members(len(self.names))

    @property
    def seen(self) -> float:
        """People on any list, noise included."""
        return float(self.y.sum())

    @property
    def overlapping(self) -> float:
        """People on two or more lists, noise included."""
        return float(self.y[self.on.sum(axis=1) > 1].sum())

    @cached_property
    def sizes(self) -> dict[str, float]:
        """People on each list."""
        return {name: float(self.y[self.on[:, k]].sum()) for k, name in enumerate(self.names)}

    @cached_property
    def pairs(self) -> dict[tuple[str, str], float]:
        """People on both of two lists, whatever else they are on."""
        return {
            (self.names[a], self.names[b]): float(self.y[self.on[:, a] & self.on[:, b]].sum())
            for a, b in pair_places(len(self.names))
        }

    def replace(self, counts: Iterable[float]) -> Lists:
        """The same lists with other counts."""
        return Lists(self.names, tuple(float(c) for c in counts), self.sigma)

    def without(self, name: str) -> Lists:
        """Without a list; people who were on that list only are no longer seen."""
        kept = [k for k, n in enumerate(self.names) if n != name]
        return self._folded([(k,) for k in kept], [self.names[k] for k in kept])

    def merged(self, one: str, other: str) -> Lists:
        """Two lists as one, named "one + other"."""
        a, b = self.names.index(one), self.names.index(other)
        groups = [(a, b), *((k,) for k in range(len(self.names)) if k not in (a, b))]
        named = [f"{one} + {other}", *(self.names[k] for k in range(len(self.names))
                                       if k not in (a, b))]  # fmt: skip
        return self._folded(groups, named)

    def _folded(self, groups: Sequence[tuple[int, ...]], names: Sequence[str]) -> Lists:
        """Cells added up where they agree on each group of lists.

        Cells that are added up add their noise too; ``sigma`` is then that of the noisiest cell.
        """
        cells: dict[tuple[bool, ...], float] = {}
        parts: dict[tuple[bool, ...], int] = {}
        for row, people in zip(self.on, self.counts, strict=True):
            key = tuple(bool(row[list(group)].any()) for group in groups)
            cells[key] = cells.get(key, 0.0) + people
            parts[key] = parts.get(key, 0) + 1
        nobody = (False,) * len(groups)
        cells.pop(nobody, None)
        parts.pop(nobody, None)
        return Lists.of(names, cells, self.sigma * max(parts.values()) ** 0.5)


def members(lists: int) -> Bools:
    """Cells x lists: which cell is on which list.

    >>> members(2).astype(int).tolist()
    [[1, 0], [0, 1], [1, 1]]
    """
    cells = np.arange(1, 2**lists)
    return (cells[:, None] >> np.arange(lists) & 1).astype(bool)


def pair_places(lists: int) -> list[tuple[int, int]]:
    """Pairs of lists by place, in the order that every array of pairs has."""
    return [(a, b) for a in range(lists) for b in range(a + 1, lists)]
