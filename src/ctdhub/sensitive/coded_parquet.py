"""Parquet between the steps of a hub: codes are written as codes, and read as texts.

Nobody filters rows by the statistics of such files, and they are half of the work of writing them.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def as_codes(schema: pa.Schema) -> pa.Schema:
    """The schema with codes in place of texts."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([f.with_type(coded) if pa.types.is_string(f.type) else f for f in schema])


def without_codes(schema: pa.Schema) -> pa.Schema:
    """The schema with texts in place of codes."""
    return pa.schema(
        [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in schema]
    )


def writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Writes tables of that schema."""
    return pq.ParquetWriter(path, schema, store_schema=False, write_statistics=False)


def write(table: pa.Table, path: Path) -> None:
    """Write one table."""
    with writer(path, table.schema) as file:
        file.write_table(table)
