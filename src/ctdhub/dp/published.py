"""The published counts: one set in which every sum adds up, with intervals that agree with it.

A count is that of the settled records (``synth.record_reweighting``), so that counts are whole,
never negative and add up over every axis, region and filter.  Its interval is that of the unbiased
least-squares estimate (``reconcile``), made wider where it does not reach :data:`_NEAR` standard
deviations to either side of the count.

Intervals are then made to agree with each other: the people of a cell are among those of every cell
that contains it, so where both intervals hold the truth the whole has at least as many people as
the part's low end, and the part at most as many as the whole's high end, be the whole shown or not
(:func:`ctdhub.border.unseen_end`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.border import COUNTS, PROTECTED, SHOWN, Estimate, highest_unseen, unseen_end
from ctdhub.dp.count import Counts
from ctdhub.dp.intervals import Shown
from ctdhub.dp.plan import Columns
from ctdhub.dp.policy import Domains
from ctdhub.dp.workload import Measurement, Workload

Whole = npt.NDArray[np.int64]
Places32 = npt.NDArray[np.int32]

_NEAR = 1.5
"""Standard deviations around the count that its interval holds (0 to 1.96 were tried on five shapes
of ``benchmarks/reconcile.py``): where records and estimate differ, either may be the nearer one.
With 0 the intervals of small counts held the truth in 90 % of cases, with 1.5 in 98 %, and are at
most 3 % wider."""


@dataclass(frozen=True)
class PublishedCells:
    """Cells of a table that are published: flat places, counts and ends of their intervals."""

    cells: npt.NDArray[np.intp]
    count: Whole
    low: Whole
    high: Whole


def published_cells(
    made: Counts,
    questions: Workload,
    people: Estimate,
    shown: Mapping[Columns, Shown],
    level: float,
    false_share: float,
) -> dict[Columns, PublishedCells]:
    """The published cells of every table; () is the number of people, shown or not.

    Args:
        made: every table of the settled records.
        shown: the cells that stand out, see :func:`ctdhub.dp.intervals.shown_cells`.
        level: of the intervals, in 0..1.
        false_share: by which they were chosen.
    """
    asked = {q.columns: q for q in questions if q.columns}
    ends = {t: _ends(made[t], shown[t]) for t in asked}
    wholes = {t: list(_wholes(asked, ends, t)) for t in asked}
    for t in sorted(asked, key=len, reverse=True):
        for whole, part, place, _others in wholes[t]:
            np.maximum.at(ends[whole].low, place, ends[t].low[part])
    for t in sorted(asked, key=len):
        high = ends[t].high
        np.minimum(high, people.high, out=high)
        for whole, part, place, others in wholes[t]:
            high[part] = np.minimum(high[part], ends[whole].high[place])
            if others.size:
                size, cells, sd = made[whole].size, ends[whole].cells.size, shown[whole].sd
                most = unseen_end(highest_unseen(sd, size, cells, false_share), sd, level)
                high[others] = np.minimum(high[others], np.maximum(most, ends[t].count[others]))
    total = np.array([0] if people.low > 0 else [], dtype=np.intp)
    stated = [np.full(total.size, n, "i8") for n in (people.value, people.low, people.high)]
    return {(): PublishedCells(total, *stated), **ends}


def _ends(made: npt.NDArray[np.integer], shown: Shown) -> PublishedCells:
    """Counts and intervals; a cell whose interval then reaches zero is left out: there the noise
    went up, and what all other tables say of it is less."""
    count = made.ravel()[shown.cells].astype(np.int64)
    middle = np.rint(shown.value).astype(np.int64)
    near = math.ceil(_NEAR * shown.sd)
    low = np.minimum(middle - shown.radius, count - near)
    high = np.maximum(middle + shown.radius, count + near)
    kept = low > 0
    return PublishedCells(shown.cells[kept], count[kept], low[kept], high[kept])


def _wholes(
    asked: Mapping[Columns, Measurement], ends: Mapping[Columns, PublishedCells], table: Columns
) -> Iterator[tuple[Columns, Places32, Places32, Places32]]:
    """The measured tables of fewer columns: cells of this one that a shown cell there contains,
    which cell that is, and the other cells of this one."""
    cells, shape = ends[table].cells, asked[table].shape
    if not cells.size:
        return
    at = dict(zip(table, np.unravel_index(cells, shape), strict=True))
    for k in range(1, len(table)):
        for whole in combinations(table, k):
            if whole not in asked:
                continue
            shown = np.append(ends[whole].cells, -1)
            flat = at[whole[0]]
            for name, size in zip(whole[1:], asked[whole].shape[1:], strict=True):
                flat = flat * size + at[name]
            place = shown[:-1].searchsorted(flat)
            inside = shown[place] == flat
            part, others = inside.nonzero()[0], (~inside).nonzero()[0]
            yield whole, *(x.astype(np.int32) for x in (part, place[part], others))


def counts_table(
    cells: Mapping[Columns, PublishedCells], questions: Workload, domains: Domains, people: Estimate
) -> pa.Table:
    """The published counts, see :data:`ctdhub.border.COUNTS`.

    Columns are in the order of the schema.  The first row, without columns, is the number of
    people; it is always there.
    """
    state = SHOWN if people.low > 0 else PROTECTED
    total = {"columns": [], "values": [], "count": people.value}
    total |= {"low": people.low, "high": people.high, "state": state}
    first = pa.Table.from_pylist([total], schema=COUNTS)
    some = [q for q in questions if q.columns and cells[q.columns].cells.size]
    if not some:
        return first
    found = [cells[q.columns] for q in some]
    places = [np.unravel_index(c.cells, q.shape) for q, c in zip(some, found, strict=True)]
    columns = [
        *named_cells(list(zip([q.columns for q in some], places, strict=True)), domains),
        *(np.concatenate([getattr(c, end) for c in found]) for end in ("count", "low", "high")),
    ]
    columns.append(pa.array([SHOWN], pa.string()).take(pa.array(np.zeros(columns[-1].size, "i4"))))
    return pa.concat_tables([first, pa.table(columns, schema=COUNTS)]).combine_chunks()


Places = tuple[npt.NDArray[np.intp], ...]


def named_cells(
    tables: Sequence[tuple[Columns, Places]], domains: Domains
) -> tuple[pa.ListArray, pa.ListArray]:
    """``columns`` and ``values`` of cells of tables, for the tables of the border.

    Args:
        tables: columns, and by column the code of each cell on its axis; 0 is "not recorded".
    """
    names = list(dict.fromkeys(name for columns, _places in tables for name in columns))
    texts = [text for name in names for text in ("", *domains[name])]
    starts = np.cumsum([0, *(1 + len(domains[name]) for name in names)])
    at = {name: k for k, name in enumerate(names)}
    which, codes, widths = [], [], []
    for columns, places in tables:
        n, axes = places[0].size, np.array([at[name] for name in columns], dtype=np.int32)
        which.append(np.tile(axes, n))
        codes.append((np.stack(places, axis=1) + starts[axes]).astype(np.int32).ravel())
        widths.append(np.full(n, len(columns), dtype=np.int32))
    ends = np.cumsum(np.concatenate([[0], *widths]), dtype=np.int32)
    return tuple(
        pa.ListArray.from_arrays(pa.array(ends), pa.array(known, pa.string()).take(pa.array(index)))
        for known, index in ((names, np.concatenate(which)), (texts, np.concatenate(codes)))
    )
