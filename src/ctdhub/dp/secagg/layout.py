"""Which numbers are sent: the cells of every measured table that is no margin of another."""

from __future__ import annotations

import math
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns, Plan

Cells = npt.NDArray[np.uint32]
"""Numbers modulo 2^32."""

MOST_ROWS = 2**31 - 1
"""Rows of all contributors together at most: tables hold 32 bits with a sign."""


class SecaggLayout:
    """The order of numbers for a plan; it follows from the plan alone, so that all sides agree.

    A row of the table lies in exactly one cell of each table, so that a table of fewer columns is
    a margin of any that has them all: it is not sent, and cannot contradict the other.

    Args:
        plan: public; only tables whose kind has a weight above 0 are measured.

    >>> layout = SecaggLayout(Plan({"a": ("x", "y"), "b": ("z",)}))
    >>> layout.tables, layout.cells
    ((('a', 'b'),), 6)
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        weights = plan.weights.model_dump()
        measured = [t for t, kind in plan.tables.items() if weights[kind] > 0]
        inner = {part for t in measured for k in range(len(t)) for part in combinations(t, k)}
        self.tables: tuple[Columns, ...] = tuple(t for t in measured if t not in inner)
        self.shapes = {t: plan.shape(t) for t in self.tables}

    @cached_property
    def cells(self) -> int:
        """How many numbers are sent."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @cached_property
    def starts(self) -> dict[Columns, int]:
        """The place of the first cell of each table."""
        found, start = {}, 0
        for t, shape in self.shapes.items():
            found[t] = start
            start += math.prod(shape)
        return found

    def flat(self, counts: Counts) -> Cells:
        """The numbers of exact tables, in order."""
        parts = [counts[t].ravel().astype(np.uint32) for t in self.tables]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)

    def table(self, cells: Cells, t: Columns) -> npt.NDArray[np.uint32]:
        """One table that is sent, as a view."""
        start = self.starts[t]
        shape = self.shapes[t]
        return cells[start : start + math.prod(shape)].reshape(shape)

    @cached_property
    def hosts(self) -> dict[Columns, Columns]:
        """For each table that is sent or is a margin: the smallest sent table that holds it."""
        found: dict[Columns, Columns] = {}
        for host in sorted(self.tables, key=lambda t: math.prod(self.shapes[t])):
            for k in range(len(host) + 1):
                for part in combinations(host, k):
                    found.setdefault(part, host)
        return found
