"""Cells of a table added up: people in them, the noise of their sum, the part that is not shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

KEPT = 256
"""Conditions whose cells a table remembers, two bytes a cell each at most."""
NARROW = 8
"""A condition that at most every so manyth cell meets is also kept as the places of these cells."""


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
class _Met:
    """A condition on one column: for each cell whether it meets it; where these are few, also their
    places, in order."""

    cells: npt.NDArray[np.bool_]
    places: npt.NDArray[np.intp] | None


@dataclass(frozen=True)
class CellSums:
    """Cells of a table: by column the place of each distinct value and which of them each cell has;
    people, and those in cells that are not shown."""

    columns: dict[str, tuple[dict[str, int], npt.NDArray[np.intp]]]
    people: npt.NDArray[np.float64]
    rest: npt.NDArray[np.float64]
    _kept: dict[tuple[str, frozenset[str]], _Met] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        cells: Mapping[tuple[str, ...], float],
        shown: Container[tuple[str, ...]] = (),
    ) -> CellSums:
        """From people by cell."""
        columns = {}
        for k, name in enumerate(names):
            place: dict[str, int] = {}
            codes = [place.setdefault(cell[k], len(place)) for cell in cells]
            columns[name] = (place, np.array(codes, dtype=np.intp))
        rest = [0.0 if cell in shown else n for cell, n in cells.items()]
        people = np.array(list(cells.values()), dtype=np.float64)
        return cls(columns, people, np.array(rest, dtype=np.float64))

    def total(self, limits: Mapping[str, Collection[str]]) -> float:
        """People in the cells whose values are all within the limits."""
        return float(self.people[self._inside(limits)].sum())

    def total_and_rest(self, limits: Mapping[str, Collection[str]]) -> tuple[float, float]:
        """The same, and those of them in cells that are not shown."""
        inside = self._inside(limits)
        return float(self.people[inside].sum()), float(self.rest[inside].sum())

    def total_and_size(self, limits: Mapping[str, Collection[str]]) -> tuple[float, int]:
        """People in these cells, and how many cells that is."""
        inside = self._inside(limits)
        people = self.people[inside]
        return float(people.sum()), people.size

    def largest(self, limits: Mapping[str, Collection[str]]) -> float:
        """The most people in one of these cells; 0 where there is none."""
        return float(self.people[self._inside(limits)].max(initial=0.0))

    def _inside(self, limits: Mapping[str, Collection[str]]) -> npt.NDArray[np.generic]:
        """Which cells meet all limits: for each whether it does, or the places of those that do, in
        order; both choose the same people."""
        met, few = [], None
        for name, allowed in limits.items():
            one = self._among(name, frozenset(allowed))
            met.append(one)
            if one.places is not None and (few is None or one.places.size < few.size):
                few = one.places
        if few is not None:
            places = few
            for one in met:
                if one.places is not few:
                    places = places[one.cells[places]]
            return places
        inside = np.ones(self.people.size, dtype=bool)
        for one in met:
            inside &= one.cells
        return inside

    def _among(self, name: str, allowed: frozenset[str]) -> _Met:
        """Which cells have one of these values; the last ones are kept, for questions come in rows
        that differ in one condition."""
        found = self._kept.get((name, allowed))
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            places, codes = self.columns[name]
            among = np.zeros(len(places), dtype=bool)
            among[[places[value] for value in allowed if value in places]] = True
            cells = among[codes]
            at = np.flatnonzero(cells)
            found = _Met(cells, at if at.size * NARROW <= cells.size else None)
            self._kept[name, allowed] = found
        return found
