"""Columns that follow from a person's two countries, in records that are made up.

Where both countries are released the column is a function of the corridor, which the fit lays
first and holds: it is read off the corridor, stays, and its tables steer the columns that move.
Where one is released the column moves like any other, and a value that this country rules out
(nobody is a citizen of another EU state in a country outside the EU) is put right at the end.
Where neither is, it is an ordinary column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.dp.indicators import Draft
from ctdhub.dp.policy import Domains
from ctdhub.schema.citizenship_group import group_codes
from ctdhub.schema.model import Schema

Pair = tuple[str, str]


@dataclass(frozen=True)
class Followers:
    """Which column follows from which countries; citizenship comes first.

    Attributes:
        whole: the two countries by column, where both are released.
        partial: the two countries by column, where one of them is released.
    """

    whole: dict[str, Pair]
    partial: dict[str, Pair]

    @classmethod
    def of(cls, domains: Domains, schema: Schema) -> Followers:
        """Columns that follow, among the released ones."""
        found: tuple[dict[str, Pair], ...] = ({}, {}, {})
        for v in schema.people:
            if v.follows and v.name in domains:
                released = sum(parent in domains for parent in v.follows)
                found[2 - released][v.name] = v.follows
        return cls(found[0], found[1])

    def held(
        self, columns: Mapping[str, npt.NDArray[np.integer]], domains: Domains
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Codes of the columns that follow from two, by record.

        Args:
            columns: codes of the countries.
        """
        return {
            name: _table(pair, domains)[columns[pair[0]], columns[pair[1]]].astype(np.int64)
            for name, pair in self.whole.items()
        }

    def repair(self, records: Draft, domains: Domains) -> None:
        """Put right, in place, what the one released country rules out.

        A value that is ruled out becomes the one that most other countries would give.
        """
        for name, pair in self.partial.items():
            (parent,) = (n for n in pair if n in domains)
            possible = _possible(pair, parent, domains)
            codes, country = records[name], records[parent]
            wrong = possible[country, codes] == 0
            usual = possible.argmax(axis=1).astype(np.uint16)
            records[name] = np.where(wrong, usual[country], codes)

    def possible(self, table: tuple[str, ...], domains: Domains) -> npt.NDArray[np.bool_] | None:
        """Which cells of a table anybody can be in; None where all of them.

        Only tables of a column and one of its countries leave cells out.
        """
        for name, pair in {**self.whole, **self.partial}.items():
            parents = [n for n in pair if n in table]
            if name in table and len(table) == 2 and parents:
                cells = _possible(pair, parents[0], domains) > 0
                return cells if table[0] == parents[0] else cells.T
        return None


def _table(pair: Pair, domains: Domains) -> npt.NDArray[np.uint16]:
    return group_codes(*(domains[n] for n in pair))


def _possible(pair: Pair, parent: str, domains: Domains) -> npt.NDArray[np.int64]:
    """Country x group: how many other countries give this group, "not recorded" among both."""
    found = group_codes(domains[parent], domains[parent])
    found = found if parent == pair[0] else found.T
    groups = int(found.max()) + 1
    return np.array([np.bincount(row, minlength=groups) for row in found])
