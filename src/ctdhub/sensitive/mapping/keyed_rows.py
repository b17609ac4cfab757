"""What else a file says of person keys: rows that became no record, and births that differ.

A newer delivery replaces what older ones said of a person, also where it excludes her; and a key
with two years of birth is shared by several people.  Keys and nothing else are kept of that.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header, View

NO_RECORD = pa.schema(
    [
        pa.field("person_key", pa.string(), nullable=False),
        pa.field("excluded", pa.bool_(), nullable=False),
    ]
)
"""Keys of rows that became no record, and whether a rule excluded the row or a fault did."""

BIRTHS = pa.schema([pa.field("person_key", pa.string(), nullable=False)])
"""Keys whose records have different years of birth."""


def no_record(table: pa.Table, keys: pa.Array, records: pa.Array, excluded: pa.Array) -> pa.Table:
    """Keys of the rows of a file that became no record, schema :data:`NO_RECORD`, each once.

    Args:
        table: the file as read.
        keys: the key of each row of it, null where it has none.
        records, excluded: numbers of the rows that became records, and that a rule excluded.
    """
    rows = table["_row"].combine_chunks()
    other = pc.and_(pc.is_valid(keys), pc.invert(pc.is_in(rows, value_set=records)))
    found = pa.table([keys.filter(other), pc.is_in(rows.filter(other), value_set=excluded)],
                     NO_RECORD)  # fmt: skip
    return found.group_by(NO_RECORD.names).aggregate([]).sort_by("person_key").cast(NO_RECORD)


def births_differ(
    table: pa.Table, place: pa.Array | None, keys: pa.Array, mapping: Mapping
) -> pa.Table:
    """Keys with different years in a column of birth dates, schema :data:`BIRTHS`, sorted.

    Args:
        table: the file as read.
        place: where in it the rows stand that became records; None where all of them did.
        keys: the key of each of these.
        mapping: says which columns are birth dates (``band``), and how dates are written.
    """
    header, found = Header(table.column_names), BIRTHS.empty_table()
    empty = frozenset({"", *map(fold, mapping.empty)})
    for column, decision in mapping.identifiers.items():
        name = header.find(column) if decision.action == "band" else None
        if name is None:
            continue
        view = View(column, empty, "year", dates=mapping.dates)
        cells = table[name] if place is None else table[name].take(place)
        coded = cells.combine_chunks().dictionary_encode()
        texts = coded.dictionary.to_pylist()
        years = pa.array([None if t is None else view.read(t) for t in texts], pa.string())
        born = pa.table({"person_key": keys, "year": years.take(coded.indices)})
        ends = born.group_by("person_key").aggregate([("year", "min"), ("year", "max")])
        several = ends.filter(pc.not_equal(ends["year_min"], ends["year_max"]))
        keyed = several.select(["person_key"]).filter(pc.is_valid(several["person_key"]))
        found = pa.concat_tables([found, keyed.cast(BIRTHS)])
    return found.group_by("person_key").aggregate([]).sort_by("person_key").cast(BIRTHS)
