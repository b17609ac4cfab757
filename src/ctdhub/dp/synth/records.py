"""Synthetic records: settled on the reconciled tables, and as a table of text."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ctdhub.dp import kernels, noise
from ctdhub.dp.plan import Columns, Draft, Plan
from ctdhub.dp.policy import Domains
from ctdhub.dp.published import Shown

# --------------------------------------------------------------------------------------------------
# Records settled on the reconciled tables, so that counting records gives the published counts.
#
# The fit changes single values of records, and values that hang together (a country and all pairs
# it is part of) hold each other in place: what it leaves over is far more than noise in tables of
# one column.  Here whole records are repeated or left out instead, each time where that lowers
#
#     sum over tables and cells of weight x (records - estimate)^2 / variance,
#
# a change of all tables at once that keeps every combination of values possible.  Only cells that
# stand out from the noise count, so that records do not follow noise where there is nobody.  A
# change must gain more than noise alone would offer, as in the fit.  All of it is made of noisy
# tables.

_MOST = 3
"""As often a record may count."""

_LEAST = 0.5
"""What a change must gain (0.5, 1 and 2 were tried on the practice people)."""

_FIRST = 4.0
"""Weight of tables of one column and of the number of people; each further column halves it.  They
are few, and readers look at them first."""

_PASSES, _STILL = 6, 0.02
"""Passes over all records at most; they end when a smaller share of the records changed."""

_LOOKS = 1e8
"""Records times tables in a pass, at most; tables of few columns come first."""

_EXACT = 1e12
"""A weight beyond all others: the number of people is met exactly at the end."""


def settled(
    records: Draft,
    shown: Mapping[Columns, Shown],
    plan: Plan,
    people: int,
    source: noise.Bits = os.urandom,
) -> Draft:
    """As many records in random order, some repeated and some left out.

    Args:
        records: ``people`` records, codes by column.
        shown: by table the cells that stand out, with what the least-squares fit says of them.
        source: random bits for orders; equal bits give equal records.
    """
    if not people:
        return records
    tables = [t for t in shown if t and shown[t].cells.size]
    tables.sort(key=lambda t: (len(t), shown[t].variance))
    tables = [(), *tables[: int(_LOOKS / people)]]
    codes = np.stack([records[n] for n in plan.domains], axis=1).astype(np.uint16)
    at = {n: k for k, n in enumerate(plan.domains)}
    columns = np.array([at[n] for t in tables for n in t], dtype=np.int64)
    strides = [np.cumprod((1, *plan.shape(t)[:0:-1]))[::-1] for t in tables if t]
    sizes = np.array([int(np.prod(plan.shape(t))) for t in tables])
    starts = np.cumsum(sizes) - sizes
    place = np.zeros(int(sizes.sum()), dtype=np.int32)
    place[0] = 1
    residual = [np.zeros(2)]  # of cells that do not count, and of the number of people
    met = 2
    for t, start in zip(tables[1:], starts[1:], strict=True):
        cells = shown[t].cells
        place[start + cells] = np.arange(met, met + cells.size)
        flat = np.ravel_multi_index([records[n] for n in t], plan.shape(t))
        made = np.bincount(flat, minlength=int(np.prod(plan.shape(t))))[cells]
        residual.append(made - shown[t].value)
        met += cells.size
    misfit = np.concatenate(residual)
    weight = np.array([_FIRST / 2 ** max(0, len(t) - 1) / shown[t].variance for t in tables])
    times = np.ones(people, dtype=np.int64)
    layout = (
        codes,
        columns,
        np.concatenate([*strides, np.zeros(0, dtype=np.int64)]).astype(np.int64),
        np.cumsum([len(t) for t in tables]),
        starts,
        place,
    )

    def sweep(least: float) -> int:
        order = noise.permutation(people, source)
        return kernels.settle(*layout, misfit, weight, times, order, _MOST, least)

    for _ in range(_PASSES):
        if sweep(_LEAST) < _STILL * people:
            break
    weight[0] = _EXACT
    sweep(0.0)
    index = np.repeat(np.arange(people), times)[noise.permutation(people, source)]
    return {name: column[index] for name, column in records.items()}


# --------------------------------------------------------------------------------------------------
# Protected records as a table of text.


def to_table(records: Draft, domains: Domains) -> pa.Table:
    """One text column per public column, null where not recorded; ``records`` are used up."""
    return pa.table(
        {
            name: pa.array([None, *domain], pa.string()).take(pa.array(records.pop(name)))
            for name, domain in domains.items()
        }
    )
