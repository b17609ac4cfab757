"""What a program needs to give the answers of a release itself: records and measured tables.

The explorer of the site counts in a browser.  It holds the synthetic records, the measured tables
with their noise, and of each table the cells that are published; from these ``static/interval.js``
computes what :class:`ctdhub.stats.estimator.Estimator` does, by the same steps, so that a number of
the explorer is the number that every other page prints.

Bounds.  Where nothing that was measured can carry an interval, still nobody who meets all
conditions fails one of them: the number is at most the least upper end among the measured tables of
some of the variables (Fréchet's bound; at least it may be 0).  The explorer takes the tables that
no other contains, at most ``BOUNDS``, those with most variables first, then the least noisy; as the
least of k ends is taken, each takes the level ``1 - (1 - level)/k`` (Bonferroni).  What is said of
the same question without one of its conditions is a bound too, as it is: a part that is said to be
more than its whole would contradict it, and this bound misses only where the other number does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.model import PERIOD, load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED, widening

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
BOUNDS = 6


class NoisyYears(NamedTuple):
    """The noisy counts by year of some groups of a table.

    Attributes:
        at: flat places of the groups, the columns but that of the years in the explorer's order.
        people: of each group its counts in the order of the years' domain; None where it has none.
    """

    at: list[int]
    people: list[list[float | None]]


class PublishedTable(NamedTuple):
    """The published cells of a measured table.

    Attributes:
        at: flat places, the columns in the explorer's order, in increasing order.
        low, high: ends of the interval, in people.
        unseen: upper end of a cell that is not published, in people.
        noisy: the counts by year; None for a table without years.
    """

    at: list[int]
    low: list[int]
    high: list[int]
    unseen: int
    noisy: NoisyYears | None


class Exploration:
    """The synthetic records of a release by some of its variables, and its measured tables.

    Attributes:
        answers: of the release.
        domains: by variable its values, "not recorded" (the empty text) first.
        codes: by variable one number for each record: the place of its value in the domain.
        tables: measured tables of these variables, each with its columns in the order of ``codes``
            and its noise in people, in the order in which the release lists them.
    """

    def __init__(self, answers: Answers, variables: Sequence[str]) -> None:
        records = answers.release.protected.records
        held = [v for v in variables if v in answers.variables]
        self.answers = answers
        self.domains = {v: (NOT_RECORDED, *answers.domain(v)) for v in held}
        self.codes = {v: coded(records[v], self.domains[v]) for v in held}
        order = {name: k for k, name in enumerate(held)}
        self.tables: dict[tuple[str, ...], float] = {}
        for key, sigma in answers.release.protected.guarantee.sigma.items():
            names = key.split("*")
            if key and all(v in order for v in names):
                self.tables[tuple(sorted(names, key=order.__getitem__))] = sigma

    def published(self, names: tuple[str, ...]) -> PublishedTable:
        """The published cells of one of ``tables``."""
        cells = self.answers.cells(*names)
        rows = sorted(
            (place, e.low, e.high)
            for place, e in zip(self._places(names, list(cells)), cells.values(), strict=True)
        )
        at, low, high = ([row[i] for row in rows] for i in range(3))
        return PublishedTable(
            at,
            low,
            high,
            self.answers.unseen(self.answers.measured(*names) or ""),
            self._noisy(names),
        )

    def regions(self) -> list[dict[str, Any]]:
        """The tables of regions of these variables: columns, of each the places of the values of
        each group, the noisy cells in this order, and the variance of one."""
        order = {name: k for k, name in enumerate(self.codes)}
        found = []
        for table in self.answers.regions:
            if not table.groups.keys() <= order.keys():
                continue
            axes = table.groups
            place = {n: {v: k for k, v in enumerate(self.domains[n])} for n in axes}
            cells = (dict(zip(axes, cell, strict=True)) for cell in product(*axes.values()))
            found.append(
                {
                    "columns": [order[n] for n in axes],
                    "groups": [
                        [sorted(place[n][v] for v in own) for own in groups.values()]
                        for n, groups in axes.items()
                    ],
                    "noisy": [
                        table.cells.total({n: [g] for n, g in cell.items()}) for cell in cells
                    ],
                    "variance": table.variance,
                }
            )
        return found

    def wider(self) -> list[float]:
        """How much wider intervals are taken where the worst of 1, 2, … of them is."""
        level = self.answers.release.protected.guarantee.level
        most = max([BOUNDS, *(len(d) for d in self.domains.values())])
        return [widening(level, k) for k in range(1, most + 1)]

    def _places(self, names: Sequence[str], cells: Sequence[tuple[str, ...]]) -> list[int]:
        if not names:
            return [0] * len(cells)
        places = [{v: k for k, v in enumerate(self.domains[n])} for n in names]
        at = [[place[cell[k]] for cell in cells] for k, place in enumerate(places)]
        shape = [len(place) for place in places]
        return [int(k) for k in np.ravel_multi_index(at, shape)] if cells else []

    def _noisy(self, names: tuple[str, ...]) -> NoisyYears | None:
        if PERIOD not in names or not self.answers.release.measured:
            return None
        groups = self.answers.noisy_groups(*names)
        others = tuple(n for n in names if n != PERIOD)
        found = sorted(
            zip(self._places(others, list(groups)), groups.values(), strict=True),
            key=lambda pair: pair[0],
        )
        years = self.domains[PERIOD]
        return NoisyYears(
            [place for place, _noisy in found],
            [[noisy.get(year) for year in years] for _place, noisy in found],
        )


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
