"""From records to people: rows that share a person key become one row.

A person key that a contributor made with the shared key (``token`` in a mapping) joins records
across contributors; one made from a case number joins them inside one contributor; a record
without a key is a person of its own.  The join is an equality, records of one person are put in
order by what they say, and the id of a record depends on nothing that other records say
(``mapping.record_ids``): so one person's row never depends on another person's records, and
adding or removing one person changes exactly one row, in however many files her records stand.
Where the policy lets tokens join rows, she changes as many more as it pays for (decision 27).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, Schema
from ctdhub.schema.roles import DELIVERIES
from ctdhub.sensitive.linkage.codes import Coded
from ctdhub.sensitive.linkage.conflicts import conflicts
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.merge_rules import Together, derived
from ctdhub.sensitive.linkage.overlap import (
    ByStratum,
    lists_of_people,
    people_by_lists,
    people_by_strata,
)


@dataclass(frozen=True)
class Linked:
    """People, and what was seen while they were made.

    Attributes:
        columns: the columns of ``Schema.table("people")``, one row per person, in the order of
            what the persons are called, so that equal people give equal tables whatever the order
            of the files.
        records: number of records that went in.
        conflicts: what records of one person say differently, see ``conflicts``.
        known: people by the lists that know them, see ``people_by_lists``.
        strata: the same by what is asked of them, see ``people_by_strata``.
    """

    columns: Mapping[str, Coded]
    records: int
    conflicts: pa.Table
    known: Counter[tuple[str, ...]]
    strata: ByStratum

    def __len__(self) -> int:
        return len(self.columns[DELIVERIES].codes)

    @cached_property
    def people(self) -> pa.Table:
        """People as texts and numbers."""
        return self.coded.cast(arrow_schema("people"))

    @property
    def coded(self) -> pa.Table:
        """People with codes for texts."""
        numbers = [pa.types.is_integer(f.type) for f in arrow_schema("people")]
        columns = [
            column.decoded() if is_number else column.coded()
            for column, is_number in zip(self.columns.values(), numbers, strict=True)
        ]
        return pa.table(columns, names=list(self.columns))


def persons_of(records: pa.Table) -> pa.Array:
    """What the person of each record is called, whoever else there is: her key, or the record."""
    return pc.coalesce(records["person_key"], records["record_id"]).combine_chunks()


def link(records: pa.Table, schema: Schema, linking: Linking | None = None) -> Linked:
    """Join records to people.

    Args:
        records: columns ``record_id``, ``person_key`` (null allowed) and
            ``Schema.table("records")``.
        schema: the hub's schema.
        linking: who is joined beside equal keys, and whose lists are counted; nobody, if None.

    Merging rules: a flag is yes where any record says yes, else no where any says no; assistance
    keeps the furthest status of
    :data:`merge_rules.STATUS_ORDER`; everything else keeps the value of the
    earliest record that has one (by year of registration; within a year by its other values in
    the order of the schema).  A record id that comes twice is one record that was delivered twice,
    in the same file or in one that holds more.
    """
    linking = linking or Linking()
    persons = linking.in_rows(persons_of(records))
    known = people_by_lists(records, linking.on_lists(persons), linking.names, linking.years)
    table = records.append_column(PERSON, persons)
    once = _first(table["record_id"])
    if len(once) < table.num_rows:
        table = table.take(pa.array(once))
    whose = Coded.of(table[PERSON])
    said = {v.name: Coded.of(table[v.name]) for v in schema.records}
    together = Together.of(whose, list(said.values()))
    merged = {v.name: together.merged(said, v, schema) for v in schema.records}
    merged |= derived(merged, together.sizes, schema)
    differ = conflicts(together, whose.values, table["record_id"], said, merged, schema)
    columns = {name: merged[name] for name in arrow_schema("people").names}
    strata: ByStratum = Counter()
    if linking.strata:
        sets = lists_of_people(records, linking.on_lists(persons), linking.names, linking.years)
        asked = {name: columns[name] for name in linking.strata}
        strata = people_by_strata(sets, linking.on_lists(whose.values), asked, linking.names)
    return Linked(columns, records.num_rows, differ, known, strata)


def _first(ids: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where each id comes first."""
    coded = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.sort(np.unique(coded, return_index=True)[1])
