"""Measuring each table of the workload once, and what all noisy tables together say."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ctdhub.core.errors import error
from ctdhub.dp import noise
from ctdhub.dp.accounting import gaussian_rho, sigma2_for, split
from ctdhub.dp.count import Counts, Table
from ctdhub.dp.plan import Columns, Kind, Plan

_GROWTH = 0.5
"""Within a kind a table's share grows with cells^0.5, so that sigma falls with cells^-0.25
(0.3, 0.5 and 0.7 were tried on fictitious people; sizes of tables are public)."""


_LIMIT = 2**30

_AT_ONCE = 2**18
"""So many cells are drawn at once, at most, or one table."""


@dataclass(frozen=True)
class Measurement:
    """One table of the workload: its columns, shape, kind, noise, and how far one person reaches.

    ``reach`` is the squared L2 sensitivity: how much the squares of all changes of cells add up to
    when one person comes or goes.
    """

    columns: Columns
    shape: tuple[int, ...]
    kind: Kind
    sigma2: Fraction
    reach: int = 1

    @property
    def cells(self) -> int:
        """Number of cells of the public domain, "not recorded" counted as a value."""
        return math.prod(self.shape)

    @cached_property
    def variance(self) -> float:
        """Sigma squared as a number."""
        return float(self.sigma2)

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise (a bound of it: the discrete Gaussian's is smaller)."""
        return math.sqrt(self.sigma2)


Workload = tuple[Measurement, ...]


def workload(plan: Plan, rho: float) -> Workload:
    """All tables of a plan with their noise; they cost at most ``rho`` together.

    Raises:
        PolicyError: a table would get more noise than can be drawn; told before anything is paid.
    """
    weights = plan.weights.model_dump()
    kinds = {t: kind for t, kind in plan.tables.items() if weights[kind] > 0}
    left, _of_regions = split(rho, [_regions(plan)])
    return _divided(plan, kinds, {t: plan.shape(t) for t in kinds}, left)


def regional(plan: Plan, rho: float) -> Workload:
    """The tables of regions with their noise, which cost at most their part of ``rho``: what
    :func:`workload` leaves of it.

    Raises:
        PolicyError: as :func:`workload`.
    """
    kinds: dict[Columns, Kind] = dict.fromkeys(plan.regions, "regions")
    shapes = {t: plan.region_shape(t) for t in kinds}
    _left, of_regions = split(rho, [_regions(plan)])
    return _divided(plan, kinds, shapes, of_regions)


def in_regions(exact: Mapping[Columns, Table], plan: Plan) -> Counts:
    """The tables of regions, added up from those of single values."""
    tables: Counts = {}
    for t in plan.regions:
        shape = plan.region_shape(t)
        cells = np.ravel_multi_index(np.ix_(*(plan.region_codes(n) for n in t)), shape)
        people = np.bincount(cells.ravel(), exact[t].ravel(), math.prod(shape))
        tables[t] = people.astype(np.int32).reshape(shape)
    return tables


def _regions(plan: Plan) -> float:
    """Share of rho of the tables of regions."""
    weights = plan.weights.model_dump()
    others = sum(weights[kind] for kind in {*plan.tables.values()})
    return weights["regions"] / (others + weights["regions"]) if plan.regions else 0.0


def _divided(
    plan: Plan, kinds: Mapping[Columns, Kind], shapes: Mapping[Columns, tuple[int, ...]], rho: float
) -> Workload:
    weights = plan.weights.model_dump()
    weigh = {t: float(math.prod(shape)) ** _GROWTH for t, shape in shapes.items()}
    of_kind: dict[Kind, float] = defaultdict(float)
    for t, kind in kinds.items():
        of_kind[kind] += weigh[t]
    total = sum(weights[kind] for kind in of_kind)
    budget = Fraction(rho)
    sigma2: dict[tuple[Kind, float], Fraction] = {}  # thousands of tables, few sizes
    questions = []
    for t, kind in kinds.items():
        alike = kind, weigh[t]
        if alike not in sigma2:
            share = Fraction(weights[kind] / total) * Fraction(weigh[t] / of_kind[kind])
            # The shares are rounded numbers; a billionth less keeps their sum under the whole.
            part = budget * share * Fraction(10**9 - 1, 10**9)
            sigma2[alike] = question(t, shapes[t], kind, part, plan.reach).sigma2
        questions.append(Measurement(t, shapes[t], kind, sigma2[alike], plan.reach))
    if cost(tuple(questions)) > budget:
        raise ArithmeticError("the workload costs more than its budget")
    return tuple(questions)


def question(
    columns: Columns, shape: tuple[int, ...], kind: Kind, part: Fraction, reach: int = 1
) -> Measurement:
    """A table with the least noise that costs at most ``part``.

    Raises:
        PolicyError: it would get more noise than can be drawn.
    """
    return Measurement(columns, shape, kind, _affordable(part / reach), reach)


def _affordable(part: Fraction) -> Fraction:
    """Sigma squared of a table of sensitivity 1 that may cost ``part``."""
    if 2 * part * noise.MAX_SIGMA2 < 1:
        raise error("policy-noise", file="policy.yaml")
    return sigma2_for(part)


def cost(questions: Workload) -> Fraction:
    """Exact cost in rho of measuring each question once: reach / (2 sigma squared) of each."""
    alike = Counter((q.reach, q.sigma2) for q in questions)
    each = (n * reach * gaussian_rho(sigma2) for (reach, sigma2), n in alike.items())
    return sum(each, Fraction(0))


def measure(counts: Counts, questions: Workload, source: noise.Bits = os.urandom) -> Counts:
    """The noisy tables: each cell plus its own draw of N_Z(0, sigma squared)."""
    noisy: Counts = {}
    for alike in _runs(questions):
        exact = [counts[q.columns] for q in alike]
        if any(table.shape != q.shape for table, q in zip(exact, alike, strict=True)):
            raise ValueError("a table does not have the shape of its public domain")
        ends = np.cumsum([0, *(table.size for table in exact)])
        drawn = noise.sampler(alike[0].sigma2).draw(int(ends[-1]), source)
        drawn += np.concatenate([table.ravel() for table in exact])
        # Far outside what noise can reach; it only keeps 32 bits from overflowing.
        cells = np.clip(drawn, -_LIMIT, _LIMIT, out=drawn).astype(np.int32)
        for q, start, end in zip(alike, ends, ends[1:], strict=False):
            noisy[q.columns] = cells[start:end].reshape(q.shape)
    return noisy


def _runs(questions: Workload) -> Iterator[list[Measurement]]:
    """Neighbours with the same noise, which are drawn at once: the stream of bits is the same."""
    run: list[Measurement] = []
    size = 0
    for q in questions:
        cells = math.prod(q.shape)
        if run and (q.sigma2 != run[0].sigma2 or size + cells > _AT_ONCE):
            yield run
            run, size = [], 0
        run.append(q)
        size += cells
    if run:
        yield run


# --------------------------------------------------------------------------------------------------
# What all noisy tables together say: pooled sums, and the exact weighted least-squares fit.


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
            margins[kept] = counts = margins[of].sum(axes) if axes else margins[of]
            margin = np.asarray(counts * (1 / (q.variance * cells) * variance[part]))
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
        for size in range(min(most, columns) + 1)
        for kept in combinations(axes, size)
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

_FITTED_AT_ONCE = 2**19
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
        step = max(1, _FITTED_AT_ONCE // math.prod(shape))
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
    tables = np.zeros((len(group), *shape))
    kept = (axes for k in range(len(shape) + 1) for axes in combinations(range(len(shape)), k))
    for axes in kept:
        parts = [tuple([t[k] for k in axes]) for t in group]
        if parts[0] in components:
            whole = np.stack([components[s] for s in parts])
        else:
            whole = _centred(np.stack([noisy[s] for s in parts]).astype(np.float64))
        spread = whole / math.prod(size for k, size in enumerate(shape) if k not in axes)
        tables += spread.reshape(-1, *(size if k in axes else 1 for k, size in enumerate(shape)))
    return tables
