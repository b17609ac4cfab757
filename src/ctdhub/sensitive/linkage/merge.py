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
from functools import lru_cache

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema import countries
from ctdhub.schema.citizenship_group import NATIONAL, OTHER_EU, THIRD_COUNTRY
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, Schema, Variable
from ctdhub.schema.roles import DELIVERIES, PERIOD
from ctdhub.sensitive.duck import run_whole, sql_of
from ctdhub.sensitive.linkage.conflicts import CONFLICTS, conflicts
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.overlap import people_by_lists

Query = Callable[[Schema, pa.Schema], str]
"""How people are made of the table ``records`` with such columns, in SQL."""

# From the least to the most that is known to have been done for a person.
STATUS_ORDER = ("not_available", "needed", "offered", "declined", "received")


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
    keeps the furthest status of :data:`STATUS_ORDER`; everything else keeps the value of the
    earliest record that has one (by year of registration; within a year by its other values in
    the order of the schema).  A record id that comes twice is one record that was delivered twice,
    in the same file or in one that holds more.
    """
    said = ["record_id", *(v.name for v in schema.records)]
    linking = linking or Linking()
    persons = linking.in_rows(persons_of(records))
    table = records.select(said).append_column(PERSON, persons)
    once = _first(table["record_id"])
    if len(once) < table.num_rows:
        table = table.take(pa.array(once))
    of = table[PERSON].combine_chunks().dictionary_encode().indices.to_numpy()
    alone = np.bincount(of)[of] == 1 if len(of) else np.zeros(0, dtype=bool)
    parts = [_people(table.filter(pa.array(alone)), schema, _single)]
    differ = CONFLICTS.empty_table()
    if not alone.all():
        several = table.filter(pa.array(~alone))
        several = several.cast(_said(several.schema))
        parts.append(_people(several, schema, _merged))
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


@lru_cache(maxsize=8)
def _single(schema: Schema, columns: pa.Schema) -> str:
    """The query for people of whom there is one record: there is nothing to merge."""
    records = ibis.table(ibis.Schema.from_pyarrow(columns), name="records")
    return _derived(records.mutate(records_=ibis.literal(1, "int64")), schema)


@lru_cache(maxsize=8)
def _merged(schema: Schema, columns: pa.Schema) -> str:
    """The query for people of whom there are several records."""
    table = ibis.table(ibis.Schema.from_pyarrow(columns), name="records")
    table = table.mutate(
        year_=ibis.coalesce(table[PERIOD].cast("int64"), ibis.literal(9999)),
    )
    content = [table[v.name] for v in schema.records]
    table = table.mutate(
        order=ibis.row_number().over(group_by=table[PERSON], order_by=[table.year_, *content])
    )
    merged = table.group_by(PERSON).agg(
        **{v.name: _merge(table, v) for v in schema.records},
        records_=table.count(),
    )
    return _derived(merged, schema)


def _derived(people: ibis.Table, schema: Schema) -> str:
    """The query for ``person`` and the columns of people in their order."""
    names = [PERSON, *(field.name for field in arrow_schema("people"))]
    return sql_of(_derive(people, schema).select(names))


def _merge(t: ibis.Table, variable: Variable) -> ibis.Value:
    column = t[variable.name]
    if variable.kind == "flag":
        return column.max()  # "yes" sorts after "no", and null is passed over
    if variable.kind == "status":
        furthest = column.cases(
            *[(s, i) for i, s in enumerate(STATUS_ORDER)], else_=ibis.null("int64")
        ).max()
        return furthest.cases(*list(enumerate(STATUS_ORDER)), else_=ibis.null("string"))
    return column.first(where=column.notnull(), order_by=t.order)


def _derive(t: ibis.Table, schema: Schema) -> ibis.Table:
    """Add the derived variables: an indicator per group of flags, records per person, groups."""
    derived = {}
    for variable in schema.people:
        if variable.any_of:
            flags = [t[f] == "yes" for f in schema.flags(variable.any_of)]
            some = ibis.or_(*[f.fill_null(False) for f in flags])
            derived[variable.name] = ibis.ifelse(some, "yes", "no")
        if variable.follows:
            derived[variable.name] = _group(*(t[parent] for parent in variable.follows))
    codes = schema.domain(DELIVERIES)
    top = len(codes)
    derived[DELIVERIES] = ibis.ifelse(t.records_ >= top, codes[-1], t.records_.cast("string"))
    return t.mutate(**derived)


def _group(citizenship: ibis.Value, country: ibis.Value) -> ibis.Value:
    """The citizenship group by ``schema.citizenship_group``; null where either country is."""
    union = countries.members("eu")
    inside = citizenship.isin(union) & country.isin(union)
    return ibis.cases(
        (citizenship.isnull() | country.isnull(), ibis.null("string")),
        (citizenship == country, NATIONAL),
        (inside, OTHER_EU),
        else_=THIRD_COUNTRY,
    )
