"""What is emitted from the schema: Arrow types.

Belongs here: other formats' words for the schema.  Does not belong here: meaning (``model``).
"""

from __future__ import annotations

import pyarrow as pa

from ctdhub.schema.model import Kind, TableName, load_schema

ARROW: dict[Kind, pa.DataType] = {
    "year": pa.int16(),
    "code": pa.string(),
    "country": pa.string(),
    "flag": pa.string(),
    "status": pa.string(),
    "entity": pa.string(),
    "count": pa.int32(),
}


def arrow_schema(table: TableName) -> pa.Schema:
    """Columns of a table in order, all nullable; null means "not recorded".

    >>> arrow_schema("records").field("year_of_registration").type
    DataType(int16)
    """
    fields = [pa.field(v.name, ARROW[v.kind]) for v in load_schema().table(table)]
    return pa.schema(fields)
