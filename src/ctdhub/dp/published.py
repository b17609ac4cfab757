"""The published counts: one set in which every sum adds up, with intervals that agree with it.

A count is that of the settled records (``synth.records``), so that counts are whole,
never negative and add up over every axis, region and filter.  Its interval is that of the unbiased
estimate (:func:`least_squares`), made wider where it does not reach :data:`_NEAR` standard
deviations to either side of the count.

Intervals are then made to agree with each other: the people of a cell are among those of every cell
that contains it, so where both intervals hold the truth the whole has at least as many people as
the part's low end, and the part at most as many as the whole's high end, be the whole shown or not
(:func:`ctdhub.border.unseen_end`).
"""

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import combinations, pairwise
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub import border
from ctdhub.dp.count import Counts
from ctdhub.dp.plan import Columns, Followers, Plan
from ctdhub.dp.policy import Domains
from ctdhub.dp.workload import Measurement, Workload
from ctdhub.schema.model import DELIVERIES

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


# --------------------------------------------------------------------------------------------------
# Intervals of the published counts, and which counts can be shown.
#
# The value of a cell by least squares over all tables (``least_squares``) is unbiased
# before the choice of what is shown.  Choosing only counts that stand out from the noise spoils
# ordinary 95 % intervals: among thousands of empty cells some pass by chance.  So cells are chosen
# as Benjamini and Hochberg (1995) do, at the policy's ``false_share``, and the intervals of the R
# chosen of m cells have level 1 - R (1 - level) / m: then the expected share of intervals that
# miss, among those published of a table, is at most 1 - level (Benjamini and Yekutieli 2005, false
# coverage-statement rate, for independent noise), and the interval of a chosen cell is above zero.

NO_FOLLOWERS = Followers({}, {})


@lru_cache(maxsize=256)
def tail(variance: Fraction | float) -> npt.NDArray[np.float64]:
    """P(|N| > r) for r = 0, 1, 2, … until it is below 1e-30.

    Args:
        variance: a fraction is sigma squared of one measurement, whose noise is discrete Gaussian;
            a float is the variance of a fitted estimate, normal but for its rounding.

    >>> t = tail(Fraction(100))
    >>> int(np.argmax(t <= 0.05))  # least radius that covers 95 %
    20
    """
    s2 = float(variance)
    last = math.ceil(math.sqrt(2 * s2 * 75)) + 2
    result: npt.NDArray[np.float64]
    if isinstance(variance, Fraction):
        weight = np.exp(-np.square(np.arange(last + 1, dtype=float)) / (2 * s2))
        beyond = np.cumsum(weight[::-1])[::-1]  # from the small to the large
        result = 2 * np.append(beyond[1:], 0.0) / (2 * beyond[0] - 1)
    else:
        # The rounded estimate is off by more than r where the estimate is off by r + 1/2 or more.
        result = np.array([math.erfc((r + 0.5) / math.sqrt(2 * s2)) for r in range(last + 1)])
        result[-1] = 0.0
    return result


def radius(variance: Fraction | float, alpha: float) -> int:
    """The least r with P(|N| > r) <= alpha."""
    return int(np.argmax(tail(variance) <= alpha))


@dataclass(frozen=True)
class ChosenCells:
    """Cells of a table that can be shown: flat places and the radius of their intervals."""

    cells: npt.NDArray[np.intp]
    radius: int


@dataclass(frozen=True)
class ShownCells(ChosenCells):
    """The same, with what the fit says of these cells: all of a table that is used later on.

    Attributes:
        value: of each cell, see ``Estimated``.
        variance: of a cell.
    """

    value: npt.NDArray[np.floating]
    variance: float

    @property
    def sd(self) -> float:
        """Standard deviation of each cell."""
        return float(self.variance**0.5)


def choose(
    noisy: npt.NDArray[np.integer], variance: Fraction | float, level: float, share: float
) -> ChosenCells:
    """Choose the cells to show and the radius of their intervals; a function of noisy counts.

    Args:
        noisy: a noisy table.
        variance: see :func:`tail`.
        level: coverage among the shown cells.
        share: expected share of empty cells among the shown; at most 1 - level.
    """
    m, chance = noisy.size, tail(variance)
    flat = noisy.ravel()
    # For each threshold t >= 1: how many cells reach it; a cell with y >= t has p <= chance[t-1].
    capped = np.clip(flat, 0, chance.size)
    reach = np.cumsum(np.bincount(capped, minlength=chance.size + 1)[::-1])[::-1][1:]
    passing = np.flatnonzero((chance * m <= reach * share) & (reach > 0))
    if not passing.size:
        return ChosenCells(np.zeros(0, dtype=np.intp), 0)
    threshold = int(passing[0]) + 1
    cells = np.flatnonzero(flat >= threshold)
    return ChosenCells(cells, radius(variance, (1 - level) * cells.size / m))


def shown_cells(
    estimates: Iterable[tuple[Columns, Estimated]],
    questions: Workload,
    people: border.Estimate,
    level: float,
    share: float,
    domains: Domains,
    followers: Followers = NO_FOLLOWERS,
) -> dict[Columns, ShownCells]:
    """The cells of each table that stand out; () is the number of people, shown or not.

    A cell that nobody can be in, by what is public about its columns, is never shown.

    Args:
        estimates: every table as :func:`least_squares` sees it, one after another.
    """
    asked = {q.columns: q for q in questions}
    shown: dict[Columns, ShownCells] = {}
    for t, estimated in estimates:
        flat = estimated.value.ravel()
        if not t:
            whole = np.array([0] if people.low > 0 else [], dtype=np.intp)
            chosen = ChosenCells(whole, people.high - people.value)
        else:
            table = np.rint(estimated.value).astype(np.int64)
            possible = followers.possible(t, domains)
            open_ = table if possible is None else np.where(possible, table, 0)
            chosen = choose(open_, published(asked[t], estimated.variance), level, share)
        shown[t] = ShownCells(chosen.cells, chosen.radius, flat[chosen.cells], estimated.variance)
    return {t: shown[t] for t in dict.fromkeys([(), *asked])}


def published(q: Measurement, variance: float) -> Fraction | float:
    """The noise of a published table as :func:`tail` wants it: its own, or that after the fit."""
    return q.sigma2 if variance >= float(q.sigma2) else variance


def total_people(estimates: dict[Columns, Estimated], level: float) -> border.Estimate:
    """The number of people: what the people question and the sums of all tables say together.

    Each draw is sub-Gaussian with parameter sigma, hence so is their combination, and its interval
    is the normal one, rounded outwards.
    """
    return _estimate(float(estimates[()].value), estimates[()].sd, level)


def case_records(
    estimates: Mapping[Columns, Estimated], people: border.Estimate, level: float
) -> border.Estimate:
    """The number of case records: people, one more for "2", two for "3", three for "4+".

    "4+" counts as 4 and "not recorded" as 1, so this is at least so many records: the interval
    holds the statistic so defined.  Without the column ``records_per_person`` it is the number of
    people.  The two errors may depend on each other, so their standard deviations are added.
    """
    table = estimates.get((DELIVERIES,))
    if table is None:
        return people
    extra = np.maximum(np.arange(table.value.size) - 1, 0)
    more = float(extra @ table.value)
    sd = estimates[()].sd + table.sd * float(np.sqrt(np.sum(extra**2)))
    seen = _estimate(people.value + more, sd, level)
    value = min(max(seen.value, people.value), (table.value.size - 1) * people.value)
    return border.Estimate(value, min(max(seen.low, people.low), value), max(seen.high, value))


def _estimate(value: float, sd: float, level: float) -> border.Estimate:
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sd
    rounded = max(0, round(value))
    low, high = math.floor(value - reach), math.ceil(value + reach)
    return border.Estimate(rounded, min(max(0, low), rounded), max(high, rounded))


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
    people: border.Estimate,
    shown: Mapping[Columns, ShownCells],
    level: float,
    false_share: float,
) -> dict[Columns, PublishedCells]:
    """The published cells of every table; () is the number of people, shown or not.

    Args:
        made: every table of the settled records.
        shown: the cells that stand out, see :func:`ctdhub.dp.published.shown_cells`.
        level: of the intervals, in 0..1.
        false_share: by which they were chosen.
    """
    shapes = {q.columns: q.shape for q in sorted(questions, key=lambda q: len(q.columns))}
    tables = [t for t in shapes if t]
    ends = [_ends(made[t], shown[t]) for t in tables]
    count, low, high = (
        np.concatenate([np.zeros(0, "i8"), *(getattr(e, n) for e in ends)])
        for n in ("count", "low", "high")
    )
    np.minimum(high, people.high, out=high)
    links = list(_links(tables, [shapes[t] for t in tables], [e.cells for e in ends]))
    for link in reversed(links):  # tables of most columns first
        np.maximum.at(low, link.place, low[link.part])
    most = np.zeros(len(tables), np.int64)
    for n in np.unique(np.concatenate([np.zeros(0, "i8"), *(link.beyond for link in links)])):
        size, sd = made[tables[n]].size, shown[tables[n]].sd
        most[n] = border.unseen_end(
            border.highest_unseen(sd, size, ends[n].cells.size, false_share), sd, level
        )
    for link in links:
        high[link.part] = np.minimum(high[link.part], high[link.place])
        unseen = np.maximum(most[link.beyond], count[link.others])
        high[link.others] = np.minimum(high[link.others], unseen)
    at = [slice(*ends_at) for ends_at in pairwise(np.cumsum([0, *(e.cells.size for e in ends)]))]
    by_table = {
        t: replace(e, low=low[cells], high=high[cells])
        for t, e, cells in zip(tables, ends, at, strict=True)
    }
    total = np.array([0] if people.low > 0 else [], dtype=np.intp)
    stated = [np.full(total.size, n, "i8") for n in (people.value, people.low, people.high)]
    asked = dict.fromkeys(q.columns for q in questions if q.columns)
    return {(): PublishedCells(total, *stated), **{t: by_table[t] for t in asked}}


def _ends(made: npt.NDArray[np.integer], shown: ShownCells) -> PublishedCells:
    """Counts and intervals; a cell whose interval then reaches zero is left out: there the noise
    went up, and what all other tables say of it is less."""
    count = made.ravel()[shown.cells].astype(np.int64)
    middle = np.rint(shown.value).astype(np.int64)
    near = math.ceil(_NEAR * shown.sd)
    low = np.minimum(middle - shown.radius, count - near)
    high = np.maximum(middle + shown.radius, count + near)
    kept = low > 0
    return PublishedCells(shown.cells[kept], count[kept], low[kept], high[kept])


class _Link(NamedTuple):
    """Cells of the tables of some columns, and the cells of fewer columns that contain them.

    Attributes:
        part, place: cells, and the shown cell that contains each.
        others, beyond: cells that no shown cell contains, and the table of each that would.
    """

    part: Places32
    place: Places32
    others: Places32
    beyond: Places32


def _links(
    tables: Sequence[Columns], shapes: Sequence[tuple[int, ...]], cells: Sequence[Whole]
) -> Iterator[_Link]:
    """All such pairs of measured tables, of one kind after another: there are thousands of tables,
    and few kinds.  A cell's number is its place among the cells of all tables.

    Args:
        tables: their columns, fewer first.
        cells: the flat places of each table, in order.
    """
    number = {t: n for n, t in enumerate(tables)}
    start = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    of = np.repeat(np.arange(len(tables)), np.array([c.size for c in cells], np.intp))
    known = np.concatenate([np.zeros(0, "i8"), *cells]) + start[of]
    for k in range(2, len(tables[-1]) + 1 if tables else 0):
        first, last = (bisect(tables, width, key=len) for width in (k - 1, k))
        rows = np.arange(*np.searchsorted(of, (first, last)))
        table, sizes = of[rows] - first, np.array(shapes[first:last], np.int64).reshape(-1, k)
        rest, codes = known[rows] - start[of[rows]], dict[int, Whole]()
        for axis in reversed(range(k)):
            rest, codes[axis] = np.divmod(rest, sizes[table, axis])
        for axes in (axes for n in range(1, k) for axes in combinations(range(k), n)):
            wholes = [number.get(tuple([t[a] for a in axes]), -1) for t in tables[first:last]]
            whole, flat = np.array(wholes, np.int64)[table], codes[axes[0]]
            for axis in axes[1:]:
                flat = flat * sizes[table, axis] + codes[axis]
            place = np.minimum(known.searchsorted(flat + start[whole]), max(known.size - 1, 0))
            inside = (known[place] == flat + start[whole]) & (whole >= 0)
            outside = ~inside & (whole >= 0)
            indices = (rows[inside], place[inside], rows[outside], whole[outside])
            yield _Link(*(x.astype(np.int32) for x in indices))


def counts_table(
    cells: Mapping[Columns, PublishedCells],
    questions: Workload,
    domains: Domains,
    people: border.Estimate,
) -> pa.Table:
    """The published counts, see :data:`ctdhub.border.COUNTS`.

    Columns are in the order of the schema.  The first row, without columns, is the number of
    people; it is always there.
    """
    state = border.SHOWN if people.low > 0 else border.PROTECTED
    total = {"columns": [], "values": [], "count": people.value}
    total |= {"low": people.low, "high": people.high, "state": state}
    first = pa.Table.from_pylist([total], schema=border.COUNTS)
    some = [q for q in questions if q.columns and cells[q.columns].cells.size]
    if not some:
        return first
    blocks = [cells[q.columns] for q in some]
    places = [np.unravel_index(c.cells, q.shape) for q, c in zip(some, blocks, strict=True)]
    columns = [
        *named_cells(list(zip([q.columns for q in some], places, strict=True)), domains),
        *(np.concatenate([getattr(c, end) for c in blocks]) for end in ("count", "low", "high")),
    ]
    columns.append(
        pa.array([border.SHOWN], pa.string()).take(pa.array(np.zeros(columns[-1].size, "i4")))
    )
    return pa.concat_tables([first, pa.table(columns, schema=border.COUNTS)]).combine_chunks()


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


# --------------------------------------------------------------------------------------------------
# Unbiased counts by year, as the least-squares fit sees them.
#
# Everything here is a function of noisy tables and public settings, so it costs nothing: whoever
# sees the noisy tables learns no more from a part of them (post-processing).  A year of a small
# group drowns in noise, while sums, shares and models over many years may be clear of it; they need
# unbiased inputs, which a table of cells "chosen because they are large" does not give.
#
# Groups, though, are chosen by their totals.  Where that total is off by e, each of its Y years is
# off by e / Y on average (the covariance of one year's noise with the pooled total is the variance
# of the total divided by Y).  So a group that is just shown is too large by a fraction of a person
# a year, and its sum over all years by as much as its shown total.

DECIMALS = 2
"""Estimates are rounded to so many decimals, far below their noise."""


def by_year(
    estimates: Mapping[Columns, Estimated],
    questions: Workload,
    plan: Plan,
    shown: Mapping[Columns, PublishedCells],
) -> pa.Table:
    """The noisy counts by year of every group whose total is shown; see ``MEASUREMENTS``.

    A group is a cell of a measured table without its column of years; the table without years is
    measured too, and shows that cell.  Years of a group are in order, "not recorded" last.

    Args:
        estimates: every table as the least-squares fit sees it: unbiased, not chosen, not rounded.
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
        last = np.moveaxis(estimates[q.columns].value, axis, -1).reshape(-1, q.shape[axis])
        last = last[shown[rest].cells]
        order = np.roll(np.arange(last.shape[1]), -1)  # "not recorded", the first place, goes last
        tables.append((q.columns, _places(order, axis, plan.shape(rest), shown[rest].cells)))
        values.append(last[:, order].ravel())
    if not tables:
        return border.MEASUREMENTS.empty_table()
    noisy = np.round(np.concatenate(values), DECIMALS)
    return pa.table(
        [*named_cells(tables, plan.domains), pa.array(noisy)], schema=border.MEASUREMENTS
    )


def by_region(noisy: Counts, plan: Plan) -> pa.Table:
    """The noisy counts of regions, as they were measured; see ``MEASUREMENTS``.

    Variables whose values are merged have the names of their groups, see ``schema.model.MERGED``.
    """
    tables = list(noisy)
    if not tables:
        return border.MEASUREMENTS.empty_table()
    places = [(t, np.unravel_index(np.arange(noisy[t].size), noisy[t].shape)) for t in tables]
    _names, values = named_cells(places, {n: tuple(plan.region_axis(n)) for t in tables for n in t})
    names = [plan.region_key(t).split("*") for t in tables for _cell in range(noisy[t].size)]
    cells = np.concatenate([noisy[t].ravel() for t in tables]).astype(float)
    columns = pa.array(names, pa.list_(pa.string()))
    return pa.table([columns, values, pa.array(cells)], schema=border.MEASUREMENTS)


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
