"""Persons as a file tells them apart, and what speaks against two persons being one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.i18n import Text

Ints = NDArray[np.int64]

APART = 10
"""Years between two birth years: further apart, a link is shown, for a child may have the names,
address and telephone of a parent.  It is not refused: birth dates are guessed and mistaken."""


class Sets:
    """Union-find over so many things, from 0; the smallest of a set is its root."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, one: int) -> int:
        """The smallest of the set that one is in."""
        while self._parent[one] != one:
            self._parent[one] = one = self._parent[self._parent[one]]
        return one

    def join(self, one: int, other: int) -> int:
        """Make one set of two; its root."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low
        return low


@dataclass(frozen=True)
class IdentifiedPersons:
    """Persons of all files, from 0 in the order of their first rows.

    Attributes:
        of_row: person of each row, rows of all files counted on.
        row: first row of each person.
        file: file of each person, from 0.
        sex: by person ``female``, ``male`` or None; None also where its rows differ.
        years: birth years by person.
        doubles: pairs of rows of one person that bear different numbers of cases.
    """

    of_row: Ints
    row: Ints
    file: Ints
    sex: list[str | None]
    years: list[frozenset[str]]
    doubles: list[tuple[int, int]]


def persons_of(
    tables: Sequence[pa.Table], cases: Sequence[Sequence[str]], tokens: Sequence[Sequence[str]]
) -> IdentifiedPersons:
    """Rows of one file are one person where the number of the case or ``link_token`` is the same.

    The hub would join rows of one ``link_token``, so this does too, unless their sexes differ.

    Args:
        tables: features of each file.
        cases: by file the case number of each row, empty without one.
        tokens: by file the ``link_token`` of each row, empty without one.
    """
    rows = sum(table.num_rows for table in tables)
    sets, doubles, first = Sets(rows), [], 0
    sex = [said for table in tables for said in table["sex"].to_pylist()]
    for table, case, token in zip(tables, cases, tokens, strict=True):
        by_case: dict[str, int] = {}
        by_token: dict[tuple[str, str | None], int] = {}
        for at in range(first, first + table.num_rows):
            if number := case[at - first]:
                sets.join(at, by_case.setdefault(number, at))
        for at in range(first, first + table.num_rows):
            if not (key := token[at - first]):
                continue
            known = [by_token[key, said] for said in _alike(sex[at]) if (key, said) in by_token]
            if known:
                numbers = case[known[0] - first], case[at - first]
                if sets.root(known[0]) != sets.root(at) and all(numbers):
                    doubles.append((known[0], at))
                sets.join(known[0], at)
            by_token.setdefault((key, sex[at]), at)
        first += table.num_rows
    root = np.array([sets.root(i) for i in range(rows)], np.int64)
    row, of_row = np.unique(root, return_inverse=True)
    sexes: list[set[str]] = [set() for _row in row]
    years: list[set[str]] = [set() for _row in row]
    born = [year for table in tables for year in table["birth_year"].to_pylist()]
    for person, said, year in zip(of_row, sex, born, strict=True):
        sexes[person] |= {said} - {None}
        years[person] |= {year} - {None}
    ends = np.cumsum([table.num_rows for table in tables])
    return IdentifiedPersons(
        of_row=of_row.astype(np.int64),
        row=row,
        file=np.searchsorted(ends, row, side="right").astype(np.int64),
        sex=[next(iter(said)) if len(said) == 1 else None for said in sexes],
        years=[frozenset(said) for said in years],
        doubles=doubles,
    )


def _alike(sex: str | None) -> tuple[str | None, ...]:
    """Sexes that do not speak against one, itself first."""
    return (sex, None) if sex else (None, "female", "male")


def contradiction(p: IdentifiedPersons, one: int, other: int) -> Text | None:
    """Why two persons cannot be one; None where nothing says so."""
    if {p.sex[one], p.sex[other]} == {"female", "male"}:
        return Text("The genders differ.")
    return None


def far_apart(p: IdentifiedPersons, one: int, other: int) -> bool:
    """Whether birth years differ by more than :data:`APART`, and by more than a slip."""
    pairs = [(int(a), int(b)) for a in p.years[one] for b in p.years[other]]
    return bool(pairs) and all(abs(a - b) > APART and not _one_slip(a, b) for a, b in pairs)


def _one_slip(one: int, other: int) -> bool:
    """Whether the years differ in one digit or by two digits in the wrong order."""
    a, b = f"{one:04d}", f"{other:04d}"
    differ = [i for i in range(4) if a[i] != b[i]]
    return len(differ) < 2 or (len(differ) == 2 and sorted(a) == sorted(b))
