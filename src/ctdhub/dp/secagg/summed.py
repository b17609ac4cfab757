"""The sum of counts, as the engine takes it in place of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns
from ctdhub.dp.rows import Tally
from ctdhub.dp.secagg.layout import MOST_ROWS, Cells, SecaggLayout


class Summed:
    """Exact counts of all contributors together; sensitive, as people are.

    Args:
        layout: of the plan.
        cells: the numbers, ``layout.cells`` of them.

    Raises:
        ValueError: these are no counts of rows: their number differs from table to table, or is
            too large.  Numbers with a mask that did not come off fail here, but for a chance of
            2^-31 for each table.
    """

    def __init__(self, layout: SecaggLayout, cells: Cells) -> None:
        if cells.shape != (layout.cells,) or cells.dtype != np.uint32:
            raise ValueError("the numbers do not fit the tables")
        totals = {int(layout.table(cells, t).sum(dtype=np.uint64)) for t in layout.tables}
        if len(totals) > 1 or max(totals, default=0) > MOST_ROWS:
            raise ValueError("the numbers are no counts")
        self._layout, self.cells = layout, cells
        self.rows = max(totals, default=0)

    def counts(self, tallies: Sequence[Tally]) -> list[Counts]:
        """The tables of each tally, of people without their rows; see ``Rows``.

        Raises:
            KeyError: a table is not among those of the plan.
        """
        return [self.tables(tally.tables) for tally in tallies]

    def tables(self, wanted: Iterable[Columns]) -> Counts:
        """Exact tables by columns in the order of the plan; margins are added up."""
        found: Counts = {}
        for t in wanted:
            host = self._layout.hosts[t]
            away = tuple(axis for axis, name in enumerate(host) if name not in t)
            table = self._layout.table(self.cells, host)
            found[t] = np.asarray(table.sum(axis=away, dtype=np.int64)).astype(np.int32)
        return found
