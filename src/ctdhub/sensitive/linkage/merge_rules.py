"""How several records become one, and what follows from a row: rules on columns of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.schema.citizenship_group import GROUPS, group_codes
from ctdhub.schema.model import Schema, Variable
from ctdhub.schema.roles import DELIVERIES
from ctdhub.sensitive.linkage.codes import Coded, Codes, Places, in_order

# From the least to the most that is known to have been done for a person.
STATUS_ORDER = ("not_available", "needed", "offered", "declined", "received")


@dataclass(frozen=True)
class Together:
    """Records by person; only where there are several is anything to be merged.

    Attributes:
        sizes: number of records of each person.
        alone: rows of the records that are a person's only one, and ``of_alone`` that person.
        several: rows of the other records, by person, and by what they say in the order of the
            variables, so that the earliest year comes first.
        starts: where in ``several`` each person begins, and ``of_several`` that person.
    """

    sizes: npt.NDArray[np.int64]
    alone: Places
    of_alone: Codes
    several: Places
    starts: Places
    of_several: Codes

    @staticmethod
    def of(persons: Coded, said: Sequence[Coded]) -> Together:
        """Records of persons by all that they say."""
        whose = persons.codes
        sizes = np.bincount(whose, minlength=len(persons.values))
        single = sizes[whose] == 1
        alone = np.flatnonzero(single)
        several = in_order([persons, *said], np.flatnonzero(~single))
        starts = np.flatnonzero(np.diff(whose[several], prepend=-1))
        return Together(sizes, alone, whose[alone], several, starts, whose[several[starts]])

    def merged(self, said: Mapping[str, Coded], variable: Variable, schema: Schema) -> Coded:
        """The column of persons.

        A flag is yes where any record says yes, else no where any says no; of a status the
        furthest is kept; a variable with ``furthest`` or ``beside`` is that of the record that is
        furthest in the list of its own codes, or of those of the other; of everything else the
        first that is recorded is kept.

        Args:
            said: what the records say, by variable.
        """
        column = said[variable.name]
        found = np.full(len(self.sizes), -1, np.int32)
        found[self.of_alone] = column.codes[self.alone]
        if len(self.several):
            codes = column.codes[self.several]
            if variable.kind == "flag":  # "yes" stands behind "no"
                kept = np.maximum.reduceat(codes, self.starts)
            elif variable.kind == "status":
                kept = self._furthest(codes, column)
            elif variable.furthest or variable.beside:
                leading = variable.beside or variable.name
                ranks = _ranks(said[leading], schema.recorded(leading))[self.several]
                kept = self._first_of_most(codes, ranks)
            else:
                kept = self._first(codes)
            found[self.of_several] = kept
        return Coded(found, column.values)

    def _furthest(self, codes: Codes, column: Coded) -> Codes:
        ranks = _ranks(column, STATUS_ORDER)[self.several]
        code_of = np.array([*(column.code(status) for status in STATUS_ORDER), -1], np.int32)
        return code_of[np.maximum.reduceat(ranks, self.starts)]

    def _first_of_most(self, codes: Codes, ranks: Codes) -> Codes:
        """Of the records with the highest rank the first that has a value, else no value."""
        n = len(codes)
        highest = np.maximum.reduceat(ranks, self.starts)
        owner = np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=n))
        at = np.where(ranks < highest[owner], 2 * n, np.arange(n) + n * (codes < 0))
        kept: Codes = codes[np.minimum.reduceat(at, self.starts) % n]
        return kept

    def _first(self, codes: Codes) -> Codes:
        at = np.where(codes < 0, len(codes), np.arange(len(codes)))
        return np.append(codes, np.int32(-1))[np.minimum.reduceat(at, self.starts)]


def _ranks(column: Coded, order: Sequence[str]) -> Codes:
    """The place of each row's value in a list, -1 where it has none."""
    ranks = np.full(len(column.values) + 1, -1, np.int32)
    for rank, value in enumerate(order):
        if (code := column.code(value)) >= 0:
            ranks[code] = rank
    return ranks[column.codes]


def derived(
    people: Mapping[str, Coded], records: npt.NDArray[np.int64], schema: Schema
) -> dict[str, Coded]:
    """The derived variables: an indicator per group of flags, records per person, groups.

    Args:
        people: the other variables of persons.
        records: number of records of each.
    """
    found = {}
    for variable in schema.people:
        if variable.any_of:
            some = np.zeros(len(records), np.bool_)
            for flag in schema.flags(variable.any_of):
                some |= people[flag].codes == people[flag].code("yes")
            found[variable.name] = Coded(some.astype(np.int32), pa.array(["no", "yes"]))
        if variable.follows:
            citizenship, country = (people[parent] for parent in variable.follows)
            groups = group_codes(citizenship.values.to_pylist(), country.values.to_pylist())
            codes = groups[citizenship.codes + 1, country.codes + 1].astype(np.int32) - 1
            found[variable.name] = Coded(codes, pa.array(GROUPS))
    domain = schema.domain(DELIVERIES)
    found[DELIVERIES] = Coded(
        np.minimum(records, len(domain)).astype(np.int32) - 1, pa.array(domain)
    )
    return found
