"""Rows behind the number of a case that several people share, so that the right ones are chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build.filenames import CASES, RECORDS
from ctdhub.build.harmonised import date_of
from ctdhub.build.steps import Step
from ctdhub.build.withdrawn import without
from ctdhub.schema.roles import AGE, PERIOD, SEX
from ctdhub.sensitive.consent.entry import Kind, Withdrawal
from ctdhub.sensitive.consent.in_force import InForce
from ctdhub.sensitive.consent.match import mark, row_mark

_READ = ["record_id", "person_key", "source_row", PERIOD, SEX, AGE]


@dataclass(frozen=True)
class CaseRow:
    """One row, as the steward sees it.  Sensitive.

    Attributes:
        date, row: the delivery and the row in its file.
        year, gender, age: what it says, None where not recorded.
        mark: what would stand in the register for it.
        withdrawn: whether it is left out already.
    """

    date: str
    row: int
    year: int | None
    gender: str | None
    age: str | None
    mark: str
    withdrawn: bool


@dataclass(frozen=True)
class SharedCase:
    """A number of a case with rows of several people, or of which rows were chosen before.

    Attributes:
        place: its place (from 1) in what was given.
        mark: of the case.
        rows: those in force.
    """

    place: int
    mark: str
    rows: tuple[CaseRow, ...]

    @property
    def people(self) -> int:
        """How many people these rows are about."""
        return len({row.mark for row in self.rows})

    def entries(self, chosen: Collection[int], entry: Withdrawal) -> list[Withdrawal]:
        """What would be written down: who withdrew, and of which rows she is not the person.

        Args:
            chosen: places (from 0) of the rows that are hers; none says that none is.
            entry: what would be written down of the number itself.
        """
        kinds: dict[str, Kind] = {self.rows[place].mark: "withdrawal" for place in sorted(chosen)}
        for row in self.rows:
            if not row.withdrawn:
                kinds.setdefault(row.mark, "renewal")
        told = replace(entry, because=self.mark)
        return [replace(told, kind=kind, mark=row) for row, kind in kinds.items()]


Choose = Callable[[SharedCase], Collection[int]]
"""Gives the places of the rows that are hers."""


def shared_case(
    own: Sequence[Step], place: int, key: str, out: pa.Array, force: InForce, secret: bytes
) -> SharedCase | None:
    """The rows of a case, where somebody must say which are hers; None where all of them are.

    Args:
        own: harmonised files of the contributor.
        place: of the number in what was given.
        key: of the case.
        out: ids of records that newer deliveries replace.
    """
    gone = {e.mark for e in force.entries}
    rows: dict[str, CaseRow] = {}
    for step in own:
        cases = without(pq.read_table(step.output / CASES), out)
        hers = cases["record_id"].filter(pc.equal(cases["case"], key)).combine_chunks()
        if len(hers):
            table = pq.read_table(step.output / RECORDS, columns=_READ)
            for r in table.filter(pc.is_in(table["record_id"], value_set=hers)).to_pylist():
                told = row_mark(secret, r["person_key"], r["record_id"])
                one = CaseRow(
                    date_of(step), r["source_row"], r[PERIOD], r[SEX], r[AGE], told, told in gone
                )
                rows[r["record_id"]] = one
    found = SharedCase(place, mark(secret, key), tuple(rows.values()))
    return found if found.people > 1 or found.mark in force.chosen else None
