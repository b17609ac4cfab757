"""Perpetrators by person: who is mentioned in the records of one person, each once.

Belongs here: from the child rows of records to the child rows of people.
Does not belong here: which records belong to one person (``people``), how many count (``protect``).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.link.people import Linked
from ctdhub.schema import PERSON, Schema


def link_perpetrators(mentioned: pa.Table, linked: Linked, schema: Schema) -> pa.Table:
    """Child rows of records become child rows of people.

    Rows of one person that agree in every column are one row: the same perpetrator told twice, or
    two that are described alike.  So a file that is delivered twice adds nobody.

    Args:
        mentioned: ``record_id`` and ``Schema.table("perpetrators")``.
        linked: people made of those same records.
        schema: the hub's schema.

    Returns:
        ``person`` (what the person is called, whoever else there is) and
        ``Schema.table("perpetrators")``, sorted by all of them.

    Raises:
        ValueError: a row belongs to no record.
    """
    names = [v.name for v in schema.table("perpetrators")]
    place = pc.index_in(mentioned["record_id"], value_set=linked.persons["record_id"])
    if place.null_count:
        raise ValueError("a perpetrator belongs to no record")
    person = linked.persons["person"].take(place)
    rows = mentioned.select(names).add_column(0, PERSON, person)
    once = rows.group_by([PERSON, *names]).aggregate([])
    return once.sort_by([(name, "ascending") for name in (PERSON, *names)])
