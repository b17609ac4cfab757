"""Lists and their overlaps: how many people are on each combination of lists.

A cell is a combination of lists.  With K lists there are 2^K - 1; cell number c (from 1) has the
lists k whose bit ``c >> k & 1`` is set.  People on none of the lists have no cell: how many they
are is the question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Literal

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
    def people(self) -> float:
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
        rest = [k for k in range(len(self.names)) if k not in (a, b)]
        named = [f"{one} + {other}", *(self.names[k] for k in rest)]
        return self._folded([(a, b), *((k,) for k in rest)], named)

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


# --------------------------------------------------------------------------------------------------
# Whether the lists overlap enough for any number to be given.
#
# All that is known about people on no list comes from people on several.  The relative standard
# error of an estimate is about one over the root of their number (G. A. F. Seber, 1982, The
# Estimation of Animal Abundance, chapter 3): a third at ten, so that twice the estimate and half of
# it are both within reach.  D. S. Robson and H. A. Regier, 1964, Trans. Am. Fish. Soc. 93:215, ask
# for seven to keep the bias small; ten leaves room for wrong links.  Where counts carry the noise
# of protection the lower end of the interval of that number must reach ten.
#
# People who are not on a list enter the error as the overlap does: with m people on both of two
# lists and o1 and o2 on the other one only, o1 o2 / m are on none, with a relative variance of
# about 1 / m + 1 / o1 + 1 / o2.  So ten people must be off each list.  A list that receives
# everybody from the others (a registry, the end of a referral system) says nothing about people on
# no list; nor does one whose people are all on another list, though these hold far from everybody.

LEAST_OVERLAP = 10
"""People on two or more lists, and people seen who are not on a list."""
SURPRISING = 0.02
"""Chance below which a list inside another is no coincidence."""

Rule = Literal["two-lists", "overlap", "nested-lists"]


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    Attributes:
        lists: what may be estimated from: lists that share people with another; None where refused.
        refused: the rule that refuses; None where a number may be given.
        overlapping: people on two or more lists.
        certain: the lower end of its interval where it carries noise, else the same.
        alone: lists that share nobody with any other; they are left out.
        nested: where ``refused`` is nested-lists: the list that holds nearly everybody, or a list
            all of whose people are on another, and that other.
        outside: people seen who are not on the list that holds nearly everybody.
    """

    lists: Lists | None
    refused: Rule | None
    overlapping: float
    certain: float
    alone: tuple[str, ...]
    nested: tuple[str, ...] = ()
    outside: float = 0.0


def pass_gate(lists: Lists, level: float) -> Gate:
    """Leave out lists that share nobody, then ask for enough people on several lists."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    alone: list[str] = []
    while len(lists.names) > 1:
        noise = z * lists.sigma * (2 ** (len(lists.names) - 1) - 1) ** 0.5
        shared = {
            name: sum(float(y) for on, y in zip(lists.on, lists.y, strict=True)
                      if on[k] and on.sum() > 1)
            for k, name in enumerate(lists.names)
        }  # fmt: skip
        lonely = [name for name, people in shared.items() if people - noise <= 0]
        if not lonely:
            break
        if len(lonely) >= len(lists.names) - 1:  # nothing to compare with
            alone += lonely
            break
        worst = min(lonely, key=lambda name: (shared[name], name))
        alone.append(worst)
        lists = lists.without(worst)
    cells = int((lists.on.sum(axis=1) > 1).sum())
    overlapping = lists.overlapping
    certain = overlapping - z * lists.sigma * cells**0.5
    refused: Rule | None = None
    if len(lists.names) - len(set(alone) & set(lists.names)) < 2:
        refused = "two-lists"
    elif certain < LEAST_OVERLAP:
        refused = "overlap"
    left = tuple(sorted(alone))
    if refused is None and (pair := _nested(lists, z)):
        return Gate(None, "nested-lists", overlapping, certain, left, *pair)
    return Gate(None if refused else lists, refused, overlapping, certain, left)


def _nested(lists: Lists, z: float) -> tuple[tuple[str, ...], float] | None:
    """A list that holds nearly everybody, or one inside another; None where there is none."""
    off = lists.y @ ~lists.on
    noise = z * lists.sigma * float((~lists.on[:, 0]).sum()) ** 0.5
    k = int(off.argmin())
    if off[k] - noise < LEAST_OVERLAP:
        return (lists.names[k],), float(off[k])
    for inner in range(len(lists.names)):
        for outer in range(len(lists.names)):
            if inner != outer and _inside(lists, inner, outer):
                return (lists.names[inner], lists.names[outer]), 0.0
    return None


def _inside(lists: Lists, inner: int, outer: int) -> bool:
    """Whether all people of a list are on another, and more surely than those of the others are."""
    on, y = lists.on, lists.y
    if float(y[on[:, inner] & ~on[:, outer]].sum()) > 0:
        return False
    rest = on[:, [k for k in range(len(lists.names)) if k not in (inner, outer)]].any(axis=1)
    rest &= ~on[:, inner]
    elsewhere, both = float(y[rest].sum()), float(y[rest & on[:, outer]].sum())
    share = min(max(both / elsewhere, 0.0), 1.0) if elsewhere > 0 else 1.0
    return bool(share ** max(float(y[on[:, inner]].sum()), 0.0) < SURPRISING)
