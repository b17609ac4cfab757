"""Cells of a table added up: people in them, the noise of their sum, the part that is not shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

KEPT = 256
"""Conditions whose cells a table remembers, a byte a cell each."""


@dataclass(frozen=True)
class Sum:
    """People in a sum of cells, the variance of its noise, the part in cells not shown, and the
    people whom totals that are not shown may hide beyond the noise."""

    value: float
    variance: float
    rest: float
    hidden: float = 0.0

    def half(self, z: float) -> float:
        """Half the width of the interval, in people."""
        return math.hypot(z * math.sqrt(self.variance), self.rest) + self.hidden

    def less(self, other: Sum) -> Sum:
        """The difference of two sums; their errors add."""
        return Sum(
            self.value - other.value,
            self.variance + other.variance,
            self.rest + other.rest,
            self.hidden + other.hidden,
        )


@dataclass(frozen=True)
class CellSums:
    """Cells of a table: by column the place of each distinct value and which of them each cell has;
    people."""

    columns: dict[str, tuple[dict[str, int], npt.NDArray[np.intp]]]
    people: npt.NDArray[np.float64]
    _kept: dict[tuple[str, frozenset[str]], npt.NDArray[np.bool_]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str], cells: Mapping[tuple[str, ...], float]) -> CellSums:
        """From people by cell."""
        columns = {}
        for k, name in enumerate(names):
            place: dict[str, int] = {}
            codes = [place.setdefault(cell[k], len(place)) for cell in cells]
            columns[name] = (place, np.array(codes, dtype=np.intp))
        return cls(columns, np.array(list(cells.values()), dtype=np.float64))

    def total(self, limits: Mapping[str, Collection[str]]) -> float:
        """People in the cells whose values are all within the limits."""
        return float(self.people[self._inside(limits)].sum())

    def total_and_size(self, limits: Mapping[str, Collection[str]]) -> tuple[float, int]:
        """The same, and how many cells that is."""
        inside = self._inside(limits)
        return float(self.people[inside].sum()), int(np.count_nonzero(inside))

    def largest(self, limits: Mapping[str, Collection[str]]) -> float:
        """The most people in one of these cells; 0 where there is none."""
        return float(self.people[self._inside(limits)].max(initial=0.0))

    def _inside(self, limits: Mapping[str, Collection[str]]) -> npt.NDArray[np.bool_]:
        found = [self._among(name, frozenset(allowed)) for name, allowed in limits.items()]
        if not found:
            return np.ones(self.people.size, dtype=bool)
        inside = found[0]
        for among in found[1:]:
            inside = inside & among
        return inside

    def _among(self, name: str, allowed: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Which cells have one of these values; the last ones are kept, for questions come in rows
        that differ in one condition."""
        if (name, allowed) not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            places, codes = self.columns[name]
            among = np.zeros(len(places), dtype=bool)
            among[[places[value] for value in allowed if value in places]] = True
            self._kept[name, allowed] = among[codes]
        return self._kept[name, allowed]
