"""Which numbers are sent: the cells of every measured table, each with noise of its own."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns, Plan

Cells = npt.NDArray[np.uint32]
"""Numbers modulo 2^32."""

MOST_ROWS = 2**31 - 1
"""Rows of all contributors together at most: tables hold 32 bits with a sign."""

_LIMIT = 2**30
"""Noisy cells are cut off here, far outside what counts and noise can reach."""


class SecaggLayout:
    """The order of numbers for a plan; it follows from the plan alone, so that all sides agree.

    Args:
        plan: public; only tables whose kind has a weight above 0 are measured.

    >>> layout = SecaggLayout(Plan({"a": ("x", "y"), "b": ("z",)}))
    >>> layout.tables, layout.cells
    (((), ('a',), ('b',), ('a', 'b')), 12)
    """

    def __init__(self, plan: Plan) -> None:
        weights = plan.weights.model_dump()
        self.tables: tuple[Columns, ...] = tuple(
            t for t, kind in plan.tables.items() if weights[kind] > 0
        )
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
        """The numbers of tables, in order and modulo 2^32."""
        parts = [counts[t].ravel().astype(np.uint32) for t in self.tables]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)

    def table(self, cells: Cells, t: Columns) -> npt.NDArray[np.uint32]:
        """One table, as a view."""
        start = self.starts[t]
        shape = self.shapes[t]
        return cells[start : start + math.prod(shape)].reshape(shape)

    def signed(self, cells: Cells) -> Counts:
        """Noisy tables out of a noisy sum.

        Reduction modulo 2^32 commutes with addition: this is a function of the sum of all counts
        and all noise, whatever a contributor added to a cell.  Read as signed before the noise is
        in, a cell whose sum a liar moved to the edge of the range would tell its exact count.
        """
        tables = {t: self.table(cells, t).astype(np.int32) for t in self.tables}
        return {t: np.clip(table, -_LIMIT, _LIMIT) for t, table in tables.items()}
