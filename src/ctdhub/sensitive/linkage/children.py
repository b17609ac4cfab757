"""Perpetrators by person: who is mentioned in the records of one person, each once."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.schema.model import PERSON, Schema
from ctdhub.sensitive.linkage.joining import Linking
from ctdhub.sensitive.linkage.merge import persons_of


def by_person(mentioned: pa.Table, records: pa.Table, schema: Schema, linking: Linking) -> pa.Table:
    """Child rows of records as rows of the persons whom these records are about.

    Args:
        mentioned: ``record_id`` and ``Schema.table("perpetrators")``.
        records: ``record_id`` and ``person_key`` of those same records.
        linking: who is joined beside equal keys.

    Returns:
        ``person`` (what the person is called, whoever else there is) and
        ``Schema.table("perpetrators")``.

    Raises:
        ValueError: a row belongs to no record.
    """
    place = pc.index_in(mentioned["record_id"], value_set=records["record_id"])
    if place.null_count:
        raise ValueError("a perpetrator belongs to no record")
    names = [v.name for v in schema.table("perpetrators")]
    persons = linking.in_rows(persons_of(records))
    return mentioned.select(names).add_column(0, PERSON, persons.take(place))


def each_once(mentioned: pa.Table) -> pa.Table:
    """Rows by person, those that agree in every column once, sorted by all columns.

    Such rows are the same perpetrator told twice, or two that are described alike.  So a file
    that is delivered twice adds nobody.
    """
    once = mentioned.group_by(mentioned.column_names).aggregate([])
    return once.sort_by([(name, "ascending") for name in mentioned.column_names])
