"""What one contributor sent on one day, as far as alarms look at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, HARM, ORIGIN, PERIOD, SEX
from ctdhub.sensitive.mapping.accept import Accepted
from ctdhub.sensitive.mapping.mapping import Mapping as ColumnMapping
from ctdhub.sensitive.mapping.unknown_texts import ColumnContent, FileTexts, UnknownText

CHILD = "child"
"""The mark of the schema that names codes of people under 18."""

PERSON_KEY = "person_key"


@dataclass(frozen=True)
class ReadDelivery:
    """The files of one contributor and date.  Sensitive.

    Attributes:
        contributor, date: whose, and the date of the folder.
        mapping: by which they were read.
        texts: of each file.
        records: its records; at least the columns :func:`columns_for` names.
        rows, rejected: rows read, and rows rejected.
        births: person keys with records of births too far apart for one person.
    """

    contributor: str
    date: str
    mapping: ColumnMapping
    texts: tuple[FileTexts, ...]
    records: pa.Table
    rows: int
    rejected: int
    births: int = 0

    @cached_property
    def columns(self) -> tuple[ColumnContent, ...]:
        """Its columns, those of several files that have one name as one."""
        found: dict[str, ColumnContent] = {}
        for one in (c for file in self.texts for c in file.columns):
            key = fold(one.column)
            found[key] = _both(found[key], one) if key in found else one
        return tuple(found.values())

    @cached_property
    def unknown(self) -> tuple[UnknownText, ...]:
        """Its unknown texts that nobody accepted, those of several files as one."""
        left = [u for u in self.all_unknown if not self._accepted(u)]
        return tuple(left)

    @cached_property
    def all_unknown(self) -> tuple[UnknownText, ...]:
        """Its unknown texts, accepted ones too."""
        return merged(u for file in self.texts for u in file.unknown)

    @cached_property
    def people(self) -> frozenset[str]:
        """Its person keys."""
        return frozenset(self.records[PERSON_KEY].drop_null().unique().to_pylist())

    @cached_property
    def recorded(self) -> Mapping[str, int]:
        """Records in which each mapped variable is recorded."""
        of = self.records.num_rows
        return {name: of - self.records[name].null_count for name in self.mapping.columns}

    def ever(self, variable: str, code: str) -> bool:
        """Whether any record has this code."""
        return bool(pc.any(pc.equal(self.records[variable], code)).as_py())

    @property
    def accept(self) -> tuple[Accepted, ...]:
        """What the mapping accepts."""
        return self.mapping.accept

    def _accepted(self, unknown: UnknownText) -> bool:
        return any(a.knows(unknown.column, unknown.text, self.date) for a in self.accept)


def columns_for(mapping: ColumnMapping, available: Iterable[str]) -> list[str]:
    """Columns of records that alarms look at."""
    wanted = {*looked_at(), *mapping.columns}
    return [name for name in available if name in wanted]


def looked_at() -> tuple[str, ...]:
    """Columns of records that alarms need whatever the mapping is."""
    schema = load_schema()
    ages = [name for name, marks in schema.marks.items() if CHILD in marks]
    return (PERSON_KEY, PERIOD, SEX, ORIGIN, DESTINATION, *ages, *schema.flags(HARM))


def merged(texts: Iterable[UnknownText]) -> tuple[UnknownText, ...]:
    """Unknown texts of several files as one list, those of most rows first in each column."""
    first: dict[tuple[str, str], UnknownText] = {}
    rows: Counter[tuple[str, str]] = Counter()
    for one in texts:
        key = fold(one.column), fold(one.text)
        first.setdefault(key, one)
        rows[key] += one.rows
    found = [
        UnknownText(one.column, one.text, rows[key], one.outcome, one.nearest)
        for key, one in first.items()
    ]
    return tuple(sorted(found, key=lambda u: (fold(u.column), -u.rows, fold(u.text))))


def _both(one: ColumnContent, other: ColumnContent) -> ColumnContent:
    return ColumnContent(
        one.column,
        one.read or other.read,
        one.decided or other.decided,
        one.filled + other.filled,
        one.dates + other.dates,
        one.new_year + other.new_year,
        one.lists + other.lists,
        one.sets + other.sets,
        one.digits + other.digits,
        one.padded + other.padded,
        one.decimals + other.decimals,
    )
