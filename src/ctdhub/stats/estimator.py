"""Numbers of people from a release, each with an interval that the noise justifies.

Method.  A question names a set of values for each of some variables.
1. A single cell of a measured table is read from the protected counts, as published.  A cell that
   is not shown had an estimate below the least that is shown: that is known from how many of how
   many cells are (``border.highest_unseen``).  It lies between 0 and that bound plus ``z * sigma``.
   The least count that is shown says less: counts are those of records, and may be below estimates.
2. A sum of cells is the count of the records, and its interval is that count with

       half = root of  max(z * 1.05 sd, |records - unbiased| + 1.3 sd)^2  +  (rest / 4)^2

   to either side.  z is the normal quantile of the release's level; sd the noise of the fit that
   all measured tables made together (:class:`SumVariances`), 1.05 how closely records follow it
   (:data:`OF_FIT`).  Groups whose total is shown have unbiased noisy counts by year
   (``Protected.measurements``): where these are away from the records, the interval reaches 1.3 sd
   beyond them (:data:`BEYOND`), for either may be the nearer one.  The rest are people of groups
   without such counts, or of cells that are not shown where the table has no years: records are
   fitted and cells that small may be empty.  Which table says so is known from the variables alone
   (:meth:`Estimator._sum`): no interval is chosen because it is narrow.
3. Whoever meets all conditions meets all but one of them: where both intervals hold the truth, a
   number is at most the upper end of the same question without one of its conditions.  So a part's
   upper end is never above that of its whole, and an interval misses at most where its own or that
   of a whole would have missed by itself; published cells were made so in the release
   (``dp.published``).  The ends of a sum are also at least those of each of its cells, which makes
   an interval wider and no miss.
4. Where no measured table holds all variables of the question there is no interval: nothing was
   measured, and no number is shown.
5. Regions (those of UN M49, and the European Union) in the spans of years of the policy were
   measured by themselves, with gender, age and types of exploitation (``dp.plan.REGIONAL``).  Where
   the sum of such cells has less noise than that of the fit, which public settings decide, it
   answers: the interval of a number reaches from the count of the records to both sides by its
   noise and by as much as the two differ, that of a share from the noisy cells as far as the share
   of the records.
A share takes its interval from Fieller's theorem (E. C. Fieller, 1954, J. R. Stat. Soc. B 16:175),
with the correlation that the errors of the two counts have in the fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, wraps
from itertools import combinations, product
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.border import SHOWN, Estimate, highest_unseen, unseen_end
from ctdhub.release.open import Release
from ctdhub.release.tables import YearCounts
from ctdhub.schema.model import MERGED, PERIOD, grouped_values, load_schema
from ctdhub.stats.cards import NOT_MEASURED, Interval, ratio
from ctdhub.stats.query import Query, Where

Of = TypeVar("Of", bound="Estimator")
Asks = ParamSpec("Asks")
Says = TypeVar("Says")


def memoised(
    function: Callable[Concatenate[Of, Asks], Says],
) -> Callable[Concatenate[Of, Asks], Says]:
    """A function that keeps what it said on its first argument, by the others, which hash or are
    conditions: a site asks the same in every language."""

    @wraps(function)
    def memo(of: Of, /, *asks: Asks.args, **named: Asks.kwargs) -> Says:
        key: Hashable = (function, *map(_key, asks))
        if named:
            key = (key, *((name, _key(ask)) for name, ask in named.items()))
        try:
            answer: Says = of.memory[key]
        except KeyError:
            answer = of.memory[key] = function(of, *asks, **named)
        return answer

    return memo


def _key(ask: object) -> Hashable:
    """An argument as it was written: the order of conditions is that of what is said of them."""
    if type(ask) in _PLAIN:
        return ask
    if isinstance(ask, _CONDITIONS):
        return tuple((name, tuple(codes)) for name, codes in ask.items())
    return ask.written if isinstance(ask, Query) else ask


_CONDITIONS = (dict, MappingProxyType)
_PLAIN = frozenset({str, tuple, frozenset})
"""What most arguments are, of which a site asks millions."""


# --------------------------------------------------------------------------------------------------
# Cells of a table added up: people in them, the noise of their sum, the part that is not shown.

MOST_CONDITIONS = 256
"""Conditions whose cells a table remembers, two bytes a cell each at most."""
NARROW = 8
"""A condition that at most every so manyth cell meets is also kept as the places of these cells."""


_Met = tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp] | None]
"""For each cell whether it meets a condition; where few do, also their places, in order."""


@dataclass(frozen=True)
class CellSums:
    """Cells of a table: by column the place of each distinct value and which of them each cell has;
    people, and those in cells that are not shown."""

    columns: dict[str, tuple[dict[str, int], npt.NDArray[np.intp]]]
    people: npt.NDArray[np.float64]
    rest: npt.NDArray[np.float64]
    _kept: dict[tuple[str, frozenset[str]], _Met] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        cells: Mapping[tuple[str, ...], float],
        shown: Container[tuple[str, ...]] = (),
    ) -> CellSums:
        """From people by cell."""
        columns = {}
        for k, name in enumerate(names):
            place: dict[str, int] = {}
            codes = [place.setdefault(cell[k], len(place)) for cell in cells]
            columns[name] = (place, np.array(codes, dtype=np.intp))
        rest = [0.0 if cell in shown else n for cell, n in cells.items()]
        people = np.array(list(cells.values()), dtype=np.float64)
        return cls(columns, people, np.array(rest, dtype=np.float64))

    def total(self, limits: Mapping[str, Collection[str]]) -> float:
        """People in the cells whose values are all within the limits."""
        return float(self.people[self._inside(limits)].sum())

    def total_and_rest(self, limits: Mapping[str, Collection[str]]) -> tuple[float, float]:
        """The same, and those of them in cells that are not shown."""
        inside = self._inside(limits)
        return float(self.people[inside].sum()), float(self.rest[inside].sum())

    def largest(self, limits: Mapping[str, Collection[str]]) -> float:
        """The most people in one of these cells; 0 where there is none."""
        return float(self.people[self._inside(limits)].max(initial=0.0))

    def _inside(self, limits: Mapping[str, Collection[str]]) -> npt.NDArray[np.generic]:
        """Which cells meet all limits: for each whether it does, or the places of those that do, in
        order; both choose the same people."""
        met = [self._among(name, frozenset(allowed)) for name, allowed in limits.items()]
        some = [places for _cells, places in met if places is not None]
        if not some:
            inside: npt.NDArray[np.bool_] = np.all([cells for cells, _places in met], axis=0)
            return inside
        few = min(some, key=len)
        for cells, _places in met:
            few = few[cells[few]]
        return few

    def _among(self, name: str, allowed: frozenset[str]) -> _Met:
        """Which cells have one of these values; the last ones are kept, for questions come in rows
        that differ in one condition."""
        selection = self._kept.get((name, allowed))
        if selection is None:
            if len(self._kept) >= MOST_CONDITIONS:
                self._kept.clear()
            places, codes = self.columns[name]
            among = np.zeros(len(places), dtype=bool)
            among[[places[value] for value in allowed if value in places]] = True
            cells = among[codes]
            at = np.flatnonzero(cells)
            selection = cells, at if at.size * NARROW <= cells.size else None
            self._kept[name, allowed] = selection
        return selection


@dataclass(frozen=True)
class RegionCells:
    """Noisy cells of a table of regions.

    Attributes:
        cells: by the names of groups of values.
        groups: by variable the values of each group; of a variable without groups each value.
        variance: of a cell.
    """

    cells: CellSums
    groups: dict[str, dict[str, frozenset[str]]]
    variance: float

    @classmethod
    def of(cls, key: str, rows: pa.Table, sigma: float) -> RegionCells:
        """From the rows of a table, whose columns are ``key``."""
        variables = {name: variable for variable, name in MERGED.items()}
        names = [variables.get(name, name) for name in key.split("*")]
        values = [tuple(cell) for cell in rows["values"].to_pylist()]
        cells = CellSums.of(names, dict(zip(values, rows["noisy"].to_pylist(), strict=True)))
        axes = zip(names, zip(*values, strict=True), strict=True)
        groups = {n: {g: grouped_values(n, g) for g in dict.fromkeys(axis)} for n, axis in axes}
        return cls(cells, groups, sigma**2)

    def sum(self, where: Sets) -> RegionSum | None:
        """The people who meet all conditions; None where these divide a group."""
        limits = {name: list(groups) for name, groups in self.groups.items()}
        for name, wanted in where.items():
            inside = [g for g, own in self.groups.get(name, {}).items() if own <= wanted]
            if wanted != frozenset().union(*(self.groups[name][g] for g in inside)):
                return None
            limits[name] = inside
        cells = math.prod(map(len, limits.values()))
        return RegionSum(self.cells.total(limits), cells * self.variance)


class RegionSum(NamedTuple):
    """People in noisy cells, and the variance of their sum."""

    people: float
    variance: float


def share_of_cells(part: RegionSum, whole: RegionSum, z: float) -> Interval:
    """Share of a part of some cells, with the interval of their noise."""
    halves = ((n, z * math.sqrt(variance)) for n, variance in (part, whole))
    one, all_ = (Interval(n, n - half, n + half) for n, half in halves)
    return ratio(one, all_, math.sqrt(part.variance / whole.variance))


def _with(value: float, interval: Interval) -> Interval:
    """The interval as far as a value that is published beside it."""
    low, high = max(0.0, min(value, interval.low or 0.0)), max(value, interval.high or 0.0)
    wider = (high - low) - ((interval.high or 0.0) - (interval.low or 0.0))
    return Interval(value, low, high, (interval.width or 0.0) + max(0.0, wider))


# --------------------------------------------------------------------------------------------------
# The variance of a sum of cells in tables that were fitted together.
#
# Tables of a release are sums of interaction components, and each component is the mean of what the
# measured tables say of it, weighed by inverse variance (``dp.published``).  A component sums to
# zero along its axes, so that a sum over several values is less uncertain than as many independent
# cells are, and a sum over all values of a variable does not depend on it at all:
#
#     Var = sum over S of 1/W_S  prod(v in S) a_v (1 - a_v/n_v)  prod(v not in S) (a_v/n_v)^2
#
# with S the sets of the variables asked for, a_v of the n_v values of v in the sum, and W_S the
# weights of the measured tables that hold S.  The covariance of two sums has both's values instead:
# the number in both less a_v b_v / n_v, and a_v b_v / n_v^2.  All of it is public.


class SumVariances:
    """Variances of sums over value sets.

    Args:
        drawn: standard deviation of the noise of each measured table, as ``Guarantee.drawn``.
        size: how many values a variable has, with "not recorded".
    """

    def __init__(self, drawn: Mapping[str, float], size: Callable[[str], int]) -> None:
        self._size = cache(size)
        self._tables = [
            (frozenset(key.split("*")) if key else frozenset(), sigma)
            for key, sigma in drawn.items()
        ]
        self._weight = cache(self._summed)
        self._product = cache(self._covariance)
        self._together = cache(self._measured)

    def of(self, values: Mapping[str, int]) -> float:
        """Variance, in squared people.

        Args:
            values: how many values of each variable are in the sum; some measured table holds all
                of these variables.
        """
        return self._product(tuple((name, n, n, n) for name, n in values.items()))

    def correlation(
        self, one: Mapping[str, frozenset[str]], two: Mapping[str, frozenset[str]]
    ) -> float:
        """Correlation of the errors of two sums, in -1..1; 0 where their variables were not
        measured together, which is cautious for a part and its whole.

        Args:
            one, two: the values of each variable in the sum; of a variable that is not named all.
        """
        names = sorted({*one, *two})
        if not self._together(frozenset(names)):
            return 0.0
        sizes = []
        for name in names:
            a, b = one.get(name), two.get(name)
            n = self._size(name)
            both = len(a & b) if a is not None and b is not None else len(a or b or ())
            sizes.append((name, n if a is None else len(a), n if b is None else len(b), both))
        own = [self._product(tuple((s[0], s[k], s[k], s[k]) for s in sizes)) for k in (1, 2)]
        return self._product(tuple(sizes)) / math.sqrt(own[0] * own[1])

    def _covariance(self, sizes: tuple[tuple[str, int, int, int], ...]) -> float:
        """Covariance of two sums: by variable its values in one, in the other, and in both."""
        covariance = 0.0
        for k in range(len(sizes) + 1):
            for part in combinations(sizes, k):
                own = math.prod(both - a * b / self._size(n) for n, a, b, both in part)
                rest = (s for s in sizes if s not in part)
                others = math.prod(a * b / self._size(n) ** 2 for n, a, b, _both in rest)
                if own:
                    covariance += own * others / self._weight(frozenset(n for n, *_sizes in part))
        return covariance

    def _measured(self, names: frozenset[str]) -> bool:
        return any(table.issuperset(names) for table, _sigma in self._tables)

    def _summed(self, part: frozenset[str]) -> float:
        """What all measured tables say of a component: the sum of one over its variances."""
        return math.fsum(
            1 / (sigma**2 * math.prod(self._size(n) for n in names - part))
            for names, sigma in self._tables
            if part <= names
        )


Sets = Mapping[str, frozenset[str]]
Question = frozenset[tuple[str, frozenset[str]]]
"""A question: the values of each variable, in no order."""


def half_width_of_sum(z: float, sd: float, off: float, rest: float) -> float:
    """Half the width of the interval of a sum of cells, see 2. of the method above.

    Args:
        sd: of the noise of the fit.
        off: how far the records are from the unbiased sum.
        rest: people in groups without one.
    """
    return math.hypot(max(z * OF_FIT * sd, off + BEYOND * sd), OF_REST * rest)


OF_FIT, BEYOND, OF_REST = 1.05, 1.3, 0.25
"""Half the width of an interval: standard deviations of the fit are taken so many times; so many of
them lie beyond the distance between records and unbiased counts; and this part of the people in
cells too few to show counts.  Sums of records were off by 0.3 to 1.05 standard deviations of the
fit (``benchmarks/reconcile.py``).  Intervals of the busy years of routes that begin late held the
truth in 89 % of cases with none beyond, in 95 % with 1 and in 96 % with 1.3
(``benchmarks/onset.py``)."""


class Estimator:
    """What one release says of numbers of people.

    Raises:
        TypeError: not a Release (which holds a Protected answer and nothing else).
    """

    def __init__(self, release: Release) -> None:
        if not isinstance(release, Release):
            raise TypeError("statistics read releases and nothing else")
        self.release = release
        self.memory: dict[Hashable, Any] = {}
        self.years = release.facts.years

    def let_go(self) -> None:
        """Forget what was read and computed; it is read again where somebody asks."""
        self.memory.clear()
        for of in (self, self.release):
            for name in [*vars(of)]:
                if isinstance(getattr(type(of), name, None), cached_property):
                    del vars(of)[name]

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables that the release holds."""
        return frozenset(self.release.protected.records.column_names)

    @cached_property
    def z(self) -> float:
        """How many standard deviations an interval reaches on each side."""
        return NormalDist().inv_cdf((1 + self.release.protected.guarantee.level) / 2)

    @cached_property
    def _fitted(self) -> SumVariances:
        drawn = self.release.protected.guarantee.drawn
        return SumVariances(drawn, lambda name: len(self.domain(name)) + 1)

    @memoised
    def domain(self, variable: str) -> tuple[str, ...]:
        """Public values of a variable, "not recorded" left out."""
        return load_schema().domain(variable, self.years)

    def measured(self, *variables: str) -> str | None:
        """The key of the table of exactly these variables, None if it was not measured."""
        return self._tables.get(frozenset(variables))

    @memoised
    def cells(self, *variables: str) -> dict[tuple[str, ...], Estimate]:
        """Shown cells of a measured table; values in the order of ``variables``."""
        key = self.measured(*variables)
        if key is None:
            return {}
        order = [key.split("*").index(v) for v in variables]
        return {tuple(cell[i] for i in order): e for cell, e in self._estimates(key).items()}

    def count(self, where: Where) -> Interval:
        """Number of people who meet all conditions, for example
        ``{"gender": ["female"], "citizenship": members("europe")}``; see the method above."""
        return self._answer(self._question(where))

    def _question(self, where: Where) -> Question:
        """The question, without conditions that everybody meets, and without values that nobody can
        have, such as years before the first: they would count among those that are added up."""
        conditions = []
        for name, values in where.items():
            own = values if isinstance(values, frozenset) else self._set(tuple(values))
            if name in self.variables:
                whole = self._all(name)
                own = own if own <= whole else own & whole or own
                if own == whole:
                    continue
            conditions.append((name, own))
        return frozenset(conditions)

    @memoised
    def _set(self, values: tuple[str, ...]) -> frozenset[str]:
        """The values as a set, the same object for the same codes: its hash is taken once."""
        return frozenset(values)

    @memoised
    def _all(self, variable: str) -> frozenset[str]:
        """Every value of a variable, "not recorded" too."""
        return frozenset((*self.domain(variable), ""))

    @memoised
    def _answer(self, question: Question) -> Interval:
        where = dict(sorted(question))
        if not where:
            people = self.release.protected.people
            return Interval(people.value, people.low, people.high)
        single = all(len(values) == 1 for values in where.values())
        if single and (key := self.measured(*where)) is not None:
            cell = tuple(next(iter(where[v])) for v in key.split("*"))
            if estimate := self._estimates(key).get(cell):
                return Interval(estimate.value, estimate.low, estimate.high)
            return Interval(0, 0, self._unseen_end(key, cell))
        if self._smallest(frozenset(where)) is None:
            return NOT_MEASURED
        value, half = self._sum(where)
        low, high = math.floor(value - half), math.ceil(value + half)
        if key := self.measured(*where):
            low, high = self._with_cells(key, where, low, high)
        wholes = (self.count({n: own for n, own in where.items() if n != v}).high for v in where)
        end = max(value, min(high, *(math.inf if w is None else w for w in wholes)))
        return Interval(value, min(value, max(0, low)), end)

    def _with_cells(self, key: str, where: Where, low: int, high: int) -> tuple[int, int]:
        """The ends of a sum of cells of a table, at least those of each of its cells."""
        lows_of, highs_of = self._shown_ends(key)
        low, high = max(low, int(lows_of.largest(where))), max(high, int(highs_of.largest(where)))
        if high < self.unseen(key):
            cells, shown = product(*(where[name] for name in key.split("*"))), self._estimates(key)
            ends = (self._unseen_end(key, cell) for cell in cells if cell not in shown)
            high = max(high, max(ends, default=0))
        return low, high

    @memoised
    def _shown_ends(self, key: str) -> tuple[CellSums, CellSums]:
        """The ends of the shown cells of a table."""
        names, shown = key.split("*"), self._estimates(key)
        lows = {cell: e.low for cell, e in shown.items()}
        return CellSums.of(names, lows), CellSums.of(names, {c: e.high for c, e in shown.items()})

    def _unseen_end(self, key: str, cell: tuple[str, ...]) -> int:
        """Upper end, in people, for a cell that is not shown: the least of what its table says and
        of its wholes' ends."""
        ends = (self._end(w, tuple([cell[i] for i in order])) for w, order in self._wholes(key))
        return min(self.unseen(key), *ends)

    @memoised
    def _wholes(self, key: str) -> list[tuple[tuple[str, ...], list[int]]]:
        """The questions of one variable less, and where their variables are in a cell."""
        names = key.split("*")
        without = (tuple(n for n in names if n != name) for name in names)
        wholes = (tuple((self.measured(*left) or "*".join(left)).split("*")) for left in without)
        return [(whole, [names.index(n) for n in whole if n]) for whole in wholes]

    @memoised
    def _end(self, names: tuple[str, ...], cell: tuple[str, ...]) -> int:
        """Upper end, in people, of those with these values; of all people where there are none."""
        key = "*".join(names)
        if key not in self._sigma:  # read from a larger table
            high = self.count({n: (code,) for n, code in zip(names, cell, strict=True)}).high
            return int(self.release.protected.people.high if high is None else high)
        estimate = self._estimates(key).get(cell) if key else self.release.protected.people
        return int(estimate.high) if estimate else self._unseen_end(key, cell)

    def share(self, part: Where, whole: Where) -> Interval:
        """Share, in 0..1, of the people of ``whole`` who are also in ``part``."""
        return self.share_of(self.count(part), self.count(whole), part, whole)

    def share_of(self, answer: Interval, of: Interval, part: Where, whole: Where) -> Interval:
        """The same where both numbers are at hand."""
        if not (answer.value and of.value):
            return ratio(answer, of)
        one, two = (dict(self._question(where)) for where in (part, whole))
        both = {n: one.get(n, self._all(n)) & two.get(n, self._all(n)) for n in {**one, **two}}
        if sums := self._in_regions(one, both, two):
            measured = share_of_cells(sums[0], sums[1], self.z)
            return _with(answer.value / of.value, measured)
        return ratio(answer, of, self._fitted.correlation(one, two))

    def _in_regions(self, asked: Sets, *sums: Sets) -> list[RegionSum] | None:
        """Sums of cells of the table of regions that answers a question: the one with the least
        noise of those that hold all sums, where the fit of the question has more."""
        sizes = {n: len(values) for n, values in asked.items()}
        totals = [[table.sum(where) for where in sums] for table in self.regions]
        known = [[one for one in own if one] for own in totals if all(own)]
        least = min(known, key=lambda own: own[0].variance, default=None)
        fitted = OF_FIT**2 * self._fitted.of(sizes) if least else 0.0
        return least if least and least[0].variance < fitted else None

    @cached_property
    def regions(self) -> list[RegionCells]:
        """The tables of regions."""
        measured = self.release.protected.measurements
        keys = pc.binary_join(measured["columns"], "*")
        return [
            RegionCells.of(key, rows, sigma)
            for key, sigma in self.release.protected.guarantee.regions.items()
            if (rows := measured.filter(pc.equal(keys, key))).num_rows
        ]

    @cached_property
    def _sigma(self) -> dict[str, float]:
        return {"": 0.0, **self.release.protected.guarantee.sigma}

    @cached_property
    def _tables(self) -> dict[frozenset[str], str]:
        return {frozenset(table.split("*")): table for table in self._sigma if table}

    @cached_property
    def _cells(self) -> dict[str, dict[tuple[str, ...], Estimate]]:
        """Shown cells of every measured table."""
        cells: dict[str, dict[tuple[str, ...], Estimate]] = {}
        counts = self.release.protected.counts
        shown = counts.filter(pc.equal(counts["state"], SHOWN))
        parts = (shown[name].to_pylist() for name in ("columns", "values", "count", "low", "high"))
        for names, values, *numbers in zip(*parts, strict=True):
            cells.setdefault("*".join(names), {})[tuple(values)] = Estimate(*numbers)
        return cells

    def _estimates(self, key: str) -> dict[tuple[str, ...], Estimate]:
        return self._cells.get(key, {})

    @memoised
    def unseen(self, key: str) -> int:
        """Upper end, in people, for a cell of a measured table that is not shown, as far as that
        table says; :meth:`count` gives the least of it and of the cell's wholes.

        Args:
            key: of the table, as :meth:`measured` gives it.
        """
        guarantee, sigma = self.release.protected.guarantee, self._sigma[key]
        cells = math.prod(len(self.domain(v)) + 1 for v in key.split("*"))
        below = highest_unseen(sigma, cells, len(self._estimates(key)), guarantee.false_share)
        return unseen_end(below, sigma, guarantee.level)

    def _sum(self, where: Sets) -> tuple[int, float]:
        """The number of records, and half the width of its interval; see the method above.

        The table of the question's variables and the years is asked, or else the smallest one."""
        key = self.measured(*{*where, PERIOD}) or self._smallest(frozenset(where)) or ""
        off = 0.0
        if PERIOD in key.split("*") and self.release.measured:
            noisy, rest = (cells.total(where) for cells in self._noisy_and_rest(key))
            value = self._counted(key).total(where)
            off = abs(value - noisy - rest)
        else:
            value, rest = self._counted(key).total_and_rest(where)
        if measured := self._in_regions(where, where):
            of_region = measured[0]
            half = self.z * math.sqrt(of_region.variance) + abs(value - of_region.people)
            return round(value), half
        sd = math.sqrt(self._fitted.of({n: len(values) for n, values in where.items()}))
        return round(value), half_width_of_sum(self.z, sd, off, rest)

    @memoised
    def _smallest(self, names: frozenset[str]) -> str | None:
        """The key of the smallest table that holds these variables, the least noisy of several;
        None where none does: then no way can answer."""
        tables = [(len(t), self._sigma[key], key) for t, key in self._tables.items() if names <= t]
        return min(tables)[-1] if tables else None

    @memoised
    def _counted(self, key: str) -> CellSums:
        """Cells of a table: published counts of those shown, protected records of the others."""
        shown = {cell: e.value for cell, e in self._estimates(key).items()}
        return CellSums.of(key.split("*"), {**self._tally(key), **shown}, shown)

    def noisy_groups(self, *variables: str) -> dict[tuple[str, ...], Mapping[str, float]]:
        """Noisy counts by year of the groups of a measured table that have them.

        Args:
            variables: of the table; the values of a group are in their order, without the year.
        """
        key = self.measured(*variables)
        if key is None or PERIOD not in variables:
            return {}
        others = [n for n in key.split("*") if n != PERIOD]
        order = [others.index(v) for v in variables if v != PERIOD]
        groups = (([v for _name, v in g.of], g.noisy) for g in self._groups.get(key, []))
        return {tuple(values[i] for i in order): noisy for values, noisy in groups}

    @cached_property
    def _groups(self) -> dict[str, list[YearCounts]]:
        groups: dict[str, list[YearCounts]] = {}
        for group in self.release.measured.values():
            groups.setdefault(group.table, []).append(group)
        return groups

    @memoised
    def _noisy_and_rest(self, key: str) -> tuple[CellSums, CellSums]:
        """Cells of a table by year: noisy counts of groups that have them, records of others."""
        names, noisy, groups = key.split("*"), {}, set()
        at = names.index(PERIOD)
        for values, years in self.noisy_groups(*names).items():
            groups.add(values)
            for year, people in years.items():
                noisy[(*values[:at], year, *values[at:])] = people
        rest = {
            cell: n
            for cell, n in self._tally(key).items()
            if (*cell[:at], *cell[at + 1 :]) not in groups
        }
        return CellSums.of(names, noisy), CellSums.of(names, rest)

    @memoised
    def _tally(self, key: str) -> dict[tuple[str, ...], int]:
        """Protected records by the values of some columns."""
        names = key.split("*")
        counted = self.release.protected.records.group_by(names).aggregate([([], "count_all")])
        cells = zip(*(counted[n].fill_null("").to_pylist() for n in names), strict=True)
        return dict(zip(cells, counted["count_all"].to_pylist(), strict=True))
