"""How records become people, as SQL: what merges several records, and what follows from a row.

The queries are put together with ibis and kept, since that takes longer than to run them over few
rows.  ibis is loaded with this module, hence the module when people are made.
"""

from __future__ import annotations

from functools import lru_cache

import ibis
import pyarrow as pa

from ctdhub.schema import countries
from ctdhub.schema.citizenship_group import NATIONAL, OTHER_EU, THIRD_COUNTRY
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import PERSON, Schema, Variable
from ctdhub.schema.roles import DELIVERIES, PERIOD
from ctdhub.sensitive.duck import sql_of

# From the least to the most that is known to have been done for a person.
STATUS_ORDER = ("not_available", "needed", "offered", "declined", "received")


@lru_cache(maxsize=8)
def single(schema: Schema, columns: pa.Schema) -> str:
    """The query for people of whom there is one record: there is nothing to merge."""
    records = ibis.table(ibis.Schema.from_pyarrow(columns), name="records")
    return _derived(records.mutate(records_=ibis.literal(1, "int64")), schema)


@lru_cache(maxsize=8)
def merged(schema: Schema, columns: pa.Schema) -> str:
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
        **{v.name: _merge(table, v, schema) for v in schema.records},
        records_=table.count(),
    )
    return _derived(merged, schema)


def _derived(people: ibis.Table, schema: Schema) -> str:
    """The query for ``person`` and the columns of people in their order."""
    names = [PERSON, *(field.name for field in arrow_schema("people"))]
    return sql_of(_derive(people, schema).select(names))


def _merge(t: ibis.Table, variable: Variable, schema: Schema) -> ibis.Value:
    column = t[variable.name]
    if variable.kind == "flag":
        return column.max()  # "yes" sorts after "no", and null is passed over
    if variable.kind == "status":
        furthest = column.cases(
            *[(s, i) for i, s in enumerate(STATUS_ORDER)], else_=ibis.null("int64")
        ).max()
        return furthest.cases(*list(enumerate(STATUS_ORDER)), else_=ibis.null("string"))
    if variable.furthest or variable.beside:
        rank = _rank(t, variable.beside or variable.name, schema)
        first = [rank.desc(), column.isnull(), t.order]
        return column.first(order_by=first, include_null=True)
    return column.first(where=column.notnull(), order_by=t.order)


def _rank(t: ibis.Table, name: str, schema: Schema) -> ibis.Value:
    """How far the code of a record is in its list; -1 where it has none."""
    codes = schema.recorded(name)
    return t[name].cases(*[(code, i) for i, code in enumerate(codes)], else_=-1)


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
