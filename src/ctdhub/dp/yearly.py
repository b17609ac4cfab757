"""Unbiased counts by year, as the least-squares fit sees them.

Everything here is a function of noisy tables and public settings, so it costs nothing: whoever
sees the noisy tables learns no more from a part of them (post-processing).  A year of a small
group drowns in noise, while sums, shares and models over many years may be clear of it; they need
unbiased inputs, which a table of cells "chosen because they are large" does not give.

Groups, though, are chosen by their totals.  Where that total is off by e, each of its Y years is
off by e / Y on average (the covariance of one year's noise with the pooled total is the variance
of the total divided by Y).  So a group that is just shown is too large by a fraction of a person a
year, and its sum over all years by as much as its shown total.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.border import MEASUREMENTS
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.published import PublishedCells, named_cells
from ctdhub.dp.workload import Workload

DECIMALS = 2
"""Estimates are rounded to so many decimals, far below their noise."""


def by_year(
    found: Mapping[Columns, Estimated],
    questions: Workload,
    plan: Plan,
    shown: Mapping[Columns, PublishedCells],
) -> pa.Table:
    """The noisy counts by year of every group whose total is shown; see ``MEASUREMENTS``.

    A group is a cell of a measured table without its column of years; the table without years is
    measured too, and shows that cell.  Years of a group are in order, "not recorded" last.

    Args:
        found: every table as the least-squares fit sees it: unbiased, not chosen, not rounded.
        shown: the published cells of each table.
    """
    parts = [MEASUREMENTS.empty_table()]
    for q in questions:
        if plan.year is None or plan.year not in q.columns:
            continue
        axis = q.columns.index(plan.year)
        rest = tuple(n for n in q.columns if n != plan.year)
        if rest not in shown or not shown[rest].cells.size:
            continue
        last = np.moveaxis(found[q.columns].value, axis, -1).reshape(-1, q.shape[axis])
        parts.append(_rows(last[shown[rest].cells], q.columns, axis, shown[rest], plan))
    return pa.concat_tables(parts).combine_chunks()


def _rows(
    values: npt.NDArray[Any], columns: Columns, axis: int, groups: PublishedCells, plan: Plan
) -> pa.Table:
    """Rows of one table: groups by years."""
    order = np.roll(np.arange(values.shape[1]), -1)  # "not recorded", the first place, goes last
    rest = tuple(n for n in columns if n != columns[axis])
    places = [
        np.repeat(p, order.size)
        for p in (np.unravel_index(groups.cells, plan.shape(rest)) if rest else ())
    ]
    places.insert(axis, np.tile(order, groups.cells.size))
    names, texts = named_cells(columns, tuple(places), plan.domains)
    noisy = np.round(values[:, order].astype(float), DECIMALS).ravel()
    return pa.table([names, texts, pa.array(noisy)], schema=MEASUREMENTS)
