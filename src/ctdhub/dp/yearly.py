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

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.border import MEASUREMENTS
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.pooling import Estimated
from ctdhub.dp.published import Places, PublishedCells, named_cells
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
    tables, values = [], [np.zeros(0)]
    for q in questions:
        if plan.year is None or plan.year not in q.columns:
            continue
        axis = q.columns.index(plan.year)
        rest = tuple(n for n in q.columns if n != plan.year)
        if rest not in shown or not shown[rest].cells.size:
            continue
        last = np.moveaxis(found[q.columns].value, axis, -1).reshape(-1, q.shape[axis])
        last = last[shown[rest].cells]
        order = np.roll(np.arange(last.shape[1]), -1)  # "not recorded", the first place, goes last
        tables.append((q.columns, _places(order, axis, plan.shape(rest), shown[rest].cells)))
        values.append(last[:, order].ravel())
    if not tables:
        return MEASUREMENTS.empty_table()
    noisy = np.round(np.concatenate(values), DECIMALS)
    return pa.table([*named_cells(tables, plan.domains), pa.array(noisy)], schema=MEASUREMENTS)


def _places(
    order: npt.NDArray[np.intp], axis: int, shape: tuple[int, ...], groups: npt.NDArray[np.intp]
) -> Places:
    """Groups by years: by column, the code of each cell.

    Args:
        axis: of the years.
        shape, groups: of the table without years, and its cells that are groups.
    """
    codes = np.unravel_index(groups, shape) if shape else ()
    places = [np.repeat(code, order.size) for code in codes]
    places.insert(axis, np.tile(order, groups.size))
    return tuple(places)
