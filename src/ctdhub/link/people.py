"""From records to people: rows that share a person key become one row.

Belongs here: how records are joined to people, how their values merge.
Does not belong here: making keys (a contributor does, or ``harmonise`` from a case number), whom
further tokens join (``joins``).

A person key that a contributor made with the shared key (``token`` in a mapping) joins records
across contributors; one made from a case number joins them inside one contributor; a record
without a key is a person of its own.  The join is an equality, records of one person are put in
order by what they say, and the id of a record depends on nothing that other records say
(``harmonise.record_ids``): so one person's row never depends on another person's records, and
adding or removing one person changes exactly one row, in however many files her records stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pyarrow as pa

from ctdhub.schema import Schema, Variable, countries
from ctdhub.schema.belonging import NATIONAL, OTHER_EU, THIRD_COUNTRY

# From the least to the most that is known to have been done for a person.
STATUS_ORDER = ("not_available", "needed", "offered", "declined", "received")


@dataclass(frozen=True)
class Linked:
    """People.

    Attributes:
        people: one row per person, ``Schema.table("people")`` columns, sorted by all of them, so
            that equal people give equal tables whatever the order of the files.
        records: number of records that went in.
        persons: whose each record is: ``record_id``, ``person`` (what the person is called: her
            key, or the id of her only record).
    """

    people: pa.Table
    records: int
    persons: pa.Table


def link(records: pa.Table, schema: Schema) -> Linked:
    """Join records to people.

    Args:
        records: columns ``record_id``, ``person_key`` (null allowed) and
            ``Schema.table("records")``.
        schema: the hub's schema.

    Merging rules: a flag is yes where any record says yes, else no where any says no; assistance
    keeps the furthest status of :data:`STATUS_ORDER`; everything else keeps the value of the
    earliest record that has one (by year of registration; within a year by its other values in
    the order of the schema).  A record id that comes twice is one record that was delivered twice,
    in the same file or in one that holds more.
    """
    table = ibis.memtable(records).distinct(on="record_id", keep="first")
    table = table.mutate(
        person=ibis.coalesce(table.person_key, table.record_id),
        year_=ibis.coalesce(table.year_of_registration.cast("int64"), ibis.literal(9999)),
    )
    content = [table[v.name] for v in schema.records]
    table = table.mutate(
        order=ibis.row_number().over(group_by=table.person, order_by=[table.year_, *content])
    )
    merged = table.group_by("person").agg(
        **{v.name: _merge(table, v) for v in schema.records},
        records_=table.count(),
    )
    names = [v.name for v in schema.table("people")]
    connection = ibis.duckdb.connect()
    linked = connection.to_pyarrow(_derive(merged, schema))
    persons = connection.to_pyarrow(table.select("record_id", "person"))
    connection.disconnect()
    linked = linked.sort_by([(n, "ascending") for n in names])
    return Linked(linked.select(names), records.num_rows, persons)


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
    codes = schema.domain("records_per_person")
    top = len(codes)
    derived["records_per_person"] = ibis.ifelse(
        t.records_ >= top, codes[-1], t.records_.cast("string")
    )
    return t.mutate(**derived)


def _group(citizenship: ibis.Value, country: ibis.Value) -> ibis.Value:
    """The citizenship group by ``schema.belonging``; null where either country is."""
    union = countries.members("eu")
    inside = citizenship.isin(union) & country.isin(union)
    return ibis.cases(
        (citizenship.isnull() | country.isnull(), ibis.null("string")),
        (citizenship == country, NATIONAL),
        (inside, OTHER_EU),
        else_=THIRD_COUNTRY,
    )
