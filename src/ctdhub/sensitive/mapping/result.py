"""What harmonising gives back, and the law that no row is lost."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from ctdhub.core.i18n import Text
from ctdhub.sensitive.coded_parquet import without_codes
from ctdhub.sensitive.mapping.unknown_texts import FileTexts


@dataclass(frozen=True)
class Conservation:
    """Every row read is a record, a reject or an exclusion under a name.

    Attributes:
        rows_read: rows below the header, those that could not be read included.
        records: rows that became records.
        rejected: rows with at least one fault; a row with several faults counts once.
        excluded: rows left out by each named rule of the mapping.

    Raises:
        ValueError: the counts do not add up.

    >>> Conservation(5, 3, 1, {"not-a-victim": 1}).rows_read
    5
    """

    rows_read: int
    records: int
    rejected: int
    excluded: Dictionary[str, int]

    def __post_init__(self) -> None:
        parts = (self.records, self.rejected, *self.excluded.values())
        if min(parts) < 0 or self.rows_read != sum(parts):
            raise ValueError(f"{self.rows_read} rows were read, {sum(parts)} are accounted for")


@dataclass(frozen=True)
class Lineage:
    """Where one hub variable comes from.

    Attributes:
        column: the hub variable.
        sources: source columns (or hub variables) that it is made of.
        rule: the rule, to be said in any language.
        lossy: whether the source says more than what is kept.
        note: what is lost, None if nothing.
        mapped: records that have a value.
        empty: records without one ("not recorded").
        ignored: elements in the lists of its source columns that no rule of the mapping knows.
    """

    column: str
    sources: tuple[str, ...]
    rule: Text
    lossy: bool
    note: Text | None
    mapped: int
    empty: int
    ignored: int = 0

    def __post_init__(self) -> None:
        if self.lossy != (self.note is not None):
            raise ValueError(f"{self.column}: a lossy step, and only that, carries a note")


@dataclass(frozen=True)
class Harmonised:
    """One file in the hub's schema.  Sensitive.

    Attributes:
        coded: ``record_id``, ``person_key``, ``source_file``, ``source_row`` and the variables
            of the schema's records, in the order of the file; some texts as codes.
        perpetrators: ``record_id`` and the variables of the schema's perpetrators.
        tokens: keyed tokens of records (``ctdhub.sensitive.mapping.tokens.TOKENS``).
        cases: keys of cases (``run.CASES``), by which withdrawals are found.
        rejects: one row per fault (``ctdhub.sensitive.ingest.rejects.REJECTS``).
        lineage: one entry per mapped hub variable.
        conservation: the account of all rows.
        no_record: person keys of rows that became no record (``keyed_rows.NO_RECORD``).
        births: person keys with different years of birth (``keyed_rows.BIRTHS``).
        texts: what the file's texts are, those that no rule can read one by one.
        notes: numbers of the rows that look like notes, rejected or left out.
        not_victims: numbers of the rows left out as ``not-a-victim``.

    Raises:
        ValueError: record ids repeat, or the tables contradict the account.
    """

    coded: pa.Table
    perpetrators: pa.Table
    tokens: pa.Table
    cases: pa.Table
    rejects: pa.Table
    lineage: tuple[Lineage, ...]
    conservation: Conservation
    no_record: pa.Table
    births: pa.Table
    texts: FileTexts = field(default_factory=FileTexts)
    notes: tuple[int, ...] = ()
    not_victims: tuple[int, ...] = ()

    @cached_property
    def records(self) -> pa.Table:
        """The records with their texts."""
        return self.coded.cast(without_codes(self.coded.schema))

    def __post_init__(self) -> None:
        ids = self.coded["record_id"]
        if len(ids.unique()) != len(ids):
            raise ValueError("record ids repeat")
        if len(ids) != self.conservation.records:
            raise ValueError("the account does not count the records")
        if self.perpetrators.num_rows:
            known = set(ids.to_pylist())
            if not known.issuperset(self.perpetrators["record_id"].to_pylist()):
                raise ValueError("a perpetrator belongs to no record")
