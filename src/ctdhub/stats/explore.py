"""How far a count of the protected records may be from the truth, for any question of the explorer.

Method.  The explorer adds up protected records, because only records can be filtered freely.
So its cards carry the questions that :class:`ctdhub.stats.answers.Answers` answers too.
1. A single cell of a measured table is the published count with its interval, or "too few to show"
   where it is not published.  Published counts are counts of the records, so that a number does not
   change where a filter turns a cell into a sum.  (Releases whose tables were not reconciled have
   other counts than records; in these everything is counted in the records, as below.)
2. Where the variables named by the filters and the chart are together a measured table, a sum of
   ``m`` of its cells lies in ``n ± (z sqrt(m) sqrt(sigma^2 + r^2) + min((m - 1) u, U))``: z the
   normal quantile of the release's level, sigma the table's noise, and r the root mean square
   difference between the published counts of the table and the same counts of the records.
   Records differ from the truth by the noise of what was published and by what the fit left over;
   r sees the second, and part of the first again, so the interval leans to the wide side.  A table
   without a published cell has r = sigma.
   Cells that are not shown are not in r, and their errors may have one sign: the fit gathers the
   few people of many such cells in some of them.  So each cell of a sum but the first may miss u
   people, the mean of the cells that are not shown, and all together U, the people in them, both
   counted in the records.  Which cells of a sum are shown is not asked, so sums of shown cells
   come out wider than they must.  A limit: u is a mean over all cells that are not shown, the empty
   ones too, so a sum of just those in which the fit gathered people, or from which it took them,
   may be further from the truth.
3. Otherwise nothing was measured that could carry an interval around a count.  But nobody who meets
   all conditions fails one of them: the number is at most the least upper end among the measured
   tables of some of the variables (Fréchet's bound; at least it may be 0).  Of such tables the
   explorer takes those that no other contains, at most ``BOUNDS``, those with most variables first,
   then the least noisy; as the least of k ends is taken, each takes the level ``1 - (1 - level)/k``
   (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard, card
from ctdhub.stats.intervals import NOT_MEASURED, Interval
from ctdhub.stats.intervals import outside as beyond
from ctdhub.stats.query import Query
from ctdhub.stats.table import NOT_RECORDED, YES, Kind, Row, Table
from ctdhub.stats.tables import distribution

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Part = tuple[str, Kind, Interval, Query]
"""A row to be: its code, its kind, its number, its question."""
BOUNDS = 24


class Errors(NamedTuple):
    """Errors, in people, of cells of a table that are counted in the records.

    Attributes:
        cell: standard error of one cell, rounded up to two decimals.
        unseen: mean of the cells that are not shown, rounded up to two decimals.
        most: people in all cells that are not shown.
    """

    cell: float
    unseen: float
    most: int


class PublishedEnds(NamedTuple):
    """The published cells of a table.

    Attributes:
        at: flat places, the columns in the order of the explorer, in increasing order.
        low, high: ends of the interval, in people.
        unseen: upper end of a cell that is not published, in people.
    """

    at: list[int]
    low: list[int]
    high: list[int]
    unseen: int


class Exploration:
    """The protected records of a release by some of its variables, and the errors of their counts.

    Attributes:
        answers: of the release.
        domains: by variable its values, "not recorded" (the empty text) first.
        codes: by variable one number for each record: the place of its value in the domain.
        errors: by measured table (a set of variables) the errors of its cells in the records.
    """

    def __init__(self, answers: Answers, variables: Sequence[str]) -> None:
        records = answers.release.protected.records
        held = [v for v in variables if v in answers.variables]
        self.answers = answers
        self.domains = {v: (NOT_RECORDED, *answers.domain(v)) for v in held}
        self.codes = {v: coded(records[v], self.domains[v]) for v in held}
        self.errors: dict[frozenset[str], Errors] = {}
        for key, sigma in answers.release.protected.guarantee.sigma.items():
            names = key.split("*")
            if key and all(v in self.codes for v in names):
                self.errors[frozenset(names)] = self._errors(names, sigma)

    def published(self) -> dict[tuple[str, ...], PublishedEnds]:
        """Published cells by measured table, its columns in order; {} where records differ."""
        order, found = list(self.codes), {}
        for held in self.errors if self.answers.reconciled else ():
            names = tuple(sorted(held, key=order.index))
            cells = self.answers.cells(*names)
            places = [{v: k for k, v in enumerate(self.domains[n])} for n in names]
            shape = [len(p) for p in places]
            at = [
                int(np.ravel_multi_index([p[v] for p, v in zip(places, cell, strict=True)], shape))
                for cell in cells
            ]
            rows = sorted((k, e.low, e.high) for k, e in zip(at, cells.values(), strict=True))
            where, low, high = ([row[i] for row in rows] for i in range(3))
            unseen = self.answers.unseen(self.answers.measured(*names) or "")
            found[names] = PublishedEnds(where, low, high, unseen)
        return found

    def _cell(self, variable: str, code: str, n: int) -> Interval:
        """Of people with one value: as published, or as counted in the records."""
        if self.answers.reconciled and frozenset((variable,)) in self.errors:
            return self.answers.count({variable: (code,)})
        return self.estimate(n, 1, variable)

    def quantiles(self) -> list[float]:
        """Normal quantile of the release's level where the least of 1, 2, … ends is taken."""
        outside = (1 - self.answers.release.protected.guarantee.level) / 2
        return [NormalDist().inv_cdf(1 - outside / k) for k in range(1, BOUNDS + 1)]

    def count(self, variable: str) -> npt.NDArray[np.intp]:
        """Records by the values of a variable, in the order of its domain."""
        return np.bincount(self.codes[variable], minlength=len(self.domains[variable]))

    def estimate(self, n: int, cells: int, *variables: str) -> Interval:
        """Interval of ``n`` records that fill ``cells`` cells of the table of these variables."""
        error = self.errors.get(frozenset(variables))
        if error is None:
            return NOT_MEASURED
        half = self.answers.z * math.sqrt(cells) * error.cell
        half += min((cells - 1) * error.unseen, error.most)
        return Interval(n, max(0, math.floor(n - half)), math.ceil(n + half))

    def table(self, variable: str) -> Table:
        """People by the values of a variable; "not recorded" is its last row."""
        counts, domain = self.count(variable), self.domains[variable]
        kinds = {}
        if variable == PERIOD:
            kinds = {row.codes[0]: row.kind for row in distribution(self.answers, PERIOD).rows}
        parts = [
            (
                v,
                kinds.get(v, "value"),
                self._cell(variable, v, int(counts[k])),
                _one(variable, v),
            )
            for k, v in enumerate(domain)
            if k and (variable != PERIOD or v in kinds)
        ]
        rest = self._cell(variable, NOT_RECORDED, int(counts[0])), _one(variable, NOT_RECORDED)
        return self._table(_one(variable, *domain[1:]), variable, parts, rest, int(counts[0]))

    def flag_table(self, indicator: str, flags: Sequence[str]) -> Table:
        """People by flags; those for whom none of the group is recorded are the last row."""
        yes = self.domains[indicator].index(YES)
        outside = int(self.count(indicator).sum() - self.count(indicator)[yes])
        parts: list[Part] = []
        for flag in flags:
            n = int(self.count(flag)[self.domains[flag].index(YES)])
            parts.append((flag, "value", self._cell(flag, YES, n), _one(flag, YES)))
        some = _one(indicator, YES)
        known = self._cell(indicator, YES, int(self.count(indicator)[yes]))
        answer = beyond(known, self.answers.count({}))
        rest = answer, Query(some.where, of=Query())
        return self._table(some, indicator, parts, rest, outside)

    def _table(
        self,
        recorded: Query,
        variable: str,
        parts: Sequence[Part],
        rest: tuple[Interval, Query],
        unknown: int,
    ) -> Table:
        release, (answer, outside) = self.answers.release, rest
        people = release.protected.people
        missing = unknown / people.value if people.value else None
        known = NOT_MEASURED
        if answer.value is not None and answer.high is not None:
            some = Interval(unknown, answer.low, max(unknown, answer.high))
            known = beyond(some, Interval(people.value, people.low, people.high))

        def counted(answer: Interval, query: Query) -> NumberCard:
            return card(release, answer, "people", query, missing=missing, published=True)

        every = (*parts, (NOT_RECORDED, "not_recorded", answer, outside))
        rows = [Row((code,), kind, counted(found, query)) for code, kind, found, query in every]
        base = counted(known, recorded)
        return Table((variable,), tuple(rows), base, missing)

    def _errors(self, names: Sequence[str], sigma: float) -> Errors:
        cells = self.answers.cells(*names)
        place = [{v: k for k, v in enumerate(self.domains[n])} for n in names]
        shape = [len(p) for p in place]
        counted = np.bincount(
            np.ravel_multi_index([self.codes[n] for n in names], shape), minlength=math.prod(shape)
        )
        left, inside = sigma, 0
        if cells:
            at = [[p[cell[k]] for cell in cells] for k, p in enumerate(place)]
            shown = counted[np.ravel_multi_index(at, shape)]
            published = np.array([e.value for e in cells.values()])
            left, inside = float(np.sqrt(np.mean((published - shown) ** 2.0))), int(shown.sum())
        most = int(counted.sum()) - inside
        unseen = most / max(1, counted.size - len(cells))
        return Errors(_up(math.hypot(sigma, left)), _up(unseen), most)


def _one(variable: str, *codes: str) -> Query:
    return Query({variable: codes})


def _up(people: float) -> float:
    return math.ceil(people * 100) / 100


def coded(column: pa.ChunkedArray, domain: Sequence[str]) -> Codes:
    """Each value's place in the domain, which begins with "not recorded".

    Raises:
        ValueError: a value outside the domain.

    >>> coded(pa.chunked_array([["b", None, "a"]]), ("", "a", "b")).tolist()
    [2, 0, 1]
    """
    found = pc.index_in(pc.fill_null(column, NOT_RECORDED), pa.array(domain))
    if found.null_count:
        raise ValueError("a record holds a value outside the domain of its variable")
    kind = np.uint8 if len(domain) <= 256 else np.uint16
    codes: Codes = found.to_numpy().astype(kind)
    return codes


def grouped(variables: Mapping[str, object], group: str) -> tuple[str, ...]:
    """Flags of a group that are among the variables, in the order of the schema."""
    return tuple(flag for flag in load_schema().flags(group) if flag in variables)
