"""What all noisy tables together say: pooled sums, and the exact weighted least-squares fit."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns
from ctdhub.dp.workload import Workload

# --------------------------------------------------------------------------------------------------
# What all noisy tables together say of one: their sums, weighed by how sure they are.
#
# Every table is measured with noise of its own, so the margins of different tables are independent
# estimates of the same counts: their mean weighed by inverse variance is the best linear one (Gauss
# and Markov).  Its noise is a weighted sum of discrete Gaussians, hence sub-Gaussian with the
# parameter that the variance states (Canonne, Kamath and Steinke 2020, corollary 17).

Floats = npt.NDArray[np.float64]
Axes = tuple[int, ...]


@dataclass(frozen=True)
class Estimated:
    """A table as all measurements together see it.

    Attributes:
        value: unbiased, not rounded, cells may be negative.
        variance: of each cell.
    """

    value: Floats
    variance: float

    @property
    def sd(self) -> float:
        """Standard deviation of each cell."""
        return float(self.variance**0.5)


def variances(questions: Workload, most: int = 2) -> dict[Columns, float]:
    """Variance of the cells of each estimate of :func:`pool`, and of larger tables as measured.

    It depends on the questions alone, so it is known before anything is counted.
    """
    sure: dict[Columns, float] = defaultdict(float)
    for q in questions:
        for kept, _of, _axes, cells in reversed(_route(q.shape, most)):
            sure[tuple([q.columns[a] for a in kept])] += 1 / (q.variance * cells)
    own = {q.columns: q.variance for q in questions if len(q.columns) > most}
    return {t: 1 / weight for t, weight in sure.items()} | own


def pool(noisy: Counts, questions: Workload, most: int = 2) -> dict[Columns, Estimated]:
    """Estimates of every table of at most ``most`` columns that was measured, or is part of one."""
    variance = variances(questions, most)
    value: dict[Columns, Floats] = {}
    for q in questions:
        whole: npt.NDArray[np.integer] = noisy[q.columns]
        margins: dict[Axes, npt.NDArray[np.integer]] = {tuple(range(whole.ndim)): whole}
        for kept, of, axes, cells in _route(q.shape, most):
            part = tuple([q.columns[axis] for axis in kept])
            margins[kept] = found = margins[of].sum(axes) if axes else margins[of]
            margin = np.asarray(found * (1 / (q.variance * cells) * variance[part]))
            if part in value:
                value[part] += margin
            else:
                value[part] = margin
    return {t: Estimated(value[t], variance[t]) for t in value}


@cache
def _parts(columns: int, most: int) -> tuple[tuple[Axes, Axes], ...]:
    """Axes that are kept, and axes that are summed, of each part with at most ``most`` columns."""
    axes = range(columns)
    return tuple(
        (kept, tuple(axis for axis in axes if axis not in kept))
        for held in range(min(most, columns) + 1)
        for kept in combinations(axes, held)
    )


@cache
def _route(shape: tuple[int, ...], most: int) -> tuple[tuple[Axes, Axes, Axes, int], ...]:
    """How to sum a table: axes that a part keeps, the smallest margin before it that has these,
    the axes of that one to sum over, and how many cells of the table go into one of the part."""
    known = {tuple(range(len(shape))): math.prod(shape)}
    steps = []
    for kept, summed in reversed(_parts(len(shape), most)):
        of = min((axes for axes in known if {*kept} <= {*axes}), key=lambda axes: known[axes])
        known[kept] = math.prod(shape[a] for a in kept)
        axes = tuple(k for k, axis in enumerate(of) if axis not in kept)
        steps.append((kept, of, axes, math.prod(shape[a] for a in summed)))
    return tuple(steps)


# --------------------------------------------------------------------------------------------------
# The exact weighted least-squares fit to all noisy tables at once.
#
# A table over columns U is the sum of interaction components, one for each set S of its columns: a
# component sums to zero along each of its axes and is repeated along the others.  These parts are
# orthogonal, so each measured table that contains S gives an independent estimate of the component
# of S, and the least-squares solution is their mean weighed by inverse variance, component by
# component.  Centring is linear, so that this is the centred pooled table of S (``pool``), and
#
#     fitted(U) = sum over S in U of component(S) / (product of the sizes of U outside S).
#
# Every fitted table sums to every fitted table of fewer of its columns.  All of it is made of noisy
# tables and public settings, so it costs no privacy.

_AT_ONCE = 2**19
"""So many cells of tables of one shape are fitted together at most."""


def most_pooled(questions: Workload) -> int:
    """Tables of so many columns are pooled: the largest are part of no other."""
    return max(2, _most(questions) - 1)


def least_squares(
    noisy: Counts,
    questions: Workload,
    pooled: dict[Columns, Estimated],
    variance: dict[Columns, float],
) -> Iterator[tuple[Columns, Estimated]]:
    """The least-squares estimate of every measured table and of the number of people, one after
    another, in any order: together they are large.

    Values are unbiased, may be negative, and add up over every axis.

    Args:
        noisy: every table of the questions, as it was measured.
        pooled: tables of at most :func:`most_pooled` columns.
        variance: of each table's cells, of :func:`cell_variances`.
    """
    sizes = {n: size for q in questions for n, size in zip(q.columns, q.shape, strict=True)}
    components = {t: _centred(e.value[None])[0] for t, e in pooled.items()}
    for group in _batches(variance, sizes):
        for t, value in zip(group, _composed(group, noisy, components, sizes), strict=True):
            yield t, Estimated(value, variance[t])


def cell_variances(questions: Workload) -> dict[Columns, float]:
    """Variance of each cell of each table of :func:`least_squares`; public, like the questions."""
    of_sum = sum_variance(questions)
    tables = dict.fromkeys([(), *(q.columns for q in questions)])
    return {t: of_sum(dict.fromkeys(t, 1)) for t in tables}


def sum_variance(questions: Workload) -> Callable[[Mapping[str, int]], float]:
    """The variance of a sum of cells of a table of :func:`least_squares`, by how many values of
    each of its columns are in the sum; the formula is that of ``stats.estimator.SumVariances``."""
    sure = {frozenset(t): v for t, v in variances(questions, _most(questions)).items()}
    sizes = {n: size for q in questions for n, size in zip(q.columns, q.shape, strict=True)}

    def of(many: Mapping[str, int]) -> float:
        share = {n: (a, a / sizes[n]) for n, a in many.items()}
        return sum(
            sure[frozenset(s)]
            * math.prod([a * (1 - part) if n in s else part**2 for n, (a, part) in share.items()])
            for s in _reconcile_parts(tuple(many))
        )

    return of


def _most(questions: Workload) -> int:
    return max(len(q.columns) for q in questions)


def _reconcile_parts(table: Columns) -> list[Columns]:
    return [s for k in range(len(table) + 1) for s in combinations(table, k)]


def _batches(tables: Iterable[Columns], sizes: dict[str, int]) -> Iterator[list[Columns]]:
    """Tables of one shape together: there are thousands of tables, and few shapes."""
    alike: dict[tuple[int, ...], list[Columns]] = defaultdict(list)
    for t in tables:
        alike[tuple([sizes[n] for n in t])].append(t)
    for shape, group in alike.items():
        step = max(1, _AT_ONCE // math.prod(shape))
        for start in range(0, len(group), step):
            yield group[start : start + step]


def _centred(value: Floats) -> Floats:
    """The components of all axes but the first: the mean along each of them taken away."""
    for axis in range(1, value.ndim):
        value = value - value.mean(axis, keepdims=True)
    return value


def _composed(
    group: list[Columns], noisy: Counts, components: dict[Columns, Floats], sizes: dict[str, int]
) -> Floats:
    """Tables of one shape as the sum of their components, each spread evenly over the axes that it
    lacks."""
    shape = tuple(sizes[n] for n in group[0])
    found = np.zeros((len(group), *shape))
    kept = (axes for k in range(len(shape) + 1) for axes in combinations(range(len(shape)), k))
    for axes in kept:
        parts = [tuple([t[k] for k in axes]) for t in group]
        if parts[0] in components:
            whole = np.stack([components[s] for s in parts])
        else:
            whole = _centred(np.stack([noisy[s] for s in parts]).astype(np.float64))
        spread = whole / math.prod(size for k, size in enumerate(shape) if k not in axes)
        found += spread.reshape(-1, *(size if k in axes else 1 for k, size in enumerate(shape)))
    return found
