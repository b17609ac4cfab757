"""Numbers of people from a release, each with an interval that the noise justifies.

Method.  A question names a set of values for each of some variables.
1. A single cell of a measured table is read from the protected counts, as published.  A cell that
   is not shown had an estimate below the least that is shown: that is known from how many of how
   many cells are (``border.highest_unseen``).  It lies between 0 and that bound plus ``z * sigma``.
   The least count that is shown says less: counts are those of records, and may be below estimates.
2. A sum of cells of a measured table takes the published counts of the cells that are shown and the
   synthetic records for the rest.  Its interval is ``value ± the root of
   (z sigma sqrt(m))^2 + rest^2``: z the normal quantile of the release's level, sigma the table's
   noise, m the number of cells that the sum covers; the rest, cells too few to show, counts as an
   error as large as itself, for records are fitted and cells that small may be empty.  Of
   the measured tables that hold all variables of the question the ``CANDIDATES`` least noisy are
   tried, and the one with the narrowest interval answers.  Where the values left out are fewer
   than those named, the sum is also "all of them less those left out"; variances add, and so do
   the rests.
   A table with years has a second way: the noisy counts by year of the groups that are shown in
   total (``Protected.measurements``), which are unbiased whatever their size, and records for the
   groups that have none.  Its noise is that of the noisy counts added, and for each group without
   them that of its total over all years, which the records follow; the interval is wider by what
   such a total may hide, the bound of step 1.
   Counts are those of the records, so that every way gives the same number, the count of the
   records, and only its interval differs: the second way's is made wider by as much as its own
   number is away from that count.  There is a third: the noise of the fit, which all measured
   tables made together (``sum_variance``), and a quarter of the rest (:data:`OF_REST`) as an error.
3. Whoever meets all conditions meets all but one of them: where both intervals hold the truth, a
   number is at most the upper end of the same question without one of its conditions.  So a part's
   upper end is never above that of its whole, and an interval misses at most where its own or that
   of a whole would have missed by itself; published cells were made so in the release
   (``dp.published``).  The ends of a sum are also at least those of each of its cells, which makes
   an interval wider and no miss.
4. Where no measured table holds all variables of the question there is no interval: nothing was
   measured, and no number is shown.
A share takes its interval from Fieller's theorem (E. C. Fieller, 1954, J. R. Stat. Soc. B 16:175),
with the correlation that the errors of the two counts have in the fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations, product
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ctdhub.border import SHOWN, Estimate, highest_unseen, unseen_end
from ctdhub.release.open import Release
from ctdhub.release.tables import YearCounts
from ctdhub.schema.model import PERIOD, load_schema
from ctdhub.stats.cards import NOT_MEASURED, Interval, ratio
from ctdhub.stats.query import Where

# --------------------------------------------------------------------------------------------------
# Cells of a table added up: people in them, the noise of their sum, the part that is not shown.

KEPT = 256
"""Conditions whose cells a table remembers, two bytes a cell each at most."""
NARROW = 8
"""A condition that at most every so manyth cell meets is also kept as the places of these cells."""


@dataclass(frozen=True)
class Sum:
    """People in a sum of cells, the variance of its noise, the part in cells not shown, and the
    people whom totals that are not shown may hide beyond the noise."""

    value: float
    variance: float
    rest: float
    hidden: float = 0.0

    def half(self, z: float) -> float:
        """Half the width of the interval, in people."""
        return math.hypot(z * math.sqrt(self.variance), self.rest) + self.hidden

    def less(self, other: Sum) -> Sum:
        """The difference of two sums; their errors add."""
        return Sum(
            self.value - other.value,
            self.variance + other.variance,
            self.rest + other.rest,
            self.hidden + other.hidden,
        )


@dataclass(frozen=True)
class _Met:
    """A condition on one column: for each cell whether it meets it; where these are few, also their
    places, in order."""

    cells: npt.NDArray[np.bool_]
    places: npt.NDArray[np.intp] | None


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

    def total_and_size(self, limits: Mapping[str, Collection[str]]) -> tuple[float, int]:
        """People in these cells, and how many cells that is."""
        inside = self._inside(limits)
        people = self.people[inside]
        return float(people.sum()), people.size

    def largest(self, limits: Mapping[str, Collection[str]]) -> float:
        """The most people in one of these cells; 0 where there is none."""
        return float(self.people[self._inside(limits)].max(initial=0.0))

    def _inside(self, limits: Mapping[str, Collection[str]]) -> npt.NDArray[np.generic]:
        """Which cells meet all limits: for each whether it does, or the places of those that do, in
        order; both choose the same people."""
        met, few = [], None
        for name, allowed in limits.items():
            one = self._among(name, frozenset(allowed))
            met.append(one)
            if one.places is not None and (few is None or one.places.size < few.size):
                few = one.places
        if few is not None:
            places = few
            for one in met:
                if one.places is not few:
                    places = places[one.cells[places]]
            return places
        inside = np.ones(self.people.size, dtype=bool)
        for one in met:
            inside &= one.cells
        return inside

    def _among(self, name: str, allowed: frozenset[str]) -> _Met:
        """Which cells have one of these values; the last ones are kept, for questions come in rows
        that differ in one condition."""
        found = self._kept.get((name, allowed))
        if found is None:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            places, codes = self.columns[name]
            among = np.zeros(len(places), dtype=bool)
            among[[places[value] for value in allowed if value in places]] = True
            cells = among[codes]
            at = np.flatnonzero(cells)
            found = _Met(cells, at if at.size * NARROW <= cells.size else None)
            self._kept[name, allowed] = found
        return found


# --------------------------------------------------------------------------------------------------
# The variance of a sum of cells in tables that were fitted together.
#
# Tables of a release are sums of interaction components, and each component is the mean of what the
# measured tables say of it, weighed by inverse variance (``dp.reconcile``).  A component sums to
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
        found = 0.0
        for k in range(len(sizes) + 1):
            for part in combinations(sizes, k):
                own = math.prod(both - a * b / self._size(n) for n, a, b, both in part)
                rest = (s for s in sizes if s not in part)
                others = math.prod(a * b / self._size(n) ** 2 for n, a, b, _both in rest)
                if own:
                    found += own * others / self._weight(frozenset(n for n, *_sizes in part))
        return found

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
Asked = frozenset[tuple[str, frozenset[str]]]
"""A question: the values of each variable, in no order."""

CANDIDATES = 3
"""Tables tried for a sum, the least noisy first."""


OF_FIT, OF_REST = 1.05, 0.25
"""What counts as the error of a sum: so many standard deviations of the fit, and this
part of the people in cells too few to show.  Records follow the fit, in sums more closely than in
cells: their sums were off by 0.3 to 1.05 standard deviations of it (``benchmarks/reconcile.py``).
"""


class Estimator:
    """What one release says of numbers of people.

    Raises:
        TypeError: not a Release (which holds a Protected answer and nothing else).
    """

    def __init__(self, release: Release) -> None:
        if not isinstance(release, Release):
            raise TypeError("statistics read releases and nothing else")
        self.release = release
        self.years = release.facts.years
        self._variables = frozenset(release.protected.records.column_names)
        self._records = release.protected.records
        self._tallies: dict[str, CellSums] = {}
        self._noisy: dict[str, tuple[CellSums, CellSums]] = {}
        self._ends: dict[str, tuple[CellSums, CellSums]] = {}
        self._answered: dict[Asked, Interval] = {}
        self._unseen_ends: dict[tuple[str, tuple[str, ...]], int] = {}
        self._wholes_of: dict[str, tuple[int, list[tuple[tuple[str, ...], list[int]]]]] = {}
        self._domains: dict[str, tuple[str, ...]] = {}
        self._everything: dict[str, frozenset[str]] = {}
        self._sets: dict[tuple[str, ...], frozenset[str]] = {}
        self._below_of: dict[str, float] = {}
        self._held: dict[frozenset[str], bool] = {frozenset(): True}
        self._by_order: dict[tuple[str, ...], dict[tuple[str, ...], Estimate]] = {}
        self._sums: dict[Asked, Sum | None] = {}
        self._by_values: dict[str, dict[tuple[str, ...], int]] = {}
        self._smallest_of: dict[frozenset[str], str] = {}
        self._tried: dict[frozenset[tuple[str, int]], list[tuple[frozenset[str], float]]] = {}
        self.z = NormalDist().inv_cdf((1 + release.protected.guarantee.level) / 2)
        self._fitted = SumVariances(
            release.protected.guarantee.drawn, lambda name: len(self.domain(name)) + 1
        )

    @property
    def variables(self) -> frozenset[str]:
        """The variables that the release holds."""
        return self._variables

    def domain(self, variable: str) -> tuple[str, ...]:
        """Public values of a variable, "not recorded" left out."""
        if variable not in self._domains:
            self._domains[variable] = load_schema().domain(variable, self.years)
        return self._domains[variable]

    def measured(self, *variables: str) -> str | None:
        """The key of the table of exactly these variables, None if it was not measured."""
        return self._tables.get(frozenset(variables))

    def cells(self, *variables: str) -> dict[tuple[str, ...], Estimate]:
        """Shown cells of a measured table; values in the order of ``variables``."""
        key = self.measured(*variables)
        if key is None:
            return {}
        if variables not in self._by_order:
            order = [key.split("*").index(v) for v in variables]
            cells = self._shown(key).items()
            self._by_order[variables] = {tuple(cell[i] for i in order): e for cell, e in cells}
        return self._by_order[variables]

    def count(self, where: Where) -> Interval:
        """Number of people who meet all conditions, for example
        ``{"gender": ["female"], "citizenship": members("europe")}``; see the method above."""
        asked = self._asked(where)
        if asked not in self._answered:
            self._answered[asked] = self._count(dict(sorted(asked)))
        return self._answered[asked]

    def _asked(self, where: Where) -> Asked:
        """The question, without conditions that everybody meets, and without values that nobody can
        have, such as years before the first: they would count among those that are added up."""
        found = []
        for name, values in where.items():
            own = self._set(values)
            if name not in self._variables:
                found.append((name, own))
                continue
            whole = self._all(name)
            if not own <= whole:
                own = own & whole or own
            if len(own) < len(whole) or not own >= whole:
                found.append((name, own))
        return frozenset(found)

    def _set(self, values: Collection[str]) -> frozenset[str]:
        """The values as a set, the same object for the same codes: its hash is taken once."""
        if isinstance(values, frozenset):
            return values
        if not isinstance(values, tuple):
            return frozenset(values)
        if values not in self._sets:
            self._sets[values] = frozenset(values)
        return self._sets[values]

    def _all(self, variable: str) -> frozenset[str]:
        """Every value of a variable, "not recorded" too."""
        if variable not in self._everything:
            self._everything[variable] = frozenset((*self.domain(variable), ""))
        return self._everything[variable]

    def _count(self, where: Sets) -> Interval:
        if not where:
            people = self.release.protected.people
            return Interval(people.value, people.low, people.high)
        single = all(len(values) == 1 for values in where.values())
        if single and (key := self.measured(*where)) is not None:
            cell = tuple(next(iter(where[v])) for v in key.split("*"))
            if found := self._shown(key).get(cell):
                return Interval(found.value, found.low, found.high)
            return Interval(0, 0, self._unseen_end(key, cell))
        total = self._sum(where)
        if total is None:
            return NOT_MEASURED
        half = total.half(self.z)
        value = max(0, round(total.value))
        low, high = math.floor(total.value - half), math.ceil(max(0.0, total.value) + half)
        if key := self.measured(*where):
            low, high = self._with_cells(key, where, low, high)
        end = max(value, min(high, self._least_whole(where)))
        return Interval(value, min(value, max(0, low)), end)

    def _with_cells(self, key: str, where: Where, low: int, high: int) -> tuple[int, int]:
        """The ends of a sum of cells of a table, at least those of each of its cells."""
        if key not in self._ends:
            names, shown = key.split("*"), self._shown(key)
            lows = {cell: e.low for cell, e in shown.items()}
            highs = {cell: e.high for cell, e in shown.items()}
            self._ends[key] = CellSums.of(names, lows), CellSums.of(names, highs)
        lows_of, highs_of = self._ends[key]
        low, high = max(low, int(lows_of.largest(where))), max(high, int(highs_of.largest(where)))
        if high < self.unseen(key):
            cells, shown = product(*(where[name] for name in key.split("*"))), self._shown(key)
            ends = (self._unseen_end(key, cell) for cell in cells if cell not in shown)
            high = max(high, max(ends, default=0))
        return low, high

    def _unseen_end(self, key: str, cell: tuple[str, ...]) -> int:
        """Upper end, in people, for a cell that is not shown: the least of what its table says and
        of its wholes' ends."""
        if (key, cell) not in self._unseen_ends:
            if key not in self._wholes_of:
                self._wholes_of[key] = self.unseen(key), self._wholes(key)
            end, wholes = self._wholes_of[key]
            for whole, order in wholes:
                end = min(end, self._end(whole, tuple([cell[i] for i in order])))
            self._unseen_ends[key, cell] = end
        return self._unseen_ends[key, cell]

    def _wholes(self, key: str) -> list[tuple[tuple[str, ...], list[int]]]:
        """The questions of one variable less, and where their variables are in a cell."""
        names = key.split("*")
        without = (tuple(n for n in names if n != name) for name in names)
        wholes = (tuple((self.measured(*left) or "*".join(left)).split("*")) for left in without)
        return [(whole, [names.index(n) for n in whole if n]) for whole in wholes]

    def _end(self, names: tuple[str, ...], cell: tuple[str, ...]) -> int:
        """Upper end, in people, of those with these values; of all people where there are none."""
        key = "*".join(names)
        if key not in self._sigma:  # read from a larger table
            high = self.count({n: (code,) for n, code in zip(names, cell, strict=True)}).high
            return int(self.release.protected.people.high if high is None else high)
        found = self._shown(key).get(cell) if key else self.release.protected.people
        return int(found.high) if found else self._unseen_end(key, cell)

    def _least_whole(self, where: Where) -> float:
        """The least upper end of the same question without one of its conditions."""
        wholes = (self.count({n: own for n, own in where.items() if n != v}) for v in where)
        return min((w.high for w in wholes if w.high is not None), default=math.inf)

    def share(self, part: Where, whole: Where) -> Interval:
        """Share, in 0..1, of the people of ``whole`` who are also in ``part``."""
        return self.share_of(self.count(part), self.count(whole), part, whole)

    def share_of(self, answer: Interval, of: Interval, part: Where, whole: Where) -> Interval:
        """The same where both numbers are at hand."""
        if not (answer.value and of.value):
            return ratio(answer, of)
        sets = (dict(self._asked(where)) for where in (part, whole))
        return ratio(answer, of, self._fitted.correlation(*sets))

    @cached_property
    def _sigma(self) -> dict[str, float]:
        return {"": 0.0, **self.release.protected.guarantee.sigma}

    @cached_property
    def _tables(self) -> dict[frozenset[str], str]:
        return {frozenset(table.split("*")): table for table in self._sigma if table}

    @cached_property
    def _cells(self) -> dict[str, dict[tuple[str, ...], Estimate]]:
        """Shown cells of every measured table."""
        found: dict[str, dict[tuple[str, ...], Estimate]] = {}
        counts = self.release.protected.counts
        shown = counts.filter(pc.equal(counts["state"], SHOWN))
        parts = (shown[name].to_pylist() for name in ("columns", "values", "count", "low", "high"))
        for names, values, *numbers in zip(*parts, strict=True):
            found.setdefault("*".join(names), {})[tuple(values)] = Estimate(*numbers)
        return found

    def _shown(self, key: str) -> dict[tuple[str, ...], Estimate]:
        return self._cells.get(key, {})

    def unseen(self, key: str) -> int:
        """Upper end, in people, for a cell of a measured table that is not shown, as far as that
        table says; :meth:`count` gives the least of it and of the cell's wholes.

        Args:
            key: of the table, as :meth:`measured` gives it.
        """
        level = self.release.protected.guarantee.level
        return unseen_end(self._below(key), self._sigma[key], level)

    def _below(self, key: str) -> float:
        """What no estimate of a cell that is not shown is above, in people, rounded."""
        if key not in self._below_of:
            self._below_of[key] = self._highest_unseen(key)
        return self._below_of[key]

    def _highest_unseen(self, key: str) -> float:
        shown = self._shown(key)
        cells = math.prod(len(self.domain(v)) + 1 for v in key.split("*"))
        share = self.release.protected.guarantee.false_share
        return highest_unseen(self._sigma[key], cells, len(shown), share)

    def _sum(self, where: Sets) -> Sum | None:
        """The best way to answer by adding cells; None where nothing was measured.

        A question of k variables leads to at most 3^k others: each condition as it is, left out, or
        turned around.

        Args:
            where: a question as :meth:`_asked` has it.
        """
        asked = frozenset(where.items())
        if asked not in self._sums:
            self._sums[asked] = self._best(where) if self._holds(where) else None
        return self._sums[asked]

    def _holds(self, where: Where) -> bool:
        """Whether some measured table holds all variables; if none does, no way can answer."""
        asked = frozenset(where)
        if asked not in self._held:
            among = min((self._holding.get(v, []) for v in where), key=len)
            self._held[asked] = any(asked <= names for names, _sigma in among)
        return self._held[asked]

    def _of_records(self, where: Sets) -> Sum:
        """The count of the records, with the noise of the fit."""
        key = self._smallest(frozenset(where))
        variance = OF_FIT**2 * self._fitted.of({n: len(values) for n, values in where.items()})
        found = self._added(key, where, variance)
        return Sum(found.value, variance, OF_REST * found.rest)

    def _smallest(self, names: frozenset[str]) -> str:
        """The key of the smallest table that holds these variables, the least noisy of several."""
        if names not in self._smallest_of:
            among = min((self._holding[v] for v in names), key=len)
            found = min((len(t), sigma, self._tables[t]) for t, sigma in among if names <= t)
            self._smallest_of[names] = found[-1]
        return self._smallest_of[names]

    def _best(self, where: Sets) -> Sum | None:
        if not where:
            people = self.release.protected.people
            return Sum(people.value, self._sigma[""] ** 2, 0.0)
        fitted = self._of_records(where)
        ways = [self._direct(where, fitted), fitted]
        for v in sorted(where):
            outside = self._all(v) - where[v]
            if len(outside) < len(where[v]):
                others = {n: values for n, values in where.items() if n != v}
                whole, left_out = self._sum(others), self._sum({**others, v: outside})
                if whole and left_out:
                    ways.append(whole.less(left_out))
        return min((w for w in ways if w), key=lambda w: w.half(self.z), default=None)

    def _direct(self, where: Sets, fitted: Sum) -> Sum | None:
        """The same from one table: of those that hold all variables the best of the least noisy.

        Args:
            fitted: another answer; ways whose noise alone makes a wider one are not gone.
        """
        sums, most = [], fitted.half(self.z)
        for names, variance in self._least_noisy({n: len(own) for n, own in where.items()}):
            key = self._tables[names]
            if self.z * math.sqrt(variance) <= most:
                sums.append(self._added(key, where, variance))
            if PERIOD in names and self.release.measured:
                groups, years, whole = self._by_group(key, where)
                least = groups * min(years * self._sigma[key] ** 2, self._sigma[whole] ** 2)
                if self.z * math.sqrt(least) <= most:
                    sums.append(self._measured(key, where, fitted.value))
        return min(sums, key=lambda w: w.half(self.z), default=None)

    def _least_noisy(self, sizes: Mapping[str, int]) -> list[tuple[frozenset[str], float]]:
        """Tables tried for a sum over so many values of each variable, and the sum's variance."""
        asked = frozenset(sizes.items())
        if asked not in self._tried:
            candidates = min((self._holding.get(v, []) for v in sizes), key=len)
            noise = {
                names: sigma
                * sigma
                * math.prod(sizes[n] if n in sizes else len(self.domain(n)) + 1 for n in names)
                for names, sigma in candidates
                if sizes.keys() <= names
            }
            least = sorted(noise, key=lambda names: noise[names])[:CANDIDATES]
            self._tried[asked] = [(names, noise[names]) for names in least]
        return self._tried[asked]

    def _added(self, key: str, wanted: Sets, variance: float) -> Sum:
        """Cells of one table added up, which is the number of records."""
        value, rest = self._counted(key).total_and_rest(wanted)
        return Sum(value, variance, rest)

    def _measured(self, key: str, wanted: Sets, records: float) -> Sum:
        """The same with the noise of noisy counts by year, and records of groups that have none."""
        noisy, others = self._noisy_and_rest(key)
        (seen, counted), rest = noisy.total_and_size(wanted), others.total(wanted)
        groups, years, whole = self._by_group(key, wanted)
        uncounted = max(0.0, groups - counted / max(1, years))
        variance = counted * self._sigma[key] ** 2 + uncounted * self._sigma[whole] ** 2
        hidden = self._below(whole) if uncounted else 0.0
        return Sum(records, variance, rest, hidden + abs(records - seen - rest))

    def _by_group(self, key: str, wanted: Sets) -> tuple[int, int, str]:
        """Groups and years of a table by year that a question asks for, and the key of the table of
        these groups without the year, of the table itself if there is none."""
        others = [n for n in key.split("*") if n != PERIOD]
        sizes = (len(wanted[n]) if n in wanted else len(self.domain(n)) + 1 for n in others)
        years = len(wanted.get(PERIOD, range(len(self.domain(PERIOD)) + 1)))
        return math.prod(sizes), years, self.measured(*others) or key

    def _counted(self, key: str) -> CellSums:
        """Cells of a table: published counts of those shown, protected records of the others."""
        if key not in self._tallies:
            shown = {cell: e.value for cell, e in self._shown(key).items()}
            cells = {**self._tally(key), **shown}
            self._tallies[key] = CellSums.of(key.split("*"), cells, shown)
        return self._tallies[key]

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
        found: dict[tuple[str, ...], Mapping[str, float]] = {}
        for group in self._groups.get(key, []):
            values = [value for _name, value in group.of]
            found[tuple(values[i] for i in order)] = group.noisy
        return found

    def by_all_years(self, *variables: str) -> tuple[float, float]:
        """Of the table of these variables without the year: its noise, and what no estimate of a
        cell that is not shown is above, both in people; those of the table itself if there is none.
        """
        others = [v for v in variables if v != PERIOD]
        key = self.measured(*others) or self.measured(*variables) or ""
        return self._sigma[key], self._below(key)

    @cached_property
    def _groups(self) -> dict[str, list[YearCounts]]:
        found: dict[str, list[YearCounts]] = {}
        for group in self.release.measured.values():
            found.setdefault(group.table, []).append(group)
        return found

    def _noisy_and_rest(self, key: str) -> tuple[CellSums, CellSums]:
        """Cells of a table by year: noisy counts of groups that have them, records of others."""
        if key not in self._noisy:
            names = key.split("*")
            at = names.index(PERIOD)
            noisy, groups = {}, set()
            for values, years in self.noisy_groups(*names).items():
                groups.add(values)
                for year, people in years.items():
                    noisy[(*values[:at], year, *values[at:])] = people
            rest = {
                cell: n
                for cell, n in self._tally(key).items()
                if (*cell[:at], *cell[at + 1 :]) not in groups
            }
            self._noisy[key] = CellSums.of(names, noisy), CellSums.of(names, rest)
        return self._noisy[key]

    def _tally(self, key: str) -> dict[tuple[str, ...], int]:
        """Protected records by the values of some columns."""
        if key not in self._by_values:
            names = key.split("*")
            counted = self._records.group_by(names).aggregate([([], "count_all")])
            cells = zip(*(counted[n].fill_null("").to_pylist() for n in names), strict=True)
            numbers = counted["count_all"].to_pylist()
            self._by_values[key] = dict(zip(cells, numbers, strict=True))
        return self._by_values[key]

    @cached_property
    def _holding(self) -> dict[str, list[tuple[frozenset[str], float]]]:
        """Measured tables by each variable they hold, with their noise."""
        holding: dict[str, list[tuple[frozenset[str], float]]] = {}
        for names, table in self._tables.items():
            for v in names:
                holding.setdefault(v, []).append((names, self._sigma[table]))
        return holding
