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
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, Schema
from ctdhub.sensitive.duck import run_whole
from ctdhub.sensitive.linkage.conflicts import CONFLICTS, conflicts
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.overlap import people_by_lists

Query = Callable[[Schema, pa.Schema], str]
"""How people are made of the table ``records`` with such columns, in SQL."""


@dataclass(frozen=True)
class Linked:
    """People, and what was seen while they were made.

    Attributes:
        people: one row per person, ``Schema.table("people")`` columns, in the order of what the
            persons are called, so that equal people give equal tables whatever the order of the
            files.
        records: number of records that went in.
        conflicts: what records of one person say differently, see ``conflicts``.
        known: people by the lists that know them, see ``people_by_lists``.
    """

    people: pa.Table
    records: int
    conflicts: pa.Table
    known: Counter[tuple[str, ...]]


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
    :data:`merge_sql.STATUS_ORDER`; everything else keeps the value of the
    earliest record that has one (by year of registration; within a year by its other values in
    the order of the schema).  A record id that comes twice is one record that was delivered twice,
    in the same file or in one that holds more.
    """
    from ctdhub.sensitive.linkage import merge_sql

    said = ["record_id", *(v.name for v in schema.records)]
    linking = linking or Linking()
    persons = linking.in_rows(persons_of(records))
    table = records.select(said).append_column(PERSON, persons)
    once = _first(table["record_id"])
    if len(once) < table.num_rows:
        table = table.take(pa.array(once))
    of = table[PERSON].combine_chunks().dictionary_encode().indices.to_numpy()
    alone = np.bincount(of)[of] == 1 if len(of) else np.zeros(0, dtype=bool)
    parts = [_people(table.filter(pa.array(alone)), schema, merge_sql.single)]
    differ = CONFLICTS.empty_table()
    if not alone.all():
        several = table.filter(pa.array(~alone))
        several = several.cast(_said(several.schema))
        parts.append(_people(several, schema, merge_sql.merged))
        differ = conflicts(several, parts[1], schema)
    linked = pa.concat_tables(parts).sort_by(PERSON)
    people = linked.select([v.name for v in schema.table("people")])
    known = people_by_lists(records, linking.on_lists(persons), linking.names, linking.years)
    return Linked(people, records.num_rows, differ, known)


def _first(ids: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where each id comes first."""
    coded = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.sort(np.unique(coded, return_index=True)[1])


def _people(records: pa.Table, schema: Schema, query: Query) -> pa.Table:
    """``person`` and the columns of people, worked out in memory alone."""
    texts = records.cast(_said(records.schema))
    fields = pa.schema([pa.field(PERSON, pa.string()), *arrow_schema("people")])
    return run_whole(query(schema, texts.schema), records=texts).cast(fields)


def _said(given: pa.Schema) -> pa.Schema:
    """The columns as they are in ``Schema.table("records")``, without dictionaries."""
    plain = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in given]
    return pa.schema(plain)
