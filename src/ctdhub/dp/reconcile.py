"""The exact weighted least-squares fit to all noisy tables at once.

A table over columns U is the sum of interaction components, one for each set S of its columns: a
component sums to zero along each of its axes and is repeated along the others.  These parts are
orthogonal, so each measured table that contains S gives an independent estimate of the component
of S, and the least-squares solution is their mean weighed by inverse variance, component by
component.  Centring is linear, so that this is the centred pooled table of S (``pooling``), and

    fitted(U) = sum over S in U of component(S) / (product of the sizes of U outside S).

Every fitted table sums to every fitted table of fewer of its columns.  All of it is made of noisy
tables and public settings, so it costs no privacy.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns
from ctdhub.dp.pooling import Estimated, pool, variances
from ctdhub.dp.workload import Workload

Floats = npt.NDArray[np.float64]


def reconciled(noisy: Counts, questions: Workload) -> dict[Columns, Estimated]:
    """The least-squares estimate of every measured table, and of the number of people.

    Values are unbiased, may be negative, and add up over every axis.

    Args:
        noisy: every table of the questions, as it was measured.
    """
    pooled = pool(noisy, questions, _most(questions))
    components = {t: _centred(found.value) for t, found in pooled.items()}
    sizes = {n: size for q in questions for n, size in zip(q.columns, q.shape, strict=True)}
    variance = cell_variances(questions)
    return {t: Estimated(_composed(t, components, sizes), variance[t]) for t in variance}


def cell_variances(questions: Workload) -> dict[Columns, float]:
    """Variance of each cell of each table of :func:`reconciled`; public, like the questions."""
    sure = variances(questions, _most(questions))
    sizes = {n: size for q in questions for n, size in zip(q.columns, q.shape, strict=True)}
    return {
        t: sum(
            sure[s] * math.prod(1 - 1 / sizes[n] if n in s else sizes[n] ** -2 for n in t)
            for s in _parts(t)
        )
        for t in dict.fromkeys([(), *(q.columns for q in questions)])
    }


def _most(questions: Workload) -> int:
    return max(len(q.columns) for q in questions)


def _parts(table: Columns) -> list[Columns]:
    return [s for k in range(len(table) + 1) for s in combinations(table, k)]


def _centred(value: Floats) -> Floats:
    """The component of all axes: the mean along each of them taken away."""
    for axis in range(value.ndim):
        value = value - value.mean(axis, keepdims=True)
    return value


def _composed(table: Columns, components: dict[Columns, Floats], sizes: dict[str, int]) -> Floats:
    """A table as the sum of its components, each spread evenly over the axes that it lacks."""
    found = np.zeros(tuple(sizes[n] for n in table))
    for s in _parts(table):
        spread = components[s] / math.prod(sizes[n] for n in table if n not in s)
        found += spread.reshape([sizes[n] if n in s else 1 for n in table])
    return found
