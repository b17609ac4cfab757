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
from ctdhub.sensitive.consent.entry import Kind, Withdrawal, mark
from ctdhub.sensitive.consent.in_force import InForce
from ctdhub.sensitive.consent.match import row_mark

_READ = ["record_id", "person_key", "source_row", PERIOD, SEX, AGE]


@dataclass(frozen=True)
class CaseRow:
    """One row, as the steward sees it.  Sensitive.

    Attributes:
        date, row: the delivery and the row in its file.
        year, gender, age: what it says, None where not recorded.
        mark: what would stand in the register for it.
        withdrawn: whether it is left out already.
        keyed: whether it has a person key.
    """

    date: str
    row: int
    year: int | None
    gender: str | None
    age: str | None
    mark: str
    withdrawn: bool
    keyed: bool


@dataclass(frozen=True)
class NumberedCase:
    """A number of a case and its rows.

    Attributes:
        place: its place (from 1) in what was given.
        mark: of the case.
        rows: those in force.
        chosen: whether rows of it were chosen before.
    """

    place: int
    mark: str
    rows: tuple[CaseRow, ...]
    chosen: bool

    @property
    def people(self) -> int:
        """How many people these rows are about."""
        return len({row.mark for row in self.rows})

    @property
    def shared(self) -> bool:
        """Whether somebody must say which rows are hers."""
        return self.people > 1 or self.chosen

    @property
    def alone(self) -> bool:
        """Whether it has one row, which nothing but itself tells from another row of that case."""
        return len(self.rows) == 1 and not self.chosen and not self.rows[0].keyed

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


Choose = Callable[[NumberedCase], Collection[int]]
"""Gives the places of the rows that are hers."""


def case_of(
    own: Sequence[Step], place: int, key: str, out: pa.Array, force: InForce, secret: bytes
) -> NumberedCase:
    """The rows of a case.

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
                    date_of(step), r["source_row"], r[PERIOD], r[SEX], r[AGE], told, told in gone,
                    r["person_key"] is not None,
                )  # fmt: skip
                rows[r["record_id"]] = one
    told = mark(secret, key)
    return NumberedCase(place, told, tuple(rows.values()), told in force.chosen)
