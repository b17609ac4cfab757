"""Synthetic records: wide columns laid out, rows settled on the reconciled tables; a table."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.dp import kernels, noise
from ctdhub.dp.count import Codes, Counts, Table, count
from ctdhub.dp.plan import Columns, Draft, Parents, Plan
from ctdhub.dp.policy import Domains
from ctdhub.dp.published import Estimated, ShownCells, choose
from ctdhub.dp.workload import Workload

# --------------------------------------------------------------------------------------------------
# Tables of whole, non-negative numbers near noisy ones: projection, raking, apportionment.

Floats = npt.NDArray[np.float64]


def simplex(noisy: Floats, total: float) -> Floats:
    """The nearest non-negative table that sums to ``total`` (Duchi and others 2008).

    >>> simplex(np.array([5.0, 3.0, -4.0]), 6.0).tolist()
    [4.0, 2.0, 0.0]
    """
    if total <= 0:
        return np.zeros_like(noisy)
    falling = np.sort(noisy, axis=None)[::-1]
    shift = (np.cumsum(falling) - total) / np.arange(1, noisy.size + 1)
    nearest: Floats = np.maximum(noisy - shift[np.flatnonzero(falling > shift)[-1]], 0.0)
    return nearest


def rake(table: Floats, rows: Floats, cols: Floats, rounds: int = 4) -> Floats:
    """Iterative proportional fitting to two margins of equal sum; rows hold exactly.

    A row or column that must hold people but has none gets the other margin's proportions.
    """
    table = table.copy()
    people = max(rows.sum(), 1e-9)
    empty = (table.sum(1) <= 0) & (rows > 0)
    table[empty] = np.outer(rows[empty], cols) / people
    empty = (table.sum(0) <= 0) & (cols > 0)
    table[:, empty] = np.outer(rows, cols[empty]) / people
    for _ in range(rounds):
        table *= (cols / np.maximum(table.sum(0), 1e-12))[None, :]
        table *= (rows / np.maximum(table.sum(1), 1e-12))[:, None]
    return table


def apportion(shares: Floats, total: int) -> npt.NDArray[np.int64]:
    """Whole numbers near ``shares`` that sum to ``total``, by largest remainder.

    >>> apportion(np.array([1.4, 1.4, 0.2]), 3).tolist()
    [2, 1, 0]
    """
    top = shares.max()
    shares = shares / top if top > 0 else np.ones_like(shares)
    exact = shares * (total / shares.sum())
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole).ravel(), kind="stable")
    flat: npt.NDArray[np.int64] = whole.ravel()
    flat[order[: total - int(flat.sum())]] += 1
    return flat.reshape(shares.shape)


def spread(noisy: Floats, total: int, source: noise.Bits = os.urandom) -> npt.NDArray[np.int64]:
    """Codes of ``total`` records whose table is near a noisy one-way table, in random order."""
    codes = np.repeat(np.arange(noisy.size), apportion(simplex(noisy, float(total)), total))
    return codes[noise.permutation(total, source)]


# --------------------------------------------------------------------------------------------------
# Groups of the values of a wide column: small countries join subregion, then region.

Places = npt.NDArray[np.int64]


def grouped(expected: Floats, parents: Parents, least: float) -> Places:
    """The group of each code, 0, 1, 2, …; "not recorded" (code 0) is a group of its own.

    A value with at least ``least`` expected people stays alone.  The others join their parent, a
    parent with too few joins the next level, and what is left joins one group.

    >>> grouped(np.array([5.0, 90.0, 4.0, 6.0]), ((0, 1, 1),), 10.0).tolist()
    [0, 1, 2, 2]
    """
    levels = (*parents, (0,) * (expected.size - 1))
    label: list[tuple[int, int]] = [(-1, code) for code in range(expected.size)]
    for depth, level in enumerate(levels):
        people: dict[tuple[int, int], float] = defaultdict(float)
        for code, name in enumerate(label):
            people[name] += expected[code]
        for code in range(1, expected.size):
            if people[label[code]] < least:
                label[code] = (depth, level[code - 1])
    order = {name: k for k, name in enumerate(dict.fromkeys(label))}
    return np.array([order[name] for name in label])


def merged(table: Floats, axis: int, group: Places) -> Floats:
    """A table whose values along ``axis`` are summed by group."""
    moved = np.moveaxis(table, axis, 0)
    result = np.zeros((int(group.max()) + 1, *moved.shape[1:]))
    np.add.at(result, group, moved)
    return np.moveaxis(result, 0, axis)


# --------------------------------------------------------------------------------------------------
# The corridor of the records: whole numbers by origin and place that keep what stands out.

KEEP_SIGMAS = 3.2
"""A corridor is kept as it was measured when its count reaches so many standard deviations."""

LEAST = (0.0, 0.3, 0.6, 1.2, 2.5)
"""By support setting: a corridor that does not stand out is kept if so many people are expected
in it; the rest of its people go to other corridors of the same countries."""


def corridor(
    pair: Estimated, origins: Estimated, places: Estimated, people: int, support: int
) -> npt.NDArray[np.int64]:
    """Origins x places, "not recorded" first, summing to ``people``.

    What stands out of its noise stays.  The rest of each country is spread over the other cells
    by both countries' rests, and by how much likelier the noisy count is for a corridor of two
    standard deviations than for an empty one.
    """
    noisy, sd = np.rint(pair.value), pair.sd
    rows = simplex(origins.value, float(people))
    cols = simplex(places.value, float(people))
    kept = np.where(noisy >= KEEP_SIGMAS * sd, noisy, 0.0)
    if people <= 0 or kept.sum() >= people:
        return apportion(kept, people)
    rest_rows = simplex(rows - kept.sum(1), people - kept.sum())
    rest_cols = simplex(cols - kept.sum(0), people - kept.sum())
    likelier = np.exp(2.0 * np.clip(noisy / sd, -KEEP_SIGMAS, KEEP_SIGMAS) - 2.0)
    seed = np.where(kept > 0, 0.0, np.outer(rest_rows, rest_cols) * likelier)
    rest = rake(seed, rest_rows, rest_cols, rounds=10)
    if LEAST[support] > 0:
        rest = _concentrated(rest, rest_rows, rest_cols, LEAST[support])
    rest = np.where(kept > 0, 0.0, rest)
    if rest.sum() <= 0:
        return apportion(kept, people)
    whole: npt.NDArray[np.int64] = kept.astype(np.int64) + apportion(rest, people - int(kept.sum()))
    return whole


def _concentrated(rest: Floats, rows: Floats, cols: Floats, least: float) -> Floats:
    """The same people in fewer corridors; those with "not recorded" always stay."""
    floor = np.full(rest.shape, least)
    floor[0] = floor[:, 0] = 0.0
    for share in (0.5, 0.75, 1.0):
        rest = np.where(rest >= floor * share, rest, 0.0)
        rest = rake(rest, rows, cols, rounds=4)
    return np.where(rest >= floor, rest, 0.0)


# --------------------------------------------------------------------------------------------------
# The noisy tables, as the fit knows them.


@dataclass(frozen=True)
class NoisyTables:
    """What the fit knows.

    Attributes:
        noisy: tables as they were measured.
        variance: of their cells.
        pooled: what all tables together say of columns and pairs.
    """

    noisy: Counts
    variance: dict[Columns, float]
    pooled: dict[Columns, Estimated]

    @classmethod
    def of(
        cls, noisy: Counts, questions: Workload, pooled: dict[Columns, Estimated]
    ) -> NoisyTables:
        """From the tables of a workload."""
        return cls(noisy, {q.columns: float(q.sigma2) for q in questions}, pooled)

    def alone(self, table: Columns) -> Estimated:
        """A table as it was measured: whole numbers, for a copy of all tables takes much memory."""
        return Estimated(self.noisy[table], self.variance[table])  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------
# Wide columns of the records: laid out together, before any other column moves, and then held.
#
# A tree over them joins those whose noisy pairs are strongest (Chow and Liu 1968); each edge is a
# table of whole numbers as the corridor is (``origin_destination``).  Pairs outside the tree, and
# larger tables of wide columns alone, are met by exchange: two records give each other their values
# of one column where that lowers the misfit, which keeps the table of every single column.

Whole = npt.NDArray[np.int64]

_ROUNDS, _MOVED = 8, 0.002
"""Rounds of exchange at most; they end when a smaller share of the records moved."""

_TRIES = 12
"""Partners that a record looks at in a round."""


class HeldColumns:
    """The columns that stay, laid out as the noisy tables say.

    Args:
        columns: those that do not follow from the corridor, which is laid first and never moves;
            where there is none, the strongest pair is first.

    Attributes:
        codes: by column and record, those of followers too.
        met: tables that they were laid out by, or that the corridor decides.
        tree: pairs laid as they were measured.
    """

    def __init__(
        self,
        measured: NoisyTables,
        plan: Plan,
        columns: Columns,
        people: int,
        source: noise.Bits = os.urandom,
    ) -> None:
        self.people, self.source = people, source
        self.codes: dict[str, Places] = {}
        self.tree: list[Columns] = []
        first = plan.ordered(plan.corridor) if plan.corridor else ()
        follow = tuple(plan.followers.whole)
        pooled = measured.pooled
        one = {n: pooled[(n,)] for n in (*columns, *follow)}
        decided = {*first, *follow}
        self.pairs: dict[Columns, Whole] = {
            pair: corridor(pooled[pair], one[pair[0]], one[pair[1]], people, plan.support)
            for pair in combinations(plan.ordered((*columns, *follow)), 2)
            if pair in pooled and (pair == first or not decided.issuperset(pair))
        }
        self.variance = {pair: pooled[pair].variance for pair in self.pairs}
        edges = {p: strength(table) for p, table in self.pairs.items() if {*p} <= {*columns}}
        if first or edges:
            self._begin(first or max(edges, key=lambda pair: edges[pair]))
        while edges and people:
            open_ = [p for p in edges if len(self.codes.keys() & {*p}) == 1]
            if not open_:
                break
            self._join(max(open_, key=lambda pair: edges[pair]))
        for name in columns:
            if name not in self.codes:
                self.codes[name] = spread(one[name].value, people, source)
        self.codes |= plan.followers.codes(self.codes, plan.domains)
        larger = {
            t: Estimated(measured.noisy[t].astype(np.float64), variance)
            for t, variance in measured.variance.items()
            if len(t) > 2 and {*t} <= {*columns, *follow} and not decided.issuperset(t)
        }
        self.met = self._exchange([n for n in columns if n not in first], larger)
        self.met.update(t for t in measured.variance if len(t) > 1 and decided.issuperset(t))

    def _begin(self, pair: Columns) -> None:
        table = self.pairs[pair]
        flat = np.repeat(np.arange(table.size), table.ravel())
        order = noise.permutation(self.people, self.source)
        codes = np.unravel_index(flat[order], table.shape)
        self.codes |= dict(zip(pair, codes, strict=True))
        self.tree.append(pair)

    def _join(self, pair: Columns) -> None:
        """Lay one more column by its pair with one that is there."""
        old, new = sorted(pair, key=lambda n: n not in self.codes)
        table = self.pairs[pair] if pair[0] == old else self.pairs[pair].T
        there = np.bincount(self.codes[old], minlength=len(table))
        whole = rounded(table, there, noise.uniform(len(table), self.source))
        order = noise.permutation(self.people, self.source)
        order = order[np.argsort(self.codes[old][order], kind="stable")]
        codes = np.empty(self.people, dtype=np.int64)
        codes[order] = np.repeat(np.tile(np.arange(table.shape[1]), len(table)), whole.ravel())
        self.codes[new] = codes
        self.tree.append(pair)

    def _exchange(self, moving: list[str], larger: dict[Columns, Estimated]) -> set[Columns]:
        """Exchange values of single columns until records are still; the tables that steer it."""
        targets: dict[Columns, tuple[npt.NDArray[np.float64], float]] = {
            pair: (table.astype(np.float64), self.variance[pair])
            for pair, table in self.pairs.items()
        }
        for t, estimate in larger.items():
            now = self._counted(t, estimate.value.shape)
            out = estimate.value >= KEEP_SIGMAS * estimate.sd
            rest = max(self.people - estimate.value[out].sum(), 0.0) / max(now[~out].sum(), 1.0)
            targets[t] = np.where(out, estimate.value, now * rest), estimate.variance
        if self.people and any(t not in self.tree for t in targets):
            for _ in range(_ROUNDS):
                moved = [self._pass(name, targets) for name in moving]
                if max(moved, default=0) <= _MOVED * self.people:
                    break
        return {*targets}

    def _pass(
        self, name: str, targets: dict[Columns, tuple[npt.NDArray[np.float64], float]]
    ) -> int:
        """One column exchanged once; how many records gave their value away."""
        rows, tables, weights, start = [], [], [], 0
        for t, (target, variance) in targets.items():
            if name not in t or (t in self.tree and len(targets) == len(self.tree)):
                continue
            left = np.moveaxis(self._counted(t, target.shape) - target, t.index(name), -1)
            others = [n for n in t if n != name]
            at = np.ravel_multi_index([self.codes[n] for n in others], left.shape[:-1])
            rows.append(at + start)
            tables.append((left.reshape(-1, left.shape[-1]) / variance).astype(np.float32))
            weights.append(1 / variance)
            start += len(tables[-1])
        if not rows:
            return 0
        codes = np.ascontiguousarray(self.codes[name])
        moved: int = kernels.exchange(
            codes,
            noise.permutation(self.people, self.source),
            np.ascontiguousarray(np.stack(rows, axis=1)),
            np.concatenate(tables),
            np.array(weights, dtype=np.float32),
            noise.words(1, self.source)[0],
            _TRIES,
        )
        self.codes[name] = codes
        return moved

    def _counted(self, table: Columns, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        at = np.ravel_multi_index([self.codes[n] for n in table], shape)
        return np.bincount(at, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def strength(table: Whole) -> float:
    """Mutual information of a table's two columns, in nats.

    >>> round(strength(np.array([[5, 0], [0, 5]])), 3), strength(np.ones((2, 2), dtype=np.int64))
    (0.693, 0.0)
    """
    total = max(int(table.sum()), 1)
    share = table / total
    alone = np.outer(share.sum(1), share.sum(0))
    cells = table > 0
    return float((share[cells] * np.log(share[cells] / alone[cells])).sum())


def rounded(shares: npt.NDArray[np.integer], rows: Whole, offset: npt.NDArray[np.float64]) -> Whole:
    """Whole numbers near ``shares``, row by row, whose rows sum to ``rows``.

    Each cell is its share of the row rounded down or up, up as often as its fraction says
    (systematic rounding).  A row without shares takes those of the whole table.

    Args:
        offset: uniform in [0, 1), by row.

    >>> rounded(np.array([[3, 1], [0, 0]]), np.array([8, 0]), np.array([0.5, 0.5])).tolist()
    [[6, 2], [0, 0]]
    """
    bare = shares.sum(1, keepdims=True) == 0
    filled = np.where(bare, shares.sum(0) + (shares.sum() == 0), shares).astype(np.float64)
    part = np.cumsum(filled, axis=1)
    ends = np.floor(part / part[:, -1:] * rows[:, None] + offset[:, None] + 1e-9)
    ends[:, -1] = rows
    first = np.zeros((len(shares), 1))
    whole: Whole = np.diff(np.minimum(ends, rows[:, None]), axis=1, prepend=first).astype(np.int64)
    return whole


# --------------------------------------------------------------------------------------------------
# Synthetic records: settled on the reconciled tables, and as a table of text.


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

_MOST = 5
"""As often a record may count.  (3 tried: the busy years of a route that begins late then lack
people, and wide tables are the same.)"""

_LEAST = 0.5
"""What a change must gain (0.5, 1 and 2 were tried on the practice people)."""

_FIRST = 4.0
"""Weight of tables of one column and of the number of people; each further column halves it.  They
are few, and readers look at them first."""

_PASSES, _STILL = 6, 0.02
"""Passes over all records at most; they end when a smaller share of the records changed."""

_LOOKS = 1e8
"""Records times tables in a pass, at most; tables of few columns come first."""


@dataclass(frozen=True)
class Sums:
    """Cells, and sums of cells, that records are settled on; each cell is part of one at most.

    Attributes:
        codes: by axis of the table of cells, the code of each record.
        row: by cell the number of its sum, from 1 on; 0 where it is part of none.
        misfit: of each sum, from the first on, the records less what the least-squares fit says.
        weight: of each; one over the variance of a sum, for sums that count once.
    """

    codes: tuple[npt.NDArray[np.uint16], ...]
    row: npt.NDArray[np.integer]
    misfit: npt.NDArray[np.floating]
    weight: float


def settled(
    records: Draft,
    shown: Mapping[Columns, ShownCells],
    plan: Plan,
    people: int,
    source: noise.Bits = os.urandom,
    sums: Sequence[Sums] = (),
) -> Draft:
    """As many records in random order, some repeated and some left out.

    Args:
        records: ``people`` records, codes by column.
        shown: by table the cells that stand out, with what the least-squares fit says of them.
        source: random bits for orders; equal bits give equal records.
        sums: more that they are settled on, see :func:`contradicted`.
    """
    if not people:
        return records
    tables = [t for t in shown if t and shown[t].cells.size]
    tables.sort(key=lambda t: (len(t), shown[t].variance))
    tables = tables[: int(_LOOKS / people)]
    made = count(Codes(dict(records), plan.sizes, people), tables)
    targets = chain((_cells(t, shown[t], made.pop(t), records, plan) for t in tables), sums)
    cells = 1 + sum(math.prod(plan.shape(t)) for t in tables) + sum(s.row.size for s in sums)
    layout, misfit, weight = _laid_out(targets, cells, people)
    weight[0] = _FIRST / shown[()].variance
    times = np.ones(people, dtype=np.int64)
    for _ in range(_PASSES):
        order = noise.permutation(people, source)
        moved = kernels.settle(*layout, misfit, weight, times, order, _MOST, _LEAST)
        if moved < _STILL * people:
            break
    # The number of people is met exactly: the first records that may do so make up for the rest.
    order, many = noise.permutation(people, source), int(times.sum()) - people
    able = order[times[order] > 0] if many > 0 else order[times[order] < _MOST]
    times[able[: abs(many)]] -= np.sign(many)
    index = np.repeat(np.arange(people), times)[noise.permutation(people, source)]
    return {name: column[index] for name, column in records.items()}


def _cells(table: Columns, shown: ShownCells, made: Table, records: Draft, plan: Plan) -> Sums:
    """The cells of a table that stand out, each by itself."""
    row = np.zeros(plan.shape(table), dtype=np.int32)
    row.ravel()[shown.cells] = np.arange(1, shown.cells.size + 1)
    much = _FIRST / 2 ** (len(table) - 1)
    if plan.tables.get(table) == "corridor":
        much *= _CORRIDOR
    misfit = made.ravel()[shown.cells] - shown.value
    return Sums(tuple(records[n] for n in table), row, misfit, much / shown.variance)


def _laid_out(
    targets: Iterable[Sums], cells: int, people: int
) -> tuple[tuple[npt.NDArray[Any], ...], Floats, Floats]:
    """What ``kernels.settle`` reads of targets, their misfit, and their weights; the first is the
    number of people, whose weight is left open.

    Args:
        cells: of all of them, and one.
    """
    place = np.zeros(cells, dtype=np.int32)
    place[0] = 1
    residual = [np.zeros(2)]  # of cells that do not count, and of the number of people
    codes: dict[int, npt.NDArray[np.uint16]] = {}
    columns, strides, ends, starts, weight = list[int](), list[int](), [0], [0], [0.0]
    end, met = 1, 2
    for one in targets:
        flat = one.row.ravel()
        place[end : end + flat.size] = np.where(flat > 0, flat + (met - 1), 0)
        residual.append(np.asarray(one.misfit, np.float64))
        codes |= {id(c): c for c in one.codes}
        columns += [list(codes).index(id(c)) for c in one.codes]
        strides += np.cumprod((1, *one.row.shape[:0:-1]))[::-1].tolist()
        ends.append(len(columns))
        starts.append(end)
        weight.append(one.weight)
        end, met = end + flat.size, met + one.misfit.size
    several = [np.stack([*codes.values()], axis=1)] if codes else [np.zeros((people, 0), np.uint16)]
    layout = (*several, *(np.array(x, dtype=np.int64) for x in (columns, strides, ends, starts)))
    return (*layout, place), np.concatenate(residual), np.array(weight)


# --------------------------------------------------------------------------------------------------
# Sums of cells that records contradict.
#
# Only cells that stand out hold the records, so that the sum of many that do not, such as the years
# before a route was used, is held by nothing: records made hundreds of people there, and as many
# fewer in the years after.  Sums over years of groups that are shown say so clearly; where the
# records contradict one, all sums of that group join the targets.  Where they contradict none, none
# does, and records follow no noise.

_RUNS = (2, 4, 8, 16)
"""Years in a sum; sums of each length begin in the first year, and half a length before it."""

_DOUBT = 3.0
"""A group's sums are targets where one of them is off by so many standard deviations."""

_GROUPS = 2**16 - 1
"""So many groups at most, those that are off most; a code has two bytes."""

_OF_RUNS = 8.0
"""How much more such a sum weighs than a cell of its table.  (16 tried: closer to the sums where
noise is small, and 3-way distances of wide tables 1 % larger.)"""

_CORRIDOR = 4.0
"""How much more a pair of countries weighs than another pair."""


Variance = Callable[[Mapping[str, int]], float]
"""Of a sum of cells, by how many values of each column are in it."""


@dataclass(frozen=True)
class _Grouping:
    """Groups of the cells of a table without years.

    Attributes:
        group: by flat cell its group, from 1 on; 0 where it is in none.
        many: by column the values that the largest group joins.
    """

    group: npt.NDArray[np.int64]
    many: dict[str, int]


def contradicted(
    records: Draft,
    fitted: Mapping[Columns, Estimated],
    shown: Mapping[Columns, ShownCells],
    plan: Plan,
    variance: Variance,
) -> list[Sums]:
    """Sums over years, of countries, corridors and regions, that records contradict.

    Args:
        fitted: tables with years, as the least-squares fit sees them.
        shown: by table the cells that stand out.
        variance: after the fit.
    """
    sums, large = list[Sums](), plan.wide.union(plan.corridor or ())
    for t, estimated in fitted.items():
        rest = tuple(n for n in t if n != plan.year)
        if plan.year not in t or not rest or not large.issuperset(rest) or rest not in shown:
            continue
        value = np.moveaxis(estimated.value, t.index(plan.year), -1)
        value = value.reshape(-1, plan.sizes[plan.year])
        cell = np.ravel_multi_index([records[n] for n in rest], plan.shape(rest))
        for grouping in _groupings(rest, shown[rest].cells, value, plan, variance):
            sums += _sums_of_runs(grouping, cell, records[plan.year], value, plan.year, variance)
    return sums


def _groupings(
    rest: Columns, shown: npt.NDArray[np.intp], value: Floats, plan: Plan, variance: Variance
) -> Iterator[_Grouping]:
    """The cells that are shown, each by itself; then the sums over regions that stand out.

    Args:
        value: cells by years.
    """
    group = np.zeros(len(value), dtype=np.int64)
    group[shown] = np.arange(1, shown.size + 1)
    yield _Grouping(group, dict.fromkeys(rest, 1))
    whole = value.sum(axis=1)
    for levels in product(*((range(1, plan.sizes[n]), *plan.parents.get(n, ())) for n in rest)):
        codes = [np.unique((0, *(1 + k for k in up)), return_inverse=True)[1] for up in levels]
        shape = [int(c.max()) + 1 for c in codes]
        many = {n: int(np.bincount(c)[1:].max()) for n, c in zip(rest, codes, strict=True)}
        if max(many.values()) == 1:
            continue
        at = np.meshgrid(*codes, indexing="ij")
        recorded = np.min(at, axis=0).ravel() > 0
        flat = np.where(recorded, np.ravel_multi_index(at, shape).ravel(), 0)
        total = np.rint(np.bincount(flat, whole * recorded, math.prod(shape))).astype(np.int64)
        of_all = variance({**many, str(plan.year): value.shape[1]})
        large = choose(total, of_all, plan.level, plan.false_share).cells
        number = np.zeros(total.size, dtype=np.int64)
        number[large] = np.arange(1, large.size + 1)
        yield _Grouping(number[flat], many)


def _sums_of_runs(
    grouping: _Grouping,
    cell: npt.NDArray[np.int64],
    year: npt.NDArray[np.uint16],
    value: Floats,
    name: str,
    variance: Variance,
) -> list[Sums]:
    """Sums over runs of years of the groups that are contradicted.

    Args:
        cell: by record its cell of the table without years.
        value: cells by years, "not recorded" first.
        name: of the column of years.
    """
    group, years = grouping.group, value.shape[1]
    at = group[:, None] * years + np.arange(years)
    sums = np.bincount(at.ravel(), weights=value.ravel(), minlength=years)
    fit = np.asarray(sums, dtype=np.float64).reshape(-1, years)
    made = np.bincount(group[cell] * years + year, minlength=fit.size).reshape(fit.shape)
    less = np.asarray(made - fit, dtype=np.float64)
    runs, off = _runs(years), np.zeros(len(fit))
    for run in runs:
        size = np.bincount(run)
        sd = np.array([variance({**grouping.many, name: int(n)}) for n in size[1:]]) ** 0.5
        off = np.maximum(off, np.abs(_added(less, run) / sd).max(axis=1))
    off[0] = 0
    flagged = np.argsort(-off, kind="stable")[: min(np.count_nonzero(off > _DOUBT), _GROUPS)]
    if not flagged.size:
        return []
    number = np.zeros(len(fit), dtype=np.uint16)
    number[flagged] = np.arange(1, flagged.size + 1)
    codes = number[group[cell]], year
    parts = []
    for run in runs:
        most = run.max()
        row = np.where(run > 0, np.arange(-1, flagged.size)[:, None] * most + run, 0)
        row[0] = 0
        many = {**grouping.many, name: int(np.bincount(run)[1:].max())}
        weight = _OF_RUNS / 2 * _FIRST / 2 ** (len(many) - 1) / variance(many)
        parts.append(Sums(codes, row.astype(np.int32), _added(less[flagged], run).ravel(), weight))
    return parts


def _runs(years: int) -> list[npt.NDArray[np.int64]]:
    """By code of a year its run, from 1 on, "not recorded" in none; and all of them together."""
    which = np.arange(years - 1)
    return [
        np.ones(years, dtype=np.int64),
        *(
            np.append(0, 1 + (which + shift) // length)
            for length in _RUNS
            for shift in (0, length // 2)
            if length < years
        ),
    ]


def _added(values: Floats, run: npt.NDArray[np.int64]) -> Floats:
    """Groups by years, added up by run."""
    return np.asarray(values @ (run[:, None] == np.arange(1, run.max() + 1)))


# --------------------------------------------------------------------------------------------------
# Regions, which were measured by themselves: cells that stand out hold the records as a count does.

_REGION = 3.0
"""A cell of regions counts where it is so many standard deviations of its noise above zero."""


def region_sums(records: Draft, noisy: Counts, questions: Workload, plan: Plan) -> list[Sums]:
    """The cells of the tables of regions that stand out."""
    sums = []
    for q in questions:
        table = noisy[q.columns]
        out = table >= _REGION * q.sigma
        row = np.where(out, np.cumsum(out).reshape(out.shape), 0).astype(np.int32)
        codes = tuple(plan.region_codes(n)[records[n]] for n in q.columns)
        made = np.bincount(row[codes], minlength=np.count_nonzero(out) + 1)[1:]
        sums.append(Sums(codes, row, made - 1.0 * table[out], _FIRST / q.variance))
    return sums


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
